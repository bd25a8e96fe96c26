/* SPDX-License-Identifier: MIT */
#ifndef SB_EXPLORE_TREE_PRIVATE_H
#define SB_EXPLORE_TREE_PRIVATE_H

#include "base/array.h"
#include "explore/tree.h"

enum { SB_TREE_ROOT = 0 };
#define SB_TREE_NONE UINT32_MAX

/* What one layer says of a path. Those of a node are in the order of the layers. */
struct sb_tree_event {
	uint32_t next; /* of the same node */
	uint32_t layer;
	uint32_t entry;
	uint32_t gone_layer;
	enum sb_explored_change change;
	char type;
	bool is_second_name; /* a hard link: its bytes count elsewhere */
	uint64_t size_bytes;
};

enum sb_tree_fold { SB_TREE_FOLD_AUTO, SB_TREE_FOLD_OPEN, SB_TREE_FOLD_CLOSED };

struct sb_tree_node {
	const char *name; /* len bytes of an entry's path */
	uint32_t len;
	uint32_t parent;
	uint32_t first_child; /* children by name */
	uint32_t next_sibling;
	uint32_t first_event;
	uint32_t last_event;
	enum sb_tree_fold fold;
	/* Of the view. */
	enum sb_tree_status status;
	uint32_t event;      /* that the view shows, or SB_TREE_NONE */
	uint32_t n_changes;  /* below it */
	bool is_matching;    /* the filter lets it pass, and no status hides it */
	bool has_matching;   /* something below it is */
	uint64_t live_bytes; /* with all below it */
	uint64_t gone_bytes;
	uint32_t row; /* or SB_TREE_NONE */
};

struct sb_tree_place {
	uint32_t node;
	uint32_t depth;
	uint64_t rails;
	bool is_last;
};

struct sb_tree {
	const struct sb_explore_source *source;
	/* A parent before its children. */
	SB_ARRAY(struct sb_tree_node) nodes;
	SB_ARRAY(struct sb_tree_event) events;
	SB_ARRAY(struct sb_tree_place) rows;
	struct sb_tree_view view;
	char *filter; /* "" for none */
	size_t counts[SB_TREE_N_STATUSES];
	bool opens_changes; /* they are few */
};

/* Nodes and events of all layers (tree_build.c). */
void sb_tree_build(struct sb_tree *tree);
/* The view's part of the nodes (tree_view.c). */
void sb_tree_judge(struct sb_tree *tree);
/* The rows (tree.c). */
void sb_tree_list_rows(struct sb_tree *tree);

#endif
