/* SPDX-License-Identifier: MIT */
#include "build/build.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/lint.h"
#include "api/session.h"
#include "api/verify.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/size.h"
#include "build/context_fetch.h"
#include "build/convert.h"
#include "build/export.h"
#include "build/network.h"
#include "build/planned.h"
#include "buildfile/excerpt.h"
#include "oci/reference.h"
#include "plan/check.h"
#include "safebuild.h"
#include "sandbox/network.h"
#include "sys/at.h"
#include "sys/atomic.h"
#include "sys/fd.h"

/* Everything that a build owns, released in one place. */
struct job {
	const struct sb_build_options *options;
	struct sb_session session;
	struct sb_secrets *secrets;
	struct sb_ssh_agents ssh;
	struct sb_contexts contexts;
	bool is_fetched;  /* the main context is no folder */
	int buildfile_fd; /* that context is a Buildfile itself; or -1 */
	struct sb_buildfile *buildfile;
	struct sb_plan *plan;
	struct sb_exports *exports;
	struct sb_host_ids host;
	struct sb_snapshots *snapshots;
	struct sb_cache *cache;
	struct sb_strv tags;       /* whole names */
	struct sb_strv build_args; /* NAME=value */
	struct sb_build build;
	struct sb_proof proof;         /* where one is asked for */
	struct sb_descriptor attested; /* the index that has the image and the proof; or unset */
};

