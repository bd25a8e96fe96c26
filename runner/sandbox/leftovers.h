/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_LEFTOVERS_H
#define SB_SANDBOX_LEFTOVERS_H

#include "sandbox/spec.h"

/*
 * The folder in which a build's steps write (layer/snapshot.h). When safebuild is killed, it can't
 * remove it, and a step may have written a secret there: safebuild-step, which outlives it for that
 * moment, does, and empties the caches that it may have written one into (sys/quarantine.h). (The
 * next build does both, should both processes be killed.) Steps that run at the same time have a
 * safebuild-step each: the last of them to end leaves nothing.
 */
struct sb_leftovers {
	int layers_fd; /* -1: nothing to remove */
	char *folder;  /* below layers_fd; owned */
	char *holder;  /* the step's name in the caches' quarantine; owned */
};
#define SB_LEFTOVERS_INIT \
	{ \
		.layers_fd = -1 \
	}

/* The folder of this step's build. */
void sb_leftovers_remember(struct sb_leftovers *leftovers, const struct sb_step_spec *spec);
/* safebuild is alive and will remove it itself. */
void sb_leftovers_forget(struct sb_leftovers *leftovers);
void sb_leftovers_remove(struct sb_leftovers *leftovers);

#endif
