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
#include "leak/redact.h"

struct item {
	const char *id;
	const char *value;
};

struct redact_case {
	struct item secrets[3];
	const char *text;
	const char *expected;
};

static const struct redact_case cases[] = {
	{{{"s", "super-secure\n"}}, "pw super-secure\n", "pw [secret s]\n"},
	{{{"s", "super-secure"}}, "super-secure", "[secret s]"},
	{{{"s", "super-secure"}}, "super-secur", "super-secur"},
	{{{"s", "super-secure"}}, "supersuper-secure!", "super[secret s]!"},
	{{{"s", "super-secure"}}, "super-secsuper-securesuper-secure",
		"super-sec[secret s][secret s]"},
	/* one inside the other: the outer names both */
	{{{"in", "secure"}, {"out", "super-secure!"}}, "a super-secure! secure",
		"a [secret out] [secret in]"},
	{{{"in", "super"}, {"out", "super-secure"}}, "super-secure super-secura",
		"[secret out] [secret in]-secura"},
	/* two that overlap: nothing of either is left */
	{{{"a", "abcdef"}, {"b", "defghi"}}, "xabcdefghix", "x[secret a][secret b]x"},
	{{{"a", "abcdef"}, {"b", "defghi"}}, "defghiabcdef", "[secret b][secret a]"},
	/* one that overlaps itself */
	{{{"a", "abab"}}, "xabababy", "x[secret a]y"},
	{{{"a", "aaaa"}}, "aaaaaaaaa", "[secret a]"},
	/* too short to replace */
	{{{"t", "abc"}}, "abc abc", "abc abc"},
	{{{"t", ""}}, "text", "text"},
	{{{"t", "abcd"}}, "xabcdx", "x[secret t]x"},
	/* several lines: each long one alone, and the whole as one */
	{{{"m", "first line\nab\nsecond line\n"}}, "a first line b second line ab",
		"a [secret m] b [secret m] ab"},
	{{{"m", "first line\nab\nsecond line\n"}}, ">first line\nab\nsecond line\n<",
		">[secret m]\n<"},
	{{{"m", "first line\r\nsecond line\r\n"}}, "first line\nsecond line\n",
		"[secret m]\n[secret m]\n"},
	/* other forms */
	{{{"s", "p\"a's\\s/word&"}}, "{\"p\":\"p\\\"a's\\\\s/word&\"}", "{\"p\":\"[secret s]\"}"},
	{{{"s", "p\"a's\\s/word&"}}, "q=p%22a%27s%5Cs%2Fword%26&x", "q=[secret s]&x"},
	{{{"s", "p\"a's\\s/word&"}}, "<p>p&quot;a&#39;s\\s/word&amp;</p>", "<p>[secret s]</p>"},
	{{{"s", "super-secure"}}, "hex 73757065722d736563757265.", "hex [secret s]."},
	/* values in a file of settings */
	{{{"f", "A=1\nDB_PASSWORD='staple battery'\n"}}, "login with staple battery.",
		"login with [secret f]."},
	{{{"f", "{\n\"password\": \"a\\\"quoted\\\" one\"\n}"}}, "it is a\"quoted\" one!",
		"it is [secret f]!"},
	/* lines of `base64 FILE` */
	{{{"l", "0123456789 abcdefghij 0123456789 ABCDEFGHIJ 0123456789 klmnopqrst 0123456789"}},
		"MDEyMzQ1Njc4OSBhYmNkZWZnaGlqIDAxMjM0NTY3ODkgQUJDREVGR0hJSiAwMTIzNDU2Nzg5IGts\n"
		"bW5vcHFyc3QgMDEyMzQ1Njc4OQo=\n",
		"[secret l]\n[secret l]Qo=\n"},
	/* the same anywhere in lines; near a line's end the value's first characters go on alone */
	{{{"l", "Lq7vYx2ZpT4mWc9R"}},
		"aHR0cDovL2V4YW1wbGUub3JnLz9hbmRzb21lbW9yZT0xMjMmdG9rZW49THE3dll4MlpwVDRtV2M5\nUiZ4"
		"\n",
		"aHR0cDovL2V4YW1wbGUub3JnLz9hbmRzb21lbW9yZT0xMjMmdG9rZW49[secret l]\n[secret "
		"l]iZ4\n"},
	/* base64("user:super-secure") and of the value alone */
	{{{"s", "super-secure"}}, "dXNlcjpzdXBlci1zZWN1cmU=", "dXNlcjp[secret s]U="},
	{{{"s", "super-secure"}}, "Basic c3VwZXItc2VjdXJl.", "Basic [secret s]."},
};
enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

