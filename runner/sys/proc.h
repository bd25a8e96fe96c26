/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_PROC_H
#define SB_SYS_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"

/* True if a program of that name is on $PATH or in the usual system folders. */
bool sb_proc_find_program(const char *name);
/* Its path (caller frees), or NULL. */
char *sb_proc_program_path(const char *name);

/* Runs a program to its end, without a shell and without our environment, which may hold secrets;
 * its output is dropped. A status other than 0 is SB_E_SYSTEM with what it said on stderr. */
int sb_proc_run(const struct sb_strv *argv, struct sb_error *err) SB_MUST_USE;

/* Waits for a child; its exit status, or 128 + the signal that killed it; -1 where it can't be
 * waited for. */
int sb_proc_wait(pid_t pid);

/* A descriptor of the process (pidfd_open, Linux 5.3); readable when it ends. */
int sb_proc_open(pid_t pid, int *out_pidfd, struct sb_error *err) SB_MUST_USE;

/* Every signal has its default action, and none is blocked. */
void sb_proc_reset_signals(void);

#endif
