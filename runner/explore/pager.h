/* SPDX-License-Identifier: MIT */
#ifndef SB_EXPLORE_PAGER_H
#define SB_EXPLORE_PAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "explore/frame.h"
#include "safebuild/explore.h"

/*
 * A file's content on the screen, as text or, where it is none, in hexadecimal. Control characters
 * are escaped.
 */
struct sb_pager;
/* Takes the title and the content's bytes (from malloc). */
struct sb_pager *sb_pager_new(char *title, const struct sb_explored_content *content);
void sb_pager_free(struct sb_pager *pager);
SB_DEFINE_FREEP(sb_pager)

enum sb_pager_move {
	SB_PAGER_UP,
	SB_PAGER_DOWN,
	SB_PAGER_PAGE_UP,
	SB_PAGER_PAGE_DOWN,
	SB_PAGER_TOP,
	SB_PAGER_BOTTOM,
	SB_PAGER_LEFT,
	SB_PAGER_RIGHT,
};
void sb_pager_move(struct sb_pager *pager, enum sb_pager_move move);
void sb_pager_toggle_hex(struct sb_pager *pager);
void sb_pager_toggle_wrap(struct sb_pager *pager);
void sb_pager_draw(struct sb_pager *pager, struct sb_frame *frame, const struct sb_rect *rect);

#endif
