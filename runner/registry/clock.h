/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_CLOCK_H
#define SB_REGISTRY_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds that only grow. */
static inline uint64_t sb_clock_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
