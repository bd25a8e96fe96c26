/* SPDX-License-Identifier: MIT */
#include "build/commit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/utf8.h"
#include "build/stack.h"
#include "build/step_cache.h"
#include "layer/diff.h"
#include "layer/upper.h"
#include "layer/write.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mutex.h"

char *sb_commit_time(const struct sb_build *build)
{
	struct timespec now = {.tv_sec = build->source_date_epoch};
	struct tm parts;
	char text[64];

	if (build->source_date_epoch < 0)
		(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &parts);

	const size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);

	SB_BUG_ON(len == 0);
	return build->source_date_epoch < 0 ? sb_asprintf("%s.%09ldZ", text, now.tv_nsec)
					    : sb_asprintf("%sZ", text);
}

static void add_history(
	struct sb_stage_state *state, const char *created, const char *created_by, bool is_empty)
{
	/* Commands and names of files may be any bytes, and the history is JSON. */
	sb_autofree char *by = sb_utf8_repaired(created_by);
	sb_autofree char *time = sb_strdup_or_null(created);
	sb_autofree char *comment = sb_strdup("safebuild.v0");
	const struct sb_history entry = {
		.created = time, .created_by = by, .comment = comment, .is_empty_layer = is_empty};

	sb_image_config_add_history(state->config, &entry);
}

void sb_commit_metadata(
	const struct sb_build *build, struct sb_stage_state *state, const char *created_by)
{
	(void)build;
	add_history(state, NULL, created_by, true);
}

/* The time of the first layer that the build added, or else of the last that the base has. */
static const char *first_time(const struct sb_image_config *config, size_t n_base)
{
	const char *time = NULL;

	for (size_t i = 0; i < config->history.len; i++) {
		const char *created = config->history.items[i].created;

		if (created != NULL)
			time = created;
		if (created != NULL && i >= n_base)
			break;
	}
	return time;
}

void sb_commit_fill_times(
	const struct sb_build *build, size_t n_base_history, struct sb_image_config *config)
{
	sb_autofree char *now = sb_commit_time(build);
	sb_autofree char *time = sb_strdup_or_null(
		build->source_date_epoch < 0 ? first_time(config, n_base_history) : NULL);

	if (time == NULL)
		time = sb_strdup(now);
	for (size_t i = n_base_history; i < config->history.len; i++) {
		char **created = &config->history.items[i].created;

		if (*created == NULL) {
			*created = sb_strdup(time);
			continue;
		}
		free(time);
		time = sb_strdup(*created);
	}
	free(config->created);
	config->created = SB_STEAL(time);
}

/* Takes `path` out of the upper folder if the step did nothing with it but have it as a mount
 * point. */
static void prune_mountpoint(int upper_fd, int lower_fd, const char *path)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *below = sb_path_below_root(path);
	sb_autofree char *name = NULL;
	sb_autofd int parent = -1;
	struct stat st;
	bool exists = false;

	if (sb_at_lstat(lower_fd, below, SB_AT_IN_ROOT, &st, &exists, &err) < 0 || exists ||
		sb_at_lstat(upper_fd, below, SB_AT_NO_LINKS, &st, &exists, &err) < 0 || !exists ||
		sb_at_open_parent(upper_fd, below, SB_AT_NO_LINKS, &parent, &name, &err) < 0) {
		sb_error_ignore(&err, "what can't be reached is not a mountpoint");
		return;
	}
	if (S_ISDIR(st.st_mode))
		(void)unlinkat(
			parent, name, AT_REMOVEDIR); /* fails where the step put something in */
	else if (S_ISREG(st.st_mode) && st.st_size == 0)
		(void)unlinkat(parent, name, 0);
}

/* The mount points and the folders above them, each before its parent. */
static void prune_scaffold(int upper_fd, int lower_fd, const struct sb_strv *scaffold)
{
	if (scaffold == NULL)
		return;
	for (size_t i = 0; i < scaffold->len; i++) {
		sb_autofree char *path = sb_strdup(scaffold->items[i]);

		while (strcmp(path, "/") != 0) {
			prune_mountpoint(upper_fd, lower_fd, path);

			char *dir = sb_path_dir(path);

			free(path);
			path = dir;
		}
	}
}

struct commit {
	const struct sb_do *d;
	int upper_fd;
	int lower_fd;
};

static int write_blob(const struct commit *c, const struct sb_changes *changes,
	struct sb_layer_blob *out, struct sb_error *err)
{
	SB_AUTO(sb_blob_writer) writer = NULL;
	const struct sb_build *build = c->d->build;

	if (sb_do_in_result(c->d) && sb_blob_writer_new(build->store, &writer, err) < 0)
		return -1;

	const struct sb_layer_write_options options = {
		.upper_fd = c->upper_fd,
		.out_fd = writer != NULL ? sb_blob_writer_fd(writer) : -1,
		.compression = build->compression,
		.level = build->compression_level,
		.source_date_epoch = build->source_date_epoch,
		.search = c->d->worker->search,
		.interrupt = build->interrupt,
	};

