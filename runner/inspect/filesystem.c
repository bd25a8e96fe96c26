/* SPDX-License-Identifier: MIT */
#include "inspect/filesystem.h"

#include <string.h>

#include "base/array.h"
#include "base/mem.h"

#define NO_CONTENT SIZE_MAX

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
	size_t layer;   /* that put it here last */
	size_t content; /* or NO_CONTENT */
	bool is_folder;
	char name[];
};

struct content {
	struct sb_content seen;
	char *path;
	size_t n_names;
};

struct sb_filesystem {
	struct node *root;
	struct node **buckets;
	size_t n_buckets; /* a power of two */
	size_t n_nodes;
	SB_ARRAY(struct content) contents;
	size_t layer;
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
	fs->root->content = NO_CONTENT;
	fs->root->is_folder = true;
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
	for (size_t i = 0; i < fs->contents.len; i++)
		free(fs->contents.items[i].path);
	SB_ARRAY_RELEASE(&fs->contents);
	free(fs->buckets);
	free(fs->root);
	free(fs);
}

void sb_filesystem_begin_layer(struct sb_filesystem *fs, size_t layer)
{
	fs->layer = layer;
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
	node->layer = fs->layer;
	node->content = NO_CONTENT;
	node->next_sibling = parent->first_child;
	if (parent->first_child != NULL)
		parent->first_child->prev_sibling = node;
	parent->first_child = node;

	struct node **bucket = &fs->buckets[node->hash & (fs->n_buckets - 1)];

	node->next_in_bucket = *bucket;
	*bucket = node;
	return node;
}

static void drop_content(struct sb_filesystem *fs, struct node *node, const char *cause)
{
	if (node->content == NO_CONTENT)
		return;

	struct content *content = &fs->contents.items[node->content];

	node->content = NO_CONTENT;
	if (--content->n_names > 0)
		return;
	content->seen.is_dead = true;
	content->seen.removed_layer = fs->layer;
	content->seen.cause = cause;
}

/* The node has no children. */
static void remove_node(struct sb_filesystem *fs, struct node *node)
{
	struct node **link = &fs->buckets[node->hash & (fs->n_buckets - 1)];

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

/* What is removed: all below a node that a layer under `below` put. A folder stays while something
 * in it does. Depth is bounded by SB_MAX_PATH / 2. */
static void remove_children(
	struct sb_filesystem *fs, struct node *parent, size_t below, const char *cause)
{
	for (struct node *child = parent->first_child; child != NULL;) {
		struct node *next = child->next_sibling;

		remove_children(fs, child, below, cause);
		if (child->layer < below) {
			drop_content(fs, child, cause);
			if (child->first_child == NULL)
				remove_node(fs, child);
		}
		child = next;
	}
}

static void become_folder(struct sb_filesystem *fs, struct node *node)
{
	if (!node->is_folder)
		drop_content(fs, node, cause_overwritten);
	node->is_folder = true;
	node->layer = fs->layer;
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

/* The node at the path with its parents, made where missing; *out_is_new says if it was. */
static struct node *make(struct sb_filesystem *fs, const char *path, bool *out_is_new)
{
	struct node *node = fs->root;

	*out_is_new = false;
	if (strcmp(path, ".") == 0)
		return node;
	while (*path != '\0') {
		const char *name = path;
		const size_t len = next_part(&path);
		struct node *child = find_child(fs, node, name, len);

		if (!node->is_folder)
			become_folder(fs, node);
		*out_is_new = child == NULL;
		node = child != NULL ? child : add_child(fs, node, name, len);
		if (*out_is_new && *path != '\0')
			node->is_folder = true;
	}
	return node;
}

void sb_filesystem_add_folder(struct sb_filesystem *fs, const char *path)
{
	bool is_new = false;
	struct node *node = make(fs, path, &is_new);

	become_folder(fs, node);
}

/* Makes way for something that is not a folder: what was there is gone. */
static struct node *make_empty(struct sb_filesystem *fs, const char *path, uint64_t size_bytes,
	const struct sb_digest *digest)
{
	bool is_new = false;
	struct node *node = make(fs, path, &is_new);
	const char *cause = node->layer == fs->layer ? cause_twice : cause_overwritten;

	remove_children(fs, node, SIZE_MAX, cause_folder_replaced);
	if (node->content != NO_CONTENT && digest != NULL) {
		const struct sb_content *old = &fs->contents.items[node->content].seen;

		if (old->size_bytes == size_bytes && node->layer != fs->layer &&
			sb_digest_is_set(digest) && sb_digest_equal(&old->digest, digest))
			cause = cause_same_content;
	}
	drop_content(fs, node, cause);
	node->is_folder = node == fs->root;
	node->layer = fs->layer;
	return node;
}

size_t sb_filesystem_add_file(struct sb_filesystem *fs, const char *path, uint64_t size_bytes,
	const struct sb_digest *digest)
{
	struct node *node = make_empty(fs, path, size_bytes, digest);
	const size_t number = fs->contents.len;
	struct content *content = SB_ARRAY_ADD(&fs->contents);

	content->n_names = 1;
	content->path = sb_strdup(path);
	content->seen = (struct sb_content){
		.path = content->path,
		.size_bytes = size_bytes,
		.digest = *digest,
		.added_layer = fs->layer,
	};
	node->content = number;
	return number;
}

void sb_filesystem_add_other(struct sb_filesystem *fs, const char *path)
{
	(void)make_empty(fs, path, 0, NULL);
}

bool sb_filesystem_add_hard_link(struct sb_filesystem *fs, const char *path, const char *target)
{
	const struct node *first = lookup(fs, target);
	const size_t content = first != NULL ? first->content : NO_CONTENT;

	/* A link to itself changes nothing. */
	if (first != NULL && strcmp(path, target) == 0)
		return true;
	if (content != NO_CONTENT)
		fs->contents.items[content].n_names++;

	struct node *node = make_empty(fs, path, 0, NULL);

	node->content = content;
	return first != NULL;
}

bool sb_filesystem_whiteout(struct sb_filesystem *fs, const char *path)
{
	struct node *node = lookup(fs, path);

	if (node == NULL || node == fs->root)
		return false;
	remove_children(fs, node, fs->layer, cause_parent_deleted);
	if (node->layer < fs->layer) {
		drop_content(fs, node, cause_deleted);
		if (node->first_child == NULL)
			remove_node(fs, node);
	}
	return true;
}

void sb_filesystem_opaque(struct sb_filesystem *fs, const char *path)
{
	struct node *node = lookup(fs, path);

	if (node != NULL)
		remove_children(fs, node, fs->layer, cause_opaque);
}

size_t sb_filesystem_names(const struct sb_filesystem *fs)
{
	return fs->n_nodes;
}

size_t sb_filesystem_count(const struct sb_filesystem *fs)
{
	return fs->contents.len;
}

const struct sb_content *sb_filesystem_content(const struct sb_filesystem *fs, size_t i)
{
	return &fs->contents.items[i].seen;
}

bool sb_filesystem_shows(const struct sb_filesystem *fs, const char *path, size_t content)
{
	const struct node *node = lookup(fs, path);

	return node != NULL && node->content == content && content != NO_CONTENT;
}
