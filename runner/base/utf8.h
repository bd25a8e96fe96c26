/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_UTF8_H
#define SB_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed UTF-8 sequence (RFC 3629) that `left` bytes begin with, or 0. */
size_t sb_utf8_length(const char *bytes, size_t left);
/* Writes the code point, in up to 4 bytes; gives how many. A surrogate becomes what none may be. */
size_t sb_utf8_put(char *out, uint32_t code_point);
bool sb_utf8_is_valid(const char *text);
/* A copy in which each byte that is no UTF-8 is U+FFFD, as where JSON is written of any text.
 * Caller frees. */
char *sb_utf8_repaired(const char *text);

#endif
