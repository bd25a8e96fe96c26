/* SPDX-License-Identifier: MIT */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "inspect/inspector.h"

enum {
	MAX_NAMES = 4 << 20,       /* of the file system model: some 600 MB */
	MAX_HOLE_BYTES = 64 << 20, /* zeros that are hashed for a sparse file's digest */
};

static const char whiteout_prefix[] = ".wh.";
static const char opaque_name[] = ".wh..wh..opq";

/* One layer's reading. */
struct reading {
	struct sb_inspector *in;
	struct sb_layer_stream *stream;
	struct archive *tar;
	struct sb_layer_report *report;
	struct sb_hasher *hasher;
	size_t layer;
	size_t n_hits_placed;     /* hits of the tar as a whole that belong to an entry by now */
	char *path;               /* of the current entry, cleaned, or NULL before the first */
	struct sb_strv entry_ids; /* secrets that were found in the current entry */
	struct sb_error error;    /* of the stream, met inside libarchive */
};

static void add_problem(struct reading *r, const char *path, const char *what)
{
	if (path != NULL)
		sb_strv_addf(
			&r->in->report->problems, "layer %zu: %s: %s", r->layer + 1, path, what);
	else
		sb_strv_addf(&r->in->report->problems, "layer %zu: %s", r->layer + 1, what);
}

static la_ssize_t on_read(struct archive *a, void *self, const void **out)
{
	struct reading *r = self;
	const ssize_t n = sb_layer_stream_next(r->stream, out, &r->error);

	if (n < 0)
		archive_set_error(a, EIO, "the layer can't be read");
	return n < 0 ? ARCHIVE_FATAL : n;
}

static int tar_failed(struct reading *r, struct sb_error *err)
{
	if (sb_error_is_set(&r->error)) {
		sb_error_move(err, &r->error);
		return -1;
	}

	const char *why = archive_error_string(r->tar);

	return sb_fail(
		err, SB_E_INTEGRITY, "it is no valid tar: %s", why != NULL ? why : "damaged data");
}

/* `what` is the kind of place, put before the entry's name ("" for its content). */
static void search_in_entry(struct reading *r, const char *what, const void *bytes, size_t len)
{
	if (bytes == NULL || !sb_scanner_is_active(r->in->value_scanner))
		return;

	sb_autofree char *where = sb_asprintf("layer %zu: %s%s", r->layer + 1, what, r->path);

	if (!sb_inspector_search(r->in, bytes, len, r->layer, where))
		return;
	SB_ARRAY_FOREACH (&r->in->value_search.hits, hit)
		sb_strv_add(&r->entry_ids, hit->secret_id);
}

/*
 * Places the hits of the tar as a whole that lie before `limit`: those in what an entry was
 * searched for already are known; the others stand where only a reader of the raw bytes looks.
 */
static void place_hits(struct reading *r, uint64_t limit, const char *where_in)
{
	struct sb_search *search = &r->in->tar_search;

	for (; r->n_hits_placed < search->hits.len; r->n_hits_placed++) {
		const struct sb_leak *hit = &search->hits.items[r->n_hits_placed];

		if (hit->offset >= limit)
			return;
		if (sb_strv_contains(&r->entry_ids, hit->secret_id))
			continue;
		sb_strv_add(&r->entry_ids, hit->secret_id);

		sb_autofree char *where =
			r->path != NULL
				? sb_asprintf("layer %zu: %s %s", r->layer + 1, where_in, r->path)
				: sb_asprintf("layer %zu: %s", r->layer + 1, where_in);

		sb_inspector_add_finding(r->in, hit, r->layer, where);
	}
}

static void end_entry(struct reading *r, uint64_t end)
{
	place_hits(r, end, "tar header or padding of");
	sb_strv_clear(&r->entry_ids);
	free(r->path);
	r->path = NULL;
}

