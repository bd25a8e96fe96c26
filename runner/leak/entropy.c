/* SPDX-License-Identifier: MIT */
#include "leak/entropy.h"

#include <stdint.h>

enum { N_ALPHABETS = 5, MAX_JUDGED = 4096 };

static const unsigned alphabets[N_ALPHABETS] = {10, 16, 32, 36, 62};

/* The 0.1 % quantiles of 100,000 random texts each. */
static const struct {
	size_t len;
	unsigned short floor[N_ALPHABETS];
} floors[] = {
	{8, {129, 154, 190, 200, 215}},
	{10, {157, 184, 224, 232, 244}},
	{12, {178, 211, 252, 258, 275}},
	{14, {197, 232, 269, 275, 298}},
	{16, {210, 247, 289, 295, 320}},
	{20, {231, 270, 317, 324, 348}},
	{24, {244, 287, 337, 343, 372}},
	{28, {257, 300, 353, 362, 391}},
	{32, {265, 311, 367, 376, 407}},
	{36, {273, 320, 380, 388, 421}},
	{40, {278, 328, 389, 398, 433}},
	{48, {287, 339, 404, 414, 452}},
	{64, {299, 354, 427, 437, 481}},
	{96, {310, 370, 450, 463, 514}},
	{128, {316, 377, 463, 476, 534}},
	{256, {324, 389, 482, 497, 565}},
};
enum { N_FLOORS = sizeof(floors) / sizeof(floors[0]) };

/* log2 in 65536ths, a bit at a time: squaring doubles the logarithm. */
static uint32_t log2_fixed(uint32_t n)
{
	const uint32_t whole = 31 - (uint32_t)__builtin_clz(n);
	uint64_t x = (uint64_t)n << (31 - whole); /* 1 to 2, in 2^31ths */
	uint32_t part = 0;

	for (unsigned bit = 0; bit < 16; bit++) {
		x = x * x >> 31;
		part <<= 1;
		if (x >> 32 != 0) {
			x >>= 1;
			part |= 1;
		}
	}
	return whole << 16 | part;
}

unsigned sb_entropy_of(const char *text, size_t len)
{
	uint32_t counts[256] = {0};
	uint64_t sum = 0;

	if (len == 0)
		return 0;
	if (len > MAX_JUDGED)
		len = MAX_JUDGED;
	for (size_t i = 0; i < len; i++)
		counts[(unsigned char)text[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (counts[i] > 1)
			sum += (uint64_t)counts[i] * log2_fixed(counts[i]);
	return (unsigned)(((log2_fixed((uint32_t)len) - sum / len) * 100 + 32768) >> 16);
}

unsigned sb_entropy_floor(size_t len, unsigned alphabet)
{
	size_t k = N_ALPHABETS - 1;
	size_t i = N_FLOORS - 1;

	if (len < floors[0].len)
		return 0;
	while (k > 0 && alphabets[k] > alphabet)
		k--;
	while (floors[i].len > len)
		i--;
	if (i == N_FLOORS - 1)
		return floors[i].floor[k];

	const unsigned low = floors[i].floor[k];
	const unsigned high = floors[i + 1].floor[k];
	const size_t step = floors[i + 1].len - floors[i].len;

	return low + (unsigned)((high - low) * (len - floors[i].len) / step);
}

bool sb_entropy_is_random(const char *text, size_t len, unsigned alphabet)
{
	return sb_entropy_of(text, len) >= sb_entropy_floor(len, alphabet);
}
