/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plan/plan.h"

/* A Buildfile with the plan made of it. */
struct made {
	struct sb_buildfile *buildfile;
	struct sb_plan *plan;
	struct sb_error err;
};

struct given {
	const char *target;
	const char *build_args[8]; /* up to the first NULL */
	const char *contexts[8];
};

static void add_all(struct sb_strv *to, const char *const *items)
{
	for (size_t i = 0; items[i] != NULL; i++)
		sb_strv_add(to, items[i]);
}

static void made_release(struct made *made)
{
	sb_plan_free(made->plan);
	sb_buildfile_free(made->buildfile);
	sb_error_release(&made->err);
}

static struct made make(const char *text, struct given given)
{
	struct made made = {.err = SB_ERROR_INIT};
	SB_AUTO_STRV build_args = SB_STRV_INIT;
	SB_AUTO_STRV contexts = SB_STRV_INIT;

	add_all(&build_args, given.build_args);
	add_all(&contexts, given.contexts);

	const struct sb_plan_options options = {
		.target = given.target,
		.build_args = &build_args,
		.context_names = &contexts,
		.build_platform = {"linux", "amd64", ""},
		.target_platform = {"linux", "arm", "v7"},
	};

	if (sb_buildfile_parse("Buildfile", text, strlen(text), &made.buildfile, &made.err) < 0)
		fail_msg("%s", made.err.message);
	if (sb_plan_new(made.buildfile, &options, &made.plan, &made.err) < 0)
		made.plan = NULL;
	return made;
}

/* "name<base" of every stage, needed ones with a star. */
static char *describe(const struct sb_plan *plan)
{
	SB_AUTO_STRV parts = SB_STRV_INIT;

	SB_ARRAY_FOREACH (&plan->stages, stage) {
		const char *star = stage->is_needed ? "*" : "";

		if (stage->base.kind == SB_BASE_STAGE)
			sb_strv_addf(&parts, "%s%s<%zu", star, stage->name, stage->base.stage);
		else if (stage->base.kind == SB_BASE_SCRATCH)
			sb_strv_addf(&parts, "%s%s<scratch", star, stage->name);
		else
			sb_strv_addf(&parts, "%s%s<%s:%s", star, stage->name,
				stage->base.kind == SB_BASE_CONTEXT ? "context" : "image",
				stage->base.name);
	}
	return sb_strv_join(&parts, " ");
}

