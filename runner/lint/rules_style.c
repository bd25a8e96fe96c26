/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/words.h"
#include "lint/rules.h"

static bool is_lower(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			return false;
	return true;
}

static bool is_upper(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'a' && *text <= 'z')
			return false;
	return true;
}

/* The words of an instruction's line as written, its name first. */
static void words_of(const struct sb_lint_item *item, struct sb_words *out)
{
	sb_words_split(item->line->text.data, item->line->text.len, out);
}

static struct sb_lint_place place_of_word(
	const struct sb_lint_item *item, const struct sb_word *word)
{
	return sb_lint_at_line(item, word->offset, strlen(word->text));
}

void sb_rule_stage_name_casing(struct sb_linter *linter)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_FROM)
	{
		struct sb_words words = {0};

		words_of(item, &words);

		const struct sb_word *name = &words.items[words.len - 1];

		if (item->instr->name != NULL && !is_lower(name->text))
			sb_lint_add(linter, item, place_of_word(item, name),
				"the stage's name '%s' is not in lower case", name->text);
		sb_words_release(&words);
	}
}

void sb_rule_from_as_casing(struct sb_linter *linter)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_FROM)
	{
		struct sb_words words = {0};

		words_of(item, &words);
		if (item->instr->name != NULL && words.len >= 4) {
			const char *from = words.items[0].text;
			const struct sb_word *as = &words.items[words.len - 2];

			/* FROM in mixed case is another rule's. */
			if ((is_lower(from) && !is_lower(as->text)) ||
				(is_upper(from) && !is_upper(as->text)))
				sb_lint_add(linter, item, place_of_word(item, as),
					"'%s' and '%s' are not in the same case", from, as->text);
		}
		sb_words_release(&words);
	}
}

void sb_rule_no_empty_continuation(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		if (item->is_trigger || item->line->pieces.len == 0)
			continue;
		for (unsigned n = item->line->pieces.items[0].line + 1; n <= item->line_end; n++) {
			const struct sb_text_line *line = &linter->lines.items[n - 1];

			if (sb_trim_end(line->text, line->len) > 0)
				continue;
			sb_lint_add(linter, item, (struct sb_lint_place){n, 1, 1},
				"an empty line in the middle of %s",
				sb_instruction_name(item->instr->kind));
			break;
		}
	}
}

/* As written; caller frees. */
static char *name_as_written(const struct sb_lint_item *item)
{
	const char *text = item->line->text.data;
	const size_t blanks = sb_skip_blanks(text, item->line->text.len);
	size_t end = blanks;

	while (text[end] != '\0' && !sb_is_blank(text[end]))
		end++;
	return sb_memdup0(text + blanks, end - blanks);
}

void sb_rule_consistent_instruction_casing(struct sb_linter *linter)
{
	size_t n_lower = 0;
	size_t n_upper = 0;

	SB_ARRAY_FOREACH (&linter->items, item) {
		sb_autofree char *name = name_as_written(item);

		if (!item->is_trigger) {
			n_lower += is_lower(name) ? 1 : 0;
			n_upper += is_upper(name) ? 1 : 0;
		}
	}

	const bool wants_lower = n_lower > n_upper;

	SB_ARRAY_FOREACH (&linter->items, item) {
		sb_autofree char *name = name_as_written(item);

		if (!item->is_trigger && !(wants_lower ? is_lower(name) : is_upper(name)))
			sb_lint_add(linter, item, sb_lint_at_name(item),
				"'%s' is not in %s case, as most instructions are", name,
				wants_lower ? "lower" : "upper");
	}
}

void sb_rule_maintainer_deprecated(struct sb_linter *linter)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_MAINTAINER)
	sb_lint_add(linter, item, sb_lint_at_name(item), "MAINTAINER is deprecated");
}

