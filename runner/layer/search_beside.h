/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_SEARCH_BESIDE_H
#define SB_LAYER_SEARCH_BESIDE_H

#include "base/cleanup.h"
#include "layer/diff.h"
#include "layer/ring.h"
#include "leak/content.h"

/*
 * Searches a layer while it is written, on a thread of its own: change after change, the names and
 * then the content as it lies in the tar that goes through the ring. So the first leak is the same
 * one however fast each side is.
 */
struct sb_search_beside;
/* Both are borrowed. */
struct sb_search_beside *sb_search_beside_new(
	const struct sb_changes *changes, struct sb_content_search *search);
/* After the ring's. */
void sb_search_beside_free(struct sb_search_beside *beside);
SB_DEFINE_FREEP(sb_search_beside)

/* Where in the tar the content of the change begins; to be said before its first byte is handed
 * over. Contents that it is not said of are not searched. */
void sb_search_beside_place(
	struct sb_search_beside *beside, const struct sb_change *change, uint64_t tar_offset);
/* To be run as the ring's `beside`. SB_E_LEAK. */
int sb_search_beside_run(
	struct sb_search_beside *beside, struct sb_ring *ring, struct sb_error *err) SB_MUST_USE;
/* From the writing thread: what is being unpacked is not waited for. */
void sb_search_beside_cancel(struct sb_search_beside *beside);

#endif
