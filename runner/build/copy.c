/* SPDX-License-Identifier: MIT */
#include "build/copy.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/copy_archive.h"
#include "build/copy_entry.h"
#include "build/copy_match.h"
#include "build/copy_refuse.h"
#include "build/copy_tree.h"
#include "sys/at.h"
#include "sys/fd.h"

/* Where things go: COPY's last word. */
struct dest {
	char *path;     /* absolute, cleaned; links not resolved; owned */
	bool is_folder; /* things go into it, whether it is there or not */
};

static void dest_release(struct dest *dest)
{
	free(dest->path);
}

static bool ends_with(const char *text, const char *end)
{
	const size_t len = strlen(text);
	const size_t end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A destination that is a folder by the way it is written. */
static bool is_written_as_folder(const char *dest)
{
	return dest[0] == '\0' || ends_with(dest, "/") || ends_with(dest, "/.") ||
	       ends_with(dest, "/..") || strcmp(dest, ".") == 0 || strcmp(dest, "..") == 0;
}

static bool is_folder(const struct stat *st, bool exists)
{
	return exists && S_ISDIR(st->st_mode);
}

static int dest_init(
	struct dest *dest, const struct sb_copy *copy, size_t n_sources, struct sb_error *err)
{
	sb_autofree char *canonical = NULL;
	struct stat st;
	bool exists = false;

	dest->path = sb_path_resolve(copy->workdir, copy->dest);
	if (sb_at_canonical(copy->root_fd, dest->path, &canonical, err) < 0 ||
		sb_at_lstat(copy->root_fd, canonical, SB_AT_IN_ROOT, &st, &exists, err) < 0) {
		(void)sb_error_about(err, copy->dest);
		return sb_error_context(err, "destination '%s'", copy->dest);
	}
	dest->is_folder =
		copy->has_parents || is_written_as_folder(copy->dest) || is_folder(&st, exists);
	if (n_sources > 1 && !dest->is_folder) {
		(void)sb_fail(err, SB_E_USAGE,
			"several sources need a folder as destination, and there is none at '%s'",
			copy->dest);
		(void)sb_error_about(err, copy->dest);
		return sb_error_hint(err, "write '%s/'", copy->dest);
	}
	return 0;
}

static mode_t folder_mode(const struct sb_copy_work *work)
{
	return work->mode.is_octal ? work->mode.octal : 0755;
}

/*
 * Opens the folder in which a file called `name` by its source is to be made, and gives the name it
 * has there (caller frees) and the whole path, relative to the root (caller frees). A link in the
 * place of the file is resolved: what it leads to is what is replaced.
 */
static int open_target(struct sb_copy_work *work, const struct dest *dest, const char *name,
	int *out_dir_fd, char **out_name, char **out_path, struct sb_error *err)
{
	sb_autofree char *target =
		dest->is_folder ? sb_path_join(dest->path, name) : sb_strdup(dest->path);
	sb_autofree char *canonical = NULL;
	struct stat st;
	bool exists = false;

	if (sb_at_canonical(work->copy->root_fd, target, &canonical, err) < 0 ||
		sb_at_lstat(work->copy->root_fd, canonical, SB_AT_IN_ROOT, &st, &exists, err) < 0)
		return sb_error_context(err, "destination '%s'", target);
	if (is_folder(&st, exists))
		return sb_fail(
			err, SB_E_STEP_FAILED, "cannot replace the folder '%s' by a file", target);

	sb_autofree char *dir = sb_path_dir(canonical);

	if (sb_copy_make_folder(work, dir, folder_mode(work), out_dir_fd, err) < 0)
		return -1;
	*out_name = sb_path_base(canonical);
	*out_path = sb_strdup(canonical + 1);
	return 0;
}

static int copy_file(struct sb_copy_work *work, const struct sb_copy_match *match,
	const struct dest *dest, struct sb_error *err)
{
	sb_autofree char *name = sb_path_base(match->path);
	sb_autofree char *from_name = NULL;
	sb_autofree char *to_name = NULL;
	sb_autofree char *to_path = NULL;
	sb_autofd int from_fd = -1;
	sb_autofd int to_fd = -1;

	if (sb_at_open_parent(work->copy->source_fd, match->real, SB_AT_NO_LINKS, &from_fd,
		    &from_name, err) < 0 ||
		open_target(work, dest, name, &to_fd, &to_name, &to_path, err) < 0)
		return -1;

	const struct sb_copy_entry from = {.dir_fd = from_fd, .name = from_name};
	const struct sb_copy_entry to = {.dir_fd = to_fd, .name = to_name};

	return sb_copy_one(work, from, match->real, &match->st, to, to_path, err);
}

/* *out_any is false for a folder in which everything is ignored. */
static int copy_match(struct sb_copy_work *work, const struct sb_copy_match *match,
	const struct dest *dest, bool *out_any, struct sb_error *err)
{
	const struct sb_copy *copy = work->copy;
	sb_autofree char *folder = NULL;
	bool is_archive = false;

	*out_any = true;
	/* Hard links are kept within one source: the next one may replace what they lead to. */
	sb_copied_links_release(&work->links);
	if (sb_at_canonical(copy->root_fd, dest->path, &folder, err) < 0)
		return sb_error_context(err, "destination '%s'", copy->dest);
	if (S_ISDIR(match->st.st_mode))
		return sb_copy_tree(work, match, folder, out_any, err);
	if (copy->is_add && sb_copy_unpack(work, match, folder, &is_archive, err) < 0)
		return -1;
	return is_archive ? 0 : copy_file(work, match, dest, err);
}

/* May a source name nothing? With a wildcard that is for the whole of the instruction to judge. */
static bool may_be_empty(const struct sb_copy *copy, const char *source)
{
	return copy->has_parents && sb_glob_has_wildcard(source);
}

static int copy_matches(struct sb_copy_work *work, const char *source,
	const struct sb_copy_match *matches, size_t n, const struct dest *dest, bool *out_any,
	struct sb_error *err)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		bool any_here = false;

		if (copy_match(work, &matches[i], dest, &any_here, err) < 0)
			return -1;
		any = any || any_here;
	}
	*out_any = *out_any || any;
	return any || n == 0 || may_be_empty(work->copy, source)
		       ? 0
		       : sb_copy_fail_empty(work->copy, source, &matches[0], err);
}

