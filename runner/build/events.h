/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_EVENTS_H
#define SB_BUILD_EVENTS_H

#include <pthread.h>
#include <stdbool.h>

#include "leak/redact.h"
#include "leak/secrets.h"
#include "safebuild/event.h"

/*
 * The one way from a build to whoever watches it. Text is freed of secret values here, so that no
 * caller can forget. Any thread may tell something: one at a time is heard.
 */
struct sb_events {
	sb_event_fn fn; /* NULL: nobody watches */
	void *data;
	struct sb_redactor *redactor; /* owned; NULL: no secret is known */
	uint64_t start_ns;
	pthread_mutex_t *lock; /* held while fn runs; the same for all forks */
	bool is_fork;          /* the lock is another's */
};

void sb_events_init(struct sb_events *events, sb_event_fn fn, void *data);
/* The same watcher and clock; `from`, which lives longer, and the secrets are borrowed. */
void sb_events_fork(
	const struct sb_events *from, const struct sb_secrets *secrets, struct sb_events *out);
void sb_events_release(struct sb_events *events);
/* From here on these values are replaced. The secrets are borrowed. */
void sb_events_hide(struct sb_events *events, const struct sb_secrets *secrets);
/* What this thread tells from here on is of that step (0: of none), stage and platform (NULL: there
 * is one alone), which are borrowed. */
void sb_events_set_step(uint32_t step, const char *stage, const char *platform);
/* Sends a copy with time, step and redacted texts. The text of a STEP_OUTPUT passes as it is: its
 * streams have redactors of their own. */
void sb_events_emit(struct sb_events *events, struct sb_event event);
void sb_events_notice(struct sb_events *events, const char *text, const char *hint);
void sb_events_warn(struct sb_events *events, const char *text, const char *hint);

#endif
