/* SPDX-License-Identifier: MIT */
#include "../sys/temp.h"

#include "base/limits.h"
#include "base/mem.h"
#include "sandbox/spec.h"
#include "sys/channel.h"

#define SPEC __attribute__((cleanup(sb_step_spec_release))) struct sb_step_spec
#define RESULT __attribute__((cleanup(sb_step_result_release))) struct sb_step_result

/* The numbers are never used as descriptors here. */
enum { LAYERS_FD = 1003, STDOUT_FD, STDERR_FD, TREE_FD, SECRET_FD, AGENT_FD, N_FDS = 6 };

static const struct sb_step_mount mounts[] = {
	{.kind = SB_STEP_MOUNT_TREE,
		.target = (char *)(uintptr_t) "/src",
		.is_readonly = true,
		.fd = TREE_FD},
	{.kind = SB_STEP_MOUNT_TMPFS,
		.target = (char *)(uintptr_t) "/tmp",
		.mode = 01777,
		.size_bytes = UINT64_C(5) << 40,
		.fd = -1},
	{.kind = SB_STEP_MOUNT_SECRET,
		.target = (char *)(uintptr_t) "/run/secrets/a b\n",
		.is_file = true,
		.mode = 0400,
		.uid = UINT32_MAX - 1,
		.gid = 7,
		.fd = SECRET_FD},
	{.kind = SB_STEP_MOUNT_FILE,
		.target = (char *)(uintptr_t) "/etc/hosts",
		.is_file = true,
		.mode = 0644,
		.content = (char *)(uintptr_t) "",
		.fd = -1},
	{.kind = SB_STEP_MOUNT_AGENT,
		.target = (char *)(uintptr_t) "/run/buildkit/ssh_agent.0",
		.is_file = true,
		.is_readonly = true,
		.is_raw = true,
		.mode = 0600,
		.uid = 1000,
		.fd = AGENT_FD},
};

static void add_mount(struct sb_step_spec *spec, const struct sb_step_mount *mount)
{
	struct sb_step_mount *added = SB_ARRAY_ADD(&spec->mounts);

	*added = *mount;
	added->target = sb_strdup_or_null(mount->target);
	added->content = sb_strdup_or_null(mount->content);
}

static struct sb_step_spec full_spec(void)
{
	struct sb_step_spec spec = SB_STEP_SPEC_INIT;

	sb_strv_add(&spec.argv, "/bin/sh");
	sb_strv_add(&spec.argv, "");
	sb_strv_add(&spec.argv, "echo \"\xff\xfe\n'\"");
	sb_strv_add(&spec.env, "PATH=/bin");
	sb_strv_add(&spec.env, "EMPTY=");
	spec.cwd = sb_strdup("/work");
	spec.hostname = sb_strdup("host");
	spec.uid = 1000;
	spec.gid = UINT32_MAX - 1;
	*SB_ARRAY_ADD(&spec.groups) = 10;
	*SB_ARRAY_ADD(&spec.groups) = 0;
	spec.ids = (struct sb_idmap){1, 2, 65536, 65535};
	spec.no_new_privs = true;
	spec.is_32bit = true;
	spec.network = SB_STEP_NET_USER;
	spec.shm_bytes = 12345;
	sb_strv_add(&spec.lowers, "layers/a");
	sb_strv_add(&spec.lowers, "layers/b,c:d\\e");
	spec.upper = sb_strdup("builds/x/1/diff");
	spec.work = sb_strdup("builds/x/1/work");
	for (size_t i = 0; i < N_OF(mounts); i++)
		add_mount(&spec, &mounts[i]);
	spec.layers_fd = LAYERS_FD;
	spec.stdout_fd = STDOUT_FD;
	spec.stderr_fd = STDERR_FD;
	return spec;
}

struct encoded {
	struct sb_buf bytes;
	int fds[SB_CHANNEL_MAX_FDS];
	size_t n_fds;
};

static void encoded_release(struct encoded *e)
{
	sb_buf_release(&e->bytes);
}
#define ENCODED __attribute__((cleanup(encoded_release))) struct encoded

static struct encoded encode(const struct sb_step_spec *spec)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct encoded e = {.bytes = SB_BUF_INIT(SB_MAX_STEP_MESSAGE)};

	assert_int_equal(sb_step_spec_encode(spec, &e.bytes, e.fds, &e.n_fds, &err), 0);
	return e;
}

