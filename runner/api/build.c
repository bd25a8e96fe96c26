/* SPDX-License-Identifier: MIT */
#include "build/build.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>

#include "api/build_job.h"
#include "api/lint.h"
#include "base/mem.h"
#include "build/convert.h"
#include "build/planned.h"
#include "buildfile/excerpt.h"
#include "sandbox/network.h"
#include "sys/fd.h"

static void job_release(struct sb_build_job *job)
{
	sb_build_job_release_parts(job);
	sb_descriptor_release(&job->image);
	sb_descriptor_release(&job->attested);
	sb_wanted_bases_release(&job->wanted);
	sb_build_release(&job->build);
	sb_planned_free(job->build.planned);
	sb_cache_free(job->cache);
	sb_snapshots_free(job->snapshots);
	sb_resolved_release(&job->resolved);
	sb_promises_release(&job->promises);
	sb_sandboxes_end(&job->sandboxes);
	sb_exports_free(job->exports);
	sb_imports_free(job->imports);
	sb_cache_exports_free(job->cache_exports);
	sb_used_steps_free(job->used_steps);
	sb_buildfile_free(job->buildfile);
	sb_contexts_release(&job->contexts);
	sb_fd_closep(&job->buildfile_fd);
	sb_ssh_agents_release(&job->ssh);
	sb_secrets_free(job->secrets);
	sb_host_ids_release(&job->host);
	sb_strv_release(&job->tags);
	sb_strv_release(&job->build_args);
	sb_session_release(&job->session);
}

static void tell_host(struct sb_build_job *job)
{
	struct sb_events *events = &job->build.events;
	const bool default_network =
		job->options->network == NULL || strcmp(job->options->network, "default") == 0;
	const char *fix = NULL;
	const char *lacks = default_network ? sb_network_lacks(&fix) : NULL;

	if (job->host.notice != NULL)
		sb_events_notice(events, job->host.notice, job->host.hint);
	if (lacks == NULL)
		return;

	sb_autofree char *text = sb_asprintf("steps use the host's network: %s", lacks);
	sb_autofree char *hint =
		sb_asprintf("%s, or build with --network=none where steps need no network", fix);

	sb_events_notice(events, text, hint);
}

/* Rule of the leak search: nothing is skipped in silence. */
static void tell_weak_secrets(struct sb_build_job *job)
{
	for (size_t i = 0; i < sb_secrets_count(job->secrets); i++) {
		const struct sb_secret *secret = sb_secrets_at(job->secrets, i);
		const enum sb_secret_strength strength = sb_secret_strength(secret);

		if (strength == SB_SECRET_STRONG)
			continue;

		sb_autofree char *text = sb_asprintf("secret '%s' is too short or too common to be "
						     "%s",
			secret->id,
			strength == SB_SECRET_WEAK ? "searched for in every form: it is looked for "
						     "as a whole word only"
						   : "searched for or taken out of the output: "
						     "that it is nowhere can't be verified");

		sb_events_warn(&job->build.events, text,
			"random values of 8 bytes and more are searched for in full");
	}
}

