/* SPDX-License-Identifier: MIT */
#include "build/cache.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sys/at.h"
#include "sys/atomic.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/mutex.h"
#include "sys/tree.h"

enum { USED_SECONDS = 60, SECRET_KEY_BYTES = 32 };

/* Of one folder. */
struct known_files {
	char *name;
	struct sb_stat_cache *files;
};

struct sb_cache {
	int fd;
	struct sb_snapshots *snapshots;
	pthread_mutex_t lock; /* of the list */
	SB_ARRAY(struct known_files) files;
};

/* Of builds that were killed while a step ran. */
static int clear_locks(int locks_fd, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (sb_tree_list(locks_fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		sb_autofd int lock = -1;

		if (sb_lock_try(locks_fd, names.items[i], SB_LOCK_EXCLUSIVE, &lock, err) < 0)
			return -1;
		if (lock >= 0)
			(void)unlinkat(locks_fd, names.items[i], 0);
	}
	return 0;
}

int sb_cache_open(
	int store_fd, struct sb_snapshots *snapshots, struct sb_cache **out, struct sb_error *err)
{
	SB_AUTO(sb_cache) cache = SB_NEW(struct sb_cache);
	sb_autofd int locks = -1;

	cache->fd = -1;
	cache->snapshots = snapshots;
	SB_BUG_ON(pthread_mutex_init(&cache->lock, NULL) != 0);
	if (sb_at_make_dirs(store_fd, "cache", 0700, &cache->fd, err) < 0 ||
		sb_at_make_dirs(cache->fd, "locks", 0700, &locks, err) < 0 ||
		clear_locks(locks, err) < 0)
		return sb_error_context(err, "the store's cache");
	*out = SB_STEAL(cache);
	return 0;
}

void sb_cache_free(struct sb_cache *cache)
{
	if (cache == NULL)
		return;
	SB_ARRAY_FOREACH (&cache->files, known) {
		free(known->name);
		sb_stat_cache_free(known->files);
	}
	SB_ARRAY_RELEASE(&cache->files);
	sb_fd_closep(&cache->fd);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

int sb_cache_fd(const struct sb_cache *cache)
{
	return cache->fd;
}

static void note_use(const struct sb_cache *cache, const char *name)
{
	struct stat st;

	if (fstatat(cache->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(time(NULL) - st.st_mtime > USED_SECONDS || st.st_mtime > time(NULL)))
		(void)utimensat(cache->fd, name, NULL, AT_SYMLINK_NOFOLLOW);
}

int sb_cache_look(struct sb_cache *cache, const struct sb_digest *key, enum sb_cache_found *found,
	struct sb_cache_record *out, struct sb_error *err)
{
	const char *name = sb_digest_hex(key);
	SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_CACHE_RECORD);
	SB_AUTO_VALUE(sb_cache_record) record = {0};
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	*found = SB_CACHE_NONE;
	if (sb_at_read_file(cache->fd, name, SB_AT_NO_LINKS, SB_MAX_CACHE_RECORD, &bytes, &failed) <
		0) {
		if (failed.code == SB_E_NOT_FOUND)
			return 0;
		*found = SB_CACHE_BROKEN;
		/* Too large for a record; anything else is the disk's, and worth to be told. */
		if (failed.code == SB_E_LIMIT || failed.os_errno == EISDIR ||
			failed.os_errno == ELOOP)
			return 0;
		sb_error_move(err, &failed);
		return sb_error_context(err, "the store's cache");
	}
	*found = SB_CACHE_BROKEN;
	if (sb_cache_record_parse(bytes.data, bytes.len, &record, &failed) < 0 ||
		!sb_digest_equal(&record.key, key))
		return 0;
	*found = SB_CACHE_FOUND;
	*out = record;
	record = (struct sb_cache_record){0};
	return 0;
}

int sb_cache_read(struct sb_cache *cache, const struct sb_digest *key, enum sb_cache_found *found,
	struct sb_cache_record *out, struct sb_error *err)
{
	if (sb_cache_look(cache, key, found, out, err) < 0)
		return -1;
	if (*found == SB_CACHE_FOUND)
		note_use(cache, sb_digest_hex(key));
	return 0;
}

int sb_cache_write(
	struct sb_cache *cache, const struct sb_cache_record *record, struct sb_error *err)
{
	SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_CACHE_RECORD);

	if (sb_cache_record_format(record, &bytes, err) < 0)
		return -1;
	return sb_snapshots_publish(cache->snapshots, bytes.data, bytes.len, cache->fd,
		sb_digest_hex(&record->key), err);
}

void sb_cache_remove(struct sb_cache *cache, const struct sb_digest *key)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_tree_remove(cache->fd, sb_digest_hex(key), &failed) < 0)
		sb_error_ignore(&failed, "it is no record all the same");
}

