/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_STORE_CALL_H
#define SB_CLI_STORE_CALL_H

#include "safebuild.h"

#include "cli/command.h"

/* A call on the store that takes its time and comes to an image: its progress goes to standard
 * error, its digest to standard output. */
struct sb_store_call {
	const char *root;
	const char *auth_file;
	const char *progress; /* --progress */
	bool is_quiet;        /* --quiet */
	int (*run)(const struct sb_store_options *store, const void *data, char *out_digest,
		struct sb_error *err);
	const void *data;
};

/* What a verb returns. */
int sb_store_call(const struct sb_cli *cli, const struct sb_store_call *call, struct sb_error *err);

#endif
