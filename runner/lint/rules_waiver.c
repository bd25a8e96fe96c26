/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "lint/rules.h"
#include "lint/waiver.h"

static void check_name(struct sb_linter *linter, struct sb_lint_place place, const char *name)
{
	const char *near = sb_waiver_suggest(name);

	if (sb_lint_rule_find(name) != NULL || strcasecmp(name, "all") == 0)
		return;
	if (near != NULL)
		sb_lint_add(linter, NULL, place, "there is no rule '%s'; did you mean '%s'?", name,
			near);
	else
		sb_lint_add(linter, NULL, place, "there is no rule '%s'", name);
}

/* Where the line says it. */
static struct sb_lint_place place_on(
	const struct sb_linter *linter, unsigned number, const char *name)
{
	const struct sb_text_line *line = &linter->lines.items[number - 1];
	const char *found = memmem(line->text, line->len, name, strlen(name));

	return (struct sb_lint_place){
		number, found != NULL ? (unsigned)(found - line->text) + 1 : 1, strlen(name)};
}

static void check_names(struct sb_linter *linter, unsigned line, const struct sb_strv *names)
{
	for (size_t i = 0; i < names->len; i++)
		check_name(linter, place_on(linter, line, names->items[i]), names->items[i]);
}

static void check_directive(struct sb_linter *linter)
{
	const struct sb_buildfile *b = linter->buildfile;
	struct sb_check_directive directive = {0};

	if (b->check == NULL || b->check_line == 0 || b->check_line > linter->lines.len)
		return;
	sb_check_directive_parse(b->check, &directive);
	check_names(linter, b->check_line, &directive.skip);
	check_names(linter, b->check_line, &directive.experimental);
	sb_check_directive_release(&directive);
}

/* Lines of heredocs' bodies are looked at too: a script's comments waive. The directive is a
 * comment as well, and has been looked at. */
void sb_rule_unknown_rule(struct sb_linter *linter)
{
	check_directive(linter);
	for (unsigned n = 1; n <= linter->lines.len; n++) {
		const struct sb_text_line *line = &linter->lines.items[n - 1];
		const char *hash = memchr(line->text, '#', line->len);
		SB_AUTO_STRV names = SB_STRV_INIT;

		if (hash == NULL || n == linter->buildfile->check_line)
			continue;

		const size_t at = (size_t)(hash - line->text) + 1;

		if (sb_waiver_parse(line->text + at, line->len - at, &names))
			check_names(linter, n, &names);
	}
}
