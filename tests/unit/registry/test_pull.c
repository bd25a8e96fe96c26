/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "fake_registry.h"
#include "fake_server.h"
#include "registry/pull_within.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"

static const struct sb_http_limits quick = {.connect_timeout_ms = 5000,
	.stall_bytes_per_s = 1000,
	.stall_s = 1,
	.n_tries = 4,
	.first_delay_ms = 1,
	.max_delay_ms = 10};

static int pull(struct world *world, const char *name, const struct sb_pull_options *options,
	struct sb_descriptor *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	sb_autofree char *text =
		sb_asprintf("127.0.0.1:%u/a/b%s", fake_server_port(world->server), name);
	SB_AUTO_ERROR parsed = SB_ERROR_INIT;

	assert_int_equal(sb_reference_parse(text, &ref, &parsed), 0);
	return sb_registry_pull_within(&ref, options, &quick, world->layout, out, err);
}

static struct sb_pull_options for_amd64(void)
{
	static const struct sb_platform amd64 = {.os = "linux", .architecture = "amd64"};

	return (struct sb_pull_options){.want = &amd64};
}

/* All blobs, and nothing half-made beside them. */
static size_t count_files(const struct world *world, const char *folder)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;

	if (sb_at_open_dir(world->folder_fd, folder, SB_AT_NO_LINKS, &fd, &err) < 0)
		return 0;
	assert_int_equal(sb_tree_list(fd, &names, &err), 0);
	return names.len;
}

static void assert_whole(struct world *world, const struct sb_descriptor *got)
{
	SB_AUTO_BUF layer = SB_BUF_INIT(LAYER_BYTES);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofd int fd = -1;

	assert_string_equal(got->digest.text, world->manifest_digest.text);
	assert_string_equal(got->media_type, SB_MEDIA_OCI_MANIFEST);
	assert_int_equal(got->size_bytes, strlen(world->manifest));
	assert_int_equal(count_files(world, "blobs/sha256"), 3);
	assert_int_equal(count_files(world, "tmp"), 0);
	assert_int_equal(sb_layout_open_blob(world->layout, &world->layer_digest, &fd, &err), 0);
	assert_int_equal(sb_fd_read_all(fd, &layer, &err), 0);
	assert_int_equal(layer.len, LAYER_BYTES);
	assert_memory_equal(layer.data, world->layer, LAYER_BYTES);
}

