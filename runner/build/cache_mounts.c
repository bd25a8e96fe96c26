/* SPDX-License-Identifier: MIT */
#include "build/cache_mounts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "layer/apply.h"
#include "layer/diff.h"
#include "layer/write.h"
#include "oci/reach.h"
#include "plan/check.h"
#include "sys/fd.h"

static const char label[] = "safebuild.cache-mount.";

struct writing {
	const struct sb_cache_mounts *mounts;
	struct sb_manifest *manifest;
	struct sb_image_config *config;
};

/* What a person calls it: the key up to the first "|". */
static int id_len(const char *key)
{
	return (int)strcspn(key, "|");
}

static int write_layer(
	const struct sb_cache_mounts *m, int dir, struct sb_layer_blob *out, struct sb_error *err)
{
	__attribute__((cleanup(sb_changes_release))) struct sb_changes changes = {0};
	SB_AUTO(sb_blob_writer) writer = NULL;
	SB_AUTO_STRV sockets = SB_STRV_INIT;
	const struct sb_diff_options diff = {.lower_fd = -1,
		.upper_fd = dir,
		.ids = m->host->ids,
		.sockets = &sockets,
		.interrupt = m->interrupt};

	if (sb_diff(&diff, &changes, m->warnings, err) < 0 ||
		sb_blob_writer_new(m->store, &writer, err) < 0)
		return -1;

	const struct sb_layer_write_options write = {.upper_fd = dir,
		.out_fd = sb_blob_writer_fd(writer),
		.compression = SB_COMPRESS_ZSTD,
		.source_date_epoch = -1,
		.search = m->search,
		.interrupt = m->interrupt};

	return sb_layer_write(&changes, &write, out, err) < 0
		       ? -1
		       : sb_blob_writer_commit(writer, &out->digest, err);
}

static void describe(const struct writing *w, const struct stat *st, const char *key,
	const struct sb_layer_blob *blob)
{
	const struct sb_idmap *ids = &w->mounts->host->ids;
	struct sb_descriptor *layer = SB_ARRAY_ADD(&w->manifest->layers);
	sb_autofree char *name = sb_asprintf("%s%zu", label, w->config->diff_ids.len);
	sb_autofree char *value = sb_asprintf("%04o %u %u %s", st->st_mode & 07777,
		sb_idmap_uid_from_disk(ids, st->st_uid), sb_idmap_gid_from_disk(ids, st->st_gid),
		key);
	sb_autofree char *by = sb_asprintf("cache mount %.*s", id_len(key), key);

	layer->media_type = sb_strdup(sb_compression_media_type(SB_COMPRESS_ZSTD));
	layer->digest = blob->digest;
	layer->size_bytes = blob->size_bytes;
	*SB_ARRAY_ADD(&w->config->diff_ids) = blob->diff_id;
	sb_env_set(&w->config->labels, name, value);
	sb_image_config_add_history(w->config, &(struct sb_history){.created_by = by});
}

static int write_mount(const struct writing *w, const char *name, struct sb_error *err)
{
	sb_autofree char *key = NULL;
	sb_autofd int dir = -1;
	struct sb_layer_blob blob = {0};
	struct sb_leak leak;
	struct stat st;

	if (sb_snapshots_hold_cache(w->mounts->snapshots, name, &dir, &key, err) < 0)
		return -1;
	if (dir < 0) {
		(void)sb_fail(err, SB_E_DENIED, "the cache mount %.12s is in use", name + 6);
		return sb_error_hint(err, "try again when the build that has it has ended");
	}
	if (key == NULL || sb_config_text_check(key, err) < 0)
		return sb_error_is_set(err)
			       ? -1
			       : sb_fail(err, SB_E_INTEGRITY,
					 "the cache mount %.12s has lost its id", name + 6);
	if (fstat(dir, &st) < 0)
		return sb_fail_errno(err, "cache mount '%.*s'", id_len(key), key);
	if (w->mounts->search != NULL &&
		sb_content_search_text(w->mounts->search, key, strlen(key), &leak))
		return sb_fail(err, SB_E_LEAK, "secret '%s' found in a cache mount's id (%s)",
			leak.secret_id, leak.form);
	if (write_layer(w->mounts, dir, &blob, err) < 0)
		return sb_error_context(err, "cache mount '%.*s'", id_len(key), key);
	describe(w, &st, key, &blob);
	return 0;
}

static int write_image(const struct writing *w, struct sb_descriptor *out, struct sb_error *err)
{
	struct sb_manifest *manifest = w->manifest;
	SB_AUTO_BUF config_json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);

	manifest->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	manifest->config.media_type = sb_strdup(SB_MEDIA_OCI_CONFIG);
	if (sb_image_config_write(w->config, &config_json, err) < 0 ||
		sb_layout_put_bytes(w->mounts->store, config_json.data, config_json.len,
			&manifest->config.digest, err) < 0)
		return -1;
	manifest->config.size_bytes = config_json.len;
	if (sb_manifest_write(manifest, &json, err) < 0 ||
		sb_layout_put_bytes(w->mounts->store, json.data, json.len, &out->digest, err) < 0)
		return -1;
	out->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	out->size_bytes = json.len;
	out->platform = w->config->platform;
	return 0;
}

