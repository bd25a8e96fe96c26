/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "oci/platform.h"

static void platforms_are_normalised(void **state)
{
	static const char *const cases[][2] = {
		{"linux/amd64", "linux/amd64"},
		{"linux/x86_64", "linux/amd64"},
		{"linux/x86-64", "linux/amd64"},
		{"Linux/AMD64", "linux/amd64"},
		{"linux/amd64/v1", "linux/amd64"},
		{"linux/amd64/v3", "linux/amd64/v3"},
		{"linux/aarch64", "linux/arm64"},
		{"linux/arm64/v8", "linux/arm64"},
		{"linux/arm64/8", "linux/arm64"},
		{"linux/arm64/v9", "linux/arm64/v9"},
		{"linux/arm", "linux/arm/v7"},
		{"linux/armhf", "linux/arm/v7"},
		{"linux/armel", "linux/arm/v6"},
		{"linux/arm/6", "linux/arm/v6"},
		{"linux/i386", "linux/386"},
		{"macos/arm64", "darwin/arm64"},
		{"amd64", "linux/amd64"},
		{"aarch64", "linux/arm64"},
		{"linux/riscv64", "linux/riscv64"},
		{"linux/mips64le/softfloat", "linux/mips64le/softfloat"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_platform platform;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_platform_parse(cases[i][0], &platform, &err) < 0)
			fail_msg("'%s': %s", cases[i][0], err.message);

		sb_autofree char *text = sb_platform_format(&platform);

		assert_string_equal(text, cases[i][1]);
	}
}

static void what_is_no_platform_is_refused(void **state)
{
	static const char *const cases[] = {"", "/", "linux/", "/amd64", "linux//v7",
		"linux/arm/v7/x", "linux amd64", "linux/\n",
		"linux/0123456789012345678901234567890123456789", "a\xff/b"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_platform platform;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_platform_parse(cases[i], &platform, &err) == 0)
			fail_msg("'%s' was taken", cases[i]);
		assert_int_equal(err.code, SB_E_USAGE);
		assert_non_null(err.hint);
	}
}

static struct sb_platform parsed(const char *text)
{
	struct sb_platform platform = {.os = ""};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_platform_parse(text, &platform, &err), 0);
	return platform;
}

static void local_and_a_lone_system_are_this_machine(void **state)
{
	const struct sb_platform host = sb_platform_host();
	const struct sb_platform local = parsed("local");
	const struct sb_platform lone = parsed("linux");

	(void)state;
	assert_string_equal(host.os, "linux");
	assert_true(host.architecture[0] != '\0');
	assert_int_equal(memcmp(&host, &local, sizeof(host)), 0);
	assert_true(sb_platform_match(&host, &lone) > 0);
}

/* Of several images the better one scores higher; 0 is no match. */
static void variants_serve_what_they_can_run(void **state)
{
	static const struct {
		const char *want;
		const char *better;
		const char *worse;
		bool worse_matches;
	} cases[] = {
		{"linux/arm/v7", "linux/arm/v7", "linux/arm/v6", true},
		{"linux/arm/v7", "linux/arm/v6", "linux/arm/v5", true},
		{"linux/arm/v6", "linux/arm/v6", "linux/arm/v7", false},
		{"linux/amd64", "linux/amd64", "linux/amd64/v2", false},
		{"linux/amd64/v3", "linux/amd64/v2", "linux/amd64", true},
		{"linux/arm64", "linux/arm64/v8", "linux/arm64/v9", false},
		{"linux/arm64", "linux/arm64", "linux/arm/v7", false},
		{"linux/amd64", "linux/amd64", "windows/amd64", false},
		{"linux/mips64le", "linux/mips64le", "linux/mips64le/hardfloat", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sb_platform want = parsed(cases[i].want);
		const struct sb_platform better = parsed(cases[i].better);
		const struct sb_platform worse = parsed(cases[i].worse);
		const int high = sb_platform_match(&want, &better);
		const int low = sb_platform_match(&want, &worse);

		if (high <= low || (low > 0) != cases[i].worse_matches)
			fail_msg("want %s: %s scores %d, %s scores %d", cases[i].want,
				cases[i].better, high, cases[i].worse, low);
	}
}

static void names_as_they_stand_in_images_match_too(void **state)
{
	const struct sb_platform want = {.os = "linux", .architecture = "arm64"};
	const struct sb_platform have = {.os = "linux", .architecture = "aarch64", .variant = "v8"};
	const struct sb_platform none = {.os = ""};

	(void)state;
	assert_true(sb_platform_match(&want, &have) > 0);
	assert_int_equal(sb_platform_match(&want, &none), 0);
	assert_int_equal(sb_platform_match(&none, &none), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(platforms_are_normalised),
		cmocka_unit_test(what_is_no_platform_is_refused),
		cmocka_unit_test(local_and_a_lone_system_are_this_machine),
		cmocka_unit_test(variants_serve_what_they_can_run),
		cmocka_unit_test(names_as_they_stand_in_images_match_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
