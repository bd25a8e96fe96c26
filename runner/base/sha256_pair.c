/* SPDX-License-Identifier: MIT */
#include "base/sha256_pair.h"

#include "base/error.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

#define WITH_SHA __attribute__((target("sha,sse4.1")))

enum { WORDS_AT_ONCE = 4, N_GROUPS = 64 / WORDS_AT_ONCE };

/* FIPS 180-4, 4.2.2. */
static const uint32_t constants[64] __attribute__((aligned(16))) = {0x428a2f98, 0x71374491,
	0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
	0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc,
	0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354,
	0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
	0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f,
	0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* The eight words in the order that the instructions take them in. */
struct state {
	__m128i abef;
	__m128i cdgh;
};

WITH_SHA static inline struct state load_state(const uint32_t h[8])
{
	return (struct state){
		.abef = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]),
		.cdgh = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]),
	};
}

WITH_SHA static inline void store_state(const struct state *state, uint32_t h[8])
{
	h[0] = (uint32_t)_mm_extract_epi32(state->abef, 3);
	h[1] = (uint32_t)_mm_extract_epi32(state->abef, 2);
	h[2] = (uint32_t)_mm_extract_epi32(state->cdgh, 3);
	h[3] = (uint32_t)_mm_extract_epi32(state->cdgh, 2);
	h[4] = (uint32_t)_mm_extract_epi32(state->abef, 1);
	h[5] = (uint32_t)_mm_extract_epi32(state->abef, 0);
	h[6] = (uint32_t)_mm_extract_epi32(state->cdgh, 1);
	h[7] = (uint32_t)_mm_extract_epi32(state->cdgh, 0);
}

/* Four rounds of both, whose instructions take turns. */
WITH_SHA static inline void run_rounds(struct state *a, struct state *b, __m128i words)
{
	const __m128i late = _mm_shuffle_epi32(words, 0x0e);

	a->cdgh = _mm_sha256rnds2_epu32(a->cdgh, a->abef, words);
	b->cdgh = _mm_sha256rnds2_epu32(b->cdgh, b->abef, words);
	a->abef = _mm_sha256rnds2_epu32(a->abef, a->cdgh, late);
	b->abef = _mm_sha256rnds2_epu32(b->abef, b->cdgh, late);
}

WITH_SHA static inline void run_block(struct state *a, struct state *b, const unsigned char *block)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	const struct state a_before = *a;
	const struct state b_before = *b;
	__m128i words[4]; /* the last 16 of the schedule, in turn */

	for (size_t i = 0; i < 4; i++)
		words[i] = _mm_shuffle_epi8(
			_mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i)),
			big_endian);
#pragma GCC unroll 16
	for (size_t i = 0; i < N_GROUPS; i++) {
		const __m128i *k = (const __m128i *)(const void *)(constants + WORDS_AT_ONCE * i);
		__m128i *now = &words[i % 4];
		const __m128i last = words[(i + 3) % 4];

		run_rounds(a, b, _mm_add_epi32(*now, _mm_load_si128(k)));
		*now = _mm_sha256msg2_epu32(
			_mm_add_epi32(_mm_sha256msg1_epu32(*now, words[(i + 1) % 4]),
				_mm_alignr_epi8(last, words[(i + 2) % 4], 4)),
			last);
	}
	a->abef = _mm_add_epi32(a->abef, a_before.abef);
	a->cdgh = _mm_add_epi32(a->cdgh, a_before.cdgh);
	b->abef = _mm_add_epi32(b->abef, b_before.abef);
	b->cdgh = _mm_add_epi32(b->cdgh, b_before.cdgh);
}

WITH_SHA void sb_sha256_pair(uint32_t a[8], uint32_t b[8], const void *blocks, size_t n_blocks)
{
	const unsigned char *block = blocks;
	struct state first = load_state(a);
	struct state second = load_state(b);

	for (size_t i = 0; i < n_blocks; i++)
		run_block(&first, &second, block + i * SB_SHA256_BLOCK);
	store_state(&first, a);
	store_state(&second, b);
}

static bool ask(void)
{
	unsigned eax = 0;
	unsigned ebx = 0;
	unsigned ecx = 0;
	unsigned edx = 0;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & bit_SSE4_1) == 0)
		return false;
	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & bit_SHA) != 0;
}

bool sb_sha256_pair_is_there(void)
{
	enum { NOT_ASKED, YES, NO };
	static _Atomic int answer = NOT_ASKED;

	/* Under a hypervisor, asking takes many thousand cycles. */
	if (answer == NOT_ASKED)
		answer = ask() ? YES : NO;
	return answer == YES;
}

#else

bool sb_sha256_pair_is_there(void)
{
	return false;
}

void sb_sha256_pair(uint32_t a[8], uint32_t b[8], const void *blocks, size_t n_blocks)
{
	(void)a;
	(void)b;
	(void)blocks;
	(void)n_blocks;
	SB_BUG_ON(true);
}

#endif
