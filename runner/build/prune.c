/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "build/inventory.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/tree.h"

static bool has_kinds(const struct sb_prune_limits *limits)
{
	for (int i = 0; i < SB_N_STORED_KINDS; i++)
		if (limits->kinds[i])
			return true;
	return false;
}

/* By its kind and use; whether a build holds it is seen when it is removed. */
static bool may_go(const struct sb_prune_limits *limits, const struct sb_stored *item)
{
	const char *slash = strchr(item->name, '/');

	if (item->kind != SB_STORED_LAYER && item->kind != SB_STORED_MOUNT)
		return false;
	if (has_kinds(limits) && !limits->kinds[item->kind])
		return false;
	if (!limits->is_all &&
		(item->is_shared || (item->kind == SB_STORED_MOUNT && !limits->kinds[item->kind])))
		return false;
	if (limits->id != NULL && strncmp(slash + 1, limits->id, strlen(limits->id)) != 0)
		return false;
	return limits->older_than_s == 0 || item->used_s <= time(NULL) - limits->older_than_s;
}

static uint64_t size_of(const struct sb_stored *item)
{
	return item->size_bytes + item->blob_bytes;
}

static void move(struct sb_stored *item, struct sb_stored_list *to)
{
	*SB_ARRAY_ADD(to) = *item;
	item->name = sb_strdup(""); /* the list that it came from goes on to own its texts */
	item->text = sb_strdup("");
	item->kind = SB_STORED_OTHER;
}

static int remove_items(struct sb_snapshots *snapshots, const struct sb_prune_limits *limits,
	struct sb_inventory *inventory, struct sb_stored_list *removed, struct sb_error *err)
{
	uint64_t have = 0;

	SB_ARRAY_FOREACH (&inventory->items, item)
		if (may_go(limits, item))
			have += size_of(item);
	SB_ARRAY_FOREACH (&inventory->items, item) {
		bool is_removed = false;

		if (!may_go(limits, item))
			continue;
		if (limits->has_keep && have <= limits->keep_bytes)
			break;
		if (sb_snapshots_remove(snapshots, item->name, &is_removed, err) < 0)
			return -1;
		if (!is_removed)
			continue;
		have -= size_of(item);
		move(item, removed);
	}
	return 0;
}

static bool has_folder(struct sb_snapshots *snapshots, const struct sb_cache_record *record)
{
	sb_autofree char *step = sb_snapshots_step_name(&record->state);
	struct stat st;

	return fstatat(sb_snapshots_fd(snapshots), step, &st, 0) == 0 ||
	       sb_snapshots_has_layer(snapshots, &record->diff_id);
}

/* A record whose layer is neither unpacked nor in an image is of no use any more. The lock keeps
 * one that a build is just about to complete. */
static int prune_record(struct sb_layout *store, struct sb_snapshots *snapshots,
	struct sb_cache *cache, const char *hex, const struct sb_strv *used_blobs, bool is_all,
	struct sb_strv *keep_blobs, struct sb_error *err)
{
	sb_autofree char *text = sb_asprintf("sha256:%s", hex);
	SB_AUTO_VALUE(sb_cache_record) record = {0};
	enum sb_cache_found found = SB_CACHE_NONE;
	struct sb_digest key;
	sb_autofd int lock = -1;
	bool is_useful = false;

	if (sb_digest_parse(text, &key, err) < 0 || sb_cache_lock(cache, &key, &lock, err) < 0)
		return -1;
	if (lock < 0)
		return 0;
	if (sb_cache_look(cache, &key, &found, &record, err) < 0)
		return -1;
	if (found == SB_CACHE_FOUND && !sb_digest_is_set(&record.diff_id))
		is_useful = !is_all;
	else if (found == SB_CACHE_FOUND)
		is_useful = has_folder(snapshots, &record);
	SB_ARRAY_FOREACH (&record.blobs, blob)
		if (!is_all && sb_strv_has_sorted(used_blobs, blob->digest.text))
			is_useful = true;
	if (!is_useful)
		sb_cache_remove(cache, &key);
	SB_ARRAY_FOREACH (&record.blobs, blob)
		if (is_useful && sb_layout_has_whole_blob(store, &blob->digest, blob->size_bytes))
			sb_strv_add(keep_blobs, sb_digest_hex(&blob->digest));
	sb_cache_unlock(cache, &key, &lock);
	return 0;
}

static int prune_records(struct sb_layout *store, struct sb_snapshots *snapshots,
	struct sb_cache *cache, bool is_all, struct sb_strv *keep_blobs, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	SB_AUTO_STRV used = SB_STRV_INIT;

	if (sb_inventory_records(cache, &names, err) < 0 ||
		sb_layout_used_blobs(store, &used, err) < 0)
		return -1;
	sb_strv_sort(&used);
	for (size_t i = 0; i < names.len; i++)
		if (prune_record(store, snapshots, cache, names.items[i], &used, is_all, keep_blobs,
			    err) < 0)
			return -1;
	sb_strv_sort(keep_blobs);
	return 0;
}

/* Of contexts that nobody built in for long, or of all. */
static int prune_files(struct sb_cache *cache, bool is_all, struct sb_error *err)
{
	enum { KEPT_SECONDS = 30 * 86400 };
	SB_AUTO_STRV names = SB_STRV_INIT;
	const int fd = sb_cache_fd(cache);

	if (sb_tree_list(fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		struct stat st;

		if (strncmp(names.items[i], "files-", 6) == 0 &&
			fstatat(fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			(is_all || time(NULL) - st.st_mtim.tv_sec > KEPT_SECONDS))
			(void)unlinkat(fd, names.items[i], 0);
	}
	return 0;
}

/* Whoever comes to use the store meanwhile waits for this, and no longer. */
static int clear_blobs(struct sb_layout *store, const struct sb_strv *keep,
	const struct sb_prune_limits *limits, uint64_t *out_bytes, struct sb_error *err)
{
	const bool is_alone = sb_lock_upgrade(limits->users_fd);
	const int rc =
		sb_layout_clear_unused(store, keep, is_alone, limits->older_than_s, out_bytes, err);

	sb_lock_downgrade(limits->users_fd);
	return rc;
}

int sb_inventory_prune(struct sb_layout *store, struct sb_snapshots *snapshots,
	struct sb_cache *cache, const struct sb_prune_limits *limits,
	struct sb_stored_list *out_removed, uint64_t *out_bytes, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_inventory) inventory = {0};
	SB_AUTO_STRV keep = SB_STRV_INIT;
	uint64_t blob_bytes = 0;

	if (sb_inventory_take(store, snapshots, cache, &inventory, err) < 0 ||
		remove_items(snapshots, limits, &inventory, out_removed, err) < 0 ||
		prune_records(store, snapshots, cache, limits->is_all, &keep, err) < 0 ||
		prune_files(cache, limits->is_all, err) < 0)
		return -1;
	if ((!has_kinds(limits) || limits->kinds[SB_STORED_BLOB]) && limits->id == NULL &&
		clear_blobs(store, &keep, limits, &blob_bytes, err) < 0)
		return -1;
	*out_bytes = blob_bytes;
	SB_ARRAY_FOREACH (out_removed, item)
		*out_bytes += item->size_bytes;
	return 0;
}
