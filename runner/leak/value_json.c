/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/charset.h"
#include "leak/json_strings.h"
#include "leak/value_parts.h"

const char *sb_value_unescape(
	struct sb_secret_memory *memory, const char *text, size_t len, size_t *out_len)
{
	*out_len = len;
	if (memchr(text, '\\', len) == NULL)
		return text;

	char *out = sb_secret_memory_alloc(memory, len);

	*out_len = sb_json_unescape(text, len, out);
	return out;
}

static bool is_key(const char *text, size_t len, size_t at)
{
	while (at < len && sb_char_in(text[at], " \t\r\n"))
		at++;
	return at < len && text[at] == ':';
}

void sb_value_read_json(struct sb_value_finder *finder, const char *text, size_t len)
{
	const char *name = "";
	size_t name_len = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '"')
			continue;

		const char *string = text + i + 1;
		const size_t end = sb_json_string_end(text, len, i + 1);
		const size_t string_len = end - i - 1;

		i = end;
		if (is_key(text, len, end + 1)) {
			name = string;
			name_len = string_len;
			continue;
		}
		if (string_len < SB_VALUE_MIN_BYTES)
			continue;

		size_t value_len = 0;
		const char *value =
			sb_value_unescape(finder->memory, string, string_len, &value_len);

		sb_value_part(finder, name, name_len, value, value_len);
	}
}
