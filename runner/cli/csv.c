/* SPDX-License-Identifier: MIT */
#include "cli/csv.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* Decodes a quoted section; *p stands behind its opening quote, and behind its closing one after.
 */
static bool read_quoted(const char **p, char *field, size_t *len)
{
	for (; **p != '\0'; (*p)++) {
		if (**p == '"' && (*p)[1] != '"') {
			(*p)++;
			return true;
		}
		if (**p == '"')
			(*p)++;
		field[(*len)++] = **p;
	}
	return false;
}

/* Decodes one field up to its comma or the end. A quote may open at the start of the field or of
 * its value, and what it closes must be the end of the field. */
static bool read_field(const char **p, char *field)
{
	size_t len = 0;
	bool seen_equals = false;
	bool may_quote = true;

	while (**p != '\0' && **p != ',') {
		if (**p == '"') {
			(*p)++;
			if (!may_quote || !read_quoted(p, field, &len))
				return false;
			if (**p != '\0' && **p != ',')
				return false;
			break;
		}
		may_quote = **p == '=' && !seen_equals;
		seen_equals = seen_equals || **p == '=';
		field[len++] = *(*p)++;
	}
	field[len] = '\0';
	return true;
}

int sb_csv_split(const char *text, struct sb_strv *out, struct sb_error *err)
{
	SB_AUTO_STRV fields = SB_STRV_INIT;
	const char *p = text;

	if (*text == '\0')
		return 0;
	for (;; p++) {
		sb_autofree char *field = sb_malloc(strlen(p) + 1);

		if (!read_field(&p, field))
			return sb_fail(err, SB_E_USAGE,
				"a '\"' must enclose a whole field or a whole value");
		sb_strv_add_nodup(&fields, SB_STEAL(field));
		if (*p == '\0')
			break;
	}
	sb_strv_add_all(out, &fields);
	return 0;
}

size_t sb_csv_key(const char *field, const char **out_value)
{
	const char *equals = strchr(field, '=');

	*out_value = equals != NULL ? equals + 1 : NULL;
	return equals != NULL ? (size_t)(equals - field) : strlen(field);
}
