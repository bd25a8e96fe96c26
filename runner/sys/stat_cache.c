/* SPDX-License-Identifier: MIT */
#include "sys/stat_cache.h"

#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/limits.h"
#include "sys/at.h"
#include "sys/mutex.h"

enum { RACY_NS = 2000000000, KEEP_DAYS = 30, SECONDS_A_DAY = 86400 };
#define MAGIC "sbstat1\n"

/* As it stands in the file: of this machine alone, so in its byte order. */
struct entry {
	uint64_t dev;
	uint64_t ino;
	int64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns;
	uint64_t used_day;
	char hex[64];
};
SB_ARRAY_STRUCT(entries, struct entry);

struct header {
	char magic[8];
	uint64_t n;
	char check[64]; /* hex of the digest of the entries */
};

struct sb_stat_cache {
	pthread_mutex_t lock;
	struct entries known; /* sorted by device and inode */
	struct entries added;
	uint64_t today;
};

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const struct entry *left = a;
	const struct entry *right = b;

	if (left->dev != right->dev)
		return left->dev < right->dev ? -1 : 1;
	if (left->ino != right->ino)
		return left->ino < right->ino ? -1 : 1;
	return 0;
}

static bool is_whole(const struct sb_buf *file, struct header *out)
{
	struct sb_digest digest;

	if (file->len < sizeof(*out))
		return false;
	memcpy(out, file->data, sizeof(*out));
	if (memcmp(out->magic, MAGIC, sizeof(out->magic)) != 0 ||
		out->n != (file->len - sizeof(*out)) / sizeof(struct entry) ||
		file->len != sizeof(*out) + out->n * sizeof(struct entry))
		return false;
	sb_digest_of(file->data + sizeof(*out), file->len - sizeof(*out), &digest);
	return memcmp(sb_digest_hex(&digest), out->check, sizeof(out->check)) == 0;
}

static void read_known(struct sb_stat_cache *cache, int dir_fd, const char *name)
{
	SB_AUTO_BUF file = SB_BUF_INIT(SB_MAX_STAT_CACHE);
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	struct header header;

	if (sb_at_read_file(dir_fd, name, SB_AT_NO_LINKS, SB_MAX_STAT_CACHE, &file, &failed) < 0) {
		sb_error_ignore(&failed, "all files are read then");
		return;
	}
	if (!is_whole(&file, &header) || header.n == 0)
		return;
	cache->known.items = sb_calloc(header.n, sizeof(struct entry));
	cache->known.len = cache->known.cap = header.n;
	memcpy(cache->known.items, file.data + sizeof(header), header.n * sizeof(struct entry));
}

void sb_stat_cache_open(int dir_fd, const char *name, struct sb_stat_cache **out)
{
	struct sb_stat_cache *cache = SB_NEW(struct sb_stat_cache);

	SB_BUG_ON(pthread_mutex_init(&cache->lock, NULL) != 0);
	cache->today = (uint64_t)time(NULL) / SECONDS_A_DAY;
	read_known(cache, dir_fd, name);
	*out = cache;
}

void sb_stat_cache_free(struct sb_stat_cache *cache)
{
	if (cache == NULL)
		return;
	SB_ARRAY_RELEASE(&cache->known);
	SB_ARRAY_RELEASE(&cache->added);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static struct entry entry_of(const struct stat *st)
{
	return (struct entry){.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime_ns = ns_of(st->st_mtim),
		.ctime_ns = ns_of(st->st_ctim)};
}

bool sb_stat_cache_get(struct sb_stat_cache *cache, const struct stat *st, struct sb_digest *out)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&cache->lock);
	const struct entry wanted = entry_of(st);
	struct entry *found = cache->known.len > 0
				      ? bsearch(&wanted, cache->known.items, cache->known.len,
						sizeof(wanted), compare)
				      : NULL;

	if (found == NULL || found->size != wanted.size || found->mtime_ns != wanted.mtime_ns ||
		found->ctime_ns != wanted.ctime_ns)
		return false;
	found->used_day = cache->today;
	memcpy(out->text, "sha256:", 7);
	memcpy(out->text + 7, found->hex, sizeof(found->hex));
	out->text[SB_DIGEST_TEXT_BYTES] = '\0';
	return true;
}

void sb_stat_cache_put(
	struct sb_stat_cache *cache, const struct stat *st, const struct sb_digest *digest)
{
	struct entry entry = entry_of(st);
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (entry.ctime_ns > ns_of(now) - RACY_NS || entry.mtime_ns > ns_of(now) - RACY_NS)
		return;
	entry.used_day = cache->today;
	memcpy(entry.hex, sb_digest_hex(digest), sizeof(entry.hex));

	sb_automutex pthread_mutex_t *held = sb_mutex_take(&cache->lock);

	*SB_ARRAY_ADD(&cache->added) = entry;
}

/* The added ones win over what was known of their inodes. */
static void merge(struct sb_stat_cache *cache, struct entries *out)
{
	size_t k = 0;

	qsort(cache->added.items, cache->added.len, sizeof(struct entry), compare);
	for (size_t a = 0; a < cache->added.len || k < cache->known.len;) {
		const struct entry *known = k < cache->known.len ? &cache->known.items[k] : NULL;
		const struct entry *added = a < cache->added.len ? &cache->added.items[a] : NULL;
		const int order = known == NULL ? 1 : added == NULL ? -1 : compare(known, added);

		if (order < 0) {
			if (known->used_day + KEEP_DAYS >= cache->today)
				*SB_ARRAY_ADD(out) = *known;
			k++;
			continue;
		}
		if (order == 0)
			k++;
		if (out->len == 0 || compare(&out->items[out->len - 1], added) != 0)
			*SB_ARRAY_ADD(out) = *added;
		a++;
	}
}

int sb_stat_cache_write(
	struct sb_stat_cache *cache, bool *out_is_changed, struct sb_buf *out, struct sb_error *err)
{
	struct header header = {.magic = MAGIC};
	struct entries all = {0};
	struct sb_digest digest;
	int rc = 0;

	*out_is_changed = cache->added.len > 0;
	if (!*out_is_changed)
		return 0;
	merge(cache, &all);
	header.n = all.len;
	sb_digest_of(all.items, all.len * sizeof(struct entry), &digest);
	memcpy(header.check, sb_digest_hex(&digest), sizeof(header.check));
	if (sb_buf_add(out, &header, sizeof(header), err) < 0 ||
		sb_buf_add(out, all.items, all.len * sizeof(struct entry), err) < 0)
		rc = -1;
	SB_ARRAY_RELEASE(&all);
	return rc;
}
