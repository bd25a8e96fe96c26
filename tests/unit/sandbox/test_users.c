/* SPDX-License-Identifier: MIT */
#include "../sys/temp.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sandbox/users.h"

/* What USER and --chown say of well-formed files is tested with the build layer; here is what the
 * files of a strange or hostile image do. */

#define USER_VALUE SB_AUTO_VALUE(sb_user)

static void replace(int root_fd, const char *name, const char *bytes, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)mkdirat(root_fd, "etc", 0755);
	(void)unlinkat(root_fd, name, 0);

	sb_autofd int fd = openat(root_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(sb_fd_write_all(fd, bytes, len, &err), 0);
}

static void plant(int root_fd, const char *passwd, const char *group)
{
	replace(root_fd, "etc/passwd", passwd, strlen(passwd));
	replace(root_fd, "etc/group", group, strlen(group));
}

/* "uid:gid+group+group home name", or the error's code in words. */
static char *resolved(int root_fd, const char *who)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF text = SB_BUF_INIT(1 << 20);
	USER_VALUE user = SB_USER_INIT;

	user.uid = 4711;
	if (sb_user_resolve(root_fd, who, &user, &err) < 0) {
		assert_int_equal(user.uid, 4711); /* outputs are written only on success */
		assert_null(user.name);
		return sb_strdup(sb_code_name(err.code));
	}
	assert_int_equal(sb_buf_addf(&text, &err, "%u:%u", user.uid, user.gid), 0);
	for (size_t i = 0; i < user.n_groups; i++)
		assert_int_equal(sb_buf_addf(&text, &err, "+%u", user.groups[i]), 0);
	assert_int_equal(sb_buf_addf(&text, &err, " %s %s", user.home != NULL ? user.home : "-",
				 user.name != NULL ? user.name : "-"),
		0);
	return sb_buf_steal(&text);
}

