/* SPDX-License-Identifier: MIT */
#include "explore/browser.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "explore/browser_private.h"

struct sb_browser *sb_browser_new(const struct sb_explore_source *source)
{
	struct sb_browser *b = SB_NEW(struct sb_browser);

	b->source = source;
	b->tree = sb_tree_new(source);
	b->filter = sb_strdup("");
	b->typed = sb_strdup("");
	return b;
}

void sb_browser_free(struct sb_browser *browser)
{
	if (browser == NULL)
		return;
	sb_tree_free(browser->tree);
	sb_pager_free(browser->pager);
	free(browser->filter);
	free(browser->typed);
	free(browser->name);
	free(browser->message);
	free(browser);
}

void sb_cursor_move(struct sb_cursor *cursor, long by, size_t n)
{
	if (n == 0)
		cursor->at = 0;
	else if (by < 0)
		cursor->at -= (size_t)-by < cursor->at ? (size_t)-by : cursor->at;
	else
		cursor->at = n - 1 - cursor->at > (size_t)by ? cursor->at + (size_t)by : n - 1;
}

void sb_cursor_fit(struct sb_cursor *cursor, unsigned rows, size_t n)
{
	cursor->rows = rows;
	if (cursor->at >= n)
		cursor->at = n > 0 ? n - 1 : 0;
	if (cursor->top > cursor->at)
		cursor->top = cursor->at;
	if (rows > 0 && cursor->at - cursor->top >= rows)
		cursor->top = cursor->at - rows + 1;
	if (n <= rows)
		cursor->top = 0;
	else if (cursor->top > n - rows)
		cursor->top = n - rows;
}

void sb_browser_say(struct sb_browser *browser, bool is_bad, const char *text)
{
	free(browser->message);
	browser->message = sb_strdup(text);
	browser->is_bad_message = is_bad;
}

void sb_browser_change_tree(struct sb_browser *b, void (*change)(struct sb_browser *b))
{
	const bool has_row = b->files.at < sb_tree_n_rows(b->tree);
	struct sb_tree_row row = {0};
	uint64_t rails = 0;

	if (has_row)
		sb_tree_row(b->tree, b->files.at, &row, &rails);
	change(b);
	b->files.at = has_row ? sb_tree_find(b->tree, row.node) : 0;
}

void sb_browser_apply_view(struct sb_browser *b)
{
	b->view.layer = b->layers.at;
	sb_tree_set_view(b->tree, &b->view);
}

static void apply_filter(struct sb_browser *b)
{
	sb_tree_set_filter(b->tree, b->filter);
}

void sb_browser_set_filter(struct sb_browser *b, const char *text)
{
	char *copy = sb_strdup(text);

	free(b->filter);
	b->filter = copy;
	sb_browser_change_tree(b, apply_filter);
}

bool sb_browser_current_row(const struct sb_browser *b, struct sb_tree_row *out)
{
	uint64_t rails = 0;

	if (b->files.at >= sb_tree_n_rows(b->tree))
		return false;
	sb_tree_row(b->tree, b->files.at, out, &rails);
	return true;
}

bool sb_browser_has_content(struct sb_browser *b, const struct sb_tree_row *row)
{
	struct sb_explored_file file;

	if (!row->has_entry) {
		sb_browser_say(b, true, "no layer lists this folder");
		return false;
	}
	b->source->file(b->source->self, row->layer, row->entry, &file);
	if (file.type == '-' && file.has_content)
		return true;
	sb_browser_say(b, true,
		file.type == 'd'   ? "a folder has no content"
		: file.type == 'l' ? "a link has no content of its own"
		: file.type == '-' ? "what this name linked to is not there"
				   : "only files have content");
	return false;
}

static bool is_pager_move(uint32_t key, enum sb_pager_move *out)
{
	static const struct {
		uint32_t keys[3];
		enum sb_pager_move move;
	} moves[] = {
		{{SB_KEY_UP, 'k', 'k'}, SB_PAGER_UP},
		{{SB_KEY_DOWN, 'j', SB_KEY_ENTER}, SB_PAGER_DOWN},
		{{SB_KEY_PAGE_UP, 'u', SB_KEY_BACKSPACE}, SB_PAGER_PAGE_UP},
		{{SB_KEY_PAGE_DOWN, 'd', ' '}, SB_PAGER_PAGE_DOWN},
		{{SB_KEY_HOME, 'g', 'g'}, SB_PAGER_TOP},
		{{SB_KEY_END, 'G', 'G'}, SB_PAGER_BOTTOM},
		{{SB_KEY_LEFT, 'h', 'h'}, SB_PAGER_LEFT},
		{{SB_KEY_RIGHT, 'l', 'l'}, SB_PAGER_RIGHT},
	};

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		for (size_t k = 0; k < 3; k++) {
			if (moves[i].keys[k] != key)
				continue;
			*out = moves[i].move;
			return true;
		}
	}
	return false;
}

static void key_in_pager(struct sb_browser *b, uint32_t key)
{
	enum sb_pager_move move;

	if (key == 'q' || key == SB_KEY_ESCAPE || key == 'v') {
		b->mode = SB_MODE_BROWSE;
		sb_pager_free(b->pager);
		b->pager = NULL;
	} else if (is_pager_move(key, &move)) {
		sb_pager_move(b->pager, move);
	} else if (key == 'x') {
		sb_pager_toggle_hex(b->pager);
	} else if (key == 'w' || key == SB_CONTROL('p')) {
		sb_pager_toggle_wrap(b->pager);
	} else if (key == 'e' || key == SB_CONTROL('e')) {
		sb_browser_begin_extract(b);
	}
}

static void key_in_help(struct sb_browser *b, uint32_t key)
{
	if (key == SB_KEY_DOWN || key == 'j' || key == SB_KEY_PAGE_DOWN || key == ' ')
		b->help_top++;
	else if (key == SB_KEY_UP || key == 'k' || key == SB_KEY_PAGE_UP)
		b->help_top -= b->help_top > 0 ? 1 : 0;
	else
		b->mode = b->mode_before;
}

struct sb_wish sb_browser_key(struct sb_browser *browser, uint32_t key)
{
	free(browser->message);
	browser->message = NULL;
	/* ^J: what a pasted line ends in. */
	if (key == '\n')
		key = SB_KEY_ENTER;
	switch (browser->mode) {
	case SB_MODE_FILTER:
		sb_browser_key_in_filter(browser, key);
		break;
	case SB_MODE_EXTRACT:
		return sb_browser_key_in_extract(browser, key);
	case SB_MODE_VIEW:
		key_in_pager(browser, key);
		break;
	case SB_MODE_HELP:
		key_in_help(browser, key);
		break;
	case SB_MODE_BROWSE:
		return sb_browser_key_in_browse(browser, key);
	}
	return (struct sb_wish){0};
}

void sb_browser_show(struct sb_browser *browser, const struct sb_explored_content *content)
{
	struct sb_explored_file file;

	browser->source->file(
		browser->source->self, browser->viewed_layer, browser->viewed_entry, &file);
	sb_pager_free(browser->pager);
	browser->pager = sb_pager_new(
		sb_asprintf("layer %zu: %s", browser->viewed_layer + 1, file.path), content);
	browser->mode = SB_MODE_VIEW;
}
