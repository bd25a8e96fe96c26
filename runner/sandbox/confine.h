/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_CONFINE_H
#define SB_SANDBOX_CONFINE_H

#include "base/error.h"
#include "sandbox/spec.h"

/*
 * What a step's process gives up between fork and exec, in the one order that works:
 * core dumps, bounding set, seccomp (it needs CAP_SYS_ADMIN unless no_new_privs is set), groups and
 * ids, capabilities.
 */
int sb_confine(const struct sb_step_spec *spec, struct sb_error *err) SB_MUST_USE;

/* No core dump of the calling process and what it starts. */
int sb_confine_core_dumps(struct sb_error *err) SB_MUST_USE;

/* Gives up every capability but one, where the calling process has it. */
int sb_confine_keep_capability(int capability, struct sb_error *err) SB_MUST_USE;

/* The step's capability set as a bit mask, for tests and doctor: Docker's fourteen without
 * CAP_MKNOD, which does nothing in a user namespace. */
uint64_t sb_confine_capabilities(void);

#endif