static void lines_that_make_no_sense_are_passed_over(void **state)
{
	static const struct {
		const char *passwd;
		const char *group;
		const char *user;
		const char *expected;
	} cases[] = {
		/* Numbers that are none: an overflow must not come out as root. */
		{"app:x:18446744073709551616:0::/:\n", "", "app", "not-found"},
		{"app:x:4294967296:0::/:\n", "", "app", "not-found"},
		{"app:x:4294967295:0::/:\n", "", "app", "not-found"},
		{"app:x:5:4294967295::/:\n", "", "app", "not-found"},
		{"app:x:5:18446744073709551616::/:\n", "", "app", "not-found"},
		{"app:x:4294967294:4294967294::/:\n", "", "app", "4294967294:4294967294 / app"},
		{"app:x::0::/:\n", "", "app", "not-found"},
		{"app:x:0x10:0::/:\n", "", "app", "not-found"},
		{"app:x:+5:0::/:\n", "", "app", "not-found"},
		{"app:x:-1:0::/:\n", "", "app", "not-found"},
		{"app:x: 5:0::/:\n", "", "app", "not-found"},
		{"app:x:5 :0::/:\n", "", "app", "not-found"},
		{"app:x:5.0:0::/:\n", "", "app", "not-found"},
		{"app:x:00005:006::/:\n", "", "app", "5:6 / app"},
		/* The broken one does not hide the good one. */
		{"app:x:no:0::/a:\napp:x:5:6::/b:\n", "", "app", "5:6 /b app"},
		/* The first one counts. */
		{"app:x:5:6::/a:\napp:x:7:8::/b:\n", "", "app", "5:6 /a app"},
		/* A name of digits, and a number of the same digits: the first line. */
		{"a:x:7:1::/a:\n7:x:8:2::/b:\n", "", "7", "7:1 /a a"},
		{"7:x:8:2::/b:\na:x:7:1::/a:\n", "", "7", "8:2 /b 7"},
		{"a:x:7:1::/a:\n", "", "007", "7:1 /a a"},
		/* Too few fields, none, and too many. */
		{"app\napp:\napp:x\napp:x:5\n", "", "app", "not-found"},
		{"app:x:5:6", "", "app", "5:6 - app"},
		{"app:x:5:6:g:/h:/s:more:and:more\n", "", "app", "5:6 /h app"},
		{"", "", "app", "not-found"},
		{"\n\n\n", "\n\n", "app", "not-found"},
		{":::::::\n:\n::::\n", ":::\n", "app", "not-found"},
		{":x:5:6::/:\n", "", "5", "5:0 - -"},
		/* Network entries of old. */
		{"+::::::\n+@group::::::\n-app::::::\n", "+:::\n", "app", "not-found"},
		{"+app:x:5:6::/:\n", "", "+app", "5:6 / +app"},
		/* Comments, also indented. */
		{"#app:x:5:6::/:\n  # app:x:7:8::/:\n", "", "app", "not-found"},
		/* Space around lines, and the line ends of another system. */
		{"app:x:5:6::/home\r\nlast:x:7:8::/l:/bin/sh\r\n", "g:x:9:x,app\r\n", "app",
			"5:6+9 /home app"},
		{" \tapp:x:5:6::/home \t\n", "  g:x:9:app \n", "app", "5:6+9 /home app"},
		{"\r\n \r\n", "", "app", "not-found"},
		/* Members. */
		{"app:x:5:6::/:\n", "a:x:1:,,app,\nb:x:2:app2,xapp\nc:x:3:\nd:x:4:APP\n", "app",
			"5:6+1 / app"},
		{"app:x:5:6::/:\n", "a:x:6:app\nb:x:1:app\nc:x:1:app\nd:x:no:app\ne:x\n", "app",
			"5:6+1 / app"},
		{"app:x:5:6::/:\n", "a:x:4294967295:app\nb:x:4294967296:app\n", "app", "5:6 / app"},
		{"app:x:5:6::/:\n", "a:x:1:5\n", "5", "5:6 / app"},
		/* Groups by name. */
		{"", "g:x:7\n", "5:g", "5:7 - -"},
		{"", "g:x:no:\ng:x:7:\n", "5:g", "5:7 - -"},
		{"", "g:x:18446744073709551616:\n", "5:g", "not-found"},
		{"", "g:x:4294967295:\n", "5:g", "not-found"},
		{"", ":x:7:\n", "5:", "5:0 - -"},
		/* What USER says. */
		{"app:x:5:6::/:\n", "g:x:7:app\n", "app:g:h", "not-found"},
		{"app:x:5:6::/:\n", "g:x:7:app\n", "app::g", "not-found"},
		{"root:x:0:0::/root:\n", "", ":", "0:0 /root root"},
		{"root:x:0:0::/root:\n", "", "::", "not-found"},
		{"app:x:5:6::/:\n", "", "APP", "not-found"},
		{"app:x:5:6::/:\n", "", "app ", "not-found"},
		{"app:x:5:6::/:\n", "", " 5", "not-found"},
		{"app:x:5:6::/:\n", "", "4294967296", "usage"},
		{"app:x:5:6::/:\n", "", "app:4294967295", "usage"},
		{"app:x:5:6::/:\n", "", "nobody:4294967295", "not-found"},
		{"app:x:5:6::/:\n", "", "18446744073709551616:0", "usage"},
	};
	TEMP t;

	(void)state;
	temp_init(&t);
	for (size_t i = 0; i < N_OF(cases); i++) {
		plant(t.fd, cases[i].passwd, cases[i].group);

		sb_autofree char *text = resolved(t.fd, cases[i].user);

		if (strcmp(text, cases[i].expected) != 0)
			fail_msg("USER %s with '%s' and '%s' is '%s', not '%s'", cases[i].user,
				cases[i].passwd, cases[i].group, text, cases[i].expected);
	}
}

static void a_nul_ends_a_line_and_no_more(void **state)
{
	static const char passwd[] = "a:x:5:6\0::/:\napp\0two:x:7:8::/:\nlast:x:9:10::/:\n";
	TEMP t;

	(void)state;
	temp_init(&t);
	replace(t.fd, "etc/passwd", passwd, sizeof(passwd) - 1);

	sb_autofree char *a = resolved(t.fd, "a");
	sb_autofree char *app = resolved(t.fd, "app");
	sb_autofree char *last = resolved(t.fd, "last");

	assert_string_equal(a, "5:6 - a");
	assert_string_equal(app, "not-found");
	assert_string_equal(last, "9:10 / last");
}

