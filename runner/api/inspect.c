/* SPDX-License-Identifier: MIT */
#include "inspect/inspect.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/image_open.h"
#include "api/session.h"
#include "base/limits.h"
#include "base/mem.h"
#include "inspect/policy.h"
#include "inspect/report.h"
#include "leak/redact.h"
#include "sys/fd.h"

/* What an inspection owns. The store is opened only where it is needed. */
struct job {
	struct sb_session session;
	struct sb_secrets *secrets;
	struct sb_policy *policy;
	struct sb_image *image;
	struct sb_inspection *inspection;
	struct sb_findings findings;
};

static void job_release(struct job *job)
{
	sb_findings_release(&job->findings);
	sb_inspection_free(job->inspection);
	sb_image_free(job->image);
	sb_policy_free(job->policy);
	sb_secrets_free(job->secrets);
	sb_session_release(&job->session);
}

static int read_policy_file(struct sb_policy *policy, const char *file, struct sb_error *err)
{
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_JSON);
	sb_autofd int fd = -1;

	if (sb_fd_open_user(file, "policy", &fd, err) < 0)
		return -1;
	if (sb_fd_read_all(fd, &text, err) < 0)
		return sb_error_context(err, "policy '%s'", file);
	return sb_policy_read(policy, file, text.data, text.len, err);
}

static int read_policy(
	const struct sb_inspect_options *o, struct sb_policy *policy, struct sb_error *err)
{
	static const char usual[] = ".safebuild.json";
	struct stat st;

	/* What nobody named is opened only where that can't wait for ever. */
	if (o->policy == NULL && stat(usual, &st) == 0 && !S_ISREG(st.st_mode))
		return sb_fail(err, SB_E_USAGE, "policy '%s': it is not a file", usual);
	/* A link that leads nowhere is told and not passed over. */
	if (o->policy != NULL || faccessat(AT_FDCWD, usual, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		if (read_policy_file(policy, o->policy != NULL ? o->policy : usual, err) < 0)
			return -1;
	for (size_t i = 0; o->fail_on != NULL && o->fail_on[i] != NULL; i++)
		if (sb_policy_add_fail_on(policy, o->fail_on[i], err) < 0)
			return -1;
	return 0;
}

static bool has_open_gaps(const struct sb_findings *findings)
{
	SB_ARRAY_FOREACH (findings, finding)
		if (strcmp(finding->rule->id, SB_RULE_NOT_SCANNED) == 0 &&
			finding->waived_by == NULL)
			return true;
	return false;
}

static enum sb_inspect_verdict verdict_of(const struct job *job, const struct sb_inspect_options *o)
{
	enum sb_inspect_verdict verdict = SB_INSPECT_PASSED;

	SB_ARRAY_FOREACH (&job->findings, finding) {
		if (!sb_policy_fails(job->policy, finding))
			continue;
		/* A secret that is there is there, however broken the image is otherwise. */
		if (strcmp(finding->rule->id, SB_RULE_KNOWN_SECRET) == 0)
			return SB_INSPECT_FAILED;
		verdict = SB_INSPECT_FAILED;
	}
	if (sb_inspection_is_broken(job->inspection) ||
		(o->strict && has_open_gaps(&job->findings)))
		verdict = SB_INSPECT_NO_ANSWER;
	return verdict;
}

static int make_report(const struct job *job, const struct sb_inspect_options *o,
	const struct sb_report_option *wanted, char **out, struct sb_error *err)
{
	/* The image's name is what the user wrote, who may have named a file after anything. */
	sb_autofree char *image = sb_redact_text(job->secrets, o->image);
	/* The style is the terminal's. */
	const struct sb_report_style style = {.color = o->color && wanted->dest == NULL,
		.width = wanted->dest == NULL ? o->width : 0,
		.image = image};

	switch (wanted->form) {
	case SB_REPORT_JSON:
		return sb_inspection_json(job->inspection, &job->findings, out, err);
	case SB_REPORT_SARIF:
		return sb_inspection_sarif(job->inspection, &job->findings, out, err);
	case SB_REPORT_HTML:
		return sb_inspection_html(job->inspection, &job->findings, out, err);
	case SB_REPORT_PAGE:
		break;
	}
	return sb_inspection_page(job->inspection, &job->findings, &style, out, err);
}

static int make_reports(const struct job *job, const struct sb_inspect_options *o,
	struct sb_inspect_result *result, struct sb_error *err)
{
	const struct sb_report_option usual = {.form = SB_REPORT_PAGE};
	const struct sb_report_option *wanted = o->n_reports > 0 ? o->reports : &usual;
	const size_t n = o->n_reports > 0 ? o->n_reports : 1;

	result->reports = sb_calloc(n, sizeof(result->reports[0]));
	result->n_reports = n;
	for (size_t i = 0; i < n; i++) {
		char **report = &result->reports[i];

		if (make_report(job, o, &wanted[i], report, err) < 0)
			return -1;
		if (wanted[i].dest == NULL)
			continue;
		if (sb_session_write_file(wanted[i].dest, *report, strlen(*report), err) < 0)
			return sb_error_context(err, "report");
		free(*report);
		*report = NULL;
	}
	return 0;
}

static int check_destinations(const struct sb_inspect_options *o, struct sb_error *err)
{
	for (size_t i = 0; i < o->n_reports; i++)
		if (o->reports[i].dest != NULL &&
			sb_session_check_file(o->reports[i].dest, err) < 0)
			return sb_error_context(err, "report");
	return 0;
}

static int inspect(struct job *job, const struct sb_inspect_options *o,
	struct sb_inspect_result *result, struct sb_error *err)
{
	const struct sb_image_place from = {
		.root = o->root, .image = o->image, .platform = o->platform, .name = o->name};

	if (sb_session_read_secrets(o->secrets, o->n_secrets, &job->secrets, err) < 0)
		return -1;
	job->policy = sb_policy_new();
	if (read_policy(o, job->policy, err) < 0 || check_destinations(o, err) < 0)
		return -1;
	if (sb_open_image(&job->session, &from, &job->image, err) < 0)
		return sb_error_context(err, "image '%s'", o->image);
	if (sb_session_let_signals_through(&job->session, err) < 0)
		return -1;
	if (sb_inspect_image(job->image, job->secrets, &job->inspection, err) < 0)
		return sb_error_context(err, "image '%s'", o->image);
	sb_inspection_findings(job->inspection, &job->findings);
	sb_policy_apply(job->policy, job->inspection, time(NULL), &job->findings);
	result->verdict = verdict_of(job, o);
	return make_reports(job, o, result, err);
}

int sb_inspect(const struct sb_inspect_options *options, struct sb_inspect_result *out,
	struct sb_error *err)
{
	__attribute__((cleanup(job_release))) struct job job = {.session = {.store_fd = -1}};
	struct sb_inspect_result result = {0};

	if (inspect(&job, options, &result, err) < 0) {
		sb_session_redact_error(job.secrets, err);
		sb_inspect_result_release(&result);
		return -1;
	}
	*out = result;
	return 0;
}

void sb_inspect_result_release(struct sb_inspect_result *result)
{
	for (size_t i = 0; i < result->n_reports; i++)
		free(result->reports[i]);
	free(result->reports);
	*result = (struct sb_inspect_result){0};
}
