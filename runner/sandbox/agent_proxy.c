/* SPDX-License-Identifier: MIT */
#include "sandbox/agent_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/agent_link.h"
#include "sandbox/agent_pump.h"
#include "sandbox/confine.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/proc.h"

/* At once, for all of a step's sockets; more are hung up on. Two descriptors and at most a message
 * each. */
enum { MAX_CONNECTIONS = 128, BACKLOG = 64, MAX_GREETING = 16 };

const char sb_agent_proxy_word[] = "agent-proxy";

bool sb_agent_proxy_is_needed(const struct sb_step_spec *spec)
{
	SB_ARRAY_FOREACH (&spec->mounts, mount)
		if (mount->kind == SB_STEP_MOUNT_AGENT)
			return true;
	return false;
}

/* Inherited by exec from here on. */
static void pass_on(int fd)
{
	if (fcntl(fd, F_SETFD, 0) < 0)
		_exit(127);
}

static _Noreturn void exec_proxy(const struct sb_step_spec *spec, pid_t parent, int channel_fd)
{
	SB_AUTO_STRV argv = SB_STRV_INIT;
	char *no_env[] = {NULL};
	const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	sb_strv_add(&argv, "safebuild-step");
	sb_strv_add(&argv, sb_agent_proxy_word);
	sb_strv_addf(&argv, "%d", channel_fd);
	pass_on(channel_fd);
	SB_ARRAY_FOREACH (&spec->mounts, mount) {
		if (mount->kind != SB_STEP_MOUNT_AGENT)
			continue;
		sb_strv_addf(&argv, "%d%s", mount->fd, mount->is_raw ? "r" : "");
		pass_on(mount->fd);
	}
	/* If the parent went before that call, no signal comes. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || null_fd < 0 ||
		dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(null_fd, 2) < 0)
		_exit(127);
	(void)execve("/proc/self/exe", sb_strv_argv(&argv), no_env);
	_exit(127);
}

int sb_agent_proxy_start(
	const struct sb_step_spec *spec, int channel_fd, pid_t *out_pid, struct sb_error *err)
{
	const pid_t self = getpid();
	const pid_t pid = fork();

	if (pid < 0)
		return sb_fail_errno(err, "fork");
	if (pid == 0)
		exec_proxy(spec, self, channel_fd);
	*out_pid = pid;
	return 0;
}

void sb_agent_proxy_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)sb_proc_wait(pid);
}

int sb_agent_proxy_listen(int dir_fd, const char *name, const struct sb_step_mount *mount,
	int *out_fd, struct sb_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	sb_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || fchdir(dir_fd) < 0)
		return sb_fail_errno(err, "ssh socket '%s'", mount->target);
	SB_BUG_ON(strlen(name) >= sizeof(address.sun_path));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, BACKLOG) < 0)
		return sb_fail_errno(err, "ssh socket '%s'", mount->target);
	if (fchownat(dir_fd, name, mount->uid, mount->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		fchmodat(dir_fd, name, mount->mode & 0777, 0) < 0)
		return sb_fail_errno(
			err, "ssh socket '%s': owner %u:%u", mount->target, mount->uid, mount->gid);
	*out_fd = sb_fd_steal(&fd);
	return 0;
}

int sb_agent_proxy_hand_over(int *channel_fd, int *listen_fds, size_t n, struct sb_error *err)
{
	const int rc = sb_channel_send(*channel_fd, "", 0, listen_fds, n, err);

	for (size_t i = 0; i < n; i++)
		sb_fd_closep(&listen_fds[i]);
	sb_fd_closep(channel_fd);
	return rc;
}

/* One connection: read message by message, or passed on as bytes. */
struct connection {
	struct sb_agent_link link;
	struct sb_agent_pump *pump; /* NULL: it is `link` that counts */
};
SB_ARRAY_STRUCT(connections, struct connection);
SB_ARRAY_STRUCT(pollfds, struct pollfd);

static void connection_release(struct connection *c)
{
	if (c->pump != NULL)
		sb_agent_pump_free(c->pump);
	else
		sb_agent_link_release(&c->link);
}

static void add_connection(
	struct connections *all, const struct sb_agent_listener *listener, int *fd)
{
	sb_autofd int agent_fd = -1;

	if (listener->is_raw) {
		agent_fd = sb_agent_connect(listener->socket_fd);
		if (agent_fd < 0)
			return;
		SB_ARRAY_ADD(all)->pump =
			sb_agent_pump_new(sb_fd_steal(fd), sb_fd_steal(&agent_fd));
		return;
	}
	sb_agent_link_init(&SB_ARRAY_ADD(all)->link, sb_fd_steal(fd), listener->socket_fd);
}

/* False where no connection can be taken any more: one that waits would wake us for ever. */
static bool take_connections(struct connections *all, const struct sb_agent_listener *listener)
{
	for (int i = 0; i < BACKLOG; i++) {
		sb_autofd int fd =
			accept4(listener->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
		/* One too many is closed, and no other before those that are over by then have
		 * been seen to be. */
		if (all->len >= MAX_CONNECTIONS)
			return true;
		add_connection(all, listener, &fd);
	}
	return true;
}

enum { FDS_EACH = 2 };
_Static_assert((int)FDS_EACH == (int)SB_AGENT_LINK_FDS && (int)FDS_EACH == (int)SB_AGENT_PUMP_FDS,
	"both kinds of connection have two sides");

static void collect(const struct sb_agent_listener *listeners, size_t n,
	const struct connections *all, struct pollfds *out)
{
	out->len = 0;
	for (size_t i = 0; i < n; i++)
		*SB_ARRAY_ADD(out) =
			(struct pollfd){.fd = listeners[i].listen_fd, .events = POLLIN};
	SB_ARRAY_FOREACH (all, c) {
		struct pollfd two[FDS_EACH];

		if (c->pump != NULL)
			sb_agent_pump_poll(c->pump, two);
		else
			sb_agent_link_poll(&c->link, two);
		for (size_t i = 0; i < FDS_EACH; i++)
			*SB_ARRAY_ADD(out) = two[i];
	}
}

/* Serves each connection; those that are over go, the others move up. */
static void serve_connections(struct connections *all, const struct pollfd *fds)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->len; i++, fds += FDS_EACH) {
		struct connection *c = &all->items[i];
		const bool lives = c->pump != NULL ? sb_agent_pump_serve(c->pump, fds)
						   : sb_agent_link_serve(&c->link, fds);

		if (lives)
			all->items[kept++] = *c;
		else
			connection_release(c);
	}
	all->len = kept;
}

