/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/inspector.h"
#include "tar_fixture.h"

enum { MAX_LAYERS = 4, MAX_ENTRIES = 6 };

struct dead_case {
	const char *name;
	struct fixture_entry layers[MAX_LAYERS][MAX_ENTRIES];
	uint64_t dead_bytes;
	const char *cause; /* of the last dead file */
	size_t added;
	size_t removed;
};

#define FILE_OF(p, n, c) \
	{ \
		.kind = 'f', .path = (p), .size = (n), .fill = (c) \
	}
#define WHITEOUT(p) \
	{ \
		.kind = 'f', .path = (p) \
	}
#define FOLDER(p) \
	{ \
		.kind = 'd', .path = (p) \
	}
#define SYMLINK(p, t) \
	{ \
		.kind = 'l', .path = (p), .target = (t) \
	}
#define HARDLINK(p, t) \
	{ \
		.kind = 'h', .path = (p), .target = (t) \
	}
#define BASE FILE_OF("base", 5000, 'b')

static const struct dead_case cases[] = {
	/* The nine on which a count by paths goes wrong. */
	{"file removed in the next layer", {{BASE}, {FILE_OF("x", 1000, '1')}, {WHITEOUT(".wh.x")}},
		1000, "deleted", 1, 2},
	{"file overwritten once", {{BASE}, {FILE_OF("x", 1000, '1')}, {FILE_OF("x", 1000, '2')}},
		1000, "overwritten", 1, 2},
	{"three copies of one path",
		{{BASE}, {FILE_OF("x", 1000, '1')}, {FILE_OF("x", 1000, '2')},
			{FILE_OF("x", 1000, '3')}},
		2000, "overwritten", 2, 3},
	{"folder removed",
		{{BASE}, {FOLDER("d"), FILE_OF("d/a", 1000, '1'), FILE_OF("d/b", 1000, '2')},
			{WHITEOUT(".wh.d")}},
		2000, "deleted with its folder", 1, 2},
	{"opaque folder",
		{{BASE}, {FOLDER("d"), FILE_OF("d/a", 1000, '1'), FILE_OF("d/b", 1000, '2')},
			{FOLDER("d"), WHITEOUT("d/.wh..wh..opq"), FILE_OF("d/c", 1000, '3')}},
		2000, "hidden by an opaque folder", 1, 2},
	{"folder replaced by a symlink",
		{{BASE}, {FOLDER("d"), FILE_OF("d/a", 1000, '1')}, {SYMLINK("d", "base")}}, 1000,
		"hidden by what replaced its folder", 1, 2},
	{"whiteout of a missing path, then an overwrite",
		{{BASE}, {FILE_OF("x", 1000, '1')},
			{WHITEOUT("no/such/.wh.thing"), FILE_OF("x", 1000, '2')}},
		1000, "overwritten", 1, 2},
	{"removed, then added again smaller",
		{{BASE}, {FILE_OF("x", 1000, '1')}, {WHITEOUT(".wh.x")}, {FILE_OF("x", 10, '2')}},
		1000, "deleted", 1, 2},
	{"same path twice in one layer",
		{{BASE}, {FILE_OF("x", 1000, '1'), FILE_OF("x", 1000, '2')}}, 1000,
		"written twice in one layer", 1, 1},

	{"only the metadata changed", {{BASE}, {BASE}}, 5000, "overwritten with the same content",
		0, 1},
	{"whiteout before the layer's own file",
		{{FOLDER("d"), FILE_OF("d/a", 1000, '1')},
			{WHITEOUT(".wh.d"), FOLDER("d"), FILE_OF("d/new", 500, '2')}},
		1000, "deleted with its folder", 0, 1},
	{"whiteout behind the layer's own file",
		{{FOLDER("d"), FILE_OF("d/a", 1000, '1')},
			{FOLDER("d"), FILE_OF("d/new", 500, '2'), WHITEOUT(".wh.d")}},
		1000, "deleted with its folder", 0, 1},
	{"opaque mark behind the layer's own file, in a sub-folder too",
		{{FILE_OF("d/s/a", 1000, '1')},
			{FILE_OF("d/s/b", 500, '2'), WHITEOUT("d/.wh..wh..opq")}},
		1000, "hidden by an opaque folder", 0, 1},
	{"whiteout in the layer of the file itself", {{FILE_OF("x", 1000, '1'), WHITEOUT(".wh.x")}},
		0, NULL, 0, 0},
	{"one of two hard links removed",
		{{FILE_OF("a", 1000, '1'), HARDLINK("b", "a")}, {WHITEOUT(".wh.a")}}, 0, NULL, 0,
		0},
	{"both hard links removed",
		{{FILE_OF("a", 1000, '1'), HARDLINK("b", "a")}, {WHITEOUT(".wh.a")},
			{WHITEOUT(".wh.b")}},
		1000, "deleted", 0, 2},
	{"hard link to a lower layer keeps the content",
		{{FILE_OF("a", 1000, '1')}, {HARDLINK("b", "a"), WHITEOUT(".wh.a")}}, 0, NULL, 0,
		0},
	{"whiteout below a symlinked parent does not follow it",
		{{FILE_OF("real/x", 1000, '1'), SYMLINK("link", "real")}, {WHITEOUT("link/.wh.x")}},
		0, NULL, 0, 0},
	{"file below what was a file", {{FILE_OF("x", 1000, '1')}, {FILE_OF("x/y", 10, '2')}}, 1000,
		"overwritten", 0, 1},
	{"leading ./ and / are the same path",
		{{FILE_OF("./x", 1000, '1')}, {FILE_OF("/x", 10, '2')}}, 1000, "overwritten", 0, 1},
	{"invalid whiteouts remove nothing",
		{{FILE_OF("d/x", 1000, '1')},
			{WHITEOUT("d/.wh."), WHITEOUT("d/.wh.."), WHITEOUT("d/.wh...")}},
		0, NULL, 0, 0},
};

