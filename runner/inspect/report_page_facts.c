/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/columns.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/size.h"
#include "inspect/report_page.h"
#include "inspect/report_words.h"
#include "leak/needles.h"

enum {
	MAX_PRIVILEGED_SHOWN = 30,
	MAX_CACHES_SHOWN = 30,
	MAX_PROGRAMS_SHOWN = 20,
	MAX_GAPS_SHOWN = 20,
	LABEL_COLUMNS = 20, /* two blanks, the label and its blank */
};

static void add_label(struct sb_page *page, const char *label)
{
	sb_page_addf(page, SB_PAGE_DIM, "  %-17s ", label);
}

static void add_none(struct sb_page *page, const char *label)
{
	add_label(page, label);
	sb_page_addf(page, SB_PAGE_GOOD, "none");
	sb_page_end_line(page);
}

/* A path and what there is to say of it, on the next line where one is not enough. */
static void add_path(struct sb_page *page, const char *label, const char *path, const char *what)
{
	sb_autofree char *safe = sb_escape_text(path, strlen(path));
	const size_t columns = LABEL_COLUMNS + sb_columns_of(safe) + 2 + sb_columns_of(what);
	const bool is_one_line = page->style->width == 0 || columns <= page->style->width;

	add_label(page, label);
	sb_page_add_path(page, SB_PAGE_WARN, path, sb_page_room(page, LABEL_COLUMNS));
	sb_page_addf(page, SB_PAGE_PLAIN, is_one_line ? "  " : "\n");
	if (is_one_line)
		sb_page_addf(page, SB_PAGE_DIM, "%s\n", what);
	else
		sb_page_add_wrapped(page, LABEL_COLUMNS + 2, "", SB_PAGE_DIM, what);
}

static void add_privileged_file(
	struct sb_page *page, const char *label, const struct sb_privileged_file *file)
{
	sb_autofree char *what = sb_asprintf("%04o %" PRIu32 ":%" PRIu32 ", layer %zu%s%s",
		(unsigned)file->mode & 07777U, file->uid, file->gid, file->layer + 1,
		file->capabilities != NULL ? ", " : "",
		file->capabilities != NULL ? file->capabilities : "");

	add_path(page, label, file->path, what);
}

static void add_privileged(struct sb_page *page, const struct sb_inspection *in)
{
	size_t n = 0;

	if (in->privileged.len == 0)
		add_none(page, "privileged files");
	SB_ARRAY_FOREACH (&in->privileged, file)
		if (n++ < MAX_PRIVILEGED_SHOWN)
			add_privileged_file(page, n == 1 ? "privileged files" : "", file);
	if (n > MAX_PRIVILEGED_SHOWN)
		sb_page_add_more(page, LABEL_COLUMNS, n - MAX_PRIVILEGED_SHOWN);
}

static void add_programs(struct sb_page *page, const char *label, const struct sb_strv *paths)
{
	SB_AUTO_STRV shown = SB_STRV_INIT;

	if (paths->len == 0) {
		add_none(page, label);
		return;
	}
	for (size_t i = 0; i < paths->len && i < MAX_PROGRAMS_SHOWN; i++)
		sb_strv_add(&shown, paths->items[i]);

	sb_autofree char *text = sb_strv_join(&shown, ", ");
	sb_autofree char *padded = sb_asprintf("%-17s ", label);

	sb_page_add_wrapped(page, 2, padded, SB_PAGE_PLAIN, text);
	if (paths->len > MAX_PROGRAMS_SHOWN)
		sb_page_add_more(page, LABEL_COLUMNS, paths->len - MAX_PROGRAMS_SHOWN);
}

static void add_cache(struct sb_page *page, const char *label, const struct sb_cache_finding *cache)
{
	sb_autofree char *live = sb_size_format(cache->live_bytes);
	sb_autofree char *dead = sb_size_format(cache->dead_bytes);
	sb_autofree char *files = sb_count_text(cache->n_files, "file");
	sb_autofree char *what = sb_asprintf("%s, layer %zu, %s: %s live, %s dead", cache->manager,
		cache->layer + 1, files, live, dead);

	add_path(page, label, cache->path, what);
}

