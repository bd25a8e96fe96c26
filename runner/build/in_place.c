/* SPDX-License-Identifier: MIT */
#include "build/in_place.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

enum {
	MAX_PATHS = 1 << 30, /* bytes of all paths of one skeleton; its memory is limited before */
	CHECKED_AT_ONCE = 1024, /* files, between two looks at signals */
};

int sb_in_place_init(struct sb_in_place *in_place, int source_fd, enum sb_data_overlay_way way,
	struct sb_error *err)
{
	struct statfs fs;

	if (fstatfs(source_fd, &fs) < 0)
		return sb_fail_errno(err, "statfs");
	/* Many a file system of FUSE numbers its files anew when the kernel has forgotten them. */
	*in_place = (struct sb_in_place){.way = way,
		.has_lasting_ids = fs.f_type != FUSE_SUPER_MAGIC,
		.paths = SB_BUF_INIT(MAX_PATHS)};
	return sb_data_overlay_mount_id(source_fd, &in_place->mount_id, err);
}

void sb_in_place_release(struct sb_in_place *in_place)
{
	SB_ARRAY_RELEASE(&in_place->files);
	sb_buf_release(&in_place->paths);
}

int sb_in_place_add(struct sb_in_place *in_place, int from_fd, const struct stat *st,
	const char *path, int to_fd, struct sb_error *err)
{
	const size_t path_at = in_place->paths.len;
	uint64_t mount_id = 0;

	if (st->st_size == 0)
		return 0; /* nothing to read */
	if (sb_data_overlay_mount_id(from_fd, &mount_id, err) < 0)
		return -1;
	if (mount_id != in_place->mount_id)
		return sb_fail(err, SB_E_UNSUPPORTED, "'%s' is on another mount", path);
	if (sb_data_overlay_mark(in_place->way, to_fd, (uint64_t)st->st_size, path, err) < 0 ||
		sb_buf_add(&in_place->paths, path, strlen(path) + 1, err) < 0)
		return -1;
	*SB_ARRAY_ADD(&in_place->files) = (struct sb_in_place_file){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size_bytes = st->st_size,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim,
		.path_at = path_at,
	};
	return 0;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* The change time too: a file that takes another's name keeps its own times but that one, also
 * where it goes back afterwards. */
static bool is_same(const struct sb_in_place *in_place, const struct sb_in_place_file *file,
	const struct stat *st)
{
	return file->dev == st->st_dev && (file->ino == st->st_ino || !in_place->has_lasting_ids) &&
	       file->size_bytes == st->st_size && is_same_time(&file->mtime, &st->st_mtim) &&
	       is_same_time(&file->ctime, &st->st_ctim);
}

int sb_in_place_check(const struct sb_in_place *in_place, int source_fd,
	struct sb_interrupt *interrupt, const char **out_changed, struct sb_error *err)
{
	*out_changed = NULL;
	for (size_t i = 0; i < in_place->files.len; i++) {
		const struct sb_in_place_file *file = &in_place->files.items[i];
		const char *path = in_place->paths.data + file->path_at;
		struct stat st;

		if (i % CHECKED_AT_ONCE == 0 && sb_interrupt_check(interrupt, err) < 0)
			return -1;
		if (fstatat(source_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!is_same(in_place, file, &st)) {
			*out_changed = path;
			return 0;
		}
	}
	return 0;
}
