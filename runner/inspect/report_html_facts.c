/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/mem.h"
#include "base/size.h"
#include "inspect/report_html.h"
#include "inspect/report_words.h"
#include "leak/needles.h"

enum { MAX_ITEMS_SHOWN = 100 /* of one kind */ };

static void begin_field(struct sb_html *html, const char *label, size_t n)
{
	sb_html_add(html, "<dt>");
	sb_html_text(html, label);
	sb_html_add(html, "</dt><dd>");
	if (n == 0)
		sb_html_add(html, "<span class=\"good\">none</span>");
}

static void end_field(struct sb_html *html, size_t n)
{
	if (n > MAX_ITEMS_SHOWN)
		sb_html_more(html, n - MAX_ITEMS_SHOWN);
	sb_html_add(html, "</dd>\n");
}

static void add_privileged(struct sb_html *html, const struct sb_inspection *in)
{
	size_t n = 0;

	begin_field(html, "privileged files", in->privileged.len);
	SB_ARRAY_FOREACH (&in->privileged, file) {
		if (n++ == MAX_ITEMS_SHOWN)
			break;
		sb_html_add(html, "<div>");
		sb_html_code(html, file->path);
		sb_html_add(html, " <span class=\"dim\">");
		sb_html_textf(html, "%04o %" PRIu32 ":%" PRIu32 ", layer %zu",
			(unsigned)file->mode & 07777U, file->uid, file->gid, file->layer + 1);
		sb_html_add(html, "</span> ");
		if (file->capabilities != NULL)
			sb_html_code(html, file->capabilities);
		sb_html_add(html, "</div>\n");
	}
	end_field(html, in->privileged.len);
}

static void add_paths(struct sb_html *html, const char *label, const struct sb_strv *paths)
{
	begin_field(html, label, paths->len);
	for (size_t i = 0; i < paths->len && i < MAX_ITEMS_SHOWN; i++) {
		if (i > 0)
			sb_html_add(html, ", ");
		sb_html_code(html, paths->items[i]);
	}
	end_field(html, paths->len);
}

static void add_caches(struct sb_html *html, const struct sb_inspection *in)
{
	size_t n = 0;

	begin_field(html, "package caches", in->caches.len);
	SB_ARRAY_FOREACH (&in->caches, cache) {
		if (n++ == MAX_ITEMS_SHOWN)
			break;

		sb_autofree char *live = sb_size_format(cache->live_bytes);
		sb_autofree char *dead = sb_size_format(cache->dead_bytes);
		sb_autofree char *files = sb_count_text(cache->n_files, "file");

		sb_html_add(html, "<div>");
		sb_html_code(html, cache->path);
		sb_html_add(html, " <span class=\"warn\">");
		sb_html_textf(html, "%s live, %s dead", live, dead);
		sb_html_add(html, "</span> <span class=\"dim\">");
		sb_html_textf(html, "%s, layer %zu, %s", cache->manager, cache->layer + 1, files);
		sb_html_add(html, "</span></div>\n");
	}
	end_field(html, in->caches.len);
}

void sb_html_facts(struct sb_html *html, const struct sb_inspection *in)
{
	sb_html_add(html, "<section id=\"hardening\">\n<h2>Hardening</h2>\n<dl>\n");
	add_privileged(html, in);
	add_paths(html, "shells", &in->shells);
	add_paths(html, "package managers", &in->package_managers);
	add_caches(html, in);
	sb_html_add(html, "</dl>\n</section>\n");
}

static void add_secret(struct sb_html *html, const struct sb_secret_finding *finding)
{
	sb_html_add(html, "<li><b class=\"bad\">");
	sb_html_text_cut(html, finding->secret_id, 60);
	sb_html_add(html, "</b> ");
	sb_html_textf(html, "(%s) in ", finding->form);
	sb_html_code(html, finding->where);
	if (finding->inside != NULL && finding->inside[0] != '\0') {
		sb_html_add(html, " &gt; ");
		sb_html_code(html, finding->inside);
	}
	sb_html_add(html, "<span class=\"dim\">");
	sb_html_textf(html, ", byte %" PRIu64, finding->offset);
	sb_html_add(html, "</span></li>\n");
}

