/* SPDX-License-Identifier: MIT */
#include "layer/diff.h"

#include <fcntl.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "layer/compare.h"
#include "layer/entry.h"
#include "layer/inode_map.h"
#include "layer/notes.h"
#include "layer/whiteout.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"

/*
 * Folders above the one that is read keep their descriptors open up to this many levels; those
 * further up are opened again on the way back. A tree may be deeper than RLIMIT_NOFILE allows.
 */
enum { MAX_OPEN_LEVELS = 32 };

/* A folder of the upper tree that is being read, beside the same folder of the lower tree. */
struct level {
	char *path;   /* "" for the root; owned */
	int upper_fd; /* -1 while closed */
	int lower_fd; /* -1 while closed, or where has_lower is false */
	bool has_lower;
	bool is_opaque;       /* what the upper folder does not have is gone */
	struct sb_strv names; /* still to be visited: from `next` on */
	size_t next;
	bool is_pending; /* the folder itself is written before the first thing below it, if any */
	struct sb_change pending;
};

struct walk {
	const struct sb_diff_options *options;
	struct sb_notes notes;
	struct sb_changes changes;
	struct sb_inode_map inodes; /* → index of the first change */
	SB_ARRAY(struct level) levels;
};

/* One name as both trees have it. */
struct pair {
	const char *name;
	char *path; /* owned until it goes to a change */
	bool in_upper;
	bool in_lower;
	struct sb_entry upper;
	struct sb_entry lower;
};

void sb_change_release(struct sb_change *change)
{
	free(change->path);
	free(change->link);
	sb_xattrs_release(&change->xattrs);
}

void sb_changes_release(struct sb_changes *changes)
{
	SB_ARRAY_FOREACH (changes, change)
		sb_change_release(change);
	SB_ARRAY_RELEASE(changes);
}

static void close_level_fds(struct level *level)
{
	sb_fd_closep(&level->upper_fd);
	sb_fd_closep(&level->lower_fd);
}

static void level_release(struct level *level)
{
	close_level_fds(level);
	free(level->path);
	sb_strv_release(&level->names);
	sb_change_release(&level->pending);
}

static void walk_release(struct walk *walk)
{
	sb_changes_release(&walk->changes);
	sb_inode_map_release(&walk->inodes);
	SB_ARRAY_FOREACH (&walk->levels, level)
		level_release(level);
	SB_ARRAY_RELEASE(&walk->levels);
}

static void pair_release(struct pair *pair)
{
	free(pair->path);
	sb_entry_release(&pair->upper);
	sb_entry_release(&pair->lower);
}

static struct level *top(struct walk *walk)
{
	return &walk->levels.items[walk->levels.len - 1];
}

static int open_level(struct walk *walk, struct level *level, struct sb_error *err)
{
	const char *path = level->path[0] != '\0' ? level->path : ".";

	if (sb_at_open_dir(walk->options->upper_fd, path, SB_AT_NO_LINKS, &level->upper_fd, err) <
		0)
		return -1;
	if (level->has_lower && sb_at_open_dir(walk->options->lower_fd, path, SB_AT_NO_LINKS,
					&level->lower_fd, err) < 0)
		return -1;
	return 0;
}

/* Adds the lower folder's names to the upper one's, sorted and each once. */
static int add_lower_names(struct level *level, struct sb_error *err)
{
	SB_AUTO_STRV lower = SB_STRV_INIT;
	SB_AUTO_STRV both = SB_STRV_INIT;
	size_t i = 0;

	if (sb_tree_list(level->lower_fd, &lower, err) < 0)
		return -1;
	for (size_t k = 0; k < lower.len; k++) {
		int order = 1;

		while (i < level->names.len &&
			(order = strcmp(level->names.items[i], lower.items[k])) <= 0) {
			sb_strv_add(&both, level->names.items[i++]);
			if (order == 0)
				break;
		}
		if (order != 0)
			sb_strv_add(&both, lower.items[k]);
	}
	while (i < level->names.len)
		sb_strv_add(&both, level->names.items[i++]);
	sb_strv_copy(&level->names, &both);
	return 0;
}

/* Enters a folder; takes what `level` owns. */
static int push_level(struct walk *walk, struct level *level, struct sb_error *err)
{
	struct level *pushed = SB_ARRAY_ADD(&walk->levels);

	*pushed = *level;
	*level = (struct level){.upper_fd = -1, .lower_fd = -1};
	if (walk->levels.len > MAX_OPEN_LEVELS)
		close_level_fds(&walk->levels.items[walk->levels.len - 1 - MAX_OPEN_LEVELS]);
	if (sb_tree_list(pushed->upper_fd, &pushed->names, err) < 0 ||
		(pushed->is_opaque && pushed->has_lower && add_lower_names(pushed, err) < 0))
		return sb_error_context(err, "'/%s'", pushed->path);
	return 0;
}

