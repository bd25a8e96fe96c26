/* SPDX-License-Identifier: MIT */
#include "build/instructions.h"

#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "base/ansi.h"
#include "base/mem.h"
#include "base/path.h"
#include "build/cache_search.h"
#include "build/commit.h"
#include "build/network.h"
#include "build/run_command.h"
#include "build/run_mounts.h"
#include "build/stack.h"
#include "build/step_cache.h"
#include "build/step_key.h"
#include "plan/args.h"
#include "sandbox/users.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mount.h"
#include "sys/space.h"

struct run {
	const struct sb_do *d;
	struct sb_step_spec spec;
	struct sb_run_mounts mounts;
	int root_fd;    /* read-only view of what the step starts from */
	int layers_fd;  /* a detached mount of the unpacked layers */
	bool may_go_on; /* a process of it, after its end was waited for */
};

static void run_release(struct run *run)
{
	sb_step_spec_release(&run->spec);
	sb_run_mounts_release(&run->mounts);
	sb_fd_closep(&run->root_fd);
	sb_fd_closep(&run->layers_fd);
}

static int set_command(struct run *run, struct sb_error *err)
{
	const struct sb_heredoc *script = sb_run_command(run->d, &run->spec.argv);

	if (run->spec.argv.len == 0)
		return sb_fail(err, SB_E_SYNTAX, "RUN [] names no program");
	return script == NULL ? 0
			      : sb_run_mounts_add_file(run->root_fd, run->spec.argv.items[0], 0755,
					script->body, &run->spec, &run->mounts, err);
}

static int check_ids(const struct run *run, const struct sb_user *user, struct sb_error *err)
{
	const struct sb_host_ids *host = run->d->build->host;

	if (sb_idmap_has(&host->ids, user->uid, user->gid))
		return 0;
	(void)sb_fail(err, SB_E_UNSUPPORTED,
		"the step's user %u:%u is outside the %u ids that this host gives us", user->uid,
		user->gid, host->ids.uid_count);
	return sb_error_hint(err, "'safebuild doctor' says how to get a range of subordinate ids");
}

static int set_user(struct run *run, struct sb_error *err)
{
	__attribute__((cleanup(sb_user_release))) struct sb_user user = SB_USER_INIT;

	if (sb_user_resolve(run->root_fd, run->d->state->config->user, &user, err) < 0 ||
		check_ids(run, &user, err) < 0)
		return -1;
	run->spec.uid = user.uid;
	run->spec.gid = user.gid;
	for (size_t i = 0; i < user.n_groups; i++)
		*SB_ARRAY_ADD(&run->spec.groups) = user.groups[i];
	if (sb_env_get(&run->spec.env, "HOME") == NULL)
		sb_env_set(&run->spec.env, "HOME", user.home != NULL ? user.home : "/");
	return 0;
}

static int set_root(struct run *run, struct sb_upper *upper, struct sb_error *err)
{
	struct sb_build *build = run->d->build;

	if (sb_snapshots_new_upper(build->snapshots, upper, err) < 0 ||
		sb_mount_clone(sb_snapshots_fd(build->snapshots), false,
			MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, &run->layers_fd, err) < 0)
		return -1;
	run->spec.layers_fd = run->layers_fd;
	sb_strv_copy(&run->spec.lowers, &run->d->state->lowers);
	run->spec.upper = sb_strdup(upper->diff);
	run->spec.work = sb_strdup(upper->work);
	return 0;
}

static int add_system_files(struct run *run, struct sb_error *err)
{
	const struct sb_build *build = run->d->build;
	sb_autofree char *hosts = sb_network_hosts(run->spec.hostname, &build->add_hosts);
	sb_autofree char *resolv = sb_network_resolv_conf(run->spec.network);

	if (sb_run_mounts_add_file(
		    run->root_fd, "/etc/hosts", 0644, hosts, &run->spec, &run->mounts, err) < 0)
		return -1;
	return sb_run_mounts_add_file(
		run->root_fd, "/etc/resolv.conf", 0644, resolv, &run->spec, &run->mounts, err);
}

