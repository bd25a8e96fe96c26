/* SPDX-License-Identifier: MIT */
#include "inspect/inspect.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/session.h"
#include "base/mem.h"
#include "inspect/report.h"
#include "oci/reference.h"
#include "registry/pull.h"
#include "sys/fd.h"

/* What an inspection owns. The store is opened only where it is needed. */
struct job {
	struct sb_session session;
	struct sb_secrets *secrets;
	struct sb_image *image;
	struct sb_inspection *inspection;
	int fd;
};

static void job_release(struct job *job)
{
	sb_inspection_free(job->inspection);
	sb_image_free(job->image);
	sb_secrets_free(job->secrets);
	sb_session_release(&job->session);
	sb_fd_closep(&job->fd);
}

static int open_file(struct job *job, int fd, const struct sb_platform *want, struct sb_error *err)
{
	sb_autofd int tmp = -1;
	const char *tmp_dir = getenv("TMPDIR");

	/* Only a pipe, or what is compressed as a whole, is spooled there. */
	if (sb_fd_open_dir_user(tmp_dir != NULL ? tmp_dir : "/tmp", "temporary folder", &tmp, err) <
		0)
		return -1;

	const struct sb_image_open_options options = {.want = want, .tmp_dir_fd = tmp};

	return sb_image_open_fd(fd, &options, &job->image, err);
}

static bool go_on(void *data, const char *what, uint64_t done, uint64_t total)
{
	(void)what;
	(void)done;
	(void)total;
	return !sb_interrupt_is_pending(data);
}

static int open_reference(
	struct job *job, const char *text, const struct sb_platform *want, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	const struct sb_pull_options options = {
		.want = want, .on_progress = go_on, .data = job->session.interrupt};

	if (sb_reference_parse(text, &ref, err) < 0 ||
		sb_registry_pull(&ref, &options, job->session.store, &d, err) < 0)
		return -1;
	return sb_image_from_layout(job->session.store, &d, want, &job->image, err);
}

/* What can only be meant as a file: no image's name begins like that, and few end in .tar. */
static bool is_path(const char *text)
{
	const size_t len = strlen(text);

	return text[0] == '/' || strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0 ||
	       (len > 4 && strcmp(text + len - 4, ".tar") == 0);
}

static int open_image(struct job *job, const struct sb_inspect_options *o, struct sb_error *err)
{
	static const char registry[] = "docker://";
	struct sb_platform want = sb_platform_host();
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	struct stat st;

	if (o->platform != NULL && sb_platform_parse(o->platform, &want, err) < 0)
		return -1;
	if (strcmp(o->image, "-") == 0)
		return open_file(job, STDIN_FILENO, &want, err);
	if (stat(o->image, &st) == 0) {
		if (sb_fd_open_user(o->image, "image", &job->fd, err) < 0)
			return -1;
		return open_file(job, job->fd, &want, err);
	}
	if (is_path(o->image))
		return sb_fail_errno(err, "open it");
	if (sb_session_open(o->root, &job->session, err) < 0)
		return -1;
	if (strncmp(o->image, registry, sizeof(registry) - 1) == 0)
		return open_reference(job, o->image + sizeof(registry) - 1, &want, err);
	if (sb_session_find(&job->session, o->image, &d, err) < 0)
		return -1;
	return sb_image_from_layout(job->session.store, &d, &want, &job->image, err);
}

/* Reading leaves nothing to undo: from here on a signal ends the process as it always does. */
static int let_signals_through(struct sb_session *session, struct sb_error *err)
{
	if (sb_interrupt_check(session->interrupt, err) < 0)
		return -1;
	if (session->store != NULL)
		sb_layout_set_interrupt(session->store, NULL);
	sb_interrupt_free(session->interrupt);
	session->interrupt = NULL;
	return 0;
}

static int inspect(struct job *job, const struct sb_inspect_options *o, char **out_report,
	size_t *out_findings, struct sb_error *err)
{
	const struct sb_report_style style = {.color = o->color, .width = o->width};
	const struct sb_findings findings = {0};

	if (sb_session_read_secrets(o->secrets, o->n_secrets, &job->secrets, err) < 0)
		return -1;
	if (open_image(job, o, err) < 0)
		return sb_error_context(err, "image '%s'", o->image);
	if (let_signals_through(&job->session, err) < 0)
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
	__attribute__((cleanup(job_release))) struct job job = {
		.session = {.store_fd = -1}, .fd = -1};
	const int rc = inspect(&job, options, out_report, out_findings, err);

	if (rc < 0)
		sb_session_redact_error(job.secrets, err);
	return rc;
}
