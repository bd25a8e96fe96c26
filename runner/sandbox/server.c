/* SPDX-License-Identifier: MIT */
#include "sandbox/server.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "sandbox/agent_proxy.h"
#include "sandbox/confine.h"
#include "sandbox/init.h"
#include "sandbox/leftovers.h"
#include "sandbox/network.h"
#include "sandbox/publish.h"
#include "sandbox/rootfs.h"
#include "sys/at.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/userns.h"

/* How long a step's first process may take to kill, reap and empty its secrets once it was told to.
 */
enum { ORDERLY_END_MS = 700 };

/* A step that was started. */
struct started {
	pid_t pid;
	int pidfd;
	int life_fd; /* closing it ends the step */
	int result_fd;
	pid_t slirp;
	pid_t agent_proxy;
};

static void started_release(struct started *s)
{
	sb_fd_closep(&s->pidfd);
	sb_fd_closep(&s->life_fd);
	sb_fd_closep(&s->result_fd);
	sb_network_disconnect(s->slirp);
	sb_agent_proxy_stop(s->agent_proxy);
}

static pid_t clone_init(const struct sb_step_spec *spec, int *out_pidfd)
{
	const struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
			 CLONE_NEWCGROUP | (spec->network != SB_STEP_NET_HOST ? CLONE_NEWNET : 0) |
			 CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)out_pidfd,
		.exit_signal = SIGCHLD,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static bool has_secret(const struct sb_step_spec *spec)
{
	SB_ARRAY_FOREACH (&spec->mounts, mount)
		if (mount->kind == SB_STEP_MOUNT_SECRET)
			return true;
	return false;
}

static int fail_clone(struct sb_error *err)
{
	const bool exhausted = errno == ENOSPC || errno == EUSERS;

	(void)sb_fail_errno(err, "make the step's namespaces");
	return sb_error_hint(err, exhausted
					  ? "a limit in /proc/sys/user/max_*_namespaces is reached"
					  : "'safebuild doctor' says what this host forbids");
}

/* The pipes between us and the step's first process, and NETWORK from slirp4netns to it (init.h
 * says what goes through them); [i][0] reads, [i][1] writes. AGENTS, where it is needed, is a
 * channel from the first process to the proxy. */
enum { GO, LIFE, RESULT, TAP, NETWORK, AGENTS, N_PIPES };

struct pipes {
	int ends[N_PIPES][2];
};

static void pipes_release(struct pipes *pipes)
{
	for (size_t i = 0; i < N_PIPES; i++) {
		sb_fd_closep(&pipes->ends[i][0]);
		sb_fd_closep(&pipes->ends[i][1]);
	}
}

/* Once its first process has made its device, slirp4netns starts beside it. */
static int start_network(const struct sb_step_spec *spec, struct started *s, struct pipes *pipes,
	struct sb_error *err)
{
	sb_autofree char *folder = sb_path_dir(spec->upper);
	sb_autofd int api_dir = -1;
	char byte = 0;

	sb_fd_closep(&pipes->ends[TAP][1]);

	const ssize_t n = sb_fd_read(pipes->ends[TAP][0], &byte, 1, err);

	if (n <= 0)
		return (int)n; /* at 0 it has ended, and says why itself */
	if (spec->publish.len > 0 &&
		sb_at_open_dir(spec->layers_fd, folder, SB_AT_NO_LINKS, &api_dir, err) < 0)
		return -1;
	if (sb_network_start(s->pid, pipes->ends[NETWORK][1], api_dir, &s->slirp, err) < 0)
		return -1;
	return spec->publish.len > 0 ? sb_publish(api_dir, &spec->publish, err) : 0;
}

/* Lets the step's first process begin. */
static int let_go(const struct sb_step_spec *spec, struct started *s, struct pipes *pipes,
	struct sb_error *err)
{
	if (sb_agent_proxy_is_needed(spec) &&
		sb_agent_proxy_start(spec, pipes->ends[AGENTS][0], &s->agent_proxy, err) < 0)
		return -1;
	/* Closed first: that is what tells the proxy if the first process fails. */
	sb_fd_closep(&pipes->ends[AGENTS][0]);
	sb_fd_closep(&pipes->ends[AGENTS][1]);
	if (sb_userns_map_child(s->pid, &spec->ids, err) < 0 ||
		sb_fd_write_all(pipes->ends[GO][1], "x", 1, err) < 0)
		return -1;
	return spec->network == SB_STEP_NET_USER ? start_network(spec, s, pipes, err) : 0;
}

