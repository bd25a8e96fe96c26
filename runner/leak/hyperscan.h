/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_HYPERSCAN_H
#define SB_LEAK_HYPERSCAN_H

#include <hs/hs.h>

#include "base/error.h"

/*
 * Hyperscan, or Vectorscan, which has its interface and soname: loaded when a search for patterns
 * is made, as only some runs make one. The members are its functions of the same names.
 */
struct sb_hyperscan {
	hs_error_t (*compile_lit_multi)(const char *const *expressions, const unsigned *flags,
		const unsigned *ids, const size_t *lens, unsigned elements, unsigned mode,
		const hs_platform_info_t *platform, hs_database_t **db, hs_compile_error_t **error);
	hs_error_t (*free_compile_error)(hs_compile_error_t *error);
	hs_error_t (*free_database)(hs_database_t *db);
	hs_error_t (*alloc_scratch)(const hs_database_t *db, hs_scratch_t **scratch);
	hs_error_t (*free_scratch)(hs_scratch_t *scratch);
	hs_error_t (*scan)(const hs_database_t *db, const char *data, unsigned length,
		unsigned flags, hs_scratch_t *scratch, match_event_handler on_event, void *context);
};

/* A second call is cheap; it stays loaded until the process ends. SB_E_UNSUPPORTED where the
 * library is not installed, is too old, or does not run on this processor. */
int sb_hyperscan_load(struct sb_hyperscan *out, struct sb_error *err) SB_MUST_USE;

#endif
