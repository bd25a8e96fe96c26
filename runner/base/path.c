/* SPDX-License-Identifier: MIT */
#include "base/path.h"

#include <string.h>

#include "base/mem.h"

char *sb_path_clean(const char *path)
{
	const bool rooted = path[0] == '/';
	char *out = sb_malloc(strlen(path) + 2);
	size_t len = 0;
	size_t floor = 0; /* what a `..` may not remove: the root, or leading `..` parts */

	if (rooted)
		out[len++] = '/', floor = 1;
	for (const char *p = path; *p != '\0';) {
		const size_t part = strcspn(p, "/");

		if (part == 2 && p[0] == '.' && p[1] == '.') {
			if (len > floor) {
				while (len > floor && out[len - 1] != '/')
					len--;
				if (len > floor)
					len--;
			} else if (!rooted) {
				if (len > 0)
					out[len++] = '/';
				out[len++] = '.';
				out[len++] = '.';
				floor = len;
			}
		} else if (part > 0 && !(part == 1 && p[0] == '.')) {
			if (len > (rooted ? 1U : 0U))
				out[len++] = '/';
			memcpy(out + len, p, part);
			len += part;
		}
		p += part;
		while (*p == '/')
			p++;
	}
	if (len == 0)
		out[len++] = '.';
	out[len] = '\0';
	return out;
}

char *sb_path_join(const char *base, const char *path)
{
	sb_autofree char *joined = sb_asprintf("%s/%s", base, path);

	return sb_path_clean(joined);
}

char *sb_path_resolve(const char *base, const char *path)
{
	return path[0] == '/' ? sb_path_clean(path) : sb_path_join(base, path);
}

char *sb_path_base(const char *path)
{
	sb_autofree char *clean = sb_path_clean(path);
	const char *slash = strrchr(clean, '/');

	return sb_strdup(slash != NULL && slash[1] != '\0' ? slash + 1 : clean);
}

char *sb_path_dir(const char *path)
{
	sb_autofree char *clean = sb_path_clean(path);
	char *slash = strrchr(clean, '/');

	if (slash == NULL)
		return sb_strdup(".");
	slash[slash == clean ? 1 : 0] = '\0';
	return sb_strdup(clean);
}

char *sb_path_below_root(const char *path)
{
	sb_autofree char *clean = sb_path_join("/", path);

	return sb_strdup(clean[1] != '\0' ? clean + 1 : ".");
}

static bool starts_above(const char *path)
{
	return strncmp(path, "..", 2) == 0 && (path[2] == '\0' || path[2] == '/');
}

bool sb_path_is_below(const char *dir, const char *path)
{
	const size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return path[0] == '/';
	if (strcmp(dir, ".") == 0)
		return path[0] != '/' && !starts_above(path);
	/* "../.." begins as "..", and lies above it. */
	return strncmp(dir, path, len) == 0 &&
	       (path[len] == '\0' || (path[len] == '/' && !starts_above(path + len + 1)));
}

int sb_path_compare(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
		a++, b++;
	if (*a == *b)
		return 0;
	if (*a == '\0' || *b == '\0')
		return *a == '\0' ? -1 : 1;
	/* Where one name ends, the other goes on. */
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}
