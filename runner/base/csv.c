/* SPDX-License-Identifier: MIT */
#include "base/csv.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* What is between quotes; *p stands behind the opening one, and behind the closing one after. False
 * where there is none. */
static bool take_quoted(const char **p, char *field, size_t *len)
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

/* One field, up to its comma or the end; as sb_csv_split. */
static const char *take_field(const char **p, enum sb_csv_quotes quotes, char *field)
{
	size_t len = 0;
	bool seen_equals = false;
	bool may_quote = true;

	while (**p != '\0' && **p != ',') {
		if (**p == '"') {
			(*p)++;
			if (!may_quote)
				return "a quote stands within what is not quoted";
			if (!take_quoted(p, field, &len))
				return "a quote is not closed";
			if (**p != '\0' && **p != ',')
				return "there is text after a closing quote";
			break;
		}
		may_quote = quotes == SB_CSV_QUOTED_VALUES && **p == '=' && !seen_equals;
		seen_equals = seen_equals || **p == '=';
		field[len++] = *(*p)++;
	}
	field[len] = '\0';
	return NULL;
}

const char *sb_csv_split(const char *text, enum sb_csv_quotes quotes, struct sb_strv *out)
{
	SB_AUTO_STRV fields = SB_STRV_INIT;

	for (const char *p = text;; p++) {
		sb_autofree char *field = sb_malloc(strlen(p) + 1);
		const char *wrong = take_field(&p, quotes, field);

		if (wrong != NULL)
			return wrong;
		sb_strv_add_nodup(&fields, SB_STEAL(field));
		if (*p == '\0')
			break;
	}
	sb_strv_add_all(out, &fields);
	return NULL;
}

size_t sb_csv_key(const char *field, const char **out_value)
{
	const char *equals = strchr(field, '=');

	*out_value = equals != NULL ? equals + 1 : NULL;
	return equals != NULL ? (size_t)(equals - field) : strlen(field);
}
