/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "explore/tree_private.h"

/* More changes than that are a screen full of open folders. */
enum { FEW_CHANGES = 100 };

static bool is_there_after(const struct sb_tree_event *event, size_t layer)
{
	return event->change != SB_EXPLORED_REMOVED && event->layer <= layer &&
	       (event->gone_layer == SB_EXPLORED_NEVER || event->gone_layer > layer);
}

/* The one that the path shows after the layer, or SB_TREE_NONE. */
static uint32_t event_after(
	const struct sb_tree *tree, const struct sb_tree_node *node, size_t layer)
{
	uint32_t found = SB_TREE_NONE;

	for (uint32_t i = node->first_event; i != SB_TREE_NONE; i = tree->events.items[i].next)
		if (is_there_after(&tree->events.items[i], layer))
			found = i;
	return found;
}

static void judge_by_layer(const struct sb_tree *tree, struct sb_tree_node *node, size_t layer)
{
	node->event = event_after(tree, node, layer);
	if (node->event != SB_TREE_NONE) {
		const struct sb_tree_event *event = &tree->events.items[node->event];

		node->status = event->layer < layer                 ? SB_TREE_UNMODIFIED
			       : event->change == SB_EXPLORED_ADDED ? SB_TREE_ADDED
								    : SB_TREE_MODIFIED;
		return;
	}
	if (layer == 0)
		return;
	node->event = event_after(tree, node, layer - 1);
	if (node->event != SB_TREE_NONE)
		node->status = SB_TREE_REMOVED;
}

static void judge_since_first(const struct sb_tree *tree, struct sb_tree_node *node, size_t layer)
{
	const uint32_t first = event_after(tree, node, 0);
	const uint32_t now = event_after(tree, node, layer);

	node->event = now != SB_TREE_NONE ? now : first;
	if (node->event != SB_TREE_NONE)
		node->status = now == SB_TREE_NONE     ? SB_TREE_REMOVED
			       : first == SB_TREE_NONE ? SB_TREE_ADDED
			       : first == now          ? SB_TREE_UNMODIFIED
						       : SB_TREE_MODIFIED;
}

static void judge_own(struct sb_tree *tree, struct sb_tree_node *node)
{
	node->status = SB_TREE_ABSENT;
	node->event = SB_TREE_NONE;
	node->n_changes = 0;
	node->has_matching = false;
	node->live_bytes = node->gone_bytes = 0;
	if (tree->view.is_aggregated && tree->view.layer > 0)
		judge_since_first(tree, node, tree->view.layer);
	else
		judge_by_layer(tree, node, tree->view.layer);
	if (node->event == SB_TREE_NONE)
		return;

	const struct sb_tree_event *event = &tree->events.items[node->event];
	const uint64_t bytes = event->is_second_name ? 0 : event->size_bytes;

	*(node->status == SB_TREE_REMOVED ? &node->gone_bytes : &node->live_bytes) = bytes;
}

/* What a folder that no layer lists is follows from what is in it: `found` has a bit for each
 * status there. */
static enum sb_tree_status status_of_unlisted(unsigned found)
{
	const unsigned there = found & ~(1U << SB_TREE_ABSENT);

	if (there == 0)
		return SB_TREE_ABSENT;
	if (there == 1U << SB_TREE_REMOVED)
		return SB_TREE_REMOVED;
	return there == 1U << SB_TREE_ADDED ? SB_TREE_ADDED : SB_TREE_UNMODIFIED;
}

static void add_to_parent(struct sb_tree *tree, const struct sb_tree_node *node)
{
	if (node->parent == SB_TREE_NONE)
		return;

	struct sb_tree_node *parent = &tree->nodes.items[node->parent];
	const bool is_change = node->status > SB_TREE_UNMODIFIED && node->event != SB_TREE_NONE;

	parent->n_changes += node->n_changes + (is_change ? 1 : 0);
	parent->live_bytes += node->live_bytes;
	parent->gone_bytes += node->gone_bytes;
}

static void judge_status(struct sb_tree *tree)
{
	sb_autofree unsigned char *found = sb_calloc(tree->nodes.len, 1);

	memset(tree->counts, 0, sizeof(tree->counts));
	for (size_t i = tree->nodes.len; i-- > 0;) {
		struct sb_tree_node *node = &tree->nodes.items[i];

		if (node->status == SB_TREE_ABSENT)
			node->status = status_of_unlisted(found[i]);
		else if (node->event != SB_TREE_NONE && i != SB_TREE_ROOT)
			tree->counts[node->status]++;
		if (node->parent != SB_TREE_NONE)
			found[node->parent] |= (unsigned char)(1U << node->status);
		add_to_parent(tree, node);
	}
	tree->opens_changes = tree->nodes.items[SB_TREE_ROOT].n_changes <= FEW_CHANGES;
}

struct filter {
	const char *text;
	bool is_pattern;
	bool has_case;
	char path[SB_MAX_PATH];
};

static bool passes(const struct filter *filter)
{
	if (filter->text[0] == '\0')
		return true;
	if (filter->is_pattern)
		return fnmatch(filter->text, filter->path, filter->has_case ? 0 : FNM_CASEFOLD) ==
		       0;
	return (filter->has_case ? strstr(filter->path, filter->text)
				 : strcasestr(filter->path, filter->text)) != NULL;
}

/* A walk, so that the path grows and shrinks by a name at a time. */
static void match(struct sb_tree *tree, struct filter *filter)
{
	sb_autofree size_t *lengths = sb_calloc(tree->nodes.len, sizeof(lengths[0]));
	uint32_t i = tree->nodes.items[SB_TREE_ROOT].first_child;

	while (i != SB_TREE_NONE) {
		struct sb_tree_node *node = &tree->nodes.items[i];
		const size_t at = lengths[node->parent];
		const bool fits = at + node->len + 2 < sizeof(filter->path);
		const size_t slash = at > 0 ? 1 : 0;

		if (fits) {
			filter->path[at] = '/';
			memcpy(filter->path + at + slash, node->name, node->len);
			lengths[i] = at + slash + node->len;
			filter->path[lengths[i]] = '\0';
		} else {
			lengths[i] = at;
		}
		node->is_matching = node->status != SB_TREE_ABSENT &&
				    !tree->view.hides[node->status] && passes(filter);
		if (node->first_child != SB_TREE_NONE) {
			i = node->first_child;
			continue;
		}
		while (i != SB_TREE_ROOT && tree->nodes.items[i].next_sibling == SB_TREE_NONE)
			i = tree->nodes.items[i].parent;
		i = i == SB_TREE_ROOT ? SB_TREE_NONE : tree->nodes.items[i].next_sibling;
	}
	for (size_t k = tree->nodes.len; k-- > 1;) {
		const struct sb_tree_node *node = &tree->nodes.items[k];

		if (node->is_matching || node->has_matching)
			tree->nodes.items[node->parent].has_matching = true;
	}
}

static bool has_upper_case(const char *text)
{
	for (; *text != '\0'; text++)
		if (isupper((unsigned char)*text))
			return true;
	return false;
}

void sb_tree_judge(struct sb_tree *tree)
{
	const bool is_pattern = strpbrk(tree->filter, "*?") != NULL;
	/* As a pattern it is for any part of the path. */
	sb_autofree char *text =
		is_pattern ? sb_asprintf("*%s*", tree->filter) : sb_strdup(tree->filter);
	struct filter filter = {
		.text = text, .is_pattern = is_pattern, .has_case = has_upper_case(text)};

	SB_ARRAY_FOREACH (&tree->nodes, node)
		judge_own(tree, node);
	judge_status(tree);
	match(tree, &filter);
}
