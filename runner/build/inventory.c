/* SPDX-License-Identifier: MIT */
#include "build/inventory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "oci/image.h"
#include "plan/key.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"
#include "sys/usage.h"

enum { HEX_LEN = 64 };

const char *sb_stored_kind_name(enum sb_stored_kind kind)
{
	static const char *const names[] = {[SB_STORED_BLOB] = "blob",
		[SB_STORED_LAYER] = "layer",
		[SB_STORED_MOUNT] = "mount",
		[SB_STORED_OTHER] = "other"};

	return names[kind];
}

void sb_stored_list_release(struct sb_stored_list *list)
{
	SB_ARRAY_FOREACH (list, item) {
		free(item->name);
		free(item->text);
	}
	SB_ARRAY_RELEASE(list);
}

void sb_inventory_release(struct sb_inventory *inventory)
{
	sb_stored_list_release(&inventory->items);
}

/* What is gathered on the way. */
struct taking {
	struct sb_layout *store;
	struct sb_snapshots *snapshots;
	struct sb_cache *cache;
	struct sb_inventory *out;
	struct sb_usage_seen seen;
	size_t first_step; /* where the steps are among the items */
	size_t n_steps;
	struct sb_strv shared; /* names of layers, and digests of blobs, of the images */
};

static void taking_release(struct taking *t)
{
	sb_usage_seen_release(&t->seen);
	sb_strv_release(&t->shared);
}

/* An image whose parts can't be read shares nothing that can be told. */
static void add_image(struct taking *t, const struct sb_descriptor *d)
{
	const struct sb_platform host = sb_platform_host();
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	struct sb_digest chain = {0};

	if (sb_image_from_layout(t->store, d, &host, &image, &failed) < 0) {
		sb_error_ignore(&failed, "its layers are unpacked again when they are needed");
		return;
	}
	SB_ARRAY_FOREACH (&image->config->diff_ids, diff_id) {
		const struct sb_digest below = chain;

		sb_key_chain(&below, diff_id, &chain);
		sb_strv_add_nodup(&t->shared, sb_snapshots_layer_name(diff_id));
		sb_strv_add_nodup(&t->shared, sb_snapshots_step_name(&chain));
	}
}

static int find_shared(struct taking *t, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) images = {0};
	SB_AUTO_STRV blobs = SB_STRV_INIT;

	if (sb_layout_list(t->store, &images, err) < 0 ||
		sb_layout_used_blobs(t->store, &blobs, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&images, d)
		add_image(t, d);
	sb_strv_add_all(&t->shared, &blobs);
	sb_strv_sort(&t->shared);
	return 0;
}

static struct sb_stored *add_item(struct taking *t, enum sb_stored_kind kind, const char *name,
	uint64_t size_bytes, int64_t used_s)
{
	struct sb_stored *item = SB_ARRAY_ADD(&t->out->items);

	*item = (struct sb_stored){.kind = kind,
		.name = sb_strdup(name),
		.text = sb_strdup(""),
		.size_bytes = size_bytes,
		.used_s = used_s,
		.is_shared = sb_strv_has_sorted(&t->shared, name)};
	return item;
}

