/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plan/plan.h"

static int plan_of(const char *text, const char *target, struct sb_error *err)
{
	SB_AUTO(sb_buildfile) buildfile = NULL;
	SB_AUTO(sb_plan) plan = NULL;
	const struct sb_plan_options options = {.target = target,
		.build_platform = {"linux", "amd64", ""},
		.target_platform = {"linux", "amd64", ""}};

	if (sb_buildfile_parse("Buildfile", text, strlen(text), &buildfile, err) < 0)
		fail_msg("'%s' does not parse: %s", text, err->message);
	return sb_plan_new(buildfile, &options, &plan, err);
}

static void what_can_not_be_done_is_refused_before_anything_runs(void **state)
{
	static const struct {
		const char *instruction; /* the second line, in a stage that is needed */
		enum sb_code code;
		const char *message;
	} rows[] = {
		{"COPY --exclude=x --exclude=[a a b", SB_E_SYNTAX, "--exclude: the pattern '[a'"},
		{"COPY --exclude=! a b", SB_E_SYNTAX, "COPY: --exclude: a '!' alone"},
		{"ADD --exclude=${a a b", SB_E_SYNTAX, "ADD: --exclude"},
		{"ADD --checksum=sha256:aa a b", SB_E_SYNTAX, "ADD: --checksum: it is for URLs"},
		{"ADD --checksum=sha256:aa https://x/a b", SB_E_SYNTAX, "is not the digest"},
		{"ADD --checksum=0123456 https://x/a https://x/b c", SB_E_SYNTAX, "several"},
		{"ADD --checksum=main https://x/a.git b", SB_E_SYNTAX, "hash of a commit"},
		{"ADD --checksum=${a https://x/a.git b", SB_E_SYNTAX, "--checksum: missing '}'"},
		{"ADD https://x/a.git?color=blue b", SB_E_SYNTAX, "unknown query 'color'"},
		{"COPY a git@x:y.git /z", SB_E_SYNTAX, "source can't be a URL: 'git@x:y.git'"},
		{"COPY https://x/y /z", SB_E_SYNTAX, "COPY: source can't be a URL"},
		{"COPY --chmod=${a x /z", SB_E_SYNTAX, "COPY: --chmod: missing '}'"},
		{"RUN --security=insecure x", SB_E_UNSUPPORTED, "RUN: --security=insecure"},
		{"RUN --security=x x", SB_E_SYNTAX, "RUN: --security: unknown mode 'x'"},
		{"RUN --network=x x", SB_E_SYNTAX, "RUN: --network: unknown mode 'x'"},
		{"RUN --device=x x", SB_E_UNSUPPORTED, "RUN: --device"},
		{"RUN --mount=type=ssh,source=s x", SB_E_SYNTAX, "the key 'source' is not allowed"},
		{"RUN --mount=type=wrong x", SB_E_SYNTAX, "RUN: --mount: unsupported mount type"},
		{"RUN --mount=type=secret x", SB_E_SYNTAX, "RUN: --mount: a secret needs an id"},
		{"RUN --mount=type=tmpfs,target=/ x", SB_E_SYNTAX, "invalid mount target '/'"},
		{"RUN []", SB_E_SYNTAX, "RUN: [] names no program"},
		{"EXPOSE 80 99999", SB_E_SYNTAX, "EXPOSE: invalid port '99999'"},
		{"STOPSIGNAL x", SB_E_SYNTAX, "STOPSIGNAL: invalid signal 'x'"},
		{"ENV a=${b", SB_E_SYNTAX, "ENV: missing '}'"},
		{"LABEL a=\"b", SB_E_SYNTAX, "LABEL: the double quote"},
		{"WORKDIR ${a:=b}", SB_E_SYNTAX, "WORKDIR: "},
		{"ENV a=\xff", SB_E_SYNTAX, "ENV: 'ENV a=\\xff' is not UTF-8"},
		{"LABEL \xe4=1", SB_E_SYNTAX, "is not UTF-8"},
		{"CMD echo \xfc", SB_E_SYNTAX, "is not UTF-8"},
		{"CMD [\"\xed\xa0\x80\"]", SB_E_SYNTAX, "is not UTF-8"},
		{"SHELL [\"\xff\"]", SB_E_SYNTAX, "is not UTF-8"},
		{"HEALTHCHECK CMD \xff", SB_E_SYNTAX, "is not UTF-8"},
		{"ONBUILD RUN \xff", SB_E_SYNTAX, "is not UTF-8"},
		{"MAINTAINER \xff", SB_E_SYNTAX, "is not UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *text = sb_asprintf("FROM a\n%s\n", rows[i].instruction);
		sb_autofree char *elsewhere =
			sb_asprintf("FROM a\n%s\nFROM b AS x\n", rows[i].instruction);

		if (plan_of(text, NULL, &err) == 0)
			fail_msg("'%s' is taken", rows[i].instruction);
		if (err.code != rows[i].code || strstr(err.message, rows[i].message) == NULL)
			fail_msg("'%s': %d %s", rows[i].instruction, err.code, err.message);
		assert_int_equal(err.at.line, 2);
		/* A stage that does not run may hold it. */
		sb_error_release(&err);
		if (plan_of(elsewhere, "x", &err) < 0)
			fail_msg(
				"'%s' where it does not run: %s", rows[i].instruction, err.message);
	}
}

static void what_depends_on_variables_is_left_for_later(void **state)
{
	static const char *const instructions[] = {
		"COPY --link=false a b",
		"COPY --link --parents --exclude=*.o --exclude=$x[ --chmod=u+x a/./b c",
		"ADD --link=TRUE --exclude= --unpack a b",
		"ADD $url /x",
		"ADD --checksum=$sum --unpack https://x/$y a git@x:y.git#v1:d /z",
		"ADD --checksum=sha256:x $url /z",
		"ADD --keep-git-dir=true --unpack=false a b",
		"RUN --mount=type=$t,target=$x x",
		"RUN --mount=type=secret,id=a,mode=$m x",
		"RUN --mount=type=bind x",
		"RUN --mount=type=bind,target=../.. x",
		"RUN --network=none --security=sandbox x",
		"RUN",
		"EXPOSE $port 80/${proto}",
		"STOPSIGNAL $s",
		"ENV a=${b:?must} c=${d?}",
		"ARG a=${b:?not-looked-at}",
		"LABEL a='$b' c=${d:+${e}}",
		"COPY --chmod=$m --chown=$o a b",
		"ONBUILD COPY --link a b",
		"MAINTAINER O\"Hara ${",
		"RUN echo \xff",
		"COPY \xff /",
		"ARG a=\xff",
		"ENV a=\\\n# \xff\n\xc3\xa9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		sb_autofree char *text = sb_asprintf("FROM a\n%s\n", instructions[i]);

		if (plan_of(text, NULL, &err) < 0)
			fail_msg("'%s': %s", instructions[i], err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_not_be_done_is_refused_before_anything_runs),
		cmocka_unit_test(what_depends_on_variables_is_left_for_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
