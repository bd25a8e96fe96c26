/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/strv.h"
#include "cli/lines.h"
#include "cli/render.h"

#define MS 1000000ULL

enum { COLUMNS = 40, ROWS = 12, MAX_LINES = 400 };

/* A terminal of a few sequences: enough to see what stays on the screen. A line that is wider than
 * the screen, or an unknown sequence, fails the test. */
struct screen {
	char *lines[MAX_LINES];
	size_t n;   /* lines written so far */
	size_t row; /* of the cursor */
	size_t highest_jump;
	bool may_wrap;
};

static void screen_put_line(struct screen *s, const char *text, size_t len)
{
	assert_true(s->row < MAX_LINES);
	free(s->lines[s->row]);
	s->lines[s->row] = sb_memdup0(text, len);
	assert_true(s->may_wrap || sb_text_columns(s->lines[s->row]) <= COLUMNS);
	s->row++;
	s->n = s->row > s->n ? s->row : s->n;
}

static const char *screen_sequence(struct screen *s, const char *p)
{
	unsigned up = 0;
	int used = 0;

	if (strncmp(p, "\033[J", 3) == 0) {
		while (s->n > s->row) {
			s->n--;
			free(s->lines[s->n]);
			s->lines[s->n] = NULL;
		}
		return p + 3;
	}
	if (strncmp(p, "\033[?7l", 5) == 0 || strncmp(p, "\033[?7h", 5) == 0) {
		s->may_wrap = p[4] == 'h';
		return p + 5;
	}
	assert_int_equal(sscanf(p, "\033[%uA%n", &up, &used), 1);
	assert_true(used > 0 && up <= s->row && up < ROWS);
	s->row -= up;
	s->highest_jump = up > s->highest_jump ? up : s->highest_jump;
	return p + used;
}

static void screen_write(struct screen *s, const char *text)
{
	while (*text != '\0') {
		if (*text == '\r') {
			text++;
		} else if (*text == '\033') {
			text = screen_sequence(s, text);
		} else {
			const size_t len = strcspn(text, "\n\033\r");

			assert_int_equal(text[len], '\n');
			screen_put_line(s, text, len);
			text += len + 1;
		}
	}
}

static char *screen_text(const struct screen *s)
{
	SB_AUTO_STRV lines = SB_STRV_INIT;

	for (size_t i = 0; i < s->n; i++)
		sb_strv_add(&lines, s->lines[i]);
	return sb_strv_join(&lines, "\n");
}

struct session {
	struct sb_renderer *renderer;
	FILE *out;
	char *text;
	size_t len;
	size_t shown;
	struct screen screen;
};

static void session_open(struct session *s)
{
	const struct sb_render_style style = {.is_utf8 = true, .columns = COLUMNS, .rows = ROWS};

	memset(s, 0, sizeof(*s));
	s->screen.may_wrap = true;
	s->out = open_memstream(&s->text, &s->len);
	s->renderer = sb_renderer_new(SB_PROGRESS_TTY, s->out, &style);
}

static char *session_screen(struct session *s)
{
	(void)fflush(s->out);
	screen_write(&s->screen, s->text + s->shown);
	s->shown = s->len;
	return screen_text(&s->screen);
}

static void session_close(struct session *s)
{
	sb_renderer_free(s->renderer);
	(void)fclose(s->out);
	free(s->text);
	for (size_t i = 0; i < MAX_LINES; i++)
		free(s->screen.lines[i]);
}

static void send(struct session *s, struct sb_event event)
{
	sb_renderer_event(&event, s->renderer);
}

static void send_output(struct session *s, uint64_t ms, const char *text)
{
	send(s, (struct sb_event){.kind = SB_EVENT_STEP_OUTPUT,
			.step = 1,
			.stream = 1,
			.t_ns = ms * MS,
			.text = text,
			.len = strlen(text)});
}

static void send_start(struct session *s, const char *text)
{
	send(s, (struct sb_event){.kind = SB_EVENT_STEP_START,
			.step = 1,
			.stage = "build",
			.text = text,
			.total = 2});
}

static void assert_screen(struct session *s, const char *expected)
{
	sb_autofree char *text = session_screen(s);

	assert_string_equal(text, expected);
}

static void a_running_step_shows_its_time_and_last_lines(void **state)
{
	struct session s;

	(void)state;
	session_open(&s);
	send_start(&s, "RUN make");
	assert_screen(&s, "• [build 1/2] RUN make             0.0s");
	send_output(&s, 100, "1\n2\n3\n4\n5\n6\n7\n");
	send(&s, (struct sb_event){.kind = SB_EVENT_TICK, .t_ns = 1500 * MS});
	assert_screen(&s, "• [build 1/2] RUN make             1.5s\n"
			  "    2\n    3\n    4\n    5\n    6\n    7");
	send_output(&s, 1700, "half");
	assert_screen(&s, "• [build 1/2] RUN make             1.7s\n"
			  "    3\n    4\n    5\n    6\n    7\n    half");
	send(&s, (struct sb_event){.kind = SB_EVENT_STEP_END, .step = 1, .t_ns = 2000 * MS});
	assert_screen(&s, "✓ [build 1/2] RUN make             2.0s");
	session_close(&s);
}

