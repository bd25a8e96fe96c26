/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_KMP_H
#define SB_LEAK_KMP_H

#include <stddef.h>
#include <stdint.h>

/*
 * One byte string as an automaton (Knuth, Morris, Pratt): after each byte of a stream the state is
 * the length of the longest beginning of the string that the stream ends with. Linear time on any
 * input, and nothing of the stream is kept.
 */
struct sb_kmp {
	const char *bytes; /* borrowed */
	size_t len;
	uint32_t *border; /* border[n]: the longest true beginning of the first n bytes that is also
			     their end */
};

/* len from 1 to UINT32_MAX. */
void sb_kmp_init(struct sb_kmp *kmp, const char *bytes, size_t len);
void sb_kmp_release(struct sb_kmp *kmp);

/* The state after one more byte; kmp->len is a match that ends with it. */
static inline size_t sb_kmp_step(const struct sb_kmp *kmp, size_t state, char byte)
{
	if (state == kmp->len)
		state = kmp->border[state];
	while (state > 0 && kmp->bytes[state] != byte)
		state = kmp->border[state];
	return kmp->bytes[state] == byte ? state + 1 : 0;
}

#endif
