/* SPDX-License-Identifier: MIT */
#include "plan/resolve.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/size.h"
#include "buildfile/mount.h"

void sb_base_release(struct sb_base *base)
{
	free(base->name);
	*base = (struct sb_base){0};
}

/* "docker.io/library/alpine:latest" and "alpine" are one image. Caller frees. */
static char *shorten(const char *name)
{
	static const char *const prefixes[] = {"docker.io/", "library/"};
	static const char latest[] = ":latest";

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const size_t len = strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], len) == 0 && name[len] != '\0')
			name += len;
	}

	size_t len = strlen(name);

	if (len > strlen(latest) && strcmp(name + len - strlen(latest), latest) == 0)
		len -= strlen(latest);
	return sb_memdup0(name, len);
}

const char *sb_plan_find_context(const struct sb_plan *plan, const char *name)
{
	sb_autofree char *wanted = shorten(name);

	for (size_t i = 0; i < plan->contexts.len; i++) {
		sb_autofree char *context = shorten(plan->contexts.items[i]);

		if (strcmp(plan->contexts.items[i], name) == 0 || strcmp(context, wanted) == 0)
			return plan->contexts.items[i];
	}
	return NULL;
}

static void set_base(struct sb_base *out, enum sb_base_kind kind, const char *name)
{
	*out = (struct sb_base){.kind = kind, .name = sb_strdup_or_null(name)};
}

/* The last of the stages [first, end) with that name, or `end`. */
static size_t find_stage(const struct sb_plan *plan, size_t first, size_t end, const char *name,
	int (*compare)(const char *, const char *))
{
	for (size_t i = end; i > first; i--) {
		const struct sb_stage *stage = &plan->stages.items[i - 1];

		if (stage->is_named && compare(stage->name, name) == 0)
			return i - 1;
	}
	return end;
}

void sb_plan_resolve_base(
	const struct sb_plan *plan, size_t in_stage, const char *name, struct sb_base *out)
{
	const char *context = sb_plan_find_context(plan, name);
	/* The one place where letter case counts: stage names are lower case, and FROM Build is an
	 * image. */
	const size_t stage = find_stage(plan, 0, in_stage, name, strcmp);

	if (context != NULL)
		set_base(out, SB_BASE_CONTEXT, context);
	else if (stage < in_stage)
		*out = (struct sb_base){.kind = SB_BASE_STAGE, .stage = stage};
	else if (strcmp(name, "scratch") == 0)
		set_base(out, SB_BASE_SCRATCH, NULL);
	else
		set_base(out, SB_BASE_IMAGE, name);
}

static int fail_later(
	const struct sb_plan *plan, size_t in_stage, const char *from, struct sb_error *err)
{
	const char *here = plan->stages.items[in_stage].name;

	if (strcasecmp(here, from) == 0)
		return sb_fail(err, SB_E_SYNTAX, "stage '%s' can't take files from itself", from);
	return sb_fail(err, SB_E_SYNTAX,
		"stage '%s' must be defined before stage '%s', which takes files from it", from,
		here);
}

static int resolve_index(const struct sb_plan *plan, size_t in_stage, const char *from,
	uint64_t index, struct sb_base *out, struct sb_error *err)
{
	if (index >= plan->stages.len)
		return sb_fail(err, SB_E_SYNTAX, "invalid stage index '%s'", from);
	if (index >= in_stage)
		return fail_later(plan, in_stage, from, err);
	*out = (struct sb_base){.kind = SB_BASE_STAGE, .stage = index};
	return 0;
}

int sb_plan_resolve_from(const struct sb_plan *plan, size_t in_stage, const char *from,
	struct sb_base *out, struct sb_error *err)
{
	const char *context = sb_plan_find_context(plan, from);
	const size_t earlier = find_stage(plan, 0, in_stage, from, strcasecmp);
	uint64_t index;

