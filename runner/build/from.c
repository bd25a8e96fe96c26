/* SPDX-License-Identifier: MIT */
#include "build/from.h"

#include <string.h>

#include "build/base_image.h"
#include "build/cache_import.h"
#include "build/content.h"
#include "build/context_fetch.h"
#include "build/stack.h"
#include "build/used_steps.h"
#include "plan/key.h"
#include "sys/fd.h"

void sb_from_release(struct sb_from *from)
{
	sb_stage_state_free(from->loaded);
}

static void take_context(const struct sb_context *context, struct sb_from *out)
{
	out->is_context = true;
	out->fd = context->fd;
	out->ignore = context->ignore;
}

static int take_base(const struct sb_do *d, const struct sb_base *base, struct sb_from *out,
	struct sb_error *err)
{
	struct sb_build *build = d->build;

	if (base->kind == SB_BASE_STAGE) {
		out->state = build->stages.items[base->stage];
		SB_BUG_ON(out->state == NULL);
		return 0;
	}
	if (sb_base_image_load(build, base, &build->platform, &out->loaded, err) < 0)
		return -1;
	out->state = out->loaded;
	return 0;
}

int sb_from_find(const struct sb_do *d, const char *from, struct sb_from *out, struct sb_error *err)
{
	const struct sb_contexts *contexts = d->build->contexts;
	SB_AUTO_VALUE(sb_base) base = {0};
	struct sb_context *context = NULL;

	*out = (struct sb_from){.fd = -1};
	if (from == NULL) {
		take_context(&contexts->main, out);
		return 0;
	}
	if (sb_plan_resolve_from(d->build->plan, d->stage, from, &base, err) < 0)
		return -1;
	if (base.kind == SB_BASE_SCRATCH)
		return sb_fail(err, SB_E_NOT_FOUND,
			"'scratch' is empty: there is nothing to copy from it");
	if (base.kind == SB_BASE_CONTEXT)
		context = sb_contexts_find(contexts, base.name);
	if (d->build->planned != NULL && context != NULL && context->kind == SB_CONTEXT_REMOTE)
		return sb_fail(err, SB_E_NOT_FOUND, "nothing is fetched for a plan");
	if (context != NULL && sb_context_fetch_named(d->build, context, err) < 0)
		return -1;
	if (context != NULL && context->kind == SB_CONTEXT_FOLDER) {
		take_context(context, out);
		return 0;
	}
	return take_base(d, &base, out, err);
}

int sb_from_open(
	const struct sb_do *d, const struct sb_from *from, int *out_fd, struct sb_error *err)
{
	if (from->is_context)
		return sb_fd_dup(from->fd, out_fd, err);
	return sb_stack_view(d->build, &from->state->lowers, NULL, out_fd, err);
}

int sb_do_open_from(const struct sb_do *d, const char *from, int *out_fd, bool *out_is_context,
	const struct sb_ignore **out_ignore, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_from) found = {.fd = -1};

	if (sb_from_find(d, from, &found, err) < 0 || sb_from_open(d, &found, out_fd, err) < 0)
		return -1;
	*out_is_context = found.is_context;
	*out_ignore = found.ignore;
	return 0;
}

/* All that the digest of an image's files depends on. */
static void key_of_content(const struct sb_do *d, const struct sb_from *from,
	const struct sb_copy *copy, const struct sb_strv *exclude, struct sb_digest *out)
{
	SB_AUTO_VALUE(sb_key) key = SB_KEY_INIT;

	sb_key_text(&key, "content of", sb_stage_state_chain(from->state)->text);
	sb_key_number(&key, "single id", d->build->host->mode == SB_IDS_SINGLE);
	sb_key_number(&key, "epoch", d->build->source_date_epoch);
	sb_key_list(&key, "sources", copy->sources);
	sb_key_list(&key, "exclude", exclude);
	sb_key_number(&key, "parents", copy->has_parents);
	sb_key_number(&key, "owner", copy->chown != NULL);
	sb_key_text(&key, "chmod", copy->chmod);
	sb_key_finish(&key, out);
}

