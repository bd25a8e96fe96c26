/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_COMMAND_H
#define SB_CLI_COMMAND_H

#include <stdio.h>

#include "base/error.h"
#include "base/strv.h"
#include "cli/options.h"

/*
 * One verb of the command line. Each has a file of its own, cmd_<name>.c.
 */

/* Where a verb writes: results to `out`, all else to `err`. */
struct sb_cli {
	FILE *out;
	FILE *err;
};

/* What the library writes as a digest: "sha256:", 64 digits, a NUL. */
enum { SB_CLI_DIGEST_BYTES = 72 };

struct sb_command {
	const char *name;
	const char *usage;   /* behind "safebuild " */
	const char *summary; /* one line */
	const char *details; /* the help text's last part, or NULL */
	const struct sb_option *options;
	size_t fields_size;   /* of the struct that the options fill; it starts zeroed */
	const void *defaults; /* or as this one, where it is not NULL */
	size_t min_words;     /* words that are no options */
	size_t max_words;
	bool options_end_at_word; /* what stands behind the first word is not safebuild's */
	/* The exit status of a failure; NULL: as sb_exit_status has it. */
	int (*failure_status)(const struct sb_error *err);
	/* The exit status, or -1 with err set, which the caller prints. */
	int (*run)(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
		struct sb_error *err);
	void (*release)(void *fields); /* or NULL */
};

extern const struct sb_command sb_command_build;
extern const struct sb_command sb_command_inspect;
extern const struct sb_command sb_command_inspect_cat;
extern const struct sb_command sb_command_inspect_diff;
extern const struct sb_command sb_command_inspect_explore;
extern const struct sb_command sb_command_lint;
extern const struct sb_command sb_command_import;
extern const struct sb_command sb_command_load;
extern const struct sb_command sb_command_pull;
extern const struct sb_command sb_command_push;
extern const struct sb_command sb_command_login;
extern const struct sb_command sb_command_logout;
extern const struct sb_command sb_command_images;
extern const struct sb_command sb_command_run_image;
extern const struct sb_command sb_command_save;
extern const struct sb_command sb_command_tag;
extern const struct sb_command sb_command_rm;
extern const struct sb_command sb_command_du;
extern const struct sb_command sb_command_prune;
extern const struct sb_command sb_command_cache;
extern const struct sb_command sb_command_cache_export;
extern const struct sb_command sb_command_cache_import;
extern const struct sb_command sb_command_doctor;
extern const struct sb_command sb_command_version;
extern const struct sb_command sb_command_help;

/* All verbs, in the order of the help text; ends with NULL. */
const struct sb_command *const *sb_commands(void);
/* NULL where there is none of that name. One of two words has one blank between them. */
const struct sb_command *sb_command_find(const char *name);
/* Fails with SB_E_USAGE for a verb that is planned but not there; 0 for any other word. */
int sb_command_refuse_absent(const char *name, struct sb_error *err) SB_MUST_USE;

void sb_command_print_help(const struct sb_command *command, FILE *out);
/* The help text of the whole. */
void sb_commands_print_help(FILE *out);

#endif