static void job_release(struct job *job)
{
	struct sb_sandbox *sandbox = job->build.sandbox;

	job->build.sandbox = NULL;
	sb_descriptor_release(&job->attested);
	sb_proof_release(&job->proof);
	sb_build_release(&job->build);
	sb_planned_free(job->build.planned);
	sb_cache_free(job->cache);
	sb_snapshots_free(job->snapshots);
	/* Behind them: when we are killed while they remove what steps wrote, it removes the rest.
	 */
	sb_sandbox_free(sandbox);
	sb_exports_free(job->exports);
	sb_plan_free(job->plan);
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

static int read_text(int fd, const char *name, struct sb_buf *out, struct sb_error *err)
{
	if (sb_fd_read_all(fd, out, err) < 0)
		return sb_error_context(err, "'%s'", name);
	return 0;
}

static const char *const default_buildfiles[] = {"Buildfile", "Dockerfile"};
enum { N_DEFAULT_BUILDFILES = sizeof(default_buildfiles) / sizeof(default_buildfiles[0]) };

/* Buildfile, then Dockerfile, in the context, where none is named. */
static int open_default_buildfile(
	const char *context, char **out_name, int *out_fd, struct sb_error *err)
{
	for (size_t i = 0; i < N_DEFAULT_BUILDFILES; i++) {
		const char *name = default_buildfiles[i];
		sb_autofree char *path =
			strcmp(context, ".") == 0 ? sb_strdup(name) : sb_path_join(context, name);
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		if (sb_fd_open_user(path, "Buildfile", out_fd, &failed) == 0) {
			*out_name = SB_STEAL(path);
			return 0;
		}
		if (failed.code != SB_E_NOT_FOUND) {
			sb_error_move(err, &failed);
			return -1;
		}
	}
	if (access(context, F_OK) < 0)
		return sb_fail_errno(err, "build context '%s'", context);
	(void)sb_fail(err, SB_E_NOT_FOUND, "'%s' has no Buildfile and no Dockerfile", context);
	return sb_error_hint(err, "name one with -f FILE");
}

/* In a context that was fetched: links lead to what is in it, and nothing there makes us wait. */
static int open_fetched_buildfile(
	struct job *job, const char *context, char **out_name, int *out_fd, struct sb_error *err)
{
	const char *const *names =
		job->options->buildfile != NULL ? &job->options->buildfile : default_buildfiles;
	const size_t n = job->options->buildfile != NULL ? 1 : N_DEFAULT_BUILDFILES;

	for (size_t i = 0; i < n; i++) {
		sb_autofree char *path = sb_path_below_root(names[i]);
		struct stat st;

		*out_fd = sb_at_open_raw(job->contexts.main.fd, path, SB_AT_IN_ROOT,
			O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
		if (*out_fd < 0 && errno == ENOENT)
			continue;
		if (*out_fd < 0 || fstat(*out_fd, &st) < 0)
			return sb_fail_errno(err, "'%s' in the build context", names[i]);
		if (!S_ISREG(st.st_mode))
			return sb_fail(err, SB_E_USAGE, "'%s' in the build context is not a file",
				names[i]);
		*out_name = sb_strdup(names[i]);
		return 0;
	}
	if (job->options->buildfile != NULL)
		return sb_fail(err, SB_E_NOT_FOUND, "'%s': not found in the build context",
			job->options->buildfile);
	(void)sb_fail(err, SB_E_NOT_FOUND, "the build context%s has no Buildfile and no Dockerfile",
		strcmp(context, "-") == 0 ? " on standard input" : "");
	return sb_error_hint(err, "name one in it with -f FILE");
}

static int open_buildfile(
	struct job *job, const char *context, char **out_name, int *out_fd, struct sb_error *err)
{
	const char *named = job->options->buildfile;

	if (job->buildfile_fd >= 0) {
		if (named != NULL)
			return sb_fail(err, SB_E_USAGE,
				"'%s' can't be in a build context that is a Buildfile itself",
				named);
		*out_name = sb_strdup(strcmp(context, "-") == 0 ? "<stdin>" : "Buildfile");
		*out_fd = sb_fd_steal(&job->buildfile_fd);
		return 0;
	}
	if (named != NULL && strcmp(named, "-") == 0) {
		*out_name = sb_strdup("<stdin>");
		return sb_fd_dup(STDIN_FILENO, out_fd, err);
	}
	if (job->is_fetched)
		return open_fetched_buildfile(job, context, out_name, out_fd, err);
	if (named == NULL)
		return open_default_buildfile(context, out_name, out_fd, err);
	*out_name = sb_strdup(named);
	return sb_fd_open_user(named, "Buildfile", out_fd, err);
}

static int load_buildfile(struct job *job, const char *context, struct sb_error *err)
{
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_BUILDFILE);
	sb_autofree char *name = NULL;
	sb_autofd int fd = -1;

	if (open_buildfile(job, context, &name, &fd, err) < 0 ||
		read_text(fd, name, &text, err) < 0)
		return -1;
	return sb_buildfile_parse(name, text.data, text.len, &job->buildfile, err);
}

/* "K" without a value is the environment's; unset there, it is left out. */
static void collect_build_args(struct job *job)
{
	for (const char *const *arg = job->options->build_args; arg != NULL && *arg != NULL;
		arg++) {
		const char *equals = strchr(*arg, '=');
		sb_autofree char *key = equals != NULL ? sb_memdup0(*arg, (size_t)(equals - *arg))
						       : sb_strdup(*arg);
		const char *value = equals != NULL ? equals + 1 : getenv(key);

		if (value != NULL)
			sb_env_set(&job->build_args, key, value);
	}
}

/* The option, the build argument, the environment, and last an ARG before the first FROM. */
static int choose_epoch(struct job *job, struct sb_error *err)
{
	static const char name[] = "SOURCE_DATE_EPOCH";
	const char *text = sb_env_get(&job->build_args, name);
	uint64_t seconds = 0;

	job->build.source_date_epoch = job->options->source_date_epoch;
	if (job->build.source_date_epoch >= 0)
		return 0;
	if (text == NULL)
		text = getenv(name);
	if (text == NULL)
		text = sb_env_get(&job->plan->global_args, name);
	if (text == NULL || text[0] == '\0')
		return 0;
	if (!sb_number_parse(text, 10, INT64_MAX / 2, &seconds))
		return sb_fail(err, SB_E_USAGE,
			"invalid SOURCE_DATE_EPOCH '%s': whole seconds since 1970 are wanted",
			text);
	job->build.source_date_epoch = (int64_t)seconds;
	return 0;
}

/* One form for all outputs: the store's blobs are what is exported. */
static int choose_compression(struct job *job, struct sb_error *err)
{
	const char *chosen = NULL;

	for (size_t i = 0; i < job->options->n_outputs; i++) {
		const struct sb_output_option *o = &job->options->outputs[i];

		if (o->compression == NULL)
			continue;
		if (chosen != NULL && strcmp(chosen, o->compression) != 0)
			return sb_fail(err, SB_E_UNSUPPORTED,
				"outputs of one build with different compressions ('%s' and '%s')",
				chosen, o->compression);
		chosen = o->compression;
		job->build.compression_level = o->compression_level;
	}
	return chosen != NULL ? sb_compression_parse(chosen, &job->build.compression, err) : 0;
}

static int add_tag(struct job *job, const char *tag, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};

	if (sb_reference_parse(tag, &ref, err) < 0)
		return -1;
	if (sb_digest_is_set(&ref.digest))
		return sb_fail(err, SB_E_USAGE, "'%s': a name to give has no digest", tag);

	char *name = sb_reference_format(&ref);

	if (sb_strv_contains(&job->tags, name))
		free(name);
	else
		sb_strv_add_nodup(&job->tags, name);
	return 0;
}