static char *lock_name(const struct sb_digest *key)
{
	return sb_asprintf("locks/%s", sb_digest_hex(key));
}

int sb_cache_lock(
	struct sb_cache *cache, const struct sb_digest *key, int *out_fd, struct sb_error *err)
{
	sb_autofree char *name = lock_name(key);

	return sb_lock_try(cache->fd, name, SB_LOCK_EXCLUSIVE, out_fd, err);
}

void sb_cache_unlock(struct sb_cache *cache, const struct sb_digest *key, int *fd)
{
	if (*fd < 0)
		return;

	sb_autofree char *name = lock_name(key);

	(void)unlinkat(cache->fd, name, 0);
	sb_fd_closep(fd);
}

int sb_cache_files(
	struct sb_cache *cache, int dir_fd, struct sb_stat_cache **out, struct sb_error *err)
{
	struct known_files *known = NULL;
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return sb_fail_errno(err, "a folder of files");

	sb_autofree char *name =
		sb_asprintf("files-%" PRIx64 "-%" PRIx64, (uint64_t)st.st_dev, (uint64_t)st.st_ino);

	sb_automutex pthread_mutex_t *held = sb_mutex_take(&cache->lock);

	SB_ARRAY_FOREACH (&cache->files, other)
		if (strcmp(other->name, name) == 0)
			known = other;
	if (known == NULL) {
		known = SB_ARRAY_ADD(&cache->files);
		sb_stat_cache_open(cache->fd, name, &known->files);
		note_use(cache, name);
		known->name = SB_STEAL(name);
	}
	*out = known->files;
	return 0;
}

static int save(struct sb_cache *cache, const struct known_files *known, struct sb_error *err)
{
	SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_STAT_CACHE);
	bool is_changed = false;

	if (sb_stat_cache_write(known->files, &is_changed, &bytes, err) < 0)
		return -1;
	return is_changed ? sb_snapshots_publish(cache->snapshots, bytes.data, bytes.len, cache->fd,
				    known->name, err)
			  : 0;
}

int sb_cache_save_files(struct sb_cache *cache, struct sb_error *err)
{
	SB_ARRAY_FOREACH (&cache->files, known)
		if (save(cache, known, err) < 0)
			return -1;
	return 0;
}

static int read_secret_key(struct sb_cache *cache, struct sb_buf *out, struct sb_error *err)
{
	return sb_at_read_file(cache->fd, "secret.key", SB_AT_NO_LINKS, SECRET_KEY_BYTES, out, err);
}

/* Made by whoever needs it first. One that is not whole is of no use to anybody. */
static int load_secret_key(struct sb_cache *cache, struct sb_buf *out, struct sb_error *err)
{
	unsigned char bytes[SECRET_KEY_BYTES];
	SB_AUTO_ERROR missing = SB_ERROR_INIT;
	sb_autofd int lock = -1;

	if (sb_lock_take(cache->fd, "locks/secret.key", SB_LOCK_EXCLUSIVE, &lock, err) < 0)
		return -1;
	if (read_secret_key(cache, out, &missing) == 0 && out->len == SECRET_KEY_BYTES)
		return 0;
	SB_BUG_ON(getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes));
	sb_buf_clear(out);
	if (sb_atomic_write(cache->fd, "secret.key", 0600, bytes, sizeof(bytes), err) < 0)
		return -1;
	return sb_buf_add(out, bytes, sizeof(bytes), err);
}

int sb_cache_keyed_digest(struct sb_cache *cache, const void *bytes, size_t len,
	struct sb_digest *out, struct sb_error *err)
{
	SB_AUTO_BUF key = SB_BUF_INIT(SECRET_KEY_BYTES);

	if (load_secret_key(cache, &key, err) < 0)
		return sb_error_context(err, "the store's key for secrets");
	sb_digest_keyed(key.data, key.len, bytes, len, out);
	return 0;
}
