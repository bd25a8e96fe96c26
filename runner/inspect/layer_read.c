/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "inspect/layer_private.h"
#include "inspect/notes.h"

static ssize_t next_piece(void *self, const void **out_bytes, struct sb_error *err)
{
	struct sb_layer_reading *r = self;

	return sb_layer_stream_next(r->stream, out_bytes, err);
}

static int read_entries(struct sb_layer_reading *r, struct sb_error *err)
{
	const struct sb_tar_entry *entry = NULL;

	for (;;) {
		if (sb_tar_reader_next(r->tar, &entry, err) < 0)
			return -1;
		if (entry == NULL)
			return 0;
		if (sb_layer_read_entry(r, entry, err) < 0)
			return -1;
	}
}

/* What stands behind the end, or behind damage, as a content of its own. */
struct rest {
	struct sb_layer_reading *r;
	const char *piece;
	size_t left;
	bool is_zero;
};

static ssize_t read_rest(void *self, void *room, size_t len, struct sb_error *err)
{
	struct rest *rest = self;

	if (rest->left == 0) {
		const void *bytes = NULL;
		const ssize_t got = sb_tar_reader_rest(rest->r->tar, &bytes, err);

		if (got <= 0)
			return got;
		rest->piece = bytes;
		rest->left = (size_t)got;
	}

	const size_t n = rest->left < len ? rest->left : len;

	for (size_t i = 0; i < n && rest->is_zero; i++)
		rest->is_zero = rest->piece[i] == '\0';
	memcpy(room, rest->piece, n);
	rest->piece += n;
	rest->left -= n;
	return (ssize_t)n;
}

static int search_rest(struct sb_layer_reading *r, bool is_damaged, struct sb_error *err)
{
	struct rest rest = {.r = r, .is_zero = true};
	const struct sb_source source = {read_rest, &rest};
	const struct sb_tar_region header = sb_tar_reader_header(r->tar);
	const uint64_t at = sb_tar_reader_offset(r->tar);
	sb_autofree char *where = sb_asprintf("layer %zu: bytes behind the %s", r->layer + 1,
		is_damaged ? "damage in the archive" : "archive's end");
	const struct sb_place place = {.layer = r->layer, .where = where};

	sb_sweep_begin_entry(r->in->sweep);
	(void)sb_sweep_raw(r->in->sweep, &place, header.offset, header.bytes, header.len);

	const int rc = sb_sweep_content(r->in->sweep, &place, &source, err);

	if (!rest.is_zero && !is_damaged)
		sb_report_problem(r->in->report, SB_PROBLEM_ARCHIVE, r->layer, NULL,
			"behind the archive's end, at byte %llu, there is more than zeros",
			(unsigned long long)at);
	return rc;
}

static void note_failure(struct sb_layer_reading *r, struct sb_error *err)
{
	sb_autofree char *why = sb_asprintf("%s, from there on", err->message);

	if (err->code == SB_E_UNSUPPORTED) {
		sb_report_gap(r->in->report, r->layer, NULL, err->message);
	} else {
		sb_report_problem(
			r->in->report, SB_PROBLEM_ARCHIVE, r->layer, NULL, "%s", err->message);
		sb_report_gap(r->in->report, r->layer, NULL, why);
	}
	sb_error_release(err);
}

/* Hits in the packed bytes that the unpacked ones do not explain: in a header's fields, in a frame
 * that unpacking passes over, behind the end. */
static void add_blob_hits(struct sb_layer_reading *r, size_t n_before)
{
	const struct sb_inspection *report = r->in->report;
	const struct sb_search *blob = &r->in->blob_search;
	sb_autofree char *where =
		sb_asprintf("layer %zu: the compressed bytes themselves", r->layer + 1);
	const struct sb_place place = {.layer = r->layer, .where = where};

	sb_sweep_begin_entry(r->in->sweep);
	SB_ARRAY_FOREACH (&blob->hits, hit) {
		bool is_known = false;

		for (size_t k = n_before; k < report->secrets.len && !is_known; k++)
			is_known = strcmp(report->secrets.items[k].secret_id,
					   hit->leak.secret_id) == 0;
		if (!is_known)
			sb_sweep_add_secret(r->in->sweep, &place, &hit->leak);
	}
}

static void read_stream(struct sb_layer_reading *r)
{
	const size_t n_before = r->in->report->secrets.len;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_layer_sums sums = {0};
	const bool is_damaged = read_entries(r, &err) < 0;

	(void)sb_contents_settle(r->in->contents);
	if (is_damaged)
		note_failure(r, &err);
	if (search_rest(r, is_damaged, &err) < 0)
		note_failure(r, &err);
	if (sb_layer_stream_finish(r->stream, &sums, &err) < 0)
		note_failure(r, &err);
	if (sums.trailing_bytes > 0 && !is_damaged)
		sb_report_problem(r->in->report, SB_PROBLEM_ARCHIVE, r->layer, NULL,
			"%llu bytes behind the compressed data",
			(unsigned long long)sums.trailing_bytes);
	add_blob_hits(r, n_before);
	r->report->digest = sums.digest;
	r->report->size_bytes = sums.blob_bytes;
	r->report->diff_id = sums.diff_id;
	r->report->tar_bytes = sums.tar_bytes;
	r->in->report->scanned_bytes += sums.tar_bytes;
	r->in->report->n_blobs_scanned++;
}

void sb_inspector_read_layer(struct sb_inspector *in, size_t layer,
	const struct sb_byte_source *source, struct sb_layer_report *out,
	enum sb_layer_packing *out_packing)
{
	struct sb_layer_reading r = {.in = in, .report = out, .layer = layer};
	const struct sb_tar_source pieces = {next_piece, &r};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	*out_packing = SB_PACKED_NOT;
	sb_filesystem_begin_layer(in->fs, layer);
	if (sb_layer_stream_open(source, &in->blob_search, in->blob_scanner, &r.stream, &err) < 0) {
		note_failure(&r, &err);
		return;
	}
	*out_packing = sb_layer_stream_packing(r.stream);
	r.tar = sb_tar_reader_new(&pieces);
	read_stream(&r);
	sb_tar_reader_free(r.tar);
	sb_layer_stream_free(r.stream);
}