/* What is said on the command line before the first step runs, not after the last. */
static int choose_outputs(struct job *job, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;
	bool to_tags = o->push;

	for (size_t i = 0; i < o->n_outputs; i++) {
		const struct sb_output_option *output = &o->outputs[i];

		if (output->type == SB_OUTPUT_REGISTRY && output->name == NULL)
			to_tags = true;
		if (output->type == SB_OUTPUT_STORE && output->name != NULL &&
			add_tag(job, output->name, err) < 0)
			return sb_error_context(err, "--output");
	}
	if (!to_tags || job->tags.len > 0)
		return 0;
	(void)sb_fail(err, SB_E_USAGE, "the image has no name to be pushed to");
	return sb_error_hint(
		err, "give one: -t HOST/NAME:TAG, or -o type=registry,name=HOST/NAME:TAG");
}

static int choose_lists(struct job *job, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;

	for (const char *const *tag = o->tags; tag != NULL && *tag != NULL; tag++)
		if (add_tag(job, *tag, err) < 0)
			return sb_error_context(err, "--tag");
	if (choose_outputs(job, err) < 0)
		return -1;
	job->build.auth_file = o->auth_file;
	for (const char *const *label = o->labels; label != NULL && *label != NULL; label++) {
		if (strchr(*label, '=') == NULL || (*label)[0] == '=')
			return sb_fail(err, SB_E_USAGE, "--label '%s' is not KEY=VALUE", *label);
		if (sb_config_text_check(*label, err) < 0)
			return sb_error_context(err, "--label");
		sb_strv_add(&job->build.labels, *label);
	}
	for (const char *const *stage = o->no_cache_filter; stage != NULL && *stage != NULL;
		stage++)
		sb_strv_add(&job->build.no_cache_stages, *stage);
	for (size_t i = 0; i < o->n_secrets; i++)
		if (o->secrets[i].rekey)
			sb_strv_add(&job->build.rekey_secrets, o->secrets[i].id);
	for (const char *const *host = o->add_hosts; host != NULL && *host != NULL; host++)
		if (sb_network_parse_host(*host, &job->build.add_hosts, err) < 0)
			return -1;
	return 0;
}

static int choose(struct job *job, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;

	collect_build_args(job);
	job->build.platform = sb_platform_host();
	job->build.shm_bytes = 64 << 20;
	job->build.no_new_privs = o->strict;
	job->build.pull = o->pull;
	job->build.squash = o->squash;
	job->build.no_cache = o->no_cache;
	job->build.network_name = o->network != NULL ? o->network : "default";
	if (o->platform != NULL && sb_platform_parse(o->platform, &job->build.platform, err) < 0)
		return sb_error_context(err, "--platform");
	if (o->shm_size != NULL && sb_size_parse(o->shm_size, &job->build.shm_bytes, err) < 0)
		return sb_error_context(err, "--shm-size");
	if (choose_compression(job, err) < 0 || choose_lists(job, err) < 0)
		return -1;
	return sb_network_parse(
		o->network != NULL ? o->network : "default", &job->build.network, err);
}

static int make_plan(struct job *job, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	sb_contexts_names(&job->contexts, &names);

	const struct sb_plan_options options = {
		.target = job->options->target,
		.build_args = &job->build_args,
		.context_names = &names,
		.build_platform = sb_platform_host(),
		.target_platform = job->build.platform,
	};

	return sb_plan_new(job->buildfile, &options, &job->plan, err);
}

/* The store, and the namespaces that it is used in. */
static int enter(struct job *job, struct sb_error *err)
{
	struct sb_build *build = &job->build;

	/* The store is opened after the mount namespace is entered: overlayfs takes layers only
	 * from mounts of the namespace it is mounted in. */
	if (sb_userns_enter(&job->host, err) < 0)
		return -1;
	sb_contexts_enter(&job->contexts);
	if (sb_session_open(job->options->root, &job->session, err) < 0 ||
		sb_snapshots_open(job->session.store_fd, &job->host, &job->snapshots, err) < 0 ||
		sb_cache_open(job->session.store_fd, job->snapshots, &job->cache, err) < 0)
		return -1;
	build->store = job->session.store;
	build->store_fd = job->session.store_fd;
	build->snapshots = job->snapshots;
	build->cache = job->cache;
	build->host = &job->host;
	build->secrets = job->secrets;
	build->ssh = &job->ssh;
	build->interrupt = job->session.interrupt;
	build->contexts = &job->contexts;
	return 0;
}

