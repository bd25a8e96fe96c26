/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "base/suggest.h"
#include "inspect/policy_place.h"
#include "inspect/policy_private.h"
#include "oci/json.h"

enum { MAX_DEPTH = 4 };

/* Where in the file the reading is, for errors. */
struct reading {
	struct sb_policy *policy;
	const char *file;
	const char *text;
	size_t len;
	struct sb_json_step steps[MAX_DEPTH];
	size_t depth;
};

static void step_in(struct reading *r, const char *key, size_t index)
{
	SB_BUG_ON(r->depth == MAX_DEPTH);
	r->steps[r->depth++] = (struct sb_json_step){key, index};
}

/* Gives a failure the place that the reading is at. */
static int locate(const struct reading *r, struct sb_error *err)
{
	struct sb_source_pos at = {.file = r->file};

	sb_json_place_of(r->text, r->len, r->steps, r->depth, &at);
	return sb_error_locate(err, at);
}

static int fail_here(const struct reading *r, const char *what, struct sb_error *err)
{
	sb_fail(err, SB_E_SYNTAX, "%s", what);
	return locate(r, err);
}

static int fail_type(
	const struct reading *r, const char *key, const char *want, struct sb_error *err)
{
	sb_fail(err, SB_E_SYNTAX, "'%s' must be %s", key, want);
	return locate(r, err);
}

/* The number of the key in a list that ends with NULL. */
static int find_key(const struct reading *r, const char *const *known, const char *key, size_t *out,
	struct sb_error *err)
{
	struct sb_suggestion near = {.typed = key};

	for (size_t i = 0; known[i] != NULL; i++) {
		if (strcmp(known[i], key) == 0) {
			*out = i;
			return 0;
		}
		sb_suggestion_consider(&near, known[i]);
	}
	sb_fail(err, SB_E_SYNTAX, "unknown key '%s'", key);
	if (near.best != NULL)
		sb_error_hint(err, "did you mean '%s'?", near.best);
	return locate(r, err);
}

static int read_fail_on(struct reading *r, const json_t *json, struct sb_error *err)
{
	if (!json_is_array(json))
		return fail_type(r, "fail-on", "a list of levels and rules", err);
	if (json_array_size(json) == 0)
		return fail_here(r, "'fail-on' is empty: \"none\" is what never fails", err);
	for (size_t i = 0; i < json_array_size(json); i++) {
		const char *word = json_string_value(json_array_get(json, i));

		step_in(r, NULL, i);
		if (word == NULL)
			return fail_type(r, "fail-on", "a list of levels and rules", err);
		if (sb_policy_add_fail_on(r->policy, word, err) < 0) {
			err->code = SB_E_SYNTAX;
			return locate(r, err);
		}
		r->depth--;
	}
	return 0;
}

