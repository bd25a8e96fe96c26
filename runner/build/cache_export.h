/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CACHE_EXPORT_H
#define SB_BUILD_CACHE_EXPORT_H

#include "build/build.h"
#include "safebuild.h"

/*
 * Where a build's cache goes (--cache-to): folders, opened before it starts with the rights of the
 * user who asked, and registries.
 */
struct sb_cache_exports;
/* SB_E_USAGE for an option that can't be meant. */
int sb_cache_exports_open(const struct sb_cache_option *options, size_t n,
	struct sb_cache_exports **out, struct sb_error *err) SB_MUST_USE;
void sb_cache_exports_free(struct sb_cache_exports *exports);
SB_DEFINE_FREEP(sb_cache_exports)

/*
 * Writes the steps of build->used_steps, after sb_build_run: what the store has of them. Steps that
 * the search refused are not in the store, and those that depend on the value of a secret
 * (rekey=true) are not written out; the text of a step never is. The same build gives the same
 * bytes.
 */
int sb_cache_exports_write(
	struct sb_cache_exports *exports, struct sb_build *build, struct sb_error *err) SB_MUST_USE;

#endif
