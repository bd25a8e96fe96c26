/* SPDX-License-Identifier: MIT */
#include "build/fetch.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "build/git.h"
#include "build/ssh_agents.h"
#include "registry/basic_auth.h"
#include "registry/download.h"
#include "sys/at.h"
#include "sys/fd.h"

static const char git_folder[] = "tree";

void sb_fetched_release(struct sb_fetched *fetched)
{
	sb_fd_closep(&fetched->fd);
	free(fetched->source);
	sb_upper_release(&fetched->scratch);
	*fetched = (struct sb_fetched){.fd = -1};
}

int sb_fetched_remove(struct sb_build *build, struct sb_fetched *fetched, struct sb_error *err)
{
	sb_fd_closep(&fetched->fd);
	return fetched->scratch.diff != NULL
		       ? sb_snapshots_drop_upper(build->snapshots, &fetched->scratch, err)
		       : 0;
}

int sb_fetch_scratch(
	struct sb_build *build, struct sb_upper *out, int *out_fd, struct sb_error *err)
{
	if (sb_snapshots_new_upper(build->snapshots, out, err) < 0)
		return -1;
	return sb_at_open_dir(
		sb_snapshots_fd(build->snapshots), out->diff, SB_AT_NO_LINKS, out_fd, err);
}

struct progress {
	struct sb_build *build;
	const char *what;
};

static bool on_progress(void *data, uint64_t done, uint64_t total)
{
	const struct progress *progress = data;

	sb_events_emit(&progress->build->events, (struct sb_event){.kind = SB_EVENT_TRANSFER,
							 .text = progress->what,
							 .done = done,
							 .total = total});
	return !sb_interrupt_is_pending(progress->build->interrupt);
}

static void on_tick(void *data)
{
	struct sb_build *build = data;

	sb_events_emit(&build->events, (struct sb_event){.kind = SB_EVENT_TICK});
}

static int check_digest(const struct sb_remote *remote, const char *checksum,
	const struct sb_digest *got, struct sb_error *err)
{
	if (checksum == NULL || strcasecmp(checksum, got->text) == 0)
		return 0;
	(void)sb_fail(err, SB_E_INTEGRITY, "digest mismatch for '%s': it has %s, expected is %s",
		remote->shown, got->text, checksum);
	return sb_error_hint(err, "what the address gives has changed, or --checksum is another's");
}

int sb_fetch_file(struct sb_build *build, const struct sb_remote *remote, const char *checksum,
	int fd, int64_t *out_mtime_s, struct sb_error *err)
{
	sb_autofree char *authorization =
		remote->user_info != NULL ? sb_basic_auth_of(remote->user_info) : NULL;
	struct progress progress = {.build = build, .what = remote->shown};
	const struct sb_download_options options = {
		.url = remote->url,
		.shown = remote->shown,
		.authorization = authorization,
		.max_bytes = SB_MAX_DOWNLOAD,
		.on_progress = on_progress,
		.data = &progress,
	};
	struct sb_downloaded got = {0};
	const int rc = sb_download(&options, fd, &got, err);

	if (authorization != NULL)
		explicit_bzero(authorization, strlen(authorization));
	if (rc < 0)
		return -1;
	(void)on_progress(&progress, got.size_bytes, got.size_bytes);
	*out_mtime_s = got.mtime_s;
	return check_digest(remote, checksum, &got.digest, err);
}

/* The name as a pattern that matches nothing else. */
static char *quoted(const char *name)
{
	char *out = sb_malloc(2 * strlen(name) + 1);
	char *to = out;

	for (; *name != '\0'; name++) {
		if (strchr("*?[]\\", *name) != NULL)
			*to++ = '\\';
		*to++ = *name;
	}
	*to = '\0';
	return out;
}

static int fetch_http(struct sb_build *build, const struct sb_remote *remote,
	const struct sb_fetch_options *options, struct sb_fetched *out, struct sb_error *err)
{
	sb_autofd int fd = -1;
	int64_t mtime_s = 0;

	if (sb_at_create(out->fd, remote->name, SB_AT_NO_LINKS, 0600, &fd, err) < 0 ||
		sb_fetch_file(build, remote, options->checksum, fd, &mtime_s, err) < 0)
		return -1;

	const struct timespec times[2] = {{.tv_sec = mtime_s}, {.tv_sec = mtime_s}};

	if (fchmod(fd, 0600) < 0 || futimens(fd, times) < 0)
		return sb_fail_errno(err, "'%s'", remote->shown);
	out->source = quoted(remote->name);
	return 0;
}

static int fetch_git(struct sb_build *build, const struct sb_remote *remote,
	const struct sb_fetch_options *options, struct sb_fetched *out, struct sb_error *err)
{
	const struct sb_ssh_agent *agent =
		build->ssh != NULL ? sb_ssh_agents_get(build->ssh, "default") : NULL;
	const struct sb_git_options git = {
		.remote = remote,
		.commit = options->checksum,
		.keep_git_dir = options->keep_git_dir || remote->keep_git_dir,
		.by_user = options->by_user,
		.secrets = build->secrets,
		.agent_fd = agent != NULL && !options->by_user ? sb_ssh_agent_fd(agent) : -1,
		.interrupt = build->interrupt,
		.on_tick = on_tick,
		.data = build,
	};
	sb_autofd int fd = -1;

	(void)on_progress(&(struct progress){.build = build, .what = remote->shown}, 0, 0);
	if (sb_git_fetch(&git, out->fd, git_folder, &fd, err) < 0)
		return -1;
	sb_fd_closep(&out->fd);
	out->fd = sb_fd_steal(&fd);
	out->source = sb_strdup(".");
	return 0;
}

int sb_fetch(struct sb_build *build, const struct sb_remote *remote,
	const struct sb_fetch_options *options, struct sb_fetched *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_fetched) fetched = {.fd = -1};

	if (sb_fetch_scratch(build, &fetched.scratch, &fetched.fd, err) < 0)
		return -1;

	const int rc = remote->kind == SB_REMOTE_GIT
			       ? fetch_git(build, remote, options, &fetched, err)
			       : fetch_http(build, remote, options, &fetched, err);

	if (rc < 0) {
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		if (sb_fetched_remove(build, &fetched, &failed) < 0)
			sb_error_ignore(&failed, "it goes when the build ends, which is now");
		return -1;
	}
	*out = fetched;
	fetched = (struct sb_fetched){.fd = -1};
	return 0;
}
