/* SPDX-License-Identifier: MIT */
#include "api/build_job.h"

#include "base/mem.h"
#include "build/planned.h"

/* One that is named twice, maybe by another of its names, is built once. */
static void add_part(struct sb_build_job *job, const struct sb_platform *platform)
{
	SB_ARRAY_FOREACH (&job->parts, part)
		if (sb_platform_is_same(&part->platform, platform))
			return;
	*SB_ARRAY_ADD(&job->parts) = (struct sb_build_part){.platform = *platform};
}

/* What can't hold the image is refused before the first step. */
static int check_outputs(const struct sb_build_job *job, struct sb_error *err)
{
	for (size_t i = 0; job->parts.len > 1 && i < job->options->n_outputs; i++) {
		const char *type = sb_export_single_platform(job->options->outputs[i].type);

		if (type == NULL)
			continue;
		(void)sb_fail(err, SB_E_USAGE,
			"an output of type=%s holds one platform, and --platform names %zu", type,
			job->parts.len);
		return sb_error_hint(err, "type=oci, local, registry and store hold several; or "
					  "build with one --platform");
	}
	return 0;
}

int sb_build_job_choose_platforms(struct sb_build_job *job, struct sb_error *err)
{
	const char *const *names = job->options->platforms;

	for (; names != NULL && *names != NULL; names++) {
		struct sb_platform platform;

		if (sb_platform_parse(*names, &platform, err) < 0)
			return sb_error_context(err, "--platform");
		add_part(job, &platform);
	}
	if (job->parts.len == 0) {
		const struct sb_platform host = sb_platform_host();

		add_part(job, &host);
	}
	job->build.platform = job->parts.items[0].platform;
	return check_outputs(job, err);
}

int sb_build_job_plan(struct sb_build_job *job, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	sb_contexts_names(&job->contexts, &names);
	SB_ARRAY_FOREACH (&job->parts, part) {
		const struct sb_plan_options options = {
			.target = job->options->target,
			.build_args = &job->build_args,
			.context_names = &names,
			.build_platform = sb_platform_host(),
			.target_platform = part->platform,
		};

		if (sb_plan_new(job->buildfile, &options, &part->plan, err) < 0 ||
			sb_wanted_bases_add(&job->wanted, part->plan, &part->platform, err) < 0)
			return -1;
	}
	return 0;
}

static size_t n_planned_steps(const struct sb_build_job *job, size_t from)
{
	size_t n = 0;

	for (size_t i = from; i < job->parts.len; i++)
		n += job->parts.items[i].plan->n_steps;
	return n;
}

static void fork_part(struct sb_build_job *job, size_t i)
{
	struct sb_build_part *part = &job->parts.items[i];
	const struct sb_build *before = i > 0 ? &job->parts.items[i - 1].build : NULL;

	sb_build_fork(&job->build, &part->platform, part->plan, &part->build);
	part->is_begun = true;
	part->build.wanted = &job->wanted;
	part->build.is_one_of_several = job->parts.len > 1;
	part->build.n_steps_after = n_planned_steps(job, i + 1);
	if (before != NULL)
		part->build.n_steps_before =
			before->n_steps_before +
			(uint32_t)(before->plan->n_steps + before->n_more_steps);
	if (part->build.planned != NULL)
		sb_planned_begin_platform(part->build.planned);
}

/* Once more where a cache had promised a layer that it then did not have. */
static int run_part(struct sb_build_job *job, struct sb_build_part *part, struct sb_error *err)
{
	const size_t n_used = sb_used_steps_count(job->used_steps);
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_build_run(&part->build, &part->manifest, &failed) == 0)
		return 0;
	if (failed.code == SB_E_CANCELLED || !sb_promises_must_restart(&job->promises)) {
		sb_error_move(err, &failed);
		return -1;
	}

	sb_autofree char *text = sb_asprintf(
		"the build begins again, since a layer is not there: %s", failed.message);

	sb_events_warn(&job->build.events, text, NULL);
	sb_build_restart(&part->build);
	sb_used_steps_cut(job->used_steps, n_used);
	return sb_build_run(&part->build, &part->manifest, err);
}

static int fail_part(
	const struct sb_build_job *job, const struct sb_build_part *part, struct sb_error *err)
{
	sb_autofree char *name = sb_platform_format(&part->platform);

	return job->parts.len > 1 ? sb_error_context(err, "%s", name) : -1;
}

int sb_build_job_run(struct sb_build_job *job, struct sb_error *err)
{
	for (size_t i = 0; i < job->parts.len; i++) {
		struct sb_build_part *part = &job->parts.items[i];

		fork_part(job, i);
		if (run_part(job, part, err) < 0)
			return fail_part(job, part, err);
		/* As asked for: a stage of another platform (FROM --platform) may be the target. */
		if (job->parts.len > 1)
			part->manifest.platform = part->platform;
	}
	return 0;
}

void sb_build_job_release_parts(struct sb_build_job *job)
{
	SB_ARRAY_FOREACH (&job->parts, part) {
		if (part->is_begun)
			sb_build_release(&part->build);
		sb_descriptor_release(&part->manifest);
		sb_descriptor_release(&part->attestation);
		sb_proof_release(&part->proof);
		sb_plan_free(part->plan);
	}
	SB_ARRAY_RELEASE(&job->parts);
}
