/* SPDX-License-Identifier: MIT */
#include "tree_fixture.h"

#include <sys/time.h>

#include "build/content.h"
#include "buildfile/ignore.h"

static const char tree[] = "f a 640 hello\n"
			   "d d 755\nf d/one 644 1\nd d/sub 711\nf d/sub/two 644 2\n"
			   "d d/empty 755\nl d/link one\np d/pipe 644\nf kept.o 644 object\n";

struct options {
	const char *source;
	const char *ignore;
	const char *exclude;
	const char *chmod;
	const char *chown;
	bool has_parents;
	bool is_image;
	int64_t with_times; /* 0: -1 */
};

static struct sb_ignore *ignore_of(const char *text)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_ignore *ignore = NULL;

	if (text != NULL)
		assert_int_equal(
			sb_ignore_parse(".dockerignore", text, strlen(text), &ignore, &err), 0);
	return ignore;
}

static void digest(const struct fixture *f, const struct options *o, struct sb_digest *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV sources = SB_STRV_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	struct sb_ignore *ignore = ignore_of(o->ignore);
	struct sb_ignore *exclude = ignore_of(o->exclude);

	sb_strv_add(&sources, o->source);

	const struct sb_copy copy = {.source_fd = f->source_fd,
		.source_is_context = !o->is_image,
		.ids = {.uid_count = 65536, .gid_count = 65536},
		.ignore = ignore,
		.exclude = exclude,
		.sources = &sources,
		.chmod = o->chmod,
		.chown = o->chown,
		.has_parents = o->has_parents,
		.warnings = &warnings};

	const struct sb_content_options options = {
		.with_times = o->with_times != 0 ? o->with_times : -1};

	assert_int_equal(sb_content_digest(&copy, &options, out, &err), 0);
	sb_ignore_free(ignore);
	sb_ignore_free(exclude);
}

static void write_text(const struct fixture *f, const char *path, const char *text)
{
	fixture_write(f->source_fd, path, text, strlen(text));
}
static void content(const struct fixture *f)
{
	write_text(f, "d/sub/two", "3");
}
static void size(const struct fixture *f)
{
	write_text(f, "a", "hello more");
}
static void mode(const struct fixture *f)
{
	assert_int_equal(fchmodat(f->source_fd, "d/one", 0600, 0), 0);
}
static void folder_mode(const struct fixture *f)
{
	assert_int_equal(fchmodat(f->source_fd, "d/sub", 0700, 0), 0);
}
static void top_mode(const struct fixture *f)
{
	assert_int_equal(fchmodat(f->source_fd, "d", 0700, 0), 0);
}
static void renamed(const struct fixture *f)
{
	assert_int_equal(renameat(f->source_fd, "d/one", f->source_fd, "d/other"), 0);
}
static void moved_down(const struct fixture *f)
{
	assert_int_equal(renameat(f->source_fd, "d/one", f->source_fd, "d/sub/one"), 0);
}
static void removed(const struct fixture *f)
{
	assert_int_equal(unlinkat(f->source_fd, "d/one", 0), 0);
}
static void no_empty_folder(const struct fixture *f)
{
	assert_int_equal(unlinkat(f->source_fd, "d/empty", AT_REMOVEDIR), 0);
}
static void new_file(const struct fixture *f)
{
	write_text(f, "d/new", "");
}
static void target(const struct fixture *f)
{
	assert_int_equal(unlinkat(f->source_fd, "d/link", 0), 0);
	assert_int_equal(symlinkat("two", f->source_fd, "d/link"), 0);
}
static void type(const struct fixture *f)
{
	assert_int_equal(unlinkat(f->source_fd, "d/pipe", 0), 0);
	write_text(f, "d/pipe", "");
}
static void time_of_all(const struct fixture *f)
{
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	assert_int_equal(utimensat(f->source_fd, "a", times, 0), 0);
	assert_int_equal(utimensat(f->source_fd, "d/one", times, 0), 0);
	assert_int_equal(utimensat(f->source_fd, "d", times, 0), 0);
}
static void object(const struct fixture *f)
{
	write_text(f, "kept.o", "changed");
}
static void new_object(const struct fixture *f)
{
	write_text(f, "d/x.o", "new");
}
static void owner(const struct fixture *f)
{
	if (geteuid() == 0)
		assert_int_equal(fchownat(f->source_fd, "d/one", 7, 8, AT_SYMLINK_NOFOLLOW), 0);
	else
		mode(f);
}

struct content_case {
	void (*change)(const struct fixture *f);
	struct options options;
	bool is_same;
};

