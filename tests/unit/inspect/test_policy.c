/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/finding.h"
#include "inspect/policy.h"
#include "inspect/policy_place.h"
#include "test_report_fixture.h"

enum { DAY = 24 * 60 * 60, TODAY = 1798761600 /* 2027-01-01 */ };

static struct sb_policy *policy_of(const char *text)
{
	struct sb_policy *policy = sb_policy_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (text != NULL && sb_policy_read(policy, ".safebuild.json", text, strlen(text), &err) < 0)
		fail_msg("%s", err.message);
	return policy;
}

/* The findings of the fixture's inspection, held to the policy. */
static struct sb_findings held(const struct sb_policy *policy, time_t today)
{
	SB_AUTO(sb_inspection) in = fixture_inspection();
	struct sb_findings findings;

	sb_inspection_findings(in, &findings);
	sb_policy_apply(policy, in, today, &findings);
	return findings;
}

static size_t count(const struct sb_findings *findings, const char *rule)
{
	size_t n = 0;

	SB_ARRAY_FOREACH (findings, finding)
		n += strcmp(finding->rule->id, rule) == 0 ? 1 : 0;
	return n;
}

static const struct sb_finding *first(const struct sb_findings *findings, const char *rule)
{
	SB_ARRAY_FOREACH (findings, finding)
		if (strcmp(finding->rule->id, rule) == 0)
			return finding;
	fail_msg("no finding of %s", rule);
	abort();
}

static void everything_in_a_report_is_a_finding(void **state)
{
	static const struct {
		const char *rule;
		size_t n;
	} rows[] = {
		{"known-secret", 1},
		{"secret-github-token", 1},
		{"broken-image", 1},
		{"not-scanned", 1},
		{"runs-as-root", 1},
		{"deleted-secret-file", 1},
		{"deleted-file", 2},
		{"package-cache", 1},
		{"privileged-file", 2},
	};
	SB_AUTO(sb_inspection) in = fixture_inspection();
	struct sb_findings findings;
	size_t n = 0;

	(void)state;
	sb_inspection_findings(in, &findings);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(count(&findings, rows[i].rule), rows[i].n);
		n += rows[i].n;
	}
	assert_int_equal(findings.len, n);
	for (size_t i = 1; i < findings.len; i++)
		assert_true(findings.items[i - 1].level >= findings.items[i].level);
	assert_string_equal(findings.items[0].rule->id, "known-secret");
	assert_int_equal(findings.items[0].removed_layer, 3);
	assert_string_equal(first(&findings, "secret-github-token")->path, "config: Env");
	sb_findings_release(&findings);
}

static void rules_have_all_their_texts_and_differ(void **state)
{
	const struct sb_finding_rule *rule;

	(void)state;
	for (size_t i = 0; (rule = sb_finding_rule_at(i)) != NULL; i++) {
		assert_ptr_equal(sb_finding_rule_find(rule->id), rule);
		assert_true(rule->title[0] != '\0' && rule->why[0] != '\0' && rule->fix[0] != '\0');
		assert_int_equal(rule->fix[strlen(rule->fix) - 1], '.');
	}
	assert_null(sb_finding_rule_find("no-such-rule"));
}

/* The layer may be another one after a rebuild, its digest and the offset too. */
static void fingerprints_are_of_what_stays(void **state)
{
	SB_AUTO(sb_inspection) one = fixture_inspection();
	SB_AUTO(sb_inspection) other = fixture_inspection();
	struct sb_findings a;
	struct sb_findings b;

	(void)state;
	other->secrets.items[0].layer = 2;
	other->secrets.items[0].offset = 4711;
	free(other->secrets.items[0].where);
	other->secrets.items[0].where = sb_strdup("layer 3: etc/secret.txt");
	other->dead.items[0].added_layer = 2;
	other->dead.items[0].digest = other->dead.items[1].digest;
	sb_inspection_findings(one, &a);
	sb_inspection_findings(other, &b);
	assert_string_equal(
		first(&a, "known-secret")->fingerprint, first(&b, "known-secret")->fingerprint);
	assert_string_equal(first(&a, "deleted-secret-file")->fingerprint,
		first(&b, "deleted-secret-file")->fingerprint);
	assert_string_not_equal(first(&a, "known-secret")->fingerprint,
		first(&a, "deleted-secret-file")->fingerprint);
	assert_int_equal(strlen(first(&a, "runs-as-root")->fingerprint), 32);
	sb_findings_release(&a);
	sb_findings_release(&b);
}

