/* SPDX-License-Identifier: MIT */
#include "cli/render.h"

#include <stddef.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/report.h"

static void quiet_event(struct sb_renderer *r, const struct sb_event *event)
{
	/* A warning is about the result, which quiet does not make less true. */
	if (event->kind == SB_EVENT_WARNING)
		sb_report_event(r->out, event, r->style.has_color);
}

static void quiet_finish(struct sb_renderer *r, const struct sb_error *failure, int status)
{
	(void)r;
	(void)failure;
	(void)status;
}

static void quiet_release(struct sb_renderer *r)
{
	(void)r;
}

struct sb_renderer *sb_render_quiet_new(void)
{
	static const struct sb_renderer_ops ops = {quiet_event, quiet_finish, quiet_release};
	struct sb_renderer *renderer = SB_NEW(struct sb_renderer);

	renderer->ops = &ops;
	return renderer;
}

struct sb_renderer *sb_renderer_new(
	enum sb_progress progress, FILE *out, const struct sb_render_style *style)
{
	static struct sb_renderer *(*const makers[])(void) = {
		[SB_PROGRESS_TTY] = sb_render_tty_new,
		[SB_PROGRESS_PLAIN] = sb_render_plain_new,
		[SB_PROGRESS_JSON] = sb_render_json_new,
		[SB_PROGRESS_QUIET] = sb_render_quiet_new,
	};
	struct sb_renderer *renderer = makers[progress]();

	renderer->out = out;
	renderer->style = *style;
	return renderer;
}

void sb_renderer_free(struct sb_renderer *renderer)
{
	if (renderer == NULL)
		return;
	renderer->ops->release(renderer);
	free(renderer);
}

void sb_renderer_event(const struct sb_event *event, void *data)
{
	struct sb_renderer *renderer = data;

	renderer->ops->event(renderer, event);
	/* The library may fork: nothing may wait in a buffer that a child would write again. */
	(void)fflush(renderer->out);
}

void sb_renderer_finish(struct sb_renderer *renderer, const struct sb_error *failure, int status)
{
	renderer->ops->finish(renderer, failure, status);
	(void)fflush(renderer->out);
}

char *sb_render_step_title(const struct sb_event *event)
{
	const char *stage = event->stage != NULL ? event->stage : "";
	sb_autofree char *raw =
		event->total != 0
			? sb_asprintf("[%s%s%u/%llu] %s", stage, stage[0] != '\0' ? " " : "",
				  event->step, (unsigned long long)event->total,
				  event->text != NULL ? event->text : "")
			: sb_asprintf("[%s%s%u] %s", stage, stage[0] != '\0' ? " " : "",
				  event->step, event->text != NULL ? event->text : "");

	return sb_escape_text(raw, strlen(raw));
}
