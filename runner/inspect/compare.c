/* SPDX-License-Identifier: MIT */
#include "inspect/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"

/* Two names may look the same once they are masked: they stay in the order of the image. */
static int by_path(const void *a, const void *b)
{
	const struct sb_file_entry *x = *(const struct sb_file_entry *const *)a;
	const struct sb_file_entry *y = *(const struct sb_file_entry *const *)b;
	const int order = sb_path_compare(x->path, y->path);

	if (order != 0 || x == y)
		return order;
	if (x->content_layer != y->content_layer)
		return x->content_layer < y->content_layer ? -1 : 1;
	return x->content_offset < y->content_offset ? -1 : 1;
}

SB_ARRAY_STRUCT(entry_list, const struct sb_file_entry *);

static void list_visible(const struct sb_inspection *image, struct entry_list *out)
{
	SB_ARRAY_FOREACH (&image->layers, layer)
		SB_ARRAY_FOREACH (&layer->entries, entry)
			if (entry->is_visible && entry->change != SB_FILE_REMOVED)
				*SB_ARRAY_ADD(out) = entry;
	if (out->len > 1)
		qsort(out->items, out->len, sizeof(out->items[0]), by_path);
}

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool is_same_content(const struct sb_file_entry *a, const struct sb_file_entry *b)
{
	return a->size_bytes == b->size_bytes && sb_digest_equal(&a->digest, &b->digest);
}

static unsigned aspects_of(const struct sb_file_entry *a, const struct sb_file_entry *b)
{
	unsigned aspects = 0;

	if (a->type != b->type)
		aspects |= SB_ASPECT_TYPE;
	else if (a->type == '-' && !is_same_content(a, b))
		aspects |= SB_ASPECT_CONTENT;
	else if (a->type == 'l' && !is_same_text(a->link, b->link))
		aspects |= SB_ASPECT_LINK;
	else if ((a->type == 'c' || a->type == 'b') &&
		 (a->major != b->major || a->minor != b->minor))
		aspects |= SB_ASPECT_DEVICE;
	/* A symbolic link's own mode means nothing. */
	if (a->mode != b->mode && (a->type != 'l' || b->type != 'l'))
		aspects |= SB_ASPECT_MODE;
	if (a->uid != b->uid || a->gid != b->gid)
		aspects |= SB_ASPECT_OWNER;
	if (a->attributes != b->attributes)
		aspects |= SB_ASPECT_ATTRIBUTES;
	return aspects;
}

static void add_file(struct sb_comparison *c, enum sb_difference kind, unsigned aspects,
	const struct sb_file_entry *before, const struct sb_file_entry *after)
{
	*SB_ARRAY_ADD(&c->files) = (struct sb_file_difference){
		.kind = kind, .aspects = aspects, .before = before, .after = after};
	c->n_files[kind]++;
}

/* A layer that has no diff_id (it can't be read) is known by the digest of its blob. */
static bool is_same_layer(const struct sb_layer_report *a, const struct sb_layer_report *b)
{
	if (sb_digest_is_set(&a->diff_id) && sb_digest_is_set(&b->diff_id))
		return sb_digest_equal(&a->diff_id, &b->diff_id);
	return sb_digest_is_set(&a->digest) && sb_digest_equal(&a->digest, &b->digest);
}

/* The digest of a file with very large holes is not known; the same layer has the same file. */
static void note_uncompared(struct sb_comparison *c, const struct sb_file_entry *before,
	const struct sb_file_entry *after)
{
	if (before->type != '-' || after->type != '-' || sb_digest_is_set(&before->digest) ||
		sb_digest_is_set(&after->digest) || before->content_layer == SB_NO_LAYER ||
		after->content_layer == SB_NO_LAYER)
		return;
	if (before->content_offset == after->content_offset &&
		is_same_layer(&c->before->layers.items[before->content_layer],
			&c->after->layers.items[after->content_layer]))
		return;
	sb_strv_addf(
		&c->unreadable, "%s: its holes are too large to compare its content", before->path);
}

