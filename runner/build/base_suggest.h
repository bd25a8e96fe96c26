/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_BASE_SUGGEST_H
#define SB_BUILD_BASE_SUGGEST_H

#include "build/build.h"

/* Adds to an error about an image that could not be had the hint "did you mean …?", where a stage,
 * a build context or an image of the store has a name like it. Returns -1. */
int sb_base_suggest(const struct sb_build *build, const char *name, struct sb_error *err);

#endif
