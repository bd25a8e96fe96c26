/* SPDX-License-Identifier: MIT */
#include "build/step_cache.h"

#include <string.h>
#include <strings.h>

#include "base/escape.h"
#include "base/mem.h"
#include "build/await_lock.h"
#include "build/cache_import.h"
#include "build/commit.h"
#include "build/layer_again.h"
#include "build/planned.h"
#include "build/stack.h"
#include "build/stored_layer.h"
#include "build/used_steps.h"
#include "leak/scan.h"
#include "sys/fd.h"

void sb_step_cache_release(struct sb_step_cache *step)
{
	if (step->cache != NULL)
		sb_cache_unlock(step->cache, &step->key, &step->lock_fd);
}

/* A layer that was found, and what is to be done with it. */
struct found {
	const struct sb_do *d;
	const struct sb_step_cache *step;
	struct sb_cache_record record;
	char *name;       /* of its folder */
	bool is_searched; /* for the secrets that this build knows, in its blob */
	bool has_leak;
};

static void found_release(struct found *found)
{
	sb_cache_record_release(&found->record);
	free(found->name);
}

static bool has_blob(const struct sb_do *d, const struct sb_cached_blob *blob)
{
	return blob != NULL &&
	       sb_layout_has_whole_blob(d->build->store, &blob->digest, blob->size_bytes);
}

static bool lacks_blob(const struct found *found)
{
	const struct sb_build *build = found->d->build;

	return sb_do_in_result(found->d) &&
	       !has_blob(found->d, sb_cache_record_blob(&found->record, build->compression,
					   build->compression_level));
}

/* Its folder is not needed for a blob. */
static bool may_promise(const struct found *found)
{
	const struct sb_build *build = found->d->build;

	return build->planned != NULL ||
	       (sb_promises_may_add(build->promises) && !lacks_blob(found));
}

/* Before the layer itself is looked into: what is wrong with those below is not its fault. */
static int bring_below(const struct sb_do *d, struct sb_error *err)
{
	return sb_stack_bring(d->build, &d->state->lowers, err);
}

/* A plan looks into nothing. */
static int promise(struct found *found, const struct sb_stored_layer *layer, struct sb_error *err)
{
	struct sb_build *build = found->d->build;

	if (build->planned == NULL && sb_scanner_is_active(build->scanner) &&
		sb_stored_layer_verify(build, layer, build->scanner, err) < 0) {
		found->has_leak = err->code == SB_E_LEAK;
		return -1;
	}
	found->is_searched = true;
	sb_stored_layer_promise(build, layer);
	return 0;
}

/* Unpacked at once, or when somebody looks into it. */
static int take_layer(struct found *found, const struct sb_stored_layer *layer, bool *out_is_there,
	struct sb_error *err)
{
	const struct sb_do *d = found->d;

	if (may_promise(found)) {
		*out_is_there = promise(found, layer, err) == 0;
		return *out_is_there ? 0 : -1;
	}
	if (sb_stored_layer_unpack(d->build, layer, &d->state->lowers, err) < 0)
		return -1;
	return sb_snapshots_pin(d->build->snapshots, found->name, out_is_there, err);
}

/* The blob that some image brought or kept, where the folder is gone. */
static int take_blob(struct found *found, bool *out_is_there, struct sb_error *err)
{
	const struct sb_do *d = found->d;

	SB_ARRAY_FOREACH (&found->record.blobs, blob) {
		const struct sb_descriptor named = {
			.digest = blob->digest, .size_bytes = blob->size_bytes};
		const struct sb_stored_layer layer = {
			.blob = &named, .diff_id = &found->record.diff_id};
		SB_AUTO_ERROR failed = SB_ERROR_INIT;

		if (!has_blob(d, blob))
			continue;
		if (!may_promise(found) && bring_below(d, err) < 0)
			return -1;
		if (take_layer(found, &layer, out_is_there, &failed) == 0)
			return 0;
		/* Missing: another build has removed it meanwhile. */
		if (failed.code != SB_E_INTEGRITY && failed.code != SB_E_NOT_FOUND) {
			sb_error_move(err, &failed);
			return -1;
		}
		sb_error_ignore(&failed, "then it is no use");
		if (sb_layout_discard_blob(d->build->store, &blob->digest, err) < 0)
			return -1;
	}
	return 0;
}

static int find_folder(struct found *found, bool *out_is_there, struct sb_error *err)
{
	struct sb_snapshots *snapshots = found->d->build->snapshots;

	found->name = sb_snapshots_step_name(&found->record.state);
	if (sb_snapshots_pin(snapshots, found->name, out_is_there, err) < 0)
		return -1;
	if (*out_is_there)
		return 0;
	free(found->name);
	found->name = sb_snapshots_layer_name(&found->record.diff_id);
	if (sb_snapshots_pin(snapshots, found->name, out_is_there, err) < 0)
		return -1;
	return *out_is_there ? 0 : take_blob(found, out_is_there, err);
}

