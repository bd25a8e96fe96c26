/* SPDX-License-Identifier: MIT */
#include "oci/tar_index.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "sys/fd.h"

/* The archive as libarchive reads it: with pread, since the descriptor's own offset is shared with
 * whoever gave it to us. */
struct source {
	int fd;
	uint64_t offset;
	uint64_t size;
	char chunk[64 << 10];
};

static la_ssize_t read_source(struct archive *a, void *data, const void **out)
{
	struct source *source = data;
	ssize_t n = -1;

	do
		n = pread(source->fd, source->chunk, sizeof(source->chunk), (off_t)source->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		archive_set_error(a, errno, "%s", strerror(errno));
		return -1;
	}
	source->offset += (uint64_t)n;
	*out = source->chunk;
	return n;
}

/* Never past the end, so that data that should be there and is not is found out. */
static la_int64_t skip_source(struct archive *a, void *data, la_int64_t n)
{
	struct source *source = data;
	const uint64_t left = source->size > source->offset ? source->size - source->offset : 0;
	const uint64_t skipped = n < 0 ? 0 : (uint64_t)n < left ? (uint64_t)n : left;

	(void)a;
	source->offset += skipped;
	return (la_int64_t)skipped;
}

static void archive_freep(struct archive **a)
{
	if (*a != NULL)
		(void)archive_read_free(*a);
}

void sb_tar_index_free(struct sb_tar_index *index)
{
	if (index == NULL)
		return;
	SB_ARRAY_FOREACH (&index->entries, entry) {
		free(entry->name);
		free(entry->link);
	}
	SB_ARRAY_RELEASE(&index->entries);
	sb_fd_closep(&index->fd);
	free(index);
}

static char *clean_name(const char *name)
{
	while (*name == '/')
		name++;
	return sb_path_clean(name);
}

static char *link_of(struct archive_entry *from, const char *name)
{
	const char *target = archive_entry_hardlink(from);

	if (target != NULL)
		return clean_name(target);
	target = archive_entry_symlink(from);
	if (target == NULL)
		return NULL;
	if (*target == '/')
		return clean_name(target);

	sb_autofree char *dir = sb_path_dir(name);

	return sb_path_join(dir, target);
}

static void add_entry(struct sb_tar_index *index, struct archive_entry *from)
{
	const char *name = archive_entry_pathname(from);

	if (name == NULL)
		name = archive_entry_pathname_utf8(from);
	if (name == NULL)
		name = ""; /* not text in any way: no name that we look for */

	struct sb_tar_entry *entry = SB_ARRAY_ADD(&index->entries);

	entry->order = index->entries.len;
	entry->name = clean_name(name);
	entry->link = link_of(from, entry->name);
	/* A sparse file's bytes do not lie in one piece; none that we look for is sparse. */
	entry->is_file = entry->link == NULL && archive_entry_filetype(from) == AE_IFREG &&
			 archive_entry_sparse_count(from) == 0;
	entry->size_bytes = (uint64_t)archive_entry_size(from);
}

/* The data of an entry ends, padded to whole blocks, where the next header starts. */
static int set_offset(struct sb_tar_entry *entry, la_int64_t next_header, uint64_t archive_size,
	struct sb_error *err)
{
	const uint64_t end = next_header > 0 ? (uint64_t)next_header : 0;
	const uint64_t size = entry->size_bytes;
	const uint64_t padded = (size + 511) & ~UINT64_C(511);

	if (!entry->is_file)
		return 0;
	if (size > INT64_MAX - 511 || padded > end || end - padded + size > archive_size)
		return sb_fail(err, SB_E_INTEGRITY, "the archive is broken at '%s'", entry->name);
	entry->offset = end - padded;
	return 0;
}

static int fail_read(struct archive *a, bool is_first, struct sb_error *err)
{
	if (is_first)
		return sb_fail(err, SB_E_INTEGRITY, "it is not a tar archive");
	return sb_fail(err, SB_E_INTEGRITY, "the archive is broken: %s",
		archive_error_string(a) != NULL ? archive_error_string(a) : "unreadable");
}

