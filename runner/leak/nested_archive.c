/* SPDX-License-Identifier: MIT */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "leak/nested_private.h"

/* Of a hole in a sparse file so many zeros are read; nothing else is in it. */
enum { MAX_HOLE_BYTES = 1 << 20, MAX_RETRIES = 8 };

/* The content of the entry that libarchive is at. */
struct member {
	struct sb_nested_input *in;
	struct archive *archive;
	const char *piece;
	size_t left;
	size_t hole; /* zeros to give before the piece */
	int64_t at;  /* in the file, behind the piece */
	int rc;      /* libarchive's last answer */
};

static la_ssize_t give_window(struct archive *archive, void *self, const void **block)
{
	struct sb_nested_input *in = self;

	if (!sb_nested_fill(in, 1)) {
		*block = NULL;
		if (!sb_nested_is_stopped(in->run))
			return 0;
		archive_set_error(archive, EIO, "stopped");
		return ARCHIVE_FATAL;
	}
	*block = sb_nested_at(in);

	const size_t n = sb_nested_left(in);

	in->at = in->len;
	return (la_ssize_t)n;
}

static void next_piece(struct member *m)
{
	const void *piece = NULL;
	size_t len = 0;
	la_int64_t at = 0;
	int tries = 0;

	do
		m->rc = archive_read_data_block(m->archive, &piece, &len, &at);
	while (m->rc == ARCHIVE_RETRY && ++tries < MAX_RETRIES);
	if (m->rc != ARCHIVE_OK && m->rc != ARCHIVE_WARN)
		return;
	m->rc = ARCHIVE_OK;
	m->piece = piece;
	m->left = len;
	if (at > m->at)
		m->hole = at - m->at < MAX_HOLE_BYTES ? (size_t)(at - m->at) : MAX_HOLE_BYTES;
	m->at = at + (int64_t)len;
}

static ssize_t read_member(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct member *m = self;
	size_t n = 0;

	(void)err; /* set by the source of it all */
	while (m->hole == 0 && m->left == 0 && m->rc == ARCHIVE_OK)
		next_piece(m);
	if (sb_nested_is_stopped(m->in->run))
		return m->in->run->has_failed ? -1 : 0;
	if (m->hole > 0) {
		n = m->hole < len ? m->hole : len;
		memset(bytes, 0, n);
		m->hole -= n;
	} else if (m->left > 0) {
		n = m->left < len ? m->left : len;
		memcpy(bytes, m->piece, n);
		m->piece += n;
		m->left -= n;
	}
	return n > 0 && sb_nested_count_bytes(m->in, n) ? (ssize_t)n : 0;
}

/* False when libarchive can't go on. */
static bool read_data(struct sb_nested_input *in, struct archive *archive, const char *name)
{
	struct member m = {.in = in, .archive = archive, .rc = ARCHIVE_OK};
	const struct sb_source source = {read_member, &m};

	sb_nested_read_member(in, name, &source);
	if (in->run->is_over || sb_nested_is_stopped(in->run))
		return false;
	if (m.rc == ARCHIVE_FAILED)
		sb_nested_skip(in, name, "it is damaged, encrypted or packed in an unknown way");
	return m.rc != ARCHIVE_FATAL;
}

/* How far libarchive got, of the window that it was given whole. */
static void finish(struct sb_nested_input *in, struct archive *archive, uint64_t start)
{
	const la_int64_t n = archive_filter_bytes(archive, -1);

	if (n >= 0)
		sb_nested_seek(in, start + (uint64_t)n);
	(void)archive_read_free(archive);
}

static int open_archive(struct sb_nested_input *in, struct archive *archive)
{
	return archive_read_open(archive, in, NULL, give_window, NULL);
}

static int next_header(struct archive *archive, struct archive_entry **out)
{
	int rc = ARCHIVE_RETRY;

	for (int i = 0; rc == ARCHIVE_RETRY && i < MAX_RETRIES; i++)
		rc = archive_read_next_header(archive, out);
	return rc == ARCHIVE_WARN ? ARCHIVE_OK : rc;
}

static int add_filter(struct archive *archive, int code)
{
	switch (code) {
	/* These two, when appended, read from what is not open yet (libarchive 3.6). */
	case ARCHIVE_FILTER_COMPRESS:
		return archive_read_support_filter_compress(archive);
	case ARCHIVE_FILTER_RPM:
		return archive_read_support_filter_rpm(archive);
	default:
		return archive_read_append_filter(archive, code);
	}
}