/* Decodes from memory of exactly that size, so that reading past its end is seen by a sanitizer.
 * The code; what was decoded is encoded once more, which must not fail. */
static enum sb_code decode(const char *bytes, size_t len, const int *fds, size_t n_fds)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SPEC spec = SB_STEP_SPEC_INIT;
	char *exact = malloc(len > 0 ? len : 1);

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	spec.shm_bytes = 4711;

	const int rc = sb_step_spec_decode(exact, len, fds, n_fds, &spec, &err);

	free(exact);
	if (rc == 0) {
		ENCODED again = encode(&spec);

		assert_false(sb_error_is_set(&err));
		assert_int_equal(again.n_fds, n_fds);
		return SB_OK;
	}
	assert_string_equal(err.message, "a step's description does not fit");
	assert_int_equal(spec.shm_bytes, 4711); /* outputs are written only on success */
	assert_int_equal(spec.argv.len, 0);
	return err.code;
}

static void assert_lists_equal(const struct sb_strv *a, const struct sb_strv *b)
{
	assert_int_equal(a->len, b->len);
	for (size_t i = 0; i < a->len; i++)
		assert_string_equal(a->items[i], b->items[i]);
}

static void assert_mounts_equal(const struct sb_step_mount *a, const struct sb_step_mount *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_string_equal(a->target, b->target);
	assert_int_equal(a->is_file, b->is_file);
	assert_int_equal(a->is_readonly, b->is_readonly);
	assert_int_equal(a->is_raw, b->is_raw);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->size_bytes, b->size_bytes);
	assert_int_equal(a->content != NULL, b->content != NULL);
	if (a->content != NULL)
		assert_string_equal(a->content, b->content);
	assert_int_equal(a->fd, b->fd);
}

static void a_step_arrives_as_it_was_sent(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SPEC sent = full_spec();
	SPEC got = SB_STEP_SPEC_INIT;
	ENCODED e = encode(&sent);

	(void)state;
	assert_int_equal(e.n_fds, N_FDS);
	for (int i = 0; i < N_FDS; i++)
		assert_int_equal(e.fds[i], LAYERS_FD + i);
	assert_int_equal(
		sb_step_spec_decode(e.bytes.data, e.bytes.len, e.fds, e.n_fds, &got, &err), 0);
	assert_lists_equal(&got.argv, &sent.argv);
	assert_lists_equal(&got.env, &sent.env);
	assert_lists_equal(&got.lowers, &sent.lowers);
	assert_string_equal(got.cwd, sent.cwd);
	assert_string_equal(got.hostname, sent.hostname);
	assert_string_equal(got.upper, sent.upper);
	assert_string_equal(got.work, sent.work);
	assert_int_equal(got.uid, sent.uid);
	assert_int_equal(got.gid, sent.gid);
	assert_int_equal(got.groups.len, 2);
	assert_int_equal(got.groups.items[0], 10);
	assert_int_equal(got.groups.items[1], 0);
	assert_memory_equal(&got.ids, &sent.ids, sizeof(got.ids));
	assert_false(got.single_id);
	assert_true(got.no_new_privs);
	assert_true(got.is_32bit);
	assert_int_equal(got.network, SB_STEP_NET_USER);
	assert_int_equal(got.shm_bytes, 12345);
	assert_int_equal(got.layers_fd, LAYERS_FD);
	assert_int_equal(got.stdout_fd, STDOUT_FD);
	assert_int_equal(got.stderr_fd, STDERR_FD);
	assert_int_equal(got.mounts.len, N_OF(mounts));
	for (size_t i = 0; i < N_OF(mounts); i++)
		assert_mounts_equal(&got.mounts.items[i], &mounts[i]);
}

static void streams_of_a_program_that_is_run_arrive(void **state)
{
	SPEC spec = full_spec();
	SPEC got = SB_STEP_SPEC_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	spec.stdin_fd = AGENT_FD + 1;
	spec.stdout_fd = spec.stderr_fd = -1;
	spec.terminal_fd = AGENT_FD + 2;
	spec.terminal_rows = 25;
	spec.terminal_columns = 65535;
	sb_strv_add(&spec.publish, "80:80");
	sb_strv_add(&spec.publish, "{}");

	ENCODED e = encode(&spec);

	assert_int_equal(
		sb_step_spec_decode(e.bytes.data, e.bytes.len, e.fds, e.n_fds, &got, &err), 0);
	assert_int_equal(got.stdin_fd, spec.stdin_fd);
	assert_int_equal(got.stdout_fd, -1);
	assert_int_equal(got.terminal_fd, spec.terminal_fd);
	assert_int_equal(got.terminal_rows, 25);
	assert_int_equal(got.terminal_columns, 65535);
	assert_int_equal(got.publish.len, 2);
	assert_string_equal(got.publish.items[1], "{}");
}