/* A file of `size` bytes: one line of that length, or many short ones, and a user at the end. */
static void plant_large(int root_fd, size_t size, bool is_one_line)
{
	static const char last[] = "\napp:x:5:6::/home:";
	sb_autofree char *text = sb_malloc(size);

	memset(text, 'x', size);
	for (size_t i = 0; !is_one_line && i < size; i += 2)
		text[i] = i % 4 != 0 ? '\n' : ':';
	memcpy(text + size - (sizeof(last) - 1), last, sizeof(last) - 1);
	replace(root_fd, "etc/passwd", text, size);
}

static void files_are_read_up_to_a_limit(void **state)
{
	TEMP t;

	(void)state;
	temp_init(&t);
	for (unsigned is_one_line = 0; is_one_line < 2; is_one_line++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		USER_VALUE user = SB_USER_INIT;

		plant_large(t.fd, SB_MAX_PASSWD, is_one_line != 0);

		sb_autofree char *text = resolved(t.fd, "app");

		assert_string_equal(text, "5:6 /home app");
		plant_large(t.fd, SB_MAX_PASSWD + 1, is_one_line != 0);
		assert_int_equal(sb_user_resolve(t.fd, "app", &user, &err), -1);
		assert_int_equal(err.code, SB_E_LIMIT);
		assert_int_equal(strncmp(err.message, "read the image's /etc/passwd: ", 30), 0);
	}
}

