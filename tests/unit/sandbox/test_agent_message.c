/* SPDX-License-Identifier: MIT */
#include "../sys/temp.h"

#include "sandbox/agent_message.h"

/* A literal with its NULs, without the one at its end. */
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

#define STRING_3(text) "\0\0\0\3" text
#define SIGN "\15" STRING_3("key") STRING_3("abc")
#define SESSION_BIND "\33\0\0\0\30session-bind@openssh.com"

static void only_reading_and_signing_reach_the_agent(void **state)
{
	static const struct {
		const char *name;
		const uint8_t *bytes;
		size_t len;
		bool passes;
	} cases[] = {
		{"request identities", BYTES("\13"), true},
		{"request identities, and more", BYTES("\13x"), false},
		{"sign", BYTES(SIGN "\0\0\0\0"), true},
		{"sign with flags", BYTES(SIGN "\0\0\0\4"), true},
		{"sign an empty text with an empty key", BYTES("\15\0\0\0\0\0\0\0\0\0\0\0\0"),
			true},
		{"sign without flags", BYTES(SIGN), false},
		{"sign with half of the flags", BYTES(SIGN "\0\0"), false},
		{"sign, and more", BYTES(SIGN "\0\0\0\0x"), false},
		{"sign without what is signed", BYTES("\15" STRING_3("key")), false},
		{"sign with a key that is too long", BYTES("\15\0\0\0\20key\0\0\0\0\0\0\0\0"),
			false},
		{"sign with a length that wraps",
			BYTES("\15\377\377\377\377key"
			      "\0\0\0\0"),
			false},
		{"sign with the largest length", BYTES("\15\177\377\377\377key"), false},
		{"sign, nothing else", BYTES("\15"), false},
		{"query", BYTES("\33\0\0\0\5query"), true},
		{"session bind", BYTES(SESSION_BIND), true},
		{"session bind with its fields", BYTES(SESSION_BIND STRING_3("key") "\1"), true},
		{"session bind of another domain", BYTES("\33\0\0\0\30session-bind@0penssh.com"),
			false},
		{"an extension that begins as one", BYTES("\33\0\0\0\6query2"), false},
		{"the beginning of an extension", BYTES("\33\0\0\0\4quer"), false},
		{"an extension with a NUL behind it", BYTES("\33\0\0\0\6query\0"), false},
		{"an extension without a name", BYTES("\33\0\0\0\0"), false},
		{"an extension with a length alone", BYTES("\33\0\0\0\5"), false},
		{"an extension with half a length", BYTES("\33\0\0"), false},
		{"restrict-destination", BYTES("\33\0\0\0\44restrict-destination-v00@openssh.com"),
			false},
		{"nothing", BYTES(""), false},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		/* Of just its size, so that reading past it is seen by the sanitizers. */
		uint8_t *exact = malloc(cases[i].len > 0 ? cases[i].len : 1);

		assert_non_null(exact);
		memcpy(exact, cases[i].bytes, cases[i].len);
		if (sb_agent_request_may_pass(exact, cases[i].len) != cases[i].passes)
			fail_msg("%s", cases[i].name);
		free(exact);
	}
}

static void every_other_type_is_refused_whatever_follows(void **state)
{
	static const uint8_t tails[][13] = {{0}, "\0\0\0\5query", "\0\0\0\1a\0\0\0\0"};

	(void)state;
	for (int type = 0; type < 256; type++) {
		const bool may = type == 11 || type == 13 || type == 27;

		for (size_t i = 0; !may && i < N_OF(tails); i++) {
			uint8_t message[1 + sizeof(tails[0])] = {(uint8_t)type};

			memcpy(message + 1, tails[i], sizeof(tails[i]));
			for (size_t len = 1; len <= sizeof(message); len++)
				assert_false(sb_agent_request_may_pass(message, len));
		}
	}
}

static void a_message_past_the_maximum_is_refused(void **state)
{
	const size_t len = SB_AGENT_MAX_MESSAGE + 1;
	uint8_t *message = calloc(1, len);
	const size_t data_len = len - 1 - 4 - 4 - 4;

	(void)state;
	assert_non_null(message);
	message[0] = 13;
	for (int i = 0; i < 4; i++)
		message[5 + i] = (uint8_t)(data_len >> (24 - 8 * i));
	assert_false(sb_agent_request_may_pass(message, len));
	/* One byte less of text, and it fits. */
	message[8]--;
	assert_true(sb_agent_request_may_pass(message, len - 1));
	free(message);
}

static void lengths_are_held_to_the_maximum(void **state)
{
	static const struct {
		uint8_t header[SB_AGENT_HEADER_BYTES];
		size_t len; /* 0: refused */
	} cases[] = {
		{{0, 0, 0, 0}, 0},
		{{0, 0, 0, 1}, 1},
		{{0, 0, 1, 2}, 258},
		{{0, 4, 0, 0}, 256 << 10},
		{{0, 4, 0, 1}, 0},
		{{0x80, 0, 0, 1}, 0},
		{{255, 255, 255, 255}, 0},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		size_t len = 0;

		assert_int_equal(sb_agent_message_len(cases[i].header, &len), cases[i].len != 0);
		assert_int_equal(len, cases[i].len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_reading_and_signing_reach_the_agent),
		cmocka_unit_test(every_other_type_is_refused_whatever_follows),
		cmocka_unit_test(a_message_past_the_maximum_is_refused),
		cmocka_unit_test(lengths_are_held_to_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
