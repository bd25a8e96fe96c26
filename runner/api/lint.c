/* SPDX-License-Identifier: MIT */
#include "api/lint.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/session.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "buildfile/excerpt.h"
#include "lint/secret_name.h"
#include "lint/secret_value.h"
#include "oci/image.h"
#include "oci/layout.h"
#include "oci/reference.h"
#include "plan/plan.h"
#include "safebuild.h"
#include "sys/fd.h"

/* What the answers are made from. */
struct answerer {
	const struct sb_lint_sources *sources;
	const struct sb_platform *want;
	bool is_store_tried;
	struct sb_layout *store; /* NULL: there is none */
	SB_ARRAY(struct sb_image *) images;
};

static void answerer_release(struct answerer *a)
{
	SB_ARRAY_FOREACH (&a->images, image)
		sb_image_free(*image);
	SB_ARRAY_RELEASE(&a->images);
	sb_layout_free(a->store);
}

static enum sb_answer has_ignore_file(void *data)
{
	const struct answerer *a = data;

	return a->sources->context->ignore != NULL ? SB_ANSWER_YES : SB_ANSWER_NO;
}

static enum sb_answer is_ignored(const char *path, void *data)
{
	const struct answerer *a = data;
	const struct sb_ignore *ignore = a->sources->context->ignore;

	/* The root itself is always there. */
	return ignore != NULL && strcmp(path, ".") != 0 && sb_ignore_excludes(ignore, path) &&
			       !sb_ignore_may_include_below(ignore, path)
		       ? SB_ANSWER_YES
		       : SB_ANSWER_NO;
}

/* For reading: where there is no store, none is made. */
static int open_store(const struct answerer *a, struct sb_layout **out, struct sb_error *err)
{
	sb_autofree char *root = sb_session_choose_root(a->sources->root, err);
	sb_autofd int fd = -1;

	if (root == NULL || sb_fd_open_dir_user(root, "store", &fd, err) < 0)
		return -1;
	return sb_layout_open(fd, false, out, err);
}

static int find_image(
	struct answerer *a, const char *name, struct sb_image **out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_VALUE(sb_descriptor) d = {0};

	if (sb_reference_parse(name, &ref, err) < 0)
		return -1;

	sb_autofree char *whole = sb_reference_format(&ref);

	if (sb_layout_find(a->store, whole, &d, err) < 0)
		return -1;
	return sb_image_from_layout(a->store, &d, a->want, out, err);
}

static enum sb_answer image(const char *name, struct sb_lint_image *out, void *data)
{
	struct answerer *a = data;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_image *found = NULL;

	if (!a->is_store_tried && open_store(a, &a->store, &err) < 0)
		sb_error_ignore(&err, "without a store, nothing is known of images");
	a->is_store_tried = true;
	if (a->store == NULL)
		return SB_ANSWER_UNKNOWN;
	if (find_image(a, name, &found, &err) < 0) {
		sb_error_ignore(&err, "nothing is known of an image that is not there");
		return SB_ANSWER_UNKNOWN;
	}
	*SB_ARRAY_ADD(&a->images) = found;
	*out = (struct sb_lint_image){
		found->config->platform, &found->config->env, found->config->user};
	return SB_ANSWER_YES;
}

int sb_lint_with(const struct sb_buildfile *buildfile, const struct sb_lint_sources *sources,
	struct sb_lint_input *input, struct sb_lint_report **out, struct sb_error *err)
{
	__attribute__((cleanup(answerer_release))) struct answerer a = {
		.sources = sources, .want = &input->platform};

	input->answers = (struct sb_lint_answers){.image = image, .data = &a};
	if (sources->context != NULL) {
		input->answers.has_ignore_file = has_ignore_file;
		input->answers.is_ignored = is_ignored;
	}
	if (input->build_args != NULL)
		input->check = sb_env_get(input->build_args, "BUILDKIT_DOCKERFILE_CHECK");
	return sb_lint_buildfile(buildfile, input, out, err);
}

/* What a call of sb_lint owns. */
struct job {
	const struct sb_lint_options *options;
	char *name; /* the Buildfile's, as messages have it */
	char *dir;  /* the context, or NULL */
	int fd;
	struct sb_contexts contexts;
	struct sb_buildfile *buildfile;
	struct sb_strv build_args;
	struct sb_strv skip;
	struct sb_strv experimental;
};

static void job_release(struct job *job)
{
	free(job->name);
	free(job->dir);
	sb_fd_closep(&job->fd);
	sb_contexts_release(&job->contexts);
	sb_buildfile_free(job->buildfile);
	sb_strv_release(&job->build_args);
	sb_strv_release(&job->skip);
	sb_strv_release(&job->experimental);
}

static void add_all(struct sb_strv *out, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		sb_strv_add(out, *list);
}

/* "K" without a value is the environment's, as for a build. */
static void add_build_args(struct sb_strv *out, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++) {
		const char *equals = strchr(*list, '=');
		sb_autofree char *key = equals != NULL ? sb_memdup0(*list, (size_t)(equals - *list))
						       : sb_strdup(*list);
		const char *value = equals != NULL ? equals + 1 : getenv(key);

		if (value != NULL)
			sb_env_set(out, key, value);
	}
}

