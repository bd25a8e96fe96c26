/* SPDX-License-Identifier: MIT */
#include "build/cache_collect.h"

#include "base/mem.h"
#include "build/blob_check.h"
#include "build/cache_import.h"
#include "build/layer_again.h"
#include "build/stack.h"
#include "build/used_steps.h"
#include "leak/scan.h"

struct collecting {
	struct sb_build *build;
	const struct sb_collect_options *options;
	struct sb_shared_cache *out;
	struct sb_absent_blobs *absent;
	/* For each layer and record of it: the state of a stage after it. */
	SB_ARRAY(struct sb_digest) layer_states;
	SB_ARRAY(struct sb_digest) record_states;
};

static bool has_blob(const struct sb_build *build, const struct sb_cached_blob *blob)
{
	return blob != NULL &&
	       sb_layout_has_whole_blob(build->store, &blob->digest, blob->size_bytes);
}

/* In the form that is wanted; without a wish the image's, or any that is there. */
static const struct sb_cached_blob *choose_blob(
	const struct collecting *c, const struct sb_cache_record *record)
{
	const struct sb_build *build = c->build;
	const struct sb_collect_options *o = c->options;
	const struct sb_cached_blob *blob =
		o->has_compression ? sb_cache_record_blob(record, o->compression, o->level)
				   : sb_cache_record_blob(
					     record, build->compression, build->compression_level);

	if (has_blob(build, blob))
		return blob;
	if (!o->has_compression)
		SB_ARRAY_FOREACH (&record->blobs, other)
			if (has_blob(build, other))
				return other;
	return NULL;
}

/* Kept in the store, and known there: the next build need not make it. */
static void remember(
	struct collecting *c, struct sb_cache_record *record, const struct sb_cached_blob *made)
{
	struct sb_cached_blob *blob = NULL;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	SB_ARRAY_FOREACH (&record->blobs, other)
		if (other->compression == made->compression && other->level == made->level)
			blob = other;
	if (blob == NULL)
		blob = SB_ARRAY_ADD(&record->blobs);
	*blob = *made;
	if (sb_cache_write(c->build->cache, record, &failed) < 0)
		sb_error_ignore(&failed, "it is made once more the next time");
}

static char *folder_of(struct sb_build *build, const struct sb_cache_record *record)
{
	for (int i = 0; i < 2; i++) {
		sb_autofree char *name = i == 0 ? sb_snapshots_step_name(&record->state)
						: sb_snapshots_layer_name(&record->diff_id);
		SB_AUTO_ERROR failed = SB_ERROR_INIT;
		bool is_there = false;

		if (sb_snapshots_pin(build->snapshots, name, &is_there, &failed) < 0)
			sb_error_ignore(&failed, "then it is not there");
		if (is_there)
			return SB_STEAL(name);
	}
	return NULL;
}

/* The step's layer, and what it lies on. */
static int bring(struct sb_build *build, const struct sb_used_step *step, struct sb_error *err)
{
	SB_AUTO_STRV stack = SB_STRV_INIT;

	for (size_t i = 0; i < step->lowers->len && i <= step->n_lowers; i++)
		sb_strv_add(&stack, step->lowers->items[i]);
	return sb_stack_bring(build, &stack, err);
}

/* From the layer's folder, on the layers that it was made on. */
static int make_blob(struct collecting *c, const struct sb_used_step *step,
	struct sb_cache_record *record, struct sb_cached_blob *out, struct sb_error *err)
{
	struct sb_build *build = c->build;
	SB_AUTO(sb_stage_state) below = sb_stage_state_new();

	if (bring(build, step, err) < 0)
		return -1;

	sb_autofree char *name = folder_of(build, record);
	struct sb_layer_blob made = {0};
	const struct sb_layer_again again = {.name = name,
		.is_link = step->is_link,
		.has_blob = true,
		.compression =
			c->options->has_compression ? c->options->compression : build->compression,
		.level = c->options->has_compression ? c->options->level : build->compression_level,
		.diff_id = &record->diff_id};

