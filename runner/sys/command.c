/* SPDX-License-Identifier: MIT */
#include "sys/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/close_range.h>
#include <linux/sched.h>

#include "base/mem.h"
#include "sys/fd.h"
#include "sys/proc.h"

enum { TICK_MS = 100, PIECE = 4096 };

void sb_command_result_release(struct sb_command_result *result)
{
	sb_buf_release(&result->out);
	sb_buf_release(&result->error);
}

/* Between fork and exec: only what is safe after fork in a process that may have threads. */
struct child {
	const char *path;
	char **argv;
	char **env;
	int dir_fd;
	int passed_fd;
	int in_fd; /* or -1 */
	int out_fd;
	int error_fd;
	pid_t parent;
};

static _Noreturn void exec_child(const struct child *c)
{
	const int in_fd = c->in_fd >= 0 ? c->in_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Not a group alone: a session has no terminal, so that nothing can ask there. */
	(void)setsid();
	/* 0: we can't see who that is from a namespace of our own. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || (getppid() != c->parent && getppid() != 0) ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(127);
	if (c->dir_fd >= 0 && fchdir(c->dir_fd) < 0)
		_exit(127);
	if (in_fd < 0 || dup2(in_fd, STDIN_FILENO) < 0 || dup2(c->out_fd, STDOUT_FILENO) < 0 ||
		dup2(c->error_fd, STDERR_FILENO) < 0)
		_exit(127);
	/* Last: the number may have been another one's of these. */
	if (c->passed_fd >= 0 && dup2(c->passed_fd, SB_COMMAND_PASSED_FD) < 0)
		_exit(127);
	if (c->passed_fd == SB_COMMAND_PASSED_FD) /* then dup2 did nothing */
		(void)fcntl(c->passed_fd, F_SETFD, 0);
	(void)close_range(c->passed_fd >= 0 ? SB_COMMAND_PASSED_FD + 1 : STDERR_FILENO + 1, ~0U,
		CLOSE_RANGE_CLOEXEC);
	execve(c->path, c->argv, c->env);
	_exit(127);
}

struct running {
	const struct sb_command *command;
	struct sb_command_result *result;
	pid_t pid;
	int pidfd;
	int out_fd;
	int error_fd;
	struct timespec deadline;
};

/* Only the end is kept: that is where a program says why it gives up. */
static int keep_end(struct sb_buf *buf, const char *bytes, size_t len, struct sb_error *err)
{
	const size_t room = buf->max_bytes - buf->len;

	if (len > room) {
		const size_t cut = len - room < buf->len ? len - room : buf->len;

		memmove(buf->data, buf->data + cut, buf->len - cut);
		buf->len -= cut;
	}
	return sb_buf_add(buf, bytes, len, err);
}

/* One read; *fd becomes -1 at the end. */
static int take(struct running *r, int *fd, struct sb_error *err)
{
	char bytes[PIECE];
	const ssize_t n = read(*fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		*fd = -1;
		return 0;
	}
	if (fd == &r->error_fd)
		return keep_end(&r->result->error, bytes, (size_t)n, err);
	if (sb_buf_add(&r->result->out, bytes, (size_t)n, err) < 0)
		return sb_error_context(err, "%s says too much", r->command->argv->items[0]);
	return 0;
}

static bool is_late(const struct running *r)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return r->command->timeout_s != 0 && now.tv_sec >= r->deadline.tv_sec;
}

/* Until the program has ended. */
static int attend(struct running *r, struct sb_error *err)
{
	const struct sb_command *command = r->command;

	for (;;) {
		struct pollfd fds[] = {
			{.fd = r->pidfd, .events = POLLIN},
			{.fd = r->out_fd, .events = POLLIN},
			{.fd = r->error_fd, .events = POLLIN},
			{.fd = command->interrupt != NULL ? sb_interrupt_fd(command->interrupt)
							  : -1,
				.events = POLLIN},
		};
		const int n = poll(fds, sizeof(fds) / sizeof(fds[0]), TICK_MS);

		if (n < 0 && errno != EINTR)
			return sb_fail_errno(err, "wait for %s", command->argv->items[0]);
		if (sb_interrupt_check(command->interrupt, err) < 0)
			return -1;
		if (is_late(r))
			return sb_fail(err, SB_E_LIMIT, "%s was ended after %u s without an answer",
				command->argv->items[0], command->timeout_s);
		if (n > 0 && fds[1].revents != 0 && take(r, &r->out_fd, err) < 0)
			return -1;
		if (n > 0 && fds[2].revents != 0 && take(r, &r->error_fd, err) < 0)
			return -1;
		if (n > 0 && fds[0].revents != 0 && (fds[1].revents & POLLIN) == 0 &&
			(fds[2].revents & POLLIN) == 0)
			return 0;
		if (n <= 0 && command->on_tick != NULL)
			command->on_tick(command->data);
	}
}

