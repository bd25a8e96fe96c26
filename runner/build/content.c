/* SPDX-License-Identifier: MIT */
#include "build/content.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/content_file.h"
#include "build/copy_filter.h"
#include "build/copy_match.h"
#include "build/copy_refuse.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"

/* As the copy's walk: so many innermost folders keep their descriptor. */
enum { KEPT_LEVELS = 32, MAX_WALK_PATH = 1 << 20, ENTRIES_PER_CHECK = 256 };

struct frame {
	int fd; /* -1: closed for now */
	struct stat st;
	struct sb_copy_place place;
	struct sb_strv names;
	size_t next;
	size_t path_len;
	bool is_pending; /* it is there only if something in it is */
};

struct walk {
	struct sb_content_files files;
	struct sb_copy_filter filter;
	SB_ARRAY(struct frame) frames;
	struct sb_buf path; /* of the innermost entry, below the source that is copied */
};

static void frame_release(struct frame *frame)
{
	sb_fd_closep(&frame->fd);
	sb_strv_release(&frame->names);
	sb_copy_place_release(&frame->place);
}

static void walk_clear(struct walk *walk)
{
	SB_ARRAY_FOREACH (&walk->frames, frame)
		frame_release(frame);
	walk->frames.len = 0;
	sb_copy_filter_release(&walk->filter);
	sb_buf_clear(&walk->path);
}

static void walk_release(struct walk *walk)
{
	walk_clear(walk);
	SB_ARRAY_RELEASE(&walk->frames);
	sb_buf_release(&walk->path);
	sb_content_files_release(&walk->files);
}

static struct frame *innermost(struct walk *walk)
{
	return &walk->frames.items[walk->frames.len - 1];
}

static int append(struct sb_buf *path, const char *name, struct sb_error *err)
{
	if (path->len > 0 && sb_buf_add_char(path, '/', err) < 0)
		return -1;
	return sb_buf_add_str(path, name, err);
}

/* The folders that wait for something to hold, outermost first. The top one is its source's, whose
 * own mode and owner are not copied. */
static int add_folders(struct walk *walk, struct sb_error *err)
{
	const size_t n = walk->frames.len;
	size_t i = n;

	while (i > 0 && walk->frames.items[i - 1].is_pending)
		i--;
	for (; i < n; i++) {
		struct frame *frame = &walk->frames.items[i];
		sb_autofree char *path = sb_memdup0(walk->path.data, frame->path_len);
		const struct sb_copy_entry self = {.dir_fd = frame->fd, .name = "."};

		frame->is_pending = false;
		if (frame->fd >= 0 && sb_content_add(&walk->files, self, path, &frame->st, err) < 0)
			return -1;
	}
	return 0;
}

