/* SPDX-License-Identifier: MIT */
#include "../sys/temp.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/mem.h"
#include "sandbox/agent_message.h"
#include "sandbox/agent_proxy.h"

/*
 * A proxy in a child of the test, between a socket that the test connects to ("step") and one that
 * the test itself answers on ("agent"). Nothing here waits longer than WAIT_MS.
 */
enum { WAIT_MS = 10000, MANY = 200 };

static const uint8_t list_request[] = {0, 0, 0, 1, 11};
static const uint8_t list_answer[] = {0, 0, 0, 5, 12, 0, 0, 0, 0};
static const uint8_t remove_all[] = {0, 0, 0, 1, 19};
static const uint8_t refusal[] = {0, 0, 0, 1, 5};

struct bench {
	struct temp folder;
	int agent_fd; /* listens */
	pid_t proxy;
};

static struct sockaddr_un address_of(const struct bench *b, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", b->folder.path, name);
	return address;
}

static int listen_as_agent(const struct bench *b)
{
	const struct sockaddr_un address = address_of(b, "agent");
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* cwd: sb_agent_proxy_listen changes it, so the socket is made in the child; the pipe's end says
 * that it is there. */
static void bench_init(struct bench *b, bool is_raw)
{
	const struct sb_step_mount mount = {.kind = SB_STEP_MOUNT_AGENT,
		.target = (char *)(uintptr_t) "/s",
		.mode = 0640,
		.uid = getuid(),
		.gid = getgid()};
	int ready[2];
	char byte = 0;

	temp_init(&b->folder);
	b->agent_fd = listen_as_agent(b);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	b->proxy = fork();
	assert_true(b->proxy >= 0);
	if (b->proxy == 0) {
		struct sb_agent_listener listener = {.is_raw = is_raw};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		(void)close(b->agent_fd);
		listener.socket_fd = openat(b->folder.fd, "agent", O_PATH | O_CLOEXEC);
		if (sb_agent_proxy_listen(b->folder.fd, "step", &mount, &listener.listen_fd, &err) <
				0 ||
			write(ready[1], "x", 1) != 1)
			_exit(1);
		sb_agent_proxy_serve(&listener, 1);
		_exit(1);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
}

static void bench_release(struct bench *b)
{
	(void)kill(b->proxy, SIGKILL);
	(void)waitpid(b->proxy, NULL, 0);
	(void)close(b->agent_fd);
	temp_release(&b->folder);
}
#define BENCH __attribute__((cleanup(bench_release))) struct bench

static bool is_readable(int fd, int within_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, within_ms) == 1;
}

static int dial(const struct bench *b)
{
	const struct sockaddr_un address = address_of(b, "step");
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int take(const struct bench *b)
{
	assert_true(is_readable(b->agent_fd, WAIT_MS));
	return accept4(b->agent_fd, NULL, NULL, SOCK_CLOEXEC);
}

static void say(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}
#define SAY(fd, bytes) say(fd, bytes, sizeof(bytes))

static void expect(int fd, const uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		uint8_t got[256];
		ssize_t n = 0;

		assert_true(is_readable(fd, WAIT_MS));
		n = read(fd, got, len - at < sizeof(got) ? len - at : sizeof(got));
		assert_true(n > 0);
		assert_memory_equal(got, bytes + at, (size_t)n);
		at += (size_t)n;
	}
}
#define EXPECT(fd, bytes) expect(fd, bytes, sizeof(bytes))

static void expect_end(int fd)
{
	char byte = 0;

	assert_true(is_readable(fd, WAIT_MS));
	assert_true(read(fd, &byte, 1) <= 0);
}

static void what_may_pass_is_passed_and_answered(void **state)
{
	BENCH b;

	(void)state;
	bench_init(&b, false);

	sb_autofd int step = dial(&b);

	SAY(step, list_request);

	sb_autofd int agent = take(&b);

	for (int i = 0; i < 3; i++) {
		EXPECT(agent, list_request);
		SAY(agent, list_answer);
		EXPECT(step, list_answer);
		SAY(step, list_request); /* on the same connection */
	}
}

static void what_is_refused_never_reaches_the_agent(void **state)
{
	BENCH b;

	(void)state;
	bench_init(&b, false);

	sb_autofd int step = dial(&b);

	for (int i = 0; i < 3; i++) {
		SAY(step, remove_all);
		EXPECT(step, refusal);
	}
	assert_false(is_readable(b.agent_fd, 0));
}

static void answers_come_in_the_order_of_the_requests(void **state)
{
	static const uint8_t three[] = {0, 0, 0, 1, 11, 0, 0, 0, 1, 19, 0, 0, 0, 1, 11};
	BENCH b;

	(void)state;
	bench_init(&b, false);

	sb_autofd int step = dial(&b);

	SAY(step, three);

	sb_autofd int agent = take(&b);

	EXPECT(agent, list_request);
	assert_false(is_readable(agent, 100)); /* not before the first is answered */
	assert_false(is_readable(step, 0));
	SAY(agent, list_answer);
	EXPECT(step, list_answer);
	EXPECT(step, refusal);
	EXPECT(agent, list_request);
}

static void split_messages_are_put_together(void **state)
{
	BENCH b;

	(void)state;
	bench_init(&b, false);

	sb_autofd int step = dial(&b);

	for (size_t i = 0; i < sizeof(list_request); i++) {
		assert_false(is_readable(b.agent_fd, 20));
		say(step, list_request + i, 1);
	}

	sb_autofd int agent = take(&b);

	EXPECT(agent, list_request);
	for (size_t i = 0; i < sizeof(list_answer); i++) {
		assert_false(is_readable(step, 20)); /* a whole answer, or none */
		say(agent, list_answer + i, 1);
	}
	EXPECT(step, list_answer);
}

/* Larger than what a socket holds, so that both sides have to wait. */
static void the_largest_message_passes(void **state)
{
	const size_t len = SB_AGENT_HEADER_BYTES + SB_AGENT_MAX_MESSAGE;
	sb_autofree uint8_t *request = sb_calloc(1, len);
	const size_t text_len = SB_AGENT_MAX_MESSAGE - 13;
	BENCH b;

	(void)state;
	bench_init(&b, false);
	request[1] = 4;
	request[4] = 13;
	for (int i = 0; i < 4; i++)
		request[9 + i] = (uint8_t)(text_len >> (24 - 8 * i));
	memset(request + 13, 's', text_len);

	sb_autofd int step = dial(&b);
	const pid_t writer = fork();

	if (writer == 0) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		_exit(sb_fd_write_all(step, request, len, &err) == 0 ? 0 : 1);
	}

	sb_autofd int agent = take(&b);

	expect(agent, request, len);
	(void)waitpid(writer, NULL, 0);
	SAY(agent, list_answer);
	EXPECT(step, list_answer);
}

