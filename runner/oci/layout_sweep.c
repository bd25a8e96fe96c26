/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "oci/index.h"
#include "oci/layout_private.h"
#include "oci/reach.h"
#include "sys/fd.h"
#include "sys/tree.h"

static bool is_old(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       time(NULL) - st.st_mtime > SB_LAYOUT_PIN_SECONDS;
}

/* Files of writers that are dead: old, and nobody holds their lock. */
static void clear_tmp(const struct sb_layout *layout)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int tmp = sb_at_open_raw(
		layout->fd, SB_LAYOUT_TMP, SB_AT_NO_LINKS, O_RDONLY | O_DIRECTORY, 0);

	if (tmp < 0 || sb_tree_list(tmp, &names, &ignored) < 0)
		return;
	for (size_t i = 0; i < names.len; i++) {
		const char *name = names.items[i];

		if (strncmp(name, "blob-", 5) != 0 || !is_old(tmp, name))
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

int sb_layout_sweep(struct sb_layout *layout, const json_t *index, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) used = {0};
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int blobs = -1;

	clear_tmp(layout);
	if (reach_all(layout, index, &used, err) < 0 ||
		sb_at_open_dir(layout->fd, SB_LAYOUT_BLOBS, SB_AT_NO_LINKS, &blobs, err) < 0 ||
		sb_tree_list(blobs, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		const char *hex = names.items[i];

		if (sb_reach_has(&used, hex) || !is_old(blobs, hex))
			continue;
		if (unlinkat(blobs, hex, 0) < 0 && errno != ENOENT)
			return sb_fail_errno(err, "remove blob '%s'", hex);
	}
	return 0;
}
