/* SPDX-License-Identifier: MIT */
#include "sys/userns.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strv.h"
#include "sys/extents.h"
#include "sys/fd.h"
#include "sys/proc.h"

enum {
	IDS_WANTED = 65536, /* what images use: nobody is 65534 */
	/* The last 64 Ki ids of systemd's range for containers (524288 to 1879048191). */
	ROOT_DEFAULT_BASE = 1878982656,
};

void sb_host_ids_release(struct sb_host_ids *ids)
{
	free(ids->notice);
	free(ids->hint);
	*ids = (struct sb_host_ids){0};
}

static int read_text(const char *path, struct sb_buf *out, struct sb_error *err)
{
	sb_autofd int fd = -1;

	if (sb_fd_open_user(path, "file", &fd, err) < 0)
		return -1;
	return sb_fd_read_all(fd, out, err);
}

static int read_own_map(const char *path, struct sb_extents *out, struct sb_error *err)
{
	SB_AUTO_BUF text = SB_BUF_INIT(1 << 20);

	if (read_text(path, &text, err) < 0)
		return -1;
	sb_extents_parse_map(text.data, out);
	return 0;
}

/* The ranges that /etc/subuid or /etc/subgid (subuid(5)) gives a user, by name or by number. */
/* Nothing where there is no such file. */
static int read_subid_file(const char *path, struct sb_buf *out, struct sb_error *err)
{
	SB_AUTO_ERROR missing = SB_ERROR_INIT;

	if (read_text(path, out, &missing) == 0 || missing.code == SB_E_NOT_FOUND)
		return 0;
	sb_error_move(err, &missing);
	return -1;
}

static int read_subids(
	const char *path, const char *name, uid_t uid, struct sb_extents *out, struct sb_error *err)
{
	SB_AUTO_BUF text = SB_BUF_INIT(8 << 20);

	if (read_subid_file(path, &text, err) < 0)
		return -1;
	if (text.data != NULL)
		sb_extents_parse_subids(text.data, name, uid, out);
	return 0;
}

/* The command that gives the user a range that is nobody else's. */
static char *add_subids_command(const char *name)
{
	static const char *const files[] = {"/etc/subuid", "/etc/subgid"};
	uint64_t first = 100000; /* where usermod itself begins */

	for (size_t i = 0; i < 2; i++) {
		SB_AUTO_BUF text = SB_BUF_INIT(8 << 20);
		SB_AUTO_ERROR ignored = SB_ERROR_INIT;
		uint64_t end = 0;

		if (read_subid_file(files[i], &text, &ignored) < 0)
			sb_error_ignore(&ignored, "usermod will say what is wrong with it");
		else if (text.data != NULL)
			end = sb_extents_subids_end(text.data);
		first = end > first ? end : first;
	}

	const unsigned long long last = first + IDS_WANTED - 1;

	return sb_asprintf("sudo usermod --add-subuids %llu-%llu --add-subgids %llu-%llu %s",
		(unsigned long long)first, last, (unsigned long long)first, last, name);
}

static uint32_t capped(uint64_t n)
{
	return n < IDS_WANTED ? (uint32_t)n : IDS_WANTED;
}

/* The base of root's images for one kind of id. */
static uint64_t root_base(const struct sb_extents *own, const struct sb_extents *subids)
{
	if (!sb_extents_is_initial(own))
		return 1; /* root of a container: all that is mapped here is unprivileged on the
			     host */
	SB_ARRAY_FOREACH (subids, extent)
		if (extent->len >= IDS_WANTED)
			return extent->outside;
	return ROOT_DEFAULT_BASE;
}

static int choose_root(struct sb_host_ids *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_extents) uids = {0};
	SB_AUTO_VALUE(sb_extents) gids = {0};
	SB_AUTO_VALUE(sb_extents) subuids = {0};
	SB_AUTO_VALUE(sb_extents) subgids = {0};

	if (read_own_map("/proc/self/uid_map", &uids, err) < 0 ||
		read_own_map("/proc/self/gid_map", &gids, err) < 0 ||
		read_subids("/etc/subuid", "root", 0, &subuids, err) < 0 ||
		read_subids("/etc/subgid", "root", 0, &subgids, err) < 0)
		return -1;

	const uint64_t uid_base = root_base(&uids, &subuids);
	const uint64_t gid_base = root_base(&gids, &subgids);

	*out = (struct sb_host_ids){
		.mode = SB_IDS_ROOT,
		.ids = {.uid_base = (uid_t)uid_base,
			.gid_base = (gid_t)gid_base,
			.uid_count = capped(sb_extents_mapped_from(&uids, uid_base)),
			.gid_count = capped(sb_extents_mapped_from(&gids, gid_base))},
		.host_uid_base = (uid_t)uid_base,
		.host_gid_base = (gid_t)gid_base,
	};
	if (out->ids.uid_count == 0 || out->ids.gid_count == 0) {
		/* A container with one id: its root is all there is. */
		out->mode = SB_IDS_SINGLE;
		out->ids = (struct sb_idmap){.uid_count = 1, .gid_count = 1};
		out->host_uid_base = out->host_gid_base = 0;
	}
	return 0;
}

