/* SPDX-License-Identifier: MIT */
#include "lint/linter.h"

#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/expand.h"
#include "buildfile/heredoc.h"
#include "lint/command.h"
#include "lint/hidden.h"
#include "lint/waiver.h"
#include "plan/args.h"

/* Stages on stages: deeper ones are taken for stages on an image that is not known. */
enum { MAX_STAGE_DEPTH = 64 };

static void release_item(struct sb_lint_item *item)
{
	free(item->script);
	SB_ARRAY_RELEASE(&item->body_lines);
	sb_shell_release(&item->shell);
	sb_strv_release(&item->waived);
}

void sb_linter_release(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->items, item)
		release_item(item);
	SB_ARRAY_FOREACH (&linter->stages, stage) {
		free(stage->image);
		sb_scope_release(&stage->scope);
	}
	SB_ARRAY_FOREACH (&linter->logicals, logical) {
		sb_logical_release(*logical);
		free(*logical);
	}
	SB_ARRAY_RELEASE(&linter->items);
	SB_ARRAY_RELEASE(&linter->stages);
	SB_ARRAY_RELEASE(&linter->logicals);
	SB_ARRAY_RELEASE(&linter->lines);
	SB_ARRAY_RELEASE(&linter->hidden);
	sb_strv_release(&linter->global_args);
	sb_strv_release(&linter->default_args);
	sb_strv_release(&linter->arg_names);
}

static int read_lines(struct sb_linter *linter, struct sb_error *err)
{
	const struct sb_buildfile *b = linter->buildfile;
	struct sb_source source = sb_source_of(b->file, b->text, b->len);

	for (;;) {
		struct sb_line line;

		if (sb_source_next(&source, &line, err) < 0)
			return -1;
		if (line.text == NULL)
			return 0;
		*SB_ARRAY_ADD(&linter->lines) = (struct sb_text_line){line.text, line.len};
	}
}

static void add_item(struct sb_linter *linter, const struct sb_instruction *instr,
	const struct sb_instruction *outer, const struct sb_logical *line, unsigned line_end)
{
	*SB_ARRAY_ADD(&linter->items) = (struct sb_lint_item){
		.instr = instr,
		.outer = outer,
		.line = line,
		.line_end = line_end,
		.stage = SB_LINT_NO_STAGE,
		.is_trigger = instr != outer,
	};
}

/* Reads the lines again, as the parser did, for the places of what is in them. */
static int read_items(struct sb_linter *linter, struct sb_error *err)
{
	const struct sb_buildfile *b = linter->buildfile;
	struct sb_source source = sb_source_of(b->file, b->text, b->len);

	SB_ARRAY_FOREACH (&b->instructions, instr) {
		struct sb_logical *line = SB_NEW(struct sb_logical);
		struct sb_line ignored;

		*line = (struct sb_logical)SB_LOGICAL_INIT;
		*SB_ARRAY_ADD(&linter->logicals) = line;
		if (sb_logical_read(&source, b->escape, line, err) < 0)
			return -1;
		add_item(linter, instr, instr, line, source.line);
		if (instr->trigger != NULL)
			add_item(linter, instr->trigger, instr, line, source.line);
		while (source.line < instr->end_line)
			if (sb_source_next(&source, &ignored, err) < 0)
				return -1;
	}
	return 0;
}

/* Names that FROM may use: what is declared before it, and what always is. */
static void read_arg_names(struct sb_linter *linter)
{
	for (size_t i = 0; i < linter->default_args.len; i++) {
		const char *item = linter->default_args.items[i];

		sb_strv_add_nodup(&linter->arg_names, sb_memdup0(item, strcspn(item, "=")));
	}
	SB_ARRAY_FOREACH (&linter->items, item) {
		if (item->instr->kind == SB_INSTR_FROM)
			break;
		SB_ARRAY_FOREACH (&item->instr->pairs, pair)
			sb_strv_add(&linter->arg_names, pair->key);
	}
}

static void read_global_args(
	struct sb_linter *linter, const struct sb_strv *build_args, struct sb_strv *out)
{
	const struct sb_plan_options options = {
		.target = linter->options->target,
		.build_args = build_args,
		.build_platform = linter->options->build_platform,
		.target_platform = linter->options->platform,
	};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_plan_global_args(linter->buildfile, &options, out, &err) < 0)
		sb_error_ignore(&err, "the plan tells it; what came before it is there");
}

