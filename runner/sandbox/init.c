/* SPDX-License-Identifier: MIT */
#include "sandbox/init.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sandbox/agent_proxy.h"
#include "sandbox/network.h"
#include "sandbox/program.h"
#include "sandbox/rootfs.h"
#include "sandbox/workdir.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/proc.h"
#include "sys/tty.h"

enum { OUTPUT_WAIT_MS = 1000 };

static _Noreturn void answer(int result_fd, const struct sb_step_result *result)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);

	if (sb_step_result_encode(result, &buf, &err) < 0 ||
		sb_fd_write_all(result_fd, buf.data, buf.len, &err) < 0)
		_exit(1);
	_exit(0);
}

static _Noreturn void answer_error(int result_fd, const struct sb_error *err)
{
	sb_autofree char *text = sb_step_result_text(err);

	answer(result_fd, &(struct sb_step_result){.message = text});
}

/* Everything that was open in safebuild-step stays there. */
static void keep_only(const int *fds, size_t n)
{
	unsigned next = 3;
	bool found = true;

	while (found) {
		unsigned nearest = ~0U;

		found = false;
		for (size_t i = 0; i < n; i++) {
			if (fds[i] >= (int)next && (unsigned)fds[i] < nearest) {
				nearest = (unsigned)fds[i];
				found = true;
			}
		}
		if (!found || nearest > next)
			(void)close_range(next, found ? nearest - 1 : ~0U, 0);
		next = nearest + 1;
	}
}

static void close_inherited(const struct sb_init *init)
{
	SB_ARRAY(int) keep = {0};

	*SB_ARRAY_ADD(&keep) = init->go_fd;
	*SB_ARRAY_ADD(&keep) = init->life_fd;
	*SB_ARRAY_ADD(&keep) = init->result_fd;
	*SB_ARRAY_ADD(&keep) = init->tap_fd;
	*SB_ARRAY_ADD(&keep) = init->network_fd;
	*SB_ARRAY_ADD(&keep) = init->secrets_tmpfs_fd;
	*SB_ARRAY_ADD(&keep) = init->agents_fd;
	*SB_ARRAY_ADD(&keep) = init->spec->layers_fd;
	*SB_ARRAY_ADD(&keep) = init->spec->stdin_fd;
	*SB_ARRAY_ADD(&keep) = init->spec->stdout_fd;
	*SB_ARRAY_ADD(&keep) = init->spec->stderr_fd;
	*SB_ARRAY_ADD(&keep) = init->spec->terminal_fd;
	/* An agent is the proxy's to talk to: its socket has no business here. */
	SB_ARRAY_FOREACH (&init->spec->mounts, mount)
		if (mount->kind != SB_STEP_MOUNT_AGENT)
			*SB_ARRAY_ADD(&keep) = mount->fd;
	keep_only(keep.items, keep.len);
	SB_ARRAY_RELEASE(&keep);
}

/* Root of the new user namespace. The parent writes our maps first: until then this process is
 * dumpable. */
static int become_root(const struct sb_init *init, struct sb_error *err)
{
	char byte = 0;

	if (read(init->go_fd, &byte, 1) != 1)
		_exit(1); /* safebuild-step gave up and says why itself */
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return sb_fail_errno(err, "become root of the user namespace");
	if (!init->spec->single_id && setgroups(0, NULL) < 0)
		return sb_fail_errno(err, "drop supplementary groups");
	/* From here on the step can't look into us, nor can another user's process. (Who owns the
	 * user namespace above, which without root is the user, can look into all below it.) */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return sb_fail_errno(err, "refuse to be traced");
	(void)umask(0);
	return 0;
}

static bool is_over(int life_fd)
{
	struct pollfd life = {.fd = life_fd};

	return poll(&life, 1, 0) > 0;
}

/* False where there is nobody any more to send one. */
static bool pass_signals(int life_fd, pid_t program)
{
	unsigned char numbers[64];
	const ssize_t n = read(life_fd, numbers, sizeof(numbers));

	for (ssize_t i = 0; i < n; i++)
		(void)kill(program, numbers[i]);
	return n > 0 || (n < 0 && errno == EINTR);
}

/* Reaps until the step's process ends or safebuild is gone. True with its wait status. */
static bool wait_for(pid_t program, int life_fd, int signal_fd, int *out_status)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = signal_fd, .events = POLLIN}, {.fd = life_fd, .events = POLLIN}};
		struct signalfd_siginfo info;
		int status = 0;

		for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0;
			pid = waitpid(-1, &status, WNOHANG)) {
			if (pid == program) {
				*out_status = status;
				return true;
			}
		}
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return false;
		if (fds[1].revents != 0 && !pass_signals(life_fd, program))
			return false;
		(void)!read(signal_fd, &info, sizeof(info));
	}
}

/*
 * sendfile and splice put the secret's own pages into a pipe: emptied now, what safebuild has not
 * read yet would be zeros. So it gets the time to read, but not for ever.
 */
static void await_output(const struct sb_step_spec *spec, int life_fd)
{
	if (spec->terminal_fd >= 0)
		return; /* what goes into a terminal is copied */
	for (int waited_ms = 0; waited_ms < OUTPUT_WAIT_MS && !is_over(life_fd); waited_ms++) {
		struct timespec pause = {.tv_nsec = 1000000};
		int out = 0;
		int err = 0;

		if (ioctl(spec->stdout_fd, FIONREAD, &out) < 0 ||
			ioctl(spec->stderr_fd, FIONREAD, &err) < 0 || (out == 0 && err == 0))
			return;
		(void)nanosleep(&pause, NULL);
	}
}

