/* SPDX-License-Identifier: MIT */
#include "layer/search_entry.h"

#include <string.h>

#include <archive_entry.h>

#include "base/mem.h"
#include "base/path.h"
#include "layer/place.h"
#include "layer/search.h"
#include "layer/whiteout.h"

/* A whiteout is the deletion of what it names. */
static void set_path(struct sb_change *change, const char *clean)
{
	sb_autofree char *name = sb_path_base(clean);

	if (!sb_whiteout_is_name(name) || strcmp(name, SB_WHITEOUT_OPAQUE) == 0) {
		change->path = sb_strdup(clean);
		return;
	}
	change->kind = SB_CHANGE_DELETE;
	change->path = sb_asprintf("%.*s%s", (int)(strlen(clean) - strlen(name)), clean,
		name + strlen(SB_WHITEOUT_PREFIX));
}

static void add_attrs(struct sb_change *change, struct archive_entry *entry)
{
	const char *name = NULL;
	const void *value = NULL;
	size_t len = 0;

	(void)archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK)
		*SB_ARRAY_ADD(&change->xattrs) = (struct sb_xattr){
			.name = sb_strdup(name), .value = sb_memdup0(value, len), .len = len};
}

/* What is told and searched of an entry; the rest of a change has no text. */
static int change_of(struct archive_entry *entry, struct sb_change *out, struct sb_error *err)
{
	const char *link = archive_entry_hardlink(entry);
	sb_autofree char *clean = NULL;

	if (sb_place_clean(archive_entry_pathname(entry), &clean, err) < 0)
		return -1;
	out->kind = SB_CHANGE_ADD;
	out->is_hardlink = link != NULL;
	out->mode = archive_entry_filetype(entry);
	out->link = sb_strdup_or_null(link != NULL ? link : archive_entry_symlink(entry));
	set_path(out, clean);
	add_attrs(out, entry);
	return 0;
}

/* The content as a file would have it: what is not in the tar of a sparse one is zeros. */
struct content {
	struct sb_tar_input *input;
	int64_t at;
	const char *piece;
	size_t len;
	int64_t offset; /* of the piece */
};

static const char zeros[64 << 10];

/* A hole is as long as it is, up to what separates anything. */
static ssize_t next_zeros(struct content *content, const void **out_bytes)
{
	const int64_t hole = content->offset - content->at;

	content->at = content->offset;
	*out_bytes = zeros;
	return hole < (int64_t)sizeof(zeros) ? (ssize_t)hole : (ssize_t)sizeof(zeros);
}

static ssize_t next_piece(void *self, const void **out_bytes, struct sb_error *err)
{
	struct content *content = self;
	const void *piece = NULL;

	if (content->len == 0) {
		if (sb_tar_input_data(
			    content->input, &piece, &content->len, &content->offset, err) < 0)
			return -1;
		if (content->len == 0)
			return 0;
		content->piece = piece;
		if (content->offset > content->at)
			return next_zeros(content, out_bytes);
	}

	const size_t len = content->len;

	content->at = content->offset + (int64_t)len;
	content->len = 0;
	*out_bytes = content->piece;
	return (ssize_t)len;
}

static int search_content(struct sb_content_search *search, struct sb_tar_input *input,
	const struct sb_change *change, uint64_t len, struct sb_error *err)
{
	struct content content = {.input = input};
	const struct sb_pieces pieces = {next_piece, &content, len};
	SB_AUTO_VALUE(sb_content_leak) leak = {0};
	bool is_found = false;

	if (sb_content_search_run(search, &pieces, &is_found, &leak, err) < 0)
		return -1;
	return is_found ? sb_search_found(change, &leak, err) : 0;
}

int sb_search_entry(struct sb_content_search *search, struct sb_tar_input *input,
	struct archive_entry *entry, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_change) change = {0};

	if (change_of(entry, &change, err) < 0 || sb_search_change(search, &change, err) < 0)
		return -1;

	/* The tar's format allows content of any type of entry. */
	const int64_t size = archive_entry_size(entry);

	return size > 0 ? search_content(search, input, &change, (uint64_t)size, err) : 0;
}
