/* SPDX-License-Identifier: MIT */
#include "build/base_reference.h"

#include <string.h>

#include "base/mem.h"
#include "build/base_image.h"
#include "build/early_layers.h"
#include "build/wanted.h"
#include "oci/reference.h"
#include "registry/pull.h"
#include "registry/registries.h"

/* Of one pull. */
struct pulling {
	struct sb_build *build;
	struct sb_early_layers early;
};

static void pulling_release(struct pulling *pulling)
{
	sb_early_layers_release(&pulling->early);
}

static int on_layers(void *data, const struct sb_manifest *manifest, size_t n, struct sb_error *err)
{
	struct pulling *pulling = data;

	return sb_early_layers_unpack(&pulling->early, manifest, n, err);
}

static bool on_progress(void *data, const char *what, uint64_t done, uint64_t total)
{
	struct sb_build *build = ((struct pulling *)data)->build;

	sb_events_emit(&build->events,
		(struct sb_event){
			.kind = SB_EVENT_TRANSFER, .text = what, .done = done, .total = total});
	return !sb_interrupt_is_pending(build->interrupt);
}

/* Of an index, another platform's manifest may be missing, which is no fault. */
static void warn_broken(
	struct sb_build *build, const struct sb_descriptor *d, const struct sb_error *failed)
{
	if (failed->code != SB_E_INTEGRITY)
		return;

	sb_autofree char *text = sb_asprintf("image '%s' is broken in the store: %s",
		sb_descriptor_name(d) != NULL ? sb_descriptor_name(d) : d->digest.text,
		failed->message);

	sb_events_warn(&build->events, text,
		"a registry is asked for it; `safebuild pull`, `safebuild load` or `safebuild "
		"import` mends it too");
}

/* True if the store's image of that name serves the platform: only then is it used without asking a
 * registry. */
static bool serves(
	struct sb_build *build, const struct sb_descriptor *d, const struct sb_platform *platform)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	SB_AUTO(sb_image) image = NULL;

	if (sb_image_from_layout(build->store, d, platform, &image, &failed) < 0) {
		warn_broken(build, d, &failed);
		sb_error_ignore(&failed, "a registry is asked then");
		return false;
	}
	return sb_platform_match(platform, &image->config->platform) > 0;
}

/* Where several platforms are asked for, all have the store's image, or none. */
static bool serves_all(struct sb_build *build, const char *text, const struct sb_descriptor *d,
	const struct sb_platform *platform)
{
	if (!serves(build, d, platform))
		return false;
	for (size_t i = 0; build->wanted != NULL && i < build->wanted->len; i++) {
		const struct sb_wanted_base *wanted = &build->wanted->items[i];

		if (strcmp(wanted->name, text) == 0 &&
			!sb_platform_is_same(&wanted->platform, platform) &&
			!serves(build, d, &wanted->platform))
			return false;
	}
	return true;
}

/* *out stays unset where the store has none of the names. */
static int find_among(struct sb_build *build, const char *text, const struct sb_references *names,
	const struct sb_platform *platform, struct sb_descriptor *out, struct sb_error *err)
{
	SB_ARRAY_FOREACH (names, ref) {
		SB_AUTO_VALUE(sb_descriptor) d = {0};
		SB_AUTO_ERROR missing = SB_ERROR_INIT;
		sb_autofree char *name = sb_reference_format(ref);

		if (sb_layout_find(build->store, name, &d, &missing) < 0) {
			if (missing.code == SB_E_NOT_FOUND)
				continue;
			sb_error_move(err, &missing);
			return -1;
		}
		if (!serves_all(build, text, &d, platform))
			continue;
		sb_descriptor_copy(out, &d);
		return 0;
	}
	return 0;
}

/* First what --tag, import and load call that: names that they give are no registry's. */
static int find_in_store(struct sb_build *build, const char *text,
	const struct sb_references *meanings, const struct sb_platform *platform,
	struct sb_descriptor *out, struct sb_error *err)
{
	const struct sb_registries none = {0};
	SB_AUTO_VALUE(sb_references) own = {0};

	if (sb_registries_meanings(&none, text, &own, err) < 0 ||
		find_among(build, text, &own, platform, out, err) < 0)
		return -1;
	return sb_digest_is_set(&out->digest)
		       ? 0
		       : find_among(build, text, meanings, platform, out, err);
}

/* Where the name was asked for before, for another platform: the same, also if it means something
 * else by now. */
