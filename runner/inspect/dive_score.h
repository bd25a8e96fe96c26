/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_DIVE_SCORE_H
#define SB_INSPECT_DIVE_SCORE_H

#include "inspect/inspect.h"

/*
 * An image's score as dive (github.com/wagoodman/dive, 0.13) computes it, for those who come from
 * there. It counts paths: of each, `efficiency` puts the smallest size that it has in a layer in
 * proportion to the sum of all, and `wasted_bytes` is that sum for paths that several layers have,
 * so also of the copy that is used. It does not see opaque folders, removed folders without an
 * entry of their own, or files twice in one layer; and a whiteout of nothing ends the reading of
 * its layer. dead_bytes is the figure that is right.
 */
struct sb_dive_score {
	double efficiency; /* 0 to 1 */
	uint64_t wasted_bytes;
};

struct sb_dive_score sb_dive_score(const struct sb_inspection *inspection);

#endif
