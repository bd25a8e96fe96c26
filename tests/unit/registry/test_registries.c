/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "registry/registries.h"
#include "sys/fd.h"

static int load(const char *text, struct sb_registries *out, struct sb_error *err)
{
	char path[] = "/tmp/sb-registries-XXXXXX";
	const int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(sb_fd_write_all(fd, text, strlen(text), err), 0);
	(void)close(fd);
	assert_int_equal(setenv("CONTAINERS_REGISTRIES_CONF", path, 1), 0);

	const int rc = sb_registries_load(out, err);

	assert_int_equal(unsetenv("CONTAINERS_REGISTRIES_CONF"), 0);
	(void)unlink(path);
	return rc;
}

/* "REGISTRY/REPOSITORY" with a sign for what else is known, in the order in which they are asked.
 */
static char *show(const struct sb_endpoints *list)
{
	SB_AUTO_STRV parts = SB_STRV_INIT;

	SB_ARRAY_FOREACH (list, e)
		sb_strv_addf(&parts, "%s/%s%s%s%s", e->ref.registry, e->ref.repository,
			e->is_mirror ? " mirror" : "", e->is_insecure ? " insecure" : "",
			e->is_secure ? " secure" : "");
	return sb_strv_join(&parts, ", ");
}

static const char settings[] =
	"unqualified-search-registries = ['quay.io', \"docker.io\"]\n"
	"[[registry]]\nlocation = 'plain.example'\ninsecure = true\n"
	"[[registry]]\nlocation = '127.0.0.1:5000'\ninsecure = false\n"
	"[[registry]]\nprefix = 'blocked.example/team'\nblocked = true\nlocation = 'x'\n"
	"[[registry]]\nprefix = 'old.example/a'\nlocation = 'new.example/b/c'\n"
	"[[registry]]\nprefix = '*.wild.example'\nblocked = true\n"
	"[[registry]]\nprefix = '*.moved.example'\nlocation = 'here.example'\n"
	"[[registry]]\nlocation = 'docker.io'\n"
	"[[registry.mirror]]\nlocation = 'mirror.example:5000/hub'\n"
	"[[registry.mirror]]\nlocation = 'second.example'\ninsecure = true\n"
	"[[registry]]\nlocation = 'by.digest'\nmirror-by-digest-only = true\n"
	"[[registry.mirror]]\nlocation = 'm.example'\n"
	"[[registry]]\nlocation = 'by.choice'\n"
	"[[registry.mirror]]\nlocation = 't.example'\npull-from-mirror = 'tag-only'\n"
	"[[registry.mirror]]\nlocation = 'd.example'\npull-from-mirror = 'digest-only'\n"
	"[[registry.mirror]]\nlocation = 'a.example'\npull-from-mirror = 'all'\n";

#define DIGEST "@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void images_are_asked_for_where_it_is_settled(void **state)
{
	static const struct {
		const char *name;
		const char *endpoints; /* NULL: blocked */
	} cases[] = {
		{"other.example/a", "other.example/a"},
		{"plain.example/a/b", "plain.example/a/b insecure"},
		{"plain.examples/a", "plain.examples/a"},
		{"127.0.0.1:5000/a", "127.0.0.1:5000/a secure"},
		{"blocked.example/team", NULL},
		{"blocked.example/team/a", NULL},
		{"blocked.example/teams", "blocked.example/teams"},
		{"old.example/a", "new.example/b/c"},
		{"old.example/a/x", "new.example/b/c/x"},
		{"old.example/ab", "old.example/ab"},
		{"a.wild.example/x", NULL},
		{"a.b.wild.example:5000/x", NULL},
		{"wild.example/x", "wild.example/x"},
		{"a.moved.example/x", "here.example/x"},
		{"alpine", "mirror.example:5000/hub/library/alpine mirror, "
			   "second.example/library/alpine "
			   "mirror insecure, docker.io/library/alpine"},
		{"by.digest/a:1", "by.digest/a"},
		{"by.digest/a" DIGEST, "m.example/a mirror, by.digest/a"},
		{"by.choice/a", "t.example/a mirror, a.example/a mirror, by.choice/a"},
		{"by.choice/a" DIGEST, "d.example/a mirror, a.example/a mirror, by.choice/a"},
	};
	SB_AUTO_VALUE(sb_registries) registries = {0};
	SB_AUTO_ERROR loaded = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(load(settings, &registries, &loaded), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_VALUE(sb_reference) ref = {0};
		SB_AUTO_VALUE(sb_endpoints) endpoints = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_reference_parse(cases[i].name, &ref, &err), 0);

		const int rc = sb_registries_endpoints(&registries, &ref, false, &endpoints, &err);
		sb_autofree char *shown = show(&endpoints);

		if ((rc < 0) != (cases[i].endpoints == NULL))
			fail_msg("%s: %s", cases[i].name, rc < 0 ? err.message : shown);
		if (rc < 0)
			assert_int_equal(err.code, SB_E_DENIED);
		else
			assert_string_equal(shown, cases[i].endpoints);
	}
}

