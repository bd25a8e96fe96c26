/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "buildfile/mount.h"

static const char *or_none(const char *s)
{
	return s != NULL ? s : "-";
}

/* All that a mount holds as one line. */
static char *describe(const struct sb_mount_flag *m)
{
	static const char *const sharing[] = {"", " private", " locked"};
	sb_autofree char *size =
		m->size_bytes != 0 ? sb_asprintf(" size=%llu", (unsigned long long)m->size_bytes)
				   : sb_strdup("");

	return sb_asprintf("%s %s source=%s from=%s id=%s env=%s %s%s %o%s %u%s:%u%s%s%s",
		sb_mount_type_name(m->type), or_none(m->target), or_none(m->source),
		or_none(m->from), or_none(m->id), or_none(m->env), m->is_readonly ? "ro" : "rw",
		m->is_required ? " required" : "", m->mode, m->has_mode ? "!" : "", m->uid,
		m->has_uid ? "!" : "", m->gid, m->has_gid ? "!" : "", sharing[m->sharing], size);
}

static void mounts_parse_and_get_their_defaults(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} rows[] = {
		{"target=/x", "bind /x source=- from=- id=- env=- ro 0 0:0"},
		{"type=bind,target=/x", "bind /x source=- from=- id=- env=- ro 0 0:0"},
		{"type=bind,dst=x", "bind /w/x source=- from=- id=- env=- ro 0 0:0"},
		{"type=bind,destination=../x", "bind /x source=- from=- id=- env=- ro 0 0:0"},
		{"type=bind,target=.", "bind /w source=- from=- id=- env=- ro 0 0:0"},
		{"type=bind", "bind /w source=- from=- id=- env=- ro 0 0:0"},
		{"type=bind,target=/x,rw", "bind /x source=- from=- id=- env=- rw 0 0:0"},
		{"type=bind,target=/x,readwrite=true",
			"bind /x source=- from=- id=- env=- rw 0 0:0"},
		{"type=bind,target=/x,rw=false", "bind /x source=- from=- id=- env=- ro 0 0:0"},
		{"type=bind,target=/x,ro=0", "bind /x source=- from=- id=- env=- rw 0 0:0"},
		{"type=bind,target=/x,from=st,source=/y",
			"bind /x source=/y from=st id=- env=- ro 0 0:0"},
		{"type=bind,target=/x,src=y,target=/z",
			"bind /z source=y from=- id=- env=- ro 0 0:0"},
		{"TYPE=BIND,Target=/x", "bind /x source=- from=- id=- env=- ro 0 0:0"},
		{"\"target=/a,b\"", "bind /a,b source=- from=- id=- env=- ro 0 0:0"},
		{"\"target=/a\"\"b\",ro", "bind /a\"b source=- from=- id=- env=- ro 0 0:0"},
		{"type=cache,target=/c", "cache /c source=- from=- id=/c env=- rw 755 0:0"},
		{"type=cache,target=c/", "cache /w/c source=- from=- id=c env=- rw 755 0:0"},
		{"type=cache,target=/c//d/../e",
			"cache /c/e source=- from=- id=/c/e env=- rw 755 0:0"},
		{"type=cache,target=/c,id=x,sharing=locked,ro",
			"cache /c source=- from=- id=x env=- ro 755 0:0 locked"},
		{"type=cache,target=/c,sharing=private,mode=0700,uid=5,gid=6",
			"cache /c source=- from=- id=/c env=- rw 700! 5!:6! private"},
		{"type=cache,target=/c,sharing=shared",
			"cache /c source=- from=- id=/c env=- rw 755 0:0"},
		{"type=tmpfs,target=/t", "tmpfs /t source=- from=- id=- env=- rw 0 0:0"},
		{"type=tmpfs,target=/t,size=10m",
			"tmpfs /t source=- from=- id=- env=- rw 0 0:0 size=10485760"},
		{"size=1k,type=tmpfs,target=/t",
			"tmpfs /t source=- from=- id=- env=- rw 0 0:0 size=1024"},
		{"type=secret,id=s", "secret /run/secrets/s source=- from=- id=s env=- ro 400 0:0"},
		{"type=secret,id=a/b/s",
			"secret /run/secrets/s source=- from=- id=a/b/s env=- ro 400 0:0"},
		{"type=secret,src=s",
			"secret /run/secrets/s source=- from=- id=s env=- ro 400 0:0"},
		{"type=secret,target=/x/key",
			"secret /x/key source=- from=- id=key env=- ro 400 0:0"},
		{"type=secret,id=s,target=key",
			"secret /w/key source=- from=- id=s env=- ro 400 0:0"},
		{"type=secret,id=s,env=TOKEN",
			"secret - source=- from=- id=s env=TOKEN ro 400 0:0"},
		{"type=secret,id=s,env=TOKEN,target=/k",
			"secret /k source=- from=- id=s env=TOKEN ro 400 0:0"},
		{"type=secret,id=s,required,mode=0440,uid=1,gid=2",
			"secret /run/secrets/s source=- from=- id=s env=- ro required 440! 1!:2!"},
		{"required=true,type=secret,id=s",
			"secret /run/secrets/s source=- from=- id=s env=- ro required 400 0:0"},
		{"type=secret,id=s,required=false",
			"secret /run/secrets/s source=- from=- id=s env=- ro 400 0:0"},
		{"type=secret,id=s,mode=741",
			"secret /run/secrets/s source=- from=- id=s env=- ro 741! 0:0"},
		{"type=ssh", "ssh - source=- from=- id=default env=- ro 600 0:0"},
		{"type=ssh,id=k,target=/s,required,mode=0666",
			"ssh /s source=- from=- id=k env=- ro required 666! 0:0"},
		{"type=bind,type=tmpfs,target=/t", "tmpfs /t source=- from=- id=- env=- rw 0 0:0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_mount_flag mount = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_mount_parse(rows[i].text, "/w", &mount, &err) < 0)
			fail_msg("'%s': %s", rows[i].text, err.message);

		sb_autofree char *got = describe(&mount);

		sb_mount_flag_release(&mount);
		assert_string_equal(got, rows[i].expected);
	}
}

