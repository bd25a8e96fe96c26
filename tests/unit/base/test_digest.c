/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "base/digest.h"
#include "base/mem.h"

#define EMPTY_SHA256 "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_SHA256 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* FIPS 180-2, appendix B. */
static void the_standard_vectors_hold(void **state)
{
	static const struct {
		const char *text;
		const char *digest;
	} cases[] = {
		{"", EMPTY_SHA256},
		{"abc", ABC_SHA256},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct sb_digest digest = {{0}};

		assert_false(sb_digest_is_set(&digest));
		sb_digest_of(cases[i].text, strlen(cases[i].text), &digest);
		assert_string_equal(digest.text, cases[i].digest);
		assert_string_equal(sb_digest_hex(&digest), cases[i].digest + 7);
		assert_true(sb_digest_is_set(&digest));
	}
}

static void a_million_bytes_in_pieces_of_any_size(void **state)
{
	static const size_t sizes[] = {1, 7, 64, 4096};
	char piece[4096];

	(void)state;
	memset(piece, 'a', sizeof(piece));
	for (size_t i = 0; i < N_OF(sizes); i++) {
		SB_AUTO(sb_hasher) hasher = sb_hasher_new();
		struct sb_digest digest;

		for (size_t left = 1000000; left > 0;) {
			const size_t n = left < sizes[i] ? left : sizes[i];

			sb_hasher_add(hasher, piece, n);
			left -= n;
		}
		sb_hasher_finish(hasher, &digest);
		assert_string_equal(digest.text,
			"sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	}
}

static void a_finished_hasher_starts_anew(void **state)
{
	SB_AUTO(sb_hasher) hasher = sb_hasher_new();
	struct sb_digest digest;

	(void)state;
	sb_hasher_add(hasher, "xyz", 3);
	sb_hasher_finish(hasher, &digest);
	sb_hasher_finish(hasher, &digest);
	assert_string_equal(digest.text, EMPTY_SHA256);
}

/* Two that were given other bytes before, at every place in a block and with several lengths. */
static void both_get_the_bytes_wherever_each_stands(void **state)
{
	static const size_t starts[] = {0, 1, 63, 64, 128, 200};
	static const size_t lens[] = {0, 1, 63, 64, 65, 128, 1000, 4096};
	unsigned char bytes[4096];
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(seed >> 24);
	}
	for (size_t i = 0; i < N_OF(starts) * N_OF(starts) * N_OF(lens); i++) {
		const size_t len = lens[i % N_OF(lens)];
		const size_t before[2] = {starts[i / N_OF(lens) % N_OF(starts)],
			starts[i / N_OF(lens) / N_OF(starts)]};
		struct sb_hasher *both[2];

		for (size_t k = 0; k < 2; k++) {
			both[k] = sb_hasher_new();
			sb_hasher_add(both[k], bytes + 7, before[k]);
		}
		sb_hasher_add_to_both(both[0], both[1], bytes, len);
		sb_hasher_add_to_both(both[1], both[0], bytes + 5, 130);
		for (size_t k = 0; k < 2; k++) {
			SB_AUTO(sb_hasher) alone = sb_hasher_new();
			struct sb_digest expected;
			struct sb_digest digest;

			sb_hasher_add(alone, bytes + 7, before[k]);
			sb_hasher_add(alone, bytes, len);
			sb_hasher_add(alone, bytes + 5, 130);
			sb_hasher_finish(alone, &expected);
			sb_hasher_finish(both[k], &digest);
			assert_string_equal(digest.text, expected.text);
			sb_hasher_free(both[k]);
		}
	}
}

/* 2^32 bits don't fit into libcrypto's lower word of the length. */
static void both_count_more_than_half_a_gibibyte(void **state)
{
	enum { PIECE = 1 << 20, N = 513 };
	sb_autofree char *piece = sb_calloc(PIECE, 1);
	SB_AUTO(sb_hasher) a = sb_hasher_new();
	SB_AUTO(sb_hasher) b = sb_hasher_new();
	struct sb_digest first;
	struct sb_digest second;

	(void)state;
	for (size_t i = 0; i < N; i++)
		sb_hasher_add_to_both(a, b, piece, PIECE);
	sb_hasher_finish(a, &first);
	sb_hasher_finish(b, &second);
	/* head -c 513M /dev/zero | sha256sum */
	assert_string_equal(first.text,
		"sha256:a3e2acbb469e4e59dde406f912e754c933c1ac0fb0092a3634d61d5073309c0c");
	assert_string_equal(second.text, first.text);
}

static void only_whole_lower_case_sha256_is_a_digest(void **state)
{
	static const struct {
		const char *text;
		enum sb_code code;
	} cases[] = {{ABC_SHA256, SB_OK}, {"", SB_E_INTEGRITY}, {"sha256:", SB_E_INTEGRITY},
		{EMPTY_SHA256 "0", SB_E_INTEGRITY}, {EMPTY_SHA256 "\n", SB_E_INTEGRITY},
		{"sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			SB_E_INTEGRITY},
		{"sha256:../0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			SB_E_INTEGRITY},
		{"md5:d41d8cd98f00b204e9800998ecf8427e", SB_E_INTEGRITY},
		{"sha512:abc", SB_E_UNSUPPORTED}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct sb_digest digest = {{0}};

		assert_int_equal(sb_digest_parse(cases[i].text, &digest, &err),
			cases[i].code == SB_OK ? 0 : -1);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(sb_digest_is_set(&digest), cases[i].code == SB_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_standard_vectors_hold),
		cmocka_unit_test(a_million_bytes_in_pieces_of_any_size),
		cmocka_unit_test(a_finished_hasher_starts_anew),
		cmocka_unit_test(both_get_the_bytes_wherever_each_stands),
		cmocka_unit_test(both_count_more_than_half_a_gibibyte),
		cmocka_unit_test(only_whole_lower_case_sha256_is_a_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
