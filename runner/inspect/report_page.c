/* SPDX-License-Identifier: MIT */
#include "inspect/report_page.h"

#include <inttypes.h>
#include <string.h>

#include "base/columns.h"
#include "base/mem.h"
#include "base/size.h"
#include "inspect/report_words.h"

enum {
	MAX_PAGE_BYTES = 64 << 20, /* only a hostile image has names for more than that */
	MAX_DEAD_SHOWN = 40,
	LABEL_COLUMNS = 9,       /* a digest then has room in 80 */
	MAX_EVENT_COLUMNS = 120, /* of a page without a width; the table of layers has all */
};

static void add_label(struct sb_page *page, const char *label)
{
	sb_page_addf(page, SB_PAGE_DIM, "%-*s", LABEL_COLUMNS, label);
}

static void add_field(struct sb_page *page, const char *label, const char *value)
{
	add_label(page, label);
	sb_page_add_path(page, SB_PAGE_PLAIN, value, sb_page_room(page, LABEL_COLUMNS));
	sb_page_end_line(page);
}

static void add_sizes(
	struct sb_page *page, const struct sb_inspection *in, const struct sb_report_sums *sums)
{
	sb_autofree char *packed = sb_size_format(sums->blob_bytes);
	sb_autofree char *unpacked = sb_size_format(sums->tar_bytes);
	sb_autofree char *visible = sb_size_format(in->visible_bytes);

	add_label(page, "size");
	sb_page_addf(page, SB_PAGE_BOLD, "%s", packed);
	sb_page_addf(page, SB_PAGE_PLAIN, " compressed, %s unpacked, %s in visible files", unpacked,
		visible);
	sb_page_end_line(page);
}

static void add_user(struct sb_page *page, const struct sb_inspection *in)
{
	add_label(page, "user");
	sb_page_add_text(page, in->runs_as_root ? SB_PAGE_WARN : SB_PAGE_PLAIN,
		in->user[0] != '\0' ? in->user : "(not set)",
		sb_page_room(page, LABEL_COLUMNS + 49));
	if (in->runs_as_root)
		sb_page_addf(page, SB_PAGE_WARN, "  runs as root; a USER instruction changes that");
	sb_page_end_line(page);
}

static void add_header(
	struct sb_page *page, const struct sb_inspection *in, const struct sb_report_sums *sums)
{
	sb_autofree char *platform = sb_platform_format(&in->platform);

	add_label(page, "image");
	sb_page_add_path(page, SB_PAGE_BOLD, in->name != NULL ? in->name : "(no name)",
		sb_page_room(page, LABEL_COLUMNS));
	sb_page_end_line(page);
	add_field(page, "form", in->form);
	add_field(page, "platform", platform);
	if (sb_digest_is_set(&in->manifest_digest)) {
		add_label(page, "digest");
		sb_page_addf(page, SB_PAGE_PLAIN, "%s\n", in->manifest_digest.text);
	}
	add_sizes(page, in, sums);
	add_user(page, in);
}

/* Which columns of the table have room. */
struct layer_columns {
	unsigned bar;
	bool has_counts;
	size_t used;
};

static struct layer_columns layer_columns(const struct sb_page *page)
{
	const unsigned width = page->style->width;
	struct layer_columns columns = {
		.bar = width == 0 || width >= 84 ? 10 : 0, .has_counts = width == 0 || width >= 60};

	columns.used = 3 + 2 + 9 + 2 + (columns.bar > 0 ? columns.bar + 2 : 0) +
		       (columns.has_counts ? 2 * 9 : 0) + 9 + 2;
	return columns;
}

static void add_layer_head(struct sb_page *page, const struct layer_columns *columns)
{
	sb_page_addf(page, SB_PAGE_DIM, "%3s  %9s  ", "#", "size");
	if (columns->bar > 0)
		sb_page_addf(page, SB_PAGE_DIM, "%*s", (int)columns->bar + 2, "");
	if (columns->has_counts)
		sb_page_addf(page, SB_PAGE_DIM, "%7s  %7s  ", "changes", "removes");
	sb_page_addf(page, SB_PAGE_DIM, "%9s  %s", "dead", "instruction");
	sb_page_end_line(page);
}

