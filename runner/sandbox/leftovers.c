/* SPDX-License-Identifier: MIT */
#include "sandbox/leftovers.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/quarantine.h"
#include "sys/tree.h"

void sb_leftovers_forget(struct sb_leftovers *leftovers)
{
	sb_fd_closep(&leftovers->layers_fd);
	free(leftovers->folder);
	free(leftovers->holder);
	leftovers->folder = leftovers->holder = NULL;
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
	leftovers->holder = sb_quarantine_holder(step);
}

/* Those that the step had a secret beside, and that nobody searched (layer/snapshot.h). */
static void empty_caches(int layers_fd, const char *holder)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int caches = -1;

	if (sb_at_open_dir(layers_fd, "cache", SB_AT_NO_LINKS, &caches, &err) < 0 ||
		sb_quarantine_discard(caches, holder, &err) < 0)
		sb_error_ignore(&err, "the next build empties them");
}

void sb_leftovers_remove(struct sb_leftovers *leftovers)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int builds = -1;

	if (leftovers->folder != NULL && strncmp(leftovers->folder, "builds/", 7) == 0 &&
		strchr(leftovers->folder + 7, '/') == NULL) {
		const char *name = leftovers->folder + 7;
		sb_autofree char *lock = sb_asprintf("%s.lock", name);

		empty_caches(leftovers->layers_fd, leftovers->holder);
		if (sb_at_open_dir(leftovers->layers_fd, "builds", SB_AT_NO_LINKS, &builds, &err) <
				0 ||
			sb_tree_remove(builds, name, &err) < 0)
			sb_error_ignore(&err, "the next build removes it");
		else
			(void)unlinkat(builds, lock, 0);
	}
	sb_leftovers_forget(leftovers);
}