void sb_agent_proxy_serve(const struct sb_agent_listener *listeners, size_t n)
{
	struct connections all = {0};
	struct pollfds fds = {0};
	bool goes_on = true;

	while (goes_on) {
		collect(listeners, n, &all, &fds);
		if (poll(fds.items, fds.len, -1) < 0) {
			goes_on = errno == EINTR;
			continue;
		}
		/* The connections first: those that are taken now were not polled. */
		serve_connections(&all, fds.items + n);
		for (size_t i = 0; goes_on && i < n; i++)
			if (fds.items[i].revents != 0)
				goes_on = take_connections(&all, &listeners[i]);
	}
	SB_ARRAY_FOREACH (&all, c)
		connection_release(c);
	SB_ARRAY_RELEASE(&all);
	SB_ARRAY_RELEASE(&fds);
}

/* It reads what a step writes: what it does not need for that, it gives up. */
static int confine_self(struct sb_error *err)
{
	struct rlimit files;

	/* What MAX_CONNECTIONS takes, where the user's own limit is lower. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	/* Root's agent may be another user's: their socket takes that one capability. */
	if (sb_confine_keep_capability(CAP_DAC_OVERRIDE, err) < 0)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return sb_fail_errno(err, "give up privileges");
	return sb_confine_core_dumps(err);
}

int sb_agent_proxy_main(int argc, char **argv)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF greeting = SB_BUF_INIT(MAX_GREETING);
	struct sb_agent_listener listeners[SB_CHANNEL_MAX_FDS];
	int fds[SB_CHANNEL_MAX_FDS];
	size_t n_fds = 0;
	const size_t n = argc > 3 ? (size_t)argc - 3 : 0;

	if (n == 0 || n > SB_CHANNEL_MAX_FDS)
		return 2;
	if (confine_self(&err) < 0)
		return 125;

	sb_autofd int channel_fd = (int)strtol(argv[2], NULL, 10);

	/* Nothing comes where the step's first process failed: it says why itself. */
	if (sb_channel_receive(channel_fd, &greeting, fds, &n_fds, &err) <= 0 || n_fds != n)
		return 1;
	for (size_t i = 0; i < n; i++) {
		char *rest = NULL;

		listeners[i].listen_fd = fds[i];
		listeners[i].socket_fd = (int)strtol(argv[3 + i], &rest, 10);
		listeners[i].is_raw = rest[0] == 'r';
	}
	sb_fd_closep(&channel_fd);
	sb_agent_proxy_serve(listeners, n);
	return 1;
}
