/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "registry/auth.h"
#include "registry/auth_file.h"
#include "registry/basic_auth.h"
#include "sys/fd.h"
#include "sys/tree.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/sb-auth-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(setenv("HOME", folder, 1), 0);
	for (const char *const *name = (const char *const[]){"DOCKER_CONFIG", "REGISTRY_AUTH_FILE",
		     "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", NULL};
		*name != NULL; name++)
		assert_int_equal(unsetenv(*name), 0);
	return 0;
}

static int remove_folder(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	return sb_tree_remove(AT_FDCWD, folder, &err);
}

static char *path_of(const char *name)
{
	return sb_asprintf("%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *path = path_of(name);
	sb_autofd int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(sb_fd_write_all(fd, text, strlen(text), &err), 0);
}

static char *read_file(const char *name)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF text = SB_BUF_INIT(1 << 20);
	sb_autofree char *path = path_of(name);
	sb_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(sb_fd_read_all(fd, &text, &err), 0);
	return sb_buf_steal(&text);
}

static void one_registry_has_one_key(void **state)
{
	static const struct {
		const char *text, *key;
	} cases[] = {
		{"docker.io", "docker.io"},
		{"https://index.docker.io/v1/", "docker.io"},
		{"index.docker.io", "docker.io"},
		{"registry-1.docker.io/v2/", "docker.io"},
		{"docker.io/library", "docker.io/library"},
		{"https://ghcr.io", "ghcr.io"},
		{"http://h:5000/", "h:5000"},
		{"h:5000/v2", "h:5000"},
		{"h/team/app", "h/team/app"},
		{"h/team/v1", "h/team/v1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *key = sb_auth_key(cases[i].text);

		assert_string_equal(key, cases[i].key);
	}
}

static void base64_is_undone(void **state)
{
	static const struct {
		const char *text, *plain;
	} cases[] = {
		{"", ""},
		{"YQ==", "a"},
		{"YQ", "a"},
		{"YWI=", "ab"},
		{"YWJj", "abc"},
		{"dXNlcjpwYXNzOndvcmQ=", "user:pass:word"},
		{"w6k=", "\xc3\xa9"},
		{"++//", "\xfb\xef\xff"},
		{"A", NULL},
		{"YQ=", NULL},
		{"Y===", NULL},
		{"YW J", NULL},
		{"AAAA", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *plain = sb_basic_auth_decode(cases[i].text);

		if ((plain == NULL) != (cases[i].plain == NULL) ||
			(plain != NULL && strcmp(plain, cases[i].plain) != 0))
			fail_msg("'%s' gave '%s'", cases[i].text, plain != NULL ? plain : "NULL");
	}
}

static void the_longest_part_of_a_name_counts(void **state)
{
	static const struct {
		const char *repository, *user; /* NULL: none */
	} cases[] = {
		{"other/app", "host"},
		{"team/app", "team"},
		{"team/app/deep", "app"},
		{"teams/app", "host"},
	};

	(void)state;
	write_file("auth.json", "{\"auths\":{\"h\":{\"username\":\"host\",\"password\":\"p\"},"
				"\"https://h/team\":{\"username\":\"team\",\"password\":\"p\"},"
				"\"h/team/app/deep\":{\"username\":\"app\",\"password\":\"p\"},"
				"\"h/team/app\":{},\"H:5000\":{\"auth\":\"dTpwOnE=\"}}}");

	sb_autofree char *path = path_of("auth.json");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_VALUE(sb_credential) found = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(
			sb_auth_find(path, "h", cases[i].repository, NULL, &found, &err), 0);
		assert_string_equal(found.user, cases[i].user);
	}

	SB_AUTO_VALUE(sb_credential) found = {0};
	SB_AUTO_VALUE(sb_credential) none = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_auth_find(path, "h:5000", "a", NULL, &found, &err), 0);
	assert_string_equal(found.user, "u");
	assert_string_equal(found.password, "p:q");
	assert_int_equal(sb_auth_find(path, "h.example", "a", NULL, &none, &err), 0);
	assert_false(sb_credential_is_set(&none));
}

