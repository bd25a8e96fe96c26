/* SPDX-License-Identifier: MIT */
#include "oci/layout.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/limits.h"
#include "base/mem.h"
#include "oci/layout_private.h"
#include "sys/atomic.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/tree.h"

enum {
	MAX_MARKER = 4096,      /* {"imageLayoutVersion":"1.0.0"} */
	MAX_VERIFIED = 1 << 20, /* whatever is JSON, and small layers */
};

static const char marker[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
static const char empty_index[] =
	"{\"schemaVersion\":2,\"mediaType\":\"" SB_MEDIA_OCI_INDEX "\",\"manifests\":[]}";

struct sb_blob_path sb_blob_path(const struct sb_digest *digest)
{
	struct sb_blob_path path;

	(void)snprintf(
		path.text, sizeof(path.text), "%s/%.64s", SB_LAYOUT_BLOBS, sb_digest_hex(digest));
	return path;
}

int sb_layout_require_writable(const struct sb_layout *layout, struct sb_error *err)
{
	if (layout->is_writable)
		return 0;
	return sb_fail(err, SB_E_DENIED, "the image layout is open for reading only");
}

/* Of our own store: it is always the same bytes, so those of a broken one are known. */
static int mend_marker(int dir_fd, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(MAX_MARKER);
	SB_AUTO_JSON json = NULL;
	SB_AUTO_ERROR broken = SB_ERROR_INIT;

	if (sb_at_read_file(dir_fd, "oci-layout", SB_AT_NO_LINKS, MAX_MARKER, &buf, err) < 0)
		return -1;
	if (sb_json_parse_object(buf.data, buf.len, "oci-layout", &json, &broken) == 0)
		return 0;
	sb_error_ignore(&broken, "it is written again");
	return sb_atomic_write(dir_fd, "oci-layout", 0644, marker, strlen(marker), err);
}

static int make_file_if_missing(
	int dir_fd, const char *name, const char *text, struct sb_error *err)
{
	struct stat st;
	bool exists = false;

	if (sb_at_lstat(dir_fd, name, SB_AT_NO_LINKS, &st, &exists, err) < 0)
		return -1;
	return exists ? 0 : sb_atomic_write(dir_fd, name, 0644, text, strlen(text), err);
}

/* oci-layout comes last: a folder that has it is whole. */
static int make_files(int dir_fd, struct sb_error *err)
{
	sb_autofd int lock = -1;
	sb_autofd int blobs = -1;
	struct stat st;
	bool is_made = false;

	if (sb_at_make_dirs(dir_fd, SB_LAYOUT_BLOBS, 0755, &blobs, err) < 0 ||
		sb_at_lstat(dir_fd, "oci-layout", SB_AT_NO_LINKS, &st, &is_made, err) < 0)
		return sb_error_context(err, "make image layout");
	if (is_made)
		return mend_marker(dir_fd, err);
	if (sb_lock_take(dir_fd, SB_LAYOUT_LOCK, SB_LOCK_EXCLUSIVE, &lock, err) < 0 ||
		make_file_if_missing(dir_fd, "index.json", empty_index, err) < 0 ||
		make_file_if_missing(dir_fd, "oci-layout", marker, err) < 0)
		return sb_error_context(err, "make image layout");
	return 0;
}

/* What is being written beside index.json is so under the lock. */
static int clear_unfinished(int dir_fd, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int lock = -1;

	if (sb_tree_list(dir_fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		if (strncmp(names.items[i], ".tmp-", 5) != 0)
			continue;
		if (lock < 0 &&
			sb_lock_take(dir_fd, SB_LAYOUT_LOCK, SB_LOCK_EXCLUSIVE, &lock, err) < 0)
			return -1;
		(void)unlinkat(dir_fd, names.items[i], 0);
	}
	return 0;
}

static int check_marker(const struct sb_layout *layout, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(MAX_MARKER);
	SB_AUTO_JSON json = NULL;
	const char *version = NULL;

	if (sb_at_read_file(layout->fd, "oci-layout", layout->how, MAX_MARKER, &buf, err) < 0)
		return sb_error_context(err, "the folder is not an image layout");
	if (sb_json_parse_object(buf.data, buf.len, "oci-layout", &json, err) < 0 ||
		sb_json_get_string(json, "imageLayoutVersion", "oci-layout", &version, err) < 0)
		return -1;
	if (version == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "oci-layout: 'imageLayoutVersion' is missing");
	if (strncmp(version, "1.", 2) != 0)
		return sb_fail(err, SB_E_UNSUPPORTED, "image layout version '%s' is not supported",
			version);
	return 0;
}

int sb_layout_open(int dir_fd, bool create, struct sb_layout **out, struct sb_error *err)
{
	SB_AUTO(sb_layout) layout = SB_NEW(struct sb_layout);

	layout->fd = -1;
	layout->is_writable = create;
	/* Other tools' layouts may have links between their own files; our own never has. */
	layout->how = create ? SB_AT_NO_LINKS : SB_AT_BENEATH;
	if (sb_fd_dup(dir_fd, &layout->fd, err) < 0)
		return -1;
	if (create && (make_files(layout->fd, err) < 0 || clear_unfinished(layout->fd, err) < 0))
		return -1;
	if (check_marker(layout, err) < 0)
		return -1;
	*out = SB_STEAL(layout);
	return 0;
}

void sb_layout_free(struct sb_layout *layout)
{
	if (layout == NULL)
		return;
	sb_fd_closep(&layout->fd);
	free(layout);
}

void sb_layout_set_interrupt(struct sb_layout *layout, struct sb_interrupt *interrupt)
{
	layout->interrupt = interrupt;
}

struct sb_interrupt *sb_layout_interrupt(const struct sb_layout *layout)
{
	return layout->interrupt;
}

int sb_layout_fd(const struct sb_layout *layout)
{
	return layout->fd;
}

bool sb_layout_stat_blob(
	const struct sb_layout *layout, const struct sb_digest *digest, struct stat *out_st)
{
	const struct sb_blob_path path = sb_blob_path(digest);
	sb_autofd int fd = sb_at_open_raw(layout->fd, path.text, layout->how, O_PATH, 0);

	return fd >= 0 && fstat(fd, out_st) == 0 && S_ISREG(out_st->st_mode);
}

static bool is_due_for_renewal(const struct stat *st)
{
	return time(NULL) - st->st_mtime > SB_LAYOUT_RENEW_SECONDS;
}

bool sb_layout_has_blob(struct sb_layout *layout, const struct sb_digest *digest)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	sb_autofd int lock = -1;
	struct stat st;

	if (!sb_digest_is_set(digest))
		return false;
	if (!layout->is_writable)
		return sb_layout_stat_blob(layout, digest, &st);
	if (sb_lock_take(layout->fd, SB_LAYOUT_LOCK, SB_LOCK_SHARED, &lock, &ignored) < 0)
		sb_error_ignore(&ignored, "without the lock a removal could win, in theory");
	if (!sb_layout_stat_blob(layout, digest, &st))
		return false;
	if (is_due_for_renewal(&st))
		(void)utimensat(layout->fd, sb_blob_path(digest).text, NULL, AT_SYMLINK_NOFOLLOW);
	return true;
}

bool sb_layout_has_whole_blob(
	struct sb_layout *layout, const struct sb_digest *digest, uint64_t size_bytes)
{
	struct stat st;

	return sb_layout_has_blob(layout, digest) && sb_layout_stat_blob(layout, digest, &st) &&
	       (uint64_t)st.st_size == size_bytes;
}

bool sb_layout_holds(struct sb_layout *layout, const struct sb_descriptor *d)
{
	SB_AUTO_BUF content = SB_BUF_INIT(MAX_VERIFIED);
	SB_AUTO_ERROR broken = SB_ERROR_INIT;
	struct stat st;

	if (!sb_layout_has_blob(layout, &d->digest) ||
		!sb_layout_stat_blob(layout, &d->digest, &st) ||
		(d->size_bytes != 0 && (uint64_t)st.st_size != d->size_bytes))
		return false;
	if (st.st_size > MAX_VERIFIED || sb_layout_read_blob(layout, d, &content, &broken) == 0)
		return true;
	sb_error_ignore(&broken, "it is written again");
	return false;
}

static int unlink_blob(
	struct sb_layout *layout, const struct sb_digest *digest, struct sb_error *err)
{
	if (unlinkat(layout->fd, sb_blob_path(digest).text, 0) < 0 && errno != ENOENT)
		return sb_fail_errno(err, "remove blob %s", digest->text);
	return 0;
}

int sb_layout_discard_blob(
	struct sb_layout *layout, const struct sb_digest *digest, struct sb_error *err)
{
	sb_autofd int lock = -1;

	if (sb_lock_take(layout->fd, SB_LAYOUT_LOCK, SB_LOCK_EXCLUSIVE, &lock, err) < 0)
		return -1;
	return unlink_blob(layout, digest, err);
}

int sb_layout_discard_unused_blob(
	struct sb_layout *layout, const struct sb_digest *digest, struct sb_error *err)
{
	SB_AUTO_JSON index = NULL;
	sb_autofd int lock = -1;
	bool is_used = true;

	if (sb_lock_take(layout->fd, SB_LAYOUT_LOCK, SB_LOCK_EXCLUSIVE, &lock, err) < 0 ||
		sb_layout_load_index(layout, &index, err) < 0 ||
		sb_layout_is_used(layout, index, digest, &is_used, err) < 0)
		return -1;
	return is_used ? 0 : unlink_blob(layout, digest, err);
}

static int open_blob(const struct sb_layout *layout, const struct sb_digest *digest, bool renew,
	int *out_fd, struct sb_error *err)
{
	const struct sb_blob_path path = sb_blob_path(digest);
	sb_autofd int fd = -1;
	struct stat st;

	if (!sb_digest_is_set(digest))
		return sb_fail(err, SB_E_NOT_FOUND, "a blob without a digest");
	/* O_NONBLOCK: a FIFO of that name must not hang us. */
	fd = sb_at_open_raw(layout->fd, path.text, layout->how, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0 && errno == ENOENT)
		return sb_fail(err, SB_E_NOT_FOUND, "blob %s is missing", digest->text);
	if (fd < 0 || fstat(fd, &st) < 0)
		return sb_fail_errno(err, "blob %s", digest->text);
	if (!S_ISREG(st.st_mode))
		return sb_fail(err, SB_E_INTEGRITY, "blob %s is not a file", digest->text);
	if (renew && layout->is_writable && is_due_for_renewal(&st))
		(void)futimens(fd, NULL);
	*out_fd = sb_fd_steal(&fd);
	return 0;
}

int sb_layout_open_blob(
	struct sb_layout *layout, const struct sb_digest *digest, int *out_fd, struct sb_error *err)
{
	return open_blob(layout, digest, true, out_fd, err);
}

int sb_descriptor_verify(
	const struct sb_descriptor *d, const struct sb_buf *content, struct sb_error *err)
{
	struct sb_digest digest;

	if (d->size_bytes != 0 && d->size_bytes != content->len)
		return sb_fail(err, SB_E_INTEGRITY,
			"blob %s has %zu bytes, its descriptor says %" PRIu64, d->digest.text,
			content->len, d->size_bytes);
	sb_digest_of(content->data, content->len, &digest);
	if (!sb_digest_equal(&digest, &d->digest))
		return sb_fail(err, SB_E_INTEGRITY, "the content of blob %s has the digest %s",
			d->digest.text, digest.text);
	return 0;
}

static int read_blob(const struct sb_layout *layout, const struct sb_descriptor *d, bool renew,
	struct sb_buf *out, struct sb_error *err)
{
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_JSON);
	sb_autofd int fd = -1;

	if (open_blob(layout, &d->digest, renew, &fd, err) < 0)
		return -1;
	if (sb_fd_read_all(fd, &buf, err) < 0)
		return sb_error_context(err, "blob %s", d->digest.text);
	if (sb_descriptor_verify(d, &buf, err) < 0)
		return -1;
	*out = buf;
	buf = (struct sb_buf)SB_BUF_INIT(SB_MAX_JSON);
	return 0;
}

int sb_layout_read_blob(struct sb_layout *layout, const struct sb_descriptor *d, struct sb_buf *out,
	struct sb_error *err)
{
	return read_blob(layout, d, true, out, err);
}

int sb_layout_read_blob_aside(const struct sb_layout *layout, const struct sb_descriptor *d,
	struct sb_buf *out, struct sb_error *err)
{
	return read_blob(layout, d, false, out, err);
}

int sb_layout_put_bytes(struct sb_layout *layout, const void *bytes, size_t len,
	struct sb_digest *out, struct sb_error *err)
{
	SB_AUTO(sb_blob_writer) writer = NULL;
	struct sb_descriptor d = {.size_bytes = len};

	if (sb_layout_require_writable(layout, err) < 0)
		return -1;
	sb_digest_of(bytes, len, &d.digest);
	if (!sb_layout_holds(layout, &d)) {
		if (sb_blob_writer_new(layout, &writer, err) < 0)
			return -1;
		if (sb_fd_write_all(sb_blob_writer_fd(writer), bytes, len, err) < 0)
			return sb_error_context(err, "write blob %s", d.digest.text);
		if (sb_blob_writer_commit(writer, &d.digest, err) < 0)
			return -1;
	}
	*out = d.digest;
	return 0;
}