static int read_entries(
	struct archive *a, uint64_t archive_size, struct sb_tar_index *index, struct sb_error *err)
{
	for (;;) {
		struct archive_entry *from = NULL;
		const int rc = archive_read_next_header(a, &from);

		/* A header whose checksum is wrong (ARCHIVE_RETRY) is not passed over: it may be
		 * that of any file, and the end of the one before is not known either. A warning is
		 * about names or owners, which do not matter here. */
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN && rc != ARCHIVE_EOF)
			return fail_read(a, index->entries.len == 0, err);
		if (index->entries.len > 0 &&
			set_offset(&index->entries.items[index->entries.len - 1],
				archive_read_header_position(a), archive_size, err) < 0)
			return -1;
		if (rc == ARCHIVE_EOF)
			return 0;
		if (index->entries.len == SB_MAX_ARCHIVE_ENTRIES) {
			index->is_cut_short = true;
			return 0;
		}
		add_entry(index, from);
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct sb_tar_entry *x = a;
	const struct sb_tar_entry *y = b;
	const int order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	return x->order < y->order ? -1 : x->order > y->order;
}

int sb_tar_index_new(int fd, struct sb_tar_index **out, struct sb_error *err)
{
	SB_AUTO(sb_tar_index) index = SB_NEW(struct sb_tar_index);
	__attribute__((cleanup(archive_freep))) struct archive *a = archive_read_new();
	sb_autofree struct source *source = SB_NEW(struct source);

	index->fd = -1;
	if (sb_fd_dup(fd, &index->fd, err) < 0 || sb_fd_size(fd, &source->size, err) < 0)
		return -1;
	source->fd = index->fd;
	SB_BUG_ON(a == NULL || archive_read_support_format_tar(a) != ARCHIVE_OK);
	if (archive_read_set_skip_callback(a, skip_source) != ARCHIVE_OK ||
		archive_read_set_read_callback(a, read_source) != ARCHIVE_OK ||
		archive_read_set_callback_data(a, source) != ARCHIVE_OK ||
		archive_read_open1(a) != ARCHIVE_OK)
		return fail_read(a, true, err);
	if (read_entries(a, source->size, index, err) < 0)
		return -1;
	if (index->entries.len > 1)
		qsort(index->entries.items, index->entries.len, sizeof(*index->entries.items),
			compare_entries);
	*out = SB_STEAL(index);
	return 0;
}

/* The first entry whose name is not less. */
static size_t place_of(const struct sb_tar_index *index, const char *name)
{
	size_t low = 0;
	size_t high = index->entries.len;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(index->entries.items[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct sb_tar_entry *find_last(const struct sb_tar_index *index, const char *name)
{
	const struct sb_tar_entry *found = NULL;

	for (size_t i = place_of(index, name);
		i < index->entries.len && strcmp(index->entries.items[i].name, name) == 0; i++)
		found = &index->entries.items[i];
	return found;
}

const struct sb_tar_entry *sb_tar_index_find(const struct sb_tar_index *index, const char *name)
{
	enum { MAX_LINKS = 16 }; /* docker save links once; this only ends circles */
	sb_autofree char *cleaned = clean_name(name);
	const struct sb_tar_entry *entry = find_last(index, cleaned);

	for (unsigned i = 0; i < MAX_LINKS && entry != NULL && entry->link != NULL; i++)
		entry = find_last(index, entry->link);
	return entry != NULL && entry->is_file ? entry : NULL;
}

bool sb_tar_index_has_below(const struct sb_tar_index *index, const char *name)
{
	for (size_t i = place_of(index, name); i < index->entries.len; i++) {
		const char *have = index->entries.items[i].name;

		if (strncmp(have, name, strlen(name)) != 0)
			return false;
		if (have[strlen(name)] == '\0' || have[strlen(name)] == '/')
			return true;
	}
	return false;
}

int sb_tar_index_read(const struct sb_tar_index *index, const struct sb_tar_entry *entry,
	size_t max_bytes, struct sb_buf *out, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(max_bytes);

	if (entry->size_bytes > max_bytes)
		return sb_fail(err, SB_E_LIMIT, "'%s' in the archive has more than %zu bytes",
			entry->name, max_bytes);
	if (sb_buf_reserve(&buf, (size_t)entry->size_bytes, err) < 0)
		return -1;
	if (sb_fd_pread_all(index->fd, buf.data, (size_t)entry->size_bytes, entry->offset, err) < 0)
		return sb_error_context(err, "'%s' in the archive", entry->name);
	buf.len = (size_t)entry->size_bytes;
	buf.data[buf.len] = '\0';
	*out = buf;
	buf = (struct sb_buf)SB_BUF_INIT(max_bytes);
	return 0;
}
