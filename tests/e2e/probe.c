/* SPDX-License-Identifier: MIT */

/*
 * Runs inside a step (static, so that any base will do) and tries what busybox has no applet for.
 * Each try prints "ok" or the error's name. Usage: probe WHAT [ARGUMENT…]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

static long try_setxattr(char **args)
{
	return setxattr(args[0], args[1], args[2], strlen(args[2]), 0);
}

static long try_ptrace(char **args)
{
	return ptrace(PTRACE_ATTACH, atoi(args[0]), NULL, NULL);
}

static long try_unshare(char **args)
{
	return unshare((int)strtol(args[0], NULL, 0));
}

static long try_clone(char **args)
{
	long pid = syscall(SYS_clone, strtol(args[0], NULL, 0) | 17, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid;
}

/* All arguments 0, or the numbers given: what counts is whether the filter lets the call in. */
static long try_syscall(char **args)
{
	unsigned long words[7] = {0};

	for (size_t i = 0; i < 7 && args[i]; i++)
		words[i] = strtoul(args[i], NULL, 0);
	return syscall((long)words[0], words[1], words[2], words[3], words[4], words[5], words[6]);
}

static long try_socket_file(char **args)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", args[0]);
	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

static long try_socket(char **args)
{
	return socket(atoi(args[0]), SOCK_DGRAM | SOCK_CLOEXEC, args[1] ? atoi(args[1]) : 0);
}

static long print_fstype(char **args)
{
	struct statfs info;

	if (statfs(args[0], &info) < 0)
		return -1;
	printf("type %lx ", (unsigned long)info.f_type);
	return 0;
}

static long print_limits(char **args)
{
	struct rlimit limit;

	(void)args;
	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return -1;
	printf("core %lu dumpable %d ", (unsigned long)limit.rlim_cur, prctl(PR_GET_DUMPABLE));
	return 0;
}

static long print_fds(char **args)
{
	(void)args;
	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d ", fd);
	}
	return 0;
}

static const struct {
	const char *name;
	long (*run)(char **args);
	int n_args;
} tries[] = {
	{"setxattr", try_setxattr, 3},
	{"ptrace", try_ptrace, 1},
	{"unshare", try_unshare, 1},
	{"clone", try_clone, 1},
	{"syscall", try_syscall, 1},
	{"socket-file", try_socket_file, 1},
	{"socket", try_socket, 1},
	{"fstype", print_fstype, 1},
	{"limits", print_limits, 0},
	{"fds", print_fds, 0},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		if (argc < 2 || strcmp(argv[1], tries[i].name) != 0 || argc - 2 < tries[i].n_args)
			continue;
		errno = 0;
		long result = tries[i].run(argv + 2);
		puts(result < 0 ? strerrorname_np(errno) : "ok");
		return 0;
	}
	fputs("probe: not one of the known tries, or too few arguments\n", stderr);
	return 2;
}
