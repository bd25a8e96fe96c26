/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/size.h"
#include "base/strv.h"
#include "cli/lines.h"
#include "cli/render.h"
#include "cli/report.h"
#include "cli/terminal.h"

/*
 * A live view: what is finished scrolls up as one line each, what runs is drawn anew below it,
 * with the last lines of its output. Each frame is one write, so that nothing flickers.
 */

enum {
	TAIL_LINES = 20,      /* kept of a step's output, shown when it fails */
	LIVE_TAIL_LINES = 6,  /* shown while it runs */
	MAX_BARS = 4,         /* transfers shown at once */
	FRAME_NS = 60000000,  /* between two frames that only move on */
	DEFAULT_COLUMNS = 80, /* where the terminal does not tell */
	DEFAULT_ROWS = 24,
	NAME_COLUMNS = 32,
	BAR_COLUMNS = 24,
};

#define GREEN "\033[32m"
#define RED "\033[31m"
#define CYAN "\033[36m"
#define DIM "\033[2m"
#define RESET "\033[0m"
#define CLEAR_BELOW "\033[J"
#define WRAP_OFF "\033[?7l"
#define WRAP_ON "\033[?7h"

struct running_step {
	uint32_t step;
	uint64_t start_ns;
	bool is_cached;
	char *title;
	struct sb_strv tail; /* clean lines, the oldest first */
};

struct moving {
	uint32_t step;
	char *name;
	uint64_t done;
	uint64_t total;
};

struct tty {
	struct sb_renderer base;
	struct sb_lines lines;
	SB_ARRAY(struct running_step) running;
	SB_ARRAY(struct moving) moving;
	uint64_t now_ns;
	uint64_t frame_ns; /* when the last frame was drawn */
	unsigned columns;
	unsigned rows;
	unsigned n_live; /* lines on the screen that the next frame replaces */
	FILE *frame;     /* collects the frame; NULL between frames */
	char *frame_bytes;
	size_t frame_len;
};

