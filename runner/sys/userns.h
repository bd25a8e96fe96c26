/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_USERNS_H
#define SB_SYS_USERNS_H

#include <stdbool.h>

#include "base/error.h"
#include "sys/idmap.h"

/*
 * The ids that this host lets us use, and the namespaces that safebuild itself lives in.
 *
 * SB_IDS_ROOT    started as root: we stay root, with a mount namespace of our own; images are owned
 * by an unprivileged range (root's in /etc/subuid, else the last 65536 ids of the range that
 * systemd sets aside for containers). SB_IDS_RANGE   a user with subordinate ids: a user namespace
 * in which 0 is the user and 1… are the subordinate ids (newuidmap, newgidmap; package uidmap).
 * SB_IDS_SINGLE  a user without: a user namespace with the user as its only id.
 */
enum sb_ids_mode { SB_IDS_ROOT, SB_IDS_RANGE, SB_IDS_SINGLE };

struct sb_host_ids {
	enum sb_ids_mode mode;
	struct sb_idmap ids;
	/* The host's id of image id 0, and how many: names the folder of unpacked layers. */
	uid_t host_uid_base;
	gid_t host_gid_base;
	char *notice; /* what is degraded, or NULL; owned */
	char *hint;   /* what to do about it, or NULL; owned */
};
void sb_host_ids_release(struct sb_host_ids *ids);

/*
 * Enters them: unshares the mount namespace (made private) and, unless root, the user namespace.
 * Once a process, before it has threads. SB_E_DENIED and SB_E_UNSUPPORTED carry a hint.
 */
int sb_userns_enter(struct sb_host_ids *out, struct sb_error *err) SB_MUST_USE;

/* What sb_userns_enter would find, without entering: for `doctor`. detail: one line; owned by the
 * caller. */
int sb_userns_probe(struct sb_host_ids *out, char **out_detail, struct sb_error *err) SB_MUST_USE;

/*
 * The lines "inside outside len" that map 0 … count - 1 to base…, cut where own_map (the text of
 * /proc/self/uid_map) has its borders; ids that it does not have are left out. Caller frees.
 */
char *sb_userns_child_map(const char *own_map, uint32_t base, uint32_t count);

/*
 * Writes the id maps of a child that was made with CLONE_NEWUSER: image ids 0 … count - 1 become
 * ids->base…. The map is cut where our own map has its borders, as the kernel demands.
 */
int sb_userns_map_child(pid_t child, const struct sb_idmap *ids, struct sb_error *err) SB_MUST_USE;

#endif
