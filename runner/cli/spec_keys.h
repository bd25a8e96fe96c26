/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_SPEC_KEYS_H
#define SB_CLI_SPEC_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

/* What options of the form key=value,key=value (--output, --cache-to) have in common. */

/* Puts each field's value (borrowed from it) where its key stands among the `n` names; the others
 * stay as they are. SB_E_USAGE for unknown keys, those that are given twice, and empty values. */
int sb_spec_read_keys(const struct sb_strv *fields, const char *const *names, size_t n,
	const char **values, struct sb_error *err) SB_MUST_USE;

/* All these take a value of NULL, and leave *out as it is then. */
int sb_spec_bool(const char *key, const char *value, bool *out, struct sb_error *err) SB_MUST_USE;
/* *out is static. */
int sb_spec_compression(const char *value, const char **out, struct sb_error *err) SB_MUST_USE;
/* compression: as above, or NULL. */
int sb_spec_level(
	const char *value, const char *compression, int *out, struct sb_error *err) SB_MUST_USE;

#endif
