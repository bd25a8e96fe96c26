/* SPDX-License-Identifier: MIT */
#include "build/instructions.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/commit.h"
#include "build/stack.h"
#include "build/step_cache.h"
#include "build/step_key.h"
#include "sandbox/users.h"
#include "sys/at.h"
#include "sys/fd.h"

/* The working directory exists after WORKDIR, owned by the stage's user where it was made. */
static int make_workdir(
	const struct sb_do *d, const char *path, const struct sb_upper *upper, struct sb_error *err)
{
	__attribute__((cleanup(sb_user_release))) struct sb_user user = SB_USER_INIT;
	const struct sb_idmap *ids = &d->build->host->ids;
	sb_autofd int root_fd = -1;
	sb_autofree char *canonical = NULL;

	if (sb_stack_view(d->build, &d->state->lowers, upper, &root_fd, err) < 0 ||
		sb_at_canonical(root_fd, path, &canonical, err) < 0 ||
		sb_user_resolve(root_fd, d->state->config->user, &user, err) < 0)
		return -1;
	if (!sb_idmap_has(ids, user.uid, user.gid))
		user.uid = user.gid = 0;

	sb_autofree char *rest = sb_path_below_root(canonical);
	sb_autofd int at = -1;

	if (sb_at_open_dir(root_fd, ".", SB_AT_NO_LINKS, &at, err) < 0)
		return -1;
	for (char *saved = NULL, *part = strtok_r(rest, "/", &saved); part != NULL;
		part = strtok_r(NULL, "/", &saved)) {
		sb_autofd int next = -1;
		const bool is_new = mkdirat(at, part, 0755) == 0;

		if (!is_new && errno != EEXIST)
			return sb_fail_errno(err, "make '%s'", path);
		if (is_new &&
			(fchownat(at, part, sb_idmap_uid_to_disk(ids, user.uid),
				 sb_idmap_gid_to_disk(ids, user.gid), AT_SYMLINK_NOFOLLOW) < 0 ||
				fchmodat(at, part, 0755, 0) < 0))
			return sb_fail_errno(err, "make '%s'", path);
		if (sb_at_open_dir(at, part, SB_AT_NO_LINKS, &next, err) < 0)
			return sb_error_context(err, "working directory '%s'", path);
		sb_fd_closep(&at);
		at = sb_fd_steal(&next);
	}
	return 0;
}

static int make_or_use(
	const struct sb_do *d, const char *path, const char *by, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_upper) upper = {0};
	SB_AUTO_VALUE(sb_step_cache) cache = SB_STEP_CACHE_INIT;
	SB_AUTO_VALUE(sb_key) key = SB_KEY_INIT;
	const struct sb_written written = {.upper = &upper, .lower_fd = -1, .cache = &cache};
	const struct sb_step_scope scope = sb_step_scope_of(d);
	bool is_done = false;

	sb_key_of_workdir(&scope, path, d->state->config->user, &key);
	if (sb_step_cache_begin(
		    d, d->state->is_unknown ? NULL : &key, false, by, &cache, &is_done, err) < 0)
		return -1;
	if (is_done)
		return 0;
	if (sb_snapshots_new_upper(d->build->snapshots, &upper, err) < 0 ||
		make_workdir(d, path, &upper, err) < 0)
		return -1;
	return sb_commit(d, &written, by, err);
}

int sb_do_workdir(const struct sb_do *d, struct sb_error *err)
{
	sb_autofree char *word = NULL;

	if (sb_do_expand(d, d->instr->words.items[0], &word, err) < 0)
		return -1;
	if (word[0] == '\0')
		return sb_fail(
			err, SB_E_SYNTAX, "WORKDIR is blank after its variables are expanded");

	sb_autofree char *path = sb_path_resolve(sb_stage_state_workdir(d->state), word);
	sb_autofree char *by = sb_asprintf("WORKDIR %s", path);

	free(d->state->config->working_dir);
	d->state->config->working_dir = sb_strdup(path);
	if (strcmp(path, "/") == 0) {
		sb_commit_metadata(d->build, d->state, by);
		return 0;
	}
	if (make_or_use(d, path, by, err) == 0)
		return 0;
	if (err->code == SB_E_LEAK)
		(void)sb_error_hint(err, "the names of folders are part of the image: choose one "
					 "that does not hold the secret");
	return -1;
}
