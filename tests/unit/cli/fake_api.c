/* SPDX-License-Identifier: MIT */
#include "fake_api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct fake_api api;

struct fake_api *fake_api(void)
{
	return &api;
}

void fake_api_reset(void)
{
	memset(&api, 0, sizeof(api));
}

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	const size_t used = strlen(api.asked);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(api.asked + used, sizeof(api.asked) - used, fmt, args);
	va_end(args);
}

static void note_text(const char *key, const char *value)
{
	if (value != NULL)
		note(" %s=%s", key, value);
}

static void note_list(const char *key, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		note(" %s=%s", key, *list);
}

static void note_secrets(const struct sb_secret_option *secrets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		note(" secret=%s", secrets[i].id);
		if (secrets[i].src != NULL)
			note(",src:%s", secrets[i].src);
		if (secrets[i].env != NULL)
			note(",env:%s", secrets[i].env);
		if (secrets[i].rekey)
			note(",rekey");
	}
}

static void note_ssh(const struct sb_ssh_option *ssh, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		note(" ssh=%s", ssh[i].id);
		for (const char *const *path = ssh[i].paths; path != NULL && *path != NULL; path++)
			note(":%s", *path);
		note("%s", ssh[i].is_raw ? ",raw" : "");
	}
}

static void note_caches(const char *key, const struct sb_cache_option *caches, size_t n)
{
	for (size_t i = 0; i < n; i++)
		note(" %s=%s%s%s", key, caches[i].where, caches[i].is_folder ? ",folder" : "",
			caches[i].has_all ? ",max" : "");
}

static int answer(struct sb_error *err)
{
	api.n_calls++;
	note("\n");
	if (api.fail_with == SB_OK)
		return 0;
	return sb_fail_at(err, api.fail_with,
		(struct sb_source_pos){api.fail_line != 0 ? "Buildfile" : NULL, api.fail_line, 0},
		"made to fail");
}

int sb_build(const struct sb_build_options *o, char *out_digest, struct sb_error *err)
{
	note("build");
	note_text("root", o->root);
	note_text("context", o->context);
	note_text("file", o->buildfile);
	note_text("target", o->target);
	note_list("platform", o->platforms);
	note_text("network", o->network);
	note_text("shm", o->shm_size);
	note_list("tag", o->tags);
	note_list("arg", o->build_args);
	note_list("named", o->build_contexts);
	note_list("label", o->labels);
	note_list("host", o->add_hosts);
	note_secrets(o->secrets, o->n_secrets);
	note_ssh(o->ssh, o->n_ssh);
	for (size_t i = 0; i < o->n_outputs; i++)
		note(" output=%d:%s", (int)o->outputs[i].type,
			o->outputs[i].dest != NULL ? o->outputs[i].dest : "");
	note_caches("cache-to", o->cache_to, o->n_cache_to);
	note_caches("cache-from", o->cache_from, o->n_cache_from);
	note_text("iidfile", o->iidfile);
	note_text("metadata", o->metadata_file);
	if (o->source_date_epoch >= 0)
		note(" epoch=%lld", (long long)o->source_date_epoch);
	note("%s%s%s%s%s", o->strict ? " strict" : "", o->no_cache ? " no-cache" : "",
		o->pull ? " pull" : "", o->push ? " push" : "", o->check_only ? " check" : "");
	note_list("no-cache-filter", o->no_cache_filter);
	if (o->plan_report != NULL) {
		note(" plan");
		*o->plan_report = sb_calloc(1, sizeof(**o->plan_report));
	}
	if (api.sends_events) {
		const struct sb_event start = {.kind = SB_EVENT_STEP_START,
			.step = 1,
			.stage = "stage-0",
			.text = "FROM base",
			.total = 1};

		o->on_event(&start, o->event_data);
	}
	if (out_digest != NULL)
		memcpy(out_digest, DIGEST, sizeof(DIGEST));
	return answer(err);
}

static const struct sb_lint_rule lint_rules[] = {
	{"Bad", SB_SEVERITY_ERROR, false, "It is bad.", "Don't."},
	{"Odd", SB_SEVERITY_WARNING, false, "It is odd.", "Think."},
	{"Fine", SB_SEVERITY_INFO, false, "It is fine.", "Nothing."},
};

const struct sb_lint_rule *sb_lint_rule_at(size_t i)
{
	return i < 3 ? &lint_rules[i] : NULL;
}

