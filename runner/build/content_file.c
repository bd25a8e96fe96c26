/* SPDX-License-Identifier: MIT */
#include "build/content_file.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "build/copy_entry.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/xattr.h"

enum { READ_BYTES = 256 << 10 };

int sb_content_files_init(struct sb_content_files *files, struct sb_error *err)
{
	if (sb_mode_change_parse(files->copy->chmod, &files->mode, err) < 0)
		return sb_error_context(err, "--chmod");
	files->all = sb_hasher_new();
	files->one = sb_hasher_new();
	files->stamp = sb_hasher_new();
	return 0;
}

void sb_content_files_release(struct sb_content_files *files)
{
	sb_hasher_free(files->all);
	sb_hasher_free(files->one);
	sb_hasher_free(files->stamp);
	free(files->bytes);
}

void sb_content_files_finish(struct sb_content_files *files, struct sb_digest *out)
{
	if (out != NULL)
		sb_hasher_finish(files->all, out);
	if (files->options->stamp != NULL)
		sb_hasher_finish(files->stamp, files->options->stamp);
}

/* With its length, so that no two lists of texts are the same bytes. */
static void add_text(struct sb_hasher *hasher, const char *text, size_t len)
{
	char head[32];
	const int n = snprintf(head, sizeof(head), "%zu:", len);

	sb_hasher_add(hasher, head, (size_t)n);
	sb_hasher_add(hasher, text, len);
}

void sb_content_begin(struct sb_content_files *files, const char *kind, const char *name)
{
	add_text(files->all, kind, strlen(kind));
	if (name != NULL)
		add_text(files->all, name, strlen(name));
}

static int add_attributes(
	struct sb_content_files *files, struct sb_copy_entry entry, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_xattrs) attrs = {0};

	if (sb_xattr_list(entry.dir_fd, entry.name, &attrs, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&attrs, attr) {
		if (!sb_copy_takes_attribute(attr->name) && strcmp(attr->name, SB_OWNER_XATTR) != 0)
			continue;
		add_text(files->one, attr->name, strlen(attr->name));
		add_text(files->one, attr->value, attr->len);
	}
	return 0;
}

/* So many bytes from where the descriptor is, or to the end. */
static int add_bytes(struct sb_content_files *files, int fd, uint64_t len, const char *path,
	struct sb_error *err)
{
	ssize_t n = 1;

	if (files->bytes == NULL)
		files->bytes = sb_malloc(READ_BYTES);
	while (len > 0 && n > 0) {
		if (sb_interrupt_check(files->copy->interrupt, err) < 0)
			return -1;
		n = sb_fd_read(fd, files->bytes, len < READ_BYTES ? (size_t)len : READ_BYTES, err);
		if (n < 0)
			return sb_error_context(err, "'%s'", path);
		sb_hasher_add(files->one, files->bytes, (size_t)n);
		len -= (uint64_t)n;
	}
	return 0;
}

static void add_length(struct sb_content_files *files, const char *what, off_t len)
{
	char text[64];
	const int n = snprintf(text, sizeof(text), "%s %jd", what, (intmax_t)len);

	add_text(files->one, text, (size_t)n);
}

/* Holes are not read: a file of many of them may be larger than the disk. */
static int add_sparse(
	struct sb_content_files *files, int fd, off_t size, const char *path, struct sb_error *err)
{
	off_t at = 0;

	while (at < size) {
		off_t data = lseek(fd, at, SEEK_DATA);

		if (data < 0 || data > size)
			data = size;
		if (data > at)
			add_length(files, "hole", data - at);
		if (data == size)
			break;

		off_t end = lseek(fd, data, SEEK_HOLE);

		if (end < 0 || end > size)
			end = size;
		if (lseek(fd, data, SEEK_SET) < 0)
			return sb_fail_errno(err, "read '%s'", path);
		add_length(files, "data", end - data);
		if (add_bytes(files, fd, (uint64_t)(end - data), path, err) < 0)
			return -1;
		at = end;
	}
	return 0;
}

