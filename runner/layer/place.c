/* SPDX-License-Identifier: MIT */
#include "layer/place.h"

#include <fcntl.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "layer/whiteout.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/tree.h"
#include "sys/xattr.h"

enum { FOLDER_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW };

static void forget_folder(struct sb_places *places)
{
	sb_fd_closep(&places->folder_fd);
	free(places->name);
	free(places->folder);
	places->name = NULL;
	places->folder = NULL;
}

void sb_places_release(struct sb_places *places)
{
	forget_folder(places);
	SB_ARRAY_FOREACH (&places->times, time)
		free(time->path);
	SB_ARRAY_RELEASE(&places->times);
}

int sb_place_clean(const char *name, char **out, struct sb_error *err)
{
	sb_autofree char *clean = sb_path_clean(name + strspn(name, "/"));

	if (strcmp(clean, "..") == 0 || strncmp(clean, "../", 3) == 0)
		return sb_fail(err, SB_E_INTEGRITY, "the name '%s' leads out of the archive", name);
	if (strlen(clean) >= SB_MAX_PATH)
		return sb_fail(err, SB_E_LIMIT, "the name '%.100s…' is longer than %d bytes", clean,
			SB_MAX_PATH - 1);
	*out = SB_STEAL(clean);
	return 0;
}

