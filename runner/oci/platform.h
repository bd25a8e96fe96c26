/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_PLATFORM_H
#define SB_OCI_PLATFORM_H

#include <stdbool.h>

#include "base/error.h"

/* os/architecture[/variant] in Go's names, normalised as Docker does (x86_64 → amd64, aarch64 →
 * arm64, arm → arm/v7). */
struct sb_platform {
	char os[32];
	char architecture[32];
	char variant[32]; /* "" for none */
};

int sb_platform_parse(const char *text, struct sb_platform *out, struct sb_error *err) SB_MUST_USE;
/* What this machine runs. */
struct sb_platform sb_platform_host(void);
/* "linux/amd64" or "linux/arm/v7"; caller frees. */
char *sb_platform_format(const struct sb_platform *platform);
bool sb_platform_is_same(const struct sb_platform *a, const struct sb_platform *b);
/* How well an image of `have` serves one who wants `want`: 0 not at all, higher is better (arm/v7
 * may run arm/v6). */
int sb_platform_match(const struct sb_platform *want, const struct sb_platform *have);

#endif
