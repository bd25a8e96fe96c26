/* SPDX-License-Identifier: MIT */
#include "registry/push_content.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/manifest.h"
#include "oci/reach.h"
#include "registry/document.h"

enum {
	/* Repositories to mount from: each makes the token's scope longer. */
	MAX_MOUNT_REPOSITORIES = 4,
};

void sb_push_content_release(struct sb_push_content *content)
{
	SB_ARRAY_FOREACH (&content->manifests, manifest) {
		sb_descriptor_release(&manifest->descriptor);
		sb_buf_release(&manifest->json);
	}
	SB_ARRAY_RELEASE(&content->manifests);
	sb_descriptors_release(&content->blobs);
}

static int add_blob(struct sb_layout *from, const struct sb_descriptor *blob,
	struct sb_push_content *out, struct sb_error *err)
{
	if (sb_media_is_foreign_layer(blob->media_type))
		return 0;
	SB_ARRAY_FOREACH (&out->blobs, other)
		if (sb_digest_equal(&other->digest, &blob->digest))
			return 0;
	if (!out->may_lack && !sb_layout_has_blob(from, &blob->digest))
		return sb_fail(err, SB_E_NOT_FOUND, "the store lacks blob %s of the image",
			blob->digest.text);
	sb_descriptor_copy(SB_ARRAY_ADD(&out->blobs), blob);
	return 0;
}

static int collect_image(struct sb_layout *from, const struct sb_buf *json,
	struct sb_push_content *out, struct sb_error *err)
{
	SB_AUTO(sb_manifest) manifest = NULL;

	if (sb_manifest_parse(json->data, json->len, &manifest, err) < 0 ||
		add_blob(from, &manifest->config, out, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&manifest->layers, layer)
		if (add_blob(from, layer, out, err) < 0)
			return -1;
	return 0;
}

static int collect(struct sb_layout *from, const struct sb_descriptor *d, bool may_be_index,
	struct sb_push_content *out, struct sb_error *err);

/* A build cache's index lists blobs (oci/shared_cache.h). */
static bool is_manifest(const struct sb_descriptor *child)
{
	return sb_media_is_index(child->media_type) ||
	       strcmp(child->media_type, SB_MEDIA_OCI_MANIFEST) == 0 ||
	       strcmp(child->media_type, SB_MEDIA_DOCKER_MANIFEST) == 0;
}

static int collect_index(struct sb_layout *from, const struct sb_buf *json,
	struct sb_push_content *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) children = {0};

	if (sb_index_parse(json->data, json->len, &children, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&children, child) {
		if (!is_manifest(child)) {
			if (add_blob(from, child, out, err) < 0)
				return -1;
			continue;
		}
		if (sb_layout_has_blob(from, &child->digest)) {
			if (collect(from, child, false, out, err) < 0)
				return -1;
			continue;
		}

		sb_autofree char *platform = sb_platform_format(&child->platform);

		(void)sb_fail(err, SB_E_NOT_FOUND,
			"the index names image %s for %s, which the store does not have",
			child->digest.text, platform);
		return sb_error_hint(err, "push the image of one platform instead of the index");
	}
	return 0;
}

static int collect(struct sb_layout *from, const struct sb_descriptor *d, bool may_be_index,
	struct sb_push_content *out, struct sb_error *err)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	const char *media_type = NULL;

	if (sb_layout_read_blob(from, d, &json, err) < 0 ||
		sb_document_media_type(json.data, json.len, d->media_type, &media_type, err) < 0)
		return sb_error_context(err, "manifest %s", d->digest.text);
	if (sb_media_is_index(media_type) && !may_be_index)
		return sb_fail(err, SB_E_UNSUPPORTED,
			"an index within an index is not supported (%s)", d->digest.text);
	if ((sb_media_is_index(media_type) ? collect_index(from, &json, out, err)
					   : collect_image(from, &json, out, err)) < 0)
		return -1;

	struct sb_push_manifest *manifest = SB_ARRAY_ADD(&out->manifests);

	manifest->descriptor = (struct sb_descriptor){
		.media_type = sb_strdup(media_type), .digest = d->digest, .size_bytes = json.len};
	manifest->json = json;
	json = (struct sb_buf)SB_BUF_INIT(0);
	return 0;
}

int sb_push_content_collect(struct sb_layout *from, const struct sb_descriptor *image,
	struct sb_push_content *out, struct sb_error *err)
{
	return collect(from, image, true, out, err);
}

/* The repository where the layout's image comes from or went to, if that is of use; or NULL. */
static const char *useful_repository(
	const struct sb_descriptor *image, const struct sb_reference *to, struct sb_strv *repos)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	const char *name = sb_descriptor_name(image);

	if (name == NULL || sb_reference_parse(name, &ref, &ignored) < 0) {
		sb_error_ignore(&ignored, "another tool's name");
		return NULL;
	}
	if (strcmp(ref.registry, to->registry) != 0 || strcmp(ref.repository, to->repository) == 0)
		return NULL;
	for (size_t i = 0; i < repos->len; i++)
		if (strcmp(repos->items[i], ref.repository) == 0)
			return repos->items[i];
	if (repos->len == MAX_MOUNT_REPOSITORIES)
		return NULL;
	sb_strv_add(repos, ref.repository);
	return repos->items[repos->len - 1];
}

static void note_reached(struct sb_layout *from, const struct sb_descriptor *image,
	const struct sb_push_content *content, const char *repository, const char **mounts)
{
	SB_AUTO_VALUE(sb_descriptors) reached = {0};
	SB_AUTO_ERROR broken = SB_ERROR_INIT;

	if (sb_layout_reach(from, image, &reached, &broken) < 0) {
		sb_error_ignore(&broken, "then its blobs are sent");
		return;
	}
	for (size_t i = 0; i < content->blobs.len; i++)
		if (mounts[i] == NULL &&
			sb_reach_has(&reached, sb_digest_hex(&content->blobs.items[i].digest)))
			mounts[i] = repository;
}

int sb_push_mounts_find(struct sb_layout *from, const struct sb_push_content *content,
	const struct sb_reference *to, struct sb_strv *repos, const char ***out,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) images = {0};
	const char **mounts = NULL;

	if (sb_layout_list(from, &images, err) < 0)
		return -1;
	mounts = sb_calloc(content->blobs.len, sizeof(*mounts));
	SB_ARRAY_FOREACH (&images, image) {
		const char *repository = useful_repository(image, to, repos);

		if (repository != NULL)
			note_reached(from, image, content, repository, mounts);
	}
	*out = mounts;
	return 0;
}
