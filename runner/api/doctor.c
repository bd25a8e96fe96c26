/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/session.h"
#include "base/array.h"
#include "base/mem.h"
#include "layer/snapshot.h"
#include "sandbox/client.h"
#include "sandbox/network.h"
#include "sys/at.h"
#include "sys/data_overlay.h"
#include "sys/fd.h"
#include "sys/mount.h"
#include "sys/proc.h"
#include "sys/userns.h"

/*
 * Each check does the thing itself, in a child that goes away with all it made: what a build will
 * do, and not what files in /proc say about it.
 */
struct checks {
	SB_ARRAY_FIELDS(struct sb_check);
};

static void add(struct checks *checks, const char *name, enum sb_check_state state,
	const char *detail, const char *fix)
{
	*SB_ARRAY_ADD(checks) = (struct sb_check){.name = name,
		.state = state,
		.detail = sb_strdup(detail),
		.fix = sb_strdup_or_null(fix)};
}

struct trial {
	const char *root; /* the store, or NULL */
};
typedef int (*trial_fn)(const struct trial *trial, struct sb_error *err);

/* Runs a trial in a child: true, or false with what it said in *out_message (owned). */
static bool succeeds(trial_fn fn, const struct trial *trial, char **out_message)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF said = SB_BUF_INIT(4096);
	int fds[2];

	*out_message = NULL;
	if (sb_fd_pipe(fds, &err) < 0) {
		*out_message = sb_strdup(err.message);
		return false;
	}

	sb_autofd int from_child = fds[0];
	sb_autofd int to_parent = fds[1];
	const pid_t pid = fork();

	if (pid == 0) {
		const int rc = fn(trial, &err);

		if (rc < 0)
			_exit(write(to_parent, err.message, strlen(err.message)) < 0 ? 2 : 1);
		_exit(0);
	}
	sb_fd_closep(&to_parent);
	if (pid < 0 || sb_fd_read_all(from_child, &said, &err) < 0) {
		*out_message = sb_strdup("a child process could not be run");
		return false;
	}

	const bool good = sb_proc_wait(pid) == 0;

	if (!good)
		*out_message = sb_strdup(said.data);
	return good;
}

static int try_namespaces(const struct trial *trial, struct sb_error *err)
{
	(void)trial;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
		    CLONE_NEWCGROUP | CLONE_NEWNET) < 0)
		return sb_fail_errno(err, "new namespaces");
	return 0;
}

static int try_enter(const struct trial *trial, struct sb_error *err)
{
	struct sb_host_ids ids = {0};

	(void)trial;
	return sb_userns_enter(&ids, err);
}

/* As a step does: an overlay with a lower and an upper folder in the store, in which a file of the
 * lower one goes. */
static int try_overlay(const struct trial *trial, struct sb_error *err)
{
	struct sb_host_ids ids = {0};
	struct sb_session session = {.store_fd = -1};
	SB_AUTO(sb_snapshots) snapshots = NULL;
	SB_AUTO_VALUE(sb_upper) lower = {0};
	SB_AUTO_VALUE(sb_upper) upper = {0};
	SB_AUTO_STRV lowers = SB_STRV_INIT;
	sb_autofd int view = -1;
	sb_autofd int lower_fd = -1;
	sb_autofd int file = -1;

	if (sb_userns_enter(&ids, err) < 0 || sb_session_open(trial->root, &session, err) < 0 ||
		sb_snapshots_open(session.store_fd, &ids, &snapshots, err) < 0 ||
		sb_snapshots_new_upper(snapshots, &lower, err) < 0 ||
		sb_snapshots_new_upper(snapshots, &upper, err) < 0 ||
		sb_at_open_dir(sb_snapshots_fd(snapshots), lower.diff, SB_AT_NO_LINKS, &lower_fd,
			err) < 0 ||
		sb_at_create(lower_fd, "file", SB_AT_NO_LINKS, 0644, &file, err) < 0)
		return -1;
	sb_strv_add(&lowers, lower.diff);
	if (sb_snapshots_view(snapshots, &lowers, &upper, &view, err) < 0)
		return -1;
	if (unlinkat(view, "file", 0) < 0 || mkdirat(view, "file", 0755) < 0)
		return sb_fail_errno(err, "delete and make again in the overlay");
	return 0;
}