static size_t minus(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

static const char *color(const struct tty *t, const char *sequence)
{
	return t->base.style.has_color ? sequence : "";
}

static void measure(struct tty *t)
{
	t->columns = t->base.style.columns;
	t->rows = t->base.style.rows;
	if (t->columns != 0 && t->rows != 0)
		return;
	if (!sb_terminal_size(t->base.out, &t->columns, &t->rows)) {
		t->columns = DEFAULT_COLUMNS;
		t->rows = DEFAULT_ROWS;
	}
}

/* What is written to t->frame from here on replaces the live lines, and stays. */
static void open_frame(struct tty *t)
{
	measure(t);
	t->frame = open_memstream(&t->frame_bytes, &t->frame_len);
	if (t->frame == NULL)
		abort(); /* out of memory */
	if (t->n_live > 0)
		(void)fprintf(t->frame, "\r\033[%uA" CLEAR_BELOW, t->n_live);
	t->n_live = 0;
}

static bool has_room(const struct tty *t)
{
	return t->n_live + 1 < t->rows;
}

/* `  title      1.2s`, as wide as the terminal at most. */
static void print_step_line(
	struct tty *t, const char *mark, const char *mark_color, const struct running_step *step)
{
	const char *title = step->title;
	sb_autofree char *time =
		step->is_cached
			? sb_strdup("CACHED")
			: sb_asprintf("%.1fs", (double)minus(t->now_ns, step->start_ns) / 1e9);
	const size_t room = minus(t->columns, 2 + strlen(time) + 2);
	sb_autofree char *shown = sb_text_fit(title, room, t->base.style.is_utf8);
	const size_t blanks = minus(room, sb_text_columns(shown)) + 1;

	(void)fprintf(t->frame, "%s%s%s %s%*s%s%s%s\n", color(t, mark_color), mark, color(t, RESET),
		shown, (int)blanks, "", color(t, DIM), time, color(t, RESET));
}

static void draw_tail_line(struct tty *t, const char *line)
{
	sb_autofree char *shown = sb_text_fit(line, minus(t->columns, 5), t->base.style.is_utf8);

	(void)fprintf(t->frame, "    %s%s%s\n", color(t, DIM), shown, color(t, RESET));
	t->n_live++;
}

/* The line that has not ended yet, such as a progress bar of the step's own. */
static char *unfinished_line(const struct tty *t, uint32_t step)
{
	SB_ARRAY_FOREACH (&t->lines, buffer) {
		if (buffer->step == step && buffer->len > 0)
			return sb_line_clean(buffer->bytes, buffer->len);
	}
	return NULL;
}

static void draw_running(struct tty *t, const struct running_step *running)
{
	sb_autofree char *unfinished = unfinished_line(t, running->step);
	const size_t wanted = t->running.len > 1 ? 2 : LIVE_TAIL_LINES;
	const size_t shown = unfinished != NULL ? wanted - 1 : wanted;

	if (!has_room(t))
		return;
	print_step_line(t, t->base.style.is_utf8 ? "•" : "*", CYAN, running);
	t->n_live++;
	for (size_t i = minus(running->tail.len, shown); i < running->tail.len && has_room(t); i++)
		draw_tail_line(t, running->tail.items[i]);
	if (unfinished != NULL && has_room(t))
		draw_tail_line(t, unfinished);
}

static char *format_bar(const struct moving *moving, size_t columns)
{
	const double part = moving->total != 0 && moving->done < moving->total
				    ? (double)moving->done / (double)moving->total
				    : 1;
	char *bar = sb_malloc(columns + 1);

	for (size_t i = 0; i < columns; i++)
		bar[i] = (double)i + 1 <= part * (double)columns ? '=' : ' ';
	bar[columns] = '\0';
	return bar;
}

static void draw_moving(struct tty *t, const struct moving *moving)
{
	sb_autofree char *name = sb_text_fit(moving->name, NAME_COLUMNS, t->base.style.is_utf8);
	sb_autofree char *done = sb_size_format(moving->done);
	sb_autofree char *total = sb_size_format(moving->total);
	sb_autofree char *bar = format_bar(moving, BAR_COLUMNS);
	sb_autofree char *line = moving->total != 0
					 ? sb_asprintf("%s [%s] %s / %s", name, bar, done, total)
					 : sb_asprintf("%s %s", name, done);

	if (has_room(t))
		draw_tail_line(t, line);
}

/* Draws what is alive below what the frame holds, and shows the frame. */
static void close_frame(struct tty *t)
{
	size_t n_bars = 0;

	(void)fputs(WRAP_OFF, t->frame);
	SB_ARRAY_FOREACH (&t->running, running)
		draw_running(t, running);
	SB_ARRAY_FOREACH (&t->moving, moving) {
		if (n_bars++ < MAX_BARS)
			draw_moving(t, moving);
	}
	(void)fputs(WRAP_ON, t->frame);
	(void)fclose(t->frame);
	t->frame = NULL;
	(void)fwrite(t->frame_bytes, 1, t->frame_len, t->base.out);
	free(t->frame_bytes);
	t->frame_bytes = NULL;
	t->frame_ns = t->now_ns;
}

static void redraw_if_due(struct tty *t)
{
	if (t->frame_ns != 0 && t->now_ns < t->frame_ns + FRAME_NS)
		return;
	open_frame(t);
	close_frame(t);
}

static struct running_step *find_running(struct tty *t, uint32_t step)
{
	SB_ARRAY_FOREACH (&t->running, running) {
		if (running->step == step)
			return running;
	}
	return NULL;
}

static void on_line(void *data, uint32_t step, int stream, const char *line, size_t len)
{
	struct tty *t = data;
	struct running_step *running = find_running(t, step);

	(void)stream;
	if (running == NULL)
		return;
	if (running->tail.len == TAIL_LINES)
		sb_strv_remove_at(&running->tail, 0);
	sb_strv_add_nodup(&running->tail, sb_line_clean(line, len));
}

static void on_start(struct tty *t, const struct sb_event *event)
{
	struct running_step *running = SB_ARRAY_ADD(&t->running);

	running->step = event->step;
	running->start_ns = event->t_ns;
	running->title = sb_render_step_title(event);
	open_frame(t);
	close_frame(t);
}

static void remove_moving(struct tty *t, struct moving *moving)
{
	free(moving->name);
	*moving = t->moving.items[--t->moving.len];
}

static void drop_moving_of(struct tty *t, uint32_t step)
{
	for (size_t i = t->moving.len; i-- > 0;) {
		if (t->moving.items[i].step == step)
			remove_moving(t, &t->moving.items[i]);
	}
}

enum end { ENDED_WELL, ENDED_BADLY, WAS_CANCELLED };

static enum end end_of(int status)
{
	if (status == 0)
		return ENDED_WELL;
	return status == SB_STEP_CANCELLED ? WAS_CANCELLED : ENDED_BADLY;
}

/* The step's line, and of one that failed what it said last: it would be lost with the frame. */
static void print_ended(struct tty *t, struct running_step *running, enum end end)
{
	static const struct {
		const char *utf8;
		const char *ascii;
		const char *color;
	} marks[] = {
		[ENDED_WELL] = {"✓", "+", GREEN},
		[ENDED_BADLY] = {"✗", "x", RED},
		[WAS_CANCELLED] = {"-", "-", DIM},
	};

	print_step_line(t, t->base.style.is_utf8 ? marks[end].utf8 : marks[end].ascii,
		marks[end].color, running);
	for (size_t i = 0; end == ENDED_BADLY && i < running->tail.len; i++)
		(void)fprintf(t->frame, "    %s\n", running->tail.items[i]);
}

static void remove_running(struct tty *t, struct running_step *running)
{
	free(running->title);
	sb_strv_release(&running->tail);
	memmove(running, running + 1,
		(size_t)(t->running.items + t->running.len - running - 1) * sizeof(*running));
	t->running.len--;
}

static void on_end(struct tty *t, const struct sb_event *event)
{
	struct running_step *running = find_running(t, event->step);

	if (running == NULL)
		return;
	sb_lines_end(&t->lines, event->step);
	drop_moving_of(t, event->step);
	open_frame(t);
	print_ended(t, running, end_of(event->status));
	remove_running(t, running);
	close_frame(t);
}

static void on_cached(struct tty *t, const struct sb_event *event)
{
	struct running_step *running = find_running(t, event->step);

	if (running != NULL)
		running->is_cached = true;
}

static struct moving *find_moving(struct tty *t, const struct sb_event *event, const char *name)
{
	SB_ARRAY_FOREACH (&t->moving, moving) {
		if (moving->step == event->step && strcmp(moving->name, name) == 0)
			return moving;
	}
	return NULL;
}

static void on_transfer(struct tty *t, const struct sb_event *event)
{
	const char *text = event->text != NULL ? event->text : "";
	sb_autofree char *name = sb_line_clean(text, strlen(text));
	struct moving *moving = find_moving(t, event, name);

	if (event->total != 0 && event->done >= event->total) {
		sb_autofree char *size = sb_size_format(event->total);

		if (moving != NULL)
			remove_moving(t, moving);
		open_frame(t);
		/* A transfer of no step has no other line that would stay. */
		if (event->step == 0)
			(void)fprintf(t->frame, "%s%s%s %s %s\n", color(t, GREEN),
				t->base.style.is_utf8 ? "✓" : "+", color(t, RESET), name, size);
		close_frame(t);
		return;
	}
	if (moving == NULL) {
		moving = SB_ARRAY_ADD(&t->moving);
		moving->step = event->step;
		moving->name = SB_STEAL(name);
	}
	moving->done = event->done;
	moving->total = event->total;
	redraw_if_due(t);
}

/* Lines that stay: a warning, a notice, what was written. */
static void on_message(struct tty *t, const struct sb_event *event)
{
	const char *text = event->text != NULL ? event->text : "";
	const char *name = event->name != NULL ? event->name : "";
	sb_autofree char *clean_text = sb_line_clean(text, strlen(text));
	sb_autofree char *clean_name = sb_line_clean(name, strlen(name));
	sb_autofree char *size = sb_size_format(event->done);

	open_frame(t);
	if (event->kind == SB_EVENT_WARNING || event->kind == SB_EVENT_NOTICE)
		sb_report_event(t->frame, event, t->base.style.has_color);
	else if (event->kind == SB_EVENT_IMAGE)
		(void)fprintf(t->frame, "image %s%s%s\n", clean_name, name[0] != '\0' ? " " : "",
			clean_text);
	else
		(void)fprintf(t->frame, "wrote %s%s%s%s\n", clean_text,
			event->done != 0 ? " (" : "", event->done != 0 ? size : "",
			event->done != 0 ? ")" : "");
	close_frame(t);
}

static void tty_event(struct sb_renderer *renderer, const struct sb_event *event)
{
	struct tty *t = (struct tty *)renderer;

	t->now_ns = event->t_ns;
	switch (event->kind) {
	case SB_EVENT_STEP_START:
		on_start(t, event);
		break;
	case SB_EVENT_STEP_OUTPUT:
		sb_lines_add(&t->lines, event);
		redraw_if_due(t);
		break;
	case SB_EVENT_STEP_END:
		on_end(t, event);
		break;
	case SB_EVENT_CACHE_HIT:
		on_cached(t, event);
		break;
	case SB_EVENT_TRANSFER:
		on_transfer(t, event);
		break;
	case SB_EVENT_WARNING:
	case SB_EVENT_NOTICE:
	case SB_EVENT_EXPORT:
	case SB_EVENT_IMAGE:
		on_message(t, event);
		break;
	case SB_EVENT_TICK:
		if (t->running.len + t->moving.len > 0)
			redraw_if_due(t);
		break;
	case SB_EVENT_BUILD_START:
	case SB_EVENT_BUILD_END:
		break;
	}
}

static void tty_finish(struct sb_renderer *renderer, const struct sb_error *failure, int status)
{
	struct tty *t = (struct tty *)renderer;

	(void)status;
	sb_lines_end_all(&t->lines);
	while (t->moving.len > 0)
		remove_moving(t, &t->moving.items[0]);
	open_frame(t);
	/* A step that is still there when the call is over is where it failed. */
	while (t->running.len > 0) {
		print_ended(t, &t->running.items[0], failure != NULL ? ENDED_BADLY : ENDED_WELL);
		remove_running(t, &t->running.items[0]);
	}
	close_frame(t);
}

static void tty_release(struct sb_renderer *renderer)
{
	struct tty *t = (struct tty *)renderer;

	while (t->running.len > 0)
		remove_running(t, &t->running.items[0]);
	while (t->moving.len > 0)
		remove_moving(t, &t->moving.items[0]);
	SB_ARRAY_RELEASE(&t->running);
	SB_ARRAY_RELEASE(&t->moving);
	sb_lines_release(&t->lines);
}

struct sb_renderer *sb_render_tty_new(void)
{
	static const struct sb_renderer_ops ops = {tty_event, tty_finish, tty_release};
	struct tty *t = SB_NEW(struct tty);

	t->base.ops = &ops;
	t->lines.on_line = on_line;
	t->lines.data = t;
	return &t->base;
}
