/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "buildfile/expand.h"
#include "plan/args.h"
#include "plan/check.h"
#include "plan/resolve.h"

void sb_plan_free(struct sb_plan *plan)
{
	if (plan == NULL)
		return;
	SB_ARRAY_FOREACH (&plan->stages, stage) {
		free(stage->name);
		free(stage->platform);
		free(stage->shown_platform);
		sb_base_release(&stage->base);
	}
	SB_ARRAY_RELEASE(&plan->stages);
	sb_strv_release(&plan->global_args);
	sb_strv_release(&plan->build_args);
	sb_strv_release(&plan->contexts);
	free(plan);
}

static int expand_image(const struct sb_plan *plan, const struct sb_instruction *from, char **out,
	struct sb_error *err)
{
	const char *word = from->words.items[0];
	const char escape = plan->buildfile->escape;
	sb_autofree char *image = NULL;

	if (sb_expand_word(word, &plan->global_args, escape, &image, err) < 0) {
		(void)sb_error_about(err, word);
		return sb_error_context(err, "FROM");
	}
	if (image[0] == '\0') {
		sb_fail(err, SB_E_SYNTAX, "FROM: the image '%s' is empty", word);
		(void)sb_error_about(err, word);
		return sb_error_hint(
			err, "a variable of FROM needs an ARG with a value before the first FROM");
	}
	*out = SB_STEAL(image);
	return 0;
}

static int fail_platform(const char *word, struct sb_error *err)
{
	(void)sb_error_about(err, word);
	return sb_error_context(err, "FROM: --platform");
}

static int expand_platform(const struct sb_plan *plan, const struct sb_instruction *from,
	char **out, struct sb_error *err)
{
	const char *word = sb_instruction_flag(from, "platform");
	const char escape = plan->buildfile->escape;
	sb_autofree char *platform = NULL;
	struct sb_platform parsed;

	*out = NULL;
	if (word == NULL)
		return 0;
	if (sb_expand_word(word, &plan->global_args, escape, &platform, err) < 0)
		return fail_platform(word, err);
	if (platform[0] == '\0') {
		(void)sb_fail(err, SB_E_SYNTAX, "'%s' is empty", word);
		return fail_platform(word, err);
	}
	if (sb_platform_parse(platform, &parsed, err) < 0)
		return fail_platform(word, err);
	*out = SB_STEAL(platform);
	return 0;
}

/* The form is buildx's. */
static char *show_platform(const char *text, const struct sb_platform *target)
{
	struct sb_platform platform = *target;
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (text != NULL && sb_platform_parse(text, &platform, &ignored) < 0)
		sb_error_ignore(&ignored, "it was parsed before");

	sb_autofree char *own = sb_platform_format(&platform);
	sb_autofree char *wanted = sb_platform_format(target);

	if (strcmp(own, wanted) == 0)
		return SB_STEAL(own);
	return sb_asprintf("%s->%s%s%s", own, target->architecture,
		target->variant[0] != '\0' ? "/" : "", target->variant);
}

static int add_stage(struct sb_plan *plan, const struct sb_platform *target, size_t at, size_t end,
	struct sb_error *err)
{
	const struct sb_instruction *from = &plan->buildfile->instructions.items[at];
	const size_t index = plan->stages.len;
	struct sb_stage stage = {.index = index, .from = from, .first = at + 1, .end = end};
	sb_autofree char *image = NULL;
	const char *context = NULL;

	if (expand_image(plan, from, &image, err) < 0 ||
		expand_platform(plan, from, &stage.platform, err) < 0)
		return sb_error_locate(err, from->at);
	stage.is_named = from->name != NULL;
	stage.name = from->name != NULL ? sb_strdup(from->name) : sb_asprintf("stage-%zu", index);
	if (stage.is_named)
		context = sb_plan_find_context(plan, stage.name);
	if (context != NULL) {
		/* A context of a stage's name takes the stage's place, instructions and all. */
		stage.base = (struct sb_base){SB_BASE_CONTEXT, 0, sb_strdup(context)};
		stage.end = stage.first;
	} else {
		sb_plan_resolve_base(plan, index, image, &stage.base);
	}
	stage.shown_platform =
		stage.platform == NULL && stage.base.kind == SB_BASE_STAGE
			? sb_strdup(plan->stages.items[stage.base.stage].shown_platform)
			: show_platform(stage.platform, target);
	*SB_ARRAY_ADD(&plan->stages) = stage;
	return 0;
}

