/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_INSPECTOR_H
#define SB_INSPECT_INSPECTOR_H

#include "base/buf.h"
#include "base/strv.h"
#include "inspect/contents.h"
#include "inspect/filesystem.h"
#include "inspect/inspect.h"
#include "inspect/layer_stream.h"
#include "inspect/search.h"
#include "inspect/sweep.h"

/* The last etc/passwd or etc/group that a layer had. */
struct sb_id_file {
	struct sb_buf text;
	size_t content; /* its number in the file system, or SB_NO_CONTENT */
};

/* File capabilities of an entry. */
struct sb_entry_caps {
	uint32_t layer;
	uint32_t entry;
	char *names; /* "cap_net_raw,cap_sys_admin" */
};

SB_ARRAY_STRUCT(sb_numbers, size_t);

/*
 * What one inspection works with. The report is filled in as the image is read; texts in it may
 * hold secrets until sb_inspector_take redacts them all.
 */
struct sb_inspector {
	struct sb_inspection *report;
	struct sb_filesystem *fs;
	struct sb_scanner *blob_scanner; /* makes the tables that all others share */
	struct sb_search blob_search;
	struct sb_sweep *sweep;
	struct sb_contents *contents;
	struct sb_id_file passwd;
	struct sb_id_file group;
	SB_ARRAY(struct sb_entry_caps) caps; /* in the order of the entries */
	/* For each secret and each pattern found, the content's number in the file system. */
	struct sb_numbers secret_contents;
	struct sb_numbers pattern_contents;
	size_t n_entries;        /* listed, of all layers */
	bool is_full;            /* there are more entries than are listed */
	bool has_found_in_names; /* something: names hold what must not be shown */
};

/* The secrets may be NULL; they are borrowed. */
struct sb_inspector *sb_inspector_new(const struct sb_secrets *secrets);
/* Does not search for what has the look of a secret. */
struct sb_inspector *sb_inspector_new_known_only(const struct sb_secrets *secrets);
void sb_inspector_free(struct sb_inspector *in);
SB_DEFINE_FREEP(sb_inspector)

/*
 * Reads one layer, adds it to the file system, and its findings, problems and what was not scanned
 * to the report. Fills in the sums, counts, entries and payload of *out, which is the report's
 * layer of that index; the rest of it is the caller's. Layers are counted from 1 in texts.
 */
void sb_inspector_read_layer(struct sb_inspector *in, size_t layer,
	const struct sb_byte_source *source, struct sb_layer_report *out,
	enum sb_layer_packing *out_packing);
/* Of the regular file that will be the entry of that number. */
void sb_inspector_add_capabilities(
	struct sb_inspector *in, size_t layer, uint32_t entry, const void *value, size_t len);
/* What was found since there were so many secrets and patterns is in this content, or in its name.
 */
void sb_inspector_set_contents(
	struct sb_inspector *in, size_t n_secrets, size_t n_patterns, size_t content);

/* Config, manifest and the user. */
void sb_inspector_read_config(struct sb_inspector *in, const struct sb_image *image);
/* The report's list of what config and manifest say, for reading and comparing. */
void sb_inspector_list_config(struct sb_inspector *in, const struct sb_image *image);
/* The instruction that made layer i of n, or NULL where the history does not fit the layers.
 * Borrowed. */
const char *sb_layer_instruction(const struct sb_image_config *config, size_t i, size_t n);

/* Adds what only the whole image tells (facts.h), redacts, and gives the report away. */
struct sb_inspection *sb_inspector_take(struct sb_inspector *in, const struct sb_secrets *secrets);

#endif
