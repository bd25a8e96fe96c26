/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/image_private.h"
#include "oci/index.h"
#include "oci/layout_private.h"
#include "oci/reference.h"

enum {
	MAX_NESTING = 8,      /* of indexes; real ones have two levels */
	MAX_LISTED = 1 << 16, /* entries of all indexes that are looked into for names */
};

bool sb_image_name_is(const char *have, const char *want)
{
	SB_AUTO_VALUE(sb_reference) a = {0};
	SB_AUTO_VALUE(sb_reference) b = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (strcmp(have, want) == 0)
		return true;
	if (sb_reference_parse(have, &a, &ignored) < 0 ||
		sb_reference_parse(want, &b, &ignored) < 0) {
		sb_error_ignore(&ignored, "names in archives need not be references");
		return false;
	}

	sb_autofree char *x = sb_reference_format(&a);
	sb_autofree char *y = sb_reference_format(&b);

	return strcmp(x, y) == 0;
}

int sb_image_fail_choice(
	const char *wanted, const struct sb_strv *names, const char *form, struct sb_error *err)
{
	enum { MAX_NAMES = 20 };
	SB_AUTO_STRV shown = SB_STRV_INIT;

	for (size_t i = 0; i < names->len && i < MAX_NAMES; i++)
		if (!sb_strv_contains(&shown, names->items[i]))
			sb_strv_add(&shown, names->items[i]);
	if (names->len > MAX_NAMES)
		sb_strv_add(&shown, "…");

	sb_autofree char *text = sb_strv_join(&shown, ", ");

	if (wanted != NULL)
		sb_fail(err, SB_E_NOT_FOUND, "there is no image '%s' in the %s", wanted, form);
	else if (names->len > 0)
		sb_fail(err, SB_E_USAGE, "there are several images in the %s: %s", form, text);
	else
		sb_fail(err, SB_E_NOT_FOUND, "there is no image in the %s", form);
	if (wanted != NULL && names->len > 0)
		return sb_error_hint(err, "it has: %s", text);
	if (names->len == 0)
		return -1;
	return sb_error_hint(err,
		"say which one: `safebuild inspect --name NAME`, `oci-layout://PATH:NAME` in a "
		"build; or `safebuild load` brings all into the store");
}

bool sb_image_is_index(const struct sb_descriptor *d, const struct sb_buf *json)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	SB_AUTO_JSON parsed = NULL;

	if (d->media_type != NULL && d->media_type[0] != '\0')
		return sb_media_is_index(d->media_type);
	if (sb_json_parse_object(json->data, json->len, "image manifest", &parsed, &ignored) < 0)
		sb_error_ignore(&ignored, "reading it as a manifest says what is wrong");
	return json_object_get(parsed, "manifests") != NULL;
}

/* Follows indexes down to the manifest for the platform. *out_json is overwritten. */
static int resolve(const struct sb_image_origin *origin, const struct sb_descriptor *from,
	const struct sb_platform *want, struct sb_descriptor *out, struct sb_buf *out_json,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptor) at = {0};

	sb_descriptor_copy(&at, from);
	for (unsigned depth = 0; depth < MAX_NESTING; depth++) {
		SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
		SB_AUTO_VALUE(sb_descriptors) list = {0};
		size_t i = 0;

		if (sb_image_origin_read_json(origin, &at, &json, err) < 0)
			return sb_error_context(err, "image manifest");
		if (!sb_image_is_index(&at, &json)) {
			*out = at;
			at = (struct sb_descriptor){0};
			*out_json = json;
			json = (struct sb_buf)SB_BUF_INIT(SB_MAX_JSON);
			return 0;
		}
		if (sb_index_parse(json.data, json.len, &list, err) < 0 ||
			sb_index_choose(&list, want, &i, err) < 0)
			return -1;
		sb_descriptor_copy(&at, &list.items[i]);
	}
	return sb_fail(err, SB_E_LIMIT, "indexes are nested more than %d deep", MAX_NESTING);
}

/* Docker 1.10 pushed configs as octet-streams. */
static int check_config_type(const struct sb_manifest *manifest, struct sb_error *err)
{
	static const char *const types[] = {
		SB_MEDIA_OCI_CONFIG, SB_MEDIA_DOCKER_CONFIG, "application/octet-stream"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i], manifest->config.media_type) == 0)
			return 0;
	return sb_fail(err, SB_E_UNSUPPORTED,
		"it is an artifact with a config of type '%s', not an image",
		manifest->config.media_type);
}

int sb_image_check_layers(const struct sb_image *image, struct sb_error *err)
{
	const size_t n_layers = image->manifest->layers.len;
	const size_t n_diff_ids = image->config->diff_ids.len;

	if (n_layers == n_diff_ids)
		return 0;
	return sb_fail(err, SB_E_INTEGRITY,
		"the image has %zu layers, but its config lists %zu diff_ids", n_layers,
		n_diff_ids);
}

int sb_image_from_descriptor(struct sb_image_origin **origin, const struct sb_descriptor *d,
	const struct sb_platform *want, const char *form, struct sb_image **out,
	struct sb_error *err)
{
	SB_AUTO(sb_image) image = SB_NEW(struct sb_image);
	struct sb_image_origin *from = SB_STEAL(*origin);

