/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_RENDER_H
#define SB_CLI_RENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "safebuild/error.h"
#include "safebuild/event.h"

#include "base/cleanup.h"

/*
 * Turns the events of a call into something to look at: a live view (render_tty.c), a log
 * (render_plain.c) or JSON lines (render_json.c).
 */
enum sb_progress { SB_PROGRESS_TTY, SB_PROGRESS_PLAIN, SB_PROGRESS_JSON, SB_PROGRESS_QUIET };

struct sb_render_style {
	bool has_color;
	bool is_utf8;
	unsigned columns; /* of the terminal; 0: ask it before each frame */
	unsigned rows;
};

struct sb_renderer;

/* The stream is borrowed. */
struct sb_renderer *sb_renderer_new(
	enum sb_progress progress, FILE *out, const struct sb_render_style *style);
/* Accepts NULL. */
void sb_renderer_free(struct sb_renderer *renderer);
SB_DEFINE_FREEP(sb_renderer)

/* An sb_event_fn; data is the renderer. */
void sb_renderer_event(const struct sb_event *event, void *data);
/* No event comes any more. `failure` is what the call failed with, or NULL; only JSON says it, with
 * the exit status: for people, it is printed once, after all else, by whoever ends the process. */
void sb_renderer_finish(struct sb_renderer *renderer, const struct sb_error *failure, int status);

/* What a renderer is made of: its struct starts with a struct sb_renderer. */
struct sb_renderer_ops {
	void (*event)(struct sb_renderer *renderer, const struct sb_event *event);
	void (*finish)(struct sb_renderer *renderer, const struct sb_error *failure, int status);
	void (*release)(struct sb_renderer *renderer);
};

struct sb_renderer {
	const struct sb_renderer_ops *ops;
	FILE *out;
	struct sb_render_style style;
	bool is_guarded; /* progress.h: the terminal is to be let go of */
};

struct sb_renderer *sb_render_tty_new(void);
struct sb_renderer *sb_render_plain_new(void);
struct sb_renderer *sb_render_json_new(void);
struct sb_renderer *sb_render_quiet_new(void);

/* "[stage 2/4] instruction", of several platforms "[linux/arm64 stage 2/4] instruction", printable;
 * caller frees. */
char *sb_render_step_title(const struct sb_event *event);

#endif
