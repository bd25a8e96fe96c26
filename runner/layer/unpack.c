/* SPDX-License-Identifier: MIT */
#include "layer/unpack.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <archive_entry.h>

#include "base/mem.h"
#include "layer/unpack_meta.h"
#include "layer/whiteout.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/transfer.h"

/* Names that begin so are the bookkeeping of the file system that whiteouts came from. */
static const char AUFS_PREFIX[] = SB_WHITEOUT_PREFIX SB_WHITEOUT_PREFIX;

static int make_file(struct sb_unpack *unpack, const struct sb_place *place,
	struct archive_entry *entry, struct sb_error *err)
{
	const int64_t size = archive_entry_size(entry);
	sb_autofd int fd = -1;

	if (size < 0)
		return sb_fail(err, SB_E_INTEGRITY, "its size is negative");
	if (sb_at_create(place->dir_fd, place->name, SB_AT_NO_LINKS, 0600, &fd, err) < 0)
		return -1;
	for (;;) {
		const void *bytes = NULL;
		int64_t offset = 0;
		size_t len = 0;

		if (sb_tar_input_data(unpack->input, &bytes, &len, &offset, err) < 0)
			return -1;
		if (len == 0)
			break;
		if (offset < 0 || offset > size || (uint64_t)len > (uint64_t)(size - offset))
			return sb_fail(err, SB_E_INTEGRITY, "it has more bytes than its size says");
		if (sb_fd_pwrite_all(fd, bytes, len, offset, err) < 0)
			return -1;
	}
	/* A hole at the end was not written. */
	if (ftruncate(fd, size) < 0)
		return sb_fail_errno(err, "set size");
	/* A layer is synced when it is whole. */
	return unpack->options->is_layer ? sb_transfer_flush(unpack->interrupt, fd, err) : 0;
}

static int make_symlink(
	const struct sb_place *place, struct archive_entry *entry, struct sb_error *err)
{
	const char *target = archive_entry_symlink(entry);

	if (target == NULL || target[0] == '\0')
		return sb_fail(err, SB_E_INTEGRITY, "a symbolic link without a target");
	if (symlinkat(target, place->dir_fd, place->name) < 0)
		return sb_fail_errno(err, "make symbolic link");
	return 0;
}

static int make_folder(struct sb_unpack *unpack, const struct sb_place *place,
	const struct sb_standing *before, struct sb_error *err)
{
	if (before->exists && S_ISDIR(before->st.st_mode))
		return 0;
	if (mkdirat(place->dir_fd, place->name, 0700) < 0)
		return sb_fail_errno(err, "make folder");
	/* It took the place of something that had hidden what is below in lower layers. */
	if (before->exists && unpack->options->is_layer)
		return sb_whiteout_make_opaque(place->dir_fd, place->name, err);
	return 0;
}

/* False where this process may not make the node, which is said once. */
static int make_node(struct sb_unpack *unpack, const struct sb_place *place, mode_t type,
	struct archive_entry *entry, bool *out_made, struct sb_error *err)
{
	const dev_t dev = S_ISFIFO(type) ? 0
					 : makedev((unsigned)archive_entry_rdevmajor(entry),
						   (unsigned)archive_entry_rdevminor(entry));
	/* The device 0/0 would be a whiteout in a layer's folder, and is none in a layer's tar. */
	const bool is_forbidden = S_ISCHR(type) && dev == 0;

	*out_made = false;
	if (!is_forbidden && mknodat(place->dir_fd, place->name, type | 0600, dev) == 0) {
		*out_made = true;
		return 0;
	}
	if (!is_forbidden && (errno != EPERM || S_ISFIFO(type)))
		return sb_fail_errno(err, "make special file");
	sb_note_once(&unpack->notes, SB_NOTE_DEVICE,
		"device nodes can't be made here and were left out (first: '%s/%s')", place->folder,
		place->name);
	return 0;
}

/* Links to what stands at the target's name now, inside the root; *out_type is its type. */
static int make_hardlink(struct sb_unpack *unpack, const struct sb_place *place,
	struct archive_entry *entry, mode_t *out_type, struct sb_error *err)
{
	const char *target = archive_entry_hardlink(entry);
	sb_autofree char *clean = NULL;
	sb_autofd int dir_fd = -1;
	const char *name = NULL;
	struct stat st;

	if (target == NULL || sb_place_clean(target, &clean, err) < 0 ||
		sb_place_look(&unpack->places, clean, &dir_fd, &name, err) < 0)
		return target != NULL ? -1 : sb_fail(err, SB_E_INTEGRITY, "a hard link to nothing");
	if (dir_fd < 0 || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		sb_whiteout_is_device(&st))
		return sb_fail(err, SB_E_INTEGRITY,
			"a hard link to '%s', which this archive has not brought", target);
	if (S_ISDIR(st.st_mode))
		return sb_fail(err, SB_E_INTEGRITY, "a hard link to the folder '%s'", target);
	if (linkat(dir_fd, name, place->dir_fd, place->name, 0) < 0)
		return sb_fail_errno(err, "make hard link to '%s'", target);
	*out_type = st.st_mode & S_IFMT;
	return 0;
}

/* Makes the file; *out_type is 0 where it was left out. */
static int make(struct sb_unpack *unpack, const struct sb_place *place,
	const struct sb_standing *before, struct archive_entry *entry, mode_t *out_type,
	struct sb_error *err)
{
	bool made = true;
	int result = 0;