/* One finding of each severity that the test asked for. */
int sb_lint(const struct sb_lint_options *o, struct sb_lint_report **out, struct sb_error *err)
{
	note("lint");
	note_text("root", o->root);
	note_text("file", o->buildfile);
	note_text("context", o->context);
	note_text("target", o->target);
	note_text("platform", o->platform);
	note_list("arg", o->build_args);
	note_list("skip", o->skip);
	note_list("experimental", o->experimental);
	if (answer(err) < 0)
		return -1;

	struct sb_lint_report *report = sb_calloc(1, sizeof(*report));

	report->file = sb_strdup("Build file");
	report->findings = sb_calloc(3, sizeof(*report->findings));
	report->fails_on_warning = api.lint_fails_on_warning;
	for (size_t i = 0; i < 3; i++) {
		if ((api.lint_findings & (1u << i)) == 0)
			continue;
		report->findings[report->len++] = (struct sb_lint_finding){
			.rule = &lint_rules[i],
			.at = {report->file, (unsigned)i + 9, 3},
			.character = 3,
			.message = sb_strdup("the message"),
			.excerpt = sb_strdup("RUN x"),
			.mark_column = 5,
			.mark_len = 1,
			.fingerprint = "00112233445566778899aabbccddeeff",
		};
		report->n_of[lint_rules[i].severity]++;
	}
	*out = report;
	return 0;
}

void sb_lint_report_free(struct sb_lint_report *report)
{
	for (size_t i = 0; i < report->len; i++) {
		free(report->findings[i].message);
		free(report->findings[i].excerpt);
	}
	free(report->findings);
	free(report->file);
	free(report);
}

int sb_inspect(
	const struct sb_inspect_options *o, struct sb_inspect_result *out, struct sb_error *err)
{
	static const char *const forms[] = {"page", "json", "sarif", "html"};

	note("inspect image=%s", o->image);
	note_text("name", o->name);
	note_text("root", o->root);
	note_text("platform", o->platform);
	note_text("policy", o->policy);
	note_secrets(o->secrets, o->n_secrets);
	for (size_t i = 0; o->fail_on != NULL && o->fail_on[i] != NULL; i++)
		note(" fail-on=%s", o->fail_on[i]);
	note("%s%s", o->strict ? " strict" : "", o->color ? " color" : "");
	for (size_t i = 0; i < o->n_reports; i++)
		note(" %s>%s", forms[o->reports[i].form],
			o->reports[i].dest != NULL ? o->reports[i].dest : "stdout");
	if (answer(err) < 0)
		return -1;
	out->verdict = api.inspect_verdict;
	out->n_reports = o->n_reports;
	out->reports = sb_calloc(o->n_reports, sizeof(out->reports[0]));
	for (size_t i = 0; i < o->n_reports; i++)
		if (o->reports[i].dest == NULL)
			out->reports[i] = sb_strdup("the report");
	return 0;
}

void sb_inspect_result_release(struct sb_inspect_result *result)
{
	for (size_t i = 0; i < result->n_reports; i++)
		free(result->reports[i]);
	free(result->reports);
	*result = (struct sb_inspect_result){0};
}

int sb_compare(const struct sb_compare_options *o, char **out_report,
	enum sb_compare_verdict *out_verdict, struct sb_error *err)
{
	note("diff before=%s after=%s", o->before, o->after);
	note_text("root", o->root);
	note_text("platform", o->platform);
	note_secrets(o->secrets, o->n_secrets);
	note("%s", o->as_json ? " json" : "");
	if (answer(err) < 0)
		return -1;
	*out_report = sb_strdup("the comparison\n");
	*out_verdict = SB_COMPARED_SAME;
	return 0;
}

int sb_explorer_open(
	const struct sb_explore_options *o, struct sb_explorer **out, struct sb_error *err)
{
	note("explore image=%s", o->image);
	note_text("root", o->root);
	note_secrets(o->secrets, o->n_secrets);
	*out = NULL;
	return answer(err);
}

/* Nothing is explored without a terminal, and tests have none. */
void sb_explorer_free(struct sb_explorer *explorer)
{
	(void)explorer;
}

const struct sb_explored_image *sb_explorer_image(const struct sb_explorer *explorer)
{
	static const struct sb_explored_image nothing = {0};

	(void)explorer;
	return &nothing;
}

void sb_explorer_file(
	const struct sb_explorer *explorer, size_t layer, size_t i, struct sb_explored_file *out)
{
	(void)explorer;
	(void)layer;
	(void)i;
	*out = (struct sb_explored_file){0};
}

int sb_explorer_read(const struct sb_explorer *explorer, size_t layer, size_t i, size_t max_bytes,
	sb_explore_progress_fn on_progress, void *data, struct sb_explored_content *out,
	struct sb_error *err)
{
	(void)explorer;
	(void)layer;
	(void)i;
	(void)max_bytes;
	(void)on_progress;
	(void)data;
	*out = (struct sb_explored_content){0};
	return answer(err);
}

