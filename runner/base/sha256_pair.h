/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_SHA256_PAIR_H
#define SB_BASE_SHA256_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The same blocks added to two SHA-256 states (FIPS 180-4, 6.2.2), with the processor's SHA
 * instructions. Each round waits for the one before it, which leaves half of the unit idle where
 * there is one state only; and what the blocks expand to is the same for both.
 */
enum { SB_SHA256_BLOCK = 64 };

/* Whether this processor has the instructions; a second call is cheap. */
bool sb_sha256_pair_is_there(void);
/* Only where it is. */
void sb_sha256_pair(uint32_t a[8], uint32_t b[8], const void *blocks, size_t n_blocks);

#endif