static int stat_at(int dir_fd, const char *name, struct sb_standing *out, struct sb_error *err)
{
	sb_autofree char *mark = NULL;
	size_t len = 0;

	*out = (struct sb_standing){0};
	if (fstatat(dir_fd, name, &out->st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : sb_fail_errno(err, "'%s'", name);
	out->exists = true;
	out->is_whiteout = sb_whiteout_is_device(&out->st);
	if (!S_ISREG(out->st.st_mode) || out->st.st_size != 0)
		return 0;
	if (sb_xattr_get(dir_fd, name, SB_OVERLAY_WHITEOUT, &mark, &len, err) < 0)
		return -1;
	out->is_whiteout = mark != NULL;
	return 0;
}

int sb_place_stat(const struct sb_place *place, struct sb_standing *out, struct sb_error *err)
{
	return stat_at(place->dir_fd, place->name, out, err);
}

static char *join(const char *folder, const char *name)
{
	return strcmp(folder, ".") == 0 ? sb_strdup(name) : sb_asprintf("%s/%s", folder, name);
}

int sb_place_keep_time(struct sb_places *places, const struct sb_place *place,
	struct timespec mtime, struct sb_error *err)
{
	struct stat st;

	if (fstatat(place->dir_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return sb_fail_errno(err, "'%s'", place->name);
	*SB_ARRAY_ADD(&places->times) = (struct sb_folder_time){
		.path = join(place->folder, place->name), .ino = st.st_ino, .mtime = mtime};
	return 0;
}

int sb_places_set_times(struct sb_places *places, struct sb_error *err)
{
	SB_ARRAY_FOREACH (&places->times, time) {
		const struct timespec times[2] = {time->mtime, time->mtime};
		sb_autofd int fd = sb_at_open_raw(
			places->root_fd, time->path, SB_AT_NO_LINKS, FOLDER_FLAGS, 0);
		struct stat st;

		if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			return sb_fail_errno(err, "'%s'", time->path);
		if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != time->ino)
			continue; /* a later entry took its place */
		if (utimensat(fd, "", times, AT_EMPTY_PATH) < 0)
			return sb_fail_errno(err, "set times of '%s'", time->path);
	}
	return 0;
}

/* Gives a new folder the mode, owner and time that it has in the lower layers. *out_done is false
 * where they have none of that path. */
static int take_from_lower(struct sb_places *places, const struct sb_place *place, bool *out_done,
	struct sb_error *err)
{
	sb_autofree char *path = sb_path_join(place->folder, place->name);
	bool exists = false;
	struct stat st;

	*out_done = false;
	if (!places->options->has_lower)
		return 0;
	if (sb_at_lstat(places->options->lower_fd, path, SB_AT_IN_ROOT, &st, &exists, err) < 0)
		return -1;
	if (!exists || !S_ISDIR(st.st_mode))
		return 0;
	if (fchownat(place->dir_fd, place->name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		fchmodat(place->dir_fd, place->name, st.st_mode & 07777, 0) < 0)
		return sb_fail_errno(err, "set the owner of '%s'", place->name);
	*out_done = true;
	return sb_place_keep_time(places, place, st.st_mtim, err);
}

/* A folder that no entry describes, as far as the archive has come. */
static int make_folder(struct sb_places *places, const struct sb_place *place, struct sb_error *err)
{
	const struct sb_apply_options *options = places->options;
	const struct sb_idmap *ids = &options->ids;
	const uid_t uid = options->has_owner ? options->owner_uid : 0;
	const gid_t gid = options->has_owner ? options->owner_gid : 0;

	if (mkdirat(place->dir_fd, place->name, 0755) < 0 ||
		fchmodat(place->dir_fd, place->name, 0755, 0) < 0)
		return sb_fail_errno(err, "make folder '%s'", place->name);

	bool done = false;

	if (take_from_lower(places, place, &done, err) < 0)
		return -1;
	if (done)
		return 0;
	if (ids->uid_count > 1 && sb_idmap_has(ids, uid, gid) &&
		fchownat(place->dir_fd, place->name, sb_idmap_uid_to_disk(ids, uid),
			sb_idmap_gid_to_disk(ids, gid), AT_SYMLINK_NOFOLLOW) < 0)
		return sb_fail_errno(err, "set the owner of '%s'", place->name);
	/* Not the time of unpacking: that would come into the layers above. */
	return options->is_layer ? sb_place_keep_time(places, place, (struct timespec){0}, err) : 0;
}

/* Makes sure that there is a folder at the place, on the way to something below it. */
static int enter_folder(
	struct sb_places *places, const struct sb_place *place, struct sb_error *err)
{
	struct sb_standing standing;

	if (sb_place_stat(place, &standing, err) < 0)
		return -1;
	if (standing.exists && S_ISDIR(standing.st.st_mode))
		return 0;
	if (!standing.exists)
		return make_folder(places, place, err);
	if (!places->options->is_layer || !standing.is_whiteout)
		return sb_fail(
			err, SB_E_INTEGRITY, "'%s/%s' is not a folder", place->folder, place->name);
	/* Deleted, and made anew by the same layer: what was below stays deleted. */
	if (unlinkat(place->dir_fd, place->name, 0) < 0)
		return sb_fail_errno(err, "remove whiteout '%s'", place->name);
	if (make_folder(places, place, err) < 0)
		return -1;
	return sb_whiteout_make_opaque(place->dir_fd, place->name, err);
}

/* Opens a folder given without links, making what is missing of it. */
static int open_or_make(
	struct sb_places *places, const char *folder, int *out_fd, struct sb_error *err)
{
	sb_autofree char *rest = sb_strdup(folder);
	sb_autofree char *done = sb_strdup(".");
	sb_autofd int at = -1;

	if (sb_at_open(places->root_fd, ".", SB_AT_NO_LINKS, FOLDER_FLAGS, &at, err) < 0)
		return -1;
	for (char *saved = NULL, *part = strtok_r(rest, "/", &saved); part != NULL;
		part = strtok_r(NULL, "/", &saved)) {
		const struct sb_place place = {.dir_fd = at, .folder = done, .name = part};
		sb_autofd int next = -1;

		if (strcmp(part, ".") == 0)
			continue;
		if (enter_folder(places, &place, err) < 0 ||
			sb_at_open(at, part, SB_AT_NO_LINKS, FOLDER_FLAGS, &next, err) < 0)
			return -1;

		char *joined = join(done, part);

		free(done);
		done = joined;
		sb_fd_closep(&at);
		at = sb_fd_steal(&next);
	}
	*out_fd = sb_fd_steal(&at);
	return 0;
}

static bool may_be_missing(int os_errno)
{
	return os_errno == ENOENT || os_errno == ENOTDIR || os_errno == ELOOP;
}

/* The folder without links, relative to the root. */
static int resolve(struct sb_places *places, const char *folder, char **out, struct sb_error *err)
{
	sb_autofree char *canonical = NULL;

	if (sb_at_canonical(places->root_fd, folder, &canonical, err) < 0)
		return -1;
	if (strlen(canonical) > SB_MAX_PATH)
		return sb_fail(err, SB_E_LIMIT,
			"the links in its name lead to a path of more than "
			"%d bytes",
			SB_MAX_PATH - 1);
	*out = sb_path_below_root(canonical);
	return 0;
}

int sb_place_find(
	struct sb_places *places, const char *name, struct sb_place *out, struct sb_error *err)
{
	const char *slash = strrchr(name, '/');
	sb_autofree char *folder =
		slash != NULL ? sb_memdup0(name, (size_t)(slash - name)) : sb_strdup(".");

	if (places->name == NULL || strcmp(places->name, folder) != 0) {
		sb_autofree char *resolved = sb_strdup(folder);
		int fd = sb_at_open_raw(places->root_fd, folder, SB_AT_NO_LINKS, FOLDER_FLAGS, 0);

		forget_folder(places);
		if (fd < 0 && !may_be_missing(errno))
			return sb_fail_errno(err, "'%s'", folder);
		if (fd < 0) {
			free(SB_STEAL(resolved));
			if (resolve(places, folder, &resolved, err) < 0 ||
				open_or_make(places, resolved, &fd, err) < 0)
				return -1;
		}
		places->name = SB_STEAL(folder);
		places->folder = SB_STEAL(resolved);
		places->folder_fd = fd;
	}
	*out = (struct sb_place){
		.dir_fd = places->folder_fd,
		.folder = places->folder,
		.name = slash != NULL ? slash + 1 : name,
	};
	return 0;
}

int sb_place_look(struct sb_places *places, const char *name, int *out_dir_fd,
	const char **out_name, struct sb_error *err)
{
	const char *slash = strrchr(name, '/');
	sb_autofree char *folder =
		slash != NULL ? sb_memdup0(name, (size_t)(slash - name)) : sb_strdup(".");
	const int fd =
		sb_at_open_raw(places->root_fd, folder, SB_AT_IN_ROOT, O_PATH | O_DIRECTORY, 0);

	if (fd < 0 && !may_be_missing(errno))
		return sb_fail_errno(err, "'%s'", folder);
	*out_dir_fd = fd;
	*out_name = slash != NULL ? slash + 1 : name;
	return 0;
}

int sb_place_clear(struct sb_places *places, const struct sb_place *place,
	const struct sb_standing *standing, struct sb_error *err)
{
	if (!standing->exists)
		return 0;
	if (sb_tree_remove(place->dir_fd, place->name, err) < 0)
		return -1;
	/* The folder of the last entry may have been below, or reached through this link; `place`
	 * is still in use, so only its name is forgotten. */
	if (S_ISDIR(standing->st.st_mode) || S_ISLNK(standing->st.st_mode)) {
		free(places->name);
		places->name = NULL;
	}
	return 0;
}
