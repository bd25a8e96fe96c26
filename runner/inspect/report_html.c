/* SPDX-License-Identifier: MIT */
#include "inspect/report_html.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/size.h"
#include "inspect/report_words.h"
#include "safebuild.h"

enum { MAX_HTML_BYTES = 64 << 20 /* lists and names are cut: a report is far below */ };

void sb_html_code(struct sb_html *html, const char *path)
{
	sb_html_add(html, "<code>");
	sb_html_path(html, path, SB_HTML_PATH_COLUMNS);
	sb_html_add(html, "</code>");
}

void sb_html_event(
	struct sb_html *html, const struct sb_inspection *in, const char *what, size_t layer)
{
	sb_autofree char *instruction = sb_layer_instruction_text(in, layer);

	sb_html_add(html, "<p class=\"event\">");
	sb_html_textf(html, "%s in layer %zu by ", what, layer + 1);
	sb_html_add(html, "<code>");
	sb_html_text_cut(html, instruction, SB_HTML_INSTRUCTION_COLUMNS);
	sb_html_add(html, "</code></p>\n");
}

void sb_html_more(struct sb_html *html, size_t n)
{
	sb_html_add(html, "<p class=\"dim\">");
	sb_html_textf(html, "and %zu more: ", n);
	sb_html_add(html, "<code>--format json</code> has all</p>\n");
}

static void add_field(struct sb_html *html, const char *label, const char *value)
{
	sb_html_add(html, "<dt>");
	sb_html_text(html, label);
	sb_html_add(html, "</dt><dd><code>");
	sb_html_path(html, value, SB_HTML_PATH_COLUMNS);
	sb_html_add(html, "</code></dd>\n");
}

static void add_image(
	struct sb_html *html, const struct sb_inspection *in, const struct sb_report_sums *sums)
{
	sb_autofree char *platform = sb_platform_format(&in->platform);
	sb_autofree char *packed = sb_size_format(sums->blob_bytes);
	sb_autofree char *unpacked = sb_size_format(sums->tar_bytes);
	sb_autofree char *visible = sb_size_format(in->visible_bytes);

	sb_html_add(html, "<dl>\n");
	if (sb_digest_is_set(&in->manifest_digest))
		add_field(html, "digest", in->manifest_digest.text);
	add_field(html, "platform", platform);
	add_field(html, "form", in->form);
	sb_html_add(html, "<dt>size</dt><dd>");
	sb_html_textf(
		html, "%s compressed, %s unpacked, %s in visible files", packed, unpacked, visible);
	sb_html_add(html, "</dd>\n<dt>user</dt><dd><code>");
	sb_html_path(html, in->user[0] != '\0' ? in->user : "(not set)", SB_HTML_PATH_COLUMNS);
	sb_html_add(html, "</code>");
	if (in->runs_as_root)
		sb_html_add(html, " <span class=\"warn\">runs as root; a USER instruction changes "
				  "that</span>");
	sb_html_add(html, "</dd>\n</dl>\n");
}

static void add_header(struct sb_html *html, const struct sb_inspection *in,
	const struct sb_findings *findings, const struct sb_report_sums *sums)
{
	static const char *const classes[] = {
		[SB_VERDICT_CLEAN] = "good",
		[SB_VERDICT_WASTE] = "warn",
		[SB_VERDICT_INCOMPLETE] = "warn",
		[SB_VERDICT_SUSPECT] = "bad",
		[SB_VERDICT_BROKEN] = "bad",
		[SB_VERDICT_LEAK] = "bad",
	};
	const enum sb_verdict verdict = sb_report_verdict(in, findings);
	sb_autofree char *text = sb_report_verdict_text(in, findings);
	sb_autofree char *counts = sb_report_counts_text(sums);
	sb_autofree char *opening = sb_asprintf("<header class=\"%s\">\n<p class=\"verdict\"><b "
						"class=\"%s\">%s</b> ",
		classes[verdict], classes[verdict], sb_verdict_word(verdict));

	sb_html_add(html, opening);
	sb_html_text(html, text);
	sb_html_add(html, " <span class=\"dim\">");
	sb_html_text(html, counts);
	sb_html_add(html, "</span></p>\n<h1>");
	sb_html_path(html, in->name != NULL ? in->name : "(no name)", SB_HTML_PATH_COLUMNS);
	sb_html_add(html, "</h1>\n");
	add_image(html, in, sums);
	sb_html_add(html, "<nav><a href=\"#findings\">findings</a> <a href=\"#layers\">layers</a> "
			  "<a href=\"#dead\">deleted but readable</a> <a "
			  "href=\"#hardening\">hardening</a> <a href=\"#proof\">what was "
			  "searched</a></nav>\n</header>\n<main>\n");
}

