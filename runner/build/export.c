/* SPDX-License-Identifier: MIT */
#include "build/export.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/export_registry.h"
#include "build/export_tree.h"
#include "sys/atomic.h"
#include "sys/fd.h"
#include "sys/transfer.h"

/* One output: an open file under a temporary name, or an open folder. */
struct target {
	struct sb_output_option option; /* strings borrowed from the caller's options */
	int dir_fd;                     /* folder that holds the file, or the folder itself */
	int fd;                         /* the file, or -1 */
	char *name; /* the file's final name in dir_fd, or NULL for stdout, pipes and folders */
	char *tmp;  /* its temporary name, or NULL while it has none */
};

struct sb_exports {
	SB_ARRAY(struct target) targets;
};

static void target_release(struct target *t)
{
	if (t->tmp != NULL)
		(void)unlinkat(t->dir_fd, t->tmp, 0);
	sb_fd_closep(&t->fd);
	sb_fd_closep(&t->dir_fd);
	free(t->name);
	free(t->tmp);
}

void sb_exports_free(struct sb_exports *exports)
{
	if (exports == NULL)
		return;
	SB_ARRAY_FOREACH (&exports->targets, t)
		target_release(t);
	SB_ARRAY_RELEASE(&exports->targets);
	free(exports);
}

static bool is_folder(const struct sb_output_option *o)
{
	return o->type == SB_OUTPUT_LOCAL || (o->type == SB_OUTPUT_OCI && o->is_folder);
}

static int open_folder(struct target *t, struct sb_error *err)
{
	const char *dest = t->option.dest;

	if (mkdir(dest, 0755) < 0 && errno != EEXIST)
		return sb_fail_errno(err, "output folder '%s'", dest);
	return sb_fd_open_dir_user(dest, "output folder", &t->dir_fd, err);
}

