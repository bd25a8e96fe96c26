/* SPDX-License-Identifier: MIT */
#include "sandbox/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strv.h"
#include "sandbox/publish.h"
#include "sys/fd.h"
#include "sys/proc.h"

static const char program_name[] = "slirp4netns";
static const char tap_name[] = "tap0";
static const char tun_device[] = "/dev/net/tun";

int sb_network_loopback_up(struct sb_error *err)
{
	sb_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return sb_fail_errno(err, "bring up loopback");
	return 0;
}

const char *sb_network_lacks(const char **out_fix)
{
	if (!sb_proc_find_program(program_name)) {
		*out_fix = "sudo apt-get install slirp4netns";
		return "slirp4netns is not installed";
	}
	if (access(tun_device, R_OK | W_OK) == 0)
		return NULL;
	if (errno == ENOENT) {
		*out_fix = "sudo modprobe tun";
		return "there is no /dev/net/tun";
	}
	*out_fix = "sudo chmod 666 /dev/net/tun";
	return "/dev/net/tun can't be opened by this user";
}

/* It reads what the step sends, and root's would be root: it confines itself, having set up. */
static _Noreturn void exec_slirp(
	const char *path, pid_t parent, pid_t target, int ready_fd, int api_dir_fd)
{
	SB_AUTO_STRV argv = SB_STRV_INIT;
	static const char *const always[] = {program_name, "--configure", "--mtu=65520",
		"--disable-host-loopback", "--enable-sandbox", "--enable-seccomp"};
	const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* If the parent went before that call, no signal comes. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || null_fd < 0 ||
		dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(null_fd, 2) < 0 ||
		fcntl(ready_fd, F_SETFD, 0) < 0 ||
		(api_dir_fd >= 0 && fcntl(api_dir_fd, F_SETFD, 0) < 0))
		_exit(127);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		sb_strv_add(&argv, always[i]);
	if (api_dir_fd >= 0)
		sb_strv_addf(
			&argv, "--api-socket=/proc/self/fd/%d/%s", api_dir_fd, sb_publish_socket);
	sb_strv_add(&argv, "--ready-fd");
	sb_strv_addf(&argv, "%d", ready_fd);
	sb_strv_addf(&argv, "%d", (int)target);
	sb_strv_add(&argv, tap_name);
	execv(path, sb_strv_argv(&argv));
	_exit(127);
}

void sb_network_make_tap(void)
{
	sb_autofd int fd = open(tun_device, O_RDWR | O_CLOEXEC);
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	(void)stpcpy(request.ifr_name, tap_name);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0)
		(void)ioctl(fd, TUNSETPERSIST, 1);
}

int sb_network_start(
	pid_t target, int ready_fd, int api_dir_fd, pid_t *out_pid, struct sb_error *err)
{
	sb_autofree char *path = sb_proc_program_path(program_name);

	if (path == NULL)
		return sb_fail(err, SB_E_NOT_FOUND, "%s is not installed", program_name);

	const pid_t self = getpid();
	const pid_t pid = fork();

	if (pid < 0)
		return sb_fail_errno(err, "fork");
	if (pid == 0)
		exec_slirp(path, self, target, ready_fd, api_dir_fd);
	*out_pid = pid;
	return 0;
}

int sb_network_await(int ready_fd, int life_fd, struct sb_error *err)
{
	enum { READY_WITHIN_MS = 10000 };
	/* That life_fd has ended is reported unasked; what is in it is for later. */
	struct pollfd fds[] = {{.fd = ready_fd, .events = POLLIN}, {.fd = life_fd}};
	char byte = 0;

	if (poll(fds, 2, READY_WITHIN_MS) > 0 && fds[1].revents == 0 &&
		read(ready_fd, &byte, 1) == 1)
		return 0;
	(void)sb_fail(err, SB_E_SYSTEM, "%s did not connect the step's network", program_name);
	return sb_error_hint(
		err, "build with --network=host, or --network=none where steps need no network");
}

void sb_network_disconnect(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)sb_proc_wait(pid);
}