static void single(struct sb_host_ids *out, const char *why, const char *hint)
{
	*out = (struct sb_host_ids){
		.mode = SB_IDS_SINGLE,
		.ids = {.uid_count = 1, .gid_count = 1},
		.host_uid_base = geteuid(),
		.host_gid_base = getegid(),
		.notice = sb_asprintf(
			"%s: building with a single user id, in which steps can't change "
			"owners or run as another user",
			why),
		.hint = sb_strdup(hint),
	};
}

static int choose_user(struct sb_host_ids *out, struct sb_extents *subuids,
	struct sb_extents *subgids, struct sb_error *err)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *name = pw != NULL ? pw->pw_name : NULL;

	if (read_subids("/etc/subuid", name, getuid(), subuids, err) < 0 ||
		read_subids("/etc/subgid", name, getuid(), subgids, err) < 0)
		return -1;
	if (sb_extents_total(subuids) == 0 || sb_extents_total(subgids) == 0) {
		sb_autofree char *hint = add_subids_command(name != NULL ? name : "USER");

		single(out, "no subordinate ids for this user in /etc/subuid and /etc/subgid",
			hint);
		return 0;
	}
	if (!sb_proc_find_program("newuidmap") || !sb_proc_find_program("newgidmap")) {
		single(out, "newuidmap and newgidmap are not installed",
			"sudo apt-get install uidmap");
		return 0;
	}
	*out = (struct sb_host_ids){
		.mode = SB_IDS_RANGE,
		.ids = {.uid_base = 1,
			.gid_base = 1,
			.uid_count = capped(sb_extents_total(subuids)),
			.gid_count = capped(sb_extents_total(subgids))},
		.host_uid_base = (uid_t)subuids->items[0].outside,
		.host_gid_base = (gid_t)subgids->items[0].outside,
	};
	return 0;
}

int sb_userns_probe(struct sb_host_ids *out, char **out_detail, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_extents) subuids = {0};
	SB_AUTO_VALUE(sb_extents) subgids = {0};

	if ((geteuid() == 0 ? choose_root(out, err) : choose_user(out, &subuids, &subgids, err)) <
		0)
		return -1;
	*out_detail = out->notice != NULL ? sb_strdup(out->notice)
					  : sb_asprintf("%u user ids from %u, %u group ids from %u",
						    out->ids.uid_count, out->host_uid_base,
						    out->ids.gid_count, out->host_gid_base);
	return 0;
}

/* newuidmap PID 0 SELF 1 1 FIRST LEN …, run outside of the namespace whose map it writes. */
static int run_map_program(const char *program, pid_t target, unsigned self,
	const struct sb_extents *subids, struct sb_error *err)
{
	SB_AUTO_STRV argv = SB_STRV_INIT;
	uint64_t inside = 1;

	sb_strv_add(&argv, program);
	sb_strv_addf(&argv, "%d", (int)target);
	sb_strv_add(&argv, "0");
	sb_strv_addf(&argv, "%u", self);
	sb_strv_add(&argv, "1");
	SB_ARRAY_FOREACH (subids, extent) {
		const uint64_t left = IDS_WANTED + 1 - inside;
		const uint64_t len = extent->len < left ? extent->len : left;

		if (len == 0)
			break;
		sb_strv_addf(&argv, "%llu", (unsigned long long)inside);
		sb_strv_addf(&argv, "%llu", (unsigned long long)extent->outside);
		sb_strv_addf(&argv, "%llu", (unsigned long long)len);
		inside += len;
	}
	return sb_proc_run(&argv, err);
}

static int write_file(const char *path, const char *text, struct sb_error *err)
{
	sb_autofd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return sb_fail_errno(err, "write %s", path);
	return 0;
}

static int unshare_or_explain(int flags, struct sb_error *err)
{
	if (unshare(flags) == 0)
		return 0;
	(void)sb_fail_errno(
		err, "enter a new %s namespace", (flags & CLONE_NEWUSER) != 0 ? "user" : "mount");
	return sb_error_hint(err, "this host or the container it runs in forbids it; "
				  "'safebuild doctor' says what to change");
}

/*
 * A helper outside of the new namespace writes the maps: it is forked first, and told through a
 * pipe that the namespace is there.
 */
