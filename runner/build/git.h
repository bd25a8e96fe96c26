/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_GIT_H
#define SB_BUILD_GIT_H

#include "base/error.h"
#include "leak/secrets.h"
#include "plan/remote.h"
#include "sys/interrupt.h"

/*
 * A repository's files, by the host's git.
 *
 * git runs without a terminal, without the configuration of the system and of the user, without
 * hooks and filters (Git LFS too: its pointers stay pointers), and with the protocols https, http,
 * ssh and git alone. Submodules are taken by https and ssh, and by the protocol of the repository
 * itself unless that is a local one.
 *
 * Credentials: for a repository that the user named himself (by_user), his ssh keys and agent, and
 * ~/.netrc, and the secrets GIT_AUTH_TOKEN and GIT_AUTH_HEADER; for any, a user name and password
 * in its address, the secrets GIT_AUTH_TOKEN.HOST and GIT_AUTH_HEADER.HOST, and the agent of --ssh.
 * What a Buildfile names gets nothing that was not given for it. They are sent to the host's own
 * https (on this machine also http), are in git's environment alone, and no redirect is followed
 * with them.
 */
struct sb_git_options {
	const struct sb_remote *remote;
	const char *commit; /* --checksum: the beginning of the commit's or tag's hash, or NULL */
	bool keep_git_dir;
	bool by_user;                     /* named on the command line: file:// is allowed too */
	const struct sb_secrets *secrets; /* may be NULL */
	int agent_fd; /* the ssh agent of --ssh, for what the user did not name; or -1 */
	struct sb_interrupt *interrupt;
	void (*on_tick)(void *data); /* may be NULL */
	void *data;
};

/*
 * Makes the folder `name` in dir_fd, which must not be there, and fills it with what is checked
 * out: modes 0644 and 0755, all times that of the commit, .git only if it is to be kept. *out_fd is
 * the folder, or what remote->subdir names in it.
 *
 * SB_E_UNSUPPORTED where git is not installed, SB_E_NOT_FOUND for a ref or folder that is not
 * there, SB_E_INTEGRITY for another commit than `commit`, SB_E_AUTH, SB_E_NETWORK.
 */
int sb_git_fetch(const struct sb_git_options *options, int dir_fd, const char *name, int *out_fd,
	struct sb_error *err) SB_MUST_USE;

#endif
