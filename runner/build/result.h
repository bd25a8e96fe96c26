/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_RESULT_H
#define SB_BUILD_RESULT_H

#include "build/build.h"

/* The target's state as an image: its config and manifest, in no index yet. All layers are there,
 * and no text of it holds a secret (SB_E_LEAK). */
int sb_result_write(
	struct sb_build *build, struct sb_descriptor *out, struct sb_error *err) SB_MUST_USE;

/* SB_E_LEAK where a text that goes into the image, its `what`, holds a secret. */
int sb_result_search_text(struct sb_content_search *search, const char *what, const char *text,
	size_t len, struct sb_error *err) SB_MUST_USE;

#endif