static int enter_range(
	const struct sb_extents *subuids, const struct sb_extents *subgids, struct sb_error *err)
{
	int go[2];
	const pid_t self = getpid();
	const uid_t uid = getuid();
	const gid_t gid = getgid();

	if (sb_fd_pipe(go, err) < 0)
		return -1;

	sb_autofd int go_read = go[0];
	sb_autofd int go_write = go[1];
	int answer[2];

	if (sb_fd_pipe(answer, err) < 0)
		return -1;

	sb_autofd int answer_read = answer[0];
	sb_autofd int answer_write = answer[1];
	const pid_t helper = fork();

	if (helper < 0)
		return sb_fail_errno(err, "fork");
	if (helper == 0) {
		SB_AUTO_ERROR failed = SB_ERROR_INIT;
		char byte = 0;

		sb_fd_closep(&go_write);
		if (read(go_read, &byte, 1) != 1)
			_exit(0);
		if (run_map_program("newuidmap", self, uid, subuids, &failed) < 0 ||
			run_map_program("newgidmap", self, gid, subgids, &failed) < 0) {
			if (write(answer_write, failed.message, strlen(failed.message)) < 0)
				_exit(2);
			_exit(1);
		}
		_exit(0);
	}
	sb_fd_closep(&answer_write);
	if (unshare_or_explain(CLONE_NEWUSER | CLONE_NEWNS, err) < 0 ||
		sb_fd_write_all(go_write, "x", 1, err) < 0) {
		sb_fd_closep(&go_write);
		(void)sb_proc_wait(helper);
		return -1;
	}

	SB_AUTO_BUF message = SB_BUF_INIT(4096);

	if (sb_fd_read_all(answer_read, &message, err) < 0) {
		(void)sb_proc_wait(helper);
		return -1;
	}
	if (sb_proc_wait(helper) != 0) {
		(void)sb_fail(err, SB_E_DENIED, "map the subordinate ids: %s", message.data);
		return sb_error_hint(err,
			"check /etc/subuid and /etc/subgid, and that newuidmap and newgidmap are "
			"setuid or have their capability");
	}
	return 0;
}

static int enter_single(struct sb_error *err)
{
	sb_autofree char *uid_map = sb_asprintf("0 %u 1\n", geteuid());
	sb_autofree char *gid_map = sb_asprintf("0 %u 1\n", getegid());

	if (unshare_or_explain(CLONE_NEWUSER | CLONE_NEWNS, err) < 0)
		return -1;
	/* An unprivileged writer of gid_map must give up setgroups first (user_namespaces(7)). */
	if (write_file("/proc/self/setgroups", "deny", err) < 0 ||
		write_file("/proc/self/uid_map", uid_map, err) < 0 ||
		write_file("/proc/self/gid_map", gid_map, err) < 0)
		return sb_error_hint(err, "'safebuild doctor' says what this host forbids");
	return 0;
}

int sb_userns_enter(struct sb_host_ids *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_host_ids) chosen = {0};
	SB_AUTO_VALUE(sb_extents) subuids = {0};
	SB_AUTO_VALUE(sb_extents) subgids = {0};
	int rc = -1;

	if (geteuid() == 0) {
		if (choose_root(&chosen, err) < 0)
			return -1;
		rc = chosen.mode == SB_IDS_ROOT ? unshare_or_explain(CLONE_NEWNS, err)
						: enter_single(err);
	} else {
		if (choose_user(&chosen, &subuids, &subgids, err) < 0)
			return -1;
		rc = chosen.mode == SB_IDS_RANGE ? enter_range(&subuids, &subgids, err)
						 : enter_single(err);
	}
	if (rc < 0)
		return -1;
	if (mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0) {
		(void)sb_fail_errno(err, "make the mounts private");
		return sb_error_hint(err, "'safebuild doctor' says what this host forbids");
	}
	*out = chosen;
	chosen = (struct sb_host_ids){0};
	return 0;
}

char *sb_userns_child_map(const char *own_map, uint32_t base, uint32_t count)
{
	SB_AUTO_VALUE(sb_extents) own = {0};
	SB_AUTO_STRV lines = SB_STRV_INIT;
	const uint64_t wanted_end = (uint64_t)base + count;

	sb_extents_parse_map(own_map, &own);
	SB_ARRAY_FOREACH (&own, extent) {
		const uint64_t own_end = extent->inside + extent->len;
		const uint64_t first = extent->inside > base ? extent->inside : base;
		const uint64_t end = own_end < wanted_end ? own_end : wanted_end;

		if (first < end)
			sb_strv_addf(&lines, "%llu %llu %llu\n", (unsigned long long)(first - base),
				(unsigned long long)first, (unsigned long long)(end - first));
	}
	return sb_strv_join(&lines, "");
}

static int map_ids(const char *own_path, const char *child_path, uint32_t base, uint32_t count,
	struct sb_error *err)
{
	SB_AUTO_BUF own = SB_BUF_INIT(1 << 20);

	if (read_text(own_path, &own, err) < 0)
		return -1;

	sb_autofree char *map = sb_userns_child_map(own.data, base, count);

	return write_file(child_path, map, err);
}

int sb_userns_map_child(pid_t child, const struct sb_idmap *ids, struct sb_error *err)
{
	sb_autofree char *uid_path = sb_asprintf("/proc/%d/uid_map", (int)child);
	sb_autofree char *gid_path = sb_asprintf("/proc/%d/gid_map", (int)child);

	if (map_ids("/proc/self/uid_map", uid_path, ids->uid_base, ids->uid_count, err) < 0 ||
		map_ids("/proc/self/gid_map", gid_path, ids->gid_base, ids->gid_count, err) < 0)
		return sb_error_context(err, "map the ids of a step");
	return 0;
}
