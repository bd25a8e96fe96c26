/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/compare.h"
#include "inspect/dive_score.h"
#include "inspect/inspector.h"
#include "tar_fixture.h"

enum { MAX_LAYERS = 4, MAX_ENTRIES = 6 };
typedef struct fixture_entry layers[MAX_LAYERS][MAX_ENTRIES];

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

static struct sb_inspection *inspect(const layers all)
{
	SB_AUTO(sb_inspector) in = sb_inspector_new(NULL);

	for (size_t i = 0; i < MAX_LAYERS && all[i][0].kind != 0; i++) {
		struct fixture_entry entries[MAX_ENTRIES + 1] = {0};
		enum sb_layer_packing packing;

		memcpy(entries, all[i], sizeof(all[i]));
		(void)SB_ARRAY_ADD(&in->report->layers);

		struct fixture tar = fixture_tar(entries, ARCHIVE_FILTER_NONE);
		const struct sb_byte_source source = {fixture_read, &tar};

		sb_inspector_read_layer(in, i, &source, &in->report->layers.items[i], &packing);
		free(tar.bytes);
	}
	return sb_inspector_take(in, NULL);
}

/* "+a/b ~c" for what differs. */
static char *difference(const layers before, const layers after)
{
	static const char signs[] = "+-~=";
	SB_AUTO(sb_inspection) a = inspect(before);
	SB_AUTO(sb_inspection) b = inspect(after);
	SB_AUTO(sb_comparison) c = sb_compare_inspections(a, b);
	char *text = sb_strdup("");

	SB_ARRAY_FOREACH (&c->files, file) {
		const struct sb_file_entry *e = file->after != NULL ? file->after : file->before;
		char *longer = sb_asprintf(
			"%s%s%c%s", text, text[0] != '\0' ? " " : "", signs[file->kind], e->path);

		free(text);
		text = longer;
	}
	return text;
}