static void stages_are_resolved_and_marked(void **state)
{
	static const struct {
		const char *text;
		struct given given;
		const char *expected;
		size_t target;
		size_t n_steps;
	} rows[] = {
		{"FROM alpine\nRUN x\n", {0}, "*stage-0<image:alpine", 0, 2},
		{"FROM scratch\n", {0}, "*stage-0<scratch", 0, 1},
		{"FROM a AS x\nRUN a\nFROM x\nCMD b\n", {0}, "*x<image:a *stage-1<0", 1, 4},
		{"FROM a AS x\nRUN a\nFROM b\n", {0}, "x<image:a *stage-1<image:b", 1, 1},
		{"FROM a AS x\nFROM b AS y\nFROM c AS z\n", {.target = "y"},
			"x<image:a *y<image:b z<image:c", 1, 1},
		{"FROM a AS x\nFROM b\n", {.target = "X"}, "*x<image:a stage-1<image:b", 0, 1},
		{"FROM a AS X\nFROM x\n", {0}, "*x<image:a *stage-1<0", 1, 2},
		{"FROM a AS x\nFROM b\nCOPY --from=X a b\n", {0}, "*x<image:a *stage-1<image:b", 1,
			3},
		{"FROM a\nFROM b\nCOPY --from=0 a b\n", {0}, "*stage-0<image:a *stage-1<image:b", 1,
			3},
		{"FROM a AS x\nFROM b\nRUN --mount=from=x,target=/t true\n", {0},
			"*x<image:a *stage-1<image:b", 1, 3},
		{"FROM a AS x\nFROM b\nRUN --mount=type=cache,target=/t,from=x true\n", {0},
			"*x<image:a *stage-1<image:b", 1, 3},
		{"FROM a AS x\nFROM b\nRUN --mount=type=secret,id=x true\n", {0},
			"x<image:a *stage-1<image:b", 1, 2},
		{"FROM a AS w\nFROM a AS x\nCOPY --from=w a b\nFROM x AS y\nFROM b\nCOPY --from=y "
		 "c d\n",
			{0}, "*w<image:a *x<image:a *y<1 *stage-3<image:b", 3, 6},
		/* duplicates: the last one before it */
		{"FROM a AS x\nFROM b AS x\nFROM x\n", {0}, "x<image:a *x<image:b *stage-2<1", 2,
			2},
		{"FROM a AS x\nFROM x AS x\nFROM x\n", {0}, "*x<image:a *x<0 *stage-2<1", 2, 3},
		{"FROM a AS x\nFROM b AS x\n", {.target = "x"}, "x<image:a *x<image:b", 1, 1},
		/* triggers of a stage act in the stage that is built on it, not in the next one */
		{"FROM a AS w\nFROM b AS x\nONBUILD COPY --from=w a b\nFROM x\n", {0},
			"*w<image:a *x<image:b *stage-2<1", 2, 4},
		{"FROM a AS w\nFROM b AS x\nONBUILD RUN --mount=from=w,target=/t y\n", {0},
			"w<image:a *x<image:b", 1, 2},
		/* contexts */
		{"FROM alpine\n", {.contexts = {"alpine"}}, "*stage-0<context:alpine", 0, 1},
		{"FROM docker.io/library/alpine:latest\n", {.contexts = {"alpine"}},
			"*stage-0<context:alpine", 0, 1},
		{"FROM alpine:3\n", {.contexts = {"alpine"}}, "*stage-0<image:alpine:3", 0, 1},
		{"FROM alpine\n", {.contexts = {"docker.io/library/alpine"}},
			"*stage-0<context:docker.io/library/alpine", 0, 1},
		{"FROM a AS x\nRUN y\nFROM x\n", {.contexts = {"x"}},
			"x<context:x *stage-1<context:x", 1, 1},
		{"FROM a AS x\nRUN y\nFROM b\nCOPY --from=x c d\n", {.contexts = {"x"}},
			"x<context:x *stage-1<image:b", 1, 2},
		{"FROM a AS x\nRUN y\nFROM b\n", {.target = "x", .contexts = {"x"}},
			"*x<context:x stage-1<image:b", 0, 1},
		/* variables */
		{"ARG v=3\nFROM alpine:$v\n", {0}, "*stage-0<image:alpine:3", 0, 1},
		{"ARG v=3\nFROM alpine:$v\n", {.build_args = {"v=4"}}, "*stage-0<image:alpine:4", 0,
			1},
		{"ARG v\nFROM alpine:${v:-5}\n", {0}, "*stage-0<image:alpine:5", 0, 1},
		{"FROM alpine:${v:-5}\n", {.build_args = {"v=4"}}, "*stage-0<image:alpine:5", 0, 1},
		{"ARG a=x b=$a\nARG c=${b}y\nFROM $c\n", {0}, "*stage-0<image:xy", 0, 1},
		{"ARG a=${nope:?}\nFROM ${a}\n", {.build_args = {"a=ok"}}, "*stage-0<image:ok", 0,
			1},
		{"ARG s=x\nFROM a AS x\nFROM $s\n", {0}, "*x<image:a *stage-1<0", 1, 2},
		{"ARG s=scratch\nFROM $s\n", {0}, "*stage-0<scratch", 0, 1},
		{"FROM \"a\"'b'\n", {0}, "*stage-0<image:ab", 0, 1},
		{"FROM i-$TARGETARCH-$TARGETVARIANT-$BUILDARCH\n", {0},
			"*stage-0<image:i-arm-v7-amd64", 0, 1},
		{"ARG TARGETARCH\nFROM i-$TARGETARCH\n", {0}, "*stage-0<image:i-arm", 0, 1},
		{"ARG TARGETARCH=z\nFROM i-$TARGETARCH\n", {0}, "*stage-0<image:i-z", 0, 1},
		{"FROM i-$TARGETOS\n", {.build_args = {"TARGETOS=plan9"}}, "*stage-0<image:i-plan9",
			0, 1},
		{"FROM i-$TARGETSTAGE\n", {0}, "*stage-0<image:i-default", 0, 1},
		{"FROM a\nFROM i-$TARGETSTAGE AS x\n", {0}, "stage-0<image:a *x<image:i-x", 1, 1},
		{"FROM i-$TARGETSTAGE AS x\nFROM b\n", {.target = "x"},
			"*x<image:i-x stage-1<image:b", 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made made = make(rows[i].text, rows[i].given);

		if (made.plan == NULL)
			fail_msg("'%s': %s", rows[i].text, made.err.message);

		sb_autofree char *got = describe(made.plan);

		if (strcmp(got, rows[i].expected) != 0 || made.plan->target != rows[i].target ||
			made.plan->n_steps != rows[i].n_steps)
			fail_msg("'%s': %s, target %zu, steps %zu", rows[i].text, got,
				made.plan->target, made.plan->n_steps);
		made_release(&made);
	}
}

static void wrong_references_are_refused_where_they_stand(void **state)
{
	static const struct {
		const char *text;
		const char *target;
		unsigned line;
		const char *message;
		const char *hint; /* NULL: not looked at */
	} rows[] = {
		{"FROM $x\n", NULL, 1, "the image '$x' is empty", "ARG"},
		{"FROM a\nARG x=b\nFROM $x\n", NULL, 3, "the image '$x' is empty", NULL},
		{"FROM ${x\n", NULL, 1, "missing '}'", NULL},
		{"ARG a=${b:?no}\nFROM x\n", NULL, 1, "ARG a: b: no", NULL},
		{"FROM --platform=$x a\n", NULL, 1, "'$x' is empty", NULL},
		{"FROM --platform=a/b/c/d/e a\n", NULL, 1, "--platform", NULL},
		/* stages' names are lower case, and only FROM minds */
		{"FROM a AS Build\nFROM Build\n", NULL, 2,
			"FROM: 'Build' is not an image reference", "'build'"},
		{"FROM a\nCOPY --from=B:x a b\n", NULL, 2, "COPY: --from: 'B:x' is not an image",
			NULL},
		{"FROM a AS builder\n", "bulider", 0, "no stage 'bulider'", "'builder'"},
		{"FROM a\n", "0", 0, "no stage '0'", NULL},
		{"FROM a\n", "stage-0", 0, "no stage 'stage-0'", NULL},
		{"FROM a\nCOPY --from=1 a b\n", NULL, 2, "COPY: --from: invalid stage index '1'",
			NULL},
		{"FROM a\nCOPY --from=0 a b\n", NULL, 2, "defined before", NULL},
		{"FROM a\nCOPY --from=99999999999999999999 a b\n", NULL, 2, "invalid stage index",
			NULL},
		{"FROM a AS x\nCOPY --from=x a b\n", NULL, 2, "from itself", NULL},
		{"FROM a AS x\nCOPY --from=y a b\nFROM b AS y\n", NULL, 2,
			"stage 'y' must be defined before stage 'x'", NULL},
		{"FROM a\nRUN --mount=from=y,target=/t x\nFROM b AS Y\n", NULL, 2,
			"RUN: --mount: from: stage 'y' must be defined before", NULL},
		{"FROM a\nCOPY --from=$x a b\n", NULL, 2, "variables are not expanded", "FROM"},
		{"FROM a\nRUN --mount=from=$x,target=/t y\n", NULL, 2, "not expanded", NULL},
		{"FROM a\nRUN --mount=frm=x y\n", NULL, 2, "unexpected key 'frm'", "'from'"},
		{"FROM a\nCOPY --from= a b\n", NULL, 2, "is empty", NULL},
		/* also in a stage that is not needed */
		{"FROM a\nCOPY --from=9 a b\nFROM c AS x\n", "x", 2, "invalid stage index", NULL},
		{"FROM a AS x\nONBUILD COPY --from=nine:$y a b\nFROM x\n", NULL, 2, "not expanded",
			NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made made = make(rows[i].text, (struct given){.target = rows[i].target});

		if (made.plan != NULL)
			fail_msg("'%s' is taken", rows[i].text);
		if (strstr(made.err.message, rows[i].message) == NULL ||
			made.err.at.line != rows[i].line)
			fail_msg("'%s': %u: %s", rows[i].text, made.err.at.line, made.err.message);
		if (rows[i].hint != NULL &&
			(made.err.hint == NULL || strstr(made.err.hint, rows[i].hint) == NULL))
			fail_msg("'%s': hint '%s'", rows[i].text, made.err.hint);
		made_release(&made);
	}
}

static void a_missing_target_is_wrong_usage(void **state)
{
	struct made made = make("FROM a AS x\n", (struct given){.target = "y"});

	(void)state;
	assert_null(made.plan);
	assert_int_equal(made.err.code, SB_E_USAGE);
	made_release(&made);
}

static void references_resolve_from_a_stage(void **state)
{
	static const struct {
		const char *from;
		enum sb_base_kind kind;
		const char *name; /* NULL: the stage's index */
		size_t stage;
	} rows[] = {
		{"0", SB_BASE_STAGE, NULL, 0},
		{"1", SB_BASE_STAGE, NULL, 1},
		{"BUILD", SB_BASE_STAGE, NULL, 1},
		{"ctx", SB_BASE_CONTEXT, "ctx", 0},
		{"scratch", SB_BASE_SCRATCH, NULL, 0},
		{"busybox:1", SB_BASE_IMAGE, "busybox:1", 0},
	};
	struct made made = make("FROM a AS ctx\nFROM b AS build\nFROM c\nFROM d AS late\n",
		(struct given){.contexts = {"ctx"}});

	(void)state;
	assert_non_null(made.plan);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_base base = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(sb_plan_resolve_from(made.plan, 2, rows[i].from, &base, &err), 0);
		assert_int_equal(base.kind, rows[i].kind);
		assert_int_equal(base.stage, rows[i].stage);
		if (rows[i].name != NULL)
			assert_string_equal(base.name, rows[i].name);
		sb_base_release(&base);
	}
	made_release(&made);
}

static void stages_know_their_instructions(void **state)
{
	struct made made = make("ARG a\nFROM --platform=$BUILDPLATFORM x AS one\nRUN a\nRUN b\n"
				"FROM y\nRUN c\n",
		(struct given){0});

	(void)state;
	assert_non_null(made.plan);
	assert_int_equal(made.plan->stages.len, 2);
	assert_true(made.plan->stages.items[0].is_named);
	assert_string_equal(made.plan->stages.items[0].platform, "linux/amd64");
	assert_int_equal(made.plan->stages.items[0].first, 2);
	assert_int_equal(made.plan->stages.items[0].end, 4);
	assert_int_equal(made.plan->stages.items[0].from->kind, SB_INSTR_FROM);
	assert_false(made.plan->stages.items[1].is_named);
	assert_null(made.plan->stages.items[1].platform);
	assert_string_equal(made.plan->stages.items[0].shown_platform, "linux/amd64->arm/v7");
	assert_string_equal(made.plan->stages.items[1].shown_platform, "linux/arm/v7");
	assert_int_equal(made.plan->stages.items[1].first, 5);
	assert_int_equal(made.plan->stages.items[1].end, 6);
	made_release(&made);
}

static void global_args_hold_platforms_and_values(void **state)
{
	struct made made = make("ARG a=1\nARG b\nFROM x\nARG c=3\n",
		(struct given){.build_args = {"other=1", "BUILDOS=mine"}});

	(void)state;
	assert_non_null(made.plan);

	const struct sb_strv *args = &made.plan->global_args;

	assert_string_equal(sb_env_get(args, "a"), "1");
	assert_null(sb_env_get(args, "b"));
	assert_null(sb_env_get(args, "c"));
	assert_null(sb_env_get(args, "other"));
	assert_string_equal(sb_env_get(args, "TARGETPLATFORM"), "linux/arm/v7");
	assert_string_equal(sb_env_get(args, "BUILDPLATFORM"), "linux/amd64");
	assert_string_equal(sb_env_get(args, "BUILDOS"), "mine");
	assert_string_equal(sb_env_get(args, "BUILDVARIANT"), "");
	assert_string_equal(sb_env_get(&made.plan->build_args, "other"), "1");
	made_release(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_are_resolved_and_marked),
		cmocka_unit_test(wrong_references_are_refused_where_they_stand),
		cmocka_unit_test(a_missing_target_is_wrong_usage),
		cmocka_unit_test(references_resolve_from_a_stage),
		cmocka_unit_test(stages_know_their_instructions),
		cmocka_unit_test(global_args_hold_platforms_and_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
