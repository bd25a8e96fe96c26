/* SPDX-License-Identifier: MIT */
#include "temp.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include "sys/channel.h"

struct pair {
	int ends[2];
};

static void pair_release(struct pair *p)
{
	sb_fd_closep(&p->ends[0]);
	sb_fd_closep(&p->ends[1]);
}
#define PAIR __attribute__((cleanup(pair_release))) struct pair

static void pair_init(struct pair *p)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_channel_pair(p->ends, &err), 0);
}

static void messages_keep_their_borders_and_nul_bytes(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF got = SB_BUF_INIT(100);
	int fds[SB_CHANNEL_MAX_FDS];
	size_t n = 7;
	PAIR p;

	(void)state;
	pair_init(&p);
	assert_int_equal(sb_channel_send(p.ends[0], "a\0b", 3, NULL, 0, &err), 0);
	assert_int_equal(sb_channel_send(p.ends[0], "", 0, NULL, 0, &err), 0);
	assert_int_equal(sb_channel_send(p.ends[0], "last", 4, NULL, 0, &err), 0);
	pair_release(&(struct pair){{sb_fd_steal(&p.ends[0]), -1}});
	assert_int_equal(sb_channel_receive(p.ends[1], &got, fds, &n, &err), 1);
	assert_int_equal(got.len, 3);
	assert_memory_equal(got.data, "a\0b", 4);
	assert_int_equal(n, 0);
	assert_int_equal(sb_channel_receive(p.ends[1], &got, fds, &n, &err), 1);
	assert_int_equal(got.len, 0);
	assert_int_equal(sb_channel_receive(p.ends[1], &got, fds, &n, &err), 1);
	assert_string_equal(got.data, "last");
	assert_int_equal(sb_channel_receive(p.ends[1], &got, fds, &n, &err), 0);
}

static void descriptors_arrive_in_order_and_close_on_exec(void **state)
{
	static const size_t counts[] = {1, 2, SB_CHANNEL_MAX_FDS};

	(void)state;
	for (size_t i = 0; i < N_OF(counts); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_BUF got = SB_BUF_INIT(100);
		sb_autofd int odd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		sb_autofd int even = open("/dev/zero", O_RDONLY | O_CLOEXEC);
		int sent[SB_CHANNEL_MAX_FDS];
		int fds[SB_CHANNEL_MAX_FDS];
		size_t n = 0;
		PAIR p;

		pair_init(&p);
		for (size_t j = 0; j < counts[i]; j++)
			sent[j] = j % 2 == 0 ? even : odd;
		assert_int_equal(sb_channel_send(p.ends[0], "m", 1, sent, counts[i], &err), 0);
		assert_int_equal(sb_channel_receive(p.ends[1], &got, fds, &n, &err), 1);
		assert_int_equal(n, counts[i]);
		for (size_t j = 0; j < n; j++) {
			struct stat a;
			struct stat b;

			assert_int_equal(fstat(fds[j], &a), 0);
			assert_int_equal(fstat(sent[j], &b), 0);
			assert_true(a.st_rdev == b.st_rdev);
			assert_true((fcntl(fds[j], F_GETFD) & FD_CLOEXEC) != 0);
			(void)close(fds[j]);
		}
	}
}

