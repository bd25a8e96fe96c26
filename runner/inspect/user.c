/* SPDX-License-Identifier: MIT */
#include "inspect/user.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/size.h"

/* The id of the line that begins with `name:`, in a passwd or group file. */
static bool find_id(const char *file, const char *name, uint64_t *out)
{
	const size_t len = strlen(name);

	for (const char *line = file; *line != '\0';) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			const char *id =
				memchr(line + len + 1, ':', (size_t)(end - line) - len - 1);
			const char *stop = id == NULL ? NULL : id + 1 + strcspn(id + 1, ":\n");

			if (stop == NULL)
				return false;

			sb_autofree char *digits = sb_memdup0(id + 1, (size_t)(stop - id - 1));

			return sb_number_parse(digits, 10, UINT32_MAX, out);
		}
		line = *end == '\n' ? end + 1 : end;
	}
	return false;
}

bool sb_user_is_root(const char *user, const char *passwd)
{
	sb_autofree char *name = sb_memdup0(user, strcspn(user, ":"));
	uint64_t uid = 0;

	if (name[0] == '\0')
		return true;
	if (find_id(passwd, name, &uid) || sb_number_parse(name, 10, UINT32_MAX, &uid))
		return uid == 0;
	return strcmp(name, "root") == 0;
}

static bool is_number(const char *name)
{
	return name[0] != '\0' && name[strspn(name, "0123456789")] == '\0';
}

/* Engines look a name up in the file, and take a number of 31 bits as it is. */
static char *problem_of(const char *what, const char *name, const char *file, const char *text)
{
	uint64_t id = 0;

	if (name[0] == '\0' || find_id(text, name, &id))
		return NULL;
	if (!is_number(name))
		return sb_asprintf(
			"%s '%s' is not in the image's %s: a container can't start as it", what,
			name, file);
	return sb_number_parse(name, 10, INT32_MAX, &id)
		       ? NULL
		       : sb_asprintf("%s '%s' is above the highest id", what, name);
}

char *sb_user_problem(const char *user, const char *passwd, const char *group)
{
	const char *colon = strchr(user, ':');
	sb_autofree char *name = sb_memdup0(user, strcspn(user, ":"));
	char *problem = NULL;

	if (strcmp(name, "root") != 0)
		problem = problem_of("user", name, "etc/passwd", passwd);
	if (problem == NULL && colon != NULL && strcmp(colon + 1, "root") != 0)
		problem = problem_of("group", colon + 1, "etc/group", group);
	return problem;
}
