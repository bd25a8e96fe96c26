/* SPDX-License-Identifier: MIT */
#include "layer/search.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "layer/tar_header.h"

/* The nearest folder above whose path holds no secret; caller frees. */
static char *clean_folder(struct sb_content_search *search, const char *path)
{
	struct sb_leak leak;
	char *folder = sb_strdup(path);

	for (char *slash = strrchr(folder, '/'); slash != NULL; slash = strrchr(folder, '/')) {
		*slash = '\0';
		if (!sb_content_search_text(search, folder, strlen(folder), &leak))
			return folder;
	}
	folder[0] = '\0';
	return folder;
}

static int search_name(struct sb_content_search *search, const struct sb_change *change,
	const char *name, struct sb_error *err)
{
	struct sb_leak leak;

	if (!sb_content_search_text(search, name, strlen(name), &leak))
		return 0;

	sb_autofree char *folder = clean_folder(search, change->path);

	return sb_fail(err, SB_E_LEAK, "secret '%s' found in the name of a %s in /%s (%s)",
		leak.secret_id, S_ISDIR(change->mode) ? "folder" : "file", folder, leak.form);
}

static int search_attr(struct sb_content_search *search, const struct sb_change *change,
	const struct sb_xattr *attr, struct sb_error *err)
{
	struct sb_leak leak;

	if (sb_content_search_text(search, attr->name, strlen(attr->name), &leak))
		return sb_fail(err, SB_E_LEAK,
			"secret '%s' found in the name of an attribute of /%s (%s)", leak.secret_id,
			change->path, leak.form);
	if (sb_content_search_text(search, attr->value, attr->len, &leak))
		return sb_fail(err, SB_E_LEAK, "secret '%s' found in the attribute %s of /%s (%s)",
			leak.secret_id, attr->name, change->path, leak.form);
	return 0;
}

int sb_search_change(
	struct sb_content_search *search, const struct sb_change *change, struct sb_error *err)
{
	sb_autofree char *tar_name = sb_tar_name(change);
	struct sb_leak leak;

	/* Both forms: the prefix of a deletion must not hide a secret's first bytes from a match
	 * that looks at whole words. */
	if (search_name(search, change, change->path, err) < 0 ||
		(change->kind == SB_CHANGE_DELETE &&
			search_name(search, change, tar_name, err) < 0))
		return -1;
	if (change->link != NULL &&
		sb_content_search_text(search, change->link, strlen(change->link), &leak))
		return sb_fail(err, SB_E_LEAK,
			"secret '%s' found in the target of the link /%s (%s)", leak.secret_id,
			change->path, leak.form);
	SB_ARRAY_FOREACH (&change->xattrs, attr)
		if (search_attr(search, change, attr, err) < 0)
			return -1;
	return 0;
}

int sb_search_found(
	const struct sb_change *change, const struct sb_content_leak *leak, struct sb_error *err)
{
	sb_autofree char *text = sb_content_leak_text(leak);

	return sb_fail(err, SB_E_LEAK, "secret '%s' found in /%s (%s)", leak->leak.secret_id,
		change->path, text);
}
