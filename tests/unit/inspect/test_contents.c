/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "inspect/inspector.h"
#include "tar_fixture.h"

/* What other threads search comes into the report as if the one that reads had found it. */

#define VALUE "super-secure-value"
#define TOKEN "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
#define TAIL "the end of it"

enum { N_FILES = 48, FILLER = 40 << 10, MAX_TEXT = 1 << 20 };

static void add(struct sb_buf *buf, const char *text)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_buf_add_str(buf, text, &err), 0);
}

/* An archive, and something behind it, so that there is padding; its length is odd. */
static struct fixture packed(size_t i)
{
	const bool has_value = i % 3 != 0;
	const struct fixture_entry entries[] = {
		{.kind = 'f', .path = "filler", .size = FILLER + i * 1000, .fill = 'x'},
		{.kind = 'f', .path = "a", .content = has_value ? "pw=" VALUE : "nothing"},
		{.kind = 'f', .path = "b", .content = i % 2 == 0 ? "t=" TOKEN : "nothing"},
		{0},
	};
	struct fixture tar = fixture_tar(entries, ARCHIVE_FILTER_NONE);

	if (i % 5 == 4)
		tar.len -= 700; /* in the last file's header, or before it */
	memcpy(tar.bytes + tar.len, TAIL, strlen(TAIL));
	tar.len += strlen(TAIL);
	return tar;
}

/* Every fourth file's padding holds the value: some of those files hold it too. */
static void fill_padding(struct fixture *tar)
{
	char *at = tar->bytes;
	size_t n = 0;

	while ((at = memmem(at, (size_t)(tar->bytes + tar->len - at), TAIL, strlen(TAIL))) !=
		NULL) {
		at += strlen(TAIL);
		if (n++ % 4 == 0 && at[0] == '\0')
			memcpy(at + 1, VALUE, strlen(VALUE));
	}
}

static struct fixture layer(void)
{
	struct fixture_entry entries[2 * N_FILES + 1] = {0};
	struct fixture inner[N_FILES];
	char paths[2 * N_FILES][24];

	for (size_t i = 0; i < N_FILES; i++) {
		inner[i] = packed(i);
		/* Some have the name of the one before. */
		(void)snprintf(paths[2 * i], sizeof(paths[0]), "file%zu", i - (i % 7 == 6));
		(void)snprintf(paths[2 * i + 1], sizeof(paths[0]), "text%zu", i);
		entries[2 * i] = (struct fixture_entry){.kind = 'f',
			.path = paths[2 * i],
			.content = inner[i].bytes,
			.size = inner[i].len};
		entries[2 * i + 1] = (struct fixture_entry){.kind = 'f',
			.path = i % 7 == 5 ? paths[2 * i] : paths[2 * i + 1],
			.content = i % 2 == 0 ? "pw=" VALUE " and " TOKEN : "t=" TOKEN};
	}

	struct fixture tar = fixture_tar(entries, ARCHIVE_FILTER_NONE);

	fill_padding(&tar);
	for (size_t i = 0; i < N_FILES; i++)
		free(inner[i].bytes);
	return tar;
}

static const char *or_none(const char *text)
{
	return text != NULL ? text : "-";
}

static void describe(const struct sb_inspector *in, struct sb_buf *out)
{
	const struct sb_inspection *report = in->report;

	for (size_t i = 0; i < report->secrets.len; i++) {
		const struct sb_secret_finding *f = &report->secrets.items[i];
		sb_autofree char *line = sb_asprintf("%s %s %s %llu of %zu\n", f->where,
			or_none(f->inside), f->form, (unsigned long long)f->offset,
			i < in->secret_contents.len ? in->secret_contents.items[i] : SIZE_MAX);

		add(out, line);
	}
	for (size_t i = 0; i < report->patterns.len; i++) {
		const struct sb_pattern_finding *f = &report->patterns.items[i];
		sb_autofree char *line = sb_asprintf("%s %s %s %llu +%llu of %zu\n", f->rule->id,
			f->where, or_none(f->inside), (unsigned long long)f->offset,
			(unsigned long long)f->n_more,
			i < in->pattern_contents.len ? in->pattern_contents.items[i] : SIZE_MAX);

		add(out, line);
	}
	SB_ARRAY_FOREACH (&report->gaps, gap) {
		sb_autofree char *line = sb_asprintf("%s: %s\n", gap->what, gap->why);

		add(out, line);
	}

	sb_autofree char *sums =
		sb_asprintf("%llu, %llu", (unsigned long long)report->scanned_bytes,
			(unsigned long long)report->unpacked_bytes);

	add(out, sums);
}

static char *inspect(struct fixture tar)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	const struct sb_byte_source source = {fixture_read, &tar};
	struct sb_buf out = SB_BUF_INIT(MAX_TEXT);
	enum sb_layer_packing packing;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "token", VALUE, strlen(VALUE), &err), 0);

	SB_AUTO(sb_inspector) in = sb_inspector_new(secrets);

	(void)SB_ARRAY_ADD(&in->report->layers);
	sb_inspector_read_layer(in, 0, &source, &in->report->layers.items[0], &packing);
	describe(in, &out);
	return out.data;
}

/* With a processor there is nobody beside the one that reads. */
static char *inspect_alone(struct fixture tar)
{
	cpu_set_t all;
	cpu_set_t one;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	for (size_t i = 0; CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);

	char *text = inspect(tar);

	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	return text;
}

static void the_report_is_the_same_whoever_searches(void **state)
{
	struct fixture tar = layer();
	sb_autofree char *expected = inspect_alone(tar);

	(void)state;
	assert_non_null(strstr(expected, "layer 1: file1 a raw 3 of "));
	assert_non_null(strstr(expected, "tar header or padding of file0 "));
	assert_null(strstr(expected, "tar header or padding of file8 "));
	assert_non_null(strstr(expected, "damaged or cut off"));
	for (int i = 0; i < 20; i++) {
		sb_autofree char *seen = inspect(tar);

		assert_string_equal(seen, expected);
	}
	free(tar.bytes);
}

/* Where the layer breaks off, what is before that is in the report. */
static void a_layer_that_is_cut_off_is_searched_up_to_there(void **state)
{
	struct fixture tar = layer();

	(void)state;
	for (int i = 1; i < 12; i++) {
		struct fixture cut = tar;

		cut.len = tar.len / 12 * (size_t)i + 17;

		sb_autofree char *expected = inspect_alone(cut);
		sb_autofree char *seen = inspect(cut);

		assert_string_equal(seen, expected);
	}
	free(tar.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_report_is_the_same_whoever_searches),
		cmocka_unit_test(a_layer_that_is_cut_off_is_searched_up_to_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