static struct sb_secrets *make_secrets(const struct redact_case *c)
{
	struct sb_secrets *secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	for (size_t i = 0; i < 3 && c->secrets[i].id != NULL; i++)
		assert_int_equal(sb_secrets_add_bytes(secrets, c->secrets[i].id,
					 c->secrets[i].value, strlen(c->secrets[i].value), &err),
			0);
	return secrets;
}

static void collect(void *self, const char *bytes, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_buf_add(self, bytes, len, &err), 0);
}

static void values_are_replaced_in_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		SB_AUTO(sb_secrets) secrets = make_secrets(&cases[i]);
		sb_autofree char *text = sb_redact_text(secrets, cases[i].text);

		assert_string_equal(text, cases[i].expected);
	}
}

static void values_are_replaced_however_the_stream_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		SB_AUTO(sb_secrets) secrets = make_secrets(&cases[i]);
		SB_AUTO(sb_redactor) redactor = sb_redactor_new(secrets);
		const size_t len = strlen(cases[i].text);

		/* Every split in two, and byte by byte; one redactor for many streams. */
		for (size_t cut = 0; cut <= len + 1; cut++) {
			SB_AUTO_BUF out = SB_BUF_INIT(1 << 16);

			if (cut <= len) {
				sb_redactor_write(redactor, cases[i].text, cut, collect, &out);
				sb_redactor_write(
					redactor, cases[i].text + cut, len - cut, collect, &out);
			} else {
				for (size_t k = 0; k < len; k++)
					sb_redactor_write(
						redactor, cases[i].text + k, 1, collect, &out);
			}
			sb_redactor_flush(redactor, collect, &out);
			assert_string_equal(out.data, cases[i].expected);
		}
	}
}

/* A stream can't wait for the next line; where all lines are there they are joined. */
static void lines_of_any_width_are_joined_in_whole_texts(void **state)
{
	static const struct redact_case c[] = {
		{{{"s", "super-secure"}}, "a: dXNlcjpz\n  dXBlci1z\n  ZWN1cmU=\n",
			"a: dXNlcjp[secret s]\n  [secret s]\n  [secret s]U=\n"},
		{{{"s", "super-secure"}}, "\"dXNlcjpzdXBl\\nci1zZWN1cmU=\"",
			"\"dXNlcjp[secret s]\\n[secret s]U=\""},
		{{{"s", "super-secure"}}, "73757065722d\n736563757265", "[secret s]\n[secret s]"},
		{{{"s", "super-secure"}}, "c3VwZXIt\nc2VjdXJ\n", "c3VwZXIt\nc2VjdXJ\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		SB_AUTO(sb_secrets) secrets = make_secrets(&c[i]);
		SB_AUTO(sb_redactor) redactor = sb_redactor_new(secrets);

		for (int n = 0; n < 2; n++) {
			sb_autofree char *text = sb_redactor_text(redactor, c[i].text);

			assert_string_equal(text, c[i].expected);
		}
	}
}

static void no_more_is_held_back_than_could_begin_a_secret(void **state)
{
	const struct redact_case c = {{{"s", "super-secure"}}, NULL, NULL};
	SB_AUTO(sb_secrets) secrets = make_secrets(&c);
	SB_AUTO(sb_redactor) redactor = sb_redactor_new(secrets);
	SB_AUTO_BUF out = SB_BUF_INIT(1 << 16);

	(void)state;
	sb_redactor_write(redactor, "progress 10%\r", 13, collect, &out);
	assert_string_equal(out.data, "progress 10%\r");
	sb_redactor_write(redactor, "xsuper", 6, collect, &out);
	assert_string_equal(out.data, "progress 10%\rx");
	sb_redactor_write(redactor, "s", 1, collect, &out);
	assert_string_equal(out.data, "progress 10%\rxsuper");
	sb_redactor_flush(redactor, collect, &out);
	assert_string_equal(out.data, "progress 10%\rxsupers");
}

static void nuls_pass(void **state)
{
	const struct redact_case c = {{{"s", "super-secure"}}, NULL, NULL};
	SB_AUTO(sb_secrets) secrets = make_secrets(&c);
	SB_AUTO(sb_redactor) redactor = sb_redactor_new(secrets);
	SB_AUTO_BUF out = SB_BUF_INIT(1 << 16);

	(void)state;
	sb_redactor_write(redactor, "a\0super-secure\0b", 16, collect, &out);
	sb_redactor_flush(redactor, collect, &out);
	assert_int_equal(out.len, 2 + 10 + 2);
	assert_memory_equal(out.data, "a\0[secret s]\0b", 14);
}

static void no_secrets_change_nothing(void **state)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	sb_autofree char *text = sb_redact_text(secrets, "anything");

	(void)state;
	assert_string_equal(text, "anything");
	assert_null(sb_redact_text(secrets, NULL));
}

