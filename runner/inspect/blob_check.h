/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_BLOB_CHECK_H
#define SB_INSPECT_BLOB_CHECK_H

#include "inspect/inspector.h"

/* Searching what is no layer and no config of the image; `where` is as in the findings. */

struct sb_blob_sums {
	struct sb_digest digest;
	uint64_t n_bytes;
};
/* A blob, with what is packed in it, and with the escapes of its strings undone where it is JSON. A
 * copy of its bytes is kept in `keep`, if that is not NULL, as far as there is room. False where it
 * could not be read to its end, which is in the report then.
 */
bool sb_check_blob(struct sb_inspector *in, const char *where, struct sb_blob_reader *reader,
	struct sb_buf *keep, struct sb_blob_sums *out);
/* Bytes that are in memory. */
void sb_check_bytes(struct sb_inspector *in, const char *where, const void *bytes, size_t len);
/* Bytes that are no content: headers, padding. `at` is where they stand. */
int sb_check_between(struct sb_inspector *in, const char *where, uint64_t at,
	struct sb_blob_reader *reader, struct sb_error *err) SB_MUST_USE;

/* Standard base64 with its padding, appended. False for what is none, or too long. */
bool sb_base64_decode(const char *text, struct sb_buf *out);

#endif
