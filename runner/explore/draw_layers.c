/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/columns.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/size.h"
#include "explore/browser_private.h"

/* Part of whole as a bar; at least one cell unless it is nothing. */
static void put_bar(struct sb_frame *frame, unsigned y, unsigned x, unsigned columns, uint64_t part,
	uint64_t whole, enum sb_style style)
{
	const double share = whole > 0 ? (double)part / (double)whole : 0;
	unsigned n = (unsigned)(share * columns + 0.5);
	char text[3 * 32 + 1];
	char *p = text;

	n = n == 0 && part > 0 ? 1 : n > 32 ? 32 : n;
	for (unsigned i = 0; i < n; i++)
		p = stpcpy(p, "\xe2\x96\x88");
	*p = '\0';
	(void)sb_frame_put(frame, y, x, columns, style, text);
}

static uint64_t largest_layer(const struct sb_explored_image *image)
{
	uint64_t largest = 0;

	for (size_t i = 0; i < image->n_layers; i++)
		if (image->layers[i].size_bytes > largest)
			largest = image->layers[i].size_bytes;
	return largest;
}

static void draw_layer_row(const struct sb_browser *b, struct sb_frame *frame,
	const struct sb_rect *rect, unsigned y, size_t i)
{
	const struct sb_explored_layer *layer = &b->source->image->layers[i];
	const unsigned bar = rect->columns >= 56 ? 8 : 0;
	const unsigned inner = rect->columns - 4;
	sb_autofree char *size = sb_size_format(layer->size_bytes);
	unsigned x = rect->x + 2;

	frame->selects = i == b->layers.at;
	if (frame->selects)
		sb_frame_fill(frame, y, rect->x + 1, inner + 2, SB_STYLE_PLAIN);
	x += sb_frame_putf(frame, y, x, inner, SB_STYLE_BOLD, "%3zu ", i + 1);
	x += sb_frame_putf(frame, y, x, inner, SB_STYLE_PLAIN, "%8s  ", size);
	if (bar > 0) {
		put_bar(frame, y, x, bar, layer->size_bytes, largest_layer(b->source->image),
			layer->dead_bytes > 0 ? SB_STYLE_MODIFIED : SB_STYLE_ADDED);
		x += bar + 2;
	}
	(void)sb_frame_put(
		frame, y, x, rect->x + rect->columns - 2 - x, SB_STYLE_PLAIN, layer->instruction);
	frame->selects = false;
}

void sb_draw_layers(struct sb_browser *b, struct sb_frame *frame, const struct sb_rect *rect)
{
	const size_t n = b->source->image->n_layers;
	char foot[48] = "";

	sb_cursor_fit(&b->layers, rect->rows - 2, n);
	if (n > rect->rows - 2)
		(void)snprintf(foot, sizeof(foot), "%zu/%zu", b->layers.at + 1, n);
	sb_frame_box(frame, rect, b->pane == SB_PANE_LAYERS, "Layers", foot);
	for (unsigned row = 0; row < rect->rows - 2 && b->layers.top + row < n; row++)
		draw_layer_row(b, frame, rect, rect->y + 1 + row, b->layers.top + row);
	if (n == 0)
		(void)sb_frame_put(
			frame, rect->y + 1, rect->x + 2, rect->columns - 4, SB_STYLE_DIM, "none");
}

/* A page inside a box: label and value a line, until it is full. */
struct lines {
	struct sb_frame *frame;
	const struct sb_rect *rect;
	unsigned y;
};

static bool has_room(const struct lines *lines)
{
	return lines->y < lines->rect->y + lines->rect->rows - 1;
}

static void put_line(struct lines *lines, const char *label, enum sb_style style, const char *value)
{
	const unsigned x = lines->rect->x + 2;
	const unsigned room = lines->rect->columns - 4;
	unsigned used = 0;

	if (!has_room(lines))
		return;
	used = sb_frame_put(lines->frame, lines->y, x, room, SB_STYLE_DIM, label);
	(void)sb_frame_put(lines->frame, lines->y, x + used, room - used, style, value);
	lines->y++;
}

static void put_size(struct lines *lines, const char *label, enum sb_style style, uint64_t bytes,
	const char *more)
{
	sb_autofree char *size = sb_size_format(bytes);
	sb_autofree char *text = sb_asprintf("%s%s", size, more);

	put_line(lines, label, style, text);
}

/* Broken between words, to the end of the box; a word longer than a line is broken too. */
static void put_wrapped(struct lines *lines, enum sb_style style, const char *text)
{
	const size_t room = lines->rect->columns - 4;
	sb_autofree char *safe = sb_escape_text(text, strlen(text));
	const char *rest = safe;

	while (*rest != '\0' && has_room(lines)) {
		size_t n = sb_text_fitting(rest, room);
		size_t blank = n;

		while (rest[n] != '\0' && blank > 0 && rest[blank] != ' ')
			blank--;
		n = rest[n] != '\0' && blank > 0 ? blank : n;

		sb_autofree char *line = sb_memdup0(rest, n);

		(void)sb_frame_put(
			lines->frame, lines->y++, lines->rect->x + 2, (unsigned)room, style, line);
		rest += n + (rest[n] == ' ' ? 1 : 0);
	}
}

