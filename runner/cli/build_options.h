/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_BUILD_OPTIONS_H
#define SB_CLI_BUILD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"
#include "cli/cache_option.h"
#include "cli/lint_options.h"
#include "cli/options.h"
#include "cli/output_option.h"
#include "cli/secret_option.h"
#include "cli/ssh_option.h"

/* What the options of `build` say. */
struct sb_build_fields {
	const char *file;
	const char *target;
	const char *network;
	const char *shm_size;
	const char *progress;
	const char *iidfile;
	const char *metadata_file;
	const char *verification_file;
	const char *root;
	const char *auth_file;
	struct sb_strv platforms;
	struct sb_strv tags;
	struct sb_strv build_args;
	struct sb_strv build_contexts;
	struct sb_strv labels;
	struct sb_strv add_hosts;
	struct sb_strv no_cache_filter;
	struct sb_secret_list secrets;
	struct sb_ssh_list ssh;
	struct sb_output_list outputs;
	struct sb_cache_list cache_from;
	struct sb_cache_list cache_to;
	int64_t source_date_epoch;
	uint64_t jobs; /* 0: by the processors */
	bool is_strict;
	bool squash;
	bool no_cache;
	bool pull;
	bool verify;
	bool push;
	bool check_only;
	bool plan_only;
	enum sb_fail_on fail_on; /* of check_only */
	bool is_quiet;
};

extern const struct sb_build_fields sb_build_defaults;
extern const struct sb_option sb_build_options_table[];

void sb_build_fields_release(void *fields);
/* An sb_option_fn for --network (const char *): default, none or host. */
int sb_network_option_parse(void *field, const char *value, struct sb_error *err) SB_MUST_USE;

#endif
