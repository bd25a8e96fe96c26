/* SPDX-License-Identifier: MIT */
#include "sys/transfer.h"

#include <pthread.h>
#include <signal.h>

#include "temp.h"

static const char text[] = "0123456789";

static struct sb_interrupt *new_interrupt(void)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_interrupt *interrupt = NULL;

	assert_int_equal(sb_interrupt_new(&interrupt, &err), 0);
	return interrupt;
}

static void bytes_go_through_files_and_pipes(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO(sb_interrupt) interrupt = new_interrupt();
	struct sb_interrupt *const interrupts[] = {NULL, interrupt};
	sb_autofd int file = -1;

	(void)state;
	assert_int_equal(sb_fd_memory("file", &file, &err), 0);
	assert_int_equal(sb_transfer_write(interrupt, file, text, 10, &err), 0);
	for (size_t i = 0; i < N_OF(interrupts); i++) {
		char got[16] = "";
		int fds[2] = {-1, -1};

		assert_int_equal(sb_fd_pipe(fds, &err), 0);
		assert_int_equal(sb_transfer_range(interrupts[i], file, 2, 5, fds[1], &err), 0);
		assert_int_equal(sb_transfer_write(interrupts[i], fds[1], "!", 1, &err), 0);
		assert_int_equal(
			sb_transfer_read(interrupts[i], fds[0], got, sizeof(got), &err), 6);
		assert_string_equal(got, "23456!");
		(void)close(fds[1]);
		assert_int_equal(
			sb_transfer_read(interrupts[i], fds[0], got, sizeof(got), &err), 0);
		(void)close(fds[0]);
	}
}

static void a_file_that_is_too_short_is_an_error(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int from = -1;
	sb_autofd int to = -1;

	(void)state;
	assert_int_equal(sb_fd_memory("from", &from, &err), 0);
	assert_int_equal(sb_fd_memory("to", &to, &err), 0);
	assert_int_equal(sb_fd_write_all(from, text, 10, &err), 0);
	assert_int_equal(sb_transfer_range(NULL, from, 8, 5, to, &err), -1);
	assert_int_equal(err.code, SB_E_INTEGRITY);
}

/* A real file, a file in memory and a pipe. */
static void flushing_takes_every_kind_of_file(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO(sb_interrupt) interrupt = new_interrupt();
	sb_autofd int memory = -1;
	int fds[2] = {-1, -1};
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "file", text);

	sb_autofd int file = openat(t.fd, "file", O_RDWR | O_CLOEXEC);

	assert_int_equal(ftruncate(file, 100 << 20), 0);
	assert_int_equal(pwrite(file, text, 10, 70 << 20), 10);
	assert_int_equal(sb_fd_memory("memory", &memory, &err), 0);
	assert_int_equal(ftruncate(memory, 100 << 20), 0);
	assert_int_equal(sb_fd_pipe(fds, &err), 0);
	assert_int_equal(sb_transfer_flush(interrupt, file, &err), 0);
	assert_int_equal(sb_transfer_flush(interrupt, memory, &err), 0);
	assert_int_equal(sb_transfer_flush(interrupt, fds[1], &err), 0);
	assert_int_equal(sb_transfer_flush(NULL, file, &err), 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void *signal_later(void *self)
{
	(void)self;
	(void)usleep(50000);
	(void)kill(getpid(), SIGINT);
	return NULL;
}

/* Nobody ever writes, or reads: without the signal each of these would wait for ever. */
static void a_signal_ends_waiting_for_a_pipe(void **state)
{
	enum { READ, WRITE, RANGE, N };
	static char much[256 << 10];
	sb_autofd int file = -1;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_fd_memory("file", &file, &err), 0);
	assert_int_equal(ftruncate(file, sizeof(much)), 0);
	for (int what = 0; what < N; what++) {
		SB_AUTO(sb_interrupt) interrupt = new_interrupt();
		SB_AUTO_ERROR failed = SB_ERROR_INIT;
		pthread_t thread;
		int fds[2] = {-1, -1};
		char byte = 0;
		ssize_t result = 0;

		assert_int_equal(sb_fd_pipe(fds, &err), 0);
		assert_int_equal(pthread_create(&thread, NULL, signal_later, NULL), 0);
		if (what == READ)
			result = sb_transfer_read(interrupt, fds[0], &byte, 1, &failed);
		else if (what == WRITE)
			result = sb_transfer_write(interrupt, fds[1], much, sizeof(much), &failed);
		else
			result = sb_transfer_range(
				interrupt, file, 0, sizeof(much), fds[1], &failed);
		assert_int_equal(result, -1);
		assert_int_equal(failed.code, SB_E_CANCELLED);
		assert_int_equal(pthread_join(thread, NULL), 0);
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
}

static void a_signal_that_has_come_ends_work_on_files(void **state)
{
	SB_AUTO(sb_interrupt) interrupt = new_interrupt();
	sb_autofd int from = -1;
	sb_autofd int to = -1;
	struct sb_error err = SB_ERROR_INIT;
	char byte = 0;

	(void)state;
	assert_int_equal(sb_fd_memory("from", &from, &err), 0);
	assert_int_equal(sb_fd_memory("to", &to, &err), 0);
	assert_int_equal(sb_fd_write_all(from, text, 10, &err), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(sb_transfer_range(interrupt, from, 0, 10, to, &err), -1);
	assert_int_equal(err.code, SB_E_CANCELLED);
	sb_error_release(&err);
	err = (struct sb_error)SB_ERROR_INIT;
	assert_int_equal(sb_transfer_write(interrupt, to, text, 10, &err), -1);
	assert_int_equal(err.code, SB_E_CANCELLED);
	sb_error_release(&err);
	err = (struct sb_error)SB_ERROR_INIT;
	assert_int_equal(sb_transfer_flush(interrupt, from, &err), -1);
	assert_int_equal(err.code, SB_E_CANCELLED);
	sb_error_release(&err);
	err = (struct sb_error)SB_ERROR_INIT;
	assert_int_equal(sb_transfer_read(interrupt, from, &byte, 1, &err), -1);
	assert_int_equal(err.code, SB_E_CANCELLED);
	sb_error_release(&err);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_go_through_files_and_pipes),
		cmocka_unit_test(a_file_that_is_too_short_is_an_error),
		cmocka_unit_test(flushing_takes_every_kind_of_file),
		cmocka_unit_test(a_signal_ends_waiting_for_a_pipe),
		cmocka_unit_test(a_signal_that_has_come_ends_work_on_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