	if (name == NULL)
		return sb_fail(err, SB_E_NOT_FOUND,
			"layer %s was removed from the store while it was built on",
			record->diff_id.text);
	for (size_t i = 0; i < step->n_lowers; i++)
		sb_strv_add(&below->lowers, step->lowers->items[i]);

	const struct sb_do d = {.build = build, .state = below, .worker = &build->worker};

	if (sb_layer_make_again(&d, &again, &made, err) < 0)
		return -1;
	*out = (struct sb_cached_blob){.compression = again.compression,
		.level = again.level,
		.digest = made.digest,
		.size_bytes = made.size_bytes};
	sb_strv_add(&build->written_blobs, made.digest.text);
	remember(c, record, out);
	return 0;
}

void sb_absent_blobs_release(struct sb_absent_blobs *blobs)
{
	SB_ARRAY_FOREACH (blobs, absent)
		sb_descriptor_release(&absent->blob);
	SB_ARRAY_RELEASE(blobs);
}

static size_t find(const struct sb_digest *states, size_t n, const struct sb_digest *state)
{
	for (size_t i = 0; i < n; i++)
		if (sb_digest_equal(&states[i], state))
			return i;
	return SB_SHARED_NONE;
}

static int add_layer(struct collecting *c, const struct sb_used_step *step,
	struct sb_cache_record *record, size_t *out_i, struct sb_error *err)
{
	const struct sb_cached_blob *have = choose_blob(c, record);
	struct sb_cached_blob blob = {0};
	SB_AUTO_VALUE(sb_descriptor) d = {0};

	*out_i = find(c->layer_states.items, c->layer_states.len, &step->after);
	if (*out_i != SB_SHARED_NONE)
		return 0;
	if (have != NULL)
		blob = *have;
	else if (make_blob(c, step, record, &blob, err) < 0)
		return -1;
	d.media_type = sb_strdup(sb_compression_media_type(blob.compression));
	d.digest = blob.digest;
	d.size_bytes = blob.size_bytes;
	if (sb_blob_check(c->build, &d, err) < 0)
		return -1;
	*out_i = c->out->layers.len;
	*SB_ARRAY_ADD(&c->out->layers) = (struct sb_shared_layer){.blob = d,
		.diff_id = record->diff_id,
		.tar_bytes = record->tar_bytes,
		.level = blob.level,
		.parent = find(c->layer_states.items, c->layer_states.len, &step->below)};
	d = (struct sb_descriptor){0};
	*SB_ARRAY_ADD(&c->layer_states) = step->after;
	return 0;
}

static void add_record(
	struct collecting *c, const struct sb_shared_record *record, const struct sb_digest *state)
{
	*SB_ARRAY_ADD(&c->out->records) = *record;
	*SB_ARRAY_ADD(&c->record_states) = *state;
}

/* What the stage starts from: its records are what a record of BuildKit's begins with too. */
static size_t add_root(struct collecting *c, const struct sb_digest *state)
{
	if (!sb_digest_is_set(state))
		return SB_SHARED_NONE;

	const size_t known = find(c->record_states.items, c->record_states.len, state);

	if (known != SB_SHARED_NONE)
		return known;
	add_record(c,
		&(struct sb_shared_record){
			.key = *state, .layer = SB_SHARED_NONE, .input = SB_SHARED_NONE},
		state);
	return c->out->records.len - 1;
}

static bool has_record(const struct collecting *c, const struct sb_digest *key)
{
	SB_ARRAY_FOREACH (&c->out->records, record)
		if (sb_digest_equal(&record->key, key))
			return true;
	return false;
}

/* Of a layer that was deferred, and is in the wanted form: it can stay where it is, unless it is to
 * be searched. */
