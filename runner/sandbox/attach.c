/* SPDX-License-Identifier: MIT */
#include "sandbox/attach.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/limits.h"
#include "sandbox/flow.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/tty.h"

enum {
	TERMINAL_PATIENCE_MS = 100,
	ORPHAN_ENDS_MS = 5000, /* how long a step may take to end when safebuild-step was killed */
};

struct relay {
	const struct sb_attach *attach;
	int socket_fd;
	int terminal_fd; /* the channel through which the program's terminal comes, until it came */
	int master_fd;   /* that terminal */
	struct sb_tty_raw raw;
	struct sb_flow in;
	struct sb_flow out[2];
	unsigned n_interrupts;
	bool is_killed;
};

static void relay_release(struct relay *r)
{
	sb_tty_raw_end(&r->raw);
	sb_fd_closep(&r->terminal_fd);
	sb_fd_closep(&r->master_fd);
	sb_flow_release(&r->in);
	sb_flow_release(&r->out[0]);
	sb_flow_release(&r->out[1]);
}

static int without_waiting(int fd, struct sb_error *err)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? sb_fail_errno(err, "make a pipe") : 0;
}

/* One that the program can open again by its name, /dev/stdout. */
static int make_pipe(const struct sb_step_spec *spec, int *out_ours, int *out_theirs,
	bool to_program, struct sb_error *err)
{
	int fds[2];

	if (sb_fd_pipe(fds, err) < 0)
		return -1;
	*out_ours = fds[to_program ? 1 : 0];
	*out_theirs = fds[to_program ? 0 : 1];
	(void)!fchown(*out_theirs, sb_idmap_uid_to_disk(&spec->ids, spec->uid),
		sb_idmap_gid_to_disk(&spec->ids, spec->gid));
	return without_waiting(*out_ours, err);
}

/* What the program gets; closed when it was sent. */
struct ends {
	int fds[3];
	int terminal_fd;
};

static void ends_release(struct ends *ends)
{
	for (size_t i = 0; i < 3; i++)
		sb_fd_closep(&ends->fds[i]);
	sb_fd_closep(&ends->terminal_fd);
}

static int open_output(struct relay *r, int i, const struct sb_step_spec *spec, struct ends *ends,
	struct sb_error *err)
{
	struct sb_flow *flow = &r->out[i];

	flow->stream = i + 1;
	flow->filter = r->attach->filter;
	flow->data = r->attach->filter_data;
	if (sb_fd_dup(i == 0 ? r->attach->stdout_fd : r->attach->stderr_fd, &flow->to, err) < 0)
		return -1;
	return make_pipe(spec, &flow->from, &ends->fds[i + 1], false, err);
}

static int open_pipes(
	struct relay *r, struct sb_step_spec *spec, struct ends *ends, struct sb_error *err)
{
	if (open_output(r, 0, spec, ends, err) < 0 || open_output(r, 1, spec, ends, err) < 0)
		return -1;
	if (r->attach->stdin_fd >= 0 &&
		(sb_fd_dup(r->attach->stdin_fd, &r->in.from, err) < 0 ||
			make_pipe(spec, &r->in.to, &ends->fds[0], true, err) < 0))
		return -1;
	spec->stdin_fd = ends->fds[0];
	spec->stdout_fd = ends->fds[1];
	spec->stderr_fd = ends->fds[2];
	return 0;
}

static int open_channel(
	struct relay *r, struct sb_step_spec *spec, struct ends *ends, struct sb_error *err)
{
	int fds[2];

	if (sb_channel_pair(fds, err) < 0)
		return -1;
	r->terminal_fd = fds[0];
	ends->terminal_fd = spec->terminal_fd = fds[1];
	if (!sb_tty_size(r->attach->stdout_fd, &spec->terminal_rows, &spec->terminal_columns))
		spec->terminal_rows = spec->terminal_columns = 0;
	return 0;
}