static int start_step(const struct sb_step_spec *spec, struct started *out, struct sb_error *err)
{
	__attribute__((cleanup(started_release))) struct started s = {
		.pidfd = -1, .life_fd = -1, .result_fd = -1};
	__attribute__((cleanup(pipes_release))) struct pipes pipes = {
		{{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}}};
	sb_autofd int secrets_tmpfs = -1;

	for (size_t i = 0; i < AGENTS; i++)
		if (sb_fd_pipe(pipes.ends[i], err) < 0)
			return -1;
	if (sb_agent_proxy_is_needed(spec) && sb_channel_pair(pipes.ends[AGENTS], err) < 0)
		return -1;
	/* Root makes it out here, where noswap is allowed. */
	if (geteuid() == 0 && spec->ids.uid_base > 1 && has_secret(spec) &&
		sb_rootfs_new_secrets_tmpfs(&spec->ids, &secrets_tmpfs, err) < 0)
		return -1;

	s.pid = clone_init(spec, &s.pidfd);
	if (s.pid < 0)
		return fail_clone(err);
	if (s.pid == 0) {
		struct sb_init init = {
			.spec = spec,
			.go_fd = pipes.ends[GO][0],
			.life_fd = pipes.ends[LIFE][0],
			.result_fd = pipes.ends[RESULT][1],
			.tap_fd = pipes.ends[TAP][1],
			.network_fd = pipes.ends[NETWORK][0],
			.secrets_tmpfs_fd = secrets_tmpfs,
			.agents_fd = pipes.ends[AGENTS][1],
		};

		sb_init_main(&init);
	}
	s.life_fd = sb_fd_steal(&pipes.ends[LIFE][1]);
	(void)fcntl(s.life_fd, F_SETFL, O_NONBLOCK);
	s.result_fd = sb_fd_steal(&pipes.ends[RESULT][0]);
	if (let_go(spec, &s, &pipes, err) < 0) {
		sb_fd_closep(&pipes.ends[GO][1]);
		(void)kill(s.pid, SIGKILL);
		(void)waitpid(s.pid, NULL, 0);
		return -1;
	}
	*out = s;
	s = (struct started){.pidfd = -1, .life_fd = -1, .result_fd = -1};
	return 0;
}

/* Ends a step in the orderly way, then by force. */
static void stop_step(struct started *s)
{
	struct pollfd ended = {.fd = s->pidfd, .events = POLLIN};

	sb_fd_closep(&s->life_fd);
	if (poll(&ended, 1, ORDERLY_END_MS) == 0)
		(void)kill(s->pid, SIGKILL);
}

/* While a step runs: a signal for its program, or its end. */
static int hear(
	int socket_fd, struct started *s, bool *watching, bool *out_alive, struct sb_error *err)
{
	SB_AUTO_BUF message = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
	int none[SB_CHANNEL_MAX_FDS];
	size_t n_none = 0;
	const int received = sb_channel_receive(socket_fd, &message, none, &n_none, err);

	for (size_t i = 0; i < n_none; i++)
		(void)close(none[i]);
	*out_alive = received > 0;
	/* Of more signals than fit into a pipe, the last ones are dropped. */
	if (received > 0 && message.len == 1) {
		(void)!write(s->life_fd, message.data, 1);
		return 0;
	}
	*watching = false;
	stop_step(s);
	return received < 0 ? -1 : 0;
}

/* Reads the answer while watching for a cancellation. *out_alive: the other end of the socket is
 * still there. */
static int await_result(
	int socket_fd, struct started *s, struct sb_buf *out, bool *out_alive, struct sb_error *err)
{
	bool watching = true;

	for (;;) {
		struct pollfd fds[] = {{.fd = s->result_fd, .events = POLLIN},
			{.fd = watching ? socket_fd : -1, .events = POLLIN}};
		char chunk[4096];

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return sb_fail_errno(err, "poll");
		if (fds[1].revents != 0 && hear(socket_fd, s, &watching, out_alive, err) < 0)
			return -1;
		if (fds[0].revents == 0)
			continue;

		const ssize_t n = sb_fd_read(s->result_fd, chunk, sizeof(chunk), err);

		if (n <= 0)
			return (int)n;
		if (sb_buf_add(out, chunk, (size_t)n, err) < 0)
			return -1;
	}
}

