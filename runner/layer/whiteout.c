/* SPDX-License-Identifier: MIT */
#include "layer/whiteout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strv.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"
#include "sys/xattr.h"

bool sb_whiteout_is_name(const char *name)
{
	return strncmp(name, SB_WHITEOUT_PREFIX, strlen(SB_WHITEOUT_PREFIX)) == 0;
}

/* What user.overlay.opaque says of a folder: 'y', 'x', or 0 where it is not set. */
static int read_opaque(int dir_fd, const char *name, char *out, struct sb_error *err)
{
	sb_autofree char *value = NULL;
	size_t len = 0;

	if (sb_xattr_get(dir_fd, name, SB_OVERLAY_OPAQUE, &value, &len, err) < 0)
		return -1;
	*out = '\0';
	if (value != NULL && len == 1)
		*out = value[0];
	return 0;
}

static int make_as_file(int dir_fd, const char *name, struct sb_error *err)
{
	sb_autofd int fd = -1;
	char opaque = '\0';

	if (read_opaque(dir_fd, ".", &opaque, err) < 0)
		return -1;
	if (opaque == 'y')
		return 0; /* nothing of the lower layers is seen here, so nothing needs hiding */
	if (sb_at_create(dir_fd, name, SB_AT_NO_LINKS, 0600, &fd, err) < 0)
		return -1;
	if (sb_xattr_set(dir_fd, name, SB_OVERLAY_WHITEOUT, "", 0, err) < 0)
		return -1;
	return sb_xattr_set(dir_fd, ".", SB_OVERLAY_OPAQUE, "x", 1, err);
}

int sb_whiteout_make(int dir_fd, const char *name, struct sb_error *err)
{
	if (mknodat(dir_fd, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EPERM)
		return sb_fail_errno(err, "make whiteout '%s'", name);
	if (make_as_file(dir_fd, name, err) < 0)
		return sb_error_context(err, "make whiteout '%s'", name);
	return 0;
}

/* In a folder marked 'y' the kernel takes whiteouts of the other form for plain files. */
static int remove_file_whiteouts(int dir_fd, const char *name, struct sb_error *err)
{
	sb_autofd int fd = -1;
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (sb_at_open_dir(dir_fd, name, SB_AT_NO_LINKS, &fd, err) < 0 ||
		sb_tree_list(fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		sb_autofree char *value = NULL;
		size_t len = 0;

		if (sb_xattr_get(fd, names.items[i], SB_OVERLAY_WHITEOUT, &value, &len, err) < 0)
			return -1;
		if (value != NULL && unlinkat(fd, names.items[i], 0) < 0)
			return sb_fail_errno(err, "remove '%s'", names.items[i]);
	}
	return 0;
}

int sb_whiteout_make_opaque(int dir_fd, const char *name, struct sb_error *err)
{
	char opaque = '\0';

	if (read_opaque(dir_fd, name, &opaque, err) < 0)
		return -1;
	if (opaque == 'x' && remove_file_whiteouts(dir_fd, name, err) < 0)
		return -1;
	return sb_xattr_set(dir_fd, name, SB_OVERLAY_OPAQUE, "y", 1, err);
}

int sb_whiteout_clear_opaque_in(int dir_fd, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (sb_tree_list(dir_fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		char opaque = '\0';

		if (read_opaque(dir_fd, names.items[i], &opaque, err) < 0)
			return -1;
		if (opaque != '\0' &&
			sb_xattr_remove(dir_fd, names.items[i], SB_OVERLAY_OPAQUE, err) < 0)
			return -1;
	}
	return 0;
}
