/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_COMPARE_H
#define SB_INSPECT_COMPARE_H

#include "inspect/inspect.h"
#include "inspect/report.h"

/*
 * What is different between two images: the files that they show in the end, their settings, and
 * their layers. Times of files are not compared, and neither is how layers are compressed.
 */
enum sb_difference { SB_DIFF_ADDED, SB_DIFF_REMOVED, SB_DIFF_MODIFIED, SB_DIFF_METADATA };
enum { SB_N_DIFFERENCES = 4 };

/* What of a file: the first four make it MODIFIED. */
enum sb_file_aspect {
	SB_ASPECT_TYPE = 1,
	SB_ASPECT_CONTENT = 2,
	SB_ASPECT_LINK = 4,
	SB_ASPECT_DEVICE = 8,
	SB_ASPECT_MODE = 16,
	SB_ASPECT_OWNER = 32,
	SB_ASPECT_ATTRIBUTES = 64,
};

/* Borrowed from the inspections; one of the two is NULL for what was added or removed. */
struct sb_file_difference {
	enum sb_difference kind;
	unsigned aspects;
	const struct sb_file_entry *before;
	const struct sb_file_entry *after;
};

struct sb_config_difference {
	enum sb_difference kind; /* never METADATA */
	const struct sb_config_item *before;
	const struct sb_config_item *after;
};

/* A layer of one, or of both: the same one by its diff_id. SIZE_MAX where it has none. */
struct sb_layer_pair {
	size_t before;
	size_t after;
	bool is_packed_differently;
};

struct sb_image_sums {
	uint64_t blob_bytes;
	uint64_t tar_bytes;
	uint64_t visible_bytes;
	uint64_t dead_bytes;
	uint64_t n_files; /* visible entries of any kind */
};

struct sb_comparison {
	const struct sb_inspection *before;
	const struct sb_inspection *after;
	/* Parents first, then by bytes. */
	SB_ARRAY(struct sb_file_difference) files;
	size_t n_files[SB_N_DIFFERENCES];
	SB_ARRAY(struct sb_config_difference) config;
	/* The configs differ, and in nothing that is in the list. */
	bool has_other_config;
	SB_ARRAY(struct sb_layer_pair) layers;
	size_t n_layers_differing;
	struct sb_image_sums sums[2];
	/* Why the comparison can't be trusted: what could not be read, or is not what its digest
	 * says. Empty where it can. */
	struct sb_strv unreadable;
};

/* The inspections must outlive it. */
struct sb_comparison *sb_compare_inspections(
	const struct sb_inspection *before, const struct sb_inspection *after);
void sb_comparison_free(struct sb_comparison *comparison);
SB_DEFINE_FREEP(sb_comparison)

/* Nothing of all that is different. */
bool sb_comparison_is_same(const struct sb_comparison *comparison);

/* `names`: the two images as the user named them. As report.h has it. */
int sb_comparison_page(const struct sb_comparison *comparison, const char *const names[2],
	const struct sb_report_style *style, char **out, struct sb_error *err) SB_MUST_USE;
int sb_comparison_json(const struct sb_comparison *comparison, const char *const names[2],
	char **out, struct sb_error *err) SB_MUST_USE;

#endif
