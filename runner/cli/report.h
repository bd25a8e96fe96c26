/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_REPORT_H
#define SB_CLI_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "safebuild/error.h"
#include "safebuild/event.h"

/*
 * Errors, warnings and notices as people read them, in one form:
 *
 *	Buildfile:12:5: error: message
 *	 12 | RUN --mont=type=secret,id=x ./fetch
 *	    |     ^~~~~~~~~~~~~~~~~~~~~~~
 *	hint: what to do
 *
 * or `safebuild: error: message` where there is no place in a file.
 */
void sb_report_error(FILE *out, const struct sb_error *err, bool has_color);
/* Adds the hint how to make room in the store to an error of a call that writes there, where room
 * was what it lacked and nothing else is advised. Returns -1. */
int sb_report_advise(struct sb_error *err);
/* An SB_EVENT_WARNING or SB_EVENT_NOTICE. */
void sb_report_event(FILE *out, const struct sb_event *event, bool has_color);
/* An sb_event_fn that reports warnings and notices, and nothing else, to a FILE. */
void sb_report_notes(const struct sb_event *event, void *file);

/*
 * The exit status.
 *
 *	0    done; nothing found
 *	1    a step failed, a file that the Buildfile names is not there, a secret was found
 *	2    wrong usage, or a Buildfile that does not parse
 *	3    the host, an image or a registry can't serve
 *	125  a bug
 *	130  cancelled
 */
enum sb_exit {
	SB_EXIT_DONE = 0,
	SB_EXIT_FAILED = 1,
	SB_EXIT_USAGE = 2,
	SB_EXIT_UNFIT = 3,
	SB_EXIT_BUG = 125,
	SB_EXIT_CANCELLED = 130
};
int sb_exit_status(const struct sb_error *err);

#endif