static void garbage_ends_its_own_connection_alone(void **state)
{
	static const uint8_t garbage[][8] = {{0}, {255, 255, 255, 255, 11}, {0, 4, 0, 1, 13},
		{'S', 'S', 'H', '-', '2', '.', '0'}, {0x80, 0, 0, 1, 11}};
	BENCH b;

	(void)state;
	bench_init(&b, false);

	sb_autofd int good = dial(&b);

	for (size_t i = 0; i < N_OF(garbage); i++) {
		sb_autofd int step = dial(&b);

		SAY(step, garbage[i]);
		expect_end(step);
	}
	SAY(good, remove_all);
	EXPECT(good, refusal);
	assert_false(is_readable(b.agent_fd, 0));
}

static void an_agent_that_lies_ends_the_connection(void **state)
{
	static const uint8_t endless[] = {255, 255, 255, 255, 12};
	BENCH b;

	(void)state;
	bench_init(&b, false);

	sb_autofd int step = dial(&b);

	SAY(step, list_request);

	sb_autofd int agent = take(&b);

	EXPECT(agent, list_request);
	SAY(agent, endless);
	expect_end(step);
	expect_end(agent);
}

static void an_agent_that_is_gone_ends_the_connection(void **state)
{
	BENCH b;

	(void)state;
	bench_init(&b, false);

	sb_autofd int step = dial(&b);

	SAY(step, list_request);

	int agent = take(&b);

	EXPECT(agent, list_request);
	(void)close(agent);
	expect_end(step);
	/* And a new connection, when nothing listens any more. */
	(void)close(b.agent_fd);
	b.agent_fd = -1;

	sb_autofd int later = dial(&b);

	SAY(later, list_request);
	expect_end(later);
}

static void a_step_that_is_gone_frees_the_agent(void **state)
{
	BENCH b;

	(void)state;
	bench_init(&b, false);

	int step = dial(&b);

	SAY(step, list_request);

	sb_autofd int agent = take(&b);

	EXPECT(agent, list_request);
	(void)close(step);
	expect_end(agent); /* though it has not answered */
}

