/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strv.h"
#include "cli/ago.h"
#include "cli/lines.h"

static void collect(void *data, uint32_t step, int stream, const char *line, size_t len)
{
	sb_strv_addf(data, "%u/%d:%.*s", step, stream, (int)len, line);
}

static void add(struct sb_lines *lines, uint32_t step, int stream, const char *text)
{
	const struct sb_event event = {.kind = SB_EVENT_STEP_OUTPUT,
		.step = step,
		.stream = stream,
		.text = text,
		.len = strlen(text)};

	sb_lines_add(lines, &event);
}

static void pieces_become_lines_for_each_step_and_stream(void **state)
{
	SB_AUTO_STRV got = SB_STRV_INIT;
	struct sb_lines lines = {.on_line = collect, .data = &got};

	(void)state;
	add(&lines, 1, 1, "one ");
	add(&lines, 1, 2, "err");
	add(&lines, 2, 1, "other\n\nlast");
	add(&lines, 1, 1, "line\ntwo\r\nrest");
	sb_lines_end(&lines, 1);
	sb_lines_end(&lines, 2);
	sb_lines_end(&lines, 3);
	sb_autofree char *joined = sb_strv_join(&got, "|");

	assert_string_equal(
		joined, "2/1:other|2/1:|1/1:one line|1/1:two|1/1:rest|1/2:err|2/1:last");
	sb_lines_release(&lines);
}

static void of_a_progress_bar_the_last_state_is_left(void **state)
{
	SB_AUTO_STRV got = SB_STRV_INIT;
	struct sb_lines lines = {.on_line = collect, .data = &got};

	(void)state;
	add(&lines, 1, 1, "10%\r50%\r");
	add(&lines, 1, 1, "100%\nnext\r");
	sb_lines_end(&lines, 1);
	sb_autofree char *joined = sb_strv_join(&got, "|");

	assert_string_equal(joined, "1/1:100%|1/1:next");
	sb_lines_release(&lines);
}

static void raw_lines_keep_their_returns(void **state)
{
	SB_AUTO_STRV got = SB_STRV_INIT;
	struct sb_lines lines = {.on_line = collect, .data = &got, .is_raw = true};

	(void)state;
	add(&lines, 1, 1, "10%\r20%\r\n");
	assert_string_equal(got.items[0], "1/1:10%\r20%\r");
	sb_lines_release(&lines);
}

static void endless_lines_are_cut_between_characters(void **state)
{
	SB_AUTO_STRV got = SB_STRV_INIT;
	struct sb_lines lines = {.on_line = collect, .data = &got};
	size_t total = 0;

	(void)state;
	add(&lines, 1, 1, "x");
	for (size_t i = 0; i < 3 * SB_LINE_BYTES / 2; i++)
		add(&lines, 1, 1, "é");
	sb_lines_end_all(&lines);
	assert_true(got.len >= 3);
	for (size_t i = 0; i < got.len; i++) {
		const char *text = got.items[i] + 4;

		total += strlen(text);
		assert_true(strlen(text) <= SB_LINE_BYTES);
		assert_true((unsigned char)text[0] == 'x' || (unsigned char)text[0] == 0xc3);
	}
	assert_int_equal(total, 1 + 3 * SB_LINE_BYTES);
	sb_lines_release(&lines);
}

static void hostile_bytes_do_not_reach_the_terminal(void **state)
{
	static const struct {
		const char *text;
		const char *clean;
	} cases[] = {
		{"plain é 漢", "plain é 漢"},
		{"\033[31mred\033[0m", "red"},
		{"\033[2J\033[1;1Hgone", "gone"},
		{"\033]0;title\athen", "then"},
		{"\033]8;;http://x\033\\link\033]8;;\033\\", "link"},
		{"\033(Bascii", "ascii"},
		{"\033", ""},
		{"\033[", ""},
		{"a\033[12", "a"},
		{"\033]unended", ""},
		{"a\tb", "a       b"},
		{"\a\b", "\\x07\\x08"},
		{"\xff\xc2\x9b", "\\xff\\xc2\\x9b"},
		{"\x7f", "\\x7f"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *clean = sb_line_clean(cases[i].text, strlen(cases[i].text));

		assert_string_equal(clean, cases[i].clean);
	}
	sb_autofree char *with_nul = sb_line_clean("a\0b", 3);

	assert_string_equal(with_nul, "a\\x00b");
}

static void text_is_fitted_by_columns(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		bool is_utf8;
		const char *fitted;
	} cases[] = {
		{"short", 5, true, "short"},
		{"longer", 5, true, "long…"},
		{"longer", 5, false, "lo..."},
		{"漢字漢字", 8, true, "漢字漢字"},
		{"漢字漢字", 6, true, "漢字…"},
		{"longer", 0, true, ""},
		{"longer", 1, true, "…"},
		{"longer", 2, false, ""},
		{"", 0, true, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *fitted =
			sb_text_fit(cases[i].text, cases[i].columns, cases[i].is_utf8);

		assert_string_equal(fitted, cases[i].fitted);
	}
}

static void times_are_told_from_now(void **state)
{
	static const struct {
		const char *created;
		const char *ago;
	} cases[] = {
		{"2001-09-09T01:46:40Z", "just now"},
		{"2001-09-09T01:46:39Z", "1 second ago"},
		{"2001-09-09T01:45:40.123456789Z", "1 minute ago"},
		{"2001-09-09T03:46:40+02:00", "just now"},
		{"2001-09-08T22:46:40-03:00", "just now"},
		{"2001-09-09T00:16:40Z", "90 minutes ago"},
		{"2001-09-07T13:46:40Z", "36 hours ago"},
		{"2001-09-01T01:46:40Z", "8 days ago"},
		{"1970-01-01T00:00:00Z", "31 years ago"},
		{"2033-05-18T03:33:20Z", "just now"},
		{"", "-"},
		{"yesterday", "-"},
		{"2001-09-09T01:46:40", "-"},
		{"2001-09-09T01:46:40Zx", "-"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *ago = sb_ago_format(cases[i].created, 1000000000);

		assert_string_equal(ago, cases[i].ago);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_become_lines_for_each_step_and_stream),
		cmocka_unit_test(of_a_progress_bar_the_last_state_is_left),
		cmocka_unit_test(raw_lines_keep_their_returns),
		cmocka_unit_test(endless_lines_are_cut_between_characters),
		cmocka_unit_test(hostile_bytes_do_not_reach_the_terminal),
		cmocka_unit_test(text_is_fitted_by_columns),
		cmocka_unit_test(times_are_told_from_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
