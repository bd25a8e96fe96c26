/* SPDX-License-Identifier: MIT */
#include "build/copy_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "build/copy_entry.h"
#include "build/copy_filter.h"
#include "build/copy_refuse.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"

enum {
	/* So many innermost folders keep their descriptors; outer ones are opened again on the way
	 * back. */
	KEPT_LEVELS = 32,
	/* Paths are not handed to the kernel, so they may be longer than PATH_MAX; this bounds the
	 * depth. */
	MAX_WALK_PATH = 1 << 20,
};

/* A folder that is being copied. */
struct frame {
	int from_fd; /* -1: closed for now */
	int to_fd;   /* -1: closed for now, or not made yet */
	bool is_made;
	bool is_part;   /* only made for what is in it: --parents, or left out by --exclude */
	bool was_there; /* before this copy */
	struct stat st; /* of the source */
	struct sb_copy_place place;
	struct sb_strv names;
	size_t next;
	size_t from_len; /* of the walk's paths while this is the innermost folder */
	size_t to_len;
	size_t name_at; /* where its name begins in to_path */
};

struct walk {
	struct sb_copy_work *work;
	const char *dest;
	struct sb_copy_filter filter;
	SB_ARRAY(struct frame) frames;
	struct sb_buf from_path; /* "" for the source's root */
	struct sb_buf to_path;
};

static void frame_release(struct frame *frame)
{
	sb_fd_closep(&frame->from_fd);
	sb_fd_closep(&frame->to_fd);
	sb_strv_release(&frame->names);
	sb_copy_place_release(&frame->place);
}

static void walk_release(struct walk *walk)
{
	SB_ARRAY_FOREACH (&walk->frames, frame)
		frame_release(frame);
	SB_ARRAY_RELEASE(&walk->frames);
	sb_copy_filter_release(&walk->filter);
	sb_buf_release(&walk->from_path);
	sb_buf_release(&walk->to_path);
}

static int append(struct sb_buf *path, const char *name, struct sb_error *err)
{
	if (path->len > 0 && sb_buf_add_char(path, '/', err) < 0)
		return -1;
	return sb_buf_add_str(path, name, err);
}

static struct frame *innermost(struct walk *walk)
{
	return &walk->frames.items[walk->frames.len - 1];
}

/* Closes the descriptors that the way back can open again. The destination's can only be when the
 * folder below it is made, since that is what `..` starts from. */
static void park(struct walk *walk, size_t i)
{
	struct frame *frame = &walk->frames.items[i];

	sb_fd_closep(&frame->from_fd);
	if (walk->frames.items[i + 1].is_made)
		sb_fd_closep(&frame->to_fd);
}

/* A folder's name is a part of to_path, which ends in the parts of all frames. */
static char *frame_name(const struct walk *walk, const struct frame *frame)
{
	return sb_memdup0(walk->to_path.data + frame->name_at, frame->to_len - frame->name_at);
}

static int fail_below(const struct walk *walk, const struct frame *parent, const char *name,
	const struct frame *frame, struct sb_error *err)
{
	const int os_errno = errno;
	sb_autofree char *path = sb_memdup0(walk->to_path.data, frame->to_len);
	struct stat st;

	errno = os_errno;
	if (errno != ENOTDIR && errno != ELOOP)
		return sb_fail_errno(err, "make the folder '/%s'", path);

	const bool is_link =
		fstatat(parent->to_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);

	(void)sb_fail(err, SB_E_STEP_FAILED,
		"cannot copy a folder to '/%s': it is there and not a folder", path);
	return is_link ? sb_error_hint(
				 err, "it is a link: copy what is in the folder to where it leads")
		       : -1;
}

static int make_below(
	struct walk *walk, struct frame *parent, struct frame *frame, struct sb_error *err)
{
	sb_autofree char *name = frame_name(walk, frame);
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

	frame->was_there = mkdirat(parent->to_fd, name, 0700) < 0;
	if (frame->was_there && errno != EEXIST)
		return fail_below(walk, parent, name, frame, err);
	frame->to_fd = sb_at_open_raw(parent->to_fd, name, SB_AT_NO_LINKS, flags, 0);
	if (frame->to_fd < 0)
		return fail_below(walk, parent, name, frame, err);
	frame->is_made = true;
	return 0;
}

