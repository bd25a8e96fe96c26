/* SPDX-License-Identifier: MIT */
#include "build/base_suggest.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "oci/reference.h"

/* As people say them: "busybox:1". */
static void add_stored_names(const struct sb_build *build, struct sb_strv *names)
{
	SB_AUTO_VALUE(sb_descriptors) images = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (sb_layout_list(build->store, &images, &ignored) < 0) {
		sb_error_ignore(&ignored, "there is an error to tell already");
		return;
	}
	SB_ARRAY_FOREACH (&images, image) {
		SB_AUTO_VALUE(sb_reference) ref = {0};
		SB_AUTO_ERROR unusual = SB_ERROR_INIT;
		const char *name = sb_descriptor_name(image);

		if (name != NULL && sb_reference_parse(name, &ref, &unusual) == 0)
			sb_strv_add_nodup(names, sb_reference_familiar(&ref));
		else
			sb_error_ignore(&unusual, "a name that nobody can write is none to mean");
	}
}

/* Ours is better than what the registry's error knows to do. */
static void drop_hint(struct sb_error *err)
{
	free(err->hint);
	err->hint = NULL;
}

/* "linux/amd64, linux/arm64": what an image of the store is made for. Caller frees; NULL where it
 * can't be read. */
static char *platforms_of(const struct sb_build *build, const struct sb_descriptor *d)
{
	SB_AUTO_BUF json = SB_BUF_INIT(SB_MAX_JSON);
	SB_AUTO_VALUE(sb_descriptors) entries = {0};
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO_STRV names = SB_STRV_INIT;
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (!sb_media_is_index(d->media_type)) {
		if (sb_image_from_layout(build->store, d, NULL, &image, &ignored) == 0)
			return sb_platform_format(&image->config->platform);
	} else if (sb_layout_read_blob(build->store, d, &json, &ignored) == 0 &&
		   sb_index_parse(json.data, json.len, &entries, &ignored) == 0) {
		SB_ARRAY_FOREACH (&entries, entry)
			if (strcmp(entry->platform.os, "unknown") != 0)
				sb_strv_add_nodup(&names, sb_platform_format(&entry->platform));
		return sb_strv_join(&names, ", ");
	}
	sb_error_ignore(&ignored, "there is an error to tell already");
	return NULL;
}

/* The store has the very name, and was passed over. True if that was said. */
static bool hint_platforms(const struct sb_build *build, const char *name, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (build->pull || sb_reference_parse(name, &ref, &ignored) < 0) {
		sb_error_ignore(&ignored, "there is an error to tell already");
		return false;
	}

	sb_autofree char *whole = sb_reference_format(&ref);

	if (sb_layout_find(build->store, whole, &d, &ignored) < 0) {
		sb_error_ignore(&ignored, "the store has nothing of that name");
		return false;
	}

	sb_autofree char *platforms = platforms_of(build, &d);

	if (platforms == NULL)
		return false;
	drop_hint(err);
	(void)sb_error_hint(err,
		"the store's '%s' is for %s: build, import or pull it for the platforms that are "
		"asked for too",
		name, platforms);
	return true;
}

int sb_base_suggest(const struct sb_build *build, const char *name, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (hint_platforms(build, name, err))
		return -1;
	SB_ARRAY_FOREACH (&build->plan->stages, stage)
		if (stage->is_named)
			sb_strv_add(&names, stage->name);
	sb_strv_add_all(&names, &build->plan->contexts);
	add_stored_names(build, &names);

	SB_ARRAY_FOREACH (&build->plan->stages, stage)
		if (stage->is_named && strcmp(stage->name, name) == 0) {
			drop_hint(err);
			return sb_error_hint(err,
				"the stage '%s' begins later, or here: a stage can be based on "
				"earlier ones only",
				name);
		}

	const char *best = sb_suggest(name, sb_candidate_string, names.items, names.len);

	if (best == NULL || strcmp(best, name) == 0)
		return -1;
	drop_hint(err);
	return sb_error_hint(err, "did you mean '%s'?", best);
}
