/* SPDX-License-Identifier: MIT */
#ifndef SAFEBUILD_LINT_H
#define SAFEBUILD_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "safebuild/error.h"

/*
 * What the linter knows and finds. Names of rules are stable; new ones are added at any time.
 */

enum sb_severity { SB_SEVERITY_INFO, SB_SEVERITY_WARNING, SB_SEVERITY_ERROR };
enum { SB_N_SEVERITIES = SB_SEVERITY_ERROR + 1 };

/* All texts are static. */
struct sb_lint_rule {
	const char *name;
	enum sb_severity severity;
	bool is_experimental; /* found only where it is asked for by name */
	const char *why;      /* what it leads to, a sentence */
	const char *fix;      /* what to do, a sentence */
};

struct sb_lint_finding {
	const struct sb_lint_rule *rule;
	struct sb_source_pos at; /* file is the report's; the column counts bytes */
	unsigned character;      /* the column in characters, 0 where there is no line */
	char *message;           /* what was found, without a secret's value */
	/* The line, or the part of it around the place, printable, with secrets' values left out;
	 * the place is mark_len characters from mark_column on, which counts from 1. Empty and 0
	 * where there is no line. */
	char *excerpt;
	unsigned mark_column;
	unsigned mark_len;
	/* Stays as it is when lines are moved: of the rule, the file's name and the instruction,
	 * not of values that look like secrets. 32 hex digits. */
	char fingerprint[33];
};

/* Findings by line, column and rule. */
struct sb_lint_report {
	char *file;
	struct sb_lint_finding *findings;
	size_t len;
	size_t n_of[SB_N_SEVERITIES]; /* findings of each severity */
	size_t n_waived;              /* left out since a comment or an option says so */
	bool is_cut;                  /* there are more than a report holds */
	bool fails_on_warning;        /* the Buildfile says `check=error=true` */
};

#endif
