/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_BASE_REFERENCE_H
#define SB_BUILD_BASE_REFERENCE_H

#include "build/build.h"
#include "build/stage.h"

/*
 * A base by its name: the store's, where that serves the platform (of several, all that the name is
 * wanted for) and the build does not ask for anew, else the registry's. What a name means is found
 * out once a build, and once for all its platforms.
 */
int sb_base_reference_load(struct sb_build *build, const char *text,
	const struct sb_platform *platform, struct sb_stage_state **out,
	struct sb_error *err) SB_MUST_USE;

#endif
