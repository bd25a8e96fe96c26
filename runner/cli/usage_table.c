/* SPDX-License-Identifier: MIT */
#include "cli/usage_table.h"

#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/mem.h"
#include "base/size.h"
#include "cli/ago.h"
#include "cli/lines.h"

enum { SHORT_ID = 12, TEXT_BYTES = 60 };

static char *format_time(int64_t used_s)
{
	const time_t seconds = (time_t)used_s;
	struct tm parts;
	char text[32] = "";

	if (used_s != 0 && gmtime_r(&seconds, &parts) != NULL)
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	return sb_strdup(text);
}

static char *first_of(const char *text)
{
	sb_autofree char *cut = sb_memdup0(text, strnlen(text, TEXT_BYTES));

	return sb_line_clean(cut, strlen(cut));
}

void sb_usage_print_table(FILE *out, const struct sb_usage *usage, size_t len)
{
	const time_t now = time(NULL);

	if (len > 0)
		(void)fprintf(out, "%-5s  %-12s  %10s  %-6s  %-18s  %s\n", "TYPE", "ID", "SIZE",
			"SHARED", "LAST USED", "MADE BY");
	for (size_t i = 0; i < len; i++) {
		const struct sb_usage *u = &usage[i];
		sb_autofree char *size = sb_size_format(u->size_bytes);
		sb_autofree char *time = format_time(u->used_s);
		sb_autofree char *ago = sb_ago_format(time, now);
		sb_autofree char *text = first_of(u->text);

		(void)fprintf(out, "%-5s  %-12.*s  %10s  %-6s  %-18s  %s\n", u->kind, SHORT_ID,
			u->id, size, u->is_shared ? "yes" : "no", ago, text);
	}
}

static void set_text(json_t *object, const char *key, const char *text)
{
	sb_autofree char *clean = sb_line_clean(text, strlen(text));

	(void)json_object_set_new(object, key, json_string(clean));
}

static json_t *number(uint64_t n)
{
	return json_integer(n <= INT64_MAX ? (json_int_t)n : INT64_MAX);
}

void sb_usage_print_json(FILE *out, const struct sb_usage *usage, size_t len, const char *sum_name,
	uint64_t sum_bytes)
{
	json_t *items = json_array();
	json_t *object = json_object();

	for (size_t i = 0; i < len; i++) {
		json_t *item = json_object();
		sb_autofree char *time = format_time(usage[i].used_s);

		set_text(item, "type", usage[i].kind);
		set_text(item, "id", usage[i].id);
		set_text(item, "made_by", usage[i].text);
		(void)json_object_set_new(item, "size", number(usage[i].size_bytes));
		set_text(item, "last_used", time);
		(void)json_object_set_new(item, "shared", json_boolean(usage[i].is_shared));
		(void)json_array_append_new(items, item);
	}
	(void)json_object_set_new(object, "items", items);
	(void)json_object_set_new(object, sum_name, number(sum_bytes));

	sb_autofree char *text = json_dumps(object, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	json_decref(object);
	(void)fprintf(out, "%s\n", text != NULL ? text : "{}");
}
