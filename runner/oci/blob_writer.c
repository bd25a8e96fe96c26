/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "oci/layout_private.h"
#include "sys/atomic.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/transfer.h"

struct sb_blob_writer {
	struct sb_layout *layout;
	char *name; /* in the tmp folder; NULL: it has none there */
	int tmp_fd;
	int fd;
};

void sb_blob_writer_free(struct sb_blob_writer *w)
{
	if (w == NULL)
		return;
	if (w->name != NULL && w->tmp_fd >= 0)
		(void)unlinkat(w->tmp_fd, w->name, 0);
	free(w->name);
	sb_fd_closep(&w->fd);
	sb_fd_closep(&w->tmp_fd);
	free(w);
}

/*
 * Without a name where the file system can do that: what is written may be a layer that is refused
 * a moment later, and must be gone too when we are killed before.
 */
static int open_file(struct sb_blob_writer *w, struct sb_error *err)
{
	w->fd = sb_at_open_raw(w->tmp_fd, ".", SB_AT_NO_LINKS, O_TMPFILE | O_RDWR, 0644);
	if (w->fd >= 0)
		return 0;

	sb_autofree char *name = sb_unique_name("blob");

	w->fd = sb_at_open_raw(
		w->tmp_fd, name, SB_AT_NO_LINKS, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0644);
	if (w->fd < 0)
		return sb_fail_errno(err, "image layout: make '%s/%s'", SB_LAYOUT_TMP, name);
	w->name = SB_STEAL(name);
	return 0;
}

int sb_blob_writer_new(struct sb_layout *layout, struct sb_blob_writer **out, struct sb_error *err)
{
	SB_AUTO(sb_blob_writer) w = SB_NEW(struct sb_blob_writer);

	w->layout = layout;
	w->tmp_fd = -1;
	w->fd = -1;
	if (sb_layout_require_writable(layout, err) < 0)
		return -1;
	if (sb_at_make_dirs(layout->fd, SB_LAYOUT_TMP, 0700, &w->tmp_fd, err) < 0)
		return sb_error_context(err, "image layout");

	if (open_file(w, err) < 0)
		return -1;
	/* Tells a file that is being written from one whose writer died; see clear_tmp. */
	if (flock(w->fd, LOCK_EX | LOCK_NB) < 0)
		return sb_fail_errno(err, "image layout: lock a file in '%s'", SB_LAYOUT_TMP);
	*out = SB_STEAL(w);
	return 0;
}

int sb_blob_writer_fd(const struct sb_blob_writer *w)
{
	return w->fd;
}

/* What a file needs that is to replace another. */
static int give_name(struct sb_blob_writer *w)
{
	sb_autofree char *opened = sb_asprintf("/proc/self/fd/%d", w->fd);
	sb_autofree char *name = sb_unique_name("blob");

	if (linkat(AT_FDCWD, opened, w->tmp_fd, name, AT_SYMLINK_FOLLOW) < 0)
		return -1;
	w->name = SB_STEAL(name);
	return 0;
}

static int rename_into_place(struct sb_blob_writer *w, int blobs, const struct sb_digest *digest)
{
	if (w->name == NULL && give_name(w) < 0)
		return -1;
	if (renameat(w->tmp_fd, w->name, blobs, sb_digest_hex(digest)) < 0)
		return -1;
	free(w->name);
	w->name = NULL;
	return 0;
}

/* A file without a name gets its only one. */
static int link_into_place(struct sb_blob_writer *w, int blobs, const struct sb_digest *digest)
{
	sb_autofree char *opened = sb_asprintf("/proc/self/fd/%d", w->fd);

	return w->name != NULL
		       ? -1
		       : linkat(AT_FDCWD, opened, blobs, sb_digest_hex(digest), AT_SYMLINK_FOLLOW);
}

static int move_into_place(
	struct sb_blob_writer *w, const struct sb_digest *digest, struct sb_error *err)
{
	sb_autofd int blobs = -1;
	sb_autofd int lock = -1;

	if (sb_at_open_dir(w->layout->fd, SB_LAYOUT_BLOBS, SB_AT_NO_LINKS, &blobs, err) < 0 ||
		sb_lock_take(w->layout->fd, SB_LAYOUT_LOCK, SB_LOCK_SHARED, &lock, err) < 0)
		return -1;
	/* Writing may have taken longer than a blob is spared. */
	if (futimens(w->fd, NULL) < 0 ||
		(link_into_place(w, blobs, digest) < 0 && rename_into_place(w, blobs, digest) < 0))
		return sb_fail_errno(err, "move into '%s'", SB_LAYOUT_BLOBS);
	if (fsync(blobs) < 0)
		return sb_fail_errno(err, "sync '%s'", SB_LAYOUT_BLOBS);
	return 0;
}

int sb_blob_writer_commit(
	struct sb_blob_writer *w, const struct sb_digest *digest, struct sb_error *err)
{
	SB_BUG_ON(!sb_digest_is_set(digest));
	if (sb_transfer_flush(w->layout->interrupt, w->fd, err) < 0)
		return -1;
	if (fsync(w->fd) < 0)
		return sb_fail_errno(err, "sync blob %s", digest->text);
	if (move_into_place(w, digest, err) < 0)
		return sb_error_context(err, "store blob %s", digest->text);
	return 0;
}
