/* SPDX-License-Identifier: MIT */
#include "build/cache_source.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/layout.h"
#include "oci/reference.h"
#include "registry/artifact.h"
#include "sys/fd.h"

enum { READ_BYTES = 256 << 10 };

struct sb_cache_source {
	const struct sb_cache_option *option;
	int dir_fd;                /* of a folder, or -1 */
	struct sb_error no_folder; /* why it could not be opened */
	struct sb_layout *layout;
	struct sb_reference ref;
	struct sb_artifact *artifact;
	struct sb_shared_cache cache;
};

void sb_cache_source_free(struct sb_cache_source *source)
{
	if (source == NULL)
		return;
	sb_fd_closep(&source->dir_fd);
	sb_error_release(&source->no_folder);
	sb_layout_free(source->layout);
	sb_reference_release(&source->ref);
	sb_artifact_free(source->artifact);
	sb_shared_cache_release(&source->cache);
	free(source);
}

int sb_cache_source_open(
	const struct sb_cache_option *option, struct sb_cache_source **out, struct sb_error *err)
{
	SB_AUTO(sb_cache_source) source = SB_NEW(struct sb_cache_source);
	struct sb_digest unused;

	source->option = option;
	source->dir_fd = -1;
	if (!option->is_folder) {
		if (sb_reference_parse(option->where, &source->ref, err) < 0)
			return -1;
	} else {
		if (option->digest != NULL && sb_digest_parse(option->digest, &unused, err) < 0)
			return -1;
		if (sb_fd_open_dir_user(
			    option->where, "folder", &source->dir_fd, &source->no_folder) < 0)
			source->dir_fd = -1;
	}
	*out = SB_STEAL(source);
	return 0;
}

const char *sb_cache_source_name(const struct sb_cache_source *source)
{
	return source->option->where;
}

const struct sb_reference *sb_cache_source_reference(const struct sb_cache_source *source)
{
	return source->option->is_folder ? NULL : &source->ref;
}

const struct sb_shared_cache *sb_cache_source_cache(const struct sb_cache_source *source)
{
	return &source->cache;
}

static void on_progress(void *data, const char *what, uint64_t done, uint64_t total)
{
	struct sb_build *build = data;

	sb_events_emit(&build->events,
		(struct sb_event){
			.kind = SB_EVENT_TRANSFER, .text = what, .done = done, .total = total});
}

/* The manifest's bytes. */
static int read_folder(struct sb_cache_source *source, struct sb_build *build, struct sb_buf *out,
	struct sb_error *err)
{
	const struct sb_cache_option *o = source->option;
	SB_AUTO_VALUE(sb_descriptor) d = {0};

	if (source->dir_fd < 0) {
		sb_error_move(err, &source->no_folder);
		return -1;
	}
	if (sb_layout_open(source->dir_fd, false, &source->layout, err) < 0)
		return -1;
	sb_layout_set_interrupt(source->layout, build->interrupt);
	if (o->digest != NULL) {
		if (sb_digest_parse(o->digest, &d.digest, err) < 0)
			return -1;
	} else if (sb_layout_find(source->layout, o->tag != NULL ? o->tag : "latest", &d, err) <
		   0) {
		return -1;
	}
	return sb_layout_read_blob(source->layout, &d, out, err);
}

static int read_registry(struct sb_cache_source *source, struct sb_build *build, struct sb_buf *out,
	struct sb_error *err)
{
	const struct sb_artifact_options options = {.auth_file = build->auth_file,
		.interrupt = build->interrupt,
		.on_progress = on_progress,
		.data = build};

	if (sb_artifact_open(&source->ref, &options, &source->artifact, err) < 0)
		return -1;

	const struct sb_buf *manifest = sb_artifact_manifest(source->artifact);

	return sb_buf_add(out, manifest->data, manifest->len, err);
}

int sb_cache_source_load(
	struct sb_cache_source *source, struct sb_build *build, struct sb_error *err)
{
	SB_AUTO_BUF manifest = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_VALUE(sb_descriptors) blobs = {0};
	SB_AUTO_VALUE(sb_descriptor) config = {0};

	if ((source->option->is_folder ? read_folder(source, build, &manifest, err)
				       : read_registry(source, build, &manifest, err)) < 0 ||
		sb_shared_cache_parse(manifest.data, manifest.len, &blobs, &config, err) < 0)
		return -1;
	if ((source->layout != NULL ? sb_layout_read_blob(source->layout, &config, &json, err)
				    : sb_artifact_read(source->artifact, &config, &json, err)) < 0)
		return -1;
	return sb_shared_cache_parse_config(json.data, json.len, &blobs, &source->cache, err);
}

/* Copies exactly what the descriptor says. */
static int copy(struct sb_build *build, int from, int to, const struct sb_descriptor *blob,
	struct sb_error *err)
{
	SB_AUTO(sb_hasher) hasher = sb_hasher_new();
	sb_autofree char *bytes = sb_malloc(READ_BYTES);
	uint64_t total = 0;
	struct sb_digest got;
	ssize_t n = 0;

	do {
		if (sb_interrupt_check(build->interrupt, err) < 0)
			return -1;
		n = sb_fd_read(from, bytes, READ_BYTES, err);
		if (n < 0 || (n > 0 && sb_fd_write_all(to, bytes, (size_t)n, err) < 0))
			return -1;
		sb_hasher_add(hasher, bytes, (size_t)n);
		total += (uint64_t)n;
	} while (n > 0 && total <= blob->size_bytes);
	if (total != blob->size_bytes)
		return sb_fail(err, SB_E_INTEGRITY,
			"blob %s does not have the %" PRIu64 " bytes that it should",
			blob->digest.text, blob->size_bytes);
	sb_hasher_finish(hasher, &got);
	return sb_digest_equal(&got, &blob->digest)
		       ? 0
		       : sb_fail(err, SB_E_INTEGRITY, "the content of blob %s has the digest %s",
				 blob->digest.text, got.text);
}

static int fetch_from_folder(struct sb_cache_source *source, struct sb_build *build,
	const struct sb_descriptor *blob, struct sb_error *err)
{
	SB_AUTO(sb_blob_writer) writer = NULL;
	sb_autofd int from = -1;

	if (sb_layout_has_whole_blob(build->store, &blob->digest, blob->size_bytes))
		return 0;
	if (sb_layout_open_blob(source->layout, &blob->digest, &from, err) < 0 ||
		sb_blob_writer_new(build->store, &writer, err) < 0 ||
		copy(build, from, sb_blob_writer_fd(writer), blob, err) < 0)
		return -1;
	return sb_blob_writer_commit(writer, &blob->digest, err);
}

int sb_cache_source_fetch(struct sb_cache_source *source, struct sb_build *build,
	const struct sb_descriptor *blob, struct sb_error *err)
{
	return source->layout != NULL
		       ? fetch_from_folder(source, build, blob, err)
		       : sb_artifact_fetch(source->artifact, blob, build->store, err);
}
