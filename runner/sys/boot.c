/* SPDX-License-Identifier: MIT */
#include "sys/boot.h"

#include <fcntl.h>
#include <string.h>

#include "sys/fd.h"

const char *sb_boot_id(void)
{
	static char id[64];

	if (id[0] != '\0')
		return id;

	sb_autofd int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd >= 0 ? read(fd, id, sizeof(id) - 1) : -1;

	id[n > 0 ? n : 0] = '\0';
	id[strcspn(id, "\n")] = '\0';
	if (id[0] == '\0')
		memcpy(id, "unknown", sizeof("unknown"));
	return id;
}
