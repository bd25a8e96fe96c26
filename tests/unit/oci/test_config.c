/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "oci/config.h"

#define DIFF_ID "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Everything there is, in the order in which it is written. */
static const char full[] =
	"{\"created\":\"2024-01-02T03:04:05Z\",\"author\":\"me\",\"architecture\":\"arm\","
	"\"variant\":\"v7\",\"os\":\"linux\",\"os.version\":\"1.2\",\"config\":{\"User\":\"1:2\","
	"\"ExposedPorts\":{\"443/tcp\":{},\"80/tcp\":{}},\"Env\":[\"B=2\",\"A=1=1\"],"
	"\"Entrypoint\":[\"/init\"],\"Cmd\":[],\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"],"
	"\"Interval\":30000000000,\"Timeout\":1,\"StartPeriod\":2,\"StartInterval\":3,\"Retries\":"
	"4,"
	"\"New\":true},\"ArgsEscaped\":true,\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/w\","
	"\"Labels\":{\"a\":\"x=y\",\"k=1\":\"z\",\"\xc3\xa4\":\"\xe2\x82\xac\"},\"OnBuild\":[\"RUN "
	"x\"],"
	"\"StopSignal\":\"SIGTERM\",\"Shell\":[\"/bin/sh\",\"-c\"],\"Tty\":false},"
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIFF_ID "\"]},"
	"\"history\":[{\"created\":\"2024-01-02T03:04:05Z\",\"created_by\":\"ADD "
	"x\",\"author\":\"me\",\"comment\":\"c\"},"
	"{\"empty_layer\":true}],\"docker_version\":\"20\",\"os.features\":[\"x\"]}";

static struct sb_image_config *parse(const char *json)
{
	struct sb_image_config *config = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_image_config_parse(json, strlen(json), &config, &err) < 0)
		fail_msg("%s: %s", json, err.message);
	return config;
}

static char *written(const struct sb_image_config *config)
{
	struct sb_buf buf;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_image_config_write(config, &buf, &err) < 0)
		fail_msg("%s", err.message);
	return sb_buf_steal(&buf);
}

static void all_fields_survive_a_round_trip(void **state)
{
	SB_AUTO(sb_image_config) config = parse(full);
	sb_autofree char *text = written(config);

	(void)state;
	assert_string_equal(text, full);
}

static void fields_are_read(void **state)
{
	SB_AUTO(sb_image_config) config = parse(full);

	(void)state;
	assert_string_equal(config->created, "2024-01-02T03:04:05Z");
	assert_string_equal(config->platform.architecture, "arm");
	assert_string_equal(config->platform.variant, "v7");
	assert_string_equal(config->os_version, "1.2");
	assert_string_equal(config->user, "1:2");
	assert_int_equal(config->env.len, 2);
	assert_string_equal(sb_env_get(&config->env, "A"), "1=1");
	assert_true(config->has_entrypoint);
	assert_int_equal(config->entrypoint.len, 1);
	assert_true(config->has_cmd);
	assert_int_equal(config->cmd.len, 0);
	assert_true(config->args_escaped);
	assert_true(config->has_healthcheck);
	assert_true(config->healthcheck.interval_ns == 30000000000);
	assert_true(config->healthcheck.retries == 4);
	assert_int_equal(config->exposed_ports.len, 2);
	assert_string_equal(config->volumes.items[0], "/data");
	assert_string_equal(config->labels.items[0], "a=x=y");
	assert_string_equal(config->stop_signal, "SIGTERM");
	assert_int_equal(config->diff_ids.len, 1);
	assert_string_equal(config->diff_ids.items[0].text, DIFF_ID);
	assert_int_equal(config->history.len, 2);
	assert_string_equal(config->history.items[0].created_by, "ADD x");
	assert_null(config->history.items[1].created);
	assert_true(config->history.items[1].is_empty_layer);
}

static void a_copy_is_deep_and_equal(void **state)
{
	struct sb_image_config *config = parse(full);
	SB_AUTO(sb_image_config) copy = sb_image_config_dup(config);

	(void)state;
	sb_env_set(&config->env, "A", "changed");
	sb_image_config_free(config);

	sb_autofree char *text = written(copy);

	assert_string_equal(text, full);
}

static void missing_and_null_fields_are_defaults(void **state)
{
	static const char *const cases[] = {
		"{}",
		"{\"config\":null,\"rootfs\":null,\"history\":null}",
		"{\"config\":{\"User\":null,\"Env\":null,\"Cmd\":null,\"Entrypoint\":null,"
		"\"Labels\":null,\"Volumes\":null,\"ExposedPorts\":null,\"OnBuild\":null,"
		"\"Healthcheck\":null,\"ArgsEscaped\":null,\"WorkingDir\":null},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null},\"created\":null}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO(sb_image_config) config = parse(cases[i]);
		sb_autofree char *text = written(config);

		assert_string_equal(config->user, "");
		assert_string_equal(config->working_dir, "");
		assert_false(config->has_entrypoint);
		assert_false(config->has_cmd);
		assert_false(config->has_healthcheck);
		assert_null(config->created);
		assert_string_equal(
			text, "{\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
	}
}

static void a_command_that_is_a_string_is_one_word(void **state)
{
	SB_AUTO(sb_image_config) config = parse("{\"config\":{\"Cmd\":\"a b\"}}");

	(void)state;
	assert_true(config->has_cmd);
	assert_int_equal(config->cmd.len, 1);
	assert_string_equal(config->cmd.items[0], "a b");
}

static void lists_that_are_maps_are_written_sorted(void **state)
{
	SB_AUTO(sb_image_config) config = sb_image_config_new();

	(void)state;
	sb_env_set(&config->labels, "z", "1");
	sb_env_set(&config->labels, "a", "2");
	sb_strv_add(&config->volumes, "/z");
	sb_strv_add(&config->volumes, "/a");

	sb_autofree char *text = written(config);

	assert_non_null(strstr(text, "\"Volumes\":{\"/a\":{},\"/z\":{}}"));
	assert_non_null(strstr(text, "\"Labels\":{\"a\":\"2\",\"z\":\"1\"}"));
}

static void text_that_is_not_utf8_is_refused_by_name(void **state)
{
	SB_AUTO(sb_image_config) config = sb_image_config_new();
	struct sb_buf buf;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	sb_strv_add(&config->env, "A=\xff");
	assert_int_equal(sb_image_config_write(config, &buf, &err), -1);
	assert_int_equal(err.code, SB_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "'Env'"));
}

