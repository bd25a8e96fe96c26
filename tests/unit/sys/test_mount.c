/* SPDX-License-Identifier: MIT */
#include "namespaces.h"

#include <limits.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mount.h"
#include "sys/xattr.h"

enum { N_WAYS = 3, ANY_WAY = 0 };

/* A store as sb_overlay wants it: "empty", layers, and folders to write to. */
struct store {
	int fd;
	struct sb_strv lowers;
};

static void store_release(struct store *s)
{
	sb_fd_closep(&s->fd);
	sb_strv_release(&s->lowers);
}
#define STORE __attribute__((cleanup(store_release))) struct store

static void make_dir(int at, const char *name)
{
	CHECK(mkdirat(at, name, 0755) == 0);
}

static void make_file(int at, const char *name, const char *text)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = openat(at, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK_OK(sb_fd_write_all(fd, text, strlen(text), &err), &err);
}

static bool has_text(int at, const char *name, const char *text)
{
	return strcmp(temp_text(at, name), text) == 0;
}

/* Layer i has a file "top" that says i, which every layer covers, and one "in-i" of its own. */
static struct store new_store(const char *path)
{
	struct store s = {.fd = -1};
	struct statfs fs;

	/* In a container /tmp may be an overlay itself, on which none can write. */
	CHECK(statfs(path, &fs) == 0);
	if (fs.f_type == OVERLAYFS_SUPER_MAGIC)
		CHECK(mount("tmpfs", path, "tmpfs", 0, NULL) == 0);
	s.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(s.fd >= 0);
	make_dir(s.fd, "empty");
	return s;
}

static void add_layer(struct store *s, const char *name)
{
	sb_autofree char *number = sb_asprintf("%zu", s->lowers.len);
	sb_autofree char *own = sb_asprintf("in-%zu", s->lowers.len);

	make_dir(s->fd, name);

	sb_autofd int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	make_file(fd, "top", number);
	make_file(fd, own, number);
	sb_strv_add(&s->lowers, name);
}

static int mount_by(const struct sb_overlay *overlay, unsigned way, int *out, struct sb_error *err)
{
	return way == ANY_WAY ? sb_mount_overlay(overlay, out, err)
			      : sb_mount_overlay_by(overlay, way, out, err);
}

/* Way 1 and 2 are not in every kernel; the last one is. */
static bool is_unknown(const struct sb_error *err, unsigned way)
{
	return (way == 1 || way == 2) && (err->os_errno == EINVAL || err->os_errno == ENOSYS);
}

static size_t n_mounts(void)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	size_t n = 0;

	CHECK(mounts != NULL);
	for (int c = getc(mounts); c != EOF; c = getc(mounts))
		n += c == '\n';
	(void)fclose(mounts);
	return n;
}

static void check_lowers(int root, size_t n)
{
	sb_autofree char *top = sb_asprintf("%zu", n - 1);

	CHECK(has_text(root, "top", top));
	for (size_t i = 0; i < n; i++) {
		sb_autofree char *own = sb_asprintf("in-%zu", i);

		CHECK(temp_has(root, own));
	}
}

static void check_writes(int root, int upper)
{
	struct stat st;

	CHECK(unlinkat(root, "in-0", 0) == 0);
	CHECK(!temp_has(root, "in-0"));
	CHECK(fstatat(upper, "in-0", &st, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0));
	make_file(root, "new", "n");
	CHECK(has_text(upper, "new", "n"));
}

static void check_readonly(int root)
{
	CHECK(unlinkat(root, "top", 0) < 0 && errno == EROFS);
	CHECK(mkdirat(root, "x", 0755) < 0 && errno == EROFS);
}

