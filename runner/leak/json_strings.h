/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_JSON_STRINGS_H
#define SB_LEAK_JSON_STRINGS_H

#include <stddef.h>

#include "base/error.h"

/*
 * A form of a secret that has backslashes is another in a string of JSON, where each of them is
 * two. So the strings of such texts are searched with their escapes undone as well.
 *
 * Any text may be given: what is no JSON has strings that are none, and nothing is refused.
 */

/* Where the string that begins behind a quote at `at` ends: at its other quote, or at `len`. */
size_t sb_json_string_end(const char *text, size_t len, size_t at);

/* Undoes the escapes of a string without its quotes. `out` has room for `len` bytes, and may be the
 * text itself; gives how many it has then. */
size_t sb_json_unescape(const char *text, size_t len, char *out);

/* Each string that has an escape, undone, with its offset in the text. The bytes are overwritten
 * when `fn` has returned. An answer other than 0 ends it, and is given back. */
typedef int (*sb_json_string_fn)(
	void *self, size_t offset, const char *bytes, size_t len, struct sb_error *err);
int sb_json_each_escaped(const char *text, size_t len, sb_json_string_fn fn, void *self,
	struct sb_error *err) SB_MUST_USE;

#endif