/* Makes the innermost folder and those around it that wait for something to hold. */
static int make_folders(struct walk *walk, struct sb_error *err)
{
	const struct sb_mode_change *mode = &walk->work->mode;
	const size_t n = walk->frames.len;
	size_t i = n;

	while (i > 0 && !walk->frames.items[i - 1].is_made)
		i--;
	for (; i < n; i++) {
		struct frame *frame = &walk->frames.items[i];

		if (i == 0) {
			if (sb_copy_make_folder(walk->work, walk->dest,
				    mode->is_octal ? mode->octal : 0755, &frame->to_fd, err) < 0)
				return -1;
			frame->is_made = true;
			continue;
		}
		if (make_below(walk, frame - 1, frame, err) < 0)
			return -1;
		if (n - i >= KEPT_LEVELS)
			sb_fd_closep(&frame[-1].to_fd);
	}
	return 0;
}

/* Opens the folder and makes it the innermost one; takes its place. The paths are already its own.
 */
static int enter(struct walk *walk, struct sb_copy_entry from, size_t name_at,
	struct sb_copy_place *place, struct sb_error *err)
{
	sb_autofd int fd =
		sb_at_open_raw(from.dir_fd, from.name, SB_AT_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);
	SB_AUTO_STRV names = SB_STRV_INIT;
	struct stat st;
	struct frame *frame = NULL;

	if (fd < 0 || fstat(fd, &st) < 0) {
		const bool is_denied = errno == EACCES || errno == EPERM;

		(void)sb_fail_errno(err, "read the folder '%s'", walk->from_path.data);
		return is_denied ? sb_error_hint(err,
					   "make it readable for the user who builds, or exclude "
					   "it by .dockerignore")
				 : -1;
	}
	if (sb_tree_list(fd, &names, err) < 0)
		return sb_error_context(err, "'%s'", walk->from_path.data);
	frame = SB_ARRAY_ADD(&walk->frames);
	*frame = (struct frame){
		.from_fd = sb_fd_steal(&fd),
		.to_fd = -1,
		.st = st,
		.place = *place,
		.names = names,
		.from_len = walk->from_path.len,
		.to_len = walk->to_path.len,
		.name_at = name_at,
	};
	names = (struct sb_strv)SB_STRV_INIT;
	*place = (struct sb_copy_place){0};
	if (walk->frames.len > KEPT_LEVELS)
		park(walk, walk->frames.len - 1 - KEPT_LEVELS);
	return 0;
}

/* Opens what the folder around the innermost one had to close. */
static int unpark(const struct frame *frame, struct frame *parent, struct sb_error *err)
{
	if (parent->from_fd < 0 &&
		sb_tree_open_above(frame->from_fd, &parent->st, &parent->from_fd, err) < 0)
		return -1;
	if (parent->is_made && parent->to_fd < 0 &&
		sb_tree_open_above(frame->to_fd, NULL, &parent->to_fd, err) < 0)
		return -1;
	return 0;
}

static int complete(struct walk *walk, const struct frame *frame, struct sb_error *err)
{
	const struct sb_copy_entry from = {.dir_fd = frame->from_fd, .name = "."};
	const struct sb_copy_entry to = {.dir_fd = frame->to_fd, .name = "."};
	const char *path = walk->from_path.data;

	if (!frame->is_made)
		return 0;
	if (walk->frames.len == 1)
		return sb_copy_times(to, &frame->st, path, err);
	if (frame->is_part && frame->was_there)
		return sb_copy_mode(to, &frame->st, path, err);
	return sb_copy_metadata(walk->work, from, &frame->st, to, path, err);
}

/* The folder is complete: only now its times stay as they are set. */
static int leave(struct walk *walk, struct sb_error *err)
{
	struct frame *frame = innermost(walk);
	const bool is_top = walk->frames.len == 1;

	sb_buf_cut(&walk->from_path, frame->from_len);
	if (complete(walk, frame, err) < 0)
		return -1;
	if (!is_top && unpark(frame, frame - 1, err) < 0)
		return -1;
	frame_release(frame);
	walk->frames.len--;
	return 0;
}