static int pop_level(struct walk *walk, struct sb_error *err)
{
	level_release(top(walk));
	walk->levels.len--;
	if (walk->levels.len == 0 || top(walk)->upper_fd >= 0)
		return 0;
	return open_level(walk, top(walk), err);
}

static struct sb_change *add_change(struct walk *walk)
{
	size_t first = walk->levels.len;

	/* Above a folder that was written, or need not be, all were. */
	while (first > 0 && walk->levels.items[first - 1].is_pending)
		first--;
	for (size_t i = first; i < walk->levels.len; i++) {
		struct level *level = &walk->levels.items[i];

		*SB_ARRAY_ADD(&walk->changes) = level->pending;
		level->pending = (struct sb_change){0};
		level->is_pending = false;
	}
	return SB_ARRAY_ADD(&walk->changes);
}

/* Takes the path and the attributes out of the pair. */
static void describe(struct pair *pair, enum sb_change_kind kind, struct sb_change *out)
{
	const struct stat *st = &pair->upper.st;

	*out = (struct sb_change){
		.kind = kind,
		.path = SB_STEAL(pair->path),
		.mode = st->st_mode,
		.uid = pair->upper.uid,
		.gid = pair->upper.gid,
		.size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
		.mtime = st->st_mtim.tv_sec,
		.rdev = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? st->st_rdev : 0,
		.xattrs = pair->upper.xattrs,
		.ino = st->st_ino,
		.ctime_ns = (int64_t)st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec,
	};
	pair->upper.xattrs = (struct sb_xattrs){0};
}

static void add_deletion(struct walk *walk, struct pair *pair)
{
	*add_change(walk) =
		(struct sb_change){.kind = SB_CHANGE_DELETE, .path = SB_STEAL(pair->path)};
}

/* Folders stay pending while the walk may find that nothing in them counts. */
static bool is_scaffold(const struct walk *walk, const struct pair *pair)
{
	const size_t len = strlen(pair->path);

	if (walk->options->scaffold == NULL || pair->in_lower)
		return false;
	for (size_t i = 0; i < walk->options->scaffold->len; i++) {
		const char *point = walk->options->scaffold->items[i] + 1;

		if (strncmp(point, pair->path, len) == 0 &&
			(point[len] == '\0' || point[len] == '/'))
			return true;
	}
	return false;
}

static int visit_folder(struct walk *walk, struct pair *pair, bool is_changed, struct sb_error *err)
{
	const struct level *parent = top(walk);
	const bool merges = pair->in_lower && S_ISDIR(pair->lower.st.st_mode);
	__attribute__((cleanup(level_release))) struct level level = {
		.path = sb_strdup(pair->path),
		.upper_fd = -1,
		.lower_fd = -1,
		.has_lower = merges,
		.is_opaque = merges && (parent->is_opaque || pair->upper.is_opaque),
		.is_pending = !is_changed || is_scaffold(walk, pair),
	};

	if (sb_at_open_dir(parent->upper_fd, pair->name, SB_AT_NO_LINKS, &level.upper_fd, err) <
			0 ||
		(merges && sb_at_open_dir(parent->lower_fd, pair->name, SB_AT_NO_LINKS,
				   &level.lower_fd, err) < 0))
		return sb_error_context(err, "'/%s'", level.path);
	if (level.is_pending)
		describe(pair, is_changed ? SB_CHANGE_ADD : SB_CHANGE_PARENT, &level.pending);
	else
		describe(pair, pair->in_lower ? SB_CHANGE_MODIFY : SB_CHANGE_ADD, add_change(walk));
	return push_level(walk, &level, err);
}

static int add_file(struct walk *walk, struct pair *pair, struct sb_error *err)
{
	sb_autofree char *target = NULL;
	const struct stat *st = &pair->upper.st;

	if (S_ISLNK(st->st_mode) &&
		sb_at_read_link(top(walk)->upper_fd, pair->name, &target, err) < 0)
		return sb_error_context(err, "'/%s'", pair->path);

	struct sb_change *change = add_change(walk);
	const size_t index = walk->changes.len - 1;
	const size_t first =
		st->st_nlink > 1 ? sb_inode_map_add(&walk->inodes, st->st_dev, st->st_ino, index)
				 : index;

	describe(pair, pair->in_lower ? SB_CHANGE_MODIFY : SB_CHANGE_ADD, change);
	change->link = SB_STEAL(target);
	if (first != index) {
		free(change->link);
		change->link = sb_strdup(walk->changes.items[first].path);
		change->is_hardlink = true;
		change->size = 0;
		sb_xattrs_release(&change->xattrs);
	}
	return 0;
}