static void more_descriptors_than_fit_are_refused(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	int fds[SB_CHANNEL_MAX_FDS + 1] = {0};
	PAIR p;

	(void)state;
	pair_init(&p);
	assert_int_equal(sb_channel_send(p.ends[0], "", 0, fds, SB_CHANNEL_MAX_FDS + 1, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
}

static int send_big(void *data)
{
	enum { BIG = 5 << 20 };
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char *bytes = malloc(BIG);

	if (bytes == NULL)
		return 1;
	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (char)(i * 7 + (i >> 12));

	const int rc = sb_channel_send(*(int *)data, bytes, BIG, NULL, 0, &err);

	free(bytes);
	return rc < 0 ? 2 : 0;
}

static void messages_larger_than_the_sockets_buffer_arrive_whole(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF got = SB_BUF_INIT(8 << 20);
	int fds[SB_CHANNEL_MAX_FDS];
	size_t n = 0;
	int status = 0;
	PAIR p;

	(void)state;
	pair_init(&p);

	const pid_t pid = fork();

	if (pid == 0)
		_exit(send_big(&p.ends[0]));
	assert_int_equal(sb_channel_receive(p.ends[1], &got, fds, &n, &err), 1);
	assert_int_equal(got.len, 5 << 20);
	for (size_t i = 0; i < got.len; i++)
		if (got.data[i] != (char)(i * 7 + (i >> 12)))
			fail_msg("byte %zu differs", i);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Sends a length by hand, with a descriptor, and what there is of the message. */
static void send_raw(int fd, uint32_t length, size_t n_length, const char *bytes)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {{0}};
	sb_autofd int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct iovec iov = {&length, n_length};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &null_fd, sizeof(int));
	assert_int_equal(sendmsg(fd, &msg, 0), (ssize_t)n_length);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

static void a_message_that_ends_early_or_is_too_large_fails_and_leaks_nothing(void **state)
{
	static const struct {
		uint32_t length;
		size_t n_length;
		const char *bytes;
		enum sb_code code;
	} cases[] = {{10, 4, "abc", SB_E_SYSTEM}, {10, 4, "", SB_E_SYSTEM},
		{10, 2, "", SB_E_SYSTEM}, {101, 4, "", SB_E_LIMIT},
		{UINT32_MAX, 4, "x", SB_E_LIMIT}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_BUF got = SB_BUF_INIT(100);
		int fds[SB_CHANNEL_MAX_FDS];
		size_t n = 0;
		PAIR p;

		pair_init(&p);
		send_raw(p.ends[0], cases[i].length, cases[i].n_length, cases[i].bytes);
		sb_fd_closep(&p.ends[0]);

		const size_t n_fds = temp_n_open_fds();

		assert_int_equal(sb_channel_receive(p.ends[1], &got, fds, &n, &err), -1);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(n, 0);
		assert_int_equal(temp_n_open_fds(), n_fds);
	}
}

static int receive_without_room(void *data)
{
	const struct rlimit few = {.rlim_cur = 0, .rlim_max = 0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF got = SB_BUF_INIT(100);
	int fds[SB_CHANNEL_MAX_FDS];
	size_t n = 0;

	if (setrlimit(RLIMIT_NOFILE, &few) < 0)
		return 10;
	if (sb_channel_receive(*(int *)data, &got, fds, &n, &err) != -1)
		return 1;
	return err.code == SB_E_LIMIT && n == 0 ? 0 : 2;
}

static void descriptors_that_the_kernel_left_out_are_noticed(void **state)
{
	PAIR p;

	(void)state;
	pair_init(&p);
	send_raw(p.ends[0], 0, 4, "");
	assert_int_equal(temp_in_child(receive_without_room, &p.ends[1]), 0);
}

static void sending_to_nobody_is_an_error_and_no_signal(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	PAIR p;

	(void)state;
	pair_init(&p);
	sb_fd_closep(&p.ends[1]);
	assert_int_equal(sb_channel_send(p.ends[0], "x", 1, NULL, 0, &err), -1);
	assert_int_equal(err.os_errno, EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_keep_their_borders_and_nul_bytes),
		cmocka_unit_test(descriptors_arrive_in_order_and_close_on_exec),
		cmocka_unit_test(more_descriptors_than_fit_are_refused),
		cmocka_unit_test(messages_larger_than_the_sockets_buffer_arrive_whole),
		cmocka_unit_test(a_message_that_ends_early_or_is_too_large_fails_and_leaks_nothing),
		cmocka_unit_test(descriptors_that_the_kernel_left_out_are_noticed),
		cmocka_unit_test(sending_to_nobody_is_an_error_and_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