/* Everything of it that is in the cache. A blob that an image has stays with that. */
static int destroy(const struct found *found, struct sb_error *err)
{
	const struct sb_build *build = found->d->build;

	sb_cache_remove(build->cache, &found->step->key);
	SB_ARRAY_FOREACH (&found->record.blobs, blob)
		if (sb_layout_discard_unused_blob(build->store, &blob->digest, err) < 0)
			return -1;
	return sb_snapshots_discard(build->snapshots, found->name, err);
}

/* In the build's compression: another version of the compressor may have made other bytes of it. */
static void remember_blob(struct found *found, const struct sb_layer_blob *made)
{
	const struct sb_build *build = found->d->build;
	struct sb_cached_blob *blob = NULL;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	SB_ARRAY_FOREACH (&found->record.blobs, other)
		if (other->compression == build->compression &&
			other->level == build->compression_level)
			blob = other;
	if (blob == NULL)
		blob = SB_ARRAY_ADD(&found->record.blobs);
	*blob = (struct sb_cached_blob){.compression = build->compression,
		.level = build->compression_level,
		.digest = made->digest,
		.size_bytes = made->size_bytes};
	if (sb_cache_write(build->cache, &found->record, &failed) < 0)
		sb_error_ignore(&failed, "it is made once more in the next build then");
}

static int fail_leak(const struct found *found, struct sb_error *err)
{
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (destroy(found, &ignored) < 0)
		sb_error_ignore(&ignored, "what was found is what is told");
	return sb_error_context(err, "%s", sb_instruction_name(found->d->instr->kind));
}

/* Reads the layer where that is needed: for a secret that its step did not know, or for a blob
 * that is missing. *out_is_whole is false where it is not what it was. */
static int check_layer(struct found *found, bool *out_is_whole, struct sb_error *err)
{
	const struct sb_do *d = found->d;
	struct sb_build *build = d->build;
	const struct sb_cached_blob *blob =
		sb_cache_record_blob(&found->record, build->compression, build->compression_level);
	const struct sb_layer_again again = {.name = found->name,
		.is_link = found->step->is_link,
		.has_blob = sb_do_in_result(d) && !has_blob(d, blob),
		.compression = build->compression,
		.level = build->compression_level,
		.diff_id = &found->record.diff_id};
	struct sb_layer_blob made = {0};
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	*out_is_whole = true;
	if (!again.has_blob && (found->is_searched || !sb_scanner_is_active(build->scanner)))
		return 0;
	if (bring_below(d, err) < 0)
		return -1;
	if (again.has_blob && blob != NULL &&
		sb_layout_discard_blob(build->store, &blob->digest, err) < 0)
		return -1;
	if (sb_layer_make_again(d, &again, &made, &failed) < 0) {
		*out_is_whole = false;
		if (failed.code == SB_E_LEAK || failed.code == SB_E_CANCELLED) {
			sb_error_move(err, &failed);
			return err->code == SB_E_LEAK ? fail_leak(found, err) : -1;
		}
		sb_error_ignore(&failed, "the step runs then");
		return 0;
	}
	if (again.has_blob)
		remember_blob(found, &made);
	return 0;
}

/* --link's is no state that an image's layers come to, but the layer's alone. */
static void state_after(const struct sb_step_cache *step, struct sb_stage_state *state,
	const struct sb_digest *diff_id, struct sb_digest *out)
{
	const struct sb_digest none = {0};

	sb_key_chain(step->is_link ? &none : sb_stage_state_chain(state), diff_id, out);
	if (step->is_link)
		sb_key_chain(out, &none, out);
}

static void note_used(
	const struct sb_do *d, const struct sb_step_cache *step, const struct sb_digest *diff_id)
{
	struct sb_used_step used = {.key = step->key,
		.below = *sb_stage_state_chain(d->state),
		.lowers = &d->state->lowers,
		.n_lowers = d->state->lowers.len,
		.is_link = step->is_link,
		.in_result = step->in_result};

	if (step->is_private)
		return;
	sb_key_chain(&used.below, diff_id, &used.after);
	sb_used_steps_add(d->build->used_steps, &used);
}

static void use(const struct found *found, const char *created_by)
{
	const struct sb_do *d = found->d;
	const struct sb_cached_blob *blob = sb_cache_record_blob(
		&found->record, d->build->compression, d->build->compression_level);
	const struct sb_committed layer = {
		.name = found->name,
		.diff_id = &found->record.diff_id,
		.blob = sb_do_in_result(d) && blob != NULL ? &blob->digest : NULL,
		.size_bytes = blob != NULL ? blob->size_bytes : found->record.tar_bytes,
		.created = found->record.created,
		.created_by = created_by,
	};

	sb_events_emit(&d->build->events,
		(struct sb_event){.kind = SB_EVENT_CACHE_HIT, .text = found->record.diff_id.text});
	note_used(d, found->step, &found->record.diff_id);
	sb_commit_layer(d->build, d->state, &layer);
}

