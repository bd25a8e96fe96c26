/* SPDX-License-Identifier: MIT */
#include "inspect/filesystem.h"

#include <string.h>

#include "base/array.h"
#include "base/mem.h"

static const char cause_deleted[] = "deleted";
static const char cause_parent_deleted[] = "deleted with its folder";
static const char cause_opaque[] = "hidden by an opaque folder";
static const char cause_overwritten[] = "overwritten";
static const char cause_same_content[] = "overwritten with the same content";
static const char cause_twice[] = "written twice in one layer";
static const char cause_folder_replaced[] = "hidden by what replaced its folder";

struct node {
	struct node *parent;
	struct node *first_child;
	struct node *next_sibling;
	struct node *prev_sibling;
	struct node *next_in_bucket;
	uint64_t hash;
	struct sb_name seen; /* its layer is the one that put it here last */
	char name[];
};

struct sb_filesystem {
	struct node *root;
	struct node **buckets;
	size_t n_buckets; /* a power of two */
	size_t n_nodes;
	SB_ARRAY(struct sb_content) contents;
	uint32_t layer;
	sb_gone_fn *on_gone; /* or NULL */
	void *on_gone_self;
};

static uint64_t hash_name(const struct node *parent, const char *name, size_t len)
{
	/* FNV-1a, started with the parent's own hash. */
	uint64_t h = parent->hash ^ 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3ULL;
	return (h ^ '/') * 0x100000001b3ULL;
}

struct sb_filesystem *sb_filesystem_new(void)
{
	struct sb_filesystem *fs = SB_NEW(struct sb_filesystem);

	fs->n_buckets = 1024;
	fs->buckets = sb_calloc(fs->n_buckets, sizeof(struct node *));
	fs->root = sb_calloc(1, sizeof(struct node) + 1);
	fs->root->seen =
		(struct sb_name){.entry = SB_NO_ENTRY, .type = 'd', .content = SB_NO_CONTENT};
	return fs;
}

void sb_filesystem_free(struct sb_filesystem *fs)
{
	if (fs == NULL)
		return;
	for (size_t i = 0; i < fs->n_buckets; i++) {
		for (struct node *node = fs->buckets[i]; node != NULL;) {
			struct node *next = node->next_in_bucket;

			free(node);
			node = next;
		}
	}
	SB_ARRAY_RELEASE(&fs->contents);
	free(fs->buckets);
	free(fs->root);
	free(fs);
}

void sb_filesystem_begin_layer(struct sb_filesystem *fs, size_t layer)
{
	fs->layer = (uint32_t)layer;
}

static struct node *find_child(
	const struct sb_filesystem *fs, const struct node *parent, const char *name, size_t len)
{
	const uint64_t hash = hash_name(parent, name, len);
	struct node *node = fs->buckets[hash & (fs->n_buckets - 1)];

	while (node != NULL &&
		(node->hash != hash || node->parent != parent ||
			strncmp(node->name, name, len) != 0 || node->name[len] != '\0'))
		node = node->next_in_bucket;
	return node;
}

static void grow(struct sb_filesystem *fs)
{
	const size_t n = fs->n_buckets * 2;
	struct node **buckets = sb_calloc(n, sizeof(struct node *));

	for (size_t i = 0; i < fs->n_buckets; i++) {
		for (struct node *node = fs->buckets[i]; node != NULL;) {
			struct node *next = node->next_in_bucket;

			node->next_in_bucket = buckets[node->hash & (n - 1)];
			buckets[node->hash & (n - 1)] = node;
			node = next;
		}
	}
	free(fs->buckets);
	fs->buckets = buckets;
	fs->n_buckets = n;
}

static struct node *add_child(
	struct sb_filesystem *fs, struct node *parent, const char *name, size_t len)
{
	struct node *node = sb_calloc(1, sizeof(struct node) + len + 1);

	if (fs->n_nodes++ >= fs->n_buckets)
		grow(fs);
	memcpy(node->name, name, len);
	node->parent = parent;
	node->hash = hash_name(parent, name, len);
	/* A folder, until something is put there. */
	node->seen = (struct sb_name){.layer = fs->layer,
		.entry = SB_NO_ENTRY,
		.type = 'd',
		.was = '?',
		.content = SB_NO_CONTENT};
	node->next_sibling = parent->first_child;
	if (parent->first_child != NULL)
		parent->first_child->prev_sibling = node;
	parent->first_child = node;

