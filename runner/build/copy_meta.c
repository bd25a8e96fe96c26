/* SPDX-License-Identifier: MIT */
#include "build/copy_meta.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "sandbox/users.h"
#include "sys/xattr.h"

int sb_copy_work_init(struct sb_copy_work *work, const struct sb_copy *copy, struct sb_error *err)
{
	*work = (struct sb_copy_work){.copy = copy, .contents = {.interrupt = copy->interrupt}};
	if (sb_mode_change_parse(copy->chmod, &work->mode, err) < 0)
		return -1;
	if (copy->chown == NULL || copy->chown[0] == '\0')
		return 0;
	if (sb_user_resolve_owner(copy->root_fd, copy->chown, &work->uid, &work->gid, err) < 0) {
		if (copy->is_link && err->code == SB_E_NOT_FOUND) {
			sb_error_release(err);
			(void)sb_fail(err, SB_E_NOT_FOUND,
				"--link copies into an empty layer, which knows no users and "
				"groups");
			(void)sb_error_hint(err, "give numbers, or leave --link out");
		}
		return sb_error_context(err, "--chown '%s'", copy->chown);
	}
	work->has_owner = true;
	return 0;
}

void sb_copy_work_release(struct sb_copy_work *work)
{
	sb_losses_release(&work->losses);
	sb_copied_links_release(&work->links);
	sb_content_copier_release(&work->contents);
}

static bool parse_recorded_owner(const char *text, uid_t *uid, gid_t *gid)
{
	sb_autofree char *copy = sb_strdup(text);
	char *group = strchr(copy, ':');
	uint64_t u = 0;
	uint64_t g = 0;

	if (group == NULL)
		return false;
	*group++ = '\0';
	if (!sb_number_parse(copy, 10, UINT32_MAX - 1, &u) ||
		!sb_number_parse(group, 10, UINT32_MAX - 1, &g))
		return false;
	*uid = (uid_t)u;
	*gid = (gid_t)g;
	return true;
}

/* The image owner that the copy is to have. */
static void target_owner(const struct sb_copy_work *work, const struct stat *st,
	const struct sb_xattrs *attrs, uid_t *uid, gid_t *gid)
{
	const struct sb_copy *copy = work->copy;

	*uid = work->uid;
	*gid = work->gid;
	if (work->has_owner || copy->source_is_context)
		return; /* uid and gid are 0 without --chown */
	*uid = sb_idmap_uid_from_disk(&copy->ids, st->st_uid);
	*gid = sb_idmap_gid_from_disk(&copy->ids, st->st_gid);
	SB_ARRAY_FOREACH (attrs, attr)
		if (strcmp(attr->name, SB_OWNER_XATTR) == 0)
			(void)parse_recorded_owner(attr->value, uid, gid);
}

static int record_owner(struct sb_copy_work *work, struct sb_copy_entry to, uid_t uid, gid_t gid,
	const char *path, struct sb_error *err)
{
	char text[32];
	SB_AUTO_ERROR failure = SB_ERROR_INIT;
	const int len =
		snprintf(text, sizeof(text), "%" PRIu32 ":%" PRIu32, (uint32_t)uid, (uint32_t)gid);

	if (sb_xattr_set(to.dir_fd, to.name, SB_OWNER_XATTR, text, (size_t)len, &failure) == 0)
		return 0;
	/* Links and special files take no user.* attribute (xattr(7)), and not every file system
	 * has them: that owner is lost, which is said once. Anything else is a real failure. */
	if (failure.os_errno == EPERM || failure.os_errno == ENOTSUP) {
		sb_losses_note(&work->losses, SB_LOSS_OWNER, path);
		return 0;
	}
	sb_error_move(err, &failure);
	return -1;
}

/* A folder that was there before may carry the record of an owner that it has no longer. */
static int has_recorded_owner(struct sb_copy_entry to, bool *out, struct sb_error *err)
{
	sb_autofree char *value = NULL;
	size_t len = 0;

	if (sb_xattr_get(to.dir_fd, to.name, SB_OWNER_XATTR, &value, &len, err) < 0)
		return -1;
	*out = value != NULL;
	return 0;
}