/* A record or layer that is of no use is removed only by who holds the key's lock: another build
 * may be about to complete it. */
static int try_record(const struct sb_do *d, const struct sb_step_cache *step,
	const char *created_by, bool *out_is_done, struct sb_error *err)
{
	__attribute__((cleanup(found_release))) struct found found = {.d = d, .step = step};
	enum sb_cache_found what = SB_CACHE_NONE;
	bool is_there = false;

	*out_is_done = false;
	if (sb_cache_read(step->cache, &step->key, &what, &found.record, err) < 0)
		return -1;
	if (what == SB_CACHE_NONE)
		return 0;
	if (what == SB_CACHE_FOUND && sb_digest_is_set(&found.record.diff_id)) {
		if (find_folder(&found, &is_there, err) < 0)
			return found.has_leak ? fail_leak(&found, err) : -1;
		if (is_there && check_layer(&found, out_is_done, err) < 0)
			return -1;
		if (*out_is_done) {
			use(&found, created_by);
			return 0;
		}
		if (is_there && step->lock_fd >= 0 &&
			sb_snapshots_discard(d->build->snapshots, found.name, err) < 0)
			return -1;
	}
	if (step->lock_fd >= 0)
		sb_cache_remove(step->cache, &step->key);
	return 0;
}

static int take_key(void *self, int *out_fd, struct sb_error *err)
{
	const struct sb_step_cache *step = self;

	return sb_cache_lock(step->cache, &step->key, out_fd, err);
}

static bool is_looked_up(const struct sb_do *d)
{
	const struct sb_build *build = d->build;
	const struct sb_stage *stage = &build->plan->stages.items[d->stage];

	if (build->no_cache)
		return false;
	for (size_t i = 0; i < build->no_cache_stages.len; i++)
		if (strcasecmp(build->no_cache_stages.items[i], stage->name) == 0)
			return false;
	return true;
}

/* A value that is a secret and came by another way too, an ARG say, is not even digested. */
static bool has_secret(const struct sb_do *d, const struct sb_key *key)
{
	struct sb_leak leak;

	return sb_content_search_is_active(d->worker->search) &&
	       sb_content_search_text(
		       d->worker->search, key->material.data, key->material.len, &leak);
}

/* Its layer stays where it is: what would be read from it can't be planned. */
static bool plan_import(
	const struct sb_do *d, const struct sb_step_cache *step, struct sb_cache_record *record)
{
	struct sb_digest diff_id;

	if (!sb_imports_has(d->build->imports, &step->key, &diff_id))
		return false;
	record->diff_id = diff_id;
	return true;
}

/* Nothing is searched or mended for a plan. */
static int plan_step(const struct sb_do *d, const struct sb_step_cache *step,
	const char *created_by, struct sb_error *err)
{
	__attribute__((cleanup(found_release))) struct found found = {.d = d, .step = step};
	struct sb_planned *planned = d->build->planned;
	enum sb_cache_found what = SB_CACHE_NONE;
	bool is_there = false;

	planned->state = step->cache != NULL ? SB_PLANNED_RUN : SB_PLANNED_UNKNOWN;
	planned->key = step->key;
	if (step->cache != NULL && is_looked_up(d)) {
		if (sb_cache_look(step->cache, &step->key, &what, &found.record, err) < 0)
			return -1;
		if (what == SB_CACHE_FOUND && sb_digest_is_set(&found.record.diff_id) &&
			find_folder(&found, &is_there, err) < 0)
			return -1;
	}
	if (!is_there && step->cache != NULL && is_looked_up(d) &&
		plan_import(d, step, &found.record)) {
		free(found.name);
		found.name = sb_snapshots_layer_name(&found.record.diff_id);
		is_there = true;
	}
	if (is_there) {
		planned->state = SB_PLANNED_CACHED;
		use(&found, created_by);
		return 0;
	}
	d->state->is_unknown = true;
	return 0;
}

static char *shown_text(const struct sb_do *d, const char *text)
{
	enum { MAX_TEXT = 400 };
	const size_t len = strnlen(text, MAX_TEXT);
	struct sb_leak leak;

	if (sb_content_search_is_active(d->worker->search) &&
		sb_content_search_text(d->worker->search, text, strlen(text), &leak))
		return sb_strdup("");
	return sb_escape_text(text, len);
}

