/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_CHARSET_H
#define SB_BASE_CHARSET_H

#include <stdbool.h>
#include <string.h>

/* True if the character is one of the set's, a string. NUL is in no set. */
static inline bool sb_char_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

#endif
