/* SPDX-License-Identifier: MIT */
#include "sandbox/workdir.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/at.h"
#include "sys/fd.h"

/* Opens one folder of the path, made first where it is missing. */
static int enter_or_make(
	int at, const char *part, uid_t uid, gid_t gid, int *out_fd, struct sb_error *err)
{
	const bool is_new = mkdirat(at, part, 0755) == 0;
	sb_autofd int fd = -1;

	if (!is_new && errno != EEXIST)
		return sb_fail_errno(err, "make folder '%s'", part);
	if (sb_at_open(at, part, SB_AT_NO_LINKS, O_PATH | O_DIRECTORY, &fd, err) < 0)
		return -1;
	/* The mode again: the umask had its say. */
	if (is_new &&
		(fchmodat(at, part, 0755, 0) < 0 || fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0))
		return sb_fail_errno(err, "make folder '%s'", part);
	*out_fd = sb_fd_steal(&fd);
	return 0;
}

static int make_parts(int root_fd, const char *path, uid_t uid, gid_t gid, struct sb_error *err)
{
	sb_autofree char *canonical = NULL;
	sb_autofd int at = -1;

	if (sb_at_canonical(root_fd, path, &canonical, err) < 0 ||
		sb_at_open(root_fd, ".", SB_AT_NO_LINKS, O_PATH | O_DIRECTORY, &at, err) < 0)
		return -1;
	for (char *saved = NULL, *part = strtok_r(canonical, "/", &saved); part != NULL;
		part = strtok_r(NULL, "/", &saved)) {
		sb_autofd int next = -1;

		if (enter_or_make(at, part, uid, gid, &next, err) < 0)
			return -1;
		sb_fd_closep(&at);
		at = sb_fd_steal(&next);
	}
	return 0;
}

int sb_workdir_make(int root_fd, const char *path, uid_t uid, gid_t gid, struct sb_error *err)
{
	sb_autofd int there = sb_at_open_raw(root_fd, path, SB_AT_IN_ROOT, O_PATH | O_DIRECTORY, 0);

	if (there >= 0)
		return 0;
	if (errno != ENOENT)
		return sb_fail_errno(err, "working directory '%s'", path);
	if (make_parts(root_fd, path, uid, gid, err) < 0)
		return sb_error_context(err, "working directory '%s'", path);
	return 0;
}
