/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_DESCRIPTOR_JSON_H
#define SB_OCI_DESCRIPTOR_JSON_H

#include "oci/descriptor.h"
#include "oci/json.h"

/* Descriptors and platforms as they stand in manifests, indexes and configs; private to this
 * folder. */

/* `what` names the document and the place in it. Caller releases *out. */
int sb_descriptor_from_json(const json_t *json, const char *what, struct sb_descriptor *out,
	struct sb_error *err) SB_MUST_USE;
/* Caller owns the result; see sb_json_put_string for `bad`. */
json_t *sb_descriptor_to_json(const struct sb_descriptor *d, const char **bad);
/* os, architecture and variant of an object, "" for what is not there. */
int sb_platform_from_json(const json_t *json, const char *what, struct sb_platform *out,
	struct sb_error *err) SB_MUST_USE;
/* Puts those that are not "". */
void sb_platform_put(json_t *json, const struct sb_platform *platform);

#endif
