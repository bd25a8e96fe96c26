/* SPDX-License-Identifier: MIT */
#include "build/copy_match.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/copy_refuse.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"

static void match_release(struct sb_copy_match *match)
{
	free(match->path);
	free(match->real);
	free(match->inner);
}

void sb_copy_matches_release(struct sb_copy_matches *matches)
{
	SB_ARRAY_FOREACH (matches, match)
		match_release(match);
	SB_ARRAY_RELEASE(matches);
}

/* Absolute and link-free, as sb_at_canonical gives it → relative. */
static char *relative(const char *canonical)
{
	return sb_strdup(canonical[1] != '\0' ? canonical + 1 : ".");
}

/* True where `path` is ignored with all that is below it; *out_part becomes true where only a part
 * is. */
static bool is_excluded(const struct sb_copy *copy, const char *path, bool is_dir, bool *out_part)
{
	if (strcmp(path, ".") == 0 || !sb_ignore_excludes(copy->ignore, path))
		return false;
	if (!is_dir || !sb_ignore_may_include_below(copy->ignore, path))
		return true;
	*out_part = true;
	return false;
}

enum lookup { LOOKUP_FOUND, LOOKUP_MISSING, LOOKUP_EXCLUDED };

/* Adds what `path` leads to. What is missing or ignored is for the caller to judge; *out_excluded
 * is then the name that is ignored (caller frees). */
static int look_up(const struct sb_copy *copy, const char *path, struct sb_copy_matches *out,
	enum lookup *result, char **out_excluded, struct sb_error *err)
{
	sb_autofree char *canonical = NULL;
	struct sb_copy_match match = {0};
	bool exists = false;

	if (sb_at_canonical(copy->source_fd, path, &canonical, err) < 0)
		return -1;

	sb_autofree char *real = relative(canonical);

	if (sb_at_lstat(copy->source_fd, real, SB_AT_IN_ROOT, &match.st, &exists, err) < 0)
		return -1;
	*result = LOOKUP_MISSING;
	if (!exists)
		return 0;
	/* Both names count: a link must not lead to what is ignored. */
	*result = LOOKUP_EXCLUDED;
	for (const char *name = path;; name = real) {
		if (is_excluded(copy, name, S_ISDIR(match.st.st_mode), &match.is_excluded)) {
			*out_excluded = sb_strdup(name);
			return 0;
		}
		if (name == real)
			break;
	}
	if (sb_copy_refuse_store(copy, real, err) < 0)
		return -1;
	*result = LOOKUP_FOUND;
	match.path = sb_strdup(path);
	match.real = SB_STEAL(real);
	*SB_ARRAY_ADD(out) = match;
	return 0;
}

static int match_literal(const struct sb_copy *copy, const char *source, const char *path,
	struct sb_copy_matches *out, struct sb_error *err)
{
	const struct sb_secret *secret = NULL;
	sb_autofree char *excluded = NULL;
	enum lookup result = LOOKUP_MISSING;

	if (look_up(copy, path, out, &result, &excluded, err) < 0)
		return -1;
	switch (result) {
	case LOOKUP_FOUND:
		secret = sb_copy_secret(copy, &out->items[out->len - 1].st);
		return secret != NULL ? sb_copy_fail_secret(secret, source, err) : 0;
	case LOOKUP_EXCLUDED:
		return sb_copy_fail_excluded(copy, source, excluded, err);
	case LOOKUP_MISSING:
		break;
	}
	return sb_copy_fail_missing(copy, source, path, err);
}

/* The names in the folder `dir` (link-free); none where it is no folder. */
static int list(
	const struct sb_copy *copy, const char *dir, struct sb_strv *out, struct sb_error *err)
{
	sb_autofd int fd =
		sb_at_open_raw(copy->source_fd, dir, SB_AT_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);

	/* ELOOP: a wildcard's folder that is a link is not gone into. */
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0)
		return sb_fail_errno(err, "list '%s'", dir);
	return sb_tree_list(fd, out, err);
}

static int fail_pattern(const char *source, struct sb_error *err)
{
	return sb_fail(err, SB_E_SYNTAX, "'%s': not a valid wildcard pattern", source);
}

