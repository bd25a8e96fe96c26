/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/columns.h"
#include "base/mem.h"
#include "base/size.h"
#include "explore/browser_private.h"

enum {
	MIN_COLUMNS = 40,
	MIN_ROWS = 10,
	MIN_SPLIT = 70, /* columns for two panes side by side */
	MIN_LEFT = 34,
	MAX_LEFT = 76,
};

/* Where everything is. What has no room has no rows. */
struct layout {
	struct sb_rect layers;
	struct sb_rect layer_details;
	struct sb_rect image_details;
	struct sb_rect tree;
};

/* The left side from top to bottom: the layers as long as they are, but no more than their share.
 */
static void split_left(struct layout *l, const struct sb_rect *left, size_t n_layers)
{
	const unsigned share = left->rows * 2 / 5;
	unsigned layers = n_layers + 2 < share ? (unsigned)n_layers + 2 : share;
	unsigned details = left->rows * 3 / 10;

	layers = layers < 4 ? 4 : layers;
	details = details < 6 ? 6 : details > 12 ? 12 : details;
	if (left->rows < layers + details + 6) {
		l->layers = *left;
		l->layers.rows = left->rows > details + 4 ? left->rows - details : left->rows;
		details = left->rows - l->layers.rows;
		l->layer_details =
			(struct sb_rect){left->y + l->layers.rows, left->x, details, left->columns};
		return;
	}
	l->layers = (struct sb_rect){left->y, left->x, layers, left->columns};
	l->layer_details = (struct sb_rect){left->y + layers, left->x, details, left->columns};
	l->image_details = (struct sb_rect){
		left->y + layers + details, left->x, left->rows - layers - details, left->columns};
}

static struct layout lay_out(const struct sb_browser *b, const struct sb_frame *frame)
{
	struct layout l = {0};
	struct sb_rect all = {1, 0, frame->rows - 2, frame->columns};
	unsigned left = frame->columns * 2 / 5;

	if (frame->columns < MIN_SPLIT) {
		if (b->pane == SB_PANE_TREE)
			l.tree = all;
		else
			split_left(&l, &all, b->source->image->n_layers);
		return l;
	}
	left = left < MIN_LEFT ? MIN_LEFT : left > MAX_LEFT ? MAX_LEFT : left;
	l.tree = (struct sb_rect){1, left, frame->rows - 2, frame->columns - left};
	all.columns = left;
	split_left(&l, &all, b->source->image->n_layers);
	return l;
}

static void draw_title(const struct sb_browser *b, struct sb_frame *frame)
{
	const struct sb_explored_image *image = b->source->image;
	sb_autofree char *size = sb_size_format(image->size_bytes);
	sb_autofree char *right = sb_asprintf("%s  %s  %zu layer%s ", image->platform, size,
		image->n_layers, image->n_layers == 1 ? "" : "s");
	const unsigned width = (unsigned)sb_columns_of(right);

	sb_frame_fill(frame, 0, 0, frame->columns, SB_STYLE_BAR);
	unsigned x = sb_frame_put(frame, 0, 1, 11, SB_STYLE_KEY, "safebuild");

	if (frame->columns > width + 30) {
		(void)sb_frame_put(frame, 0, frame->columns - width, width, SB_STYLE_BAR, right);
		x = sb_frame_put_path(
			frame, 0, x + 3, frame->columns - width - x - 5, SB_STYLE_BAR, image->name);
		return;
	}
	(void)sb_frame_put_path(frame, 0, x + 3, frame->columns - x - 4, SB_STYLE_BAR, image->name);
}

struct hint {
	const char *key;
	const char *what;
};

static void draw_hints(struct sb_frame *frame, const struct hint *hints)
{
	const unsigned y = frame->rows - 1;
	unsigned x = 1;

	for (; hints->key != NULL; hints++) {
		const unsigned width =
			(unsigned)(sb_columns_of(hints->key) + 1 + sb_columns_of(hints->what));

		if (x + width + 1 > frame->columns)
			return;
		x += sb_frame_put(frame, y, x, frame->columns - x, SB_STYLE_KEY, hints->key) + 1;
		x += sb_frame_put(frame, y, x, frame->columns - x, SB_STYLE_BAR, hints->what) + 2;
	}
}