/* As for a step that mounts the build context. */
static int try_in_place(const struct trial *trial, struct sb_error *err)
{
	struct sb_host_ids ids = {0};
	struct sb_session session = {.store_fd = -1};
	SB_AUTO(sb_snapshots) snapshots = NULL;
	sb_autofd int at = -1;

	if (sb_userns_enter(&ids, err) < 0 || sb_session_open(trial->root, &session, err) < 0 ||
		sb_snapshots_open(session.store_fd, &ids, &snapshots, err) < 0 ||
		sb_snapshots_open_mount_point(snapshots, &at, err) < 0)
		return -1;
	return sb_data_overlay_probe(at) != SB_DATA_OVERLAY_NONE
		       ? 0
		       : sb_fail(err, SB_E_UNSUPPORTED, "overlayfs has no data layers here");
}

static int try_proc(const struct trial *trial, struct sb_error *err)
{
	struct sb_host_ids ids = {0};
	int fd = -1;

	(void)trial;
	if (sb_userns_enter(&ids, err) < 0)
		return -1;
	if (unshare(CLONE_NEWPID) < 0)
		return sb_fail_errno(err, "new pid namespace");

	const pid_t pid = fork();

	if (pid == 0)
		_exit(sb_mount_new("proc", NULL, 0, &fd, err) < 0 ? 1 : 0);
	if (pid < 0 || sb_proc_wait(pid) != 0)
		return sb_fail(err, SB_E_DENIED,
			"a fresh /proc can't be mounted: part of this one is masked");
	return 0;
}

static int try_noswap(const struct trial *trial, struct sb_error *err)
{
	static const struct sb_mount_option options[] = {{"noswap", NULL}, {NULL, NULL}};
	struct sb_host_ids ids = {0};
	int fd = -1;

	(void)trial;
	if (sb_userns_enter(&ids, err) < 0)
		return -1;
	return sb_mount_new("tmpfs", options, 0, &fd, err);
}

static void check_namespaces(struct checks *checks)
{
	const struct trial trial = {0};
	sb_autofree char *message = NULL;

	if (succeeds(try_namespaces, &trial, &message))
		add(checks, "user namespaces", SB_CHECK_OK,
			"user, mount, pid, ipc, uts, cgroup and network namespaces", NULL);
	else
		add(checks, "user namespaces", SB_CHECK_FAILED, message,
			"sudo sysctl -w kernel.unprivileged_userns_clone=1 "
			"user.max_user_namespaces=15000 "
			"kernel.apparmor_restrict_unprivileged_userns=0   (those that exist; in a "
			"container: start it with "
			"--security-opt seccomp=unconfined)");
}

static void check_ids(struct checks *checks)
{
	SB_AUTO_VALUE(sb_host_ids) ids = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const struct trial trial = {0};
	sb_autofree char *detail = NULL;
	sb_autofree char *message = NULL;

	if (sb_userns_probe(&ids, &detail, &err) < 0)
		add(checks, "subordinate ids", SB_CHECK_FAILED, err.message, NULL);
	else if (!succeeds(try_enter, &trial, &message))
		add(checks, "subordinate ids", SB_CHECK_FAILED, message,
			"sudo apt-get install --reinstall uidmap   (newuidmap and newgidmap must "
			"be setuid root)");
	else
		add(checks, "subordinate ids",
			ids.mode == SB_IDS_SINGLE ? SB_CHECK_DEGRADED : SB_CHECK_OK, detail,
			ids.hint);
}