static void exclude_patterns(const struct sb_do *d, struct sb_strv *out)
{
	SB_ARRAY_FOREACH (&d->instr->flags, flag)
		if (strcmp(flag->key, "exclude") == 0)
			sb_strv_add(out, flag->value);
	/* They are as written: what their variables are is in the environment. */
	if (out->len > 0)
		sb_strv_add_all(out, &d->state->env);
}

static int digest_view(const struct sb_do *d, const struct sb_from *from, struct sb_copy *copy,
	struct sb_digest *out, struct sb_error *err)
{
	sb_autofd int fd = -1;

	if (sb_from_open(d, from, &fd, err) < 0)
		return -1;
	copy->source_fd = fd;

	const struct sb_content_options options = {.with_times = d->build->source_date_epoch};

	return sb_content_digest(copy, &options, out, err);
}

static void remember(
	struct sb_cache *cache, const struct sb_digest *key, const struct sb_digest *content)
{
	const struct sb_cache_record record = {.key = *key, .content = *content};
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_cache_write(cache, &record, &failed) < 0)
		sb_error_ignore(&failed, "it is made anew in the next build then");
}

static int digest_image(const struct sb_do *d, const struct sb_from *from, struct sb_copy *copy,
	struct sb_digest *out, struct sb_error *err)
{
	struct sb_cache *cache = d->build->cache;
	SB_AUTO_STRV exclude = SB_STRV_INIT;
	SB_AUTO_VALUE(sb_cache_record) record = {0};
	enum sb_cache_found found = SB_CACHE_NONE;
	struct sb_digest key;

	if (from->state->is_unknown)
		return sb_fail(err, SB_E_NOT_FOUND, "a stage that is not built");
	exclude_patterns(d, &exclude);
	key_of_content(d, from, copy, &exclude, &key);
	if (sb_cache_read(cache, &key, &found, &record, err) < 0)
		return -1;
	sb_used_steps_add(d->build->used_steps, &(struct sb_used_step){.key = key,
							.is_content = true,
							.below = *sb_stage_state_chain(from->state),
							.in_result = sb_do_in_result(d)});
	if (found == SB_CACHE_FOUND && sb_digest_is_set(&record.content)) {
		*out = record.content;
		return 0;
	}
	if (!sb_imports_content(d->build->imports, &key, out) &&
		digest_view(d, from, copy, out, err) < 0)
		return -1;
	if (d->build->planned == NULL)
		remember(cache, &key, out);
	return 0;
}

static int fill_in(const struct sb_do *d, const struct sb_from *from, struct sb_copy *copy,
	struct stat *store, struct sb_error *err)
{
	const struct sb_build *build = d->build;

	if (fstat(build->store_fd, store) < 0)
		return sb_fail_errno(err, "the store");
	copy->source_is_context = from->is_context;
	copy->ignore = from->ignore;
	copy->store = from->is_context ? store : NULL;
	copy->secrets = build->secrets;
	copy->interrupt = build->interrupt;
	copy->ids = build->host->ids;
	copy->source_fd = from->fd;
	return 0;
}

int sb_from_digest(const struct sb_do *d, const struct sb_from *from, struct sb_copy copy,
	struct sb_digest *out, struct sb_digest *stamp, struct sb_error *err)
{
	struct sb_build *build = d->build;
	struct sb_content_options options = {
		.with_times = build->source_date_epoch, .stamp = stamp};
	struct stat store;

	if (fill_in(d, from, &copy, &store, err) < 0)
		return -1;
	if (!from->is_context)
		return digest_image(d, from, &copy, out, err);
	if (sb_cache_files(build->cache, from->fd, &options.memory, err) < 0)
		return -1;
	return sb_content_digest(&copy, &options, out, err);
}

int sb_from_stamp(const struct sb_do *d, const struct sb_from *from, struct sb_copy copy,
	struct sb_digest *stamp, struct sb_error *err)
{
	const struct sb_content_options options = {.with_times = -1, .stamp = stamp};
	struct stat store;

	if (!from->is_context)
		return 0;
	return fill_in(d, from, &copy, &store, err) < 0
		       ? -1
		       : sb_content_digest(&copy, &options, NULL, err);
}
