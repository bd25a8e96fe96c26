/* SPDX-License-Identifier: MIT */
#include "cli/render.h"

#include <stddef.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/report.h"

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
	const char *platform = event->platform != NULL ? event->platform : "";
	const char *stage = event->stage != NULL ? event->stage : "";
	sb_autofree char *total = event->total != 0
					  ? sb_asprintf("/%llu", (unsigned long long)event->total)
					  : sb_strdup("");
	sb_autofree char *raw = sb_asprintf("[%s%s%s%s%u%s] %s", platform,
		platform[0] != '\0' ? " " : "", stage, stage[0] != '\0' ? " " : "", event->step,
		total, event->text != NULL ? event->text : "");

	return sb_escape_text(raw, strlen(raw));
}
