/* SPDX-License-Identifier: MIT */
#include "registry/toml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "registry/toml_private.h"

enum { MAX_DEPTH = 32 }; /* of arrays and inline tables in one another; each is a C stack frame */

#define BARE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

static int read_value(struct sb_toml *toml, unsigned depth, json_t **out);

/* One part of a key; caller frees. */
static int read_key_part(struct sb_toml *toml, char **out)
{
	const size_t len = strspn(toml->p, BARE);

	if (*toml->p == '"' || *toml->p == '\'')
		return strncmp(toml->p, "\"\"\"", 3) == 0 || strncmp(toml->p, "'''", 3) == 0
			       ? sb_toml_fail(toml, "a key is one line")
			       : sb_toml_read_string(toml, out);
	if (len == 0)
		return sb_toml_fail(toml, "a key is missing");
	*out = sb_memdup0(toml->p, len);
	toml->p += len;
	return 0;
}

/* "a.b.c": the parts, up to what follows. */
static int read_key(struct sb_toml *toml, struct sb_strv *out)
{
	for (;;) {
		char *part = NULL;

		sb_toml_skip_blanks(toml);
		if (read_key_part(toml, &part) < 0)
			return -1;
		sb_strv_add_nodup(out, part);
		sb_toml_skip_blanks(toml);
		if (*toml->p != '.')
			return 0;
		toml->p++;
	}
}

/* The table that a part of a name leads to, made where it is missing; of an array of tables, its
 * last. Borrowed. */
static json_t *enter(struct sb_toml *toml, json_t *table, const char *part)
{
	json_t *next = json_object_get(table, part);

	if (next == NULL) {
		next = json_object();
		if (json_object_set_new(table, part, next) != 0)
			next = NULL;
	} else if (json_is_array(next)) {
		next = json_array_get(next, json_array_size(next) - 1);
	}
	if (next == NULL || !json_is_object(next)) {
		(void)sb_toml_fail(toml, "a name is a table here and a value elsewhere");
		return NULL;
	}
	return next;
}

static json_t *enter_all_but_last(struct sb_toml *toml, json_t *table, const struct sb_strv *key)
{
	for (size_t i = 0; table != NULL && i + 1 < key->len; i++)
		table = enter(toml, table, key->items[i]);
	return table;
}

/* Takes `value`. */
static int put(struct sb_toml *toml, json_t *table, const struct sb_strv *key, json_t *value)
{
	const char *last = key->items[key->len - 1];

	table = enter_all_but_last(toml, table, key);
	if (table == NULL || json_object_get(table, last) != NULL) {
		json_decref(value);
		return table == NULL ? -1 : sb_toml_fail(toml, "a key is given twice");
	}
	if (json_object_set_new(table, last, value) != 0)
		return sb_toml_fail(toml, "a key is not UTF-8");
	return 0;
}

static int read_pair(struct sb_toml *toml, json_t *table, unsigned depth)
{
	SB_AUTO_STRV key = SB_STRV_INIT;
	json_t *value = NULL;

	if (read_key(toml, &key) < 0)
		return -1;
	if (*toml->p != '=')
		return sb_toml_fail(toml, "'=' is missing behind a key");
	toml->p++;
	sb_toml_skip_blanks(toml);
	if (read_value(toml, depth, &value) < 0)
		return -1;
	return put(toml, table, &key, value);
}

static int read_array(struct sb_toml *toml, unsigned depth, json_t **out)
{
	SB_AUTO_JSON array = json_array();

	for (toml->p++;;) {
		json_t *value = NULL;

		sb_toml_skip_lines(toml);
		if (*toml->p == ']')
			break;
		if (read_value(toml, depth + 1, &value) < 0)
			return -1;
		SB_BUG_ON(json_array_append_new(array, value) != 0);
		sb_toml_skip_lines(toml);
		if (*toml->p == ',')
			toml->p++;
		else if (*toml->p != ']')
			return sb_toml_fail(toml, "an array does not end");
	}
	toml->p++;
	*out = SB_STEAL(array);
	return 0;
}

static int read_inline_table(struct sb_toml *toml, unsigned depth, json_t **out)
{
	SB_AUTO_JSON table = json_object();

	toml->p++;
	sb_toml_skip_blanks(toml);
	while (*toml->p != '}') {
		if (read_pair(toml, table, depth + 1) < 0)
			return -1;
		sb_toml_skip_blanks(toml);
		if (*toml->p == ',')
			toml->p++;
		else if (*toml->p != '}')
			return sb_toml_fail(toml, "an inline table does not end");
		sb_toml_skip_blanks(toml);
	}
	toml->p++;
	*out = SB_STEAL(table);
	return 0;
}

