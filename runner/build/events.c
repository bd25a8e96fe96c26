/* SPDX-License-Identifier: MIT */
#include "build/events.h"

#include <time.h>

#include "base/mem.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void sb_events_init(struct sb_events *events, sb_event_fn fn, void *data)
{
	*events = (struct sb_events){.fn = fn, .data = data, .start_ns = now_ns()};
}

static char *redacted(const struct sb_events *events, const char *text)
{
	return events->secrets != NULL ? sb_redact_text(events->secrets, text)
				       : sb_strdup_or_null(text);
}

void sb_events_emit(const struct sb_events *events, struct sb_event event)
{
	if (events->fn == NULL)
		return;
	event.t_ns = now_ns() - events->start_ns;
	if (event.step == 0)
		event.step = events->step;
	if (event.stage == NULL)
		event.stage = events->stage;
	if (event.kind == SB_EVENT_STEP_OUTPUT) {
		events->fn(&event, events->data);
		return;
	}

	sb_autofree char *text = redacted(events, event.text);
	sb_autofree char *hint = redacted(events, event.hint);

	event.text = text;
	event.hint = hint;
	events->fn(&event, events->data);
}

void sb_events_notice(const struct sb_events *events, const char *text, const char *hint)
{
	sb_events_emit(
		events, (struct sb_event){.kind = SB_EVENT_NOTICE, .text = text, .hint = hint});
}

void sb_events_warn(const struct sb_events *events, const char *text, const char *hint)
{
	sb_events_emit(
		events, (struct sb_event){.kind = SB_EVENT_WARNING, .text = text, .hint = hint});
}