static void add_layer(
	struct sb_html *html, size_t number, const struct sb_layer_report *layer, uint64_t largest)
{
	sb_autofree char *size = sb_size_format(layer->size_bytes);
	sb_autofree char *dead = sb_size_format(layer->dead_bytes);
	sb_autofree char *instruction = sb_instruction_text(layer->created_by);
	/* Of the blob, as the bar is: what its payload lost, it lost in this proportion. */
	const double lost = layer->payload_bytes > 0
				    ? (double)layer->dead_bytes / (double)layer->payload_bytes
				    : 0;

	sb_html_add(html, "<li class=\"layer\"><span class=\"number dim\">");
	sb_html_textf(html, "%zu", number);
	sb_html_add(html, "</span><span class=\"size\">");
	sb_html_text(html, size);
	sb_html_add(html, "</span>");
	sb_html_bar(html, layer->size_bytes, (uint64_t)((double)layer->size_bytes * lost), largest);
	sb_html_add(html, "<code class=\"instruction\">");
	sb_html_text_cut(html, instruction, SB_HTML_INSTRUCTION_COLUMNS);
	sb_html_add(html, "</code><span class=\"more\">");
	sb_html_textf(html, "%" PRIu64 " changed, %" PRIu64 " removed",
		layer->n_entries - layer->n_whiteouts, layer->n_whiteouts);
	if (layer->dead_bytes > 0) {
		sb_html_add(html, ", <span class=\"warn\">");
		sb_html_textf(html, "%s dead", dead);
		sb_html_add(html, "</span>");
	}
	if (layer->is_foreign)
		sb_html_add(html, ", <span class=\"warn\">not in the image</span>");
	sb_html_add(html, "</span></li>\n");
}

static void add_layers(
	struct sb_html *html, const struct sb_inspection *in, const struct sb_report_sums *sums)
{
	size_t number = 0;

	sb_html_add(html, "<section id=\"layers\">\n<h2>Layers</h2>\n<ol>\n");
	SB_ARRAY_FOREACH (&in->layers, layer)
		add_layer(html, ++number, layer, sums->largest_blob_bytes);
	sb_html_add(html, "</ol>\n");
	if (number == 0)
		sb_html_add(html, "<p class=\"dim\">none</p>\n");
	sb_html_add(html, "</section>\n");
}

int sb_inspection_html(const struct sb_inspection *inspection, const struct sb_findings *findings,
	char **out, struct sb_error *err)
{
	struct sb_html html = {.text = SB_BUF_INIT(MAX_HTML_BYTES), .err = err};
	const struct sb_report_sums sums = sb_report_sums(inspection, findings);
	sb_autofree char *title =
		sb_asprintf("%s: inspected", inspection->name != NULL ? inspection->name : "image");

	sb_html_begin(&html, title);
	add_header(&html, inspection, findings, &sums);
	sb_html_findings(&html, inspection, findings);
	add_layers(&html, inspection, &sums);
	sb_html_dead(&html, inspection, &sums);
	sb_html_facts(&html, inspection);
	sb_html_proof(&html, inspection);
	sb_html_add(&html, "</main>\n<footer>safebuild " SB_VERSION
			   ": no secret's value is on this page</footer>\n");
	return sb_html_finish(&html, out);
}