static void a_user_may_be_in_many_groups_but_not_in_any_number(void **state)
{
	enum { MANY = 4096 };
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF group = SB_BUF_INIT(1 << 20);
	USER_VALUE user = SB_USER_INIT;
	TEMP t;

	(void)state;
	temp_init(&t);
	/* Each of them twice, which does not count. */
	for (unsigned i = 0; i < 2 * MANY; i++)
		assert_int_equal(sb_buf_addf(&group, &err, "g:x:%u:app\n", 1000 + i / 2), 0);
	plant(t.fd, "app:x:5:6::/:\n", group.data);
	assert_int_equal(sb_user_resolve(t.fd, "app", &user, &err), 0);
	assert_int_equal(user.n_groups, MANY);
	assert_int_equal(user.groups[MANY - 1], 1000 + MANY - 1);
	assert_int_equal(sb_buf_add_str(&group, "one:x:7:app\n", &err), 0);
	plant(t.fd, "app:x:5:6::/:\n", group.data);
	sb_user_release(&user);
	assert_int_equal(sb_user_resolve(t.fd, "app", &user, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
	assert_string_equal(
		err.message, "user 'app' is in more than 4096 groups in the image's /etc/group");
}

static void the_files_are_those_inside_the_root(void **state)
{
	static const struct {
		const char *target;
		bool is_found;
	} cases[] = {
		{"passwd-", true},
		{"/etc/passwd-", true},
		{"../etc/passwd-", true},
		{"../../../../../etc/passwd-", true}, /* the root's own root ends that way */
		{"/proc/self/root/etc/passwd", false},
		{"/outside", false},
		{"../../outside", false},
		{"/etc/missing", false},
	};
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "outside", "app:x:666:666::/:\n");
	temp_dir(t.fd, "root");

	sb_autofd int root = openat(t.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	temp_dir(root, "etc");
	temp_file(root, "etc/passwd-", "app:x:5:6::/:\n");
	for (size_t i = 0; i < N_OF(cases); i++) {
		(void)unlinkat(root, "etc/passwd", 0);
		assert_int_equal(symlinkat(cases[i].target, root, "etc/passwd"), 0);

		sb_autofree char *text = resolved(root, "app");

		assert_string_equal(text, cases[i].is_found ? "5:6 / app" : "not-found");
	}
	/* The folder too may be a link. */
	assert_int_equal(renameat(root, "etc", root, "config"), 0);
	assert_int_equal(symlinkat("/config", root, "etc"), 0);
	(void)unlinkat(root, "config/passwd", 0);
	assert_int_equal(symlinkat("passwd-", root, "config/passwd"), 0);

	sb_autofree char *text = resolved(root, "app");

	assert_string_equal(text, "5:6 / app");
}

static void make_folder(int root_fd)
{
	temp_dir(root_fd, "etc/passwd");
}
static void make_loop(int root_fd)
{
	assert_int_equal(symlinkat("passwd", root_fd, "etc/passwd"), 0);
}
static void make_socket(int root_fd)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	sb_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/etc/passwd", root_fd);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
}
static void make_fifo(int root_fd)
{
	assert_int_equal(mkfifoat(root_fd, "etc/passwd", 0644), 0);
}
static void make_unreadable(int root_fd)
{
	temp_file(root_fd, "etc/passwd", "");
	assert_int_equal(fchmodat(root_fd, "etc/passwd", 0, 0), 0);
}

static void what_is_no_file_is_an_error_and_no_hang(void **state)
{
	static const struct {
		void (*make)(int root_fd);
		enum sb_code code;
		bool is_for_root;
	} cases[] = {
		{make_folder, SB_E_SYSTEM, true},
		{make_loop, SB_E_SYSTEM, true},
		{make_socket, SB_E_SYSTEM, true},
		{make_unreadable, SB_E_DENIED, false},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_ERROR owner_err = SB_ERROR_INIT;
		USER_VALUE user = SB_USER_INIT;
		uid_t uid = 1;
		gid_t gid = 1;
		TEMP t;

		if (geteuid() == 0 && !cases[i].is_for_root)
			continue;
		temp_init(&t);
		temp_dir(t.fd, "etc");
		cases[i].make(t.fd);
		assert_int_equal(sb_user_resolve(t.fd, "0", &user, &err), -1);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(strncmp(err.message, "read the image's /etc/passwd: ", 30), 0);
		/* --chown with numbers does not read it, with a name it does. */
		assert_int_equal(sb_user_resolve_owner(t.fd, "3:4", &uid, &gid, &owner_err), 0);
		assert_int_equal(uid, 3);
		assert_int_equal(sb_user_resolve_owner(t.fd, "app", &uid, &gid, &owner_err), -1);
		assert_int_equal(owner_err.code, cases[i].code);
		assert_int_equal(uid, 3);
		assert_int_equal(gid, 4);
	}
}

static void a_fifo_with_a_silent_writer_does_not_hang(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	USER_VALUE user = SB_USER_INIT;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_dir(t.fd, "etc");
	make_fifo(t.fd);

	sb_autofd int writer = openat(t.fd, "etc/passwd", O_RDWR | O_CLOEXEC);

	assert_true(writer >= 0);
	(void)alarm(20);
	assert_int_equal(sb_user_resolve(t.fd, "app", &user, &err), -1);
	(void)alarm(0);
	assert_true(err.code == SB_E_SYSTEM || err.code == SB_E_NOT_FOUND);
}

static void a_root_without_files_knows_numbers_only(void **state)
{
	TEMP t;

	(void)state;
	temp_init(&t);
	/* No folder, then a file in its place. */
	for (unsigned i = 0; i < 2; i++) {
		sb_autofree char *number = resolved(t.fd, "5:6");
		sb_autofree char *none = resolved(t.fd, "");
		sb_autofree char *name = resolved(t.fd, "app");
		sb_autofree char *group = resolved(t.fd, "5:app");

		assert_string_equal(number, "5:6 - -");
		assert_string_equal(none, "0:0 - -");
		assert_string_equal(name, "not-found");
		assert_string_equal(group, "not-found");
		if (i == 0)
			temp_file(t.fd, "etc", "");
	}
}

static void a_very_long_name_is_just_not_found(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	USER_VALUE user = SB_USER_INIT;
	sb_autofree char *name = sb_malloc((1 << 20) + 1);
	TEMP t;

	(void)state;
	temp_init(&t);
	plant(t.fd, "root:x:0:0::/:\n", "");
	memset(name, 'a', 1 << 20);
	name[1 << 20] = '\0';
	assert_int_equal(sb_user_resolve(t.fd, name, &user, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	memset(name, '9', 1 << 20);
	sb_error_release(&err);
	assert_int_equal(sb_user_resolve(t.fd, name, &user, &err), -1);
	assert_int_equal(err.code, SB_E_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_that_make_no_sense_are_passed_over),
		cmocka_unit_test(a_nul_ends_a_line_and_no_more),
		cmocka_unit_test(files_are_read_up_to_a_limit),
		cmocka_unit_test(a_user_may_be_in_many_groups_but_not_in_any_number),
		cmocka_unit_test(the_files_are_those_inside_the_root),
		cmocka_unit_test(what_is_no_file_is_an_error_and_no_hang),
		cmocka_unit_test(a_fifo_with_a_silent_writer_does_not_hang),
		cmocka_unit_test(a_root_without_files_knows_numbers_only),
		cmocka_unit_test(a_very_long_name_is_just_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
