/* SPDX-License-Identifier: MIT */
#include "inspect/merge.h"

#include <string.h>

#include "base/mem.h"
#include "inspect/notes.h"
#include "inspect/sweep.h"

/* Moves all items of `from` to the place `at` of `to`. */
#define INSERT(to, at, from) \
	do { \
		const size_t sb_n = (from)->len; \
		const size_t sb_at = (at) < (to)->len ? (at) : (to)->len; \
		const size_t sb_behind = (to)->len - sb_at; \
\
		for (size_t sb_i = 0; sb_i < sb_n; sb_i++) \
			(void)SB_ARRAY_ADD(to); \
		if (sb_n > 0) { \
			memmove((to)->items + sb_at + sb_n, (to)->items + sb_at, \
				sb_behind * sizeof((to)->items[0])); \
			memcpy((to)->items + sb_at, (from)->items, sb_n * sizeof((to)->items[0])); \
		} \
		SB_ARRAY_RELEASE(from); \
	} while (0)

struct sb_report_place sb_report_end(const struct sb_inspection *report)
{
	return (struct sb_report_place){
		.secret = report->secrets.len,
		.pattern = report->patterns.len,
		.gap = report->gaps.len,
	};
}

static void release_secret(struct sb_secret_finding *finding)
{
	free(finding->secret_id);
	free(finding->where);
	free(finding->path);
	free(finding->inside);
}

static void release_pattern(struct sb_pattern_finding *finding)
{
	free(finding->where);
	free(finding->path);
	free(finding->inside);
}

static void release_gap(struct sb_gap *gap)
{
	free(gap->what);
	free(gap->why);
}

/* One more than the limit stands for all that follow; whoever adds the last one allowed says so. */
#define DROP_SURPLUS(report, list, max, release, what) \
	do { \
		const bool sb_is_full = (report)->list.len > (max); \
\
		while ((report)->list.len > (max) + 1) \
			release(&(report)->list.items[--(report)->list.len]); \
		if (sb_is_full && !was_full) \
			sb_report_gap((report), SIZE_MAX, what, \
				"they are in more places than are listed"); \
	} while (0)

static size_t insert_secrets(struct sb_inspection *report, size_t at, struct sb_inspection *found)
{
	const bool was_full = report->secrets.len > SB_MAX_SECRET_FINDINGS;
	const size_t n = found->secrets.len;

	INSERT(&report->secrets, at, &found->secrets);
	DROP_SURPLUS(report, secrets, SB_MAX_SECRET_FINDINGS, release_secret, "known secrets");
	return n;
}

/* Leaves those that are new. */
static void count_known_patterns(
	struct sb_inspection *report, size_t at, struct sb_inspection *found)
{
	size_t n = 0;

	SB_ARRAY_FOREACH (&found->patterns, finding) {
		const struct sb_place place = {finding->layer, finding->where, finding->path};
		struct sb_pattern_finding *same =
			sb_report_find_pattern(report, at, &place, finding->inside, finding->rule);

		if (same == NULL) {
			found->patterns.items[n++] = *finding;
			continue;
		}
		same->n_more += 1 + finding->n_more;
		release_pattern(finding);
	}
	found->patterns.len = n;
}

static size_t insert_patterns(struct sb_inspection *report, size_t at, struct sb_inspection *found)
{
	const bool was_full = report->patterns.len > SB_MAX_PATTERN_FINDINGS;

	count_known_patterns(report, at, found);

	const size_t n = found->patterns.len;

	INSERT(&report->patterns, at, &found->patterns);
	DROP_SURPLUS(report, patterns, SB_MAX_PATTERN_FINDINGS, release_pattern,
		"patterns of unknown secrets");
	return n;
}

/* Those behind the place are told anew, so that the limit holds. */
static size_t insert_gaps(struct sb_inspection *report, size_t at, struct sb_inspection *found)
{
	SB_ARRAY(struct sb_gap) behind = {0};
	const size_t from = at < report->gaps.len ? at : report->gaps.len;

	if (found->gaps.len == 0)
		return 0;
	for (size_t i = from; i < report->gaps.len; i++)
		*SB_ARRAY_ADD(&behind) = report->gaps.items[i];
	report->gaps.len = from;
	SB_ARRAY_FOREACH (&found->gaps, gap) {
		sb_report_gap(report, gap->layer, gap->what, gap->why);
		release_gap(gap);
	}
	SB_ARRAY_RELEASE(&found->gaps);

	const size_t n = report->gaps.len - from;

	SB_ARRAY_FOREACH (&behind, gap) {
		sb_report_gap(report, gap->layer, gap->what, gap->why);
		release_gap(gap);
	}
	SB_ARRAY_RELEASE(&behind);
	return n;
}

void sb_report_insert(struct sb_inspection *report, const struct sb_report_place *at,
	struct sb_inspection *found, struct sb_report_place *out_n)
{
	report->unpacked_bytes += found->unpacked_bytes;
	found->unpacked_bytes = 0;
	out_n->gap = insert_gaps(report, at->gap, found);
	out_n->secret = insert_secrets(report, at->secret, found);
	out_n->pattern = insert_patterns(report, at->pattern, found);
}
