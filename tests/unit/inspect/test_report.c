/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/columns.h"
#include "base/utf8.h"
#include "inspect/report_words.h"
#include "test_report_fixture.h"

enum form { PAGE, JSON, SARIF, HTML, N_FORMS };

static char *report_of(enum form form, const struct sb_inspection *in,
	const struct sb_findings *findings, const struct sb_report_style *style)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	char *out = NULL;
	int rc = -1;

	if (form == PAGE)
		rc = sb_inspection_page(in, findings, style, &out, &err);
	else if (form == JSON)
		rc = sb_inspection_json(in, findings, &out, &err);
	else if (form == SARIF)
		rc = sb_inspection_sarif(in, findings, &out, &err);
	else
		rc = sb_inspection_html(in, findings, &out, &err);
	assert_int_equal(rc, 0);
	return out;
}

/* The report of the fixture. */
static char *made(enum form form, unsigned width, bool color)
{
	const struct sb_report_style style = {.width = width, .color = color, .image = "an image"};
	SB_AUTO(sb_inspection) in = fixture_inspection();
	struct sb_findings findings = fixture_findings();
	char *report = report_of(form, in, &findings, &style);

	fixture_release(&findings);
	return report;
}

static void assert_has(const char *report, const char *part)
{
	if (strstr(report, part) == NULL)
		fail_msg("'%s' is missing in:\n%s", part, report);
}

static void page_tells_all_there_is(void **state)
{
	static const char *const parts[] = {
		"image    registry.example/team/app:1.2.3\n",
		"43.0 MB compressed, 137 MB unpacked, 90.0 MB in visible files\n",
		"runs as root",
		"  2      400 B  \xe2\x96\x8f                40        0       13 B  COPY "
		"super-secure.txt",
		"error  known-secret  a secret of the build is in the image (1 place)\n"
		"    layer 2: etc/secret.txt\n"
		"      the secret 'npm' (base64) is in etc/secret.txt\n"
		"      added in layer 2 by COPY super-secure.txt /etc/secret.txt\n"
		"      removed in layer 4 by RUN rm /etc/secret.txt",
		"    fix: Mount the secret with RUN --mount=type=secret, and make a new one.\n",
		"note  deleted-file  a file is deleted and can be read all the same (listed "
		"below)\n",
		"waived  package-cache",
		"waived by me@example.org\n",
		"  etc/secret.txt  13 B\n      added in layer 2 by COPY",
		"      safebuild inspect cat 'an image' 2 etc/secret.txt\n",
		"a visible file has the same content\n",
		"overwritten\n",
		"usr/bin/sudo  4755 0:0, layer 1\n",
		"usr/bin/ping  0755 0:0, layer 1, cap_net_raw\n",
		"bin/bash, bin/sh\n",
		"var/lib/apt/lists  apt, layer 3, 12 files: 40.2 MB live, 7.00 kB dead\n",
		"  found in 1 place: see above\n",
		"  2 secrets: npm, other\n",
		"searched 123 MB in 4711 files of 6 blobs, and 5.00 MB more unpacked",
		"layer 2: diff_id is another\n",
		"srv/backup.zip: it is encrypted\n",
		"\nLEAK: the image holds a known secret (2 errors, 1 warning, 2 notes, 1 waived)\n",
	};
	sb_autofree char *page = made(PAGE, 0, false);

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_has(page, parts[i]);
}

/* Digests and commands are for copying, and stay whole; a digest fits where a terminal has the
 * usual width. */
static bool may_be_longer(const char *line, unsigned width)
{
	return (width < 80 && strstr(line, "sha256:") != NULL) ||
	       strstr(line, "safebuild inspect cat") != NULL;
}

static void page_keeps_to_the_width(void **state)
{
	static const unsigned widths[] = {72, 80, 100, 120, 200};

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		sb_autofree char *page = made(PAGE, widths[i], false);
		char *rest = page;
		char *line;

		while ((line = strsep(&rest, "\n")) != NULL)
			if (!may_be_longer(line, widths[i]) && sb_columns_of(line) > widths[i])
				fail_msg("wider than %u: %s", widths[i], line);
	}
}

