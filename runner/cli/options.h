/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_OPTIONS_H
#define SB_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/strv.h"

/*
 * Options as a table: each row names an option and the field that it fills in a struct of the
 * verb's own. A table ends with a row without a name.
 *
 * Accepted: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, flags in one word
 * (`-qx`), `--flag=true|false`, options behind other words, and `--`, which ends the options. `-`
 * alone is a word, not an option.
 */
enum sb_option_kind {
	SB_OPTION_GROUP, /* no option: `help` is a heading of the help text */
	SB_OPTION_FLAG,  /* the field is a bool */
	SB_OPTION_TEXT, /* the field is a const char *, borrowed from the words; the last one counts
			 */
	SB_OPTION_LIST, /* the field is a struct sb_strv that each use adds to */
	SB_OPTION_PARSED, /* the value goes to `parse`, with the field's address */
	SB_OPTION_ABSENT, /* refused as not in this version; `help` is the hint or NULL */
	SB_OPTION_HELP    /* made by the parser itself: --help and -h are options of every verb */
};

typedef int (*sb_option_fn)(void *field, const char *value, struct sb_error *err);

struct sb_option {
	const char *name; /* without the dashes; "" for a group */
	char letter;      /* or 0 */
	enum sb_option_kind kind;
	const char *value; /* the placeholder in the help text; NULL for flags */
	size_t offset;     /* of the field */
	const char *help;
	sb_option_fn parse;
};

/*
 * Fills `fields` from the words, and out_words with those that are no options. *out_help is true
 * where --help was met; what follows it is not looked at. SB_E_USAGE names the option, never its
 * value.
 */
int sb_options_parse(const struct sb_option *options, const struct sb_strv *words, void *fields,
	struct sb_strv *out_words, bool *out_help, struct sb_error *err) SB_MUST_USE;

/* How many of the words from i on make up the option there: 1 or 2; 0 where words->items[i] is not
 * an option. Options that the table does not know count as flags. */
size_t sb_options_skip(const struct sb_option *options, const struct sb_strv *words, size_t i);

/* The help text's part on the options, in 80 columns. */
void sb_options_print(const struct sb_option *options, FILE *out);

/* Prints text in 80 columns, each line after the first behind `indent` spaces; `used` columns of
 * the first line are taken. Ends the line. */
void sb_print_wrapped(FILE *out, const char *text, size_t indent, size_t used);

#endif
