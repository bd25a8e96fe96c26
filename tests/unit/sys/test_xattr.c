/* SPDX-License-Identifier: MIT */
#include "temp.h"

#include "base/mem.h"
#include "sys/xattr.h"

#define XATTRS SB_AUTO_VALUE(sb_xattrs)

/* "name=value " for each of the user's own; other kinds come from the host (SELinux). */
static char *listed(int dir_fd, const char *name)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF text = SB_BUF_INIT(1 << 20);
	XATTRS attrs = {0};

	assert_int_equal(sb_xattr_list(dir_fd, name, &attrs, &err), 0);
	SB_ARRAY_FOREACH (&attrs, attr)
		if (strncmp(attr->name, "user.", 5) == 0)
			assert_int_equal(
				sb_buf_addf(&text, &err, "%s=%s ", attr->name + 5, attr->value), 0);
	return sb_buf_steal(&text);
}

static void set(int dir_fd, const char *name, const char *attr, const char *value)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_xattr_set(dir_fd, name, attr, value, strlen(value), &err) < 0) {
		if (err.os_errno == ENOTSUP)
			skip(); /* a file system of old */
		fail_msg("%s", err.message);
	}
}

static void attributes_are_listed_sorted_and_whole(void **state)
{
	static const char *const names[] = {"file", ".", "sub", "a,b:c\\d\"e\nf", "-", " "};
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_dir(t.fd, "sub");
	for (size_t i = 0; i < N_OF(names); i++) {
		if (!temp_has(t.fd, names[i]))
			temp_file(t.fd, names[i], "");

		sb_autofree char *none = listed(t.fd, names[i]);

		assert_string_equal(none, "");
		set(t.fd, names[i], "user.b", "2");
		set(t.fd, names[i], "user.c", "");
		set(t.fd, names[i], "user.a", "1");
		set(t.fd, names[i], "user.B", "3");
		set(t.fd, names[i], "user.b", "again");

		sb_autofree char *all = listed(t.fd, names[i]);

		assert_string_equal(all, "B=3 a=1 b=again c= ");
	}
}

static void values_are_bytes(void **state)
{
	static const char bytes[] = {'\0', 'a', '\0', '\xff', '\n', '\0'};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *value = NULL;
	sb_autofree char *empty = NULL;
	XATTRS attrs = {0};
	size_t len = 0;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "file", "");
	set(t.fd, "file", "user.empty", "");
	assert_int_equal(sb_xattr_set(t.fd, "file", "user.x", bytes, sizeof(bytes), &err), 0);
	assert_int_equal(sb_xattr_get(t.fd, "file", "user.x", &value, &len, &err), 0);
	assert_int_equal(len, sizeof(bytes));
	assert_memory_equal(value, bytes, sizeof(bytes));
	assert_int_equal(value[len], '\0');
	/* Empty is not the same as not there. */
	assert_int_equal(sb_xattr_get(t.fd, "file", "user.empty", &empty, &len, &err), 0);
	assert_non_null(empty);
	assert_int_equal(len, 0);
	assert_int_equal(sb_xattr_list(t.fd, "file", &attrs, &err), 0);
	SB_ARRAY_FOREACH (&attrs, attr)
		if (strcmp(attr->name, "user.x") == 0)
			assert_memory_equal(attr->value, bytes, sizeof(bytes));
}