static bool add_deferred(struct collecting *c, const struct sb_used_step *step)
{
	const struct sb_collect_options *o = c->options;
	struct sb_shared_record shared = {.key = step->key};
	enum sb_compression compression = SB_COMPRESS_GZIP;
	struct sb_cache_source *source = NULL;
	const char *created = NULL;
	const struct sb_shared_layer *layer =
		sb_imports_layer(c->build->imports, &step->key, &created, &source);

	if (layer == NULL || sb_scanner_is_active(c->build->scanner))
		return false;
	(void)sb_compression_of_media_type(layer->blob.media_type, &compression);
	if (o->has_compression && (o->compression != compression || o->level != layer->level))
		return false;
	shared.layer = find(c->layer_states.items, c->layer_states.len, &step->after);
	if (shared.layer == SB_SHARED_NONE) {
		struct sb_shared_layer *copy = SB_ARRAY_ADD(&c->out->layers);
		struct sb_absent_blob *absent = SB_ARRAY_ADD(c->absent);

		copy->blob.media_type = sb_strdup(sb_compression_media_type(compression));
		copy->blob.digest = layer->blob.digest;
		copy->blob.size_bytes = layer->blob.size_bytes;
		copy->diff_id = layer->diff_id;
		copy->tar_bytes = layer->tar_bytes;
		copy->level = layer->level;
		copy->parent = find(c->layer_states.items, c->layer_states.len, &step->below);
		*SB_ARRAY_ADD(&c->layer_states) = step->after;
		sb_descriptor_copy(&absent->blob, &copy->blob);
		absent->source = source;
		shared.layer = c->out->layers.len - 1;
	}
	shared.input = add_root(c, &step->below);
	shared.created = sb_strdup(created);
	add_record(c, &shared, &step->after);
	return true;
}

/* Reads the step's record, for which its layer is brought where it was deferred. */
static int look(struct collecting *c, const struct sb_used_step *step, enum sb_cache_found *found,
	struct sb_cache_record *record, struct sb_error *err)
{
	if (sb_cache_look(c->build->cache, &step->key, found, record, err) < 0)
		return -1;
	if (*found == SB_CACHE_FOUND || step->is_content || c->build->imports == NULL)
		return 0;
	return bring(c->build, step, err) < 0
		       ? -1
		       : sb_cache_look(c->build->cache, &step->key, found, record, err);
}

static int add_step(struct collecting *c, const struct sb_used_step *step, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_cache_record) record = {0};
	enum sb_cache_found found = SB_CACHE_NONE;
	const struct sb_digest none = {0};
	struct sb_shared_record shared = {
		.key = step->key, .layer = SB_SHARED_NONE, .input = SB_SHARED_NONE};

	if (has_record(c, &step->key))
		return 0;
	if (sb_cache_look(c->build->cache, &step->key, &found, &record, err) < 0)
		return -1;
	if (found != SB_CACHE_FOUND && !step->is_content && add_deferred(c, step))
		return 0;
	if (found != SB_CACHE_FOUND && look(c, step, &found, &record, err) < 0)
		return -1;
	/* It could not be written, or is gone: then the step is not cached here either. */
	if (found != SB_CACHE_FOUND || sb_digest_is_set(&record.diff_id) == step->is_content)
		return 0;
	if (step->is_content) {
		shared.content = record.content;
		shared.input = add_root(c, &step->below);
		add_record(c, &shared, &none);
		return 0;
	}
	if (add_layer(c, step, &record, &shared.layer, err) < 0)
		return -1;
	shared.input = add_root(c, &step->below);
	shared.created = SB_STEAL(record.created);
	add_record(c, &shared, &step->after);
	return 0;
}

int sb_cache_collect(struct sb_build *build, const struct sb_collect_options *options,
	struct sb_shared_cache *out, struct sb_absent_blobs *absent, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_shared_cache) cache = {0};
	struct collecting c = {.build = build, .options = options, .out = &cache, .absent = absent};
	size_t n = 0;
	const struct sb_used_step *steps = sb_used_steps_all(build->used_steps, &n);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (options->has_all || steps[i].in_result)
			rc = add_step(&c, &steps[i], err);
	if (rc == 0)
		rc = sb_cache_save_files(build->cache, err);
	SB_ARRAY_RELEASE(&c.layer_states);
	SB_ARRAY_RELEASE(&c.record_states);
	if (rc < 0)
		return -1;
	sb_shared_cache_sort(&cache);
	*out = cache;
	cache = (struct sb_shared_cache){0};
	return 0;
}