static int set_owner(struct sb_copy_work *work, struct sb_copy_entry to, bool is_dir, uid_t uid,
	gid_t gid, const char *path, struct sb_error *err)
{
	const struct sb_idmap *ids = &work->copy->ids;
	const bool can_store = sb_idmap_has(ids, uid, gid);
	bool is_recorded = false;

	/* With a single id everything that we make has it already, and chown(2) to it may even be
	 * refused. */
	if (ids->uid_count > 1 &&
		fchownat(to.dir_fd, to.name, sb_idmap_uid_to_disk(ids, can_store ? uid : 0),
			sb_idmap_gid_to_disk(ids, can_store ? gid : 0), AT_SYMLINK_NOFOLLOW) < 0)
		return sb_fail_errno(err, "set the owner of '%s'", path);
	if (can_store && is_dir && has_recorded_owner(to, &is_recorded, err) < 0)
		return -1;
	if (can_store && !is_recorded)
		return 0;
	return record_owner(work, to, uid, gid, path, err);
}

static int set_mode(
	struct sb_copy_entry to, mode_t type, mode_t mode, const char *path, struct sb_error *err)
{
	if (!S_ISLNK(type) && fchmodat(to.dir_fd, to.name, mode & 07777, 0) < 0)
		return sb_fail_errno(err, "set the mode of '%s'", path);
	return 0;
}

bool sb_copy_takes_attribute(const char *name)
{
	if (strcmp(name, "security.capability") == 0)
		return true;
	return strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0 &&
	       strcmp(name, SB_OWNER_XATTR) != 0;
}

static void set_attributes(struct sb_copy_work *work, struct sb_copy_entry to,
	const struct sb_xattrs *attrs, const char *path)
{
	SB_ARRAY_FOREACH (attrs, attr) {
		SB_AUTO_ERROR failure = SB_ERROR_INIT;

		if (sb_copy_takes_attribute(attr->name) &&
			sb_xattr_set(to.dir_fd, to.name, attr->name, attr->value, attr->len,
				&failure) < 0)
			sb_losses_note(&work->losses, SB_LOSS_XATTR, path);
	}
}

int sb_copy_times(
	struct sb_copy_entry to, const struct stat *st, const char *path, struct sb_error *err)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st->st_mtim};

	if (utimensat(to.dir_fd, to.name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return sb_fail_errno(err, "set the time of '%s'", path);
	return 0;
}

int sb_copy_metadata(struct sb_copy_work *work, struct sb_copy_entry from, const struct stat *st,
	struct sb_copy_entry to, const char *path, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_xattrs) attrs = {0};
	SB_AUTO_ERROR failure = SB_ERROR_INIT;
	const bool is_dir = S_ISDIR(st->st_mode);
	const mode_t mode = sb_mode_change_apply(&work->mode, st->st_mode, is_dir);
	uid_t uid = 0;
	gid_t gid = 0;

	if (sb_xattr_list(from.dir_fd, from.name, &attrs, &failure) < 0)
		sb_losses_note(&work->losses, SB_LOSS_XATTR, path);
	target_owner(work, st, &attrs, &uid, &gid);
	if (set_owner(work, to, is_dir, uid, gid, path, err) < 0)
		return -1;
	/* Before the mode: user.* attributes want a file that we may write (xattr(7)). */
	set_attributes(work, to, &attrs, path);
	if (set_mode(to, st->st_mode, mode, path, err) < 0)
		return -1;
	return sb_copy_times(to, st, path, err);
}

int sb_copy_mode(
	struct sb_copy_entry to, const struct stat *st, const char *path, struct sb_error *err)
{
	return set_mode(to, st->st_mode, st->st_mode, path, err);
}

int sb_copy_own_new(struct sb_copy_work *work, struct sb_copy_entry to, mode_t mode,
	const char *path, struct sb_error *err)
{
	if (set_owner(work, to, false, work->uid, work->gid, path, err) < 0)
		return -1;
	return set_mode(to, S_IFREG, mode, path, err);
}
