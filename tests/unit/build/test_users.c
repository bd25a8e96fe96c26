/* SPDX-License-Identifier: MIT */
#include "tree_fixture.h"

#include "sandbox/users.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# comment:x:7:7::/:\n"
			     "broken:x:abc:0:broken:/:\n"
			     "app:x:1000:100:App,,,:/home/app:/bin/sh\n"
			     "1000:x:77:77::/weird:\n"
			     "short:x:5:6\n"
			     "nohome:x:8:8:::\n"
			     ":x:9:9::/:\n"
			     "last:x:20:21::/last:/bin/sh";
static const char group[] = "root:x:0:\n"
			    "users:x:100:app\n"
			    "wheel:x:10:root,app\n"
			    "dup:x:10:app\n"
			    "audio:x:29:xapp,app2\n"
			    "video:x:44:app\n"
			    "bad:x:-1:app\n"
			    "tail:x:50";

struct user_case {
	const char *user;
	enum sb_code code;
	const char *text; /* "uid:gid groups home name", or a part of the error */
};

static const struct user_case cases[] = {
	{"", SB_OK, "0:0 10, /root root"},
	{"0", SB_OK, "0:0 10, /root root"},
	{"root", SB_OK, "0:0 10, /root root"},
	{"app", SB_OK, "1000:100 10,44, /home/app app"},
	{"1000", SB_OK, "1000:100 10,44, /home/app app"},
	{"app:", SB_OK, "1000:100 10,44, /home/app app"},
	{"app:wheel", SB_OK, "1000:10 /home/app app"},
	{"app:10", SB_OK, "1000:10 /home/app app"},
	{"app:4242", SB_OK, "1000:4242 /home/app app"},
	{":wheel", SB_OK, "0:10 /root root"},
	{"4242", SB_OK, "4242:0 - -"},
	{"4242:4243", SB_OK, "4242:4243 - -"},
	{"4242:tail", SB_OK, "4242:50 - -"},
	{"short", SB_OK, "5:6 - short"},
	{"nohome", SB_OK, "8:8 - nohome"},
	{"9", SB_OK, "9:0 - -"},
	{"last", SB_OK, "20:21 /last last"},
	{"4294967294", SB_OK, "4294967294:0 - -"},
	{"nobody", SB_E_NOT_FOUND, "user 'nobody': not found in the image's /etc/passwd"},
	{"broken", SB_E_NOT_FOUND, "user 'broken'"},
	{"# comment", SB_E_NOT_FOUND, "user"},
	{"-1", SB_E_NOT_FOUND, "user '-1'"},
	{"app:nogroup", SB_E_NOT_FOUND, "group 'nogroup': not found in the image's /etc/group"},
	{"app:bad", SB_E_NOT_FOUND, "group 'bad'"},
	{"4294967295", SB_E_USAGE, "'4294967295' is not a user or group id"},
	{"99999999999999999999", SB_E_USAGE, "is not a user or group id"},
	{"app:99999999999", SB_E_USAGE, "is not a user or group id"},
};

static const struct user_case owner_cases[] = {
	{"1:2", SB_OK, "1:2"},
	{"33", SB_OK, "33:33"},
	{"33:", SB_OK, "33:0"},
	{"app", SB_OK, "1000:100"},
	{"app:", SB_OK, "1000:0"},
	{"app:wheel", SB_OK, "1000:10"},
	{"7:wheel", SB_OK, "7:10"},
	{"1000", SB_OK, "1000:1000"},
	{"nobody", SB_E_NOT_FOUND, "user 'nobody'"},
	{"0:nogroup", SB_E_NOT_FOUND, "group 'nogroup'"},
	{"4294967295:0", SB_E_USAGE, "'4294967295'"},
};

static void plant_accounts(const struct fixture *f)
{
	fixture_plant(f->root_fd, "d etc 755\n");
	fixture_write(f->root_fd, "etc/passwd", passwd, sizeof(passwd) - 1);
	fixture_write(f->root_fd, "etc/group", group, sizeof(group) - 1);
}