static void add_layer(struct sb_page *page, size_t number, const struct sb_layer_report *layer,
	const struct layer_columns *columns, uint64_t largest)
{
	sb_autofree char *size = sb_size_format(layer->size_bytes);
	sb_autofree char *dead = sb_size_format(layer->dead_bytes);
	sb_autofree char *instruction = sb_instruction_text(layer->created_by);

	sb_page_addf(page, SB_PAGE_PLAIN, "%3zu  %9s  ", number, size);
	if (columns->bar > 0) {
		sb_page_add_bar(page, SB_PAGE_GOOD, layer->size_bytes, largest, columns->bar);
		sb_page_addf(page, SB_PAGE_PLAIN, "  ");
	}
	if (columns->has_counts)
		sb_page_addf(page, SB_PAGE_PLAIN, "%7" PRIu64 "  %7" PRIu64 "  ",
			layer->n_entries - layer->n_whiteouts, layer->n_whiteouts);
	sb_page_addf(page, layer->dead_bytes > 0 ? SB_PAGE_WARN : SB_PAGE_DIM, "%9s",
		layer->dead_bytes > 0 ? dead : "-");
	sb_page_addf(page, SB_PAGE_PLAIN, "  ");
	if (layer->is_foreign)
		sb_page_addf(page, SB_PAGE_WARN, "(not in the image) ");
	sb_page_add_text(page, layer->created_by != NULL ? SB_PAGE_PLAIN : SB_PAGE_DIM, instruction,
		sb_page_room(page, columns->used + (layer->is_foreign ? 19 : 0)));
	sb_page_end_line(page);
}

static void add_layers(
	struct sb_page *page, const struct sb_inspection *in, const struct sb_report_sums *sums)
{
	const struct layer_columns columns = layer_columns(page);
	size_t number = 0;

	sb_page_add_title(page, "Layers");
	add_layer_head(page, &columns);
	SB_ARRAY_FOREACH (&in->layers, layer)
		add_layer(page, ++number, layer, &columns, sums->largest_blob_bytes);
	if (number == 0)
		sb_page_addf(page, SB_PAGE_DIM, "     none\n");
}

void sb_page_add_event(
	struct sb_page *page, const struct sb_inspection *in, const char *what, size_t layer)
{
	sb_autofree char *instruction = sb_layer_instruction_text(in, layer);
	sb_autofree char *start = sb_asprintf("      %s in layer %zu by ", what, layer + 1);
	const size_t room = sb_page_room(page, strlen(start));

	sb_page_addf(page, SB_PAGE_DIM, "%s", start);
	sb_page_add_text(page, SB_PAGE_PLAIN, instruction,
		room > 0 ? room : MAX_EVENT_COLUMNS - strlen(start));
	sb_page_end_line(page);
}

void sb_page_add_more(struct sb_page *page, size_t indent, size_t n)
{
	sb_page_addf(
		page, SB_PAGE_DIM, "%*sand %zu more: --format json has all\n", (int)indent, "", n);
}

/* Not cut, since a cut command is none; a path that fills a screen has none. */
static void add_cat_command(struct sb_page *page, const struct sb_dead_file *file)
{
	enum { MAX_COMMAND_COLUMNS = 400 };
	sb_autofree char *command =
		sb_cat_command(page->style->image, file->added_layer, file->path);

	if (sb_columns_of(command) <= MAX_COMMAND_COLUMNS)
		sb_page_addf(page, SB_PAGE_DIM, "      %s\n", command);
}

static void add_dead_file(
	struct sb_page *page, const struct sb_inspection *in, const struct sb_dead_file *file)
{
	sb_autofree char *size = sb_size_format(file->size_bytes);

	sb_page_addf(page, SB_PAGE_PLAIN, "  ");
	sb_page_add_path(page, SB_PAGE_WARN, file->path, sb_page_room(page, 14));
	sb_page_addf(page, SB_PAGE_PLAIN, "  %s\n", size);
	sb_page_add_event(page, in, "added", file->added_layer);
	sb_page_add_event(page, in, file->cause, file->removed_layer);
	if (file->is_visible_elsewhere)
		sb_page_addf(page, SB_PAGE_DIM, "      a visible file has the same content\n");
	add_cat_command(page, file);
}

