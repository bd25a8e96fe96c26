/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_TAR_NUMBER_H
#define SB_INSPECT_TAR_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A field of a tar header: octal, or GNU's base-256. False for what is neither, negative or above
 * INT64_MAX; an empty field is 0. */
bool sb_tar_number(const char *field, size_t len, uint64_t *out);
/* Decimal digits and nothing else. */
bool sb_tar_decimal(const char *text, size_t len, uint64_t *out);

#endif
