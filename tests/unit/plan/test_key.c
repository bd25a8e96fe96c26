/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plan/key.h"

/* A RUN that has something of everything; each case changes one thing of it. */
struct material {
	struct sb_platform platform;
	struct sb_strv argv;
	struct sb_strv env;
	struct sb_strv hosts;
	struct sb_mount_flag mount;
	struct sb_run_key run;
};

static void material_init(struct material *m)
{
	*m = (struct material){.platform = {.os = "linux", .architecture = "amd64"}};
	sb_strv_add(&m->argv, "/bin/sh");
	sb_strv_add(&m->argv, "-c");
	sb_strv_add(&m->argv, "make all");
	sb_strv_add(&m->env, "PATH=/bin");
	sb_strv_add(&m->hosts, "10.0.0.1 db");
	m->mount = (struct sb_mount_flag){.type = SB_MOUNT_SECRET,
		.target = (char *)(uintptr_t) "/run/secrets/a",
		.id = (char *)(uintptr_t) "a"};
	m->run = (struct sb_run_key){.scope = {.source_date_epoch = -1},
		.platform = &m->platform,
		.argv = &m->argv,
		.env = &m->env,
		.cwd = "/",
		.user = "",
		.add_hosts = &m->hosts,
		.network = "default"};
	sb_digest_of("parent", 6, &m->run.scope.parent);
	*SB_ARRAY_ADD(&m->run.mounts) = (struct sb_mount_key){.flag = &m->mount, .is_given = true};
}

static void material_release(struct material *m)
{
	sb_strv_release(&m->argv);
	sb_strv_release(&m->env);
	sb_strv_release(&m->hosts);
	SB_ARRAY_RELEASE(&m->run.mounts);
}

static void run_digest(const struct material *m, struct sb_digest *out)
{
	SB_AUTO_VALUE(sb_key) key = SB_KEY_INIT;

	sb_key_of_run(&m->run, &key);
	sb_key_finish(&key, out);
}

static void replace(struct sb_strv *list, size_t i, const char *text)
{
	free(list->items[i]);
	list->items[i] = sb_strdup(text);
}

static void parent(struct material *m)
{
	sb_digest_of("other", 5, &m->run.scope.parent);
}
static void no_parent(struct material *m)
{
	m->run.scope.parent = (struct sb_digest){0};
}
static void single_id(struct material *m)
{
	m->run.scope.is_single_id = true;
}
static void epoch(struct material *m)
{
	m->run.scope.source_date_epoch = 0;
}
static void architecture(struct material *m)
{
	memcpy(m->platform.architecture, "arm64", 6);
}
static void word(struct material *m)
{
	replace(&m->argv, 2, "make  all");
}
static void more_words(struct material *m)
{
	sb_strv_add(&m->argv, "");
}
static void split_word(struct material *m)
{
	replace(&m->argv, 2, "make");
	sb_strv_add(&m->argv, " all");
}
static void script(struct material *m)
{
	m->run.script = "#!/bin/sh\n";
}
static void empty_script(struct material *m)
{
	m->run.script = "";
}
static void value(struct material *m)
{
	replace(&m->env, 0, "PATH=/bin:/x");
}
static void variable(struct material *m)
{
	sb_strv_add(&m->env, "A=1");
}
static void moved_variable(struct material *m)
{
	sb_strv_clear(&m->env);
	sb_strv_add(&m->argv, "PATH=/bin");
}
static void cwd(struct material *m)
{
	m->run.cwd = "/w";
}
static void user(struct material *m)
{
	m->run.user = "app";
}
static void hostname(struct material *m)
{
	m->run.hostname = "h";
}
static void host_name(struct material *m)
{
	replace(&m->hosts, 0, "10.0.0.1 db2");
}
static void more_hosts(struct material *m)
{
	sb_strv_add(&m->hosts, "10.0.0.1 x");
}
static void network(struct material *m)
{
	m->run.network = "none";
}
static void strict(struct material *m)
{
	m->run.no_new_privs = true;
}
static void no_mounts(struct material *m)
{
	m->run.mounts.len = 0;
}
static void mount_type(struct material *m)
{
	m->mount.type = SB_MOUNT_SSH;
}
static void mount_target(struct material *m)
{
	m->mount.target = (char *)(uintptr_t) "/x";
}
static void mount_mode(struct material *m)
{
	m->mount.mode = 0440;
}
static void mount_owner(struct material *m)
{
	m->mount.uid = 1;
}
static void mount_group(struct material *m)
{
	m->mount.gid = 1;
}
static void mount_id(struct material *m)
{
	m->mount.id = (char *)(uintptr_t) "b";
}
static void mount_variable(struct material *m)
{
	m->mount.env = (char *)(uintptr_t) "V";
}
static void mount_required(struct material *m)
{
	m->mount.is_required = true;
}
static void not_given(struct material *m)
{
	m->run.mounts.items[0].is_given = false;
}
static void rekeyed(struct material *m)
{
	sb_digest_of("v", 1, &m->run.mounts.items[0].rekey);
}
static void bind(struct material *m)
{
	m->mount.type = SB_MOUNT_BIND;
}
static void bind_content(struct material *m)
{
	m->mount.type = SB_MOUNT_BIND;
	sb_digest_of("c", 1, &m->run.mounts.items[0].content);
}
static void bind_writable(struct material *m)
{
	m->mount.type = SB_MOUNT_BIND;
	m->mount.is_readonly = true;
}
static void tmpfs(struct material *m)
{
	m->mount.type = SB_MOUNT_TMPFS;
}
static void tmpfs_size(struct material *m)
{
	m->mount.type = SB_MOUNT_TMPFS;
	m->mount.size_bytes = UINT64_MAX;
}
static void cache(struct material *m)
{
	m->mount.type = SB_MOUNT_CACHE;
}

