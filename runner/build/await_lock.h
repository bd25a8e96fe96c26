/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_AWAIT_LOCK_H
#define SB_BUILD_AWAIT_LOCK_H

#include "build/build.h"

/* Takes what is locked where it is free: a descriptor that holds it, or -1 where somebody else has
 * it. */
typedef int (*sb_take_fn)(void *self, int *out_fd, struct sb_error *err);

/*
 * Takes what another step or build may have, and waits for it: not in the kernel, since the user
 * may end it (SB_E_CANCELLED), and is told `text`, once, if it has to be waited for.
 */
int sb_await_lock(struct sb_build *build, const char *text, sb_take_fn take, void *self,
	int *out_fd, struct sb_error *err) SB_MUST_USE;

#endif
