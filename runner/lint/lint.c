/* SPDX-License-Identifier: MIT */
#include "lint/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/escape.h"
#include "base/mem.h"
#include "lint/hidden.h"
#include "lint/linter.h"
#include "lint/rules.h"
#include "lint/secret_value.h"
#include "lint/waiver.h"

struct run {
	struct sb_linter linter;
	struct sb_check_directive directive;
};

void sb_lint_report_free(struct sb_lint_report *report)
{
	if (report == NULL)
		return;
	for (size_t i = 0; i < report->len; i++) {
		free(report->findings[i].message);
		free(report->findings[i].excerpt);
	}
	free(report->findings);
	free(report->file);
	free(report);
}

/* Lines move when others are added: their numbers in messages do not count. */
static char *without_digits(const char *text)
{
	char *copy = sb_strdup(text);
	size_t n = 0;

	for (const char *p = text; *p != '\0'; p++)
		if (*p < '0' || *p > '9')
			copy[n++] = *p;
	copy[n] = '\0';
	return copy;
}

static void make_fingerprint(const struct sb_linter *linter, const struct sb_lint_item *item,
	unsigned line, const char *message, char out[33])
{
	const char *slash = strrchr(linter->buildfile->file, '/');
	const char *file = slash != NULL ? slash + 1 : linter->buildfile->file;
	sb_autofree char *shown =
		sb_hidden_line(linter, item != NULL ? item->outer->at.line : line);
	sb_autofree char *stable = without_digits(message);
	sb_autofree char *text =
		sb_asprintf("%s\n%s\n%s\n%s", linter->rule->info.name, file, shown, stable);
	struct sb_digest digest;

	sb_digest_of(text, strlen(text), &digest);
	(void)snprintf(out, 33, "%.32s", sb_digest_hex(&digest));
}

/* Bytes that go on with a character are not counted. */
static unsigned character_of(const struct sb_linter *linter, struct sb_lint_place place)
{
	unsigned n = 1;

	if (place.line == 0 || place.line > linter->lines.len || place.column == 0)
		return 0;

	const struct sb_text_line *line = &linter->lines.items[place.line - 1];

	for (size_t i = 0; i + 1 < place.column && i < line->len; i++)
		n += ((unsigned char)line->text[i] & 0xC0) != 0x80 ? 1 : 0;
	return n;
}

static bool is_there(const struct sb_lint_report *report, const struct sb_lint_finding *finding)
{
	for (size_t i = report->len; i > 0; i--) {
		const struct sb_lint_finding *f = &report->findings[i - 1];

		if (f->rule != finding->rule)
			return false;
		if (f->at.line == finding->at.line && f->at.column == finding->at.column &&
			strcmp(f->message, finding->message) == 0)
			return true;
	}
	return false;
}

static void add_finding(struct sb_lint_report *report, struct sb_lint_finding *finding)
{
	if (is_there(report, finding)) {
		free(finding->message);
		free(finding->excerpt);
		return;
	}
	/* Room for a power of two of them. */
	if ((report->len & (report->len - 1)) == 0)
		report->findings = sb_reallocarray(report->findings,
			report->len > 0 ? report->len * 2 : 1, sizeof(*report->findings));
	report->findings[report->len++] = *finding;
	report->n_of[finding->rule->severity]++;
}

void sb_lint_add(struct sb_linter *linter, const struct sb_lint_item *item,
	struct sb_lint_place place, const char *fmt, ...)
{
	struct sb_lint_report *report = linter->report;
	struct sb_lint_finding finding = {.rule = &linter->rule->info};
	va_list args;

	if (item != NULL && sb_waivers_have(&item->waived, finding.rule->name)) {
		report->n_waived++;
		return;
	}
	if (report->len >= SB_LINT_MAX_FINDINGS) {
		report->is_cut = true;
		return;
	}
	va_start(args, fmt);
	sb_autofree char *message = sb_vasprintf(fmt, args);
	va_end(args);
	sb_autofree char *harmless = sb_secret_value_hide(message);

	finding.message = sb_escape_text(harmless, strlen(harmless));
	finding.at = (struct sb_source_pos){report->file, place.line, place.column};
	finding.character = character_of(linter, place);
	finding.excerpt = sb_hidden_excerpt(linter, place, &finding.mark_column, &finding.mark_len);
	make_fingerprint(linter, item, place.line, finding.message, finding.fingerprint);
	add_finding(report, &finding);
}

static int compare(const void *a, const void *b)
{
	const struct sb_lint_finding *x = a;
	const struct sb_lint_finding *y = b;

	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	if (x->at.column != y->at.column)
		return x->at.column < y->at.column ? -1 : 1;
	if (x->rule != y->rule)
		return strcmp(x->rule->name, y->rule->name);
	return strcmp(x->message, y->message);
}

static bool has(const struct sb_strv *names, const char *name)
{
	return names != NULL && sb_waivers_have(names, name);
}

static bool is_wanted(const struct run *run, const struct sb_lint_rule *rule)
{
	const struct sb_lint_input *o = run->linter.options;

	if (rule->is_experimental && !has(o->experimental, rule->name) &&
		!has(&run->directive.experimental, rule->name))
		return false;
	return !has(o->skip, rule->name) && !has(&run->directive.skip, rule->name);
}

static int check_names(const struct sb_strv *names, const char *option, struct sb_error *err)
{
	for (size_t i = 0; names != NULL && i < names->len; i++) {
		const char *name = names->items[i];
		const char *near = sb_waiver_suggest(name);

		if (sb_lint_rule_find(name) != NULL || strcasecmp(name, "all") == 0)
			continue;
		(void)sb_fail(err, SB_E_USAGE, "%s: there is no rule '%s'", option, name);
		return near != NULL ? sb_error_hint(err, "did you mean '%s'?", near) : -1;
	}
	return 0;
}

int sb_lint_buildfile(const struct sb_buildfile *buildfile, const struct sb_lint_input *options,
	struct sb_lint_report **out, struct sb_error *err)
{
	struct run run = {0};

	if (check_names(options->skip, "--skip", err) < 0 ||
		check_names(options->experimental, "--experimental", err) < 0)
		return -1;
	if (sb_linter_init(&run.linter, buildfile, options, err) < 0) {
		sb_linter_release(&run.linter);
		return -1;
	}
	if (options->check != NULL)
		sb_check_directive_parse(options->check, &run.directive);
	else if (buildfile->check != NULL)
		sb_check_directive_parse(buildfile->check, &run.directive);

	SB_AUTO(sb_lint_report) report = SB_NEW(struct sb_lint_report);

	report->file = sb_strdup(buildfile->file);
	report->fails_on_warning = run.directive.is_error;
	run.linter.report = report;
	for (size_t i = 0; i < sb_lint_rule_count(); i++) {
		run.linter.rule = sb_rule_at(i);
		if (is_wanted(&run, &run.linter.rule->info))
			run.linter.rule->check(&run.linter);
	}
	if (report->len > 0)
		qsort(report->findings, report->len, sizeof(*report->findings), compare);
	sb_linter_release(&run.linter);
	sb_check_directive_release(&run.directive);
	*out = SB_STEAL(report);
	return 0;
}
