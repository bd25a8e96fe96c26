/* SPDX-License-Identifier: MIT */
#include "layer/compare.h"

#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "sys/at.h"
#include "sys/fd.h"

enum { CHUNK = 128 << 10 };

static bool same_metadata(const struct sb_entry *a, const struct sb_entry *b)
{
	const bool is_device = S_ISCHR(a->st.st_mode) || S_ISBLK(a->st.st_mode);

	if (a->st.st_mode != b->st.st_mode || a->uid != b->uid || a->gid != b->gid)
		return false;
	if (is_device && a->st.st_rdev != b->st.st_rdev)
		return false;
	return sb_xattrs_equal(&a->xattrs, &b->xattrs);
}

/* Reads until `len` bytes or the end of the file. */
static ssize_t read_full(int fd, char *bytes, size_t len, struct sb_error *err)
{
	size_t got = 0;

	while (got < len) {
		const ssize_t n = sb_fd_read(fd, bytes + got, len - got, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static int same_content(const char *name, int a_dir_fd, int b_dir_fd,
	struct sb_interrupt *interrupt, bool *out_equal, struct sb_error *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
	sb_autofree char *a_bytes = sb_malloc(CHUNK);
	sb_autofree char *b_bytes = sb_malloc(CHUNK);
	sb_autofd int a = -1;
	sb_autofd int b = -1;

	if (sb_at_open(a_dir_fd, name, SB_AT_NO_LINKS, flags, &a, err) < 0 ||
		sb_at_open(b_dir_fd, name, SB_AT_NO_LINKS, flags, &b, err) < 0)
		return -1;
	for (;;) {
		if (sb_interrupt_check(interrupt, err) < 0)
			return -1;

		const ssize_t n = read_full(a, a_bytes, CHUNK, err);
		const ssize_t m = n >= 0 ? read_full(b, b_bytes, CHUNK, err) : -1;

		if (n < 0 || m < 0)
			return -1;
		*out_equal = n == m && memcmp(a_bytes, b_bytes, (size_t)n) == 0;
		if (!*out_equal || n < CHUNK)
			return 0;
	}
}

static int same_target(
	const char *name, int a_dir_fd, int b_dir_fd, bool *out_equal, struct sb_error *err)
{
	sb_autofree char *a = NULL;
	sb_autofree char *b = NULL;

	if (sb_at_read_link(a_dir_fd, name, &a, err) < 0 ||
		sb_at_read_link(b_dir_fd, name, &b, err) < 0)
		return -1;
	*out_equal = strcmp(a, b) == 0;
	return 0;
}

int sb_entry_equal(const char *name, struct sb_compared upper, struct sb_compared lower,
	struct sb_interrupt *interrupt, bool *out_equal, struct sb_error *err)
{
	const struct stat *a = &upper.entry->st;
	const struct stat *b = &lower.entry->st;

	*out_equal = same_metadata(upper.entry, lower.entry);
	if (!*out_equal || S_ISDIR(a->st_mode))
		return 0;
	*out_equal = a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		     a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
	if (!*out_equal)
		return 0;
	if (S_ISREG(a->st_mode) && a->st_size > 0)
		return same_content(name, upper.dir_fd, lower.dir_fd, interrupt, out_equal, err);
	if (S_ISLNK(a->st_mode))
		return same_target(name, upper.dir_fd, lower.dir_fd, out_equal, err);
	return 0;
}
