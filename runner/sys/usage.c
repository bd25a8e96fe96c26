/* SPDX-License-Identifier: MIT */
#include "sys/usage.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/strv.h"
#include "sys/fd.h"
#include "sys/tree.h"

enum { BLOCK_BYTES = 512 }; /* st_blocks counts these, whatever the file system's are (stat(2)) */

void sb_usage_seen_release(struct sb_usage_seen *seen)
{
	SB_ARRAY_RELEASE(&seen->slots);
	seen->n = 0;
}

static bool insert(uint64_t *slots, size_t n_slots, uint64_t key)
{
	for (size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15)) % n_slots;;
		i = (i + 1) % n_slots) {
		if (slots[i] == key)
			return false;
		if (slots[i] == 0) {
			slots[i] = key;
			return true;
		}
	}
}

static void grow(struct sb_usage_seen *seen)
{
	const size_t n_slots = seen->slots.len > 0 ? 2 * seen->slots.len : 1024;
	uint64_t *slots = sb_calloc(n_slots, sizeof(*slots));

	SB_ARRAY_FOREACH (&seen->slots, key)
		if (*key != 0)
			(void)insert(slots, n_slots, *key);
	SB_ARRAY_RELEASE(&seen->slots);
	seen->slots.items = slots;
	seen->slots.len = seen->slots.cap = n_slots;
}

/* The store is on one file system, or nearly: devices are mixed into the inode's number. */
static bool is_first(struct sb_usage_seen *seen, const struct stat *st)
{
	const uint64_t key = ((uint64_t)st->st_ino ^ ((uint64_t)st->st_dev << 48)) | UINT64_C(1)
											     << 63;

	if (2 * (seen->n + 1) > seen->slots.len)
		grow(seen);
	if (!insert(seen->slots.items, seen->slots.len, key))
		return false;
	seen->n++;
	return true;
}

/* The outer folders keep their descriptors: builds and prune rename there. Further in, the way back
 * is `..`. */
enum { KEPT_LEVELS = 32 };

struct level {
	int fd; /* -1: closed for now */
	struct stat st;
	struct sb_strv names;
	size_t next;
};

struct walk {
	struct sb_usage_seen *seen;
	SB_ARRAY(struct level) levels;
	uint64_t bytes;
};

static void level_release(struct level *level)
{
	sb_fd_closep(&level->fd);
	sb_strv_release(&level->names);
}

static void walk_release(struct walk *walk)
{
	SB_ARRAY_FOREACH (&walk->levels, level)
		level_release(level);
	SB_ARRAY_RELEASE(&walk->levels);
}

static int visit(struct walk *walk, int dir_fd, const char *name, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int fd = -1;
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : sb_fail_errno(err, "'%s'", name);
	if (!S_ISDIR(st.st_mode)) {
		if (st.st_nlink < 2 || is_first(walk->seen, &st))
			walk->bytes += (uint64_t)st.st_blocks * BLOCK_BYTES;
		return 0;
	}
	walk->bytes += (uint64_t)st.st_blocks * BLOCK_BYTES;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : sb_fail_errno(err, "'%s'", name);
	if (sb_tree_list(fd, &names, err) < 0)
		return -1;
	*SB_ARRAY_ADD(&walk->levels) =
		(struct level){.fd = sb_fd_steal(&fd), .st = st, .names = names};
	names = (struct sb_strv)SB_STRV_INIT;
	if (walk->levels.len > (size_t)2 * KEPT_LEVELS)
		sb_fd_closep(&walk->levels.items[walk->levels.len - 1 - KEPT_LEVELS].fd);
	return 0;
}

/* Where the way back is gone, so is what was there: it goes on from the next folder that is open.
 */
static void leave(struct walk *walk)
{
	do {
		struct level *level = &walk->levels.items[walk->levels.len - 1];
		SB_AUTO_ERROR gone = SB_ERROR_INIT;

		if (level->fd >= 0 && walk->levels.len > 1 && level[-1].fd < 0 &&
			sb_tree_open_above(level->fd, &level[-1].st, &level[-1].fd, &gone) < 0)
			sb_error_ignore(&gone, "it is removed while it is counted");
		level_release(level);
		walk->levels.len--;
	} while (walk->levels.len > 0 && walk->levels.items[walk->levels.len - 1].fd < 0);
}

int sb_usage_of(int dir_fd, const char *name, struct sb_usage_seen *seen, uint64_t *out_bytes,
	struct sb_error *err)
{
	__attribute__((cleanup(walk_release))) struct walk walk = {.seen = seen};

	if (visit(&walk, dir_fd, name, err) < 0)
		return -1;
	while (walk.levels.len > 0) {
		struct level *level = &walk.levels.items[walk.levels.len - 1];

		if (level->next == level->names.len)
			leave(&walk);
		else if (visit(&walk, level->fd, level->names.items[level->next++], err) < 0)
			return -1;
	}
	*out_bytes = walk.bytes;
	return 0;
}