	image->origin = from;
	image->config_json = (struct sb_buf)SB_BUF_INIT(SB_MAX_JSON);
	image->form = sb_strdup(form);
	image->name = sb_strdup_or_null(sb_descriptor_name(d));
	if (resolve(from, d, want, &image->descriptor, &from->manifest_json, err) < 0)
		return -1;
	if (sb_manifest_parse(
		    from->manifest_json.data, from->manifest_json.len, &image->manifest, err) < 0)
		return sb_error_context(err, "%s", image->descriptor.digest.text);
	free(image->descriptor.media_type);
	image->descriptor.media_type = sb_strdup(image->manifest->media_type);
	image->descriptor.size_bytes = from->manifest_json.len;
	if (check_config_type(image->manifest, err) < 0)
		return -1;
	if (sb_image_origin_read_json(from, &image->manifest->config, &image->config_json, err) < 0)
		return sb_error_context(err, "image config");
	if (sb_image_config_parse(
		    image->config_json.data, image->config_json.len, &image->config, err) < 0 ||
		sb_image_check_layers(image, err) < 0)
		return -1;
	*out = SB_STEAL(image);
	return 0;
}

/* Names may stand in nested indexes, where the outer entry has none. */
static int collect(const struct sb_image_origin *origin, const struct sb_descriptors *list,
	unsigned depth, size_t *n_listed, struct sb_descriptors *out, struct sb_error *err)
{
	*n_listed += list->len;
	if (*n_listed > MAX_LISTED)
		return sb_fail(err, SB_E_LIMIT, "its indexes list more than %d images", MAX_LISTED);
	SB_ARRAY_FOREACH (list, d) {
		SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
		SB_AUTO_VALUE(sb_descriptors) nested = {0};
		bool has_names = false;

		if (sb_descriptor_is_attestation(d))
			continue;
		if (sb_media_is_index(d->media_type) && sb_descriptor_name(d) == NULL &&
			depth < MAX_NESTING) {
			if (sb_image_origin_read_json(origin, d, &json, err) < 0 ||
				sb_index_parse(json.data, json.len, &nested, err) < 0)
				return sb_error_context(err, "image index");
			SB_ARRAY_FOREACH (&nested, inner)
				has_names = has_names || sb_descriptor_name(inner) != NULL;
		}
		if (has_names) {
			if (collect(origin, &nested, depth + 1, n_listed, out, err) < 0)
				return -1;
			continue;
		}
		sb_descriptor_copy(SB_ARRAY_ADD(out), d);
	}
	return 0;
}

int sb_image_collect(const struct sb_image_origin *origin, const struct sb_descriptors *list,
	struct sb_descriptors *out, struct sb_error *err)
{
	size_t n_listed = 0;

	return collect(origin, list, 0, &n_listed, out, err);
}

static bool has_name(const struct sb_descriptor *d, const char *name)
{
	static const char *const keys[] = {SB_ANNOTATION_REF_NAME, SB_ANNOTATION_IMAGE_NAME};

	if (strcmp(d->digest.text, name) == 0)
		return true;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *have = sb_env_get(&d->annotations, keys[i]);

		if (have != NULL && sb_image_name_is(have, name))
			return true;
	}
	return false;
}

static const char *shown_name(const struct sb_descriptor *d)
{
	const char *full = sb_env_get(&d->annotations, SB_ANNOTATION_IMAGE_NAME);
	const char *name = sb_descriptor_name(d);

	return full != NULL ? full : name != NULL ? name : d->digest.text;
}

/* One image under several names, or one name for several platforms, is no choice for a person. */
static bool is_one_image(const struct sb_descriptors *list, bool *out_by_platform)
{
	bool same_digest = true;
	bool same_name = true;
	bool has_platforms = true;

	SB_ARRAY_FOREACH (list, d) {
		const char *first = sb_descriptor_name(&list->items[0]);
		const char *name = sb_descriptor_name(d);

		same_digest = same_digest && sb_digest_equal(&d->digest, &list->items[0].digest);
		same_name = same_name &&
			    ((first == NULL && name == NULL) ||
				    (first != NULL && name != NULL && strcmp(first, name) == 0));
		has_platforms = has_platforms && d->platform.os[0] != '\0';
	}
	*out_by_platform = !same_digest;
	return same_digest || (same_name && has_platforms);
}

int sb_image_from_index(struct sb_image_origin **origin, const struct sb_descriptors *list,
	const struct sb_image_open_options *options, const char *form, struct sb_image **out,
	struct sb_error *err)
{
	SB_AUTO(sb_image_origin) from = SB_STEAL(*origin);
	SB_AUTO_VALUE(sb_descriptors) all = {0};
	SB_AUTO_VALUE(sb_descriptors) matching = {0};
	SB_AUTO_STRV names = SB_STRV_INIT;
	bool by_platform = false;
	size_t i = 0;

	if (sb_image_collect(from, list, &all, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&all, d) {
		sb_strv_add(&names, shown_name(d));
		if (options->name == NULL || has_name(d, options->name))
			sb_descriptor_copy(SB_ARRAY_ADD(&matching), d);
	}
	if (matching.len == 0 || !is_one_image(&matching, &by_platform))
		return sb_image_fail_choice(
			matching.len == 0 ? options->name : NULL, &names, form, err);
	if (by_platform && sb_index_choose(&matching, options->want, &i, err) < 0)
		return -1;
	return sb_image_from_descriptor(&from, &matching.items[i], options->want, form, out, err);
}
