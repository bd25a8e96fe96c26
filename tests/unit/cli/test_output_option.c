/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/output_option.h"

static const char *or_dash(const char *text)
{
	return text != NULL ? text : "none";
}

static void forms_of_docker_are_read(void **state)
{
	static const struct {
		const char *text;
		enum sb_output_type type;
		const char *dest;
		bool is_folder;
		const char *name;
		const char *compression;
		int level;
	} cases[] = {
		{"out", SB_OUTPUT_LOCAL, "out", false, "none", "none", 0},
		{"out=1", SB_OUTPUT_LOCAL, "out=1", false, "none", "none", 0},
		{"-", SB_OUTPUT_TAR, "-", false, "none", "none", 0},
		{"type=store", SB_OUTPUT_STORE, "none", false, "none", "none", 0},
		{"type=oci,dest=a.tar", SB_OUTPUT_OCI, "a.tar", false, "none", "none", 0},
		{"type=oci,dest=dir,tar=false", SB_OUTPUT_OCI, "dir", true, "none", "none", 0},
		{"dest=a,type=docker,name=n:1", SB_OUTPUT_DOCKER, "a", false, "n:1", "none", 0},
		{"type=oci,dest=-,compression=zstd,compression-level=19", SB_OUTPUT_OCI, "-", false,
			"none", "zstd", 19},
		{"type=oci,dest=x,compression=uncompressed", SB_OUTPUT_OCI, "x", false, "none",
			"uncompressed", 0},
		{"type=tar,dest=\"a,b.tar\"", SB_OUTPUT_TAR, "a,b.tar", false, "none", "none", 0},
		{"type=local,dest=d", SB_OUTPUT_LOCAL, "d", false, "none", "none", 0},
		{"type=registry", SB_OUTPUT_REGISTRY, "none", false, "none", "none", 0},
		{"type=registry,\"name=h/a,h/b\"", SB_OUTPUT_REGISTRY, "none", false, "h/a,h/b",
			"none", 0},
		{"type=registry,name=\"h/a,h/b\"", SB_OUTPUT_REGISTRY, "none", false, "h/a,h/b",
			"none", 0},
		{"type=image,name=h/a,push=true", SB_OUTPUT_REGISTRY, "none", false, "h/a", "none",
			0},
		{"type=image,name=h/a", SB_OUTPUT_STORE, "none", false, "h/a", "none", 0},
		{"type=registry,name=a,push=false", SB_OUTPUT_STORE, "none", false, "a", "none", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_output_list list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_output_option_parse(&list, cases[i].text, &err), 0);
		assert_int_equal(list.len, 1);
		assert_int_equal(list.items[0].type, cases[i].type);
		assert_string_equal(or_dash(list.items[0].dest), cases[i].dest);
		assert_int_equal(list.items[0].is_folder, cases[i].is_folder);
		assert_string_equal(or_dash(list.items[0].name), cases[i].name);
		assert_string_equal(or_dash(list.items[0].compression), cases[i].compression);
		assert_int_equal(list.items[0].compression_level, cases[i].level);
		sb_output_list_release(&list);
	}
}

static void wrong_forms_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		const char *part;
	} cases[] = {
		{"", "empty"},
		{"dest=a,name=b", "type is missing"},
		{"type=oci", "needs dest"},
		{"type=ico,dest=a", "unknown type 'ico'"},
		{"type=cacheonly", "not in this version"},
		{"type=registry,dest=a", "'dest' does not go with type=registry"},
		{"type=registry,push=maybe", "push is true or false"},
		{"type=oci,dest=a,push=true", "'push' does not go with type=oci"},
		{"type=image,\"name=a,b\"", "one name"},
		{"type=image,name=a,attest=true", "does not go with what stays in the store"},
		{"type=oci,dest=a,dst=b", "unknown key 'dst'"},
		{"type=oci,dest=a,dest=b", "'dest' is given twice"},
		{"type=oci,dest=", "empty value"},
		{"type=oci,dest=a,x", "'x' is not of the form"},
		{"type=local,dest=-", "a folder can't go to stdout"},
		{"type=oci,dest=-,tar=false", "can't go to stdout"},
		{"type=oci,dest=a,tar=maybe", "true or false"},
		{"type=docker,dest=a,tar=false", "'tar' does not go with type=docker"},
		{"type=tar,dest=a,compression=gzip", "'compression' does not go with type=tar"},
		{"type=store,dest=a", "'dest' does not go with type=store"},
		{"type=oci,dest=a,compression=lzma", "unknown compression 'lzma'"},
		{"type=oci,dest=a,compression-level=0", "from 1 to 22"},
		{"type=oci,dest=a,compression-level=x", "from 1 to 22"},
		{"type=oci,dest=a,compression=uncompressed,compression-level=1", "does not go"},
		{"type=oci,dest=\"a", "a quote is not closed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_output_list list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_output_option_parse(&list, cases[i].text, &err), -1);
		assert_int_equal(err.code, SB_E_USAGE);
		assert_non_null(strstr(err.message, cases[i].part));
		sb_output_list_release(&list);
	}
}

static void stdout_is_taken_once(void **state)
{
	struct sb_output_list list = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_output_option_parse(&list, "type=store", &err), 0);
	assert_false(sb_output_list_has_stdout(&list));
	assert_int_equal(sb_output_option_parse(&list, "-", &err), 0);
	assert_true(sb_output_list_has_stdout(&list));
	assert_int_equal(sb_output_option_parse(&list, "type=oci,dest=a", &err), 0);
	assert_int_equal(sb_output_option_parse(&list, "type=oci,dest=-", &err), -1);
	sb_output_list_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_docker_are_read),
		cmocka_unit_test(wrong_forms_say_what_is_wrong),
		cmocka_unit_test(stdout_is_taken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
