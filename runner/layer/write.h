/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_WRITE_H
#define SB_LAYER_WRITE_H

#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "layer/compress.h"
#include "layer/diff.h"
#include "leak/content.h"
#include "sys/interrupt.h"

/*
 * Writes changes as one layer tar (pax; OCI layer spec): sorted as they come, numeric owners, whole
 * seconds, no user names. The same changes give the same bytes, whatever the machine and the number
 * of threads. Memory does not depend on the size of files.
 */
struct sb_layer_write_options {
	int upper_fd;
	/* Where the blob goes, or -1 to scan and digest only. */
	int out_fd;
	enum sb_compression compression;
	int level; /* 0: the format's default */
	/* Times after this are set to it; -1: kept. Seconds since 1970. */
	int64_t source_date_epoch;
	/* Searches contents, with what is packed in them, names, link targets and attributes; NULL
	 * where no secret is known. A hit is SB_E_LEAK. */
	struct sb_content_search *search;
	struct sb_interrupt *interrupt; /* looked at all the while; or NULL */
};

struct sb_layer_blob {
	struct sb_digest diff_id; /* of the tar */
	struct sb_digest digest;  /* of the blob as written */
	uint64_t tar_bytes;
	uint64_t size_bytes;
	uint64_t n_changes;
};

int sb_layer_write(const struct sb_changes *changes, const struct sb_layer_write_options *options,
	struct sb_layer_blob *out, struct sb_error *err) SB_MUST_USE;

#endif
