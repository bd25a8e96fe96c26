/* SPDX-License-Identifier: MIT */
#include "build/build.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "build/base_image.h"
#include "build/commit.h"
#include "build/context_view.h"
#include "build/instructions.h"
#include "build/planned.h"
#include "build/squash.h"
#include "leak/json_strings.h"
#include "leak/scan.h"
#include "plan/args.h"
#include "plan/check.h"
#include "plan/remote.h"
#include "plan/resolve.h"

void sb_build_release(struct sb_build *build)
{
	sb_events_release(&build->events);
	sb_sandbox_free(build->sandbox);
	sb_content_search_free(build->search);
	sb_scanner_free(build->scanner);
	sb_context_views_free(build->context_views);
	SB_ARRAY_FOREACH (&build->stages, stage)
		sb_stage_state_free(*stage);
	SB_ARRAY_RELEASE(&build->stages);
	SB_ARRAY_RELEASE(&build->in_result);
	SB_ARRAY_FOREACH (&build->resolved, resolved) {
		free(resolved->text);
		sb_descriptor_release(&resolved->descriptor);
	}
	SB_ARRAY_RELEASE(&build->resolved);
	sb_strv_release(&build->add_hosts);
	sb_strv_release(&build->labels);
	sb_strv_release(&build->no_cache_stages);
	sb_strv_release(&build->written_blobs);
	sb_strv_release(&build->rekey_secrets);
}

const struct sb_strv *sb_build_result_lowers(const struct sb_build *build)
{
	return &build->stages.items[build->plan->target]->lowers;
}

static int step_start(struct sb_build *build, const struct sb_stage *stage,
	const struct sb_instruction *instr, struct sb_error *err)
{
	/* As in the history. What a RUN says is kept, so it is shown. */
	sb_autofree char *shown =
		instr->kind == SB_INSTR_ADD ? sb_remote_hide_passwords(instr->text) : NULL;

	build->events.step++;
	build->events.stage = stage->name;
	sb_events_emit(
		&build->events, (struct sb_event){.kind = SB_EVENT_STEP_START,
					.text = shown != NULL ? shown : instr->text,
					.file = instr->at.file,
					.line = instr->at.line,
					.total = build->plan->n_steps + build->n_more_steps});
	return sb_interrupt_check(build->interrupt, err);
}

/* Steps that make a layer have reported its digest (sb_commit); the others end here. */
static bool makes_layer(enum sb_instruction_kind kind)
{
	return kind == SB_INSTR_RUN || kind == SB_INSTR_COPY || kind == SB_INSTR_ADD;
}

