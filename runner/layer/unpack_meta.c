/* SPDX-License-Identifier: MIT */
#include "layer/unpack_meta.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include <archive.h>

#include "base/mem.h"
#include "layer/caps.h"
#include "layer/whiteout.h"
#include "sys/idmap.h"
#include "sys/xattr.h"

struct target {
	int dir_fd;
	const char *name;
	mode_t type;
	struct archive_entry *entry;
	const struct sb_apply_options *options;
	struct sb_notes *notes;
};

static bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* A single id: the owner can't be given, so it is written down where a layer finds it again. */
static int record_owner(
	const struct target *target, uint64_t uid, uint64_t gid, struct sb_error *err)
{
	sb_autofree char *text = sb_asprintf("%" PRIu64 ":%" PRIu64, uid, gid);
	sb_autofree char *before = NULL;
	size_t len = 0;

	if (!S_ISREG(target->type) && !S_ISDIR(target->type)) {
		if (uid != 0 || gid != 0)
			sb_note_once(target->notes, SB_NOTE_OWNER,
				"with a single id, links and special files can't keep their owner "
				"(first: '%s', %s)",
				target->name, text);
		return 0;
	}
	if (sb_xattr_get(target->dir_fd, target->name, SB_OWNER_XATTR, &before, &len, err) < 0)
		return -1;
	if (uid == 0 && gid == 0 && before == NULL)
		return 0;
	return sb_xattr_set(target->dir_fd, target->name, SB_OWNER_XATTR, text, strlen(text), err);
}

static int set_owner(const struct target *target, struct sb_error *err)
{
	const struct sb_apply_options *options = target->options;
	const struct sb_idmap *ids = &options->ids;
	const int64_t uid =
		options->has_owner ? options->owner_uid : archive_entry_uid(target->entry);
	const int64_t gid =
		options->has_owner ? options->owner_gid : archive_entry_gid(target->entry);

	if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return sb_fail(err, SB_E_INTEGRITY, "owner %" PRId64 ":%" PRId64 " is not valid",
			uid, gid);
	if (ids->uid_count == 1)
		return record_owner(target, (uint64_t)uid, (uint64_t)gid, err);
	if (!sb_idmap_has(ids, (uid_t)uid, (gid_t)gid)) {
		(void)sb_fail(err, SB_E_UNSUPPORTED,
			"owner %" PRId64 ":%" PRId64 " is outside the range of ids, 0 to %u", uid,
			gid,
			(ids->uid_count < ids->gid_count ? ids->uid_count : ids->gid_count) - 1);
		return sb_error_hint(err,
			"give the user a larger range in /etc/subuid and /etc/subgid, at least "
			"%" PRId64 " ids",
			(uid > gid ? uid : gid) + 1);
	}
	if (fchownat(target->dir_fd, target->name, sb_idmap_uid_to_disk(ids, (uid_t)uid),
		    sb_idmap_gid_to_disk(ids, (gid_t)gid), AT_SYMLINK_NOFOLLOW) < 0)
		return sb_fail_errno(err, "set owner %" PRId64 ":%" PRId64, uid, gid);
	return 0;
}

static int set_user_attr(const struct target *target, const char *attr, const void *value,
	size_t len, struct sb_error *err)
{
	if (has_prefix(attr, SB_OVERLAY_XATTRS) || strcmp(attr, SB_OWNER_XATTR) == 0) {
		sb_note_once(target->notes, SB_NOTE_ESCAPED_OVERLAY,
			"attributes that have a meaning of their own here were dropped (first: "
			"'%s' "
			"of '%s')",
			attr, target->name);
		return 0;
	}
	if (!S_ISREG(target->type) && !S_ISDIR(target->type)) {
		sb_note_once(target->notes, SB_NOTE_SPECIAL_ATTRIBUTE,
			"links and special files can't have user.* attributes; dropped (first: "
			"'%s' of '%s')",
			attr, target->name);
		return 0;
	}
	if (sb_xattr_set(target->dir_fd, target->name, attr, value, len, err) == 0)
		return 0;
	if (err->os_errno != ENOTSUP)
		return -1;
	sb_error_ignore(err, "the file system has no attributes: said once");
	sb_note_once(target->notes, SB_NOTE_ATTRIBUTE,
		"the store's file system does not keep attributes (first: '%s' of '%s')", attr,
		target->name);
	return 0;
}

