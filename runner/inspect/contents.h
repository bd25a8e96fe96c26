/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_CONTENTS_H
#define SB_INSPECT_CONTENTS_H

#include "base/cleanup.h"
#include "inspect/merge.h"
#include "inspect/sweep.h"

/*
 * Searches the contents of a layer's files. What is packed in archives takes several times as long
 * to search as what it stands among: so such a file is read into memory, 64 MiB of all of them at
 * the most, and searched by other threads while the caller goes on; it helps when there is no room.
 * What is found goes to where it belongs in the report, in the order of the layer, whoever found it
 * and when: settle waits for all of it.
 */
struct sb_contents;

/* Told, in order, of each file of an earlier entry whose findings have come into the report: where,
 * how many, and the number that end_entry said. */
typedef void (*sb_contents_fn)(void *self, const struct sb_report_place *at,
	const struct sb_report_place *n, size_t content);

/* All are borrowed; the sweep is the caller's own, on the same report. */
struct sb_contents *sb_contents_new(struct sb_inspection *report, const struct sb_scanner *scanner,
	struct sb_sweep *sweep, sb_contents_fn on_inserted, void *self);
/* Ends the threads, and drops what they have not searched yet. */
void sb_contents_free(struct sb_contents *contents);
SB_DEFINE_FREEP(sb_contents)

/* Reads the source, of which the size is known or UINT64_MAX, to its end: its content is searched
 * now or later. An error is the source's. */
int sb_contents_search(struct sb_contents *contents, const struct sb_place *place,
	const struct sb_source *source, uint64_t size, struct sb_error *err) SB_MUST_USE;
/* The entry that the content belongs to ends, and this is its number. */
void sb_contents_end_entry(struct sb_contents *contents, size_t content);
/* Between entries: puts what is there into the report. False when nothing more is to come. */
bool sb_contents_collect(struct sb_contents *contents);
/* Waits for all. Gives how many findings of earlier entries were put before those of this one. */
struct sb_report_place sb_contents_settle(struct sb_contents *contents);

#endif
