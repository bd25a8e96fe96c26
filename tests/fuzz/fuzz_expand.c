/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/mem.h"
#include "buildfile/expand.h"
#include "fuzz.h"

static void check(int result, const char *out, struct sb_error *err)
{
	SB_BUG_ON((result < 0) != sb_error_is_set(err));
	SB_BUG_ON(result < 0 && err->code != SB_E_SYNTAX && err->code != SB_E_LIMIT);
	SB_BUG_ON(result == 0 && (out == NULL || strlen(out) > SB_MAX_EXPANSION));
	sb_error_release(err);
}

/* The first byte chooses the escape; the rest is the word. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;

	const char escape = data[0] == '`' ? '`' : '\\';
	sb_autofree char *word = sb_memdup0(data + 1, len - 1);
	sb_autofree char *plain = NULL;
	sb_autofree char *quoted = NULL;
	SB_AUTO_STRV words = SB_STRV_INIT;
	SB_AUTO_STRV env = SB_STRV_INIT;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	sb_env_set(&env, "a", "aXbaXb");
	sb_env_set(&env, "b", "");
	sb_env_set(&env, "c", "two words /etc/x.tar.gz \xC3\xA9");
	int result = sb_expand_word(word, &env, escape, &plain, &err);

	check(result, plain, &err);
	result = sb_expand_keep_quotes(word, &env, escape, &quoted, &err);
	check(result, quoted, &err);
	result = sb_expand_words(word, &env, escape, &words, &err);
	check(result, "", &err);
	for (size_t i = 0; i < words.len; i++)
		SB_BUG_ON(words.items[i][0] == '\0');
	return 0;
}
