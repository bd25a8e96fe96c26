/* SPDX-License-Identifier: MIT */
#include "build/run_caches.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "build/await_lock.h"
#include "sys/fd.h"

/* n: which of those that differ in nothing else. Caller frees. */
static char *key_of(const struct sb_do *d, const struct sb_mount_flag *flag, unsigned n)
{
	const char *space = sb_env_get(&d->build->plan->build_args, "BUILDKIT_CACHE_MOUNT_NS");
	const char *base = flag->from != NULL ? flag->from : "";
	/* Without a base, source is a part of the cache, which is the same for all parts. */
	const char *source = flag->from != NULL && flag->source != NULL ? flag->source : "";

	return sb_asprintf("%s%s%s|%s|%s|%u", space != NULL ? space : "", space != NULL ? "/" : "",
		flag->id, base, source, n);
}

/* A cache, or its folder, that is waited for. */
struct taking {
	struct sb_build *build;
	const char *key;
	const struct sb_cache_folder *folder;
};

static int take_lock(void *self, int *out_fd, struct sb_error *err)
{
	const struct taking *taking = self;

	return sb_snapshots_lock_cache(taking->build->snapshots, taking->key, out_fd, err);
}

static int take_folder(void *self, int *out_fd, struct sb_error *err)
{
	const struct taking *taking = self;

	return sb_snapshots_open_cache(taking->build->snapshots, taking->folder, out_fd, err);
}

static int wait_for_lock(
	struct sb_build *build, const char *id, const char *key, int *out_fd, struct sb_error *err)
{
	struct taking taking = {.build = build, .key = key};
	sb_autofree char *text =
		sb_asprintf("waiting for the cache '%s': another step uses it, and "
			    "its sharing is locked",
			id);

	return sb_await_lock(build, text, take_lock, &taking, out_fd, err);
}

static int wait_for_folder(struct sb_build *build, const char *id,
	const struct sb_cache_folder *folder, int *out_fd, struct sb_error *err)
{
	struct taking taking = {.build = build, .folder = folder};
	sb_autofree char *text = sb_asprintf(
		"waiting for the cache '%s': a cache export or a prune has it alone", id);

	return sb_await_lock(build, text, take_folder, &taking, out_fd, err);
}

static void keep(struct sb_run_mounts *out, const char *key, int *lock)
{
	*SB_ARRAY_ADD(&out->fds) = sb_fd_steal(lock);
	sb_strv_add(&out->locked, key);
}

struct wanted {
	char *key;
	const char *id;
	size_t i; /* of the flag */
};
SB_ARRAY_STRUCT(wanted_caches, struct wanted);

static void wanted_release(struct wanted_caches *wanted)
{
	SB_ARRAY_FOREACH (wanted, cache)
		free(cache->key);
	SB_ARRAY_RELEASE(wanted);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct wanted *)a)->key, ((const struct wanted *)b)->key);
}

int sb_run_caches_lock(const struct sb_do *d, const struct sb_mount_flags *flags,
	struct sb_run_mounts *out, size_t *out_failed, struct sb_error *err)
{
	__attribute__((cleanup(wanted_release))) struct wanted_caches wanted = {0};

	SB_ARRAY_FOREACH (flags, flag)
		if (flag->type == SB_MOUNT_CACHE && flag->sharing == SB_SHARING_LOCKED)
			*SB_ARRAY_ADD(&wanted) = (struct wanted){
				key_of(d, flag, 0), flag->id, (size_t)(flag - flags->items)};
	if (wanted.len > 0)
		qsort(wanted.items, wanted.len, sizeof(*wanted.items), by_key);
	SB_ARRAY_FOREACH (&wanted, cache) {
		sb_autofd int lock = -1;

		/* One that is mounted twice is locked once. */
		if (sb_strv_contains(&out->locked, cache->key))
			continue;
		*out_failed = cache->i;
		if (wait_for_lock(d->build, cache->id, cache->key, &lock, err) < 0)
			return sb_error_context(err, "cache mount '%s'", cache->id);
		keep(out, cache->key, &lock);
	}
	return 0;
}

/* A cache that is in use stays with its user. */
static int lock_free(const struct sb_do *d, const struct sb_mount_flag *flag,
	struct sb_run_mounts *out, char **out_key, struct sb_error *err)
{
	for (unsigned n = 0;; n++) {
		sb_autofree char *key = key_of(d, flag, n);
		const bool is_ours = sb_strv_contains(&out->locked, key);
		sb_autofd int lock = -1;

		if (!is_ours && sb_snapshots_lock_cache(d->build->snapshots, key, &lock, err) < 0)
			return -1;
		if (!is_ours && lock < 0)
			continue;
		if (!is_ours)
			keep(out, key, &lock);
		*out_key = SB_STEAL(key);
		return 0;
	}
}

int sb_run_caches_open(const struct sb_do *d, const struct sb_mount_flag *flag,
	struct sb_run_mounts *out, int *out_fd, struct sb_error *err)
{
	sb_autofree char *key = NULL;

	if (flag->sharing != SB_SHARING_PRIVATE)
		key = key_of(d, flag, 0);
	else if (lock_free(d, flag, out, &key, err) < 0)
		return -1;

	const struct sb_cache_folder folder = {.key = key,
		.mode = flag->has_mode ? flag->mode : 0755,
		.uid = flag->has_uid ? flag->uid : 0,
		.gid = flag->has_gid ? flag->gid : 0};

	if (!flag->is_readonly)
		sb_strv_add(&out->caches, key);
	return wait_for_folder(d->build, flag->id, &folder, out_fd, err);
}
