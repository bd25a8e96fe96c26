/* SPDX-License-Identifier: MIT */
#include "build/base_image.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "build/base_reference.h"
#include "build/base_suggest.h"
#include "build/blob_check.h"
#include "build/context_fetch.h"
#include "build/stack.h"
#include "build/stored_layer.h"
#include "layer/apply.h"
#include "plan/key.h"
#include "sys/fd.h"
#include "sys/transfer.h"

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

void sb_base_image_start_env(struct sb_stage_state *state)
{
	if (sb_env_get(&state->config->env, "PATH") == NULL)
		sb_env_set(&state->config->env, "PATH", default_path);
	sb_strv_copy(&state->env, &state->config->env);
}

struct sb_stage_state *sb_base_image_scratch(const struct sb_platform *platform)
{
	struct sb_stage_state *state = sb_stage_state_new();

	state->config = sb_image_config_new();
	state->config->platform = *platform;
	free(state->config->working_dir);
	state->config->working_dir = sb_strdup("/");
	sb_base_image_start_env(state);
	return state;
}

/* The layer's folder where the store has it: unpacked, or as the step left it that made it on these
 * very layers. NULL else; caller frees. */
static int find_folder(struct sb_build *build, const struct sb_digest *state,
	const struct sb_digest *diff_id, char **out_name, struct sb_error *err)
{
	bool is_there = false;

	for (int i = 0; i < 2; i++) {
		sb_autofree char *name =
			i == 0 ? sb_snapshots_layer_name(diff_id) : sb_snapshots_step_name(state);

		if (sb_snapshots_pin(build->snapshots, name, &is_there, err) < 0)
			return -1;
		if (is_there) {
			*out_name = SB_STEAL(name);
			return 0;
		}
	}
	return 0;
}

int sb_base_image_stack(struct sb_build *build, struct sb_stage_state *state, size_t i,
	const char *base, struct sb_digest *chain, struct sb_error *err)
{
	const struct sb_stored_layer layer = {.blob = &state->layers.items[i],
		.diff_id = &state->config->diff_ids.items[i],
		.is_base = true,
		.base_name = base};
	sb_autofree char *name = NULL;
	const struct sb_digest below = *chain;

	sb_key_chain(&below, layer.diff_id, chain);
	if (find_folder(build, chain, layer.diff_id, &name, err) < 0)
		return -1;
	if (name == NULL) {
		name = sb_snapshots_layer_name(layer.diff_id);
		sb_stored_layer_promise(build, &layer);
	}
	sb_strv_add_nodup(&state->lowers, SB_STEAL(name));
	return 0;
}

static int stack(struct sb_build *build, struct sb_stage_state *state, const char *base,
	struct sb_error *err)
{
	struct sb_digest chain = {0};

	for (size_t i = 0; i < state->layers.len; i++)
		if (sb_base_image_stack(build, state, i, base, &chain, err) < 0)
			return -1;
	return 0;
}

int sb_base_image_check_counts(
	size_t n_layers, const struct sb_image_config *config, struct sb_error *err)
{
	if (config->diff_ids.len == n_layers)
		return 0;
	return sb_fail(err, SB_E_INTEGRITY, "the image has %zu layers, and its config lists %zu",
		n_layers, config->diff_ids.len);
}

/* Of a blob, what it unpacks to: never anything else, whatever becomes of the blob. */
static void key_of_content(const struct sb_stored_layer *layer, struct sb_digest *out)
{
	SB_AUTO_VALUE(sb_key) key = SB_KEY_INIT;

	sb_key_text(&key, "blob", layer->blob->digest.text);
	sb_key_text(&key, "unpacks to", layer->diff_id->text);
	sb_key_finish(&key, out);
}

int sb_base_image_verify(
	struct sb_build *build, const struct sb_stage_state *state, size_t i, struct sb_error *err)
{
	const struct sb_stored_layer layer = {
		.blob = &state->layers.items[i], .diff_id = &state->config->diff_ids.items[i]};
	SB_AUTO_VALUE(sb_cache_record) record = {.content = *layer.diff_id};
	SB_AUTO_VALUE(sb_cache_record) known = {0};
	enum sb_cache_found found = SB_CACHE_NONE;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (!sb_promises_has(build->promises, state->lowers.items[i]))
		return 0;
	key_of_content(&layer, &record.key);
	if (sb_cache_read(build->cache, &record.key, &found, &known, err) < 0)
		return -1;
	if (found == SB_CACHE_FOUND && sb_digest_equal(&known.content, &record.content))
		return 0;
	if (sb_stored_layer_verify(build, &layer, NULL, err) < 0)
		return sb_blob_check_unpacked(build, layer.blob, err);
	if (sb_cache_write(build->cache, &record, &failed) < 0)
		sb_error_ignore(&failed, "it is read once more in the next build then");
	return 0;
}