static void a_message_of_another_length_is_refused(void **state)
{
	SPEC spec = full_spec();
	ENCODED e = encode(&spec);
	sb_autofree char *longer = sb_memdup0(e.bytes.data, e.bytes.len);

	(void)state;
	for (size_t len = 0; len < e.bytes.len; len++)
		assert_int_equal(decode(e.bytes.data, len, e.fds, e.n_fds), SB_E_BUG);
	assert_int_equal(decode(e.bytes.data, e.bytes.len, e.fds, e.n_fds), SB_OK);
	assert_int_equal(decode(longer, e.bytes.len + 1, e.fds, e.n_fds), SB_E_BUG);
}

static void descriptors_that_do_not_fit_are_refused(void **state)
{
	SPEC spec = full_spec();
	ENCODED e = encode(&spec);

	(void)state;
	for (size_t n = 0; n < N_FDS; n++)
		assert_int_equal(decode(e.bytes.data, e.bytes.len, e.fds, n), SB_E_BUG);
	e.fds[N_FDS] = 1000;
	assert_int_equal(decode(e.bytes.data, e.bytes.len, e.fds, N_FDS + 1), SB_E_BUG);
}

static void a_flipped_bit_is_refused_or_is_another_step(void **state)
{
	SPEC spec = full_spec();
	ENCODED e = encode(&spec);
	size_t n_refused = 0;

	(void)state;
	for (size_t bit = 0; bit < e.bytes.len * 8; bit++) {
		e.bytes.data[bit / 8] ^= (char)(1 << bit % 8);

		const enum sb_code code = decode(e.bytes.data, e.bytes.len, e.fds, e.n_fds);

		assert_true(code == SB_OK || code == SB_E_BUG);
		n_refused += code != SB_OK;
		e.bytes.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_true(n_refused > e.bytes.len);
}

static void huge_counts_and_lengths_are_refused(void **state)
{
	SPEC spec = full_spec();
	ENCODED e = encode(&spec);
	const uint64_t numbers[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_MAX / 8, UINT64_C(1) << 63,
		UINT64_C(1) << 61, UINT64_C(1) << 32, UINT32_MAX, e.bytes.len, e.bytes.len / 8};

	(void)state;
	/* Wherever they stand, also across two fields. */
	for (size_t at = 0; at + sizeof(uint64_t) <= e.bytes.len; at++) {
		char saved[sizeof(uint64_t)];

		memcpy(saved, e.bytes.data + at, sizeof(saved));
		for (size_t i = 0; i < N_OF(numbers); i++) {
			memcpy(e.bytes.data + at, &numbers[i], sizeof(numbers[i]));

			const enum sb_code code = decode(e.bytes.data, e.bytes.len, e.fds, e.n_fds);

			assert_true(code == SB_OK || code == SB_E_BUG);
			if (at == 0) /* how many arguments there are */
				assert_int_equal(code, SB_E_BUG);
		}
		memcpy(e.bytes.data + at, saved, sizeof(saved));
	}
}

static void noise_is_refused(void **state)
{
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
	const int fds[] = {1, 2, 3, 4};

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		uint64_t words[64];

		for (size_t i = 0; i < N_OF(words); i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			/* Small numbers among them, which pass for lengths. */
			words[i] = (seed & 1) != 0 ? seed : seed >> 60;
		}
		assert_int_equal(
			decode((const char *)words, seed % sizeof(words), fds, seed % 5), SB_E_BUG);
	}
}