static int choose_network(struct run *run, struct sb_error *err)
{
	const char *flag = sb_instruction_flag(run->d->instr, "network");
	enum sb_step_network network = run->d->build->network;

	if (flag != NULL && strcmp(flag, "default") != 0 &&
		sb_network_parse(flag, &network, err) < 0)
		return -1;
	run->spec.network = network;
	return 0;
}

/* HTTP_PROXY and the like, given as build arguments in any case, reach steps without an ARG, in
 * both cases: programs differ in which one they look at. */
static void add_proxies(struct run *run)
{
	static const char *const names[][2] = {{"HTTP_PROXY", "http_proxy"},
		{"HTTPS_PROXY", "https_proxy"}, {"FTP_PROXY", "ftp_proxy"},
		{"NO_PROXY", "no_proxy"}, {"ALL_PROXY", "all_proxy"}};
	const struct sb_strv *args = &run->d->build->plan->build_args;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *any = sb_args_get_proxy(args, names[i][0]);

		for (size_t j = 0; any != NULL && j < 2; j++) {
			const char *exact = sb_env_get(args, names[i][j]);

			if (sb_env_get(&run->spec.env, names[i][j]) == NULL)
				sb_env_set(
					&run->spec.env, names[i][j], exact != NULL ? exact : any);
		}
	}
}

static int prepare(struct run *run, struct sb_upper *upper, struct sb_error *err)
{
	const struct sb_do *d = run->d;
	struct sb_build *build = d->build;
	const char *hostname = sb_env_get(&build->plan->build_args, "BUILDKIT_SANDBOX_HOSTNAME");

	if (sb_stack_view(build, &d->state->lowers, NULL, &run->root_fd, err) < 0)
		return -1;
	run->spec.cwd = sb_strdup(sb_stage_state_workdir(d->state));
	run->spec.hostname = sb_strdup(hostname != NULL ? hostname : "safebuild");
	run->spec.ids = build->host->ids;
	run->spec.single_id = build->host->mode == SB_IDS_SINGLE;
	run->spec.no_new_privs = build->no_new_privs;
	run->spec.is_32bit = strcmp(d->state->config->platform.architecture, "386") == 0;
	run->spec.shm_bytes = build->shm_bytes;
	sb_strv_copy(&run->spec.env, &d->state->env);
	add_proxies(run);
	if (choose_network(run, err) < 0 || add_system_files(run, err) < 0 ||
		set_user(run, err) < 0 ||
		sb_run_mounts_add(d, run->root_fd, &run->spec, &run->mounts, err) < 0 ||
		set_command(run, err) < 0)
		return -1;
	sb_run_mounts_sort(&run->spec, &run->mounts);
	return set_root(run, upper, err);
}

/* The step's two streams, each through its own filters. Colours go first: in the middle of a secret
 * they would keep it from being seen, and whoever leaves them out later would put it together. But
 * where they may be of the secret itself, as in a binary key, it is looked for with them too. */
struct output {
	struct sb_build *build;
	struct sb_redactor *before[2]; /* or NULL: no secret has an escape */
	struct sb_ansi_filter colours[2];
	struct sb_redactor *redactors[2];
	int stream;
};

static void send_output(void *self, const char *bytes, size_t len)
{
	const struct output *output = self;

	if (len > 0)
		sb_events_emit(
			&output->build->events, (struct sb_event){.kind = SB_EVENT_STEP_OUTPUT,
							.stream = output->stream,
							.text = bytes,
							.len = len});
}

static void send_uncoloured(void *self, const char *bytes, size_t len)
{
	struct output *output = self;
	const int i = output->stream - 1;
	sb_autofree char *text = sb_malloc(len);

	len = sb_ansi_filter(&output->colours[i], bytes, len, text);
	sb_redactor_write(output->redactors[i], text, len, send_output, output);
}

static void on_output(void *data, int stream, const char *bytes, size_t len)
{
	struct output *output = data;
	struct sb_redactor *before = output->before[stream - 1];

	output->stream = stream;
	if (before != NULL)
		sb_redactor_write(before, bytes, len, send_uncoloured, output);
	else
		send_uncoloured(output, bytes, len);
}

