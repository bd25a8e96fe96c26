/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "safebuild.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"
#include "cli/terminal.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);

struct login_fields {
	const char *auth_file;
	const char *user;
	bool is_from_stdin;
};

static const struct sb_option options[] = {
	{"username", 'u', SB_OPTION_TEXT, "NAME", offsetof(struct login_fields, user),
		"the user name (default: asked for)", NULL},
	{"password-stdin", 0, SB_OPTION_FLAG, NULL, offsetof(struct login_fields, is_from_stdin),
		"the password, or an access token, is standard input", NULL},
	{"authfile", 0, SB_OPTION_TEXT, "FILE", offsetof(struct login_fields, auth_file),
		"keep them there (default: docker's config.json, or the helper that it names)",
		NULL},
	{"password", 'p', SB_OPTION_ABSENT, NULL, 0,
		"other users see it in the list of processes: use --password-stdin", NULL},
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_login = {
	.name = "login",
	.usage = "login [options] [REGISTRY]",
	.summary = "try credentials on a registry (default: docker.io) and keep them",
	.details = "REGISTRY is HOST[:PORT], or HOST[:PORT]/PATH for a part of one. What docker\n"
		   "and podman have logged in to needs no login here.\n",
	.options = options,
	.fields_size = sizeof(struct login_fields),
	.max_words = 1,
	.run = run,
};

/* Without the newline at its end; caller wipes and frees. */
static int read_stdin(char **out, struct sb_error *err)
{
	char *text = sb_malloc(SB_MAX_PASSWORD + 2);
	size_t len = fread(text, 1, SB_MAX_PASSWORD + 2, stdin);
	const bool is_too_long = len > SB_MAX_PASSWORD + 1;
	const bool is_text = memchr(text, '\0', len) == NULL;

	if (ferror(stdin) == 0 && !is_too_long && is_text) {
		if (len > 0 && text[len - 1] == '\n')
			len--;
		if (len > 0 && text[len - 1] == '\r')
			len--;
		text[len] = '\0';
		*out = text;
		return 0;
	}
	explicit_bzero(text, SB_MAX_PASSWORD + 2);
	free(text);
	return is_too_long ? sb_fail(err, SB_E_LIMIT, "the password is longer than %d bytes",
				     SB_MAX_PASSWORD)
			   : sb_fail(err, SB_E_USAGE, "standard input is no password");
}

static int ask(const char *question, bool is_hidden, char **out, struct sb_error *err)
{
	*out = sb_terminal_ask(question, is_hidden);
	if (*out != NULL)
		return 0;
	sb_fail(err, SB_E_USAGE, "there is no terminal to ask for user name and password");
	return sb_error_hint(err, "safebuild login --username NAME --password-stdin <FILE");
}

static int log_in(
	const struct sb_cli *cli, const struct sb_login_options *login, struct sb_error *err)
{
	char *where = NULL;

	if (sb_login(login, &where, err) < 0)
		return -1;
	(void)fprintf(cli->err, "logged in to %s; the credentials are in %s\n",
		login->registry != NULL ? login->registry : "docker.io", where);
	sb_free(where);
	return SB_EXIT_DONE;
}

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct login_fields *f = fields;
	struct sb_login_options login = SB_LOGIN_OPTIONS_INIT;
	sb_autofree char *user = sb_strdup_or_null(f->user);
	char *password = NULL;
	int result = -1;

	if (f->is_from_stdin && user == NULL) {
		sb_fail(err, SB_E_USAGE, "--password-stdin needs --username");
		return sb_error_hint(err, "many registries take any name beside a token");
	}
	if (user == NULL && ask("User name: ", false, &user, err) < 0)
		return -1;
	if ((f->is_from_stdin ? read_stdin(&password, err)
			      : ask("Password: ", true, &password, err)) == 0) {
		login.registry = words->len > 0 ? words->items[0] : NULL;
		login.auth_file = f->auth_file;
		login.user = user;
		login.password = password;
		result = log_in(cli, &login, err);
	}
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	free(password);
	return result;
}
