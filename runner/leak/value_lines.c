/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "leak/judge.h"
#include "leak/value_parts.h"

enum {
	MAX_NAME_BYTES = 256,
	PGPASS_COLONS = 4,
};

struct text {
	const char *p;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct text trimmed(struct text t)
{
	while (t.len > 0 && (is_blank(t.p[t.len - 1]) || t.p[t.len - 1] == '\r'))
		t.len--;
	while (t.len > 0 && is_blank(*t.p)) {
		t.p++;
		t.len--;
	}
	return t;
}

static bool begins(struct text t, const char *with)
{
	const size_t len = strlen(with);

	return t.p != NULL && t.len >= len && memcmp(t.p, with, len) == 0;
}

static bool has(struct text t, const char *what)
{
	return t.p != NULL && memmem(t.p, t.len, what, strlen(what)) != NULL;
}

static struct text without(struct text t, const char *prefix)
{
	if (!begins(t, prefix))
		return t;
	return trimmed((struct text){t.p + strlen(prefix), t.len - strlen(prefix)});
}

/* "//" alone begins lines of .npmrc too. */
static bool is_comment(struct text line)
{
	return begins(line, "#") || begins(line, ";") || begins(line, "// ") ||
	       begins(line, "<!--") || (begins(line, "[") && line.p[line.len - 1] == ']');
}

/* <settings>, </settings>, without a text or attributes. */
static bool is_tag(struct text line)
{
	return begins(line, "<") && line.p[line.len - 1] == '>' && !has(line, " ") &&
	       !has(line, "=") && memchr(line.p + 1, '<', line.len - 1) == NULL;
}

/* A line of authorized_keys or known_hosts. */
static bool is_public_key(struct text line)
{
	return has(line, " AAAA") && (has(line, "ssh-") || has(line, "ecdsa-sha2-"));
}

/* The next word at *at, or an empty text. */
static struct text next_word(struct text line, size_t *at)
{
	while (*at < line.len && is_blank(line.p[*at]))
		(*at)++;

	const size_t start = *at;

	while (*at < line.len && !is_blank(line.p[*at]))
		(*at)++;
	return (struct text){line.p + start, *at - start};
}

/* The name before `=` or `: `; its end is *out_at, the value's beginning *out_value. */
static bool find_assignment(struct text line, size_t *out_at, size_t *out_value)
{
	for (size_t i = 0; i < line.len && i < MAX_NAME_BYTES; i++) {
		const bool is_colon =
			line.p[i] == ':' && i + 1 < line.len && is_blank(line.p[i + 1]);

		if (line.p[i] != '=' && !is_colon)
			continue;

		const struct text name = trimmed((struct text){line.p, i});

		*out_at = i;
		*out_value = i + 1;
		if (line.p[i] == '=' && i + 1 < line.len && line.p[i + 1] == '>')
			(*out_value)++;
		/* "=" and "==" at a line's end are base64's padding. */
		return name.len > 0 && memchr(name.p, ' ', name.len) == NULL &&
		       trimmed((struct text){line.p + *out_value, line.len - *out_value}).len > 1;
	}
	return false;
}

/* Quotes, a comment behind the value, a comma or semicolon at its end go. */
static struct text bare_value(struct sb_value_finder *finder, struct text value)
{
	const char quote = value.len > 0 ? *value.p : '\0';

	if (quote == '"' || quote == '\'') {
		size_t end = 1;

		while (end < value.len && value.p[end] != quote)
			end += quote == '"' && value.p[end] == '\\' ? 2 : 1;
		if (end > value.len)
			end = value.len;
		value = (struct text){value.p + 1, end - 1};
		if (quote == '"')
			value.p = sb_value_unescape(finder->memory, value.p, value.len, &value.len);
		return value;
	}

	const char *comment = memmem(value.p, value.len, " #", 2);

	if (comment != NULL)
		value.len = (size_t)(comment - value.p);
	value = trimmed(value);
	if (value.len > 0 && (value.p[value.len - 1] == ',' || value.p[value.len - 1] == ';'))
		value.len--;
	return value;
}

static bool read_assignment(struct sb_value_finder *finder, struct text line)
{
	size_t at = 0;
	size_t value_at = 0;

	line = without(without(line, "export "), "- ");
	if (!find_assignment(line, &at, &value_at))
		return false;

	const struct text name = trimmed((struct text){line.p, at});
	const struct text value =
		bare_value(finder, trimmed((struct text){line.p + value_at, line.len - value_at}));

	sb_value_part(finder, name.p, name.len, value.p, value.len);
	return true;
}

/* "machine h login u password p" (.netrc), and whatever else names a secret by a word before it. */
static bool read_named_words(struct sb_value_finder *finder, struct text line)
{
	static const char *const names[] = {"password", "passwd", "token", "secret"};
	bool is_found = false;
	size_t at = 0;

	for (struct text word = next_word(line, &at); word.len > 0;) {
		const struct text next = next_word(line, &at);

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (strlen(names[i]) != word.len || !begins(word, names[i]))
				continue;
			sb_value_part(finder, word.p, word.len, next.p, next.len);
			is_found = true;
		}
		word = next;
	}
	return is_found;
}

