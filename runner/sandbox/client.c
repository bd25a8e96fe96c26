/* SPDX-License-Identifier: MIT */
#include "sandbox/client.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/proc.h"

enum { TICK_MS = 100 };

struct sb_sandbox {
	pid_t pid;
	int socket_fd;
};

/* In a build folder it lies in another folder than safebuild: ../sandbox/. */
static char *find_step_program(void)
{
	static const char *const places[] = {
		"safebuild-step", "sandbox/safebuild-step", "../libexec/safebuild/safebuild-step"};
	char self[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len > 0) {
		self[len] = '\0';

		sb_autofree char *dir = sb_path_dir(self);

		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			char *candidate = sb_path_join(dir, places[i]);

			if (access(candidate, X_OK) == 0)
				return candidate;
			free(candidate);
		}
	}
	return access(SB_STEP_PROGRAM, X_OK) == 0 ? sb_strdup(SB_STEP_PROGRAM) : NULL;
}

/* Nothing of our environment goes with it: it may hold secrets. */
static _Noreturn void exec_step(const char *path, int socket_fd)
{
	static char name[] = "safebuild-step";
	static char path_variable[] =
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	sb_autofree char *number = sb_asprintf("%d", socket_fd);
	char *argv[] = {name, number, NULL};
	char *env[] = {path_variable, NULL};
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (fcntl(socket_fd, F_SETFD, 0) < 0)
		_exit(127);
	execve(path, argv, env);
	_exit(127);
}

int sb_sandbox_start(struct sb_sandbox **out, struct sb_error *err)
{
	sb_autofree char *path = find_step_program();
	int fds[2];

	if (path == NULL)
		return sb_fail(err, SB_E_NOT_FOUND,
			"safebuild-step is neither beside safebuild nor at %s", SB_STEP_PROGRAM);
	if (sb_channel_pair(fds, err) < 0)
		return -1;

	sb_autofd int ours = fds[0];
	sb_autofd int theirs = fds[1];
	const pid_t pid = fork();

	if (pid < 0)
		return sb_fail_errno(err, "fork");
	if (pid == 0)
		exec_step(path, theirs);

	struct sb_sandbox *sandbox = SB_NEW(struct sb_sandbox);

	sandbox->pid = pid;
	sandbox->socket_fd = sb_fd_steal(&ours);
	*out = sandbox;
	return 0;
}

void sb_sandbox_free(struct sb_sandbox *sandbox)
{
	if (sandbox == NULL)
		return;
	(void)close(sandbox->socket_fd);
	(void)sb_proc_wait(sandbox->pid);
	free(sandbox);
}

/* What is polled while a step runs. */
enum { ANSWER, OUT, ERR, INTERRUPT, N_POLLED };

struct run {
	struct pollfd fds[N_POLLED];
	const struct sb_sandbox_events *events;
	bool is_cancelled;
};

/* Reads what there is. False when the pipe has ended. */
static bool pump(struct run *run, int which)
{
	char chunk[32 << 10];
	const ssize_t n = read(run->fds[which].fd, chunk, sizeof(chunk));

	if (n > 0) {
		run->events->on_output(run->events->data, which == OUT ? 1 : 2, chunk, (size_t)n);
		return true;
	}
	return n < 0 && (errno == EINTR || errno == EAGAIN);
}

/* The step's processes are gone, so what is in the pipes is all there will be. */
static void drain(struct run *run)
{
	for (int which = OUT; which <= ERR; which++) {
		if (run->fds[which].fd < 0)
			continue;

		struct pollfd more = {.fd = run->fds[which].fd, .events = POLLIN};

		while (poll(&more, 1, 0) == 1 && (more.revents & POLLIN) != 0 && pump(run, which))
			;
	}
}

static int cancel(struct sb_sandbox *sandbox, struct run *run, struct sb_error *err)
{
	run->is_cancelled = true;
	run->fds[INTERRUPT].fd = -1;
	return sb_channel_send(sandbox->socket_fd, "", 0, NULL, 0, err);
}

static int wait_for_answer(
	struct sb_sandbox *sandbox, struct run *run, struct sb_buf *answer, struct sb_error *err)
{
	for (;;) {
		const int ready = poll(run->fds, N_POLLED, TICK_MS);

		if (ready < 0 && errno != EINTR)
			return sb_fail_errno(err, "poll");
		if (ready <= 0) {
			run->events->on_tick(run->events->data);
			continue;
		}
		for (int which = OUT; which <= ERR; which++)
			if (run->fds[which].revents != 0 && !pump(run, which))
				run->fds[which].fd = -1;
		if (run->fds[INTERRUPT].revents != 0 && cancel(sandbox, run, err) < 0)
			return -1;
		if (run->fds[ANSWER].revents == 0)
			continue;

		int fds[SB_CHANNEL_MAX_FDS];
		size_t n_fds = 0;
		const int received =
			sb_channel_receive(sandbox->socket_fd, answer, fds, &n_fds, err);

		if (received == 0)
			return sb_fail(err, SB_E_BUG, "safebuild-step ended unexpectedly");
		return received < 0 ? -1 : 0;
	}
}

int sb_sandbox_run(struct sb_sandbox *sandbox, struct sb_step_spec *spec,
	const struct sb_sandbox_events *events, struct sb_step_result *out, struct sb_error *err)
{
	SB_AUTO_BUF message = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
	int fds[SB_CHANNEL_MAX_FDS];
	size_t n_fds = 0;
	int out_pipe[2];
	int err_pipe[2];

	if (sb_fd_pipe(out_pipe, err) < 0)
		return -1;

	sb_autofd int out_read = out_pipe[0];
	sb_autofd int out_write = out_pipe[1];

	if (sb_fd_pipe(err_pipe, err) < 0)
		return -1;

	sb_autofd int err_read = err_pipe[0];
	sb_autofd int err_write = err_pipe[1];

	spec->stdout_fd = out_write;
	spec->stderr_fd = err_write;
	if (sb_step_spec_encode(spec, &message, fds, &n_fds, err) < 0 ||
		sb_channel_send(sandbox->socket_fd, message.data, message.len, fds, n_fds, err) < 0)
		return -1;
	spec->stdout_fd = spec->stderr_fd = -1;
	sb_fd_closep(&out_write);
	sb_fd_closep(&err_write);

	struct run run = {
		.fds = {[ANSWER] = {.fd = sandbox->socket_fd, .events = POLLIN},
			[OUT] = {.fd = out_read, .events = POLLIN},
			[ERR] = {.fd = err_read, .events = POLLIN},
			[INTERRUPT] = {.fd = events->interrupt_fd, .events = POLLIN}},
		.events = events,
	};

	if (wait_for_answer(sandbox, &run, &message, err) < 0)
		return -1;
	drain(&run);
	if (run.is_cancelled)
		return sb_fail(err, SB_E_CANCELLED, "interrupted");
	return sb_step_result_decode(message.data, message.len, out, err);
}