static void put_counts(struct lines *lines, const struct sb_browser *b)
{
	const struct sb_rect *rect = lines->rect;
	unsigned x = rect->x + 2;
	const struct {
		enum sb_tree_status status;
		enum sb_style style;
		char sign;
	} parts[] = {{SB_TREE_ADDED, SB_STYLE_ADDED, '+'},
		{SB_TREE_MODIFIED, SB_STYLE_MODIFIED, '~'},
		{SB_TREE_REMOVED, SB_STYLE_REMOVED, '-'}};

	if (!has_room(lines))
		return;
	x += sb_frame_put(lines->frame, lines->y, x, rect->columns - 4, SB_STYLE_DIM,
		b->view.is_aggregated ? "since 1  " : "files    ");
	for (size_t i = 0; i < 3; i++)
		x += sb_frame_putf(lines->frame, lines->y, x,
			     rect->x + rect->columns > x + 2 ? rect->x + rect->columns - 2 - x : 0,
			     parts[i].style, "%c%zu", parts[i].sign,
			     sb_tree_count(b->tree, parts[i].status)) +
		     2;
	lines->y++;
}

void sb_draw_layer_details(
	const struct sb_browser *b, struct sb_frame *frame, const struct sb_rect *rect)
{
	struct lines lines = {frame, rect, rect->y + 1};

	if (b->layers.at >= b->source->image->n_layers) {
		sb_frame_box(frame, rect, false, "Layer", NULL);
		return;
	}

	const struct sb_explored_layer *layer = &b->source->image->layers[b->layers.at];
	sb_autofree char *title = sb_asprintf("Layer %zu", b->layers.at + 1);
	sb_autofree char *unpacked = sb_size_format(layer->tar_bytes);
	sb_autofree char *more = sb_asprintf(", %s unpacked", unpacked);

	sb_frame_box(frame, rect, false, title, NULL);
	put_size(&lines, "size     ", SB_STYLE_PLAIN, layer->size_bytes, more);
	put_counts(&lines, b);
	put_size(&lines, "dead     ", layer->dead_bytes > 0 ? SB_STYLE_MODIFIED : SB_STYLE_PLAIN,
		layer->dead_bytes, layer->dead_bytes > 0 ? " that later layers hide" : "");
	if (rect->rows >= 8)
		put_line(&lines, "diff_id  ", SB_STYLE_PLAIN, layer->diff_id);
	if (rect->rows >= 9)
		put_line(&lines, "blob     ", SB_STYLE_PLAIN, layer->digest);
	put_wrapped(&lines, SB_STYLE_BOLD, layer->instruction);
}

static void put_worst(struct lines *lines, const struct sb_explored_image *image)
{
	const struct sb_rect *rect = lines->rect;

	for (size_t i = 0; i < image->n_dead && has_room(lines); i++) {
		const struct sb_explored_dead *dead = &image->dead[i];
		sb_autofree char *size = sb_size_format(dead->bytes);
		unsigned x = rect->x + 2;

		x += sb_frame_putf(lines->frame, lines->y, x, rect->columns - 4, SB_STYLE_MODIFIED,
			"%9s ", size);
		x += sb_frame_putf(lines->frame, lines->y, x, 6, SB_STYLE_DIM, "%3zu\xc3\x97 ",
			dead->n_copies);
		(void)sb_frame_put_path(lines->frame, lines->y, x, rect->x + rect->columns - 2 - x,
			SB_STYLE_PLAIN, dead->path);
		lines->y++;
	}
}

void sb_draw_image_details(
	const struct sb_browser *b, struct sb_frame *frame, const struct sb_rect *rect)
{
	const struct sb_explored_image *image = b->source->image;
	struct lines lines = {frame, rect, rect->y + 1};
	sb_autofree char *visible = sb_size_format(image->visible_bytes);
	sb_autofree char *wasted = sb_size_format(image->dive_wasted_bytes);
	sb_autofree char *more = sb_asprintf(", %s in visible files", visible);
	sb_autofree char *dive =
		sb_asprintf("%.2f %%, wasted %s", image->dive_efficiency * 100, wasted);
	sb_autofree char *broken = sb_asprintf("%zu: see safebuild inspect", image->n_problems);

	sb_frame_box(frame, rect, false, "Image", NULL);
	put_size(&lines, "size     ", SB_STYLE_PLAIN, image->size_bytes, more);
	put_size(&lines, "dead     ", image->dead_bytes > 0 ? SB_STYLE_MODIFIED : SB_STYLE_ADDED,
		image->dead_bytes, " hidden, but in it");
	put_line(&lines, "dive     ", SB_STYLE_PLAIN, dive);
	put_line(&lines, "user     ", image->runs_as_root ? SB_STYLE_MODIFIED : SB_STYLE_PLAIN,
		image->user[0] != '\0' ? image->user : "root (not set)");
	if (image->n_problems > 0)
		put_line(&lines, "problems ", SB_STYLE_BAD, broken);
	if (image->n_dead > 0)
		put_line(&lines, "", SB_STYLE_DIM, "worst files:");
	put_worst(&lines, image);
}
