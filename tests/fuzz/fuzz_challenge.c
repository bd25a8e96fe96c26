/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "fuzz.h"
#include "registry/challenge.h"

/* A header that is refused leaves nothing behind; one that is taken has only whole challenges. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	sb_autofree char *value = sb_memdup0(data, len);
	SB_AUTO_VALUE(sb_challenges) list = {0};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_challenges_parse(value, &list, &err) < 0) {
		SB_BUG_ON(list.len != 0 || err.code != SB_E_AUTH);
		return 0;
	}
	SB_ARRAY_FOREACH (&list, challenge) {
		SB_BUG_ON(challenge->scheme == NULL || challenge->scheme[0] == '\0');
		for (size_t i = 0; i < challenge->params.len; i++) {
			const char *equals = strchr(challenge->params.items[i], '=');

			SB_BUG_ON(equals == NULL || equals == challenge->params.items[i]);
			SB_BUG_ON(strpbrk(equals, "\r\n") != NULL);
		}
	}
	return 0;
}
