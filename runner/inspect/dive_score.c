/* SPDX-License-Identifier: MIT */
#include "inspect/dive_score.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "inspect/dive_stack.h"

/* An entry under the name that it has in the archive: a whiteout with its mark. */
struct named {
	char *name;
	const struct sb_file_entry *entry;
	size_t number;
};
SB_ARRAY_STRUCT(named_list, struct named);

/* A path as one layer has it. */
struct visit {
	const char *path;
	uint64_t size;
};
SB_ARRAY_STRUCT(visit_list, struct visit);

static char *marked_name(const char *path)
{
	sb_autofree char *folder = sb_path_dir(path);
	sb_autofree char *base = sb_path_base(path);
	sb_autofree char *marked = sb_asprintf(".wh.%s", base);

	return strcmp(folder, ".") == 0 ? SB_STEAL(marked) : sb_asprintf("%s/%s", folder, marked);
}

static bool is_below(const char *folder, const char *path)
{
	const size_t len = strlen(folder);

	return strncmp(folder, path, len) == 0 && path[len] == '/';
}

static int by_name(const void *a, const void *b)
{
	const struct named *x = a;
	const struct named *y = b;
	const int order = sb_path_compare(x->name, y->name);

	return order != 0 ? order : x->number < y->number ? -1 : x->number > y->number;
}

/* In the order of a walk through the layer's tree; of what is there twice, the last. */
static void list_layer(const struct sb_layer_report *layer, struct named_list *out)
{
	size_t n = 0;

	SB_ARRAY_FOREACH (&layer->entries, entry) {
		if (entry->is_by_opaque || strcmp(entry->path, ".") == 0)
			continue;
		*SB_ARRAY_ADD(out) = (struct named){
			.name = entry->change == SB_FILE_REMOVED ? marked_name(entry->path)
								 : sb_strdup(entry->path),
			.entry = entry,
			.number = out->len,
		};
	}
	if (out->len > 1)
		qsort(out->items, out->len, sizeof(out->items[0]), by_name);
	for (size_t i = 0; i < out->len; i++) {
		if (i + 1 < out->len && strcmp(out->items[i].name, out->items[i + 1].name) == 0)
			free(out->items[i].name);
		else
			out->items[n++] = out->items[i];
	}
	out->len = n;
}

static uint64_t size_of(const struct sb_file_entry *entry)
{
	return entry->type == '-' && entry->link == NULL ? entry->size_bytes : 0;
}

/* Ends at a whiteout of what no lower layer has. */
static void visit_layer(
	const struct named_list *list, const struct sb_dive_stack *stack, struct visit_list *visits)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct named *item = &list->items[i];
		uint64_t size = size_of(item->entry);

		if (i + 1 < list->len && is_below(item->name, list->items[i + 1].name))
			continue;
		if (item->entry->change == SB_FILE_REMOVED &&
			!sb_dive_stack_size(stack, item->entry->path, &size))
			return;
		*SB_ARRAY_ADD(visits) = (struct visit){.path = item->entry->path, .size = size};
	}
}

static void stack_layer(const struct named_list *list, struct sb_dive_stack *stack)
{
	sb_dive_stack_begin_layer(stack);
	SB_ARRAY_FOREACH (list, item) {
		if (item->entry->change == SB_FILE_REMOVED)
			sb_dive_stack_remove(stack, item->entry->path);
		else
			sb_dive_stack_add(stack, item->entry->path, size_of(item->entry),
				item->entry->type == 'd');
	}
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct visit *)a)->path, ((const struct visit *)b)->path);
}

static struct sb_dive_score add_up(struct visit_list *visits)
{
	struct sb_dive_score score = {.efficiency = 1};
	uint64_t smallest = 0;
	uint64_t all = 0;

	if (visits->len > 1)
		qsort(visits->items, visits->len, sizeof(visits->items[0]), by_path);
	for (size_t i = 0, next = 0; i < visits->len; i = next) {
		uint64_t least = visits->items[i].size;
		uint64_t sum = 0;

		for (next = i; next < visits->len &&
			       strcmp(visits->items[i].path, visits->items[next].path) == 0;
			next++) {
			const uint64_t size = visits->items[next].size;

			least = size < least ? size : least;
			sum += size;
		}
		smallest += least;
		all += sum;
		score.wasted_bytes += next - i > 1 ? sum : 0;
	}
	if (all > 0)
		score.efficiency = (double)smallest / (double)all;
	return score;
}

struct sb_dive_score sb_dive_score(const struct sb_inspection *inspection)
{
	SB_AUTO(sb_dive_stack) stack = sb_dive_stack_new();
	struct visit_list visits = {0};

	SB_ARRAY_FOREACH (&inspection->layers, layer) {
		struct named_list list = {0};

		list_layer(layer, &list);
		visit_layer(&list, stack, &visits);
		stack_layer(&list, stack);
		SB_ARRAY_FOREACH (&list, item)
			free(item->name);
		SB_ARRAY_RELEASE(&list);
	}

	const struct sb_dive_score score = add_up(&visits);

	SB_ARRAY_RELEASE(&visits);
	return score;
}