int sb_base_image_load_stored(struct sb_build *build, const struct sb_descriptor *d,
	const char *name, const struct sb_platform *platform, struct sb_stage_state **out,
	struct sb_error *err)
{
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO(sb_stage_state) state = sb_stage_state_new();

	if (sb_image_from_layout(build->store, d, platform, &image, err) < 0)
		return -1;
	if (sb_base_image_check_counts(image->manifest->layers.len, image->config, err) < 0)
		return -1;
	state->config = sb_image_config_dup(image->config);
	SB_ARRAY_FOREACH (&image->manifest->layers, layer)
		sb_descriptor_copy(SB_ARRAY_ADD(&state->layers), layer);
	state->n_base_history = state->config->history.len;
	sb_base_image_start_env(state);
	if (stack(build, state, name, err) < 0)
		return -1;
	state->n_base_layers = state->layers.len;
	*out = SB_STEAL(state);
	return 0;
}

static int load_fd(struct sb_build *build, const struct sb_context *context, const char *name,
	const struct sb_platform *platform, struct sb_stage_state **out, struct sb_error *err)
{
	const struct sb_image_open_options options = {.name = context->reference,
		.want = platform,
		.tmp_dir_fd = build->store_fd,
		.interrupt = build->interrupt};
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_image_open_fd(context->fd, &options, &image, &failed) == 0) {
		if (sb_image_copy_to_layout(image, build->store, &d, err) < 0)
			return -1;
	} else if (failed.code == SB_E_UNSUPPORTED && lseek(context->fd, 0, SEEK_SET) == 0) {
		/* Not an image, but it may be the tar of a root file system. */
		SB_AUTO(sb_image_config) config = sb_image_config_new();

		if (sb_base_image_import(build->store, context->fd, platform, config, &d, err) < 0)
			return -1;
	} else {
		sb_error_move(err, &failed);
		return -1;
	}
	return sb_base_image_load_stored(build, &d, name, platform, out, err);
}

static int load_context(struct sb_build *build, const char *name,
	const struct sb_platform *platform, struct sb_stage_state **out, struct sb_error *err)
{
	struct sb_context *context = sb_contexts_find(build->contexts, name);

	SB_BUG_ON(context == NULL);
	if (build->planned != NULL && context->kind == SB_CONTEXT_REMOTE) {
		*out = sb_base_image_scratch(platform);
		(*out)->is_unknown = true;
		return 0;
	}
	if (sb_context_fetch_named(build, context, err) < 0)
		return -1;
	switch (context->kind) {
	case SB_CONTEXT_REF:
		return sb_base_reference_load(build, context->reference, platform, out, err);
	case SB_CONTEXT_IMAGE_FD:
		return load_fd(build, context, name, platform, out, err);
	case SB_CONTEXT_FOLDER:
	case SB_CONTEXT_REMOTE:
		break;
	}
	(void)sb_fail(err, SB_E_UNSUPPORTED,
		"build context '%s' is a folder of files, not an image", name);
	return sb_error_hint(err,
		"copy from it with COPY --from=%s, or give an image (oci-layout://, "
		"docker-image://, "
		"an archive, a rootfs tar)",
		name);
}

/* No other name helps where the disk, or what was found under this one, is what is wrong. */
static bool may_be_misspelt(const struct sb_error *err)
{
	return err->code != SB_E_CANCELLED && err->code != SB_E_SYSTEM &&
	       err->code != SB_E_INTEGRITY && err->code != SB_E_LIMIT;
}

