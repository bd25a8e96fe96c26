/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_NEEDLE_STREAM_H
#define SB_LEAK_NEEDLE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "leak/needles.h"
#include "leak/secret_memory.h"

/*
 * Searches one stream of bytes for needles. State is kept across the pieces of the stream; which
 * find comes first does not depend on how it was cut.
 */

/* What is looked for: read-only once made, for any number of streams and threads. */
struct sb_needle_tables;
/* The needles for which is_wanted says so, or all (NULL). Both are borrowed. */
struct sb_needle_tables *sb_needle_tables_new(struct sb_secret_memory *memory,
	const struct sb_needles *needles, bool (*is_wanted)(const struct sb_needle *needle));
void sb_needle_tables_free(struct sb_needle_tables *tables);
SB_DEFINE_FREEP(sb_needle_tables)
/* The length of the shortest needle; 0: there is none. */
size_t sb_needle_tables_shortest(const struct sb_needle_tables *tables);
size_t sb_needle_tables_longest(const struct sb_needle_tables *tables);

struct sb_needle_find {
	const struct sb_needle *needle; /* NULL: none */
	uint64_t end;                   /* offset in the stream, behind its last byte */
};

struct sb_needle_stream;
/* The tables are borrowed. */
struct sb_needle_stream *sb_needle_stream_new(const struct sb_needle_tables *tables);
void sb_needle_stream_free(struct sb_needle_stream *stream);
SB_DEFINE_FREEP(sb_needle_stream)
/* From the next begin on every find is told, in no certain order, and none ends the search. */
typedef void (*sb_needle_fn)(void *self, const struct sb_needle *needle, uint64_t end);
void sb_needle_stream_on_find(struct sb_needle_stream *stream, sb_needle_fn on_find, void *self);
void sb_needle_stream_begin(struct sb_needle_stream *stream);
/* Once something is found, what follows is not looked at. */
void sb_needle_stream_feed(struct sb_needle_stream *stream, const void *bytes, size_t len);
/* Decides what the stream's end decides: a whole token as its last bytes. */
void sb_needle_stream_end(struct sb_needle_stream *stream);
/* The one that ends first. */
struct sb_needle_find sb_needle_stream_found(const struct sb_needle_stream *stream);

#endif
