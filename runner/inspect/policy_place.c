/* SPDX-License-Identifier: MIT */
#include "inspect/policy_place.h"

#include <stdbool.h>
#include <string.h>

struct scan {
	const char *p;
	const char *end;
};

static void skip_blanks(struct scan *scan)
{
	while (scan->p < scan->end && strchr(" \t\r\n,:", *scan->p) != NULL && *scan->p != '\0')
		scan->p++;
}

static void skip_string(struct scan *scan)
{
	for (scan->p++; scan->p < scan->end && *scan->p != '"'; scan->p++)
		scan->p += *scan->p == '\\' ? 1 : 0;
	scan->p++;
}

/* A string, a word or number, or all up to the bracket that closes the first one. */
static void skip_value(struct scan *scan)
{
	size_t depth = 0;

	do {
		skip_blanks(scan);
		if (scan->p >= scan->end)
			return;
		if (*scan->p == '"') {
			skip_string(scan);
		} else if (*scan->p == '{' || *scan->p == '[') {
			depth++;
			scan->p++;
		} else if (*scan->p == '}' || *scan->p == ']') {
			depth--;
			scan->p++;
		} else {
			while (scan->p < scan->end && strchr(" \t\r\n,:]}", *scan->p) == NULL)
				scan->p++;
		}
	} while (depth > 0);
}

static bool is_key(const struct scan *scan, const char *key)
{
	const size_t len = strlen(key);

	return (size_t)(scan->end - scan->p) > len + 1 && scan->p[0] == '"' &&
	       memcmp(scan->p + 1, key, len) == 0 && scan->p[len + 1] == '"';
}

static bool at_end(const struct scan *scan)
{
	return scan->p >= scan->end || *scan->p == '}' || *scan->p == ']';
}

/* Goes into the array or object at the scan; *out_at is where the key or item begins. */
static bool enter(struct scan *scan, const struct sb_json_step *step, const char **out_at)
{
	if (scan->p >= scan->end || *scan->p != (step->key != NULL ? '{' : '['))
		return false;
	scan->p++;
	for (size_t i = 0;; i++) {
		skip_blanks(scan);
		if (at_end(scan))
			return false;
		*out_at = scan->p;
		if (step->key == NULL && i == step->index)
			return true;
		if (step->key != NULL) {
			const bool is_it = is_key(scan, step->key);

			skip_value(scan);
			skip_blanks(scan);
			if (is_it)
				return true;
		}
		skip_value(scan);
	}
}

void sb_json_place_of(const char *text, size_t len, const struct sb_json_step *steps,
	size_t n_steps, struct sb_source_pos *at)
{
	struct scan scan = {text, text + len};
	const char *place = text;
	const char *line = text;

	skip_blanks(&scan);
	for (size_t i = 0; i < n_steps && enter(&scan, &steps[i], &place); i++)
		;
	at->line = 1;
	for (const char *p = text; p < place; p++) {
		if (*p != '\n')
			continue;
		at->line++;
		line = p + 1;
	}
	at->column = (unsigned)(place - line) + 1;
}
