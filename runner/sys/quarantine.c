/* SPDX-License-Identifier: MIT */
#include "sys/quarantine.h"

#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/tree.h"

static const char infix[] = ".unsearched.";
static const char lock_name[] = "quarantine.lock";

static char *mark_name(const char *folder, const char *holder)
{
	return sb_asprintf("%s%s%s", folder, infix, holder);
}

char *sb_quarantine_holder(const char *step_folder)
{
	sb_autofree char *build_folder = sb_path_dir(step_folder);
	sb_autofree char *build = sb_path_base(build_folder);
	sb_autofree char *step = sb_path_base(step_folder);

	return sb_asprintf("%s+%s", build, step);
}

char *sb_quarantine_build(const char *holder)
{
	return sb_memdup0(holder, strcspn(holder, "+"));
}

int sb_quarantine_begin(int dir_fd, const char *folder, const char *holder, struct sb_error *err)
{
	sb_autofree char *mark = mark_name(folder, holder);
	sb_autofd int fd = openat(dir_fd, mark, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? sb_fail_errno(err, "make '%s'", mark) : 0;
}

int sb_quarantine_end(int dir_fd, const char *folder, const char *holder, struct sb_error *err)
{
	sb_autofree char *mark = mark_name(folder, holder);

	if (unlinkat(dir_fd, mark, 0) < 0 && errno != ENOENT)
		return sb_fail_errno(err, "remove '%s'", mark);
	return 0;
}

int sb_quarantine_holders(int dir_fd, struct sb_strv *out, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (sb_tree_list(dir_fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		const char *found = strstr(names.items[i], infix);

		if (found != NULL && !sb_strv_contains(out, found + strlen(infix)))
			sb_strv_add(out, found + strlen(infix));
	}
	return 0;
}

/* The folder itself stays: another holder may have it mounted. */
static int empty(int dir_fd, const char *folder, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : sb_fail_errno(err, "'%s'", folder);
	if (sb_tree_list(fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++)
		if (sb_tree_remove(fd, names.items[i], err) < 0)
			return -1;
	return 0;
}

int sb_quarantine_discard(int dir_fd, const char *holder, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int lock = -1;

	if (sb_lock_take(dir_fd, lock_name, SB_LOCK_EXCLUSIVE, &lock, err) < 0 ||
		sb_tree_list(dir_fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		const char *found = strstr(names.items[i], infix);

		if (found == NULL || strcmp(found + strlen(infix), holder) != 0)
			continue;

		sb_autofree char *folder =
			sb_memdup0(names.items[i], (size_t)(found - names.items[i]));

		if (empty(dir_fd, folder, err) < 0 ||
			sb_quarantine_end(dir_fd, folder, holder, err) < 0)
			return -1;
	}
	return 0;
}
