/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cache_option.h"

static const char *or_dash(const char *text)
{
	return text != NULL ? text : "none";
}

static void forms_of_buildx_are_read(void **state)
{
	static const struct {
		const char *text;
		struct sb_cache_option option;
	} cases[] = {
		{"h:1/app:cache", {.where = "h:1/app:cache"}},
		{"type=registry,ref=h/a", {.where = "h/a"}},
		{"ref=h/a,type=registry,mode=max", {.where = "h/a", .has_all = true}},
		{"type=registry,ref=h/a,mode=min", {.where = "h/a"}},
		{"type=local,dest=d", {.is_folder = true, .where = "d"}},
		{"type=local,dest=\"a,b\",tag=main",
			{.is_folder = true, .where = "a,b", .tag = "main"}},
		{"type=registry,ref=h/a,image-manifest=false", {.where = "h/a", .is_index = true}},
		{"type=registry,ref=h/a,image-manifest=true,oci-mediatypes=true", {.where = "h/a"}},
		{"type=registry,ref=h/a,oci-mediatypes=false",
			{.where = "h/a", .is_index = true, .is_docker = true}},
		{"type=registry,ref=h/a,compression=zstd,compression-level=19,force-compression="
		 "true",
			{.where = "h/a", .compression = "zstd", .compression_level = 19}},
		{"type=registry,ref=h/a,compression-level=3",
			{.where = "h/a", .compression = "gzip", .compression_level = 3}},
		{"type=registry,ref=h/a,ignore-error=true",
			{.where = "h/a", .ignores_error = true}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sb_cache_option *want = &cases[i].option;
		struct sb_cache_list list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_cache_to_parse(&list, cases[i].text, &err), 0);
		assert_int_equal(list.len, 1);
		assert_int_equal(list.items[0].is_folder, want->is_folder);
		assert_string_equal(list.items[0].where, want->where);
		assert_string_equal(or_dash(list.items[0].tag), or_dash(want->tag));
		assert_int_equal(list.items[0].has_all, want->has_all);
		assert_int_equal(list.items[0].is_index, want->is_index);
		assert_int_equal(list.items[0].is_docker, want->is_docker);
		assert_string_equal(or_dash(list.items[0].compression), or_dash(want->compression));
		assert_int_equal(list.items[0].compression_level, want->compression_level);
		assert_int_equal(list.items[0].ignores_error, want->ignores_error);
		sb_cache_list_release(&list);
	}
}

static void sources_are_read(void **state)
{
	struct sb_cache_list list = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_cache_from_parse(&list, "h/a,h/b", &err), 0);
	assert_int_equal(sb_cache_from_parse(&list, "type=local,src=d,tag=t", &err), 0);
	assert_int_equal(sb_cache_from_parse(&list, "type=local,src=d,digest=sha256:1", &err), 0);
	assert_int_equal(list.len, 4);
	assert_string_equal(list.items[1].where, "h/b");
	assert_string_equal(list.items[2].tag, "t");
	assert_true(list.items[3].is_folder);
	assert_string_equal(list.items[3].digest, "sha256:1");
	sb_cache_list_release(&list);
}

static void wrong_forms_say_what_is_wrong(void **state)
{
	static const struct {
		bool is_to;
		const char *text;
		const char *part;
	} cases[] = {
		{true, "", "empty"},
		{true, "ref=a", "type is missing"},
		{true, "type=registry", "type=registry needs ref"},
		{true, "type=local", "type=local needs dest"},
		{false, "type=local", "type=local needs src"},
		{true, "type=local,src=d", "'src' does not go with type=local"},
		{false, "type=local,dest=d", "'dest' does not go with type=local"},
		{true, "type=registry,ref=a,tag=t", "'tag' does not go with type=registry"},
		{true, "type=local,dest=d,digest=sha256:1", "'digest' does not go"},
		{false, "type=local,src=d,tag=t,digest=sha256:1", "a tag or a digest"},
		{false, "type=registry,ref=a,mode=max", "'mode' does not go"},
		{true, "type=registry,ref=a,mode=most", "mode is min or max"},
		{true, "type=registry,ref=a,image-manifest=true,oci-mediatypes=false",
			"does not go with oci-mediatypes=false"},
		{true, "type=registry,ref=a,ignore-error=perhaps", "is true or false"},
		{true, "type=registry,ref=a,compression=lzma", "unknown compression"},
		{true, "type=registry,ref=a,compression-level=99", "compression-level is a number"},
		{true, "type=registry,ref=a,ref=b", "given twice"},
		{true, "type=registry,ref=", "has an empty value"},
		{true, "type=registry,rev=a", "unknown key 'rev'"},
		{true, "type=inline", "'inline' is not in this version"},
		{false, "type=gha,scope=x", "'gha' is not in this version"},
		{false, "type=gha", "'gha' is not in this version"},
		{false, "type=nfs", "unknown type 'nfs'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sb_cache_list list = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal((cases[i].is_to ? sb_cache_to_parse : sb_cache_from_parse)(
					 &list, cases[i].text, &err),
			-1);
		assert_int_equal(err.code, SB_E_USAGE);
		assert_non_null(strstr(err.message, cases[i].part));
		assert_int_equal(list.len, 0);
		sb_cache_list_release(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_buildx_are_read),
		cmocka_unit_test(sources_are_read),
		cmocka_unit_test(wrong_forms_say_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
