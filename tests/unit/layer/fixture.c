/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"
#include "sys/userns.h"
#include "sys/xattr.h"

static int make_folder(const struct fixture *fixture, const char *name)
{
	int fd = -1;

	assert_int_equal(mkdirat(fixture->root_fd, name, 0755), 0);
	fd = openat(fixture->root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

void fixture_enter_namespace(void)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_VALUE(sb_host_ids) ids = {0};

	if (geteuid() != 0 && sb_userns_enter(&ids, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
}

bool fixture_has_ids(void)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned first = 0;
	unsigned outside = 0;
	unsigned count = 0;
	unsigned total = 0;

	assert_non_null(map);
	while (fscanf(map, "%u %u %u", &first, &outside, &count) == 3)
		total = count > 1 || total > 0 ? 2 : 1;
	(void)fclose(map);
	return geteuid() == 0 && total > 1;
}

struct fixture *fixture_new(uid_t base)
{
	const char *tmp = getenv("TMPDIR");
	struct fixture *fixture = SB_NEW(struct fixture);

	(void)umask(022);
	fixture->root = sb_asprintf("%s/sb-layer-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(fixture->root));
	fixture->root_fd = open(fixture->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fixture->root_fd >= 0);
	fixture->lower_fd = make_folder(fixture, "lower");
	fixture->upper_fd = make_folder(fixture, "upper");
	fixture->outside_fd = make_folder(fixture, "outside");
	fixture->ids = (struct sb_idmap){
		.uid_base = base, .gid_base = base, .uid_count = 65536, .gid_count = 65536};
	/* Root of a user namespace has fewer ids; there the image's root is the second one. */
	if (base != 0 && fchown(fixture->outside_fd, base + 65535, 0) < 0)
		fixture->ids = (struct sb_idmap){
			.uid_base = 1, .gid_base = 1, .uid_count = 65000, .gid_count = 65000};
	if (!fixture_has_ids())
		fixture->ids = (struct sb_idmap){.uid_base = geteuid(),
			.gid_base = getegid(),
			.uid_count = 1,
			.gid_count = 1};
	return fixture;
}

void fixture_free(struct fixture *fixture)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)close(fixture->lower_fd);
	(void)close(fixture->upper_fd);
	(void)close(fixture->outside_fd);
	(void)close(fixture->root_fd);
	assert_int_equal(sb_tree_remove(AT_FDCWD, fixture->root, &err), 0);
	free(fixture->root);
	free(fixture);
}

static void set_time(int dir_fd, const char *name, const char *text)
{
	char *end = NULL;
	const int64_t sec = strtoll(text, &end, 10);
	const long nsec = strtol(end, NULL, 10);
	const struct timespec times[2] = {
		{.tv_sec = sec, .tv_nsec = nsec}, {.tv_sec = sec, .tv_nsec = nsec}};

	assert_int_equal(utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void make_file(int dir_fd, const char *name, const char *text)
{
	const int fd = openat(dir_fd, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static void make_socket(int dir_fd, const char *name)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(
		address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
}

static void set_xattr(int dir_fd, const char *name, char *words)
{
	char *value = strchr(words, ' ');
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_non_null(value);
	*value++ = '\0';
	assert_int_equal(sb_xattr_set(dir_fd, name, words, value, strlen(value), &err), 0);
}

static void set_owner(const struct fixture *fixture, int dir_fd, const char *name, char *words)
{
	char *end = NULL;
	const uid_t uid = (uid_t)strtoul(words, &end, 10);
	const gid_t gid = (gid_t)strtoul(end, NULL, 10);

	if (fixture->ids.uid_count == 1)
		return;
	assert_int_equal(fchownat(dir_fd, name, sb_idmap_uid_to_disk(&fixture->ids, uid),
				 sb_idmap_gid_to_disk(&fixture->ids, gid), AT_SYMLINK_NOFOLLOW),
		0);
}

static void run_line(const struct fixture *fixture, int dir_fd, char *line)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char *name = line + 2;
	char *rest = strchr(name, ' ');
	char owner[] = "0 0";
	bool made = true;

	if (rest != NULL)
		*rest++ = '\0';
	else
		rest = name + strlen(name);
	switch (line[0]) {
	case 'd':
		assert_int_equal(mkdirat(dir_fd, name, 0755), 0);
		break;
	case 'f':
		make_file(dir_fd, name, rest);
		break;
	case 'l':
		assert_int_equal(symlinkat(rest, dir_fd, name), 0);
		break;
	case 'p':
		assert_int_equal(mknodat(dir_fd, name, S_IFIFO | 0644, 0), 0);
		break;
	case 's':
		make_socket(dir_fd, name);
		break;
	default:
		made = false;
		break;
	}
	if (line[0] == 'h')
		assert_int_equal(linkat(dir_fd, rest, dir_fd, name, 0), 0);
	else if (line[0] == 'w')
		assert_int_equal(mknodat(dir_fd, name, S_IFCHR, makedev(0, 0)), 0);
	else if (line[0] == 'o')
		assert_int_equal(
			sb_xattr_set(dir_fd, name, "user.overlay.opaque", "y", 1, &err), 0);
	else if (line[0] == 'm')
		assert_int_equal(fchmodat(dir_fd, name, (mode_t)strtoul(rest, NULL, 8), 0), 0);
	else if (line[0] == 't')
		set_time(dir_fd, name, rest);
	else if (line[0] == 'x')
		set_xattr(dir_fd, name, rest);
	else if (line[0] == 'u')
		set_owner(fixture, dir_fd, name, rest);
	else
		assert_true(made);
	if (made) {
		set_owner(fixture, dir_fd, name, owner);
		set_time(dir_fd, name, "1000");
	}
}

void fixture_run(const struct fixture *fixture, int dir_fd, const char *script)
{
	sb_autofree char *copy = sb_strdup(script);

	for (char *saved = NULL, *line = strtok_r(copy, "\n", &saved); line != NULL;
		line = strtok_r(NULL, "\n", &saved))
		run_line(fixture, dir_fd, line);
}

static void list_one(
	const struct fixture *fixture, int dir_fd, const char *path, bool meta, struct sb_buf *out);

static void list_folder(
	const struct fixture *fixture, int dir_fd, const char *path, bool meta, struct sb_buf *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	assert_true(fd >= 0);
	assert_int_equal(sb_tree_list(fd, &names, &err), 0);
	for (size_t i = 0; i < names.len; i++) {
		sb_autofree char *below = strcmp(path, ".") == 0
						  ? sb_strdup(names.items[i])
						  : sb_asprintf("%s/%s", path, names.items[i]);

		list_one(fixture, dir_fd, below, meta, out);
	}
}

static void add(struct sb_buf *out, const char *text)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_buf_add_str(out, text, &err), 0);
}

static void list_one(
	const struct fixture *fixture, int dir_fd, const char *path, bool meta, struct sb_buf *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF text = SB_BUF_INIT(1 << 20);
	sb_autofree char *opaque = NULL;
	sb_autofree char *target = NULL;
	size_t len = 0;
	struct stat st;

	assert_int_equal(fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(sb_xattr_get(dir_fd, path, "user.overlay.opaque", &opaque, &len, &err), 0);
	if (out->len > 0)
		add(out, "; ");
	add(out, S_ISDIR(st.st_mode)                      ? (opaque != NULL ? "d! " : "d ")
		 : S_ISREG(st.st_mode)                    ? "f "
		 : S_ISLNK(st.st_mode)                    ? "l "
		 : S_ISFIFO(st.st_mode)                   ? "p "
		 : S_ISCHR(st.st_mode) && st.st_rdev == 0 ? "w "
							  : "c ");
	add(out, path);
	if (S_ISREG(st.st_mode)) {
		assert_int_equal(
			sb_at_read_file(dir_fd, path, SB_AT_NO_LINKS, 1 << 20, &text, &err), 0);
		add(out, "=");
		add(out, text.data);
	}
	if (S_ISLNK(st.st_mode)) {
		assert_int_equal(sb_at_read_link(dir_fd, path, &target, &err), 0);
		add(out, "->");
		add(out, target);
	}
	if (meta) {
		sb_autofree char *info = sb_asprintf("(%o %u:%u %lld)", st.st_mode & 07777,
			sb_idmap_uid_from_disk(&fixture->ids, st.st_uid),
			sb_idmap_gid_from_disk(&fixture->ids, st.st_gid),
			(long long)st.st_mtim.tv_sec);

		add(out, info);
	}
	if (S_ISDIR(st.st_mode))
		list_folder(fixture, dir_fd, path, meta, out);
}

char *fixture_list(const struct fixture *fixture, int dir_fd, bool meta)
{
	SB_AUTO_BUF out = SB_BUF_INIT(1 << 20);

	list_folder(fixture, dir_fd, ".", meta, &out);
	return sb_buf_steal(&out);
}
