/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/facts.h"
#include "inspect/notes.h"

enum { MAX_CACHES = 1000 }; /* in a report */

/*
 * Where package managers keep what they can fetch again. A path that begins with a home folder
 * stands below root's and everybody's own.
 */
struct cache {
	const char *manager;
	const char *folder; /* without a slash at its end */
	bool is_in_home;
	const char *files; /* pattern of the names that count, directly in the folder; NULL: all */
};

static const struct cache caches[] = {
	{"apt", "var/lib/apt/lists", false, NULL},
	{"apt", "var/cache/apt/archives", false, "*.deb"},
	{"apt", "var/cache/apt", false, "*.bin"},
	{"apk", "var/cache/apk", false, NULL},
	{"apk", "etc/apk/cache", false, NULL},
	{"yum", "var/cache/yum", false, NULL},
	{"dnf", "var/cache/dnf", false, NULL},
	{"dnf", "var/cache/libdnf5", false, NULL},
	{"zypper", "var/cache/zypp", false, NULL},
	{"pacman", "var/cache/pacman/pkg", false, NULL},
	{"rpm", "var/lib/rpm", false, "__db*"},
	{"pip", ".cache/pip", true, NULL},
	{"uv", ".cache/uv", true, NULL},
	{"poetry", ".cache/pypoetry", true, NULL},
	{"go", ".cache/go-build", true, NULL},
	{"yarn", ".cache/yarn", true, NULL},
	{"yarn", "usr/local/share/.cache", false, NULL},
	{"yarn", ".yarn/berry/cache", true, NULL},
	{"npm", ".npm/_cacache", true, NULL},
	{"pnpm", ".local/share/pnpm/store", true, NULL},
	{"cargo", ".cargo/registry", true, NULL},
	{"cargo", "usr/local/cargo/registry", false, NULL},
	{"go", "go/pkg/mod", false, NULL},
	{"go", "go/pkg/mod", true, NULL},
	{"maven", ".m2/repository", true, NULL},
	{"gradle", ".gradle/caches", true, NULL},
	{"composer", ".composer/cache", true, NULL},
	{"composer", ".cache/composer", true, NULL},
	{"conda", "opt/conda/pkgs", false, NULL},
	{"bundler", "usr/local/bundle/cache", false, NULL},
};

/* The length of the home folder that the path begins with, and its slash; 0 for none. */
static size_t home_len(const char *path)
{
	const char *slash = NULL;

	if (strncmp(path, "root/", 5) == 0)
		return 5;
	if (strncmp(path, "home/", 5) == 0)
		slash = strchr(path + 5, '/');
	return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

/* The length of the cache's folder in the path of a file in it; 0 where it is not in there. */
static size_t match(const struct cache *cache, const char *path)
{
	const size_t home = cache->is_in_home ? home_len(path) : 0;
	const size_t len = strlen(cache->folder);
	const char *rest = path + home;

	if ((cache->is_in_home && home == 0) || strncmp(rest, cache->folder, len) != 0 ||
		rest[len] != '/')
		return 0;
	if (cache->files != NULL && fnmatch(cache->files, rest + len + 1, FNM_PATHNAME) != 0)
		return 0;
	return home + len;
}

static struct sb_cache_finding *find(struct sb_inspection *report, const struct cache *cache,
	const char *path, size_t len, size_t layer)
{
	SB_ARRAY_FOREACH (&report->caches, known)
		if (known->layer == layer && known->manager == cache->manager &&
			strlen(known->path) == len && memcmp(known->path, path, len) == 0)
			return known;
	if (report->caches.len == MAX_CACHES)
		return NULL;

	struct sb_cache_finding *added = SB_ARRAY_ADD(&report->caches);

	added->manager = cache->manager;
	added->path = sb_memdup0(path, len);
	added->layer = layer;
	return added;
}

/* False where there are too many. */
static bool add_file(struct sb_inspector *in, const struct sb_content *content, const char *path)
{
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
		const size_t len = match(&caches[i], path);

		if (len == 0)
			continue;

		struct sb_cache_finding *found =
			find(in->report, &caches[i], path, len, content->added_layer);

		if (found == NULL)
			return false;
		found->n_files++;
		if (content->cause == NULL)
			found->live_bytes += content->size_bytes;
		else
			found->dead_bytes += content->size_bytes;
		return true;
	}
	return true;
}

static int by_layer_and_path(const void *a, const void *b)
{
	const struct sb_cache_finding *x = a;
	const struct sb_cache_finding *y = b;

	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Empty files (a lock, say) are no waste. */
void sb_facts_add_caches(struct sb_inspector *in)
{
	bool is_whole = true;

	for (size_t i = 0; i < sb_filesystem_count(in->fs); i++) {
		const struct sb_content *content = sb_filesystem_content(in->fs, i);
		const struct sb_layer_report *layer =
			&in->report->layers.items[content->added_layer];

		if (content->size_bytes > 0)
			is_whole &=
				add_file(in, content, layer->entries.items[content->entry].path);
	}
	if (!is_whole)
		sb_report_gap(in->report, SIZE_MAX, "package caches",
			"there are more of them than are listed");
	if (in->report->caches.len > 0)
		qsort(in->report->caches.items, in->report->caches.len,
			sizeof(in->report->caches.items[0]), by_layer_and_path);
}
