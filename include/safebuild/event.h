/* SPDX-License-Identifier: MIT */
#ifndef SAFEBUILD_EVENT_H
#define SAFEBUILD_EVENT_H

#include <stddef.h>
#include <stdint.h>

/*
 * What happens during a call, as it happens. The library never prints: it calls the event function,
 * on any thread, but one call at a time and never after the call has returned. Steps may run at the
 * same time: their events have their numbers. Strings are borrowed and live as long as the call of
 * the event function. Secret values have been replaced by "[secret ID]" in every one of them.
 */

enum sb_event_kind {
	SB_EVENT_BUILD_START, /* text: the Buildfile's name; total: number of steps that will run.
				 Of several platforms, once for each */
	SB_EVENT_STEP_START,  /* step, stage, text: the instruction; total as in BUILD_START */
	SB_EVENT_STEP_OUTPUT, /* step, stream (1 or 2), text/len: bytes as they come, not lines;
				 without escape sequences, secrets replaced */
	SB_EVENT_STEP_END, /* step, status (0 done, SB_STEP_CANCELLED), text: the layer's diff_id or
			      NULL; done: bytes of the layer */
	SB_EVENT_CACHE_HIT, /* step; text: the diff_id of the layer that an earlier build left;
			       STEP_END follows */
	SB_EVENT_TRANSFER,  /* step or 0, text: what moves (a short digest or name); done and total
			       bytes (total 0: unknown) */
	SB_EVENT_WARNING,   /* text: one line; hint */
	SB_EVENT_NOTICE,    /* text: one line about the host or the build that is no fault; hint */
	SB_EVENT_EXPORT,    /* text: what is written and where, when it is done; done: bytes */
	SB_EVENT_IMAGE, /* text: the digest of the image's manifest or index; name: its tag or NULL
			 */
	SB_EVENT_BUILD_END, /* status: 0 or -1 */
	SB_EVENT_TICK,      /* nothing happened: t_ns moved on. About ten times a second while the
			       library waits for a step */
};

/* The status of a step that did not fail itself: another one did, or the build was cancelled. */
enum { SB_STEP_CANCELLED = -2 };

struct sb_event {
	enum sb_event_kind kind;
	uint64_t t_ns; /* CLOCK_MONOTONIC since the start of the call */
	uint32_t step; /* counts from 1; 0 where the event belongs to none */
	int stream;    /* 1 stdout, 2 stderr */
	int status;
	const char *stage; /* the stage's name, or "stage-N" */
	/* Of several platforms, the one whose step it is; "linux/amd64->arm64" is a step on the
	 * first (FROM --platform) in the build for the second. NULL: there is one alone. */
	const char *platform;
	const char *name;
	const char *text;
	size_t len; /* of text, for STEP_OUTPUT (which may hold NULs) */
	const char *hint;
	const char *file; /* the Buildfile's name, with line: where the step or warning stands;
			     NULL, 0 unknown */
	unsigned line;
	uint64_t done;
	uint64_t total;
};

typedef void (*sb_event_fn)(const struct sb_event *event, void *data);

#endif