int sb_base_image_load(struct sb_build *build, const struct sb_base *base,
	const struct sb_platform *platform, struct sb_stage_state **out, struct sb_error *err)
{
	SB_AUTO(sb_stage_state) state = NULL;
	const int rc = base->kind == SB_BASE_CONTEXT
			       ? load_context(build, base->name, platform, &state, err)
			       : sb_base_reference_load(build, base->name, platform, &state, err);

	if (rc < 0) {
		(void)sb_error_context(err, "base image '%s'", base->name);
		return base->kind == SB_BASE_IMAGE && may_be_misspelt(err)
			       ? sb_base_suggest(build, base->name, err)
			       : -1;
	}
	if (!sb_promises_may_add(build->promises) && sb_stack_bring(build, &state->lowers, err) < 0)
		return -1;
	*out = SB_STEAL(state);
	return 0;
}

/* The tar's bytes become a blob while they are read as an archive, so that nothing else is taken
 * in. */
struct import {
	struct sb_interrupt *interrupt;
	int from;
	int to;
	uint64_t size_bytes;
	unsigned char magic[4];
};

/* By the bytes that the form begins with (RFC 1952, RFC 8878). */
static const char *media_type_of(const struct import *import)
{
	static const unsigned char gzip[] = {0x1f, 0x8b};
	static const unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

	if (memcmp(import->magic, gzip, sizeof(gzip)) == 0)
		return SB_MEDIA_OCI_LAYER_GZIP;
	return memcmp(import->magic, zstd, sizeof(zstd)) == 0 ? SB_MEDIA_OCI_LAYER_ZSTD
							      : SB_MEDIA_OCI_LAYER;
}

static ssize_t read_and_keep(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct import *import = self;
	const ssize_t n = sb_transfer_read(import->interrupt, import->from, bytes, len, err);

	if (n > 0 && sb_fd_write_all(import->to, bytes, (size_t)n, err) < 0)
		return -1;
	for (ssize_t i = 0; i < n && import->size_bytes + (uint64_t)i < sizeof(import->magic); i++)
		import->magic[import->size_bytes + (uint64_t)i] = ((const unsigned char *)bytes)[i];
	if (n > 0)
		import->size_bytes += (uint64_t)n;
	return n;
}

int sb_base_image_import(struct sb_layout *store, int tar_fd, const struct sb_platform *platform,
	struct sb_image_config *config, struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO(sb_blob_writer) writer = NULL;
	SB_AUTO(sb_manifest) manifest = sb_manifest_new();
	SB_AUTO_BUF config_json = SB_BUF_INIT(SIZE_MAX / 2);
	SB_AUTO_BUF manifest_json = SB_BUF_INIT(SIZE_MAX / 2);
	struct sb_applied applied = {0};

	if (sb_blob_writer_new(store, &writer, err) < 0)
		return -1;

	struct sb_interrupt *interrupt = sb_layout_interrupt(store);
	struct import import = {
		.interrupt = interrupt, .from = tar_fd, .to = sb_blob_writer_fd(writer)};

	if (sb_layer_verify(
		    (struct sb_reader){
			    .read = read_and_keep, .self = &import, .interrupt = interrupt},
		    NULL, &applied, err) < 0 ||
		sb_blob_writer_commit(writer, &applied.digest, err) < 0)
		return -1;

	config->platform = *platform;
	*SB_ARRAY_ADD(&config->diff_ids) = applied.diff_id;
	sb_image_config_add_history(
		config, &(struct sb_history){.created = config->created,
				.created_by = (char *)(uintptr_t) "safebuild import",
				.comment = NULL});
	if (sb_image_config_write(config, &config_json, err) < 0)
		return -1;

	struct sb_descriptor *layer = SB_ARRAY_ADD(&manifest->layers);

	manifest->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	manifest->config.media_type = sb_strdup(SB_MEDIA_OCI_CONFIG);
	manifest->config.size_bytes = config_json.len;
	layer->media_type = sb_strdup(media_type_of(&import));
	layer->digest = applied.digest;
	layer->size_bytes = applied.size_bytes;
	if (sb_layout_put_bytes(
		    store, config_json.data, config_json.len, &manifest->config.digest, err) < 0 ||
		sb_manifest_write(manifest, &manifest_json, err) < 0 ||
		sb_layout_put_bytes(
			store, manifest_json.data, manifest_json.len, &out->digest, err) < 0)
		return -1;
	out->media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST);
	out->size_bytes = manifest_json.len;
	out->platform = *platform;
	return 0;
}
