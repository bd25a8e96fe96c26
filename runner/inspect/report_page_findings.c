/* SPDX-License-Identifier: MIT */
#include "inspect/report_page.h"

#include <string.h>

#include "base/mem.h"
#include "inspect/report_words.h"

enum {
	MAX_PLACES_SHOWN = 12,       /* of one rule */
	MAX_WAIVED_PLACES_SHOWN = 3, /* somebody has looked at them */
};

static enum sb_page_color color_of(const struct sb_finding_group *group)
{
	static const enum sb_page_color colors[] = {
		[SB_LEVEL_NOTE] = SB_PAGE_DIM,
		[SB_LEVEL_WARNING] = SB_PAGE_WARN,
		[SB_LEVEL_ERROR] = SB_PAGE_BAD,
	};

	return group->is_waived ? SB_PAGE_DIM : colors[group->level];
}

static void add_finding(struct sb_page *page, const struct sb_inspection *in,
	const struct sb_finding *finding, enum sb_page_color color)
{
	sb_autofree char *place = sb_finding_place(finding);

	sb_page_addf(page, SB_PAGE_PLAIN, "    ");
	sb_page_add_path(page, color, place, sb_page_room(page, 4));
	sb_page_end_line(page);
	sb_page_add_wrapped(page, 6, "", SB_PAGE_PLAIN, finding->message);
	if (finding->layer != SIZE_MAX)
		sb_page_add_event(page, in, "added", finding->layer);
	if (finding->removed_layer != SIZE_MAX)
		sb_page_add_event(page, in, "removed", finding->removed_layer);
	if (finding->waived_by != NULL)
		sb_page_add_wrapped(page, 6, "waived by ", SB_PAGE_DIM, finding->waived_by);
}

static size_t max_places(const struct sb_finding_group *group)
{
	if (sb_report_section_of(group->rule) != NULL && !group->is_waived)
		return 0;
	return group->is_waived ? MAX_WAIVED_PLACES_SHOWN : MAX_PLACES_SHOWN;
}

static void add_group(
	struct sb_page *page, const struct sb_inspection *in, const struct sb_finding_group *group)
{
	const enum sb_page_color color = color_of(group);
	const size_t max = max_places(group);
	const char *level = group->is_waived ? "waived" : sb_level_word(group->level);
	sb_autofree char *places = sb_count_text(group->findings.len, "place");
	sb_autofree char *end = sb_asprintf(" (%s)\n", max == 0 ? "listed below" : places);
	const size_t used = 2 + strlen(level) + 2 + strlen(group->rule->id) + 2 + strlen(end) - 1;

	sb_page_addf(page, color, "  %s", level);
	sb_page_addf(page, SB_PAGE_BOLD, "  %s", group->rule->id);
	sb_page_addf(page, SB_PAGE_PLAIN, "  ");
	sb_page_add_text(page, SB_PAGE_PLAIN, group->rule->title, sb_page_room(page, used));
	sb_page_addf(page, SB_PAGE_DIM, "%s", end);
	for (size_t i = 0; i < group->findings.len && i < max; i++)
		add_finding(page, in, group->findings.items[i], color);
	if (max > 0 && group->findings.len > max)
		sb_page_add_more(page, 4, group->findings.len - max);
	if (!group->is_waived)
		sb_page_add_wrapped(page, 4, "fix: ", SB_PAGE_GOOD, group->rule->fix);
}

void sb_page_add_findings(
	struct sb_page *page, const struct sb_inspection *in, const struct sb_findings *findings)
{
	struct sb_finding_groups groups = {0};

	sb_page_add_title(page, "Findings");
	if (findings->len == 0)
		sb_page_addf(page, SB_PAGE_GOOD, "  none");
	if (findings->len == 0)
		sb_page_end_line(page);
	sb_report_group(findings, &groups);
	SB_ARRAY_FOREACH (&groups, group) {
		if (group != groups.items)
			sb_page_end_line(page);
		add_group(page, in, group);
	}
	sb_finding_groups_release(&groups);
}
