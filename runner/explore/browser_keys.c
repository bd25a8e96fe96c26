/* SPDX-License-Identifier: MIT */
#include "explore/browser_private.h"

/* How far a key moves a cursor, of pages of so many rows; false: it is no such key. */
static bool is_move(uint32_t key, unsigned rows, long *out_by)
{
	const long page = rows > 1 ? (long)rows - 1 : 1;
	const long all = 1L << 40;
	const struct {
		uint32_t key;
		long by;
	} moves[] = {
		{SB_KEY_UP, -1},
		{'k', -1},
		{SB_KEY_DOWN, 1},
		{'j', 1},
		{SB_KEY_PAGE_UP, -page},
		{'u', -page},
		{SB_KEY_PAGE_DOWN, page},
		{'d', page},
		{SB_KEY_HOME, -all},
		{'g', -all},
		{SB_KEY_END, all},
		{'G', all},
	};

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (moves[i].key != key)
			continue;
		*out_by = moves[i].by;
		return true;
	}
	return false;
}

static void move_layer(struct sb_browser *b, long by)
{
	const size_t before = b->layers.at;

	sb_cursor_move(&b->layers, by, b->source->image->n_layers);
	const bool is_at_top = b->files.at == 0;

	if (b->layers.at != before)
		sb_browser_change_tree(b, sb_browser_apply_view);
	/* Where nobody has gone yet, the first file is as good as another. */
	if (is_at_top)
		b->files.at = 0;
}

static void set_aggregated(struct sb_browser *b, bool is_aggregated)
{
	b->view.is_aggregated = is_aggregated;
	sb_browser_change_tree(b, sb_browser_apply_view);
}

static void key_in_layers(struct sb_browser *b, uint32_t key)
{
	long by = 0;

	if (is_move(key, b->layers.rows, &by))
		move_layer(b, by);
	else if (key == SB_CONTROL('a') || key == 'A')
		set_aggregated(b, true);
	else if (key == SB_CONTROL('l') || key == 'L')
		set_aggregated(b, false);
	else if (key == SB_KEY_ENTER || key == SB_KEY_RIGHT || key == 'l')
		b->pane = SB_PANE_TREE;
}

static void fold(struct sb_browser *b, bool opens)
{
	sb_tree_fold(b->tree, b->files.at, opens);
}

static void go_left(struct sb_browser *b)
{
	struct sb_tree_row row;

	if (!sb_browser_current_row(b, &row))
		return;
	if (row.is_folder && row.is_open)
		fold(b, false);
	else
		b->files.at = sb_tree_parent(b->tree, b->files.at);
}

static void go_right(struct sb_browser *b)
{
	struct sb_tree_row row;

	if (!sb_browser_current_row(b, &row) || !row.is_folder)
		return;
	if (row.is_open)
		sb_cursor_move(&b->files, 1, sb_tree_n_rows(b->tree));
	else
		fold(b, true);
}

static void open_all(struct sb_browser *b)
{
	sb_tree_fold_all(b->tree, true);
}

static void close_all(struct sb_browser *b)
{
	sb_tree_fold_all(b->tree, false);
}

/* Folds all where anything is open at the top, unfolds all otherwise. */
static void toggle_all(struct sb_browser *b)
{
	struct sb_tree_row row;
	uint64_t rails = 0;
	bool is_open = false;

	for (size_t i = 0; i < sb_tree_n_rows(b->tree) && !is_open; i++) {
		sb_tree_row(b->tree, i, &row, &rails);
		is_open = row.is_folder && row.is_open;
	}
	sb_browser_change_tree(b, is_open ? close_all : open_all);
}

static void toggle_status(struct sb_browser *b, enum sb_tree_status status)
{
	b->view.hides[status] = !b->view.hides[status];
	sb_browser_change_tree(b, sb_browser_apply_view);
}

static struct sb_wish view(struct sb_browser *b)
{
	struct sb_tree_row row;

