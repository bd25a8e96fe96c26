/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "buildfile/ignore.h"
#include "fuzz.h"

/* What is included below an excluded folder must be announced, or the walk would miss it. */
static void check_path(const struct sb_ignore *ignore, const char *path)
{
	sb_autofree char *dir = sb_strdup(path);
	char *slash = strrchr(dir, '/');

	if (slash == NULL || slash == dir)
		return;
	*slash = '\0';
	if (!sb_ignore_excludes(ignore, path))
		SB_BUG_ON(!sb_ignore_may_include_below(ignore, dir));
}

/* The text up to the first NUL is a path and a glob's text, the rest is an ignore file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const paths[] = {"a", "a/b", "a/b/c.txt", "src/.git/config", "x.log"};
	const uint8_t *nul = len > 0 ? memchr(data, '\0', len) : NULL;
	const size_t path_len = nul != NULL ? (size_t)(nul - data) : 0;
	sb_autofree char *path = sb_memdup0(data, path_len);
	const char *text = (const char *)data + (nul != NULL ? path_len + 1 : 0);
	const size_t text_len = nul != NULL ? len - path_len - 1 : len;
	SB_AUTO(sb_ignore) ignore = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		(void)sb_glob_match(path, paths[i]);
	if (sb_ignore_parse(".dockerignore", text, text_len, &ignore, &err) < 0) {
		SB_BUG_ON(err.at.line == 0 || err.code != SB_E_SYNTAX);
		return 0;
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		check_path(ignore, paths[i]);
	check_path(ignore, path);
	return 0;
}