static int open_file(struct target *t, struct sb_error *err)
{
	const char *dest = t->option.dest;
	sb_autofree char *dir = sb_path_dir(dest);
	struct stat st;

	if (stat(dest, &st) == 0 && S_ISDIR(st.st_mode))
		return sb_fail(
			err, SB_E_USAGE, "output '%s' is a folder; a file is to be written", dest);
	if (sb_fd_open_dir_user(dir, "folder of the output", &t->dir_fd, err) < 0)
		return -1;
	/* A pipe or device is written as it stands. */
	if (stat(dest, &st) == 0 && !S_ISREG(st.st_mode)) {
		t->fd = open(dest, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return t->fd < 0 ? sb_fail_errno(err, "output '%s'", dest) : 0;
	}
	t->name = sb_path_base(dest);
	/* Without a name while the build runs: the folder may be the build context, and a killed
	 * build leaves nothing. Not every file system can do it. */
	t->fd = openat(t->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (t->fd >= 0)
		return 0;
	t->tmp = sb_unique_name(".safebuild");
	t->fd = openat(t->dir_fd, t->tmp, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
	if (t->fd < 0) {
		free(t->tmp);
		t->tmp = NULL;
		return sb_fail_errno(err, "output '%s'", dest);
	}
	return 0;
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
	if (is_folder(&t->option)) {
		if (strcmp(t->option.dest, "-") == 0)
			return sb_fail(
				err, SB_E_USAGE, "a folder can't be written to standard output");
		return open_folder(t, err);
	}
	if (strcmp(t->option.dest, "-") == 0)
		return sb_fd_dup(STDOUT_FILENO, &t->fd, err);
	return open_file(t, err);
}

int sb_exports_open(const struct sb_output_option *outputs, size_t n, struct sb_exports **out,
	struct sb_error *err)
{
	SB_AUTO(sb_exports) exports = SB_NEW(struct sb_exports);

	for (size_t i = 0; i < n; i++) {
		struct target *t = SB_ARRAY_ADD(&exports->targets);

		*t = (struct target){.option = outputs[i], .dir_fd = -1, .fd = -1};
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

static int write_content(const struct target *t, struct sb_build *build,
	const struct sb_descriptor *manifest, const struct sb_strv *tags, struct sb_error *err)
{
	SB_AUTO_STRV own_tag = SB_STRV_INIT;
	const char *name = t->option.name != NULL ? t->option.name
			   : tags->len > 0        ? tags->items[0]
						  : NULL;

	switch (t->option.type) {
	case SB_OUTPUT_STORE:
		return 0;
	case SB_OUTPUT_OCI:
		return t->option.is_folder ? sb_image_write_oci_folder(
						     build->store, manifest, name, t->dir_fd, err)
					   : sb_image_write_oci_archive(
						     build->store, manifest, name, t->fd, err);
	case SB_OUTPUT_DOCKER:
		if (t->option.name != NULL)
			sb_strv_add(&own_tag, t->option.name);
		return sb_image_write_docker_archive(build->store, manifest,
			t->option.name != NULL ? &own_tag : tags, t->fd, err);
	case SB_OUTPUT_TAR:
		return sb_export_tar(build, t->fd, err);
	case SB_OUTPUT_LOCAL:
		return sb_export_folder(build, t->dir_fd, err);
	case SB_OUTPUT_REGISTRY:
		return sb_export_registry(build, manifest, t->option.name, tags, err);
	}
	return sb_fail(err, SB_E_BUG, "an output of no known type");
}

/* A link can't replace a file, so the name is a temporary one even now. */
static int give_name(struct target *t, struct sb_error *err)
{
	sb_autofree char *tmp = sb_unique_name(".safebuild");
	sb_autofree char *path = sb_asprintf("/proc/self/fd/%d", t->fd);

	if (linkat(AT_FDCWD, path, t->dir_fd, tmp, AT_SYMLINK_FOLLOW) < 0)
		return sb_fail_errno(err, "output '%s'", t->option.dest);
	t->tmp = SB_STEAL(tmp);
	return 0;
}

static int finish(
	struct target *t, struct sb_interrupt *interrupt, uint64_t *out_bytes, struct sb_error *err)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (t->fd >= 0 && sb_fd_size(t->fd, out_bytes, &ignored) < 0)
		sb_error_ignore(&ignored, "only for the progress");
	if (t->name == NULL)
		return 0;
	if (sb_transfer_flush(interrupt, t->fd, err) < 0)
		return -1;
	if (t->tmp == NULL && give_name(t, err) < 0)
		return -1;
	if (fsync(t->fd) < 0 || renameat(t->dir_fd, t->tmp, t->dir_fd, t->name) < 0)
		return sb_fail_errno(err, "output '%s'", t->option.dest);
	free(t->tmp);
	t->tmp = NULL;
	return 0;
}

int sb_exports_write(struct sb_exports *exports, struct sb_build *build,
	const struct sb_descriptor *manifest, const struct sb_descriptor *attested,
	const struct sb_strv *tags, struct sb_error *err)
{
	static const char *const names[] = {[SB_OUTPUT_STORE] = "store",
		[SB_OUTPUT_OCI] = "oci",
		[SB_OUTPUT_DOCKER] = "docker",
		[SB_OUTPUT_TAR] = "tar",
		[SB_OUTPUT_LOCAL] = "local",
		[SB_OUTPUT_REGISTRY] = "registry"};

	SB_ARRAY_FOREACH (&exports->targets, t) {
		const bool is_registry = t->option.type == SB_OUTPUT_REGISTRY;
		sb_autofree char *all_tags = sb_strv_join(tags, ",");
		const char *where = !is_registry             ? t->option.dest
				    : t->option.name != NULL ? t->option.name
							     : all_tags;
		uint64_t bytes = 0;

		if (t->option.type == SB_OUTPUT_STORE)
			continue;
		if (sb_interrupt_check(build->interrupt, err) < 0)
			return -1;
		if (write_content(t, build, t->option.has_attestation ? attested : manifest, tags,
			    err) < 0 ||
			finish(t, build->interrupt, &bytes, err) < 0)
			return is_registry ? -1 : sb_error_context(err, "write output '%s'", where);

		sb_autofree char *text = sb_asprintf("%s: %s", names[t->option.type], where);

		sb_events_emit(&build->events,
			(struct sb_event){.kind = SB_EVENT_EXPORT, .text = text, .done = bytes});
	}
	return 0;
}
