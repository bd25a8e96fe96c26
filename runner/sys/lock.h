/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_LOCK_H
#define SB_SYS_LOCK_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Advisory locks (flock) on a file in a folder, made where it is missing. The lock ends when the
 * descriptor is closed, also when the process is killed.
 */
enum sb_lock_kind { SB_LOCK_SHARED, SB_LOCK_EXCLUSIVE };

/* Waits for the lock. */
int sb_lock_take(int dir_fd, const char *name, enum sb_lock_kind kind, int *out_fd,
	struct sb_error *err) SB_MUST_USE;
/* Does not wait: *out_fd is -1 where another process holds it. */
int sb_lock_try(int dir_fd, const char *name, enum sb_lock_kind kind, int *out_fd,
	struct sb_error *err) SB_MUST_USE;

/* Makes a shared lock an exclusive one if nobody else holds it; else it stays shared. */
bool sb_lock_upgrade(int fd);
/* Makes it a shared one again. */
void sb_lock_downgrade(int fd);

#endif