/*
 * Ends all that the step started. kill(-1) reaches all but ourselves, and what forked meanwhile is
 * reached by the next round. The secrets are emptied as soon as all are dying and not when all are
 * dead: that can take longer than we are given when safebuild is gone.
 */
static void end_step(struct sb_rootfs *rootfs)
{
	(void)kill(-1, SIGKILL);
	sb_rootfs_forget_secrets(rootfs);
	do {
		(void)kill(-1, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	} while (waitpid(-1, NULL, 0) > 0);
}

static int watch_children(int *out_fd, struct sb_error *err)
{
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, NULL) < 0)
		return sb_fail_errno(err, "block signals");
	*out_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	return *out_fd < 0 ? sb_fail_errno(err, "watch signals") : 0;
}

/* The program's streams as it gets them: those of the spec, or a terminal that is made here. */
struct streams {
	struct sb_step_spec spec; /* a copy; what it points to is the spec's */
	int terminal_fd;
	int stdin_fd; /* the program's alone: else what reads from us would not see it go */
};

static int open_streams(const struct sb_step_spec *spec, struct streams *out, struct sb_error *err)
{
	sb_autofd int master = -1;

	*out = (struct streams){.spec = *spec, .terminal_fd = -1, .stdin_fd = spec->stdin_fd};
	if (spec->terminal_fd < 0)
		return 0;
	if (sb_tty_new(spec->uid, &master, &out->terminal_fd, err) < 0)
		return -1;
	sb_tty_set_size(master, spec->terminal_rows, spec->terminal_columns);
	out->spec.stdin_fd = out->spec.stdout_fd = out->spec.stderr_fd = out->terminal_fd;
	return sb_channel_send(spec->terminal_fd, "t", 1, &master, 1, err);
}

/* Runs the program and gives what is to be answered. */
static int run_to_end(struct sb_init *init, struct sb_rootfs *rootfs, struct streams *streams,
	struct sb_step_result *out, struct sb_error *err)
{
	sb_autofd int signal_fd = -1;
	SB_AUTO_BUF said = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
	int fds[2];
	int status = 0;

	if (watch_children(&signal_fd, err) < 0 || sb_fd_pipe(fds, err) < 0)
		return -1;

	sb_autofd int error_read = fds[0];
	sb_autofd int error_write = fds[1];

	/* Setting up does not watch it. */
	if (is_over(init->life_fd))
		return sb_fail(err, SB_E_CANCELLED, "safebuild is gone");

	const pid_t program = fork();

	if (program < 0)
		return sb_fail_errno(err, "fork");
	if (program == 0)
		sb_program_run(&streams->spec, error_write);
	sb_fd_closep(&error_write);
	/* The terminal ends with the last program that has it. */
	sb_fd_closep(&streams->terminal_fd);
	sb_fd_closep(&streams->stdin_fd);

	const bool ended = wait_for(program, init->life_fd, signal_fd, &status);

	(void)kill(-1, SIGKILL);
	if (ended)
		await_output(init->spec, init->life_fd);
	if (init->spec->terminal_fd < 0) {
		(void)close(init->spec->stdout_fd);
		(void)close(init->spec->stderr_fd);
	}
	end_step(rootfs);
	if (!ended)
		return sb_fail(err, SB_E_CANCELLED, "safebuild is gone");
	if (sb_fd_read_all(error_read, &said, err) < 0)
		return -1;
	if (said.len > 0)
		return sb_step_result_decode(said.data, said.len, out, err);
	*out = (struct sb_step_result){
		.has_run = true,
		.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	};
	return 0;
}

/* First of all: while we are still who may open the host's tun device. */
static int begin_network(struct sb_init *init, struct sb_error *err)
{
	if (init->spec->network != SB_STEP_NET_USER)
		return 0;
	sb_network_make_tap();

	const int rc = sb_fd_write_all(init->tap_fd, "x", 1, err);

	sb_fd_closep(&init->tap_fd);
	return rc;
}

static int end_network(struct sb_init *init, struct sb_error *err)
{
	if (init->spec->network == SB_STEP_NET_NONE)
		return sb_network_loopback_up(err);
	if (init->spec->network != SB_STEP_NET_USER)
		return 0;

	const int rc = sb_network_await(init->network_fd, init->life_fd, err);

	sb_fd_closep(&init->network_fd);
	return rc;
}

static int set_up(struct sb_init *init, struct sb_rootfs *out, struct sb_error *err)
{
	const struct sb_step_spec *spec = init->spec;

	/* A first process takes from its own namespace only the signals that it handles: none. */
	sb_proc_reset_signals();
	close_inherited(init);
	if (begin_network(init, err) < 0 || become_root(init, err) < 0 ||
		sb_rootfs_enter(spec, &init->secrets_tmpfs_fd, out, err) < 0)
		return -1;
	if (init->agents_fd >= 0 && sb_agent_proxy_hand_over(&init->agents_fd, out->agent_fds.items,
					    out->agent_fds.len, err) < 0)
		return -1;
	if (sb_workdir_make(out->root_fd, spec->cwd, spec->uid, spec->gid, err) < 0)
		return -1;
	if (sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return sb_fail_errno(err, "set the host name");
	return end_network(init, err);
}

_Noreturn void sb_init_main(struct sb_init *init)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_rootfs rootfs = {.root_fd = -1, .secrets_fd = -1};
	struct sb_step_result result = {0};
	struct streams streams;

	if (set_up(init, &rootfs, &err) < 0 || open_streams(init->spec, &streams, &err) < 0)
		answer_error(init->result_fd, &err);

	const int rc = run_to_end(init, &rootfs, &streams, &result, &err);

	sb_rootfs_forget_secrets(&rootfs);
	if (rc < 0)
		answer_error(init->result_fd, &err);
	answer(init->result_fd, &result);
}
