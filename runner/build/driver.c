/* SPDX-License-Identifier: MIT */
#include "build/build.h"

#include <string.h>

#include "base/mem.h"
#include "build/base_image.h"
#include "build/commit.h"
#include "build/context_view.h"
#include "build/instructions.h"
#include "build/planned.h"
#include "build/result.h"
#include "build/schedule.h"
#include "build/squash.h"
#include "leak/scan.h"
#include "plan/args.h"
#include "plan/check.h"
#include "plan/remote.h"
#include "plan/resolve.h"

void sb_build_init(struct sb_build *build, struct sb_resolved *resolved,
	struct sb_promises *promises, struct sb_sandboxes *sandboxes)
{
	build->resolved = resolved;
	build->promises = promises;
	build->sandboxes = sandboxes;
	SB_BUG_ON(pthread_mutex_init(&build->contexts_lock, NULL) != 0);
	SB_BUG_ON(pthread_mutex_init(&build->written_lock, NULL) != 0);
}

void sb_sandboxes_end(struct sb_sandboxes *sandboxes)
{
	SB_ARRAY_FOREACH (sandboxes, sandbox)
		sb_sandbox_free(*sandbox);
	SB_ARRAY_RELEASE(sandboxes);
}

void sb_worker_init(struct sb_worker *worker, struct sb_build *build)
{
	struct sb_sandboxes *at_rest = build->sandboxes;

	worker->search = sb_content_search_new(build->scanner);
	worker->sandbox = at_rest->len > 0 ? at_rest->items[--at_rest->len] : NULL;
}

static void worker_release(struct sb_worker *worker, struct sb_sandboxes *sandboxes)
{
	sb_content_search_free(worker->search);
	if (worker->sandbox != NULL)
		*SB_ARRAY_ADD(sandboxes) = worker->sandbox;
	*worker = (struct sb_worker){0};
}

void sb_build_restart(struct sb_build *build)
{
	worker_release(&build->worker, build->sandboxes);
	SB_ARRAY_FOREACH (&build->more_workers, worker) {
		worker_release(*worker, build->sandboxes);
		free(*worker);
	}
	SB_ARRAY_RELEASE(&build->more_workers);
	sb_scanner_free(build->scanner);
	build->scanner = NULL;
	SB_ARRAY_FOREACH (&build->stages, stage)
		sb_stage_state_free(*stage);
	SB_ARRAY_RELEASE(&build->stages);
	SB_ARRAY_RELEASE(&build->in_result);
	build->n_more_steps = 0;
}

void sb_build_release(struct sb_build *build)
{
	sb_build_restart(build);
	sb_events_release(&build->events);
	sb_context_views_free(build->context_views);
	(void)pthread_mutex_destroy(&build->contexts_lock);
	(void)pthread_mutex_destroy(&build->written_lock);
	sb_strv_release(&build->add_hosts);
	sb_strv_release(&build->labels);
	sb_strv_release(&build->no_cache_stages);
	sb_strv_release(&build->written_blobs);
	sb_strv_release(&build->rekey_secrets);
}

static void copy_list(struct sb_strv *to, const struct sb_strv *from)
{
	*to = (struct sb_strv)SB_STRV_INIT;
	sb_strv_copy(to, from);
}

void sb_build_fork(const struct sb_build *from, const struct sb_platform *platform,
	const struct sb_plan *plan, struct sb_build *out)
{
	SB_BUG_ON(from->stages.len > 0 || from->written_blobs.len > 0);
	*out = *from;
	sb_build_init(out, from->resolved, from->promises, from->sandboxes);
	sb_events_fork(&from->events, from->secrets, &out->events);
	out->platform = *platform;
	out->plan = plan;
	copy_list(&out->no_cache_stages, &from->no_cache_stages);
	copy_list(&out->rekey_secrets, &from->rekey_secrets);
	copy_list(&out->add_hosts, &from->add_hosts);
	copy_list(&out->labels, &from->labels);
}

const struct sb_strv *sb_build_result_lowers(const struct sb_build *build)
{
	return &build->stages.items[build->plan->target]->lowers;
}