/* What stands without quotes. */
static int read_bare(struct sb_toml *toml, json_t **out)
{
	const size_t len = strspn(toml->p, BARE "+.:");
	sb_autofree char *word = sb_memdup0(toml->p, len);
	sb_autofree char *digits = sb_strdup(word);
	char *to = digits;
	char *end = NULL;
	long long number = 0;
	int base = 10;

	if (len == 0)
		return sb_toml_fail(toml, "a value is missing");
	toml->p += len;
	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
		*out = json_boolean(word[0] == 't');
		return 0;
	}
	for (const char *c = word; *c != '\0'; c++)
		if (*c != '_')
			*to++ = *c;
	*to = '\0';
	to = digits;
	if (digits[0] == '0' && digits[1] != '\0' && strchr("xob", digits[1]) != NULL) {
		base = digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : 2;
		to += 2;
	}
	errno = 0;
	number = strtoll(to, &end, base);
	if (*to != '\0' && *end == '\0' && errno == 0) {
		*out = json_integer(number);
		return 0;
	}
	if (strchr("0123456789+-in", word[0]) == NULL)
		return sb_toml_fail(toml, "a value is neither a string in quotes nor a number");
	*out = json_string(word);
	return 0;
}

static int read_value(struct sb_toml *toml, unsigned depth, json_t **out)
{
	char *text = NULL;

	if (depth > MAX_DEPTH)
		return sb_toml_fail(toml, "too many arrays in one another");
	switch (*toml->p) {
	case '[':
		return read_array(toml, depth, out);
	case '{':
		return read_inline_table(toml, depth, out);
	case '"':
	case '\'':
		if (sb_toml_read_string(toml, &text) < 0)
			return -1;
		*out = json_string(text);
		free(text);
		return *out != NULL ? 0 : sb_toml_fail(toml, "a string is not UTF-8");
	default:
		return read_bare(toml, out);
	}
}

/* "[a.b]" or "[[a.b]]": *table becomes what the lines behind it are about. */
static int read_header(struct sb_toml *toml, json_t *root, json_t **table)
{
	SB_AUTO_STRV key = SB_STRV_INIT;
	const bool is_array = toml->p[1] == '[';
	json_t *above = NULL;

	toml->p += is_array ? 2 : 1;
	if (read_key(toml, &key) < 0)
		return -1;
	if (strncmp(toml->p, is_array ? "]]" : "]", is_array ? 2 : 1) != 0)
		return sb_toml_fail(toml, "']' is missing behind a table's name");
	toml->p += is_array ? 2 : 1;
	above = enter_all_but_last(toml, root, &key);
	if (above == NULL)
		return -1;
	if (!is_array) {
		*table = enter(toml, above, key.items[key.len - 1]);
		return *table != NULL ? 0 : -1;
	}

	json_t *list = json_object_get(above, key.items[key.len - 1]);

	if (list == NULL) {
		list = json_array();
		if (json_object_set_new(above, key.items[key.len - 1], list) != 0)
			return sb_toml_fail(toml, "a table's name is not UTF-8");
	}
	*table = json_object();
	if (json_array_append_new(list, *table) != 0)
		return sb_toml_fail(toml, "a name is a list of tables here and else elsewhere");
	return 0;
}

static int read_document(struct sb_toml *toml, json_t *root)
{
	json_t *table = root;

	for (;;) {
		sb_toml_skip_lines(toml);
		if (*toml->p == '\0')
			return 0;
		if ((*toml->p == '[' ? read_header(toml, root, &table)
				     : read_pair(toml, table, 0)) < 0)
			return -1;
		sb_toml_skip_blanks(toml);
		if (*toml->p != '\0' && *toml->p != '#' && *toml->p != '\n' && *toml->p != '\r')
			return sb_toml_fail(toml, "more on the line than one thing");
	}
}

int sb_toml_parse(const char *text, size_t len, json_t **out, struct sb_error *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct sb_toml toml = {.p = text, .line = 1, .err = err};
	SB_AUTO_JSON root = json_object();

	if (memchr(text, '\0', len) != NULL)
		return sb_toml_fail(&toml, "a NUL byte");
	if (strncmp(text, mark, strlen(mark)) == 0)
		toml.p += strlen(mark);
	if (read_document(&toml, root) < 0)
		return -1;
	*out = SB_STEAL(root);
	return 0;
}