/* "1.5MB": a number and a unit. */
static bool read_size_text(const char *text, uint64_t *out)
{
	static const struct {
		const char *name;
		double bytes;
	} units[] = {{"", 1}, {"B", 1}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
		{"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
	char *unit = NULL;

	if (text[0] < '0' || text[0] > '9' || strpbrk(text, "xXeEnN") != NULL)
		return false;

	const double n = strtod(text, &unit);

	unit += strspn(unit, " ");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		if (n * units[i].bytes > 1e18)
			return false;
		*out = (uint64_t)llround(n * units[i].bytes);
		return true;
	}
	return false;
}

static bool read_amount(enum sb_budget_kind kind, const json_t *json, uint64_t *out)
{
	if (kind == SB_BUDGET_RUNS_AS_ROOT) {
		*out = json_is_true(json) ? 1 : 0;
		return json_is_boolean(json);
	}
	if (json_is_integer(json) && json_integer_value(json) >= 0) {
		*out = (uint64_t)json_integer_value(json);
		return true;
	}
	return sb_budget_is_size(kind) && json_is_string(json) &&
	       read_size_text(json_string_value(json), out);
}

static int read_budgets(struct reading *r, json_t *json, struct sb_error *err)
{
	const char *names[SB_N_BUDGETS + 1] = {NULL};
	const char *key;
	json_t *value;

	for (int i = 0; i < SB_N_BUDGETS; i++)
		names[i] = sb_budget_name((enum sb_budget_kind)i);
	if (!json_is_object(json))
		return fail_type(r, "budgets", "an object", err);
	json_object_foreach(json, key, value)
	{
		size_t kind = 0;
		uint64_t most = 0;

		step_in(r, key, 0);
		if (find_key(r, names, key, &kind, err) < 0)
			return -1;
		if (!read_amount((enum sb_budget_kind)kind, value, &most))
			return fail_type(r, key,
				kind == SB_BUDGET_RUNS_AS_ROOT ? "true or false"
				: sb_budget_is_size((enum sb_budget_kind)kind)
					? "a size, as 1000 or \"1.5MB\""
					: "a number",
				err);
		r->policy->budgets[kind] = (struct sb_budget){.is_set = true, .most = most};
		r->depth--;
	}
	return 0;
}

/* "2027-01-31" as the second at which that day is over, UTC. */
static bool read_day(const char *text, time_t *out)
{
	static const char shape[] = "dddd-dd-dd";
	struct tm day = {0};
	char again[16];

	if (strlen(text) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != '-')
			return false;
	day.tm_year = (int)strtol(text, NULL, 10) - 1900;
	day.tm_mon = (int)strtol(text + 5, NULL, 10) - 1;
	day.tm_mday = (int)strtol(text + 8, NULL, 10);

	const time_t start = timegm(&day);

	/* The 31st of February is one of March by then. */
	if (strftime(again, sizeof(again), "%Y-%m-%d", &day) == 0 || strcmp(again, text) != 0)
		return false;
	*out = start + (time_t)24 * 60 * 60;
	return true;
}

enum waiver_key { W_RULE, W_PATH, W_FINGERPRINT, W_REASON, W_OWNER, W_EXPIRES, N_WAIVER_KEYS };
static const char *const waiver_keys[] = {
	"rule", "path", "fingerprint", "reason", "owner", "expires", NULL};

static int check_rule(const struct reading *r, const char *rule, struct sb_error *err)
{
	struct sb_suggestion near = {.typed = rule};
	const struct sb_finding_rule *known;

	if (strcmp(rule, SB_RULE_KNOWN_SECRET) == 0 || strcmp(rule, SB_RULE_BROKEN_IMAGE) == 0 ||
		strcmp(rule, SB_RULE_BUDGET) == 0) {
		sb_fail(err, SB_E_SYNTAX, "'%s' can't be waived", rule);
		return locate(r, err);
	}
	for (size_t i = 0; (known = sb_finding_rule_at(i)) != NULL; i++) {
		if (strcmp(known->id, rule) == 0)
			return 0;
		sb_suggestion_consider(&near, known->id);
	}
	sb_fail(err, SB_E_SYNTAX, "there is no rule '%s'", rule);
	if (near.best != NULL)
		sb_error_hint(err, "did you mean '%s'?", near.best);
	return locate(r, err);
}

static int read_texts(
	struct reading *r, json_t *json, const char *texts[N_WAIVER_KEYS], struct sb_error *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		return fail_type(r, "waivers", "a list of objects", err);
	json_object_foreach(json, key, value)
	{
		size_t i = 0;

		step_in(r, key, 0);
		if (find_key(r, waiver_keys, key, &i, err) < 0)
			return -1;
		texts[i] = json_string_value(value);
		if (texts[i] == NULL || texts[i][0] == '\0')
			return fail_type(r, key, "text that is not empty", err);
		if (i == W_RULE && check_rule(r, texts[i], err) < 0)
			return -1;
		r->depth--;
	}
	return 0;
}

static int read_waiver(struct reading *r, json_t *json, struct sb_error *err)
{
	static const enum waiver_key needed[] = {W_RULE, W_REASON, W_OWNER, W_EXPIRES};
	const char *texts[N_WAIVER_KEYS] = {NULL};
	time_t end = 0;

	if (read_texts(r, json, texts, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (texts[needed[i]] != NULL)
			continue;
		sb_fail(err, SB_E_SYNTAX, "the waiver has no '%s'", waiver_keys[needed[i]]);
		sb_error_hint(err, "a waiver has a rule, a reason, an owner and the last day on "
				   "which it holds (expires)");
		return locate(r, err);
	}
	step_in(r, waiver_keys[W_EXPIRES], 0);
	if (!read_day(texts[W_EXPIRES], &end))
		return fail_type(r, "expires", "a day, as \"2027-01-31\"", err);
	r->depth--;
	*SB_ARRAY_ADD(&r->policy->waivers) = (struct sb_waiver){
		.rule = sb_strdup(texts[W_RULE]),
		.path = sb_strdup_or_null(texts[W_PATH]),
		.fingerprint = sb_strdup_or_null(texts[W_FINGERPRINT]),
		.owner = sb_strdup(texts[W_OWNER]),
		.expires = sb_strdup(texts[W_EXPIRES]),
		.waived_by = sb_asprintf(
			"%s until %s: %s", texts[W_OWNER], texts[W_EXPIRES], texts[W_REASON]),
		.end = end,
	};
	return 0;
}

static int read_waivers(struct reading *r, const json_t *json, struct sb_error *err)
{
	if (!json_is_array(json))
		return fail_type(r, "waivers", "a list of objects", err);
	for (size_t i = 0; i < json_array_size(json); i++) {
		step_in(r, NULL, i);
		if (read_waiver(r, json_array_get(json, i), err) < 0)
			return -1;
		r->depth--;
	}
	return 0;
}

static int read_inspect(struct reading *r, json_t *json, struct sb_error *err)
{
	static const char *const keys[] = {"fail-on", "budgets", "waivers", NULL};
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		return fail_type(r, "inspect", "an object", err);
	json_object_foreach(json, key, value)
	{
		size_t i = 0;
		int rc = 0;

		step_in(r, key, 0);
		if (find_key(r, keys, key, &i, err) < 0)
			return -1;
		if (i == 0)
			rc = read_fail_on(r, value, err);
		else
			rc = i == 1 ? read_budgets(r, value, err) : read_waivers(r, value, err);
		if (rc < 0)
			return -1;
		r->depth--;
	}
	return 0;
}

static int read_document(struct reading *r, json_t *json, struct sb_error *err)
{
	static const char *const keys[] = {"inspect", NULL};
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		return fail_here(r, "a policy is an object", err);
	json_object_foreach(json, key, value)
	{
		size_t i = 0;

		step_in(r, key, 0);
		if (find_key(r, keys, key, &i, err) < 0 || read_inspect(r, value, err) < 0)
			return -1;
		r->depth--;
	}
	return 0;
}

int sb_policy_read(struct sb_policy *policy, const char *file, const char *text, size_t len,
	struct sb_error *err)
{
	struct reading r = {.policy = policy, .file = file, .text = text, .len = len};
	json_error_t where;
	SB_AUTO_JSON json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);

	free(policy->file);
	policy->file = sb_strdup(file);
	if (json == NULL) {
		const struct sb_source_pos at = {.file = file,
			.line = where.line > 0 ? (unsigned)where.line : 1,
			.column = where.column > 0 ? (unsigned)where.column : 1};

		return sb_fail_at(err, SB_E_SYNTAX, at, "it is no valid JSON: %s", where.text);
	}
	if (read_document(&r, json, err) < 0)
		return -1;
	/* The command line's words replace the file's. */
	policy->is_default = true;
	return 0;
}