/* One name of the innermost folder; the paths are already its own. */
static int visit(struct walk *walk, const char *name, size_t name_at, struct sb_error *err)
{
	const char *path = walk->from_path.data;
	const struct sb_copy_entry from = {.dir_fd = innermost(walk)->from_fd, .name = name};
	__attribute__((cleanup(sb_copy_place_release))) struct sb_copy_place below = {0};
	const enum sb_copy_part part =
		sb_copy_filter_judge(&walk->filter, &innermost(walk)->place, name, &below);
	struct stat st;

	if (part == SB_COPY_NOTHING)
		return 0;
	if (fstatat(from.dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT && part != SB_COPY_ALL)
			return 0;
		return sb_fail_errno(err, "'%s'", path);
	}
	if (part != SB_COPY_ALL && !S_ISDIR(st.st_mode))
		return 0;
	if (S_ISDIR(st.st_mode) && sb_copy_is_store(walk->work->copy, &st)) {
		sb_losses_note(&walk->work->losses, SB_LOSS_STORE, path);
		return 0;
	}
	if (S_ISDIR(st.st_mode)) {
		if (enter(walk, from, name_at, &below, err) < 0)
			return -1;
		innermost(walk)->is_part = part == SB_COPY_BELOW;
		return part == SB_COPY_ALL ? make_folders(walk, err) : 0;
	}

	const struct sb_secret *secret = sb_copy_secret(walk->work->copy, &st);

	if (secret != NULL) {
		sb_copy_warn_secret(walk->work->copy, secret, path);
		return 0;
	}
	if (make_folders(walk, err) < 0)
		return -1;

	const struct sb_copy_entry to = {.dir_fd = innermost(walk)->to_fd, .name = name};

	return sb_copy_one(walk->work, from, path, &st, to, walk->to_path.data, err);
}

static int walk_all(struct walk *walk, bool *out_any, struct sb_error *err)
{
	while (walk->frames.len > 0) {
		struct frame *frame = innermost(walk);

		if (sb_interrupt_check(walk->work->copy->interrupt, err) < 0)
			return -1;
		sb_buf_cut(&walk->from_path, frame->from_len);
		sb_buf_cut(&walk->to_path, frame->to_len);
		*out_any = *out_any || frame->is_made;
		if (frame->next == frame->names.len) {
			if (leave(walk, err) < 0)
				return -1;
			continue;
		}

		/* Borrowed from a list that stays where it is when the frames move. */
		const char *name = frame->names.items[frame->next++];
		const size_t name_at = walk->to_path.len + (walk->to_path.len > 0 ? 1 : 0);

		if (append(&walk->from_path, name, err) < 0 ||
			append(&walk->to_path, name, err) < 0 ||
			visit(walk, name, name_at, err) < 0)
			return -1;
	}
	return 0;
}

int sb_copy_tree(struct sb_copy_work *work, const struct sb_copy_match *match, const char *dest,
	bool *out_any, struct sb_error *err)
{
	__attribute__((cleanup(walk_release))) struct walk walk = {
		.work = work,
		.dest = dest,
		.from_path = SB_BUF_INIT(MAX_WALK_PATH),
		.to_path = SB_BUF_INIT(MAX_WALK_PATH),
	};
	const bool is_root = strcmp(match->real, ".") == 0;
	const struct sb_copy_entry from = {.dir_fd = work->copy->source_fd, .name = match->real};
	__attribute__((cleanup(sb_copy_place_release))) struct sb_copy_place place = {0};

	*out_any = false;
	if (sb_copy_filter_init(&walk.filter, work->copy, match, &place, err) < 0)
		return -1;
	if ((!is_root && sb_buf_add_str(&walk.from_path, match->real, err) < 0) ||
		sb_buf_add_str(&walk.to_path, dest + 1, err) < 0 ||
		enter(&walk, from, 0, &place, err) < 0)
		return -1;
	if (!match->is_excluded && match->inner == NULL && make_folders(&walk, err) < 0)
		return -1;
	return walk_all(&walk, out_any, err);
}
