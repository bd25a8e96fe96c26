/* SPDX-License-Identifier: MIT */
#include "explore/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "explore/tree_private.h"

struct sb_tree *sb_tree_new(const struct sb_explore_source *source)
{
	struct sb_tree *tree = SB_NEW(struct sb_tree);

	tree->source = source;
	tree->filter = sb_strdup("");
	sb_tree_build(tree);
	sb_tree_judge(tree);
	sb_tree_list_rows(tree);
	return tree;
}

void sb_tree_free(struct sb_tree *tree)
{
	if (tree == NULL)
		return;
	SB_ARRAY_RELEASE(&tree->nodes);
	SB_ARRAY_RELEASE(&tree->events);
	SB_ARRAY_RELEASE(&tree->rows);
	free(tree->filter);
	free(tree);
}

void sb_tree_set_view(struct sb_tree *tree, const struct sb_tree_view *view)
{
	tree->view = *view;
	sb_tree_judge(tree);
	sb_tree_list_rows(tree);
}

void sb_tree_set_filter(struct sb_tree *tree, const char *text)
{
	free(tree->filter);
	tree->filter = sb_strdup(text);
	SB_ARRAY_FOREACH (&tree->nodes, node)
		if (text[0] != '\0' && node->fold == SB_TREE_FOLD_CLOSED)
			node->fold = SB_TREE_FOLD_AUTO;
	sb_tree_judge(tree);
	sb_tree_list_rows(tree);
}

static bool is_in_view(const struct sb_tree_node *node)
{
	return node->status != SB_TREE_ABSENT && (node->is_matching || node->has_matching);
}

static bool is_open(const struct sb_tree *tree, const struct sb_tree_node *node)
{
	if (node->fold != SB_TREE_FOLD_AUTO)
		return node->fold == SB_TREE_FOLD_OPEN;
	if (tree->filter[0] != '\0')
		return node->has_matching;
	return tree->opens_changes && node->n_changes > 0;
}

static uint64_t size_of(const struct sb_tree *tree, const struct sb_tree_node *node)
{
	if (node->status == SB_TREE_REMOVED)
		return node->gone_bytes;
	/* A second name is as large as the first, though it adds nothing. */
	if (node->event != SB_TREE_NONE && tree->events.items[node->event].is_second_name)
		return tree->events.items[node->event].size_bytes;
	return node->live_bytes;
}

struct sized {
	uint32_t node;
	uint32_t place; /* by name */
	uint64_t size;
};

static int by_size(const void *a, const void *b)
{
	const struct sized *x = a;
	const struct sized *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return x->place < y->place ? -1 : x->place > y->place;
}

SB_ARRAY_STRUCT(sized_list, struct sized);

/* The rows in a folder, in their order. */
static void list_children(
	const struct sb_tree *tree, const struct sb_tree_node *folder, struct sized_list *out)
{
	for (uint32_t i = folder->first_child; i != SB_TREE_NONE;
		i = tree->nodes.items[i].next_sibling) {
		const struct sb_tree_node *node = &tree->nodes.items[i];

		if (is_in_view(node))
			*SB_ARRAY_ADD(out) =
				(struct sized){i, (uint32_t)out->len, size_of(tree, node)};
	}
	if (tree->view.by_size && out->len > 1)
		qsort(out->items, out->len, sizeof(out->items[0]), by_size);
}

/* Depth is bounded by SB_MAX_PATH / 2. */
static void list_folder(struct sb_tree *tree, uint32_t folder, uint32_t depth, uint64_t rails)
{
	struct sized_list children = {0};

	list_children(tree, &tree->nodes.items[folder], &children);
	for (size_t i = 0; i < children.len; i++) {
		const uint32_t number = children.items[i].node;
		const bool is_last = i + 1 == children.len;
		const uint64_t rail = depth < 64 && !is_last ? (uint64_t)1 << depth : 0;

		tree->nodes.items[number].row = (uint32_t)tree->rows.len;
		*SB_ARRAY_ADD(&tree->rows) =
			(struct sb_tree_place){number, depth, rails | rail, is_last};
		if (is_open(tree, &tree->nodes.items[number]))
			list_folder(tree, number, depth + 1, rails | rail);
	}
	SB_ARRAY_RELEASE(&children);
}

