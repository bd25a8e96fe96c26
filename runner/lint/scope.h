/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_SCOPE_H
#define SB_LINT_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strv.h"
#include "buildfile/instruction.h"

/*
 * The variables that instructions see at one place of a stage, as far as a Buildfile tells: what is
 * declared, and its value where that is known. A scope goes on from the scope at the end of the
 * stage it is based on, which it borrows.
 */
struct sb_scope_entry {
	char *name;
	char *value; /* NULL: not known */
};

struct sb_scope {
	const struct sb_scope *parent;
	struct sb_scope_entry *entries; /* a hash table; name NULL: free */
	size_t cap;
	size_t len;
	bool is_open; /* an image whose variables are not known is below it */
};

void sb_scope_release(struct sb_scope *scope);
/* value NULL: declared, not known. */
void sb_scope_set(struct sb_scope *scope, const char *name, const char *value);
bool sb_scope_has(const struct sb_scope *scope, const char *name);
/* NULL where it is not declared or not known. */
const char *sb_scope_get(const struct sb_scope *scope, const char *name);

/* What ENV and ARG declare; other instructions nothing. `given` are build args, `global` the ARGs
 * before the first FROM, both NAME=value. */
struct sb_scope_inputs {
	const struct sb_strv *given; /* or NULL */
	const struct sb_strv *global;
	char escape;
};
void sb_scope_apply(struct sb_scope *scope, const struct sb_instruction *instr,
	const struct sb_scope_inputs *inputs);

/* The word expanded; NULL where that takes a variable that is not known. Caller frees. */
char *sb_scope_expand(const struct sb_scope *scope, const char *word, char escape);

/* Calls `visit` for each variable that expanding the word would look at (name is not
 * terminated). */
typedef void (*sb_variable_fn)(const char *name, size_t len, void *data);
void sb_variables_visit(
	const char *word, char escape, bool keeps_quotes, sb_variable_fn visit, void *data);

#endif
