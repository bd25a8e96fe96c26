/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/array.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/size.h"
#include "cli/lines.h"
#include "cli/render.h"
#include "cli/report.h"

/*
 * A log in the form that docker's readers know:
 *
 *	#2 [build 2/4] RUN make
 *	#2 0.123 a line of output
 *	#2 DONE 0.4s
 *
 * Of steps that run at the same time one is written as it goes; what the others say is held until
 * that has ended, so that each step's lines stand together.
 */

enum {
	TRANSFER_NS = 2000000000, /* between two lines on transfers that go on */
	MAX_HELD = 8 << 20,       /* of one step; then it is written where it is */
};

/* Lines that wait. */
struct held {
	FILE *out;
	char *bytes;
	size_t len;
};

struct started_step {
	uint32_t step;
	uint64_t t_ns;
	bool is_cached;
	bool is_ended;
	struct held *held; /* NULL: it is written as it goes, or all of it was */
};

struct plain {
	struct sb_renderer base;
	struct sb_lines lines;
	SB_ARRAY(struct started_step) started;
	uint32_t live; /* the step that is written as it goes; 0: none */
	uint64_t now_ns;
	uint64_t transfer_ns; /* when a transfer was last told */
	bool has_steps;
};

static struct started_step *find_started(const struct plain *p, uint32_t step)
{
	struct started_step *found = NULL;

	SB_ARRAY_FOREACH (&p->started, started)
		if (started->step == step)
			found = started;
	return found;
}

static double seconds_in_step(const struct plain *p, uint32_t step)
{
	const struct started_step *started = find_started(p, step);
	const uint64_t start_ns = started != NULL ? started->t_ns : 0;

	return p->now_ns > start_ns ? (double)(p->now_ns - start_ns) / 1e9 : 0;
}

/* Where a step's lines go now. */
static FILE *out_of(const struct plain *p, uint32_t step)
{
	const struct started_step *started = find_started(p, step);

	return started != NULL && started->held != NULL ? started->held->out : p->base.out;
}

static void hold(struct started_step *started)
{
	started->held = SB_NEW(struct held);
	started->held->out = open_memstream(&started->held->bytes, &started->held->len);
	if (started->held->out == NULL)
		abort(); /* out of memory */
}

static void write_held(const struct plain *p, struct started_step *started)
{
	struct held *held = started->held;

	if (held == NULL)
		return;
	(void)fclose(held->out);
	(void)fwrite(held->bytes, 1, held->len, p->base.out);
	free(held->bytes);
	free(held);
	started->held = NULL;
}

/* More than can be held: the rest is held anew. */
static void write_if_too_much(const struct plain *p, uint32_t step)
{
	struct started_step *started = find_started(p, step);

	if (started == NULL || started->held == NULL || ftell(started->held->out) < MAX_HELD)
		return;
	write_held(p, started);
	hold(started);
}

/* Those that have ended, and then what the next one has said so far. */
static void write_next(struct plain *p)
{
	p->live = 0;
	SB_ARRAY_FOREACH (&p->started, started)
		if (started->is_ended)
			write_held(p, started);
	SB_ARRAY_FOREACH (&p->started, started) {
		if (started->held == NULL)
			continue;
		write_held(p, started);
		p->live = started->step;
		return;
	}
}

static void print_number(FILE *out, uint32_t step)
{
	if (step != 0)
		(void)fprintf(out, "#%u ", step);
}

static void print_text(FILE *out, const char *text)
{
	sb_autofree char *escaped = sb_escape_text(text, strlen(text));

	(void)fputs(escaped, out);
}

static void on_line(void *data, uint32_t step, int stream, const char *line, size_t len)
{
	const struct plain *p = data;
	sb_autofree char *clean = sb_line_clean(line, len);
	FILE *out = out_of(p, step);

	(void)stream;
	print_number(out, step);
	(void)fprintf(out, "%.3f %s\n", seconds_in_step(p, step), clean);
	write_if_too_much(p, step);
}

static void on_start(struct plain *p, const struct sb_event *event)
{
	sb_autofree char *title = sb_render_step_title(event);
	struct started_step *started = SB_ARRAY_ADD(&p->started);

	*started = (struct started_step){.step = event->step, .t_ns = event->t_ns};
	if (p->live == 0)
		p->live = event->step;
	else
		hold(started);

	FILE *out = out_of(p, event->step);

	if (p->has_steps)
		(void)fputc('\n', out);
	p->has_steps = true;
	(void)fprintf(out, "#%u %s\n", event->step, title);
}

static void on_cached(struct plain *p, const struct sb_event *event)
{
	struct started_step *started = find_started(p, event->step);

	if (started != NULL)
		started->is_cached = true;
}

