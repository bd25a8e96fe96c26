/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "inspect/inspect.h"
#include "inspect/page.h"
#include "leak/needles.h"

enum {
	MAX_PAGE_BYTES = 64 << 20, /* only a hostile image has names for more than that */
	MAX_DEAD_SHOWN = 40,
	MAX_FINDINGS_SHOWN = 100,
};

static void add_title(struct sb_page *page, const char *title)
{
	sb_page_addf(page, SB_PAGE_PLAIN, "\n");
	sb_page_addf(page, SB_PAGE_BOLD, "%s", title);
	sb_page_addf(page, SB_PAGE_PLAIN, "\n");
}

static void add_field(struct sb_page *page, const char *label, const char *value)
{
	sb_page_addf(page, SB_PAGE_DIM, "%-9s", label);
	sb_page_addf(page, SB_PAGE_PLAIN, " ");
	sb_page_add_text(page, SB_PAGE_PLAIN, value, 0);
	sb_page_addf(page, SB_PAGE_PLAIN, "\n");
}

static void add_header(struct sb_page *page, const struct sb_inspection *in)
{
	sb_autofree char *platform = sb_platform_format(&in->platform);

	add_field(page, "image", in->name != NULL ? in->name : "(no name)");
	add_field(page, "form", in->form);
	add_field(page, "platform", platform);
	if (sb_digest_is_set(&in->manifest_digest))
		add_field(page, "digest", in->manifest_digest.text);
	sb_page_addf(page, SB_PAGE_DIM, "%-9s", "user");
	sb_page_addf(page, SB_PAGE_PLAIN, " ");
	sb_page_add_text(page, in->runs_as_root ? SB_PAGE_WARN : SB_PAGE_PLAIN,
		in->user[0] != '\0' ? in->user : "(not set)", 0);
	if (in->runs_as_root)
		sb_page_addf(page, SB_PAGE_WARN,
			"  warning: runs as root; a USER instruction changes that");
	sb_page_addf(page, SB_PAGE_PLAIN, "\n");
}

static void add_layer(struct sb_page *page, size_t number, const struct sb_layer_report *layer)
{
	sb_autofree char *size = sb_size_format(layer->size_bytes);
	sb_autofree char *dead = sb_size_format(layer->dead_bytes);
	sb_autofree char *instruction = sb_instruction_text(layer->created_by);
	const uint64_t n_changes = layer->n_entries - layer->n_whiteouts;

	sb_page_addf(page, SB_PAGE_PLAIN, "%3zu  %9s  %7" PRIu64 "  %7" PRIu64 "  ", number, size,
		n_changes, layer->n_whiteouts);
	sb_page_addf(page, layer->dead_bytes > 0 ? SB_PAGE_WARN : SB_PAGE_DIM, "%9s",
		layer->dead_bytes > 0 ? dead : "-");
	sb_page_addf(page, SB_PAGE_PLAIN, "  ");
	sb_page_add_text(page, layer->created_by != NULL ? SB_PAGE_PLAIN : SB_PAGE_DIM, instruction,
		sb_page_room(page, 45));
	sb_page_addf(page, SB_PAGE_PLAIN, "\n");
}

static void add_layers(struct sb_page *page, const struct sb_inspection *in)
{
	size_t number = 0;

	add_title(page, "Layers");
	sb_page_addf(page, SB_PAGE_DIM, "%3s  %9s  %7s  %7s  %9s  %s", "#", "size", "changes",
		"removes", "dead", "instruction");
	sb_page_addf(page, SB_PAGE_PLAIN, "\n");
	SB_ARRAY_FOREACH (&in->layers, layer)
		add_layer(page, ++number, layer);
	if (number == 0)
		sb_page_addf(page, SB_PAGE_DIM, "     none\n");
}

static const char *instruction_of(const struct sb_inspection *in, size_t layer)
{
	return layer < in->layers.len ? in->layers.items[layer].created_by : NULL;
}

static void add_event(
	struct sb_page *page, const struct sb_inspection *in, const char *what, size_t layer)
{
	sb_autofree char *instruction = sb_instruction_text(instruction_of(in, layer));
	sb_autofree char *start = sb_asprintf("      %s in layer %zu by ", what, layer + 1);

	sb_page_addf(page, SB_PAGE_DIM, "%s", start);
	sb_page_add_text(page, SB_PAGE_PLAIN, instruction, sb_page_room(page, strlen(start)));
	sb_page_addf(page, SB_PAGE_PLAIN, "\n");
}

static int by_size_then_place(const void *a, const void *b)
{
	const struct sb_dead_file *x = *(const struct sb_dead_file *const *)a;
	const struct sb_dead_file *y = *(const struct sb_dead_file *const *)b;

	if (x->size_bytes != y->size_bytes)
		return x->size_bytes > y->size_bytes ? -1 : 1;
	return x < y ? -1 : x > y;
}

static uint64_t dead_total(const struct sb_inspection *in)
{
	uint64_t total = 0;

	SB_ARRAY_FOREACH (&in->layers, layer)
		total += layer->dead_bytes;
	return total;
}