static void what_else_is_in_a_file_stays(void **state)
{
	const struct sb_credential mine = {
		.user = (char[]){"me"}, .password = (char[]){"p\"\\ w\xc3\xa9"}};
	SB_AUTO_VALUE(sb_credential) found = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *path = path_of("config.json");
	sb_autofree char *link = path_of("link.json");
	struct stat st;
	bool is_found = false;

	(void)state;
	write_file("config.json", "{\"auths\":{\"a\":{\"auth\":\"YTpi\"},\"http://h/\":{\"auth\":"
				  "\"b2xkOm9sZA==\"}},\"HttpHeaders\":{\"X\":\"y\"}}");
	assert_int_equal(symlink("config.json", link), 0);
	assert_int_equal(sb_auth_file_put(link, "h", &mine, false, &err), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(sb_auth_find(path, "h", "x", NULL, &found, &err), 0);
	assert_string_equal(found.user, "me");
	assert_string_equal(found.password, mine.password);

	sb_autofree char *text = read_file("config.json");

	assert_non_null(strstr(text, "HttpHeaders"));
	assert_non_null(strstr(text, "YTpi"));
	assert_null(strstr(text, "b2xkOm9sZA=="));
	assert_int_equal(sb_auth_file_remove(path, "h", &is_found, &err), 0);
	assert_true(is_found);
	assert_int_equal(sb_auth_file_remove(path, "h", &is_found, &err), 0);
	assert_false(is_found);
	assert_int_equal(sb_auth_file_remove(path, "a", &is_found, &err), 0);
	assert_true(is_found);
}

static void new_credentials_are_dockers(void **state)
{
	const struct sb_credential mine = {.user = (char[]){"me"}, .password = (char[]){"pw"}};
	SB_AUTO_VALUE(sb_credential) found = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *where = NULL;

	(void)state;
	assert_int_equal(sb_auth_store(NULL, "docker.io", &mine, NULL, &where, &err), 0);
	assert_non_null(strstr(where, "/.docker/config.json'"));

	sb_autofree char *text = read_file(".docker/config.json");

	assert_non_null(strstr(text, "\"https://index.docker.io/v1/\""));
	assert_int_equal(sb_auth_find(NULL, "docker.io", "library/a", NULL, &found, &err), 0);
	assert_string_equal(found.password, "pw");
	assert_int_equal(sb_auth_erase(NULL, "docker.io", NULL, &err), 0);
	assert_int_equal(sb_auth_erase(NULL, "docker.io", NULL, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
}

static void wrong_files_are_named_without_their_content(void **state)
{
	static const char *const texts[] = {"s3cret-word", "[\"s3cret-word\"]",
		"{\"auths\":{\"h\":{\"auth\":\"s3cret-word\"}}}",
		"{\"auths\":{\"h\":{\"auth\":\"bm8gY29sb24=\"}}}",
		"{\"credHelpers\":{\"h\":\"../s3cret-word\"}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		SB_AUTO_VALUE(sb_credential) found = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *path = path_of("wrong.json");

		write_file("wrong.json", texts[i]);
		assert_int_equal(sb_auth_find(path, "h", "a", NULL, &found, &err), -1);
		assert_true(strstr(err.message, path) != NULL ||
			    (err.hint != NULL && strstr(err.hint, path) != NULL));
		if (i < 4)
			assert_null(strstr(err.message, "s3cret-word"));
	}
}

static void a_file_that_is_not_there_is_no_credentials(void **state)
{
	SB_AUTO_VALUE(sb_credential) found = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *path = path_of("nowhere/at/all.json");

	(void)state;
	assert_int_equal(sb_auth_find(NULL, "h", "a", NULL, &found, &err), 0);
	assert_int_equal(setenv("REGISTRY_AUTH_FILE", path, 1), 0);
	assert_int_equal(sb_auth_find(NULL, "h", "a", NULL, &found, &err), 0);
	assert_int_equal(unsetenv("REGISTRY_AUTH_FILE"), 0);
	assert_false(sb_credential_is_set(&found));
	/* Unlike what was named on the command line. */
	assert_int_equal(sb_auth_find(path, "h", "a", NULL, &found, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_registry_has_one_key),
		cmocka_unit_test(base64_is_undone),
		cmocka_unit_test(the_longest_part_of_a_name_counts),
		cmocka_unit_test(what_else_is_in_a_file_stays),
		cmocka_unit_test(new_credentials_are_dockers),
		cmocka_unit_test(wrong_files_are_named_without_their_content),
		cmocka_unit_test(a_file_that_is_not_there_is_no_credentials),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