static void compare_pair(struct sb_comparison *c, const struct sb_file_entry *before,
	const struct sb_file_entry *after)
{
	static const unsigned of_itself =
		SB_ASPECT_TYPE | SB_ASPECT_CONTENT | SB_ASPECT_LINK | SB_ASPECT_DEVICE;
	const unsigned aspects = aspects_of(before, after);

	note_uncompared(c, before, after);
	if (aspects != 0)
		add_file(c, (aspects & of_itself) != 0 ? SB_DIFF_MODIFIED : SB_DIFF_METADATA,
			aspects, before, after);
}

static void compare_files(struct sb_comparison *c)
{
	struct entry_list before = {0};
	struct entry_list after = {0};
	size_t i = 0;
	size_t k = 0;

	list_visible(c->before, &before);
	list_visible(c->after, &after);
	c->sums[0].n_files = before.len;
	c->sums[1].n_files = after.len;
	while (i < before.len || k < after.len) {
		const int order = i == before.len  ? 1
				  : k == after.len ? -1
						   : sb_path_compare(before.items[i]->path,
							     after.items[k]->path);

		if (order < 0)
			add_file(c, SB_DIFF_REMOVED, 0, before.items[i++], NULL);
		else if (order > 0)
			add_file(c, SB_DIFF_ADDED, 0, NULL, after.items[k++]);
		else
			compare_pair(c, before.items[i++], after.items[k++]);
	}
	SB_ARRAY_RELEASE(&before);
	SB_ARRAY_RELEASE(&after);
}

/* Which of two items comes first, in the list that both images have (config_list.c). */
static int compare_items(const struct sb_comparison *c, size_t i, size_t k)
{
	const struct sb_config_item *a = &c->before->config.items[i];
	const struct sb_config_item *b = &c->after->config.items[k];

	if (strcmp(a->field, b->field) == 0)
		return strcmp(a->key != NULL ? a->key : "", b->key != NULL ? b->key : "");
	/* The one whose field the other image has further on must wait for it. */
	for (size_t n = k; n < c->after->config.len; n++)
		if (strcmp(c->after->config.items[n].field, a->field) == 0)
			return 1;
	return -1;
}

static void add_config(struct sb_comparison *c, enum sb_difference kind,
	const struct sb_config_item *before, const struct sb_config_item *after)
{
	*SB_ARRAY_ADD(&c->config) = (struct sb_config_difference){kind, before, after};
}

static void compare_config(struct sb_comparison *c)
{
	const struct sb_inspection *a = c->before;
	const struct sb_inspection *b = c->after;
	size_t i = 0;
	size_t k = 0;

	while (i < a->config.len || k < b->config.len) {
		const int order = i == a->config.len   ? 1
				  : k == b->config.len ? -1
						       : compare_items(c, i, k);

		if (order < 0) {
			add_config(c, SB_DIFF_REMOVED, &a->config.items[i++], NULL);
		} else if (order > 0) {
			add_config(c, SB_DIFF_ADDED, NULL, &b->config.items[k++]);
		} else {
			if (!sb_digest_equal(
				    &a->config.items[i].digest, &b->config.items[k].digest))
				add_config(c, SB_DIFF_MODIFIED, &a->config.items[i],
					&b->config.items[k]);
			i++;
			k++;
		}
	}
}

static void add_layers(struct sb_comparison *c, size_t before, size_t after)
{
	struct sb_layer_pair *pair = SB_ARRAY_ADD(&c->layers);

	*pair = (struct sb_layer_pair){.before = before, .after = after};
	if (before == SIZE_MAX || after == SIZE_MAX)
		c->n_layers_differing++;
	else
		pair->is_packed_differently =
			!sb_digest_equal(&c->before->layers.items[before].digest,
				&c->after->layers.items[after].digest);
}

