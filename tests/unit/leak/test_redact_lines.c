/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base64_of.h"
#include "leak/redact.h"

enum {
	MAX_VALUE = 4000,
	MAX_TEXT = 1 << 21,
	MAX_WIDTH = 100,
	MAX_READABLE = 11, /* characters of encoded text in a row */
	MAX_RAW_READABLE = 7,
	MAX_LOGGER_READABLE = 31,
};

static const size_t value_lengths[] = {
	8, 9, 10, 11, 12, 13, 16, 24, 25, 33, 64, 100, 189, 190, 191, 192, 250, 1000, MAX_VALUE};
enum { N_LENGTHS = sizeof(value_lengths) / sizeof(value_lengths[0]) };

/* What stands between two lines. */
static const char *const gaps[] = {"\n", "\r\n", "\n    ", "\n\t\t\t", " \n", "\\n", "\\r\\n",
	"\\\\n", "\",\n  \"", " \\\n  ", "\n> ", "\n# ", "\n *  ", "\n\n",
	"\n                                                                        "};
enum { N_GAPS = sizeof(gaps) / sizeof(gaps[0]) };
static const char *const logger_gaps[] = {
	"\n2026-11-29T13:00:01Z app[17] INFO out: ", "\n#12 0.145 ", "\nstep 4 | "};

enum form { BASE64, BASE64URL, TWICE, HEX, UPPER_HEX, RAW, N_FORMS };

/* A text that holds the value in a form, and where in it the characters of the value alone are. */
struct sample {
	char *text;
	size_t len;
	size_t from;
	size_t to;
};

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void fill(char *p, size_t len, uint32_t *seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = base64_digits[next_random(seed) % 64];
}

static void to_base64(struct sample *s)
{
	char *text = sb_malloc(s->len / 3 * 4 + 5);

	s->len = base64_of(s->text, s->len, text);
	s->from = (8 * s->from + 5) / 6;
	s->to = 8 * s->to / 6;
	free(s->text);
	s->text = text;
}

static void to_hex(struct sample *s, const char *digits)
{
	char *text = sb_malloc(2 * s->len + 1);

	for (size_t i = 0; i < s->len; i++) {
		text[2 * i] = digits[(unsigned char)s->text[i] >> 4];
		text[2 * i + 1] = digits[s->text[i] & 15];
	}
	s->len *= 2;
	s->from *= 2;
	s->to *= 2;
	free(s->text);
	s->text = text;
}

static struct sample make_sample(enum form form, const char *value, size_t len, uint32_t *seed)
{
	const size_t before = next_random(seed) % 90;
	const size_t after = next_random(seed) % 90;
	struct sample s = {.text = sb_malloc(before + len + after),
		.len = before + len + after,
		.from = before,
		.to = before + len};

	fill(s.text, s.len, seed);
	memcpy(s.text + before, value, len);
	if (form == TWICE)
		to_base64(&s);
	if (form <= TWICE)
		to_base64(&s);
	else if (form != RAW)
		to_hex(&s, form == HEX ? "0123456789abcdef" : "0123456789ABCDEF");
	for (size_t i = 0; form == BASE64URL && i < s.len; i++)
		s.text[i] = s.text[i] == '+' ? '-' : s.text[i] == '/' ? '_' : s.text[i];
	return s;
}

static size_t put(char *out, size_t n, const char *text)
{
	memcpy(out + n, text, strlen(text));
	return n + strlen(text);
}

static const char head[] = "step 1: ";
static const char foot[] = "= and the rest.";

/* The sample between two other texts, in lines of a width. */
static size_t wrap(const struct sample *s, size_t width, const char *gap, char *out)
{
	size_t n = put(out, 0, head);

	for (size_t i = 0; i < s->len; i++) {
		if (i > 0 && i % width == 0)
			n = put(out, n, gap);
		out[n++] = s->text[i];
	}
	return put(out, n, foot);
}

static void collect(void *self, const char *bytes, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_buf_add(self, bytes, len, &err), 0);
}

/* In pieces of at most `most` bytes. */
static void redact(struct sb_redactor *redactor, const char *text, size_t len, size_t most,
	uint32_t *seed, struct sb_buf *out)
{
	sb_buf_clear(out);
	for (size_t i = 0; i < len;) {
		size_t n = 1 + next_random(seed) % most;

		n = n < len - i ? n : len - i;
		sb_redactor_write(redactor, text + i, n, collect, out);
		i += n;
	}
	sb_redactor_flush(redactor, collect, out);
}

/* The output with the gaps taken out and \1 for each label. */
static void join(const struct sb_buf *out, const char *gap, char *joined)
{
	static const char label[] = "[secret s]";
	const size_t gap_len = strlen(gap);
	size_t n = 0;

	for (const char *p = out->data; p < out->data + out->len;) {
		if (strncmp(p, gap, gap_len) == 0) {
			p += gap_len;
		} else if (strncmp(p, label, sizeof(label) - 1) == 0) {
			joined[n++] = '\1';
			p += sizeof(label) - 1;
		} else {
			joined[n++] = *p++;
		}
	}
	joined[n] = '\0';
}

