/* SPDX-License-Identifier: MIT */
#include "build/planned.h"

#include "base/mem.h"
#include "leak/redact.h"
#include "plan/remote.h"
#include "plan/resolve.h"

struct sb_planned *sb_planned_new(void)
{
	return SB_NEW(struct sb_planned);
}

static void release_report(struct sb_plan_report *report)
{
	for (size_t i = 0; i < report->n_stages; i++) {
		free(report->stages[i].name);
		free(report->stages[i].base);
		free(report->stages[i].platform);
		free(report->stages[i].needs);
	}
	for (size_t i = 0; i < report->n_steps; i++) {
		free(report->steps[i].text);
		free(report->steps[i].key);
	}
	free(report->stages);
	free(report->steps);
}

void sb_planned_free(struct sb_planned *planned)
{
	if (planned == NULL)
		return;
	release_report(&(struct sb_plan_report){.stages = planned->stages.items,
		.n_stages = planned->stages.len,
		.steps = planned->steps.items,
		.n_steps = planned->steps.len});
	SB_ARRAY_RELEASE(&planned->index_of);
	free(planned);
}

static size_t *place_of(struct sb_planned *planned, size_t stage)
{
	while (planned->index_of.len <= stage)
		*SB_ARRAY_ADD(&planned->index_of) = SIZE_MAX;
	return &planned->index_of.items[stage];
}

void sb_planned_begin_platform(struct sb_planned *planned)
{
	planned->index_of.len = 0;
}

struct needs {
	SB_ARRAY_FIELDS(size_t);
	struct sb_planned *planned;
};

static void add_need(const struct sb_base *base, void *data)
{
	struct needs *needs = data;
	size_t at = needs->len;

	if (base->kind != SB_BASE_STAGE)
		return;

	const size_t index = *place_of(needs->planned, base->stage);

	for (size_t i = 0; i < needs->len; i++)
		if (needs->items[i] == index)
			return;
	(void)SB_ARRAY_ADD(needs);
	for (; at > 0 && needs->items[at - 1] > index; at--)
		needs->items[at] = needs->items[at - 1];
	needs->items[at] = index;
}

int sb_planned_stage(struct sb_build *build, const struct sb_stage *stage, struct sb_error *err)
{
	struct sb_planned *planned = build->planned;
	struct needs needs = {.planned = planned};

	add_need(&stage->base, &needs);
	if (sb_plan_visit_sources(build->plan, stage, add_need, &needs, err) < 0) {
		SB_ARRAY_RELEASE(&needs);
		return -1;
	}
	*place_of(planned, stage->index) = planned->stages.len;

	const char *base = stage->base.kind == SB_BASE_SCRATCH ? "scratch"
			   : stage->base.kind == SB_BASE_STAGE
				   ? build->plan->stages.items[stage->base.stage].name
				   : stage->base.name;

	*SB_ARRAY_ADD(&planned->stages) = (struct sb_planned_stage){.name = sb_strdup(stage->name),
		.base = sb_strdup(base),
		.platform = build->is_one_of_several ? sb_strdup(stage->shown_platform) : NULL,
		.needs = needs.items,
		.n_needs = needs.len,
		.is_target = stage->index == build->plan->target};
	return 0;
}

void sb_planned_begin(struct sb_planned *planned)
{
	planned->state = SB_PLANNED_CONFIG;
	planned->key = (struct sb_digest){0};
}

void sb_planned_end(
	struct sb_build *build, const struct sb_stage *stage, const struct sb_instruction *instr)
{
	struct sb_planned *planned = build->planned;
	sb_autofree char *hidden = sb_remote_hide_passwords(instr->text);

	*SB_ARRAY_ADD(&planned->steps) =
		(struct sb_planned_step){.stage = *place_of(planned, stage->index),
			.text = sb_redact_text(
				build->secrets, instr->kind == SB_INSTR_ADD ? hidden : instr->text),
			.line = instr->at.line,
			.key = sb_strdup(planned->key.text),
			.state = planned->state};
}

struct sb_plan_report *sb_planned_finish(struct sb_planned *planned)
{
	struct sb_plan_report *report = SB_NEW(struct sb_plan_report);

	*report = (struct sb_plan_report){.stages = planned->stages.items,
		.n_stages = planned->stages.len,
		.steps = planned->steps.items,
		.n_steps = planned->steps.len};
	planned->stages.items = NULL;
	planned->stages.len = planned->stages.cap = 0;
	planned->steps.items = NULL;
	planned->steps.len = planned->steps.cap = 0;
	return report;
}

void sb_plan_report_free(struct sb_plan_report *report)
{
	if (report == NULL)
		return;
	release_report(report);
	free(report);
}

const char *sb_planned_state_name(enum sb_planned_state state)
{
	static const char *const names[] = {[SB_PLANNED_CONFIG] = "config",
		[SB_PLANNED_READY] = "ready",
		[SB_PLANNED_FETCH] = "fetch",
		[SB_PLANNED_CACHED] = "cached",
		[SB_PLANNED_RUN] = "run",
		[SB_PLANNED_UNKNOWN] = "unknown"};

	return names[state];
}