static void on_end(struct plain *p, const struct sb_event *event)
{
	struct started_step *started = find_started(p, event->step);
	const double seconds = seconds_in_step(p, event->step);
	FILE *out = out_of(p, event->step);

	sb_lines_end(&p->lines, event->step);
	if (event->status == 0 && started != NULL && started->is_cached)
		(void)fprintf(out, "#%u CACHED\n", event->step);
	else if (event->status == 0)
		(void)fprintf(out, "#%u DONE %.1fs\n", event->step, seconds);
	else if (event->status == SB_STEP_CANCELLED)
		(void)fprintf(out, "#%u CANCELED\n", event->step);
	else if (event->status > 0)
		(void)fprintf(out, "#%u ERROR: exit status %d after %.1fs\n", event->step,
			event->status, seconds);
	else
		(void)fprintf(out, "#%u ERROR after %.1fs\n", event->step, seconds);
	if (started == NULL)
		return;
	started->is_ended = true;
	if (p->live == event->step)
		write_next(p);
}

static void on_transfer(struct plain *p, const struct sb_event *event)
{
	const bool is_done = event->total != 0 && event->done >= event->total;

	if (!is_done && p->transfer_ns != 0 && event->t_ns < p->transfer_ns + TRANSFER_NS)
		return;
	p->transfer_ns = event->t_ns;

	sb_autofree char *done = sb_size_format(event->done);
	sb_autofree char *total = sb_size_format(event->total);
	FILE *out = out_of(p, event->step);

	print_number(out, event->step);
	(void)fputs("transfer ", out);
	print_text(out, event->text != NULL ? event->text : "");
	if (is_done || event->total == 0)
		(void)fprintf(out, " %s%s\n", done, is_done ? " done" : "");
	else
		(void)fprintf(out, " %s / %s\n", done, total);
}

static void on_image(const struct plain *p, const struct sb_event *event)
{
	(void)fputs("image ", p->base.out);
	if (event->name != NULL) {
		print_text(p->base.out, event->name);
		(void)fputc(' ', p->base.out);
	}
	print_text(p->base.out, event->text != NULL ? event->text : "");
	(void)fputc('\n', p->base.out);
}

static void on_export(const struct plain *p, const struct sb_event *event)
{
	sb_autofree char *size = sb_size_format(event->done);

	(void)fputs("wrote ", p->base.out);
	print_text(p->base.out, event->text != NULL ? event->text : "");
	if (event->done != 0)
		(void)fprintf(p->base.out, " (%s)", size);
	(void)fputc('\n', p->base.out);
}

static void plain_event(struct sb_renderer *renderer, const struct sb_event *event)
{
	struct plain *p = (struct plain *)renderer;

	p->now_ns = event->t_ns;
	switch (event->kind) {
	case SB_EVENT_STEP_START:
		on_start(p, event);
		break;
	case SB_EVENT_STEP_OUTPUT:
		sb_lines_add(&p->lines, event);
		break;
	case SB_EVENT_STEP_END:
		on_end(p, event);
		break;
	case SB_EVENT_CACHE_HIT:
		on_cached(p, event);
		break;
	case SB_EVENT_TRANSFER:
		on_transfer(p, event);
		break;
	case SB_EVENT_WARNING:
	case SB_EVENT_NOTICE:
		sb_report_event(out_of(p, event->step), event, p->base.style.has_color);
		break;
	case SB_EVENT_EXPORT:
		on_export(p, event);
		break;
	case SB_EVENT_IMAGE:
		on_image(p, event);
		break;
	case SB_EVENT_BUILD_START:
	case SB_EVENT_BUILD_END:
	case SB_EVENT_TICK:
		break;
	}
}

static void plain_finish(struct sb_renderer *renderer, const struct sb_error *failure, int status)
{
	struct plain *p = (struct plain *)renderer;

	(void)failure;
	(void)status;
	sb_lines_end_all(&p->lines);
	SB_ARRAY_FOREACH (&p->started, started)
		write_held(p, started);
}

static void plain_release(struct sb_renderer *renderer)
{
	struct plain *p = (struct plain *)renderer;

	sb_lines_release(&p->lines);
	SB_ARRAY_FOREACH (&p->started, started)
		write_held(p, started);
	SB_ARRAY_RELEASE(&p->started);
}

struct sb_renderer *sb_render_plain_new(void)
{
	static const struct sb_renderer_ops ops = {plain_event, plain_finish, plain_release};
	struct plain *p = SB_NEW(struct plain);

	p->base.ops = &ops;
	p->lines.on_line = on_line;
	p->lines.data = p;
	return &p->base;
}