static void broken_configs_are_refused_and_the_field_named(void **state)
{
	static const struct {
		const char *json;
		enum sb_code code;
		const char *says;
	} cases[] = {
		{"", SB_E_INTEGRITY, "JSON"},
		{"{", SB_E_INTEGRITY, "JSON"},
		{"[]", SB_E_INTEGRITY, "object"},
		{"null", SB_E_INTEGRITY, "object"},
		{"{}x", SB_E_INTEGRITY, "JSON"},
		{"{\"a\":1,\"a\":2}", SB_E_INTEGRITY, "twice"},
		{"{\"author\":\"\\u0000\"}", SB_E_INTEGRITY, "JSON"},
		{"{\"author\":\"\xff\"}", SB_E_INTEGRITY, "JSON"},
		{"{\"created\":1}", SB_E_INTEGRITY, "'created'"},
		{"{\"config\":[]}", SB_E_INTEGRITY, "'config'"},
		{"{\"config\":{\"Env\":\"A=1\"}}", SB_E_INTEGRITY, "'Env'"},
		{"{\"config\":{\"Env\":[1]}}", SB_E_INTEGRITY, "'Env'"},
		{"{\"config\":{\"Labels\":{\"a\":1}}}", SB_E_INTEGRITY, "'Labels'"},
		{"{\"config\":{\"Volumes\":[\"/a\"]}}", SB_E_INTEGRITY, "'Volumes'"},
		{"{\"config\":{\"ArgsEscaped\":1}}", SB_E_INTEGRITY, "'ArgsEscaped'"},
		{"{\"config\":{\"Healthcheck\":{\"Interval\":\"3s\"}}}", SB_E_INTEGRITY,
			"'Interval'"},
		{"{\"config\":{\"Healthcheck\":{\"Retries\":99999999999999999999}}}",
			SB_E_INTEGRITY, "JSON"},
		{"{\"rootfs\":{\"type\":\"tar\"}}", SB_E_UNSUPPORTED, "'tar'"},
		{"{\"rootfs\":{\"diff_ids\":[\"abc\"]}}", SB_E_INTEGRITY, "diff_id 1"},
		{"{\"history\":{}}", SB_E_INTEGRITY, "'history'"},
		{"{\"history\":[1]}", SB_E_INTEGRITY, "history entry 1"},
		{"{\"os\":\"0123456789012345678901234567890123456789\"}", SB_E_INTEGRITY, "'os'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO(sb_image_config) config = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_image_config_parse(cases[i].json, strlen(cases[i].json), &config, &err) == 0)
			fail_msg("taken: %s", cases[i].json);
		assert_int_equal(err.code, cases[i].code);
		if (strstr(err.message, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].json, err.message);
		assert_null(config);
	}
}

static void errors_do_not_quote_the_document(void **state)
{
	static const char json[] = "{\"config\":{\"Env\":[\"TOKEN=hunter2hunter2\" oops]}}";
	SB_AUTO(sb_image_config) config = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_image_config_parse(json, strlen(json), &config, &err), -1);
	assert_null(strstr(err.message, "hunter2"));
	assert_null(strstr(err.message, "oops"));
}

static void deep_nesting_and_endless_input_end_in_an_error(void **state)
{
	enum { DEPTH = 200000 };
	sb_autofree char *deep = sb_malloc(DEPTH + 1);
	SB_AUTO(sb_image_config) config = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	memset(deep, '[', DEPTH);
	deep[DEPTH] = '\0';
	assert_int_equal(sb_image_config_parse(deep, DEPTH, &config, &err), -1);
	assert_int_equal(err.code, SB_E_INTEGRITY);
	sb_error_release(&err);
	assert_int_equal(sb_image_config_parse(deep, (size_t)64 << 20, &config, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_fields_survive_a_round_trip),
		cmocka_unit_test(fields_are_read),
		cmocka_unit_test(a_copy_is_deep_and_equal),
		cmocka_unit_test(missing_and_null_fields_are_defaults),
		cmocka_unit_test(a_command_that_is_a_string_is_one_word),
		cmocka_unit_test(lists_that_are_maps_are_written_sorted),
		cmocka_unit_test(text_that_is_not_utf8_is_refused_by_name),
		cmocka_unit_test(broken_configs_are_refused_and_the_field_named),
		cmocka_unit_test(errors_do_not_quote_the_document),
		cmocka_unit_test(deep_nesting_and_endless_input_end_in_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