void sb_tree_list_rows(struct sb_tree *tree)
{
	SB_ARRAY_FOREACH (&tree->rows, row)
		tree->nodes.items[row->node].row = SB_TREE_NONE;
	tree->rows.len = 0;
	list_folder(tree, SB_TREE_ROOT, 0, 0);
}

size_t sb_tree_n_rows(const struct sb_tree *tree)
{
	return tree->rows.len;
}

static bool has_rows_below(const struct sb_tree *tree, const struct sb_tree_node *node)
{
	for (uint32_t i = node->first_child; i != SB_TREE_NONE;
		i = tree->nodes.items[i].next_sibling)
		if (is_in_view(&tree->nodes.items[i]))
			return true;
	return false;
}

void sb_tree_row(const struct sb_tree *tree, size_t i, struct sb_tree_row *out, uint64_t *out_rails)
{
	const struct sb_tree_place *place = &tree->rows.items[i];
	const struct sb_tree_node *node = &tree->nodes.items[place->node];
	const struct sb_tree_event *event =
		node->event != SB_TREE_NONE ? &tree->events.items[node->event] : NULL;

	*out = (struct sb_tree_row){
		.node = place->node,
		.depth = place->depth,
		.status = node->status,
		.is_folder = has_rows_below(tree, node),
		.is_open = is_open(tree, node),
		.is_last = place->is_last,
		.n_changes = node->n_changes,
		.size_bytes = size_of(tree, node),
		.name = node->name,
		.name_len = node->len,
		.has_entry = event != NULL,
		.layer = event != NULL ? event->layer : 0,
		.entry = event != NULL ? event->entry : 0,
	};
	*out_rails = place->rails;
}

size_t sb_tree_find(const struct sb_tree *tree, uint32_t node)
{
	while (node != SB_TREE_ROOT && tree->nodes.items[node].row == SB_TREE_NONE)
		node = tree->nodes.items[node].parent;
	return node != SB_TREE_ROOT ? tree->nodes.items[node].row : 0;
}

size_t sb_tree_parent(const struct sb_tree *tree, size_t i)
{
	const uint32_t parent = tree->nodes.items[tree->rows.items[i].node].parent;

	return parent == SB_TREE_ROOT ? i : tree->nodes.items[parent].row;
}

char *sb_tree_path(const struct sb_tree *tree, size_t i)
{
	char *path = sb_strdup("");

	for (uint32_t n = tree->rows.items[i].node; n != SB_TREE_ROOT;
		n = tree->nodes.items[n].parent) {
		const struct sb_tree_node *node = &tree->nodes.items[n];
		char *longer = sb_asprintf(
			"%.*s%s%s", (int)node->len, node->name, path[0] != '\0' ? "/" : "", path);

		free(path);
		path = longer;
	}
	return path;
}

void sb_tree_fold(struct sb_tree *tree, size_t i, bool opens)
{
	tree->nodes.items[tree->rows.items[i].node].fold =
		opens ? SB_TREE_FOLD_OPEN : SB_TREE_FOLD_CLOSED;
	sb_tree_list_rows(tree);
}

void sb_tree_fold_all(struct sb_tree *tree, bool opens)
{
	SB_ARRAY_FOREACH (&tree->nodes, node)
		node->fold = opens ? SB_TREE_FOLD_OPEN : SB_TREE_FOLD_CLOSED;
	sb_tree_list_rows(tree);
}

size_t sb_tree_count(const struct sb_tree *tree, enum sb_tree_status status)
{
	return tree->counts[status];
}