static void wrong_mounts_are_refused(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{"", "must be KEY=VALUE"},
		{"type=bind,", "must be KEY=VALUE"},
		{"bind", "the field 'bind' must be KEY=VALUE"},
		{"type=blnd,target=/x", "unsupported mount type 'blnd'"},
		{"type=,target=/x", "unsupported mount type ''"},
		{"tpye=bind", "unexpected key 'tpye' in 'tpye=bind'"},
		{"target", "must be KEY=VALUE"},
		{"target=/", "invalid mount target '/'"},
		{"target=/a/..", "invalid mount target '/a/..'"},
		{"type=tmpfs,target=..", "invalid mount target '..'"},
		{"type=cache,target=/x,sharing=some", "unsupported sharing 'some'"},
		{"type=bind,target=/x,sharing=locked", "'sharing' is not allowed"},
		{"type=secret,id=s,sharing=locked", "'sharing' is not allowed"},
		{"type=secret,id=s,from=x", "'from' is not allowed"},
		{"type=secret,id=s,source=t", "both id and source"},
		{"type=secret", "needs an id or a target"},
		{"type=secret,env=X", "needs an id or a target"},
		{"type=secret,id=s,target=/", "invalid mount target"},
		{"type=secret,id=s,mode=999", "invalid value for 'mode': '999'"},
		{"type=secret,id=s,mode=17777", "invalid value for 'mode'"},
		{"type=secret,id=s,uid=-1", "invalid value for 'uid'"},
		{"type=secret,id=s,uid=4294967295", "invalid value for 'uid'"},
		{"type=secret,id=s,gid=x", "invalid value for 'gid'"},
		{"type=secret,id=s,required=maybe", "invalid value for 'required': 'maybe'"},
		{"type=secret,id=s,size=1", "'size' is not allowed"},
		{"type=bind,target=/x,required",
			"'required' is not allowed in a mount of type 'bind'"},
		{"required,target=/x", "'required' is not allowed"},
		{"type=bind,target=/x,mode=0", "'mode' is not allowed"},
		{"type=tmpfs,target=/x,uid=0", "'uid' is not allowed"},
		{"type=tmpfs,target=/x,size=lots", "invalid value for 'size': 'lots'"},
		{"type=cache,target=/x,size=1", "'size' is not allowed"},
		{"type=bind,target=/x,env=A", "'env' is not allowed"},
		{"type=bind,target=/x,ro=2", "invalid value for 'ro'"},
		{"type=bind,target=/x,from=$x", "variables are not expanded"},
		{"type=ssh,source=x", "'source' is not allowed"},
		{"\"type=bind", "a quote is not closed in '"},
		{"\"type=bind\"x", "text after a closing quote"},
		{"type=\"bind\"", "a quote stands within what is not quoted"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_mount_flag mount = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_mount_parse(rows[i].text, "/", &mount, &err) == 0)
			fail_msg("'%s' is taken", rows[i].text);
		if (strstr(err.message, rows[i].message) == NULL)
			fail_msg("'%s': %s", rows[i].text, err.message);
		assert_int_equal(err.code, SB_E_SYNTAX);
	}
}