/* A context that is no folder is in the store for as long as the build runs. */
static int open_context(struct job *job, const char *context, struct sb_error *err)
{
	if (!job->is_fetched)
		return 0;
	return enter(job, err) < 0 ? -1
				   : sb_context_fetch(&job->build, context, &job->contexts.main,
					     &job->buildfile_fd, err);
}

/* What can be known and refused before anything is touched. */
static int read_inputs(struct job *job, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;
	const char *context = o->context != NULL ? o->context : ".";
	const bool is_stdin = o->buildfile != NULL && strcmp(o->buildfile, "-") == 0;

	job->is_fetched = sb_context_is_fetched(context);
	if (sb_session_read_secrets(o->secrets, o->n_secrets, &job->secrets, err) < 0)
		return -1;
	sb_events_hide(&job->build.events, job->secrets);
	if (choose(job, err) < 0 || open_context(job, context, err) < 0 ||
		load_buildfile(job, context, err) < 0 ||
		(!job->is_fetched &&
			sb_contexts_open_main(context, is_stdin ? NULL : job->buildfile->file,
				&job->contexts, err) < 0) ||
		sb_contexts_open_named(o->build_contexts, &job->contexts, err) < 0)
		return -1;
	return make_plan(job, err) < 0 ? -1 : choose_epoch(job, err);
}