static void an_image_arrives_whole_in_spite_of(void **state)
{
	static const struct {
		enum fault fault;
		unsigned n_manifests, n_layers, n_ranges, n_tokens;
	} cases[] = {
		{NONE, 1, 1, 0, 0},
		{AS_INDEX, 2, 1, 0, 0},
		{LAYER_BREAKS_ONCE, 1, 2, 1, 0},
		{LAYER_BREAKS_ONCE_AND_NO_RANGES, 1, 2, 0, 0},
		{LAYER_BREAKS_ONCE_AND_RANGE_REFUSED, 1, 3, 1, 0},
		{BUSY_ONCE, 2, 1, 0, 0},
		{WANTS_TOKEN, 1, 1, 0, 1},
		{WANTS_TOKEN_THAT_RUNS_OUT, 1, 1, 0, 2},
		{LAYER_ELSEWHERE, 1, 1, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sb_pull_options options = for_amd64();
		struct world world;
		SB_AUTO_VALUE(sb_descriptor) got = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		world_open(&world, cases[i].fault);
		if (pull(&world, ":1", &options, &got, &err) < 0)
			fail_msg("%zu: %s", i, err.message);
		world_stop_servers(&world);
		assert_whole(&world, &got);
		assert_int_equal(world.n_manifests, cases[i].n_manifests);
		assert_int_equal(world.n_layers, cases[i].n_layers);
		assert_int_equal(world.n_tokens, cases[i].n_tokens);
		if (cases[i].fault != LAYER_BREAKS_ONCE_AND_NO_RANGES)
			assert_int_equal(world.n_ranges, cases[i].n_ranges);
		assert_int_equal(world.n_secrets_elsewhere, 0);
		assert_int_equal(world.n_elsewhere, cases[i].fault == LAYER_ELSEWHERE ? 1 : 0);
		world_close(&world);
	}
}

/* More breaks than tries, yet each try came a good way further. */
static void a_poor_connection_gets_there_in_the_end(void **state)
{
	const struct sb_pull_options options = for_amd64();
	struct world world;
	SB_AUTO_VALUE(sb_descriptor) got = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	world_open(&world, LAYER_BREAKS_AFTER_EACH_MIB);
	assert_int_equal(pull(&world, ":1", &options, &got, &err), 0);
	world_stop_servers(&world);
	assert_whole(&world, &got);
	assert_true(world.n_ranges >= 2);
	world_close(&world);
}

static void nothing_is_kept_of_what_is_wrong(void **state)
{
	static const struct {
		enum fault fault;
		enum sb_code code;
		const char *words;
		unsigned n_requests; /* of the layer or, where there are none, the manifest; 0: any
				      */
	} cases[] = {
		{LAYER_CHANGED, SB_E_INTEGRITY, "other content", 1},
		{LAYER_SHORT, SB_E_INTEGRITY, "ends after 3145727 of 3145728", 1},
		{LAYER_LONG, SB_E_INTEGRITY, "more than the 3145728 bytes", 1},
		{LAYER_ENDLESS, SB_E_INTEGRITY, "more than the 3145728 bytes", 1},
		{LAYER_MISSING, SB_E_INTEGRITY, "incomplete in its registry", 1},
		{LAYER_BREAKS_ONCE_AND_WRONG_RANGE, SB_E_INTEGRITY, "range", 2},
		{LAYER_BREAKS_ALWAYS, SB_E_NETWORK, "after 4 tries", 4},
		{LAYER_STALLS, SB_E_NETWORK, "too slow", 0},
		{LAYER_ELSEWHERE_IN_CLEAR, SB_E_NETWORK, "plain http", 1},
		{LAYER_IN_CIRCLES, SB_E_NETWORK, "more than 5 times", 6},
		{LAYER_IS_FILE, SB_E_NETWORK, "scheme 'file'", 1},
		{LAYER_FOREIGN, SB_E_UNSUPPORTED, "foreign", 1},
		{CONFIG_OF_CHART, SB_E_UNSUPPORTED, "not a container image", 1},
		{CONFIG_OF_NO_LAYER, SB_E_INTEGRITY, "has 1 layers, the config names 0", 1},
		{CONFIG_CUT, SB_E_INTEGRITY, "not valid JSON", 1},
		{INDEX_OF_OTHER_SIZE, SB_E_INTEGRITY, "its index says", 2},
		{INDEX_IN_INDEX, SB_E_UNSUPPORTED, "index within an index", 2},
		{BUSY_ALWAYS, SB_E_NETWORK, "too many requests", 4},
		{IMAGE_MISSING, SB_E_NOT_FOUND, "(MANIFEST_UNKNOWN: gone\\x1b[31m)", 1},
		{MANIFEST_OF_SCHEMA_1, SB_E_UNSUPPORTED, "schema 1", 1},
		{MANIFEST_CHANGED, SB_E_INTEGRITY, "names the manifest", 1},
		{MANIFEST_HUGE, SB_E_LIMIT, "more than 8388608 bytes", 1},
		{HEADERS_ENDLESS, SB_E_LIMIT, "65536 bytes of headers", 0},
		{HEADERS_INFORMATIONAL_ENDLESS, SB_E_LIMIT, "65536 bytes of headers", 0},
		{WANTS_TOKEN_AND_REFUSES_IT, SB_E_AUTH, "let everyone read", 0},
		{WANTS_TOKEN_FROM_STRANGER, SB_E_NETWORK, "plain http", 0},
		{WANTS_PASSWORD, SB_E_AUTH, "user name and a password", 0},
		{ECHOES_TOKEN, SB_E_AUTH, "let everyone read", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sb_pull_options options = for_amd64();
		struct world world;
		SB_AUTO_VALUE(sb_descriptor) got = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		world_open(&world, cases[i].fault);
		assert_int_equal(pull(&world, ":1", &options, &got, &err), -1);
		world_stop_servers(&world);
		if (err.code != cases[i].code || strstr(err.message, cases[i].words) == NULL)
			fail_msg("%zu: %s", i, err.message);
		assert_null(strstr(err.message, TOKEN));
		assert_null(strstr(err.message, "hidden"));
		assert_non_null(strstr(err.message, "/a/b:1'"));
		assert_false(sb_layout_has_blob(world.layout, &world.layer_digest));
		assert_false(sb_layout_has_blob(world.layout, &world.manifest_digest));
		assert_int_equal(count_files(&world, "tmp"), 0);
		if (cases[i].n_requests != 0)
			assert_int_equal(world.n_layers != 0 ? world.n_layers : world.n_manifests,
				cases[i].n_requests);
		world_close(&world);
	}
}

static void blobs_that_are_there_are_not_fetched_again(void **state)
{
	const struct sb_pull_options options = for_amd64();
	struct world world;
	SB_AUTO_VALUE(sb_descriptor) got = {0};
	SB_AUTO_VALUE(sb_descriptor) again = {0};
	SB_AUTO_VALUE(sb_descriptor) by_digest = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	world_open(&world, AS_INDEX);
	assert_int_equal(pull(&world, ":1", &options, &got, &err), 0);
	assert_int_equal(pull(&world, ":1", &options, &again, &err), 0);

	sb_autofree char *name = sb_asprintf("@%s", world.manifest_digest.text);

	assert_int_equal(pull(&world, name, &options, &by_digest, &err), 0);
	world_stop_servers(&world);
	assert_whole(&world, &again);
	assert_whole(&world, &by_digest);
	assert_int_equal(world.n_layers, 1);
	assert_int_equal(world.n_manifests, 3); /* index and manifest, index, none */
	world_close(&world);
}

static void a_digest_in_the_reference_must_be_what_comes(void **state)
{
	static const struct {
		enum fault fault;
		bool of_index;
	} cases[] = {{NONE, false}, {AS_INDEX, true}};
	const struct sb_pull_options options = for_amd64();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world;
		SB_AUTO_VALUE(sb_descriptor) got = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		world_open(&world, cases[i].fault);

		sb_autofree char *right = sb_asprintf(":1@%s",
			cases[i].of_index ? world.index_digest.text : world.manifest_digest.text);
		sb_autofree char *wrong = sb_asprintf(":1@%s", world.layer_digest.text);

		assert_int_equal(pull(&world, wrong, &options, &got, &err), -1);
		assert_int_equal(err.code, SB_E_INTEGRITY);
		sb_error_release(&err);
		if (pull(&world, right, &options, &got, &err) < 0)
			fail_msg("%s", err.message);
		assert_whole(&world, &got);
		world_close(&world);
	}
}

static void a_platform_that_is_not_there_is_named(void **state)
{
	static const struct sb_platform riscv = {.os = "linux", .architecture = "riscv64"};
	const struct sb_pull_options options = {.want = &riscv};
	struct world world;
	SB_AUTO_VALUE(sb_descriptor) got = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	world_open(&world, AS_INDEX);
	assert_int_equal(pull(&world, ":1", &options, &got, &err), -1);
	assert_int_equal(err.code, SB_E_NOT_FOUND);
	assert_non_null(strstr(err.message, "linux/s390x"));
	world_close(&world);
}

struct seen {
	unsigned n_calls;
	unsigned cancel_at;
	uint64_t done, total;
};

static bool on_progress(void *data, const char *what, uint64_t done, uint64_t total)
{
	struct seen *seen = data;

	assert_non_null(what);
	assert_true(total == 0 || done <= total);
	seen->done = done;
	seen->total = total;
	return ++seen->n_calls != seen->cancel_at;
}

static void progress_ends_at_the_total(void **state)
{
	struct sb_pull_options options = for_amd64();
	struct seen seen = {0};
	struct world world;
	SB_AUTO_VALUE(sb_descriptor) got = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	options.on_progress = on_progress;
	options.data = &seen;
	world_open(&world, NONE);
	assert_int_equal(pull(&world, ":1", &options, &got, &err), 0);
	assert_int_equal(seen.total, LAYER_BYTES + strlen(world.config));
	assert_int_equal(seen.done, seen.total);
	assert_in_range(seen.n_calls, 4, 100);
	world_close(&world);
}

static void a_pull_can_be_cancelled_at_any_report(void **state)
{
	(void)state;
	for (unsigned at = 1; at <= 4; at++) {
		struct sb_pull_options options = for_amd64();
		struct seen seen = {.cancel_at = at};
		struct world world;
		SB_AUTO_VALUE(sb_descriptor) got = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		options.on_progress = on_progress;
		options.data = &seen;
		world_open(&world, at == 4 ? LAYER_STALLS : NONE);
		assert_int_equal(pull(&world, ":1", &options, &got, &err), -1);
		assert_int_equal(err.code, SB_E_CANCELLED);
		assert_false(sb_layout_has_blob(world.layout, &world.manifest_digest));
		assert_int_equal(count_files(&world, "tmp"), 0);
		world_close(&world);
	}
}

static void a_registry_that_is_not_there_is_named_with_a_way_out(void **state)
{
	const struct sb_pull_options options = for_amd64();
	struct world world;
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_VALUE(sb_descriptor) got = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	world_open(&world, NONE);

	sb_autofree char *text = sb_asprintf("127.0.0.1:%u/a", fake_server_port(world.server));

	world_stop_servers(&world);
	assert_int_equal(sb_reference_parse(text, &ref, &err), 0);
	assert_int_equal(
		sb_registry_pull_within(&ref, &options, &quick, world.layout, &got, &err), -1);
	assert_int_equal(err.code, SB_E_NETWORK);
	assert_non_null(strstr(err.message, "registry '127.0.0.1:"));
	assert_non_null(strstr(err.hint, "oci-layout://"));
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_arrives_whole_in_spite_of),
		cmocka_unit_test(a_poor_connection_gets_there_in_the_end),
		cmocka_unit_test(nothing_is_kept_of_what_is_wrong),
		cmocka_unit_test(blobs_that_are_there_are_not_fetched_again),
		cmocka_unit_test(a_digest_in_the_reference_must_be_what_comes),
		cmocka_unit_test(a_platform_that_is_not_there_is_named),
		cmocka_unit_test(progress_ends_at_the_total),
		cmocka_unit_test(a_pull_can_be_cancelled_at_any_report),
		cmocka_unit_test(a_registry_that_is_not_there_is_named_with_a_way_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