static void nothing_is_pushed_to_a_mirror(void **state)
{
	SB_AUTO_VALUE(sb_registries) registries = {0};
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_VALUE(sb_endpoints) endpoints = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(load(settings, &registries, &err), 0);
	assert_int_equal(sb_reference_parse("alpine", &ref, &err), 0);
	assert_int_equal(sb_registries_endpoints(&registries, &ref, true, &endpoints, &err), 0);

	sb_autofree char *shown = show(&endpoints);

	assert_string_equal(shown, "docker.io/library/alpine");
}

static char *meanings_of(const struct sb_registries *registries, const char *name)
{
	SB_AUTO_VALUE(sb_references) list = {0};
	SB_AUTO_STRV names = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_registries_meanings(registries, name, &list, &err), 0);
	SB_ARRAY_FOREACH (&list, ref)
		sb_strv_add_nodup(&names, sb_reference_format(ref));
	return sb_strv_join(&names, ", ");
}

static void short_names_are_searched(void **state)
{
	static const struct {
		const char *name, *searched, *plain;
	} cases[] = {
		{"alpine", "quay.io/alpine:latest, docker.io/library/alpine:latest",
			"docker.io/library/alpine:latest"},
		{"team/app:1", "quay.io/team/app:1, docker.io/team/app:1", "docker.io/team/app:1"},
		{"docker.io/alpine", "docker.io/library/alpine:latest",
			"docker.io/library/alpine:latest"},
		{"index.docker.io/a/b", "docker.io/a/b:latest", "docker.io/a/b:latest"},
		{"localhost/a", "localhost/a:latest", "localhost/a:latest"},
		{"h:5000/a", "h:5000/a:latest", "h:5000/a:latest"},
	};
	SB_AUTO_VALUE(sb_registries) searching = {0};
	SB_AUTO_VALUE(sb_registries) plain = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(load(settings, &searching, &err), 0);
	assert_int_equal(load("", &plain, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *searched = meanings_of(&searching, cases[i].name);
		sb_autofree char *usual = meanings_of(&plain, cases[i].name);

		assert_string_equal(searched, cases[i].searched);
		assert_string_equal(usual, cases[i].plain);
	}
}

static void short_names_are_what_their_aliases_say(void **state)
{
	static const char text[] = "unqualified-search-registries = ['quay.io']\n"
				   "[aliases]\n"
				   "alpine = 'docker.io/library/alpine'\n"
				   "'team/app' = \"registry.example:5000/other/app\"\n"
				   "gone = 'a.example/x'\ngone2 = ''\n";
	static const struct {
		const char *name, *meaning;
	} cases[] = {
		{"alpine", "docker.io/library/alpine:latest"},
		{"alpine:3.18", "docker.io/library/alpine:3.18"},
		{"alpine:3" DIGEST, "docker.io/library/alpine:3" DIGEST},
		{"alpine" DIGEST, "docker.io/library/alpine" DIGEST},
		{"team/app:1", "registry.example:5000/other/app:1"},
		{"team/app2", "quay.io/team/app2:latest"},
		{"library/alpine", "quay.io/library/alpine:latest"},
		{"docker.io/team/app", "docker.io/team/app:latest"},
	};
	SB_AUTO_VALUE(sb_registries) registries = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(load(text, &registries, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *meaning = meanings_of(&registries, cases[i].name);

		assert_string_equal(meaning, cases[i].meaning);
	}
}

static void wrong_settings_are_refused_by_name(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"[[registry]]\nblocked = true", "neither prefix nor location"},
		{"[[registry]]\nprefix = 5", "neither prefix nor location"},
		{"[[registry]]\nprefix = 'a'\nlocation = 5", "'location' of a [[registry]]"},
		{"[[registry]]\nprefix = 'a*b'", "'*'"},
		{"unqualified-search-registries = 'x'", "no list"},
		{"unqualified-search-registries = [1]", "no list"},
		{"aliases = 5", "'aliases' is no table"},
		{"[aliases]\na = 5", "alias 'a'"},
		{"[aliases]\na = 'alpine'", "alias 'a'"},
		{"[aliases]\na = 'team/alpine'", "alias 'a'"},
		{"[aliases]\na = 'b.example/a:1'", "alias 'a'"},
		{"[aliases]\n'a:1' = 'b.example/a'", "alias 'a:1'"},
		{"a = ", "line 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_VALUE(sb_registries) registries = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(load(cases[i].text, &registries, &err), -1);
		if (strstr(err.message, cases[i].words) == NULL)
			fail_msg("%zu: %s", i, err.message);
		assert_non_null(strstr(err.message, "/tmp/sb-registries-"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_are_asked_for_where_it_is_settled),
		cmocka_unit_test(nothing_is_pushed_to_a_mirror),
		cmocka_unit_test(short_names_are_searched),
		cmocka_unit_test(short_names_are_what_their_aliases_say),
		cmocka_unit_test(wrong_settings_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
