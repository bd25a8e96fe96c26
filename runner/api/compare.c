/* SPDX-License-Identifier: MIT */
#include "inspect/compare.h"

#include <string.h>

#include "api/image_open.h"
#include "api/session.h"
#include "leak/redact.h"

/* What a comparison owns. */
struct job {
	struct sb_session session;
	struct sb_secrets *secrets;
	struct sb_image *images[2];
	struct sb_inspection *inspections[2];
	struct sb_comparison *comparison;
};

static void job_release(struct job *job)
{
	sb_comparison_free(job->comparison);
	for (size_t i = 0; i < 2; i++) {
		sb_inspection_free(job->inspections[i]);
		sb_image_free(job->images[i]);
	}
	sb_secrets_free(job->secrets);
	sb_session_release(&job->session);
}

static int open_images(struct job *job, const struct sb_compare_options *o, struct sb_error *err)
{
	const char *const names[2] = {o->before, o->after};

	if (strcmp(names[0], "-") == 0 && strcmp(names[1], "-") == 0)
		return sb_fail(
			err, SB_E_USAGE, "only one of the images can come from standard input");
	for (size_t i = 0; i < 2; i++) {
		const struct sb_image_place from = {
			.root = o->root, .image = names[i], .platform = o->platform};

		if (sb_open_image(&job->session, &from, &job->images[i], err) < 0)
			return sb_error_context(err, "image '%s'", names[i]);
	}
	return sb_session_let_signals_through(&job->session, err);
}

static int compare(struct job *job, const struct sb_compare_options *o, char **out_report,
	struct sb_error *err)
{
	const char *const names[2] = {o->before, o->after};
	const struct sb_report_style style = {.color = o->color, .width = o->width};

	if (sb_session_read_secrets(o->secrets, o->n_secrets, &job->secrets, err) < 0 ||
		open_images(job, o, err) < 0)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		if (sb_inspect_image(job->images[i], job->secrets, &job->inspections[i], err) < 0)
			return sb_error_context(err, "image '%s'", names[i]);
		/* Only the report is needed from here on. */
		sb_image_free(SB_STEAL(job->images[i]));
	}
	job->comparison = sb_compare_inspections(job->inspections[0], job->inspections[1]);

	sb_autofree char *before = sb_redact_text(job->secrets, names[0]);
	sb_autofree char *after = sb_redact_text(job->secrets, names[1]);
	const char *const shown[2] = {before, after};

	return o->as_json ? sb_comparison_json(job->comparison, shown, out_report, err)
			  : sb_comparison_page(job->comparison, shown, &style, out_report, err);
}

int sb_compare(const struct sb_compare_options *options, char **out_report,
	enum sb_compare_verdict *out_verdict, struct sb_error *err)
{
	__attribute__((cleanup(job_release))) struct job job = {.session = {.store_fd = -1}};

	if (compare(&job, options, out_report, err) < 0) {
		sb_session_redact_error(job.secrets, err);
		return -1;
	}
	*out_verdict = job.comparison->unreadable.len > 0      ? SB_COMPARED_UNREADABLE
		       : sb_comparison_is_same(job.comparison) ? SB_COMPARED_SAME
							       : SB_COMPARED_DIFFERENT;
	return 0;
}
