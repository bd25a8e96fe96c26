/* SPDX-License-Identifier: MIT */
#include "oci/json.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

static int fail_parse(const json_error_t *error, const char *what, struct sb_error *err)
{
	/* jansson's own text quotes what stands near the fault, which may be a secret. */
	const bool is_twice = json_error_code(error) == json_error_duplicate_key;

	return sb_fail(err, SB_E_INTEGRITY, "%s is not valid JSON (line %d, column %d%s)", what,
		error->line, error->column, is_twice ? ": a key stands there twice" : "");
}

static int parse(
	const char *bytes, size_t len, const char *what, json_t **out, struct sb_error *err)
{
	json_error_t error = {0};

	if (len > SB_MAX_JSON)
		return sb_fail(
			err, SB_E_LIMIT, "%s has %zu bytes, more than %d", what, len, SB_MAX_JSON);
	*out = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	return *out != NULL ? 0 : fail_parse(&error, what, err);
}

int sb_json_parse_object(
	const char *bytes, size_t len, const char *what, json_t **out, struct sb_error *err)
{
	SB_AUTO_JSON json = NULL;

	if (parse(bytes, len, what, &json, err) < 0)
		return -1;
	if (!json_is_object(json))
		return sb_fail(err, SB_E_INTEGRITY, "%s is not a JSON object", what);
	*out = SB_STEAL(json);
	return 0;
}

int sb_json_parse_array(
	const char *bytes, size_t len, const char *what, json_t **out, struct sb_error *err)
{
	SB_AUTO_JSON json = NULL;

	if (parse(bytes, len, what, &json, err) < 0)
		return -1;
	if (!json_is_array(json))
		return sb_fail(err, SB_E_INTEGRITY, "%s is not a JSON array", what);
	*out = SB_STEAL(json);
	return 0;
}

static json_t *field(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

static int fail_type(const char *what, const char *key, const char *type, struct sb_error *err)
{
	return sb_fail(err, SB_E_INTEGRITY, "%s: '%s' is not %s", what, key, type);
}

int sb_json_get_string(const json_t *object, const char *key, const char *what, const char **out,
	struct sb_error *err)
{
	const json_t *value = field(object, key);

	if (value != NULL && !json_is_string(value))
		return fail_type(what, key, "a string", err);
	*out = json_string_value(value);
	return 0;
}

int sb_json_get_int(
	const json_t *object, const char *key, const char *what, int64_t *out, struct sb_error *err)
{
	const json_t *value = field(object, key);

	if (value == NULL)
		return 0;
	if (!json_is_integer(value))
		return fail_type(what, key, "a whole number", err);
	*out = json_integer_value(value);
	return 0;
}

int sb_json_get_bool(
	const json_t *object, const char *key, const char *what, bool *out, struct sb_error *err)
{
	const json_t *value = field(object, key);

	if (value == NULL)
		return 0;
	if (!json_is_boolean(value))
		return fail_type(what, key, "true or false", err);
	*out = json_is_true(value);
	return 0;
}

int sb_json_get_object(
	const json_t *object, const char *key, const char *what, json_t **out, struct sb_error *err)
{
	json_t *value = field(object, key);

	if (value != NULL && !json_is_object(value))
		return fail_type(what, key, "an object", err);
	*out = value;
	return 0;
}

int sb_json_get_array(
	const json_t *object, const char *key, const char *what, json_t **out, struct sb_error *err)
{
	json_t *value = field(object, key);

	if (value != NULL && !json_is_array(value))
		return fail_type(what, key, "a list", err);
	*out = value;
	return 0;
}

int sb_json_get_strings(const json_t *object, const char *key, const char *what,
	struct sb_strv *out, bool *out_has, struct sb_error *err)
{
	json_t *list = NULL;
	const json_t *item = NULL;
	size_t i = 0;

	if (sb_json_get_array(object, key, what, &list, err) < 0)
		return -1;
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item))
			return fail_type(what, key, "a list of strings", err);
		sb_strv_add(out, json_string_value(item));
	}
	if (out_has != NULL)
		*out_has = list != NULL;
	return 0;
}

int sb_json_get_map(const json_t *object, const char *key, const char *what, struct sb_strv *out,
	struct sb_error *err)
{
	json_t *map = NULL;
	const json_t *value = NULL;
	const char *name = NULL;