	if (sb_layer_write(changes, &options, out, err) < 0)
		return -1;
	return writer != NULL ? sb_blob_writer_commit(writer, &out->digest, err) : 0;
}

static int write_layer(const struct commit *c, const struct sb_strv *scaffold,
	struct sb_layer_blob *out, struct sb_error *err)
{
	__attribute__((cleanup(sb_changes_release))) struct sb_changes changes = {0};
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	SB_AUTO_STRV sockets = SB_STRV_INIT;
	struct sb_build *build = c->d->build;
	const struct sb_diff_options options = {.lower_fd = c->lower_fd,
		.upper_fd = c->upper_fd,
		.ids = build->host->ids,
		.scaffold = scaffold,
		.sockets = &sockets,
		.interrupt = build->interrupt};

	prune_scaffold(c->upper_fd, c->lower_fd, scaffold);
	if (sb_diff(&options, &changes, &warnings, err) < 0)
		return -1;
	for (size_t i = 0; i < warnings.len; i++)
		sb_events_warn(&build->events, warnings.items[i], NULL);
	if (write_blob(c, &changes, out, err) < 0)
		return -1;
	return sb_upper_settle(c->upper_fd, &changes, &sockets, build->source_date_epoch, err);
}

void sb_commit_layer(
	struct sb_build *build, struct sb_stage_state *state, const struct sb_committed *committed)
{
	struct sb_descriptor *layer = SB_ARRAY_ADD(&state->layers);

	layer->media_type = sb_strdup(sb_compression_media_type(build->compression));
	layer->size_bytes = committed->size_bytes;
	if (committed->blob != NULL)
		layer->digest = *committed->blob;
	*SB_ARRAY_ADD(&state->config->diff_ids) = *committed->diff_id;
	sb_strv_add(&state->lowers, committed->name);
	add_history(state, committed->created, committed->created_by, false);
	sb_events_emit(&build->events, (struct sb_event){.kind = SB_EVENT_STEP_END,
					       .text = committed->diff_id->text,
					       .done = committed->size_bytes});
}

/* *out_fd stays -1 where the layer is compared with nothing. */
static int view_below(struct sb_build *build, const struct sb_stage_state *state,
	const struct sb_written *written, int *out_fd, struct sb_error *err)
{
	if (written->is_link)
		return 0;
	if (written->lower_fd >= 0)
		return sb_fd_dup(written->lower_fd, out_fd, err);
	return sb_stack_view(build, &state->lowers, NULL, out_fd, err);
}

static void note_written(struct sb_build *build, const struct sb_digest *blob)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&build->written_lock);

	sb_strv_add(&build->written_blobs, blob->text);
}

/* As a layer of the store, where the step has a key; else it goes when the build ends. */
static int keep(const struct sb_do *d, const struct sb_written *written,
	const struct sb_layer_blob *blob, const char *created_by, struct sb_error *err)
{
	struct sb_build *build = d->build;
	const bool in_result = sb_do_in_result(d);
	sb_autofree char *created = sb_commit_time(build);
	sb_autofree char *name = NULL;
	const struct sb_step_done done = {
		.upper = written->upper, .blob = blob, .has_blob = in_result, .created = created};

	if (in_result)
		note_written(build, &blob->digest);
	if (written->cache == NULL || written->cache->cache == NULL)
		name = sb_strdup(written->upper->diff);
	else if (sb_step_cache_keep(d, written->cache, &done, &name, err) < 0)
		return -1;
	sb_commit_layer(build, d->state,
		&(struct sb_committed){.name = name,
			.diff_id = &blob->diff_id,
			.blob = in_result ? &blob->digest : NULL,
			.size_bytes = blob->size_bytes,
			.created = created,
			.created_by = created_by});
	return 0;
}

int sb_commit(const struct sb_do *d, const struct sb_written *written, const char *created_by,
	struct sb_error *err)
{
	struct sb_build *build = d->build;
	struct sb_upper *upper = written->upper;
	sb_autofd int upper_fd = -1;
	sb_autofd int lower_fd = -1;
	struct sb_layer_blob blob = {0};

	if (sb_at_open_dir(sb_snapshots_fd(build->snapshots), upper->diff, SB_AT_NO_LINKS,
		    &upper_fd, err) < 0 ||
		view_below(build, d->state, written, &lower_fd, err) < 0)
		return -1;

	const struct commit c = {.d = d, .upper_fd = upper_fd, .lower_fd = lower_fd};

	if (write_layer(&c, written->scaffold, &blob, err) < 0) {
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		if (err->code == SB_E_LEAK)
			(void)sb_error_context(
				err, "%.*s", (int)strcspn(created_by, " "), created_by);

		if (sb_snapshots_drop_upper(build->snapshots, upper, &failed) < 0)
			sb_error_ignore(&failed,
				"the whole build folder goes when the build ends, which is now");
		return -1;
	}
	return keep(d, written, &blob, created_by, err);
}
