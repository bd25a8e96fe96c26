/* SPDX-License-Identifier: MIT */
#include "sys/xattr.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "sys/fd.h"

/*
 * "/proc/self/fd/N/name": the magic link leads to the folder, the l* calls do not follow the last
 * name. Both sizes are bounded by the kernel: 64 KiB a list and 64 KiB a value (xattr(7)).
 */
enum { XATTR_MAX = 64 << 10 };

static char *entry_path(int dir_fd, const char *name)
{
	return sb_asprintf("/proc/self/fd/%d/%s", dir_fd, name);
}

static bool means_none(int os_errno)
{
	return os_errno == ENOTSUP || os_errno == ENODATA;
}

void sb_xattrs_release(struct sb_xattrs *attrs)
{
	SB_ARRAY_FOREACH (attrs, attr) {
		free(attr->name);
		free(attr->value);
	}
	SB_ARRAY_RELEASE(attrs);
}

static int get(const char *path, const char *attr, char **out_value, size_t *out_len)
{
	ssize_t len = lgetxattr(path, attr, NULL, 0);

	while (len >= 0) {
		char *value = sb_malloc((size_t)len + 1);
		const ssize_t got = lgetxattr(path, attr, value, (size_t)len);

		if (got >= 0) {
			value[got] = '\0';
			*out_value = value;
			*out_len = (size_t)got;
			return 0;
		}
		free(value);
		if (errno != ERANGE)
			return -1;
		len = lgetxattr(path, attr, NULL, 0);
	}
	return -1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct sb_xattr *)a)->name, ((const struct sb_xattr *)b)->name);
}

int sb_xattr_list(int dir_fd, const char *name, struct sb_xattrs *out, struct sb_error *err)
{
	sb_autofree char *path = entry_path(dir_fd, name);
	const ssize_t needed = llistxattr(path, NULL, 0);

	*out = (struct sb_xattrs){0};
	if (needed < 0 && !means_none(errno))
		return sb_fail_errno(err, "list attributes of '%s'", name);
	if (needed <= 0)
		return 0;

	sb_autofree char *names = sb_malloc(XATTR_MAX);
	const ssize_t len = llistxattr(path, names, XATTR_MAX);
	SB_AUTO_VALUE(sb_xattrs) attrs = {0};

	if (len < 0)
		return sb_fail_errno(err, "list attributes of '%s'", name);
	for (const char *p = names; p < names + len; p += strlen(p) + 1) {
		char *value = NULL;
		size_t value_len = 0;

		if (get(path, p, &value, &value_len) < 0) {
			if (errno == ENODATA || errno == EPERM || errno == EACCES)
				continue; /* gone meanwhile, or not ours to see (trusted.*) */
			return sb_fail_errno(err, "read attribute %s of '%s'", p, name);
		}
		*SB_ARRAY_ADD(&attrs) =
			(struct sb_xattr){.name = sb_strdup(p), .value = value, .len = value_len};
	}
	if (attrs.len > 1)
		qsort(attrs.items, attrs.len, sizeof(*attrs.items), compare_names);
	*out = attrs;
	attrs = (struct sb_xattrs){0};
	return 0;
}

int sb_xattr_get(int dir_fd, const char *name, const char *attr, char **out_value, size_t *out_len,
	struct sb_error *err)
{
	sb_autofree char *path = entry_path(dir_fd, name);
	char *value = NULL;
	size_t len = 0;

	if (get(path, attr, &value, &len) < 0 && !means_none(errno))
		return sb_fail_errno(err, "read attribute %s of '%s'", attr, name);
	*out_value = value;
	*out_len = len;
	return 0;
}

int sb_xattr_set(int dir_fd, const char *name, const char *attr, const void *value, size_t len,
	struct sb_error *err)
{
	sb_autofree char *path = entry_path(dir_fd, name);

	if (lsetxattr(path, attr, value, len, 0) < 0)
		return sb_fail_errno(err, "set attribute %s of '%s'", attr, name);
	return 0;
}

int sb_xattr_remove(int dir_fd, const char *name, const char *attr, struct sb_error *err)
{
	sb_autofree char *path = entry_path(dir_fd, name);

	if (lremovexattr(path, attr) < 0 && errno != ENODATA && errno != ENOTSUP)
		return sb_fail_errno(err, "remove attribute %s of '%s'", attr, name);
	return 0;
}