int sb_explorer_extract(const struct sb_explorer *explorer, size_t layer, size_t i,
	const char *dest, sb_explore_progress_fn on_progress, void *data, struct sb_error *err)
{
	(void)explorer;
	(void)layer;
	(void)i;
	(void)dest;
	(void)on_progress;
	(void)data;
	return answer(err);
}

int sb_inspect_cat(const struct sb_inspect_cat_options *o, struct sb_error *err)
{
	note("cat image=%s layer=%s path=%s", o->image, o->layer, o->path);
	note_text("root", o->root);
	note_text("platform", o->platform);
	if (answer(err) < 0)
		return -1;
	(void)o->on_bytes(o->data, "the content", 11);
	return 0;
}

int sb_import(const struct sb_store_options *o, const char *rootfs_tar, const char *name,
	const char *const *changes, char *out_digest, struct sb_error *err)
{
	note("import %s %s", rootfs_tar, name);
	note_text("root", o->root);
	note_list("change", changes);
	memcpy(out_digest, DIGEST, sizeof(DIGEST));
	return answer(err);
}

int sb_pull(const struct sb_store_options *o, const char *ref, const char *platform,
	char *out_digest, struct sb_error *err)
{
	note("pull %s", ref);
	note_text("root", o->root);
	note_text("platform", platform);
	memcpy(out_digest, DIGEST, sizeof(DIGEST));
	return answer(err);
}

int sb_push(const struct sb_store_options *o, const struct sb_push_request *request,
	char *out_digest, struct sb_error *err)
{
	note("push %s", request->image);
	note_list("to", request->names);
	note_text("root", o->root);
	note_text("auth", o->auth_file);
	note_text("chunk", request->chunk_size);
	memcpy(out_digest, DIGEST, sizeof(DIGEST));
	return answer(err);
}

int sb_login(const struct sb_login_options *o, char **out_where, struct sb_error *err)
{
	note("login");
	note_text("at", o->registry);
	note_text("auth", o->auth_file);
	note_text("user", o->user);
	note_text("password", o->password);
	if (answer(err) < 0)
		return -1;
	*out_where = sb_strdup("'file'");
	return 0;
}

int sb_logout(const struct sb_login_options *o, struct sb_error *err)
{
	note("logout");
	note_text("at", o->registry);
	note_text("auth", o->auth_file);
	return answer(err);
}

int sb_run(const struct sb_run_options *o, int *out_status, struct sb_error *err)
{
	note("run image=%s", o->image);
	note_text("root", o->root);
	note_text("platform", o->platform);
	note_text("user", o->user);
	note_text("workdir", o->workdir);
	note_text("entrypoint", o->entrypoint);
	note_text("network", o->network);
	note_text("hostname", o->hostname);
	note_text("shm", o->shm_size);
	note_list("env", o->env);
	note_list("env-file", o->env_files);
	note_list("host", o->add_hosts);
	note_list("volume", o->volumes);
	note_list("publish", o->publish);
	note_list("mount", o->mounts);
	note_secrets(o->secrets, o->n_secrets);
	note("%s%s", o->strict ? " strict" : "", o->is_stdin ? " stdin" : "");
	note_list("word", o->command);
	*out_status = api.run_status;
	if (answer(err) == 0)
		return 0;
	err->step_status = api.fail_with == SB_E_STEP_FAILED ? 127 : 0;
	return -1;
}

int sb_load(const struct sb_store_options *o, const char *input, struct sb_loaded_image **out,
	size_t *out_len, struct sb_error *err)
{
	note("load %s", input);
	note_text("root", o->root);
	if (answer(err) < 0)
		return -1;
	*out = sb_calloc(2, sizeof(**out));
	(*out)[0] = (struct sb_loaded_image){sb_strdup("app:1"), sb_strdup(DIGEST)};
	(*out)[1] = (struct sb_loaded_image){NULL, sb_strdup(DIGEST)};
	*out_len = 2;
	return 0;
}

void sb_loaded_images_free(struct sb_loaded_image *images, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		free(images[i].name);
		free(images[i].digest);
	}
	free(images);
}

int sb_save(const struct sb_store_options *o, const char *const *images,
	const struct sb_output_option *output, struct sb_error *err)
{
	note("save type=%d%s dest=%s", (int)output->type, output->is_folder ? ",folder" : "",
		output->dest);
	note_text("compression", output->compression);
	note_text("root", o->root);
	note_list("image", images);
	return answer(err);
}