static void page_has_colour_only_where_it_is_asked_for(void **state)
{
	sb_autofree char *plain = made(PAGE, 80, false);
	sb_autofree char *colored = made(PAGE, 80, true);

	(void)state;
	assert_null(strchr(plain, '\033'));
	assert_has(colored, "\033[31mLEAK");
}

static void every_report_is_the_same_twice_and_is_utf8(void **state)
{
	(void)state;
	for (enum form form = PAGE; form < N_FORMS; form++) {
		sb_autofree char *once = made(form, 100, false);
		sb_autofree char *again = made(form, 100, false);

		assert_string_equal(once, again);
		assert_true(sb_utf8_is_valid(once));
		assert_int_equal(once[strlen(once) - 1], '\n');
	}
}

static void hostile_names_steer_nothing(void **state)
{
	static const char *const bad[] = {
		"\033", "\xe2\x80\xae", "\xff", "<script", "alert(\"1\")<"};

	(void)state;
	for (enum form form = PAGE; form < N_FORMS; form++) {
		sb_autofree char *report = made(form, 100, false);

		for (size_t i = 0; i < 3; i++)
			assert_null(strstr(report, bad[i]));
		for (size_t i = 3; form == HTML && i < sizeof(bad) / sizeof(bad[0]); i++)
			assert_null(strstr(report, bad[i]));
	}
}

static json_t *parsed(const char *text)
{
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (root == NULL)
		fail_msg("line %d: %s", error.line, error.text);
	return root;
}