static void lose_argv(struct sb_step_spec *spec)
{
	sb_strv_clear(&spec->argv);
}
static void lose_cwd(struct sb_step_spec *spec)
{
	free(spec->cwd);
	spec->cwd = NULL;
}
static void lose_hostname(struct sb_step_spec *spec)
{
	free(spec->hostname);
	spec->hostname = NULL;
}
static void lose_upper(struct sb_step_spec *spec)
{
	free(spec->upper);
	spec->upper = NULL;
}
static void lose_work(struct sb_step_spec *spec)
{
	free(spec->work);
	spec->work = NULL;
}
static void lose_layers(struct sb_step_spec *spec)
{
	spec->layers_fd = -1;
}
static void lose_stdout(struct sb_step_spec *spec)
{
	spec->stdout_fd = -1;
}
static void lose_stderr(struct sb_step_spec *spec)
{
	spec->stderr_fd = -1;
}
static void lose_trees_fd(struct sb_step_spec *spec)
{
	spec->mounts.items[0].fd = -1;
}
static void lose_secrets_fd(struct sb_step_spec *spec)
{
	spec->mounts.items[2].fd = -1;
}
static void lose_agents_fd(struct sb_step_spec *spec)
{
	spec->mounts.items[4].fd = -1;
}
static void lose_files_content(struct sb_step_spec *spec)
{
	free(spec->mounts.items[3].content);
	spec->mounts.items[3].content = NULL;
}
static void lose_target(struct sb_step_spec *spec)
{
	free(spec->mounts.items[1].target);
	spec->mounts.items[1].target = NULL;
}
static void strange_network(struct sb_step_spec *spec)
{
	spec->network = (enum sb_step_network)(SB_STEP_NET_USER + 1);
}
static void strange_kind(struct sb_step_spec *spec)
{
	spec->mounts.items[1].kind = (enum sb_step_mount_kind)(SB_STEP_MOUNT_AGENT + 1);
}

static void what_a_step_can_not_do_without_is_asked_for(void **state)
{
	static void (*const losses[])(struct sb_step_spec *) = {lose_argv, lose_cwd, lose_hostname,
		lose_upper, lose_work, lose_layers, lose_stdout, lose_stderr, lose_trees_fd,
		lose_secrets_fd, lose_agents_fd, lose_files_content, lose_target, strange_network,
		strange_kind};

	(void)state;
	for (size_t i = 0; i < N_OF(losses); i++) {
		SPEC spec = full_spec();

		losses[i](&spec);

		ENCODED e = encode(&spec);

		assert_int_equal(decode(e.bytes.data, e.bytes.len, e.fds, e.n_fds), SB_E_BUG);
	}
}

/* 2^32 + 1 must not pass for 1. */
static void an_enums_value_is_not_cut_to_fit(void **state)
{
	static const uint64_t large = (UINT64_C(1) << 32) + SB_STEP_MOUNT_TMPFS;
	SPEC spec = full_spec();
	SPEC other = full_spec();
	size_t n_places = 0;

	(void)state;
	spec.network = SB_STEP_NET_NONE;
	other.network = SB_STEP_NET_HOST;
	spec.mounts.items[3].kind = SB_STEP_MOUNT_TMPFS;

	ENCODED e = encode(&spec);
	ENCODED o = encode(&other);

	/* Where the two messages differ is where such a value stands. */
	for (size_t at = 0; at < e.bytes.len; at++) {
		if (e.bytes.data[at] == o.bytes.data[at])
			continue;
		sb_autofree char *bytes = sb_memdup0(e.bytes.data, e.bytes.len);

		memcpy(bytes + at, &large, sizeof(large));
		assert_int_equal(decode(bytes, e.bytes.len, e.fds, e.n_fds), SB_E_BUG);
		n_places++;
	}
	assert_int_equal(n_places, 2);
}

static void too_many_mounts_for_one_message_are_refused(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
	SPEC spec = full_spec();
	int fds[SB_CHANNEL_MAX_FDS + 1];
	size_t n_fds = 0;

	(void)state;
	while (spec.mounts.len < SB_CHANNEL_MAX_FDS - 3 + 2)
		add_mount(&spec, &mounts[0]); /* two of those that are there have none */
	fds[SB_CHANNEL_MAX_FDS] = 4711;
	assert_int_equal(sb_step_spec_encode(&spec, &bytes, fds, &n_fds, &err), 0);
	assert_int_equal(n_fds, SB_CHANNEL_MAX_FDS);
	assert_int_equal(decode(bytes.data, bytes.len, fds, n_fds), SB_OK);
	add_mount(&spec, &mounts[0]);
	sb_buf_clear(&bytes);
	assert_int_equal(sb_step_spec_encode(&spec, &bytes, fds, &n_fds, &err), -1);
	assert_int_equal(err.code, SB_E_LIMIT);
	assert_string_equal(err.message, "a step with more than 247 mounts");
	assert_int_equal(fds[SB_CHANNEL_MAX_FDS], 4711);
}

