/* SPDX-License-Identifier: MIT */
#include "sys/atomic.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/fd.h"

char *sb_unique_name(const char *prefix)
{
	uint64_t random = 0;

	SB_BUG_ON(getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random));
	return sb_asprintf("%s-%d-%016" PRIx64, prefix, (int)getpid(), random);
}

int sb_atomic_write(int dir_fd, const char *name, mode_t mode, const void *bytes, size_t len,
	struct sb_error *err)
{
	sb_autofree char *tmp = sb_unique_name(".tmp");
	sb_autofd int fd = openat(dir_fd, tmp, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);

	if (fd < 0)
		return sb_fail_errno(err, "write '%s'", name);
	if (sb_fd_write_all(fd, bytes, len, err) < 0) {
		(void)unlinkat(dir_fd, tmp, 0);
		return sb_error_context(err, "write '%s'", name);
	}
	if (fsync(fd) < 0 || renameat(dir_fd, tmp, dir_fd, name) < 0 || fsync(dir_fd) < 0) {
		(void)sb_fail_errno(err, "write '%s'", name);
		(void)unlinkat(dir_fd, tmp, 0);
		return -1;
	}
	return 0;
}
