/* SPDX-License-Identifier: MIT */
#include "buildfile/expand.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/pattern.h"

/*
 * One pass over the word. Text is emitted into the sink of the innermost expansion; the outermost
 * one may also split what it gets into words.
 */
struct expander {
	const char *text;
	size_t len;
	size_t at;
	const struct sb_strv *env;
	char escape;
	bool keeps_quotes;
	bool checks_only; /* the variables' values are not known */
	unsigned depth;
};

struct sink {
	struct sb_buf text;
	struct sb_strv *words; /* NULL: does not split */
	bool in_word;
};

#define SINK_INIT \
	{ \
		.text = SB_BUF_INIT(SB_MAX_EXPANSION) \
	}

/* How escapes are treated in the text of a `${…}`. */
enum escapes { ESCAPES_REMOVED, ESCAPES_KEPT };

/* Where a text ends: at the closing character of the expansion it is in, or with the word. */
enum { END_OF_WORD = 256 }; /* no byte has this value */

static int expand_until(struct expander *x, int stop, enum escapes escapes, struct sink *sink,
	struct sb_error *err);

static bool at_end(const struct expander *x)
{
	return x->at >= x->len;
}

static char peek(const struct expander *x)
{
	return x->at < x->len ? x->text[x->at] : '\0';
}

/* Adds text in which blanks don't separate words. */
static int emit_quoted(struct sink *sink, const char *text, size_t len, struct sb_error *err)
{
	sink->in_word = true;
	return sb_buf_add(&sink->text, text, len, err);
}

static void end_word(struct sink *sink)
{
	if (!sink->in_word || sink->text.len == 0)
		return;
	sb_strv_add_nodup(sink->words, sb_memdup0(sink->text.data, sink->text.len));
	sb_buf_clear(&sink->text);
	sink->in_word = false;
}

static int emit(struct sink *sink, const char *text, size_t len, struct sb_error *err)
{
	if (sink->words == NULL)
		return emit_quoted(sink, text, len, err);
	for (size_t i = 0; i < len;) {
		size_t n = 0;

		while (i + n < len && !sb_is_blank(text[i + n]))
			n++;
		if (n > 0 && emit_quoted(sink, text + i, n, err) < 0)
			return -1;
		i += n;
		if (i < len)
			end_word(sink);
		i += sb_skip_blanks(text + i, len - i);
	}
	return 0;
}

static bool is_special_parameter(char c)
{
	return c != '\0' && strchr("@*#?-$!0", c) != NULL;
}

/* Digits only, or one special character, or a name; "" where there is none. Caller frees. */
static char *take_name(struct expander *x)
{
	const size_t start = x->at;

	if (sb_is_digit(peek(x))) {
		while (sb_is_digit(peek(x)))
			x->at++;
	} else if (is_special_parameter(peek(x))) {
		x->at++;
	} else {
		while (sb_is_letter(peek(x)) || sb_is_digit(peek(x)) || peek(x) == '_')
			x->at++;
	}
	return sb_memdup0(x->text + start, x->at - start);
}

/* The text up to `stop`, expanded, as what stands inside `${…}`. Caller frees. */
static int take_text(
	struct expander *x, char stop, enum escapes escapes, char **out, struct sb_error *err)
{
	struct sink sink = SINK_INIT;

	if (expand_until(x, stop, escapes, &sink, err) < 0) {
		sb_buf_release(&sink.text);
		return -1;
	}
	*out = sb_buf_steal(&sink.text);
	return 0;
}

/* ${name-text} and its kin; `op` is one of - + ?. */
static int expand_default(struct expander *x, const char *name, char op, bool empty_is_unset,
	struct sink *sink, struct sb_error *err)
{
	sb_autofree char *text = NULL;

	if (take_text(x, '}', ESCAPES_REMOVED, &text, err) < 0)
		return -1;

	const char *value = sb_env_get(x->env, name);
	const bool is_set = value != NULL && !(empty_is_unset && value[0] == '\0');

	if (op == '+')
		return is_set ? emit(sink, text, strlen(text), err) : 0;
	if (is_set)
		return emit(sink, value, strlen(value), err);
	if (op == '-')
		return emit(sink, text, strlen(text), err);
	if (x->checks_only)
		return 0;
	if (text[0] != '\0')
		return sb_fail(err, SB_E_SYNTAX, "%s: %s", name, text);
	return sb_fail(err, SB_E_SYNTAX, "%s: is not allowed to be %s", name,
		value == NULL ? "unset" : "empty");
}

static int parse_pattern(const char *text, struct sb_pattern **out, struct sb_error *err)
{
	if (sb_pattern_parse(text, strlen(text), out, err) < 0)
		return sb_error_context(err, "invalid pattern '%.64s' in a substitution", text);
	return 0;
}

/* ${name#pattern} and its kin; `op` is # or %. */
static int expand_trim(
	struct expander *x, const char *name, char op, struct sink *sink, struct sb_error *err)
{
	sb_autofree char *text = NULL;

