/* SPDX-License-Identifier: MIT */
#include "buildfile/csv.h"

#include <string.h>

#include "base/mem.h"

/* Behind the opening quote; *text moves behind the closing one. NULL where there is none. */
static char *take_quoted(const char **text)
{
	sb_autofree char *field = sb_malloc(strlen(*text) + 1);
	size_t n = 0;
	const char *p = *text;

	for (; *p != '\0'; p++) {
		if (*p == '"' && *++p != '"') {
			field[n] = '\0';
			*text = p;
			return SB_STEAL(field);
		}
		field[n++] = *p;
	}
	return NULL;
}

static int split(const char *text, struct sb_strv *out, struct sb_error *err)
{
	for (;;) {
		if (*text == '"') {
			text++;

			char *field = take_quoted(&text);

			if (field == NULL)
				return sb_fail(err, SB_E_SYNTAX, "a quoted field is not closed");
			sb_strv_add_nodup(out, field);
			if (*text != ',' && *text != '\0')
				return sb_fail(err, SB_E_SYNTAX,
					"there is text after a quoted field: '%s'", text);
		} else {
			const size_t len = strcspn(text, ",");

			if (memchr(text, '"', len) != NULL)
				return sb_fail(err, SB_E_SYNTAX,
					"the field '%.*s' has a quote in it and is not quoted",
					(int)len, text);
			sb_strv_add_nodup(out, sb_memdup0(text, len));
			text += len;
		}
		if (*text == '\0')
			return 0;
		text++;
	}
}

int sb_csv_split(const char *text, struct sb_strv *out, struct sb_error *err)
{
	SB_AUTO_STRV fields = SB_STRV_INIT;

	if (split(text, &fields, err) < 0)
		return -1;
	sb_strv_add_all(out, &fields);
	return 0;
}
