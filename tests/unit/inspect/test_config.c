/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/inspector.h"
#include "inspect/user.h"

static void user_is_root_by_number_and_by_name(void **state)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
				     "toor:x:0:0::/:/bin/sh\n"
				     "app:x:1000:1000::/:/bin/sh\n"
				     "rootless:x:1001:0::/:\n"
				     "broken\n"
				     "short:x\n"
				     "odd:x:abc:0\n"
				     "last:x:0";
	static const struct {
		const char *user;
		const char *passwd;
		bool is_root;
	} cases[] = {
		{"", passwd, true},
		{":1000", passwd, true},
		{"0", passwd, true},
		{"00", "", true},
		{"0:0", passwd, true},
		{"0:1000", "", true},
		{"root", passwd, true},
		{"root", "", true},
		{"root:app", passwd, true},
		{"toor", passwd, true},
		{"last", passwd, true},
		{"toor", "", false},
		{"app", passwd, false},
		{"app:root", passwd, false},
		{"1000", passwd, false},
		{"1000:0", passwd, false},
		{"rootless", passwd, false},
		{"broken", passwd, false},
		{"short", passwd, false},
		{"odd", passwd, false},
		{"nobody", passwd, false},
		{"4294967296", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(sb_user_is_root(cases[i].user, cases[i].passwd), cases[i].is_root);
}

static void add_history(struct sb_image_config *config, char *created_by, bool is_empty)
{
	const struct sb_history entry = {.created_by = created_by, .is_empty_layer = is_empty};

	sb_image_config_add_history(config, &entry);
}

static void instructions_pair_with_layers_over_empty_entries(void **state)
{
	SB_AUTO(sb_image_config) config = sb_image_config_new();
	char add[] = "ADD";
	char env[] = "ENV";
	char run[] = "RUN";

	(void)state;
	add_history(config, add, false);
	add_history(config, env, true);
	add_history(config, run, false);
	add_history(config, env, true);
	assert_string_equal(sb_layer_instruction(config, 0, 2), "ADD");
	assert_string_equal(sb_layer_instruction(config, 1, 2), "RUN");
}

static void history_of_another_length_names_no_layer(void **state)
{
	SB_AUTO(sb_image_config) config = sb_image_config_new();
	char add[] = "ADD";

	(void)state;
	assert_null(sb_layer_instruction(config, 0, 1));
	add_history(config, add, false);
	assert_string_equal(sb_layer_instruction(config, 0, 1), "ADD");
	assert_null(sb_layer_instruction(config, 0, 2));
	assert_null(sb_layer_instruction(config, 1, 2));
	add_history(config, NULL, false);
	assert_null(sb_layer_instruction(config, 1, 2));
	add_history(config, add, false);
	assert_null(sb_layer_instruction(config, 0, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_is_root_by_number_and_by_name),
		cmocka_unit_test(instructions_pair_with_layers_over_empty_entries),
		cmocka_unit_test(history_of_another_length_names_no_layer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
