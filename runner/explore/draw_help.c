/* SPDX-License-Identifier: MIT */
#include "explore/browser_private.h"

/* A line without keys is a heading. dive's keys are the ones with a ^. */
static const struct {
	const char *keys;
	const char *what;
} lines[] = {
	{NULL, "Everywhere"},
	{"tab", "to the other pane"},
	{"up down, j k", "one line"},
	{"pgup pgdn, u d", "one page"},
	{"home end, g G", "the first, the last line"},
	{"/, ^F, ^/", "filter files by path: text, or a pattern with * and ?"},
	{"esc", "no filter"},
	{"?", "this page"},
	{"q, ^C", "quit"},
	{NULL, "Layers"},
	{"^A, A", "show what changed since layer 1"},
	{"^L, L", "show what this layer changed"},
	{"enter, right, l", "to its files"},
	{NULL, "Files"},
	{"space, enter", "fold or unfold a folder"},
	{"^space, z", "fold or unfold all"},
	{"left right, h l", "fold and go up, unfold and go down"},
	{"enter, v", "view a file, also a deleted one"},
	{"e, ^E", "extract it to a file of the host"},
	{"a, ^A", "with or without what was added"},
	{"r, ^R", "  … what was removed"},
	{"m", "  … what was modified (^M is the enter key)"},
	{"n, ^U", "  … what was not modified"},
	{"b, ^B", "with or without mode, owner and size"},
	{"o, ^O", "by size or by name"},
	{"w, ^P", "wrap long names or cut them"},
	{NULL, "A file"},
	{"x", "text or hexadecimal"},
	{"w, ^P", "wrap long lines or not; then left and right scroll"},
	{"e, ^E", "extract it"},
	{"q, esc", "back to the files"},
};
enum { N_LINES = sizeof(lines) / sizeof(lines[0]) };

void sb_draw_help(struct sb_browser *b, struct sb_frame *frame, const struct sb_rect *rect)
{
	const unsigned rows = rect->rows - 2;
	const unsigned last = N_LINES > rows ? N_LINES - rows : 0;
	const unsigned room = rect->columns - 4;

	b->help_top = b->help_top < last ? b->help_top : last;
	sb_frame_box(frame, rect, true, "Keys", b->help_top < last ? "down for more" : NULL);
	for (unsigned i = 0; i < rows && b->help_top + i < N_LINES; i++) {
		const unsigned y = rect->y + 1 + i;
		const unsigned x = rect->x + 2;

		if (lines[b->help_top + i].keys == NULL) {
			(void)sb_frame_put(
				frame, y, x, room, SB_STYLE_BOLD, lines[b->help_top + i].what);
			continue;
		}
		(void)sb_frame_put(
			frame, y, x + 2, 18, SB_STYLE_FOLDER, lines[b->help_top + i].keys);
		(void)sb_frame_put(
			frame, y, x + 20, room - 20, SB_STYLE_PLAIN, lines[b->help_top + i].what);
	}
}