/* The old form has one pair, and the text behind its key is blanks. */
void sb_rule_legacy_key_value_format(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		const struct sb_instruction *instr = item->instr;

		if ((instr->kind != SB_INSTR_ENV && instr->kind != SB_INSTR_LABEL) ||
			instr->pairs.len != 1)
			continue;

		struct sb_words words = {0};

		words_of(item, &words);

		const size_t at = item->is_trigger ? 2 : 1;

		if (words.len > at + 1 &&
			strcmp(words.items[at].text, instr->pairs.items[0].key) == 0)
			sb_lint_add(linter, item, place_of_word(item, &words.items[at]),
				"'%s %s' is written without '='", sb_instruction_name(instr->kind),
				instr->pairs.items[0].key);
		sb_words_release(&words);
	}
}

/* The text of the comment on the line above the instruction, or NULL; caller frees. */
static char *comment_above(const struct sb_linter *linter, const struct sb_lint_item *item)
{
	const unsigned above = item->line->pieces.items[0].line - 1;

	if (above == 0)
		return NULL;

	const struct sb_text_line *line = &linter->lines.items[above - 1];
	const size_t blanks = sb_skip_blanks(line->text, line->len);

	if (blanks >= line->len || line->text[blanks] != '#' ||
		above <= linter->buildfile->check_line)
		return NULL;

	const char *text = line->text + blanks + 1;
	const size_t len = line->len - blanks - 1;
	const size_t start = sb_skip_blanks(text, len);

	return sb_memdup0(text + start, len - start);
}

static bool is_about(const char *comment, const struct sb_instruction *instr)
{
	const size_t len = strcspn(comment, " ");

	if (instr->kind == SB_INSTR_FROM)
		return strlen(instr->name) == len && strncmp(instr->name, comment, len) == 0;
	SB_ARRAY_FOREACH (&instr->pairs, pair)
		if (strlen(pair->key) == len && strncmp(pair->key, comment, len) == 0)
			return true;
	return false;
}

/* An empty comment takes the ones above it off the instruction, and a waiver describes nothing. */
static bool is_description(const char *comment)
{
	return comment[0] != '\0' && strncasecmp(comment, "safebuild:", 10) != 0 &&
	       strncasecmp(comment, "check=", 6) != 0;
}

void sb_rule_invalid_definition_description(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		const struct sb_instruction *instr = item->instr;
		const bool has_name = instr->kind == SB_INSTR_ARG ||
				      (instr->kind == SB_INSTR_FROM && instr->name != NULL);

		if (!has_name || item->is_trigger)
			continue;

		sb_autofree char *comment = comment_above(linter, item);

		if (comment == NULL || !is_description(comment) || is_about(comment, instr))
			continue;

		const char *name =
			instr->kind == SB_INSTR_FROM ? instr->name : instr->pairs.items[0].key;

		sb_lint_add(linter, item, sb_lint_at_name(item),
			"the comment above does not begin with '%s'", name);
	}
}

void sb_rule_json_args_recommended(struct sb_linter *linter)
{
	for (size_t i = 0; i < linter->items.len; i++) {
		const struct sb_lint_item *item = &linter->items.items[i];
		const enum sb_instruction_kind kind = item->instr->kind;

		if ((kind == SB_INSTR_CMD || kind == SB_INSTR_ENTRYPOINT) &&
			!item->instr->command.is_exec && sb_linter_shell_at(linter, i) == NULL)
			sb_lint_add(linter, item, sb_lint_at_name(item),
				"%s is in shell form, not a JSON array", sb_instruction_name(kind));
	}
}

static void check_used_once(
	struct sb_linter *linter, const struct sb_lint_stage *stage, enum sb_instruction_kind kind)
{
	const struct sb_lint_item *before = NULL;

	for (size_t i = stage->first; i < stage->end; i++) {
		const struct sb_lint_item *item = &linter->items.items[i];

		if (item->instr->kind != kind || item->is_trigger)
			continue;
		/* The one that has no effect is the one to remove. */
		if (before != NULL)
			sb_lint_add(linter, before, sb_lint_at_name(before),
				"this %s has no effect: there is another one on line %u",
				sb_instruction_name(kind), item->instr->at.line);
		before = item;
	}
}

void sb_rule_multiple_instructions_disallowed(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->stages, stage) {
		check_used_once(linter, stage, SB_INSTR_CMD);
		check_used_once(linter, stage, SB_INSTR_ENTRYPOINT);
		check_used_once(linter, stage, SB_INSTR_HEALTHCHECK);
	}
}