	struct node **bucket = &fs->buckets[node->hash & (fs->n_buckets - 1)];

	node->next_in_bucket = *bucket;
	*bucket = node;
	return node;
}

void sb_filesystem_on_gone(struct sb_filesystem *fs, sb_gone_fn *on_gone, void *self)
{
	fs->on_gone = on_gone;
	fs->on_gone_self = self;
}

static void tell_gone(const struct sb_filesystem *fs, const struct node *node)
{
	if (fs->on_gone != NULL && node->seen.entry != SB_NO_ENTRY)
		fs->on_gone(fs->on_gone_self, &node->seen, fs->layer);
}

static bool is_folder(const struct node *node)
{
	return node->seen.type == 'd';
}

static void drop_content(struct sb_filesystem *fs, struct node *node, const char *cause)
{
	if (node->seen.content == SB_NO_CONTENT)
		return;

	struct sb_content *content = &fs->contents.items[node->seen.content];

	node->seen.content = SB_NO_CONTENT;
	if (--content->n_names > 0)
		return;
	content->removed_layer = fs->layer;
	content->cause = cause;
}

/* The layer puts something new at the node. */
static void set_seen(struct sb_filesystem *fs, struct node *node, uint32_t entry, char type)
{
	struct sb_name *seen = &node->seen;

	tell_gone(fs, node);
	seen->was = seen->layer == fs->layer ? seen->was : seen->type;
	seen->layer = fs->layer;
	seen->entry = entry;
	seen->type = type;
}

/* The node has no children. */
static void remove_node(struct sb_filesystem *fs, struct node *node)
{
	struct node **link = &fs->buckets[node->hash & (fs->n_buckets - 1)];

	tell_gone(fs, node);
	while (*link != node)
		link = &(*link)->next_in_bucket;
	*link = node->next_in_bucket;
	if (node->prev_sibling != NULL)
		node->prev_sibling->next_sibling = node->next_sibling;
	else
		node->parent->first_child = node->next_sibling;
	if (node->next_sibling != NULL)
		node->next_sibling->prev_sibling = node->prev_sibling;
	fs->n_nodes--;
	free(node);
}

/* What lower layers put at the node is gone; what this layer put into it keeps it as a folder. */
static void remove_lower(struct sb_filesystem *fs, struct node *node, const char *cause)
{
	drop_content(fs, node, cause);
	if (node->first_child == NULL)
		remove_node(fs, node);
	else
		set_seen(fs, node, SB_NO_ENTRY, 'd');
}

/* What is removed: all below a node that a layer under `below` put. A folder stays while something
 * in it does. Depth is bounded by SB_MAX_PATH / 2. */
static void remove_children(
	struct sb_filesystem *fs, struct node *parent, size_t below, const char *cause)
{
	for (struct node *child = parent->first_child; child != NULL;) {
		struct node *next = child->next_sibling;

		remove_children(fs, child, below, cause);
		if (child->seen.layer < below)
			remove_lower(fs, child, cause);
		child = next;
	}
}

/* The next part of a path: advances *path behind it. */
static size_t next_part(const char **path)
{
	const size_t len = strcspn(*path, "/");

	*path += len + ((*path)[len] == '/');
	return len;
}

static struct node *lookup(const struct sb_filesystem *fs, const char *path)
{
	struct node *node = fs->root;

	if (strcmp(path, ".") == 0)
		return node;
	while (node != NULL && *path != '\0') {
		const char *name = path;
		const size_t len = next_part(&path);

		node = find_child(fs, node, name, len);
	}
	return node;
}

bool sb_filesystem_find(const struct sb_filesystem *fs, const char *path, struct sb_name *out)
{
	const struct node *node = lookup(fs, path);

	if (node != NULL)
		*out = node->seen;
	return node != NULL;
}

/* What is no folder, and is in a path's way, becomes one. */
static void make_way(struct sb_filesystem *fs, struct node *node)
{
	if (is_folder(node))
		return;
	drop_content(fs, node, cause_overwritten);
	set_seen(fs, node, SB_NO_ENTRY, 'd');
}

/* The node at the path with its parents, made where missing. */
static struct node *make(struct sb_filesystem *fs, const char *path)
{
	struct node *node = fs->root;

	if (strcmp(path, ".") == 0)
		return node;
	while (*path != '\0') {
		const char *name = path;
		const size_t len = next_part(&path);
		struct node *child = find_child(fs, node, name, len);

		make_way(fs, node);
		node = child != NULL ? child : add_child(fs, node, name, len);
	}
	return node;
}