static void files_of_the_final_file_system_are_compared(void **state)
{
	static const struct {
		layers before;
		layers after;
		const char *expected;
	} cases[] = {
		{{{BASE}}, {{BASE}}, ""},
		{{{BASE}}, {{FILE_OF("base", 5000, 'x')}}, "~base"},
		{{{BASE}}, {{FILE_OF("base", 5001, 'b')}}, "~base"},
		{{{BASE}}, {{BASE, FILE_OF("d/a", 1, '1')}}, "+d/a"},
		{{{BASE, FILE_OF("d/a", 1, '1')}}, {{BASE}}, "-d/a"},
		/* How it came to be does not matter. */
		{{{BASE}}, {{BASE, FILE_OF("x", 9, '1')}, {WHITEOUT(".wh.x")}}, ""},
		{{{BASE}, {FILE_OF("x", 9, '1')}}, {{FILE_OF("x", 9, '1'), BASE}}, ""},
		{{{FOLDER("d"), FILE_OF("d/a", 1, '1')}, {FOLDER("d"), WHITEOUT("d/.wh..wh..opq")}},
			{{FOLDER("d")}}, ""},
		{{{BASE, SYMLINK("l", "a")}}, {{BASE, SYMLINK("l", "b")}}, "~l"},
		{{{BASE, FILE_OF("l", 1, '1')}}, {{BASE, SYMLINK("l", "b")}}, "~l"},
		/* Which of two names is the first is the archive's affair. */
		{{{FILE_OF("a", 9, '1'), HARDLINK("b", "a")}},
			{{FILE_OF("b", 9, '1'), HARDLINK("a", "b")}}, ""},
		/* A folder, then what is in it, then its siblings. */
		{{{BASE}},
			{{BASE, FILE_OF("d-x", 1, '1'), FILE_OF("d/a", 1, '1'), FOLDER("d"),
				FILE_OF("d.x", 1, '1')}},
			"+d +d/a +d-x +d.x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *text = difference(cases[i].before, cases[i].after);
		sb_autofree char *back = difference(cases[i].after, cases[i].before);

		assert_string_equal(text, cases[i].expected);
		assert_int_equal(strlen(back), strlen(text));
	}
}

static void attributes_count_as_metadata(void **state)
{
	static const layers before = {
		{{.kind = 'f', .path = "x", .content = "1", .attribute = "one"}}};
	static const layers after = {
		{{.kind = 'f', .path = "x", .content = "1", .attribute = "two"}}};
	SB_AUTO(sb_inspection) a = inspect(before);
	SB_AUTO(sb_inspection) b = inspect(after);
	SB_AUTO(sb_comparison) c = sb_compare_inspections(a, b);

	(void)state;
	assert_int_equal(c->files.len, 1);
	assert_int_equal(c->files.items[0].kind, SB_DIFF_METADATA);
	assert_int_equal(c->files.items[0].aspects, SB_ASPECT_ATTRIBUTES);
}

static void layers_are_matched_in_their_order(void **state)
{
	static const layers before = {{BASE}, {FILE_OF("x", 1, '1')}, {FILE_OF("y", 1, '1')}};
	static const layers after = {
		{BASE}, {FILE_OF("new", 1, '1')}, {FILE_OF("y", 1, '1')}, {FILE_OF("z", 1, '1')}};
	static const size_t expected[][2] = {
		{0, 0}, {1, SIZE_MAX}, {SIZE_MAX, 1}, {2, 2}, {SIZE_MAX, 3}};
	SB_AUTO(sb_inspection) a = inspect(before);
	SB_AUTO(sb_inspection) b = inspect(after);
	SB_AUTO(sb_comparison) c = sb_compare_inspections(a, b);

	(void)state;
	assert_int_equal(c->layers.len, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(c->layers.items[i].before, expected[i][0]);
		assert_int_equal(c->layers.items[i].after, expected[i][1]);
	}
	assert_int_equal(c->n_layers_differing, 3);
	assert_false(sb_comparison_is_same(c));
}

/* What dive 0.13 says of these, worked out by hand from its source: wrong, and known for it. */
static void dives_score_is_dives(void **state)
{
	static const struct {
		layers all;
		uint64_t wasted;
		double efficiency;
	} cases[] = {
		{{{BASE}}, 0, 1},
		{{{BASE}, {FILE_OF("x", 1000, '1')}, {WHITEOUT(".wh.x")}}, 1000, 5000. / 6000},
		{{{BASE}, {FILE_OF("x", 1000, '1')}, {FILE_OF("x", 1000, '2')}}, 2000,
			6000. / 7000},
		{{{BASE}, {FILE_OF("x", 1000, '1')}, {FILE_OF("x", 1000, '2')},
			 {FILE_OF("x", 1000, '3')}},
			3000, 6000. / 8000},
		/* The removed folder's size is added to both sums. */
		{{{BASE}, {FOLDER("d"), FILE_OF("d/a", 1000, '1'), FILE_OF("d/b", 1000, '2')},
			 {WHITEOUT(".wh.d")}},
			0, 1},
		{{{BASE}, {FOLDER("d"), FILE_OF("d/a", 1000, '1'), FILE_OF("d/b", 1000, '2')},
			 {FOLDER("d"), WHITEOUT("d/.wh..wh..opq"), FILE_OF("d/c", 1000, '3')}},
			0, 1},
		{{{BASE}, {FOLDER("d"), FILE_OF("d/a", 1000, '1')}, {SYMLINK("d", "base")}}, 0, 1},
		/* The error ends the layer: the second x is not seen. */
		{{{BASE}, {FILE_OF("x", 1000, '1')},
			 {WHITEOUT("no/such/.wh.thing"), FILE_OF("x", 1000, '2')}},
			0, 1},
		{{{BASE}, {FILE_OF("x", 1000, '1')}, {WHITEOUT(".wh.x")}, {FILE_OF("x", 10, '2')}},
			1010, 5000. / 6010},
		{{{BASE}, {FILE_OF("x", 1000, '1'), FILE_OF("x", 1000, '2')}}, 0, 1},
		/* A folder that was there twice is no larger for it; a hard link has no size. */
		{{{FOLDER("d"), FILE_OF("d/a", 100, '1'), HARDLINK("d/b", "d/a")},
			 {WHITEOUT(".wh.d")}, {FILE_OF("d/a", 100, '1')}},
			200, 200. / 300},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO(sb_inspection) in = inspect(cases[i].all);
		const struct sb_dive_score score = sb_dive_score(in);

		if (score.wasted_bytes != cases[i].wasted)
			print_error("case %zu\n", i);
		assert_int_equal(score.wasted_bytes, cases[i].wasted);
		assert_true(score.efficiency - cases[i].efficiency < 1e-9 &&
			    cases[i].efficiency - score.efficiency < 1e-9);
	}
}

static void entries_know_when_they_went(void **state)
{
	static const layers all = {{BASE, FILE_OF("x", 10, '1'), HARDLINK("y", "x")},
		{FILE_OF("x", 20, '2'), FILE_OF("d/a", 5, '1')},
		{WHITEOUT(".wh.x"), WHITEOUT(".wh.d")}};
	SB_AUTO(sb_inspection) in = inspect(all);
	const struct sb_file_entry *first = in->layers.items[0].entries.items;
	const struct sb_file_entry *second = in->layers.items[1].entries.items;

	(void)state;
	assert_true(first[0].gone_layer == SB_NEVER_GONE && first[0].is_visible);
	assert_int_equal(first[1].gone_layer, 1);
	assert_true(first[2].gone_layer == SB_NEVER_GONE);
	assert_int_equal(first[2].content_layer, 0);
	assert_int_equal(first[2].content_offset, first[1].content_offset);
	assert_int_equal(second[0].gone_layer, 2);
	assert_int_equal(second[1].gone_layer, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_the_final_file_system_are_compared),
		cmocka_unit_test(attributes_count_as_metadata),
		cmocka_unit_test(layers_are_matched_in_their_order),
		cmocka_unit_test(dives_score_is_dives),
		cmocka_unit_test(entries_know_when_they_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
