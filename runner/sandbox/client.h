/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_CLIENT_H
#define SB_SANDBOX_CLIENT_H

#include "base/cleanup.h"
#include "base/error.h"
#include "sandbox/spec.h"

/* safebuild's end of safebuild-step: starts it, hands it steps, streams what they print. */
struct sb_sandbox;

/* Where safebuild-step is: beside the running program, else where it is installed; NULL if in
 * neither place. Caller frees. */
char *sb_sandbox_program(void);
int sb_sandbox_start(struct sb_sandbox **out, struct sb_error *err) SB_MUST_USE;
void sb_sandbox_free(struct sb_sandbox *sandbox);
SB_DEFINE_FREEP(sb_sandbox)

/* Where steps are sent, and answers come from; borrowed. For sandbox/attach.c. */
int sb_sandbox_socket(const struct sb_sandbox *sandbox);
/* safebuild-step did not answer when it was last asked to run a step: it serves no other, and a
 * process of that one may still write. */
bool sb_sandbox_is_lost(const struct sb_sandbox *sandbox);

struct sb_sandbox_events {
	/* stream is 1 or 2; bytes as they come. */
	void (*on_output)(void *data, int stream, const char *bytes, size_t len);
	/* About ten times a second. */
	void (*on_tick)(void *data);
	void *data;
	int interrupt_fd; /* readable: cancel the step; or -1 */
};

/*
 * Runs one step to its end; all it wrote has been reported, and every process of it is gone, when
 * this returns, unless the sandbox is lost then. spec->stdout_fd and stderr_fd are set here. A
 * status other than 0 is in the result, not an error; SB_E_CANCELLED after interrupt_fd.
 */
int sb_sandbox_run(struct sb_sandbox *sandbox, struct sb_step_spec *spec,
	const struct sb_sandbox_events *events, struct sb_step_result *out,
	struct sb_error *err) SB_MUST_USE;

#endif
