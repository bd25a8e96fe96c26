/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_SEARCH_H
#define SB_LAYER_SEARCH_H

#include "base/error.h"
#include "layer/diff.h"
#include "leak/content.h"

/*
 * Searches one change for known secrets: its name, link target and attributes. A hit is SB_E_LEAK
 * that says where and in which form, never the value: a name that holds a secret is not shown, only
 * the nearest folder above it whose name holds none. What to do about it is for the caller to say,
 * who knows what made the change.
 */
int sb_search_change(struct sb_content_search *search, const struct sb_change *change,
	struct sb_error *err) SB_MUST_USE;

/* The error for a hit in the content of the file; the name was searched before. */
int sb_search_found(const struct sb_change *change, const struct sb_content_leak *leak,
	struct sb_error *err) SB_MUST_USE;

#endif