/* The first n of the store's layers, mounted in one way, with or without what else there can be. */
static void check_stack(
	const struct store *s, size_t n, unsigned way, bool is_writable, bool has_scaffold)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char before[PATH_MAX];
	char after[PATH_MAX];
	const size_t mounts = n_mounts();
	const size_t n_fds = temp_n_open_fds();
	const struct sb_strv lowers = {.items = s->lowers.items, .len = n};
	struct sb_overlay overlay = {.layers_fd = s->fd, .lowers = &lowers, .scaffold_fd = -1};

	if (is_writable) {
		make_dir(s->fd, "upper");
		make_dir(s->fd, "work");
		overlay.upper = "upper";
		overlay.work = "work";
	}
	if (has_scaffold) {
		make_dir(s->fd, "scaffold");
		make_dir(s->fd, "scaffold/from-below");
		make_file(s->fd, "scaffold/top", "scaffold");
		overlay.scaffold_fd = openat(s->fd, "scaffold", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	CHECK(getcwd(before, sizeof(before)) != NULL);

	sb_autofd int root = -1;
	const int rc = mount_by(&overlay, way, &root, &err);

	CHECK(getcwd(after, sizeof(after)) != NULL && strcmp(before, after) == 0);
	if (rc < 0 && !is_unknown(&err, way))
		(void)fprintf(stderr, "%zu layers, way %u: %s\n", n, way, err.message);
	CHECK(rc == 0 || is_unknown(&err, way));
	CHECK(n_mounts() == mounts);
	if (rc == 0) {
		struct statvfs st;

		check_lowers(root, n);
		/* Devices of a layer are nobody's. */
		CHECK(fstatvfs(root, &st) == 0 && (st.f_flag & ST_NODEV) != 0);
		CHECK(temp_has(root, "from-below") == has_scaffold);
		if (is_writable) {
			sb_autofd int upper = openat(s->fd, "upper", O_PATH | O_CLOEXEC);

			check_writes(root, upper);
		} else {
			check_readonly(root);
		}
	}
	sb_fd_closep(&root);
	sb_fd_closep(&overlay.scaffold_fd);
	CHECK(temp_n_open_fds() == n_fds);
	sb_error_release(&err);
	CHECK_OK(sb_tree_remove(s->fd, "upper", &err), &err);
	CHECK_OK(sb_tree_remove(s->fd, "work", &err), &err);
	CHECK_OK(sb_tree_remove(s->fd, "scaffold", &err), &err);
}

static int stack_layers(void *data)
{
	static const size_t counts[] = {1, 2, 5, 200, SB_MAX_LAYERS};
	namespaces_just_enter();

	STORE s = new_store(data);

	for (size_t i = 0; i < SB_MAX_LAYERS; i++) {
		sb_autofree char *name = sb_asprintf("layer-%zu", i);

		add_layer(&s, name);
	}
	for (size_t i = 0; i < N_OF(counts); i++)
		for (unsigned way = ANY_WAY; way <= N_WAYS; way++)
			for (unsigned with = 0; with < 4; with++)
				check_stack(&s, counts[i], way, (with & 1) != 0, (with & 2) != 0);
	return 0;
}

static void layers_are_stacked_in_every_way(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(stack_layers, t.path);
}

static int stack_too_many(void *data)
{
	namespaces_just_enter();

	STORE s = new_store(data);

	for (size_t i = 0; i <= SB_MAX_LAYERS; i++)
		sb_strv_add(&s.lowers, "never-looked-at");
	for (unsigned way = ANY_WAY; way <= N_WAYS; way++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		const struct sb_overlay overlay = {
			.layers_fd = s.fd, .lowers = &s.lowers, .scaffold_fd = -1};
		int root = -1;

		CHECK(mount_by(&overlay, way, &root, &err) < 0);
		CHECK(err.code == SB_E_LIMIT && root == -1);
		CHECK(strcmp(err.message, "481 layers; at most 480 can be stacked") == 0);
	}
	return 0;
}

static void more_layers_than_overlayfs_takes_are_refused(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(stack_too_many, t.path);
}

/* What would mean something in mount's own language, or in a shell, or in a format. */
static const char *const strange_names[] = {"a,b", "a:b", "a\\b", "a\\:b", "a\\,b", "\"", "'", "`",
	"a\nb", "a b", " ", "\t", "\xff\xfe", "=", "lowerdir=x", "upperdir=a,workdir=b",
	"x,upperdir=y", "%s%n", "$HOME", "*", "-o", "#", "\\", ":", ",", "+", "~", "a\rb",
	"\x1b[1m", "ünïcödé", "..."};

static int stack_strange_names(void *data)
{
	namespaces_just_enter();

	STORE s = new_store(data);

	for (size_t i = 0; i < N_OF(strange_names); i++)
		add_layer(&s, strange_names[i]);
	for (unsigned way = ANY_WAY; way <= N_WAYS; way++)
		for (unsigned with = 0; with < 4; with++)
			check_stack(&s, s.lowers.len, way, (with & 1) != 0, (with & 2) != 0);
	return 0;
}

static void a_layers_name_may_be_any_name(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(stack_strange_names, t.path);
}

static int write_to_strange_names(void *data)
{
	namespaces_just_enter();

	STORE s = new_store(data);

	add_layer(&s, "layer");
	for (size_t i = 0; i < N_OF(strange_names); i++) {
		sb_autofree char *upper =
			sb_asprintf("%s/diff%s", strange_names[i], strange_names[i]);
		sb_autofree char *work =
			sb_asprintf("%s/work%s", strange_names[i], strange_names[i]);

		make_dir(s.fd, strange_names[i]);
		for (unsigned way = ANY_WAY; way <= N_WAYS; way++) {
			SB_AUTO_ERROR err = SB_ERROR_INIT;
			const struct sb_overlay overlay = {.layers_fd = s.fd,
				.lowers = &s.lowers,
				.scaffold_fd = -1,
				.upper = upper,
				.work = work};
			sb_autofd int root = -1;

			make_dir(s.fd, upper);
			make_dir(s.fd, work);

			sb_autofd int upper_fd = openat(s.fd, upper, O_PATH | O_CLOEXEC);
			const int rc = mount_by(&overlay, way, &root, &err);

			CHECK(rc == 0 || is_unknown(&err, way));
			if (rc == 0)
				check_writes(root, upper_fd);
			sb_fd_closep(&root);
			CHECK_OK(sb_tree_remove(s.fd, upper, &err), &err);
			CHECK_OK(sb_tree_remove(s.fd, work, &err), &err);
		}
	}
	return 0;
}

static void a_snapshots_name_may_be_any_name(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(write_to_strange_names, t.path);
}

static int refuse_what_is_no_layer(void *data)
{
	static const struct {
		const char *lower;
		const char *upper;
		const char *work;
		enum sb_code code;
		const char *message;
	} cases[] = {
		{"missing", NULL, NULL, SB_E_NOT_FOUND, "open layer: 'missing': "},
		{"file", NULL, NULL, SB_E_NOT_FOUND, "open layer: 'file': "},
		{"link", NULL, NULL, SB_E_DENIED, "open layer: 'link' leads over a symbolic link"},
		{"link/x", NULL, NULL, SB_E_DENIED, "open layer: "},
		{"../store", NULL, NULL, SB_E_DENIED, "open layer: "},
		{"/", NULL, NULL, SB_E_DENIED, "open layer: "},
		{"", NULL, NULL, SB_E_NOT_FOUND, "open layer: "},
		{"layer", "missing", "work", SB_E_NOT_FOUND, "open snapshot: 'missing': "},
		{"layer", "upper", "missing", SB_E_NOT_FOUND, "open snapshot: 'missing': "},
		{"layer", "link", "work", SB_E_DENIED, "open snapshot: "},
		{"layer", "upper", "../outside", SB_E_DENIED, "open snapshot: "},
		{"layer", "upper", "file", SB_E_NOT_FOUND, "open snapshot: 'file': "},
	};
	namespaces_just_enter();

	sb_autofree char *path = sb_asprintf("%s/store", (const char *)data);

	CHECK(mkdir(path, 0755) == 0);

	STORE s = new_store(path);
	const size_t n_fds = temp_n_open_fds();

	make_dir(s.fd, "layer");
	make_dir(s.fd, "upper");
	make_dir(s.fd, "work");
	make_dir(s.fd, "../outside");
	make_file(s.fd, "file", "");
	CHECK(symlinkat("layer", s.fd, "link") == 0);
	for (size_t i = 0; i < N_OF(cases); i++) {
		for (unsigned way = ANY_WAY; way <= N_WAYS; way++) {
			SB_AUTO_ERROR err = SB_ERROR_INIT;
			SB_AUTO_STRV lowers = SB_STRV_INIT;
			const struct sb_overlay overlay = {.layers_fd = s.fd,
				.lowers = &lowers,
				.scaffold_fd = -1,
				.upper = cases[i].upper,
				.work = cases[i].work};
			int root = -1;

			sb_strv_add(&lowers, cases[i].lower);
			CHECK(mount_by(&overlay, way, &root, &err) < 0);
			if (err.code != cases[i].code)
				(void)fprintf(stderr, "'%s': %s\n", cases[i].lower, err.message);
			CHECK(err.code == cases[i].code && root == -1);
			CHECK(strncmp(err.message, cases[i].message, strlen(cases[i].message)) ==
				0);
			CHECK(temp_n_open_fds() == n_fds);
		}
	}
	return 0;
}

static void what_is_no_layer_is_named(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(refuse_what_is_no_layer, t.path);
}

static int mount_nothing(void *data)
{
	namespaces_just_enter();

	STORE s = new_store(data);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int root = -1;
	struct sb_overlay overlay = {.layers_fd = s.fd, .lowers = &s.lowers, .scaffold_fd = -1};

	CHECK_OK(sb_mount_overlay(&overlay, &root, &err), &err);
	CHECK(mkdirat(root, "x", 0755) < 0 && errno == EROFS);
	sb_fd_closep(&root);
	/* A scaffold alone; a snapshot alone. */
	make_dir(s.fd, "scaffold");
	make_dir(s.fd, "scaffold/proc");
	make_dir(s.fd, "upper");
	make_dir(s.fd, "work");
	overlay.scaffold_fd = openat(s.fd, "scaffold", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_OK(sb_mount_overlay(&overlay, &root, &err), &err);
	CHECK(temp_has(root, "proc"));
	sb_fd_closep(&root);
	sb_fd_closep(&overlay.scaffold_fd);
	overlay.upper = "upper";
	overlay.work = "work";
	for (unsigned way = 1; way <= N_WAYS; way++) {
		SB_AUTO_ERROR failed = SB_ERROR_INIT;
		sb_autofree char *name = sb_asprintf("by-%u", way);

		if (sb_mount_overlay_by(&overlay, way, &root, &failed) < 0) {
			CHECK(is_unknown(&failed, way));
			continue;
		}
		make_file(root, name, "");

		sb_autofree char *in_upper = sb_asprintf("upper/%s", name);

		CHECK(temp_has(s.fd, in_upper));
		sb_fd_closep(&root);
		CHECK_OK(sb_tree_remove(s.fd, "work", &err), &err);
		make_dir(s.fd, "work");
	}
	return 0;
}

static void a_stack_of_no_layers_is_empty(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(mount_nothing, t.path);
}

/* What is deleted below, in the ways that a layer can say so. */
static int hide_lower_entries(void *data)
{
	namespaces_just_enter();

	STORE s = new_store(data);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int root = -1;
	const struct sb_overlay overlay = {
		.layers_fd = s.fd, .lowers = &s.lowers, .scaffold_fd = -1};

	add_layer(&s, "low");
	make_dir(s.fd, "low/opaque");
	make_file(s.fd, "low/opaque/hidden", "");
	make_dir(s.fd, "low/marked");
	make_file(s.fd, "low/marked/hidden", "");
	make_file(s.fd, "low/marked/seen", "");
	add_layer(&s, "high");
	make_dir(s.fd, "high/opaque");
	make_file(s.fd, "high/opaque/seen", "");
	CHECK_OK(sb_xattr_set(s.fd, "high/opaque", "user.overlay.opaque", "y", 1, &err), &err);
	CHECK(mknodat(s.fd, "high/in-0", S_IFCHR, makedev(0, 0)) == 0);
	make_dir(s.fd, "high/marked");
	make_file(s.fd, "high/marked/hidden", "");
	CHECK_OK(sb_xattr_set(s.fd, "high/marked", "user.overlay.opaque", "x", 1, &err), &err);
	CHECK_OK(sb_xattr_set(s.fd, "high/marked/hidden", "user.overlay.whiteout", "y", 1, &err),
		&err);
	CHECK_OK(sb_mount_overlay(&overlay, &root, &err), &err);
	CHECK(!temp_has(root, "in-0") && temp_has(root, "in-1"));
	CHECK(temp_has(root, "opaque/seen") && !temp_has(root, "opaque/hidden"));
	/* Whiteouts as attributes came with way 2 (Linux 6.7). */
	sb_fd_closep(&root);
	if (sb_mount_overlay_by(&overlay, 2, &root, &err) == 0)
		CHECK(temp_has(root, "marked/seen") && !temp_has(root, "marked/hidden"));
	return 0;
}

/* What the kernel does not look at. The scaffold is no layer: it shows. */
static int hide_all_below_an_opaque_root(void *data)
{
	namespaces_just_enter();

	STORE s = new_store(data);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_overlay overlay = {.layers_fd = s.fd, .lowers = &s.lowers, .scaffold_fd = -1};
	sb_autofd int scaffold = -1;
	sb_autofd int root = -1;

	add_layer(&s, "lowest");
	add_layer(&s, "opaque");
	CHECK_OK(sb_xattr_set(s.fd, "opaque", "user.overlay.opaque", "y", 1, &err), &err);
	add_layer(&s, "high");
	CHECK_OK(sb_mount_overlay(&overlay, &root, &err), &err);
	CHECK(!temp_has(root, "in-0") && temp_has(root, "in-1") && temp_has(root, "in-2"));
	sb_fd_closep(&root);
	make_dir(s.fd, "scaffold");
	make_file(s.fd, "scaffold/mountpoint", "");
	CHECK_OK(sb_at_open_dir(s.fd, "scaffold", SB_AT_NO_LINKS, &scaffold, &err), &err);
	overlay.scaffold_fd = scaffold;
	CHECK_OK(sb_mount_overlay(&overlay, &root, &err), &err);
	CHECK(!temp_has(root, "in-0") && temp_has(root, "in-1") && temp_has(root, "mountpoint"));
	sb_fd_closep(&root);
	/* Other values do not hide what is below. */
	CHECK_OK(sb_xattr_set(s.fd, "opaque", "user.overlay.opaque", "x", 1, &err), &err);
	CHECK_OK(sb_mount_overlay(&overlay, &root, &err), &err);
	CHECK(temp_has(root, "in-0") && temp_has(root, "in-1") && temp_has(root, "in-2"));
	return 0;
}

static void nothing_shows_below_a_layer_whose_root_is_opaque(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(hide_all_below_an_opaque_root, t.path);
}

static void a_layer_hides_what_it_deletes(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(hide_lower_entries, t.path);
}

/* Makes fsconfig's commands up to `last` from `first` on, or fsopen (first = -1), fail: an older
 * kernel. For this process, for good. */
static void fail_calls(int first, int last, int os_errno)
{
	const unsigned action = SECCOMP_RET_ERRNO | (unsigned)os_errno;
	const unsigned call = first < 0 ? SYS_fsopen : SYS_fsconfig;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)(first < 0 ? 0 : first), 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned)last, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = N_OF(filter), .filter = filter};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

