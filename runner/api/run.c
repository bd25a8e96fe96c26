/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/session.h"
#include "base/mem.h"
#include "base/size.h"
#include "build/base_image.h"
#include "build/container.h"
#include "build/foreign_image.h"
#include "build/network.h"
#include "build/stack.h"
#include "leak/redact.h"
#include "oci/reference.h"
#include "registry/pull.h"
#include "sandbox/network.h"
#include "sys/fd.h"
#include "sys/tty.h"

/* Everything that a run owns. */
struct job {
	const struct sb_run_options *options;
	struct sb_session session;
	struct sb_secrets *secrets;
	struct sb_host_ids host;
	struct sb_snapshots *snapshots;
	struct sb_layout *pulled;
	struct sb_image *image; /* that is not in the store */
	struct sb_stage_state *state;
	struct sb_signals *signals;
	struct sb_redactor *redactors[2];
	struct sb_build build;
	struct sb_resolved resolved;
	struct sb_promises promises;
	struct sb_sandboxes sandboxes;
};

static void job_release(struct job *job)
{
	sb_build_release(&job->build);
	sb_redactor_free(job->redactors[0]);
	sb_redactor_free(job->redactors[1]);
	sb_signals_free(job->signals);
	sb_stage_state_free(job->state);
	sb_image_free(job->image);
	sb_layout_free(job->pulled);
	sb_snapshots_free(job->snapshots);
	sb_resolved_release(&job->resolved);
	sb_promises_release(&job->promises);
	sb_sandboxes_end(&job->sandboxes);
	sb_secrets_free(job->secrets);
	sb_host_ids_release(&job->host);
	sb_session_release(&job->session);
}

static int choose(struct job *job, struct sb_error *err)
{
	const struct sb_run_options *o = job->options;
	struct sb_build *build = &job->build;

	build->platform = sb_platform_host();
	build->shm_bytes = 64 << 20;
	build->no_new_privs = o->strict;
	if (o->platform != NULL && sb_platform_parse(o->platform, &build->platform, err) < 0)
		return sb_error_context(err, "--platform");
	if (o->shm_size != NULL && sb_size_parse(o->shm_size, &build->shm_bytes, err) < 0)
		return sb_error_context(err, "--shm-size");
	for (const char *const *host = o->add_hosts; host != NULL && *host != NULL; host++)
		if (sb_network_parse_host(*host, &build->add_hosts, err) < 0)
			return -1;
	return sb_network_parse(o->network != NULL ? o->network : "default", &build->network, err);
}

