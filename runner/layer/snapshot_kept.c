/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "layer/snapshot_private.h"
#include "sys/at.h"
#include "sys/atomic.h"
#include "sys/boot.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/tree.h"

enum {
	MAX_MARK = 64,
	/* A use is noted when the last one is older than this. */
	USED_SECONDS = 60,
};

void sb_pin_release(struct sb_pin *pin)
{
	sb_fd_closep(&pin->fd);
	free(pin->name);
}

char *sb_snapshots_step_name(const struct sb_digest *chain)
{
	return sb_asprintf("steps/%s", sb_digest_hex(chain));
}

/* The name without its folder: digests of layers and of steps never meet. */
static char *mark_name(const char *name)
{
	sb_autofree char *hex = sb_path_base(name);

	return sb_asprintf("marks/%s", hex);
}

enum durability { ON_DISK, THIS_BOOT, UNKNOWN };

/*
 * A step's layer is renamed into its place before it is on disk, since to wait for that after each
 * step takes longer than most steps. Until it is, its mark has the boot in which it was made; what
 * is found in another one may have lost its content.
 */
static enum durability read_mark(const struct sb_snapshots *snapshots, const char *name)
{
	sb_autofree char *mark = mark_name(name);
	SB_AUTO_BUF text = SB_BUF_INIT(MAX_MARK);
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (strncmp(name, "steps/", 6) != 0)
		return ON_DISK;
	if (sb_at_read_file(snapshots->fd, mark, SB_AT_NO_LINKS, MAX_MARK, &text, &failed) < 0) {
		sb_error_ignore(&failed, "the layer is not used then");
		return UNKNOWN;
	}
	if (text.len == 0)
		return ON_DISK;
	return strcmp(text.data, sb_boot_id()) == 0 ? THIS_BOOT : UNKNOWN;
}

static int write_mark(
	struct sb_snapshots *snapshots, const char *name, const char *text, struct sb_error *err)
{
	sb_autofree char *mark = mark_name(name);
	sb_autofd int fd = sb_at_open_raw(snapshots->fd, mark, SB_AT_NO_LINKS,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return sb_fail_errno(err, "mark the layer '%s'", name);
	return sb_fd_write_all(fd, text, strlen(text), err);
}

static void note_use(struct sb_snapshots *snapshots, const char *name, const char *text)
{
	sb_autofree char *mark = mark_name(name);
	struct stat st;

	if (fstatat(snapshots->fd, mark, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (time(NULL) - st.st_mtime > USED_SECONDS || st.st_mtime > time(NULL))
			(void)utimensat(snapshots->fd, mark, NULL, AT_SYMLINK_NOFOLLOW);
		return;
	}

	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (write_mark(snapshots, name, text, &ignored) < 0)
		sb_error_ignore(&ignored, "its last use is unknown then");
}

static struct sb_pin *find_pin(struct sb_snapshots *snapshots, const char *name)
{
	SB_ARRAY_FOREACH (&snapshots->pins, pin)
		if (strcmp(pin->name, name) == 0)
			return pin;
	return NULL;
}

static void add_pin(struct sb_snapshots *snapshots, const char *name, int *fd, bool is_unsettled)
{
	struct sb_pin *pin = SB_ARRAY_ADD(&snapshots->pins);

	*pin = (struct sb_pin){
		.name = sb_strdup(name), .fd = sb_fd_steal(fd), .is_unsettled = is_unsettled};
}

static int lock_shared(int fd, const char *name, struct sb_error *err)
{
	int rc = -1;

	do
		rc = flock(fd, LOCK_SH);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? sb_fail_errno(err, "hold the layer '%s'", name) : 0;
}

/* Whoever removes a layer holds its lock only until it has another name. */
bool sb_snapshots_is_still_named(const struct sb_snapshots *snapshots, const char *name, int fd)
{
	struct stat held;
	struct stat named;

	return fstat(fd, &held) == 0 &&
	       fstatat(snapshots->fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static bool is_pinned(struct sb_snapshots *snapshots, const char *name)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&snapshots->lock);

	return find_pin(snapshots, name) != NULL;
}

int sb_snapshots_pin(
	struct sb_snapshots *snapshots, const char *name, bool *out_is_there, struct sb_error *err)
{
	enum durability durability = UNKNOWN;

	*out_is_there = is_pinned(snapshots, name);
	if (*out_is_there)
		return 0;

	sb_autofd int fd = sb_at_open_raw(
		snapshots->fd, name, SB_AT_NO_LINKS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0)
		return sb_fail_errno(err, "open the layer '%s'", name);
	/* Not with the snapshots' lock: other threads need that, and do not wait for this one. */
	if (lock_shared(fd, name, err) < 0)
		return -1;

	sb_automutex pthread_mutex_t *held = sb_mutex_take(&snapshots->lock);

	*out_is_there = find_pin(snapshots, name) != NULL;
	if (*out_is_there)
		return 0;
	durability = read_mark(snapshots, name);
	if (durability == UNKNOWN || !sb_snapshots_is_still_named(snapshots, name, fd))
		return 0;
	note_use(snapshots, name, "");
	add_pin(snapshots, name, &fd, durability == THIS_BOOT);
	*out_is_there = true;
	return 0;
}

int sb_snapshots_pin_cache(struct sb_snapshots *snapshots, const char *name, const char *text,
	int fd, enum sb_pinned *out, struct sb_error *err)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&snapshots->lock);
	sb_autofd int own = -1;