static void mistyped_keys_and_types_get_a_suggestion(void **state)
{
	struct sb_mount_flag mount = {0};
	SB_AUTO_ERROR type = SB_ERROR_INIT;
	SB_AUTO_ERROR key = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_mount_parse("type=secrte,id=x", "/", &mount, &type), -1);
	assert_string_equal(type.hint, "did you mean 'secret'?");
	assert_int_equal(sb_mount_parse("taget=/x", "/", &mount, &key), -1);
	assert_string_equal(key.hint, "did you mean 'target'?");
}

static void a_missing_target_is_not_the_root(void **state)
{
	struct sb_mount_flag mount = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_mount_parse("type=cache", "/", &mount, &err), -1);
	assert_non_null(strstr(err.message, "needs a target"));
}

static void variables_expand_value_by_value(void **state)
{
	struct sb_mount_flag mount = {0};
	SB_AUTO_STRV env = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	sb_env_set(&env, "evil", "/x,from=other,rw");
	sb_env_set(&env, "id", "s");

	const struct sb_mount_scope scope = {.workdir = "/w", .env = &env, .escape = '\\'};

	assert_int_equal(sb_mount_parse_env("type=bind,target=$evil", &scope, &mount, &err), 0);
	assert_string_equal(mount.target, "/x,from=other,rw");
	assert_null(mount.from);
	assert_true(mount.is_readonly);
	sb_mount_flag_release(&mount);
	assert_int_equal(
		sb_mount_parse_env("type=secret,id=$id,target=/k/${id:-x}", &scope, &mount, &err),
		0);
	assert_string_equal(mount.id, "s");
	assert_string_equal(mount.target, "/k/s");
	sb_mount_flag_release(&mount);
	assert_int_equal(
		sb_mount_parse_env("type=bind,target=/x,from=$id", &scope, &mount, &err), -1);
}

static void from_is_read_from_the_text(void **state)
{
	static const struct {
		const char *text;
		const char *from;
	} rows[] = {
		{"type=bind,target=/x,from=st", "st"},
		{"type=bind,FROM=a,from=b", "b"},
		{"type=cache,target=$x", NULL},
		{"\"from=a,b\",target=/x", "a,b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *from = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_mount_from(rows[i].text, &from, &err), 0);
		if (rows[i].from == NULL)
			assert_null(from);
		else
			assert_string_equal(from, rows[i].from);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_parse_and_get_their_defaults),
		cmocka_unit_test(wrong_mounts_are_refused),
		cmocka_unit_test(mistyped_keys_and_types_get_a_suggestion),
		cmocka_unit_test(a_missing_target_is_not_the_root),
		cmocka_unit_test(variables_expand_value_by_value),
		cmocka_unit_test(from_is_read_from_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