static const char *string_at(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static json_int_t number_at(json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void json_holds_every_field(void **state)
{
	sb_autofree char *text = made(JSON, 0, false);
	json_t *root = parsed(text);
	json_t *layer = json_array_get(json_object_get(root, "layers"), 1);
	json_t *file = json_array_get(json_object_get(layer, "files"), 1);
	json_t *finding = json_array_get(json_object_get(root, "findings"), 0);
	json_t *dead = json_array_get(json_object_get(root, "dead"), 2);
	json_t *pattern = json_array_get(json_object_get(root, "patterns"), 0);
	json_t *searched = json_object_get(root, "searched");

	(void)state;
	assert_int_equal(number_at(root, "schema"), 1);
	assert_int_equal(number_at(json_object_get(root, "counts"), "error"), 2);
	assert_string_equal(string_at(json_object_get(root, "verdict"), "word"), "LEAK");
	assert_string_equal(
		string_at(layer, "created_by"), "COPY super-secure.txt /etc/secret.txt # buildkit");
	assert_string_equal(string_at(file, "path"),
		"etc/<script>alert(\"1\")</script>'&\033[2J\n\xe2\x80\xae"
		"end\\xff{0}");
	assert_string_equal(string_at(file, "change"), "modified");
	assert_string_equal(string_at(file, "mode"), "0777");
	assert_string_equal(string_at(finding, "removed_by"),
		json_string_value(json_object_get(
			json_array_get(json_object_get(root, "layers"), 3), "created_by")));
	assert_true(json_is_true(json_object_get(dead, "visible_elsewhere")));
	assert_string_equal(string_at(pattern, "shown"), "ghp_\xe2\x80\xa6(40)");
	assert_true(json_is_null(json_object_get(pattern, "layer")));
	assert_int_equal(number_at(searched, "files"), 4711);
	assert_int_equal(json_array_size(json_object_get(root, "problems")), 1);
	assert_int_equal(json_array_size(json_object_get(root, "not_scanned")), 1);
	json_decref(root);
}

static json_t *result_at(json_t *log, size_t i)
{
	return json_array_get(
		json_object_get(json_array_get(json_object_get(log, "runs"), 0), "results"), i);
}

static const char *uri_of(json_t *result)
{
	json_t *location = json_array_get(json_object_get(result, "locations"), 0);

	return string_at(
		json_object_get(json_object_get(location, "physicalLocation"), "artifactLocation"),
		"uri");
}

static void sarif_places_are_addresses_of_layers(void **state)
{
	SB_AUTO(sb_inspection) in = fixture_inspection();
	sb_autofree char *text = made(SARIF, 0, false);
	sb_autofree char *wanted = sb_asprintf(
		"layers/2-%.12s/etc/secret.txt", sb_digest_hex(&in->layers.items[1].diff_id));
	json_t *log = parsed(text);
	json_t *first = result_at(log, 0);

	(void)state;
	assert_string_equal(uri_of(first), wanted);
	assert_int_equal(number_at(json_object_get(first, "properties"), "deletedInLayer"), 4);
	assert_string_equal(uri_of(result_at(log, 1)), "config");
	assert_string_equal(uri_of(result_at(log, 2)), "image");
	assert_non_null(strstr(uri_of(result_at(log, 3)), "/etc/%3Cscript%3Ealert%28%221%22%29"));
	assert_non_null(strstr(uri_of(result_at(log, 3)), "%1B%5B2J%0A%E2%80%AEend%FF%7B0%7D"));
	assert_int_equal(json_array_size(json_object_get(first, "suppressions")), 0);
	assert_int_equal(json_array_size(json_object_get(result_at(log, 5), "suppressions")), 1);
	json_decref(log);
}

static void sarif_fingerprints_differ_where_places_do_not(void **state)
{
	sb_autofree char *text = made(SARIF, 0, false);
	json_t *log = parsed(text);
	json_t *third = json_object_get(result_at(log, 3), "partialFingerprints");
	json_t *fourth = json_object_get(result_at(log, 4), "partialFingerprints");

	(void)state;
	assert_string_equal(
		string_at(third, "safebuildInspect/v1"), "00000000000000000000000000000003:1");
	assert_string_equal(
		string_at(fourth, "safebuildInspect/v1"), "00000000000000000000000000000003:2");
	json_decref(log);
}

static void html_loads_and_runs_nothing(void **state)
{
	static const char *const forbidden[] = {"<script", "<link", "<img", "<iframe",
		"javascript:", "http:", "https:", " on", "style="};
	sb_autofree char *html = made(HTML, 0, false);

	(void)state;
	assert_has(html, "content=\"default-src 'none'; style-src 'sha256-");
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		const char *found = strstr(html, forbidden[i]);

		/* A word of a text may begin like an event's attribute. */
		if (found != NULL && strcmp(forbidden[i], " on") == 0)
			found = strstr(html, " onload=");
		assert_null(found);
	}
	assert_has(html, "etc/&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;\\x1b[2J");
}

/* What the page and the HTML page do not list, JSON does. */
static void a_hundred_thousand_dead_files_are_cut_or_whole(void **state)
{
	enum { N_FILES = 100000, MAX_SECONDS = 20 };
	const struct sb_report_style style = {.width = 100};
	const time_t start = time(NULL);
	SB_AUTO(sb_inspection) in = fixture_inspection();
	struct sb_findings findings = fixture_findings();

	(void)state;
	for (size_t i = 0; i < N_FILES; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "usr/share/doc/package-%zu/%zu", i / 20, i);
		fixture_dead(in, path, 2, 3, "deleted", i % 1000 + 1);
		fixture_finding(&findings, 3, "it is deleted in layer 4", 2, path, 3);
	}
	sb_autofree char *page = report_of(PAGE, in, &findings, &style);
	sb_autofree char *html = report_of(HTML, in, &findings, &style);
	sb_autofree char *json = report_of(JSON, in, &findings, &style);
	sb_autofree char *sarif = report_of(SARIF, in, &findings, &style);

	fixture_release(&findings);
	assert_in_range(strlen(page), 1000, 100000);
	assert_has(page, "and 99963 smaller ones: --format json has all\n");
	assert_in_range(strlen(html), 10000, 2000000);
	assert_has(html, "and 99503 more");
	assert_has(json, "package-4999/99999");
	assert_has(sarif, "package-4999/99999");
	assert_true(time(NULL) - start < MAX_SECONDS);
}

