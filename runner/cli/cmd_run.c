/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/report.h"
#include "cli/run_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);
static int failure_status(const struct sb_error *err);

const struct sb_command sb_command_run_image = {
	.name = "run",
	.usage = "run [options] IMAGE [--] [COMMAND...]",
	.summary = "run a program of an image in the sandbox of a build step; what it writes is "
		   "thrown away",
	.details =
		"IMAGE is a name in the store; or docker://REF, an OCI layout folder or archive,\n"
		"a docker archive, or '-' for an archive on standard input, which is not kept.\n"
		"Options stand before IMAGE. To ask a server of the image from this host:\n"
		"\n"
		"  safebuild run --network host app:1        it listens on the host's own ports\n"
		"  safebuild run -p 8080:80 app:1            its port 80 is 127.0.0.1:8080 here\n"
		"\n"
		"Exit status: the command's, 128 + N for signal N; 126 it is not executable, 127\n"
		"not found; 125 safebuild failed.\n",
	.options = sb_run_options_table,
	.fields_size = sizeof(struct sb_run_fields),
	.min_words = 1,
	.max_words = SIZE_MAX,
	.options_end_at_word = true,
	.failure_status = failure_status,
	.run = run,
	.release = sb_run_fields_release,
};

/* As docker run has it: what is not the command's own is 125, so that the two can be told apart. */
static int failure_status(const struct sb_error *err)
{
	if (err->code == SB_E_STEP_FAILED && err->step_status != 0)
		return err->step_status;
	return err->code == SB_E_CANCELLED ? SB_EXIT_CANCELLED : SB_EXIT_BUG;
}

static const char *const *list_of(const struct sb_strv *strv)
{
	return strv->len > 0 ? (const char *const *)strv->items : NULL;
}

/* The words behind IMAGE, without the `--` that may part them from it. */
static const char *const *command_of(const struct sb_strv *words)
{
	const char *const *rest = (const char *const *)words->items + 1;

	return words->len > 1 && strcmp(*rest, "--") == 0 ? rest + 1 : rest;
}

static struct sb_run_options options_of(const struct sb_run_fields *f, const struct sb_strv *words)
{
	struct sb_run_options o = SB_RUN_OPTIONS_INIT;

	o.root = f->root;
	o.image = words->items[0];
	o.command = command_of(words);
	o.platform = f->platform;
	o.auth_file = f->auth_file;
	o.env = list_of(&f->env);
	o.env_files = list_of(&f->env_files);
	o.user = f->user;
	o.workdir = f->workdir;
	o.entrypoint = f->entrypoint;
	o.network = f->network;
	o.hostname = f->hostname;
	o.shm_size = f->shm_size;
	o.add_hosts = list_of(&f->add_hosts);
	o.volumes = list_of(&f->volumes);
	o.publish = list_of(&f->publish);
	o.mounts = list_of(&f->mounts);
	o.secrets = f->secrets.items;
	o.n_secrets = f->secrets.len;
	o.strict = f->is_strict;
	o.is_stdin = f->is_stdin;
	return o;
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct sb_run_fields *f = fields;
	struct sb_run_options options = options_of(f, words);
	int status = 0;

	/* The program has standard output, and most of standard error. */
	options.on_event = f->is_quiet ? NULL : sb_report_notes;
	options.event_data = cli->err;
	return sb_run(&options, &status, err) < 0 ? -1 : status;
}
