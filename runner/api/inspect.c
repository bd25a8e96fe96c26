/* SPDX-License-Identifier: MIT */
#include "inspect/inspect.h"

#include "api/image_open.h"
#include "api/session.h"
#include "inspect/report.h"

/* What an inspection owns. The store is opened only where it is needed. */
struct job {
	struct sb_session session;
	struct sb_secrets *secrets;
	struct sb_image *image;
	struct sb_inspection *inspection;
};

static void job_release(struct job *job)
{
	sb_inspection_free(job->inspection);
	sb_image_free(job->image);
	sb_secrets_free(job->secrets);
	sb_session_release(&job->session);
}

static int inspect(struct job *job, const struct sb_inspect_options *o, char **out_report,
	size_t *out_findings, struct sb_error *err)
{
	const struct sb_report_style style = {.color = o->color, .width = o->width};
	const struct sb_findings findings = {0};
	const struct sb_image_place from = {
		.root = o->root, .image = o->image, .platform = o->platform};

	if (sb_session_read_secrets(o->secrets, o->n_secrets, &job->secrets, err) < 0)
		return -1;
	if (sb_open_image(&job->session, &from, &job->image, err) < 0)
		return sb_error_context(err, "image '%s'", o->image);
	if (sb_session_let_signals_through(&job->session, err) < 0)
		return -1;
	if (sb_inspect_image(job->image, job->secrets, &job->inspection, err) < 0)
		return sb_error_context(err, "image '%s'", o->image);
	*out_findings = job->inspection->secrets.len + job->inspection->problems.len;
	return o->as_json ? sb_inspection_json(job->inspection, &findings, out_report, err)
			  : sb_inspection_page(job->inspection, &findings, &style, out_report, err);
}

int sb_inspect(const struct sb_inspect_options *options, char **out_report, size_t *out_findings,
	struct sb_error *err)
{
	__attribute__((cleanup(job_release))) struct job job = {.session = {.store_fd = -1}};
	const int rc = inspect(&job, options, out_report, out_findings, err);

	if (rc < 0)
		sb_session_redact_error(job.secrets, err);
	return rc;
}