static void add_secrets(struct sb_html *html, const struct sb_inspection *in)
{
	size_t n = 0;

	if (in->n_secrets_searched == 0) {
		sb_html_add(html, "<p class=\"dim\">no known secret was given, so none was "
				  "searched for</p>\n");
		return;
	}
	if (in->secrets.len == 0)
		sb_html_add(html, "<p class=\"good\">no known secret found</p>\n");
	sb_html_add(html, "<ul>\n");
	SB_ARRAY_FOREACH (&in->secrets, finding)
		if (n++ < MAX_ITEMS_SHOWN)
			add_secret(html, finding);
	sb_html_add(html, "</ul>\n");
	if (n > MAX_ITEMS_SHOWN)
		sb_html_more(html, n - MAX_ITEMS_SHOWN);
}

static void add_list_field(struct sb_html *html, const char *label, const struct sb_strv *words)
{
	sb_autofree char *text = sb_strv_join(words, ", ");

	begin_field(html, label, words->len);
	sb_html_text_cut(html, text, SB_HTML_INSTRUCTION_COLUMNS * 4);
	sb_html_add(html, "</dd>\n");
}

static void add_searched(struct sb_html *html, const struct sb_inspection *in)
{
	SB_AUTO_STRV forms = SB_STRV_INIT;
	sb_autofree char *bytes = sb_size_format(in->scanned_bytes);
	sb_autofree char *unpacked = sb_size_format(in->unpacked_bytes);
	sb_autofree char *files = sb_count_text(in->n_files_scanned, "file");
	sb_autofree char *blobs = sb_count_text(in->n_blobs_scanned, "blob");

	sb_needle_form_names(&forms);
	sb_html_add(html, "<dl>\n");
	if (in->n_secrets_searched > 0) {
		add_list_field(html, "secrets, by id", &in->secret_ids);
		add_list_field(html, "forms", &forms);
	}
	sb_html_add(html, "<dt>searched</dt><dd>");
	sb_html_textf(html, "%s in %s of %s, and %s more unpacked from archives in them", bytes,
		files, blobs, unpacked);
	sb_html_add(html, "</dd>\n</dl>\n");
}

static void add_lines(
	struct sb_html *html, const char *title, const char *color, const struct sb_strv *lines)
{
	if (lines->len == 0)
		return;

	sb_autofree char *opening = sb_asprintf("<h2 class=\"%s\">%s</h2>\n<ul>\n", color, title);

	sb_html_add(html, opening);
	for (size_t i = 0; i < lines->len && i < MAX_ITEMS_SHOWN; i++) {
		sb_html_add(html, "<li>");
		sb_html_path(html, lines->items[i], SB_HTML_PATH_COLUMNS * 2);
		sb_html_add(html, "</li>\n");
	}
	sb_html_add(html, "</ul>\n");
	if (lines->len > MAX_ITEMS_SHOWN)
		sb_html_more(html, lines->len - MAX_ITEMS_SHOWN);
}

void sb_html_proof(struct sb_html *html, const struct sb_inspection *in)
{
	SB_AUTO_STRV problems = SB_STRV_INIT;
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	SB_AUTO_STRV gaps = SB_STRV_INIT;

	sb_report_problem_lines(in, false, &problems);
	sb_report_problem_lines(in, true, &warnings);
	sb_report_gap_lines(in, &gaps);
	sb_html_add(html, "<section id=\"proof\">\n<h2>What was searched</h2>\n");
	add_secrets(html, in);
	add_searched(html, in);
	add_lines(html, "Problems", "bad", &problems);
	add_lines(html, "Odd, but legal", "warn", &warnings);
	add_lines(html, "Not scanned", "warn", &gaps);
	sb_html_add(html, "</section>\n");
}
