/* SPDX-License-Identifier: MIT */
#ifndef SB_EXPLORE_BROWSER_H
#define SB_EXPLORE_BROWSER_H

#include <stdint.h>

#include "base/cleanup.h"
#include "explore/frame.h"
#include "explore/source.h"

/*
 * The browser: keys in, screens and wishes out. It knows no terminal, and reads no file itself.
 */
struct sb_browser;
/* The source must outlive it. */
struct sb_browser *sb_browser_new(const struct sb_explore_source *source);
void sb_browser_free(struct sb_browser *browser);
SB_DEFINE_FREEP(sb_browser)

/* A key is a character (a code point; control keys are 0 to 31), or one of these. */
enum sb_key {
	SB_KEY_UP = 0x200000,
	SB_KEY_DOWN,
	SB_KEY_LEFT,
	SB_KEY_RIGHT,
	SB_KEY_PAGE_UP,
	SB_KEY_PAGE_DOWN,
	SB_KEY_HOME,
	SB_KEY_END,
	SB_KEY_BACKSPACE,
	SB_KEY_BACKTAB,
};
#define SB_CONTROL(letter) ((letter)&0x1f)
#define SB_KEY_ESCAPE 0x1b
#define SB_KEY_ENTER 0x0d

enum sb_wish_kind {
	SB_WISH_NOTHING,
	SB_WISH_QUIT,
	SB_WISH_VIEW,    /* read the file and call sb_browser_show */
	SB_WISH_EXTRACT, /* write it to `name` and say so */
};
struct sb_wish {
	enum sb_wish_kind kind;
	size_t layer;
	size_t entry;
	const char *name; /* borrowed until the next key */
};
struct sb_wish sb_browser_key(struct sb_browser *browser, uint32_t key);

/* Shows the content of the file that was wished for. Takes its bytes (from malloc). */
void sb_browser_show(struct sb_browser *browser, const struct sb_explored_content *content);
/* A message in the last line, until the next key. */
void sb_browser_say(struct sb_browser *browser, bool is_bad, const char *text);

/* The whole screen, for the frame's size; that also decides how far a page goes. */
void sb_browser_draw(struct sb_browser *browser, struct sb_frame *frame);

#endif
