/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_UNWRAP_H
#define SB_LEAK_UNWRAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "leak/needle_stream.h"

/*
 * Finds needles of base64's characters in text that is broken into lines: at any width from 4
 * characters on, the lines ended by LF, CR LF or a backslash and letters ("\n" in a string), with
 * blanks, quotes, commas and the marks of comments and quotations around. Lines that adjoin are
 * searched as one; what stands on one line alone is left to the search of the stream as it is.
 *
 * Of a first line only the last 1024 characters count; the lines after it may have any length.
 */
struct sb_unwrap;
/* The tables are borrowed. */
struct sb_unwrap *sb_unwrap_new(const struct sb_needle_tables *tables);
void sb_unwrap_free(struct sb_unwrap *unwrap);
SB_DEFINE_FREEP(sb_unwrap)
void sb_unwrap_begin(struct sb_unwrap *unwrap);
void sb_unwrap_feed(struct sb_unwrap *unwrap, const void *bytes, size_t len);

/* Offsets in the stream as it is. */
struct sb_unwrap_find {
	const struct sb_needle *needle; /* NULL: none so far */
	uint64_t start;
	uint64_t end;
};
struct sb_unwrap_find sb_unwrap_found(const struct sb_unwrap *unwrap);

/* From the next begin on every find is told, in no certain order, and none ends the search. */
typedef void (*sb_unwrap_fn)(void *self, const struct sb_unwrap_find *find);
void sb_unwrap_on_find(struct sb_unwrap *unwrap, sb_unwrap_fn on_find, void *self);

#endif