	if (take_text(x, '}', ESCAPES_KEPT, &text, err) < 0)
		return -1;

	const bool is_longest = text[0] == op;
	SB_AUTO(sb_pattern) pattern = NULL;

	if (parse_pattern(text + (is_longest ? 1 : 0), &pattern, err) < 0)
		return -1;

	const char *value = sb_env_get(x->env, name);
	size_t len = value != NULL ? strlen(value) : 0;
	size_t cut = 0;

	if (len == 0)
		return 0;
	if (op == '#' && sb_pattern_prefix(pattern, value, len, is_longest, &cut))
		return emit(sink, value + cut, len - cut, err);
	if (op == '%' && sb_pattern_suffix(pattern, value, len, is_longest, &cut))
		len -= cut;
	return emit(sink, value, len, err);
}

/* ${name/pattern/text} and ${name//pattern/text}. */
static int expand_replace(
	struct expander *x, const char *name, struct sink *sink, struct sb_error *err)
{
	const bool all = peek(x) == '/';
	sb_autofree char *text = NULL;
	sb_autofree char *replacement = NULL;
	SB_AUTO(sb_pattern) pattern = NULL;

	if (all)
		x->at++;
	if (take_text(x, '/', ESCAPES_KEPT, &text, err) < 0 ||
		take_text(x, '}', ESCAPES_KEPT, &replacement, err) < 0 ||
		parse_pattern(text, &pattern, err) < 0)
		return -1;

	const char *value = sb_env_get(x->env, name);
	SB_AUTO_BUF result = SB_BUF_INIT(SB_MAX_EXPANSION);

	if (value == NULL)
		value = "";
	if (sb_pattern_replace(pattern, value, strlen(value), replacement, all, &result, err) < 0)
		return -1;
	return emit(sink, result.data, result.len, err);
}

static int expand_modifier(
	struct expander *x, const char *name, char op, struct sink *sink, struct sb_error *err)
{
	const bool has_colon = op == ':';

	if (has_colon) {
		op = peek(x);
		if (at_end(x))
			return sb_fail(err, SB_E_SYNTAX, "missing '}' after '${%s:'", name);
		x->at++;
	}
	if (op == '-' || op == '+' || op == '?')
		return expand_default(x, name, op, has_colon, sink, err);
	if (!has_colon && (op == '#' || op == '%'))
		return expand_trim(x, name, op, sink, err);
	if (!has_colon && op == '/')
		return expand_replace(x, name, sink, err);
	return sb_fail(err, SB_E_SYNTAX, "unsupported modifier '%s%c' in the substitution of '%s'",
		has_colon ? ":" : "", op, name);
}

/* Behind `${`. */
static int expand_braces(struct expander *x, struct sink *sink, struct sb_error *err)
{
	sb_autofree char *name = take_name(x);

	if (at_end(x))
		return sb_fail(err, SB_E_SYNTAX, "missing '}' after '${%s'", name);
	if (name[0] == '\0')
		return sb_fail(err, SB_E_SYNTAX, "bad substitution: '${' needs a name");

	const char op = x->text[x->at++];
	const char *value = sb_env_get(x->env, name);

	if (op != '}')
		return expand_modifier(x, name, op, sink, err);
	return value != NULL ? emit(sink, value, strlen(value), err) : 0;
}

/* At a `$`. */
static int expand_dollar(struct expander *x, struct sink *sink, struct sb_error *err)
{
	x->at++;
	if (peek(x) == '{') {
		x->at++;
		if (++x->depth > SB_MAX_EXPANSION_DEPTH)
			return sb_fail(err, SB_E_LIMIT,
				"substitutions are nested more than %d deep",
				SB_MAX_EXPANSION_DEPTH);
		if (expand_braces(x, sink, err) < 0)
			return -1;
		x->depth--;
		return 0;
	}

	sb_autofree char *name = take_name(x);

	if (name[0] == '\0')
		return emit(sink, "$", 1, err);

	const char *value = sb_env_get(x->env, name);

	return value != NULL ? emit(sink, value, strlen(value), err) : 0;
}

static int expand_single_quotes(struct expander *x, struct sink *sink, struct sb_error *err)
{
	const char *start = x->text + x->at + 1;
	const char *end = memchr(start, '\'', x->len - x->at - 1);

	if (end == NULL)
		return sb_fail(err, SB_E_SYNTAX,
			"the single quote that opens here is not closed: %s", start - 1);
	x->at += (size_t)(end - start) + 2;
	return emit_quoted(sink, start, (size_t)(end - start), err);
}

/* The escape inside double quotes: it goes away before `"`, `$` and itself, and stays before
 * others. */
static int expand_quoted_escape(
	struct expander *x, enum escapes escapes, struct sink *inner, struct sb_error *err)
{
	const char escape = x->escape;

	x->at++;
	if (escapes == ESCAPES_KEPT && emit(inner, &escape, 1, err) < 0)
		return -1;
	if (at_end(x))
		return 0;
	if (peek(x) != '"' && peek(x) != '$' && peek(x) != escape)
		return emit(inner, &escape, 1, err);
	return emit(inner, &x->text[x->at++], 1, err);
}

