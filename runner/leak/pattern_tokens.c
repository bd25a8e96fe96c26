/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/charset.h"
#include "leak/entropy.h"
#include "leak/judge.h"
#include "leak/pattern_text.h"
#include "leak/pattern_verify.h"

static bool is_random(
	const struct sb_pattern_view *view, struct sb_pattern_span span, unsigned alphabet)
{
	const char *text = view->text + span.at;

	return !sb_text_is_sample(text, span.len) && !sb_text_is_stop_word(text, span.len) &&
	       sb_entropy_is_random(text, span.len, alphabet);
}

/* How many characters of the set stand before `at`, `max` at most. */
static size_t count_before(
	enum sb_charset set, const struct sb_pattern_view *view, size_t at, size_t max)
{
	size_t n = 0;

	while (n < max && n < at && sb_chars_have(set, view->text[at - n - 1]))
		n++;
	return n;
}

/* Is a run of exactly `len` characters of the set at `at`, and none of them behind it? */
static bool has_exactly(
	enum sb_charset set, const struct sb_pattern_view *view, size_t at, size_t len)
{
	return sb_chars_count(set, view, at, len + 1) == len;
}

static bool has_classes(const char *text, size_t len)
{
	bool lower = false;
	bool upper = false;
	bool digit = false;

	for (size_t i = 0; i < len; i++) {
		lower = lower || (text[i] >= 'a' && text[i] <= 'z');
		upper = upper || (text[i] >= 'A' && text[i] <= 'Z');
		digit = digit || (text[i] >= '0' && text[i] <= '9');
	}
	return lower && upper && digit;
}

/* 40 characters of base64 near an id: ids say which account a secret is for, and stand beside. */
bool sb_verify_aws_secret(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	enum { NEAR = 500, SECRET = 40 };
	struct sb_pattern_span id;

	if (!sb_verify_token(view, mark, at, &id))
		return false;

	const size_t end = view->len - at > NEAR ? at + NEAR : view->len;
	size_t i = at > NEAR ? at - NEAR : 0;

	while (i < end) {
		const size_t n = sb_chars_count(SB_CHARS_BASE64, view, i, view->len - i);
		/* An = is the operator before the value, never a part of it. */
		const char *equals = memrchr(view->text + i, '=', n);
		const size_t from = equals != NULL ? (size_t)(equals - view->text) + 1 : i;
		const struct sb_pattern_span span = {from, i + n - from};

		if (span.len == SECRET && has_classes(view->text + from, SECRET) &&
			view->text[from] != '/' && is_random(view, span, 62)) {
			*out = span;
			return true;
		}
		i += n + 1;
	}
	return false;
}

bool sb_verify_azure_secret(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	size_t n = 0;

	if (at < 4 || count_before(SB_CHARS_URL64_DOT, view, at, 5) != 4 ||
		!sb_chars_have(SB_CHARS_UPPER, view->text[at - 1]) || view->text[at - 1] > '9')
		return false;
	while (n <= mark->max && at + 2 + n < view->len &&
		(sb_chars_have(mark->set, view->text[at + 2 + n]) || view->text[at + 2 + n] == '~'))
		n++;

	const struct sb_pattern_span span = {at - 4, n + 6};

	if (n < mark->min || n > mark->max || !has_classes(view->text + span.at, span.len) ||
		!is_random(view, span, 62))
		return false;
	*out = span;
	return true;
}

bool sb_verify_bundler(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	struct sb_pattern_span span;

	if (!sb_text_assigned(view, at + strlen(mark->text), 64, &span) || span.len != 17 ||
		!has_exactly(SB_CHARS_HEX, view, span.at, 8) || view->text[span.at + 8] != ':' ||
		!has_exactly(SB_CHARS_HEX, view, span.at + 9, 8) ||
		sb_text_is_placeholder(view->text + span.at + 9, 8))
		return false;
	*out = span;
	return true;
}

bool sb_verify_gitlab_job(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	const size_t body = at + strlen(mark->text);
	const size_t n = sb_chars_count(SB_CHARS_ALNUM, view, body, 6);
	const struct sb_pattern_span span = {body + n + 1, mark->min};

	if (!sb_text_begins(view, at) || n == 0 || n > 5 || !sb_text_has(view, body + n, "_") ||
		!has_exactly(mark->set, view, span.at, span.len) || !is_random(view, span, 62))
		return false;
	*out = (struct sb_pattern_span){at, span.at + span.len - at};
	return true;
}

bool sb_verify_grafana_account(const struct sb_pattern_view *view,
	const struct sb_pattern_mark *mark, size_t at, struct sb_pattern_span *out)
{
	struct sb_pattern_span span;
	const size_t body = at + strlen(mark->text);

	if (!sb_verify_token(view, mark, at, &span) ||
		!has_exactly(SB_CHARS_ALNUM, view, body, 32) || view->text[body + 32] != '_' ||
		!has_exactly(SB_CHARS_ALNUM, view, body + 33, 8))
		return false;
	*out = span;
	return true;
}

