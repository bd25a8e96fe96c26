/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_ESCAPE_H
#define SB_BASE_ESCAPE_H

#include <stddef.h>

/*
 * A copy of text from outside that is safe to show on one line of a terminal: control bytes (C0,
 * DEL, C1 as UTF-8), controls of the direction of writing, and bytes that are not valid UTF-8
 * become \n, \t, \r or \xHH. Printable UTF-8 passes. Caller frees.
 */
char *sb_escape_text(const char *text, size_t len);

#endif
