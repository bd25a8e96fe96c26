/* SPDX-License-Identifier: MIT */
#include "sys/space.h"

#include <stdint.h>
#include <sys/statvfs.h>

enum { HARDLY_ANY = 1 << 20 };

bool sb_space_is_used_up(int fd)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) < 0)
		return false;
	return (fs.f_blocks > 0 && (uint64_t)fs.f_bavail * fs.f_frsize < HARDLY_ANY) ||
	       (fs.f_files > 0 && fs.f_favail == 0);
}
