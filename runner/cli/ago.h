/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_AGO_H
#define SB_CLI_AGO_H

#include <time.h>

/* How long ago an RFC 3339 time was, as docker says it ("3 hours ago"); "-" for "" and for what is
 * no time. Caller frees. */
char *sb_ago_format(const char *rfc3339, time_t now);

#endif