static int enter(struct walk *walk, struct sb_copy_entry from, struct sb_copy_place *place,
	bool is_pending, struct sb_error *err)
{
	sb_autofd int fd =
		sb_at_open_raw(from.dir_fd, from.name, SB_AT_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
	SB_AUTO_STRV names = SB_STRV_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return sb_fail_errno(err, "read the folder '%s'", walk->path.data);
	if (sb_tree_list(fd, &names, err) < 0)
		return -1;
	*SB_ARRAY_ADD(&walk->frames) = (struct frame){
		.fd = sb_fd_steal(&fd),
		.st = st,
		.place = *place,
		.names = names,
		.path_len = walk->path.len,
		.is_pending = is_pending,
	};
	names = (struct sb_strv)SB_STRV_INIT;
	*place = (struct sb_copy_place){0};
	/* A folder that waits keeps its descriptor: it is described later. */
	if (walk->frames.len > KEPT_LEVELS &&
		!walk->frames.items[walk->frames.len - 1 - KEPT_LEVELS].is_pending)
		sb_fd_closep(&walk->frames.items[walk->frames.len - 1 - KEPT_LEVELS].fd);
	return 0;
}

static int leave(struct walk *walk, struct sb_error *err)
{
	struct frame *frame = innermost(walk);

	if (walk->frames.len > 1 && frame[-1].fd < 0 &&
		sb_tree_open_above(frame->fd, &frame[-1].st, &frame[-1].fd, err) < 0)
		return -1;
	frame_release(frame);
	walk->frames.len--;
	return 0;
}

static int visit(struct walk *walk, const char *name, struct sb_error *err)
{
	const struct sb_copy *copy = walk->files.copy;
	const struct sb_copy_entry from = {.dir_fd = innermost(walk)->fd, .name = name};
	__attribute__((cleanup(sb_copy_place_release))) struct sb_copy_place below = {0};
	const enum sb_copy_part part =
		sb_copy_filter_judge(&walk->filter, &innermost(walk)->place, name, &below);
	const struct sb_secret *secret = NULL;
	struct stat st;

	if (part == SB_COPY_NOTHING)
		return 0;
	if (fstatat(from.dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT && part != SB_COPY_ALL
			       ? 0
			       : sb_fail_errno(err, "'%s'", walk->path.data);
	if (S_ISDIR(st.st_mode)) {
		if (sb_copy_is_store(copy, &st))
			return 0;
		if (enter(walk, from, &below, true, err) < 0)
			return -1;
		return part == SB_COPY_ALL ? add_folders(walk, err) : 0;
	}
	if (part != SB_COPY_ALL)
		return 0;
	secret = sb_copy_secret(copy, &st);
	if (secret != NULL) {
		sb_copy_warn_secret(copy, secret, walk->path.data);
		return 0;
	}
	if (add_folders(walk, err) < 0)
		return -1;
	return sb_content_add(&walk->files, from, walk->path.data, &st, err);
}

static int walk_all(struct walk *walk, struct sb_error *err)
{
	for (size_t n = 0; walk->frames.len > 0; n++) {
		struct frame *frame = innermost(walk);

		if (n % ENTRIES_PER_CHECK == 0 &&
			sb_interrupt_check(walk->files.copy->interrupt, err) < 0)
			return -1;
		sb_buf_cut(&walk->path, frame->path_len);
		if (frame->next == frame->names.len) {
			if (leave(walk, err) < 0)
				return -1;
			continue;
		}

		const char *name = frame->names.items[frame->next++];

		if (append(&walk->path, name, err) < 0 || visit(walk, name, err) < 0)
			return -1;
	}
	return 0;
}

static int add_folder(struct walk *walk, const struct sb_copy_match *match, struct sb_error *err)
{
	const struct sb_copy_entry from = {
		.dir_fd = walk->files.copy->source_fd, .name = match->real};
	__attribute__((cleanup(sb_copy_place_release))) struct sb_copy_place place = {0};

	/* The folder that they go into has the time of this one. */
	sb_autofree char *time = sb_asprintf("%" PRId64, sb_content_time(&walk->files, &match->st));

	sb_content_begin(&walk->files, "folder", time);
	if (sb_copy_filter_init(&walk->filter, walk->files.copy, match, &place, err) < 0 ||
		enter(walk, from, &place, false, err) < 0 || walk_all(walk, err) < 0)
		return -1;
	walk_clear(walk);
	return 0;
}

static int add_file(struct walk *walk, const struct sb_copy_match *match, struct sb_error *err)
{
	sb_autofree char *base = sb_path_base(match->path);
	sb_autofree char *name = NULL;
	sb_autofd int dir_fd = -1;

	if (sb_at_open_parent(walk->files.copy->source_fd, match->real, SB_AT_NO_LINKS, &dir_fd,
		    &name, err) < 0)
		return -1;

	const struct sb_copy_entry from = {.dir_fd = dir_fd, .name = name};

	sb_content_begin(&walk->files, "file", base);
	return sb_content_add(&walk->files, from, base, &match->st, err);
}

int sb_content_digest(const struct sb_copy *copy, const struct sb_content_options *options,
	struct sb_digest *out, struct sb_error *err)
{
	__attribute__((cleanup(walk_release))) struct walk walk = {
		.files = {.copy = copy, .options = options, .has_content = out != NULL},
		.path = SB_BUF_INIT(MAX_WALK_PATH)};

	if (sb_content_files_init(&walk.files, err) < 0)
		return -1;
	for (size_t i = 0; i < copy->sources->len; i++) {
		SB_AUTO_VALUE(sb_copy_matches) matches = {0};

		if (sb_copy_match(copy, copy->sources->items[i], &matches, err) < 0)
			return -1;
		sb_content_begin(&walk.files, "source", NULL);
		SB_ARRAY_FOREACH (&matches, match)
			if ((S_ISDIR(match->st.st_mode) ? add_folder(&walk, match, err)
							: add_file(&walk, match, err)) < 0)
				return -1;
	}
	sb_content_files_finish(&walk.files, out);
	return 0;
}