	if (sb_json_get_object(object, key, what, &map, err) < 0)
		return -1;
	json_object_foreach(map, name, value)
	{
		if (!json_is_string(value) && !json_is_null(value))
			return fail_type(what, key, "an object of strings", err);
		sb_strv_addf(
			out, "%s=%s", name, json_is_null(value) ? "" : json_string_value(value));
	}
	return 0;
}

void sb_json_put(json_t *object, const char *key, json_t *value)
{
	/* Fails without memory only: the keys that reach this are UTF-8. */
	SB_BUG_ON(json_object_set_new(object, key, value) != 0);
}

/* NULL, and *bad set, for text that is not UTF-8. */
static json_t *make_string(const char *key, const char *value, const char **bad)
{
	json_t *string = json_string(value);

	if (string == NULL && *bad == NULL)
		*bad = key;
	return string;
}

void sb_json_put_string(json_t *object, const char *key, const char *value, const char **bad)
{
	json_t *string = value != NULL ? make_string(key, value, bad) : NULL;

	if (string != NULL)
		sb_json_put(object, key, string);
}

void sb_json_put_int(json_t *object, const char *key, int64_t value)
{
	sb_json_put(object, key, json_integer(value));
}

void sb_json_put_strings(
	json_t *object, const char *key, const struct sb_strv *values, const char **bad)
{
	json_t *list = json_array();

	for (size_t i = 0; i < values->len; i++) {
		json_t *string = make_string(key, values->items[i], bad);

		if (string != NULL)
			SB_BUG_ON(json_array_append_new(list, string) != 0);
	}
	sb_json_put(object, key, list);
}

/* Where the key of "key=value" ends: at the first '=', unless `known` has a longer key there. */
static size_t key_len(const char *item, const json_t *known)
{
	for (const char *p = strchr(item, '='); p != NULL; p = strchr(p + 1, '=')) {
		sb_autofree char *key = sb_memdup0(item, (size_t)(p - item));
		const char *value = json_string_value(json_object_get(known, key));

		if (value != NULL && strcmp(value, p + 1) == 0)
			return (size_t)(p - item);
	}
	return strcspn(item, "=");
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *sorted(json_t *map)
{
	const size_t n = json_object_size(map);
	const char **keys = sb_calloc(n + 1, sizeof(*keys));
	json_t *out = json_object();
	const char *key = NULL;
	json_t *value = NULL;
	size_t i = 0;

	json_object_foreach(map, key, value)
	{
		keys[i++] = key;
	}
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (i = 0; i < n; i++)
		sb_json_put(out, keys[i], json_incref(json_object_get(map, keys[i])));
	free(keys);
	return out;
}

void sb_json_put_map(json_t *object, const char *key, const struct sb_strv *items,
	const json_t *known, const char **bad)
{
	SB_AUTO_JSON map = json_object();

	if (items->len == 0)
		return;
	for (size_t i = 0; i < items->len; i++) {
		const char *item = items->items[i];
		const size_t len = key_len(item, known);
		sb_autofree char *name = sb_memdup0(item, len);
		json_t *value = make_string(key, item[len] == '=' ? item + len + 1 : "", bad);

		if (value != NULL && json_object_set_new(map, name, value) != 0 && *bad == NULL)
			*bad = key;
	}
	sb_json_put(object, key, sorted(map));
}

static int add_dumped(const char *bytes, size_t len, void *data)
{
	/* SB_MAX_JSON is the only way to fail; the caller words it. */
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	return sb_buf_add(data, bytes, len, &err);
}

int sb_json_dump(const json_t *json, const char *what, const char *bad, struct sb_buf *out,
	struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);

	if (bad != NULL)
		return sb_fail(
			err, SB_E_UNSUPPORTED, "%s: '%s' holds text that is not UTF-8", what, bad);
	if (json_dump_callback(json, add_dumped, &buf, JSON_COMPACT) != 0)
		return sb_fail(
			err, SB_E_LIMIT, "%s would be more than %d bytes", what, SB_MAX_JSON);
	*out = buf;
	buf = (struct sb_buf)SB_BUF_INIT(SB_MAX_JSON);
	return 0;
}