static void on_tick(void *data)
{
	const struct output *output = data;

	sb_events_emit(&output->build->events, (struct sb_event){.kind = SB_EVENT_TICK});
}

static void output_end(struct output *output)
{
	for (int i = 0; i < 2; i++) {
		output->stream = i + 1;
		if (output->before[i] != NULL)
			sb_redactor_flush(output->before[i], send_uncoloured, output);
		sb_redactor_free(output->before[i]);
		sb_redactor_flush(output->redactors[i], send_output, output);
		sb_redactor_free(output->redactors[i]);
	}
}

static bool has_escape(const struct sb_secrets *secrets)
{
	for (size_t i = 0; i < sb_secrets_count(secrets); i++) {
		const struct sb_secret *secret = sb_secrets_at(secrets, i);

		if (secret->len > 0 && memchr(secret->bytes, '\033', secret->len) != NULL)
			return true;
	}
	return false;
}

static int execute(struct run *run, struct sb_step_result *out, struct sb_error *err)
{
	struct sb_build *build = run->d->build;
	struct output output = {.build = build,
		.redactors = {sb_redactor_new(build->secrets), sb_redactor_new(build->secrets)}};
	const struct sb_sandbox_events events = {.on_output = on_output,
		.on_tick = on_tick,
		.data = &output,
		.interrupt_fd = sb_interrupt_fd(build->interrupt)};

	for (int i = 0; i < 2 && has_escape(build->secrets); i++)
		output.before[i] = sb_redactor_new(build->secrets);

	struct sb_worker *worker = run->d->worker;
	int rc = worker->sandbox != NULL ? 0 : sb_sandbox_start(&worker->sandbox, err);

	if (rc == 0) {
		rc = sb_sandbox_run(worker->sandbox, &run->spec, &events, out, err);
		run->may_go_on = sb_sandbox_is_lost(worker->sandbox);
	}
	if (run->may_go_on) {
		sb_sandbox_free(worker->sandbox);
		worker->sandbox = NULL;
	}
	output_end(&output);
	return rc;
}

/* Programs say it in their own words, or not at all. */
static void hint_at_full_store(const struct run *run, struct sb_error *err)
{
	const struct sb_build *build = run->d->build;
	sb_autofree char *path = sb_fd_path(build->store_fd);

	if (sb_space_is_used_up(build->store_fd))
		(void)sb_error_hint(err,
			"the file system of the store '%s' is full: `safebuild prune` removes what "
			"no image needs, with --all also what can be made again",
			path != NULL ? path : "");
}

static int fail_step(
	const struct run *run, const struct sb_step_result *result, struct sb_error *err)
{
	sb_autofree char *line = sb_strv_join(&run->spec.argv, " ");

	if (!result->has_run) {
		char *hint = result->message != NULL ? strchr(result->message, '\n') : NULL;

		if (hint != NULL)
			*hint++ = '\0';
		(void)sb_fail(err, result->status != 0 ? SB_E_STEP_FAILED : SB_E_SYSTEM, "%s",
			result->message != NULL ? result->message : "the step could not be set up");
		err->step_status = result->status;
		if (hint != NULL)
			return sb_error_hint(err, "%s", hint);
		hint_at_full_store(run, err);
		return -1;
	}
	if (result->signal != 0)
		(void)sb_fail(err, SB_E_STEP_FAILED, "process \"%s\" was killed by signal %d (%s)",
			line, result->signal, strsignal(result->signal));
	else
		(void)sb_fail(err, SB_E_STEP_FAILED,
			"process \"%s\" did not complete successfully: exit code: %d", line,
			result->status);
	err->step_status = result->status;
	hint_at_full_store(run, err);
	return -1;
}

/* The clock that file times come from. */
static struct timespec now_coarse(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now;
}

/* Also when the step has failed with `rc`: what it left in a cache is there all the same. A leak is
 * told before any other failure. While something may still be written, nothing is known to be
 * clean. */
