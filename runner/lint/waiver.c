/* SPDX-License-Identifier: MIT */
#include "lint/waiver.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "buildfile/chars.h"

static void add_names(const char *text, size_t len, struct sb_strv *out)
{
	for (size_t at = 0; at < len;) {
		const char *comma = memchr(text + at, ',', len - at);
		const size_t n = comma != NULL ? (size_t)(comma - text) - at : len - at;
		const size_t blanks = sb_skip_blanks(text + at, n);
		const size_t end = sb_trim_end(text + at, n);

		if (blanks < end)
			sb_strv_add_nodup(out, sb_memdup0(text + at + blanks, end - blanks));
		at += n + 1;
	}
}

static bool starts_with(const char *text, size_t len, const char *start)
{
	const size_t n = strlen(start);

	return len >= n && strncasecmp(text, start, n) == 0;
}

/* Up to the first blank that no comma stands before: what follows is the reason. */
static size_t names_length(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && (!sb_is_blank(text[n]) || (n > 0 && text[n - 1] == ',')))
		n++;
	return n;
}

static bool parse_check(const char *text, size_t len, struct sb_strv *out)
{
	struct sb_check_directive directive = {0};
	sb_autofree char *value = sb_memdup0(text, names_length(text, len));

	sb_check_directive_parse(value, &directive);
	sb_strv_add_all(out, &directive.skip);

	const bool found = directive.skip.len > 0;

	sb_check_directive_release(&directive);
	return found;
}

bool sb_waiver_parse(const char *comment, size_t len, struct sb_strv *out)
{
	static const char check[] = "check";
	static const char own[] = "safebuild:";
	static const char ignore[] = "ignore=";
	size_t at = sb_skip_blanks(comment, len);

	if (starts_with(comment + at, len - at, check)) {
		at += strlen(check);
		at += sb_skip_blanks(comment + at, len - at);
		if (at >= len || comment[at] != '=')
			return false;
		at++;
		at += sb_skip_blanks(comment + at, len - at);
		return parse_check(comment + at, len - at, out);
	}
	if (!starts_with(comment + at, len - at, own))
		return false;
	at += strlen(own);
	at += sb_skip_blanks(comment + at, len - at);
	if (!starts_with(comment + at, len - at, ignore))
		return false;
	at += strlen(ignore);
	add_names(comment + at, names_length(comment + at, len - at), out);
	return true;
}

void sb_check_directive_parse(const char *value, struct sb_check_directive *out)
{
	const size_t len = strlen(value);

	for (size_t at = 0; at < len;) {
		const char *part = value + at;
		const size_t n = strcspn(part, ";");
		const size_t blanks = sb_skip_blanks(part, n);
		const char *equals = memchr(part, '=', n);

		at += n + 1;
		if (equals == NULL)
			continue;

		const char *rest = equals + 1;
		const size_t rest_len = n - (size_t)(rest - part);

		if (starts_with(part + blanks, n - blanks, "skip"))
			add_names(rest, rest_len, &out->skip);
		else if (starts_with(part + blanks, n - blanks, "experimental"))
			add_names(rest, rest_len, &out->experimental);
		else if (starts_with(part + blanks, n - blanks, "error"))
			out->is_error = starts_with(rest + sb_skip_blanks(rest, rest_len),
				rest_len - sb_skip_blanks(rest, rest_len), "true");
	}
}

void sb_check_directive_release(struct sb_check_directive *directive)
{
	sb_strv_release(&directive->skip);
	sb_strv_release(&directive->experimental);
}

/* The comment's text behind its `#`, or NULL. */
static const char *comment_of(const struct sb_text_line *line, size_t *out_len)
{
	const size_t blanks = sb_skip_blanks(line->text, line->len);

	if (blanks >= line->len || line->text[blanks] != '#')
		return NULL;
	*out_len = line->len - blanks - 1;
	return line->text + blanks + 1;
}

static void collect_line(struct sb_linter *linter, struct sb_lint_item *item, unsigned number)
{
	size_t len = 0;
	const char *comment = comment_of(&linter->lines.items[number - 1], &len);

	if (comment != NULL)
		(void)sb_waiver_parse(comment, len, &item->waived);
}

void sb_waivers_collect(struct sb_linter *linter)
{
	unsigned last = 0; /* line of the instruction before */

	SB_ARRAY_FOREACH (&linter->items, item) {
		const unsigned line = item->outer->at.line;
		size_t len = 0;

		if (item->is_trigger) {
			sb_strv_copy(&item->waived, &item[-1].waived);
		} else {
			for (unsigned above = line - 1;
				above > last && comment_of(&linter->lines.items[above - 1], &len);
				above--)
				collect_line(linter, item, above);
			for (unsigned inside = line + 1;
				inside <= item->line_end && inside <= linter->lines.len; inside++)
				collect_line(linter, item, inside);
			last = item->outer->end_line;
		}
		SB_ARRAY_FOREACH (&item->shell.comments, comment)
			(void)sb_waiver_parse(
				item->script + comment->at, comment->len, &item->waived);
	}
}

bool sb_waivers_have(const struct sb_strv *names, const char *name)
{
	for (size_t i = 0; i < names->len; i++)
		if (strcasecmp(names->items[i], name) == 0 ||
			strcasecmp(names->items[i], "all") == 0)
			return true;
	return false;
}

static const char *rule_name(const void *data, size_t i)
{
	(void)data;
	return sb_lint_rule_at(i)->name;
}

const char *sb_waiver_suggest(const char *name)
{
	return sb_suggest(name, rule_name, NULL, sb_lint_rule_count());
}