static size_t count_failing(const struct sb_policy *policy, const struct sb_findings *findings)
{
	size_t n = 0;

	SB_ARRAY_FOREACH (findings, finding)
		n += sb_policy_fails(policy, finding) ? 1 : 0;
	return n;
}

static void fail_on_decides_what_fails(void **state)
{
	static const struct {
		const char *words[3];
		size_t n;
	} rows[] = {
		{{NULL}, 1},
		{{"none"}, 0},
		{{"error"}, 3},
		{{"warning"}, 7},
		{{"note"}, 11},
		{{"any"}, 11},
		{{"runs-as-root"}, 2}, /* and the known secret */
		{{"runs-as-root", "package-cache"}, 3},
		{{"error", "runs-as-root"}, 4},
		{{"error", "none"}, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO(sb_policy) policy = policy_of(NULL);
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct sb_findings findings = held(policy, TODAY);

		for (size_t k = 0; k < 3 && rows[i].words[k] != NULL; k++)
			assert_int_equal(sb_policy_add_fail_on(policy, rows[i].words[k], &err), 0);
		assert_int_equal(count_failing(policy, &findings), rows[i].n);
		sb_findings_release(&findings);
	}
}

static void a_word_that_is_no_rule_is_refused_with_one_that_is(void **state)
{
	SB_AUTO(sb_policy) policy = policy_of(NULL);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	assert_int_equal(sb_policy_add_fail_on(policy, "known-secrets", &err), -1);
	assert_int_equal(err.code, SB_E_USAGE);
	assert_non_null(strstr(err.hint, "'known-secret'"));
}

static void the_command_line_replaces_the_files_words(void **state)
{
	SB_AUTO(sb_policy) policy = policy_of("{\"inspect\": {\"fail-on\": [\"any\"]}}");
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_findings findings = held(policy, TODAY);

	(void)state;
	assert_int_equal(count_failing(policy, &findings), 11);
	assert_int_equal(sb_policy_add_fail_on(policy, "error", &err), 0);
	assert_int_equal(count_failing(policy, &findings), 3);
	sb_findings_release(&findings);
}

static void budgets_that_are_exceeded_are_findings_that_fail(void **state)
{
	static const struct {
		const char *budget;
		size_t n;
	} rows[] = {
		{"\"dead-bytes\": 4000513", 0},
		{"\"dead-bytes\": 4000512", 1},
		{"\"dead-bytes\": \"4MB\"", 1},
		{"\"dead-bytes\": \"4.1 MB\"", 0},
		{"\"dead-bytes\": \"4MiB\"", 0},
		{"\"image-bytes\": \"43 MB\"", 1},
		{"\"image-bytes\": \"1GB\"", 0},
		{"\"layer-bytes\": \"10MB\"", 2},
		{"\"layers\": 3", 1},
		{"\"layers\": 4", 0},
		{"\"package-cache-bytes\": 0", 1},
		{"\"setuid-files\": 0", 1},
		{"\"setuid-files\": 1", 0},
		{"\"suspected-secrets\": 0", 1},
		{"\"runs-as-root\": false", 1},
		{"\"runs-as-root\": true", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *text =
			sb_asprintf("{\"inspect\": {\"budgets\": {%s}}}", rows[i].budget);
		SB_AUTO(sb_policy) policy = policy_of(text);
		struct sb_findings findings = held(policy, TODAY);

		if (count(&findings, "budget-exceeded") != rows[i].n)
			print_error("%s\n", rows[i].budget);
		assert_int_equal(count(&findings, "budget-exceeded"), rows[i].n);
		assert_int_equal(count_failing(policy, &findings), 1 + rows[i].n);
		sb_findings_release(&findings);
	}
}

#define WAIVER(rule, path, expires) \
	"{\"inspect\": {\"fail-on\": [\"any\"], \"waivers\": [{\"rule\": \"" rule "\"" path \
	", \"reason\": \"known\", \"owner\": \"me@example.org\", \"expires\": \"" expires "\"}]}}"

static void waivers_hold_for_what_they_name_until_their_day(void **state)
{
	static const struct {
		const char *policy;
		time_t today;
		size_t n_waived;
		size_t n_expired;
		size_t n_unused;
	} rows[] = {
		{WAIVER("runs-as-root", "", "2027-01-01"), TODAY, 1, 0, 0},
		{WAIVER("runs-as-root", "", "2027-01-01"), TODAY + DAY - 1, 1, 0, 0},
		{WAIVER("runs-as-root", "", "2027-01-01"), TODAY + DAY, 0, 1, 0},
		{WAIVER("runs-as-root", "", "2026-12-31"), TODAY, 0, 1, 0},
		{WAIVER("privileged-file", "", "2027-02-28"), TODAY, 2, 0, 0},
		{WAIVER("privileged-file", ", \"path\": \"usr/bin/*\"", "2027-02-28"), TODAY, 2, 0,
			0},
		{WAIVER("privileged-file", ", \"path\": \"*/ping\"", "2027-02-28"), TODAY, 1, 0, 0},
		{WAIVER("privileged-file", ", \"path\": \"ping\"", "2027-02-28"), TODAY, 0, 0, 1},
		{WAIVER("odd-image", "", "2027-02-28"), TODAY, 0, 0, 1},
		{WAIVER("secret-github-token", ", \"path\": \"config*\"", "2027-02-28"), TODAY, 1,
			0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO(sb_policy) policy = policy_of(rows[i].policy);
		struct sb_findings findings = held(policy, rows[i].today);
		size_t n_waived = 0;

		SB_ARRAY_FOREACH (&findings, finding)
			n_waived += finding->waived_by != NULL ? 1 : 0;
		assert_int_equal(n_waived, rows[i].n_waived);
		assert_int_equal(count(&findings, "waiver-expired"), rows[i].n_expired);
		assert_int_equal(count(&findings, "waiver-unused"), rows[i].n_unused);
		assert_int_equal(count_failing(policy, &findings), findings.len - n_waived);
		sb_findings_release(&findings);
	}
}

static void a_fingerprint_waives_one_finding(void **state)
{
	SB_AUTO(sb_policy) none = policy_of(NULL);
	struct sb_findings before = held(none, TODAY);
	sb_autofree char *text = sb_asprintf(
		"{\"inspect\": {\"waivers\": [{\"rule\": \"privileged-file\", \"fingerprint\": "
		"\"%s\", \"reason\": \"r\", \"owner\": \"o\", \"expires\": \"2027-02-28\"}]}}",
		first(&before, "privileged-file")->fingerprint);
	SB_AUTO(sb_policy) policy = policy_of(text);
	struct sb_findings after = held(policy, TODAY);
	size_t n = 0;

	(void)state;
	SB_ARRAY_FOREACH (&after, finding)
		n += finding->waived_by != NULL ? 1 : 0;
	assert_int_equal(n, 1);
	assert_string_equal(first(&after, "privileged-file")->waived_by, "o until 2027-02-28: r");
	sb_findings_release(&before);
	sb_findings_release(&after);
}

static void what_is_wrong_in_a_policy_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *message;
	} rows[] = {
		{"", 1, "JSON"},
		{"{\n\"inspect\": {", 2, "JSON"},
		{"[]", 1, "object"},
		{"{\"inspect\": 7}", 1, "'inspect' must be an object"},
		{"{\n \"inspekt\": {}}", 2, "unknown key 'inspekt'"},
		{"{\"inspect\":\n{\"budgets\": {},\n\"fail_on\": []}}", 3, "unknown key 'fail_on'"},
		{"{\"inspect\": {\"fail-on\": []}}", 1, "empty"},
		{"{\"inspect\": {\"fail-on\": [\"error\",\n\"eror\"]}}", 2, "'eror'"},
		{"{\"inspect\": {\"fail-on\": [7]}}", 1, "list of levels"},
		{"{\"inspect\": {\"budgets\":\n{\"layers\": 1,\n\n\"dead-bytes\": \"much\"}}}", 4,
			"'dead-bytes' must be a size"},
		{"{\"inspect\": {\"budgets\": {\"layers\": -1}}}", 1, "a number"},
		{"{\"inspect\": {\"budgets\": {\"runs-as-root\": 1}}}", 1, "true or false"},
		{"{\"inspect\": {\"budgets\": {\"layers\": 1, \"layers\": 2}}}", 1, "JSON"},
		{WAIVER("known-secret", "", "2027-02-28"), 1, "can't be waived"},
		{WAIVER("broken-image", "", "2027-02-28"), 1, "can't be waived"},
		{WAIVER("no-rule", "", "2027-02-28"), 1, "no rule 'no-rule'"},
		{WAIVER("runs-as-root", "", "2027-02-29"), 1, "'expires' must be a day"},
		{WAIVER("runs-as-root", "", "tomorrow"), 1, "'expires' must be a day"},
		{WAIVER("runs-as-root", ", \"path\": \"\"", "2027-02-28"), 1, "not empty"},
		{"{\"inspect\": {\"waivers\": [\n{\"rule\": \"runs-as-root\", \"reason\": \"r\",\n"
		 "\"expires\": \"2027-02-28\"}]}}",
			2, "has no 'owner'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO(sb_policy) policy = sb_policy_new();
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		assert_int_equal(
			sb_policy_read(policy, "p.json", rows[i].text, strlen(rows[i].text), &err),
			-1);
		if (strstr(err.message, rows[i].message) == NULL || err.at.line != rows[i].line)
			print_error("%zu: line %u: %s\n", i, err.at.line, err.message);
		assert_int_equal(err.code, SB_E_SYNTAX);
		assert_non_null(strstr(err.message, rows[i].message));
		assert_int_equal(err.at.line, rows[i].line);
		assert_true(err.at.column > 0);
		assert_string_equal(err.at.file, "p.json");
	}
}

static void places_are_found_behind_strings_that_look_like_structure(void **state)
{
	static const char text[] =
		"{\"a\": \"x\\\"}]\",\n \"b\": [[1, {\"k\": 2}],\n {\"k\":\n 3}],\n"
		" \"k\": -1.5e3, \"d\":\n null}";
	static const struct {
		struct sb_json_step steps[3];
		size_t n_steps;
		unsigned line;
		unsigned column;
	} rows[] = {
		{{{"b", 0}, {NULL, 1}, {"k", 0}}, 3, 3, 3},
		{{{"d", 0}}, 1, 5, 15},
		{{{"b", 0}, {NULL, 7}}, 2, 3, 2},
		{{{"d", 0}}, 0, 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sb_source_pos at = {0};

		sb_json_place_of(text, strlen(text), rows[i].steps, rows[i].n_steps, &at);
		assert_int_equal(at.line, rows[i].line);
		assert_int_equal(at.column, rows[i].column);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_in_a_report_is_a_finding),
		cmocka_unit_test(rules_have_all_their_texts_and_differ),
		cmocka_unit_test(fingerprints_are_of_what_stays),
		cmocka_unit_test(fail_on_decides_what_fails),
		cmocka_unit_test(a_word_that_is_no_rule_is_refused_with_one_that_is),
		cmocka_unit_test(the_command_line_replaces_the_files_words),
		cmocka_unit_test(budgets_that_are_exceeded_are_findings_that_fail),
		cmocka_unit_test(waivers_hold_for_what_they_name_until_their_day),
		cmocka_unit_test(a_fingerprint_waives_one_finding),
		cmocka_unit_test(what_is_wrong_in_a_policy_is_told_with_its_line),
		cmocka_unit_test(places_are_found_behind_strings_that_look_like_structure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
