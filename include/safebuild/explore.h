/* SPDX-License-Identifier: MIT */
#ifndef SAFEBUILD_EXPLORE_H
#define SAFEBUILD_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "safebuild/error.h"

/*
 * An image to look around in: what its layers did, and the content of every file that is in one of
 * them, also of those that a later one deleted.
 *
 * Every text is free of values that look like secrets and of those of known ones, and hostile
 * otherwise: any bytes, of any length. All of it is borrowed from the explorer.
 */
struct sb_secret_option;

/* Called again and again while something takes time; false cancels (SB_E_CANCELLED). total is 0
 * where it is not known. */
typedef bool (*sb_explore_progress_fn)(void *data, uint64_t done, uint64_t total);

struct sb_explore_options {
	size_t size;
	const char *root;
	const char *image; /* as sb_inspect takes it */
	const char *platform;
	const struct sb_secret_option *secrets;
	size_t n_secrets;
	const char *name; /* which of several images in a folder or archive, or NULL */
};
#define SB_EXPLORE_OPTIONS_INIT \
	{ \
		.size = sizeof(struct sb_explore_options) \
	}

/* What an entry did when its layer was put on those below. */
enum sb_explored_change { SB_EXPLORED_ADDED, SB_EXPLORED_MODIFIED, SB_EXPLORED_REMOVED };

#define SB_EXPLORED_NEVER UINT32_MAX

struct sb_explored_file {
	const char *path; /* clean, relative to the root, "." for that itself */
	char type;        /* as ls shows it: - d l b c p, or ? for what nothing is known of */
	enum sb_explored_change change;
	unsigned mode;
	uint32_t uid;
	uint32_t gid;
	uint64_t size_bytes;
	const char *link; /* target of a symbolic or hard link, or NULL */
	/* The layer that took it away or put something else there, SB_EXPLORED_NEVER while it is
	 * visible. */
	uint32_t gone_layer;
	bool has_content; /* sb_explorer_read has something to read */
};

struct sb_explored_layer {
	const char *instruction; /* "(no history)" where it is not known */
	const char *digest;      /* "" where it is not known */
	const char *diff_id;
	uint64_t size_bytes; /* as downloaded */
	uint64_t tar_bytes;
	uint64_t dead_bytes;
	size_t n_files; /* for sb_explorer_file */
};

/* All copies of one path that later layers hide. */
struct sb_explored_dead {
	const char *path;
	size_t n_copies;
	uint64_t bytes;
};

struct sb_explored_image {
	const char *name;
	const char *platform;
	const char *user; /* "" for root by default */
	bool runs_as_root;
	const struct sb_explored_layer *layers;
	size_t n_layers;
	uint64_t size_bytes;
	uint64_t visible_bytes;
	uint64_t dead_bytes;
	const struct sb_explored_dead *dead; /* most bytes first */
	size_t n_dead;
	double dive_efficiency; /* 0 to 1: as dive computes it */
	uint64_t dive_wasted_bytes;
	size_t n_problems; /* what is wrong with the image, or could not be read */
};

struct sb_explorer;
int sb_explorer_open(
	const struct sb_explore_options *options, struct sb_explorer **out, struct sb_error *err);
void sb_explorer_free(struct sb_explorer *explorer);
const struct sb_explored_image *sb_explorer_image(const struct sb_explorer *explorer);
void sb_explorer_file(
	const struct sb_explorer *explorer, size_t layer, size_t i, struct sb_explored_file *out);

struct sb_explored_content {
	char *bytes; /* with values of known secrets masked ("[secret ID]"); free with sb_free */
	size_t len;
	uint64_t size_bytes; /* of the file */
	bool is_cut;         /* it goes on */
};
/* The first max_bytes of a file's content. */
int sb_explorer_read(const struct sb_explorer *explorer, size_t layer, size_t i, size_t max_bytes,
	sb_explore_progress_fn on_progress, void *data, struct sb_explored_content *out,
	struct sb_error *err);
/* The content as it is, to a new file of mode 0600: SB_E_USAGE where there is one already. What was
 * begun is removed on failure. */
int sb_explorer_extract(const struct sb_explorer *explorer, size_t layer, size_t i,
	const char *dest, sb_explore_progress_fn on_progress, void *data, struct sb_error *err);

#endif
