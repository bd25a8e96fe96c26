/* SPDX-License-Identifier: MIT */
#include "build/export_tree.h"

#include <unistd.h>

#include "build/copy.h"
#include "build/stack.h"
#include "layer/diff.h"
#include "layer/write.h"
#include "sys/fd.h"

static int open_result(struct sb_build *build, int *out_fd, struct sb_error *err)
{
	return sb_stack_view(build, sb_build_result_lowers(build), NULL, out_fd, err);
}

/* A layer whose lower layer is empty is the whole tree. */
int sb_export_tar(struct sb_build *build, int out_fd, struct sb_error *err)
{
	__attribute__((cleanup(sb_changes_release))) struct sb_changes changes = {0};
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct sb_layer_blob blob = {0};
	sb_autofd int root = -1;

	if (open_result(build, &root, err) < 0)
		return -1;

	const struct sb_diff_options diff = {.lower_fd = -1,
		.upper_fd = root,
		.ids = build->host->ids,
		.interrupt = build->interrupt};
	const struct sb_layer_write_options write = {.upper_fd = root,
		.out_fd = out_fd,
		.compression = SB_COMPRESS_NONE,
		.source_date_epoch = build->source_date_epoch,
		.search = build->worker.search,
		.interrupt = build->interrupt};

	if (sb_diff(&diff, &changes, &warnings, err) < 0)
		return -1;
	return sb_layer_write(&changes, &write, &blob, err);
}

int sb_export_folder(struct sb_build *build, int dir_fd, struct sb_error *err)
{
	SB_AUTO_STRV sources = SB_STRV_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	sb_autofd int root = -1;

	if (open_result(build, &root, err) < 0)
		return -1;
	sb_strv_add(&sources, "/");

	const struct sb_copy copy = {
		.source_fd = root,
		.source_is_context = true, /* owners become those of image root… */
		.root_fd = dir_fd,
		.ids = {.uid_count = 1, .gid_count = 1}, /* … which is whoever runs this */
		.sources = &sources,
		.dest = "/",
		.workdir = "/",
		.interrupt = build->interrupt,
		.warnings = &warnings,
	};

	if (sb_copy_files(&copy, err) < 0)
		return -1;
	for (size_t i = 0; i < warnings.len; i++)
		sb_events_warn(&build->events, warnings.items[i], NULL);
	return 0;
}