static void columns_are_counted_as_terminals_do(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
	} rows[] = {
		{"", 0},
		{"abc", 3},
		{"\xc3\xa9", 1},
		{"e\xcc\x81", 1},                /* combining acute */
		{"\xe6\x97\xa5\xe6\x9c\xac", 4}, /* two ideographs */
		{"\xed\x95\x9c", 2},             /* a Hangul syllable */
		{"\xef\xbd\xb1", 1},             /* half-width katakana */
		{"\xef\xbc\xa1", 2},             /* full-width A */
		{"\xf0\x9f\x98\x80", 2},         /* an emoji */
		{"a\xe2\x80\x8d"
		 "b",
			2},          /* zero width joiner */
		{"\xe2\x96\x88", 1}, /* a block */
		{"\xff", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(sb_columns_of(rows[i].text), rows[i].columns);
}

static void cut_text_fits_and_is_whole_characters(void **state)
{
	static const char *const texts[] = {"abcdefghijklmnopqrstuvwxyz",
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97"
		"\xa5",
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t columns = 1; columns < 30; columns++) {
			sb_autofree char *end = sb_columns_fit(texts[i], columns);
			sb_autofree char *middle = sb_columns_fit_middle(texts[i], columns);

			assert_true(sb_columns_of(end) <= columns);
			assert_true(sb_columns_of(middle) <= columns);
			assert_true(sb_utf8_is_valid(end) && sb_utf8_is_valid(middle));
			if (columns >= sb_columns_of(texts[i]))
				assert_string_equal(end, texts[i]);
		}
	}
}

static void piled_up_marks_are_cut_too(void **state)
{
	enum { N_MARKS = 10000 };
	char text[2 * N_MARKS + 2] = "a";

	(void)state;
	for (size_t i = 0; i < N_MARKS; i++)
		memcpy(text + 1 + 2 * i, "\xcc\x81", 2);
	text[sizeof(text) - 1] = '\0';

	sb_autofree char *end = sb_columns_fit(text, 20);
	sb_autofree char *middle = sb_columns_fit_middle(text, 20);

	assert_true(strlen(end) < 1000 && strlen(middle) < 1000);
}

static void cat_commands_are_safe_to_paste(void **state)
{
	static const struct {
		const char *image;
		const char *path;
		const char *command;
	} rows[] = {
		{NULL, "etc/a", "safebuild inspect cat IMAGE 2 etc/a"},
		{"app:1", "etc/a b", "safebuild inspect cat app:1 2 'etc/a b'"},
		{"a;b", "$(x)", "safebuild inspect cat 'a;b' 2 '$(x)'"},
		{NULL, "it's", "safebuild inspect cat IMAGE 2 $'it\\x27s'"},
		{NULL, "a\nb\\", "safebuild inspect cat IMAGE 2 $'a\\x0ab\\x5c'"},
		{NULL, "-rf", "safebuild inspect cat -- IMAGE 2 -rf"},
		{NULL, "\xff~", "safebuild inspect cat IMAGE 2 $'\\xff~'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sb_autofree char *command = sb_cat_command(rows[i].image, 1, rows[i].path);

		assert_string_equal(command, rows[i].command);
	}
}

static void an_empty_inspection_has_all_reports(void **state)
{
	const struct sb_report_style style = {.width = 1};
	SB_AUTO(sb_inspection) in = SB_NEW(struct sb_inspection);
	const struct sb_findings findings = {0};

	(void)state;
	in->form = sb_strdup("oci layout");
	in->user = sb_strdup("7");
	in->platform = sb_platform_host();
	for (enum form form = PAGE; form < N_FORMS; form++) {
		sb_autofree char *report = report_of(form, in, &findings, &style);

		assert_has(report, form == SARIF ? "\"results\": []" : "CLEAN");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_tells_all_there_is),
		cmocka_unit_test(page_keeps_to_the_width),
		cmocka_unit_test(page_has_colour_only_where_it_is_asked_for),
		cmocka_unit_test(every_report_is_the_same_twice_and_is_utf8),
		cmocka_unit_test(hostile_names_steer_nothing),
		cmocka_unit_test(json_holds_every_field),
		cmocka_unit_test(sarif_places_are_addresses_of_layers),
		cmocka_unit_test(sarif_fingerprints_differ_where_places_do_not),
		cmocka_unit_test(html_loads_and_runs_nothing),
		cmocka_unit_test(a_hundred_thousand_dead_files_are_cut_or_whole),
		cmocka_unit_test(columns_are_counted_as_terminals_do),
		cmocka_unit_test(cut_text_fits_and_is_whole_characters),
		cmocka_unit_test(piled_up_marks_are_cut_too),
		cmocka_unit_test(cat_commands_are_safe_to_paste),
		cmocka_unit_test(an_empty_inspection_has_all_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
