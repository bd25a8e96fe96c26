/* SPDX-License-Identifier: MIT */
#include <archive.h>

#include "layer/apply.h"
#include "layer/tar_input.h"

int sb_layer_verify(struct sb_reader from, struct sb_applied *out, struct sb_error *err)
{
	SB_AUTO(sb_tar_input) input = NULL;
	SB_AUTO_STRV lines = SB_STRV_INIT;
	struct sb_notes notes = {.lines = &lines};
	struct sb_applied verified = {0};
	struct archive_entry *entry = NULL;

	if (sb_tar_input_open(from, true, &input, err) < 0)
		return -1;
	do {
		if (sb_tar_input_next(input, &entry, &notes, err) < 0)
			return -1;
		verified.n_entries += entry != NULL ? 1 : 0;
	} while (entry != NULL);
	if (sb_tar_input_finish(input, &verified, err) < 0)
		return -1;
	*out = verified;
	return 0;
}
