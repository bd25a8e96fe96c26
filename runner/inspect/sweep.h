/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_SWEEP_H
#define SB_INSPECT_SWEEP_H

#include "base/strv.h"
#include "inspect/inspect.h"
#include "leak/nested.h"
#include "leak/scan.h"

/*
 * Looks for secrets, the known ones and those that have a secret's look, in one place after the
 * other, and puts what is found into the report: for each known secret the first find in a stream,
 * for each rule the first and how many follow; of streams that are packed in each other only where
 * it is furthest in.
 */
struct sb_sweep;
enum {
	SB_MAX_PATTERN_FINDINGS = 20000, /* in a report: some 10 MB */
	SB_MAX_SECRET_FINDINGS = 20000,
};
/* The report is filled in, the scanner's tables are shared; both are borrowed. Without the library
 * that patterns need, the report gets a gap. */
struct sb_sweep *sb_sweep_new(struct sb_inspection *report, const struct sb_scanner *scanner);
/* For the known secrets alone. */
struct sb_sweep *sb_sweep_new_known_only(
	struct sb_inspection *report, const struct sb_scanner *scanner);
/* For what the other one looks for, into another report. */
struct sb_sweep *sb_sweep_new_like(const struct sb_sweep *sweep, struct sb_inspection *report);
void sb_sweep_free(struct sb_sweep *sweep);
SB_DEFINE_FREEP(sb_sweep)

/* Borrowed for the call. */
struct sb_place {
	size_t layer;      /* index, or SIZE_MAX */
	const char *where; /* as in the findings */
	const char *path;  /* of the file in the layer, or NULL */
};

/* A new set of known secrets that were found: see below. */
void sb_sweep_begin_entry(struct sb_sweep *sweep);

/* What was found by another sweep in the same entry. */
void sb_sweep_note_secret(struct sb_sweep *sweep, const char *secret_id);
void sb_sweep_note_rule(struct sb_sweep *sweep, const struct sb_pattern_rule *rule);

/* A whole content, and what is packed in it. Reads the source to its end, whatever is found. */
int sb_sweep_content(struct sb_sweep *sweep, const struct sb_place *place,
	const struct sb_source *source, struct sb_error *err) SB_MUST_USE;

/* A short value; the name is a variable's, for rules that go by it, or NULL. True if anything was
 * found in it. */
bool sb_sweep_value(struct sb_sweep *sweep, const struct sb_place *place, const char *name,
	const void *bytes, size_t len);
/* The same of bytes that hold what was searched for itself: known secrets that were found since
 * begin_entry, and rules that were, are not found again. Offsets count from `base`. */
bool sb_sweep_raw(struct sb_sweep *sweep, const struct sb_place *place, uint64_t base,
	const void *bytes, size_t len);

/* The strings of a text of JSON, with their escapes undone: likewise, what was not found as it
 * stands. */
void sb_sweep_json(
	struct sb_sweep *sweep, const struct sb_place *place, const char *text, size_t len);

/* Adds a find that was made elsewhere. */
void sb_sweep_add_secret(
	struct sb_sweep *sweep, const struct sb_place *place, const struct sb_leak *leak);

/* What was found by the rule in the same place, among the last few of the first `before` patterns
 * of the report; or NULL. */
struct sb_pattern_finding *sb_report_find_pattern(struct sb_inspection *report, size_t before,
	const struct sb_place *place, const char *inside, const struct sb_pattern_rule *rule);

/* A copy of the text without the values that the patterns find in it: each becomes what may be
 * shown of it. NULL where there is none. Caller frees. */
char *sb_sweep_mask(struct sb_sweep *sweep, const char *text);
/* The same of a variable's value; the name as for sb_sweep_value. */
char *sb_sweep_mask_value(struct sb_sweep *sweep, const char *name, const char *value);

#endif
