/* SPDX-License-Identifier: MIT */
#include "namespaces.h"

#include <sys/prctl.h>

#include "base/mem.h"
#include "sys/extents.h"

static char *extents_text(const struct sb_extents *list)
{
	SB_AUTO_STRV parts = SB_STRV_INIT;

	SB_ARRAY_FOREACH (list, extent)
		sb_strv_addf(&parts, "%llu+%llu", (unsigned long long)extent->outside,
			(unsigned long long)extent->len);
	return sb_strv_join(&parts, " ");
}

static void subordinate_ids_are_read_with_care(void **state)
{
	static const struct {
		const char *text;
		const char *ranges; /* for user "app" with number 1000 */
	} cases[] = {
		{"", ""},
		{"app:100000:65536\n", "100000+65536"},
		{"app:100000:65536", "100000+65536"},
		{"1000:100000:65536\n", "100000+65536"},
		{"a:1:2\napp:100000:10\nb:3:4\n1000:200000:20\n", "100000+10 200000+20"},
		{"\n\n# app:1:2\napp:100000:5\n", "100000+5"},
		{"app:100000:65536 # ours\napp:1:2\t\n", "100000+65536 1+2"},
		{"app:100000:65536\r\n", "100000+65536"},
		{"app:100000:65536:more\n", "100000+65536"},
		/* Not this user's. */
		{"ap:1:2\nappl:3:4\nAPP:5:6\n100:7:8\n10000:9:10\n", ""},
		{" app:1:2\napp :3:4\n", ""},
		{":100000:5\n::\n:\n:::::\n", ""},
		{"app\napp:\napp:1\napp:1:\napp::1\napp::\n", ""},
		{"app::100000:65536\n", ""},
		/* Not numbers, or none that fit. */
		{"app:x:5\napp:5:x\napp:-1:5\napp:5:-1\napp:+5:5\napp:0x10:5\napp: 5:5\n", ""},
		{"app:1:0\n", ""},
		{"app:4294967296:1\napp:18446744073709551617:1\napp:1:18446744073709551617\n", ""},
		/* The host's root is nobody's subordinate. */
		{"app:0:65536\n", ""},
		{"app:0:65536\napp:1:65535\n", "1+65535"},
		/* 4294967295 is no id. */
		{"app:4294967294:1\n", "4294967294+1"},
		{"app:4294967295:1\n", ""},
		{"app:4294967294:2\n", ""},
		{"app:1:4294967294\n", "1+4294967294"},
		{"app:1:4294967295\n", ""},
		{"app:4294967290:65536\napp:7:65536\n", "7+65536"},
		/* The kernel refuses ranges that overlap. */
		{"app:100:10\n1000:100:10\n", "100+10"},
		{"app:100:10\napp:109:1\napp:95:6\napp:90:100\n", "100+10"},
		{"app:100:10\napp:110:5\napp:95:5\n", "100+10 110+5 95+5"},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_VALUE(sb_extents) list = {0};

		sb_extents_parse_subids(cases[i].text, "app", 1000, &list);

		sb_autofree char *text = extents_text(&list);

		if (strcmp(text, cases[i].ranges) != 0)
			fail_msg("'%s' is '%s', not '%s'", cases[i].text, text, cases[i].ranges);
	}
}

static void a_user_without_a_name_has_a_number(void **state)
{
	SB_AUTO_VALUE(sb_extents) list = {0};
	SB_AUTO_VALUE(sb_extents) last = {0};

	(void)state;
	sb_extents_parse_subids("app:1:2\n1000:3:4\n(null):5:6\n", NULL, 1000, &list);

	sb_autofree char *text = extents_text(&list);

	assert_string_equal(text, "3+4");
	sb_extents_parse_subids("4294967294:3:4\n-2:5:6\n", NULL, (uid_t)-2, &last);
	assert_int_equal(sb_extents_total(&last), 4);
}

static void a_very_long_subid_file_is_read(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF text = SB_BUF_INIT(8 << 20);
	SB_AUTO_VALUE(sb_extents) list = {0};

	(void)state;
	for (unsigned i = 0; i < 1 << 20; i++)
		assert_int_equal(sb_buf_add_char(&text, i % 2 != 0 ? ':' : 'a', &err), 0);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(sb_buf_addf(&text, &err, "\napp:%u:%u", 100000 + i * 10, 10), 0);
	sb_extents_parse_subids(text.data, "app", 1000, &list);
	assert_int_equal(list.len, 1000);
	assert_int_equal(sb_extents_total(&list), 10000);
}

