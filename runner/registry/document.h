/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_DOCUMENT_H
#define SB_REGISTRY_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The JSON texts of the registry protocol; image manifests themselves are read by oci/. */

/*
 * What a manifest is: one of the four media types of oci/descriptor.h (static). The text's own
 * mediaType decides, then the answer's Content-Type (may be NULL), then what members there are.
 * SB_E_UNSUPPORTED for schema 1 and for other types, SB_E_INTEGRITY where they contradict one
 * another or the text is not JSON.
 */
int sb_document_media_type(const char *json, size_t len, const char *content_type, const char **out,
	struct sb_error *err) SB_MUST_USE;

/* The "token" (or "access_token") of a token server's answer; caller frees. Only characters that
 * may stand in a header are let through. *out_life_s is how long it says that the token lives, 60
 * where it does not (as the protocol has it). SB_E_AUTH otherwise, SB_E_INTEGRITY for what is not
 * JSON. */
int sb_document_token(const char *json, size_t len, char **out, uint64_t *out_life_s,
	struct sb_error *err) SB_MUST_USE;

/* "CODE: message" of the first error in a registry's error answer, shortened; NULL where the text
 * is none. Caller frees. Not escaped. */
char *sb_document_error(const char *json, size_t len);

#endif
