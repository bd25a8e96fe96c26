/* SPDX-License-Identifier: MIT */
#include "inspect/report_html.h"

#include <string.h>

#include "base/columns.h"
#include "base/mem.h"
#include "base/size.h"
#include "inspect/report_words.h"

enum {
	MAX_PLACES_SHOWN = 100, /* of one rule */
	MAX_OPEN_PLACES = 20,   /* longer lists are folded */
	MAX_DEAD_SHOWN = 500,
	MAX_COMMAND_COLUMNS = 400, /* a cut command is none */
};

static const char *class_of(const struct sb_finding_group *group)
{
	static const char *const classes[] = {
		[SB_LEVEL_NOTE] = "dim", [SB_LEVEL_WARNING] = "warn", [SB_LEVEL_ERROR] = "bad"};

	return group->is_waived ? "dim" : classes[group->level];
}

static void add_finding(
	struct sb_html *html, const struct sb_inspection *in, const struct sb_finding *finding)
{
	sb_autofree char *place = sb_finding_place(finding);

	sb_html_add(html, "<li>");
	sb_html_code(html, place);
	sb_html_add(html, "<p>");
	sb_html_text_cut(html, finding->message, SB_HTML_INSTRUCTION_COLUMNS * 2);
	sb_html_add(html, "</p>\n");
	if (finding->layer != SIZE_MAX)
		sb_html_event(html, in, "added", finding->layer);
	if (finding->removed_layer != SIZE_MAX)
		sb_html_event(html, in, "removed", finding->removed_layer);
	if (finding->waived_by != NULL) {
		sb_html_add(html, "<p class=\"event\">waived by ");
		sb_html_text_cut(html, finding->waived_by, SB_HTML_PATH_COLUMNS);
		sb_html_add(html, "</p>\n");
	}
	sb_html_add(html, "</li>\n");
}

static void add_places(
	struct sb_html *html, const struct sb_inspection *in, const struct sb_finding_group *group)
{
	const char *section = sb_report_section_of(group->rule);

	if (section != NULL && !group->is_waived) {
		sb_autofree char *link = sb_asprintf("<p><a href=\"#%s\">", section);

		sb_html_add(html, link);
		sb_html_add(html, "listed below</a></p>\n");
		return;
	}
	sb_html_add(html, "<ul>\n");
	for (size_t i = 0; i < group->findings.len && i < MAX_PLACES_SHOWN; i++)
		add_finding(html, in, group->findings.items[i]);
	sb_html_add(html, "</ul>\n");
	if (group->findings.len > MAX_PLACES_SHOWN)
		sb_html_more(html, group->findings.len - MAX_PLACES_SHOWN);
}

static void add_group(
	struct sb_html *html, const struct sb_inspection *in, const struct sb_finding_group *group)
{
	const bool is_open = !group->is_waived && group->findings.len <= MAX_OPEN_PLACES;
	sb_autofree char *places = sb_count_text(group->findings.len, "place");
	sb_autofree char *opening = sb_asprintf(
		"<details%s><summary><span class=\"tag %s\">%s</span><b>", is_open ? " open" : "",
		class_of(group), group->is_waived ? "waived" : sb_level_word(group->level));

	sb_html_add(html, opening);
	sb_html_text(html, group->rule->title);
	sb_html_add(html, "</b> <span class=\"dim\">");
	sb_html_textf(html, "%s, %s", group->rule->id, places);
	sb_html_add(html, "</span></summary>\n<p>");
	sb_html_text(html, group->rule->why);
	sb_html_add(html, "</p>\n<p class=\"fix\">");
	sb_html_text(html, group->rule->fix);
	sb_html_add(html, "</p>\n");
	add_places(html, in, group);
	sb_html_add(html, "</details>\n");
}

void sb_html_findings(
	struct sb_html *html, const struct sb_inspection *in, const struct sb_findings *findings)
{
	struct sb_finding_groups groups = {0};

	sb_html_add(html, "<section id=\"findings\">\n<h2>Findings</h2>\n");
	if (findings->len == 0)
		sb_html_add(html, "<p class=\"good\">none</p>\n");
	sb_report_group(findings, &groups);
	SB_ARRAY_FOREACH (&groups, group)
		add_group(html, in, group);
	sb_finding_groups_release(&groups);
	sb_html_add(html, "</section>\n");
}

static void add_dead_file(
	struct sb_html *html, const struct sb_inspection *in, const struct sb_dead_file *file)
{
	sb_autofree char *size = sb_size_format(file->size_bytes);
	sb_autofree char *command = sb_cat_command(NULL, file->added_layer, file->path);

	sb_html_add(html, "<li>");
	sb_html_code(html, file->path);
	sb_html_textf(html, " %s", size);
	sb_html_event(html, in, "added", file->added_layer);
	sb_html_event(html, in, file->cause, file->removed_layer);
	if (file->is_visible_elsewhere)
		sb_html_add(html, "<p class=\"event\">a visible file has the same content</p>\n");
	if (sb_columns_of(command) <= MAX_COMMAND_COLUMNS) {
		sb_html_add(html, "<code class=\"command\">");
		sb_html_text(html, command);
		sb_html_add(html, "</code>");
	}
	sb_html_add(html, "</li>\n");
}

static void add_causes(struct sb_html *html, const struct sb_inspection *in)
{
	struct sb_dead_causes causes = {0};

	sb_report_causes(in, &causes);
	sb_html_add(html, "<ul>\n");
	SB_ARRAY_FOREACH (&causes, cause) {
		sb_autofree char *size = sb_size_format(cause->bytes);
		sb_autofree char *files = sb_count_text(cause->n_files, "file");

		sb_html_add(html, "<li class=\"cause\"><span>");
		sb_html_text(html, size);
		sb_html_add(html, "</span><span>");
		sb_html_text(html, files);
		sb_html_add(html, "</span>");
		sb_html_bar(html, cause->bytes, cause->bytes, causes.items[0].bytes);
		sb_html_add(html, "<span class=\"name\">");
		sb_html_text(html, cause->cause);
		sb_html_add(html, "</span></li>\n");
	}
	sb_html_add(html, "</ul>\n");
	SB_ARRAY_RELEASE(&causes);
}

void sb_html_dead(
	struct sb_html *html, const struct sb_inspection *in, const struct sb_report_sums *sums)
{
	sb_autofree char *total = sb_size_format(sums->dead_bytes);
	sb_autofree char *files = sb_count_text(in->dead.len, "file");
	sb_autofree const struct sb_dead_file **sorted = sb_report_dead_by_size(in);

	sb_html_add(html, "<section id=\"dead\">\n<h2>Deleted but still readable</h2>\n");
	if (in->dead.len == 0) {
		sb_html_add(html, "<p class=\"good\">nothing</p>\n</section>\n");
		return;
	}
	sb_html_add(html, "<p>");
	sb_html_textf(html, "%s, %s. By cause:", files, total);
	sb_html_add(html, "</p>\n");
	add_causes(html, in);

	const bool is_open = in->dead.len <= MAX_OPEN_PLACES;

	sb_html_add(html, is_open ? "<details open>" : "<details>");
	sb_html_add(html, "<summary>the files, largest first</summary>\n<ul>\n");
	for (size_t i = 0; i < in->dead.len && i < MAX_DEAD_SHOWN; i++)
		add_dead_file(html, in, sorted[i]);
	sb_html_add(html, "</ul>\n");
	if (in->dead.len > MAX_DEAD_SHOWN)
		sb_html_more(html, in->dead.len - MAX_DEAD_SHOWN);
	sb_html_add(html, "</details>\n</section>\n");
}