	if (from[0] == '\0')
		return sb_fail(err, SB_E_SYNTAX, "the stage or image to take files from is empty");
	if (strchr(from, '$') != NULL) {
		sb_fail(err, SB_E_SYNTAX, "variables are not expanded here: '%s'", from);
		return sb_error_hint(
			err, "give the image a name with 'FROM … AS name' and use that");
	}
	if (context != NULL)
		set_base(out, SB_BASE_CONTEXT, context);
	else if (from[strspn(from, "0123456789")] == '\0')
		return resolve_index(plan, in_stage, from,
			sb_number_parse(from, 10, SIZE_MAX, &index) ? index : SIZE_MAX, out, err);
	else if (earlier < in_stage)
		*out = (struct sb_base){.kind = SB_BASE_STAGE, .stage = earlier};
	else if (find_stage(plan, in_stage, plan->stages.len, from, strcasecmp) < plan->stages.len)
		return fail_later(plan, in_stage, from, err);
	else if (strcmp(from, "scratch") == 0)
		set_base(out, SB_BASE_SCRATCH, NULL);
	else
		set_base(out, SB_BASE_IMAGE, from);
	return 0;
}

/* One visit of a stage's sources. */
struct visit {
	const struct sb_plan *plan;
	size_t in_stage;
	sb_plan_visit_fn fn;
	void *data;
};

static int visit_from(const struct visit *v, const char *from, struct sb_error *err)
{
	struct sb_base base = {0};

	if (sb_plan_resolve_from(v->plan, v->in_stage, from, &base, err) < 0)
		return -1;
	v->fn(&base, v->data);
	sb_base_release(&base);
	return 0;
}

static int visit_mount(const struct visit *v, const char *mount, struct sb_error *err)
{
	sb_autofree char *from = NULL;

	if (sb_mount_from(mount, &from, err) < 0)
		return sb_error_context(err, "--mount");
	if (from != NULL && visit_from(v, from, err) < 0)
		return sb_error_context(err, "--mount: from");
	return 0;
}

static int visit_flag(const struct visit *v, const struct sb_instruction *instr,
	const struct sb_pair *flag, struct sb_error *err)
{
	if (instr->kind == SB_INSTR_COPY && strcmp(flag->key, "from") == 0) {
		if (visit_from(v, flag->value, err) < 0)
			return sb_error_context(err, "--from");
	} else if (instr->kind == SB_INSTR_RUN && strcmp(flag->key, "mount") == 0) {
		return visit_mount(v, flag->value, err);
	}
	return 0;
}

static int visit_instruction(
	const struct visit *v, const struct sb_instruction *instr, struct sb_error *err)
{
	SB_ARRAY_FOREACH (&instr->flags, flag) {
		if (visit_flag(v, instr, flag, err) < 0) {
			(void)sb_error_about(err, flag->value);
			sb_error_context(err, "%s", sb_instruction_name(instr->kind));
			return sb_error_locate(err, instr->at);
		}
	}
	return 0;
}

int sb_plan_visit_sources(const struct sb_plan *plan, const struct sb_stage *stage,
	sb_plan_visit_fn visit, void *data, struct sb_error *err)
{
	const struct visit v = {plan, stage->index, visit, data};
	const struct sb_instruction *all = plan->buildfile->instructions.items;

	if (stage->base.kind == SB_BASE_STAGE) {
		const struct sb_stage *base = &plan->stages.items[stage->base.stage];

		for (size_t i = base->first; i < base->end; i++)
			if (all[i].trigger != NULL &&
				visit_instruction(&v, all[i].trigger, err) < 0)
				return -1;
	}
	for (size_t i = stage->first; i < stage->end; i++)
		if (visit_instruction(&v, &all[i], err) < 0)
			return -1;
	return 0;
}

int sb_plan_visit_instruction(const struct sb_plan *plan, size_t in_stage,
	const struct sb_instruction *instr, sb_plan_visit_fn visit, void *data,
	struct sb_error *err)
{
	const struct visit v = {plan, in_stage, visit, data};

	return visit_instruction(&v, instr, err);
}