static void tell_host(struct job *job)
{
	const struct sb_events *events = &job->build.events;
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
static void tell_weak_secrets(const struct job *job)
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

static int start(struct job *job, struct sb_error *err)
{
	if (!job->is_fetched && enter(job, err) < 0)
		return -1;
	/* No dump of this process either: it has read the secrets. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	job->build.plan = job->plan;
	return 0;
}

/* As buildx writes it. Digests and whole names need no escaping. */
static int write_metadata(
	const struct job *job, const struct sb_descriptor *manifest, struct sb_error *err)
{
	sb_autofree char *names = sb_strv_join(&job->tags, ",");
	sb_autofree char *name_line = names[0] != '\0'
					      ? sb_asprintf(",\n  \"image.name\": \"%s\"", names)
					      : sb_strdup("");
	sb_autofree char *proof_line =
		job->proof.json != NULL
			? sb_asprintf(",\n  \"safebuild.verification\": %s", job->proof.json)
			: sb_strdup("");
	sb_autofree char *json =
		sb_asprintf("{\n  \"containerimage.config.digest\": \"%s\",\n"
			    "  \"containerimage.digest\": \"%s\",\n"
			    "  \"containerimage.descriptor\": {\"mediaType\": \"%s\", "
			    "\"digest\": \"%s\", \"size\": %llu}%s%s\n}\n",
			job->build.config_digest.text, manifest->digest.text, manifest->media_type,
			manifest->digest.text, (unsigned long long)manifest->size_bytes, name_line,
			proof_line);

	return sb_session_write_file(job->options->metadata_file, json, strlen(json), err);
}

static bool wants_attestation(const struct sb_build_options *o)
{
	for (size_t i = 0; i < o->n_outputs; i++)
		if (o->outputs[i].has_attestation)
			return true;
	return false;
}

/* The record is written also where it tells of a secret: that is when it is needed most. */
static int prove(struct job *job, const struct sb_descriptor *manifest, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;
	const bool attests = wants_attestation(o);
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	int rc = 0;

	if (!o->verify && o->verification_file == NULL && !attests)
		return 0;
	rc = sb_proof_make(&job->build, manifest, &job->proof, err);
	if (job->proof.json != NULL && (o->verify || o->verification_file != NULL) &&
		sb_proof_write(&job->proof, o->verification_file, o->outputs, o->n_outputs,
			rc < 0 ? &failed : err) < 0) {
		if (rc == 0)
			return sb_error_context(err, "verification record");
		sb_error_ignore(&failed, "what the record would say is what is told");
	}
	if (rc < 0 || !attests)
		return rc;
	return sb_proof_attest(&job->proof, job->session.store, manifest,
		job->tags.len > 0 ? job->tags.items[0] : NULL, &job->attested, err);
}

/* Names are in the index of the store and of archives, and in the metadata file. */
static int search_name(
	const struct job *job, const char *option, const char *name, struct sb_error *err)
{
	struct sb_leak leak;

	if (name == NULL || !sb_content_search_text(job->build.search, name, strlen(name), &leak))
		return 0;
	return sb_fail(err, SB_E_LEAK, "%s: secret '%s' found in the image's name (%s)", option,
		leak.secret_id, leak.form);
}

static int search_names(const struct job *job, struct sb_error *err)
{
	for (size_t i = 0; i < job->tags.len; i++)
		if (search_name(job, "--tag", job->tags.items[i], err) < 0)
			return -1;
	for (size_t i = 0; i < job->options->n_outputs; i++)
		if (search_name(job, "--output", job->options->outputs[i].name, err) < 0)
			return -1;
	return 0;
}

static int keep(struct job *job, const struct sb_descriptor *manifest, struct sb_error *err)
{
	if (search_names(job, err) < 0 || prove(job, manifest, err) < 0)
		return -1;
	if (sb_exports_has_store(job->exports)) {
		if (job->tags.len == 0 &&
			sb_layout_add(job->session.store, manifest, NULL, err) < 0)
			return -1;
		for (size_t i = 0; i < job->tags.len; i++)
			if (sb_layout_add(job->session.store, manifest, job->tags.items[i], err) <
				0)
				return -1;
	}
	if (sb_exports_write(job->exports, &job->build, manifest, &job->attested, &job->tags, err) <
		0)
		return -1;
	if (job->options->iidfile != NULL &&
		sb_session_write_file(job->options->iidfile, manifest->digest.text,
			strlen(manifest->digest.text), err) < 0)
		return sb_error_context(err, "--iidfile");
	if (job->options->metadata_file != NULL && write_metadata(job, manifest, err) < 0)
		return sb_error_context(err, "--metadata-file");
	return 0;
}

/* The ignore file of a context that was fetched is not looked at, so nothing is known of it. */
static int lint(struct job *job, struct sb_error *err)
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

static int open_exports(struct job *job, struct sb_error *err)
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

/* One form for all outputs, as for the layers that the build makes. */
static int convert(struct job *job, struct sb_descriptor *manifest, struct sb_error *err)
{
	for (size_t i = 0; i < job->options->n_outputs; i++)
		if (job->options->outputs[i].force_compression)
			return sb_convert_layers(job->session.store, job->build.compression,
				job->build.compression_level, manifest, err);
	return 0;
}

static int plan(struct job *job, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptor) none = {0};

	job->build.planned = sb_planned_new();
	if (start(job, err) < 0 ||
		sb_ssh_agents_open(job->options->ssh, job->options->n_ssh, job->session.interrupt,
			&job->ssh, err) < 0 ||
		sb_build_run(&job->build, &none, err) < 0)
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

static int run(struct job *job, char *out_digest, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptor) manifest = {0};
	const struct sb_build_options *o = job->options;

	sb_events_init(&job->build.events, o->on_event, o->event_data);
	if (read_inputs(job, err) < 0)
		return -1;
	if (o->check_only)
		return o->lint_report != NULL ? lint(job, err) : 0;
	if (o->plan_report != NULL)
		return plan(job, err);
	if (check_files(o, err) < 0 || open_exports(job, err) < 0 || start(job, err) < 0)
		return -1;
	if (sb_ssh_agents_open(o->ssh, o->n_ssh, job->session.interrupt, &job->ssh, err) < 0)
		return -1;
	tell_host(job);
	tell_weak_secrets(job);
	if (sb_build_run(&job->build, &manifest, err) < 0 || convert(job, &manifest, err) < 0 ||
		keep(job, &manifest, err) < 0)
		return -1;
	sb_events_emit(
		&job->build.events, (struct sb_event){.kind = SB_EVENT_IMAGE,
					    .text = manifest.digest.text,
					    .name = job->tags.len > 0 ? job->tags.items[0] : NULL});
	if (out_digest != NULL)
		memcpy(out_digest, manifest.digest.text, sizeof(manifest.digest.text));
	return 0;
}

int sb_build(const struct sb_build_options *options, char *out_digest, struct sb_error *err)
{
	__attribute__((cleanup(job_release))) struct job job = {.options = options,
		.session = {.store_fd = -1},
		.contexts = {.main = {.fd = -1}},
		.buildfile_fd = -1};
	const int rc = run(&job, out_digest, err);

	if (rc < 0 && job.buildfile != NULL)
		sb_buildfile_show(job.buildfile, err);
	if (rc < 0)
		sb_session_redact_error(job.secrets, err);
	sb_events_emit(
		&job.build.events, (struct sb_event){.kind = SB_EVENT_BUILD_END, .status = rc});
	return rc;
}
