/* SPDX-License-Identifier: MIT */
#include "api/build_job.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/size.h"
#include "build/context_fetch.h"
#include "build/network.h"
#include "oci/reference.h"
#include "plan/check.h"
#include "sys/at.h"
#include "sys/fd.h"

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
static int open_fetched_buildfile(struct sb_build_job *job, const char *context, char **out_name,
	int *out_fd, struct sb_error *err)
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

static int open_buildfile(struct sb_build_job *job, const char *context, char **out_name,
	int *out_fd, struct sb_error *err)
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

static int load_buildfile(struct sb_build_job *job, const char *context, struct sb_error *err)
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
static void collect_build_args(struct sb_build_job *job)
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
static int choose_epoch(struct sb_build_job *job, struct sb_error *err)
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
		text = sb_env_get(&job->parts.items[0].plan->global_args, name);
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
static int choose_compression(struct sb_build_job *job, struct sb_error *err)
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

static int add_tag(struct sb_build_job *job, const char *tag, struct sb_error *err)
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
static int choose_outputs(struct sb_build_job *job, struct sb_error *err)
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

static int choose_lists(struct sb_build_job *job, struct sb_error *err)
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

static int choose(struct sb_build_job *job, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;

	collect_build_args(job);
	job->build.shm_bytes = 64 << 20;
	job->build.no_new_privs = o->strict;
	job->build.pull = o->pull;
	job->build.squash = o->squash;
	job->build.no_cache = o->no_cache;
	job->build.n_jobs = o->n_jobs;
	job->build.network_name = o->network != NULL ? o->network : "default";
	if (sb_build_job_choose_platforms(job, err) < 0)
		return -1;
	if (o->shm_size != NULL && sb_size_parse(o->shm_size, &job->build.shm_bytes, err) < 0)
		return sb_error_context(err, "--shm-size");
	if (choose_compression(job, err) < 0 || choose_lists(job, err) < 0)
		return -1;
	return sb_network_parse(
		o->network != NULL ? o->network : "default", &job->build.network, err);
}

int sb_build_job_enter(struct sb_build_job *job, struct sb_error *err)
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
static int open_context(struct sb_build_job *job, const char *context, struct sb_error *err)
{
	if (!job->is_fetched)
		return 0;
	return sb_build_job_enter(job, err) < 0
		       ? -1
		       : sb_context_fetch(&job->build, context, &job->contexts.main,
				 &job->buildfile_fd, err);
}

int sb_build_job_read_inputs(struct sb_build_job *job, struct sb_error *err)
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
	return sb_build_job_plan(job, err) < 0 ? -1 : choose_epoch(job, err);
}