/* Three parts with points between them; the first two are JSON objects. */
bool sb_verify_jwt(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	const size_t min = view->is_line ? 10 : 17;
	size_t end = at;

	(void)mark;
	if (view->is_line ? !sb_text_begins(view, at)
			  : (!sb_text_begins(view, at) ||
				    (at > 0 && sb_char_in(view->text[at - 1], "_-."))))
		return false;
	for (int part = 0; part < 3; part++) {
		const size_t n = sb_chars_count(SB_CHARS_URL64, view, end, view->len - end);

		if (n < (part < 2 ? min : 10) || (part < 2 && !sb_text_has(view, end, "eyJ")))
			return false;
		if (part == 2 && !view->is_line &&
			!is_random(view, (struct sb_pattern_span){end, n}, 62))
			return false;
		end += n;
		if (part < 2 && (end >= view->len || view->text[end++] != '.'))
			return false;
	}
	*out = (struct sb_pattern_span){at, end - at};
	return true;
}

/* Groups of 6, then 11 or 6 and 5, then 5, 5 and 5. */
bool sb_verify_onepassword_key(const struct sb_pattern_view *view,
	const struct sb_pattern_mark *mark, size_t at, struct sb_pattern_span *out)
{
	static const size_t groups[2][7] = {{6, 11, 5, 5, 5, 0}, {6, 6, 5, 5, 5, 5, 0}};
	struct sb_pattern_span span;

	if (!sb_verify_token(view, mark, at, &span))
		return false;
	for (size_t form = 0; form < 2; form++) {
		size_t i = at + strlen(mark->text);
		const size_t *group = groups[form];

		while (*group != 0 && has_exactly(SB_CHARS_UPPER, view, i, *group))
			i += *group++ + 1;
		if (*group == 0 && i == span.at + span.len + 1) {
			*out = span;
			return true;
		}
	}
	return false;
}

/* The mark in the middle is "OpenAI" in base64. Keys of lines are known by how they begin. */
bool sb_verify_openai(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	if (mark->text[0] == 's')
		return sb_verify_token(view, mark, at, out);

	const size_t behind = at + strlen(mark->text);
	const size_t before = count_before(SB_CHARS_URL64, view, at, mark->max);
	const size_t after = sb_chars_count(mark->set, view, behind, (size_t)mark->max + 1);
	const size_t from = at - before;

	if (before < mark->min + 3u || after < mark->min || after > mark->max ||
		!sb_text_has(view, from, "sk-") ||
		!is_random(view, (struct sb_pattern_span){behind, after}, 62))
		return false;
	*out = (struct sb_pattern_span){from, behind + after - from};
	return true;
}

bool sb_verify_sendgrid(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	struct sb_pattern_span span;
	const size_t body = at + strlen(mark->text);

	if (!sb_verify_token(view, mark, at, &span) ||
		!has_exactly(SB_CHARS_URL64, view, body, 22) || view->text[body + 22] != '.' ||
		!has_exactly(SB_CHARS_URL64, view, body + 23, 43))
		return false;
	*out = span;
	return true;
}

/* All kinds hold numbers of workspaces or apps. */
bool sb_verify_slack(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	struct sb_pattern_span span;
	size_t n_digits = 0;

	if (!sb_verify_token(view, mark, at, &span))
		return false;
	for (size_t i = 0; i < span.len; i++)
		n_digits += view->text[span.at + i] >= '0' && view->text[span.at + i] <= '9';
	if (!view->is_line && (n_digits < 6 || span.len < 20))
		return false;
	*out = span;
	return true;
}

bool sb_verify_terraform(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	const size_t behind = at + strlen(mark->text);
	const size_t n = sb_chars_count(mark->set, view, behind, (size_t)mark->max + 1);

	if (count_before(SB_CHARS_ALNUM, view, at, 15) != 14 || n < mark->min || n > mark->max ||
		!is_random(view, (struct sb_pattern_span){behind, n}, 62))
		return false;
	*out = (struct sb_pattern_span){at - 14, behind + n - at + 14};
	return true;
}

/* "s." and 24 letters and digits is also a member of a variable: only near the word, and mixed. */
bool sb_verify_vault_old(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark,
	size_t at, struct sb_pattern_span *out)
{
	const size_t end = sb_text_line_end(view, at, 100);

	for (size_t i = at; i + 2 < end; i++) {
		const struct sb_pattern_span span = {i + 2, mark->min};

		if (!sb_text_has(view, i, "s.") || !sb_text_begins(view, i) ||
			!has_exactly(mark->set, view, span.at, span.len) ||
			!sb_judge_is_random(view->text + span.at, span.len) ||
			!is_random(view, span, 62))
			continue;
		*out = (struct sb_pattern_span){i, mark->min + 2u};
		return true;
	}
	return false;
}