static void add_dead(struct sb_page *page, const struct sb_inspection *in)
{
	sb_autofree char *total = sb_size_format(dead_total(in));
	sb_autofree const struct sb_dead_file **sorted =
		sb_calloc(in->dead.len + 1, sizeof(sorted[0]));
	size_t n = 0;

	add_title(page, "Deleted but still readable");
	if (in->dead.len == 0) {
		sb_page_addf(page, SB_PAGE_GOOD, "  nothing");
		sb_page_addf(page, SB_PAGE_PLAIN, "\n");
		return;
	}
	SB_ARRAY_FOREACH (&in->dead, file)
		sorted[n++] = file;
	qsort(sorted, n, sizeof(sorted[0]), by_size_then_place);
	for (size_t i = 0; i < n && i < MAX_DEAD_SHOWN; i++) {
		const struct sb_dead_file *file = sorted[i];
		sb_autofree char *size = sb_size_format(file->size_bytes);

		sb_page_addf(page, SB_PAGE_PLAIN, "  ");
		sb_page_add_text(page, SB_PAGE_WARN, file->path, 0);
		sb_page_addf(page, SB_PAGE_PLAIN, "  %s\n", size);
		add_event(page, in, "added", file->added_layer);
		add_event(page, in, file->cause, file->removed_layer);
	}
	if (n > MAX_DEAD_SHOWN)
		sb_page_addf(page, SB_PAGE_PLAIN,
			"  and %zu smaller ones (the JSON report lists all)\n", n - MAX_DEAD_SHOWN);
	sb_page_addf(page, SB_PAGE_PLAIN, "  %zu file%s, %s\n", n, n == 1 ? "" : "s", total);
}

static void add_finding(struct sb_page *page, const struct sb_secret_finding *finding)
{
	sb_page_addf(page, SB_PAGE_BAD, "  secret ");
	sb_page_add_text(page, SB_PAGE_BAD, finding->secret_id, 0);
	sb_page_addf(page, SB_PAGE_PLAIN, " (%s) in ", finding->form);
	sb_page_add_text(page, SB_PAGE_PLAIN, finding->where, 0);
	sb_page_addf(page, SB_PAGE_DIM, ", byte %" PRIu64, finding->offset);
	sb_page_addf(page, SB_PAGE_PLAIN, "\n");
}

static void add_secrets(struct sb_page *page, const struct sb_inspection *in)
{
	sb_autofree char *scanned = sb_size_format(in->scanned_bytes);
	SB_AUTO_STRV forms = SB_STRV_INIT;
	size_t n = 0;

	add_title(page, "Known secrets");
	if (in->n_secrets_searched == 0) {
		sb_page_addf(page, SB_PAGE_DIM, "  none was given, so none was searched for");
		sb_page_addf(page, SB_PAGE_PLAIN, "\n");
		return;
	}
	sb_needle_form_names(&forms);

	sb_autofree char *form_list = sb_strv_join(&forms, ", ");

	SB_ARRAY_FOREACH (&in->secrets, finding)
		if (n++ < MAX_FINDINGS_SHOWN)
			add_finding(page, finding);
	if (n > MAX_FINDINGS_SHOWN)
		sb_page_addf(page, SB_PAGE_PLAIN,
			"  and %zu more places (the JSON report lists all)\n",
			n - MAX_FINDINGS_SHOWN);
	if (n == 0)
		sb_page_addf(page, SB_PAGE_GOOD, "  no known secret found");
	else
		sb_page_addf(page, SB_PAGE_BAD, "  found in %zu place%s", n, n == 1 ? "" : "s");
	sb_page_addf(page, SB_PAGE_PLAIN, ": searched %zu secret%s in %s, forms %s\n",
		in->n_secrets_searched, in->n_secrets_searched == 1 ? "" : "s", scanned, form_list);
}

static void add_list(struct sb_page *page, const char *title, enum sb_page_color color,
	const struct sb_strv *lines)
{
	if (lines->len == 0)
		return;
	add_title(page, title);
	for (size_t i = 0; i < lines->len; i++) {
		sb_page_addf(page, SB_PAGE_PLAIN, "  ");
		sb_page_add_text(page, color, lines->items[i], 0);
		sb_page_addf(page, SB_PAGE_PLAIN, "\n");
	}
}

/* The worst that was found, in one line. */
static void add_verdict(struct sb_page *page, const struct sb_inspection *in)
{
	sb_autofree char *dead = sb_size_format(dead_total(in));

	sb_page_addf(page, SB_PAGE_PLAIN, "\n");
	if (in->secrets.len > 0)
		sb_page_addf(page, SB_PAGE_BAD, "LEAK: the image holds a known secret");
	else if (in->problems.len > 0)
		sb_page_addf(page, SB_PAGE_BAD, "BROKEN: the image is not what it claims to be");
	else if (in->not_scanned.len > 0)
		sb_page_addf(page, SB_PAGE_WARN, "INCOMPLETE: not everything could be looked at");
	else if (in->dead.len > 0)
		sb_page_addf(page, SB_PAGE_WARN, "WASTE: %s deleted but still in the image", dead);
	else
		sb_page_addf(page, SB_PAGE_GOOD, "CLEAN%s",
			in->n_secrets_searched > 0
				? ": no known secret, nothing deleted left behind"
				: ": nothing deleted left behind");
	sb_page_addf(page, SB_PAGE_PLAIN, "\n");
}

int sb_inspection_page(const struct sb_inspection *inspection, const struct sb_report_style *style,
	char **out, struct sb_error *err)
{
	struct sb_page page = {.text = SB_BUF_INIT(MAX_PAGE_BYTES), .style = style, .err = err};

	add_header(&page, inspection);
	add_layers(&page, inspection);
	add_dead(&page, inspection);
	add_secrets(&page, inspection);
	add_list(&page, "Problems", SB_PAGE_BAD, &inspection->problems);
	add_list(&page, "Not scanned", SB_PAGE_WARN, &inspection->not_scanned);
	add_verdict(&page, inspection);
	if (sb_error_is_set(err)) {
		sb_buf_release(&page.text);
		return -1;
	}
	*out = sb_buf_steal(&page.text);
	return 0;
}
