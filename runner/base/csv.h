/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_CSV_H
#define SB_BASE_CSV_H

#include <stddef.h>

#include "base/strv.h"

enum sb_csv_quotes {
	/* A field in double quotes may hold commas, and a double quote as two (RFC 4180). */
	SB_CSV_QUOTED_FIELDS,
	/* So may a value behind the field's first `=`: `k="a,b"`. */
	SB_CSV_QUOTED_VALUES,
};

/*
 * One record of comma-separated values. Appends its fields, decoded; "" is one empty field. Returns
 * NULL, or what is wrong with the quotes, and appends nothing then; the reason is static and
 * repeats nothing of the text, which may hold a secret.
 */
const char *sb_csv_split(const char *text, enum sb_csv_quotes quotes, struct sb_strv *out)
	__attribute__((warn_unused_result));

/* One decoded field as key and value: *out_value is borrowed from the field, NULL where it has no
 * `=`; the key's length is returned. */
size_t sb_csv_key(const char *field, const char **out_value);

#endif