	if (!sb_browser_current_row(b, &row) || !sb_browser_has_content(b, &row))
		return (struct sb_wish){0};
	b->viewed_layer = row.layer;
	b->viewed_entry = row.entry;
	return (struct sb_wish){.kind = SB_WISH_VIEW, .layer = row.layer, .entry = row.entry};
}

static struct sb_wish enter(struct sb_browser *b)
{
	struct sb_tree_row row;

	if (!sb_browser_current_row(b, &row))
		return (struct sb_wish){0};
	if (!row.is_folder)
		return view(b);
	fold(b, !row.is_open);
	return (struct sb_wish){0};
}

static bool toggle_by_key(struct sb_browser *b, uint32_t key)
{
	static const struct {
		uint32_t keys[2];
		enum sb_tree_status status;
	} toggles[] = {
		{{SB_CONTROL('a'), 'a'}, SB_TREE_ADDED},
		{{SB_CONTROL('r'), 'r'}, SB_TREE_REMOVED},
		{{'m', 'm'}, SB_TREE_MODIFIED}, /* ^M is the enter key */
		{{SB_CONTROL('u'), 'n'}, SB_TREE_UNMODIFIED},
	};

	for (size_t i = 0; i < sizeof(toggles) / sizeof(toggles[0]); i++) {
		if (key != toggles[i].keys[0] && key != toggles[i].keys[1])
			continue;
		toggle_status(b, toggles[i].status);
		return true;
	}
	return false;
}

static struct sb_wish key_in_tree(struct sb_browser *b, uint32_t key)
{
	struct sb_tree_row row;
	long by = 0;

	if (is_move(key, b->files.rows, &by)) {
		sb_cursor_move(&b->files, by, sb_tree_n_rows(b->tree));
	} else if (key == SB_KEY_LEFT || key == 'h') {
		go_left(b);
	} else if (key == SB_KEY_RIGHT || key == 'l') {
		go_right(b);
	} else if (key == ' ') {
		if (sb_browser_current_row(b, &row) && row.is_folder)
			fold(b, !row.is_open);
	} else if (key == 0 || key == 'z') {
		toggle_all(b);
	} else if (key == 'L') {
		set_aggregated(b, false);
	} else if (key == 'A') {
		set_aggregated(b, true);
	} else if (key == SB_CONTROL('b') || key == 'b') {
		b->hides_attributes = !b->hides_attributes;
	} else if (key == SB_CONTROL('p') || key == 'w') {
		b->wraps = !b->wraps;
	} else if (key == SB_CONTROL('o') || key == 'o') {
		b->view.by_size = !b->view.by_size;
		sb_browser_change_tree(b, sb_browser_apply_view);
	} else if (key == SB_KEY_ENTER) {
		return enter(b);
	} else if (key == 'v') {
		return view(b);
	} else {
		(void)toggle_by_key(b, key);
	}
	return (struct sb_wish){0};
}

struct sb_wish sb_browser_key_in_browse(struct sb_browser *b, uint32_t key)
{
	if (key == 'q')
		return (struct sb_wish){.kind = SB_WISH_QUIT};
	if (key == '\t' || key == SB_KEY_BACKTAB) {
		b->pane = b->pane == SB_PANE_LAYERS ? SB_PANE_TREE : SB_PANE_LAYERS;
	} else if (key == '?') {
		b->mode_before = b->mode;
		b->mode = SB_MODE_HELP;
		b->help_top = 0;
	} else if (key == '/' || key == SB_CONTROL('f') || key == SB_CONTROL('_')) {
		sb_browser_begin_prompt(b, SB_MODE_FILTER, sb_strdup(b->filter));
		b->pane = SB_PANE_TREE;
	} else if (key == SB_KEY_ESCAPE) {
		if (b->filter[0] != '\0')
			sb_browser_set_filter(b, "");
	} else if (key == 'e' || key == SB_CONTROL('e')) {
		sb_browser_begin_extract(b);
	} else if (b->pane == SB_PANE_TREE) {
		return key_in_tree(b, key);
	} else {
		key_in_layers(b, key);
	}
	return (struct sb_wish){0};
}
