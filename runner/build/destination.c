/* SPDX-License-Identifier: MIT */
#include "build/destination.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/atomic.h"
#include "sys/fd.h"
#include "sys/transfer.h"

void sb_destination_release(struct sb_destination *d)
{
	if (d->tmp != NULL)
		(void)unlinkat(d->dir_fd, d->tmp, 0);
	sb_fd_closep(&d->fd);
	sb_fd_closep(&d->dir_fd);
	free(d->path);
	free(d->name);
	free(d->tmp);
	*d = (struct sb_destination)SB_DESTINATION_INIT;
}

static int open_folder(struct sb_destination *d, struct sb_error *err)
{
	if (mkdir(d->path, 0755) < 0 && errno != EEXIST)
		return sb_fail_errno(err, "output folder '%s'", d->path);
	return sb_fd_open_dir_user(d->path, "output folder", &d->dir_fd, err);
}

static int open_file(struct sb_destination *d, struct sb_error *err)
{
	sb_autofree char *dir = sb_path_dir(d->path);
	struct stat st;

	if (stat(d->path, &st) == 0 && S_ISDIR(st.st_mode))
		return sb_fail(err, SB_E_USAGE, "output '%s' is a folder; a file is to be written",
			d->path);
	if (sb_fd_open_dir_user(dir, "folder of the output", &d->dir_fd, err) < 0)
		return -1;
	/* A pipe or device is written as it stands. */
	if (stat(d->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		d->fd = open(d->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return d->fd < 0 ? sb_fail_errno(err, "output '%s'", d->path) : 0;
	}
	d->name = sb_path_base(d->path);
	/* Without a name while the work goes on: the folder may be the build context, and a killed
	 * build leaves nothing. Not every file system can do it. */
	d->fd = openat(d->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (d->fd >= 0)
		return 0;
	d->tmp = sb_unique_name(".safebuild");
	d->fd = openat(d->dir_fd, d->tmp, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
	if (d->fd < 0) {
		free(d->tmp);
		d->tmp = NULL;
		return sb_fail_errno(err, "output '%s'", d->path);
	}
	return 0;
}

int sb_destination_open(
	const char *path, bool is_folder, struct sb_destination *out, struct sb_error *err)
{
	out->path = sb_strdup(path);
	if (strcmp(path, "-") != 0)
		return is_folder ? open_folder(out, err) : open_file(out, err);
	if (is_folder)
		return sb_fail(err, SB_E_USAGE, "a folder can't be written to standard output");
	return sb_fd_dup(STDOUT_FILENO, &out->fd, err);
}

static int link_as(const struct sb_destination *d, const char *name)
{
	sb_autofree char *path = sb_asprintf("/proc/self/fd/%d", d->fd);

	return linkat(AT_FDCWD, path, d->dir_fd, name, AT_SYMLINK_FOLLOW);
}

/* A link can't replace a file: where there is one, a temporary name is needed even now, for as
 * short as can be, since a killed build leaves it. */
static int give_name(struct sb_destination *d, struct sb_error *err)
{
	if (d->tmp == NULL && link_as(d, d->name) == 0)
		return 0;
	if (d->tmp == NULL) {
		sb_autofree char *tmp = sb_unique_name(".safebuild");

		if (link_as(d, tmp) < 0)
			return sb_fail_errno(err, "output '%s'", d->path);
		d->tmp = SB_STEAL(tmp);
	}
	if (renameat(d->dir_fd, d->tmp, d->dir_fd, d->name) < 0)
		return sb_fail_errno(err, "output '%s'", d->path);
	free(d->tmp);
	d->tmp = NULL;
	return 0;
}

int sb_destination_finish(struct sb_destination *d, struct sb_interrupt *interrupt,
	uint64_t *out_bytes, struct sb_error *err)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	*out_bytes = 0;
	if (d->fd >= 0 && sb_fd_size(d->fd, out_bytes, &ignored) < 0)
		sb_error_ignore(&ignored, "only for the progress");
	if (d->name == NULL)
		return 0;
	if (sb_transfer_flush(interrupt, d->fd, err) < 0)
		return -1;
	if (fsync(d->fd) < 0)
		return sb_fail_errno(err, "output '%s'", d->path);
	return give_name(d, err);
}