typedef void (*change_fn)(struct material *m);

static void each_thing_that_a_step_sees_makes_another_key(void **state)
{
	static const change_fn changes[] = {NULL, parent, no_parent, single_id, epoch, architecture,
		word, more_words, split_word, script, empty_script, value, variable, moved_variable,
		cwd, user, hostname, host_name, more_hosts, network, strict, no_mounts, mount_type,
		mount_target, mount_mode, mount_owner, mount_group, mount_id, mount_variable,
		mount_required, not_given, rekeyed, bind, bind_content, bind_writable, tmpfs,
		tmpfs_size, cache};
	enum { N = sizeof(changes) / sizeof(changes[0]) };
	struct sb_digest digests[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		struct material m;

		material_init(&m);
		if (changes[i] != NULL)
			changes[i](&m);
		run_digest(&m, &digests[i]);
		material_release(&m);
		for (size_t k = 0; k < i; k++)
			if (sb_digest_equal(&digests[i], &digests[k]))
				fail_msg("change %zu gives the key of change %zu", i, k);
	}
}

static void other_address(struct material *m)
{
	replace(&m->hosts, 0, "10.0.0.2 db");
}
static void cache_id(struct material *m)
{
	m->mount.id = (char *)(uintptr_t) "other";
}
static void cache_sharing(struct material *m)
{
	m->mount.sharing = SB_SHARING_LOCKED;
}

static void what_cannot_change_a_result_keeps_the_key(void **state)
{
	static const struct {
		change_fn before;
		change_fn change;
	} cases[] = {{NULL, other_address}, {cache, cache_id}, {cache, cache_sharing},
		{mount_required, not_given}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct material m;
		struct sb_digest one;
		struct sb_digest two;

		material_init(&m);
		if (cases[i].before != NULL)
			cases[i].before(&m);
		run_digest(&m, &one);
		cases[i].change(&m);
		run_digest(&m, &two);
		assert_string_equal(one.text, two.text);
		material_release(&m);
	}
}

static void copy_digest(const struct sb_copy_key *copy, struct sb_digest *out)
{
	SB_AUTO_VALUE(sb_key) key = SB_KEY_INIT;

	sb_key_of_copy(copy, &key);
	sb_key_finish(&key, out);
}

static void a_linked_copy_does_not_depend_on_what_is_below(void **state)
{
	struct sb_copy_key copy = {.workdir = "/", .dest = "/x"};
	struct sb_digest plain[2];
	struct sb_digest linked[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		sb_digest_of(&i, sizeof(i), &copy.scope.parent);
		copy.is_link = false;
		copy_digest(&copy, &plain[i]);
		copy.is_link = true;
		copy_digest(&copy, &linked[i]);
	}
	assert_string_not_equal(plain[0].text, plain[1].text);
	assert_string_equal(linked[0].text, linked[1].text);
	assert_string_not_equal(plain[0].text, linked[0].text);
}

static void a_chain_tells_the_order_of_layers(void **state)
{
	const struct sb_digest none = {0};
	struct sb_digest a;
	struct sb_digest b;
	struct sb_digest ab;
	struct sb_digest ba;

	(void)state;
	sb_digest_of("a", 1, &a);
	sb_digest_of("b", 1, &b);
	sb_key_chain(&none, &a, &ab);
	sb_key_chain(&ab, &b, &ab);
	sb_key_chain(&none, &b, &ba);
	sb_key_chain(&ba, &a, &ba);
	assert_string_not_equal(ab.text, ba.text);
}

static void a_key_that_grows_too_large_is_none(void **state)
{
	SB_AUTO_VALUE(sb_key) key = SB_KEY_INIT;
	sb_autofree char *text = sb_malloc(SB_MAX_KEY);

	(void)state;
	memset(text, 'x', SB_MAX_KEY - 1);
	text[SB_MAX_KEY - 1] = '\0';
	sb_key_text(&key, "small", "x");
	assert_false(key.is_too_large);
	sb_key_text(&key, "large", text);
	assert_true(key.is_too_large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_thing_that_a_step_sees_makes_another_key),
		cmocka_unit_test(what_cannot_change_a_result_keeps_the_key),
		cmocka_unit_test(a_linked_copy_does_not_depend_on_what_is_below),
		cmocka_unit_test(a_chain_tells_the_order_of_layers),
		cmocka_unit_test(a_key_that_grows_too_large_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
