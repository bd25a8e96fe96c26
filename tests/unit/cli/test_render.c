/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "cli/render.h"

#define MS 1000000ULL
#define OUTPUT(s, n, ms, bytes) \
	{ \
		.kind = SB_EVENT_STEP_OUTPUT, .step = (s), .stream = (n), .t_ns = (ms)*MS, \
		.text = (bytes), .len = sizeof(bytes) - 1 \
	}

static const struct sb_event build[] = {
	{.kind = SB_EVENT_BUILD_START, .text = "Buildfile", .total = 2},
	{.kind = SB_EVENT_STEP_START,
		.step = 1,
		.stage = "build",
		.text = "FROM alpine",
		.total = 2,
		.file = "Buildfile",
		.line = 1},
	{.kind = SB_EVENT_TRANSFER,
		.step = 1,
		.t_ns = 10 * MS,
		.text = "4abcde",
		.done = 500000,
		.total = 1000000},
	{.kind = SB_EVENT_TRANSFER,
		.step = 1,
		.t_ns = 20 * MS,
		.text = "4abcde",
		.done = 600000,
		.total = 1000000},
	{.kind = SB_EVENT_TRANSFER,
		.step = 1,
		.t_ns = 30 * MS,
		.text = "4abcde",
		.done = 1000000,
		.total = 1000000},
	{.kind = SB_EVENT_STEP_END, .step = 1, .t_ns = 240 * MS},
	{.kind = SB_EVENT_TICK, .t_ns = 250 * MS},
	{.kind = SB_EVENT_STEP_START,
		.step = 2,
		.stage = "build",
		.text = "RUN cat <<E\nhi\nE",
		.total = 2,
		.t_ns = 1000 * MS},
	OUTPUT(2, 1, 1100, "half "),
	OUTPUT(2, 2, 1110, "an error\n"),
	OUTPUT(2, 1, 1123, "line\n\033[31mred\033[0m \xff\n"),
	OUTPUT(2, 1, 1200, "no newline"),
	{.kind = SB_EVENT_WARNING,
		.t_ns = 1250 * MS,
		.text = "a short secret",
		.hint = "make it longer",
		.file = "Buildfile",
		.line = 2},
	{.kind = SB_EVENT_STEP_END, .step = 2, .t_ns = 1400 * MS, .text = "sha256:aa", .done = 10},
	{.kind = SB_EVENT_EXPORT, .t_ns = 1500 * MS, .text = "oci archive app.tar", .done = 2048},
	{.kind = SB_EVENT_IMAGE, .t_ns = 1500 * MS, .text = "sha256:bb", .name = "app:latest"},
	{.kind = SB_EVENT_BUILD_END, .t_ns = 1500 * MS},
};

static char *render(enum sb_progress progress, const struct sb_event *events, size_t n,
	const struct sb_error *failure)
{
	const struct sb_render_style style = {.columns = 80, .rows = 24};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	SB_AUTO(sb_renderer) renderer = sb_renderer_new(progress, out, &style);

	for (size_t i = 0; i < n; i++)
		sb_renderer_event(&events[i], renderer);
	sb_renderer_finish(renderer, failure, failure != NULL ? 1 : 0);
	(void)fclose(out);
	return text;
}

static void plain_reads_like_dockers(void **state)
{
	sb_autofree char *text =
		render(SB_PROGRESS_PLAIN, build, sizeof(build) / sizeof(build[0]), NULL);

	(void)state;
	assert_string_equal(text, "#1 [build 1/2] FROM alpine\n"
				  "#1 transfer 4abcde 500 kB / 1.00 MB\n"
				  "#1 transfer 4abcde 1.00 MB done\n"
				  "#1 DONE 0.2s\n"
				  "\n"
				  "#2 [build 2/2] RUN cat <<E\\nhi\\nE\n"
				  "#2 0.110 an error\n"
				  "#2 0.123 half line\n"
				  "#2 0.123 red \\xff\n"
				  "Buildfile:2: warning: a short secret\n"
				  "hint: make it longer\n"
				  "#2 0.400 no newline\n"
				  "#2 DONE 0.4s\n"
				  "wrote oci archive app.tar (2.05 kB)\n"
				  "image app:latest sha256:bb\n");
}

