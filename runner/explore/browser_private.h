/* SPDX-License-Identifier: MIT */
#ifndef SB_EXPLORE_BROWSER_PRIVATE_H
#define SB_EXPLORE_BROWSER_PRIVATE_H

#include "explore/browser.h"
#include "explore/pager.h"
#include "explore/tree.h"

enum sb_browser_pane { SB_PANE_LAYERS, SB_PANE_TREE };
enum sb_browser_mode {
	SB_MODE_BROWSE,
	SB_MODE_FILTER,
	SB_MODE_EXTRACT,
	SB_MODE_VIEW,
	SB_MODE_HELP
};

/* A list that is longer than its pane. */
struct sb_cursor {
	size_t at;
	size_t top;
	unsigned rows; /* of the pane, when it was last drawn */
};

struct sb_browser {
	const struct sb_explore_source *source;
	struct sb_tree *tree;
	struct sb_tree_view view;
	enum sb_browser_pane pane;
	enum sb_browser_mode mode;
	enum sb_browser_mode mode_before; /* to go back to: of help and of the extract prompt */
	struct sb_cursor layers;
	struct sb_cursor files;
	bool hides_attributes;
	bool wraps; /* long names take several lines */
	char *filter;
	char *typed; /* in a prompt */
	char *name;  /* of the last wish */
	struct sb_pager *pager;
	size_t viewed_layer; /* what the pager shows */
	size_t viewed_entry;
	char *message; /* or NULL */
	bool is_bad_message;
	unsigned help_top;
};

/* Moves by so many, within n. */
void sb_cursor_move(struct sb_cursor *cursor, long by, size_t n);
/* Scrolls so that the cursor is in the pane. */
void sb_cursor_fit(struct sb_cursor *cursor, unsigned rows, size_t n);

/* Changes the tree and its rows, with the cursor on the same file afterwards. */
void sb_browser_change_tree(struct sb_browser *browser, void (*change)(struct sb_browser *browser));
/* What to change: the view, to that of the layer with the cursor. */
void sb_browser_apply_view(struct sb_browser *browser);
void sb_browser_set_filter(struct sb_browser *browser, const char *text);
/* The row with the cursor; false where there is none. */
bool sb_browser_current_row(const struct sb_browser *browser, struct sb_tree_row *out);
/* A file that has something to read; says what it is otherwise. */
bool sb_browser_has_content(struct sb_browser *browser, const struct sb_tree_row *row);

/* Keys of the two panes (browser_keys.c), and of the prompts (browser_prompt.c). */
struct sb_wish sb_browser_key_in_browse(struct sb_browser *browser, uint32_t key);
/* Takes the text that is typed already (heap). */
void sb_browser_begin_prompt(struct sb_browser *browser, enum sb_browser_mode mode, char *text);
void sb_browser_begin_extract(struct sb_browser *browser);
void sb_browser_key_in_filter(struct sb_browser *browser, uint32_t key);
struct sb_wish sb_browser_key_in_extract(struct sb_browser *browser, uint32_t key);

/* Panes (draw_layers.c, draw_tree.c). */
void sb_draw_layers(struct sb_browser *browser, struct sb_frame *frame, const struct sb_rect *rect);
void sb_draw_layer_details(
	const struct sb_browser *browser, struct sb_frame *frame, const struct sb_rect *rect);
void sb_draw_image_details(
	const struct sb_browser *browser, struct sb_frame *frame, const struct sb_rect *rect);
void sb_draw_tree(struct sb_browser *browser, struct sb_frame *frame, const struct sb_rect *rect);
void sb_draw_help(struct sb_browser *browser, struct sb_frame *frame, const struct sb_rect *rect);

#endif