/* The longest common subsequence: lengths[i][k] is that of what follows i and k. */
static void compare_layers(struct sb_comparison *c)
{
	const size_t n = c->before->layers.len;
	const size_t m = c->after->layers.len;
	sb_autofree uint32_t *lengths = sb_calloc((n + 1) * (m + 1), sizeof(lengths[0]));
	size_t i = 0;
	size_t k = 0;

#define LENGTH(x, y) lengths[(x) * (m + 1) + (y)]
#define IS_SAME(x, y) is_same_layer(&c->before->layers.items[x], &c->after->layers.items[y])
	for (size_t x = n; x-- > 0;)
		for (size_t y = m; y-- > 0;)
			LENGTH(x, y) = IS_SAME(x, y) ? LENGTH(x + 1, y + 1) + 1
				       : LENGTH(x + 1, y) > LENGTH(x, y + 1) ? LENGTH(x + 1, y)
									     : LENGTH(x, y + 1);
	while (i < n || k < m) {
		if (i < n && k < m && IS_SAME(i, k)) {
			add_layers(c, i++, k);
			k++;
		} else if (i < n && (k == m || LENGTH(i + 1, k) >= LENGTH(i, k + 1))) {
			add_layers(c, i++, SIZE_MAX);
		} else {
			add_layers(c, SIZE_MAX, k++);
		}
	}
#undef LENGTH
#undef IS_SAME
}

static void add_sums(const struct sb_inspection *image, struct sb_image_sums *sums)
{
	SB_ARRAY_FOREACH (&image->layers, layer) {
		sums->blob_bytes += layer->size_bytes;
		sums->tar_bytes += layer->tar_bytes;
		sums->dead_bytes += layer->dead_bytes;
	}
	sums->visible_bytes = image->visible_bytes;
}

/* A layer that neither image holds is the same where its digest is. */
static bool is_shared_foreign(
	const struct sb_inspection *image, size_t i, const struct sb_inspection *other)
{
	const struct sb_layer_report *layer = &image->layers.items[i];

	SB_ARRAY_FOREACH (&other->layers, theirs)
		if (layer->is_foreign && theirs->is_foreign && is_same_layer(layer, theirs))
			return true;
	return false;
}

static void add_unreadable(struct sb_comparison *c, char name, const struct sb_inspection *image,
	const struct sb_inspection *other)
{
	SB_ARRAY_FOREACH (&image->gaps, gap) {
		/* A gap that is in a file bears on the search for secrets alone. */
		sb_autofree char *whole = sb_asprintf("layer %zu", gap->layer + 1);

		if (gap->layer < image->layers.len && strcmp(gap->what, whole) == 0 &&
			!is_shared_foreign(image, gap->layer, other))
			sb_strv_addf(&c->unreadable, "%c: %s: %s", name, gap->what, gap->why);
	}
	SB_ARRAY_FOREACH (&image->problems, problem)
		if (problem->kind == SB_PROBLEM_DIGEST || problem->kind == SB_PROBLEM_SIZE ||
			problem->kind == SB_PROBLEM_DIFF_ID || problem->kind == SB_PROBLEM_MISSING)
			sb_strv_addf(&c->unreadable, "%c: %s", name, problem->text);
}

struct sb_comparison *sb_compare_inspections(
	const struct sb_inspection *before, const struct sb_inspection *after)
{
	struct sb_comparison *c = SB_NEW(struct sb_comparison);

	c->before = before;
	c->after = after;
	add_sums(before, &c->sums[0]);
	add_sums(after, &c->sums[1]);
	compare_files(c);
	compare_config(c);
	c->has_other_config = c->config.len == 0 &&
			      !sb_digest_equal(&before->config_digest, &after->config_digest);
	compare_layers(c);
	add_unreadable(c, 'A', before, after);
	add_unreadable(c, 'B', after, before);
	return c;
}

void sb_comparison_free(struct sb_comparison *comparison)
{
	if (comparison == NULL)
		return;
	SB_ARRAY_RELEASE(&comparison->files);
	SB_ARRAY_RELEASE(&comparison->config);
	SB_ARRAY_RELEASE(&comparison->layers);
	sb_strv_release(&comparison->unreadable);
	free(comparison);
}

bool sb_comparison_is_same(const struct sb_comparison *c)
{
	return c->files.len == 0 && c->config.len == 0 && !c->has_other_config &&
	       c->n_layers_differing == 0;
}
