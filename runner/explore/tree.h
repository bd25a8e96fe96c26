/* SPDX-License-Identifier: MIT */
#ifndef SB_EXPLORE_TREE_H
#define SB_EXPLORE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "explore/source.h"

/*
 * The files of an image as a tree of rows: as they are after a layer, with what it changed; folded,
 * filtered and sorted.
 *
 * Every path that any layer has is a node, made once. A view (after which layer, compared with
 * what) is a walk over the nodes, so that going from layer to layer costs the same however many
 * there are.
 */
struct sb_tree;
/* The source must outlive it. */
struct sb_tree *sb_tree_new(const struct sb_explore_source *source);
void sb_tree_free(struct sb_tree *tree);
SB_DEFINE_FREEP(sb_tree)

enum sb_tree_status {
	SB_TREE_ABSENT, /* never in a row */
	SB_TREE_UNMODIFIED,
	SB_TREE_ADDED,
	SB_TREE_MODIFIED,
	SB_TREE_REMOVED, /* it was there before */
};
enum { SB_TREE_N_STATUSES = SB_TREE_REMOVED + 1 };

struct sb_tree_view {
	size_t layer;
	/* Compared with what there was after the first layer, not with what was there before this
	 * one. */
	bool is_aggregated;
	bool hides[SB_TREE_N_STATUSES];
	bool by_size; /* largest first; else by name */
};
/* Folders lead to what changed are open where that is little; what was folded by hand stays so. */
void sb_tree_set_view(struct sb_tree *tree, const struct sb_tree_view *view);
/* Only what has the text in its path (any case, unless the text has upper-case letters), or matches
 * it as a pattern where it has a '*' or '?'. What was folded is open again. "" for all. */
void sb_tree_set_filter(struct sb_tree *tree, const char *text);

struct sb_tree_row {
	uint32_t node; /* stays the same, whatever the view */
	unsigned depth;
	enum sb_tree_status status;
	bool is_folder; /* it has rows below, shown or folded */
	bool is_open;
	bool is_last;        /* of its folder's rows */
	size_t n_changes;    /* below it */
	uint64_t size_bytes; /* of a folder: of all in it */
	const char *name;    /* name_len bytes, as they are */
	size_t name_len;
	/* The entry that the row shows; has_entry is false for a folder that no layer lists. */
	bool has_entry;
	size_t layer;
	size_t entry;
};

size_t sb_tree_n_rows(const struct sb_tree *tree);
/* Bit d of *out_rails: at depth d a line goes on to a later row (for the first 64). */
void sb_tree_row(
	const struct sb_tree *tree, size_t i, struct sb_tree_row *out, uint64_t *out_rails);
/* The node's row, or that of the nearest folder above it that has one; 0 where none has. */
size_t sb_tree_find(const struct sb_tree *tree, uint32_t node);
/* The row of the folder that row i is in; i where it is in none. */
size_t sb_tree_parent(const struct sb_tree *tree, size_t i);
/* The path of a row; caller frees. */
char *sb_tree_path(const struct sb_tree *tree, size_t i);

void sb_tree_fold(struct sb_tree *tree, size_t i, bool opens);
void sb_tree_fold_all(struct sb_tree *tree, bool opens);

/* In this view, filtered out or not. */
size_t sb_tree_count(const struct sb_tree *tree, enum sb_tree_status status);

#endif