	*out = SB_PINNED;
	if (find_pin(snapshots, name) != NULL)
		return 0;
	if (sb_fd_dup(fd, &own, err) < 0)
		return -1;
	if (flock(own, LOCK_SH | LOCK_NB) < 0) {
		*out = SB_PIN_BUSY;
		return errno == EWOULDBLOCK ? 0 : sb_fail_errno(err, "hold the cache '%s'", name);
	}
	if (!sb_snapshots_is_still_named(snapshots, name, own)) {
		*out = SB_PIN_GONE;
		return 0;
	}
	note_use(snapshots, name, text);
	add_pin(snapshots, name, &own, false);
	return 0;
}

int sb_snapshots_clear_name(struct sb_snapshots *snapshots, const char *name, bool *out_is_cleared,
	struct sb_error *err)
{
	*out_is_cleared = unlinkat(snapshots->fd, name, 0) == 0 || errno == ENOENT;
	if (*out_is_cleared || errno == EISDIR)
		return 0;
	(void)sb_fail_errno(err, "the store's '%s' is no folder, and can't be removed", name);
	return sb_error_hint(err, "remove it, and build again");
}

/* Moves it among what the build, which has begun, removes at its end. */
static int set_aside(struct sb_snapshots *snapshots, const char *name, struct sb_error *err)
{
	sb_autofree char *aside = sb_snapshots_own_name(snapshots, "removed");

	if (renameat(snapshots->fd, name, snapshots->fd, aside) < 0 && errno != ENOENT)
		return sb_fail_errno(err, "remove the layer '%s'", name);
	return 0;
}

static void remove_mark(struct sb_snapshots *snapshots, const char *name)
{
	sb_autofree char *mark = mark_name(name);

	(void)unlinkat(snapshots->fd, mark, 0);
}

static void unpin(struct sb_snapshots *snapshots, const char *name)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&snapshots->lock);
	struct sb_pin *pin = find_pin(snapshots, name);

	if (pin == NULL)
		return;
	sb_pin_release(pin);
	*pin = snapshots->pins.items[--snapshots->pins.len];
}

int sb_snapshots_discard(struct sb_snapshots *snapshots, const char *name, struct sb_error *err)
{
	if (sb_snapshots_begin_build(snapshots, err) < 0)
		return -1;
	unpin(snapshots, name);
	remove_mark(snapshots, name);
	return set_aside(snapshots, name, err);
}

/*
 * At once, and not with the build's folder: a full disk may have no room for one. So what is
 * removed takes the place of such a folder, under a lock of its own.
 */
static int remove_now(
	struct sb_snapshots *snapshots, const char *name, int *held_fd, struct sb_error *err)
{
	sb_autofree char *own = sb_unique_name("removed");
	sb_autofree char *aside = sb_asprintf("builds/%s", own);
	sb_autofree char *lock_name = sb_asprintf("%s.lock", aside);
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	sb_autofd int lock = -1;

	if (sb_lock_take(snapshots->fd, lock_name, SB_LOCK_EXCLUSIVE, &lock, &ignored) < 0)
		sb_error_ignore(&ignored, "then a build that starts helps to remove it");

	int rc = renameat(snapshots->fd, name, snapshots->fd, aside);

	if (rc < 0)
		(void)sb_fail_errno(err, "remove the layer '%s'", name);
	sb_fd_closep(held_fd);
	if (rc == 0)
		rc = sb_tree_remove(snapshots->fd, aside, err);
	if (lock >= 0)
		(void)unlinkat(snapshots->fd, lock_name, 0);
	return rc;
}