/* What came with a step's message. */
struct received_fds {
	int fds[SB_CHANNEL_MAX_FDS];
	size_t n;
};

static void received_fds_release(struct received_fds *received)
{
	for (size_t i = 0; i < received->n; i++)
		(void)close(received->fds[i]);
	received->n = 0;
}

static int run_step(int socket_fd, const struct sb_step_spec *spec, struct received_fds *received,
	struct sb_step_result *out, bool *out_alive, struct sb_error *err)
{
	__attribute__((cleanup(started_release))) struct started s = {
		.pidfd = -1, .life_fd = -1, .result_fd = -1};
	SB_AUTO_BUF said = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
	int status = 0;

	if (start_step(spec, &s, err) < 0)
		return -1;
	/* The step has its own: no secret stays here while it runs. */
	received_fds_release(received);

	const int rc = await_result(socket_fd, &s, &said, out_alive, err);

	if (rc < 0)
		stop_step(&s);
	if (waitpid(s.pid, &status, 0) < 0)
		return sb_fail_errno(err, "wait for the step");
	if (rc < 0)
		return -1;
	if (said.len == 0)
		return sb_fail(err, SB_E_SYSTEM, "the step's first process was killed (%s)",
			WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it said nothing");
	return sb_step_result_decode(said.data, said.len, out, err);
}

/* One message: 1 go on, 0 the other end is gone. */
static int serve_one(
	int socket_fd, struct sb_buf *message, struct sb_leftovers *leftovers, struct sb_error *err)
{
	__attribute__((cleanup(sb_step_result_release))) struct sb_step_result result = {0};
	__attribute__((cleanup(sb_step_spec_release))) struct sb_step_spec spec = SB_STEP_SPEC_INIT;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	SB_AUTO_BUF answer = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
	__attribute__((cleanup(received_fds_release))) struct received_fds received = {.n = 0};
	bool alive = true;
	const int got = sb_channel_receive(socket_fd, message, received.fds, &received.n, err);

	if (got <= 0)
		return got;
	if (message->len == 1)
		return 1; /* a signal that came when the step had ended */
	if (message->len == 0) {
		/* Goodbye, or a cancellation that came when the step had ended. */
		sb_leftovers_forget(leftovers);
		return 1;
	}

	int rc = sb_step_spec_decode(
		message->data, message->len, received.fds, received.n, &spec, &failed);

	if (rc == 0) {
		sb_leftovers_remember(leftovers, &spec);
		rc = run_step(socket_fd, &spec, &received, &result, &alive, &failed);
	}
	if (rc < 0)
		result.message = sb_step_result_text(&failed);
	if (!alive)
		return 0;
	if (sb_step_result_encode(&result, &answer, err) < 0 ||
		sb_channel_send(socket_fd, answer.data, answer.len, NULL, 0, err) < 0)
		return -1;
	return 1;
}

int sb_server_main(int argc, char **argv)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF message = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
	const int socket_fd = argc == 2 ? (int)strtol(argv[1], NULL, 10) : -1;
	struct sb_leftovers leftovers = SB_LEFTOVERS_INIT;
	int rc = 1;

	if (socket_fd < 3) {
		(void)fprintf(stderr, "safebuild-step is run by safebuild\n");
		return 2;
	}
	/* A step may be gone when it is sent a signal. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* What we start has no business with safebuild. */
	(void)fcntl(socket_fd, F_SETFD, FD_CLOEXEC);
	/* A terminal's Ctrl-C is for safebuild, which then tells us. */
	(void)setsid();
	/* A step's environment may be one of a secret: no dump of us either. (Not dumpable we can't
	 * be: then we could not write the id maps of our children.) */
	if (sb_confine_core_dumps(&err) < 0)
		rc = -1;
	while (rc > 0)
		rc = serve_one(socket_fd, &message, &leftovers, &err);
	sb_leftovers_remove(&leftovers);
	if (rc < 0)
		(void)fprintf(stderr, "safebuild-step: %s\n", err.message);
	return rc < 0 ? 125 : 0;
}
