/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_JSON_H
#define SB_OCI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"

/*
 * JSON from outside, read with limits, and written so that the same data gives the same bytes.
 *
 * `what` names the document in errors ("image config"); fields are named with it. A field that is
 * not there and one that is null are the same. A key that stands twice in one object is refused:
 * readers disagree on which of the two counts, and a digest covers both.
 */
static inline void sb_json_freep(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}
#define SB_AUTO_JSON __attribute__((cleanup(sb_json_freep))) json_t *

/* Parses one object (or one array) of at most SB_MAX_JSON bytes. The depth is limited by jansson to
 * 2048. Text of the document is never part of an error. Caller owns *out. */
int sb_json_parse_object(const char *bytes, size_t len, const char *what, json_t **out,
	struct sb_error *err) SB_MUST_USE;
int sb_json_parse_array(const char *bytes, size_t len, const char *what, json_t **out,
	struct sb_error *err) SB_MUST_USE;

/* Typed reading of one field; SB_E_INTEGRITY names it where the type is another. Strings, objects
 * and arrays are borrowed, NULL where there is none. Numbers and bools keep their value then. */
int sb_json_get_string(const json_t *object, const char *key, const char *what, const char **out,
	struct sb_error *err) SB_MUST_USE;
int sb_json_get_int(const json_t *object, const char *key, const char *what, int64_t *out,
	struct sb_error *err) SB_MUST_USE;
int sb_json_get_bool(const json_t *object, const char *key, const char *what, bool *out,
	struct sb_error *err) SB_MUST_USE;
int sb_json_get_object(const json_t *object, const char *key, const char *what, json_t **out,
	struct sb_error *err) SB_MUST_USE;
int sb_json_get_array(const json_t *object, const char *key, const char *what, json_t **out,
	struct sb_error *err) SB_MUST_USE;
/* Appends a list of strings. out_has (may be NULL) is true where there is a list, an empty one
 * included. */
int sb_json_get_strings(const json_t *object, const char *key, const char *what,
	struct sb_strv *out, bool *out_has, struct sb_error *err) SB_MUST_USE;
/* Appends an object of strings as "key=value", in the document's order. */
int sb_json_get_map(const json_t *object, const char *key, const char *what, struct sb_strv *out,
	struct sb_error *err) SB_MUST_USE;

/*
 * Building. Text that is not UTF-8 can't be JSON: the first key that had such a value is kept in
 * *bad (start with NULL), and sb_json_dump refuses it.
 */
/* NULL is left out. */
void sb_json_put_string(json_t *object, const char *key, const char *value, const char **bad);
void sb_json_put_int(json_t *object, const char *key, int64_t value);
/* Takes `value`. */
void sb_json_put(json_t *object, const char *key, json_t *value);
void sb_json_put_strings(
	json_t *object, const char *key, const struct sb_strv *values, const char **bad);
/* "key=value" items as an object, sorted by key; left out where there are none. `known` (may be
 * NULL) is the object they were once read from: it decides where a key that itself holds a '='
 * ends. */
void sb_json_put_map(json_t *object, const char *key, const struct sb_strv *items,
	const json_t *known, const char **bad);
/* Compact, keys in the order they were put. *out is overwritten; caller releases it. */
int sb_json_dump(const json_t *json, const char *what, const char *bad, struct sb_buf *out,
	struct sb_error *err) SB_MUST_USE;

#endif