static void one_connection_that_waits_stops_no_other(void **state)
{
	BENCH b;

	(void)state;
	bench_init(&b, false);

	sb_autofd int half = dial(&b);
	sb_autofd int unanswered = dial(&b);
	sb_autofd int step = dial(&b);

	say(half, list_request, 3);
	SAY(unanswered, list_request);

	sb_autofd int silent_agent = take(&b);

	EXPECT(silent_agent, list_request);
	SAY(step, list_request);

	sb_autofd int agent = take(&b);

	EXPECT(agent, list_request);
	SAY(agent, list_answer);
	EXPECT(step, list_answer);
}

static void connections_are_bounded_and_those_past_it_are_hung_up_on(void **state)
{
	int fds[MANY];
	int alive = 0;
	BENCH b;

	(void)state;
	bench_init(&b, false);
	for (int i = 0; i < MANY; i++) {
		uint8_t got = 0;

		fds[i] = dial(&b);
		(void)send(fds[i], remove_all, sizeof(remove_all), MSG_NOSIGNAL);
		assert_true(is_readable(fds[i], WAIT_MS));
		alive += read(fds[i], &got, 1) == 1;
	}
	assert_int_equal(alive, 128);
	for (int i = 0; i < MANY; i++)
		(void)close(fds[i]);

	/* They were counted only while they were there. The proxy may still be at closing them. */
	for (int tries = 0;; tries++) {
		sb_autofd int step = dial(&b);
		uint8_t got = 0;

		(void)send(step, remove_all, sizeof(remove_all), MSG_NOSIGNAL);
		assert_true(is_readable(step, WAIT_MS));
		if (read(step, &got, 1) == 1)
			break;
		assert_true(tries < 1000);
	}
}

static void raw_bytes_pass_both_ways_and_ends_do_too(void **state)
{
	static const char question[] = "anything at all";
	BENCH b;

	(void)state;
	bench_init(&b, true);

	sb_autofd int step = dial(&b);
	sb_autofd int agent = take(&b);

	SAY(agent, list_answer); /* it may speak first */
	EXPECT(step, list_answer);
	SAY(step, question);
	expect(agent, (const uint8_t *)question, sizeof(question));
	(void)shutdown(step, SHUT_WR);
	expect_end(agent);
	SAY(agent, remove_all); /* and answer after that */
	EXPECT(step, remove_all);
	(void)shutdown(agent, SHUT_WR);
	expect_end(step);
}

static void raw_bytes_wait_for_a_slow_reader(void **state)
{
	enum { TOTAL = 8 << 20 };
	sb_autofree uint8_t *bytes = sb_malloc(TOTAL);
	BENCH b;

	(void)state;
	bench_init(&b, true);
	for (size_t i = 0; i < TOTAL; i++)
		bytes[i] = (uint8_t)(i * 2654435761U >> 13);

	sb_autofd int step = dial(&b);
	sb_autofd int agent = take(&b);
	const pid_t writer = fork();

	if (writer == 0) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		_exit(sb_fd_write_all(step, bytes, TOTAL, &err) == 0 ? 0 : 1);
	}
	(void)usleep(100000);
	expect(agent, bytes, TOTAL);
	(void)waitpid(writer, NULL, 0);
}

static void the_socket_has_its_owner_and_mode(void **state)
{
	struct stat st;
	BENCH b;

	(void)state;
	bench_init(&b, false);
	assert_int_equal(fstatat(b.folder.fd, "step", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, getuid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_pass_is_passed_and_answered),
		cmocka_unit_test(what_is_refused_never_reaches_the_agent),
		cmocka_unit_test(answers_come_in_the_order_of_the_requests),
		cmocka_unit_test(split_messages_are_put_together),
		cmocka_unit_test(the_largest_message_passes),
		cmocka_unit_test(garbage_ends_its_own_connection_alone),
		cmocka_unit_test(an_agent_that_lies_ends_the_connection),
		cmocka_unit_test(an_agent_that_is_gone_ends_the_connection),
		cmocka_unit_test(a_step_that_is_gone_frees_the_agent),
		cmocka_unit_test(one_connection_that_waits_stops_no_other),
		cmocka_unit_test(connections_are_bounded_and_those_past_it_are_hung_up_on),
		cmocka_unit_test(raw_bytes_pass_both_ways_and_ends_do_too),
		cmocka_unit_test(raw_bytes_wait_for_a_slow_reader),
		cmocka_unit_test(the_socket_has_its_owner_and_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
