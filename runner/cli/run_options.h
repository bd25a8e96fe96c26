/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_RUN_OPTIONS_H
#define SB_CLI_RUN_OPTIONS_H

#include "base/strv.h"
#include "cli/options.h"
#include "cli/secret_option.h"

/* The options of `safebuild run`. */
struct sb_run_fields {
	const char *root;
	const char *platform;
	const char *auth_file;
	struct sb_strv env;
	struct sb_strv env_files;
	const char *user;
	const char *workdir;
	const char *entrypoint;
	const char *network;
	const char *hostname;
	const char *shm_size;
	struct sb_strv add_hosts;
	struct sb_strv volumes;
	struct sb_strv publish;
	struct sb_strv mounts;
	struct sb_secret_list secrets;
	bool is_stdin;
	bool is_terminal; /* accepted: a terminal is given where there is one */
	bool is_removed;  /* accepted: nothing stays */
	bool is_strict;
	bool is_quiet;
};

extern const struct sb_option sb_run_options_table[];
void sb_run_fields_release(void *fields);

#endif
