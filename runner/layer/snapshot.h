/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_SNAPSHOT_H
#define SB_LAYER_SNAPSHOT_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/strv.h"
#include "sys/userns.h"

/*
 * Folders that are stacked to root file systems, in the store under snapshots/<uid base>+<uid
 * count>-<gid base>+<gid count>: one such folder a mapping, since owners on disk depend on it. In
 * it are
 *
 *	layers/<hex of diff_id>      an unpacked layer, shared by all builds, never changed
 *	steps/<hex of a state>       what a step wrote, as the overlay left it; only ever stacked on
 *	                             the layers that it was written on, never changed
 *	marks/<hex>                  of each of both: when it was last used (the file's time)
 *	builds/<id>/<n>/{diff,work}  what step n of a running build writes; gone when the build ends
 *	cache/<key>                  a cache mount
 *	cache/<key>.unsearched.<id>+<n>  step n of build <id> may leave a secret in it
 *	                             (sys/quarantine.h)
 *	empty                        an empty folder
 *	mnt                          where a build mounts, in its own namespace, what it clones from
 *
 * A stack ("lowers") is a list of names relative to that folder, bottom first. A build that was
 * killed leaves its folder behind, unlocked; the next one removes it. The threads of a build share
 * one of these.
 */
struct sb_snapshots;

int sb_snapshots_open(int store_fd, const struct sb_host_ids *ids, struct sb_snapshots **out,
	struct sb_error *err) SB_MUST_USE;
void sb_snapshots_free(struct sb_snapshots *snapshots);
SB_DEFINE_FREEP(sb_snapshots)
/* Borrowed. */
int sb_snapshots_fd(const struct sb_snapshots *snapshots);

bool sb_snapshots_has_layer(const struct sb_snapshots *snapshots, const struct sb_digest *diff_id);
/* "layers/<hex>"; caller frees. */
char *sb_snapshots_layer_name(const struct sb_digest *diff_id);
/* A new folder to unpack into; its name (relative, caller frees) is needed to commit it, or to drop
 * it. */
int sb_snapshots_begin_layer(struct sb_snapshots *snapshots, char **out_name, int *out_dir_fd,
	struct sb_error *err) SB_MUST_USE;
/* Makes it the layer of that diff_id; where another process was first, its result stays. What has
 * its place and is no folder is removed. */
int sb_snapshots_commit_layer(struct sb_snapshots *snapshots, const char *name,
	const struct sb_digest *diff_id, struct sb_error *err) SB_MUST_USE;

/*
 * Holds a layer or step until the snapshots are freed: nobody removes it meanwhile, and it counts
 * as used now. *out_is_there is false where there is none, or one that a crash of the machine may
 * have left without its content, or what is no folder.
 */
int sb_snapshots_pin(struct sb_snapshots *snapshots, const char *name, bool *out_is_there,
	struct sb_error *err) SB_MUST_USE;
/* Removes one that is of no use any more at the end of the build, whoever holds it. */
int sb_snapshots_discard(
	struct sb_snapshots *snapshots, const char *name, struct sb_error *err) SB_MUST_USE;
/* The same, but not where a build holds it: *out_is_removed is false then. */
int sb_snapshots_remove(struct sb_snapshots *snapshots, const char *name, bool *out_is_removed,
	struct sb_error *err) SB_MUST_USE;

/* The upper and work folder of one step. */
struct sb_upper {
	char *diff; /* relative names; owned */
	char *work;
};
void sb_upper_release(struct sb_upper *upper);
int sb_snapshots_new_upper(
	struct sb_snapshots *snapshots, struct sb_upper *out, struct sb_error *err) SB_MUST_USE;
/* Removes what a step wrote. */
int sb_snapshots_drop_upper(struct sb_snapshots *snapshots, const struct sb_upper *upper,
	struct sb_error *err) SB_MUST_USE;

/* "steps/<hex>"; caller frees. */
char *sb_snapshots_step_name(const struct sb_digest *chain);
/* Makes what a step wrote the step of that name, and pins it; one that somebody holds stays. */
int sb_snapshots_keep_step(struct sb_snapshots *snapshots, const struct sb_upper *upper,
	const char *name, struct sb_error *err) SB_MUST_USE;
/* At the end of a build: what it kept, or used before it was on disk, is on disk after this. */
int sb_snapshots_sync(struct sb_snapshots *snapshots, struct sb_error *err) SB_MUST_USE;
/* A file that appears whole or not at all, without waiting for the disk: for what is checked when
 * it is read. What is half-made goes with the build. */
int sb_snapshots_publish(struct sb_snapshots *snapshots, const void *bytes, size_t len, int dir_fd,
	const char *name, struct sb_error *err) SB_MUST_USE;

/* The folder of a cache mount, made with that mode and image owner where it is new, and held as by
 * sb_snapshots_pin. Does not wait: *out_fd is -1 where somebody holds it alone. */
struct sb_cache_folder {
	const char *key; /* any text */
	uint32_t mode;
	uid_t uid;
	gid_t gid;
};
int sb_snapshots_open_cache(struct sb_snapshots *snapshots, const struct sb_cache_folder *cache,
	int *out_fd, struct sb_error *err) SB_MUST_USE;
/* Locks a cache for one step (sharing=locked or private) until *out_fd is closed; gives -1 where
 * another step has it. */
int sb_snapshots_lock_cache(struct sb_snapshots *snapshots, const char *key, int *out_fd,
	struct sb_error *err) SB_MUST_USE;

/* Before a step that has both a secret and this cache runs, and when the cache was searched after
 * it. What is in a cache in between goes with its build, should that be killed. upper: the step's.
 */
int sb_snapshots_distrust_cache(struct sb_snapshots *snapshots, const struct sb_upper *upper,
	const char *key, struct sb_error *err) SB_MUST_USE;
int sb_snapshots_trust_cache(struct sb_snapshots *snapshots, const struct sb_upper *upper,
	const char *key, struct sb_error *err) SB_MUST_USE;

/*
 * Holds a cache mount ("cache/HEX") alone, for who reads all of it, until *out_fd, its folder, is
 * closed: builds that want it wait. *out_fd is -1 where one has it, or has left something in it
 * that nobody searched, and where there is none. *out_key (caller frees) is the key, or NULL where
 * that is not known.
 */
int sb_snapshots_hold_cache(struct sb_snapshots *snapshots, const char *name, int *out_fd,
	char **out_key, struct sb_error *err) SB_MUST_USE;
/* What was unpacked into a folder of sb_snapshots_begin_layer becomes the cache mount, in place of
 * the one that is there; *out_is_put is false where a build has that. */
int sb_snapshots_put_cache(struct sb_snapshots *snapshots, const char *unpacked,
	const struct sb_cache_folder *cache, bool *out_is_put, struct sb_error *err) SB_MUST_USE;

/* The stack as one file system: read-only, or with `upper` writable. A detached mount. */
int sb_snapshots_view(struct sb_snapshots *snapshots, const struct sb_strv *lowers,
	const struct sb_upper *upper, int *out_mount_fd, struct sb_error *err) SB_MUST_USE;

/*
 * Puts a detached mount on a folder of the store, in our own mount namespace, for the rest of the
 * process's life: before Linux 6.15 no other can be cloned, or be a layer of an overlay. The folder
 * itself (O_PATH) is for who mounts on it otherwise.
 */
int sb_snapshots_settle(
	const struct sb_snapshots *snapshots, int mount_fd, struct sb_error *err) SB_MUST_USE;
int sb_snapshots_open_mount_point(
	const struct sb_snapshots *snapshots, int *out_fd, struct sb_error *err) SB_MUST_USE;

#endif
