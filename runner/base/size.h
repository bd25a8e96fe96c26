/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_SIZE_H
#define SB_BASE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* "64", "64k", "64KB", "1.5g" → bytes, in steps of 1024, case ignored, as docker's --shm-size.
 * SB_E_USAGE otherwise. */
int sb_size_parse(const char *text, uint64_t *out_bytes, struct sb_error *err) SB_MUST_USE;
/* "13 B", "1.50 kB", "14.5 MB": in steps of 1000, three figures. Caller frees. */
char *sb_size_format(uint64_t bytes);
/* A whole decimal (base 10) or octal (base 8) number in 0..max and nothing after it. */
bool sb_number_parse(const char *text, int base, uint64_t max, uint64_t *out);

#endif
