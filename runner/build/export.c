/* SPDX-License-Identifier: MIT */
#include "build/export.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "build/blob_check.h"
#include "build/destination.h"
#include "build/export_registry.h"
#include "build/export_tree.h"
#include "sys/at.h"
#include "sys/fd.h"

struct target {
	struct sb_output_option option; /* strings borrowed from the caller's options */
	struct sb_destination to;
};

struct sb_exports {
	SB_ARRAY(struct target) targets;
};

void sb_exports_free(struct sb_exports *exports)
{
	if (exports == NULL)
		return;
	SB_ARRAY_FOREACH (&exports->targets, t)
		sb_destination_release(&t->to);
	SB_ARRAY_RELEASE(&exports->targets);
	free(exports);
}

static bool is_folder(const struct sb_output_option *o)
{
	return o->type == SB_OUTPUT_LOCAL || (o->type == SB_OUTPUT_OCI && o->is_folder);
}

static int open_target(struct target *t, struct sb_error *err)
{
	if (t->option.type == SB_OUTPUT_STORE)
		return 0;
	if (t->option.type == SB_OUTPUT_REGISTRY)
		return t->option.name != NULL ? sb_export_names_check(t->option.name, err) : 0;
	if (t->option.dest == NULL)
		return sb_fail(err, SB_E_USAGE,
			"an output needs dest=PATH (or dest=- for standard output)");
	return sb_destination_open(t->option.dest, is_folder(&t->option), &t->to, err);
}

int sb_exports_open(const struct sb_output_option *outputs, size_t n, struct sb_exports **out,
	struct sb_error *err)
{
	SB_AUTO(sb_exports) exports = SB_NEW(struct sb_exports);

	for (size_t i = 0; i < n; i++) {
		struct target *t = SB_ARRAY_ADD(&exports->targets);

		*t = (struct target){.option = outputs[i], .to = SB_DESTINATION_INIT};
		if (open_target(t, err) < 0)
			return -1;
	}
	*out = SB_STEAL(exports);
	return 0;
}

bool sb_exports_has_store(const struct sb_exports *exports)
{
	SB_ARRAY_FOREACH (&exports->targets, t)
		if (t->option.type == SB_OUTPUT_STORE)
			return true;
	return exports->targets.len == 0;
}

static const char *const type_names[] = {[SB_OUTPUT_STORE] = "store",
	[SB_OUTPUT_OCI] = "oci",
	[SB_OUTPUT_DOCKER] = "docker",
	[SB_OUTPUT_TAR] = "tar",
	[SB_OUTPUT_LOCAL] = "local",
	[SB_OUTPUT_REGISTRY] = "registry"};

/* What is in the store is no help here. */
static int fail_write(const struct target *t, const char *where, struct sb_error *err)
{
	if (t->option.type == SB_OUTPUT_REGISTRY)
		return -1;
	(void)sb_error_context(err, "write output '%s'", where);
	if (err->os_errno == ENOSPC || err->os_errno == EDQUOT)
		return sb_error_hint(err,
			"make room where the output is written, or write it elsewhere; the steps "
			"are in the cache");
	return -1;
}

const char *sb_export_single_platform(enum sb_output_type type)
{
	return type == SB_OUTPUT_DOCKER || type == SB_OUTPUT_TAR ? type_names[type] : NULL;
}

/* As BuildKit calls it: "linux_arm64". Caller frees. */
static char *platform_folder(const struct sb_platform *platform)
{
	char *name = sb_platform_format(platform);

	for (char *p = strchr(name, '/'); p != NULL; p = strchr(p, '/'))
		*p = '_';
	return name;
}

/* Of several platforms, a folder each. */
static int write_folders(const struct sb_export *what, int dir_fd, struct sb_error *err)
{
	if (what->n_builds == 1)
		return sb_export_folder(what->builds[0], dir_fd, err);
	for (size_t i = 0; i < what->n_builds; i++) {
		sb_autofree char *name = platform_folder(&what->builds[i]->platform);
		sb_autofd int fd = -1;

		if (sb_at_make_dirs(dir_fd, name, 0755, &fd, err) < 0 ||
			sb_export_folder(what->builds[i], fd, err) < 0)
			return sb_error_context(err, "'%s'", name);
	}
	return 0;
}

static int write_content(const struct target *t, const struct sb_export *what, struct sb_error *err)
{
	struct sb_build *build = what->builds[0];
	const struct sb_descriptor *top = t->option.has_attestation ? what->attested : what->image;
	SB_AUTO_VALUE(sb_named_images) images = {0};
	struct sb_named_image *image = SB_ARRAY_ADD(&images);

	sb_descriptor_copy(&image->manifest, top);
	if (t->option.name != NULL)
		sb_strv_add(&image->names, t->option.name);
	else
		sb_strv_copy(&image->names, what->tags);
	switch (t->option.type) {
	case SB_OUTPUT_STORE:
		return 0;
	case SB_OUTPUT_OCI:
		return t->option.is_folder
			       ? sb_image_write_oci_folder(build->store, &images, t->to.dir_fd, err)
			       : sb_image_write_oci_archive(build->store, &images, t->to.fd, err);
	case SB_OUTPUT_DOCKER:
		return sb_image_write_docker_archive(build->store, &images, t->to.fd, err);
	case SB_OUTPUT_TAR:
		return sb_export_tar(build, t->to.fd, err);
	case SB_OUTPUT_LOCAL:
		return write_folders(what, t->to.dir_fd, err);
	case SB_OUTPUT_REGISTRY:
		return sb_export_registry(build, top, t->option.name, what->tags, err);
	}
	return sb_fail(err, SB_E_BUG, "an output of no known type");
}

static bool has_archives(const struct sb_exports *exports)
{
	SB_ARRAY_FOREACH (&exports->targets, t)
		if (t->option.type == SB_OUTPUT_OCI || t->option.type == SB_OUTPUT_DOCKER ||
			t->option.type == SB_OUTPUT_REGISTRY)
			return true;
	return false;
}

static int write_target(struct target *t, const struct sb_export *what, struct sb_error *err)
{
	struct sb_build *build = what->builds[0];
	const bool is_registry = t->option.type == SB_OUTPUT_REGISTRY;
	sb_autofree char *all_tags = sb_strv_join(what->tags, ",");
	const char *where = !is_registry             ? t->option.dest
			    : t->option.name != NULL ? t->option.name
						     : all_tags;
	uint64_t bytes = 0;

	if (sb_interrupt_check(build->interrupt, err) < 0)
		return -1;
	if (write_content(t, what, err) < 0 ||
		sb_destination_finish(&t->to, build->interrupt, &bytes, err) < 0)
		return fail_write(t, where, err);

	sb_autofree char *text = sb_asprintf("%s: %s", type_names[t->option.type], where);

	sb_events_emit(&build->events,
		(struct sb_event){.kind = SB_EVENT_EXPORT, .text = text, .done = bytes});
	return 0;
}

int sb_exports_write(struct sb_exports *exports, const struct sb_export *what, struct sb_error *err)
{
	for (size_t i = 0; has_archives(exports) && i < what->n_builds; i++)
		if (sb_blob_check_result(what->builds[i], err) < 0)
			return -1;
	SB_ARRAY_FOREACH (&exports->targets, t)
		if (t->option.type != SB_OUTPUT_STORE && write_target(t, what, err) < 0)
			return -1;
	return 0;
}
