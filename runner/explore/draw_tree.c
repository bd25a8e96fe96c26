/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/filemode.h"
#include "base/mem.h"
#include "base/size.h"
#include "explore/browser_private.h"

/* Which columns of attributes there is room for. */
struct columns {
	bool has_mode;
	bool has_owner;
	bool has_size;
};

static struct columns columns_of(const struct sb_browser *b, const struct sb_rect *rect)
{
	return (struct columns){
		.has_mode = !b->hides_attributes && rect->columns >= 44,
		.has_owner = !b->hides_attributes && rect->columns >= 60,
		.has_size = !b->hides_attributes,
	};
}

static enum sb_style style_of(const struct sb_tree_row *row)
{
	static const enum sb_style styles[] = {
		[SB_TREE_ABSENT] = SB_STYLE_DIM,
		[SB_TREE_UNMODIFIED] = SB_STYLE_PLAIN,
		[SB_TREE_ADDED] = SB_STYLE_ADDED,
		[SB_TREE_MODIFIED] = SB_STYLE_MODIFIED,
		[SB_TREE_REMOVED] = SB_STYLE_REMOVED,
	};

	if (row->status == SB_TREE_UNMODIFIED && row->n_changes > 0)
		return SB_STYLE_MODIFIED;
	return row->status == SB_TREE_UNMODIFIED && row->is_folder ? SB_STYLE_FOLDER
								   : styles[row->status];
}

/* For terminals without colours, and for eyes that do not tell red from green. */
static const char *sign_of(const struct sb_tree_row *row)
{
	static const char *const signs[] = {
		[SB_TREE_ABSENT] = " ",
		[SB_TREE_UNMODIFIED] = " ",
		[SB_TREE_ADDED] = "+",
		[SB_TREE_MODIFIED] = "~",
		[SB_TREE_REMOVED] = "-",
	};

	return signs[row->status];
}

static unsigned attribute_columns(const struct columns *columns)
{
	return (columns->has_mode ? 11U : 0U) + (columns->has_owner ? 12U : 0U) +
	       (columns->has_size ? 9U : 0U);
}

static void put_attributes(struct sb_frame *frame, unsigned y, unsigned x,
	const struct columns *columns, const struct sb_tree_row *row,
	const struct sb_explored_file *file)
{
	char mode[SB_FILE_MODE_BYTES] = "";
	char owner[24] = "";
	sb_autofree char *size = sb_size_format(row->size_bytes);

	if (row->has_entry) {
		sb_file_mode_text(file->type, file->mode, mode);
		(void)snprintf(owner, sizeof(owner), "%" PRIu32 ":%" PRIu32, file->uid, file->gid);
	}
	if (columns->has_mode)
		(void)sb_frame_put(frame, y, x, 10, SB_STYLE_DIM, mode);
	x += columns->has_mode ? 11 : 0;
	if (columns->has_owner)
		(void)sb_frame_putf(frame, y, x, 11, SB_STYLE_DIM, "%11s", owner);
	x += columns->has_owner ? 12 : 0;
	if (columns->has_size)
		(void)sb_frame_putf(frame, y, x, 8, SB_STYLE_PLAIN, "%8s", size);
}

/* What is too deep for the pane begins further to the left: so many levels of it are not drawn. */
static unsigned skipped_levels(const struct sb_tree_row *row, unsigned room)
{
	return row->depth > room / 4 ? row->depth - room / 4 : 0;
}

/* The lines of the tree. */
static unsigned put_rails(struct sb_frame *frame, unsigned y, unsigned x, unsigned room,
	const struct sb_tree_row *row, uint64_t rails)
{
	const unsigned skipped = skipped_levels(row, room);
	char text[3 * 2 * 64 + 8];
	char *p = text;

	for (unsigned d = skipped; d < row->depth && d < skipped + 64; d++)
		p = stpcpy(p, d < 64 && (rails >> d & 1) != 0 ? "\xe2\x94\x82 " : "  ");
	p = stpcpy(p, row->is_last ? "\xe2\x94\x94" : "\xe2\x94\x9c");
	(void)stpcpy(p, row->is_folder ? (row->is_open ? "\xe2\x96\xbe " : "\xe2\x96\xb8 ")
				       : "\xe2\x94\x80 ");
	return sb_frame_put(frame, y, x, room, SB_STYLE_BORDER, text);
}

