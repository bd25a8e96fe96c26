/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buildfile/mode_change.h"

struct mode_case {
	const char *text;
	mode_t before;
	bool is_dir;
	mode_t after;
};

static const struct mode_case cases[] = {
	{NULL, 04755, false, 04755},
	{"", 0644, false, 0644},
	{"755", 0600, false, 0755},
	{"0", 0777, false, 0},
	{"07777", 0, true, 07777},
	{"0644", 0755, true, 0644},
	{"u=rwX,go=rX", 0600, false, 0644},
	{"u=rwX,go=rX", 0700, false, 0755},
	{"u=rwX,go=rX", 0600, true, 0755},
	{"+x", 0644, false, 0755},
	{"a-w", 0666, false, 0444},
	{"+w", 0444, false, 0666},
	{"u+s", 0755, false, 04755},
	{"g+s", 0755, false, 02755},
	{"ug-s", 06755, false, 0755},
	{"+t", 0755, true, 01755},
	{"u+t", 0755, true, 0755},
	{"g=u", 0740, false, 0770},
	{"o=g-w", 0760, false, 0764},
	{"u=rwx,g=", 0777, false, 0707},
	{"a=", 04755, false, 0},
	{"u=rwx", 06755, true, 06755},
	{"=r", 0777, false, 0444},
	{"u+rw,g+r,o-rwx", 0007, false, 0640},
	{"uo+x", 0640, false, 0741},
};

static const char *const refused[] = {"8", "10000", "77777", "0x1ff", "-1", "rwx", "u", "u+rwz",
	"u+r,", ",u+r", "u+r g+r", "755 ", "u=gr", "a", "u=rw;o=r", " 755"};

static void modes_change_as_chmod_changes_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct sb_mode_change change;

		assert_int_equal(sb_mode_change_parse(cases[i].text, &change, &err), 0);

		const mode_t after =
			sb_mode_change_apply(&change, cases[i].before, cases[i].is_dir);

		if (after != cases[i].after)
			fail_msg("%s on %o: %o, not %o", cases[i].text, cases[i].before, after,
				cases[i].after);
	}
}

static void what_is_no_mode_is_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct sb_mode_change change;

		if (sb_mode_change_parse(refused[i], &change, &err) == 0)
			fail_msg("'%s' was taken", refused[i]);
		assert_int_equal(err.code, SB_E_USAGE);
		assert_non_null(strstr(err.message, refused[i]));
		assert_non_null(err.hint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes_change_as_chmod_changes_them),
		cmocka_unit_test(what_is_no_mode_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
