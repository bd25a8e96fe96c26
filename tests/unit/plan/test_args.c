/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plan/args.h"

static void build_args_that_nothing_declares_are_unused(void **state)
{
	static const char text[] = "ARG global\nFROM a\nARG here=1 also\nONBUILD ARG trigger\n"
				   "ENV env=1\n";
	static const char *const given[] = {"global=1", "here=2", "also=3", "trigger=4", "env=5",
		"Here=6", "http_proxy=7", "No_Proxy=8", "SOURCE_DATE_EPOCH=9", "TARGETARCH=10",
		"BUILDKIT_INLINE_CACHE=11", "gone=a=b"};
	SB_AUTO(sb_buildfile) buildfile = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV build_args = SB_STRV_INIT;
	SB_AUTO_STRV unused = SB_STRV_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		sb_strv_add(&build_args, given[i]);
	assert_int_equal(sb_buildfile_parse("f", text, strlen(text), &buildfile, &err), 0);
	sb_args_unused(buildfile, &build_args, &unused);

	sb_autofree char *names = sb_strv_join(&unused, " ");

	assert_string_equal(names, "env Here gone");
}

static void a_proxy_is_found_in_any_case(void **state)
{
	SB_AUTO_STRV build_args = SB_STRV_INIT;

	(void)state;
	sb_strv_add(&build_args, "HTTP_PROXY_X=no");
	sb_strv_add(&build_args, "Http_Proxy=mixed");
	sb_strv_add(&build_args, "https_proxy=lower");
	sb_strv_add(&build_args, "HTTPS_PROXY=upper");
	assert_string_equal(sb_args_get_proxy(&build_args, "HTTP_PROXY"), "mixed");
	assert_string_equal(sb_args_get_proxy(&build_args, "HTTPS_PROXY"), "upper");
	assert_null(sb_args_get_proxy(&build_args, "FTP_PROXY"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(build_args_that_nothing_declares_are_unused),
		cmocka_unit_test(a_proxy_is_found_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
