/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "sandbox/flow.h"
#include "sandbox/publish.h"
#include "sys/fd.h"

/* A flow between two pipes; the far ends are the test's. */
struct pipes {
	struct sb_flow flow;
	int write_fd;
	int read_fd;
};

static void pipes_init(struct pipes *p)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	int in[2];
	int out[2];

	assert_int_equal(sb_fd_pipe(in, &err), 0);
	assert_int_equal(sb_fd_pipe(out, &err), 0);
	*p = (struct pipes){.flow = SB_FLOW_INIT, .write_fd = in[1], .read_fd = out[0]};
	p->flow.from = in[0];
	p->flow.to = out[1];
	assert_int_equal(fcntl(in[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(out[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(in[1], F_SETFL, O_NONBLOCK), 0);
}

static void pipes_release(struct pipes *p)
{
	sb_flow_release(&p->flow);
	sb_fd_closep(&p->write_fd);
	sb_fd_closep(&p->read_fd);
}
#define PIPES __attribute__((cleanup(pipes_release))) struct pipes

static void turn(struct pipes *p)
{
	(void)sb_flow_read(&p->flow);
	sb_flow_write(&p->flow);
}

static void bytes_and_their_end_pass(void **state)
{
	PIPES p;
	char got[16];

	(void)state;
	pipes_init(&p);
	assert_int_equal(write(p.write_fd, "a\0b", 3), 3);
	turn(&p);
	assert_int_equal(read(p.read_fd, got, sizeof(got)), 3);
	assert_memory_equal(got, "a\0b", 3);
	assert_false(sb_flow_read(&p.flow));
	sb_fd_closep(&p.write_fd);
	turn(&p);
	assert_int_equal(read(p.read_fd, got, sizeof(got)), 0);
	assert_int_equal(p.flow.from, -1);
	assert_int_equal(p.flow.to, -1);
}

/* Nothing is read for a reader that does not come, but for what is kept; and nothing is lost. */
static void a_slow_reader_holds_the_writer(void **state)
{
	static char block[4096];
	PIPES p;
	struct pollfd from;
	struct pollfd to;
	size_t written = 0;
	size_t got = 0;

	(void)state;
	pipes_init(&p);
	for (int idle = 0; idle < 3;) {
		const ssize_t n = write(p.write_fd, block, sizeof(block));

		sb_flow_poll(&p.flow, &from, &to);
		written += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		if (from.fd >= 0)
			(void)sb_flow_read(&p.flow);
		sb_flow_write(&p.flow);
	}
	assert_true(written < 1 << 20);
	assert_int_equal(from.fd, -1);
	assert_true(to.fd >= 0);
	sb_fd_closep(&p.write_fd);
	for (ssize_t n = 1; n > 0;) {
		n = read(p.read_fd, block, sizeof(block));
		got += n > 0 ? (size_t)n : 0;
		turn(&p);
	}
	assert_int_equal(got, written);
}

static void a_reader_that_goes_ends_the_flow(void **state)
{
	PIPES p;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	pipes_init(&p);
	sb_fd_closep(&p.read_fd);
	assert_int_equal(write(p.write_fd, "x", 1), 1);
	turn(&p);
	assert_int_equal(p.flow.from, -1);
	assert_int_equal(write(p.write_fd, "x", 1), -1);
}

static void upper(void *data, int stream, const char *bytes, size_t len, struct sb_buf *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)data;
	assert_int_equal(stream, 2);
	if (bytes == NULL)
		assert_int_equal(sb_buf_add_str(out, "(end)", &err), 0);
	for (size_t i = 0; bytes != NULL && i < len; i++)
		assert_int_equal(sb_buf_add_char(out, (char)(bytes[i] - 'a' + 'A'), &err), 0);
}

static void a_filter_sees_the_bytes_and_the_end(void **state)
{
	PIPES p;
	char got[32] = "";

	(void)state;
	pipes_init(&p);
	p.flow.filter = upper;
	p.flow.stream = 2;
	assert_int_equal(write(p.write_fd, "abc", 3), 3);
	sb_flow_drain(&p.flow, 0);
	assert_int_equal(p.flow.from, -1);
	sb_flow_write(&p.flow);
	assert_int_equal(read(p.read_fd, got, sizeof(got)), 8);
	assert_string_equal(got, "ABC(end)");
}

/* A byte now and then does not make the wait longer. */
static void who_goes_on_writing_is_waited_for_once(void **state)
{
	enum { WRITES = 30, EACH_MS = 100, PATIENCE_MS = 300 };
	struct sb_flow none = SB_FLOW_INIT;
	struct timespec start;
	struct timespec end;
	PIPES p;
	pid_t writer = -1;

	(void)state;
	pipes_init(&p);
	writer = fork();
	assert_true(writer >= 0);
	for (int i = 0; writer == 0 && i < WRITES; i++) {
		(void)!write(p.write_fd, "x", 1);
		(void)usleep(EACH_MS * 1000);
	}
	if (writer == 0)
		_exit(0);
	sb_fd_closep(&p.write_fd);
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	assert_false(sb_flow_await_end(&none, &p.flow, PATIENCE_MS));
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - start.tv_sec < WRITES * EACH_MS / 1000);
	assert_int_equal(kill(writer, SIGKILL), 0);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	assert_true(sb_flow_await_end(&p.flow, &none, PATIENCE_MS));
	assert_int_equal(p.flow.from, -1);
}

static void ports_to_publish(void **state)
{
	static const struct {
		const char *text;
		const char *wants; /* part of the request, or of the error's message */
		bool is_error;
	} cases[] = {
		{"8080:80",
			"\"proto\":\"tcp\",\"host_addr\":\"127.0.0.1\",\"host_port\":8080,\"guest_"
			"port\":80}",
			false},
		{"0.0.0.0:1:65535/udp",
			"\"proto\":\"udp\",\"host_addr\":\"0.0.0.0\",\"host_port\":1,\"guest_"
			"port\":"
			"65535}",
			false},
		{"80", "two ports", true},
		{"", "two ports", true},
		{":", "not a port", true},
		{"0:1", "not a port", true},
		{"1:65536", "not a port", true},
		{"1:-1", "not a port", true},
		{"a:1:2", "not an IPv4 address", true},
		{"\",\"x:1:2", "not an IPv4 address", true},
		{"::1:1:2", "not an IPv4 address", true},
		{"1:2/sctp", "tcp or udp", true},
		{"80/tcp:80", "two ports", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_STRV out = SB_STRV_INIT;
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		const int rc = sb_publish_parse(cases[i].text, &out, &err);
		const char *got = rc == 0 ? out.items[1] : err.message;

		assert_int_equal(rc < 0, cases[i].is_error);
		if (strstr(got, cases[i].wants) == NULL)
			fail_msg("'%s': %s", cases[i].text, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_their_end_pass),
		cmocka_unit_test(a_slow_reader_holds_the_writer),
		cmocka_unit_test(a_reader_that_goes_ends_the_flow),
		cmocka_unit_test(a_filter_sees_the_bytes_and_the_end),
		cmocka_unit_test(who_goes_on_writing_is_waited_for_once),
		cmocka_unit_test(ports_to_publish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