static void a_map_says_what_is_mapped_without_a_gap(void **state)
{
	static const struct {
		const char *map;
		uint64_t first;
		uint64_t len;
		bool is_initial;
	} cases[] = {
		{"         0          0 4294967295\n", 0, 4294967295, true},
		{"0 0 4294967295", 1878982656, 4294967295 - UINT64_C(1878982656), true},
		{"0 0 4294967294\n", 5, 4294967289, false},
		{"0 1000 4294967295\n", 0, 4294967295, false},
		{"0 0 4294967295\n0 0 1\n", 0, 4294967295, false},
		{"0 1000 1\n1 100000 65536\n", 0, 65537, false},
		{"0 1000 1\n1 100000 65536\n", 1, 65536, false},
		{"1 100000 65536\n0 1000 1\n", 0, 65537, false},
		{"0 1000 1\n2 100000 10\n", 1, 0, false},
		{"0 1000 1\n2 100000 10\n", 2, 10, false},
		{"20 1 10\n10 2 10\n0 3 10\n", 5, 25, false},
		{"0 1000 1\n", 1, 0, false},
		{"0 5 0\n", 0, 0, false},
		{"", 0, 0, false},
		{"nothing here\n1 2\n", 1, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_VALUE(sb_extents) map = {0};

		sb_extents_parse_map(cases[i].map, &map);
		assert_int_equal(sb_extents_mapped_from(&map, cases[i].first), cases[i].len);
		assert_int_equal(sb_extents_is_initial(&map), cases[i].is_initial);
	}
}

static void a_childs_map_is_cut_where_ours_has_borders(void **state)
{
	static const struct {
		const char *own;
		uint32_t base;
		uint32_t count;
		const char *map;
	} cases[] = {
		{"0 0 4294967295\n", 1878982656, 65536, "0 1878982656 65536\n"},
		{"0 1002 1\n1 165536 65536\n", 1, 65536, "0 1 65536\n"},
		{"0 1002 1\n1 165536 65536\n", 0, 1, "0 0 1\n"},
		{"0 1002 1\n1 165536 65536\n", 0, 3, "0 0 1\n1 1 2\n"},
		{"0 1002 1\n1 165536 10\n11 300000 20\n31 400000 1000\n", 1, 65536,
			"0 1 10\n10 11 20\n30 31 1000\n"},
		{"0 1002 1\n1 165536 10\n11 300000 20\n", 5, 10, "0 5 6\n6 11 4\n"},
		{"0 1002 1\n1 165536 10\n", 5, 1, "0 5 1\n"},
		{"0 1002 1\n1 165536 10\n", 11, 5, ""},
		/* With gaps, and in another order. */
		{"0 1 1\n5 2 5\n20 3 5\n", 1, 100, "4 5 5\n19 20 5\n"},
		{"20 3 5\n5 2 5\n", 7, 15, "13 20 2\n0 7 3\n"},
		/* Up to the last id there is. */
		{"0 0 4294967295\n", 4294967290, 10, "0 4294967290 5\n"},
		{"0 0 4294967295\n", 4294967295, 4294967295, ""},
		{"0 0 4294967295\n", 0, 4294967295, "0 0 4294967295\n"},
		{"0 0 4294967295\n", 5, 0, ""},
		{"", 0, 10, ""},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		sb_autofree char *map =
			sb_userns_child_map(cases[i].own, cases[i].base, cases[i].count);

		assert_string_equal(map, cases[i].map);
	}
}

static void ids_go_to_disk_and_come_back(void **state)
{
	static const struct sb_idmap map = {
		.uid_base = 100000, .gid_base = 200000, .uid_count = 65536, .gid_count = 1000};
	static const struct sb_idmap last = {.uid_base = UINT32_MAX - 10,
		.gid_base = UINT32_MAX - 10,
		.uid_count = 10,
		.gid_count = 10};
	static const struct sb_idmap single = {.uid_count = 1, .gid_count = 1};
	static const uid_t outside_uids[] = {0, 1, 99999, 165536, 1000000, UINT32_MAX};
	static const gid_t outside_gids[] = {0, 199999, 201000, UINT32_MAX};

	(void)state;
	for (uid_t uid = 0; uid < 65536; uid++)
		assert_int_equal(
			sb_idmap_uid_from_disk(&map, sb_idmap_uid_to_disk(&map, uid)), uid);
	for (gid_t gid = 0; gid < 1000; gid++)
		assert_int_equal(
			sb_idmap_gid_from_disk(&map, sb_idmap_gid_to_disk(&map, gid)), gid);
	for (size_t i = 0; i < N_OF(outside_uids); i++)
		assert_int_equal(sb_idmap_uid_from_disk(&map, outside_uids[i]), 0);
	for (size_t i = 0; i < N_OF(outside_gids); i++)
		assert_int_equal(sb_idmap_gid_from_disk(&map, outside_gids[i]), 0);
	assert_true(sb_idmap_has(&map, 65535, 999));
	assert_false(sb_idmap_has(&map, 65536, 0));
	assert_false(sb_idmap_has(&map, 0, 1000));
	assert_false(sb_idmap_has(&map, UINT32_MAX, 0));

	assert_int_equal(sb_idmap_uid_to_disk(&last, 9), UINT32_MAX - 1);
	assert_int_equal(sb_idmap_uid_from_disk(&last, UINT32_MAX - 1), 9);
	assert_int_equal(sb_idmap_uid_from_disk(&last, UINT32_MAX), 0);

	assert_true(sb_idmap_has(&single, 0, 0));
	assert_false(sb_idmap_has(&single, 1, 0));
	assert_int_equal(sb_idmap_uid_from_disk(&single, 1000), 0);
}

static void a_probe_says_what_entering_would_find(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_VALUE(sb_host_ids) ids = {0};
	sb_autofree char *detail = NULL;

	(void)state;
	assert_int_equal(sb_userns_probe(&ids, &detail, &err), 0);
	assert_non_null(detail);
	assert_null(strchr(detail, '\n'));
	assert_true(ids.ids.uid_count > 0 && ids.ids.uid_count <= 65536);
	assert_true(ids.ids.gid_count > 0 && ids.ids.gid_count <= 65536);
	assert_int_equal(ids.mode == SB_IDS_SINGLE, ids.ids.uid_count == 1);
	if (ids.mode == SB_IDS_ROOT)
		assert_true(ids.ids.uid_base > 0 && ids.ids.gid_base > 0);
}

static bool has_shared_mount(void)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[8192];
	bool is_shared = false;

	CHECK(mounts != NULL);
	while (fgets(line, sizeof(line), mounts) != NULL)
		is_shared = is_shared || strstr(line, " shared:") != NULL;
	(void)fclose(mounts);
	return is_shared;
}

