/* SPDX-License-Identifier: MIT */
#include "sandbox/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fd.h"

#include "seccomp_program.h"

static const cap_value_t step_capabilities[] = {
	CAP_AUDIT_WRITE,
	CAP_CHOWN,
	CAP_DAC_OVERRIDE,
	CAP_FOWNER,
	CAP_FSETID,
	CAP_KILL,
	CAP_NET_BIND_SERVICE,
	CAP_NET_RAW,
	CAP_SETFCAP,
	CAP_SETGID,
	CAP_SETPCAP,
	CAP_SETUID,
	CAP_SYS_CHROOT,
};

enum { N_CAPABILITIES = sizeof(step_capabilities) / sizeof(step_capabilities[0]) };

uint64_t sb_confine_capabilities(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < N_CAPABILITIES; i++)
		mask |= UINT64_C(1) << step_capabilities[i];
	return mask;
}

/* One byte, not 0: a limit of 0 does not stop a core_pattern that is a pipe, 1 does (core(5)). A
 * hard limit of 0 (sudo sets it, and many a service manager) can't be raised again. */
int sb_confine_core_dumps(struct sb_error *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return sb_fail_errno(err, "read the limit of core dumps");
	if (limit.rlim_max > 1)
		limit.rlim_max = 1;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_CORE, &limit) < 0)
		return sb_fail_errno(err, "limit core dumps");
	return 0;
}

/* For kernels without a limit for each pid namespace (devices.c): this one counts for each user of
 * the step. */
static int limit_processes(struct sb_error *err)
{
	enum { MAX_PROCESSES = 16384 };
	struct rlimit limit;

	if (getrlimit(RLIMIT_NPROC, &limit) < 0)
		return sb_fail_errno(err, "read the limit of processes");
	if (limit.rlim_max > MAX_PROCESSES)
		limit.rlim_max = MAX_PROCESSES;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NPROC, &limit) < 0)
		return sb_fail_errno(err, "limit processes");
	return 0;
}

static int drop_bounding_set(struct sb_error *err)
{
	const uint64_t keep = sb_confine_capabilities();

	for (int cap = 0; cap < 64; cap++) {
		if ((keep & (UINT64_C(1) << cap)) != 0 || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break; /* one past the kernel's last */
		return sb_fail_errno(err, "drop capability %d", cap);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return sb_fail_errno(err, "clear ambient capabilities");
	return 0;
}

static int load_program(const struct sock_filter *filter, size_t len, struct sb_error *err)
{
	struct sock_fprog program = {
		.len = (unsigned short)len, .filter = (struct sock_filter *)(uintptr_t)filter};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return sb_fail_errno(err, "load the seccomp filter");
	return 0;
}

#define LOAD(program, err) load_program(program, sizeof(program) / sizeof(program[0]), err)

static int load_seccomp(bool is_32bit, struct sb_error *err)
{
	/* The exceptions first: the policy leaves the step the right to load filters of its own,
	 * this process too. */
	const int rc =
		is_32bit ? LOAD(exceptions_32bit_program, err) : LOAD(exceptions_program, err);

	return rc < 0 ? -1 : LOAD(policy_program, err);
}

static int set_ids(const struct sb_step_spec *spec, struct sb_error *err)
{
	if (spec->single_id)
		return 0;
	if (setgroups(spec->groups.len, spec->groups.items) < 0)
		return sb_fail_errno(err, "set supplementary groups");
	if (setresgid(spec->gid, spec->gid, spec->gid) < 0)
		return sb_fail_errno(err, "change to group %u", spec->gid);
	if (setresuid(spec->uid, spec->uid, spec->uid) < 0)
		return sb_fail_errno(err, "change to user %u", spec->uid);
	return 0;
}

static void free_caps(cap_t *caps)
{
	(void)cap_free(*caps);
}

/* Root keeps the step's set; the change to another user has cleared it already, and the call says
 * the same. */
static int set_capabilities(const struct sb_step_spec *spec, struct sb_error *err)
{
	__attribute__((cleanup(free_caps))) cap_t caps = cap_init();

	SB_BUG_ON(caps == NULL);
	if (spec->uid == 0 && (cap_set_flag(caps, CAP_PERMITTED, N_CAPABILITIES, step_capabilities,
				       CAP_SET) < 0 ||
				      cap_set_flag(caps, CAP_EFFECTIVE, N_CAPABILITIES,
					      step_capabilities, CAP_SET) < 0))
		return sb_fail_errno(err, "build the capability set");
	if (cap_set_proc(caps) < 0)
		return sb_fail_errno(err, "set capabilities");
	return 0;
}

int sb_confine_keep_capability(int capability, struct sb_error *err)
{
	__attribute__((cleanup(free_caps))) cap_t has = cap_get_proc();
	__attribute__((cleanup(free_caps))) cap_t caps = cap_init();
	cap_flag_value_t is_set = CAP_CLEAR;

	SB_BUG_ON(has == NULL || caps == NULL);
	if (cap_get_flag(has, capability, CAP_EFFECTIVE, &is_set) < 0 ||
		cap_set_flag(caps, CAP_PERMITTED, 1, &capability, is_set) < 0 ||
		cap_set_flag(caps, CAP_EFFECTIVE, 1, &capability, is_set) < 0 ||
		cap_set_proc(caps) < 0)
		return sb_fail_errno(err, "give up capabilities");
	return 0;
}

/*
 * Abstract unix sockets belong to the network namespace: with the host's network a step could talk
 * to any service of the host that listens on one, and pass it descriptors. Landlock bounds them to
 * the step's own (Linux 6.12; older kernels leave this open). It handles nothing else, so files are
 * not touched by it.
 */
static int confine_sockets(struct sb_error *err)
{
	const struct {
		uint64_t handled_access_fs;
		uint64_t handled_access_net;
		uint64_t scoped;
	} rules = {.scoped = 1}; /* LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, not in old headers */
	sb_autofd int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);

	if (fd < 0)
		return 0; /* ENOSYS, EOPNOTSUPP, E2BIG: not in this kernel, or turned off */
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return sb_fail_errno(err, "confine abstract sockets");
	return 0;
}

int sb_confine(const struct sb_step_spec *spec, struct sb_error *err)
{
	if (sb_confine_core_dumps(err) < 0 || limit_processes(err) < 0 ||
		drop_bounding_set(err) < 0)
		return -1;
	if (spec->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return sb_fail_errno(err, "set no_new_privs");
	if (spec->network == SB_STEP_NET_HOST && confine_sockets(err) < 0)
		return -1;
	if (load_seccomp(spec->is_32bit, err) < 0 || set_ids(spec, err) < 0)
		return -1;
	return set_capabilities(spec, err);
}