static int add_blobs(struct taking *t, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int dir = -1;

	if (sb_at_open_dir(sb_layout_fd(t->store), "blobs/sha256", SB_AT_NO_LINKS, &dir, err) < 0 ||
		sb_tree_list(dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		sb_autofree char *digest = sb_asprintf("sha256:%s", names.items[i]);
		uint64_t bytes = 0;
		struct stat st;

		if (fstatat(dir, names.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (sb_usage_of(dir, names.items[i], &t->seen, &bytes, err) < 0)
			return -1;
		(void)add_item(t, SB_STORED_BLOB, digest, bytes, st.st_mtim.tv_sec);
	}
	return 0;
}

/* The time and the text of layers/HEX, steps/HEX and cache/HEX. */
static int64_t read_mark(struct taking *t, const char *hex, char **out_text)
{
	sb_autofree char *mark = sb_asprintf("marks/%s", hex);
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_PATH);
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	struct stat st;

	if (fstatat(sb_snapshots_fd(t->snapshots), mark, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (sb_at_read_file(sb_snapshots_fd(t->snapshots), mark, SB_AT_NO_LINKS, SB_MAX_PATH, &text,
		    &ignored) < 0)
		sb_error_ignore(&ignored, "only for people");
	*out_text = sb_buf_steal(&text);
	return st.st_mtim.tv_sec;
}

static int add_folders(
	struct taking *t, const char *folder, enum sb_stored_kind kind, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int dir = -1;

	if (sb_at_open_dir(sb_snapshots_fd(t->snapshots), folder, SB_AT_NO_LINKS, &dir, err) < 0 ||
		sb_tree_list(dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		const char *hex = names.items[i];
		sb_autofree char *name = sb_asprintf("%s/%s", folder, hex);
		sb_autofree char *text = NULL;
		uint64_t bytes = 0;

		if (strlen(hex) != HEX_LEN)
			continue; /* locks and the like, which other says */

		const int64_t used = read_mark(t, hex, &text);

		if (sb_usage_of(dir, hex, &t->seen, &bytes, err) < 0)
			return -1;

		struct sb_stored *item = add_item(t, kind, name, bytes, used);

		if (kind == SB_STORED_MOUNT && text != NULL) {
			free(item->text);
			item->text = SB_STEAL(text);
		}
	}
	return 0;
}

int sb_inventory_records(struct sb_cache *cache, struct sb_strv *out, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (sb_tree_list(sb_cache_fd(cache), &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++)
		if (strspn(names.items[i], "0123456789abcdef") == HEX_LEN &&
			names.items[i][HEX_LEN] == '\0')
			sb_strv_add(out, names.items[i]);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct sb_stored *)a)->name, ((const struct sb_stored *)b)->name);
}

/* Among the steps, which were added one after the other, by name. */
static struct sb_stored *find_step(const struct taking *t, char *name)
{
	const struct sb_stored wanted = {.name = name};

	return t->n_steps > 0 ? bsearch(&wanted, &t->out->items.items[t->first_step], t->n_steps,
					sizeof(wanted), compare_names)
			      : NULL;
}

static void describe(struct taking *t, const struct sb_cache_record *record, int64_t used_s)
{
	sb_autofree char *name = sb_snapshots_step_name(&record->state);
	struct sb_stored *item = find_step(t, name);

	if (item == NULL)
		return;
	free(item->text);
	item->text = sb_strdup(record->text);
	if (used_s > item->used_s)
		item->used_s = used_s;
	SB_ARRAY_FOREACH (&record->blobs, blob)
		if (!sb_strv_has_sorted(&t->shared, blob->digest.text))
			item->blob_bytes += blob->size_bytes;
}

/* What the records know of the steps' layers. */
static int read_records(struct taking *t, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (sb_inventory_records(t->cache, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_CACHE_RECORD);
		SB_AUTO_VALUE(sb_cache_record) record = {0};
		SB_AUTO_ERROR ignored = SB_ERROR_INIT;
		struct stat st;

		if (fstatat(sb_cache_fd(t->cache), names.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			sb_at_read_file(sb_cache_fd(t->cache), names.items[i], SB_AT_NO_LINKS,
				SB_MAX_CACHE_RECORD, &bytes, &ignored) < 0 ||
			sb_cache_record_parse(bytes.data, bytes.len, &record, &ignored) < 0) {
			sb_error_ignore(&ignored, "a build or prune removes it");
			continue;
		}
		if (sb_digest_is_set(&record.diff_id))
			describe(t, &record, st.st_mtim.tv_sec);
	}
	return 0;
}

static int compare_use(const void *a, const void *b)
{
	const struct sb_stored *left = a;
	const struct sb_stored *right = b;

	if (left->used_s != right->used_s)
		return left->used_s < right->used_s ? -1 : 1;
	return strcmp(left->name, right->name);
}

/* All that is no item of its own: the whole is as du counts it, whatever is in it. */
static int add_rest(struct taking *t, struct sb_error *err)
{
	struct sb_usage_seen seen = {0};
	uint64_t known = 0;
	const int rc = sb_usage_of(sb_layout_fd(t->store), ".", &seen, &t->out->total_bytes, err);

	sb_usage_seen_release(&seen);
	if (rc < 0)
		return -1;
	SB_ARRAY_FOREACH (&t->out->items, item)
		known += item->size_bytes;
	(void)add_item(t, SB_STORED_OTHER, "records, the index, folders",
		t->out->total_bytes > known ? t->out->total_bytes - known : 0, 0);
	return 0;
}

int sb_inventory_take(struct sb_layout *store, struct sb_snapshots *snapshots,
	struct sb_cache *cache, struct sb_inventory *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_inventory) inventory = {0};
	__attribute__((cleanup(taking_release))) struct taking t = {
		.store = store, .snapshots = snapshots, .cache = cache, .out = &inventory};

	if (find_shared(&t, err) < 0 || add_blobs(&t, err) < 0 ||
		add_folders(&t, "layers", SB_STORED_LAYER, err) < 0)
		return -1;
	t.first_step = inventory.items.len;
	if (add_folders(&t, "steps", SB_STORED_LAYER, err) < 0)
		return -1;
	t.n_steps = inventory.items.len - t.first_step;
	if (add_folders(&t, "cache", SB_STORED_MOUNT, err) < 0 || read_records(&t, err) < 0 ||
		add_rest(&t, err) < 0)
		return -1;
	qsort(inventory.items.items, inventory.items.len, sizeof(*inventory.items.items),
		compare_use);
	*out = inventory;
	inventory = (struct sb_inventory){0};
	return 0;
}
