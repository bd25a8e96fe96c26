/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "oci/index.h"
#include "oci/layout_private.h"
#include "oci/reach.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/tree.h"

/* With 0 every file is, also one of a time to come: the clock may have been set back. */
static bool is_older(int dir_fd, const char *name, int64_t seconds, struct stat *st)
{
	return fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st->st_mode) &&
	       (seconds == 0 || time(NULL) - st->st_mtime >= seconds);
}

/* Files of writers that are dead: nobody holds their lock, which is taken right after they are
 * made. */
static void clear_tmp(const struct sb_layout *layout, int64_t min_age_s)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int tmp = sb_at_open_raw(
		layout->fd, SB_LAYOUT_TMP, SB_AT_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);

	if (tmp < 0 || sb_tree_list(tmp, &names, &ignored) < 0)
		return;
	for (size_t i = 0; i < names.len; i++) {
		const char *name = names.items[i];

		struct stat st;

		if (strncmp(name, "blob-", 5) != 0 || !is_older(tmp, name, min_age_s, &st))
			continue;

		sb_autofd int fd = sb_at_open_raw(
			tmp, name, SB_AT_NO_LINKS, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			(void)unlinkat(tmp, name, 0);
	}
}

static int reach_all(struct sb_layout *layout, const json_t *index, struct sb_descriptors *out,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) entries = {0};

	if (sb_index_parse_json(index, &entries, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&entries, d) {
		if (sb_layout_reach(layout, d, out, err) == 0)
			continue;
		/* What a broken manifest needs is unknown, so nothing may go. */
		sb_error_context(err, "image '%s'",
			sb_descriptor_name(d) != NULL ? sb_descriptor_name(d) : d->digest.text);
		return sb_error_hint(err, "remove that image too");
	}
	return 0;
}

int sb_layout_is_used(struct sb_layout *layout, const json_t *index, const struct sb_digest *digest,
	bool *out_is_used, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) used = {0};

	if (reach_all(layout, index, &used, err) < 0)
		return -1;
	*out_is_used = sb_reach_has(&used, sb_digest_hex(digest));
	return 0;
}

static int sweep(struct sb_layout *layout, const json_t *index, const struct sb_strv *keep,
	int64_t min_age_s, uint64_t *out_bytes, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) used = {0};
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int blobs = -1;

	if (reach_all(layout, index, &used, err) < 0 ||
		sb_at_open_dir(layout->fd, SB_LAYOUT_BLOBS, SB_AT_NO_LINKS, &blobs, err) < 0 ||
		sb_tree_list(blobs, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		const char *hex = names.items[i];
		struct stat st;

		if (sb_reach_has(&used, hex) || sb_strv_has_sorted(keep, hex) ||
			!is_older(blobs, hex, min_age_s, &st))
			continue;
		if (unlinkat(blobs, hex, 0) < 0 && errno != ENOENT)
			return sb_fail_errno(err, "remove blob '%s'", hex);
		*out_bytes += (uint64_t)st.st_blocks * 512;
	}
	return 0;
}

int sb_layout_sweep(struct sb_layout *layout, const json_t *index, struct sb_error *err)
{
	const struct sb_strv keep = SB_STRV_INIT;
	uint64_t bytes = 0;

	clear_tmp(layout, SB_LAYOUT_PIN_SECONDS);
	return sweep(layout, index, &keep, SB_LAYOUT_PIN_SECONDS, &bytes, err);
}

int sb_layout_used_blobs(struct sb_layout *layout, struct sb_strv *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) used = {0};
	SB_AUTO_JSON index = NULL;

	if (sb_layout_load_index(layout, &index, err) < 0 ||
		reach_all(layout, index, &used, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&used, d)
		sb_strv_add(out, d->digest.text);
	return 0;
}

int sb_layout_clear_unused(struct sb_layout *layout, const struct sb_strv *keep, bool is_alone,
	int64_t min_age_s, uint64_t *out_bytes, struct sb_error *err)
{
	SB_AUTO_JSON index = NULL;
	sb_autofd int lock = -1;
	const int64_t spared = is_alone ? 0 : SB_LAYOUT_PIN_SECONDS;
	const int64_t age = min_age_s > spared ? min_age_s : spared;

	if (sb_layout_require_writable(layout, err) < 0 ||
		sb_lock_take(layout->fd, SB_LAYOUT_LOCK, SB_LOCK_EXCLUSIVE, &lock, err) < 0 ||
		sb_layout_load_index(layout, &index, err) < 0)
		return -1;
	*out_bytes = 0;
	clear_tmp(layout, age);
	return sweep(layout, index, keep, age, out_bytes, err);
}
