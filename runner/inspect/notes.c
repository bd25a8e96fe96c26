/* SPDX-License-Identifier: MIT */
#include "inspect/notes.h"

#include <stdarg.h>

#include "base/mem.h"

enum { MAX_NOTES = 200 };

/* How many of the last ones are of the same layer: MAX_NOTES + 1 at most. Layers are read one after
 * the other. */
#define COUNT_OF_LAYER(list, l) \
	(__extension__({ \
		size_t sb_n = 0; \
		while (sb_n <= MAX_NOTES && sb_n < (list)->len && \
			(list)->items[(list)->len - 1 - sb_n].layer == (l)) \
			sb_n++; \
		sb_n; \
	}))

static void add_problem(
	struct sb_inspection *report, enum sb_problem_kind kind, size_t layer, char *text)
{
	*SB_ARRAY_ADD(&report->problems) =
		(struct sb_problem){.kind = kind, .layer = layer, .text = text};
}

static char *place_text(size_t layer, const char *path)
{
	if (layer == SIZE_MAX)
		return path != NULL ? sb_asprintf("%s: ", path) : sb_strdup("");
	return path != NULL ? sb_asprintf("layer %zu: %s: ", layer + 1, path)
			    : sb_asprintf("layer %zu: ", layer + 1);
}

void sb_report_problem(struct sb_inspection *report, enum sb_problem_kind kind, size_t layer,
	const char *path, const char *fmt, ...)
{
	const size_t n = COUNT_OF_LAYER(&report->problems, layer);
	va_list args;

	if (n > MAX_NOTES)
		return;

	sb_autofree char *place = place_text(layer, n < MAX_NOTES ? path : NULL);

	if (n == MAX_NOTES) {
		add_problem(report, kind, layer,
			sb_asprintf("%sthere are more problems than are listed", place));
		return;
	}
	va_start(args, fmt);

	sb_autofree char *text = sb_vasprintf(fmt, args);

	va_end(args);
	add_problem(report, kind, layer, sb_asprintf("%s%s", place, text));
}

static void add_gap(struct sb_inspection *report, size_t layer, char *what, const char *why)
{
	if (what[0] == '\0') {
		free(what);
		what = sb_asprintf("layer %zu", layer + 1);
	}
	*SB_ARRAY_ADD(&report->gaps) =
		(struct sb_gap){.layer = layer, .what = what, .why = sb_strdup(why)};
}

void sb_report_gap(struct sb_inspection *report, size_t layer, const char *what, const char *why)
{
	const size_t n = COUNT_OF_LAYER(&report->gaps, layer);

	if (n > MAX_NOTES)
		return;
	if (n == MAX_NOTES)
		add_gap(report, layer, sb_strdup("more"),
			"there are more such places than are listed");
	else
		add_gap(report, layer, sb_strdup(what != NULL ? what : ""), why);
}