/* Only the keys of other steps may need it. */
static bool defer_import(
	const struct sb_do *d, const struct sb_step_cache *step, const char *created_by)
{
	__attribute__((cleanup(found_release))) struct found found = {
		.d = d, .step = step, .record = {.key = step->key}};

	if (step->in_result || !sb_imports_find_deferred(d->build, &found.record))
		return false;
	found.name = sb_snapshots_layer_name(&found.record.diff_id);
	state_after(step, d->state, &found.record.diff_id, &found.record.state);
	found.record.text = shown_text(d, step->text);
	use(&found, created_by);
	sb_imports_defer(d->build, &found.record, step->is_link);
	return true;
}

/* With the key's lock. What another machine has built becomes what this store has built. */
static int try_imports(const struct sb_do *d, const struct sb_step_cache *step,
	const char *created_by, bool *out_is_done, struct sb_error *err)
{
	struct sb_build *build = d->build;
	const bool waits = sb_promises_may_add(build->promises);
	SB_AUTO_VALUE(sb_cache_record) record = {.key = step->key};
	bool is_taken = false;

	*out_is_done = defer_import(d, step, created_by);
	if (*out_is_done || build->imports == NULL)
		return 0;
	if (!waits && bring_below(d, err) < 0)
		return -1;
	if (sb_imports_take(build, waits ? NULL : &d->state->lowers, step->in_result, &record,
		    &is_taken, err) < 0)
		return -1;
	if (!is_taken)
		return 0;
	state_after(step, d->state, &record.diff_id, &record.state);
	record.text = shown_text(d, step->text);
	return sb_cache_write(step->cache, &record, err) < 0
		       ? -1
		       : try_record(d, step, created_by, out_is_done, err);
}

int sb_step_cache_begin(const struct sb_do *d, const struct sb_key *key, bool is_link,
	const char *created_by, struct sb_step_cache *out, bool *out_is_done, struct sb_error *err)
{
	const bool has_key =
		key != NULL && !key->is_too_large && d->build->cache != NULL && !has_secret(d, key);

	*out_is_done = d->build->planned != NULL;
	if (!has_key)
		return *out_is_done ? plan_step(d, out, created_by, err) : 0;
	out->cache = d->build->cache;
	out->in_result = sb_do_in_result(d);
	out->is_private = key->is_private;
	out->is_link = is_link;
	/* In the history, the addresses of ADD have no passwords. */
	out->text = d->instr->kind == SB_INSTR_ADD ? created_by : d->instr->text;
	sb_key_finish(key, &out->key);
	if (d->build->planned != NULL)
		return plan_step(d, out, created_by, err);
	if (!is_looked_up(d))
		return 0;
	if (try_record(d, out, created_by, out_is_done, err) < 0)
		return -1;
	if (*out_is_done)
		return 0;
	if (sb_await_lock(d->build, "waiting for the same step, which another build or stage runs",
		    take_key, out, &out->lock_fd, err) < 0)
		return -1;
	/* Meanwhile another build may have run it. */
	if (try_record(d, out, created_by, out_is_done, err) < 0)
		return -1;
	return *out_is_done ? 0 : try_imports(d, out, created_by, out_is_done, err);
}

static void write_record(const struct sb_do *d, const struct sb_step_cache *step,
	const struct sb_step_done *done, const struct sb_digest *state)
{
	struct sb_build *build = d->build;
	SB_AUTO_VALUE(sb_cache_record) record = {.key = step->key,
		.diff_id = done->blob->diff_id,
		.state = *state,
		.tar_bytes = done->blob->tar_bytes,
		.created = sb_strdup(done->created),
		.text = shown_text(d, step->text)};
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (done->has_blob)
		*SB_ARRAY_ADD(&record.blobs) =
			(struct sb_cached_blob){.compression = build->compression,
				.level = build->compression_level,
				.digest = done->blob->digest,
				.size_bytes = done->blob->size_bytes};
	if (sb_cache_write(step->cache, &record, &failed) == 0)
		return;

	sb_autofree char *text = sb_asprintf("the step is not cached: %s", failed.message);

	sb_error_ignore(&failed, "it is told");
	sb_events_warn(&build->events, text, NULL);
}

int sb_step_cache_keep(const struct sb_do *d, const struct sb_step_cache *step,
	const struct sb_step_done *done, char **out_name, struct sb_error *err)
{
	struct sb_digest chain;

	state_after(step, d->state, &done->blob->diff_id, &chain);

	sb_autofree char *name = sb_snapshots_step_name(&chain);

	if (sb_snapshots_keep_step(d->build->snapshots, done->upper, name, err) < 0)
		return -1;
	write_record(d, step, done, &chain);
	note_used(d, step, &done->blob->diff_id);
	*out_name = SB_STEAL(name);
	return 0;
}
