/* SPDX-License-Identifier: MIT */
#include "build/base_suggest.h"

#include <string.h>

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

int sb_base_suggest(const struct sb_build *build, const char *name, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

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

	if (best == NULL)
		return -1;
	drop_hint(err);
	return sb_error_hint(err, "did you mean '%s'?", best);
}