static void step_end(struct sb_build *build, const struct sb_instruction *instr, int rc,
	const struct sb_error *err)
{
	if (rc < 0)
		sb_events_emit(&build->events,
			(struct sb_event){.kind = SB_EVENT_STEP_END,
				.status = err->step_status != 0 ? err->step_status : -1});
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

/* The config is searched too: a value that came through an ARG is found in an ENV or a LABEL. */
static int search_text(struct sb_build *build, const char *what, const char *text, size_t len,
	struct sb_error *err)
{
	struct sb_leak leak;

	if (!sb_content_search_text(build->search, text, len, &leak))
		return 0;
	(void)sb_fail(err, SB_E_LEAK, "secret '%s' found in the image's %s (%s)", leak.secret_id,
		what, leak.form);
	return sb_error_hint(err, "ENV, LABEL, CMD and the history are part of the image: give the "
				  "secret to the step that "
				  "needs it with RUN --mount=type=secret");
}

struct json {
	struct sb_build *build;
	const char *what;
};

static int search_json_string(
	void *self, size_t offset, const char *bytes, size_t len, struct sb_error *err)
{
	const struct json *json = self;

	(void)offset;
	return search_text(json->build, json->what, bytes, len, err);
}

static int search_json(
	struct sb_build *build, const char *what, const struct sb_buf *text, struct sb_error *err)
{
	struct json json = {build, what};

	if (search_text(build, what, text->data, text->len, err) < 0)
		return -1;
	return sb_json_each_escaped(text->data, text->len, search_json_string, &json, err);
}

static int search_added(
	const struct sb_do *d, const char *what, const char *text, struct sb_error *err)
{
	if (search_text(d->build, what, text, strlen(text), err) == 0)
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

/* One instruction as a step. */
static int run_step(struct sb_build *build, const struct sb_stage *stage,
	const struct sb_instruction *instr, struct sb_error *err)
{
	const struct sb_do d = {.build = build,
		.state = build->stages.items[stage->index],
		.instr = instr,
		.stage = stage->index};
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

static int run_stage(struct sb_build *build, const struct sb_stage *stage, struct sb_error *err);

/* Indexes of stages. */
struct stage_list {
	SB_ARRAY_FIELDS(size_t);
};

static void list_stage(const struct sb_base *base, void *list)
{
	if (base->kind == SB_BASE_STAGE)
		*SB_ARRAY_ADD((struct stage_list *)list) = base->stage;
}

static int ensure_stages(
	struct sb_build *build, const struct stage_list *list, struct sb_error *err);

/* The plan does not know what the triggers of an image will ask for. */
static int ensure_stage(struct sb_build *build, size_t index, struct sb_error *err)
{
	const struct sb_stage *stage = &build->plan->stages.items[index];
	struct stage_list sources = {0};
	int rc = 0;

	if (build->stages.items[index] != NULL)
		return 0;
	build->n_more_steps += 1 + stage->end - stage->first;
	list_stage(&stage->base, &sources);
	rc = sb_plan_visit_sources(build->plan, stage, list_stage, &sources, err);
	if (rc == 0)
		rc = ensure_stages(build, &sources, err);
	SB_ARRAY_RELEASE(&sources);
	return rc < 0 ? -1 : run_stage(build, stage, err);
}

/* Stages only ever need earlier ones: this ends. */
static int ensure_stages(
	struct sb_build *build, const struct stage_list *list, struct sb_error *err)
{
	for (size_t i = 0; i < list->len; i++)
		if (ensure_stage(build, list->items[i], err) < 0)
			return -1;
	return 0;
}

/* The image's text has no lines of its own: a message names FROM's. */
static int fail_trigger(const struct sb_stage *stage, const char *text, struct sb_error *err)
{
	sb_autofree char *shown = sb_remote_hide_passwords(text);

	(void)sb_error_context(err, "the base image's ONBUILD '%s'", shown);
	return sb_error_locate(err, stage->from->at);
}

/* What the base image left for its child to do. */
static int run_trigger(struct sb_build *build, const struct sb_stage *stage, const char *text,
	struct sb_error *err)
{
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
	const int rc = ensure_stages(build, &sources, err);

	SB_ARRAY_RELEASE(&sources);
	if (rc < 0)
		return -1;
	return run_step(build, stage, instr, err) < 0 ? fail_trigger(stage, text, err) : 0;
}

/* Right after FROM; they are not handed on. */
static int run_more_steps(
	struct sb_build *build, const struct sb_stage *stage, struct sb_error *err)
{
	struct sb_image_config *config = build->stages.items[stage->index]->config;
	SB_AUTO_STRV triggers = SB_STRV_INIT;

	sb_strv_copy(&triggers, &config->onbuild);
	sb_strv_clear(&config->onbuild);
	build->n_more_steps += triggers.len;
	for (size_t i = 0; i < triggers.len; i++)
		if (run_trigger(build, stage, triggers.items[i], err) < 0)
			return -1;
	return 0;
}

static int run_stage(struct sb_build *build, const struct sb_stage *stage, struct sb_error *err)
{
	if (run_from(build, stage, err) < 0 || run_more_steps(build, stage, err) < 0)
		return -1;
	for (size_t i = stage->first; i < stage->end; i++)
		if (run_step(build, stage, &build->plan->buildfile->instructions.items[i], err) < 0)
			return -1;
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

static void apply_labels(const struct sb_build *build, struct sb_image_config *config)
{
	for (size_t i = 0; i < build->labels.len; i++) {
		const char *item = build->labels.items[i];
		sb_autofree char *key = sb_memdup0(item, strcspn(item, "="));

		sb_env_set(&config->labels, key, strchr(item, '=') + 1);
	}
}

static int search_labels(struct sb_build *build, struct sb_error *err)
{
	for (size_t i = 0; i < build->labels.len; i++) {
		const char *label = build->labels.items[i];

		if (search_text(build, "labels", label, strlen(label), err) < 0)
			return sb_error_context(err, "--label");
	}
	return 0;
}

static int write_config(struct sb_build *build, struct sb_image_config *config,
	struct sb_manifest *manifest, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);

	if (search_labels(build, err) < 0)
		return -1;
	apply_labels(build, config);
	sb_commit_fill_times(
		build, build->stages.items[build->plan->target]->n_base_history, config);
	if (sb_image_config_write(config, &json, err) < 0 ||
		search_json(build, "config", &json, err) < 0 ||
		sb_layout_put_bytes(
			build->store, json.data, json.len, &manifest->config.digest, err) < 0)
		return -1;
	build->config_digest = manifest->config.digest;
	manifest->config.media_type = sb_strdup(SB_MEDIA_OCI_CONFIG);
	manifest->config.size_bytes = json.len;
	return 0;
}

/* A base's layers keep their bytes; Docker's media types are OCI's under another name. */
static const char *oci_media_type(const char *media_type)
{
	if (strcmp(media_type, SB_MEDIA_DOCKER_LAYER_GZIP) == 0)
		return SB_MEDIA_OCI_LAYER_GZIP;
	if (strcmp(media_type, SB_MEDIA_DOCKER_LAYER) == 0)
		return SB_MEDIA_OCI_LAYER;
	return media_type;
}

/* Blobs that no image needs yet are kept for an hour after their last use. */
static int fail_removed(const struct sb_descriptor *layer, struct sb_error *err)
{
	(void)sb_fail(err, SB_E_NOT_FOUND,
		"layer %s was removed from the store while it was built on", layer->digest.text);
	return sb_error_hint(err, "build again");
}

static int write_image(struct sb_build *build, struct sb_descriptor *out, struct sb_error *err)
{
	const struct sb_stage_state *state = build->stages.items[build->plan->target];
	SB_AUTO(sb_image_config) config = sb_image_config_dup(state->config);
	SB_AUTO(sb_manifest) manifest = sb_manifest_new();
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);

	free(manifest->media_type);
	manifest->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	SB_ARRAY_FOREACH (&state->layers, layer) {
		struct sb_descriptor *copy = SB_ARRAY_ADD(&manifest->layers);

		sb_descriptor_copy(copy, layer);
		free(copy->media_type);
		copy->media_type = sb_strdup(oci_media_type(layer->media_type));
		if (!sb_layout_has_blob(build->store, &layer->digest))
			return fail_removed(layer, err);
	}
	if (write_config(build, config, manifest, err) < 0 ||
		sb_manifest_write(manifest, &json, err) < 0 ||
		sb_layout_put_bytes(build->store, json.data, json.len, &out->digest, err) < 0)
		return -1;
	out->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	out->size_bytes = json.len;
	out->platform = config->platform;
	return 0;
}

static void warn_unused_args(const struct sb_build *build)
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
	build->search = sb_content_search_new(build->scanner);
	mark_result(build);
	sb_events_emit(&build->events, (struct sb_event){.kind = SB_EVENT_BUILD_START,
					       .text = plan->buildfile->file,
					       .total = plan->n_steps});
	warn_unused_args(build);
	SB_ARRAY_FOREACH (&plan->stages, stage)
		if (stage->is_needed && run_stage(build, stage, err) < 0)
			return -1;
	build->events.step = 0;
	build->events.stage = NULL;
	if (build->planned != NULL)
		return 0;
	if (build->squash && sb_squash(build, build->stages.items[plan->target], err) < 0)
		return -1;
	return write_image(build, out, err);
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

	if (build->planned != NULL || (rc < 0 && sb_interrupt_is_pending(build->interrupt)))
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
