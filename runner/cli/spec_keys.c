/* SPDX-License-Identifier: MIT */
#include "cli/spec_keys.h"

#include <stdint.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/size.h"

enum { MAX_LEVEL = 22 }; /* zstd's; the format's own maximum is checked where it is used */

static int fail_unknown(
	const char *key, size_t len, const char *const *names, size_t n, struct sb_error *err)
{
	SB_AUTO_STRV all = SB_STRV_INIT;

	for (size_t i = 0; i + 1 < n; i++)
		sb_strv_add(&all, names[i]);

	sb_autofree char *list = sb_strv_join(&all, ", ");

	(void)sb_fail(err, SB_E_USAGE, "unknown key '%.*s'", (int)len, key);
	return sb_error_hint(err, "the keys are %s and %s", list, names[n - 1]);
}

int sb_spec_read_keys(const struct sb_strv *fields, const char *const *names, size_t n,
	const char **values, struct sb_error *err)
{
	for (size_t i = 0; i < fields->len; i++) {
		const char *field = fields->items[i];
		const char *value = NULL;
		const size_t len = sb_csv_key(field, &value);
		size_t key = 0;

		if (value == NULL)
			return sb_fail(err, SB_E_USAGE, "'%s' is not of the form key=value", field);
		while (key < n &&
			(strlen(names[key]) != len || strncmp(names[key], field, len) != 0))
			key++;
		if (key == n)
			return fail_unknown(field, len, names, n, err);
		if (values[key] != NULL)
			return sb_fail(err, SB_E_USAGE, "the key '%s' is given twice", names[key]);
		if (value[0] == '\0')
			return sb_fail(
				err, SB_E_USAGE, "the key '%s' has an empty value", names[key]);
		values[key] = value;
	}
	return 0;
}

int sb_spec_bool(const char *key, const char *value, bool *out, struct sb_error *err)
{
	if (value == NULL)
		return 0;
	if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*out = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*out = false;
	else
		return sb_fail(err, SB_E_USAGE, "%s is true or false, not '%s'", key, value);
	return 0;
}

int sb_spec_compression(const char *value, const char **out, struct sb_error *err)
{
	static const char *const known[] = {"gzip", "zstd", "uncompressed"};

	if (value == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i], value) == 0) {
			*out = known[i];
			return 0;
		}
	}
	(void)sb_fail(err, SB_E_USAGE, "unknown compression '%s'", value);
	return sb_error_hint(err, "the compressions are gzip, zstd and uncompressed");
}

int sb_spec_level(const char *value, const char *compression, int *out, struct sb_error *err)
{
	uint64_t level = 0;

	if (value == NULL)
		return 0;
	if (!sb_number_parse(value, 10, MAX_LEVEL, &level) || level == 0)
		return sb_fail(err, SB_E_USAGE,
			"compression-level is a number from 1 to %d, not '%s'", MAX_LEVEL, value);
	if (compression != NULL && strcmp(compression, "uncompressed") == 0)
		return sb_fail(err, SB_E_USAGE,
			"compression-level does not go with compression=uncompressed");
	*out = (int)level;
	return 0;
}
