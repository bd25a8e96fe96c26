/* SPDX-License-Identifier: MIT */
#include "sandbox/network.h"

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/fd.h"
#include "sys/proc.h"

static const char program_name[] = "slirp4netns";

int sb_network_loopback_up(struct sb_error *err)
{
	sb_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return sb_fail_errno(err, "bring up loopback");
	return 0;
}

bool sb_network_has_user_mode(void)
{
	return sb_proc_find_program(program_name) && access("/dev/net/tun", R_OK | W_OK) == 0;
}

static _Noreturn void exec_slirp(const char *path, pid_t parent, pid_t target, int ready_fd)
{
	sb_autofree char *ready = sb_asprintf("%d", ready_fd);
	sb_autofree char *pid = sb_asprintf("%d", (int)target);
	char *argv[] = {sb_strdup(program_name), sb_strdup("--configure"), sb_strdup("--mtu=65520"),
		sb_strdup("--disable-host-loopback"), sb_strdup("--ready-fd"), ready, pid,
		sb_strdup("tap0"), NULL};
	const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* If the parent went before that call, no signal comes. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || null_fd < 0 ||
		dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(null_fd, 2) < 0 ||
		fcntl(ready_fd, F_SETFD, 0) < 0)
		_exit(127);
	execv(path, argv);
	_exit(127);
}

int sb_network_connect(pid_t target, pid_t *out_pid, struct sb_error *err)
{
	enum { READY_WITHIN_MS = 10000 };
	sb_autofree char *path = sb_proc_program_path(program_name);
	int fds[2];
	char byte = 0;

	if (path == NULL)
		return sb_fail(err, SB_E_NOT_FOUND, "%s is not installed", program_name);
	if (sb_fd_pipe(fds, err) < 0)
		return -1;

	sb_autofd int ready_read = fds[0];
	sb_autofd int ready_write = fds[1];
	const pid_t self = getpid();
	const pid_t pid = fork();

	if (pid < 0)
		return sb_fail_errno(err, "fork");
	if (pid == 0)
		exec_slirp(path, self, target, ready_write);
	sb_fd_closep(&ready_write);

	struct pollfd ready = {.fd = ready_read, .events = POLLIN};

	if (poll(&ready, 1, READY_WITHIN_MS) != 1 || read(ready_read, &byte, 1) != 1) {
		sb_network_disconnect(pid);
		(void)sb_fail(
			err, SB_E_SYSTEM, "%s did not connect the step's network", program_name);
		return sb_error_hint(err,
			"build with --network=host, or --network=none where steps need no network");
	}
	*out_pid = pid;
	return 0;
}

void sb_network_disconnect(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)sb_proc_wait(pid);
}