static void plain_says_that_a_step_failed(void **state)
{
	const struct sb_event events[] = {
		{.kind = SB_EVENT_STEP_START, .step = 3, .stage = "stage-0", .text = "RUN false"},
		OUTPUT(3, 2, 100, "oops"),
		{.kind = SB_EVENT_STEP_END, .step = 3, .status = 127, .t_ns = 250 * MS},
	};
	sb_autofree char *text = render(SB_PROGRESS_PLAIN, events, 3, NULL);

	(void)state;
	assert_string_equal(text, "#3 [stage-0 3] RUN false\n"
				  "#3 0.250 oops\n"
				  "#3 ERROR: exit status 127 after 0.2s\n");
}

#define START(s, ms, title) \
	{ \
		.kind = SB_EVENT_STEP_START, .step = (s), .t_ns = (ms)*MS, .text = (title) \
	}
#define END(s, ms, how) \
	{ \
		.kind = SB_EVENT_STEP_END, .step = (s), .t_ns = (ms)*MS, .status = (how) \
	}

/* The second is held while the first is written, the third has ended by then. */
static void plain_keeps_the_lines_of_a_step_together(void **state)
{
	static const struct sb_event events[] = {
		START(1, 0, "A"),
		START(2, 100, "B"),
		OUTPUT(1, 1, 100, "a 1\n"),
		OUTPUT(2, 1, 100, "b 1\n"),
		START(3, 100, "C"),
		{.kind = SB_EVENT_WARNING, .step = 2, .text = "of b"},
		OUTPUT(3, 1, 200, "c 1\n"),
		OUTPUT(1, 1, 200, "a 2\n"),
		END(3, 300, 0),
		END(1, 400, 0),
		OUTPUT(2, 1, 600, "b 2\n"),
		START(4, 600, "D"),
		END(2, 700, 3),
		END(4, 700, SB_STEP_CANCELLED),
	};
	sb_autofree char *text =
		render(SB_PROGRESS_PLAIN, events, sizeof(events) / sizeof(events[0]), NULL);

	(void)state;
	assert_string_equal(text,
		"#1 [1] A\n#1 0.100 a 1\n#1 0.200 a 2\n#1 DONE 0.4s\n"
		"\n#3 [3] C\n#3 0.100 c 1\n#3 DONE 0.2s\n"
		"\n#2 [2] B\n#2 0.000 b 1\nsafebuild: warning: of b\n#2 0.500 b 2\n"
		"#2 ERROR: exit status 3 after 0.6s\n"
		"\n#4 [4] D\n#4 CANCELED\n");
}

/* What ends without its end being told, and what is too much to be held, is written too. */
static void plain_holds_no_more_than_it_can(void **state)
{
	enum { LINES = 600, LINE = 16000 };
	char line[LINE + 1];
	struct sb_event events[LINES + 2] = {START(1, 0, "A"), START(2, 0, "B")};

	(void)state;
	memset(line, 'x', LINE);
	line[LINE] = '\n';
	for (size_t i = 2; i < LINES + 2; i++)
		events[i] = (struct sb_event){.kind = SB_EVENT_STEP_OUTPUT,
			.step = 2,
			.stream = 1,
			.text = line,
			.len = sizeof(line)};

	sb_autofree char *text = render(SB_PROGRESS_PLAIN, events, LINES + 2, NULL);
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, "\n#2 0.000 x")) != NULL; at++)
		n++;
	assert_int_equal(n, LINES);
}

