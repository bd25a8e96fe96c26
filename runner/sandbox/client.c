/* SPDX-License-Identifier: MIT */
#include "sandbox/client.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/proc.h"

enum {
	TICK_MS = 100,
	ORPHAN_ENDS_MS = 5000, /* how long a step may take to end when safebuild-step was killed */
	/* How long safebuild-step may take to end a step, or itself, before it is killed. It takes
	 * moments, but it may be stopped, or the step wait for a disk that does not answer. */
	SERVER_ENDS_MS = 5000,
};

struct sb_sandbox {
	pid_t pid;
	int socket_fd;
	bool is_lost;
};

/* In a build folder it lies in another folder than safebuild: ../sandbox/. */
char *sb_sandbox_program(void)
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

/* Nothing of our environment goes with it: it may hold secrets. Other threads may have had locks
 * when the process was forked, so nothing is allocated here. */
static _Noreturn void exec_step(const char *path, int socket_fd, char *number)
{
	static char name[] = "safebuild-step";
	static char path_variable[] =
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
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
	sb_autofree char *path = sb_sandbox_program();
	int fds[2];

	if (path == NULL)
		return sb_fail(err, SB_E_NOT_FOUND,
			"safebuild-step is neither beside safebuild nor at %s", SB_STEP_PROGRAM);
	if (sb_channel_pair(fds, err) < 0)
		return -1;

	sb_autofd int ours = fds[0];
	sb_autofd int theirs = fds[1];
	sb_autofree char *number = sb_asprintf("%d", theirs);
	const pid_t pid = fork();

	if (pid < 0)
		return sb_fail_errno(err, "fork");
	if (pid == 0)
		exec_step(path, theirs, number);

	struct sb_sandbox *sandbox = SB_NEW(struct sb_sandbox);

	sandbox->pid = pid;
	sandbox->socket_fd = sb_fd_steal(&ours);
	*out = sandbox;
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool ends_by(int pidfd, uint64_t until_ms)
{
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};

	for (uint64_t now = now_ms(); now < until_ms; now = now_ms())
		if (poll(&ended, 1, (int)(until_ms - now)) > 0)
			return true;
	return false;
}

static void end_server(pid_t pid)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int pidfd = -1;

	if (sb_proc_open(pid, &pidfd, &err) < 0)
		sb_error_ignore(&err, "then it is waited for");
	else if (!ends_by(pidfd, now_ms() + SERVER_ENDS_MS))
		(void)kill(pid, SIGKILL);
	(void)sb_proc_wait(pid);
}

void sb_sandbox_free(struct sb_sandbox *sandbox)
{
	if (sandbox == NULL)
		return;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	/* Goodbye: without it, it takes us for killed, and removes the build's folder. */
	if (sb_channel_send(sandbox->socket_fd, "", 0, NULL, 0, &err) < 0)
		sb_error_ignore(&err, "it is gone already");
	(void)close(sandbox->socket_fd);
	end_server(sandbox->pid);
	free(sandbox);
}

int sb_sandbox_socket(const struct sb_sandbox *sandbox)
{
	return sandbox->socket_fd;
}

bool sb_sandbox_is_lost(const struct sb_sandbox *sandbox)
{
	return sandbox->is_lost;
}

/* What is polled while a step runs. */
enum { ANSWER, OUT, ERR, INTERRUPT, N_POLLED };

struct run {
	struct pollfd fds[N_POLLED];
	const struct sb_sandbox_events *events;
	bool is_cancelled;
	uint64_t give_up_ms; /* when it is */
	uint64_t next_tick_ms;
};

/* Reads up to `most` bytes of what there is: how many, or 0 when the pipe has ended. */
static size_t pump(struct run *run, int which, size_t most)
{
	char chunk[32 << 10];
	ssize_t n = -1;

	do
		n = read(run->fds[which].fd, chunk, most < sizeof(chunk) ? most : sizeof(chunk));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	run->events->on_output(run->events->data, which == OUT ? 1 : 2, chunk, (size_t)n);
	return (size_t)n;
}

/* The step's processes are gone, so what is in the pipes now is all of it; a process outside that a
 * step passed its end to is not listened to. */
static void drain(struct run *run)
{
	for (int which = OUT; which <= ERR; which++) {
		int waiting = 0;

		if (run->fds[which].fd < 0 || ioctl(run->fds[which].fd, FIONREAD, &waiting) < 0)
			continue;
		for (size_t left = (size_t)waiting, n = left; left > 0 && n > 0; left -= n)
			n = pump(run, which, left);
	}
}

static void pump_ready(struct run *run)
{
	for (int which = OUT; which <= ERR; which++)
		if (run->fds[which].revents != 0 && pump(run, which, SIZE_MAX) == 0)
			run->fds[which].fd = -1;
}

/*
 * safebuild-step was killed. Its step sees that too and ends: its pipes do when the last of its
 * processes that has them is gone, which is waited for, since its files will be touched.
 */
static int fail_orphaned(struct run *run, struct sb_error *err)
{
	const uint64_t until = now_ms() + ORPHAN_ENDS_MS;

	run->fds[ANSWER].fd = run->fds[INTERRUPT].fd = -1;
	while ((run->fds[OUT].fd >= 0 || run->fds[ERR].fd >= 0) && now_ms() < until)
		if (poll(run->fds, N_POLLED, TICK_MS) > 0)
			pump_ready(run);
	return run->is_cancelled
		       ? sb_fail(err, SB_E_CANCELLED, "interrupted")
		       : sb_fail(err, SB_E_SYSTEM, "safebuild-step was killed while it ran a step");
}

static int cancel(struct sb_sandbox *sandbox, struct run *run, struct sb_error *err)
{
	run->is_cancelled = true;
	run->give_up_ms = now_ms() + SERVER_ENDS_MS;
	run->fds[INTERRUPT].fd = -1;
	return sb_channel_send(sandbox->socket_fd, "", 0, NULL, 0, err);
}

static void tick(struct run *run)
{
	const uint64_t now = now_ms();

	if (now < run->next_tick_ms)
		return;
	run->next_tick_ms = now + TICK_MS;
	run->events->on_tick(run->events->data);
}

static int wait_for_answer(
	struct sb_sandbox *sandbox, struct run *run, struct sb_buf *answer, struct sb_error *err)
{
	for (;;) {
		const int ready = poll(run->fds, N_POLLED, TICK_MS);

		if (ready < 0 && errno != EINTR)
			return sb_fail_errno(err, "poll");
		tick(run);
		if (run->is_cancelled && now_ms() >= run->give_up_ms) {
			(void)kill(sandbox->pid, SIGKILL);
			return fail_orphaned(run, err);
		}
		if (ready <= 0)
			continue;
		pump_ready(run);
		if (run->fds[INTERRUPT].revents != 0 && cancel(sandbox, run, err) < 0)
			return -1;
		if (run->fds[ANSWER].revents == 0)
			continue;

		int fds[SB_CHANNEL_MAX_FDS];
		size_t n_fds = 0;
		const int received =
			sb_channel_receive(sandbox->socket_fd, answer, fds, &n_fds, err);

		if (received == 0)
			return fail_orphaned(run, err);
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

	sandbox->is_lost = true;
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
	sandbox->is_lost = false;
	drain(&run);
	if (run.is_cancelled)
		return sb_fail(err, SB_E_CANCELLED, "interrupted");
	return sb_step_result_decode(message.data, message.len, out, err);
}