static void read_layers(struct sb_inspector *in, const struct dead_case *c, int filter)
{
	for (size_t i = 0; i < MAX_LAYERS && c->layers[i][0].kind != 0; i++) {
		struct fixture_entry entries[MAX_ENTRIES + 1] = {0};
		enum sb_layer_packing packing;

		memcpy(entries, c->layers[i], sizeof(c->layers[i]));
		(void)SB_ARRAY_ADD(&in->report->layers);

		struct fixture tar = fixture_tar(entries, filter);
		const struct sb_byte_source source = {fixture_read, &tar};

		sb_inspector_read_layer(in, i, &source, &in->report->layers.items[i], &packing);
		free(tar.bytes);
	}
}

static void check_case(const struct dead_case *c, int filter)
{
	SB_AUTO(sb_inspector) in = sb_inspector_new(NULL);
	uint64_t dead = 0;
	uint64_t payload = 0;
	uint64_t visible = 0;

	read_layers(in, c, filter);
	for (size_t i = 0; i < sb_filesystem_count(in->fs); i++)
		if (sb_filesystem_content(in->fs, i)->cause == NULL)
			visible += sb_filesystem_content(in->fs, i)->size_bytes;

	SB_AUTO(sb_inspection) report = sb_inspector_take(in, NULL);

	for (size_t i = 0; i < report->layers.len; i++) {
		dead += report->layers.items[i].dead_bytes;
		payload += report->layers.items[i].payload_bytes;
	}
	if (dead != c->dead_bytes)
		print_error("%s: %llu dead bytes\n", c->name, (unsigned long long)dead);
	assert_int_equal(dead, c->dead_bytes);
	assert_int_equal(payload - visible, dead);
	if (c->cause == NULL) {
		assert_int_equal(report->dead.len, 0);
		return;
	}

	const struct sb_dead_file *last = &report->dead.items[report->dead.len - 1];

	assert_string_equal(last->cause, c->cause);
	assert_int_equal(last->added_layer, c->added);
	assert_int_equal(last->removed_layer, c->removed);
	assert_true(sb_digest_is_set(&last->digest));
}

static void dead_bytes_are_exact(void **state)
{
	static const int filters[] = {
		ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t k = 0; k < 3; k++)
			check_case(&cases[i], filters[k]);
}

static void invalid_whiteouts_are_problems(void **state)
{
	SB_AUTO(sb_inspector) in = sb_inspector_new(NULL);

	(void)state;
	read_layers(in, &cases[sizeof(cases) / sizeof(cases[0]) - 1], ARCHIVE_FILTER_NONE);
	assert_int_equal(in->report->problems.len, 3);
	assert_non_null(strstr(in->report->problems.items[0].text, "layer 2"));
}

static void digest_is_of_the_content(void **state)
{
	static const struct dead_case c = {"digest",
		{{{.kind = 'f', .path = "etc/secret.txt", .content = "super-secure\n"}},
			{WHITEOUT("etc/.wh.secret.txt")}},
		13, "deleted", 0, 1};
	SB_AUTO(sb_inspector) in = sb_inspector_new(NULL);
	struct sb_digest expected;

	(void)state;
	sb_digest_of("super-secure\n", 13, &expected);
	read_layers(in, &c, ARCHIVE_FILTER_GZIP);

	SB_AUTO(sb_inspection) report = sb_inspector_take(in, NULL);

	assert_int_equal(report->dead.len, 1);
	assert_string_equal(report->dead.items[0].path, "etc/secret.txt");
	assert_int_equal(report->dead.items[0].size_bytes, 13);
	assert_string_equal(report->dead.items[0].digest.text, expected.text);
}

static void many_names_stay_findable(void **state)
{
	SB_AUTO(sb_filesystem) fs = sb_filesystem_new();
	char path[64];

	(void)state;
	sb_filesystem_begin_layer(fs, 0);
	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(path, sizeof(path), "d%u/f%u", i % 100, i);
		assert_int_equal(sb_filesystem_add_file(fs, path, i, 1, false), i);
	}
	assert_int_equal(sb_filesystem_names(fs), 20100);
	sb_filesystem_begin_layer(fs, 1);
	for (unsigned i = 0; i < 20000; i += 2) {
		(void)snprintf(path, sizeof(path), "d%u/f%u", i % 100, i);
		assert_true(sb_filesystem_whiteout(fs, path));
		assert_false(sb_filesystem_whiteout(fs, path));
	}
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(sb_filesystem_content(fs, i)->cause != NULL, i % 2 == 0);
	assert_false(sb_filesystem_whiteout(fs, "."));
	sb_filesystem_opaque(fs, ".", NULL, NULL);
	assert_int_equal(sb_filesystem_names(fs), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dead_bytes_are_exact),
		cmocka_unit_test(invalid_whiteouts_are_problems),
		cmocka_unit_test(digest_is_of_the_content),
		cmocka_unit_test(many_names_stay_findable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
