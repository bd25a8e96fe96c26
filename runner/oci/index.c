/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "oci/descriptor_json.h"
#include "oci/index.h"
#include "oci/manifest.h"

static const char what_index[] = "image index";

bool sb_media_is_index(const char *media_type)
{
	return strcmp(media_type, SB_MEDIA_OCI_INDEX) == 0 ||
	       strcmp(media_type, SB_MEDIA_DOCKER_LIST) == 0;
}

int sb_index_parse_json(const json_t *json, struct sb_descriptors *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	json_t *entries = NULL;
	int64_t version = 2;

	if (sb_json_get_int(json, "schemaVersion", what_index, &version, err) < 0 ||
		sb_json_get_array(json, "manifests", what_index, &entries, err) < 0)
		return -1;
	if (version != 2)
		return sb_fail(err, SB_E_UNSUPPORTED,
			"%s: schema version %" JSON_INTEGER_FORMAT " is not supported", what_index,
			(json_int_t)version);
	/* null is what Docker writes for none. */
	if (json_object_get(json, "manifests") == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "%s: 'manifests' is missing", what_index);
	if (json_object_get(json, "layers") != NULL)
		return sb_fail(
			err, SB_E_INTEGRITY, "%s has 'layers', as only a manifest has", what_index);
	for (size_t i = 0; i < json_array_size(entries); i++) {
		char what[64];

		(void)snprintf(what, sizeof(what), "%s: entry %zu", what_index, i + 1);
		if (sb_descriptor_from_json(
			    json_array_get(entries, i), what, SB_ARRAY_ADD(&list), err) < 0)
			return -1;
	}
	*out = list;
	list = (struct sb_descriptors){0};
	return 0;
}

int sb_index_parse(
	const char *json_text, size_t len, struct sb_descriptors *out, struct sb_error *err)
{
	SB_AUTO_JSON json = NULL;

	if (sb_json_parse_object(json_text, len, what_index, &json, err) < 0)
		return -1;
	return sb_index_parse_json(json, out, err);
}

bool sb_descriptor_is_attestation(const struct sb_descriptor *d)
{
	return sb_env_get(&d->annotations, "vnd.docker.reference.type") != NULL ||
	       strcmp(d->platform.os, "unknown") == 0;
}

static int fail_no_platform(
	const struct sb_descriptors *list, const struct sb_platform *want, struct sb_error *err)
{
	SB_AUTO_STRV there = SB_STRV_INIT;

	SB_ARRAY_FOREACH (list, d) {
		sb_autofree char *name = sb_platform_format(&d->platform);

		if (!sb_descriptor_is_attestation(d) && d->platform.os[0] != '\0' &&
			!sb_strv_contains(&there, name))
			sb_strv_add(&there, name);
	}

	sb_autofree char *wanted = sb_platform_format(want);
	sb_autofree char *names = sb_strv_join(&there, ", ");

	sb_fail(err, SB_E_NOT_FOUND, "the image is not made for %s, only for: %s", wanted,
		there.len > 0 ? names : "(no platform)");
	return sb_error_hint(err, "choose one of these with --platform");
}

int sb_index_choose(const struct sb_descriptors *list, const struct sb_platform *want,
	size_t *out_i, struct sb_error *err)
{
	const struct sb_platform host = sb_platform_host();
	size_t n_images = 0;
	size_t last = 0;
	size_t best = 0;
	int best_score = 0;

	if (want == NULL)
		want = &host;
	for (size_t i = 0; i < list->len; i++) {
		const struct sb_descriptor *d = &list->items[i];

		if (sb_descriptor_is_attestation(d))
			continue;
		n_images++;
		last = i;

		const int score = sb_platform_match(want, &d->platform);

		if (score > best_score) {
			best_score = score;
			best = i;
		}
	}
	if (n_images == 0)
		return sb_fail(err, SB_E_NOT_FOUND, "the image index lists no image");
	if (best_score == 0 && n_images == 1 && list->items[last].platform.os[0] == '\0') {
		*out_i = last;
		return 0;
	}
	if (best_score == 0)
		return fail_no_platform(list, want, err);
	*out_i = best;
	return 0;
}
