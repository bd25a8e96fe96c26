/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_ENTROPY_H
#define SB_LEAK_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>

/* How random a text is, judged by its length: a short one never reaches what a long one has. */

/* Shannon's entropy of the bytes, in hundredths of a bit a byte. */
unsigned sb_entropy_of(const char *text, size_t len);
/*
 * What only one in a thousand texts of `len` characters, drawn evenly from `alphabet` ones, falls
 * below; in hundredths of a bit. 0 for fewer than 8 characters, which say nothing.
 */
unsigned sb_entropy_floor(size_t len, unsigned alphabet);
/* Is it at that floor or above? */
bool sb_entropy_is_random(const char *text, size_t len, unsigned alphabet);

#endif