struct older_kernel {
	int first; /* fsconfig command, or -1 for fsopen */
	int last;
	int os_errno;
	bool is_refusal;
	char *path;
};

static int mount_on_older_kernel(void *data)
{
	const struct older_kernel *kernel = data;
	namespaces_just_enter();

	STORE s = new_store(kernel->path);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const struct sb_overlay overlay = {
		.layers_fd = s.fd, .lowers = &s.lowers, .scaffold_fd = -1};
	int root = -1;

	for (size_t i = 0; i < 5; i++) {
		sb_autofree char *name = sb_asprintf("layer,%zu", i);

		add_layer(&s, name);
	}
	fail_calls(kernel->first, kernel->last, kernel->os_errno);
	if (!kernel->is_refusal) {
		for (unsigned with = 0; with < 4; with++)
			check_stack(&s, 5, ANY_WAY, (with & 1) != 0, (with & 2) != 0);
		return 0;
	}
	/* What is forbidden is not tried in another way. */
	CHECK(sb_mount_overlay(&overlay, &root, &err) < 0);
	CHECK(err.code == SB_E_DENIED && root == -1);
	CHECK(strncmp(err.message, "mount overlay", 13) == 0);
	return 0;
}

static void an_older_kernel_is_asked_in_an_older_way(void **state)
{
	static const struct older_kernel kernels[] = {
		{FSCONFIG_SET_FD, FSCONFIG_SET_FD, EINVAL, false, NULL},     /* before 6.13 */
		{FSCONFIG_SET_STRING, FSCONFIG_SET_FD, EINVAL, false, NULL}, /* before 6.7 */
		{FSCONFIG_CMD_CREATE, FSCONFIG_CMD_CREATE, EINVAL, false, NULL},
		{-1, INT32_MAX, ENOSYS, false, NULL},
		{-1, INT32_MAX, EPERM, true, NULL},
		{FSCONFIG_SET_FLAG, FSCONFIG_CMD_CREATE, EPERM, true, NULL},
	};

	(void)state;
	namespaces_need();
	for (size_t i = 0; i < N_OF(kernels); i++) {
		struct older_kernel kernel = kernels[i];
		TEMP t;

		temp_init(&t);
		kernel.path = t.path;
		namespaces_test(mount_on_older_kernel, &kernel);
	}
}