static int make_heredoc(struct sb_copy_work *work, const struct sb_heredoc *heredoc,
	const struct dest *dest, struct sb_error *err)
{
	sb_autofree char *name = NULL;
	sb_autofree char *path = NULL;
	sb_autofd int dir_fd = -1;
	sb_autofd int fd = -1;

	if (open_target(work, dest, heredoc->name, &dir_fd, &name, &path, err) < 0)
		return -1;

	const struct sb_copy_entry to = {.dir_fd = dir_fd, .name = name};

	if (sb_copy_create(to, path, &fd, err) < 0)
		return -1;
	if (sb_fd_write_all(fd, heredoc->body, heredoc->len, err) < 0)
		return sb_error_context(err, "'/%s'", path);
	return sb_copy_own_new(work, to, sb_mode_change_apply(&work->mode, 0644, false), path, err);
}

int sb_copy_files(const struct sb_copy *copy, struct sb_error *err)
{
	__attribute__((cleanup(sb_copy_work_release))) struct sb_copy_work work = {0};
	__attribute__((cleanup(dest_release))) struct dest dest = {0};
	SB_AUTO_VALUE(sb_copy_matches) matches = {0};
	const size_t n_sources = copy->sources != NULL ? copy->sources->len : 0;
	sb_autofree size_t *ends = sb_calloc(n_sources + 1, sizeof(*ends));
	bool any = copy->n_heredocs > 0 || copy->n_others > 0;

	if (sb_copy_work_init(&work, copy, err) < 0)
		return -1;
	/* All sources first, so that a word that names nothing changes nothing. */
	for (size_t i = 0; i < n_sources; i++) {
		if (sb_copy_match(copy, copy->sources->items[i], &matches, err) < 0)
			return sb_error_about(err, copy->sources->items[i]);
		ends[i] = matches.len;
	}
	if (n_sources > 0 && matches.len == 0 && !any)
		return sb_copy_fail_no_match(copy, copy->sources->items[0], err);
	if (dest_init(&dest, copy, matches.len + copy->n_heredocs + copy->n_others, err) < 0)
		return -1;
	for (size_t i = 0, at = 0; i < n_sources; at = ends[i++])
		if (copy_matches(&work, copy->sources->items[i], &matches.items[at], ends[i] - at,
			    &dest, &any, err) < 0)
			return -1;
	if (n_sources > 0 && !any)
		return sb_copy_fail_no_match(copy, copy->sources->items[0], err);
	for (size_t i = 0; i < copy->n_heredocs; i++)
		if (make_heredoc(&work, &copy->heredocs[i], &dest, err) < 0)
			return -1;
	sb_losses_report(&work.losses, copy->warnings);
	return 0;
}