static int search_caches(const struct run *run, const struct sb_upper *upper,
	const struct timespec *since, int rc, struct sb_error *err)
{
	struct sb_content_search *search = run->d->worker->search;
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;
	bool is_searched = !run->may_go_on;

	SB_ARRAY_FOREACH (&run->mounts.mountpoints.roots, root) {
		SB_AUTO_ERROR leak = SB_ERROR_INIT;

		if (sb_cache_search(root->fd, root->target, since, search, &leak) == 0)
			continue;
		is_searched = is_searched && leak.code == SB_E_LEAK;
		sb_error_release(err);
		sb_error_move(err, &leak);
		rc = -1;
	}
	if (is_searched && sb_run_mounts_trust(&run->mounts, run->d->build, upper, &ignored) < 0)
		sb_error_ignore(&ignored, "the next build empties the cache then");
	return rc;
}

/* It may be why the step failed. */
static void warn_of_changes(const struct run *run)
{
	struct sb_build *build = run->d->build;
	SB_AUTO_ERROR changed = SB_ERROR_INIT;

	if (sb_run_mounts_check_contexts(&run->mounts, build, &changed) < 0)
		sb_events_warn(&build->events, changed.message, changed.hint);
}

static int run_step(const struct sb_do *d, struct sb_step_cache *cache, const struct sb_key *stamps,
	const char *created_by, struct sb_error *err)
{
	__attribute__((cleanup(run_release))) struct run run = {
		.d = d, .spec = SB_STEP_SPEC_INIT, .root_fd = -1, .layers_fd = -1};
	__attribute__((cleanup(sb_step_result_release))) struct sb_step_result result = {0};
	SB_AUTO_VALUE(sb_upper) upper = {0};
	bool is_current = false;

	if (prepare(&run, &upper, err) < 0 ||
		sb_run_mounts_distrust(&run.mounts, d->build, &upper, err) < 0)
		return -1;

	const struct timespec since = now_coarse();
	const int rc = execute(&run, &result, err);

	sb_cache_mountpoints_remove(&run.mounts.mountpoints);
	if (search_caches(&run, &upper, &since, rc, err) < 0)
		return -1;
	if (!result.has_run || result.status != 0) {
		warn_of_changes(&run);
		return fail_step(&run, &result, err);
	}
	if (sb_run_mounts_check_contexts(&run.mounts, d->build, err) < 0)
		return -1;

	if (sb_step_key_is_current(d, stamps, &is_current, err) < 0)
		return -1;
	if (!is_current) {
		sb_step_cache_release(cache);
		*cache = (struct sb_step_cache)SB_STEP_CACHE_INIT;
	}

	const struct sb_written written = {.upper = &upper,
		.lower_fd = run.root_fd,
		.scaffold = &run.mounts.scaffold,
		.cache = cache};

	return sb_commit(d, &written, created_by, err);
}

static int run_or_use(const struct sb_do *d, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_step_cache) cache = SB_STEP_CACHE_INIT;
	SB_AUTO_VALUE(sb_key) key = SB_KEY_INIT;
	SB_AUTO_VALUE(sb_key) stamps = SB_KEY_INIT;
	SB_AUTO_STRV argv = SB_STRV_INIT;
	bool has_key = false;
	bool is_done = false;

	(void)sb_run_command(d, &argv);

	/* argv as one line, for the history. */
	sb_autofree char *line = sb_strv_join(&argv, " ");
	sb_autofree char *created_by = sb_asprintf("RUN %s", line);

	if (sb_step_key_run(d, &key, &stamps, &has_key, err) < 0 ||
		sb_step_cache_begin(
			d, has_key ? &key : NULL, false, created_by, &cache, &is_done, err) < 0)
		return -1;
	return is_done ? 0 : run_step(d, &cache, &stamps, created_by, err);
}

int sb_do_run(const struct sb_do *d, struct sb_error *err)
{
	if (run_or_use(d, err) == 0)
		return 0;
	if (err->code == SB_E_LEAK)
		(void)sb_error_hint(err,
			"the step wrote the secret to a file that would become part of the image; "
			"use it "
			"where it is mounted, or delete the copy in the same step");
	return -1;
}