/* The program has its terminal now, and takes the user's. */
static int take_terminal(struct relay *r, struct sb_error *err)
{
	SB_AUTO_BUF message = SB_BUF_INIT(16);
	int fds[SB_CHANNEL_MAX_FDS];
	size_t n = 0;
	const int received = sb_channel_receive(r->terminal_fd, &message, fds, &n, err);

	sb_fd_closep(&r->terminal_fd);
	if (received <= 0)
		return received; /* at 0 the step could not be set up, and says why itself */
	if (n != 1)
		return sb_fail(err, SB_E_BUG, "a terminal that is none");
	r->master_fd = fds[0];
	if (without_waiting(r->master_fd, err) < 0 || sb_fd_dup(r->master_fd, &r->in.to, err) < 0 ||
		sb_fd_dup(r->master_fd, &r->out[0].from, err) < 0 ||
		sb_fd_dup(r->attach->stdin_fd, &r->in.from, err) < 0 ||
		sb_fd_dup(r->attach->stdout_fd, &r->out[0].to, err) < 0)
		return -1;
	return sb_tty_raw_begin(r->attach->stdin_fd, &r->raw, err);
}

static int send_signal(struct relay *r, int number, struct sb_error *err)
{
	const char byte = (char)number;

	return sb_channel_send(r->socket_fd, &byte, 1, NULL, 0, err);
}

static int pass_signal(struct relay *r, int number, struct sb_error *err)
{
	unsigned short rows = 0;
	unsigned short columns = 0;

	if (number == SIGWINCH && r->master_fd >= 0) {
		if (sb_tty_size(r->attach->stdout_fd, &rows, &columns))
			sb_tty_set_size(r->master_fd, rows, columns);
		return 0;
	}
	if (number == SIGINT && ++r->n_interrupts == 2) {
		r->is_killed = true;
		return sb_channel_send(r->socket_fd, "", 0, NULL, 0, err);
	}
	/* SIGPIPE is our own, from a reader that went. */
	if (r->is_killed || number == SIGPIPE)
		return 0;
	return send_signal(r, number == SIGTERM ? r->attach->term_signal : number, err);
}

static int pass_signals(struct relay *r, struct sb_error *err)
{
	for (int n = sb_signals_next(r->attach->signals); n != 0;
		n = sb_signals_next(r->attach->signals))
		if (pass_signal(r, n, err) < 0)
			return -1;
	return 0;
}

/* The user's terminal is gone: so is the program's. */
static void hang_up(struct relay *r)
{
	sb_flow_release(&r->in);
	sb_fd_closep(&r->out[0].from);
	sb_fd_closep(&r->master_fd);
	r->in = (struct sb_flow)SB_FLOW_INIT;
}

enum { ANSWER, SIGNALS, TERMINAL, FLOWS, N_POLLED = FLOWS + 6 };

static void move_bytes(struct relay *r, const struct pollfd *fds)
{
	struct sb_flow *const flows[] = {&r->in, &r->out[0], &r->out[1]};
	const bool had_input = r->in.from >= 0;

	for (size_t i = 0; i < 3; i++) {
		if (fds[2 * i].revents != 0)
			(void)sb_flow_read(flows[i]);
		if (fds[2 * i + 1].revents != 0)
			sb_flow_write(flows[i]);
	}
	if (r->master_fd >= 0 && had_input && r->in.from < 0)
		hang_up(r);
}

static void poll_flows(struct relay *r, struct pollfd *fds)
{
	sb_flow_poll(&r->in, &fds[0], &fds[1]);
	sb_flow_poll(&r->out[0], &fds[2], &fds[3]);
	sb_flow_poll(&r->out[1], &fds[4], &fds[5]);
}

/* 1 with the answer, 0 where safebuild-step is gone. */
static int relay_until_answer(struct relay *r, struct sb_buf *answer, struct sb_error *err)
{
	for (;;) {
		struct pollfd fds[N_POLLED] = {[ANSWER] = {.fd = r->socket_fd, .events = POLLIN},
			[SIGNALS] = {.fd = sb_signals_fd(r->attach->signals), .events = POLLIN},
			[TERMINAL] = {.fd = r->terminal_fd, .events = POLLIN}};
		int none[SB_CHANNEL_MAX_FDS];
		size_t n_none = 0;

		poll_flows(r, fds + FLOWS);
		if (poll(fds, N_POLLED, -1) < 0 && errno != EINTR)
			return sb_fail_errno(err, "poll");
		if ((fds[TERMINAL].revents != 0 && take_terminal(r, err) < 0) ||
			(fds[SIGNALS].revents != 0 && pass_signals(r, err) < 0))
			return -1;
		move_bytes(r, fds + FLOWS);
		if (fds[ANSWER].revents != 0)
			return sb_channel_receive(r->socket_fd, answer, none, &n_none, err);
	}
}