/* What is left must be the text without every byte that any value covers. */
static void every_covered_byte_goes_and_no_other(void **state)
{
	uint32_t seed = 99;

	(void)state;
	for (size_t trial = 0; trial < 4000; trial++) {
		char values[2][24] = {{0}};
		char text[200] = {0};
		char expected[200] = {0};
		bool is_covered[200] = {0};
		size_t n = 0;

		for (size_t k = 0; k < 2; k++)
			for (size_t i = 0; i < 4 + trial % 4 + 3 * k; i++)
				values[k][i] = "ab"[(seed = seed * 1664525 + 1013904223) >> 29 & 1];
		for (size_t i = 0; i < 199; i++)
			text[i] = "ab"[(seed = seed * 1664525 + 1013904223) >> 28 & 1];
		for (size_t k = 0; k < 2; k++)
			for (const char *p = text; (p = strstr(p, values[k])) != NULL; p++)
				memset(is_covered + (p - text), 1, strlen(values[k]));
		for (size_t i = 0; i < 199; i++)
			if (!is_covered[i])
				expected[n++] = text[i];

		const struct redact_case c = {{{"", values[0]}, {" ", values[1]}}, NULL, NULL};
		SB_AUTO(sb_secrets) secrets = make_secrets(&c);
		SB_AUTO(sb_redactor) redactor = sb_redactor_new(secrets);
		SB_AUTO_BUF out = SB_BUF_INIT(1 << 16);

		for (size_t i = 0; i < 199;) {
			size_t step = 1 + ((seed = seed * 1664525 + 1013904223) >> 27);

			step = step < 199 - i ? step : 199 - i;
			sb_redactor_write(redactor, text + i, step, collect, &out);
			i += step;
		}
		sb_redactor_flush(redactor, collect, &out);

		/* Take the labels out. */
		n = 0;
		for (size_t i = 0; i < out.len; i++) {
			if (out.data[i] == '[')
				i += strcspn(out.data + i, "]");
			else
				out.data[n++] = out.data[i];
		}
		out.data[n] = '\0';
		assert_string_equal(out.data, expected);
	}
}

/* Many needles, each a beginning of something all the time. */
static void long_texts_of_many_secrets_are_redacted_in_time(void **state)
{
	enum { N_SECRETS = 40, TEXT = 4 << 20 };
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF out = SB_BUF_INIT(2 * TEXT);
	sb_autofree char *text = sb_malloc(TEXT);
	uint32_t seed = 3;

	(void)state;
	for (size_t i = 0; i < N_SECRETS; i++) {
		const char id[] = {'s', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};
		char value[150];

		for (size_t k = 0; k < sizeof(value); k++)
			value[k] = "abcdefgh01234567"[(seed = seed * 1664525 + 1013904223) >> 28];
		assert_int_equal(sb_secrets_add_bytes(secrets, id, value, 20 + 3 * i, &err), 0);
	}
	for (size_t i = 0; i < TEXT; i++)
		text[i] = "abcdefgh01234567"[(seed = seed * 1664525 + 1013904223) >> 28];

	SB_AUTO(sb_redactor) redactor = sb_redactor_new(secrets);
	const clock_t start = clock();

	for (size_t i = 0; i < TEXT; i += 80)
		sb_redactor_write(redactor, text + i, TEXT - i < 80 ? TEXT - i : 80, collect, &out);
	sb_redactor_flush(redactor, collect, &out);
	assert_int_equal(out.len, TEXT);
	assert_memory_equal(out.data, text, TEXT);
	/* Well under a second; a search that began anew at each byte would take minutes. */
	assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_replaced_in_texts),
		cmocka_unit_test(values_are_replaced_however_the_stream_is_cut),
		cmocka_unit_test(every_covered_byte_goes_and_no_other),
		cmocka_unit_test(lines_of_any_width_are_joined_in_whole_texts),
		cmocka_unit_test(no_more_is_held_back_than_could_begin_a_secret),
		cmocka_unit_test(nuls_pass),
		cmocka_unit_test(long_texts_of_many_secrets_are_redacted_in_time),
		cmocka_unit_test(no_secrets_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
