/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_CREATED_BY_H
#define SB_BUILD_CREATED_BY_H

#include "base/strv.h"
#include "oci/config.h"

/*
 * Pieces of a history entry's created_by, worded as people and tools know it from other builders.
 * They take their form from Go's formats. Callers free what they get.
 */

/* %q of a list: ["a" "b \"c\""]. Control bytes are escaped. */
char *sb_created_by_quoted(const struct sb_strv *words);
/* %v of a list: [a b]. */
char *sb_created_by_list(const struct sb_strv *words);
/* {Test:[CMD a] Interval:30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:3} */
char *sb_created_by_healthcheck(const struct sb_healthcheck *check);

#endif