static int add_content(struct sb_content_files *files, int fd, const struct stat *st,
	const char *path, struct sb_error *err)
{
	enum { BLOCK_BYTES = 512 }; /* st_blocks counts these (stat(2)) */
	const bool is_sparse =
		st->st_size > READ_BYTES && st->st_blocks < st->st_size / BLOCK_BYTES;

	add_length(files, is_sparse ? "sparse" : "plain", st->st_size);
	return is_sparse ? add_sparse(files, fd, st->st_size, path, err)
			 : add_bytes(files, fd, UINT64_MAX, path, err);
}

static int add_target(
	struct sb_content_files *files, struct sb_copy_entry entry, struct sb_error *err)
{
	sb_autofree char *target = NULL;

	if (sb_at_read_link(entry.dir_fd, entry.name, &target, err) < 0)
		return -1;
	add_text(files->one, target, strlen(target));
	return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* What a change of would change the inode's change time too: content, link target, attributes.
 * *out_is_same is false where another file has taken the place of the one that st is of. */
static int read_inside(struct sb_content_files *files, struct sb_copy_entry entry, const char *path,
	const struct stat *st, struct sb_digest *out, bool *out_is_same, struct sb_error *err)
{
	sb_autofd int fd = -1;
	struct stat opened = *st;

	if (S_ISLNK(st->st_mode)) {
		if (add_target(files, entry, err) < 0)
			return -1;
	} else if (add_attributes(files, entry, err) < 0) {
		return -1;
	}
	if (S_ISREG(st->st_mode) && (sb_copy_open_file(entry, path, &fd, &opened, err) < 0 ||
					    add_content(files, fd, &opened, path, err) < 0))
		return -1;
	sb_hasher_finish(files->one, out);
	*out_is_same = is_same(st, &opened);
	return 0;
}

static int digest_inside(struct sb_content_files *files, struct sb_copy_entry entry,
	const char *path, const struct stat *st, struct sb_digest *out, struct sb_error *err)
{
	bool is_same_file = false;

	if (files->options->memory != NULL && sb_stat_cache_get(files->options->memory, st, out))
		return 0;
	if (read_inside(files, entry, path, st, out, &is_same_file, err) < 0)
		return -1;
	if (files->options->memory != NULL && is_same_file)
		sb_stat_cache_put(files->options->memory, st, out);
	return 0;
}

int64_t sb_content_time(const struct sb_content_files *files, const struct stat *st)
{
	const int64_t mtime = st->st_mtim.tv_sec;

	if (files->options->with_times < 0)
		return -1;
	return mtime < files->options->with_times ? mtime : files->options->with_times;
}

static void add_stamp(struct sb_content_files *files, const char *path, const struct stat *st)
{
	const uint64_t parts[] = {st->st_dev, st->st_ino, (uint64_t)st->st_size, st->st_mode,
		(uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec,
		(uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec};

	if (files->options->stamp == NULL)
		return;
	add_text(files->stamp, path, strlen(path));
	sb_hasher_add(files->stamp, parts, sizeof(parts));
}

int sb_content_add(struct sb_content_files *files, struct sb_copy_entry entry, const char *path,
	const struct stat *st, struct sb_error *err)
{
	const struct sb_copy *copy = files->copy;
	const bool is_dir = S_ISDIR(st->st_mode);
	const bool keeps_owner = !copy->source_is_context && copy->chown == NULL;
	const bool is_device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
	const bool is_link = S_ISLNK(st->st_mode);
	struct sb_digest inside;

	add_stamp(files, path, st);
	if (!files->has_content)
		return 0;
	if (digest_inside(files, entry, path, st, &inside, err) < 0)
		return -1;

	const size_t len = strlen(path);
	const uint64_t head[] = {
		htole64(len),
		htole64(st->st_mode & S_IFMT),
		htole64(is_link ? 0 : sb_mode_change_apply(&files->mode, st->st_mode, is_dir)),
		htole64(keeps_owner ? sb_idmap_uid_from_disk(&copy->ids, st->st_uid) : 0),
		htole64(keeps_owner ? sb_idmap_gid_from_disk(&copy->ids, st->st_gid) : 0),
		htole64(is_device ? st->st_rdev : 0),
		htole64((uint64_t)sb_content_time(files, st)),
	};

	sb_hasher_add(files->all, head, sizeof(head));
	sb_hasher_add(files->all, path, len);
	sb_hasher_add(files->all, inside.text, SB_DIGEST_TEXT_BYTES);
	return 0;
}