static const struct content_case cases[] = {
	{content, {.source = "d"}, false},
	{content, {.source = "."}, false},
	{content, {.source = "a"}, true},
	{content, {.source = "*"}, false},
	{size, {.source = "a"}, false},
	{size, {.source = "d"}, true},
	{mode, {.source = "d"}, false},
	{mode, {.source = "d", .chmod = "755"}, true},
	{mode, {.source = "d", .chmod = "u+x"}, false},
	{mode, {.source = "d", .chmod = "a=r"}, true},
	{folder_mode, {.source = "d"}, false},
	{top_mode, {.source = "d"}, true},
	{top_mode, {.source = "."}, false},
	{renamed, {.source = "d"}, false},
	{moved_down, {.source = "d"}, false},
	{removed, {.source = "d"}, false},
	{removed, {.source = "d/sub"}, true},
	{no_empty_folder, {.source = "d"}, false},
	{new_file, {.source = "d"}, false},
	{new_file, {.source = "d", .ignore = "d/new\n"}, true},
	{new_file, {.source = "d", .exclude = "new\n"}, true},
	{target, {.source = "d"}, false},
	{type, {.source = "d"}, false},
	{time_of_all, {.source = "."}, true},
	{time_of_all, {.source = ".", .with_times = 1 << 20}, false},
	{time_of_all, {.source = "d", .with_times = 1 << 20}, false},
	{time_of_all, {.source = ".", .with_times = 500}, true},
	{object, {.source = ".", .ignore = "*.o\n"}, true},
	{object, {.source = "*.o"}, false},
	{new_object, {.source = ".", .ignore = "**/*.o\n"}, true},
	{new_object, {.source = ".", .ignore = "d\n!d/x.o\n"}, false},
	{removed, {.source = ".", .ignore = "d\n!d/x.o\n"}, true},
	{content, {.source = "./d/./sub", .has_parents = true}, false},
	{removed, {.source = "d/sub/two", .has_parents = true}, true},
	{folder_mode, {.source = "d/sub/two", .has_parents = true}, false},
	{owner, {.source = "d", .is_image = true}, false},
};

static void what_a_copy_brings_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		struct sb_digest before;
		struct sb_digest after;

		fixture_init(&f);
		fixture_plant(f.source_fd, tree);
		digest(&f, &cases[i].options, &before);
		cases[i].change(&f);
		digest(&f, &cases[i].options, &after);
		if (sb_digest_equal(&before, &after) != cases[i].is_same)
			fail_msg("case %zu", i);
		fixture_release(&f);
	}
}

static void stamp(const struct fixture *f, struct sb_digest *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV sources = SB_STRV_INIT;
	const struct sb_content_options options = {.with_times = -1, .stamp = out};

	sb_strv_add(&sources, "d");

	const struct sb_copy copy = {
		.source_fd = f->source_fd, .source_is_context = true, .sources = &sources};

	assert_int_equal(sb_content_digest(&copy, &options, NULL, &err), 0);
}

static void a_stamp_tells_of_every_change(void **state)
{
	static void (*const changes[])(const struct fixture *) = {
		content, mode, folder_mode, renamed, removed, new_file, target, type, time_of_all};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture f;
		struct sb_digest before;
		struct sb_digest again;
		struct sb_digest after;

		fixture_init(&f);
		fixture_plant(f.source_fd, tree);
		stamp(&f, &before);
		stamp(&f, &again);
		assert_string_equal(before.text, again.text);
		changes[i](&f);
		stamp(&f, &after);
		if (sb_digest_equal(&before, &after))
			fail_msg("change %zu", i);
		fixture_release(&f);
	}
}

/* Where holes are is the file system's affair, so they may make another digest, but never the same
 * for another content. */
static void holes_are_told_from_bytes(void **state)
{
	enum { SIZE = 4 << 20 };
	const struct options options = {.source = "sparse"};
	struct sb_digest empty;
	struct sb_digest byte;
	struct sb_digest longer;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_write(f.source_fd, "sparse", "", 0);

	const int fd = openat(f.source_fd, "sparse", O_WRONLY | O_CLOEXEC);

	assert_int_equal(ftruncate(fd, SIZE), 0);
	digest(&f, &options, &empty);
	assert_int_equal(pwrite(fd, "x", 1, SIZE / 2), 1);
	digest(&f, &options, &byte);
	assert_int_equal(ftruncate(fd, 2 * SIZE), 0);
	digest(&f, &options, &longer);
	assert_string_not_equal(empty.text, byte.text);
	assert_string_not_equal(byte.text, longer.text);
	close(fd);
	fixture_release(&f);
}

static void owners_of_the_context_do_not_count(void **state)
{
	const struct options context = {.source = "d"};
	const struct options changed_owner = {.source = "d", .is_image = true, .chown = "1:1"};
	struct fixture f;
	struct sb_digest before[2];
	struct sb_digest after[2];

	(void)state;
	if (geteuid() != 0)
		return;
	fixture_init(&f);
	fixture_plant(f.source_fd, tree);
	digest(&f, &context, &before[0]);
	digest(&f, &changed_owner, &before[1]);
	owner(&f);
	digest(&f, &context, &after[0]);
	digest(&f, &changed_owner, &after[1]);
	assert_string_equal(before[0].text, after[0].text);
	assert_string_equal(before[1].text, after[1].text);
	fixture_release(&f);
}

static void a_deep_tree_needs_few_descriptors(void **state)
{
	enum { DEPTH = 1200 };
	const struct options options = {.source = "."};
	struct fixture f;
	struct sb_digest before;
	struct sb_digest after;
	int fd = -1;

	(void)state;
	fixture_init(&f);
	fd = dup(f.source_fd);
	for (int i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(fd, "d", 0755), 0);

		const int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	digest(&f, &options, &before);
	fixture_write(fd, "last", "", 0);
	digest(&f, &options, &after);
	assert_string_not_equal(before.text, after.text);
	close(fd);
	fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_copy_brings_decides),
		cmocka_unit_test(a_stamp_tells_of_every_change),
		cmocka_unit_test(holes_are_told_from_bytes),
		cmocka_unit_test(owners_of_the_context_do_not_count),
		cmocka_unit_test(a_deep_tree_needs_few_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
