/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_SPACE_H
#define SB_SYS_SPACE_H

#include <stdbool.h>

/* Whether the file system that the open file or folder is on has less than a MiB left for this
 * user, or no file (statvfs(3)). False where it can't be asked, and where it does not count one of
 * them. */
bool sb_space_is_used_up(int fd);

#endif