static int enter_and_look(void *data)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_host_ids before = {0};
	sb_autofree char *detail = NULL;

	CHECK_OK(sb_userns_probe(&before, &detail, &err), &err);

	SB_AUTO_VALUE(sb_host_ids) ids = namespaces_enter();

	CHECK(ids.mode == before.mode);
	CHECK(memcmp(&ids.ids, &before.ids, sizeof(ids.ids)) == 0);
	CHECK(geteuid() == 0 && getegid() == 0);
	CHECK(!has_shared_mount());
	if (ids.mode == SB_IDS_ROOT)
		return 0;

	/* Every image id is one that a file can have. */
	const char *dir = data;
	const uid_t uid = sb_idmap_uid_to_disk(&ids.ids, ids.ids.uid_count - 1);
	const gid_t gid = sb_idmap_gid_to_disk(&ids.ids, ids.ids.gid_count - 1);
	sb_autofree char *path = sb_asprintf("%s/owned", dir);
	sb_autofd int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK(fchown(fd, uid, gid) == 0);
	if (ids.mode == SB_IDS_RANGE)
		CHECK(fchown(fd, uid + 1, gid) < 0 || ids.ids.uid_count == 65536);
	sb_host_ids_release(&before);
	return 0;
}

static void the_namespaces_are_as_the_probe_said(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(enter_and_look, t.path);
}

/* The text of a file, its runs of spaces made one. */
static char *squeezed(const char *path)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF text = SB_BUF_INIT(1 << 16);
	sb_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	CHECK(fd >= 0);
	CHECK_OK(sb_fd_read_all(fd, &text, &err), &err);
	for (size_t i = 0; i < text.len; i++) {
		const bool is_space = text.data[i] == ' ';

		if (!is_space || (len > 0 && strchr(" \n", text.data[len - 1]) == NULL))
			text.data[len++] = text.data[i];
	}
	text.data[len] = '\0';
	return sb_strdup(text.data);
}

/* A child in a user namespace of its own, waiting. It ends with `pipe`'s other end. */
static pid_t fork_namespace(int pipe_fds[2])
{
	int ready[2];
	char byte = 0;

	CHECK(pipe2(ready, O_CLOEXEC) == 0 && pipe2(pipe_fds, O_CLOEXEC) == 0);

	const pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWUSER) == 0);
		(void)close(pipe_fds[1]);
		(void)close(ready[0]);
		CHECK(write(ready[1], "x", 1) == 1);
		(void)close(ready[1]);
		(void)!read(pipe_fds[0], &byte, 1);
		_exit(0);
	}
	(void)close(ready[1]);
	(void)close(pipe_fds[0]);
	CHECK(read(ready[0], &byte, 1) == 1);
	(void)close(ready[0]);
	return pid;
}