void sb_nested_unpack_stream(struct sb_nested_input *in, const struct sb_nested_format *format)
{
	const uint64_t start = sb_nested_offset(in);
	struct archive *archive = archive_read_new();
	struct archive_entry *entry = NULL;
	int rc = archive == NULL ? ARCHIVE_FATAL : ARCHIVE_OK;

	if (rc == ARCHIVE_OK)
		rc = archive_read_support_format_raw(archive);
	if (rc == ARCHIVE_OK)
		rc = archive_read_support_format_empty(archive);
	if (rc == ARCHIVE_OK)
		rc = add_filter(archive, format->code);
	if (rc == ARCHIVE_OK)
		rc = open_archive(in, archive);
	if (rc == ARCHIVE_OK && archive_filter_count(archive) < 2)
		rc = ARCHIVE_FATAL; /* the bytes would come out as they are */
	if (rc == ARCHIVE_OK)
		rc = next_header(archive, &entry);
	if (rc == ARCHIVE_OK && !read_data(in, archive, NULL))
		rc = ARCHIVE_FATAL;
	if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF)
		sb_nested_skip_damaged(in, format, 0);
	finish(in, archive, start);
}

static struct archive *new_archive(int format)
{
	struct archive *archive = archive_read_new();
	int rc = ARCHIVE_FATAL;

	if (archive == NULL)
		return NULL;
	switch (format) {
	case ARCHIVE_FORMAT_ZIP:
		rc = archive_read_support_format_zip_streamable(archive);
		break;
	case ARCHIVE_FORMAT_AR:
		rc = archive_read_support_format_ar(archive);
		break;
	case ARCHIVE_FORMAT_CPIO:
		rc = archive_read_support_format_cpio(archive);
		break;
	default:
		rc = archive_read_support_format_tar(archive);
		break;
	}
	if (rc == ARCHIVE_OK || rc == ARCHIVE_WARN)
		return archive;
	(void)archive_read_free(archive);
	return NULL;
}

static const char *name_of(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	if (name == NULL)
		name = archive_entry_pathname_utf8(entry);
	return name != NULL ? name : "?";
}

static void tell_text(
	const struct sb_nested_input *in, const char *name, const char *what, const char *text)
{
	if (text != NULL && text[0] != '\0')
		sb_nested_text(in, name, what, text, strlen(text));
}

static void tell_texts(const struct sb_nested_input *in, struct archive_entry *entry)
{
	const char *name = name_of(entry);
	const char *attr = NULL;
	const void *value = NULL;
	size_t len = 0;

	tell_text(in, name, "name", name);
	tell_text(in, name, "link target", archive_entry_symlink(entry));
	tell_text(in, name, "link target", archive_entry_hardlink(entry));
	(void)archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &attr, &value, &len) == ARCHIVE_OK) {
		tell_text(in, name, "attribute", attr);
		if (len > 0)
			sb_nested_text(in, name, "attribute", value, len);
	}
}

/* False when there is nothing more to read. */
static bool read_entry(
	struct sb_nested_input *in, struct archive *archive, struct archive_entry *entry)
{
	if (!sb_nested_count_member(in))
		return false;
	tell_texts(in, entry);
	if (archive_entry_filetype(entry) != S_IFREG && archive_entry_filetype(entry) != 0)
		return true;
	if (archive_entry_is_data_encrypted(entry) == 1) {
		sb_nested_skip(in, name_of(entry), "it is encrypted");
		return true;
	}
	return read_data(in, archive, name_of(entry));
}

void sb_nested_unpack_archive(struct sb_nested_input *in, const struct sb_nested_format *format)
{
	const uint64_t start = sb_nested_offset(in);
	struct archive *archive = new_archive(format->code);
	struct archive_entry *entry = NULL;
	uint64_t header_end = start;

	if (archive == NULL) {
		sb_nested_skip(in, NULL, "libarchive does not know its format");
		return;
	}

	int rc = open_archive(in, archive);

	while (rc == ARCHIVE_OK) {
		rc = next_header(archive, &entry);
		if (rc != ARCHIVE_OK)
			break;
		header_end = start + (uint64_t)archive_filter_bytes(archive, -1);
		if (!read_entry(in, archive, entry))
			rc = ARCHIVE_FATAL;
	}
	if (rc != ARCHIVE_EOF)
		sb_nested_skip_damaged(in, format, 0);
	finish(in, archive, start);
	/* What broke off may have been passed over in search of its end. */
	if (rc != ARCHIVE_EOF)
		sb_nested_seek(in, header_end);
}

void sb_nested_unpack_none(struct sb_nested_input *in, const struct sb_nested_format *format)
{
	(void)format;
	sb_nested_skip(in, NULL, "archives of its kind (7-Zip, RAR) are not looked into");
}
