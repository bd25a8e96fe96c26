/* SPDX-License-Identifier: MIT */
#include "build/copy_suggest.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/suggest.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"

char *sb_copy_suggest(const struct sb_copy *copy, const char *path)
{
	enum { MAX_LISTED = 10000 }; /* a hint is not worth comparing more names */
	sb_autofree char *dir = sb_path_dir(path);
	sb_autofree char *name = sb_path_base(path);
	SB_AUTO_STRV names = SB_STRV_INIT;
	SB_AUTO_STRV candidates = SB_STRV_INIT;
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	sb_autofd int fd = -1;

	if (sb_at_open_dir(copy->source_fd, dir, SB_AT_IN_ROOT, &fd, &ignored) < 0 ||
		sb_tree_list(fd, &names, &ignored) < 0 || names.len > MAX_LISTED)
		return NULL;
	for (size_t i = 0; i < names.len; i++) {
		sb_autofree char *there = sb_path_join(dir, names.items[i]);

		if (!sb_ignore_excludes(copy->ignore, there))
			sb_strv_add(&candidates, names.items[i]);
	}

	const char *near =
		sb_suggest(name, sb_candidate_string, sb_strv_argv(&candidates), candidates.len);

	return near != NULL ? sb_path_join(dir, near) : NULL;
}