static void a_step_too_large_for_a_message_is_refused(void **state)
{
	SPEC spec = full_spec();
	ENCODED whole = encode(&spec);

	(void)state;
	for (size_t max = 0; max < whole.bytes.len; max++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_BUF bytes = SB_BUF_INIT(max);
		int fds[SB_CHANNEL_MAX_FDS];
		size_t n_fds = 0;

		assert_int_equal(sb_step_spec_encode(&spec, &bytes, fds, &n_fds, &err), -1);
		assert_int_equal(err.code, SB_E_LIMIT);
	}
}

static void an_answer_arrives_as_it_was_sent(void **state)
{
	static const struct sb_step_result results[] = {
		{.has_run = true},
		{.has_run = true, .status = 255},
		{.has_run = true, .status = 137, .signal = 9},
		{.message = (char *)(uintptr_t) ""},
		{.status = 127, .message = (char *)(uintptr_t) "'x' is not there\nbuy one"},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(results); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
		RESULT got = {0};

		assert_int_equal(sb_step_result_encode(&results[i], &bytes, &err), 0);
		assert_int_equal(sb_step_result_decode(bytes.data, bytes.len, &got, &err), 0);
		assert_int_equal(got.has_run, results[i].has_run);
		assert_int_equal(got.status, results[i].status);
		assert_int_equal(got.signal, results[i].signal);
		assert_int_equal(got.message != NULL, results[i].message != NULL);
		if (got.message != NULL)
			assert_string_equal(got.message, results[i].message);
	}
}

static void a_garbled_answer_is_refused(void **state)
{
	const struct sb_step_result result = {.message = (char *)(uintptr_t) "a message"};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF bytes = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);

	(void)state;
	assert_int_equal(sb_step_result_encode(&result, &bytes, &err), 0);
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		/* Cut there, then with that bit turned. */
		for (unsigned how = 0; how < 2; how++) {
			SB_AUTO_ERROR failed = SB_ERROR_INIT;
			RESULT got = {0};
			const size_t len = how == 0 ? bit / 8 : bytes.len;
			sb_autofree char *exact = malloc(len + 1);

			assert_non_null(exact);
			memcpy(exact, bytes.data, len);
			if (how == 1)
				exact[bit / 8] ^= (char)(1 << bit % 8);

			const int rc = sb_step_result_decode(exact, len, &got, &failed);

			assert_true(rc == 0 || failed.code == SB_E_BUG);
			if (how == 0)
				assert_int_equal(rc, -1);
			if (rc < 0) {
				assert_string_equal(failed.message, "a step's answer does not fit");
				assert_null(got.message);
			}
		}
	}
}

static void an_errors_hint_travels_on_a_second_line(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	(void)sb_fail(&err, SB_E_DENIED, "no");

	sb_autofree char *alone = sb_step_result_text(&err);

	assert_string_equal(alone, "no");
	(void)sb_error_hint(&err, "ask again");

	sb_autofree char *both = sb_step_result_text(&err);

	assert_string_equal(both, "no\nask again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_arrives_as_it_was_sent),
		cmocka_unit_test(streams_of_a_program_that_is_run_arrive),
		cmocka_unit_test(a_message_of_another_length_is_refused),
		cmocka_unit_test(descriptors_that_do_not_fit_are_refused),
		cmocka_unit_test(a_flipped_bit_is_refused_or_is_another_step),
		cmocka_unit_test(huge_counts_and_lengths_are_refused),
		cmocka_unit_test(noise_is_refused),
		cmocka_unit_test(what_a_step_can_not_do_without_is_asked_for),
		cmocka_unit_test(an_enums_value_is_not_cut_to_fit),
		cmocka_unit_test(too_many_mounts_for_one_message_are_refused),
		cmocka_unit_test(a_step_too_large_for_a_message_is_refused),
		cmocka_unit_test(an_answer_arrives_as_it_was_sent),
		cmocka_unit_test(a_garbled_answer_is_refused),
		cmocka_unit_test(an_errors_hint_travels_on_a_second_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