static void add_caches(struct sb_page *page, const struct sb_inspection *in)
{
	size_t n = 0;

	if (in->caches.len == 0)
		add_none(page, "package caches");
	SB_ARRAY_FOREACH (&in->caches, cache)
		if (n++ < MAX_CACHES_SHOWN)
			add_cache(page, n == 1 ? "package caches" : "", cache);
	if (n > MAX_CACHES_SHOWN)
		sb_page_add_more(page, LABEL_COLUMNS, n - MAX_CACHES_SHOWN);
}

void sb_page_add_facts(struct sb_page *page, const struct sb_inspection *in)
{
	sb_page_add_title(page, "Hardening");
	add_privileged(page, in);
	add_programs(page, "shells", &in->shells);
	add_programs(page, "package managers", &in->package_managers);
	add_caches(page, in);
}

/* What makes "not found" a statement. */
static void add_searched(struct sb_page *page, const struct sb_inspection *in)
{
	sb_autofree char *bytes = sb_size_format(in->scanned_bytes);
	sb_autofree char *unpacked = sb_size_format(in->unpacked_bytes);
	sb_autofree char *files = sb_count_text(in->n_files_scanned, "file");
	sb_autofree char *blobs = sb_count_text(in->n_blobs_scanned, "blob");
	sb_autofree char *more =
		in->unpacked_bytes > 0
			? sb_asprintf(", and %s more unpacked from archives in them", unpacked)
			: sb_strdup("");
	sb_autofree char *text = sb_asprintf("%s in %s of %s%s", bytes, files, blobs, more);

	sb_page_add_wrapped(page, 2, "searched ", SB_PAGE_PLAIN, text);
}

static void add_secrets(struct sb_page *page, const struct sb_inspection *in)
{
	SB_AUTO_STRV forms = SB_STRV_INIT;
	sb_autofree char *places = sb_count_text(in->secrets.len, "place");

	sb_page_add_title(page, "Known secrets");
	if (in->n_secrets_searched == 0) {
		sb_page_addf(page, SB_PAGE_DIM, "  none was given, so none was searched for\n");
		add_searched(page, in);
		return;
	}
	sb_needle_form_names(&forms);

	sb_autofree char *form_list = sb_strv_join(&forms, ", ");
	sb_autofree char *id_list = sb_strv_join(&in->secret_ids, ", ");
	sb_autofree char *secrets = sb_count_text(in->n_secrets_searched, "secret");
	sb_autofree char *label = sb_asprintf("%s: ", secrets);

	if (in->secrets.len == 0)
		sb_page_addf(page, SB_PAGE_GOOD, "  no known secret found\n");
	else
		sb_page_addf(page, SB_PAGE_BAD, "  found in %s: see above\n", places);
	sb_page_add_wrapped(page, 2, label, SB_PAGE_PLAIN, id_list);
	sb_page_add_wrapped(page, 2, "forms: ", SB_PAGE_PLAIN, form_list);
	add_searched(page, in);
}

static void add_lines(struct sb_page *page, const char *title, enum sb_page_color color,
	const struct sb_strv *lines)
{
	if (lines->len == 0)
		return;
	sb_page_add_title(page, title);
	for (size_t i = 0; i < lines->len && i < MAX_GAPS_SHOWN; i++)
		sb_page_add_wrapped(page, 2, "", color, lines->items[i]);
	if (lines->len > MAX_GAPS_SHOWN)
		sb_page_add_more(page, 2, lines->len - MAX_GAPS_SHOWN);
}

void sb_page_add_proof(struct sb_page *page, const struct sb_inspection *in)
{
	SB_AUTO_STRV problems = SB_STRV_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	SB_AUTO_STRV gaps = SB_STRV_INIT;

	add_secrets(page, in);
	sb_report_problem_lines(in, false, &problems);
	sb_report_problem_lines(in, true, &warnings);
	sb_report_gap_lines(in, &gaps);
	add_lines(page, "Problems", SB_PAGE_BAD, &problems);
	add_lines(page, "Odd, but legal", SB_PAGE_WARN, &warnings);
	add_lines(page, "Not scanned", SB_PAGE_WARN, &gaps);
}
