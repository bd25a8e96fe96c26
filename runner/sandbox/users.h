/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_USERS_H
#define SB_SANDBOX_USERS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * The users and groups of a root file system, as its own /etc/passwd and /etc/group name them: for
 * USER, and for --chown. The files are resolved inside the root and read up to SB_MAX_PASSWD; one
 * that is missing is as an empty one. All ids are the image's own.
 */
struct sb_user {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary, without gid itself; owned, may be NULL */
	size_t n_groups;
	char *home; /* owned; NULL where there is no passwd entry (or it names none) */
	char *name; /* owned; the login name, NULL where there is no passwd entry */
};
#define SB_USER_INIT \
	{ \
		0 \
	}

void sb_user_release(struct sb_user *user);

/*
 * `user` is what USER says: "" (as "0"), "name", "uid", "name:group", "uid:gid" or a mixture.
 * Without a group, a user of the passwd file has its gid from there and its supplementary groups
 * from the group file, and any other uid has gid 0. With a group there are no supplementary groups.
 * Numbers need no entry. SB_E_NOT_FOUND names a user or group that is not there, SB_E_USAGE a
 * number that is no id. *out is released by the caller.
 */
int sb_user_resolve(
	int root_fd, const char *user, struct sb_user *out, struct sb_error *err) SB_MUST_USE;

/*
 * `owner` is what --chown says: "user", "user:group", "user:". A uid alone is the gid too, a name
 * alone has its passwd gid, and an empty group is 0. The files are only read where there is a name.
 * Errors as for sb_user_resolve.
 */
int sb_user_resolve_owner(int root_fd, const char *owner, uid_t *out_uid, gid_t *out_gid,
	struct sb_error *err) SB_MUST_USE;

#endif