int sb_cache_mounts_write(const struct sb_cache_mounts *mounts, const struct sb_strv *names,
	struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO(sb_manifest) manifest = sb_manifest_new();
	SB_AUTO(sb_image_config) config = sb_image_config_new();
	const struct writing w = {mounts, manifest, config};

	if (names->len > SB_MAX_LAYERS)
		return sb_fail(err, SB_E_LIMIT, "there are %zu cache mounts, more than %d",
			names->len, SB_MAX_LAYERS);
	config->platform = sb_platform_host();
	for (size_t i = 0; i < names->len; i++)
		if (write_mount(&w, names->items[i], err) < 0)
			return -1;
	return write_image(&w, out, err);
}

/* "MODE UID GID KEY"; key is borrowed from it. */
static int parse_label(const char *value, struct sb_cache_folder *out, struct sb_error *err)
{
	const char *p = value;
	uint64_t numbers[3] = {0};

	for (size_t i = 0; i < 3; i++) {
		const size_t len = strcspn(p, " ");
		sb_autofree char *text = sb_memdup0(p, len);

		if (p[len] == '\0' || !sb_number_parse(text, i == 0 ? 8 : 10,
					      i == 0 ? 07777 : UINT32_MAX - 1, &numbers[i]))
			return sb_fail(err, SB_E_INTEGRITY,
				"the image's label of a cache mount is broken");
		p += len + 1;
	}
	*out = (struct sb_cache_folder){.key = p,
		.mode = (uint32_t)numbers[0],
		.uid = (uid_t)numbers[1],
		.gid = (gid_t)numbers[2]};
	return 0;
}

static ssize_t read_fd(void *self, void *bytes, size_t len, struct sb_error *err)
{
	return sb_fd_read(*(int *)self, bytes, len, err);
}

static int unpack(const struct sb_cache_mounts *m, const struct sb_descriptor *layer,
	const struct sb_digest *diff_id, char **out_name, struct sb_error *err)
{
	const struct sb_apply_options options = {.ids = m->host->ids};
	struct sb_applied applied = {0};
	sb_autofree char *name = NULL;
	sb_autofd int blob = -1;
	sb_autofd int dir = -1;

	if (sb_layout_open_blob(m->store, &layer->digest, &blob, err) < 0 ||
		sb_snapshots_begin_layer(m->snapshots, &name, &dir, err) < 0 ||
		sb_layer_apply(
			(struct sb_reader){
				.read = read_fd, .self = &blob, .interrupt = m->interrupt},
			dir, &options, &applied, m->warnings, err) < 0)
		return -1;
	if (!sb_digest_equal(&applied.digest, &layer->digest) ||
		!sb_digest_equal(&applied.diff_id, diff_id))
		return sb_fail(err, SB_E_INTEGRITY, "layer %s is broken", layer->digest.text);
	*out_name = SB_STEAL(name);
	return 0;
}

static int read_mount(const struct sb_cache_mounts *m, const struct sb_image *image, size_t i,
	struct sb_strv *out, struct sb_error *err)
{
	sb_autofree char *name = sb_asprintf("%s%zu", label, i);
	const char *value = sb_env_get(&image->config->labels, name);
	struct sb_cache_folder folder = {0};
	sb_autofree char *unpacked = NULL;
	bool is_put = false;

	if (value == NULL)
		return sb_fail(err, SB_E_UNSUPPORTED, "the image is no set of cache mounts");
	if (parse_label(value, &folder, err) < 0)
		return -1;
	if (unpack(m, &image->manifest->layers.items[i], &image->config->diff_ids.items[i],
		    &unpacked, err) < 0 ||
		sb_snapshots_put_cache(m->snapshots, unpacked, &folder, &is_put, err) < 0)
		return sb_error_context(err, "cache mount '%.*s'", id_len(folder.key), folder.key);
	if (!is_put) {
		(void)sb_fail(err, SB_E_DENIED, "the cache mount '%.*s' is in use",
			id_len(folder.key), folder.key);
		return sb_error_hint(err, "try again when the build that has it has ended");
	}
	sb_strv_add(out, folder.key);
	return 0;
}

int sb_cache_mounts_read(const struct sb_cache_mounts *mounts, struct sb_image *image,
	struct sb_strv *out, struct sb_error *err)
{
	if (image->config->diff_ids.len != image->manifest->layers.len)
		return sb_fail(err, SB_E_INTEGRITY,
			"the image has %zu layers, and its config lists %zu",
			image->manifest->layers.len, image->config->diff_ids.len);
	if (image->manifest->layers.len == 0)
		return sb_fail(err, SB_E_UNSUPPORTED, "the image is no set of cache mounts");
	for (size_t i = 0; i < image->manifest->layers.len; i++)
		if (sb_interrupt_check(mounts->interrupt, err) < 0 ||
			read_mount(mounts, image, i, out, err) < 0)
			return -1;
	return 0;
}

void sb_cache_mounts_clean(
	const struct sb_cache_mounts *mounts, const struct sb_descriptor *manifest)
{
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (sb_layout_reach(mounts->store, manifest, &blobs, &ignored) < 0)
		sb_error_ignore(&ignored, "prune removes them");
	SB_ARRAY_FOREACH (&blobs, blob) {
		SB_AUTO_ERROR kept = SB_ERROR_INIT;

		if (sb_layout_discard_unused_blob(mounts->store, &blob->digest, &kept) < 0)
			sb_error_ignore(&kept, "prune removes it");
	}
}
