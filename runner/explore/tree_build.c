/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "explore/tree_private.h"

/* Nodes by parent and name, while the tree is made. */
struct index {
	uint32_t *buckets; /* n + 1 of a node, 0 for none; open addressing */
	size_t n_buckets;  /* a power of two */
};

static size_t hash_of(uint32_t parent, const char *name, size_t len)
{
	uint64_t h = parent ^ 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3ULL;
	return (size_t)(h ^ (h >> 32));
}

static uint32_t *find_slot(const struct sb_tree *tree, const struct index *index, uint32_t parent,
	const char *name, size_t len)
{
	size_t i = hash_of(parent, name, len) & (index->n_buckets - 1);

	for (;;) {
		uint32_t *slot = &index->buckets[i];
		const struct sb_tree_node *node = *slot == 0 ? NULL : &tree->nodes.items[*slot - 1];

		if (node == NULL || (node->parent == parent && node->len == len &&
					    memcmp(node->name, name, len) == 0))
			return slot;
		i = (i + 1) & (index->n_buckets - 1);
	}
}

static void grow(const struct sb_tree *tree, struct index *index)
{
	free(index->buckets);
	index->n_buckets *= 2;
	index->buckets = sb_calloc(index->n_buckets, sizeof(index->buckets[0]));
	for (uint32_t i = SB_TREE_ROOT + 1; i < tree->nodes.len; i++) {
		const struct sb_tree_node *node = &tree->nodes.items[i];

		*find_slot(tree, index, node->parent, node->name, node->len) = i + 1;
	}
}

static uint32_t add_node(struct sb_tree *tree, uint32_t parent, const char *name, size_t len)
{
	*SB_ARRAY_ADD(&tree->nodes) = (struct sb_tree_node){
		.name = name,
		.len = (uint32_t)len,
		.parent = parent,
		.first_child = SB_TREE_NONE,
		.next_sibling = SB_TREE_NONE,
		.first_event = SB_TREE_NONE,
		.last_event = SB_TREE_NONE,
		.event = SB_TREE_NONE,
		.row = SB_TREE_NONE,
	};
	return (uint32_t)tree->nodes.len - 1;
}

/* The node at the path, made with its parents where it is missing. */
static uint32_t node_at(struct sb_tree *tree, struct index *index, const char *path)
{
	uint32_t node = SB_TREE_ROOT;

	if (strcmp(path, ".") == 0)
		return node;
	while (*path != '\0') {
		const size_t len = strcspn(path, "/");

		if (tree->nodes.len * 2 > index->n_buckets)
			grow(tree, index);

		uint32_t *slot = find_slot(tree, index, node, path, len);

		if (*slot == 0)
			*slot = add_node(tree, node, path, len) + 1;
		node = *slot - 1;
		path += len + (path[len] == '/');
	}
	return node;
}

static void add_event(struct sb_tree *tree, uint32_t to, size_t layer, size_t i,
	const struct sb_explored_file *file)
{
	const uint32_t number = (uint32_t)tree->events.len;
	struct sb_tree_node *node = &tree->nodes.items[to];

	*SB_ARRAY_ADD(&tree->events) = (struct sb_tree_event){
		.next = SB_TREE_NONE,
		.layer = (uint32_t)layer,
		.entry = (uint32_t)i,
		.gone_layer = file->gone_layer,
		.change = file->change,
		.type = file->type,
		.is_second_name = file->type == '-' && file->link != NULL,
		.size_bytes = file->size_bytes,
	};
	if (node->last_event == SB_TREE_NONE)
		node->first_event = number;
	else
		tree->events.items[node->last_event].next = number;
	node->last_event = number;
}

struct sibling {
	const struct sb_tree_node *node;
	uint32_t number;
};

static int by_parent_and_name(const void *a, const void *b)
{
	const struct sb_tree_node *x = ((const struct sibling *)a)->node;
	const struct sb_tree_node *y = ((const struct sibling *)b)->node;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;

	const int order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : x->len < y->len ? -1 : x->len > y->len;
}

static void link_children(struct sb_tree *tree)
{
	const size_t n = tree->nodes.len - 1;
	sb_autofree struct sibling *all = sb_calloc(n + 1, sizeof(all[0]));

	for (uint32_t i = 0; i < n; i++)
		all[i] = (struct sibling){&tree->nodes.items[i + 1], i + 1};
	qsort(all, n, sizeof(all[0]), by_parent_and_name);
	for (size_t i = n; i-- > 0;) {
		struct sb_tree_node *node = &tree->nodes.items[all[i].number];
		struct sb_tree_node *parent = &tree->nodes.items[node->parent];

		node->next_sibling = parent->first_child;
		parent->first_child = all[i].number;
	}
}

void sb_tree_build(struct sb_tree *tree)
{
	struct index index = {.n_buckets = 4096};
	const struct sb_explore_source *source = tree->source;
	struct sb_explored_file file;

	index.buckets = sb_calloc(index.n_buckets, sizeof(index.buckets[0]));
	(void)add_node(tree, SB_TREE_NONE, "", 0);
	for (size_t layer = 0; layer < source->image->n_layers; layer++) {
		for (size_t i = 0; i < source->image->layers[layer].n_files; i++) {
			source->file(source->self, layer, i, &file);
			add_event(tree, node_at(tree, &index, file.path), layer, i, &file);
		}
	}
	link_children(tree);
	free(index.buckets);
}