static size_t n_all_steps(const struct sb_build *build)
{
	return build->n_steps_before + build->plan->n_steps + build->n_more_steps +
	       build->n_steps_after;
}

static int step_start(struct sb_build *build, const struct sb_stage *stage,
	const struct sb_instruction *instr, struct sb_error *err)
{
	/* As in the history. What a RUN says is kept, so it is shown. */
	sb_autofree char *shown =
		instr->kind == SB_INSTR_ADD ? sb_remote_hide_passwords(instr->text) : NULL;

	sb_events_set_step(++build->n_steps_begun, stage->name,
		build->is_one_of_several ? stage->shown_platform : NULL);
	sb_events_emit(&build->events, (struct sb_event){.kind = SB_EVENT_STEP_START,
					       .text = shown != NULL ? shown : instr->text,
					       .file = instr->at.file,
					       .line = instr->at.line,
					       .total = n_all_steps(build)});
	return sb_interrupt_check(build->interrupt, err);
}

/* Steps that make a layer have reported its digest (sb_commit); the others end here. */
static bool makes_layer(enum sb_instruction_kind kind)
{
	return kind == SB_INSTR_RUN || kind == SB_INSTR_COPY || kind == SB_INSTR_ADD;
}

static int status_of(const struct sb_error *err)
{
	if (err->code == SB_E_CANCELLED)
		return SB_STEP_CANCELLED;
	return err->step_status != 0 ? err->step_status : -1;
}

static void step_end(struct sb_build *build, const struct sb_instruction *instr, int rc,
	const struct sb_error *err)
{
	if (rc < 0)
		sb_events_emit(&build->events,
			(struct sb_event){.kind = SB_EVENT_STEP_END, .status = status_of(err)});
	else if (!makes_layer(instr->kind) && instr->kind != SB_INSTR_WORKDIR)
		sb_events_emit(&build->events, (struct sb_event){.kind = SB_EVENT_STEP_END});
}

static int stage_platform(struct sb_build *build, const struct sb_stage *stage,
	struct sb_platform *out, struct sb_error *err)
{
	*out = build->platform;
	return stage->platform != NULL ? sb_platform_parse(stage->platform, out, err) : 0;
}

static int start_stage(struct sb_build *build, const struct sb_stage *stage,
	struct sb_stage_state **out, struct sb_error *err)
{
	struct sb_platform platform;

	if (stage_platform(build, stage, &platform, err) < 0)
		return -1;
	switch (stage->base.kind) {
	case SB_BASE_SCRATCH:
		*out = sb_base_image_scratch(&platform);
		break;
	case SB_BASE_STAGE:
		*out = sb_stage_state_derive(build->stages.items[stage->base.stage]);
		break;
	case SB_BASE_CONTEXT:
	case SB_BASE_IMAGE:
		if (sb_base_image_load(build, &stage->base, &platform, out, err) < 0)
			return -1;
		break;
	}
	(*out)->escape = build->plan->buildfile->escape;
	return 0;
}

static void plan_from(
	struct sb_build *build, const struct sb_stage *stage, const struct sb_stage_state *state)
{
	sb_planned_begin(build->planned);
	build->planned->state = !state->is_unknown || stage->base.kind == SB_BASE_STAGE
					? SB_PLANNED_READY
					: SB_PLANNED_FETCH;
	sb_planned_end(build, stage, stage->from);
}

static int run_from(struct sb_build *build, const struct sb_stage *stage, struct sb_error *err)
{
	struct sb_stage_state **slot = &build->stages.items[stage->index];
	int rc = step_start(build, stage, stage->from, err);

	if (rc == 0 && build->planned != NULL)
		rc = sb_planned_stage(build, stage, err);
	if (rc == 0)
		rc = start_stage(build, stage, slot, err);
	if (rc < 0)
		(void)sb_error_locate(err, stage->from->at);
	else if (build->planned != NULL)
		plan_from(build, stage, *slot);
	step_end(build, stage->from, rc, err);
	return rc;
}

