/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "safebuild.h"

#include "cli/build_options.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/render_lint.h"
#include "cli/render_plan.h"
#include "cli/report.h"
#include "cli/terminal.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

const struct sb_command sb_command_build = {
	.name = "build",
	.usage = "[build] [options] [CONTEXT]",
	.summary = "build an image from a Buildfile; CONTEXT is a folder (default: .), - or a URL",
	.details =
		"Examples:\n"
		"  safebuild -t app .\n"
		"  safebuild --secret id=token,src=token.txt -o type=oci,dest=app.tar .\n"
		"  safebuild --secret id=token,env=TOKEN -o type=docker,dest=- . | docker load\n"
		"\n"
		"Progress goes to standard error; --progress json to standard output, unless an\n"
		"output goes there. Exit status: 0 done, 1 a step failed or a secret was found,\n"
		"2 wrong usage or a Buildfile that does not parse, 3 the host or an image can't\n"
		"serve.\n",
	.options = sb_build_options_table,
	.fields_size = sizeof(struct sb_build_fields),
	.defaults = &sb_build_defaults,
	.max_words = 1,
	.run = run,
	.release = sb_build_fields_release,
};

static const char *const *list_of(const struct sb_strv *strv)
{
	return strv->len > 0 ? (const char *const *)strv->items : NULL;
}

static struct sb_build_options options_of(
	const struct sb_build_fields *f, const struct sb_strv *words)
{
	struct sb_build_options build = SB_BUILD_OPTIONS_INIT;

	build.root = f->root;
	build.context = words->len > 0 ? words->items[0] : NULL;
	build.buildfile = f->file;
	build.target = f->target;
	build.platforms = list_of(&f->platforms);
	build.network = f->network;
	build.shm_size = f->shm_size;
	build.tags = list_of(&f->tags);
	build.build_args = list_of(&f->build_args);
	build.build_contexts = list_of(&f->build_contexts);
	build.labels = list_of(&f->labels);
	build.add_hosts = list_of(&f->add_hosts);
	build.no_cache_filter = list_of(&f->no_cache_filter);
	build.secrets = f->secrets.items;
	build.n_secrets = f->secrets.len;
	build.ssh = f->ssh.items;
	build.n_ssh = f->ssh.len;
	build.outputs = f->outputs.items;
	build.n_outputs = f->outputs.len;
	build.cache_from = f->cache_from.items;
	build.n_cache_from = f->cache_from.len;
	build.cache_to = f->cache_to.items;
	build.n_cache_to = f->cache_to.len;
	build.iidfile = f->iidfile;
	build.metadata_file = f->metadata_file;
	build.verify = f->verify;
	build.verification_file = f->verification_file;
	build.source_date_epoch = f->source_date_epoch;
	build.strict = f->is_strict;
	build.squash = f->squash;
	build.no_cache = f->no_cache;
	build.n_jobs = (unsigned)f->jobs;
	build.pull = f->pull;
	build.push = f->push;
	build.auth_file = f->auth_file;
	build.check_only = f->check_only;
	return build;
}

/* Standard input and output are each of use once. */
static int check_streams(const struct sb_cli *cli, const struct sb_build_fields *f,
	const struct sb_strv *words, struct sb_error *err)
{
	if (f->file != NULL && strcmp(f->file, "-") == 0 && words->len > 0 &&
		strcmp(words->items[0], "-") == 0)
		return sb_fail(err, SB_E_USAGE,
			"the Buildfile and the context can't both come from standard input");
	if (sb_output_list_has_stdout(&f->outputs) && isatty(fileno(cli->out))) {
		sb_fail(err, SB_E_USAGE, "an archive would be written to the terminal");
		return sb_error_hint(err, "redirect standard output, or give dest=FILE");
	}
	return 0;
}

/* What --check found; its status. As docker's, it fails on warnings. */
static int tell_check(const struct sb_build_fields *f, enum sb_progress progress, FILE *out,
	const struct sb_lint_report *report)
{
	if (progress == SB_PROGRESS_JSON)
		sb_render_lint_json(report, SB_LINT_JSON_EVENT, out);
	else if (progress != SB_PROGRESS_QUIET)
		sb_render_lint_page(report, out, sb_terminal_has_color(out));
	return sb_fail_on_status(f->fail_on, SB_FAIL_ON_WARNING, report);
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct sb_build_fields *f = fields;
	const bool has_stdout = sb_output_list_has_stdout(&f->outputs);
	FILE *free_out = has_stdout ? cli->err : cli->out;
	struct sb_build_options build = options_of(f, words);
	char digest[SB_CLI_DIGEST_BYTES] = "";
	enum sb_progress progress = SB_PROGRESS_QUIET;
	struct sb_lint_report *report = NULL;
	struct sb_plan_report *plan = NULL;

	if (check_streams(cli, f, words, err) < 0 ||
		sb_progress_parse(f->is_quiet ? "quiet" : f->progress, cli->err, &progress, err) <
			0)
		return -1;

	struct sb_renderer *renderer = sb_progress_open(f->plan_only ? SB_PROGRESS_QUIET : progress,
		progress == SB_PROGRESS_JSON ? free_out : cli->err);

	build.on_event = sb_renderer_event;
	build.event_data = renderer;
	build.lint_report = &report;
	build.plan_report = f->plan_only ? &plan : NULL;

	const int result = sb_build(&build, digest, err);

	sb_progress_close(renderer, result < 0 ? err : NULL, sb_exit_status(err));
	if (result < 0)
		return sb_progress_failed(progress, has_stdout, err);
	if (plan != NULL) {
		if (progress == SB_PROGRESS_JSON)
			sb_render_plan_json(plan, cli->out);
		else
			sb_render_plan_page(plan, cli->out);
		sb_plan_report_free(plan);
		return SB_EXIT_DONE;
	}
	if (report != NULL) {
		const int status = tell_check(f, progress, free_out, report);

		sb_lint_report_free(report);
		return status;
	}
	if (progress == SB_PROGRESS_QUIET)
		(void)fprintf(free_out, "%s\n", digest);
	return SB_EXIT_DONE;
}
