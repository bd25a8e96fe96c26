/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "layer/snapshot_private.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"

/* A build that was killed since the store was opened may have left a secret in it. */
static int is_unsearched(
	struct sb_snapshots *snapshots, const char *name, bool *out, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofree char *hex = sb_path_base(name);
	sb_autofree char *prefix = sb_asprintf("%s.unsearched.", hex);
	sb_autofd int dir = -1;

	if (sb_at_open_dir(snapshots->fd, "cache", SB_AT_NO_LINKS, &dir, err) < 0 ||
		sb_tree_list(dir, &names, err) < 0)
		return -1;
	*out = false;
	for (size_t i = 0; i < names.len; i++)
		if (strncmp(names.items[i], prefix, strlen(prefix)) == 0)
			*out = true;
	return 0;
}

/* The text of its mark, if that is the key. */
static char *read_key(struct sb_snapshots *snapshots, const char *name)
{
	sb_autofree char *hex = sb_path_base(name);
	sb_autofree char *mark = sb_asprintf("marks/%s", hex);
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_PATH);
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (sb_at_read_file(snapshots->fd, mark, SB_AT_NO_LINKS, SB_MAX_PATH, &text, &ignored) <
		0) {
		sb_error_ignore(&ignored, "then it is not known");
		return NULL;
	}

	sb_autofree char *its = sb_snapshots_cache_name(text.data != NULL ? text.data : "", "");

	return strcmp(its, name) == 0 ? sb_buf_steal(&text) : NULL;
}

int sb_snapshots_hold_cache(struct sb_snapshots *snapshots, const char *name, int *out_fd,
	char **out_key, struct sb_error *err)
{
	sb_autofd int fd = sb_at_open_raw(
		snapshots->fd, name, SB_AT_NO_LINKS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	bool has_more = false;

	*out_fd = -1;
	*out_key = NULL;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return sb_fail_errno(err, "cache mount");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : sb_fail_errno(err, "lock the cache mount");
	if (!sb_snapshots_is_still_named(snapshots, name, fd))
		return 0;
	if (is_unsearched(snapshots, name, &has_more, err) < 0)
		return -1;
	if (has_more)
		return 0;
	*out_key = read_key(snapshots, name);
	*out_fd = sb_fd_steal(&fd);
	return 0;
}

static int give(const struct sb_snapshots *snapshots, const char *unpacked,
	const struct sb_cache_folder *cache, struct sb_error *err)
{
	sb_autofd int dir = -1;

	if (!sb_idmap_has(&snapshots->ids, cache->uid, cache->gid))
		return sb_fail(err, SB_E_UNSUPPORTED, "owner %u:%u is outside the ids of this host",
			cache->uid, cache->gid);
	if (sb_at_open_dir(snapshots->fd, unpacked, SB_AT_NO_LINKS, &dir, err) < 0)
		return -1;
	if (fchown(dir, sb_idmap_uid_to_disk(&snapshots->ids, cache->uid),
		    sb_idmap_gid_to_disk(&snapshots->ids, cache->gid)) < 0 ||
		fchmod(dir, cache->mode & 07777) < 0)
		return sb_fail_errno(err, "give the cache mount its owner");
	return 0;
}

int sb_snapshots_put_cache(struct sb_snapshots *snapshots, const char *unpacked,
	const struct sb_cache_folder *cache, bool *out_is_put, struct sb_error *err)
{
	enum { MAX_TRIES = 10 };
	sb_autofree char *name = sb_snapshots_cache_name(cache->key, "");
	enum sb_pinned pinned = SB_PIN_GONE;
	bool is_removed = false;
	struct stat st;
	sb_autofd int fd = -1;

	*out_is_put = false;
	if (give(snapshots, unpacked, cache, err) < 0 ||
		sb_at_open_dir(snapshots->fd, unpacked, SB_AT_NO_LINKS, &fd, err) < 0)
		return -1;
	/* Before it has its name: so that nobody holds it alone until its mark says whose it is. */
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return sb_fail_errno(err, "hold the cache mount");
	for (int n = 0; n < MAX_TRIES && !*out_is_put; n++) {
		if (fstatat(snapshots->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			sb_snapshots_remove(snapshots, name, &is_removed, err) < 0)
			return -1;
		*out_is_put = renameat2(snapshots->fd, unpacked, snapshots->fd, name,
				      RENAME_NOREPLACE) == 0;
		if (!*out_is_put && errno != EEXIST && errno != ENOTEMPTY)
			return sb_fail_errno(err, "put the cache mount in its place");
		if (!*out_is_put && !is_removed)
			return 0;
	}
	return *out_is_put ? sb_snapshots_pin_cache(snapshots, name, cache->key, fd, &pinned, err)
			   : 0;
}
