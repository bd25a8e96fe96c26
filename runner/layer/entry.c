/* SPDX-License-Identifier: MIT */
#include "layer/entry.h"

#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "layer/caps.h"
#include "layer/whiteout.h"

/* What the attributes of one entry are sorted into. */
struct reading {
	const char *path;
	const struct sb_idmap *ids;
	struct sb_notes *notes;
	struct sb_entry *entry;
};

static bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool value_is(const struct sb_xattr *attr, const char *value)
{
	return attr->len == strlen(value) && memcmp(attr->value, value, attr->len) == 0;
}

static void keep(struct reading *r, struct sb_xattr *attr)
{
	*SB_ARRAY_ADD(&r->entry->xattrs) = *attr;
	*attr = (struct sb_xattr){0};
}

static int read_overlay_attr(struct reading *r, const struct sb_xattr *attr, struct sb_error *err)
{
	if (has_prefix(attr->name, SB_OVERLAY_ESCAPED))
		sb_note_once(r->notes, SB_NOTE_ESCAPED_OVERLAY,
			"attributes named user.overlay.* can't be stored in a layer and were "
			"dropped "
			"(first: '/%s')",
			r->path);
	else if (strcmp(attr->name, SB_OVERLAY_OPAQUE) == 0)
		r->entry->is_opaque = S_ISDIR(r->entry->st.st_mode) && value_is(attr, "y");
	else if (strcmp(attr->name, SB_OVERLAY_WHITEOUT) == 0)
		r->entry->is_whiteout = S_ISREG(r->entry->st.st_mode) && r->entry->st.st_size == 0;
	else if (strcmp(attr->name, SB_OVERLAY_XATTRS "redirect") == 0 ||
		 strcmp(attr->name, SB_OVERLAY_XATTRS "metacopy") == 0)
		return sb_fail(err, SB_E_UNSUPPORTED,
			"'/%s' has the overlay attribute '%s': its content stands elsewhere",
			r->path, attr->name);
	return 0;
}

/*
 * Only where there is but one id, so that owners can't be stored, is the recorded one believed:
 * elsewhere it would let any user of a step make files of root's.
 */
static void read_owner(struct reading *r, const struct sb_xattr *attr)
{
	sb_autofree char *uid_text = sb_memdup0(attr->value, attr->len);
	char *gid_text = strchr(uid_text, ':');
	uint64_t uid = 0;
	uint64_t gid = 0;

	if (r->ids->uid_count != 1 || gid_text == NULL)
		return;
	*gid_text++ = '\0';
	if (!sb_number_parse(uid_text, 10, UINT32_MAX - 1, &uid) ||
		!sb_number_parse(gid_text, 10, UINT32_MAX - 1, &gid))
		return;
	r->entry->uid = (uid_t)uid;
	r->entry->gid = (gid_t)gid;
}

static void read_caps(struct reading *r, struct sb_xattr *attr)
{
	struct vfs_cap_data caps;

	if (!sb_caps_from_disk(attr->value, attr->len, r->ids->uid_base, &caps)) {
		sb_note_once(r->notes, SB_NOTE_CAPABILITY,
			"capabilities that do not belong to the image's root were dropped "
			"(first: '/%s')",
			r->path);
		return;
	}
	free(attr->value);
	attr->value = sb_memdup0(&caps, sizeof(caps));
	attr->len = sizeof(caps);
	keep(r, attr);
}

static void drop(struct reading *r, const struct sb_xattr *attr)
{
	/* Labels and measurements belong to the host's policy, and stand on every file there. */
	if (has_prefix(attr->name, "security.") || has_prefix(attr->name, "trusted.overlay."))
		return;
	if (has_prefix(attr->name, "system.posix_acl_"))
		sb_note_once(r->notes, SB_NOTE_ACL,
			"access control lists can't be stored in a layer and were dropped "
			"(first: '/%s')",
			r->path);
	else if (has_prefix(attr->name, "trusted."))
		sb_note_once(r->notes, SB_NOTE_TRUSTED,
			"trusted.* attributes can't be stored in a layer and were dropped "
			"(first: '%s' of '/%s')",
			attr->name, r->path);
	else
		sb_note_once(r->notes, SB_NOTE_ATTRIBUTE,
			"only user.* attributes and capabilities are stored in a layer; others "
			"were "
			"dropped (first: '%s' of '/%s')",
			attr->name, r->path);
}

static int read_attr(struct reading *r, struct sb_xattr *attr, struct sb_error *err)
{
	if (has_prefix(attr->name, SB_OVERLAY_XATTRS))
		return read_overlay_attr(r, attr, err);
	if (strcmp(attr->name, SB_OWNER_XATTR) == 0)
		read_owner(r, attr);
	else if (strcmp(attr->name, SB_CAPS_XATTR) == 0)
		read_caps(r, attr);
	else if (!has_prefix(attr->name, "user."))
		drop(r, attr);
	else if (strchr(attr->name, '=') != NULL) /* ends the name in a pax record, pax(1) */
		sb_note_once(r->notes, SB_NOTE_ATTRIBUTE_NAME,
			"attributes with '=' in their name can't be stored in a layer and were "
			"dropped (first: '%s' of '/%s')",
			attr->name, r->path);
	else
		keep(r, attr);
	return 0;
}

int sb_entry_read(int dir_fd, const char *name, const char *path, const struct sb_idmap *ids,
	struct sb_notes *notes, struct sb_entry *out, bool *out_exists, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_entry) entry = {0};
	SB_AUTO_VALUE(sb_xattrs) attrs = {0};
	struct reading reading = {.path = path, .ids = ids, .notes = notes, .entry = &entry};

	*out_exists = false;
	if (fstatat(dir_fd, name, &entry.st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : sb_fail_errno(err, "'/%s'", path);
	entry.uid = sb_idmap_uid_from_disk(ids, entry.st.st_uid);
	entry.gid = sb_idmap_gid_from_disk(ids, entry.st.st_gid);
	entry.is_whiteout = sb_whiteout_is_device(&entry.st);
	/* user.* and capabilities exist on files and folders only (xattr(7)). */
	if (S_ISREG(entry.st.st_mode) || S_ISDIR(entry.st.st_mode)) {
		if (sb_xattr_list(dir_fd, name, &attrs, err) < 0)
			return sb_error_context(err, "'/%s'", path);
		SB_ARRAY_FOREACH (&attrs, attr)
			if (read_attr(&reading, attr, err) < 0)
				return -1;
	}
	*out = entry;
	entry = (struct sb_entry){0};
	*out_exists = true;
	return 0;
}

void sb_entry_release(struct sb_entry *entry)
{
	sb_xattrs_release(&entry->xattrs);
}

bool sb_xattrs_equal(const struct sb_xattrs *a, const struct sb_xattrs *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		const struct sb_xattr *x = &a->items[i];
		const struct sb_xattr *y = &b->items[i];

		if (strcmp(x->name, y->name) != 0 || x->len != y->len ||
			memcmp(x->value, y->value, x->len) != 0)
			return false;
	}
	return true;
}