static int add_stages(struct sb_plan *plan, const struct sb_platform *target, struct sb_error *err)
{
	const size_t n = plan->buildfile->instructions.len;
	const struct sb_instruction *all = plan->buildfile->instructions.items;

	for (size_t at = 0; at < n;) {
		size_t end = at + 1;

		while (end < n && all[end].kind != SB_INSTR_FROM)
			end++;
		if (all[at].kind == SB_INSTR_FROM && add_stage(plan, target, at, end, err) < 0)
			return -1;
		at = end;
	}
	if (plan->stages.len == 0)
		return sb_fail(err, SB_E_SYNTAX, "there are no stages to build");
	return 0;
}

static const char *stage_name(const void *plan, size_t i)
{
	const struct sb_stage *stage = &((const struct sb_plan *)plan)->stages.items[i];

	return stage->is_named ? stage->name : NULL;
}

static int find_target(struct sb_plan *plan, const char *target, struct sb_error *err)
{
	plan->target = plan->stages.len - 1;
	if (target == NULL || target[0] == '\0')
		return 0;
	for (size_t i = plan->stages.len; i > 0; i--) {
		const char *name = stage_name(plan, i - 1);

		if (name != NULL && strcasecmp(name, target) == 0) {
			plan->target = i - 1;
			return 0;
		}
	}
	sb_fail(err, SB_E_USAGE, "there is no stage '%s' to build", target);
	return sb_hint_suggestion(err, target, stage_name, plan, plan->stages.len);
}

static void mark_needed(const struct sb_base *base, void *plan)
{
	if (base->kind == SB_BASE_STAGE)
		((struct sb_plan *)plan)->stages.items[base->stage].is_needed = true;
}

static void ignore_source(const struct sb_base *base, void *data)
{
	(void)base;
	(void)data;
}

/*
 * From the target back: a stage only ever needs earlier ones, so that each is marked before it is
 * come to. Stages that are not needed are looked at too: a wrong reference is wrong all the same.
 */
static int mark_stages(struct sb_plan *plan, struct sb_error *err)
{
	plan->stages.items[plan->target].is_needed = true;
	for (size_t i = plan->stages.len; i > 0; i--) {
		const struct sb_stage *stage = &plan->stages.items[i - 1];
		const sb_plan_visit_fn visit = stage->is_needed ? mark_needed : ignore_source;

		visit(&stage->base, plan);
		if (sb_plan_visit_sources(plan, stage, visit, plan, err) < 0)
			return -1;
		if (stage->is_needed)
			plan->n_steps += 1 + stage->end - stage->first;
	}
	return 0;
}

int sb_plan_new(const struct sb_buildfile *buildfile, const struct sb_plan_options *options,
	struct sb_plan **out, struct sb_error *err)
{
	SB_AUTO(sb_plan) plan = SB_NEW(struct sb_plan);

	plan->buildfile = buildfile;
	if (options->build_args != NULL)
		sb_strv_add_all(&plan->build_args, options->build_args);
	if (options->context_names != NULL)
		sb_strv_add_all(&plan->contexts, options->context_names);
	if (sb_plan_global_args(buildfile, options, &plan->global_args, err) < 0 ||
		add_stages(plan, &options->target_platform, err) < 0 ||
		find_target(plan, options->target, err) < 0 || mark_stages(plan, err) < 0 ||
		sb_plan_check(plan, err) < 0)
		return -1;
	*out = SB_STEAL(plan);
	return 0;
}