/* Buildfile, then Dockerfile, in a folder. */
static int open_in_folder(struct job *job, const char *dir, struct sb_error *err)
{
	static const char *const names[] = {"Buildfile", "Dockerfile"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		sb_autofree char *path =
			strcmp(dir, ".") == 0 ? sb_strdup(names[i]) : sb_path_join(dir, names[i]);
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		if (sb_fd_open_user(path, "Buildfile", &job->fd, &failed) == 0) {
			job->name = SB_STEAL(path);
			return 0;
		}
		if (failed.code != SB_E_NOT_FOUND) {
			sb_error_move(err, &failed);
			return -1;
		}
		sb_error_ignore(&failed, "the next name may be there");
	}
	(void)sb_fail(err, SB_E_NOT_FOUND, "'%s' has no Buildfile and no Dockerfile", dir);
	return sb_error_hint(err, "name the file: safebuild lint FILE");
}

static int open_buildfile(struct job *job, struct sb_error *err)
{
	const struct sb_lint_options *o = job->options;
	const char *file = o->buildfile;
	struct stat st;

	job->dir = sb_strdup_or_null(o->context);
	if (file != NULL && strcmp(file, "-") == 0) {
		job->name = sb_strdup("<stdin>");
		return sb_fd_dup(STDIN_FILENO, &job->fd, err);
	}
	if (file == NULL || (stat(file, &st) == 0 && S_ISDIR(st.st_mode))) {
		const char *dir = file != NULL ? file : o->context != NULL ? o->context : ".";

		if (job->dir == NULL)
			job->dir = sb_strdup(dir);
		return open_in_folder(job, dir, err);
	}
	job->name = sb_strdup(file);
	if (job->dir == NULL)
		job->dir = sb_path_dir(file);
	return sb_fd_open_user(file, "Buildfile", &job->fd, err);
}

/* Wrong names of stages, variables that can't be expanded: what a build would refuse too. A base
 * whose name needs a build argument is for the rules. */
static int check_plan(
	const struct job *job, const struct sb_lint_input *input, struct sb_error *err)
{
	const struct sb_plan_options options = {
		.target = input->target,
		.build_args = input->build_args,
		.build_platform = input->build_platform,
		.target_platform = input->platform,
	};
	SB_AUTO(sb_plan) plan = NULL;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_plan_new(job->buildfile, &options, &plan, &failed) == 0)
		return 0;
	SB_ARRAY_FOREACH (&job->buildfile->instructions, instr)
		if (instr->kind == SB_INSTR_FROM && failed.at.line == instr->at.line &&
			strchr(instr->words.items[0], '$') != NULL)
			failed.code = SB_E_UNSUPPORTED;
	if (failed.code == SB_E_SYNTAX || failed.code == SB_E_USAGE) {
		sb_error_move(err, &failed);
		return -1;
	}
	sb_error_ignore(&failed, "a build would say so");
	return 0;
}

static int lint(struct job *job, struct sb_lint_report **out, struct sb_error *err)
{
	const struct sb_lint_options *o = job->options;
	struct sb_lint_input input = {
		.target = o->target,
		.build_args = &job->build_args,
		.skip = &job->skip,
		.experimental = &job->experimental,
		.platform = sb_platform_host(),
		.build_platform = sb_platform_host(),
	};
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_BUILDFILE);

	add_build_args(&job->build_args, o->build_args);
	add_all(&job->skip, o->skip);
	add_all(&job->experimental, o->experimental);
	if (o->platform != NULL && sb_platform_parse(o->platform, &input.platform, err) < 0)
		return sb_error_context(err, "--platform");
	if (open_buildfile(job, err) < 0)
		return -1;
	if (sb_fd_read_all(job->fd, &text, err) < 0)
		return sb_error_context(err, "'%s'", job->name);
	if (sb_buildfile_parse(job->name, text.data, text.len, &job->buildfile, err) < 0 ||
		check_plan(job, &input, err) < 0)
		return -1;

	const bool is_stdin = o->buildfile != NULL && strcmp(o->buildfile, "-") == 0;

	if (job->dir != NULL && sb_contexts_open_main(job->dir, is_stdin ? NULL : job->name,
					&job->contexts, err) < 0)
		return -1;

	const struct sb_lint_sources sources = {
		.context = job->dir != NULL ? &job->contexts.main : NULL, .root = o->root};

	return sb_lint_with(job->buildfile, &sources, &input, out, err);
}

/* A line that does not parse is not looked at for secrets as the others are: so one in which any
 * may be is not shown. */
static void hide_excerpt(struct sb_error *err)
{
	struct sb_secret_value found;
	sb_autofree char *words = sb_strdup_or_null(err->excerpt);
	bool is_secret = false;

	if (words == NULL)
		return;
	is_secret = sb_secret_value_find(words, strlen(words), 0, &found);
	for (char *rest = words, *word = strsep(&rest, " \t=\"':"); word != NULL;
		word = strsep(&rest, " \t=\"':"))
		is_secret = is_secret || sb_secret_name_of_variable(word) ||
			    sb_secret_value_is_random(word, strlen(word), false);
	if (is_secret) {
		free(err->excerpt);
		err->excerpt = NULL;
	}
}

int sb_lint(
	const struct sb_lint_options *options, struct sb_lint_report **out, struct sb_error *err)
{
	__attribute__((cleanup(job_release))) struct job job = {
		.options = options, .fd = -1, .contexts = {.main = {.fd = -1}}};

	if (lint(&job, out, err) == 0)
		return 0;
	if (job.buildfile != NULL)
		sb_buildfile_show(job.buildfile, err);
	hide_excerpt(err);
	return -1;
}