/* Removes one that nobody holds: at once, or with the build's folder. */
static int remove_free(struct sb_snapshots *snapshots, const char *name, bool is_at_once,
	bool *out_is_removed, struct sb_error *err)
{
	sb_autofd int fd = sb_at_open_raw(
		snapshots->fd, name, SB_AT_NO_LINKS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	*out_is_removed = false;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return sb_snapshots_clear_name(snapshots, name, out_is_removed, err);
	if (fd < 0)
		return sb_fail_errno(err, "open the layer '%s'", name);
	/* Before the layer's lock is taken, which others wait for. */
	if (!is_at_once && sb_snapshots_begin_build(snapshots, err) < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : sb_fail_errno(err, "lock the layer '%s'", name);
	if (!sb_snapshots_is_still_named(snapshots, name, fd))
		return 0;
	remove_mark(snapshots, name);
	if (is_at_once ? remove_now(snapshots, name, &fd, err) < 0
		       : set_aside(snapshots, name, err) < 0)
		return -1;
	*out_is_removed = true;
	return 0;
}

int sb_snapshots_remove(struct sb_snapshots *snapshots, const char *name, bool *out_is_removed,
	struct sb_error *err)
{
	return remove_free(snapshots, name, true, out_is_removed, err);
}

/* *out_is_done is false where another build put its own there first. */
static int rename_into_place(struct sb_snapshots *snapshots, const char *diff, const char *name,
	bool *out_is_done, struct sb_error *err)
{
	sb_autofd int fd = -1;

	*out_is_done = false;
	if (sb_at_open_dir(snapshots->fd, diff, SB_AT_NO_LINKS, &fd, err) < 0 ||
		lock_shared(fd, name, err) < 0 ||
		write_mark(snapshots, name, sb_boot_id(), err) < 0)
		return -1;
	if (renameat2(snapshots->fd, diff, snapshots->fd, name, RENAME_NOREPLACE) < 0)
		return errno == EEXIST || errno == ENOTEMPTY
			       ? 0
			       : sb_fail_errno(err, "keep the layer '%s'", name);
	/* Who removed another of this name just before may have taken the mark for that one's. */
	if (read_mark(snapshots, name) == UNKNOWN &&
		write_mark(snapshots, name, sb_boot_id(), err) < 0)
		return -1;

	sb_automutex pthread_mutex_t *held = sb_mutex_take(&snapshots->lock);

	add_pin(snapshots, name, &fd, true);
	*out_is_done = true;
	return 0;
}

int sb_snapshots_keep_step(struct sb_snapshots *snapshots, const struct sb_upper *upper,
	const char *name, struct sb_error *err)
{
	for (;;) {
		bool is_there = false;

		/* What was there gives way, unless somebody uses it: nobody knows whether it still
		 * is what it was, and the step was run although it is there. */
		if (remove_free(snapshots, name, false, &is_there, err) < 0 ||
			sb_snapshots_pin(snapshots, name, &is_there, err) < 0)
			return -1;
		if (is_there)
			return sb_snapshots_drop_upper(snapshots, upper, err);
		if (rename_into_place(snapshots, upper->diff, name, &is_there, err) < 0)
			return -1;
		if (is_there)
			return 0;
	}
}

int sb_snapshots_sync(struct sb_snapshots *snapshots, struct sb_error *err)
{
	bool is_any = false;

	SB_ARRAY_FOREACH (&snapshots->pins, pin)
		is_any = is_any || pin->is_unsettled;
	if (!is_any)
		return 0;
	if (syncfs(snapshots->fd) < 0)
		return sb_fail_errno(err, "sync the store");
	SB_ARRAY_FOREACH (&snapshots->pins, pin) {
		if (pin->is_unsettled && write_mark(snapshots, pin->name, "", err) < 0)
			return -1;
		pin->is_unsettled = false;
	}
	return 0;
}

int sb_snapshots_publish(struct sb_snapshots *snapshots, const void *bytes, size_t len, int dir_fd,
	const char *name, struct sb_error *err)
{
	sb_autofd int fd = -1;

	if (sb_snapshots_begin_build(snapshots, err) < 0)
		return -1;

	sb_autofree char *tmp = sb_snapshots_own_name(snapshots, "file");

	if (sb_at_create(snapshots->fd, tmp, SB_AT_NO_LINKS, 0600, &fd, err) < 0 ||
		sb_fd_write_all(fd, bytes, len, err) < 0)
		return sb_error_context(err, "write '%s'", name);
	if (renameat(snapshots->fd, tmp, dir_fd, name) < 0)
		return sb_fail_errno(err, "write '%s'", name);
	return 0;
}
