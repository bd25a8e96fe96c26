/* SPDX-License-Identifier: MIT */
#include "build/export_registry.h"

#include <string.h>

#include "base/mem.h"
#include "oci/reference.h"
#include "registry/push.h"
#include "registry/registries.h"

static int add_name(const char *text, struct sb_references *out, struct sb_error *err)
{
	struct sb_reference ref = {0};

	if (sb_reference_parse(text, &ref, err) < 0)
		return -1;
	*SB_ARRAY_ADD(out) = ref;
	if (ref.tag == NULL || sb_digest_is_set(&ref.digest))
		return sb_fail(err, SB_E_USAGE, "'%s': a name to push to has no digest", text);
	return 0;
}

static int read_names(const char *names, struct sb_references *out, struct sb_error *err)
{
	for (const char *p = names;;) {
		const size_t len = strcspn(p, ",");
		sb_autofree char *name = sb_memdup0(p, len);

		if (add_name(name, out, err) < 0)
			return -1;
		if (p[len] == '\0')
			return 0;
		p += len + 1;
	}
}

int sb_export_names_check(const char *names, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_references) refs = {0};

	return read_names(names, &refs, err);
}

static bool on_progress(void *data, const char *what, uint64_t done, uint64_t total)
{
	struct sb_build *build = data;

	sb_events_emit(&build->events,
		(struct sb_event){
			.kind = SB_EVENT_TRANSFER, .text = what, .done = done, .total = total});
	return !sb_interrupt_is_pending(build->interrupt);
}

int sb_export_registry(struct sb_build *build, const struct sb_descriptor *manifest,
	const char *names, const struct sb_strv *tags, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_references) refs = {0};
	const struct sb_push_options options = {
		.auth_file = build->auth_file, .on_progress = on_progress, .data = build};

	if (names != NULL && read_names(names, &refs, err) < 0)
		return -1;
	for (size_t i = 0; names == NULL && i < tags->len; i++)
		if (add_name(tags->items[i], &refs, err) < 0)
			return -1;
	return sb_registry_push(build->store, manifest, refs.items, refs.len, &options, err);
}

int sb_export_cache(struct sb_build *build, const struct sb_descriptor *manifest, const char *name,
	bool may_lack_blobs, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_references) refs = {0};
	const struct sb_push_options options = {.auth_file = build->auth_file,
		.may_lack_blobs = may_lack_blobs,
		.on_progress = on_progress,
		.data = build};

	if (add_name(name, &refs, err) < 0)
		return -1;
	return sb_registry_push(build->store, manifest, refs.items, refs.len, &options, err);
}
