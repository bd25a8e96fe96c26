/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "leak/secrets.h"
#include "sys/fd.h"

static void add(struct sb_secrets *secrets, const char *id, const char *value)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, id, value, strlen(value), &err), 0);
}

static void bytes_are_kept_and_found_by_id(void **state)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();

	(void)state;
	add(secrets, "one", "super-secure\n");
	add(secrets, "two", "other");
	assert_int_equal(sb_secrets_count(secrets), 2);

	const struct sb_secret *one = sb_secrets_get(secrets, "one");

	assert_non_null(one);
	assert_int_equal(one->len, 13);
	assert_memory_equal(one->bytes, "super-secure\n", 13);
	assert_string_equal(sb_secrets_at(secrets, 1)->id, "two");
	assert_null(sb_secrets_get(secrets, "three"));
}

static void same_id_replaces_in_place(void **state)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();

	(void)state;
	add(secrets, "a", "first");
	add(secrets, "b", "second");
	add(secrets, "a", "third!");
	assert_int_equal(sb_secrets_count(secrets), 2);
	assert_memory_equal(sb_secrets_at(secrets, 0)->bytes, "third!", 6);
}

static void pipe_is_read_to_its_end(void **state)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	int fds[2];
	enum { LEN = 300000 };
	sb_autofree char *text = sb_malloc(LEN);

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		text[i] = (char)('a' + i % 23);
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);

	const pid_t child = fork();

	if (child == 0) {
		(void)fcntl(fds[1], F_SETFL, 0);
		_exit(sb_fd_write_all(fds[1], text, LEN, &err) < 0);
	}
	(void)close(fds[1]);
	assert_int_equal(sb_secrets_add_fd(secrets, "piped", fds[0], &err), 0);
	(void)close(fds[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(sb_secrets_at(secrets, 0)->len, LEN);
	assert_memory_equal(sb_secrets_at(secrets, 0)->bytes, text, LEN);
}

static void empty_secret_has_no_bytes(void **state)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();

	(void)state;
	add(secrets, "empty", "");
	assert_null(sb_secrets_at(secrets, 0)->bytes);
	assert_int_equal(sb_secrets_at(secrets, 0)->len, 0);
	assert_true(sb_secrets_at(secrets, 0)->fd >= 0);
	assert_int_equal(sb_secret_strength(sb_secrets_at(secrets, 0)), SB_SECRET_UNSEARCHABLE);
}

static void largest_secret_is_taken_and_one_byte_more_refused(void **state)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;
	sb_autofree char *text = sb_calloc(1, SB_MAX_SECRET + 1);

	(void)state;
	assert_int_equal(sb_secrets_add_bytes(secrets, "max", text, SB_MAX_SECRET, &err), 0);
	assert_int_equal(sb_secrets_add_bytes(secrets, "big", text, SB_MAX_SECRET + 1, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
	assert_non_null(strstr(err.message, "'big'"));
	sb_error_release(&err);

	assert_int_equal(sb_fd_memory("t", &fd, &err), 0);
	assert_int_equal(sb_fd_write_all(fd, text, SB_MAX_SECRET + 1, &err), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(sb_secrets_add_fd(secrets, "big", fd, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
	assert_int_equal(sb_secrets_count(secrets), 1);
}

static void descriptor_is_readable_and_sealed_against_all_else(void **state)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char back[13] = {0};

	(void)state;
	add(secrets, "s", "super-secure\n");

	const int fd = sb_secrets_at(secrets, 0)->fd;

	assert_int_equal(sb_fd_pread_all(fd, back, 13, 0, &err), 0);
	assert_memory_equal(back, "super-secure\n", 13);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 100), -1);
	assert_ptr_equal(mmap(NULL, 13, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
}

static void release_zeroes_what_another_holder_of_the_file_sees(void **state)
{
	struct sb_secrets *secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int copy = -1;
	char back[13];

	(void)state;
	add(secrets, "s", "super-secure\n");
	assert_int_equal(sb_fd_dup(sb_secrets_at(secrets, 0)->fd, &copy, &err), 0);
	sb_secrets_free(secrets);
	assert_int_equal(sb_fd_pread_all(copy, back, 13, 0, &err), 0);
	for (size_t i = 0; i < sizeof(back); i++)
		assert_int_equal(back[i], 0);
}

static void strength_goes_by_length_and_by_how_common_a_value_is(void **state)
{
	static const struct {
		const char *value;
		enum sb_secret_strength strength;
	} cases[] = {
		{"abc", SB_SECRET_UNSEARCHABLE},
		{"abc\n\n\n\n", SB_SECRET_UNSEARCHABLE},
		{"\r\n", SB_SECRET_UNSEARCHABLE},
		{"abcd", SB_SECRET_WEAK},
		{"abcdefg\r\n", SB_SECRET_WEAK},
		{"xbcdefgh", SB_SECRET_STRONG},
		/* what everybody writes is in most images */
		{"password", SB_SECRET_UNSEARCHABLE},
		{"PassWord\n", SB_SECRET_UNSEARCHABLE},
		{"changeme", SB_SECRET_UNSEARCHABLE},
		{"12345678", SB_SECRET_UNSEARCHABLE},
		{"root", SB_SECRET_UNSEARCHABLE},
		{"password-of-mine", SB_SECRET_STRONG},
		/* what says little is a token at most */
		{"aaaaaaaa", SB_SECRET_WEAK},
		{"abcdefgh", SB_SECRET_WEAK},
		{"87654321x", SB_SECRET_STRONG},
		{"98765432", SB_SECRET_WEAK},
		{"xyxyxyxyxy", SB_SECRET_WEAK},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			SB_SECRET_STRONG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO(sb_secrets) secrets = sb_secrets_new();

		add(secrets, "s", cases[i].value);
		assert_int_equal(sb_secret_strength(sb_secrets_at(secrets, 0)), cases[i].strength);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_kept_and_found_by_id),
		cmocka_unit_test(same_id_replaces_in_place),
		cmocka_unit_test(pipe_is_read_to_its_end),
		cmocka_unit_test(empty_secret_has_no_bytes),
		cmocka_unit_test(largest_secret_is_taken_and_one_byte_more_refused),
		cmocka_unit_test(descriptor_is_readable_and_sealed_against_all_else),
		cmocka_unit_test(release_zeroes_what_another_holder_of_the_file_sees),
		cmocka_unit_test(strength_goes_by_length_and_by_how_common_a_value_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