static void search_attributes(struct reading *r, struct archive_entry *entry)
{
	const char *name = NULL;
	const void *value = NULL;
	size_t len = 0;

	(void)archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK) {
		if (name == NULL)
			continue;

		sb_autofree char *what = sb_asprintf("attribute %s of ", name);

		search_in_entry(r, "attribute name of ", name, strlen(name));
		search_in_entry(r, what, value, len);
		if (strcmp(name, "trusted.overlay.opaque") == 0 ||
			strcmp(name, "user.overlay.opaque") == 0)
			add_problem(r, r->path,
				"marked opaque by an overlay attribute, which is not OCI");
	}
}

/* What a file's content gives besides its findings. */
struct content_sums {
	uint64_t stored_bytes;
	struct sb_digest digest; /* unset where it has too large holes */
};

static bool hash_hole(struct reading *r, uint64_t len, uint64_t *left)
{
	static const char zeros[4096];

	if (len > *left)
		return false;
	*left -= len;
	while (len > 0) {
		const size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		sb_hasher_add(r->hasher, zeros, n);
		len -= n;
	}
	return true;
}

static void report_content(struct reading *r)
{
	sb_autofree char *where = sb_asprintf("layer %zu: %s", r->layer + 1, r->path);
	struct sb_search *search = &r->in->value_search;

	sb_search_end(search);
	for (size_t i = 0; i < search->hits.len; i++) {
		if (sb_search_is_repeated(search, i))
			continue;
		sb_inspector_add_finding(r->in, &search->hits.items[i], r->layer, where);
		sb_strv_add(&r->entry_ids, search->hits.items[i].secret_id);
	}
}

/* `keep` takes a copy of the content, or is NULL. */
static int read_content(struct reading *r, uint64_t size, struct sb_buf *keep,
	struct content_sums *out, struct sb_error *err)
{
	struct sb_search *search = &r->in->value_search;
	uint64_t holes_left = MAX_HOLE_BYTES;
	uint64_t at = 0;
	bool is_whole = true;

	sb_search_begin(search, r->in->value_scanner);
	for (;;) {
		const void *bytes = NULL;
		size_t len = 0;
		la_int64_t offset = 0;
		const int got = archive_read_data_block(r->tar, &bytes, &len, &offset);

		if (got == ARCHIVE_EOF)
			break;
		if (got < ARCHIVE_WARN)
			return tar_failed(r, err);
		if ((uint64_t)offset > at) {
			is_whole = is_whole && hash_hole(r, (uint64_t)offset - at, &holes_left);
			/* A gap in the file is one in what is searched. */
			sb_search_feed(search, "", 1);
			at = (uint64_t)offset;
		}
		sb_hasher_add(r->hasher, bytes, len);
		sb_search_feed(search, bytes, len);
		if (keep != NULL && sb_buf_add(keep, bytes, len, err) < 0)
			return -1;
		out->stored_bytes += len;
		at += len;
	}
	if (size > at)
		is_whole = is_whole && hash_hole(r, size - at, &holes_left);
	sb_hasher_finish(r->hasher, &out->digest);
	if (!is_whole)
		out->digest = (struct sb_digest){0};
	report_content(r);
	return 0;
}

static void read_whiteout(struct reading *r, const char *name)
{
	sb_autofree char *folder = sb_path_dir(r->path);

	if (strcmp(name, opaque_name) == 0) {
		r->report->n_whiteouts++;
		sb_filesystem_opaque(r->in->fs, folder);
		return;
	}
	if (strncmp(name, ".wh..wh.", 8) == 0) {
		add_problem(r, r->path, "a mark of aufs, which is not OCI");
		return;
	}
	name += sizeof(whiteout_prefix) - 1;
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		add_problem(r, r->path, "a whiteout that names nothing");
		return;
	}

	sb_autofree char *target = sb_path_join(folder, name);

	r->report->n_whiteouts++;
	(void)sb_filesystem_whiteout(r->in->fs, target);
}

static void read_hard_link(struct reading *r, const char *target)
{
	sb_autofree char *first = sb_path_below_root(target);

	if (!sb_filesystem_add_hard_link(r->in->fs, r->path, first))
		add_problem(r, r->path, "a hard link to a file that is not there");
}

