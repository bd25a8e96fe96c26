/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_LINTER_H
#define SB_LINT_LINTER_H

#include "buildfile/logical.h"
#include "lint/lint.h"
#include "lint/scope.h"
#include "lint/shell.h"

/*
 * What the rules look at: a Buildfile's instructions, each with its stage, its line as it was
 * written and, for RUN, the commands in it; and the stages with what they are based on.
 */

struct sb_text_line {
	const char *text;
	size_t len;
};

SB_ARRAY_STRUCT(sb_offsets, size_t);

enum { SB_LINT_NO_STAGE = -1 };

/* An instruction, or the trigger in an ONBUILD, which follows its ONBUILD in the list. */
struct sb_lint_item {
	const struct sb_instruction *instr;
	const struct sb_instruction *outer; /* the ONBUILD, or instr itself */
	const struct sb_logical *line;      /* of outer; owned by the linter */
	unsigned line_end;                  /* the last line before heredocs' bodies */
	int stage;                          /* or SB_LINT_NO_STAGE, for what is before FROM */
	bool is_trigger;
	/* RUN in a language that is understood: what the shell is given. Else empty. */
	char *script;
	bool is_body;                 /* the script is the body of a heredoc and nothing else */
	struct sb_offsets body_lines; /* where in the script the lines behind the item's begin */
	struct sb_shell shell;
	struct sb_strv waived; /* names of rules that comments waive here, or "all" */
};

enum sb_lint_base {
	SB_LINT_BASE_UNKNOWN, /* its name has variables without a value */
	SB_LINT_BASE_SCRATCH,
	SB_LINT_BASE_STAGE,
	SB_LINT_BASE_CONTEXT,
	SB_LINT_BASE_IMAGE,
};

struct sb_lint_stage {
	size_t first; /* its items, FROM is the first: [first, end) */
	size_t end;
	enum sb_lint_base kind;
	int base;      /* STAGE: its index */
	char *image;   /* IMAGE: its name, expanded */
	bool is_known; /* IMAGE: `info` is there */
	struct sb_lint_image info;
	bool is_target;
	bool is_in_image;      /* the target, or one that it is based on */
	unsigned depth;        /* how many stages it is based on */
	struct sb_scope scope; /* at its end */
};

struct sb_rule;
struct sb_linter {
	const struct sb_buildfile *buildfile;
	const struct sb_lint_input *options;
	SB_ARRAY(struct sb_text_line) lines; /* [0] is line 1 */
	SB_ARRAY(struct sb_logical *) logicals;
	SB_ARRAY(struct sb_lint_item) items;
	SB_ARRAY(struct sb_lint_stage) stages;
	struct sb_strv global_args;  /* NAME=value in FROM lines */
	struct sb_strv default_args; /* the same without build args */
	struct sb_strv arg_names;    /* declared before the first FROM, or predefined */
	SB_ARRAY(struct sb_span) hidden;
	const struct sb_rule *rule; /* that runs now */
	struct sb_lint_report *report;
};

/* A piece of a line that must not be shown. */
struct sb_span {
	unsigned line;
	size_t from;
	size_t to;
};

typedef void (*sb_rule_fn)(struct sb_linter *linter);

struct sb_rule {
	struct sb_lint_rule info;
	sb_rule_fn check;
};
const struct sb_rule *sb_rule_at(size_t i);

/* model.c: fills in all but rule and report. The linter is released in any case. */
int sb_linter_init(struct sb_linter *linter, const struct sb_buildfile *buildfile,
	const struct sb_lint_input *options, struct sb_error *err) SB_MUST_USE;
void sb_linter_release(struct sb_linter *linter);

/*
 * place.c. A place is `len` bytes (0: one) of a line.
 */
struct sb_lint_place {
	unsigned line;
	unsigned column;
	size_t len;
};
/* The instruction's own name. */
struct sb_lint_place sb_lint_at_name(const struct sb_lint_item *item);
/* Where the instruction says `text`, behind its name; else the name. */
struct sb_lint_place sb_lint_at_text(const struct sb_lint_item *item, const char *text);
/* The same for the text of the line of `item`, from byte `from` on. */
struct sb_lint_place sb_lint_at_line(const struct sb_lint_item *item, size_t from, size_t len);
/* Byte `offset` of item->script. */
struct sb_lint_place sb_lint_at_script(
	const struct sb_linter *linter, const struct sb_lint_item *item, size_t offset, size_t len);
/* A command of item's, by its first word. */
struct sb_lint_place sb_lint_at_command(const struct sb_linter *linter,
	const struct sb_lint_item *item, const struct sb_shell_command *command);

/* The scope that the stage's first instruction sees; released by sb_scope_release. */
void sb_scope_begin(
	const struct sb_linter *linter, const struct sb_lint_stage *stage, struct sb_scope *out);
/* What ENV and ARG take their values from. */
struct sb_scope_inputs sb_linter_inputs(const struct sb_linter *linter);

/* Adds a finding of the rule that runs, unless it is waived. item may be NULL. */
void sb_lint_add(struct sb_linter *linter, const struct sb_lint_item *item,
	struct sb_lint_place place, const char *fmt, ...) SB_PRINTF(4, 5);

/* The last SHELL that is in force at items[at], or NULL. */
const struct sb_strv *sb_linter_shell_at(const struct sb_linter *linter, size_t at);

#define SB_LINT_FOREACH_OF(linter, item, of_kind) \
	SB_ARRAY_FOREACH (&(linter)->items, item) \
		if (item->instr->kind == (of_kind))

#endif
