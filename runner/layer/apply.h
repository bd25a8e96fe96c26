/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_APPLY_H
#define SB_LAYER_APPLY_H

#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/strv.h"
#include "leak/scan.h"
#include "sys/idmap.h"
#include "sys/interrupt.h"

/*
 * Unpacks one layer into a folder of its own, in the form that overlayfs takes as a lower layer
 * (OCI layer spec, "Whiteouts"; Documentation/filesystems/overlayfs):
 * `.wh.NAME` becomes a character device 0/0 called NAME, `.wh..wh..opq` the attribute
 * user.overlay.opaque=y. Every path is resolved beneath root_fd without following links that leave
 * it; what tries to leave is SB_E_INTEGRITY with the entry's name, and nothing outside root_fd is
 * touched.
 */

/* Where the blob's bytes come from; reads 0 at the end, -1 with err set. */
struct sb_reader {
	ssize_t (*read)(void *self, void *bytes, size_t len, struct sb_error *err);
	void *self;
	/* Looked at while the bytes are uncompressed, which may be very many; or NULL. */
	struct sb_interrupt *interrupt;
	/* What the bytes unpack to is no more than this: SB_E_INTEGRITY where it is more. 0: no
	 * limit. */
	uint64_t max_tar_bytes;
};

struct sb_apply_options {
	struct sb_idmap ids;
	/* False when the tar is a user's archive (ADD): no whiteouts, `.wh.` names are plain files.
	 */
	bool is_layer;
	/* The merged view of the lower layers, where folders that no entry describes have their
	 * mode, owner and time from (0755, 0:0 otherwise). */
	bool has_lower;
	int lower_fd;
	/* For ADD --chown: every entry gets this image owner instead of its own. */
	bool has_owner;
	uid_t owner_uid;
	gid_t owner_gid;
};

struct sb_applied {
	struct sb_digest diff_id; /* of the uncompressed bytes, trailing ones included */
	struct sb_digest digest;  /* of the bytes as read */
	uint64_t size_bytes;      /* as read */
	uint64_t tar_bytes;       /* uncompressed */
	uint64_t n_entries;
};

/*
 * The blob may be plain tar, gzip (several members too) or zstd, found by its magic; with is_layer
 * unset bzip2 and xz too. warnings gets one line for each kind of thing that could not be kept
 * (device nodes, attributes).
 */
int sb_layer_apply(struct sb_reader from, int root_fd, const struct sb_apply_options *options,
	struct sb_applied *out, struct sb_strv *warnings, struct sb_error *err) SB_MUST_USE;

/*
 * Reads a layer as sb_layer_apply does, and unpacks nothing: its digests, and that it is a tar
 * whose names stay inside. Where the scanner (or NULL) knows secrets they are looked for in all of
 * it: SB_E_LEAK as for a step's change (layer/search.h), or where one stands in the tar's own
 * bytes; *out is not set then.
 */
int sb_layer_verify(struct sb_reader from, const struct sb_scanner *scanner, struct sb_applied *out,
	struct sb_error *err) SB_MUST_USE;

#endif
