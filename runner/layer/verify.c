/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/mem.h"
#include "layer/apply.h"
#include "layer/place.h"
#include "layer/search_entry.h"
#include "layer/tar_input.h"

static int check_name(const char *name, struct sb_error *err)
{
	sb_autofree char *clean = NULL;

	return sb_place_clean(name, &clean, err);
}

static int check_entry(struct archive_entry *entry, struct sb_error *err)
{
	const char *name = archive_entry_pathname(entry);
	const char *target = archive_entry_hardlink(entry);

	if (name == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "an entry of the archive has no name");
	if (check_name(name, err) < 0)
		return -1;
	return target != NULL ? check_name(target, err) : 0;
}

/* What of the tar is in no entry: the fields of headers that nobody asks for, what fills blocks up
 * and what stands behind the end. The bytes of entries come by here too. */
struct raw {
	struct sb_scanner *scanner;
	bool is_found;
	struct sb_leak leak; /* the first */
};

static void raw_release(struct raw *raw)
{
	sb_scanner_free(raw->scanner);
}

static void on_bytes(void *self, const void *bytes, size_t len)
{
	const struct raw *raw = self;
	struct sb_leak unused;

	(void)sb_scanner_feed(raw->scanner, bytes, len, &unused);
}

/* A short secret could be one of the format's own words or numbers. */
static void on_find(void *self, const struct sb_leak *leak, uint64_t end)
{
	struct raw *raw = self;

	(void)end;
	if (raw->is_found || leak->is_token)
		return;
	raw->is_found = true;
	raw->leak = *leak;
}

static void raw_begin(struct raw *raw, const struct sb_scanner *scanner)
{
	raw->scanner = sb_scanner_new_sharing(scanner);
	sb_scanner_on_find(raw->scanner, on_find, raw);
	sb_scanner_begin(raw->scanner);
}

static int raw_end(struct raw *raw, struct sb_error *err)
{
	struct sb_leak unused;

	(void)sb_scanner_end(raw->scanner, &unused);
	if (!raw->is_found)
		return 0;
	return sb_fail(err, SB_E_LEAK,
		"secret '%s' found in a layer's tar, in none of its files (%s, at byte %" PRIu64
		")",
		raw->leak.secret_id, raw->leak.form, raw->leak.offset);
}

/* Entry by entry; `search` may be NULL. */
static int read_entries(struct sb_tar_input *input, struct sb_content_search *search,
	uint64_t *out_n_entries, struct sb_error *err)
{
	SB_AUTO_STRV lines = SB_STRV_INIT;
	struct sb_notes notes = {.lines = &lines};
	struct archive_entry *entry = NULL;

	for (;;) {
		if (sb_tar_input_next(input, &entry, &notes, err) < 0)
			return -1;
		if (entry == NULL)
			return 0;
		if (check_entry(entry, err) < 0 ||
			(search != NULL && sb_search_entry(search, input, entry, err) < 0))
			return -1;
		(*out_n_entries)++;
	}
}

static int verify(struct sb_reader from, struct sb_applied *out, struct sb_error *err)
{
	SB_AUTO(sb_tar_input) input = NULL;

	if (sb_tar_input_open(from, true, NULL, &input, err) < 0 ||
		read_entries(input, NULL, &out->n_entries, err) < 0)
		return -1;
	return sb_tar_input_finish(input, out, err);
}

static int verify_and_search(struct sb_reader from, const struct sb_scanner *scanner,
	struct sb_applied *out, struct sb_error *err)
{
	__attribute__((cleanup(raw_release))) struct raw raw = {0};
	SB_AUTO(sb_content_search) search = sb_content_search_new(scanner);
	SB_AUTO(sb_tar_input) input = NULL;

	raw_begin(&raw, scanner);
	if (sb_tar_input_open(from, true, &(struct sb_tar_watcher){on_bytes, &raw}, &input, err) <
			0 ||
		read_entries(input, search, &out->n_entries, err) < 0 ||
		sb_tar_input_finish(input, out, err) < 0)
		return -1;
	return raw_end(&raw, err);
}

int sb_layer_verify(struct sb_reader from, const struct sb_scanner *scanner, struct sb_applied *out,
	struct sb_error *err)
{
	struct sb_applied verified = {0};

	if ((scanner != NULL && sb_scanner_is_active(scanner)
			    ? verify_and_search(from, scanner, &verified, err)
			    : verify(from, &verified, err)) < 0)
		return -1;
	*out = verified;
	return 0;
}
