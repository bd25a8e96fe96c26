/* SPDX-License-Identifier: MIT */
#include "layer/apply.h"

#include <archive.h>

#include "layer/place.h"
#include "layer/tar_input.h"
#include "layer/unpack.h"

static int unpack_all(struct sb_unpack *unpack, uint64_t *out_n_entries, struct sb_error *err)
{
	struct archive_entry *entry = NULL;

	for (;;) {
		if (sb_tar_input_next(unpack->input, &entry, &unpack->notes, err) < 0)
			return -1;
		if (entry == NULL)
			break;
		if (sb_unpack_entry(unpack, entry, err) < 0)
			return -1;
		(*out_n_entries)++;
	}
	return sb_places_set_times(&unpack->places, err);
}

static int apply(struct sb_reader from, struct sb_unpack *unpack, struct sb_applied *out,
	struct sb_error *err)
{
	SB_AUTO(sb_tar_input) input = NULL;
	struct sb_applied applied = {0};

	if (sb_tar_input_open(from, unpack->options->is_layer, NULL, &input, err) < 0)
		return -1;
	unpack->input = input;
	unpack->interrupt = from.interrupt;
	if (unpack_all(unpack, &applied.n_entries, err) < 0 ||
		sb_tar_input_finish(input, &applied, err) < 0)
		return -1;
	*out = applied;
	return 0;
}

int sb_layer_apply(struct sb_reader from, int root_fd, const struct sb_apply_options *options,
	struct sb_applied *out, struct sb_strv *warnings, struct sb_error *err)
{
	struct sb_unpack unpack = {
		.options = options,
		.places = {.root_fd = root_fd, .options = options, .folder_fd = -1},
		.notes = {.lines = warnings},
	};
	const int result = apply(from, &unpack, out, err);

	sb_places_release(&unpack.places);
	return result;
}
