/* SPDX-License-Identifier: MIT */
#include "build/container_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "sys/fd.h"

int sb_container_env_add(const char *item, struct sb_strv *env, struct sb_error *err)
{
	const size_t len = strcspn(item, "=");
	sb_autofree char *name = sb_memdup0(item, len);
	const char *value = item[len] == '=' ? item + len + 1 : getenv(name);

	/* Never the value: it may be a secret. */
	if (len == 0)
		return sb_fail(err, SB_E_USAGE, "a variable without a name");
	if (name[strcspn(name, " \t")] != '\0')
		return sb_fail(err, SB_E_USAGE, "the variable's name '%s' has a blank in it", name);
	if (value != NULL)
		sb_env_set(env, name, value);
	return 0;
}

int sb_container_env_add_file(const char *path, struct sb_strv *env, struct sb_error *err)
{
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_IGNORE_FILE);
	sb_autofd int fd = -1;
	unsigned number = 0;

	if (sb_fd_open_user(path, "file of variables", &fd, err) < 0)
		return -1;
	if (sb_fd_read_all(fd, &text, err) < 0)
		return sb_error_context(err, "'%s'", path);
	if (memchr(text.data, '\0', text.len) != NULL)
		return sb_fail(err, SB_E_USAGE, "'%s' holds a NUL byte: it is no text", path);
	for (char *rest = text.data, *line = strsep(&rest, "\n"); line != NULL;
		line = strsep(&rest, "\n")) {
		number++;
		line += strspn(line, " \t");
		line[strcspn(line, "\r")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (sb_container_env_add(line, env, err) < 0)
			return sb_error_context(err, "'%s', line %u", path, number);
	}
	return 0;
}
