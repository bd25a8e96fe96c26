/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "safebuild.h"

#include "cli/command.h"
#include "cli/report.h"
#include "cli/secret_option.h"
#include "cli/store_options.h"
#include "cli/terminal.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);
static int parse_format(void *field, const char *value, struct sb_error *err);
static void release(void *fields);

struct inspect_fields {
	const char *root;
	const char *platform;
	struct sb_secret_list secrets;
	bool as_json;
};

static const struct sb_option options[] = {
	{"secret", 0, SB_OPTION_PARSED, "SPEC", offsetof(struct inspect_fields, secrets),
		"a secret to search for: id=ID[,src=FILE|,env=VAR] (repeatable)",
		sb_secret_option_parse},
	{"format", 0, SB_OPTION_PARSED, "FORM", offsetof(struct inspect_fields, as_json),
		"table (default) or json", parse_format},
	{"json", 0, SB_OPTION_FLAG, NULL, offsetof(struct inspect_fields, as_json),
		"as --format json", NULL},
	{"platform", 0, SB_OPTION_PARSED, "OS/ARCH", offsetof(struct inspect_fields, platform),
		"of an image with several (default: the host's)", sb_platform_option_parse},
	SB_OPTION_ROW_ROOT(struct inspect_fields, root),
	{"fail-on", 0, SB_OPTION_ABSENT, NULL, 0,
		"the exit status is 1 for a secret or a broken digest, and 0 otherwise", NULL},
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_inspect = {
	.name = "inspect",
	.usage = "inspect [options] IMAGE",
	.summary = "read a finished image layer by layer: what is in it, what is left in it, and "
		   "whether a secret is",
	.details =
		"IMAGE is a name in the store, docker://REF, an OCI layout folder or archive, a\n"
		"docker archive, or '-' for an archive on standard input.\n\n"
		"Exit status: 0 clean, 1 a secret was found or a digest does not fit, 2 wrong\n"
		"usage, 3 the image can't be read.\n",
	.options = options,
	.fields_size = sizeof(struct inspect_fields),
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
	.release = release,
};

static int parse_format(void *field, const char *value, struct sb_error *err)
{
	bool *as_json = field;

	if (strcmp(value, "table") == 0 || strcmp(value, "json") == 0) {
		*as_json = strcmp(value, "json") == 0;
		return 0;
	}
	if (strcmp(value, "sarif") == 0 || strcmp(value, "html") == 0)
		sb_fail(err, SB_E_USAGE, "'%s' is not in this version of safebuild", value);
	else
		sb_fail(err, SB_E_USAGE, "unknown form '%s'", value);
	return sb_error_hint(err, "the forms are table and json");
}

static void release(void *fields)
{
	struct inspect_fields *f = fields;

	sb_secret_list_release(&f->secrets);
}

/* One IMAGE. A word of these names is an image of that name, unless more words follow it. */
static int check_words(const struct sb_strv *words, struct sb_error *err)
{
	static const char *const absent[] = {"diff", "cat", "explore"};

	for (size_t i = 0; words->len > 1 && i < sizeof(absent) / sizeof(absent[0]); i++) {
		if (strcmp(words->items[0], absent[i]) == 0)
			return sb_fail(err, SB_E_USAGE,
				"the command 'inspect %s' is not in this version of safebuild",
				absent[i]);
	}
	if (words->len > 1)
		return sb_fail(err, SB_E_USAGE, "unexpected word '%s': safebuild %s",
			words->items[1], sb_command_inspect.usage);
	return 0;
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct inspect_fields *f = fields;
	struct sb_inspect_options inspect = SB_INSPECT_OPTIONS_INIT;
	unsigned rows = 0;
	char *report = NULL;
	size_t n_findings = 0;

	if (check_words(words, err) < 0)
		return -1;
	inspect.root = f->root;
	inspect.image = words->items[0];
	inspect.platform = f->platform;
	inspect.secrets = f->secrets.items;
	inspect.n_secrets = f->secrets.len;
	inspect.as_json = f->as_json;
	inspect.color = sb_terminal_has_color(cli->out);
	if (!sb_terminal_size(cli->out, &inspect.width, &rows))
		inspect.width = 0;
	if (sb_inspect(&inspect, &report, &n_findings, err) < 0)
		return -1;

	const size_t len = strlen(report);

	(void)fwrite(report, 1, len, cli->out);
	if (len == 0 || report[len - 1] != '\n')
		(void)fputc('\n', cli->out);
	sb_free(report);
	return n_findings == 0 ? SB_EXIT_DONE : SB_EXIT_FAILED;
}
