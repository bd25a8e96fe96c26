/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_SEARCH_ENTRY_H
#define SB_LAYER_SEARCH_ENTRY_H

#include "layer/tar_input.h"
#include "leak/content.h"

/*
 * Searches one entry of a layer's tar for known secrets, as the change that it stands for is
 * searched before it becomes an entry (layer/search.h): its name, link target, attributes and
 * content, which is read to its end. SB_E_LEAK.
 */
int sb_search_entry(struct sb_content_search *search, struct sb_tar_input *input,
	struct archive_entry *entry, struct sb_error *err) SB_MUST_USE;

#endif
