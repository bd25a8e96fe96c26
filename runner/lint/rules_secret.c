/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "lint/copied.h"
#include "lint/rules.h"
#include "lint/secret_name.h"
#include "lint/secret_value.h"

/* Values with an issuer's mark, in any line of the instruction. */
static void check_lines(struct sb_linter *linter, const struct sb_lint_item *item)
{
	for (unsigned n = item->line->pieces.items[0].line; n <= item->outer->end_line; n++) {
		const struct sb_text_line *line = &linter->lines.items[n - 1];
		struct sb_secret_value found;

		for (size_t at = 0; sb_secret_value_find(line->text, line->len, at, &found);
			at = found.at + found.len)
			sb_lint_add(linter, item,
				(struct sb_lint_place){n, (unsigned)found.at + 1, found.len},
				"%s contains %s (%zu characters)",
				sb_instruction_name(item->instr->kind), found.kind, found.len);
	}
}

/* Without the quotes around it. */
static bool is_random(const char *value, bool is_named)
{
	size_t len = strlen(value);

	if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
		value++;
		len -= 2;
	}
	return sb_secret_value_is_random(value, len, is_named);
}

static void check_pairs(struct sb_linter *linter, const struct sb_lint_item *item)
{
	struct sb_secret_value ignored;

	SB_ARRAY_FOREACH (&item->instr->pairs, pair) {
		if (pair->value == NULL || sb_public_name_of_variable(pair->key) ||
			!is_random(pair->value, sb_secret_name_of_variable(pair->key)) ||
			sb_secret_value_find(pair->value, strlen(pair->value), 0, &ignored))
			continue;
		sb_lint_add(linter, item, sb_lint_at_text(item, pair->key),
			"the value of '%s' looks random, like a key or token (%zu characters)",
			pair->key, strlen(pair->value));
	}
}

/* `TOKEN=…` and `--token=…` in a RUN. */
static void check_script(struct sb_linter *linter, const struct sb_lint_item *item)
{
	struct sb_secret_value ignored;

	SB_ARRAY_FOREACH (&item->shell.commands, command) {
		SB_ARRAY_FOREACH (&command->words, word) {
			const char *equals = strchr(word->text, '=');

			if (equals == NULL || !is_random(equals + 1, true) ||
				sb_secret_value_find(word->text, strlen(word->text), 0, &ignored))
				continue;

			const size_t len = (size_t)(equals - word->text);
			sb_autofree char *name = sb_memdup0(word->text + strspn(word->text, "-"),
				len - strspn(word->text, "-"));

			for (char *p = name; *p != '\0'; p++)
				*p = *p == '-' ? '_' : *p;
			if (sb_secret_name_of_variable(name) && !sb_public_name_of_variable(name))
				sb_lint_add(linter, item,
					sb_lint_at_script(linter, item, word->at, len),
					"the value of '%s' looks random, like a key or token "
					"(%zu characters)",
					name, strlen(equals + 1));
		}
	}
}

void sb_rule_secret_value(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		/* The lines of a trigger are its ONBUILD's. */
		if (!item->is_trigger)
			check_lines(linter, item);
		check_pairs(linter, item);
		check_script(linter, item);
	}
}

static void report_secret(struct sb_linter *linter, const struct sb_removal *r, void *data)
{
	(void)data;
	if (r->is_secret)
		sb_lint_add(linter, r->copy, sb_lint_at_text(r->copy, r->source),
			"'%s' looks like a secret; it is copied here and removed on line %u, and "
			"stays readable in this layer",
			r->what, r->removed_at.line);
}

void sb_rule_secret_copied_then_removed(struct sb_linter *linter)
{
	sb_removals_visit(linter, report_secret, NULL);
}

static void report_file(struct sb_linter *linter, const struct sb_removal *r, void *data)
{
	(void)data;
	if (!r->is_secret)
		sb_lint_add(linter, r->copy, sb_lint_at_text(r->copy, r->source),
			"'%s' is copied here and removed on line %u; its bytes stay in the image",
			r->what, r->removed_at.line);
}

void sb_rule_copied_then_removed(struct sb_linter *linter)
{
	sb_removals_visit(linter, report_file, NULL);
}

/* data has a bool for each item. */
static void note_removed(struct sb_linter *linter, const struct sb_removal *r, void *data)
{
	((bool *)data)[r->copy - linter->items.items] = true;
}

static void check_copy(struct sb_linter *linter, const struct sb_lint_item *item)
{
	const struct sb_strv *words = &item->instr->words;
	const char *dest = words->items[words->len - 1];

	for (size_t i = 0; i + 1 < words->len; i++) {
		const char *source = words->items[i];
		const bool by_dest = words->len == 2 && sb_secret_name_of_file(dest);

		if (strncmp(source, "<<", 2) == 0 ? by_dest
						  : by_dest || sb_secret_name_of_file(source))
			sb_lint_add(linter, item, sb_lint_at_text(item, by_dest ? dest : source),
				"'%s' looks like a secret, and is copied into %s",
				sb_secret_name_of_file(source) ? source : dest,
				item->stage >= 0 && linter->stages.items[item->stage].is_in_image
					? "the image"
					: "a layer of a stage");
	}
}

/* What is removed later is another rule's. */
void sb_rule_secret_file_copied(struct sb_linter *linter)
{
	sb_autofree bool *is_removed = sb_calloc(linter->items.len + 1, sizeof(bool));

	sb_removals_visit(linter, note_removed, is_removed);
	for (size_t i = 0; i < linter->items.len; i++) {
		const struct sb_lint_item *item = &linter->items.items[i];
		const enum sb_instruction_kind kind = item->instr->kind;

		if ((kind == SB_INSTR_COPY || kind == SB_INSTR_ADD) && !is_removed[i])
			check_copy(linter, item);
	}
}
