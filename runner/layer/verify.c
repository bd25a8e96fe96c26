/* SPDX-License-Identifier: MIT */
#include <archive.h>
#include <archive_entry.h>

#include "base/mem.h"
#include "layer/apply.h"
#include "layer/place.h"
#include "layer/tar_input.h"

static int check_name(const char *name, struct sb_error *err)
{
	sb_autofree char *clean = NULL;

	return sb_place_clean(name, &clean, err);
}

static int check_entry(struct archive_entry *entry, struct sb_error *err)
{
	const char *name = archive_entry_pathname(entry);
	const char *target = archive_entry_hardlink(entry);

	if (name == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "an entry of the archive has no name");
	if (check_name(name, err) < 0)
		return -1;
	return target != NULL ? check_name(target, err) : 0;
}

int sb_layer_verify(struct sb_reader from, struct sb_applied *out, struct sb_error *err)
{
	SB_AUTO(sb_tar_input) input = NULL;
	SB_AUTO_STRV lines = SB_STRV_INIT;
	struct sb_notes notes = {.lines = &lines};
	struct sb_applied verified = {0};
	struct archive_entry *entry = NULL;

	if (sb_tar_input_open(from, true, &input, err) < 0)
		return -1;
	for (;;) {
		if (sb_tar_input_next(input, &entry, &notes, err) < 0)
			return -1;
		if (entry == NULL)
			break;
		if (check_entry(entry, err) < 0)
			return -1;
		verified.n_entries++;
	}
	if (sb_tar_input_finish(input, &verified, err) < 0)
		return -1;
	*out = verified;
	return 0;
}
