/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "api/image_open.h"
#include "api/session.h"
#include "inspect/file_find.h"
#include "inspect/file_read.h"

/* Gives a file out as a stream: holes are zeros. */
struct output {
	const struct sb_inspect_cat_options *options;
	uint64_t at;
	bool is_ended; /* nobody wants more */
};

static bool give_zeros(struct output *output, uint64_t until)
{
	static const char zeros[4096];

	while (output->at < until && !output->is_ended) {
		const uint64_t left = until - output->at;
		const size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		output->is_ended = !output->options->on_bytes(output->options->data, zeros, n);
		output->at += n;
	}
	return !output->is_ended;
}

static bool give(void *self, uint64_t at, const void *bytes, size_t len)
{
	struct output *output = self;

	if (!give_zeros(output, at))
		return false;
	output->is_ended = !output->options->on_bytes(output->options->data, bytes, len);
	output->at += len;
	return !output->is_ended;
}

/* What a terminal takes for more than text: all controls but tab and newline, also the second kind
 * (0x80 to 0x9f), which UTF-8 writes as 0xc2 and that byte. */
struct check {
	uint64_t at;
	bool was_c2;
	bool is_bad;
};

static bool check_text(void *self, uint64_t at, const void *bytes, size_t len)
{
	struct check *check = self;
	const unsigned char *p = bytes;

	check->is_bad = at > check->at;
	for (size_t i = 0; i < len && !check->is_bad; i++) {
		check->is_bad = (p[i] < 0x20 && p[i] != '\t' && p[i] != '\n') || p[i] == 0x7f ||
				(check->was_c2 && p[i] >= 0x80 && p[i] < 0xa0);
		check->was_c2 = p[i] == 0xc2;
	}
	check->at = at + len;
	return !check->is_bad;
}

static int check_for_terminal(
	struct sb_image *image, size_t layer, uint64_t offset, struct sb_error *err)
{
	struct check check = {0};
	const struct sb_file_reader reader = {.on_bytes = check_text, .self = &check};
	uint64_t size = 0;

	if (sb_image_read_file(image, layer, offset, &reader, &size, err) < 0)
		return -1;
	if (!check.is_bad && check.at == size)
		return 0;
	sb_fail(err, SB_E_USAGE, "the file has control characters, which a terminal would obey");
	return sb_error_hint(err, "redirect it to a file, or give --force");
}

static int cat(struct sb_session *session, const struct sb_inspect_cat_options *o,
	struct sb_image **image, struct sb_error *err)
{
	const struct sb_image_place from = {
		.root = o->root, .image = o->image, .platform = o->platform, .name = o->name};
	struct output output = {.options = o};
	const struct sb_file_reader reader = {.on_bytes = give, .self = &output};
	uint64_t offset = 0;
	uint64_t size = 0;
	size_t layer = 0;

	if (sb_open_image(session, &from, image, err) < 0 ||
		sb_session_let_signals_through(session, err) < 0 ||
		sb_image_find_layer(*image, o->layer, &layer, err) < 0 ||
		sb_image_find_file(*image, layer, o->path, &layer, &offset, err) < 0)
		return -1;
	if (o->is_for_terminal && check_for_terminal(*image, layer, offset, err) < 0)
		return sb_error_context(err, "'%s'", o->path);
	if (sb_image_read_file(*image, layer, offset, &reader, &size, err) < 0)
		return -1;
	(void)give_zeros(&output, size);
	return 0;
}

int sb_inspect_cat(const struct sb_inspect_cat_options *options, struct sb_error *err)
{
	SB_AUTO(sb_image) image = NULL;
	struct sb_session session = {.store_fd = -1};
	int rc = cat(&session, options, &image, err);

	if (rc < 0)
		(void)sb_error_context(err, "image '%s'", options->image);
	sb_image_free(image);
	image = NULL;
	sb_session_release(&session);
	return rc;
}