/* The five entities that XML has without a declaration, undone; the text itself where it has none.
 */
static const char *without_entities(
	struct sb_secret_memory *memory, const char *text, size_t len, size_t *out_len)
{
	static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
	static const char characters[] = "&<>\"'";
	size_t n = 0;

	*out_len = len;
	if (memchr(text, '&', len) == NULL)
		return text;

	char *out = sb_secret_memory_alloc(memory, len);

	for (size_t at = 0; at < len;) {
		const struct text rest = {text + at, len - at};
		size_t i = 0;

		while (i < sizeof(characters) - 1 && !begins(rest, entities[i]))
			i++;
		out[n++] = i < sizeof(characters) - 1 ? characters[i] : text[at];
		at += i < sizeof(characters) - 1 ? strlen(entities[i]) : 1;
	}
	*out_len = n;
	return out;
}

/* <password>…</password>, as in Maven's settings.xml: the first element of the line that has a
 * text.
 */
static bool read_element(struct sb_value_finder *finder, struct text line)
{
	for (size_t at = 0; at < line.len; at++) {
		const char *open = memchr(line.p + at, '<', line.len - at);
		const char *close =
			open != NULL ? memchr(open, '>', line.len - (size_t)(open - line.p)) : NULL;

		if (close == NULL)
			return false;

		const struct text name = {open + 1, (size_t)(close - open - 1)};
		const struct text rest = {close + 1, line.len - (size_t)(close + 1 - line.p)};
		const char *stop = memmem(rest.p, rest.len, "</", 2);
		const size_t len = stop != NULL ? (size_t)(stop - rest.p) : 0;

		if (len > 0 && memchr(rest.p, '<', len) == NULL && !begins(name, "/")) {
			const struct text value = trimmed((struct text){rest.p, len});
			size_t value_len = 0;
			const char *bare =
				without_entities(finder->memory, value.p, value.len, &value_len);

			sb_value_part(finder, name.p, name.len, bare, value_len);
			return true;
		}
		at = (size_t)(close - line.p);
	}
	return false;
}

/* One word with colons: user:password, host:port:database:user:password (.pgpass). */
static bool read_colons(struct sb_value_finder *finder, struct text line)
{
	size_t n_colons = 0;

	for (size_t i = 0; i < line.len; i++)
		n_colons += line.p[i] == ':';
	if ((n_colons != 1 && n_colons < PGPASS_COLONS) || has(line, " ") || has(line, "://"))
		return false;

	const char *colon = memrchr(line.p, ':', line.len);
	const char *value = colon + 1;
	const char *name = n_colons == 1 ? line.p : "password";
	const size_t name_len = n_colons == 1 ? (size_t)(colon - line.p) : strlen(name);

	sb_value_part(finder, name, name_len, value, (size_t)(line.p + line.len - value));
	return true;
}

/* Of several words one must be random: a phrase of words is in many files. */
static bool is_secret_line(struct text line)
{
	size_t at = 0;
	size_t n_words = 0;

	if (sb_judge_is_common(line.p, line.len) || sb_judge_is_monotone(line.p, line.len))
		return false;
	for (struct text word = next_word(line, &at); word.len > 0; word = next_word(line, &at)) {
		n_words++;
		if (sb_judge_is_random(word.p, word.len))
			return true;
	}
	return n_words == 1 && !sb_judge_is_plain(line.p, line.len);
}

static void read_line(struct sb_value_finder *finder, struct text line, bool is_only)
{
	if (line.len < SB_VALUE_MIN_BYTES || is_comment(line))
		return;
	if (is_public_key(line) || (is_tag(line) && !is_only)) {
		finder->out->n_left_out += !is_only;
		return;
	}
	if (read_element(finder, line) || read_assignment(finder, line) ||
		read_named_words(finder, line) || read_colons(finder, line))
		return;
	if (has(line, "://"))
		sb_value_part(finder, "", 0, line.p, line.len);
	else if (!is_only && is_secret_line(line))
		sb_value_add(finder, line.p, line.len, SB_VALUE_LINE);
	else
		finder->out->n_left_out += !is_only;
}

void sb_value_read_lines(struct sb_value_finder *finder, const char *text, size_t len)
{
	const bool is_only = memchr(text, '\n', len) == NULL;

	for (size_t at = 0; at < len;) {
		const char *newline = memchr(text + at, '\n', len - at);
		const size_t end = newline != NULL ? (size_t)(newline - text) : len;
		const struct text line = {text + at, end - at};

		if (!is_only && has(line, "-----BEGIN ") && !has(line, "-----END "))
			at += sb_value_read_pem(finder, text + at, len - at) + 1;
		else {
			read_line(finder, trimmed(line), is_only);
			at = end + 1;
		}
	}
}