static void what_is_not_there_is_null_or_an_error(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_ERROR list_err = SB_ERROR_INIT;
	SB_AUTO_ERROR set_err = SB_ERROR_INIT;
	XATTRS attrs = {0};
	char *value = &(char){'x'};
	size_t len = 1;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "file", "");
	assert_int_equal(sb_xattr_get(t.fd, "file", "user.none", &value, &len, &err), 0);
	assert_null(value);
	assert_int_equal(len, 0);
	assert_int_equal(sb_xattr_get(t.fd, "missing", "user.x", &value, &len, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	assert_string_equal(
		err.message, "read attribute user.x of 'missing': No such file or directory");
	assert_int_equal(sb_xattr_list(t.fd, "missing", &attrs, &list_err), -1);
	assert_int_equal(list_err.code, SB_E_NOT_FOUND);
	assert_int_equal(attrs.len, 0);
	assert_int_equal(sb_xattr_set(t.fd, "missing", "user.x", "", 0, &set_err), -1);
	assert_int_equal(set_err.os_errno, ENOENT);
}

static void a_link_is_never_followed(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char *value = NULL;
	size_t len = 0;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "file", "");
	assert_int_equal(symlinkat("file", t.fd, "link"), 0);
	assert_int_equal(symlinkat("missing", t.fd, "dangling"), 0);
	set(t.fd, "file", "user.a", "1");

	sb_autofree char *link = listed(t.fd, "link");
	sb_autofree char *dangling = listed(t.fd, "dangling");

	assert_string_equal(link, "");
	assert_string_equal(dangling, "");
	assert_int_equal(sb_xattr_get(t.fd, "link", "user.a", &value, &len, &err), 0);
	assert_null(value);
	/* Links have no attributes of the user's. */
	assert_int_equal(sb_xattr_set(t.fd, "link", "user.b", "2", 1, &err), -1);
	assert_int_equal(err.os_errno, EPERM);

	sb_autofree char *file = listed(t.fd, "file");

	assert_string_equal(file, "a=1 ");
}

static void what_can_not_be_stored_is_an_error(void **state)
{
	enum { TOO_LARGE = (64 << 10) + 1 };
	static const struct {
		const char *attr;
		size_t len;
		int os_errno; /* 0: any */
	} cases[] = {
		{"user.x", TOO_LARGE, 0},
		{"user.", 1, EINVAL},
		{"nosuchkind.x", 1, ENOTSUP},
		{"", 1, 0},
	};
	sb_autofree char *bytes = sb_calloc(1, TOO_LARGE);
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "file", "");
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(
			sb_xattr_set(t.fd, "file", cases[i].attr, bytes, cases[i].len, &err), -1);
		assert_int_not_equal(err.os_errno, 0);
		if (cases[i].os_errno != 0)
			assert_int_equal(err.os_errno, cases[i].os_errno);
	}
}

static void a_file_system_without_attributes_has_none(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *value = NULL;
	size_t len = 0;

	(void)state;
	assert_true(proc >= 0);

	sb_autofree char *list = listed(proc, "version");

	assert_string_equal(list, "");
	assert_int_equal(sb_xattr_get(proc, "version", "user.x", &value, &len, &err), 0);
	assert_null(value);
}

static void many_attributes_are_all_listed(void **state)
{
	enum { N = 60 };
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	XATTRS attrs = {0};
	size_t n_seen = 0;
	TEMP t;

	(void)state;
	temp_init(&t);
	temp_file(t.fd, "file", "");
	for (unsigned i = 0; i < N; i++) {
		sb_autofree char *name = sb_asprintf("user.%02u", (i * 37) % N);

		set(t.fd, "file", name, name);
	}
	assert_int_equal(sb_xattr_list(t.fd, "file", &attrs, &err), 0);
	SB_ARRAY_FOREACH (&attrs, attr) {
		if (strncmp(attr->name, "user.", 5) != 0)
			continue;

		sb_autofree char *name = sb_asprintf("user.%02zu", n_seen++);

		assert_string_equal(attr->name, name);
		assert_string_equal(attr->value, name);
	}
	assert_int_equal(n_seen, N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_listed_sorted_and_whole),
		cmocka_unit_test(values_are_bytes),
		cmocka_unit_test(what_is_not_there_is_null_or_an_error),
		cmocka_unit_test(a_link_is_never_followed),
		cmocka_unit_test(what_can_not_be_stored_is_an_error),
		cmocka_unit_test(a_file_system_without_attributes_has_none),
		cmocka_unit_test(many_attributes_are_all_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
