/* SPDX-License-Identifier: MIT */
#include "inspect/dive_stack.h"

#include <string.h>

#include "base/array.h"
#include "base/mem.h"

enum { ROOT = 0, NONE = UINT32_MAX };

struct node {
	const char *name; /* len bytes of a path */
	uint32_t len;
	uint32_t next_in_bucket;
	uint32_t parent;
	uint32_t first_child;
	uint32_t next_sibling;
	uint64_t size;
	uint32_t listed_in; /* the last layer that lists it */
	bool is_folder;
	bool is_there; /* what was removed stays as a place */
};

struct sb_dive_stack {
	SB_ARRAY(struct node) nodes;
	uint32_t *buckets;
	uint32_t n_buckets; /* a power of two */
	uint32_t layer;
};

struct sb_dive_stack *sb_dive_stack_new(void)
{
	struct sb_dive_stack *stack = SB_NEW(struct sb_dive_stack);

	stack->n_buckets = 1024;
	stack->buckets = sb_malloc(stack->n_buckets * sizeof(stack->buckets[0]));
	memset(stack->buckets, 0xff, stack->n_buckets * sizeof(stack->buckets[0]));
	*SB_ARRAY_ADD(&stack->nodes) = (struct node){.name = "",
		.parent = NONE,
		.first_child = NONE,
		.next_sibling = NONE,
		.next_in_bucket = NONE,
		.is_folder = true,
		.is_there = true};
	return stack;
}

void sb_dive_stack_free(struct sb_dive_stack *stack)
{
	if (stack == NULL)
		return;
	SB_ARRAY_RELEASE(&stack->nodes);
	free(stack->buckets);
	free(stack);
}

static uint32_t bucket_of(
	const struct sb_dive_stack *stack, uint32_t parent, const char *name, size_t len)
{
	uint64_t h = parent ^ 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3ULL;
	return (uint32_t)(h ^ (h >> 32)) & (stack->n_buckets - 1);
}

static uint32_t find_child(
	const struct sb_dive_stack *stack, uint32_t parent, const char *name, size_t len)
{
	uint32_t i = stack->buckets[bucket_of(stack, parent, name, len)];

	while (i != NONE) {
		const struct node *node = &stack->nodes.items[i];

		if (node->parent == parent && node->len == len &&
			memcmp(node->name, name, len) == 0)
			break;
		i = node->next_in_bucket;
	}
	return i;
}

static void grow(struct sb_dive_stack *stack)
{
	stack->n_buckets *= 2;
	stack->buckets =
		sb_reallocarray(stack->buckets, stack->n_buckets, sizeof(stack->buckets[0]));
	memset(stack->buckets, 0xff, stack->n_buckets * sizeof(stack->buckets[0]));
	for (uint32_t i = ROOT + 1; i < stack->nodes.len; i++) {
		struct node *node = &stack->nodes.items[i];
		uint32_t *bucket =
			&stack->buckets[bucket_of(stack, node->parent, node->name, node->len)];

		node->next_in_bucket = *bucket;
		*bucket = i;
	}
}

static uint32_t add_child(
	struct sb_dive_stack *stack, uint32_t parent, const char *name, size_t len)
{
	const uint32_t i = (uint32_t)stack->nodes.len;

	if (stack->nodes.len >= stack->n_buckets)
		grow(stack);

	uint32_t *bucket = &stack->buckets[bucket_of(stack, parent, name, len)];

	*SB_ARRAY_ADD(&stack->nodes) = (struct node){
		.name = name,
		.len = (uint32_t)len,
		.next_in_bucket = *bucket,
		.parent = parent,
		.first_child = NONE,
		.next_sibling = stack->nodes.items[parent].first_child,
	};
	*bucket = i;
	stack->nodes.items[parent].first_child = i;
	return i;
}

void sb_dive_stack_begin_layer(struct sb_dive_stack *stack)
{
	stack->layer++;
}

/* The folder that the path is in. A part that the layer does not list has no size and is no folder
 * from here on; those that it lists came before. */
static uint32_t enter_parents(struct sb_dive_stack *stack, const char **path)
{
	uint32_t i = ROOT;

	for (;;) {
		const size_t len = strcspn(*path, "/");

		if ((*path)[len] == '\0')
			return i;

		const uint32_t child = find_child(stack, i, *path, len);

		i = child != NONE ? child : add_child(stack, i, *path, len);

		struct node *node = &stack->nodes.items[i];

		node->is_there = true;
		if (node->listed_in != stack->layer) {
			node->is_folder = false;
			node->size = 0;
		}
		*path += len + 1;
	}
}

void sb_dive_stack_add(
	struct sb_dive_stack *stack, const char *path, uint64_t size_bytes, bool is_folder)
{
	const uint32_t parent = enter_parents(stack, &path);
	const uint32_t child = find_child(stack, parent, path, strlen(path));
	const uint32_t i = child != NONE ? child : add_child(stack, parent, path, strlen(path));
	struct node *node = &stack->nodes.items[i];

	node->size = size_bytes;
	node->is_folder = is_folder;
	node->is_there = true;
	node->listed_in = stack->layer;
}

static uint32_t lookup(const struct sb_dive_stack *stack, const char *path)
{
	uint32_t i = ROOT;

	while (i != NONE && stack->nodes.items[i].is_there) {
		const size_t len = strcspn(path, "/");

		i = find_child(stack, i, path, len);
		if (path[len] == '\0')
			break;
		path += len + 1;
	}
	return i != NONE && stack->nodes.items[i].is_there ? i : NONE;
}

/* Depth is bounded by SB_MAX_PATH / 2. */
static void remove_all(struct sb_dive_stack *stack, uint32_t i)
{
	struct node *node = &stack->nodes.items[i];

	node->is_there = node->is_folder = false;
	node->size = 0;
	for (uint32_t child = node->first_child; child != NONE;
		child = stack->nodes.items[child].next_sibling)
		if (stack->nodes.items[child].is_there)
			remove_all(stack, child);
}

static uint64_t add_up(const struct sb_dive_stack *stack, uint32_t i)
{
	const struct node *node = &stack->nodes.items[i];
	uint64_t sum = node->size;

	for (uint32_t child = node->first_child; child != NONE;
		child = stack->nodes.items[child].next_sibling)
		if (stack->nodes.items[child].is_there)
			sum += add_up(stack, child);
	return sum;
}

void sb_dive_stack_remove(struct sb_dive_stack *stack, const char *path)
{
	const uint32_t i = lookup(stack, path);

	if (i != NONE)
		remove_all(stack, i);
	(void)enter_parents(stack, &path);
}

bool sb_dive_stack_size(const struct sb_dive_stack *stack, const char *path, uint64_t *out)
{
	const uint32_t i = lookup(stack, path);

	if (i == NONE)
		return false;
	*out = stack->nodes.items[i].is_folder ? add_up(stack, i) : 0;
	return true;
}