/* The last stage of that name before `end`, or -1. */
static int find_stage(const struct sb_linter *linter, const char *name, size_t end)
{
	for (size_t i = end; i > 0; i--) {
		const struct sb_lint_item *from =
			&linter->items.items[linter->stages.items[i - 1].first];

		if (from->instr->name != NULL && strcmp(from->instr->name, name) == 0)
			return (int)i - 1;
	}
	return -1;
}

static bool is_context(const struct sb_linter *linter, const char *name)
{
	const struct sb_strv *names = linter->options->context_names;

	return names != NULL && name != NULL && sb_strv_contains(names, name);
}

static void resolve_base(struct sb_linter *linter, size_t index)
{
	struct sb_lint_stage *stage = &linter->stages.items[index];
	const struct sb_instruction *from = linter->items.items[stage->first].instr;
	const struct sb_lint_answers *answers = &linter->options->answers;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *image = NULL;

	stage->base = -1;
	if (sb_expand_word(from->words.items[0], &linter->global_args, linter->buildfile->escape,
		    &image, &err) < 0)
		sb_error_ignore(&err, "the plan tells it");
	if (image == NULL || image[0] == '\0')
		return;
	stage->base = find_stage(linter, image, index);
	if (is_context(linter, image) || is_context(linter, from->name)) {
		stage->kind = SB_LINT_BASE_CONTEXT;
		stage->base = -1;
	} else if (stage->base >= 0) {
		stage->kind = SB_LINT_BASE_STAGE;
		stage->depth = linter->stages.items[stage->base].depth + 1;
	} else if (strcmp(image, "scratch") == 0) {
		stage->kind = SB_LINT_BASE_SCRATCH;
	} else {
		stage->kind = SB_LINT_BASE_IMAGE;
		stage->image = SB_STEAL(image);
		stage->is_known =
			answers->image != NULL &&
			answers->image(stage->image, &stage->info, answers->data) == SB_ANSWER_YES;
	}
}

static void read_stages(struct sb_linter *linter)
{
	for (size_t i = 0; i < linter->items.len; i++) {
		struct sb_lint_item *item = &linter->items.items[i];

		if (item->instr->kind == SB_INSTR_FROM) {
			*SB_ARRAY_ADD(&linter->stages) = (struct sb_lint_stage){.first = i};
			resolve_base(linter, linter->stages.len - 1);
		}
		item->stage = (int)linter->stages.len - 1;
		if (linter->stages.len > 0)
			linter->stages.items[linter->stages.len - 1].end = i + 1;
	}
}

static void mark_target(struct sb_linter *linter)
{
	const char *target = linter->options->target;
	int at = (int)linter->stages.len - 1;

	for (size_t i = 0; target != NULL && target[0] != '\0' && i < linter->stages.len; i++) {
		const char *name = linter->items.items[linter->stages.items[i].first].instr->name;

		if (name != NULL && strcasecmp(name, target) == 0)
			at = (int)i;
	}
	if (at >= 0)
		linter->stages.items[at].is_target = true;
	for (; at >= 0; at = linter->stages.items[at].base)
		linter->stages.items[at].is_in_image = true;
}

struct sb_scope_inputs sb_linter_inputs(const struct sb_linter *linter)
{
	return (struct sb_scope_inputs){
		linter->options->build_args, &linter->global_args, linter->buildfile->escape};
}

/* The stages are all there: their scopes stay where they are. */
static void read_scopes(struct sb_linter *linter)
{
	const struct sb_scope_inputs inputs = sb_linter_inputs(linter);

	SB_ARRAY_FOREACH (&linter->stages, stage) {
		sb_scope_begin(linter, stage, &stage->scope);
		for (size_t i = stage->first + 1; i < stage->end; i++)
			if (!linter->items.items[i].is_trigger)
				sb_scope_apply(
					&stage->scope, linter->items.items[i].instr, &inputs);
	}
}