static bool is_readable(const struct sample *s, const char *joined, size_t most)
{
	char window[MAX_LOGGER_READABLE + 2] = {0};

	for (size_t i = s->from; i + most < s->to; i++) {
		memcpy(window, s->text + i, most + 1);
		if (strstr(joined, window) != NULL)
			return true;
	}
	return false;
}

struct room {
	char *text;
	char *joined;
	struct sb_buf out;
	struct sb_buf again;
};

static void check(struct room *room, struct sb_redactor *redactor, const struct sample *s,
	enum form form, size_t width, const char *gap, size_t most, uint32_t *seed)
{
	const size_t len = wrap(s, width, gap, room->text);

	redact(redactor, room->text, len, len, seed, &room->out);
	join(&room->out, gap, room->joined);
	if (is_readable(s, room->joined, most) || strncmp(room->joined, head, strlen(head)) != 0 ||
		strcmp(room->joined + strlen(room->joined) - strlen(foot), foot) != 0)
		fail_msg("form %d, value in %zu to %zu, width %zu, gap '%s':\n%s", (int)form,
			s->from, s->to, width, gap, room->out.data);
	for (size_t size = 1; size <= 4096; size *= 16) {
		redact(redactor, room->text, len, size, seed, &room->again);
		if (room->again.len != room->out.len ||
			memcmp(room->again.data, room->out.data, room->out.len) != 0)
			fail_msg("form %d, width %zu, gap '%s', cut:\n%s\nwhole:\n%s", (int)form,
				width, gap, room->again.data, room->out.data);
	}
}

static void room_init(struct room *room)
{
	*room = (struct room){.text = sb_malloc(MAX_TEXT),
		.joined = sb_malloc(MAX_TEXT),
		.out = SB_BUF_INIT(MAX_TEXT),
		.again = SB_BUF_INIT(MAX_TEXT)};
}

static void room_release(struct room *room)
{
	free(room->text);
	free(room->joined);
	sb_buf_release(&room->out);
	sb_buf_release(&room->again);
}

static struct sb_redactor *redactor_of(const char *value, size_t len, struct sb_secrets **out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	*out = sb_secrets_new();
	assert_int_equal(sb_secrets_add_bytes(*out, "s", value, len, &err), 0);
	return sb_redactor_new(*out);
}

static void no_form_is_readable_in_lines_of_any_width(void **state)
{
	struct room room;
	uint32_t seed = 20;

	(void)state;
	room_init(&room);
	for (size_t i = 0; i < N_LENGTHS; i++) {
		char value[MAX_VALUE];
		const size_t len = value_lengths[i];

		fill(value, len, &seed);
		SB_AUTO(sb_secrets) secrets = NULL;
		SB_AUTO(sb_redactor) redactor = redactor_of(value, len, &secrets);

		for (enum form form = 0; form < N_FORMS; form++) {
			/* A shorter raw one might be the words where two lines meet. */
			if (form == RAW && len < 24)
				continue;
			for (size_t width = 1; width <= MAX_WIDTH;
				width += 1 + next_random(&seed) % (len < 1000 ? 3 : 12)) {
				const char *gap = gaps[next_random(&seed) % N_GAPS];
				struct sample s = make_sample(form, value, len, &seed);

				check(&room, redactor, &s, form, width, gap,
					form == RAW ? MAX_RAW_READABLE : MAX_READABLE, &seed);
				free(s.text);
			}
		}
	}
	room_release(&room);
}

static void lines_of_a_logger_are_joined(void **state)
{
	struct room room;
	uint32_t seed = 21;

	(void)state;
	room_init(&room);
	for (size_t i = 6; i < N_LENGTHS; i++) {
		char value[MAX_VALUE];
		const size_t len = value_lengths[i];

		fill(value, len, &seed);
		SB_AUTO(sb_secrets) secrets = NULL;
		SB_AUTO(sb_redactor) redactor = redactor_of(value, len, &secrets);

		for (size_t width = 60; width <= MAX_WIDTH; width += 4) {
			const char *gap = logger_gaps[next_random(&seed) % 3];
			struct sample s = make_sample(BASE64, value, len, &seed);

			check(&room, redactor, &s, BASE64, width, gap, MAX_LOGGER_READABLE, &seed);
			free(s.text);
		}
	}
	room_release(&room);
}

static void add_secret(struct sb_secrets *secrets, const char *id, const char *value, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, id, value, len, &err), 0);
}

/* Pieces of what two secrets are in several forms, and of ordinary text, in any order. */
static size_t make_soup(const struct sample *samples, size_t n_samples, uint32_t *seed, char *out)
{
	static const char *const words[] = {"INFO ", "=", "x", ": ", "\\", "n", "AAAA", "\r", "\""};
	size_t n = 0;

	for (size_t i = 0; i < 60; i++) {
		const struct sample *s = &samples[next_random(seed) % n_samples];
		const size_t from = next_random(seed) % 2 == 0
					    ? s->from
					    : s->from + next_random(seed) % (s->to - s->from);
		const size_t left = s->to - from;
		const size_t len = next_random(seed) % 3 == 0 ? left : next_random(seed) % 40;

		switch (next_random(seed) % 4) {
		case 0:
			n = put(out, n, words[next_random(seed) % 9]);
			break;
		case 1:
			n = put(out, n, gaps[next_random(seed) % N_GAPS]);
			break;
		case 2:
			n = put(out, n, logger_gaps[next_random(seed) % 3]);
			break;
		default:
			for (size_t k = 0; k < len && k < left; k++) {
				if (k > 0 && next_random(seed) % 24 == 0)
					n = put(out, n, gaps[next_random(seed) % N_GAPS]);
				out[n++] = s->text[from + k];
			}
		}
	}
	return n;
}

