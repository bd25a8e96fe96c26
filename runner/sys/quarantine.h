/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_QUARANTINE_H
#define SB_SYS_QUARANTINE_H

#include "base/error.h"
#include "base/strv.h"

/*
 * Folders that outlive whoever writes into them only if he says so. The writer, the holder, puts an
 * empty file called FOLDER.unsearched.HOLDER beside the folder before he begins, and removes it
 * when he has looked at what is there. Whoever finds the file of a holder that is dead empties the
 * folder first, and then removes the file, under a lock (`quarantine.lock`), so that what the next
 * holder writes is safe.
 */
int sb_quarantine_begin(
	int dir_fd, const char *folder, const char *holder, struct sb_error *err) SB_MUST_USE;
int sb_quarantine_end(
	int dir_fd, const char *folder, const char *holder, struct sb_error *err) SB_MUST_USE;

/* A step as a holder, by the folder that it writes into, "builds/ID/N"; and the ID of its build.
 * Caller frees. */
char *sb_quarantine_holder(const char *step_folder);
char *sb_quarantine_build(const char *holder);

/* The holders of all that is in quarantine, each once. */
int sb_quarantine_holders(int dir_fd, struct sb_strv *out, struct sb_error *err) SB_MUST_USE;
/* Empties what this holder, who must be dead, has left in quarantine. */
int sb_quarantine_discard(int dir_fd, const char *holder, struct sb_error *err) SB_MUST_USE;

#endif