static char *user_text(const struct sb_user *user)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF text = SB_BUF_INIT(4096);

	assert_int_equal(sb_buf_addf(&text, &err, "%u:%u ", user->uid, user->gid), 0);
	for (size_t i = 0; i < user->n_groups; i++)
		assert_int_equal(sb_buf_addf(&text, &err, "%u,", user->groups[i]), 0);
	assert_int_equal(sb_buf_addf(&text, &err, "%s%s %s", user->n_groups > 0 ? " " : "",
				 user->home != NULL ? user->home : "-",
				 user->name != NULL ? user->name : "-"),
		0);
	return sb_buf_steal(&text);
}

static void expect_error(const struct sb_error *err, const struct user_case *c)
{
	assert_int_equal(err->code, c->code);
	if (strstr(err->message, c->text) == NULL)
		fail_msg("'%s': '%s' does not say '%s'", c->user, err->message, c->text);
}

static void users_resolve_as_their_files_say(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	plant_accounts(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_VALUE(sb_user) user = SB_USER_INIT;

		if (sb_user_resolve(f.root_fd, cases[i].user, &user, &err) < 0) {
			expect_error(&err, &cases[i]);
			continue;
		}

		sb_autofree char *text = user_text(&user);

		assert_string_equal(text, cases[i].text);
	}
	fixture_release(&f);
}

static void owners_resolve_as_chown_does(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	plant_accounts(&f);
	for (size_t i = 0; i < sizeof(owner_cases) / sizeof(owner_cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		uid_t uid = 0;
		gid_t gid = 0;

		if (sb_user_resolve_owner(f.root_fd, owner_cases[i].user, &uid, &gid, &err) < 0) {
			expect_error(&err, &owner_cases[i]);
			continue;
		}

		sb_autofree char *text = sb_asprintf("%u:%u", uid, gid);

		assert_string_equal(text, owner_cases[i].text);
	}
	fixture_release(&f);
}

static void a_root_without_account_files_knows_numbers_only(void **state)
{
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_VALUE(sb_user) user = SB_USER_INIT;

	(void)state;
	fixture_init(&f);
	assert_int_equal(sb_user_resolve(f.root_fd, "", &user, &err), 0);
	assert_int_equal(user.uid, 0);
	assert_null(user.home);
	assert_int_equal(sb_user_resolve(f.root_fd, "12:13", &user, &err), 0);
	assert_int_equal(user.gid, 13);
	assert_int_equal(sb_user_resolve(f.root_fd, "root", &user, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	fixture_release(&f);
}

static void account_files_are_never_read_outside_the_root(void **state)
{
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_VALUE(sb_user) user = SB_USER_INIT;
	sb_autofree char *outside = NULL;

	(void)state;
	fixture_init(&f);
	fixture_write(f.outside_fd, "passwd", passwd, sizeof(passwd) - 1);
	outside = sb_asprintf("%s/outside/passwd", f.dir);
	fixture_plant(f.root_fd, "d etc 755\n");
	assert_int_equal(symlinkat(outside, f.root_fd, "etc/passwd"), 0);
	assert_int_equal(sb_user_resolve(f.root_fd, "app", &user, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	fixture_release(&f);
}

static void a_fifo_as_account_file_does_not_hang(void **state)
{
	struct fixture f;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_VALUE(sb_user) user = SB_USER_INIT;

	(void)state;
	fixture_init(&f);
	fixture_plant(f.root_fd, "d etc 755\np etc/passwd 644\n");
	assert_int_equal(sb_user_resolve(f.root_fd, "app", &user, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_resolve_as_their_files_say),
		cmocka_unit_test(owners_resolve_as_chown_does),
		cmocka_unit_test(a_root_without_account_files_knows_numbers_only),
		cmocka_unit_test(account_files_are_never_read_outside_the_root),
		cmocka_unit_test(a_fifo_as_account_file_does_not_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
