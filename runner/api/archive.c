/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "api/session.h"
#include "base/mem.h"
#include "build/convert.h"
#include "build/destination.h"
#include "build/events.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "sys/fd.h"

/* Gives the loaded images their names. One that no image of the store can have is left out, which
 * is said. */
static int name_loaded(struct sb_session *session, struct sb_events *events,
	struct sb_named_image *image, struct sb_error *err)
{
	SB_AUTO_STRV whole = SB_STRV_INIT;

	for (size_t i = 0; i < image->names.len; i++) {
		const char *name = image->names.items[i];
		SB_AUTO_VALUE(sb_reference) ref = {0};
		SB_AUTO_ERROR ignored = SB_ERROR_INIT;

		if (sb_reference_parse(name, &ref, &ignored) == 0 && ref.tag != NULL) {
			ref.digest = (struct sb_digest){0};
			sb_strv_add_nodup(&whole, sb_reference_format(&ref));
			continue;
		}

		sb_autofree char *text =
			sb_asprintf("'%s' is no name for an image: it is loaded without it", name);

		sb_events_warn(events, text, "'safebuild tag' gives it one, by its digest");
	}
	sb_strv_copy(&image->names, &whole);
	if (whole.len == 0)
		return sb_layout_add(session->store, &image->manifest, NULL, err);
	for (size_t i = 0; i < whole.len; i++)
		if (sb_layout_add(session->store, &image->manifest, whole.items[i], err) < 0)
			return -1;
	return 0;
}

/* One line a name, or one for an image that has none. */
static void list_loaded(
	const struct sb_named_images *images, struct sb_loaded_image **out, size_t *out_len)
{
	SB_ARRAY(struct sb_loaded_image) list = {0};

	SB_ARRAY_FOREACH (images, image) {
		for (size_t i = 0; i < image->names.len || i == 0; i++)
			*SB_ARRAY_ADD(&list) = (struct sb_loaded_image){
				.name = image->names.len > 0
						? sb_session_familiar(image->names.items[i])
						: NULL,
				.digest = sb_strdup(image->manifest.digest.text)};
	}
	*out = list.items;
	*out_len = list.len;
}

void sb_loaded_images_free(struct sb_loaded_image *images, size_t len)
{
	for (size_t i = 0; images != NULL && i < len; i++) {
		free(images[i].name);
		free(images[i].digest);
	}
	free(images);
}

int sb_load(const struct sb_store_options *options, const char *input, struct sb_loaded_image **out,
	size_t *out_len, struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};
	SB_AUTO_VALUE(sb_named_images) images = {0};
	SB_AUTO_STRV notes = SB_STRV_INIT;
	const struct sb_platform want = sb_platform_host();
	struct sb_events events;
	sb_autofd int fd = -1;
	const bool is_stdin = strcmp(input, "-") == 0;

	if ((is_stdin ? sb_fd_dup(STDIN_FILENO, &fd, err)
		      : sb_fd_open_user(input, "image archive", &fd, err)) < 0 ||
		sb_session_open(options->root, &session, err) < 0)
		return -1;
	sb_events_init(&events, options->on_event, options->event_data);

	const struct sb_image_open_options open = {
		.want = &want, .tmp_dir_fd = session.store_fd, .interrupt = session.interrupt};

	if (sb_image_load_all(fd, &open, session.store, &images, &notes, err) < 0)
		return sb_error_context(err, "load '%s'", is_stdin ? "standard input" : input);
	for (size_t i = 0; i < notes.len; i++)
		sb_events_notice(&events, notes.items[i], NULL);
	SB_ARRAY_FOREACH (&images, image)
		if (name_loaded(&session, &events, image, err) < 0)
			return -1;
	list_loaded(&images, out, out_len);
	return 0;
}

/* docker load knows manifests only: of an index, that of this host's platform. */
static int choose_manifest(
	struct sb_session *session, struct sb_descriptor *d, struct sb_error *err)
{
	const struct sb_platform want = sb_platform_host();
	SB_AUTO(sb_image) image = NULL;

	if (!sb_media_is_index(d->media_type))
		return 0;
	if (sb_image_from_layout(session->store, d, &want, &image, err) < 0)
		return -1;
	sb_descriptor_release(d);
	sb_descriptor_copy(d, &image->descriptor);
	return 0;
}

static int collect(struct sb_session *session, const char *const *names, bool is_docker,
	struct sb_named_images *out, struct sb_error *err)
{
	for (; *names != NULL; names++) {
		SB_AUTO_VALUE(sb_descriptor) d = {0};
		sb_autofree char *name = NULL;
		struct sb_named_image *image = NULL;

		if (sb_session_find_named(session, *names, &d, &name, err) < 0 ||
			(is_docker && choose_manifest(session, &d, err) < 0))
			return sb_error_context(err, "'%s'", *names);
		SB_ARRAY_FOREACH (out, other)
			if (sb_digest_equal(&other->manifest.digest, &d.digest))
				image = other;
		if (image == NULL) {
			image = SB_ARRAY_ADD(out);
			sb_descriptor_copy(&image->manifest, &d);
		}
		if (name != NULL && !sb_strv_contains(&image->names, name))
			sb_strv_add(&image->names, name);
	}
	return 0;
}

static int convert(struct sb_session *session, const struct sb_output_option *output,
	struct sb_named_images *images, struct sb_error *err)
{
	enum sb_compression compression = SB_COMPRESS_GZIP;

	if (output->compression == NULL)
		return 0;
	if (sb_compression_parse(output->compression, &compression, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (images, image)
		if (sb_convert_layers(session->store, compression, output->compression_level,
			    &image->manifest, err) < 0)
			return -1;
	return 0;
}

static int write_images(struct sb_session *session, const struct sb_output_option *output,
	const struct sb_named_images *images, const struct sb_destination *to, struct sb_error *err)
{
	if (output->type == SB_OUTPUT_DOCKER)
		return sb_image_write_docker_archive(session->store, images, to->fd, err);
	if (output->is_folder)
		return sb_image_write_oci_folder(session->store, images, to->dir_fd, err);
	return sb_image_write_oci_archive(session->store, images, to->fd, err);
}

int sb_save(const struct sb_store_options *options, const char *const *names,
	const struct sb_output_option *output, struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};
	SB_AUTO_VALUE(sb_destination) to = SB_DESTINATION_INIT;
	SB_AUTO_VALUE(sb_named_images) images = {0};
	uint64_t bytes = 0;

	if (sb_session_open(options->root, &session, err) < 0 ||
		collect(&session, names, output->type == SB_OUTPUT_DOCKER, &images, err) < 0)
		return -1;
	if (sb_destination_open(output->dest, output->is_folder, &to, err) < 0 ||
		sb_images_verify(session.store, &images, err) < 0 ||
		convert(&session, output, &images, err) < 0 ||
		write_images(&session, output, &images, &to, err) < 0 ||
		sb_destination_finish(&to, session.interrupt, &bytes, err) < 0)
		return sb_error_context(err, "save to '%s'", output->dest);
	return 0;
}
