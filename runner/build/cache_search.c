/* SPDX-License-Identifier: MIT */
#include "build/cache_search.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/strv.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"
#include "sys/xattr.h"

enum {
	PIECE_BYTES = 128 << 10,
	/* Each level holds a descriptor. */
	MAX_DEPTH = 256,
};

struct search {
	const char *target;
	const struct timespec *since;
	struct sb_content_search *searcher;
	char *buffer; /* PIECE_BYTES */
	struct sb_error *err;
	bool has_failed;
};

/* One entry of a folder of the cache. */
struct entry {
	int dir_fd;
	const char *name;
	const char *path; /* as the step saw it */
	struct stat st;
};

/* Removes what holds a secret. Only the first one is told. */
static void found(struct search *s, const struct entry *e, const char *what, const char *path,
	const char *secret_id, const char *form)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (!s->has_failed) {
		(void)sb_fail(s->err, SB_E_LEAK,
			"secret '%s' found in the cache mount %s: %s%s (%s)", secret_id, s->target,
			what, path, form);
		(void)sb_error_hint(s->err,
			"what held it was removed from the cache; use the secret where it is "
			"mounted, and do not copy it");
		s->has_failed = true;
	}
	if (sb_tree_remove(e->dir_fd, e->name, &failed) < 0)
		sb_error_ignore(&failed, "the leak itself is what is told");
}

static void failed_at(struct search *s, struct sb_error *failed, const char *path)
{
	if (!s->has_failed) {
		sb_error_move(s->err, failed);
		(void)sb_error_context(s->err, "search the cache mount: '%s'", path);
		s->has_failed = true;
	} else {
		sb_error_ignore(failed, "the first failure is what is told");
	}
}

static bool is_new(const struct search *s, const struct stat *st)
{
	if (st->st_ctim.tv_sec != s->since->tv_sec)
		return st->st_ctim.tv_sec > s->since->tv_sec;
	return st->st_ctim.tv_nsec >= s->since->tv_nsec;
}

/* True where the name, link or an attribute holds a secret: the entry is gone then. */
static bool search_small(struct search *s, const struct entry *e)
{
	__attribute__((cleanup(sb_xattrs_release))) struct sb_xattrs attrs = {0};
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	sb_autofree char *link = NULL;
	struct sb_leak leak;

	if (sb_content_search_text(s->searcher, e->name, strlen(e->name), &leak)) {
		sb_autofree char *folder = sb_path_dir(e->path);

		found(s, e, "a name in ", folder, leak.secret_id, leak.form);
		return true;
	}
	if (S_ISLNK(e->st.st_mode) && sb_at_read_link(e->dir_fd, e->name, &link, &failed) == 0 &&
		sb_content_search_text(s->searcher, link, strlen(link), &leak)) {
		found(s, e, "the target of the link ", e->path, leak.secret_id, leak.form);
		return true;
	}
	if (sb_xattr_list(e->dir_fd, e->name, &attrs, &failed) < 0)
		sb_error_ignore(&failed, "what can't be listed here can't be read by a step");
	SB_ARRAY_FOREACH (&attrs, attr)
		if (sb_content_search_text(s->searcher, attr->name, strlen(attr->name), &leak) ||
			sb_content_search_text(s->searcher, attr->value, attr->len, &leak)) {
			found(s, e, "an attribute of ", e->path, leak.secret_id, leak.form);
			return true;
		}
	return false;
}

/* The bytes of a file. */
struct content {
	const struct search *search;
	int fd;
};

static ssize_t next_piece(void *self, const void **out_bytes, struct sb_error *err)
{
	const struct content *content = self;

	*out_bytes = content->search->buffer;
	return sb_fd_read(content->fd, content->search->buffer, PIECE_BYTES, err);
}

static void search_content(struct search *s, const struct entry *e)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	SB_AUTO_VALUE(sb_content_leak) leak = {0};
	bool is_found = false;
	sb_autofd int fd = sb_at_open_raw(
		e->dir_fd, e->name, SB_AT_NO_LINKS, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct content content = {s, fd};
	const struct sb_pieces pieces = {next_piece, &content};

	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return;
	if (fd < 0) {
		(void)sb_fail_errno(&failed, "open");
		failed_at(s, &failed, e->path);
		return;
	}
	if (sb_content_search_run(s->searcher, &pieces, &is_found, &leak, &failed) < 0) {
		failed_at(s, &failed, e->path);
		return;
	}
	if (!is_found)
		return;

	sb_autofree char *form = sb_content_leak_text(&leak);

	found(s, e, "", e->path, leak.leak.secret_id, form);
}

static void search_folder(struct search *s, int dir_fd, const char *path, unsigned depth);

static void search_below(struct search *s, const struct entry *e, unsigned depth)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	sb_autofd int fd = -1;

	if (depth >= MAX_DEPTH)
		(void)sb_fail(&failed, SB_E_LIMIT, "folders are nested deeper than %d", MAX_DEPTH);
	else if (sb_at_open_dir(e->dir_fd, e->name, SB_AT_NO_LINKS, &fd, &failed) == 0) {
		search_folder(s, fd, e->path, depth + 1);
		return;
	}
	failed_at(s, &failed, e->path);
}

static void search_entry(struct search *s, const struct entry *e, unsigned depth)
{
	if (is_new(s, &e->st) && search_small(s, e))
		return;
	if (S_ISDIR(e->st.st_mode))
		search_below(s, e, depth);
	else if (S_ISREG(e->st.st_mode) && is_new(s, &e->st))
		search_content(s, e);
}

static void search_folder(struct search *s, int dir_fd, const char *path, unsigned depth)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (sb_tree_list(dir_fd, &names, &failed) < 0) {
		failed_at(s, &failed, path);
		return;
	}
	for (size_t i = 0; i < names.len; i++) {
		sb_autofree char *below = sb_path_join(path, names.items[i]);
		struct entry e = {.dir_fd = dir_fd, .name = names.items[i], .path = below};

		/* Another build may share the cache and remove things. */
		if (fstatat(dir_fd, e.name, &e.st, AT_SYMLINK_NOFOLLOW) == 0)
			search_entry(s, &e, depth);
	}
}

int sb_cache_search(int cache_fd, const char *target, const struct timespec *since,
	struct sb_content_search *searcher, struct sb_error *err)
{
	if (!sb_content_search_is_active(searcher))
		return 0;

	sb_autofree char *buffer = sb_malloc(PIECE_BYTES);
	struct search search = {.target = target,
		.since = since,
		.searcher = searcher,
		.buffer = buffer,
		.err = err};

	search_folder(&search, cache_fd, target, 0);
	return search.has_failed ? -1 : 0;
}
