/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_SQUASH_H
#define SB_BUILD_SQUASH_H

#include "build/build.h"
#include "build/stage.h"

/*
 * Makes the layers that were put on the base one layer: what differs between the two file systems.
 * What one of them added and a later one took away is in no layer then. A hard link to a file that
 * the base has becomes a copy.
 */
int sb_squash(
	struct sb_build *build, struct sb_stage_state *state, struct sb_error *err) SB_MUST_USE;

#endif
