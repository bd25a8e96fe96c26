/* SPDX-License-Identifier: MIT */
#include "layer/snapshot_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/at.h"
#include "sys/atomic.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/mount.h"
#include "sys/quarantine.h"
#include "sys/tree.h"

/* 1 a new folder, 0 it was there; `st` tells whose it is. */
static int make_folder(int dir_fd, const char *name, struct stat *st, struct sb_error *err)
{
	const bool is_new = mkdirat(dir_fd, name, 0700) == 0;

	if (!is_new && errno != EEXIST)
		return sb_fail_errno(err, "make folder '%s'", name);
	if (fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return sb_fail_errno(err, "make folder '%s'", name);
	if (!S_ISDIR(st->st_mode))
		return sb_fail(err, SB_E_INTEGRITY, "the store's '%s' is no folder", name);
	return is_new;
}

static int give_folder(
	int dir_fd, const char *name, uid_t uid, gid_t gid, mode_t mode, struct sb_error *err)
{
	if (fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		fchmodat(dir_fd, name, mode, 0) < 0)
		return sb_fail_errno(err, "make folder '%s'", name);
	return 0;
}

/*
 * Image root owns it all: the step's own namespace mounts these folders, and may look into no other
 * part of the store. One that is there may be of a build that was killed before it gave it away.
 */
static int make_owned(
	int dir_fd, const char *name, mode_t mode, const struct sb_idmap *ids, struct sb_error *err)
{
	struct stat st;

	if (make_folder(dir_fd, name, &st, err) < 0)
		return -1;
	if (st.st_uid == ids->uid_base && st.st_gid == ids->gid_base &&
		(st.st_mode & 07777) == mode)
		return 0;
	return give_folder(dir_fd, name, ids->uid_base, ids->gid_base, mode, err);
}

/* The lock of a build that was killed before it had a folder. */
static void clear_lone_lock(int builds_fd, const char *name)
{
	const size_t len = strlen(name);
	sb_autofree char *folder = len > 5 ? sb_memdup0(name, len - 5) : sb_strdup(name);
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	sb_autofd int lock = -1;
	struct stat st;

	if (len <= 5 || strcmp(name + len - 5, ".lock") != 0 ||
		fstatat(builds_fd, folder, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return;
	if (sb_lock_try(builds_fd, name, SB_LOCK_EXCLUSIVE, &lock, &ignored) < 0)
		sb_error_ignore(&ignored, "the next build tries again");
	if (lock >= 0 && fstatat(builds_fd, folder, &st, AT_SYMLINK_NOFOLLOW) < 0)
		(void)unlinkat(builds_fd, name, 0);
}

/* Builds that were killed: their lock is free. */
static int clear_stale_builds(int builds_fd, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (sb_tree_list(builds_fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		const char *name = names.items[i];
		sb_autofree char *lock_name = sb_asprintf("%s.lock", name);
		sb_autofd int lock = -1;
		struct stat st;

		if (fstatat(builds_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!S_ISDIR(st.st_mode)) {
			clear_lone_lock(builds_fd, name);
			continue;
		}
		if (sb_lock_try(builds_fd, lock_name, SB_LOCK_EXCLUSIVE, &lock, err) < 0)
			return -1;
		if (lock < 0)
			continue;
		if (sb_tree_remove(builds_fd, name, err) < 0)
			return sb_error_context(err, "clear what a killed build left");
		(void)unlinkat(builds_fd, lock_name, 0);
	}
	return 0;
}

/* What killed builds had in a cache that nobody searched since. */
static int clear_quarantine(int snapshots_fd, const char *own_build, struct sb_error *err)
{
	SB_AUTO_STRV holders = SB_STRV_INIT;
	sb_autofd int caches = -1;

	if (sb_at_open_dir(snapshots_fd, "cache", SB_AT_NO_LINKS, &caches, err) < 0 ||
		sb_quarantine_holders(caches, &holders, err) < 0)
		return -1;
	for (size_t i = 0; i < holders.len; i++) {
		sb_autofree char *build = sb_quarantine_build(holders.items[i]);
		sb_autofree char *lock_name = sb_asprintf("builds/%s.lock", build);
		sb_autofd int lock = -1;

		if (own_build != NULL && strcmp(build, own_build) == 0)
			continue;
		if (sb_lock_try(snapshots_fd, lock_name, SB_LOCK_EXCLUSIVE, &lock, err) < 0)
			return -1;
		if (lock < 0)
			continue;
		if (sb_quarantine_discard(caches, holders.items[i], err) < 0)
			return sb_error_context(err, "clear a cache that a killed build left");
		(void)unlinkat(snapshots_fd, lock_name, 0);
	}
	return 0;
}

int sb_snapshots_open(int store_fd, const struct sb_host_ids *ids, struct sb_snapshots **out,
	struct sb_error *err)
{
	static const char *const folders[] = {"layers", "steps", "marks", "builds", "cache"};
	sb_autofree char *key = sb_asprintf("%u+%u-%u+%u", ids->host_uid_base, ids->ids.uid_count,
		ids->host_gid_base, ids->ids.gid_count);
	sb_autofd int all = -1;
	sb_autofd int fd = -1;
	sb_autofd int builds = -1;

	if (sb_at_make_dirs(store_fd, "snapshots", 0700, &all, err) < 0 ||
		make_owned(all, key, 0700, &ids->ids, err) < 0 ||
		sb_at_open_dir(all, key, SB_AT_NO_LINKS, &fd, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (make_owned(fd, folders[i], 0700, &ids->ids, err) < 0)
			return -1;
	if (make_owned(fd, "empty", 0755, &ids->ids, err) < 0 ||
		make_owned(fd, "mnt", 0700, &ids->ids, err) < 0 ||
		sb_at_open_dir(fd, "builds", SB_AT_NO_LINKS, &builds, err) < 0 ||
		clear_stale_builds(builds, err) < 0 || clear_quarantine(fd, NULL, err) < 0)
		return -1;

	struct sb_snapshots *snapshots = SB_NEW(struct sb_snapshots);

	snapshots->fd = sb_fd_steal(&fd);
	snapshots->ids = ids->ids;
	snapshots->build_lock = -1;
	SB_BUG_ON(pthread_mutex_init(&snapshots->lock, NULL) != 0);
	*out = snapshots;
	return 0;
}

static void end_build(struct sb_snapshots *snapshots)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *name = sb_asprintf("builds/%s", snapshots->build);
	sb_autofree char *lock_name = sb_asprintf("%s.lock", name);

	if (sb_tree_remove(snapshots->fd, name, &err) < 0)
		sb_error_ignore(&err, "the next build clears it");
	else
		(void)unlinkat(snapshots->fd, lock_name, 0);
	sb_fd_closep(&snapshots->build_lock);
	free(snapshots->build);
}

void sb_snapshots_free(struct sb_snapshots *snapshots)
{
	if (snapshots == NULL)
		return;
	if (snapshots->build != NULL)
		end_build(snapshots);
	SB_ARRAY_FOREACH (&snapshots->pins, pin)
		sb_pin_release(pin);
	SB_ARRAY_RELEASE(&snapshots->pins);
	(void)close(snapshots->fd);
	(void)pthread_mutex_destroy(&snapshots->lock);
	free(snapshots);
}

int sb_snapshots_fd(const struct sb_snapshots *snapshots)
{
	return snapshots->fd;
}

char *sb_snapshots_layer_name(const struct sb_digest *diff_id)
{
	return sb_asprintf("layers/%s", sb_digest_hex(diff_id));
}

bool sb_snapshots_has_layer(const struct sb_snapshots *snapshots, const struct sb_digest *diff_id)
{
	sb_autofree char *name = sb_snapshots_layer_name(diff_id);
	struct stat st;

	return fstatat(snapshots->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* The build's own folder, made and locked at its first use. The lock is there before the folder, so
 * that nobody takes it for a killed build's. */
int sb_snapshots_begin_build(struct sb_snapshots *snapshots, struct sb_error *err)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&snapshots->lock);

	if (snapshots->build != NULL)
		return 0;

	sb_autofree char *build = sb_unique_name("b");
	sb_autofree char *name = sb_asprintf("builds/%s", build);
	sb_autofree char *lock_name = sb_asprintf("%s.lock", name);

	if (sb_lock_take(snapshots->fd, lock_name, SB_LOCK_EXCLUSIVE, &snapshots->build_lock, err) <
			0 ||
		make_owned(snapshots->fd, name, 0700, &snapshots->ids, err) < 0)
		return -1;
	snapshots->build = SB_STEAL(build);
	return 0;
}

char *sb_snapshots_own_name(struct sb_snapshots *snapshots, const char *what)
{
	return sb_asprintf("builds/%s/%s-%u", snapshots->build, what, snapshots->n_names++);
}

int sb_snapshots_begin_layer(
	struct sb_snapshots *snapshots, char **out_name, int *out_dir_fd, struct sb_error *err)
{
	if (sb_snapshots_begin_build(snapshots, err) < 0)
		return -1;

	sb_autofree char *name = sb_snapshots_own_name(snapshots, "layer");

	if (make_owned(snapshots->fd, name, 0755, &snapshots->ids, err) < 0 ||
		sb_at_open_dir(snapshots->fd, name, SB_AT_NO_LINKS, out_dir_fd, err) < 0)
		return -1;
	*out_name = SB_STEAL(name);
	return 0;
}

int sb_snapshots_commit_layer(struct sb_snapshots *snapshots, const char *name,
	const struct sb_digest *diff_id, struct sb_error *err)
{
	sb_autofree char *final = sb_snapshots_layer_name(diff_id);
	sb_autofd int fd = -1;

	/* A layer that is there counts as whole for ever after: its bytes must be on disk before
	 * its name is. */
	if (sb_at_open_dir(snapshots->fd, name, SB_AT_NO_LINKS, &fd, err) < 0)
		return -1;
	if (syncfs(fd) < 0)
		return sb_fail_errno(err, "sync layer");
	for (;;) {
		bool is_cleared = false;

		if (renameat2(snapshots->fd, name, snapshots->fd, final, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST && errno != ENOTEMPTY)
			return sb_fail_errno(err, "keep layer %s", diff_id->text);
		if (sb_snapshots_clear_name(snapshots, final, &is_cleared, err) < 0)
			return -1;
		if (!is_cleared)
			return sb_tree_remove(snapshots->fd, name, err);
	}
}

void sb_upper_release(struct sb_upper *upper)
{
	free(upper->diff);
	free(upper->work);
	*upper = (struct sb_upper){0};
}

int sb_snapshots_new_upper(
	struct sb_snapshots *snapshots, struct sb_upper *out, struct sb_error *err)
{
	if (sb_snapshots_begin_build(snapshots, err) < 0)
		return -1;

	sb_autofree char *name =
		sb_asprintf("builds/%s/%u", snapshots->build, snapshots->n_names++);
	sb_autofree char *diff = sb_asprintf("%s/diff", name);
	sb_autofree char *work = sb_asprintf("%s/work", name);

	if (make_owned(snapshots->fd, name, 0700, &snapshots->ids, err) < 0 ||
		make_owned(snapshots->fd, diff, 0755, &snapshots->ids, err) < 0 ||
		make_owned(snapshots->fd, work, 0700, &snapshots->ids, err) < 0)
		return -1;
	out->diff = SB_STEAL(diff);
	out->work = SB_STEAL(work);
	return 0;
}

int sb_snapshots_drop_upper(
	struct sb_snapshots *snapshots, const struct sb_upper *upper, struct sb_error *err)
{
	if (sb_tree_remove(snapshots->fd, upper->work, err) < 0)
		return -1;
	return sb_tree_remove(snapshots->fd, upper->diff, err);
}

/* Any text may be a key; its digest is a file name. */
char *sb_snapshots_cache_name(const char *key, const char *suffix)
{
	struct sb_digest digest;

	sb_digest_of(key, strlen(key), &digest);
	return sb_asprintf("cache/%s%s", sb_digest_hex(&digest), suffix);
}

static int open_cache_folder(struct sb_snapshots *snapshots, const struct sb_cache_folder *cache,
	const char *name, int *out_fd, struct sb_error *err)
{
	struct stat st;
	const int is_new = make_folder(snapshots->fd, name, &st, err);

	if (is_new < 0)
		return -1;
	/* Not an image's id: its maker was killed. Else it is whose a step made it. */
	if ((is_new || !sb_idmap_is_on_disk(&snapshots->ids, st.st_uid, st.st_gid)) &&
		give_folder(snapshots->fd, name, sb_idmap_uid_to_disk(&snapshots->ids, cache->uid),
			sb_idmap_gid_to_disk(&snapshots->ids, cache->gid), cache->mode & 07777,
			err) < 0)
		return -1;
	return sb_at_open_dir(snapshots->fd, name, SB_AT_NO_LINKS, out_fd, err);
}

int sb_snapshots_open_cache(struct sb_snapshots *snapshots, const struct sb_cache_folder *cache,
	int *out_fd, struct sb_error *err)
{
	sb_autofree char *name = sb_snapshots_cache_name(cache->key, "");

	/* Also what a build left that was killed while this one ran. */
	if (sb_snapshots_begin_build(snapshots, err) < 0 ||
		clear_quarantine(snapshots->fd, snapshots->build, err) < 0)
		return -1;
	if (!sb_idmap_has(&snapshots->ids, cache->uid, cache->gid))
		return sb_fail(err, SB_E_UNSUPPORTED,
			"cache mount: owner %u:%u is outside the ids of this host", cache->uid,
			cache->gid);
	*out_fd = -1;
	for (enum sb_pinned pinned = SB_PIN_GONE; pinned == SB_PIN_GONE;) {
		sb_autofd int fd = -1;

		if (open_cache_folder(snapshots, cache, name, &fd, err) < 0 ||
			sb_snapshots_pin_cache(snapshots, name, cache->key, fd, &pinned, err) < 0)
			return sb_error_context(err, "cache mount");
		/* GONE: it was removed between the two. */
		if (pinned == SB_PINNED)
			*out_fd = sb_fd_steal(&fd);
	}
	return 0;
}

int sb_snapshots_lock_cache(
	struct sb_snapshots *snapshots, const char *key, int *out_fd, struct sb_error *err)
{
	sb_autofree char *name = sb_snapshots_cache_name(key, ".lock");

	return sb_lock_try(snapshots->fd, name, SB_LOCK_EXCLUSIVE, out_fd, err);
}

typedef int (*quarantine_fn)(
	int dir_fd, const char *folder, const char *holder, struct sb_error *err);

/* By the names that the quarantine goes by: of the cache's folder in cache/, and of the step. */
static int quarantine(struct sb_snapshots *snapshots, const struct sb_upper *upper, const char *key,
	quarantine_fn fn, struct sb_error *err)
{
	sb_autofree char *name = sb_snapshots_cache_name(key, "");
	sb_autofree char *folder = sb_path_base(name);
	sb_autofree char *step = sb_path_dir(upper->diff);
	sb_autofree char *holder = sb_quarantine_holder(step);
	sb_autofd int caches = -1;

	if (sb_at_open_dir(snapshots->fd, "cache", SB_AT_NO_LINKS, &caches, err) < 0)
		return -1;
	return fn(caches, folder, holder, err);
}

int sb_snapshots_distrust_cache(struct sb_snapshots *snapshots, const struct sb_upper *upper,
	const char *key, struct sb_error *err)
{
	return quarantine(snapshots, upper, key, sb_quarantine_begin, err);
}

int sb_snapshots_trust_cache(struct sb_snapshots *snapshots, const struct sb_upper *upper,
	const char *key, struct sb_error *err)
{
	return quarantine(snapshots, upper, key, sb_quarantine_end, err);
}

int sb_snapshots_view(struct sb_snapshots *snapshots, const struct sb_strv *lowers,
	const struct sb_upper *upper, int *out_mount_fd, struct sb_error *err)
{
	const struct sb_overlay overlay = {
		.layers_fd = snapshots->fd,
		.lowers = lowers,
		.scaffold_fd = -1,
		.upper = upper != NULL ? upper->diff : NULL,
		.work = upper != NULL ? upper->work : NULL,
	};

	return sb_mount_overlay(&overlay, out_mount_fd, err);
}

int sb_snapshots_open_mount_point(
	const struct sb_snapshots *snapshots, int *out_fd, struct sb_error *err)
{
	return sb_at_open(snapshots->fd, "mnt", SB_AT_NO_LINKS, O_PATH | O_DIRECTORY, out_fd, err);
}

int sb_snapshots_settle(const struct sb_snapshots *snapshots, int mount_fd, struct sb_error *err)
{
	sb_autofd int at = -1;

	if (sb_snapshots_open_mount_point(snapshots, &at, err) < 0)
		return -1;
	return sb_mount_attach(mount_fd, at, err);
}