static void add_causes(struct sb_page *page, const struct sb_inspection *in)
{
	struct sb_dead_causes causes = {0};

	sb_report_causes(in, &causes);
	sb_page_add_title(page, "Dead bytes by cause");
	SB_ARRAY_FOREACH (&causes, cause) {
		sb_autofree char *size = sb_size_format(cause->bytes);
		sb_autofree char *files = sb_count_text(cause->n_files, "file");

		sb_page_addf(page, SB_PAGE_PLAIN, "  %9s  %14s  ", size, files);
		sb_page_add_bar(page, SB_PAGE_WARN, cause->bytes, causes.items[0].bytes, 10);
		sb_page_addf(page, SB_PAGE_PLAIN, "  %s\n", cause->cause);
	}
	SB_ARRAY_RELEASE(&causes);
}

static void add_dead(
	struct sb_page *page, const struct sb_inspection *in, const struct sb_report_sums *sums)
{
	sb_autofree char *total = sb_size_format(sums->dead_bytes);
	sb_autofree char *files = sb_count_text(in->dead.len, "file");

	sb_page_add_title(page, "Deleted but still readable");
	if (in->dead.len == 0) {
		sb_page_addf(page, SB_PAGE_GOOD, "  nothing");
		sb_page_end_line(page);
		return;
	}
	sb_autofree const struct sb_dead_file **sorted = sb_report_dead_by_size(in);

	for (size_t i = 0; i < in->dead.len && i < MAX_DEAD_SHOWN; i++)
		add_dead_file(page, in, sorted[i]);
	if (in->dead.len > MAX_DEAD_SHOWN)
		sb_page_addf(page, SB_PAGE_DIM, "  and %zu smaller ones: --format json has all\n",
			in->dead.len - MAX_DEAD_SHOWN);
	sb_page_addf(page, SB_PAGE_PLAIN, "  %s, %s\n", files, total);
	add_causes(page, in);
}

static void add_verdict(struct sb_page *page, const struct sb_inspection *in,
	const struct sb_findings *findings, const struct sb_report_sums *sums)
{
	static const enum sb_page_color colors[] = {
		[SB_VERDICT_CLEAN] = SB_PAGE_GOOD,
		[SB_VERDICT_WASTE] = SB_PAGE_WARN,
		[SB_VERDICT_INCOMPLETE] = SB_PAGE_WARN,
		[SB_VERDICT_SUSPECT] = SB_PAGE_BAD,
		[SB_VERDICT_BROKEN] = SB_PAGE_BAD,
		[SB_VERDICT_LEAK] = SB_PAGE_BAD,
	};
	const enum sb_verdict verdict = sb_report_verdict(in, findings);
	sb_autofree char *text = sb_report_verdict_text(in, findings);
	sb_autofree char *all = sb_report_counts_text(sums);
	sb_autofree char *counts = sb_asprintf("(%s)", all);
	sb_autofree char *line = sb_asprintf("%s: %s", sb_verdict_word(verdict), text);
	const size_t columns = sb_columns_of(line) + 1 + strlen(counts);

	sb_page_addf(page, colors[verdict], "%s", line);
	if (sums->n_standing + sums->n_waived > 0) {
		const bool is_one_line = page->style->width == 0 || columns <= page->style->width;

		sb_page_addf(page, SB_PAGE_PLAIN, is_one_line ? " " : "\n  ");
		sb_page_addf(page, SB_PAGE_DIM, "%s", counts);
	}
	sb_page_end_line(page);
}

int sb_inspection_page(const struct sb_inspection *inspection, const struct sb_findings *findings,
	const struct sb_report_style *style, char **out, struct sb_error *err)
{
	struct sb_page page = {.text = SB_BUF_INIT(MAX_PAGE_BYTES), .style = style, .err = err};
	const struct sb_report_sums sums = sb_report_sums(inspection, findings);

	add_verdict(&page, inspection, findings, &sums);
	sb_page_end_line(&page);
	add_header(&page, inspection, &sums);
	sb_page_add_findings(&page, inspection, findings);
	add_layers(&page, inspection, &sums);
	add_dead(&page, inspection, &sums);
	sb_page_add_facts(&page, inspection);
	sb_page_add_proof(&page, inspection);
	/* On a terminal a long page's beginning is out of sight. */
	sb_page_end_line(&page);
	add_verdict(&page, inspection, findings, &sums);
	if (sb_error_is_set(err)) {
		sb_buf_release(&page.text);
		return -1;
	}
	*out = sb_buf_steal(&page.text);
	return 0;
}
