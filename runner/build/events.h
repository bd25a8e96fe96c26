/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_EVENTS_H
#define SB_BUILD_EVENTS_H

#include "leak/redact.h"
#include "leak/secrets.h"
#include "safebuild/event.h"

/*
 * The one way from a build to whoever watches it. Text is freed of secret values here, so that no
 * caller can forget.
 */
struct sb_events {
	sb_event_fn fn; /* NULL: nobody watches */
	void *data;
	struct sb_redactor *redactor; /* owned; NULL: no secret is known */
	uint64_t start_ns;
	uint32_t step; /* the running one, put into every event */
	const char *stage;
};

void sb_events_init(struct sb_events *events, sb_event_fn fn, void *data);
void sb_events_release(struct sb_events *events);
/* From here on these values are replaced. The secrets are borrowed. */
void sb_events_hide(struct sb_events *events, const struct sb_secrets *secrets);
/* Sends a copy with time, step and redacted texts. The text of a STEP_OUTPUT passes as it is: its
 * streams have redactors of their own. */
void sb_events_emit(const struct sb_events *events, struct sb_event event);
void sb_events_notice(const struct sb_events *events, const char *text, const char *hint);
void sb_events_warn(const struct sb_events *events, const char *text, const char *hint);

#endif