static int enter(struct job *job, struct sb_error *err)
{
	struct sb_build *build = &job->build;

	if (sb_userns_enter(&job->host, err) < 0 ||
		sb_session_open(job->options->root, &job->session, err) < 0 ||
		sb_snapshots_open(job->session.store_fd, &job->host, &job->snapshots, err) < 0)
		return -1;
	/* It is small now: what it clones later costs by what it has mapped. */
	if (sb_sandbox_start(&build->worker.sandbox, err) < 0)
		return -1;
	/* It has read the secrets. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	build->store = job->session.store;
	build->store_fd = job->session.store_fd;
	build->snapshots = job->snapshots;
	build->host = &job->host;
	build->secrets = job->secrets;
	build->interrupt = job->session.interrupt;
	return 0;
}

static void tell_host(struct job *job)
{
	const struct sb_run_options *o = job->options;
	const bool is_default = o->network == NULL || strcmp(o->network, "default") == 0;
	const char *fix = NULL;
	const char *lacks = is_default ? sb_network_lacks(&fix) : NULL;

	if (job->host.notice != NULL)
		sb_events_notice(&job->build.events, job->host.notice, job->host.hint);
	if (lacks == NULL)
		return;

	sb_autofree char *text = sb_asprintf("the program has the host's network: %s", lacks);
	sb_autofree char *hint = sb_asprintf("%s, or run with --network=none", fix);

	sb_events_notice(&job->build.events, text, hint);
}

static bool on_progress(void *data, const char *what, uint64_t done, uint64_t total)
{
	struct job *job = data;

	sb_events_emit(&job->build.events,
		(struct sb_event){
			.kind = SB_EVENT_TRANSFER, .text = what, .done = done, .total = total});
	return !sb_interrupt_is_pending(job->session.interrupt);
}

static int pull(struct job *job, const char *text, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	const struct sb_pull_options options = {.want = &job->build.platform,
		.auth_file = job->options->auth_file,
		.on_progress = on_progress,
		.data = job};

	if (sb_foreign_image_layout(&job->build, &job->pulled, err) < 0 ||
		sb_registry_pull_name(text, &options, job->pulled, &d, &ref, err) < 0 ||
		sb_image_from_layout(job->pulled, &d, &job->build.platform, &job->image, err) < 0)
		return -1;
	return sb_foreign_image_unpack(&job->build, job->image, &job->state, err);
}

static int open_file(struct job *job, int fd, struct sb_error *err)
{
	const struct sb_image_open_options options = {.want = &job->build.platform,
		.tmp_dir_fd = job->session.store_fd,
		.interrupt = job->session.interrupt};

	if (sb_image_open_fd(fd, &options, &job->image, err) < 0)
		return -1;
	return sb_foreign_image_unpack(&job->build, job->image, &job->state, err);
}

static int open_path(struct job *job, const char *path, struct sb_error *err)
{
	sb_autofd int fd = -1;

	return sb_fd_open_user(path, "image", &fd, err) < 0 ? -1 : open_file(job, fd, err);
}

/* What can only be meant as a file: no image's name begins like that, and few end in .tar. */
static bool is_path(const char *text)
{
	const size_t len = strlen(text);

	return text[0] == '/' || strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0 ||
	       (len > 4 && strcmp(text + len - 4, ".tar") == 0);
}

/* A name of the store goes before a file that is called the same. */
static int open_named(struct job *job, const char *text, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	SB_AUTO_ERROR missing = SB_ERROR_INIT;
	struct stat st;

	if (sb_session_find(&job->session, text, &d, &missing) == 0)
		return sb_base_image_load_stored(
			       &job->build, &d, NULL, &job->build.platform, &job->state, err) < 0
			       ? -1
			       : sb_stack_bring(&job->build, &job->state->lowers, err);
	if (stat(text, &st) == 0) {
		sb_error_ignore(&missing, "then it is a file");
		return open_path(job, text, err);
	}
	free(missing.hint);
	missing.hint = NULL;
	sb_error_move(err, &missing);
	return err->code == SB_E_NOT_FOUND
		       ? sb_error_hint(err,
				 "'safebuild pull %s' fetches it, docker://%s runs it without "
				 "keeping it; 'safebuild images' lists what the store has",
				 text, text)
		       : -1;
}

static int open_image(struct job *job, struct sb_error *err)
{
	static const char registry[] = "docker://";
	const char *text = job->options->image;

	if (strcmp(text, "-") == 0)
		return open_file(job, STDIN_FILENO, err);
	if (strncmp(text, registry, sizeof(registry) - 1) == 0)
		return pull(job, text + sizeof(registry) - 1, err);
	return is_path(text) ? open_path(job, text, err) : open_named(job, text, err);
}

static void add_redacted(void *self, const char *bytes, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (sb_buf_add(self, bytes, len, &err) < 0)
		sb_error_ignore(&err, "the buffer's size is bounded by who reads into it");
}

static void redact(void *data, int stream, const char *bytes, size_t len, struct sb_buf *out)
{
	struct job *job = data;
	struct sb_redactor *redactor = job->redactors[stream - 1];

	if (bytes != NULL)
		sb_redactor_write(redactor, bytes, len, add_redacted, out);
	else
		sb_redactor_flush(redactor, add_redacted, out);
}

static int attach(struct job *job, struct sb_attach *out, struct sb_error *err)
{
	static const int passed_on[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGPIPE};
	const bool is_image_stdin = strcmp(job->options->image, "-") == 0;

	if (sb_signals_new(
		    passed_on, sizeof(passed_on) / sizeof(passed_on[0]), &job->signals, err) < 0)
		return -1;
	*out = (struct sb_attach){.stdin_fd = -1,
		.stdout_fd = STDOUT_FILENO,
		.stderr_fd = STDERR_FILENO,
		.signals = job->signals,
		.filter_data = job};
	if (!is_image_stdin && sb_tty_is_ours(STDIN_FILENO) && isatty(STDOUT_FILENO))
		out->is_terminal = true;
	if (out->is_terminal || (!is_image_stdin && job->options->is_stdin))
		out->stdin_fd = STDIN_FILENO;
	if (out->is_terminal || sb_secrets_count(job->secrets) == 0)
		return 0;
	out->filter = redact;
	for (size_t i = 0; i < 2; i++)
		job->redactors[i] = sb_redactor_new(job->secrets);
	return 0;
}

static int fail_start(
	const struct job *job, const struct sb_step_result *result, struct sb_error *err)
{
	const char *message = result->message != NULL ? result->message : "it could not be set up";
	const char *hint = strchr(message, '\n');
	const char *const *command = job->options->command;

	(void)sb_fail(err, result->status != 0 ? SB_E_STEP_FAILED : SB_E_SYSTEM, "%.*s",
		(int)strcspn(message, "\n"), message);
	err->step_status = result->status;
	/* The sandbox's hints on a missing program are about Buildfiles. */
	if (result->status == 127 && command != NULL && *command != NULL)
		return -1;
	if (result->status == 127)
		return sb_error_hint(err, "it is the image's own command; name another one of its "
					  "programs behind it, or --entrypoint");
	return hint != NULL ? sb_error_hint(err, "%s", hint + 1) : -1;
}

static int run(struct job *job, int *out_status, struct sb_error *err)
{
	__attribute__((cleanup(sb_step_result_release))) struct sb_step_result result = {0};
	const struct sb_run_options *o = job->options;
	struct sb_attach attached;

	if (sb_session_read_secrets(o->secrets, o->n_secrets, &job->secrets, err) < 0)
		return -1;
	sb_events_hide(&job->build.events, job->secrets);
	if (choose(job, err) < 0 || enter(job, err) < 0)
		return -1;
	tell_host(job);
	if (open_image(job, err) < 0)
		return sb_error_context(err, "image '%s'", o->image);
	/* A signal that came until here ends it all; from here on they are the program's. */
	if (sb_interrupt_check(job->session.interrupt, err) < 0 ||
		attach(job, &attached, err) < 0 ||
		sb_container_run(&job->build, job->state, o, &attached, &result, err) < 0)
		return -1;
	if (!result.has_run)
		return fail_start(job, &result, err);
	*out_status = result.status;
	return 0;
}

int sb_run(const struct sb_run_options *options, int *out_status, struct sb_error *err)
{
	__attribute__((cleanup(job_release))) struct job job = {
		.options = options, .session = {.store_fd = -1}};

	sb_resolved_init(&job.resolved);
	sb_promises_init(&job.promises);
	sb_build_init(&job.build, &job.resolved, &job.promises, &job.sandboxes);
	sb_events_init(&job.build.events, options->on_event, options->event_data);

	const int rc = run(&job, out_status, err);

	if (rc < 0)
		sb_session_redact_error(job.secrets, err);
	return rc;
}