void sb_filesystem_add_folder(struct sb_filesystem *fs, const char *path, uint32_t entry)
{
	struct node *node = make(fs, path);

	make_way(fs, node);
	set_seen(fs, node, entry, 'd');
}

/* Makes way for something that is not a folder: what was there is gone. */
static struct node *make_empty(
	struct sb_filesystem *fs, const char *path, uint32_t entry, char type, const char *cause)
{
	struct node *node = make(fs, path);

	remove_children(fs, node, SIZE_MAX, cause_folder_replaced);
	drop_content(fs, node, node->seen.layer == fs->layer ? cause_twice : cause);
	set_seen(fs, node, entry, type);
	return node;
}

static size_t add_content(struct sb_filesystem *fs, uint32_t entry, uint64_t size_bytes)
{
	*SB_ARRAY_ADD(&fs->contents) = (struct sb_content){
		.size_bytes = size_bytes,
		.added_layer = fs->layer,
		.entry = entry,
		.n_names = 1,
	};
	return fs->contents.len - 1;
}

size_t sb_filesystem_add_file(struct sb_filesystem *fs, const char *path, uint32_t entry,
	uint64_t size_bytes, bool is_same_content)
{
	struct node *node = make_empty(
		fs, path, entry, '-', is_same_content ? cause_same_content : cause_overwritten);

	node->seen.content = add_content(fs, entry, size_bytes);
	return node->seen.content;
}

void sb_filesystem_add_other(struct sb_filesystem *fs, const char *path, uint32_t entry, char type)
{
	(void)make_empty(fs, path, entry, type, cause_overwritten);
}

bool sb_filesystem_add_hard_link(struct sb_filesystem *fs, const char *path, uint32_t entry,
	const char *target, bool is_same_content)
{
	struct sb_name first = {.content = SB_NO_CONTENT};
	const bool is_there = sb_filesystem_find(fs, target, &first) && first.type != 'd';

	/* A link to itself changes nothing. */
	if (is_there && strcmp(path, target) == 0)
		return true;
	/* What stands at the new name's place may be a folder with the first one in it. */
	if (is_there && first.content != SB_NO_CONTENT)
		fs->contents.items[first.content].n_names++;

	struct node *node = make_empty(fs, path, entry, is_there ? first.type : '-',
		is_same_content ? cause_same_content : cause_overwritten);

	if (is_there)
		node->seen.content = first.content;
	return is_there;
}

size_t sb_filesystem_add_hidden(
	struct sb_filesystem *fs, uint32_t entry, uint64_t size_bytes, const char *cause)
{
	const size_t number = add_content(fs, entry, size_bytes);
	struct sb_content *content = &fs->contents.items[number];

	content->n_names = 0;
	content->removed_layer = fs->layer;
	content->cause = cause;
	return number;
}

bool sb_filesystem_whiteout(struct sb_filesystem *fs, const char *path)
{
	struct node *node = lookup(fs, path);

	if (node == NULL || node == fs->root)
		return false;
	remove_children(fs, node, fs->layer, cause_parent_deleted);
	if (node->seen.layer < fs->layer)
		remove_lower(fs, node, cause_deleted);
	return true;
}

void sb_filesystem_opaque(
	struct sb_filesystem *fs, const char *path, sb_removed_fn *on_removed, void *self)
{
	struct node *node = lookup(fs, path);

	if (node == NULL)
		return;
	for (const struct node *child = node->first_child; child != NULL && on_removed != NULL;
		child = child->next_sibling)
		if (child->seen.layer < fs->layer)
			on_removed(self, child->name, child->seen.type);
	remove_children(fs, node, fs->layer, cause_opaque);
}

size_t sb_filesystem_names(const struct sb_filesystem *fs)
{
	return fs->n_nodes;
}

void sb_filesystem_each(const struct sb_filesystem *fs,
	void (*on_name)(void *self, const struct sb_name *name), void *self)
{
	on_name(self, &fs->root->seen);
	for (size_t i = 0; i < fs->n_buckets; i++)
		for (const struct node *node = fs->buckets[i]; node != NULL;
			node = node->next_in_bucket)
			on_name(self, &node->seen);
}

size_t sb_filesystem_count(const struct sb_filesystem *fs)
{
	return fs->contents.len;
}

const struct sb_content *sb_filesystem_content(const struct sb_filesystem *fs, size_t i)
{
	return &fs->contents.items[i];
}
