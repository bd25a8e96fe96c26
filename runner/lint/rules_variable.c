/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "buildfile/chars.h"
#include "lint/rules.h"
#include "lint/scope.h"
#include "lint/secret_name.h"

/* Near names are looked for among so many at most. */
enum { MAX_CANDIDATES = 1000 };

/* An instruction whose words are looked through, and what it sees. */
struct use {
	struct sb_linter *linter;
	const struct sb_lint_item *item;
	const struct sb_scope *scope;
};

static void gather_names(const struct sb_scope *scope, struct sb_strv *out)
{
	for (; scope != NULL; scope = scope->parent)
		for (size_t i = 0; i < scope->cap && out->len < MAX_CANDIDATES; i++)
			if (scope->entries[i].name != NULL)
				sb_strv_add(out, scope->entries[i].name);
	/* Of two that are equally near it is always the same one. */
	sb_strv_sort(out);
}

static bool has_lower_case(const char *name)
{
	for (; *name != '\0'; name++)
		if (*name >= 'a' && *name <= 'z')
			return true;
	return false;
}

static bool is_proxy(const char *name)
{
	static const char *const names[] = {
		"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return strncmp(name, "BUILDKIT_", strlen("BUILDKIT_")) == 0;
}

/*
 * An image's own variables are not known here, and most are in capitals. So below an image a name
 * in capitals is taken to be its own, unless it is nearly one that the Buildfile declares.
 */
static void check_variable(const char *name, size_t len, void *data)
{
	struct use *use = data;
	sb_autofree char *copy = sb_memdup0(name, len);

	if (sb_scope_has(use->scope, copy) || is_proxy(copy))
		return;

	const struct sb_lint_place place = sb_lint_at_text(use->item, copy);

	if (sb_strv_contains(&use->linter->arg_names, copy)) {
		sb_lint_add(use->linter, use->item, place,
			"'%s' is not declared in this stage: it needs an 'ARG %s' of its own", copy,
			copy);
		return;
	}

	SB_AUTO_STRV names = SB_STRV_INIT;

	gather_names(use->scope, &names);

	const char *near = sb_suggest(copy, sb_candidate_string, names.items, names.len);
	const bool is_own = !use->scope->is_open || has_lower_case(copy);

	if (near != NULL && (is_own || sb_edit_distance(copy, near) == 1))
		sb_lint_add(use->linter, use->item, place,
			"'%s' is not declared; did you mean '%s'?", copy, near);
	else if (is_own)
		sb_lint_add(use->linter, use->item, place, "'%s' is not declared", copy);
}

static void check_word(struct use *use, const char *word)
{
	if (word != NULL)
		sb_variables_visit(
			word, use->linter->buildfile->escape, false, check_variable, use);
}

static bool expands_words(enum sb_instruction_kind kind)
{
	return kind == SB_INSTR_COPY || kind == SB_INSTR_ADD || kind == SB_INSTR_EXPOSE ||
	       kind == SB_INSTR_STOPSIGNAL || kind == SB_INSTR_USER || kind == SB_INSTR_VOLUME ||
	       kind == SB_INSTR_WORKDIR;
}

static void check_words(struct use *use)
{
	const struct sb_instruction *instr = use->item->instr;

	if (expands_words(instr->kind))
		for (size_t i = 0; i < instr->words.len; i++)
			check_word(use, instr->words.items[i]);
	SB_ARRAY_FOREACH (&instr->flags, flag)
		if (instr->kind != SB_INSTR_FROM && strcmp(flag->key, "from") != 0)
			check_word(use, flag->value);
	SB_ARRAY_FOREACH (&instr->pairs, pair) {
		if (instr->kind == SB_INSTR_LABEL)
			check_word(use, pair->key);
		check_word(use, pair->value);
	}
	if (instr->kind == SB_INSTR_COPY || instr->kind == SB_INSTR_ADD)
		SB_ARRAY_FOREACH (&instr->heredocs, heredoc)
			if (!heredoc->is_quoted)
				sb_variables_visit(heredoc->body, '\\', true, check_variable, use);
}

void sb_rule_undefined_var(struct sb_linter *linter)
{
	const struct sb_scope_inputs inputs = sb_linter_inputs(linter);

	SB_ARRAY_FOREACH (&linter->stages, stage) {
		struct sb_scope scope;

		sb_scope_begin(linter, stage, &scope);
		for (size_t i = stage->first + 1; i < stage->end; i++) {
			const struct sb_lint_item *item = &linter->items.items[i];
			struct use use = {.linter = linter, .item = item, .scope = &scope};

			/* A trigger is expanded in the child's build. */
			if (item->is_trigger)
				continue;
			check_words(&use);
			sb_scope_apply(&scope, item->instr, &inputs);
		}
		sb_scope_release(&scope);
	}
}

void sb_rule_secrets_used_in_arg_or_env(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item) {
		const struct sb_instruction *instr = item->instr;

		/* What is before the first FROM is seen by no step. */
		if ((instr->kind != SB_INSTR_ARG && instr->kind != SB_INSTR_ENV) || item->stage < 0)
			continue;
		SB_ARRAY_FOREACH (&instr->pairs, pair)
			if (sb_secret_name_of_variable(pair->key))
				sb_lint_add(linter, item, sb_lint_at_text(item, pair->key),
					"%s '%s': by its name, it holds a secret",
					sb_instruction_name(instr->kind), pair->key);
	}
}

/* "C:\…" is absolute where it is of use. */
static bool is_absolute(const char *path)
{
	path += strspn(path, "\"'");
	return path[0] == '/' || path[0] == '\\' || (sb_is_letter(path[0]) && path[1] == ':');
}

/* Is there a WORKDIR in the stages that it is based on? */
static bool has_workdir_below(
	const struct sb_linter *linter, const struct sb_lint_stage *stage, const bool *has_workdir)
{
	return stage->base >= 0 && (size_t)stage->base < linter->stages.len &&
	       has_workdir[stage->base];
}

static void check_workdir(struct sb_linter *linter, const struct sb_lint_stage *stage,
	const struct sb_lint_item *item)
{
	const char *word = item->instr->words.items[0];
	sb_autofree char *path = sb_scope_expand(&stage->scope, word, linter->buildfile->escape);

	if (path == NULL && word[strspn(word, "\"'")] == '$')
		return;
	if (!is_absolute(path != NULL ? path : word))
		sb_lint_add(linter, item, sb_lint_at_text(item, word),
			"'%s' is relative, and no WORKDIR before it is absolute", word);
}

void sb_rule_workdir_relative_path(struct sb_linter *linter)
{
	sb_autofree bool *has_workdir = sb_calloc(linter->stages.len, sizeof(bool));

	for (size_t n = 0; n < linter->stages.len; n++) {
		const struct sb_lint_stage *stage = &linter->stages.items[n];

		has_workdir[n] = has_workdir_below(linter, stage, has_workdir);
		for (size_t i = stage->first; i < stage->end; i++) {
			const struct sb_lint_item *item = &linter->items.items[i];

			if (item->instr->kind != SB_INSTR_WORKDIR || item->is_trigger)
				continue;
			if (!has_workdir[n])
				check_workdir(linter, stage, item);
			has_workdir[n] = true;
		}
	}
}