void sb_scope_begin(
	const struct sb_linter *linter, const struct sb_lint_stage *stage, struct sb_scope *out)
{
	*out = (struct sb_scope){0};
	if (stage->kind == SB_LINT_BASE_STAGE && stage->depth <= MAX_STAGE_DEPTH) {
		out->parent = &linter->stages.items[stage->base].scope;
		out->is_open = out->parent->is_open;
		return;
	}
	out->is_open = stage->kind != SB_LINT_BASE_SCRATCH && !stage->is_known;
	sb_scope_set(out, "PATH",
		out->is_open ? NULL
			     : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	for (size_t i = 0; stage->is_known && i < stage->info.env->len; i++) {
		const char *item = stage->info.env->items[i];
		const size_t len = strcspn(item, "=");
		sb_autofree char *name = sb_memdup0(item, len);

		sb_scope_set(out, name, item[len] == '=' ? item + len + 1 : "");
	}
}

const struct sb_strv *sb_linter_shell_at(const struct sb_linter *linter, size_t at)
{
	int stage = linter->items.items[at].stage;
	size_t end = at;

	for (unsigned depth = 0; stage >= 0 && depth <= MAX_STAGE_DEPTH; depth++) {
		const struct sb_lint_stage *s = &linter->stages.items[stage];

		for (size_t i = end; i > s->first; i--) {
			const struct sb_lint_item *item = &linter->items.items[i - 1];

			if (item->instr->kind == SB_INSTR_SHELL && !item->is_trigger)
				return &item->instr->command.exec;
		}
		stage = s->base;
		if (stage >= 0)
			end = linter->stages.items[stage].end;
	}
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* `#!/bin/sh` or `#!/usr/bin/env bash` */
static bool is_shell_line(const char *line)
{
	const size_t len = strcspn(line, "\r\n");
	sb_autofree char *copy = sb_memdup0(line + 2, len - 2);
	struct sb_shell shell = {0};
	struct sb_call call;

	sb_shell_parse(copy, strlen(copy), &shell);

	const bool is_shell = shell.commands.len > 0 &&
			      sb_command_call(&shell.commands.items[0], &call) &&
			      sb_is_shell_name(call.name);

	sb_shell_release(&shell);
	return is_shell;
}

/* Heredocs' bodies begin on the line after the instruction's. */
static void find_body_lines(struct sb_lint_item *item)
{
	const char *p = item->script + (item->is_body ? 0 : strlen(item->instr->command.shell));

	if (!item->is_body && *p++ == '\0')
		return;
	for (;;) {
		*SB_ARRAY_ADD(&item->body_lines) = (size_t)(p - item->script);
		p = strchr(p, '\n');
		if (p == NULL)
			return;
		p++;
	}
}

static void read_script(struct sb_lint_item *item, const struct sb_strv *shell)
{
	const struct sb_instruction *run = item->instr;

	if (run->command.is_exec) {
		if (run->command.exec.len > 0)
			sb_shell_from_argv(
				run->command.exec.items, run->command.exec.len, &item->shell);
		return;
	}
	if (shell != NULL && !sb_is_shell_name(base_name(shell->items[0])))
		return;
	item->script = sb_run_script(run);
	item->is_body = sb_run_sole_heredoc(run) != NULL;
	find_body_lines(item);
	if (item->is_body && strncmp(item->script, "#!", 2) == 0 && !is_shell_line(item->script))
		return;
	sb_shell_parse(item->script, strlen(item->script), &item->shell);
}

static void read_scripts(struct sb_linter *linter)
{
	for (size_t i = 0; i < linter->items.len; i++) {
		struct sb_lint_item *item = &linter->items.items[i];

		if (item->instr->kind == SB_INSTR_RUN)
			read_script(item, sb_linter_shell_at(linter, i));
	}
}

static int check_size(const struct sb_buildfile *buildfile, struct sb_error *err)
{
	const struct sb_source_pos at = {.file = buildfile->file};

	if (buildfile->len > SB_LINT_MAX_BYTES)
		return sb_fail_at(err, SB_E_LIMIT, at, "more than %d bytes are not linted",
			SB_LINT_MAX_BYTES);
	if (buildfile->instructions.len > SB_LINT_MAX_INSTRUCTIONS)
		return sb_fail_at(err, SB_E_LIMIT, at, "more than %d instructions are not linted",
			SB_LINT_MAX_INSTRUCTIONS);
	return 0;
}

int sb_linter_init(struct sb_linter *linter, const struct sb_buildfile *buildfile,
	const struct sb_lint_input *options, struct sb_error *err)
{
	*linter = (struct sb_linter){.buildfile = buildfile, .options = options};
	if (check_size(buildfile, err) < 0 || read_lines(linter, err) < 0 ||
		read_items(linter, err) < 0)
		return -1;
	read_global_args(linter, options->build_args, &linter->global_args);
	read_global_args(linter, NULL, &linter->default_args);
	read_arg_names(linter);
	read_stages(linter);
	mark_target(linter);
	read_scopes(linter);
	read_scripts(linter);
	sb_waivers_collect(linter);
	sb_hidden_collect(linter);
	return 0;
}
