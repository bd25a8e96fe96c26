/* SPDX-License-Identifier: MIT */

/*
 * What the kernel alone costs for one step: a process in namespaces of its own, an overlay of the
 * layers, pivot_root, exec, wait, and the overlay gone again. Run as root; prints nothing.
 *
 *   floor WORK LOWER[:LOWER…] PROGRAM
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_ID = 100000, N_IDS = 65536 };

static void write_map(pid_t pid, const char *name)
{
	char path[64];
	char line[64];
	int len = snprintf(line, sizeof(line), "0 %d %d\n", FIRST_ID, N_IDS);

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, (size_t)len) != len)
		err(1, "%s", path);
	close(fd);
}

static void run_step(const char *work, const char *lowers, char *program, int go)
{
	char byte;
	char options[8192];
	char root[4096];

	if (read(go, &byte, 1) != 1)
		errx(1, "the parent is gone");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		err(1, "become root of the namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		err(1, "make mounts private");
	snprintf(root, sizeof(root), "%s/root", work);
	snprintf(options, sizeof(options),
		"userxattr,lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lowers, work, work);
	if (mount("overlay", root, "overlay", 0, options) < 0)
		err(1, "overlay");
	if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		err(1, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		err(1, "leave the old root");
	char *argv[] = {program, NULL};
	char *envp[] = {NULL};
	execve(program, argv, envp);
	err(1, "exec %s", program);
}

int main(int argc, char **argv)
{
	int go[2];
	int status;
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
			 CLONE_NEWNET | CLONE_NEWCGROUP,
		.exit_signal = SIGCHLD,
	};

	if (argc != 4)
		errx(2, "usage: floor WORK LOWER[:LOWER…] PROGRAM");
	if (pipe2(go, O_CLOEXEC) < 0)
		err(1, "pipe");
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		err(1, "clone3");
	if (pid == 0)
		run_step(argv[1], argv[2], argv[3], go[0]);
	write_map(pid, "uid_map");
	write_map(pid, "gid_map");
	if (write(go[1], "x", 1) != 1)
		err(1, "write");
	if (waitpid(pid, &status, 0) < 0)
		err(1, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