/* Whoever reads our output may be slow; a second SIGINT ends the waiting. */
static void write_rest(struct relay *r)
{
	while (!r->is_killed &&
		(sb_flow_has_pending(&r->out[0]) || sb_flow_has_pending(&r->out[1]))) {
		struct pollfd fds[7] = {
			[6] = {.fd = sb_signals_fd(r->attach->signals), .events = POLLIN}};

		poll_flows(r, fds);
		fds[0].fd = fds[1].fd = fds[2].fd = fds[4].fd = -1;
		if (poll(fds, 7, -1) < 0 && errno != EINTR)
			return;
		for (int n = fds[6].revents != 0 ? sb_signals_next(r->attach->signals) : 0; n != 0;
			n = sb_signals_next(r->attach->signals))
			r->is_killed = r->is_killed || (n == SIGINT && ++r->n_interrupts >= 2);
		for (size_t i = 0; i < 2; i++)
			if (fds[2 * i + 3].revents != 0)
				sb_flow_write(&r->out[i]);
	}
}

/*
 * safebuild-step was killed. Its step sees that too and ends: its pipes do when the last of its
 * processes is gone, which must be before its files are touched.
 */
static int fail_orphaned(struct relay *r, struct sb_error *err)
{
	(void)sb_flow_await_end(&r->out[0], &r->out[1], ORPHAN_ENDS_MS);
	return sb_fail(err, SB_E_SYSTEM, "safebuild-step was killed while it ran a program");
}

static int send_step(
	struct relay *r, struct sb_step_spec *spec, struct sb_buf *message, struct sb_error *err)
{
	__attribute__((cleanup(ends_release))) struct ends ends = {{-1, -1, -1}, -1};
	int fds[SB_CHANNEL_MAX_FDS];
	size_t n_fds = 0;
	int rc = r->attach->is_terminal ? open_channel(r, spec, &ends, err)
					: open_pipes(r, spec, &ends, err);

	if (rc == 0)
		rc = sb_step_spec_encode(spec, message, fds, &n_fds, err);
	if (rc == 0)
		rc = sb_channel_send(r->socket_fd, message->data, message->len, fds, n_fds, err);
	spec->stdin_fd = spec->stdout_fd = spec->stderr_fd = spec->terminal_fd = -1;
	return rc;
}

int sb_sandbox_attach(struct sb_sandbox *sandbox, struct sb_step_spec *spec,
	const struct sb_attach *attach, struct sb_step_result *out, struct sb_error *err)
{
	SB_AUTO_BUF message = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
	__attribute__((cleanup(relay_release))) struct relay r = {
		.attach = attach,
		.socket_fd = sb_sandbox_socket(sandbox),
		.terminal_fd = -1,
		.master_fd = -1,
		.raw = SB_TTY_RAW_INIT,
		.in = SB_FLOW_INIT,
		.out = {SB_FLOW_INIT, SB_FLOW_INIT},
	};

	if (send_step(&r, spec, &message, err) < 0)
		return -1;

	const int rc = relay_until_answer(&r, &message, err);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return fail_orphaned(&r, err);
	sb_flow_drain(&r.out[0], attach->is_terminal ? TERMINAL_PATIENCE_MS : 0);
	sb_flow_drain(&r.out[1], 0);
	write_rest(&r);
	if (r.is_killed) {
		*out = (struct sb_step_result){
			.has_run = true, .status = 128 + SIGKILL, .signal = SIGKILL};
		return 0;
	}
	return sb_step_result_decode(message.data, message.len, out, err);
}
