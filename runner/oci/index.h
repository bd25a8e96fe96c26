/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_INDEX_H
#define SB_OCI_INDEX_H

#include <stdbool.h>

#include "oci/json.h"
#include "oci/manifest.h"

/* What this folder shares about indexes besides manifest.h. */

/* As sb_index_parse, from an object that was read already. */
int sb_index_parse_json(
	const json_t *json, struct sb_descriptors *out, struct sb_error *err) SB_MUST_USE;
/* An index without entries (caller releases), and one more entry. *bad gets what JSON can't hold.
 */
json_t *sb_index_new_json(void);
void sb_index_append(json_t *index, const struct sb_descriptor *d, const char **bad);
/* An entry that holds a statement about an image, not an image (BuildKit's provenance and SBOM). */
bool sb_descriptor_is_attestation(const struct sb_descriptor *d);

#endif
