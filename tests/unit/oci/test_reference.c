/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "oci/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define AT "@sha256:" HEX
#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

static const struct {
	const char *text;
	const char *whole;
	const char *familiar;
} good[] = {
	{"alpine", "docker.io/library/alpine:latest", "alpine:latest"},
	{"alpine:3.19", "docker.io/library/alpine:3.19", "alpine:3.19"},
	{"alpine:latest", "docker.io/library/alpine:latest", "alpine:latest"},
	{"library/alpine", "docker.io/library/alpine:latest", "alpine:latest"},
	{"docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"},
	{"docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest"},
	{"index.docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"},
	{"index.docker.io/library/alpine:1", "docker.io/library/alpine:1", "alpine:1"},
	{"index.docker.io/me/app", "docker.io/me/app:latest", "me/app:latest"},
	{"me/app", "docker.io/me/app:latest", "me/app:latest"},
	{"me/app/deep", "docker.io/me/app/deep:latest", "me/app/deep:latest"},
	{"library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"},
	{"localhost/app", "localhost/app:latest", "localhost/app:latest"},
	{"localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest"},
	{"localhost", "docker.io/library/localhost:latest", "localhost:latest"},
	{"localhosts/app", "docker.io/localhosts/app:latest", "localhosts/app:latest"},
	{"127.0.0.1:5000/app:v1", "127.0.0.1:5000/app:v1", "127.0.0.1:5000/app:v1"},
	{"127.0.0.1/app", "127.0.0.1/app:latest", "127.0.0.1/app:latest"},
	{"host:80/a", "host:80/a:latest", "host:80/a:latest"},
	{"foo:5000", "docker.io/library/foo:5000", "foo:5000"},
	{"ghcr.io/o/app", "ghcr.io/o/app:latest", "ghcr.io/o/app:latest"},
	{"ghcr.io/app", "ghcr.io/app:latest", "ghcr.io/app:latest"},
	{"quay.io/o/app" AT, "quay.io/o/app" AT, "quay.io/o/app" AT},
	{"alpine" AT, "docker.io/library/alpine" AT, "alpine" AT},
	{"alpine:3" AT, "docker.io/library/alpine:3" AT, "alpine:3" AT},
	{"[::1]/app", "[::1]/app:latest", "[::1]/app:latest"},
	{"[2001:db8::1]:5000/a/b:t", "[2001:db8::1]:5000/a/b:t", "[2001:db8::1]:5000/a/b:t"},
	{"[fe80::AB]:5/a", "[fe80::AB]:5/a:latest", "[fe80::AB]:5/a:latest"},
	{"a_b", "docker.io/library/a_b:latest", "a_b:latest"},
	{"a__b", "docker.io/library/a__b:latest", "a__b:latest"},
	{"a---b", "docker.io/library/a---b:latest", "a---b:latest"},
	{"a.b", "docker.io/library/a.b:latest", "a.b:latest"},
	{"a.b/c", "a.b/c:latest", "a.b/c:latest"},
	{"docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest"},
	{"docker.io/localhost/c", "docker.io/localhost/c:latest", "docker.io/localhost/c:latest"},
	{"docker.io/" HEX, "docker.io/library/" HEX ":latest", "library/" HEX ":latest"},
	{HEX ":t", "docker.io/library/" HEX ":t", "library/" HEX ":t"},
	{"me/" HEX, "docker.io/me/" HEX ":latest", "me/" HEX ":latest"},
	{"Host/app", "Host/app:latest", "Host/app:latest"},
	{"a-b.c-d.io:1/x", "a-b.c-d.io:1/x:latest", "a-b.c-d.io:1/x:latest"},
	{"app:_A.b-9", "docker.io/library/app:_A.b-9", "app:_A.b-9"},
	{"1/2:3", "docker.io/1/2:3", "1/2:3"},
	{"a:" X100 X10 X10 "xxxxxxxx", "docker.io/library/a:" X100 X10 X10 "xxxxxxxx",
		"a:" X100 X10 X10 "xxxxxxxx"},
};