static void draw_prompt(
	const struct sb_browser *b, struct sb_frame *frame, const char *label, const char *note)
{
	const unsigned y = frame->rows - 1;
	const size_t typed = sb_columns_of(b->typed);
	unsigned x = 1 + sb_frame_put(frame, y, 1, frame->columns - 1, SB_STYLE_KEY, label);
	const unsigned room = frame->columns > x + 2 ? frame->columns - x - 2 : 1;

	x += 1 + (unsigned)sb_frame_put_path(frame, y, x + 1, room, SB_STYLE_BAR, b->typed);
	frame->has_cursor = true;
	frame->cursor_y = y;
	frame->cursor_x = x;
	if (typed + 2 < room)
		(void)sb_frame_put(frame, y, x + 2, frame->columns - x - 3, SB_STYLE_BAR, note);
}

static void draw_foot(const struct sb_browser *b, struct sb_frame *frame)
{
	static const struct hint of_layers[] = {{"tab", "files"}, {"^A", "since layer 1"},
		{"^L", "this layer"}, {"/", "filter"}, {"?", "keys"}, {"q", "quit"}, {0}};
	static const struct hint of_tree[] = {{"tab", "layers"}, {"space", "fold"}, {"v", "view"},
		{"e", "extract"}, {"/", "filter"}, {"?", "keys"}, {"q", "quit"}, {"armn", "show"},
		{"o", "sort"}, {"b", "columns"}, {0}};
	static const struct hint of_pager[] = {
		{"q", "back"}, {"x", "hex"}, {"w", "wrap"}, {"e", "extract"}, {"g G", "ends"}, {0}};
	static const struct hint of_help[] = {{"any key", "back"}, {0}};
	const unsigned y = frame->rows - 1;

	sb_frame_fill(frame, y, 0, frame->columns, SB_STYLE_BAR);
	if (b->message != NULL)
		(void)sb_frame_put(frame, y, 1, frame->columns - 2,
			b->is_bad_message ? SB_STYLE_BAD : SB_STYLE_KEY, b->message);
	else if (b->mode == SB_MODE_FILTER)
		draw_prompt(b, frame, "filter:", "");
	else if (b->mode == SB_MODE_EXTRACT)
		draw_prompt(b, frame, "extract to:", "(enter; esc goes back)");
	else if (b->mode == SB_MODE_VIEW)
		draw_hints(frame, of_pager);
	else if (b->mode == SB_MODE_HELP)
		draw_hints(frame, of_help);
	else
		draw_hints(frame, b->pane == SB_PANE_TREE ? of_tree : of_layers);
}

static bool shows_pager(const struct sb_browser *b)
{
	return b->mode == SB_MODE_VIEW ||
	       (b->mode == SB_MODE_EXTRACT && b->mode_before == SB_MODE_VIEW);
}

static void draw_panes(struct sb_browser *b, struct sb_frame *frame)
{
	const struct layout l = lay_out(b, frame);

	if (l.layers.rows > 0)
		sb_draw_layers(b, frame, &l.layers);
	if (l.layer_details.rows > 2)
		sb_draw_layer_details(b, frame, &l.layer_details);
	if (l.image_details.rows > 2)
		sb_draw_image_details(b, frame, &l.image_details);
	if (l.tree.rows > 0)
		sb_draw_tree(b, frame, &l.tree);
}

void sb_browser_draw(struct sb_browser *b, struct sb_frame *frame)
{
	sb_frame_clear(frame);
	if (frame->columns < MIN_COLUMNS || frame->rows < MIN_ROWS) {
		(void)sb_frame_putf(frame, 0, 0, frame->columns, SB_STYLE_BAD, "%ux%u is too small",
			frame->columns, frame->rows);
		(void)sb_frame_putf(frame, 1, 0, frame->columns, SB_STYLE_PLAIN, "at least %dx%d",
			MIN_COLUMNS, MIN_ROWS);
		return;
	}

	const struct sb_rect middle = {1, 0, frame->rows - 2, frame->columns};

	draw_title(b, frame);
	if (shows_pager(b))
		sb_pager_draw(b->pager, frame, &middle);
	else if (b->mode == SB_MODE_HELP)
		sb_draw_help(b, frame, &middle);
	else
		draw_panes(b, frame);
	draw_foot(b, frame);
}
