/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_H
#define SB_BUILD_CACHE_H

#include "base/cleanup.h"
#include "build/cache_record.h"
#include "layer/snapshot.h"
#include "sys/stat_cache.h"

/*
 * The store's folder of what is remembered (runner/README.md, "The store"):
 *
 *	cache/<hex of key>    a record
 *	cache/files-DEV-INO   what files below that folder were found to hold
 *	cache/secret.key      for rekey=true; it never leaves the store
 *	cache/locks/<hex>     held by the build that runs the step
 */
struct sb_cache;
int sb_cache_open(int store_fd, struct sb_snapshots *snapshots, struct sb_cache **out,
	struct sb_error *err) SB_MUST_USE;
void sb_cache_free(struct sb_cache *cache);
SB_DEFINE_FREEP(sb_cache)
/* Borrowed. */
int sb_cache_fd(const struct sb_cache *cache);

enum sb_cache_found { SB_CACHE_NONE, SB_CACHE_BROKEN, SB_CACHE_FOUND };
/* *out is set where it is FOUND, which counts as a use. */
int sb_cache_read(struct sb_cache *cache, const struct sb_digest *key, enum sb_cache_found *found,
	struct sb_cache_record *out, struct sb_error *err) SB_MUST_USE;
/* The same without counting as a use. */
int sb_cache_look(struct sb_cache *cache, const struct sb_digest *key, enum sb_cache_found *found,
	struct sb_cache_record *out, struct sb_error *err) SB_MUST_USE;
int sb_cache_write(struct sb_cache *cache, const struct sb_cache_record *record,
	struct sb_error *err) SB_MUST_USE;
void sb_cache_remove(struct sb_cache *cache, const struct sb_digest *key);

/* Locks the step of that key for this build; *out_fd is -1 where another build has it. */
int sb_cache_lock(struct sb_cache *cache, const struct sb_digest *key, int *out_fd,
	struct sb_error *err) SB_MUST_USE;
void sb_cache_unlock(struct sb_cache *cache, const struct sb_digest *key, int *fd);

/* What was found in files below an open folder; read at its first call. Borrowed. */
int sb_cache_files(struct sb_cache *cache, int dir_fd, struct sb_stat_cache **out,
	struct sb_error *err) SB_MUST_USE;
/* Writes what is new of that. */
int sb_cache_save_files(struct sb_cache *cache, struct sb_error *err) SB_MUST_USE;

/* A digest of bytes that says nothing about them to whoever does not have the store. */
int sb_cache_keyed_digest(struct sb_cache *cache, const void *bytes, size_t len,
	struct sb_digest *out, struct sb_error *err) SB_MUST_USE;

#endif
