/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "fuzz.h"
#include "plan/remote.h"

/* What is handed to git and to libcurl is never an option, and what is shown holds no password. */
static void check_remote(const struct sb_remote *r)
{
	if (r->kind == SB_REMOTE_NONE)
		return;
	SB_BUG_ON(r->url == NULL || r->shown == NULL || r->host == NULL);
	SB_BUG_ON(r->url[0] == '-' || r->host[0] == '-');
	SB_BUG_ON(strpbrk(r->shown, "?#") != NULL);
	SB_BUG_ON(r->host[0] != '\0' && !r->is_ssh && strchr(r->host, '@') != NULL);
	if (r->kind == SB_REMOTE_HTTP) {
		SB_BUG_ON(r->name[0] == '\0' || strchr(r->name, '/') != NULL);
		SB_BUG_ON(strcmp(r->name, ".") == 0 || strcmp(r->name, "..") == 0);
		return;
	}
	SB_BUG_ON(r->ref != NULL && (r->ref[0] == '-' || strpbrk(r->ref, "\n :+^~*") == r->ref));
	SB_BUG_ON(r->subdir != NULL && (r->subdir[0] == '/' || strncmp(r->subdir, "../", 3) == 0));
	SB_BUG_ON(r->commit != NULL && !sb_remote_is_commit(r->commit));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	sb_autofree char *word = sb_memdup0(data, len);

	for (int whose = SB_REMOTE_IN_BUILDFILE; whose <= SB_REMOTE_BY_USER; whose++) {
		SB_AUTO_VALUE(sb_remote) remote = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_remote_parse(word, (enum sb_remote_words)whose, &remote, &err) == 0)
			check_remote(&remote);
	}
	return 0;
}
