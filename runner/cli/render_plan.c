/* SPDX-License-Identifier: MIT */
#include "cli/render_plan.h"

#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "cli/lines.h"

enum { KEY_DIGITS = 12, TEXT_BYTES = 200, SCHEMA = 1 };

static char *clean(const char *text, size_t max_bytes)
{
	return sb_line_clean(text, strnlen(text, max_bytes));
}

static const char *short_key(const char *key)
{
	const char *colon = strchr(key, ':');

	return colon != NULL ? colon + 1 : "";
}

static void print_stage(const struct sb_plan_report *report, size_t i, FILE *out)
{
	const struct sb_planned_stage *stage = &report->stages[i];
	sb_autofree char *name = clean(stage->name, TEXT_BYTES);
	sb_autofree char *base = clean(stage->base, TEXT_BYTES);

	(void)fprintf(out, "%sstage %s%s%s, from %s", i > 0 ? "\n" : "",
		stage->platform != NULL ? stage->platform : "", stage->platform != NULL ? " " : "",
		name, base);
	for (size_t k = 0; k < stage->n_needs; k++) {
		sb_autofree char *need = clean(report->stages[stage->needs[k]].name, TEXT_BYTES);

		(void)fprintf(out, "%s%s", k == 0 ? "; needs " : ", ", need);
	}
	(void)fprintf(out, "%s\n", stage->is_target ? " (target)" : "");
}

static void print_step(const struct sb_planned_step *step, FILE *out)
{
	sb_autofree char *text = clean(step->text, TEXT_BYTES);

	(void)fprintf(out, "  %4u  %-7s  %-*.*s  %s\n", step->line,
		sb_planned_state_name(step->state), KEY_DIGITS, KEY_DIGITS, short_key(step->key),
		text);
}

void sb_render_plan_page(const struct sb_plan_report *report, FILE *out)
{
	size_t n_of[SB_PLANNED_UNKNOWN + 1] = {0};

	for (size_t i = 0; i < report->n_stages; i++) {
		print_stage(report, i, out);
		for (size_t k = 0; k < report->n_steps; k++)
			if (report->steps[k].stage == i)
				print_step(&report->steps[k], out);
	}
	for (size_t k = 0; k < report->n_steps; k++)
		n_of[report->steps[k].state]++;
	(void)fprintf(out, "\n%zu cached, %zu to run, %zu not known before these ran\n",
		n_of[SB_PLANNED_CACHED], n_of[SB_PLANNED_RUN], n_of[SB_PLANNED_UNKNOWN]);
}

static void set_text(json_t *object, const char *key, const char *text)
{
	sb_autofree char *printable = sb_line_clean(text, strlen(text));

	(void)json_object_set_new(object, key, json_string(printable));
}

static json_t *steps_of(const struct sb_plan_report *report, size_t stage)
{
	json_t *steps = json_array();

	for (size_t k = 0; k < report->n_steps; k++) {
		const struct sb_planned_step *step = &report->steps[k];
		json_t *object = NULL;

		if (step->stage != stage)
			continue;
		object = json_object();
		set_text(object, "text", step->text);
		(void)json_object_set_new(object, "line", json_integer(step->line));
		set_text(object, "state", sb_planned_state_name(step->state));
		if (step->key[0] != '\0')
			set_text(object, "key", step->key);
		(void)json_array_append_new(steps, object);
	}
	return steps;
}

static json_t *stage_of(const struct sb_plan_report *report, size_t i)
{
	const struct sb_planned_stage *stage = &report->stages[i];
	json_t *object = json_object();
	json_t *needs = json_array();

	for (size_t k = 0; k < stage->n_needs; k++)
		(void)json_array_append_new(needs, json_integer((json_int_t)stage->needs[k]));
	set_text(object, "name", stage->name);
	set_text(object, "base", stage->base);
	if (stage->platform != NULL)
		set_text(object, "platform", stage->platform);
	(void)json_object_set_new(object, "target", json_boolean(stage->is_target));
	(void)json_object_set_new(object, "needs", needs);
	(void)json_object_set_new(object, "steps", steps_of(report, i));
	return object;
}

void sb_render_plan_json(const struct sb_plan_report *report, FILE *out)
{
	json_t *object = json_object();
	json_t *stages = json_array();

	for (size_t i = 0; i < report->n_stages; i++)
		(void)json_array_append_new(stages, stage_of(report, i));
	(void)json_object_set_new(object, "schema", json_integer(SCHEMA));
	(void)json_object_set_new(object, "stages", stages);

	sb_autofree char *text = json_dumps(object, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	json_decref(object);
	(void)fprintf(out, "%s\n", text != NULL ? text : "{}");
}