static int pull_again(const struct sb_resolved_source *known, const struct sb_pull_options *options,
	struct sb_layout *store, struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};

	if (sb_reference_parse(known->name, &ref, err) < 0)
		return -1;
	ref.digest = known->named;
	return sb_registry_pull(&ref, options, store, out, err);
}

static int pull_any(struct sb_build *build, const char *text, const struct sb_pull_options *options,
	struct sb_descriptor *out, char **out_name, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_resolved_source) known = {0};
	SB_AUTO_VALUE(sb_reference) ref = {0};

	sb_resolved_find_source(build->resolved, text, &known);
	if (known.name != NULL) {
		if (pull_again(&known, options, build->store, out, err) < 0)
			return -1;
		*out_name = sb_strdup(known.name);
		return 0;
	}
	if (sb_registry_pull_name(text, options, build->store, out, &ref, err) < 0)
		return -1;
	*out_name = sb_reference_format(&ref);
	return 0;
}

static bool has_digest(const struct sb_descriptors *list, const struct sb_digest *digest)
{
	SB_ARRAY_FOREACH (list, d)
		if (sb_digest_equal(&d->digest, digest))
			return true;
	return false;
}

/* The store's image of that name is then one for all platforms that were asked for. */
static int name_in_store(struct sb_build *build, const char *text, const char *name,
	const struct sb_descriptor *pulled, const struct sb_platform *platform,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) all = {0};
	SB_AUTO_VALUE(sb_descriptors) entries = {0};
	SB_AUTO_VALUE(sb_descriptor) index = {0};

	sb_resolved_list_pulled(build->resolved, text, &all);

	struct sb_descriptor *last = SB_ARRAY_ADD(&all);

	sb_descriptor_copy(last, pulled);
	last->platform = *platform;
	SB_ARRAY_FOREACH (&all, d)
		if (!has_digest(&entries, &d->digest))
			sb_descriptor_copy(SB_ARRAY_ADD(&entries), d);
	if (entries.len < 2)
		return sb_layout_add(build->store, pulled, name, err);
	return sb_layout_put_index(build->store, &entries, &index, err) < 0
		       ? -1
		       : sb_layout_add(build->store, &index, name, err);
}

static int pull(struct sb_build *build, const char *text, const struct sb_platform *platform,
	struct sb_stage_state **out, struct sb_descriptor *out_d,
	struct sb_resolved_source *out_source, struct sb_error *err)
{
	__attribute__((cleanup(pulling_release))) struct pulling pulling = {
		.build = build, .early = {.build = build, .name = text}};
	const struct sb_pull_options options = {.want = platform,
		.auth_file = build->auth_file,
		.on_progress = on_progress,
		.on_layers = on_layers,
		.data = &pulling,
		.out_named = &out_source->named};

	/* It has its name in the store when all of it was unpacked or read, and so found to be what
	 * it says. */
	if (pull_any(build, text, &options, out_d, &out_source->name, err) < 0 ||
		sb_base_image_load_stored(build, out_d, text, platform, out, err) < 0)
		return -1;
	return name_in_store(build, text, out_source->name, out_d, platform, err);
}

/* *out_d stays unset where a plan would have to fetch the image. */
static int find(struct sb_build *build, const char *text, const struct sb_platform *platform,
	struct sb_stage_state **out, struct sb_descriptor *out_d,
	struct sb_resolved_source *out_source, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_registries) registries = {0};
	SB_AUTO_VALUE(sb_references) meanings = {0};

	if (sb_registries_load(&registries, err) < 0 ||
		sb_registries_meanings(&registries, text, &meanings, err) < 0 ||
		(!build->pull && find_in_store(build, text, &meanings, platform, out_d, err) < 0))
		return -1;
	if (sb_digest_is_set(&out_d->digest))
		return sb_base_image_load_stored(build, out_d, text, platform, out, err);
	if (build->planned == NULL)
		return pull(build, text, platform, out, out_d, out_source, err);
	*out = sb_base_image_scratch(platform);
	(*out)->is_unknown = true;
	return 0;
}

int sb_base_reference_load(struct sb_build *build, const char *text,
	const struct sb_platform *platform, struct sb_stage_state **out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_resolved_source) source = {0};
	SB_AUTO_VALUE(sb_descriptor) d = {0};

	if (sb_resolved_begin(build->resolved, text, platform, &d))
		return sb_base_image_load_stored(build, &d, text, platform, out, err);

	const int rc = find(build, text, platform, out, &d, &source, err);

	sb_resolved_end(build->resolved, text, platform,
		rc == 0 && sb_digest_is_set(&d.digest) ? &d : NULL, &source);
	return rc;
}
