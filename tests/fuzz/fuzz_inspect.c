/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "inspect/inspector.h"
#include "inspect/policy.h"
#include "inspect/report.h"

/* The input is a layer's blob, read twice: as the lowest layer, and again on top of that. */
enum { N_LAYERS = 2 };

struct bytes {
	const uint8_t *data;
	size_t left;
};

static ssize_t read_bytes(void *self, void *room, size_t len, struct sb_error *err)
{
	struct bytes *bytes = self;
	const size_t n = bytes->left < len ? bytes->left : len;

	(void)err;
	memcpy(room, bytes->data, n);
	bytes->data += n;
	bytes->left -= n;
	return (ssize_t)n;
}

static void check_sums(const struct sb_inspection *report, size_t len)
{
	uint64_t payload = 0;
	uint64_t dead = 0;

	SB_ARRAY_FOREACH (&report->layers, layer) {
		SB_BUG_ON(layer->size_bytes != len);
		payload += layer->payload_bytes;
		dead += layer->dead_bytes;
		SB_ARRAY_FOREACH (&layer->entries, entry)
			SB_BUG_ON(entry->path == NULL || entry->path[0] == '/');
	}
	if (!sb_inspection_is_broken(report) && report->gaps.len == 0)
		SB_BUG_ON(dead + report->visible_bytes != payload);
}

typedef int (*report_fn)(const struct sb_inspection *inspection, const struct sb_findings *findings,
	char **out, struct sb_error *err);

static void make_reports(const struct sb_inspection *report, const struct sb_findings *findings)
{
	static const report_fn fns[] = {
		sb_inspection_json, sb_inspection_sarif, sb_inspection_html};
	const struct sb_report_style style = {.width = 80, .image = "image"};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *page = NULL;

	for (size_t i = 0; i < sizeof(fns) / sizeof(fns[0]); i++) {
		sb_autofree char *text = NULL;

		SB_BUG_ON(fns[i](report, findings, &text, &err) < 0);
		SB_BUG_ON(strchr(text, '\033') != NULL);
	}
	SB_BUG_ON(sb_inspection_page(report, findings, &style, &page, &err) < 0);
	SB_BUG_ON(strchr(page, '\033') != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO(sb_policy) policy = sb_policy_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_findings findings = {0};

	SB_BUG_ON(sb_secrets_add_bytes(secrets, "s", "super-secure-value", 18, &err) < 0);

	SB_AUTO(sb_inspector) in = sb_inspector_new(secrets);

	in->report->form = sb_strdup("oci layout");
	in->report->user = sb_strdup("");
	for (size_t i = 0; i < N_LAYERS; i++)
		(void)SB_ARRAY_ADD(&in->report->layers);
	for (size_t i = 0; i < N_LAYERS; i++) {
		struct bytes bytes = {data, len};
		const struct sb_byte_source source = {read_bytes, &bytes};
		enum sb_layer_packing packing;

		sb_inspector_read_layer(in, i, &source, &in->report->layers.items[i], &packing);
	}

	SB_AUTO(sb_inspection) report = sb_inspector_take(in, secrets);

	check_sums(report, len);
	sb_inspection_findings(report, &findings);
	sb_policy_apply(policy, report, 0, &findings);
	make_reports(report, &findings);
	sb_findings_release(&findings);
	return 0;
}
