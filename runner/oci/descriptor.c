/* SPDX-License-Identifier: MIT */
#include "oci/descriptor.h"

#include <string.h>

#include "base/mem.h"
#include "oci/descriptor_json.h"

void sb_descriptor_release(struct sb_descriptor *d)
{
	free(d->media_type);
	sb_strv_release(&d->annotations);
	sb_strv_release(&d->urls);
	*d = (struct sb_descriptor){0};
}

void sb_descriptor_copy(struct sb_descriptor *to, const struct sb_descriptor *from)
{
	struct sb_descriptor copy = {
		.media_type = sb_strdup_or_null(from->media_type),
		.digest = from->digest,
		.size_bytes = from->size_bytes,
		.platform = from->platform,
	};

	sb_strv_copy(&copy.annotations, &from->annotations);
	sb_strv_copy(&copy.urls, &from->urls);
	sb_descriptor_release(to);
	*to = copy;
}

bool sb_media_is_foreign_layer(const char *media_type)
{
	static const char oci[] = "application/vnd.oci.image.layer.nondistributable.";
	static const char docker[] = "application/vnd.docker.image.rootfs.foreign.";

	return strncmp(media_type, oci, sizeof(oci) - 1) == 0 ||
	       strncmp(media_type, docker, sizeof(docker) - 1) == 0;
}

static int platform_part(
	const json_t *json, const char *key, const char *what, char out[32], struct sb_error *err)
{
	const char *value = NULL;

	if (sb_json_get_string(json, key, what, &value, err) < 0)
		return -1;
	if (value == NULL)
		return 0;
	if (strlen(value) > 31)
		return sb_fail(
			err, SB_E_INTEGRITY, "%s: '%s' has more than 31 characters", what, key);
	memcpy(out, value, strlen(value) + 1);
	return 0;
}

int sb_platform_from_json(
	const json_t *json, const char *what, struct sb_platform *out, struct sb_error *err)
{
	struct sb_platform platform = {.os = ""};

	if (platform_part(json, "os", what, platform.os, err) < 0 ||
		platform_part(json, "architecture", what, platform.architecture, err) < 0 ||
		platform_part(json, "variant", what, platform.variant, err) < 0)
		return -1;
	*out = platform;
	return 0;
}

void sb_platform_put(json_t *json, const struct sb_platform *platform)
{
	const char *bad = NULL;

	if (platform->architecture[0] != '\0')
		sb_json_put_string(json, "architecture", platform->architecture, &bad);
	if (platform->variant[0] != '\0')
		sb_json_put_string(json, "variant", platform->variant, &bad);
	if (platform->os[0] != '\0')
		sb_json_put_string(json, "os", platform->os, &bad);
}

static int read_digest_and_size(
	const json_t *json, const char *what, struct sb_descriptor *d, struct sb_error *err)
{
	const char *digest = NULL;
	int64_t size = -1;

	if (sb_json_get_string(json, "digest", what, &digest, err) < 0 ||
		sb_json_get_int(json, "size", what, &size, err) < 0)
		return -1;
	if (digest == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "%s: 'digest' is missing", what);
	if (sb_digest_parse(digest, &d->digest, err) < 0)
		return sb_error_context(err, "%s", what);
	if (json_object_get(json, "size") == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "%s: 'size' is missing", what);
	if (size < 0)
		return sb_fail(err, SB_E_INTEGRITY, "%s: 'size' is negative", what);
	d->size_bytes = (uint64_t)size;
	return 0;
}

int sb_descriptor_from_json(
	const json_t *json, const char *what, struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	const char *media_type = NULL;
	json_t *platform = NULL;

	if (!json_is_object(json))
		return sb_fail(err, SB_E_INTEGRITY, "%s is not an object", what);
	if (sb_json_get_string(json, "mediaType", what, &media_type, err) < 0)
		return -1;
	if (media_type == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "%s: 'mediaType' is missing", what);
	d.media_type = sb_strdup(media_type);
	if (read_digest_and_size(json, what, &d, err) < 0 ||
		sb_json_get_map(json, "annotations", what, &d.annotations, err) < 0 ||
		sb_json_get_strings(json, "urls", what, &d.urls, NULL, err) < 0 ||
		sb_json_get_object(json, "platform", what, &platform, err) < 0)
		return -1;
	if (platform != NULL && sb_platform_from_json(platform, what, &d.platform, err) < 0)
		return -1;
	*out = d;
	d = (struct sb_descriptor){0};
	return 0;
}

json_t *sb_descriptor_to_json(const struct sb_descriptor *d, const char **bad)
{
	json_t *json = json_object();

	sb_json_put_string(json, "mediaType", d->media_type, bad);
	sb_json_put_string(json, "digest", d->digest.text, bad);
	sb_json_put_int(json, "size", (int64_t)d->size_bytes);
	if (d->urls.len > 0)
		sb_json_put_strings(json, "urls", &d->urls, bad);
	sb_json_put_map(json, "annotations", &d->annotations, NULL, bad);
	if (d->platform.os[0] != '\0') {
		json_t *platform = json_object();

		sb_platform_put(platform, &d->platform);
		sb_json_put(json, "platform", platform);
	}
	return json;
}