/*
 * In a pid namespace of its own where we may make one: all that the program started then ends with
 * it, also when we are killed and can't see to that.
 */
static pid_t fork_apart(void)
{
	const struct clone_args args = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};
	const pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	return pid >= 0 ? pid : fork();
}

static int make_input(const struct sb_command *command, int *out_fd, struct sb_error *err)
{
	sb_autofd int fd = -1;

	if (command->input == NULL)
		return 0;
	if (sb_fd_memory("input", &fd, err) < 0 ||
		sb_fd_write_all(fd, command->input, command->input_len, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return sb_fail_errno(err, "rewind the input of %s", command->argv->items[0]);
	*out_fd = sb_fd_steal(&fd);
	return 0;
}

static int start(const struct sb_command *command, const char *path, const int out_fds[2],
	const int error_fds[2], pid_t *out_pid, struct sb_error *err)
{
	sb_autofd int in_fd = -1;

	if (make_input(command, &in_fd, err) < 0)
		return -1;

	const struct child child = {
		.path = path,
		.argv = sb_strv_argv(command->argv),
		.env = sb_strv_argv(command->env),
		.dir_fd = command->dir_fd,
		.passed_fd = command->passed_fd,
		.in_fd = in_fd,
		.out_fd = out_fds[1],
		.error_fd = error_fds[1],
		.parent = getpid(),
	};
	const pid_t pid = fork_apart();

	if (pid < 0)
		return sb_fail_errno(err, "start %s", command->argv->items[0]);
	if (pid == 0)
		exec_child(&child);
	*out_pid = pid;
	return 0;
}

int sb_command_run(
	const struct sb_command *command, struct sb_command_result *out, struct sb_error *err)
{
	const char *name = command->argv->items[0];
	sb_autofree char *path = sb_proc_program_path(name);
	int out_fds[2];
	int error_fds[2];
	pid_t pid = -1;

	if (path == NULL)
		return sb_fail(err, SB_E_NOT_FOUND, "%s is not installed", name);
	if (sb_fd_pipe(out_fds, err) < 0)
		return -1;

	sb_autofd int out_read = out_fds[0];
	sb_autofd int out_write = out_fds[1];

	if (sb_fd_pipe(error_fds, err) < 0)
		return -1;

	sb_autofd int error_read = error_fds[0];
	sb_autofd int error_write = error_fds[1];
	sb_autofd int pidfd = -1;

	if (start(command, path, out_fds, error_fds, &pid, err) < 0)
		return -1;
	sb_fd_closep(&out_write);
	sb_fd_closep(&error_write);

	struct running r = {.command = command,
		.result = out,
		.pid = pid,
		.out_fd = out_read,
		.error_fd = error_read};
	int rc = sb_proc_open(pid, &pidfd, err);

	r.pidfd = pidfd;
	(void)clock_gettime(CLOCK_MONOTONIC, &r.deadline);
	r.deadline.tv_sec += (time_t)command->timeout_s;
	if (rc == 0)
		rc = attend(&r, err);
	/* Before it is waited for: its id, which is the group's, is its own until then. Until it
	 * has made the group, it is killed alone. */
	if (kill(-pid, SIGKILL) < 0 && rc < 0)
		(void)kill(pid, SIGKILL);
	out->status = sb_proc_wait(pid);
	while (out->error.len > 0 && out->error.data[out->error.len - 1] == '\n')
		sb_buf_cut(&out->error, out->error.len - 1);
	return rc;
}
