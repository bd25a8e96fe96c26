/* SPDX-License-Identifier: MIT */
#include "cli/explore_screen.h"

#include <errno.h>
#include <string.h>

#include <curses.h>

#include "base/columns.h"

enum {
	PAIR_GREEN = 1,
	PAIR_YELLOW,
	PAIR_RED,
	PAIR_CYAN,
	PAIR_BLUE,
	PAIR_BAR,
	PAIR_BAR_KEY,
	PAIR_BAR_BAD
};

static attr_t attributes[SB_N_STYLES];

static void set_plain_styles(void)
{
	static const attr_t plain[SB_N_STYLES] = {
		[SB_STYLE_DIM] = A_DIM,
		[SB_STYLE_BOLD] = A_BOLD,
		[SB_STYLE_BORDER] = A_DIM,
		[SB_STYLE_FOCUS] = A_BOLD,
		[SB_STYLE_MODIFIED] = A_BOLD,
		[SB_STYLE_REMOVED] = A_DIM,
		[SB_STYLE_BAD] = A_BOLD | A_REVERSE,
		[SB_STYLE_BAR] = A_REVERSE,
		[SB_STYLE_KEY] = A_REVERSE | A_BOLD,
	};

	memcpy(attributes, plain, sizeof(attributes));
}

/* The lines at top and bottom are grey where there are that many colours, else inverted. */
static void set_bar(void)
{
	enum { GREY = 237, LIGHT = 252, LIGHT_CYAN = 80, LIGHT_RED = 210 };

	if (COLORS < 256)
		return;
	(void)init_pair(PAIR_BAR, LIGHT, GREY);
	(void)init_pair(PAIR_BAR_KEY, LIGHT_CYAN, GREY);
	(void)init_pair(PAIR_BAR_BAD, LIGHT_RED, GREY);
	attributes[SB_STYLE_BAR] = COLOR_PAIR(PAIR_BAR);
	attributes[SB_STYLE_KEY] = COLOR_PAIR(PAIR_BAR_KEY) | A_BOLD;
	attributes[SB_STYLE_BAD] = COLOR_PAIR(PAIR_BAR_BAD) | A_BOLD;
}

static void set_colors(void)
{
	(void)start_color();
	(void)use_default_colors();
	(void)init_pair(PAIR_GREEN, COLOR_GREEN, -1);
	(void)init_pair(PAIR_YELLOW, COLOR_YELLOW, -1);
	(void)init_pair(PAIR_RED, COLOR_RED, -1);
	(void)init_pair(PAIR_CYAN, COLOR_CYAN, -1);
	(void)init_pair(PAIR_BLUE, COLOR_BLUE, -1);
	attributes[SB_STYLE_FOCUS] = A_BOLD | COLOR_PAIR(PAIR_CYAN);
	attributes[SB_STYLE_ADDED] = COLOR_PAIR(PAIR_GREEN);
	attributes[SB_STYLE_MODIFIED] = COLOR_PAIR(PAIR_YELLOW);
	attributes[SB_STYLE_REMOVED] = COLOR_PAIR(PAIR_RED);
	attributes[SB_STYLE_FOLDER] = COLOR_PAIR(PAIR_BLUE) | A_BOLD;
	attributes[SB_STYLE_BAD] = COLOR_PAIR(PAIR_RED) | A_BOLD | A_REVERSE;
	set_bar();
}

void sb_screen_begin(const struct sb_screen_terminal *terminal)
{
	set_plain_styles();
	if (terminal->has_color)
		set_colors();
}

static void paint(const struct sb_frame *frame)
{
	(void)erase();
	SB_ARRAY_FOREACH (&frame->runs, run) {
		/* Plain, where it is selected, is dim on nothing: unreadable on many a terminal. */
		const attr_t attribute = run->is_selected
						 ? (attributes[run->style] & ~A_DIM) | A_REVERSE
						 : attributes[run->style];

		(void)attrset((int)attribute);
		(void)mvaddstr((int)run->y, (int)run->x, run->text);
	}
	(void)attrset(A_NORMAL);
	(void)curs_set(frame->has_cursor ? 1 : 0);
	if (frame->has_cursor)
		(void)move((int)frame->cursor_y, (int)frame->cursor_x);
	(void)refresh();
}

void sb_screen_draw(struct sb_browser *browser, struct sb_frame *frame,
	const struct sb_screen_terminal *terminal)
{
	frame->columns = (unsigned)COLS;
	frame->rows = (unsigned)LINES;
	frame->is_utf8 = terminal->is_utf8;
	sb_browser_draw(browser, frame);
	paint(frame);
}

static uint32_t special_key(wint_t key)
{
	static const struct {
		wint_t curses;
		uint32_t ours;
	} keys[] = {
		{KEY_UP, SB_KEY_UP},
		{KEY_DOWN, SB_KEY_DOWN},
		{KEY_LEFT, SB_KEY_LEFT},
		{KEY_RIGHT, SB_KEY_RIGHT},
		{KEY_PPAGE, SB_KEY_PAGE_UP},
		{KEY_NPAGE, SB_KEY_PAGE_DOWN},
		{KEY_HOME, SB_KEY_HOME},
		{KEY_END, SB_KEY_END},
		{KEY_BACKSPACE, SB_KEY_BACKSPACE},
		{KEY_DC, SB_KEY_BACKSPACE},
		{KEY_BTAB, SB_KEY_BACKTAB},
		{KEY_ENTER, SB_KEY_ENTER},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].curses == key)
			return keys[i].ours;
	return UINT32_MAX;
}

bool sb_screen_key(uint32_t *out, bool *out_is_over)
{
	wint_t key = 0;

	*out_is_over = false;
	(void)timeout(-1);
	errno = 0;

	const int got = get_wch(&key);

	/* A signal wakes it up with nothing; a terminal that is gone gives nothing for ever. */
	if (got == ERR) {
		*out_is_over = errno != EINTR;
		return false;
	}
	if (got != KEY_CODE_YES) {
		*out = (uint32_t)key;
		return true;
	}
	*out = special_key(key);
	return *out != UINT32_MAX;
}

bool sb_screen_wants_out(void)
{
	wint_t key = 0;
	int got = 0;

	(void)timeout(0);
	got = get_wch(&key);
	return got == OK && (key == SB_KEY_ESCAPE || key == 'q');
}

void sb_screen_note(const char *text)
{
	(void)attrset((int)attributes[SB_STYLE_KEY]);
	(void)mvhline(LINES - 1, 0, ' ', COLS);
	(void)mvaddnstr(LINES - 1, 1, text, COLS - 2);
	(void)attrset(A_NORMAL);
	(void)refresh();
}
