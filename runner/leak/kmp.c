/* SPDX-License-Identifier: MIT */
#include "leak/kmp.h"

#include "base/error.h"
#include "base/mem.h"

void sb_kmp_init(struct sb_kmp *kmp, const char *bytes, size_t len)
{
	SB_BUG_ON(len == 0 || len > UINT32_MAX);
	*kmp = (struct sb_kmp){.bytes = bytes, .len = len};
	kmp->border = sb_calloc(len + 1, sizeof(kmp->border[0]));

	size_t border = 0;

	for (size_t i = 1; i < len; i++) {
		while (border > 0 && bytes[border] != bytes[i])
			border = kmp->border[border];
		if (bytes[border] == bytes[i])
			border++;
		kmp->border[i + 1] = (uint32_t)border;
	}
}

void sb_kmp_release(struct sb_kmp *kmp)
{
	free(kmp->border);
	*kmp = (struct sb_kmp){0};
}
