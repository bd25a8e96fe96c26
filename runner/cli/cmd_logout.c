/* SPDX-License-Identifier: MIT */
#include "safebuild.h"

#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct logout_fields {
	const char *auth_file;
};

static const struct sb_option options[] = {
	SB_OPTION_ROW_AUTH(struct logout_fields, auth_file),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_logout = {
	.name = "logout",
	.usage = "logout [options] [REGISTRY]",
	.summary = "forget the credentials of a registry (default: docker.io), wherever they are",
	.options = options,
	.fields_size = sizeof(struct logout_fields),
	.max_words = 1,
	.run = run,
};

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct logout_fields *f = fields;
	struct sb_login_options logout = SB_LOGIN_OPTIONS_INIT;

	(void)cli;
	logout.registry = words->len > 0 ? words->items[0] : NULL;
	logout.auth_file = f->auth_file;
	return sb_logout(&logout, err) < 0 ? -1 : SB_EXIT_DONE;
}