static void put_name(struct sb_frame *frame, unsigned y, unsigned x, unsigned room,
	const struct sb_tree_row *row, const struct sb_explored_file *file)
{
	sb_autofree char *name = sb_memdup0(row->name, row->name_len);
	const bool has_link = row->has_entry && file->link != NULL;
	const bool is_folder = !row->has_entry || file->type == 'd';
	sb_autofree char *text = sb_asprintf("%s%s", name, is_folder ? "/" : "");
	unsigned used = sb_frame_put_path(frame, y, x, room, style_of(row), text);

	if (has_link && room > used + 8)
		used += sb_frame_putf(frame, y, x + used, room - used, SB_STYLE_DIM,
			" \xe2\x86\x92 %s", file->link);
	if (row->is_folder && !row->is_open && row->n_changes > 0 && room > used + 6)
		(void)sb_frame_putf(frame, y, x + used, room - used, SB_STYLE_DIM, "  %zu change%s",
			row->n_changes, row->n_changes == 1 ? "" : "s");
}

/* The name over as many lines as it needs, and are left; how many that are. Without a frame it only
 * counts. */
static unsigned put_whole_name(struct sb_frame *frame, unsigned y, unsigned x, unsigned room,
	unsigned left, const struct sb_tree_row *row, const struct sb_explored_file *file)
{
	const bool has_link = row->has_entry && file->link != NULL;
	const bool is_folder = !row->has_entry || file->type == 'd';
	sb_autofree char *text = sb_asprintf("%.*s%s%s%s", (int)row->name_len, row->name,
		is_folder ? "/" : "", has_link ? " \xe2\x86\x92 " : "", has_link ? file->link : "");
	sb_autofree char *safe = sb_escape_text(text, strlen(text));
	const char *rest = safe;
	unsigned n = 0;

	while (*rest != '\0' && n < left) {
		const size_t len = sb_text_fitting(rest, room);
		sb_autofree char *line = sb_memdup0(rest, len);

		if (frame != NULL)
			(void)sb_frame_put(frame, y + n, x, room, style_of(row), line);
		rest += len;
		n++;
	}
	return n > 0 ? n : 1;
}

static void get_row(const struct sb_browser *b, size_t i, struct sb_tree_row *row,
	struct sb_explored_file *file, uint64_t *rails)
{
	*file = (struct sb_explored_file){0};
	sb_tree_row(b->tree, i, row, rails);
	if (row->has_entry)
		b->source->file(b->source->self, row->layer, row->entry, file);
}

/* How many lines the row takes, of so many at most. */
static unsigned row_lines(
	const struct sb_browser *b, const struct sb_rect *rect, size_t i, unsigned most)
{
	const struct columns columns = columns_of(b, rect);
	struct sb_explored_file file;
	struct sb_tree_row row;
	uint64_t rails = 0;

	if (!b->wraps)
		return 1;
	get_row(b, i, &row, &file, &rails);

	const unsigned room = rect->columns - 6 - attribute_columns(&columns);
	const unsigned before = 2 * (row.depth - skipped_levels(&row, room)) + 2;

	return put_whole_name(NULL, 0, 0, room > before ? room - before : 1, most, &row, &file);
}

/* `left` lines of the pane may be used. */
static void draw_row(const struct sb_browser *b, struct sb_frame *frame, const struct sb_rect *rect,
	unsigned y, unsigned left, size_t i)
{
	const struct columns columns = columns_of(b, rect);
	const unsigned end = rect->x + rect->columns - 2;
	struct sb_explored_file file;
	struct sb_tree_row row;
	uint64_t rails = 0;
	unsigned x = rect->x + 2;

	get_row(b, i, &row, &file, &rails);
	frame->selects = i == b->files.at && b->pane == SB_PANE_TREE;
	if (frame->selects)
		sb_frame_fill(frame, y, rect->x + 1, rect->columns - 2, SB_STYLE_PLAIN);
	if (row.status > SB_TREE_UNMODIFIED)
		(void)sb_frame_put(frame, y, x, 1, style_of(&row), sign_of(&row));
	x += 2;
	put_attributes(frame, y, x, &columns, &row, &file);
	x += attribute_columns(&columns);
	if (x < end)
		x += put_rails(frame, y, x, end - x, &row, rails);
	if (x < end && b->wraps)
		(void)put_whole_name(frame, y, x, end - x, left, &row, &file);
	else if (x < end)
		put_name(frame, y, x, end - x, &row, &file);
	frame->selects = false;
}

