/* SPDX-License-Identifier: MIT */
#include "build/mount_source.h"

#include <sys/stat.h>

#include "build/copy.h"

int sb_mount_source_copy(struct sb_build *build, const struct sb_mount_source *source, int to_fd,
	const char *dest, struct sb_in_place *in_place, struct sb_error *err)
{
	SB_AUTO_STRV sources = SB_STRV_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct stat store;

	sb_strv_add(&sources, source->path);
	if (fstat(build->store_fd, &store) < 0)
		return sb_fail_errno(err, "the store");

	const struct sb_copy copy = {
		.source_fd = source->fd,
		.source_is_context = source->is_context,
		.is_literal = true,
		.ignore = source->ignore,
		.store = source->is_context ? &store : NULL,
		.secrets = build->secrets,
		.interrupt = build->interrupt,
		.root_fd = to_fd,
		.ids = build->host->ids,
		.sources = &sources,
		.dest = dest,
		.workdir = "/",
		.in_place = in_place,
		.warnings = &warnings,
	};

	if (sb_copy_files(&copy, err) < 0)
		return -1;
	for (size_t i = 0; i < warnings.len; i++)
		sb_events_warn(&build->events, warnings.items[i], NULL);
	return 0;
}