static int mount_file_systems(void *data)
{
	static const struct sb_mount_option options[] = {
		{"mode", "0750"}, {"size", "64k"}, {NULL, NULL}};
	static const struct sb_mount_option bad[] = {
		{"mode", "0750"}, {"nosuchoption", "x"}, {NULL, NULL}};
	static const struct sb_mount_option bad_flag[] = {{"nosuchflag", NULL}, {NULL, NULL}};
	static const struct sb_mount_option *const bads[] = {bad, bad_flag};
	namespaces_just_enter();

	STORE s = new_store(data);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const size_t n_fds = temp_n_open_fds();
	int fd = -1;
	struct stat st;

	for (size_t i = 0; i < N_OF(bads); i++) {
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		CHECK(sb_mount_new("tmpfs", bads[i], 0, &fd, &failed) < 0 && fd == -1);
		/* The kernel's own words say which one. */
		CHECK(strncmp(failed.message, "mount tmpfs", 11) == 0);
		CHECK(strstr(failed.message, "nosuch") != NULL);
		CHECK(strchr(failed.message, '\n') == NULL);
	}
	CHECK(sb_mount_new("nosuchfs", NULL, 0, &fd, &err) < 0 && fd == -1);
	CHECK(strncmp(err.message, "mount nosuchfs", 14) == 0);
	sb_error_release(&err);

	CHECK_OK(sb_mount_new("tmpfs", options, MOUNT_ATTR_NOSUID, &fd, &err), &err);
	CHECK(fstat(fd, &st) == 0 && st.st_mode == (S_IFDIR | 0750));
	make_file(fd, "file", "text");
	CHECK(openat(s.fd, "empty/file", O_RDONLY | O_CLOEXEC) < 0);

	/* Attached it is seen, read-only where that was set. */
	sb_autofd int target = openat(s.fd, "empty", O_PATH | O_CLOEXEC);

	CHECK_OK(sb_mount_attach(fd, target, &err), &err);
	CHECK(has_text(s.fd, "empty/file", "text"));
	CHECK_OK(sb_mount_set_attrs(fd, false, MOUNT_ATTR_RDONLY, &err), &err);
	CHECK(unlinkat(s.fd, "empty/file", 0) < 0 && errno == EROFS);
	CHECK(sb_mount_attach(fd, -1, &err) < 0);
	sb_error_release(&err);
	sb_fd_closep(&fd);
	CHECK(has_text(s.fd, "empty/file", "text"));

	/* A clone takes the mounts below it, or not. */
	for (unsigned is_recursive = 0; is_recursive < 2; is_recursive++) {
		CHECK_OK(sb_mount_clone(s.fd, is_recursive != 0, MOUNT_ATTR_RDONLY, &fd, &err),
			&err);
		CHECK(temp_has(fd, "empty/file") == (is_recursive != 0));
		CHECK(mkdirat(fd, "x", 0755) < 0 && errno == EROFS);
		CHECK(mkdirat(s.fd, "x", 0755) == 0 && unlinkat(s.fd, "x", AT_REMOVEDIR) == 0);
		sb_fd_closep(&fd);
	}
	/* Of one file; on a folder it does not fit. */
	make_file(s.fd, "file", "other");
	make_dir(s.fd, "folder");

	sb_autofd int file = openat(s.fd, "file", O_PATH | O_CLOEXEC);
	sb_autofd int folder = openat(s.fd, "folder", O_PATH | O_CLOEXEC);

	CHECK_OK(sb_mount_clone(file, false, 0, &fd, &err), &err);
	CHECK(sb_mount_attach(fd, folder, &err) < 0 && err.os_errno == EINVAL);
	sb_error_release(&err);
	sb_fd_closep(&fd);
	CHECK(sb_mount_clone(-1, false, 0, &fd, &err) < 0 && fd == -1);
	sb_fd_closep(&target);
	sb_fd_closep(&file);
	sb_fd_closep(&folder);
	CHECK(temp_n_open_fds() == n_fds);
	return 0;
}

static void a_mount_is_nowhere_until_it_is_attached(void **state)
{
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	namespaces_test(mount_file_systems, t.path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_stacked_in_every_way),
		cmocka_unit_test(more_layers_than_overlayfs_takes_are_refused),
		cmocka_unit_test(a_layers_name_may_be_any_name),
		cmocka_unit_test(a_snapshots_name_may_be_any_name),
		cmocka_unit_test(what_is_no_layer_is_named),
		cmocka_unit_test(a_stack_of_no_layers_is_empty),
		cmocka_unit_test(a_layer_hides_what_it_deletes),
		cmocka_unit_test(nothing_shows_below_a_layer_whose_root_is_opaque),
		cmocka_unit_test(an_older_kernel_is_asked_in_an_older_way),
		cmocka_unit_test(a_mount_is_nowhere_until_it_is_attached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