static char *title_of(const struct sb_browser *b)
{
	if (b->source->image->n_layers == 0)
		return sb_strdup("Files");
	if (b->view.is_aggregated && b->layers.at > 0)
		return sb_asprintf("Files after layer %zu: changes since 1", b->layers.at + 1);
	return sb_asprintf("Files after layer %zu: its changes", b->layers.at + 1);
}

static char *foot_of(const struct sb_browser *b)
{
	static const char *const words[] = {
		[SB_TREE_UNMODIFIED] = "unmodified",
		[SB_TREE_ADDED] = "added",
		[SB_TREE_MODIFIED] = "modified",
		[SB_TREE_REMOVED] = "removed",
	};
	const size_t n = sb_tree_n_rows(b->tree);
	char *text = sb_asprintf(
		"%zu/%zu%s", n > 0 ? b->files.at + 1 : 0, n, b->view.by_size ? "  by size" : "");

	for (int status = SB_TREE_UNMODIFIED; status < SB_TREE_N_STATUSES; status++) {
		if (!b->view.hides[status])
			continue;

		char *longer = sb_asprintf("%s  without %s", text, words[status]);

		free(text);
		text = longer;
	}
	if (b->filter[0] != '\0') {
		char *longer = sb_asprintf("%s  filter: %s", text, b->filter);

		free(text);
		text = longer;
	}
	return text;
}

/* The whole path under the list, and where a removed file went. */
static void draw_current(
	const struct sb_browser *b, struct sb_frame *frame, const struct sb_rect *rect, unsigned y)
{
	struct sb_explored_file file;
	struct sb_tree_row row;
	uint64_t rails = 0;
	unsigned x = rect->x + 2;
	const unsigned end = rect->x + rect->columns - 2;
	char from[64] = "";

	if (b->files.at >= sb_tree_n_rows(b->tree))
		return;
	get_row(b, b->files.at, &row, &file, &rails);
	if (row.has_entry) {
		(void)snprintf(from, sizeof(from), "of layer %zu%s", row.layer + 1,
			row.status == SB_TREE_REMOVED && file.has_content ? ", still readable"
									  : "");
	}

	sb_autofree char *path = sb_tree_path(b->tree, b->files.at);
	const unsigned note = (unsigned)strlen(from);

	if (note > 0 && end > x + note + 12) {
		(void)sb_frame_put(frame, y, end - note, note,
			row.status == SB_TREE_REMOVED ? SB_STYLE_REMOVED : SB_STYLE_DIM, from);
		(void)sb_frame_put_path(frame, y, x, end - note - 2 - x, SB_STYLE_BOLD, path);
	} else {
		(void)sb_frame_put_path(frame, y, x, end - x, SB_STYLE_BOLD, path);
	}
}

/* Where rows take several lines, the pane begins further down, so that the cursor is still in it.
 */
static void fit_wrapped(struct sb_browser *b, const struct sb_rect *rect, unsigned lines)
{
	unsigned used = 0;
	size_t top = b->files.at + 1;

	while (top > b->files.top) {
		used += row_lines(b, rect, top - 1, lines);
		if (used > lines && top <= b->files.at)
			break;
		top--;
	}
	b->files.top = top;
}

void sb_draw_tree(struct sb_browser *b, struct sb_frame *frame, const struct sb_rect *rect)
{
	const size_t n = sb_tree_n_rows(b->tree);
	const unsigned lines = rect->rows > 3 ? rect->rows - 3 : 1;
	sb_autofree char *title = title_of(b);

	sb_cursor_fit(&b->files, lines, n);
	if (b->wraps && n > 0)
		fit_wrapped(b, rect, lines);

	sb_autofree char *foot = foot_of(b);

	sb_frame_box(frame, rect, b->pane == SB_PANE_TREE, title, foot);
	for (unsigned used = 0, i = 0; used < lines && b->files.top + i < n; i++) {
		draw_row(b, frame, rect, rect->y + 1 + used, lines - used, b->files.top + i);
		used += row_lines(b, rect, b->files.top + i, lines - used);
	}
	if (n == 0)
		(void)sb_frame_put(frame, rect->y + 1, rect->x + 2, rect->columns - 4, SB_STYLE_DIM,
			"nothing to show");
	draw_current(b, frame, rect, rect->y + rect->rows - 2);
}
