/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "api/session.h"
#include "base/mem.h"
#include "build/base_image.h"
#include "build/change.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "sys/fd.h"

static void copy_digest(char *out, const struct sb_digest *digest)
{
	if (out != NULL)
		memcpy(out, digest->text, sizeof(digest->text));
}

/* The whole name of what the user calls `text`; caller frees. */
static int whole_name(const char *text, char **out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};

	if (sb_reference_parse(text, &ref, err) < 0)
		return -1;
	if (ref.tag == NULL)
		return sb_fail(
			err, SB_E_USAGE, "'%s': a name to give has a tag and no digest", text);
	*out = sb_reference_format(&ref);
	return 0;
}

int sb_import(const struct sb_store_options *options, const char *rootfs_tar, const char *name,
	const char *const *changes, char *out_digest, struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	const struct sb_platform platform = sb_platform_host();
	SB_AUTO(sb_image_config) config = NULL;
	sb_autofree char *whole = NULL;
	sb_autofd int fd = -1;
	const int opened = strcmp(rootfs_tar, "-") == 0
				   ? sb_fd_dup(STDIN_FILENO, &fd, err)
				   : sb_fd_open_user(rootfs_tar, "root file system", &fd, err);

	if (opened < 0 || whole_name(name, &whole, err) < 0 ||
		sb_changes_apply(changes, &config, err) < 0 ||
		sb_session_open(options->root, &session, err) < 0)
		return -1;
	/* No time of its own: the same tar is the same image, whenever it was imported. */
	if (sb_base_image_import(session.store, fd, &platform, config, &d, err) < 0)
		return sb_error_context(err, "import '%s'", rootfs_tar);
	if (sb_layout_add(session.store, &d, whole, err) < 0)
		return -1;
	copy_digest(out_digest, &d.digest);
	return 0;
}

int sb_tag(const struct sb_store_options *options, const char *image, const char *name,
	struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	sb_autofree char *whole = NULL;

	if (whole_name(name, &whole, err) < 0 ||
		sb_session_open(options->root, &session, err) < 0 ||
		sb_session_find(&session, image, &d, err) < 0)
		return -1;
	return sb_layout_add(session.store, &d, whole, err);
}

/* One of the images that are to be removed. */
struct removal {
	char *name; /* whole; NULL: all entries of that digest */
	struct sb_digest digest;
};

static size_t count_names(const struct sb_descriptors *list, const struct sb_digest *digest)
{
	size_t n = 0;

	SB_ARRAY_FOREACH (list, d)
		n += sb_digest_equal(&d->digest, digest) && sb_descriptor_name(d) != NULL ? 1 : 0;
	return n;
}

/* 1 where it is there, 0 where it is not and that is no error. */
static int find_removal(struct sb_session *session, const char *image, bool force,
	struct removal *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) list = {0};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	SB_AUTO_ERROR missing = SB_ERROR_INIT;
	size_t n = 0;

	if (sb_session_find_named(session, image, &d, &out->name, &missing) < 0) {
		if (force && missing.code == SB_E_NOT_FOUND)
			return 0;
		sb_error_move(err, &missing);
		return -1;
	}
	out->digest = d.digest;
	if (out->name != NULL || force)
		return 1;
	if (sb_layout_list(session->store, &list, err) < 0)
		return -1;
	n = count_names(&list, &d.digest);
	if (n < 2)
		return 1;
	(void)sb_fail(err, SB_E_USAGE, "'%s' is an image with %zu names", image, n);
	return sb_error_hint(err, "remove them by name, or all of them with --force");
}

static int remove_one(
	struct sb_session *session, const char *image, bool force, struct sb_error *err)
{
	struct removal removal = {0};
	const int found = find_removal(session, image, force, &removal, err);
	sb_autofree char *name = removal.name;

	if (found <= 0)
		return found;
	return sb_layout_remove(session->store, name != NULL ? name : removal.digest.text, err);
}

int sb_remove(const struct sb_store_options *options, const char *const *images, bool force,
	struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};

	if (sb_session_open(options->root, &session, err) < 0)
		return -1;
	/* All are looked up before one goes. */
	for (const char *const *image = images; *image != NULL; image++) {
		struct removal removal = {0};
		const int found = find_removal(&session, *image, force, &removal, err);

		free(removal.name);
		if (found < 0)
			return -1;
	}
	for (const char *const *image = images; *image != NULL; image++)
		if (remove_one(&session, *image, force, err) < 0)
			return -1;
	return 0;
}

const char *sb_version(void)
{
	return SB_VERSION;
}

void sb_free(void *p)
{
	free(p);
}