static const struct {
	const char *text;
	enum sb_code code;
	const char *says;
} bad[] = {
	{"", SB_E_SYNTAX, "empty"},
	{HEX, SB_E_SYNTAX, "image id"},
	{"Alpine", SB_E_SYNTAX, "lower case"},
	{"me/App", SB_E_SYNTAX, "lower case"},
	{"ghcr.io/Me/app:Tag", SB_E_SYNTAX, "lower case"},
	{":tag", SB_E_SYNTAX, "repository"},
	{"a:", SB_E_SYNTAX, "tag"},
	{"a:b:c", SB_E_SYNTAX, "tag"},
	{"a:.b", SB_E_SYNTAX, "tag"},
	{"a:-b", SB_E_SYNTAX, "tag"},
	{"a:b c", SB_E_SYNTAX, "tag"},
	{"a:" X100 X10 X10 "xxxxxxxxx", SB_E_SYNTAX, "tag"},
	{"a b", SB_E_SYNTAX, "repository"},
	{"a//b", SB_E_SYNTAX, "repository"},
	{"/a", SB_E_SYNTAX, "repository"},
	{"a/", SB_E_SYNTAX, "repository"},
	{"-a", SB_E_SYNTAX, "repository"},
	{"a-", SB_E_SYNTAX, "repository"},
	{"a..b", SB_E_SYNTAX, "repository"},
	{"a___b", SB_E_SYNTAX, "repository"},
	{"a._b", SB_E_SYNTAX, "repository"},
	{"../a", SB_E_SYNTAX, "host"},
	{"-a.b/c", SB_E_SYNTAX, "host"},
	{"a-.b/c", SB_E_SYNTAX, "host"},
	{"a..b/c", SB_E_SYNTAX, "host"},
	{"a:/b", SB_E_SYNTAX, "host"},
	{"a:8x/b", SB_E_SYNTAX, "host"},
	{"[::1/b", SB_E_SYNTAX, "host"},
	{"[]/b", SB_E_SYNTAX, "host"},
	{"[::1]x/b", SB_E_SYNTAX, "host"},
	{"[::g]/b", SB_E_SYNTAX, "host"},
	{"https://a.b/c", SB_E_SYNTAX, "host"},
	{"user@host/a", SB_E_SYNTAX, "sha256"},
	{"a@", SB_E_SYNTAX, "sha256"},
	{"a@sha256:abc", SB_E_SYNTAX, "sha256"},
	{"a@sha256:" HEX "0", SB_E_SYNTAX, "sha256"},
	{"a@sha512:" HEX HEX, SB_E_UNSUPPORTED, "sha256"},
	{"@sha256:" HEX, SB_E_SYNTAX, "repository"},
	{"a\nb", SB_E_SYNTAX, "repository"},
	{"\xc3\xa4", SB_E_SYNTAX, "repository"},
	{"a/" X100 X100 X10 X10 X10 X10 X10 "xxxx", SB_E_SYNTAX, "255"},
};

static void references_are_read_and_written_as_docker_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		SB_AUTO_VALUE(sb_reference) ref = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_reference_parse(good[i].text, &ref, &err) < 0)
			fail_msg("'%s': %s", good[i].text, err.message);

		sb_autofree char *whole = sb_reference_format(&ref);
		sb_autofree char *familiar = sb_reference_familiar(&ref);

		assert_string_equal(whole, good[i].whole);
		assert_string_equal(familiar, good[i].familiar);
	}
}

static void both_written_forms_read_as_the_same_reference(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const char *const forms[] = {good[i].whole, good[i].familiar};

		for (size_t j = 0; j < 2; j++) {
			SB_AUTO_VALUE(sb_reference) ref = {0};
			SB_AUTO_ERROR err = SB_ERROR_INIT;

			if (sb_reference_parse(forms[j], &ref, &err) < 0)
				fail_msg("'%s': %s", forms[j], err.message);

			sb_autofree char *again = sb_reference_format(&ref);

			assert_string_equal(again, good[i].whole);
		}
	}
}

static void what_is_no_reference_is_refused_with_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SB_AUTO_VALUE(sb_reference) ref = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_reference_parse(bad[i].text, &ref, &err) == 0)
			fail_msg("'%s' was taken", bad[i].text);
		assert_int_equal(err.code, bad[i].code);
		if (strstr(err.message, bad[i].says) == NULL)
			fail_msg(
				"'%s': '%s' is not in '%s'", bad[i].text, bad[i].says, err.message);
		assert_null(ref.repository);
	}
}

static void upper_case_gets_a_hint_with_the_name_mended(void **state)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_reference_parse("me/App:V1", &ref, &err), -1);
	assert_string_equal(err.hint, "write 'me/app:V1'");
}

static void endless_text_is_refused(void **state)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *text = sb_malloc(100001);

	(void)state;
	memset(text, 'a', 100000);
	text[100000] = '\0';
	assert_int_equal(sb_reference_parse(text, &ref, &err), -1);
	assert_int_equal(err.code, SB_E_SYNTAX);
	assert_true(strlen(err.message) < 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_are_read_and_written_as_docker_does),
		cmocka_unit_test(both_written_forms_read_as_the_same_reference),
		cmocka_unit_test(what_is_no_reference_is_refused_with_the_reason),
		cmocka_unit_test(upper_case_gets_a_hint_with_the_name_mended),
		cmocka_unit_test(endless_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