/* One wildcard walk: the parts of the pattern, and where matches go. */
struct walk {
	const struct sb_copy *copy;
	const char *source;
	const struct sb_strv *parts;
	struct sb_copy_matches *out;
};

static int match_parts(const struct walk *walk, const char *written, const char *dir, size_t part,
	struct sb_error *err);

/* Takes the last match back where it is a file that --exclude leaves out. */
static bool drop_excluded(const struct sb_copy *copy, const char *name, struct sb_copy_matches *out)
{
	struct sb_copy_match *last = &out->items[out->len - 1];

	if (S_ISDIR(last->st.st_mode) || !sb_ignore_excludes(copy->exclude, name))
		return false;
	match_release(last);
	out->len--;
	return true;
}

/* What a wildcard just matched is passed over where it is a secret's file. */
static void drop_secret(
	const struct sb_copy *copy, const char *path, struct sb_copy_matches *matches)
{
	struct sb_copy_match *match = &matches->items[matches->len - 1];
	const struct sb_secret *secret = sb_copy_secret(copy, &match->st);

	if (secret == NULL)
		return;
	sb_copy_warn_secret(copy, secret, path);
	free(match->path);
	free(match->real);
	matches->len--;
}

static int match_name(const struct walk *walk, const char *written, const char *dir,
	const char *name, size_t part, struct sb_error *err)
{
	sb_autofree char *path = sb_path_join(written, name);
	sb_autofree char *below = sb_path_join(dir, name);
	sb_autofree char *excluded = NULL;
	enum lookup result = LOOKUP_MISSING;
	bool is_part_excluded = false;

	if (part + 1 < walk->parts->len) {
		if (is_excluded(walk->copy, below, true, &is_part_excluded))
			return 0;
		return match_parts(walk, path, below, part + 1, err);
	}
	if (look_up(walk->copy, path, walk->out, &result, &excluded, err) < 0)
		return -1;
	if (result == LOOKUP_FOUND && !drop_excluded(walk->copy, name, walk->out))
		drop_secret(walk->copy, path, walk->out);
	return result == LOOKUP_MISSING ? sb_copy_fail_missing(walk->copy, path, path, err) : 0;
}

/* Segment by segment, since no wildcard crosses a slash. Recursion is as deep as the pattern has
 * parts, and holds no descriptor. */