static int fill_double_quotes(
	struct expander *x, enum escapes escapes, struct sink *inner, struct sb_error *err)
{
	const char *start = x->text + x->at;

	x->at++;
	while (!at_end(x)) {
		const char c = peek(x);
		int result;

		if (c == '"') {
			x->at++;
			return 0;
		}
		if (c == '$')
			result = expand_dollar(x, inner, err);
		else if (c == x->escape)
			result = expand_quoted_escape(x, escapes, inner, err);
		else
			result = emit(inner, &x->text[x->at++], 1, err);
		if (result < 0)
			return -1;
	}
	return sb_fail(
		err, SB_E_SYNTAX, "the double quote that opens here is not closed: %s", start);
}

static int expand_double_quotes(
	struct expander *x, enum escapes escapes, struct sink *sink, struct sb_error *err)
{
	struct sink inner = SINK_INIT;
	int result = fill_double_quotes(x, escapes, &inner, err);

	if (result == 0)
		result = emit_quoted(sink, inner.text.data, inner.text.len, err);
	sb_buf_release(&inner.text);
	return result;
}

/* An escape outside of quotes; a lone one at the end goes away. */
static int expand_escape(
	struct expander *x, enum escapes escapes, struct sink *sink, struct sb_error *err)
{
	const char escape = x->escape;

	x->at++;
	if (escapes == ESCAPES_KEPT && emit_quoted(sink, &escape, 1, err) < 0)
		return -1;
	return at_end(x) ? 0 : emit_quoted(sink, &x->text[x->at++], 1, err);
}

/* Bytes from here on that stand for themselves. */
static size_t plain_length(const struct expander *x, int stop)
{
	size_t n = 0;

	for (; x->at + n < x->len; n++) {
		const char c = x->text[x->at + n];

		if ((unsigned char)c == stop || c == '$' || c == x->escape ||
			(!x->keeps_quotes && (c == '"' || c == '\'')))
			break;
	}
	return n;
}

static int expand_until(
	struct expander *x, int stop, enum escapes escapes, struct sink *sink, struct sb_error *err)
{
	while (!at_end(x)) {
		const char c = peek(x);
		int result;

		if ((unsigned char)c == stop) {
			x->at++;
			return 0;
		}
		if (c == '$') {
			result = expand_dollar(x, sink, err);
		} else if (!x->keeps_quotes && c == '\'') {
			result = expand_single_quotes(x, sink, err);
		} else if (!x->keeps_quotes && c == '"') {
			result = expand_double_quotes(x, escapes, sink, err);
		} else if (c == x->escape) {
			result = expand_escape(x, escapes, sink, err);
		} else {
			const size_t n = plain_length(x, stop);

			result = emit(sink, x->text + x->at, n, err);
			x->at += n;
		}
		if (result < 0)
			return -1;
	}
	if (stop == END_OF_WORD)
		return 0;
	return sb_fail(err, SB_E_SYNTAX, "missing '%c' in a substitution '${…}'", stop);
}

static struct expander expander_of(const char *word, const struct sb_strv *env, char escape)
{
	return (struct expander){.text = word, .len = strlen(word), .env = env, .escape = escape};
}

static int expand_all(struct expander *x, char **out, struct sb_error *err)
{
	struct sink sink = SINK_INIT;

	if (expand_until(x, END_OF_WORD, ESCAPES_REMOVED, &sink, err) < 0) {
		sb_buf_release(&sink.text);
		return -1;
	}
	*out = sb_buf_steal(&sink.text);
	return 0;
}

int sb_expand_word(
	const char *word, const struct sb_strv *env, char escape, char **out, struct sb_error *err)
{
	struct expander x = expander_of(word, env, escape);

	return expand_all(&x, out, err);
}

int sb_expand_check(const char *word, char escape, struct sb_error *err)
{
	const struct sb_strv no_env = SB_STRV_INIT;
	struct expander x = expander_of(word, &no_env, escape);
	sb_autofree char *ignored = NULL;

	x.checks_only = true;
	return expand_all(&x, &ignored, err);
}

int sb_expand_keep_quotes(
	const char *text, const struct sb_strv *env, char escape, char **out, struct sb_error *err)
{
	struct expander x = expander_of(text, env, escape);

	x.keeps_quotes = true;
	return expand_all(&x, out, err);
}

int sb_expand_words(const char *word, const struct sb_strv *env, char escape, struct sb_strv *out,
	struct sb_error *err)
{
	struct expander x = expander_of(word, env, escape);
	SB_AUTO_STRV words = SB_STRV_INIT;
	struct sink sink = SINK_INIT;

	sink.words = &words;

	const int result = expand_until(&x, END_OF_WORD, ESCAPES_REMOVED, &sink, err);

	if (result == 0) {
		end_word(&sink);
		sb_strv_add_all(out, &words);
	}
	sb_buf_release(&sink.text);
	return result;
}
