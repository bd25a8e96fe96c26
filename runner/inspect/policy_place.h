/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_POLICY_PLACE_H
#define SB_INSPECT_POLICY_PLACE_H

#include <stddef.h>

#include "base/error.h"

/* A way into a JSON document: a key of an object, or (key NULL) an item of an array. */
struct sb_json_step {
	const char *key;
	size_t index;
};

/* Where that value stands, or its key where it has one. The text is valid JSON; of a way that leads
 * nowhere, the place up to which it could be followed. at->file is left as it is. */
void sb_json_place_of(const char *text, size_t len, const struct sb_json_step *steps,
	size_t n_steps, struct sb_source_pos *at);

#endif