static int match_parts(const struct walk *walk, const char *written, const char *dir, size_t part,
	struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (list(walk->copy, dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		if (sb_interrupt_check(walk->copy->interrupt, err) < 0)
			return -1;

		const int matches = sb_glob_match(walk->parts->items[part], names.items[i]);

		if (matches < 0)
			return fail_pattern(walk->source, err);
		if (matches > 0 && match_name(walk, written, dir, names.items[i], part, err) < 0)
			return -1;
	}
	return 0;
}

/* The parts of a cleaned path; the first with a wildcard is at *out_first. */
static int split_pattern(const char *source, const char *path, struct sb_strv *out_parts,
	size_t *out_first, struct sb_error *err)
{
	sb_autofree char *copy = sb_strdup(path);
	bool is_found = false;

	for (char *rest = copy, *part = strsep(&rest, "/"); part != NULL;
		part = strsep(&rest, "/")) {
		if (sb_glob_match(part, "") < 0)
			return fail_pattern(source, err);
		if (!is_found && sb_glob_has_wildcard(part)) {
			is_found = true;
			*out_first = out_parts->len;
		}
		sb_strv_add(out_parts, part);
	}
	return 0;
}

static int match_wildcard(const struct sb_copy *copy, const char *source, const char *path,
	struct sb_copy_matches *out, struct sb_error *err)
{
	SB_AUTO_STRV parts = SB_STRV_INIT;
	sb_autofree char *prefix = sb_strdup(".");
	sb_autofree char *canonical = NULL;
	size_t first = 0;

	if (split_pattern(source, path, &parts, &first, err) < 0)
		return -1;
	for (size_t i = 0; i < first; i++) {
		char *longer = sb_path_join(prefix, parts.items[i]);

		free(prefix);
		prefix = longer;
	}
	if (sb_at_canonical(copy->source_fd, prefix, &canonical, err) < 0)
		return -1;

	sb_autofree char *dir = relative(canonical);
	const struct walk walk = {.copy = copy, .source = source, .parts = &parts, .out = out};
	bool is_part_excluded = false;

	if (is_excluded(copy, dir, true, &is_part_excluded))
		return 0;
	return match_parts(&walk, prefix, dir, first, err);
}

static int match_path(const struct sb_copy *copy, const char *source, const char *path,
	struct sb_copy_matches *out, struct sb_error *err)
{
	return !copy->is_literal && sb_glob_has_wildcard(path)
		       ? match_wildcard(copy, source, path, out, err)
		       : match_literal(copy, source, path, out, err);
}

/* A folder on the way to what --parents names is made as a folder, so it must be one. */
static int require_folders(
	const struct sb_copy *copy, const char *source, const char *path, struct sb_error *err)
{
	sb_autofree char *dir = sb_path_dir(path);
	sb_autofree char *canonical = NULL;

	if (sb_at_canonical(copy->source_fd, dir, &canonical, err) < 0)
		return -1;

	sb_autofree char *real = relative(canonical);

	if (strcmp(real, dir) == 0)
		return 0;
	(void)sb_fail(err, SB_E_STEP_FAILED,
		"'%s': --parents makes folders of folders, and there is a link in '%s'", source,
		dir);
	return sb_error_hint(err, "name what it leads to: '%s'", real);
}

/* What is named without a wildcard must be there. */
static int require_inner(const struct sb_copy *copy, const char *source,
	const struct sb_copy_match *match, struct sb_error *err)
{
	sb_autofree char *path = strcmp(match->real, ".") == 0
					 ? sb_strdup(match->inner)
					 : sb_path_join(match->real, match->inner);
	const struct sb_secret *secret = NULL;
	struct stat st;
	bool exists = false;

	if (sb_at_lstat(copy->source_fd, path, SB_AT_IN_ROOT, &st, &exists, err) < 0)
		return -1;
	if (!exists)
		return sb_copy_fail_missing(copy, source, path, err);
	secret = sb_copy_secret(copy, &st);
	return secret != NULL ? sb_copy_fail_secret(secret, source, err)
			      : require_folders(copy, source, path, err);
}

/* `base` is what comes before the first `/./` of a --parents source, `inner` what comes behind it,
 * both cleaned. */
static int match_parents(const struct sb_copy *copy, const char *source, const char *base,
	const char *inner, struct sb_copy_matches *out, struct sb_error *err)
{
	const bool is_literal = !sb_glob_has_wildcard(base) && !sb_glob_has_wildcard(inner);
	const size_t first = out->len;
	size_t n = first;

	if (match_path(copy, source, base, out, err) < 0)
		return -1;
	for (size_t i = first; i < out->len; i++) {
		struct sb_copy_match match = out->items[i];

		if (!S_ISDIR(match.st.st_mode)) {
			match_release(&match);
			continue;
		}
		if (strcmp(inner, ".") != 0)
			match.inner = sb_strdup(inner);
		out->items[n++] = match;
	}
	out->len = n;
	if (!is_literal || strcmp(inner, ".") == 0)
		return 0;
	if (n == first)
		return sb_fail(err, SB_E_STEP_FAILED, "'%s': '%s' is not a folder", source, base);
	return require_inner(copy, source, &out->items[first], err);
}

int sb_copy_match(const struct sb_copy *copy, const char *source, struct sb_copy_matches *out,
	struct sb_error *err)
{
	const char *pivot = copy->has_parents ? strstr(source, "/./") : NULL;
	sb_autofree char *before =
		pivot != NULL ? sb_memdup0(source, (size_t)(pivot - source)) : NULL;
	sb_autofree char *base = sb_path_below_root(before != NULL ? before : "/");
	sb_autofree char *path = sb_path_below_root(pivot != NULL ? pivot + 3 : source);

	return copy->has_parents ? match_parents(copy, source, base, path, out, err)
				 : match_path(copy, source, path, out, err);
}
