/* SPDX-License-Identifier: MIT */
#include "lint/scope.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/expand.h"

void sb_scope_release(struct sb_scope *scope)
{
	for (size_t i = 0; i < scope->cap; i++) {
		free(scope->entries[i].name);
		free(scope->entries[i].value);
	}
	free(scope->entries);
	*scope = (struct sb_scope){0};
}

static uint64_t hash_of(const char *name)
{
	uint64_t hash = 14695981039346656037u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 1099511628211u;
	return hash;
}

/* The name's entry, or the free one where it would go. The table is never full. */
static struct sb_scope_entry *slot_of(struct sb_scope_entry *entries, size_t cap, const char *name)
{
	size_t i = hash_of(name) & (cap - 1);

	while (entries[i].name != NULL && strcmp(entries[i].name, name) != 0)
		i = (i + 1) & (cap - 1);
	return &entries[i];
}

static void grow(struct sb_scope *scope)
{
	const size_t cap = scope->cap != 0 ? scope->cap * 2 : 16;
	struct sb_scope_entry *entries = sb_calloc(cap, sizeof(*entries));

	for (size_t i = 0; i < scope->cap; i++)
		if (scope->entries[i].name != NULL)
			*slot_of(entries, cap, scope->entries[i].name) = scope->entries[i];
	free(scope->entries);
	scope->entries = entries;
	scope->cap = cap;
}

void sb_scope_set(struct sb_scope *scope, const char *name, const char *value)
{
	if ((scope->len + 1) * 2 > scope->cap)
		grow(scope);

	struct sb_scope_entry *entry = slot_of(scope->entries, scope->cap, name);

	if (entry->name == NULL) {
		entry->name = sb_strdup(name);
		scope->len++;
	}
	free(entry->value);
	entry->value = sb_strdup_or_null(value);
}

static const struct sb_scope_entry *find(const struct sb_scope *scope, const char *name)
{
	for (; scope != NULL; scope = scope->parent) {
		const struct sb_scope_entry *entry =
			scope->cap > 0 ? slot_of(scope->entries, scope->cap, name) : NULL;

		if (entry != NULL && entry->name != NULL)
			return entry;
	}
	return NULL;
}

bool sb_scope_has(const struct sb_scope *scope, const char *name)
{
	return find(scope, name) != NULL;
}

const char *sb_scope_get(const struct sb_scope *scope, const char *name)
{
	const struct sb_scope_entry *entry = find(scope, name);

	return entry != NULL ? entry->value : NULL;
}

static void apply_arg(
	struct sb_scope *scope, const struct sb_pair *pair, const struct sb_scope_inputs *inputs)
{
	const char *given = inputs->given != NULL ? sb_env_get(inputs->given, pair->key) : NULL;
	const char *global = sb_env_get(inputs->global, pair->key);

	if (given != NULL) {
		sb_scope_set(scope, pair->key, given);
	} else if (pair->value != NULL) {
		sb_autofree char *value = sb_scope_expand(scope, pair->value, inputs->escape);

		sb_scope_set(scope, pair->key, value);
	} else if (global != NULL) {
		sb_scope_set(scope, pair->key, global);
	} else if (!sb_scope_has(scope, pair->key)) {
		sb_scope_set(scope, pair->key, NULL);
	}
}

/* All values are those from before the instruction. */
static void apply_env(struct sb_scope *scope, const struct sb_instruction *instr,
	const struct sb_scope_inputs *inputs)
{
	SB_AUTO_STRV values = SB_STRV_INIT;
	size_t i = 0;

	SB_ARRAY_FOREACH (&instr->pairs, pair) {
		char *value = pair->value != NULL
				      ? sb_scope_expand(scope, pair->value, inputs->escape)
				      : NULL;

		sb_strv_addf(&values, "%s%s", value != NULL ? "=" : "", value != NULL ? value : "");
		free(value);
	}
	SB_ARRAY_FOREACH (&instr->pairs, pair) {
		const char *value = values.items[i++];

		sb_scope_set(scope, pair->key, value[0] == '=' ? value + 1 : NULL);
	}
}

void sb_scope_apply(struct sb_scope *scope, const struct sb_instruction *instr,
	const struct sb_scope_inputs *inputs)
{
	if (instr->kind == SB_INSTR_ENV)
		apply_env(scope, instr, inputs);
	else if (instr->kind == SB_INSTR_ARG)
		SB_ARRAY_FOREACH (&instr->pairs, pair)
			apply_arg(scope, pair, inputs);
}

/* Gathers the values that a word needs. */
struct needs {
	const struct sb_scope *scope;
	struct sb_strv env;
	bool are_known;
};

static void need(const char *name, size_t len, void *data)
{
	struct needs *needs = data;
	sb_autofree char *copy = sb_memdup0(name, len);
	const char *value = sb_scope_get(needs->scope, copy);

	if (value != NULL)
		sb_env_set(&needs->env, copy, value);
	else
		needs->are_known = false;
}

/* Longer values are taken for not known: what hostile text doubles with each line ends here. */
enum { MAX_VALUE_BYTES = 64 << 10 };

char *sb_scope_expand(const struct sb_scope *scope, const char *word, char escape)
{
	struct needs needs = {.scope = scope, .are_known = true};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char *value = NULL;

	sb_variables_visit(word, escape, false, need, &needs);
	if (needs.are_known && sb_expand_word(word, &needs.env, escape, &value, &err) < 0)
		sb_error_ignore(&err, "the parser's and the plan's errors are theirs to tell");
	sb_strv_release(&needs.env);
	if (value != NULL && strlen(value) > MAX_VALUE_BYTES) {
		free(value);
		return NULL;
	}
	return value;
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	if (!sb_is_letter(text[0]) && text[0] != '_')
		return 0;
	while (sb_is_letter(text[n]) || sb_is_digit(text[n]) || text[n] == '_')
		n++;
	return n;
}

/* Names in `${a:-$b}` are met one after the other, so there is nothing to nest. */
void sb_variables_visit(
	const char *word, char escape, bool keeps_quotes, sb_variable_fn visit, void *data)
{
	bool in_double = false;

	for (const char *p = word; *p != '\0'; p++) {
		if (*p == escape && p[1] != '\0') {
			p++;
		} else if (*p == '"' && !keeps_quotes) {
			in_double = !in_double;
		} else if (*p == '\'' && !keeps_quotes && !in_double) {
			const char *end = strchr(p + 1, '\'');

			if (end == NULL)
				return;
			p = end;
		} else if (*p == '$') {
			const char *name = p[1] == '{' ? p + 2 : p + 1;
			const size_t len = name_length(name);

			if (len > 0) {
				visit(name, len, data);
				p = name + len - 1;
			}
		}
	}
}