static int start(struct sb_build_job *job, struct sb_error *err)
{
	if (!job->is_fetched && sb_build_job_enter(job, err) < 0)
		return -1;
	/* No dump of this process either: it has read the secrets. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

/* The ignore file of a context that was fetched is not looked at, so nothing is known of it. */
static int lint(struct sb_build_job *job, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	const struct sb_lint_sources sources = {
		.context = job->is_fetched ? NULL : &job->contexts.main,
		.root = job->options->root,
	};
	struct sb_lint_input input = {
		.target = job->options->target,
		.build_args = &job->build_args,
		.context_names = &names,
		.platform = job->build.platform,
		.build_platform = sb_platform_host(),
	};

	sb_contexts_names(&job->contexts, &names);
	return sb_lint_with(job->buildfile, &sources, &input, job->options->lint_report, err);
}

static int open_exports(struct sb_build_job *job, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;
	struct sb_output_option *outputs = sb_calloc(o->n_outputs + 1, sizeof(*outputs));
	size_t n = o->n_outputs;

	if (n > 0)
		memcpy(outputs, o->outputs, n * sizeof(*outputs));
	if (o->push)
		outputs[n++] = (struct sb_output_option){.type = SB_OUTPUT_REGISTRY};

	const int rc = sb_exports_open(outputs, n, &job->exports, err);

	free(outputs);
	return rc;
}

static int open_imports(struct sb_build_job *job, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;

	return o->n_cache_from > 0
		       ? sb_imports_open(o->cache_from, o->n_cache_from, &job->imports, err)
		       : 0;
}

static int load_imports(struct sb_build_job *job, struct sb_error *err)
{
	job->build.imports = job->imports;
	return job->imports != NULL ? sb_imports_load(job->imports, &job->build, err) : 0;
}

static int open_cache_exports(struct sb_build_job *job, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;

	if (o->n_cache_to == 0)
		return 0;
	job->build.used_steps = job->used_steps = sb_used_steps_new();
	return sb_cache_exports_open(o->cache_to, o->n_cache_to, &job->cache_exports, err);
}

/* One form for all outputs, as for the layers that the build makes. */
static int convert(struct sb_build_job *job, struct sb_error *err)
{
	bool is_forced = false;

	for (size_t i = 0; i < job->options->n_outputs; i++)
		is_forced = is_forced || job->options->outputs[i].force_compression;
	SB_ARRAY_FOREACH (&job->parts, part)
		if (is_forced && sb_convert_layers(job->session.store, job->build.compression,
					 job->build.compression_level, &part->manifest, err) < 0)
			return -1;
	return 0;
}

static int plan(struct sb_build_job *job, struct sb_error *err)
{
	job->build.planned = sb_planned_new();
	if (open_imports(job, err) < 0 || start(job, err) < 0 || load_imports(job, err) < 0 ||
		sb_ssh_agents_open(job->options->ssh, job->options->n_ssh, job->session.interrupt,
			&job->ssh, err) < 0 ||
		sb_build_job_run(job, err) < 0)
		return -1;
	*job->options->plan_report = sb_planned_finish(job->build.planned);
	return 0;
}

/* The outputs' own places are opened by open_exports. */
static int check_files(const struct sb_build_options *o, struct sb_error *err)
{
	const struct {
		const char *option;
		const char *path;
	} files[] = {
		{"--iidfile", o->iidfile},
		{"--metadata-file", o->metadata_file},
		{"--verification-file", o->verification_file},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i].path != NULL && sb_session_check_file(files[i].path, err) < 0)
			return sb_error_context(err, "%s", files[i].option);
	return 0;
}

static int run(struct sb_build_job *job, char *out_digest, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;

	if (sb_build_job_read_inputs(job, err) < 0)
		return -1;
	if (o->check_only)
		return o->lint_report != NULL ? lint(job, err) : 0;
	if (o->plan_report != NULL)
		return plan(job, err);
	if (check_files(o, err) < 0 || open_exports(job, err) < 0 || open_imports(job, err) < 0 ||
		open_cache_exports(job, err) < 0 || start(job, err) < 0)
		return -1;
	if (sb_ssh_agents_open(o->ssh, o->n_ssh, job->session.interrupt, &job->ssh, err) < 0)
		return -1;
	tell_host(job);
	tell_weak_secrets(job);
	if (load_imports(job, err) < 0)
		return -1;
	if (sb_build_job_run(job, err) < 0 || convert(job, err) < 0 ||
		sb_build_job_keep(job, err) < 0)
		return -1;
	sb_events_emit(
		&job->build.events, (struct sb_event){.kind = SB_EVENT_IMAGE,
					    .text = job->image.digest.text,
					    .name = job->tags.len > 0 ? job->tags.items[0] : NULL});
	if (out_digest != NULL)
		memcpy(out_digest, job->image.digest.text, sizeof(job->image.digest.text));
	return job->cache_exports != NULL
		       ? sb_cache_exports_write(job->cache_exports, &job->parts.items[0].build, err)
		       : 0;
}

int sb_build(const struct sb_build_options *options, char *out_digest, struct sb_error *err)
{
	__attribute__((cleanup(job_release))) struct sb_build_job job = {.options = options,
		.session = {.store_fd = -1},
		.contexts = {.main = {.fd = -1}},
		.buildfile_fd = -1};

	sb_resolved_init(&job.resolved);
	sb_promises_init(&job.promises);
	sb_build_init(&job.build, &job.resolved, &job.promises, &job.sandboxes);
	sb_events_init(&job.build.events, options->on_event, options->event_data);

	const int rc = run(&job, out_digest, err);

	if (rc < 0 && job.buildfile != NULL)
		sb_buildfile_show(job.buildfile, err);
	if (rc < 0)
		sb_session_redact_error(job.secrets, err);
	sb_events_emit(
		&job.build.events, (struct sb_event){.kind = SB_EVENT_BUILD_END, .status = rc});
	return rc;
}
