/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_CAPS_H
#define SB_LAYER_CAPS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * File capabilities (security.capability; include/uapi/linux/capability.h, capabilities(7) "File
 * capability extended attribute versioning").
 *
 * An image holds version 2, which says nothing of namespaces. On disk, below an id base, stands
 * version 3, which names the user that is root of the namespace where the capabilities count.
 */
#define SB_CAPS_XATTR "security.capability"

/* Gives the image's form. False where these are not capabilities that root of the image has. */
bool sb_caps_from_disk(
	const void *value, size_t len, uid_t uid_base, struct vfs_cap_data *out_image);

/* Gives the form for the disk and its length (version 2 where the base is 0). False where the value
 * is not an image's capabilities. */
bool sb_caps_to_disk(const void *value, size_t len, uid_t uid_base,
	struct vfs_ns_cap_data *out_disk, size_t *out_len);

#endif
