/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "api/session.h"
#include "base/mem.h"
#include "build/base_image.h"
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
	char *out_digest, struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	const struct sb_platform platform = sb_platform_host();
	sb_autofree char *whole = NULL;
	sb_autofd int fd = -1;
	const int opened = strcmp(rootfs_tar, "-") == 0
				   ? sb_fd_dup(STDIN_FILENO, &fd, err)
				   : sb_fd_open_user(rootfs_tar, "root file system", &fd, err);

	if (opened < 0 || whole_name(name, &whole, err) < 0 ||
		sb_session_open(options->root, &session, err) < 0)
		return -1;
	/* No time of its own: the same tar is the same image, whenever it was imported. */
	if (sb_base_image_import(session.store, fd, &platform, NULL, &d, err) < 0)
		return sb_error_context(err, "import '%s'", rootfs_tar);
	if (sb_layout_add(session.store, &d, whole, err) < 0)
		return -1;
	copy_digest(out_digest, &d.digest);
	return 0;
}

/* What can't be read is listed all the same, without what is in it. */
static void describe(
	struct sb_session *session, const struct sb_descriptor *d, struct sb_image_info *out)
{
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	const struct sb_platform want = sb_platform_host();

	const char *name = sb_descriptor_name(d);

	out->name = name != NULL ? sb_session_familiar(name) : sb_strdup("<none>");
	out->digest = sb_strdup(d->digest.text);
	if (sb_image_from_layout(session->store, d, &want, &image, &failed) < 0) {
		sb_error_ignore(&failed, "the name and digest are worth listing");
		out->created = sb_strdup("");
		out->platform = sb_strdup("");
		return;
	}
	out->created = sb_strdup(image->config->created != NULL ? image->config->created : "");
	out->platform = sb_platform_format(&image->config->platform);
	out->size_bytes = image->manifest->config.size_bytes;
	SB_ARRAY_FOREACH (&image->manifest->layers, layer)
		out->size_bytes += layer->size_bytes;
}

int sb_images(const struct sb_store_options *options, struct sb_image_info **out, size_t *out_len,
	struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};
	SB_AUTO_VALUE(sb_descriptors) list = {0};

	if (sb_session_open(options->root, &session, err) < 0 ||
		sb_layout_list(session.store, &list, err) < 0)
		return -1;

	struct sb_image_info *images = sb_calloc(list.len, sizeof(*images));

	for (size_t i = 0; i < list.len; i++)
		describe(&session, &list.items[i], &images[i]);
	*out = images;
	*out_len = list.len;
	return 0;
}

void sb_images_free(struct sb_image_info *images, size_t len)
{
	for (size_t i = 0; images != NULL && i < len; i++) {
		free(images[i].name);
		free(images[i].digest);
		free(images[i].created);
		free(images[i].platform);
	}
	free(images);
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

int sb_remove(const struct sb_store_options *options, const char *image, struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_ERROR not_a_name = SB_ERROR_INIT;

	if (sb_session_open(options->root, &session, err) < 0 ||
		sb_session_find(&session, image, &d, err) < 0)
		return -1;
	if (sb_reference_parse(image, &ref, &not_a_name) == 0) {
		sb_autofree char *name = sb_reference_format(&ref);
		SB_AUTO_VALUE(sb_descriptor) by_name = {0};

		if (sb_layout_find(session.store, name, &by_name, &not_a_name) == 0)
			return sb_layout_remove(session.store, name, err);
	}
	sb_error_ignore(&not_a_name, "then it was a digest");
	return sb_layout_remove(session.store, d.digest.text, err);
}

const char *sb_version(void)
{
	return SB_VERSION;
}

void sb_free(void *p)
{
	free(p);
}
