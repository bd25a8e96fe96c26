/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fixture.h"
#include "tarball.h"

#include "base/mem.h"
#include "layer/apply.h"

#define SECRET "kQ7vZr2mXs9LpT4w81"

enum { MAX_ENTRIES = 4 };

/* A layer that is read with the search for a secret, which is SECRET where the case has none. */
struct verify_case {
	const char *name;
	struct tar_entry entries[MAX_ENTRIES];
	const char *behind; /* the archive's end */
	const char *secret;
	const char *message; /* NULL: none is found */
};

static const struct verify_case cases[] = {
	{.name = "nothing", .entries = {{"d/", '5'}, {"d/f", '0', "hello"}}},
	{.name = "empty"},
	{.name = "content",
		.entries = {{"d/", '5'}, {"d/f", '0', "x " SECRET " y"}},
		.message = "secret 's' found in /d/f (raw, at byte 2)"},
	{.name = "the_first_of_several",
		.entries = {{"a", '0', "1"}, {"./b", '0', SECRET}, {SECRET, '0', SECRET}},
		.message = "secret 's' found in /b (raw, at byte 0)"},
	{.name = "file_name",
		.entries = {{"d/" SECRET, '0'}},
		.message = "secret 's' found in the name of a file in /d (raw)"},
	{.name = "folder_name",
		.entries = {{SECRET "/", '5'}},
		.message = "secret 's' found in the name of a folder in / (raw)"},
	{.name = "whiteout",
		.entries = {{"d/.wh." SECRET, '0'}},
		.message = "secret 's' found in the name of a file in /d (raw)"},
	{.name = "whiteout_of_a_short_one",
		.entries = {{".wh.kq7vz", '0'}},
		.secret = "kq7vz",
		.message = "secret 's' found in the name of a file in / (raw)"},
	{.name = "link",
		.entries = {{"l", '2', .link = "../" SECRET}},
		.message = "secret 's' found in the target of the link /l (raw)"},
	{.name = "hard_link",
		.entries = {{"h", '1', .link = SECRET}},
		.message = "secret 's' found in the target of the link /h (raw)"},
	{.name = "attribute",
		.entries = {{"f", '0', .attr = "user.a", .value = SECRET, .value_len = 18}},
		.message = "secret 's' found in the attribute user.a of /f (raw)"},
	{.name = "name_of_an_attribute",
		.entries = {{"f", '0', .attr = "user." SECRET, .value = "1", .value_len = 1}},
		.message = "secret 's' found in the name of an attribute of /f (raw)"},
	{.name = "long_name",
		.entries = {{"short", '0', .pax = "path=\303\244/" SECRET}},
		.message = "secret 's' found in the name of a file in /\303\244 (raw)"},
	{.name = "behind_a_hole",
		.entries = {{"f", '0', SECRET,
			.pax = "GNU.sparse.size=118\nGNU.sparse.numblocks=1\nGNU.sparse.map=100,"
			       "18"}},
		.message = "secret 's' found in /f (raw, at byte 100)"},
	{.name = "comment",
		.entries = {{"f", '0', "1", .pax = "comment=" SECRET}},
		.message = "secret 's' found in a layer's tar, in none of its files (raw, at byte "
			   "523)"},
	{.name = "owner",
		.entries = {{"f", '0', "1", .pax = "uname=" SECRET}},
		.message = "secret 's' found in a layer's tar, in none of its files (raw, at byte "
			   "521)"},
	{.name = "behind_the_end",
		.entries = {{"f", '0', "1"}},
		.behind = SECRET,
		.message = "secret 's' found in a layer's tar, in none of its files (raw, at byte "
			   "2048)"},
	{.name = "a_word_of_the_format_is_no_find",
		.entries = {{"f", '0', "1", .pax = "comment=ustar"}},
		.secret = "ustar"},
	{.name = "a_short_one_in_a_file_is",
		.entries = {{"f", '0', "is ustar 1"}},
		.secret = "ustar",
		.message = "secret 's' found in /f (raw, at byte 3)"},
};

static void make_tar(const struct verify_case *c, struct sb_buf *tar)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	for (size_t i = 0; i < MAX_ENTRIES && c->entries[i].type != 0; i++)
		tarball_add(tar, &c->entries[i]);
	tarball_end(tar);
	if (c->behind != NULL)
		assert_int_equal(sb_buf_add(tar, c->behind, strlen(c->behind), &err), 0);
}

static void check_digests(const struct sb_applied *got, const struct sb_buf *tar)
{
	struct sb_digest digest;

	sb_digest_of(tar->data, tar->len, &digest);
	assert_true(sb_digest_equal(&got->diff_id, &digest));
	assert_int_equal(got->tar_bytes, tar->len);
}

static void run_case(void **state)
{
	const struct verify_case *c = *state;
	const char *secret = c->secret != NULL ? c->secret : SECRET;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF tar = SB_BUF_INIT(1 << 20);
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO(sb_scanner) scanner = NULL;
	struct sb_applied applied = {0};

	assert_int_equal(sb_secrets_add_bytes(secrets, "s", secret, strlen(secret), &err), 0);
	scanner = sb_scanner_new(secrets);
	make_tar(c, &tar);

	struct bytes_reader reader = {.bytes = tar.data, .len = tar.len, .piece = 1000};
	const int result = sb_layer_verify(bytes_reader(&reader), scanner, &applied, &err);

	if (c->message == NULL) {
		if (result < 0)
			print_error("%s\n", err.message);
		assert_int_equal(result, 0);
		check_digests(&applied, &tar);
		return;
	}
	assert_int_equal(result, -1);
	assert_int_equal(err.code, SB_E_LEAK);
	assert_string_equal(err.message, c->message);
}

static void no_secret_is_no_search(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF tar = SB_BUF_INIT(1 << 20);
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO(sb_scanner) scanner = sb_scanner_new(secrets);
	struct sb_applied applied = {0};

	(void)state;
	make_tar(&cases[2], &tar);

	struct bytes_reader reader = {.bytes = tar.data, .len = tar.len, .piece = 7};

	assert_int_equal(sb_layer_verify(bytes_reader(&reader), scanner, &applied, &err), 0);
	check_digests(&applied, &tar);
	assert_int_equal(applied.n_entries, 2);
}

int main(void)
{
	enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };
	struct CMUnitTest tests[N_CASES + 1] = {{0}};

	for (size_t i = 0; i < N_CASES; i++)
		tests[i] = (struct CMUnitTest){.name = cases[i].name,
			.test_func = run_case,
			.initial_state = (void *)(uintptr_t)&cases[i]};
	tests[N_CASES] = (struct CMUnitTest)cmocka_unit_test(no_secret_is_no_search);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