	if (archive_entry_hardlink(entry) != NULL)
		return make_hardlink(unpack, place, entry, out_type, err);
	*out_type = archive_entry_filetype(entry);
	switch (*out_type) {
	case S_IFREG:
		result = make_file(unpack, place, entry, err);
		break;
	case S_IFLNK:
		result = make_symlink(place, entry, err);
		break;
	case S_IFDIR:
		result = make_folder(unpack, place, before, err);
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		result = make_node(unpack, place, *out_type, entry, &made, err);
		break;
	default:
		return sb_fail(err, SB_E_INTEGRITY, "its type is unknown");
	}
	if (!made)
		*out_type = 0;
	return result;
}

static int unpack_file(struct sb_unpack *unpack, const struct sb_place *place,
	struct archive_entry *entry, struct sb_error *err)
{
	const bool is_folder =
		archive_entry_hardlink(entry) == NULL && archive_entry_filetype(entry) == S_IFDIR;
	struct sb_standing before;
	mode_t type = 0;

	if (sb_place_stat(place, &before, err) < 0)
		return -1;
	if (!(is_folder && before.exists && S_ISDIR(before.st.st_mode)) &&
		sb_place_clear(&unpack->places, place, &before, err) < 0)
		return -1;
	if (make(unpack, place, &before, entry, &type, err) < 0)
		return -1;
	/* A link to a link: what the entry says is about the file that both would lead to. */
	if (type == 0 || (S_ISLNK(type) && archive_entry_hardlink(entry) != NULL))
		return 0;
	if (sb_unpack_meta(place->dir_fd, place->name, type, entry, unpack->options, &unpack->notes,
		    err) < 0)
		return -1;
	return is_folder ? sb_place_keep_time(&unpack->places, place, sb_unpack_mtime(entry), err)
			 : 0;
}

static int unpack_whiteout(
	struct sb_unpack *unpack, const struct sb_place *place, struct sb_error *err)
{
	struct sb_place gone = *place;
	struct sb_standing before;

	if (strcmp(place->name, SB_WHITEOUT_OPAQUE) == 0)
		return sb_whiteout_make_opaque(place->dir_fd, ".", err);
	gone.name += strlen(SB_WHITEOUT_PREFIX);
	if (strcmp(gone.name, "") == 0 || strcmp(gone.name, ".") == 0 ||
		strcmp(gone.name, "..") == 0)
		return sb_fail(err, SB_E_INTEGRITY, "a whiteout of nothing or of its own folder");
	if (sb_place_stat(&gone, &before, err) < 0 ||
		sb_place_clear(&unpack->places, &gone, &before, err) < 0)
		return -1;
	return sb_whiteout_make(gone.dir_fd, gone.name, err);
}

/* "./": the root itself, which a user's archive does not change. */
static int unpack_root(struct sb_unpack *unpack, struct archive_entry *entry, struct sb_error *err)
{
	const struct sb_place root = {.dir_fd = unpack->places.root_fd, .folder = ".", .name = "."};

	if (archive_entry_filetype(entry) != S_IFDIR)
		return sb_fail(err, SB_E_INTEGRITY, "the root must be a folder");
	if (!unpack->options->is_layer)
		return 0;
	if (sb_unpack_meta(root.dir_fd, root.name, S_IFDIR, entry, unpack->options, &unpack->notes,
		    err) < 0)
		return -1;
	return sb_place_keep_time(&unpack->places, &root, sb_unpack_mtime(entry), err);
}

/* Looks at the folders of a layer's entry: none can be called like a whiteout. */
static int check_folders(
	struct sb_unpack *unpack, const char *name, bool *out_skip, struct sb_error *err)
{
	const char *part = name;

	*out_skip = false;
	for (const char *slash = strchr(part, '/'); slash != NULL; slash = strchr(part, '/')) {
		if (strncmp(part, AUFS_PREFIX, strlen(AUFS_PREFIX)) == 0)
			*out_skip = true;
		else if (sb_whiteout_is_name(part))
			return sb_fail(err, SB_E_INTEGRITY, "it lies below a whiteout");
		part = slash + 1;
	}
	if (strncmp(part, AUFS_PREFIX, strlen(AUFS_PREFIX)) == 0 &&
		strcmp(part, SB_WHITEOUT_OPAQUE) != 0)
		*out_skip = true;
	if (*out_skip)
		sb_note_once(&unpack->notes, SB_NOTE_AUFS,
			"the bookkeeping of another file system was left out (first: '%s')", name);
	return 0;
}

static int unpack_named(struct sb_unpack *unpack, const char *name, struct archive_entry *entry,
	struct sb_error *err)
{
	struct sb_place place;
	bool skip = false;

	if (unpack->options->is_layer && check_folders(unpack, name, &skip, err) < 0)
		return -1;
	if (skip)
		return 0;
	if (sb_place_find(&unpack->places, name, &place, err) < 0)
		return -1;
	if (unpack->options->is_layer && sb_whiteout_is_name(place.name))
		return unpack_whiteout(unpack, &place, err);
	return unpack_file(unpack, &place, entry, err);
}

int sb_unpack_entry(struct sb_unpack *unpack, struct archive_entry *entry, struct sb_error *err)
{
	const char *name = archive_entry_pathname(entry);
	sb_autofree char *clean = NULL;
	int result = 0;

	if (name == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "an entry of the archive has no name");
	if (sb_place_clean(name, &clean, err) < 0)
		return -1;
	result = strcmp(clean, ".") == 0 ? unpack_root(unpack, entry, err)
					 : unpack_named(unpack, clean, entry, err);
	return result < 0 ? sb_error_context(err, "unpack '%s'", name) : 0;
}