static void what_goes_out_does_not_depend_on_the_cuts(void **state)
{
	enum { SHARED = 40, LENGTH = 300, N_SAMPLES = 8 };
	uint32_t seed = 22;
	struct room room;

	(void)state;
	room_init(&room);
	for (size_t round = 0; round < 6; round++) {
		SB_AUTO(sb_secrets) secrets = sb_secrets_new();
		char values[2][LENGTH];
		struct sample samples[N_SAMPLES];

		fill(values[0], LENGTH, &seed);
		memcpy(values[1], values[0], SHARED);
		fill(values[1] + SHARED, LENGTH - SHARED, &seed);
		if (round % 2 == 1)
			memset(values[0] + 100, 'A', 60);
		add_secret(secrets, "a", values[0], round < 3 ? LENGTH : 90);
		add_secret(secrets, "b", values[1], round < 3 ? LENGTH : 90);
		for (size_t i = 0; i < N_SAMPLES; i++)
			samples[i] = make_sample(
				(enum form)(i / 2 == 3 ? RAW : i / 2), values[i % 2], 90, &seed);

		SB_AUTO(sb_redactor) redactor = sb_redactor_new(secrets);

		for (size_t trial = 0; trial < 60; trial++) {
			const size_t len = make_soup(samples, N_SAMPLES, &seed, room.text);

			redact(redactor, room.text, len, len, &seed, &room.out);
			for (size_t most = 1; most <= 4096; most *= 8) {
				redact(redactor, room.text, len, most, &seed, &room.again);
				if (room.again.len != room.out.len ||
					memcmp(room.again.data, room.out.data, room.out.len) != 0)
					fail_msg("round %zu, trial %zu, pieces of %zu:\n%.*s",
						round, trial, most, (int)len, room.text);
			}
		}
		for (size_t i = 0; i < N_SAMPLES; i++)
			free(samples[i].text);
	}
	room_release(&room);
}

/* A line's end waits for the next line only where 4 characters of a secret end it, and no longer
 * than until that goes on in another way. */
static void lines_do_not_wait_for_long(void **state)
{
	SB_AUTO(sb_secrets) secrets = NULL;
	SB_AUTO(sb_redactor) redactor = redactor_of("super-secure", 12, &secrets);
	SB_AUTO_BUF out = SB_BUF_INIT(1 << 16);
	static const struct {
		const char *text;
		const char *out;
	} steps[] = {
		{"so: c3V\n", "so: c3V\n"},
		{"so: c3Vw\n", "so: "},
		{"name? ", "c3Vw\nname? "},
		{"c3Vw ", ""},
		{"c", "c3Vw "},
		{"3V\n", "c3V\n"},
		{"wZ", ""},
		{"!", "wZ!"},
		{"c3VwZXItc2V\n  ", ""},
		{"jdXJ", ""},
		{"l", "[secret s]\n  [secret s]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		sb_buf_clear(&out);
		sb_redactor_write(redactor, steps[i].text, strlen(steps[i].text), collect, &out);
		assert_int_equal(out.len, strlen(steps[i].out));
		assert_memory_equal(out.data, steps[i].out, out.len);
	}
}

/* Of a long value no more is held back than of a short one. */
static void long_values_are_replaced_while_they_come(void **state)
{
	enum { MAX_HELD = 80 };
	uint32_t seed = 23;
	char value[MAX_VALUE];
	struct room room;

	(void)state;
	room_init(&room);
	fill(value, sizeof(value), &seed);
	SB_AUTO(sb_secrets) secrets = NULL;
	SB_AUTO(sb_redactor) redactor = redactor_of(value, sizeof(value), &secrets);
	struct sample s = make_sample(BASE64, value, sizeof(value), &seed);

	sb_redactor_write(redactor, s.text, s.from + MAX_HELD, collect, &room.out);
	assert_int_equal(room.out.len, s.from + strlen("[secret s]"));
	for (size_t at = s.from + MAX_HELD; at < s.to; at += 16)
		sb_redactor_write(
			redactor, s.text + at, s.to - at < 16 ? s.to - at : 16, collect, &room.out);
	assert_int_equal(room.out.len, s.from + strlen("[secret s]"));
	free(s.text);
	room_release(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_form_is_readable_in_lines_of_any_width),
		cmocka_unit_test(lines_of_a_logger_are_joined),
		cmocka_unit_test(what_goes_out_does_not_depend_on_the_cuts),
		cmocka_unit_test(lines_do_not_wait_for_long),
		cmocka_unit_test(long_values_are_replaced_while_they_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