static void frames_that_only_move_on_are_spared(void **state)
{
	struct session s;

	(void)state;
	session_open(&s);
	send_start(&s, "RUN make");
	send(&s, (struct sb_event){.kind = SB_EVENT_TICK, .t_ns = 100 * MS});
	(void)fflush(s.out);
	const size_t len = s.len;

	for (uint64_t ms = 101; ms < 120; ms++)
		send_output(&s, ms, "much\n");
	(void)fflush(s.out);
	assert_int_equal(s.len, len);
	session_close(&s);
}

static void a_failed_step_leaves_what_it_said_last(void **state)
{
	struct session s;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	session_open(&s);
	send_start(&s, "RUN make");
	send_output(&s, 100, "gcc -c a.c\na line that is far wider than the terminal is\nno end");
	send(&s, (struct sb_event){
			 .kind = SB_EVENT_STEP_END, .step = 1, .status = 2, .t_ns = 200 * MS});
	sb_fail(&err, SB_E_STEP_FAILED, "it failed");
	sb_renderer_finish(s.renderer, &err, 1);
	assert_screen(&s, "✗ [build 1/2] RUN make             0.2s\n"
			  "    gcc -c a.c\n"
			  "    a line that is far wider than the terminal is\n"
			  "    no end");
	session_close(&s);
}

static void a_step_without_an_end_failed_with_the_call(void **state)
{
	struct session s;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	session_open(&s);
	send_start(&s, "COPY a b");
	sb_fail(&err, SB_E_NOT_FOUND, "'a' is not there");
	sb_renderer_finish(s.renderer, &err, 1);
	assert_screen(&s, "✗ [build 1/2] COPY a b             0.0s");
	session_close(&s);
}

static void wide_and_hostile_text_never_wraps(void **state)
{
	struct session s;

	(void)state;
	session_open(&s);
	send_start(&s, "RUN echo 漢字漢字漢字漢字漢字漢字漢字漢字 \033[2J && echo a\nb");
	send_output(&s, 100, "\033[1;1H漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字\n\a\n");
	send(&s, (struct sb_event){.kind = SB_EVENT_TICK, .t_ns = 1000 * MS});
	assert_screen(&s, "• [build 1/2] RUN echo 漢字漢字漢… 1.0s\n"
			  "    漢字漢字漢字漢字漢字漢字漢字漢字漢…\n"
			  "    \\x07");
	session_close(&s);
}

static void transfers_are_bars_that_go_when_done(void **state)
{
	struct session s;

	(void)state;
	session_open(&s);
	send(&s, (struct sb_event){.kind = SB_EVENT_TRANSFER,
			 .text = "a",
			 .done = 5,
			 .total = 10,
			 .t_ns = 100 * MS});
	send(&s, (struct sb_event){
			 .kind = SB_EVENT_TRANSFER, .text = "b", .done = 7, .t_ns = 200 * MS});
	assert_screen(&s, "    a [============            ] 5 B /…\n    b 7 B");
	send(&s, (struct sb_event){.kind = SB_EVENT_TRANSFER,
			 .text = "a",
			 .done = 10,
			 .total = 10,
			 .t_ns = 300 * MS});
	assert_screen(&s, "✓ a 10 B\n    b 7 B");
	sb_renderer_finish(s.renderer, NULL, 0);
	assert_screen(&s, "✓ a 10 B");
	session_close(&s);
}

static void messages_stay_above_what_runs(void **state)
{
	struct session s;

	(void)state;
	session_open(&s);
	send_start(&s, "RUN make");
	send(&s, (struct sb_event){
			 .kind = SB_EVENT_NOTICE, .text = "the host's network", .t_ns = 100 * MS});
	assert_screen(&s, "safebuild: notice: the host's network\n"
			  "• [build 1/2] RUN make             0.1s");
	send(&s, (struct sb_event){.kind = SB_EVENT_STEP_END, .step = 1, .t_ns = 200 * MS});
	send(&s, (struct sb_event){
			 .kind = SB_EVENT_EXPORT, .text = "a.tar", .done = 9, .t_ns = 300 * MS});
	send(&s, (struct sb_event){.kind = SB_EVENT_IMAGE, .text = "sha256:aa", .name = "app"});
	assert_screen(&s, "safebuild: notice: the host's network\n"
			  "✓ [build 1/2] RUN make             0.2s\n"
			  "wrote a.tar (9 B)\n"
			  "image app sha256:aa");
	session_close(&s);
}

static void many_steps_at_once_fit_the_screen(void **state)
{
	struct session s;

	(void)state;
	session_open(&s);
	for (uint32_t step = 1; step <= 30; step++) {
		send(&s, (struct sb_event){
				 .kind = SB_EVENT_STEP_START, .step = step, .text = "RUN make"});
	}
	send(&s, (struct sb_event){.kind = SB_EVENT_TICK, .t_ns = 1000 * MS});
	free(session_screen(&s));
	assert_int_equal(s.screen.n, ROWS - 1);
	assert_int_equal(s.screen.highest_jump, ROWS - 1);
	session_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_step_shows_its_time_and_last_lines),
		cmocka_unit_test(frames_that_only_move_on_are_spared),
		cmocka_unit_test(a_failed_step_leaves_what_it_said_last),
		cmocka_unit_test(a_step_without_an_end_failed_with_the_call),
		cmocka_unit_test(wide_and_hostile_text_never_wraps),
		cmocka_unit_test(transfers_are_bars_that_go_when_done),
		cmocka_unit_test(messages_stay_above_what_runs),
		cmocka_unit_test(many_steps_at_once_fit_the_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
