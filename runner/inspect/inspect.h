/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_INSPECT_H
#define SB_INSPECT_INSPECT_H

#include "base/array.h"
#include "base/cleanup.h"
#include "leak/secrets.h"
#include "oci/image.h"

/*
 * Reads a finished image, layer by layer as streams: memory grows with the number of entries, never
 * with bytes.
 */

/* A file that was deleted, overwritten or hidden by a later layer, and is still in its own. */
struct sb_dead_file {
	char *path;
	size_t added_layer; /* index in layers */
	size_t removed_layer;
	const char *cause; /* "deleted", "overwritten", "hidden by a replaced folder", … static */
	uint64_t size_bytes;
	struct sb_digest digest; /* of the content */
};

/* A known secret in the image. */
struct sb_secret_finding {
	char *secret_id;
	const char *form; /* static */
	char *where;      /* "layer 2: etc/secret.txt", "config: Env", "layer 2: name of …" */
	size_t layer;     /* index, or SIZE_MAX for config, manifest, annotations */
	uint64_t offset;
};

struct sb_layer_report {
	struct sb_digest digest;
	struct sb_digest diff_id;
	char *media_type;
	uint64_t size_bytes; /* of the blob */
	uint64_t tar_bytes;
	uint64_t payload_bytes; /* of all regular files in it */
	uint64_t dead_bytes;    /* of those not visible in the final file system */
	uint64_t n_entries;
	uint64_t n_whiteouts;
	char *created_by; /* the instruction, or NULL where the history does not say */
};

struct sb_inspection {
	char *form;
	char *name;
	struct sb_digest manifest_digest;
	struct sb_platform platform;
	char *user; /* config's User, "" for root by default */
	bool runs_as_root;
	SB_ARRAY(struct sb_layer_report) layers;
	SB_ARRAY(struct sb_dead_file) dead;
	SB_ARRAY(struct sb_secret_finding) secrets;
	struct sb_strv problems;    /* digests, sizes or diff_ids that do not fit: one line each */
	struct sb_strv not_scanned; /* what was not looked at, and why */
	uint64_t scanned_bytes;
	size_t n_secrets_searched;
	struct sb_strv secret_ids;
};

/*
 * What is wrong with the image (a missing blob, a digest that does not fit) is in the report; an
 * error is only what leaves nothing to report. Every text in it is free of the secrets' values. In
 * texts layers count from 1, as on the page. Dead files of 0 bytes are not listed.
 */
int sb_inspect_image(struct sb_image *image, const struct sb_secrets *secrets,
	struct sb_inspection **out, struct sb_error *err) SB_MUST_USE;
void sb_inspection_free(struct sb_inspection *inspection);
SB_DEFINE_FREEP(sb_inspection)

struct sb_report_style {
	bool color;
	unsigned width; /* columns; 0: unlimited */
};
/* The page for people, and the JSON document ("schema": 1). Caller frees *out. */
int sb_inspection_page(const struct sb_inspection *inspection, const struct sb_report_style *style,
	char **out, struct sb_error *err) SB_MUST_USE;
int sb_inspection_json(
	const struct sb_inspection *inspection, char **out, struct sb_error *err) SB_MUST_USE;

#endif
