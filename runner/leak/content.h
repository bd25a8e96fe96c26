/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_CONTENT_H
#define SB_LEAK_CONTENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "leak/scan.h"

/*
 * Searches whole contents (files) for the known secrets: their bytes, and what is packed in them
 * (leak/nested.h). Serves one thread.
 */
struct sb_content_search;
/* The scanner is borrowed: its needles are shared, its stream is not touched. */
struct sb_content_search *sb_content_search_new(const struct sb_scanner *scanner);
void sb_content_search_free(struct sb_content_search *search);
SB_DEFINE_FREEP(sb_content_search)
/* False where no secret is known: then there is no need to search. */
bool sb_content_search_is_active(const struct sb_content_search *search);

struct sb_content_leak {
	struct sb_leak leak; /* its offset is in the stream in which it was found */
	/* As in leak/nested.h; NULL: in the content itself. Of a name that holds a secret, what it
	 * is the name in. */
	char *inside;
	const char *what; /* "name", … of a member, static; NULL: in bytes */
};
void sb_content_leak_release(struct sb_content_leak *leak);
/* "raw, at byte 22", "base64 in lib.jar!etc/token, at byte 5": for a message. Caller frees. */
char *sb_content_leak_text(const struct sb_content_leak *leak);

/* A content, piece by piece: next gives the bytes' count, 0 at the end, -1 with err set. A piece
 * stays where it is until the next one is asked for. */
struct sb_pieces {
	ssize_t (*next)(void *self, const void **out_bytes, struct sb_error *err);
	void *self;
	uint64_t
		len; /* of the content, where that is known, else 0: it saves time for short ones */
};
/* Takes pieces to their end, or until something was found. *out_found says whether *out was
 * written. */
int sb_content_search_run(struct sb_content_search *search, const struct sb_pieces *pieces,
	bool *out_found, struct sb_content_leak *out, struct sb_error *err) SB_MUST_USE;
/* From another thread: ends a run early, with nothing found. */
void sb_content_search_cancel(struct sb_content_search *search);
/* A name, a link's target or another short value, in which nothing is packed. */
bool sb_content_search_text(
	struct sb_content_search *search, const void *bytes, size_t len, struct sb_leak *out_leak);

/* What was looked at so far, for the record of a build. */
struct sb_content_sums {
	uint64_t n_contents;
	uint64_t bytes;          /* of contents */
	uint64_t unpacked_bytes; /* of what was packed in them */
	uint64_t n_skipped;      /* packed things that could not be looked into */
};
struct sb_content_sums sb_content_search_sums(const struct sb_content_search *search);

#endif