static int check_name(const struct pair *pair, struct sb_error *err)
{
	if (!sb_whiteout_is_name(pair->name))
		return 0;
	(void)sb_fail(err, SB_E_STEP_FAILED, "'/%s' can't be stored in a layer", pair->path);
	return sb_error_hint(
		err, "names that begin with '.wh.' mark deletions in a layer; choose another name");
}

static int visit_present(struct walk *walk, struct pair *pair, struct sb_error *err)
{
	const struct level *level = top(walk);
	const mode_t mode = pair->upper.st.st_mode;
	bool is_equal = false;

	if (check_name(pair, err) < 0)
		return -1;
	if (pair->in_lower &&
		sb_entry_equal(pair->name, (struct sb_compared){level->upper_fd, &pair->upper},
			(struct sb_compared){level->lower_fd, &pair->lower},
			walk->options->interrupt, &is_equal, err) < 0)
		return sb_error_context(err, "'/%s'", pair->path);
	if (S_ISDIR(mode))
		return visit_folder(walk, pair, !is_equal, err);
	if (is_equal)
		return 0;
	if (S_ISREG(mode) && pair->upper.st.st_size == 0 && is_scaffold(walk, pair))
		return 0;
	return add_file(walk, pair, err);
}

static int read_pair(struct walk *walk, struct pair *pair, struct sb_error *err)
{
	struct level *level = top(walk);
	struct sb_notes unheard = {0};

	if (sb_entry_read(level->upper_fd, pair->name, pair->path, &walk->options->ids,
		    &walk->notes, &pair->upper, &pair->in_upper, err) < 0)
		return -1;
	if (level->lower_fd >= 0 &&
		sb_entry_read(level->lower_fd, pair->name, pair->path, &walk->options->ids,
			&unheard, &pair->lower, &pair->in_lower, err) < 0)
		return -1;
	/* A single lower layer may be given as it lies on disk. */
	if (pair->in_lower && pair->lower.is_whiteout)
		pair->in_lower = false;
	if (pair->in_upper && pair->upper.is_whiteout)
		pair->in_upper = false;
	return 0;
}

static int visit(struct walk *walk, const char *name, struct sb_error *err)
{
	__attribute__((cleanup(pair_release))) struct pair pair = {
		.name = name,
		.path = top(walk)->path[0] != '\0' ? sb_asprintf("%s/%s", top(walk)->path, name)
						   : sb_strdup(name),
	};

	if (strlen(pair.path) >= SB_MAX_PATH)
		return sb_fail(err, SB_E_LIMIT, "a path is longer than %d bytes: '/%.100s…'",
			SB_MAX_PATH - 1, pair.path);
	if (read_pair(walk, &pair, err) < 0)
		return -1;
	if (pair.in_upper && S_ISSOCK(pair.upper.st.st_mode)) {
		sb_note_once(&walk->notes, SB_NOTE_SOCKET,
			"sockets can't be stored in a layer and were dropped (first: '/%s')",
			pair.path);
		if (walk->options->sockets != NULL)
			sb_strv_add(walk->options->sockets, pair.path);
		pair.in_upper = false;
	}
	if (pair.in_upper)
		return visit_present(walk, &pair, err);
	if (pair.in_lower)
		add_deletion(walk, &pair);
	return 0;
}

static int walk_all(struct walk *walk, struct sb_error *err)
{
	__attribute__((cleanup(level_release))) struct level root = {
		.path = sb_strdup(""),
		.upper_fd = -1,
		.lower_fd = -1,
		.has_lower = walk->options->lower_fd >= 0,
	};
	struct sb_entry entry = {0};
	bool exists = false;

	if (open_level(walk, &root, err) < 0)
		return -1;
	if (sb_entry_read(root.upper_fd, ".", "", &walk->options->ids, &walk->notes, &entry,
		    &exists, err) < 0)
		return -1;
	root.is_opaque = entry.is_opaque || walk->options->is_whole;
	sb_entry_release(&entry);
	if (push_level(walk, &root, err) < 0)
		return -1;
	while (walk->levels.len > 0) {
		struct level *level = top(walk);

		if (sb_interrupt_check(walk->options->interrupt, err) < 0)
			return -1;
		if (level->next == level->names.len) {
			if (pop_level(walk, err) < 0)
				return -1;
			continue;
		}

		if (visit(walk, level->names.items[level->next++], err) < 0)
			return -1;
	}
	return 0;
}

int sb_diff(const struct sb_diff_options *options, struct sb_changes *out, struct sb_strv *warnings,
	struct sb_error *err)
{
	__attribute__((cleanup(walk_release))) struct walk walk = {
		.options = options,
		.notes = {.lines = warnings},
	};

	if (walk_all(&walk, err) < 0)
		return -1;
	*out = walk.changes;
	walk.changes = (struct sb_changes){0};
	return 0;
}