static void check_overlay(struct checks *checks, const char *root)
{
	const struct trial trial = {.root = root};
	sb_autofree char *message = NULL;

	if (succeeds(try_overlay, &trial, &message))
		add(checks, "overlay", SB_CHECK_OK, "mounts in the store's file system", NULL);
	else
		add(checks, "overlay", SB_CHECK_FAILED, message,
			"put the store on ext4, xfs, btrfs or tmpfs with --root DIR; the kernel "
			"must be 5.11 or newer");
}

static void check_in_place(struct checks *checks, const char *root)
{
	const struct trial trial = {.root = root};
	sb_autofree char *message = NULL;

	if (succeeds(try_in_place, &trial, &message))
		add(checks, "build context", SB_CHECK_OK,
			"a step that mounts it reads it where it is", NULL);
	else
		add(checks, "build context", SB_CHECK_DEGRADED,
			"what a step mounts of it is copied into the store first",
			"boot Linux 6.16 or newer (6.8 does for root)");
}

static void check_proc(struct checks *checks)
{
	const struct trial trial = {0};
	sb_autofree char *message = NULL;

	if (succeeds(try_proc, &trial, &message))
		add(checks, "proc", SB_CHECK_OK, "a step can have a /proc of its own", NULL);
	else
		add(checks, "proc", SB_CHECK_FAILED, message,
			"start the container that safebuild runs in with --security-opt "
			"systempaths=unconfined");
}

static void check_seccomp(struct checks *checks)
{
	const uint32_t action = SECCOMP_RET_ERRNO;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		add(checks, "seccomp", SB_CHECK_OK, "filters can be loaded", NULL);
	else
		add(checks, "seccomp", SB_CHECK_FAILED, "this kernel has no seccomp filters",
			"boot a kernel with CONFIG_SECCOMP_FILTER=y");
}

static void check_noswap(struct checks *checks)
{
	const struct trial trial = {0};
	sb_autofree char *message = NULL;

	if (succeeds(try_noswap, &trial, &message))
		add(checks, "tmpfs noswap", SB_CHECK_OK, "secrets are never swapped", NULL);
	else
		add(checks, "tmpfs noswap", SB_CHECK_DEGRADED,
			"refused here (root only, Linux 6.4): a secret's pages are locked in "
			"memory instead",
			"sudo swapoff -a   (only if you do not trust the lock)");
}

static void check_network(struct checks *checks)
{
	const char *fix = NULL;
	const char *lacks = sb_network_lacks(&fix);

	if (lacks == NULL) {
		add(checks, "network", SB_CHECK_OK,
			"slirp4netns: steps have a network of their own", NULL);
		return;
	}

	sb_autofree char *text = sb_asprintf(
		"%s: steps use the host's network unless they say --network=none", lacks);

	add(checks, "network", SB_CHECK_DEGRADED, text, fix);
}

static void check_step_program(struct checks *checks)
{
	sb_autofree char *path = sb_sandbox_program();

	if (path != NULL)
		add(checks, "safebuild-step", SB_CHECK_OK, path, NULL);
	else
		add(checks, "safebuild-step", SB_CHECK_FAILED,
			"the program that runs each step is not there",
			"put it beside safebuild, or run 'meson install'");
}

int sb_check_host(const char *root, struct sb_check **out, size_t *out_len, struct sb_error *err)
{
	struct checks checks = {0};

	(void)err;
	check_namespaces(&checks);
	check_ids(&checks);
	check_overlay(&checks, root);
	check_in_place(&checks, root);
	check_proc(&checks);
	check_seccomp(&checks);
	check_noswap(&checks);
	check_network(&checks);
	check_step_program(&checks);
	*out = checks.items;
	*out_len = checks.len;
	return 0;
}

void sb_checks_free(struct sb_check *checks, size_t len)
{
	for (size_t i = 0; checks != NULL && i < len; i++) {
		free(checks[i].detail);
		free(checks[i].fix);
	}
	free(checks);
}
