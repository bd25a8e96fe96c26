/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_LANES_H
#define SB_LEAK_LANES_H

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * 16 bytes at once: comparing lanes gives 255 where it is so and 0 where not, and a mask has a bit
 * for each lane, the first byte's lowest.
 */
typedef unsigned char sb_lanes __attribute__((vector_size(16)));

static inline sb_lanes sb_lanes_load(const void *p)
{
	sb_lanes lanes;

	memcpy(&lanes, p, sizeof(lanes));
	return lanes;
}

/* Where they are letters, digits or one of + / - _: the characters of both base64 (RFC 4648). */
static inline sb_lanes sb_lanes_base64(sb_lanes lanes)
{
	const sb_lanes letters = (sb_lanes)(((lanes | 0x20) - 'a') < 26);
	const sb_lanes digits = (sb_lanes)((lanes - '/') < 11); /* and the slash before them */

	return letters | digits | (sb_lanes)(lanes == '+') | (sb_lanes)(lanes == '-') |
	       (sb_lanes)(lanes == '_');
}

/* Of lanes that are 0 or 255. */
static inline uint32_t sb_lanes_mask(sb_lanes lanes)
{
#ifdef __SSE2__
	return (uint32_t)_mm_movemask_epi8((__m128i)lanes);
#else
	uint32_t mask = 0;

	for (unsigned i = 0; i < sizeof(lanes); i++)
		mask |= (uint32_t)(lanes[i] & 1) << i;
	return mask;
#endif
}

#endif