static int search_added(
	const struct sb_do *d, const char *what, const char *text, struct sb_error *err)
{
	if (sb_result_search_text(d->worker->search, what, text, strlen(text), err) == 0)
		return 0;
	(void)sb_error_context(err, "%s", sb_instruction_name(d->instr->kind));
	return sb_error_locate(err, d->instr->at);
}

/* What the instruction added to the history, or as a trigger, while its place in the Buildfile is
 * known. What a stage leaves behind that is no part of the image is nobody's to see. */
static int search_instruction(const struct sb_do *d, size_t n_before, struct sb_error *err)
{
	const struct sb_image_config *config = d->state->config;

	if (!sb_do_in_result(d))
		return 0;
	for (size_t i = n_before; i < config->history.len; i++)
		if (search_added(d, "history", config->history.items[i].created_by, err) < 0)
			return -1;
	return d->instr->trigger != NULL ? search_added(d, "triggers", d->instr->trigger->text, err)
					 : 0;
}

/* Indexes of stages. */
struct stage_list {
	SB_ARRAY_FIELDS(size_t);
};

static void list_stage(const struct sb_base *base, void *list)
{
	if (base->kind == SB_BASE_STAGE)
		*SB_ARRAY_ADD((struct stage_list *)list) = base->stage;
}

/* The stages that the instruction takes files from are built before it begins. */
static int wait_for_sources(
	struct sb_turn *turn, const struct stage_list *list, struct sb_error *err)
{
	for (size_t i = 0; i < list->len; i++)
		if (sb_turn_wait(turn, list->items[i], err) < 0)
			return -1;
	return 0;
}

/* One instruction as a step. */
static int run_step(struct sb_build *build, struct sb_turn *turn,
	const struct sb_instruction *instr, struct sb_error *err)
{
	const struct sb_stage *stage = turn->stage;
	const struct sb_do d = {.build = build,
		.state = build->stages.items[stage->index],
		.instr = instr,
		.stage = stage->index,
		.worker = turn->worker};
	const size_t n_before = d.state->config->history.len;
	int rc = step_start(build, stage, instr, err);

	if (build->planned != NULL)
		sb_planned_begin(build->planned);
	if (rc == 0)
		rc = sb_do_instruction(&d, err);
	if (rc == 0)
		rc = search_instruction(&d, n_before, err);
	if (build->planned != NULL)
		sb_planned_end(build, stage, instr);
	step_end(build, instr, rc, err);
	return rc;
}

static int run_own_step(struct sb_build *build, struct sb_turn *turn,
	const struct sb_instruction *instr, struct sb_error *err)
{
	struct stage_list sources = {0};
	int rc = sb_plan_visit_instruction(
		build->plan, turn->stage->index, instr, list_stage, &sources, err);

	if (rc == 0)
		rc = wait_for_sources(turn, &sources, err);
	SB_ARRAY_RELEASE(&sources);
	return rc < 0 ? -1 : run_step(build, turn, instr, err);
}

/* The image's text has no lines of its own: a message names FROM's. */
static int fail_trigger(const struct sb_stage *stage, const char *text, struct sb_error *err)
{
	sb_autofree char *shown = sb_remote_hide_passwords(text);

	(void)sb_error_context(err, "the base image's ONBUILD '%s'", shown);
	return sb_error_locate(err, stage->from->at);
}

/* What the base image left for its child to do. */
static int run_trigger(
	struct sb_build *build, struct sb_turn *turn, const char *text, struct sb_error *err)
{
	const struct sb_stage *stage = turn->stage;
	const struct sb_stage_state *state = build->stages.items[stage->index];
	SB_AUTO(sb_buildfile) parsed = NULL;
	struct stage_list sources = {0};

	if (sb_buildfile_parse_trigger(text, &parsed, err) < 0)
		return fail_trigger(stage, text, err);

	struct sb_instruction *instr = &parsed->instructions.items[0];

	instr->at = stage->from->at;
	if (sb_instruction_check(instr, state->escape, err) < 0 ||
		sb_plan_visit_instruction(
			build->plan, stage->index, instr, list_stage, &sources, err) < 0) {
		SB_ARRAY_RELEASE(&sources);
		return fail_trigger(stage, text, err);
	}