static void json_is_one_object_a_line(void **state)
{
	sb_autofree char *text =
		render(SB_PROGRESS_JSON, build, sizeof(build) / sizeof(build[0]), NULL);

	(void)state;
	assert_string_equal(text,
		"{\"schema\":1,\"event\":\"build-start\",\"t_ns\":0,\"text\":\"Buildfile\","
		"\"total\":2}\n"
		"{\"schema\":1,\"event\":\"step-start\",\"t_ns\":0,\"step\":1,\"stage\":\"build\","
		"\"text\":\"FROM alpine\",\"file\":\"Buildfile\",\"line\":1,\"total\":2}\n"
		"{\"schema\":1,\"event\":\"transfer\",\"t_ns\":10000000,\"step\":1,"
		"\"text\":\"4abcde\",\"done\":500000,\"total\":1000000}\n"
		"{\"schema\":1,\"event\":\"transfer\",\"t_ns\":30000000,\"step\":1,"
		"\"text\":\"4abcde\",\"done\":1000000,\"total\":1000000}\n"
		"{\"schema\":1,\"event\":\"step-end\",\"t_ns\":240000000,\"step\":1,\"status\":0,"
		"\"done\":0}\n"
		"{\"schema\":1,\"event\":\"step-start\",\"t_ns\":1000000000,\"step\":2,"
		"\"stage\":\"build\",\"text\":\"RUN cat <<E\\nhi\\nE\",\"total\":2}\n"
		"{\"schema\":1,\"event\":\"step-output\",\"t_ns\":1110000000,\"step\":2,"
		"\"stream\":2,\"text\":\"an error\"}\n"
		"{\"schema\":1,\"event\":\"step-output\",\"t_ns\":1123000000,\"step\":2,"
		"\"stream\":1,\"text\":\"half line\"}\n"
		"{\"schema\":1,\"event\":\"step-output\",\"t_ns\":1123000000,\"step\":2,"
		"\"stream\":1,\"base64\":\"G1szMW1yZWQbWzBtIP8=\",\"text\":\"red \\\\xff\"}\n"
		"{\"schema\":1,\"event\":\"warning\",\"t_ns\":1250000000,"
		"\"text\":\"a short secret\",\"hint\":\"make it longer\",\"file\":\"Buildfile\","
		"\"line\":2}\n"
		"{\"schema\":1,\"event\":\"step-output\",\"t_ns\":1400000000,\"step\":2,"
		"\"stream\":1,\"text\":\"no newline\"}\n"
		"{\"schema\":1,\"event\":\"step-end\",\"t_ns\":1400000000,\"step\":2,"
		"\"text\":\"sha256:aa\",\"status\":0,\"done\":10}\n"
		"{\"schema\":1,\"event\":\"export\",\"t_ns\":1500000000,"
		"\"text\":\"oci archive app.tar\",\"done\":2048}\n"
		"{\"schema\":1,\"event\":\"image\",\"t_ns\":1500000000,\"name\":\"app:latest\","
		"\"text\":\"sha256:bb\"}\n"
		"{\"schema\":1,\"event\":\"build-end\",\"t_ns\":1500000000,\"status\":0}\n");
}

static void json_ends_with_the_error(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	sb_fail_at(&err, SB_E_STEP_FAILED, (struct sb_source_pos){"Buildfile", 4, 1}, "it failed");
	err.step_status = 7;
	sb_autofree char *text = render(SB_PROGRESS_JSON, NULL, 0, &err);

	assert_string_equal(text,
		"{\"schema\":1,\"event\":\"error\",\"t_ns\":0,\"code\":\"step-failed\","
		"\"message\":\"it failed\",\"file\":\"Buildfile\",\"line\":4,\"column\":1,"
		"\"step_status\":7,\"exit_status\":1}\n");
}

static void json_is_ascii_and_keeps_nuls(void **state)
{
	const struct sb_event events[] = {OUTPUT(1, 1, 0, "\xc3\xa9\xc2\x9b a\0b\n")};
	sb_autofree char *text = render(SB_PROGRESS_JSON, events, 1, NULL);

	(void)state;
	assert_non_null(strstr(text, "\"text\":\"\\u00E9\\u009B a\\u0000b\""));
	assert_null(strstr(text, "base64"));
}

static void quiet_shows_warnings_alone(void **state)
{
	sb_autofree char *text =
		render(SB_PROGRESS_QUIET, build, sizeof(build) / sizeof(build[0]), NULL);

	(void)state;
	assert_string_equal(text, "Buildfile:2: warning: a short secret\nhint: make it longer\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_reads_like_dockers),
		cmocka_unit_test(plain_says_that_a_step_failed),
		cmocka_unit_test(plain_keeps_the_lines_of_a_step_together),
		cmocka_unit_test(plain_holds_no_more_than_it_can),
		cmocka_unit_test(json_is_one_object_a_line),
		cmocka_unit_test(json_ends_with_the_error),
		cmocka_unit_test(json_is_ascii_and_keeps_nuls),
		cmocka_unit_test(quiet_shows_warnings_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
