/* SPDX-License-Identifier: MIT */
#include "build/events.h"

#include <time.h>

#include "base/mem.h"
#include "sys/mutex.h"

/* A thread carries out one step after the other, and most that tell something know no step. */
static _Thread_local struct {
	uint32_t step;
	const char *stage;
	const char *platform;
} current;

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void sb_events_init(struct sb_events *events, sb_event_fn fn, void *data)
{
	*events = (struct sb_events){
		.fn = fn, .data = data, .start_ns = now_ns(), .lock = SB_NEW(pthread_mutex_t)};
	SB_BUG_ON(pthread_mutex_init(events->lock, NULL) != 0);
}

void sb_events_fork(
	const struct sb_events *from, const struct sb_secrets *secrets, struct sb_events *out)
{
	*out = (struct sb_events){.fn = from->fn,
		.data = from->data,
		.start_ns = from->start_ns,
		.lock = from->lock,
		.is_fork = true};
	sb_events_hide(out, secrets);
}

void sb_events_release(struct sb_events *events)
{
	if (events->lock != NULL && !events->is_fork) {
		(void)pthread_mutex_destroy(events->lock);
		free(events->lock);
	}
	events->lock = NULL;
	sb_redactor_free(events->redactor);
	events->redactor = NULL;
}

void sb_events_hide(struct sb_events *events, const struct sb_secrets *secrets)
{
	sb_redactor_free(events->redactor);
	events->redactor = sb_secrets_count(secrets) > 0 ? sb_redactor_new(secrets) : NULL;
}

void sb_events_set_step(uint32_t step, const char *stage, const char *platform)
{
	current.step = step;
	current.stage = stage;
	current.platform = platform;
}

static void emit_redacted(const struct sb_events *events, struct sb_event event)
{
	struct sb_redactor *redactor = events->redactor;
	const bool is_output = event.kind == SB_EVENT_STEP_OUTPUT;
	sb_autofree char *text = is_output ? NULL : sb_redactor_text(redactor, event.text);
	sb_autofree char *hint = sb_redactor_text(redactor, event.hint);
	sb_autofree char *name = sb_redactor_text(redactor, event.name);
	sb_autofree char *stage = sb_redactor_text(redactor, event.stage);
	sb_autofree char *file = sb_redactor_text(redactor, event.file);

	if (!is_output)
		event.text = text;
	event.hint = hint;
	event.name = name;
	event.stage = stage;
	event.file = file;
	events->fn(&event, events->data);
}

void sb_events_emit(struct sb_events *events, struct sb_event event)
{
	if (events->fn == NULL)
		return;
	if (event.step == 0)
		event.step = current.step;
	if (event.stage == NULL)
		event.stage = current.stage;
	if (event.platform == NULL)
		event.platform = current.platform;

	sb_automutex pthread_mutex_t *held = sb_mutex_take(events->lock);

	event.t_ns = now_ns() - events->start_ns;
	if (events->redactor != NULL)
		emit_redacted(events, event);
	else
		events->fn(&event, events->data);
}

void sb_events_notice(struct sb_events *events, const char *text, const char *hint)
{
	sb_events_emit(
		events, (struct sb_event){.kind = SB_EVENT_NOTICE, .text = text, .hint = hint});
}

void sb_events_warn(struct sb_events *events, const char *text, const char *hint)
{
	sb_events_emit(
		events, (struct sb_event){.kind = SB_EVENT_WARNING, .text = text, .hint = hint});
}