static int read_file(
	struct reading *r, struct archive_entry *entry, bool is_modelled, struct sb_error *err)
{
	const la_int64_t claimed = archive_entry_size(entry);
	const uint64_t size = claimed > 0 ? (uint64_t)claimed : 0;
	const bool is_passwd = strcmp(r->path, "etc/passwd") == 0 && size <= SB_MAX_PASSWD;
	struct content_sums sums = {0};

	if (is_passwd)
		sb_buf_clear(&r->in->passwd);
	if (read_content(r, size, is_passwd ? &r->in->passwd : NULL, &sums, err) < 0)
		return -1;
	r->report->payload_bytes += sums.stored_bytes;
	if (!is_modelled)
		return 0;

	const size_t number =
		sb_filesystem_add_file(r->in->fs, r->path, sums.stored_bytes, &sums.digest);

	if (is_passwd)
		r->in->passwd_content = number;
	return 0;
}

static bool has_parent_part(const char *name)
{
	for (const char *p = name; (p = strstr(p, "..")) != NULL; p += 2)
		if ((p == name || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

/* An entry's name is searched as it stands in the archive, before it is cleaned. */
static bool take_name(struct reading *r, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	if (name == NULL)
		name = archive_entry_pathname_utf8(entry);
	if (name == NULL || strlen(name) >= SB_MAX_PATH) {
		r->path = sb_strdup("(unreadable name)");
		add_problem(r, NULL,
			name == NULL ? "an entry whose name can't be read"
				     : "an entry whose name is too long for a file system");
		return false;
	}
	r->path = sb_path_below_root(name);
	if (has_parent_part(name))
		add_problem(r, r->path, "its name in the archive has '..' in it");
	search_in_entry(r, "name of ", name, strlen(name));
	return true;
}

static bool has_room(struct reading *r)
{
	if (sb_filesystem_names(r->in->fs) < MAX_NAMES)
		return true;
	if (!r->in->is_full)
		sb_strv_addf(&r->in->report->not_scanned,
			"layer %zu: more than %d names: deleted files are not followed from here "
			"on",
			r->layer + 1, MAX_NAMES);
	r->in->is_full = true;
	return false;
}

static int read_other(struct reading *r, struct archive_entry *entry, const char *name,
	bool is_modelled, struct sb_error *err)
{
	const char *link = archive_entry_symlink(entry);
	const char *first = archive_entry_hardlink(entry);

	if (link != NULL)
		search_in_entry(r, "link target of ", link, strlen(link));
	if (first != NULL)
		search_in_entry(r, "link target of ", first, strlen(first));
	if (strncmp(name, whiteout_prefix, sizeof(whiteout_prefix) - 1) == 0) {
		struct content_sums sums = {0};

		if (is_modelled)
			read_whiteout(r, name);
		/* Such an entry should be empty: what it holds all the same is searched. */
		return read_content(r, 0, NULL, &sums, err);
	}
	if (first != NULL) {
		if (is_modelled)
			read_hard_link(r, first);
		return 0;
	}
	if (archive_entry_filetype(entry) == AE_IFREG)
		return read_file(r, entry, is_modelled, err);
	if (archive_entry_filetype(entry) == AE_IFCHR && archive_entry_rdev(entry) == 0)
		add_problem(r, r->path, "a whiteout of overlayfs, which is not OCI");
	if (!is_modelled)
		return 0;
	if (archive_entry_filetype(entry) == AE_IFDIR)
		sb_filesystem_add_folder(r->in->fs, r->path);
	else
		sb_filesystem_add_other(r->in->fs, r->path);
	return 0;
}

static int read_entry(struct reading *r, struct archive_entry *entry, struct sb_error *err)
{
	const bool has_name = take_name(r, entry);
	const bool is_modelled = has_room(r) && has_name;
	sb_autofree char *name = sb_path_base(r->path);

	r->report->n_entries++;
	search_attributes(r, entry);
	return read_other(r, entry, name, is_modelled, err);
}

static int read_entries(struct reading *r, struct sb_error *err)
{
	for (;;) {
		struct archive_entry *entry = NULL;
		const int got = archive_read_next_header(r->tar, &entry);

		if (got == ARCHIVE_RETRY)
			continue;
		if (r->path != NULL && got >= ARCHIVE_WARN)
			end_entry(r, (uint64_t)archive_read_header_position(r->tar));
		if (got == ARCHIVE_EOF)
			return 0;
		if (got < ARCHIVE_WARN)
			return tar_failed(r, err);
		if (read_entry(r, entry, err) < 0)
			return -1;
	}
}

static int read_tar(struct reading *r, struct sb_error *err)
{
	r->tar = archive_read_new();
	SB_BUG_ON(r->tar == NULL);
	(void)archive_read_support_format_tar(r->tar);
	(void)archive_read_support_format_empty(r->tar);
	if (archive_read_open(r->tar, r, NULL, on_read, NULL) != ARCHIVE_OK)
		return tar_failed(r, err);
	return read_entries(r, err);
}

/* Hits in the packed bytes that the unpacked ones do not explain: in a header's fields, in a frame
 * that unpacking passes over, behind the end. */
static void place_blob_hits(struct reading *r)
{
	const struct sb_search *blob = &r->in->blob_search;
	sb_autofree char *where =
		sb_asprintf("layer %zu: the compressed bytes themselves", r->layer + 1);

	for (size_t i = 0; i < blob->hits.len; i++) {
		bool is_known = sb_search_is_repeated(blob, i);

		SB_ARRAY_FOREACH (&r->in->tar_search.hits, hit)
			is_known = is_known ||
				   strcmp(hit->secret_id, blob->hits.items[i].secret_id) == 0;
		if (!is_known)
			sb_inspector_add_finding(r->in, &blob->hits.items[i], r->layer, where);
	}
}

static void note_failure(struct reading *r, struct sb_error *err)
{
	sb_strv_addf(&r->in->report->problems, "layer %zu: %s", r->layer + 1, err->message);
	sb_strv_addf(&r->in->report->not_scanned, "layer %zu: %s, from there on", r->layer + 1,
		err->message);
	sb_error_release(err);
}

static void read_stream(struct reading *r)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_layer_sums sums = {0};

	if (read_tar(r, &err) < 0)
		note_failure(r, &err);
	if (sb_layer_stream_finish(r->stream, &sums, &err) < 0)
		note_failure(r, &err);
	if (r->path != NULL)
		end_entry(r, UINT64_MAX);
	else
		place_hits(r, UINT64_MAX, "bytes behind the archive's end");
	place_blob_hits(r);
	r->report->digest = sums.digest;
	r->report->size_bytes = sums.blob_bytes;
	r->report->diff_id = sums.diff_id;
	r->report->tar_bytes = sums.tar_bytes;
	r->in->report->scanned_bytes += sums.tar_bytes;
}

void sb_inspector_read_layer(struct sb_inspector *in, size_t layer,
	const struct sb_byte_source *source, struct sb_layer_report *out,
	enum sb_layer_packing *out_packing)
{
	struct reading r = {.in = in, .report = out, .layer = layer};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	/* libarchive turns PAX names (always UTF-8) into the thread's character set: without this a
	 * name that is not ASCII comes back with question marks in it. */
	const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	const locale_t before = utf8 != (locale_t)0 ? uselocale(utf8) : (locale_t)0;

	*out_packing = SB_PACKED_NOT;
	sb_filesystem_begin_layer(in->fs, layer);
	r.hasher = sb_hasher_new();
	if (sb_layer_stream_open(source, &in->blob_search, &in->tar_search, in->blob_scanner,
		    in->tar_scanner, &r.stream, &err) < 0) {
		note_failure(&r, &err);
	} else {
		*out_packing = sb_layer_stream_packing(r.stream);
		read_stream(&r);
	}
	(void)archive_read_free(r.tar);
	sb_layer_stream_free(r.stream);
	sb_hasher_free(r.hasher);
	sb_strv_release(&r.entry_ids);
	sb_error_release(&r.error);
	free(r.path);
	if (utf8 != (locale_t)0) {
		(void)uselocale(before);
		freelocale(utf8);
	}
}