int sb_images(const struct sb_store_options *o, struct sb_image_info **out, size_t *out_len,
	struct sb_error *err)
{
	note("images");
	note_text("root", o->root);
	if (answer(err) < 0)
		return -1;
	*out = sb_calloc(2, sizeof(**out));
	(*out)[0] = (struct sb_image_info){sb_strdup("app:latest"), sb_strdup(DIGEST),
		sb_strdup("1970-01-01T00:00:00Z"), 12345678, sb_strdup("linux/amd64"), 1000};
	(*out)[1] = (struct sb_image_info){sb_strdup("<none>"), sb_strdup(DIGEST), sb_strdup(""),
		13, sb_strdup("linux/arm64"), 13};
	*out_len = 2;
	return 0;
}

void sb_images_free(struct sb_image_info *images, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		free(images[i].name);
		free(images[i].digest);
		free(images[i].created);
		free(images[i].platform);
	}
	free(images);
}

int sb_tag(
	const struct sb_store_options *o, const char *image, const char *name, struct sb_error *err)
{
	note("tag %s %s", image, name);
	note_text("root", o->root);
	return answer(err);
}

int sb_remove(const struct sb_store_options *o, const char *const *images, bool force,
	struct sb_error *err)
{
	note("rm");
	note_list("image", images);
	note_text("root", o->root);
	note("%s", force ? " force" : "");
	return answer(err);
}

static void one_usage(struct sb_usage **out, size_t *out_len)
{
	*out = sb_calloc(1, sizeof(**out));
	(*out)[0] = (struct sb_usage){.kind = "layer",
		.id = sb_strdup("0123456789abcdef"),
		.text = sb_strdup("RUN make"),
		.size_bytes = 4096,
		.used_s = 1000000000};
	*out_len = 1;
}

int sb_export_cache_mounts(const struct sb_cache_mounts_export *o, struct sb_error *err)
{
	note("cache-export");
	note_text("root", o->root);
	note_text("dest", o->dest);
	note_list("id", o->ids);
	note_secrets(o->secrets, o->n_secrets);
	return answer(err);
}

int sb_import_cache_mounts(const struct sb_store_options *o, const char *input, char ***out_ids,
	size_t *out_len, struct sb_error *err)
{
	note("cache-import %s", input);
	note_text("root", o->root);
	if (answer(err) < 0)
		return -1;
	*out_ids = sb_calloc(2, sizeof(char *));
	(*out_ids)[0] = sb_strdup("/root/.cache");
	*out_len = 1;
	return 0;
}

int sb_usage(const struct sb_store_options *o, struct sb_usage **out, size_t *out_len,
	uint64_t *out_total_bytes, struct sb_error *err)
{
	note("du");
	note_text("root", o->root);
	one_usage(out, out_len);
	*out_total_bytes = 8192;
	return answer(err);
}

int sb_prune(const struct sb_prune_options *o, struct sb_usage **out, size_t *out_len,
	uint64_t *out_bytes, struct sb_error *err)
{
	note("prune%s", o->all ? " all" : "");
	note_text("root", o->root);
	if (o->older_than_s != 0)
		note(" older=%lld", (long long)o->older_than_s);
	if (o->has_keep_bytes)
		note(" keep=%llu", (unsigned long long)o->keep_bytes);
	note_list("filter", o->filters);
	one_usage(out, out_len);
	*out_bytes = 4096;
	return answer(err);
}

void sb_usage_free(struct sb_usage *usage, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		free(usage[i].id);
		free(usage[i].text);
	}
	free(usage);
}

const char *sb_planned_state_name(enum sb_planned_state state)
{
	return state == SB_PLANNED_CACHED ? "cached" : "run";
}

void sb_plan_report_free(struct sb_plan_report *report)
{
	free(report);
}

int sb_check_host(const char *root, struct sb_check **out, size_t *out_len, struct sb_error *err)
{
	note("doctor");
	note_text("root", root);
	if (answer(err) < 0)
		return -1;
	*out = sb_calloc(2, sizeof(**out));
	(*out)[0] = (struct sb_check){"user namespaces", SB_CHECK_OK, sb_strdup("allowed"), NULL};
	(*out)[1] = (struct sb_check){"subordinate ids",
		api.host_fails ? SB_CHECK_FAILED : SB_CHECK_DEGRADED, sb_strdup("none for 'ann'"),
		sb_strdup("sudo usermod --add-subuids 100000-165535 ann")};
	*out_len = 2;
	return 0;
}

void sb_checks_free(struct sb_check *checks, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		free(checks[i].detail);
		free(checks[i].fix);
	}
	free(checks);
}

const char *sb_version(void)
{
	return SB_VERSION;
}

void sb_free(void *p)
{
	free(p);
}