	/* What fails in another stage is no fault of the trigger. */
	const int rc = wait_for_sources(turn, &sources, err);

	SB_ARRAY_RELEASE(&sources);
	if (rc < 0)
		return -1;
	return run_step(build, turn, instr, err) < 0 ? fail_trigger(stage, text, err) : 0;
}

/* Right after FROM; they are not handed on. */
static int run_more_steps(struct sb_build *build, struct sb_turn *turn, struct sb_error *err)
{
	struct sb_image_config *config = build->stages.items[turn->stage->index]->config;
	SB_AUTO_STRV triggers = SB_STRV_INIT;

	sb_strv_copy(&triggers, &config->onbuild);
	sb_strv_clear(&config->onbuild);
	build->n_more_steps += triggers.len;
	for (size_t i = 0; i < triggers.len; i++)
		if (run_trigger(build, turn, triggers.items[i], err) < 0)
			return -1;
	return 0;
}

static int run_stage(struct sb_build *build, struct sb_turn *turn, struct sb_error *err)
{
	const struct sb_stage *stage = turn->stage;

	if (run_from(build, stage, err) < 0 || run_more_steps(build, turn, err) < 0)
		return -1;
	for (size_t i = stage->first; i < stage->end; i++)
		if (run_own_step(build, turn, &build->plan->buildfile->instructions.items[i], err) <
			0)
			return -1;
	/* From here on other threads read it. */
	(void)sb_stage_state_chain(build->stages.items[stage->index]);
	return 0;
}

/* The stages whose layers are the image's: the target and those it is FROM. */
static void mark_result(struct sb_build *build)
{
	const struct sb_plan *plan = build->plan;

	for (size_t i = 0; i < plan->stages.len; i++) {
		*SB_ARRAY_ADD(&build->stages) = NULL;
		*SB_ARRAY_ADD(&build->in_result) = false;
	}
	for (size_t i = plan->target;; i = plan->stages.items[i].base.stage) {
		build->in_result.items[i] = true;
		if (plan->stages.items[i].base.kind != SB_BASE_STAGE)
			break;
	}
}

static void warn_unused_args(struct sb_build *build)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	sb_args_unused(build->plan->buildfile, &build->plan->build_args, &names);
	for (size_t i = 0; i < names.len; i++) {
		sb_autofree char *text =
			sb_asprintf("the build argument '%s' is not used: no ARG has that name",
				names.items[i]);

		sb_events_warn(&build->events, text, NULL);
	}
}

static int run_all(struct sb_build *build, struct sb_descriptor *out, struct sb_error *err)
{
	const struct sb_plan *plan = build->plan;

	build->scanner = sb_scanner_new(build->secrets);
	sb_worker_init(&build->worker, build);
	mark_result(build);
	sb_events_emit(&build->events, (struct sb_event){.kind = SB_EVENT_BUILD_START,
					       .text = plan->buildfile->file,
					       .total = n_all_steps(build)});
	if (build->n_steps_before == 0)
		warn_unused_args(build);
	build->n_steps_begun = build->n_steps_before;
	if (sb_schedule_run(build, run_stage, err) < 0)
		return -1;
	if (build->planned != NULL)
		return 0;
	if (build->squash && sb_squash(build, build->stages.items[plan->target], err) < 0)
		return -1;
	return sb_result_write(build, out, err);
}

/* Also of a build that failed: the next one begins where it came to. */
static int settle(struct sb_build *build, struct sb_error *err)
{
	if (sb_snapshots_sync(build->snapshots, err) < 0)
		return -1;
	return build->cache != NULL ? sb_cache_save_files(build->cache, err) : 0;
}

int sb_build_run(struct sb_build *build, struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	const int rc = run_all(build, out, err);

	if (build->planned != NULL || (rc < 0 && sb_interrupt_is_signalled(build->interrupt)))
		return rc;
	if (settle(build, &failed) < 0) {
		if (rc == 0)
			sb_error_move(err, &failed);
		else
			sb_error_ignore(&failed, "the build's own failure is told");
		return -1;
	}
	return rc;
}
