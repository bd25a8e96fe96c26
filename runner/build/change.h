/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CHANGE_H
#define SB_BUILD_CHANGE_H

#include "base/error.h"
#include "oci/config.h"

/*
 * What `import --change` says of an image, each an instruction of a Buildfile that makes no layer:
 * a config with that, without layers and history. changes ends with NULL, or is NULL.
 */
int sb_changes_apply(
	const char *const *changes, struct sb_image_config **out, struct sb_error *err) SB_MUST_USE;

#endif
