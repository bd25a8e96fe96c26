/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_LAYER_PRIVATE_H
#define SB_INSPECT_LAYER_PRIVATE_H

#include "inspect/inspector.h"
#include "inspect/tar_reader.h"

/* One layer's reading, as layer_read.c and layer_entry.c share it. */
struct sb_layer_reading {
	struct sb_inspector *in;
	struct sb_layer_stream *stream;
	struct sb_tar_reader *tar;
	struct sb_layer_report *report;
	size_t layer;
};

/* Adds the entry to the file system and the report, and searches all of it: headers, content and
 * padding. */
int sb_layer_read_entry(struct sb_layer_reading *r, const struct sb_tar_entry *entry,
	struct sb_error *err) SB_MUST_USE;

/* Reads the entry's content to its end: searched, and a copy kept in `keep`, if that is not NULL.
 * The digest is unset where the file has too large holes. */
int sb_layer_read_content(struct sb_layer_reading *r, const struct sb_tar_entry *entry,
	const struct sb_place *place, struct sb_buf *keep, struct sb_digest *out,
	struct sb_error *err) SB_MUST_USE;

#endif