static void end_namespace(pid_t pid, int pipe_fd)
{
	(void)close(pipe_fd);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void check_mapped(const struct sb_idmap *ids, const char *expected)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	int pipe_fds[2];
	const pid_t pid = fork_namespace(pipe_fds);
	static const char *const kinds[] = {"uid_map", "gid_map"};

	CHECK_OK(sb_userns_map_child(pid, ids, &err), &err);
	for (size_t i = 0; i < N_OF(kinds); i++) {
		sb_autofree char *path = sb_asprintf("/proc/%d/%s", (int)pid, kinds[i]);
		sb_autofree char *map = squeezed(path);

		if (strcmp(map, expected) != 0)
			(void)fprintf(stderr, "'%s', not '%s'\n", map, expected);
		CHECK(strcmp(map, expected) == 0);
	}
	/* A map can be written once. */
	CHECK(sb_userns_map_child(pid, ids, &err) < 0);
	CHECK(err.code == SB_E_DENIED);
	CHECK(strncmp(err.message, "map the ids of a step: ", 23) == 0);
	end_namespace(pid, pipe_fds[1]);
}

static void write_map(pid_t pid, const char *kind, const char *map)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *path = sb_asprintf("/proc/%d/%s", (int)pid, kind);
	sb_autofd int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_OK(sb_fd_write_all(fd, map, strlen(map), &err), &err);
}

/* The kernel itself says whether a map is well cut. */
static int map_children(void *data)
{
	static const char split[] = "0 1 10\n10 20 20\n50 100 10\n";
	SB_AUTO_VALUE(sb_host_ids) ids = namespaces_enter();
	int status = 0;
	int pipe_fds[2];
	char byte = 0;

	(void)data;
	if (ids.mode == SB_IDS_SINGLE)
		return NAMESPACES_REFUSED;

	sb_autofree char *whole = sb_asprintf("0 %u %u\n", ids.ids.uid_base, ids.ids.uid_count);

	if (ids.ids.uid_count == ids.ids.gid_count && ids.ids.uid_base == ids.ids.gid_base)
		check_mapped(&ids.ids, whole);

	/* Once more, from inside a namespace whose map is in pieces. */
	CHECK(pipe2(pipe_fds, O_CLOEXEC) == 0);

	int ready[2];

	CHECK(pipe2(ready, O_CLOEXEC) == 0);

	const pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWUSER) == 0);
		CHECK(write(ready[1], "x", 1) == 1);
		CHECK(read(pipe_fds[0], &byte, 1) == 1);
		CHECK(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
		/* Only a dumpable process owns its files in /proc. */
		CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
		check_mapped(&(struct sb_idmap){1, 1, 65536, 65536}, "0 1 9\n9 10 20\n49 50 10\n");
		check_mapped(&(struct sb_idmap){0, 0, 1, 1}, "0 0 1\n");
		check_mapped(&(struct sb_idmap){15, 15, 37, 37}, "0 15 15\n35 50 2\n");
		_exit(0);
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	write_map(pid, "uid_map", split);
	write_map(pid, "gid_map", split);
	CHECK(write(pipe_fds[1], "x", 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	return status == 0 ? 0 : 1;
}

static void the_kernel_takes_the_maps_of_children(void **state)
{
	(void)state;
	namespaces_need();
	namespaces_test(map_children, NULL);
}

static void mapping_a_process_that_is_gone_is_an_error(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const struct sb_idmap ids = {1, 1, 10, 10};
	const pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(sb_userns_map_child(pid, &ids, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
}

static void the_end_of_all_subordinate_ids_is_found(void **state)
{
	static const struct {
		const char *text;
		uint64_t end;
	} cases[] = {
		{"", 0},
		{"# none\nbroken\na:b:c\n", 0},
		{"a:100000:65536\n", 165536},
		{"b:300000:10\na:100000:65536\n1000:200000:5\n", 300010},
		{"a:100000:65536\na:100000:65536\n", 165536},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		assert_int_equal(sb_extents_subids_end(cases[i].text), cases[i].end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_all_subordinate_ids_is_found),
		cmocka_unit_test(subordinate_ids_are_read_with_care),
		cmocka_unit_test(a_user_without_a_name_has_a_number),
		cmocka_unit_test(a_very_long_subid_file_is_read),
		cmocka_unit_test(a_map_says_what_is_mapped_without_a_gap),
		cmocka_unit_test(a_childs_map_is_cut_where_ours_has_borders),
		cmocka_unit_test(ids_go_to_disk_and_come_back),
		cmocka_unit_test(a_probe_says_what_entering_would_find),
		cmocka_unit_test(the_namespaces_are_as_the_probe_said),
		cmocka_unit_test(the_kernel_takes_the_maps_of_children),
		cmocka_unit_test(mapping_a_process_that_is_gone_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
