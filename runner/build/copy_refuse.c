/* SPDX-License-Identifier: MIT */
#include "build/copy_refuse.h"

#include <fcntl.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/path.h"
#include "build/copy_suggest.h"
#include "sys/at.h"

static const char *source_noun(const struct sb_copy *copy)
{
	return copy->source_is_context ? "the build context" : "what --from names";
}

int sb_copy_fail_excluded(
	const struct sb_copy *copy, const char *source, const char *path, struct sb_error *err)
{
	(void)sb_fail(err, SB_E_NOT_FOUND, "'%s': not found in %s", source, source_noun(copy));
	return sb_error_hint(err, "'%s' is excluded by .dockerignore", path);
}

int sb_copy_fail_no_match(const struct sb_copy *copy, const char *source, struct sb_error *err)
{
	(void)sb_fail(
		err, SB_E_NOT_FOUND, "'%s': no file matches in %s", source, source_noun(copy));
	if (copy->exclude != NULL)
		return sb_error_hint(err, "what --exclude leaves out does not match either");
	return copy->ignore != NULL
		       ? sb_error_hint(err, "what .dockerignore excludes does not match either")
		       : -1;
}

int sb_copy_fail_missing(
	const struct sb_copy *copy, const char *source, const char *path, struct sb_error *err)
{
	struct stat st;
	bool exists = false;
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	(void)sb_fail(err, SB_E_NOT_FOUND, "'%s': not found in %s", source, source_noun(copy));
	if (sb_at_lstat(copy->source_fd, path, SB_AT_IN_ROOT, &st, &exists, &ignored) == 0 &&
		exists && S_ISLNK(st.st_mode))
		return sb_error_hint(err, "'%s' is a link to something that is not there", path);

	sb_autofree char *near = sb_copy_suggest(copy, path);

	return near != NULL ? sb_error_hint(err, "did you mean '%s'?", near) : -1;
}

int sb_copy_fail_empty(const struct sb_copy *copy, const char *source,
	const struct sb_copy_match *match, struct sb_error *err)
{
	sb_autofree char *joined =
		match->inner != NULL ? sb_path_join(match->real, match->inner) : NULL;
	sb_autofree char *path = sb_path_below_root(joined != NULL ? joined : match->path);

	if (match->inner == NULL || copy->exclude == NULL || sb_ignore_excludes(copy->ignore, path))
		return sb_copy_fail_excluded(copy, source, path, err);
	(void)sb_fail(err, SB_E_NOT_FOUND, "'%s': nothing of it is left to copy", source);
	return sb_error_hint(err, "'%s' is left out by --exclude", path);
}

bool sb_copy_is_store(const struct sb_copy *copy, const struct stat *st)
{
	return copy->store != NULL && st->st_dev == copy->store->st_dev &&
	       st->st_ino == copy->store->st_ino;
}

static int fail_store(const char *path, struct sb_error *err)
{
	(void)sb_fail(err, SB_E_USAGE,
		"'%s' belongs to the store, which can't be copied into an image", path);
	return sb_error_hint(err, "keep the store out of the build context: see --root");
}

int sb_copy_refuse_store(const struct sb_copy *copy, const char *real, struct sb_error *err)
{
	sb_autofree char *path = sb_strdup(real);

	while (copy->store != NULL) {
		struct stat st;

		if (fstatat(copy->source_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			sb_copy_is_store(copy, &st))
			return fail_store(real, err);

		char *slash = strrchr(path, '/');

		if (slash == NULL)
			return 0;
		*slash = '\0';
	}
	return 0;
}

const struct sb_secret *sb_copy_secret(const struct sb_copy *copy, const struct stat *st)
{
	return copy->source_is_context ? sb_secrets_of_file(copy->secrets, st) : NULL;
}

void sb_copy_warn_secret(
	const struct sb_copy *copy, const struct sb_secret *secret, const char *path)
{
	sb_autofree char *shown = sb_escape_text(path, strlen(path));
	sb_autofree char *line = sb_asprintf(
		"'%s' is the source of secret '%s' and is not copied", shown, secret->id);

	if (copy->warnings != NULL && !sb_strv_contains(copy->warnings, line))
		sb_strv_add_nodup(copy->warnings, SB_STEAL(line));
}

int sb_copy_fail_secret(const struct sb_secret *secret, const char *source, struct sb_error *err)
{
	(void)sb_fail(err, SB_E_LEAK, "'%s' is the source of secret '%s', which no image may hold",
		source, secret->id);
	return sb_error_hint(err,
		"mount it in the step that needs it: RUN --mount=type=secret,id=%s …", secret->id);
}