static void note_other_attr(const struct target *target, const char *attr)
{
	if (strcmp(attr, SB_CAPS_XATTR) == 0)
		return; /* set later */
	if (has_prefix(attr, "trusted."))
		sb_note_once(target->notes, SB_NOTE_TRUSTED,
			"trusted.* attributes can't be kept and were dropped (first: '%s' of '%s')",
			attr, target->name);
	else
		sb_note_once(target->notes, SB_NOTE_ATTRIBUTE,
			"only user.* attributes and capabilities are kept; others were dropped "
			"(first: '%s' of '%s')",
			attr, target->name);
}

/* While the owner is still ours and the mode allows it: user.* needs write permission. */
static int set_user_attrs(const struct target *target, struct sb_error *err)
{
	const char *attr = NULL;
	const void *value = NULL;
	size_t len = 0;

	(void)archive_entry_xattr_reset(target->entry);
	while (archive_entry_xattr_next(target->entry, &attr, &value, &len) == ARCHIVE_OK) {
		if (!has_prefix(attr, "user."))
			note_other_attr(target, attr);
		else if (set_user_attr(target, attr, value, len, err) < 0)
			return -1;
	}
	return 0;
}

static int set_caps(const struct target *target, struct sb_error *err)
{
	const char *attr = NULL;
	const void *value = NULL;
	size_t len = 0;

	(void)archive_entry_xattr_reset(target->entry);
	while (archive_entry_xattr_next(target->entry, &attr, &value, &len) == ARCHIVE_OK) {
		struct vfs_ns_cap_data caps;
		size_t caps_len = 0;

		if (strcmp(attr, SB_CAPS_XATTR) != 0)
			continue;
		if (!S_ISREG(target->type) ||
			!sb_caps_to_disk(
				value, len, target->options->ids.uid_base, &caps, &caps_len)) {
			sb_note_once(target->notes, SB_NOTE_CAPABILITY,
				"capabilities that do not belong to the image's root were dropped "
				"(first: '%s')",
				target->name);
			continue;
		}
		if (sb_xattr_set(
			    target->dir_fd, target->name, SB_CAPS_XATTR, &caps, caps_len, err) < 0)
			return -1;
	}
	return 0;
}

struct timespec sb_unpack_mtime(struct archive_entry *entry)
{
	if (!archive_entry_mtime_is_set(entry))
		return (struct timespec){0};
	return (struct timespec){
		.tv_sec = archive_entry_mtime(entry), .tv_nsec = archive_entry_mtime_nsec(entry)};
}

int sb_unpack_meta(int dir_fd, const char *name, mode_t type, struct archive_entry *entry,
	const struct sb_apply_options *options, struct sb_notes *notes, struct sb_error *err)
{
	const struct target target = {
		.dir_fd = dir_fd,
		.name = name,
		.type = type,
		.entry = entry,
		.options = options,
		.notes = notes,
	};
	const struct timespec mtime = sb_unpack_mtime(entry);
	const struct timespec times[2] = {mtime, mtime};

	if (set_user_attrs(&target, err) < 0 || set_owner(&target, err) < 0)
		return -1;
	/* The mode of a link means nothing, and can't be set. */
	if (!S_ISLNK(type) && fchmodat(dir_fd, name, archive_entry_perm(entry) & 07777, 0) < 0)
		return sb_fail_errno(err, "set mode");
	if (set_caps(&target, err) < 0)
		return -1;
	if (!S_ISDIR(type) && utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return sb_fail_errno(err, "set time");
	return 0;
}
