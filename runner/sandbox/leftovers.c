/* SPDX-License-Identifier: MIT */
#include "sandbox/leftovers.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/fd.h"
#include "sys/tree.h"

void sb_leftovers_forget(struct sb_leftovers *leftovers)
{
	sb_fd_closep(&leftovers->layers_fd);
	free(leftovers->folder);
	leftovers->folder = NULL;
}

/* "builds/ID/N/diff" lies in "builds/ID". */
void sb_leftovers_remember(struct sb_leftovers *leftovers, const struct sb_step_spec *spec)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *step = sb_path_dir(spec->upper);

	sb_leftovers_forget(leftovers);
	if (sb_fd_dup(spec->layers_fd, &leftovers->layers_fd, &err) < 0) {
		sb_error_ignore(&err, "the next build removes it");
		return;
	}
	leftovers->folder = sb_path_dir(step);
}

void sb_leftovers_remove(struct sb_leftovers *leftovers)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (leftovers->folder != NULL && strncmp(leftovers->folder, "builds/", 7) == 0) {
		sb_autofree char *lock = sb_asprintf("%s.lock", leftovers->folder);

		if (sb_tree_remove(leftovers->layers_fd, leftovers->folder, &err) < 0)
			sb_error_ignore(&err, "the next build removes it");
		else
			(void)unlinkat(leftovers->layers_fd, lock, 0);
	}
	sb_leftovers_forget(leftovers);
}
