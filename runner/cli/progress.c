/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <string.h>

#include "cli/report.h"
#include "cli/terminal.h"

int sb_progress_parse(
	const char *name, FILE *out, enum sb_progress *out_progress, struct sb_error *err)
{
	static const struct {
		const char *name;
		enum sb_progress progress;
	} known[] = {
		{"tty", SB_PROGRESS_TTY},
		{"plain", SB_PROGRESS_PLAIN},
		{"json", SB_PROGRESS_JSON},
		{"rawjson", SB_PROGRESS_JSON}, /* docker's name for its own */
		{"quiet", SB_PROGRESS_QUIET},
	};

	if (name == NULL || strcmp(name, "auto") == 0) {
		*out_progress = sb_terminal_is_live(out) ? SB_PROGRESS_TTY : SB_PROGRESS_PLAIN;
		return 0;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, name) == 0) {
			*out_progress = known[i].progress;
			return 0;
		}
	}
	sb_fail(err, SB_E_USAGE, "unknown progress '%s'", name);
	return sb_error_hint(err, "the forms are auto, tty, plain, json and quiet");
}

struct sb_renderer *sb_progress_open(enum sb_progress progress, FILE *out)
{
	const struct sb_render_style style = {
		.has_color = sb_terminal_has_color(out),
		.is_utf8 = sb_terminal_is_utf8(),
	};
	struct sb_renderer *renderer = sb_renderer_new(progress, out, &style);

	renderer->is_guarded = progress == SB_PROGRESS_TTY && sb_terminal_is_live(out);
	if (renderer->is_guarded)
		sb_terminal_guard_begin();
	return renderer;
}

void sb_progress_close(struct sb_renderer *renderer, struct sb_error *failure, int status)
{
	const bool is_guarded = renderer->is_guarded;

	if (failure != NULL)
		sb_report_advise(failure);
	sb_renderer_finish(renderer, failure, status);
	sb_renderer_free(renderer);
	if (is_guarded)
		sb_terminal_guard_end();
}

int sb_progress_failed(enum sb_progress progress, bool is_on_err_stream, struct sb_error *err)
{
	const int status = sb_exit_status(err);

	if (progress != SB_PROGRESS_JSON || !is_on_err_stream)
		return -1;
	sb_error_release(err);
	return status;
}
