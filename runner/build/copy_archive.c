/* SPDX-License-Identifier: MIT */
#include "build/copy_archive.h"

#include <string.h>

#include "base/mem.h"
#include "build/copy_entry.h"
#include "layer/apply.h"
#include "layer/sniff.h"
#include "sys/at.h"
#include "sys/fd.h"

static ssize_t read_archive(void *self, void *bytes, size_t len, struct sb_error *err)
{
	const int *fd = self;

	return sb_fd_read(*fd, bytes, len, err);
}

int sb_copy_unpack(struct sb_copy_work *work, const struct sb_copy_match *match, const char *dest,
	bool *out_is_archive, struct sb_error *err)
{
	const struct sb_copy *copy = work->copy;
	sb_autofd int parent_fd = -1;
	sb_autofree char *name = NULL;
	sb_autofd int fd = -1;
	sb_autofd int dest_fd = -1;
	struct stat st;
	struct sb_applied applied;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	const struct sb_apply_options options = {
		.ids = copy->ids,
		.is_layer = false,
		.has_owner = work->has_owner,
		.owner_uid = work->uid,
		.owner_gid = work->gid,
	};

	*out_is_archive = false;
	if (!S_ISREG(match->st.st_mode))
		return 0;
	if (sb_at_open_parent(
		    copy->source_fd, match->real, SB_AT_NO_LINKS, &parent_fd, &name, err) < 0)
		return -1;

	const struct sb_copy_entry from = {.dir_fd = parent_fd, .name = name};

	if (sb_copy_open_file(from, match->real, &fd, &st, err) < 0)
		return -1;
	if (sb_layer_sniff_tar(fd, out_is_archive, err) < 0)
		return sb_error_context(err, "'%s'", match->path);
	if (!*out_is_archive)
		return 0;
	if (sb_copy_make_folder(work, dest, 0755, &dest_fd, err) < 0)
		return -1;
	if (sb_layer_apply(
		    (struct sb_reader){
			    .read = read_archive, .self = &fd, .interrupt = copy->interrupt},
		    dest_fd, &options, &applied, &warnings, err) < 0)
		return sb_error_context(err, "unpack '%s' into '%s'", match->path, dest);
	for (size_t i = 0; copy->warnings != NULL && i < warnings.len; i++)
		sb_strv_addf(copy->warnings, "'%s': %s", match->path, warnings.items[i]);
	return 0;
}
