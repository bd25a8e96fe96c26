/* SPDX-License-Identifier: MIT */
#include "inspect/blob_check.h"

#include <string.h>

#include "base/charset.h"
#include "base/limits.h"
#include "inspect/notes.h"

/* A blob as a source that is hashed on the way. */
struct blob {
	struct sb_blob_reader *reader;
	struct sb_hasher *hasher;
	struct sb_buf *keep;
	struct sb_buf json; /* a copy, as long as it may be JSON */
	bool may_be_json;
	bool is_large; /* too large a JSON to be kept */
	uint64_t n_bytes;
};

/* A text of JSON that is worth reading is an object or a list. */
static void keep_json(struct blob *blob, const char *bytes, size_t len)
{
	SB_AUTO_ERROR full = SB_ERROR_INIT;

	if (blob->n_bytes == 0) {
		size_t i = 0;

		while (i < len && sb_char_in(bytes[i], " \t\r\n"))
			i++;
		blob->may_be_json = i < len && (bytes[i] == '{' || bytes[i] == '[');
	}
	if (!blob->may_be_json || sb_buf_add(&blob->json, bytes, len, &full) == 0)
		return;
	sb_buf_release(&blob->json);
	blob->may_be_json = false;
	blob->is_large = true;
}

static ssize_t read_blob(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct blob *blob = self;
	const ssize_t n = sb_blob_reader_read(blob->reader, bytes, len, err);

	if (n <= 0)
		return n;
	sb_hasher_add(blob->hasher, bytes, (size_t)n);
	keep_json(blob, bytes, (size_t)n);
	blob->n_bytes += (uint64_t)n;
	if (blob->keep != NULL) {
		SB_AUTO_ERROR full = SB_ERROR_INIT;

		if (sb_buf_add(blob->keep, bytes, (size_t)n, &full) < 0) {
			sb_buf_clear(blob->keep);
			blob->keep = NULL;
		}
	}
	return n;
}

bool sb_check_blob(struct sb_inspector *in, const char *where, struct sb_blob_reader *reader,
	struct sb_buf *keep, struct sb_blob_sums *out)
{
	struct blob blob = {.reader = reader,
		.hasher = sb_hasher_new(),
		.keep = keep,
		.json = SB_BUF_INIT(SB_MAX_JSON)};
	const struct sb_source source = {read_blob, &blob};
	const struct sb_place place = {.layer = SIZE_MAX, .where = where};
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	sb_sweep_begin_entry(in->sweep);

	const int rc = sb_sweep_content(in->sweep, &place, &source, &err);

	sb_hasher_finish(blob.hasher, &out->digest);
	sb_hasher_free(blob.hasher);
	if (blob.may_be_json)
		sb_sweep_json(in->sweep, &place, blob.json.data, blob.json.len);
	if (blob.is_large)
		sb_report_gap(in->report, SIZE_MAX, where,
			"JSON too large for the escapes in its strings to be undone");
	sb_buf_release(&blob.json);
	out->n_bytes = blob.n_bytes;
	in->report->scanned_bytes += blob.n_bytes;
	in->report->n_blobs_scanned++;
	if (rc < 0)
		sb_report_problem(
			in->report, SB_PROBLEM_MISSING, SIZE_MAX, where, "%s", err.message);
	return rc == 0;
}

void sb_check_bytes(struct sb_inspector *in, const char *where, const void *bytes, size_t len)
{
	const struct sb_place place = {.layer = SIZE_MAX, .where = where};

	sb_sweep_begin_entry(in->sweep);
	(void)sb_sweep_raw(in->sweep, &place, 0, bytes, len);
	sb_sweep_json(in->sweep, &place, bytes, len);
	in->report->scanned_bytes += len;
}

static bool is_zero(const char *bytes, size_t len)
{
	return len == 0 || (bytes[0] == '\0' && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Piece by piece: a value that a piece's end cuts is whole in the overlap with the next. */
int sb_check_between(struct sb_inspector *in, const char *where, uint64_t at,
	struct sb_blob_reader *reader, struct sb_error *err)
{
	enum { PIECE = 64 << 10, OVERLAP = 8 << 10 };
	const struct sb_place place = {.layer = SIZE_MAX, .where = where};
	char bytes[PIECE];
	size_t len = 0;
	ssize_t n = 0;

	sb_sweep_begin_entry(in->sweep);
	do {
		n = sb_blob_reader_read(reader, bytes + len, sizeof(bytes) - len, err);
		if (n < 0)
			return -1;
		len += (size_t)n;
		in->report->scanned_bytes += (uint64_t)n;
		if (n > 0 && len < sizeof(bytes))
			continue;
		if (!is_zero(bytes, len))
			(void)sb_sweep_raw(in->sweep, &place, at, bytes, len);
		if (n > 0) {
			memmove(bytes, bytes + len - OVERLAP, OVERLAP);
			at += len - OVERLAP;
			len = OVERLAP;
		}
	} while (n > 0);
	return 0;
}

static int base64_value(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

bool sb_base64_decode(const char *text, struct sb_buf *out)
{
	const size_t len = strlen(text);
	size_t n = len;
	unsigned bits = 0;
	unsigned n_bits = 0;

	while (n > 0 && len - n < 2 && text[n - 1] == '=')
		n--;
	if (len % 4 != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		const int value = base64_value(text[i]);
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (value < 0)
			return false;
		bits = (bits << 6 | (unsigned)value) & 0xffff;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;

		const char byte = (char)(bits >> n_bits & 0xff);

		if (sb_buf_add(out, &byte, 1, &err) < 0)
			return false;
	}
	return true;
}
