/* SPDX-License-Identifier: MIT */
#include "layer/caps.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* Reads versions 2 and 3 into the layout of version 3, with rootid 0 for version 2. Version 1 can't
 * be set since Linux 4.14. */
static bool parse(const void *value, size_t len, struct vfs_ns_cap_data *out)
{
	*out = (struct vfs_ns_cap_data){0};
	if (len != XATTR_CAPS_SZ_2 && len != XATTR_CAPS_SZ_3)
		return false;
	memcpy(out, value, len);

	const uint32_t revision = le32toh(out->magic_etc) & VFS_CAP_REVISION_MASK;

	return revision == (len == XATTR_CAPS_SZ_2 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3);
}

static void set_revision(struct vfs_ns_cap_data *caps, uint32_t revision)
{
	const uint32_t effective = le32toh(caps->magic_etc) & VFS_CAP_FLAGS_EFFECTIVE;

	caps->magic_etc = htole32(revision | effective);
}

bool sb_caps_from_disk(
	const void *value, size_t len, uid_t uid_base, struct vfs_cap_data *out_image)
{
	struct vfs_ns_cap_data caps;

	if (!parse(value, len, &caps) || le32toh(caps.rootid) != uid_base)
		return false;
	set_revision(&caps, VFS_CAP_REVISION_2);
	memcpy(out_image, &caps, sizeof(*out_image));
	return true;
}

bool sb_caps_to_disk(const void *value, size_t len, uid_t uid_base,
	struct vfs_ns_cap_data *out_disk, size_t *out_len)
{
	if (!parse(value, len, out_disk) || out_disk->rootid != 0)
		return false;
	set_revision(out_disk, uid_base != 0 ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2);
	out_disk->rootid = htole32(uid_base);
	*out_len = uid_base != 0 ? XATTR_CAPS_SZ_3 : XATTR_CAPS_SZ_2;
	return true;
}
