/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_INSPECTOR_H
#define SB_INSPECT_INSPECTOR_H

#include "base/buf.h"
#include "base/strv.h"
#include "inspect/filesystem.h"
#include "inspect/inspect.h"
#include "inspect/layer_stream.h"
#include "inspect/search.h"

/*
 * What one inspection works with. The report is filled in as the image is read; texts in it may
 * hold secrets until sb_inspector_take redacts them all.
 */
struct sb_inspector {
	struct sb_inspection *report;
	struct sb_filesystem *fs;
	/* One scanner a stream that goes on while others do. */
	struct sb_scanner *blob_scanner;
	struct sb_scanner *tar_scanner;
	struct sb_scanner *value_scanner;
	struct sb_search blob_search;
	struct sb_search tar_search;
	struct sb_search value_search;
	struct sb_buf passwd;  /* the last etc/passwd seen */
	size_t passwd_content; /* its number in fs, or SIZE_MAX */
	bool is_full;          /* the file system has more names than are followed */
};

/* The secrets may be NULL; they are borrowed. */
struct sb_inspector *sb_inspector_new(const struct sb_secrets *secrets);
void sb_inspector_free(struct sb_inspector *in);
SB_DEFINE_FREEP(sb_inspector)

/* Searches a short value, and adds a finding for each secret in it. True if there was one. */
bool sb_inspector_search(
	struct sb_inspector *in, const void *bytes, size_t len, size_t layer, const char *where);
void sb_inspector_add_finding(
	struct sb_inspector *in, const struct sb_leak *leak, size_t layer, const char *where);

/*
 * Reads one layer, adds it to the file system, and its findings, problems and what was not scanned
 * to the report. Fills in the sums, counts and payload of *out; the rest of it is the caller's.
 * Layers are counted from 1 in texts.
 */
void sb_inspector_read_layer(struct sb_inspector *in, size_t layer,
	const struct sb_byte_source *source, struct sb_layer_report *out,
	enum sb_layer_packing *out_packing);

/* Config, manifest and the user. */
void sb_inspector_read_config(struct sb_inspector *in, const struct sb_image *image);
/* True where the user (config's User) is uid 0, by the passwd file where it is a name. */
bool sb_user_is_root(const char *user, const char *passwd);
/* The instruction that made layer i of n, or NULL where the history does not fit the layers.
 * Borrowed. */
const char *sb_layer_instruction(const struct sb_image_config *config, size_t i, size_t n);

/* Lists the dead files and bytes, redacts, and gives the report away. */
struct sb_inspection *sb_inspector_take(struct sb_inspector *in, const struct sb_secrets *secrets);

#endif
