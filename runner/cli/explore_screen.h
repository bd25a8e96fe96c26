/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_EXPLORE_SCREEN_H
#define SB_CLI_EXPLORE_SCREEN_H

#include "cli/explore_terminal.h"
#include "explore/browser.h"

/* Frames onto the terminal, and keys from it; between begin and end of explore_terminal.h. */
void sb_screen_begin(const struct sb_screen_terminal *terminal);
/* Draws the browser in whatever size the terminal has now. */
void sb_screen_draw(struct sb_browser *browser, struct sb_frame *frame,
	const struct sb_screen_terminal *terminal);
/* The next key; false where the screen has to be drawn anew instead, or (with *out_is_over) there
 * will be no more keys. */
bool sb_screen_key(uint32_t *out, bool *out_is_over);
/* True if the user pressed escape since the last call; waits for nothing. */
bool sb_screen_wants_out(void);
/* A note in the last line, at once. */
void sb_screen_note(const char *text);

#endif
