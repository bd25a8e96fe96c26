/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_JSON_H
#define SB_BUILDFILE_JSON_H

#include <stddef.h>

#include "base/strv.h"

enum sb_json_form {
	SB_JSON_NONE,        /* not a JSON array: the shell form */
	SB_JSON_STRINGS,     /* an array of strings */
	SB_JSON_NOT_STRINGS, /* an array that holds something else */
	SB_JSON_NUL, /* an array of strings, one of them with a NUL, which no argv can hold */
};

/* Tries text as one JSON array and nothing after it (RFC 8259). Appends to *out only for STRINGS.
 */
enum sb_json_form sb_json_parse_strings(const char *text, size_t len, struct sb_strv *out);

#endif
