/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_IDMAP_H
#define SB_SYS_IDMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * How the owners inside an image stand to the owners that this process sees on disk.
 *
 * A step's root is never the user who started the build: image id N is id base + N for us. For root
 * on the host the base is the start of an unprivileged range; for a user it is 1 in the namespace
 * that the process has entered (0 is the user), and with a single id it is 0 and there is nothing
 * but that one id.
 */
struct sb_idmap {
	uid_t uid_base;
	gid_t gid_base;
	uint32_t uid_count; /* image uids 0 … uid_count - 1 can be stored */
	uint32_t gid_count;
};

static inline bool sb_idmap_has(const struct sb_idmap *map, uid_t uid, gid_t gid)
{
	return uid < map->uid_count && gid < map->gid_count;
}

/* Image id → id on disk; only for ids that sb_idmap_has. */
static inline uid_t sb_idmap_uid_to_disk(const struct sb_idmap *map, uid_t uid)
{
	return map->uid_base + uid;
}
static inline gid_t sb_idmap_gid_to_disk(const struct sb_idmap *map, gid_t gid)
{
	return map->gid_base + gid;
}

static inline bool sb_idmap_is_on_disk(const struct sb_idmap *map, uid_t uid, gid_t gid)
{
	return uid >= map->uid_base && uid - map->uid_base < map->uid_count &&
	       gid >= map->gid_base && gid - map->gid_base < map->gid_count;
}

/* Id on disk → image id; an id outside the range (the context's files) is 0, as Docker takes it. */
static inline uid_t sb_idmap_uid_from_disk(const struct sb_idmap *map, uid_t uid)
{
	return uid >= map->uid_base && uid - map->uid_base < map->uid_count ? uid - map->uid_base
									    : 0;
}
static inline gid_t sb_idmap_gid_from_disk(const struct sb_idmap *map, gid_t gid)
{
	return gid >= map->gid_base && gid - map->gid_base < map->gid_count ? gid - map->gid_base
									    : 0;
}

/*
 * Where an owner can't be stored (single id), it is recorded in this attribute as "UID:GID" in
 * decimal; it is read back when a layer is made, and never becomes part of one.
 */
#define SB_OWNER_XATTR "user.safebuild.owner"

#endif
