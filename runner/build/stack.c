/* SPDX-License-Identifier: MIT */
#include "build/stack.h"

#include <string.h>

#include "base/mem.h"
#include "build/build.h"
#include "sys/mutex.h"

enum progress { PROMISED, AT_WORK, FAILED, DONE };

struct sb_promised {
	struct sb_promise promise;
	enum progress progress;
	struct sb_error failed; /* others that want it are told the same */
};

void sb_promises_init(struct sb_promises *promises)
{
	SB_BUG_ON(pthread_mutex_init(&promises->lock, NULL) != 0);
	SB_BUG_ON(pthread_cond_init(&promises->changed, NULL) != 0);
}

void sb_promises_release(struct sb_promises *promises)
{
	SB_ARRAY_FOREACH (&promises->all, promised) {
		struct sb_promise *promise = &(*promised)->promise;

		promise->release(promise->data);
		free(promise->name);
		sb_error_release(&(*promised)->failed);
		free(*promised);
	}
	SB_ARRAY_RELEASE(&promises->all);
	(void)pthread_mutex_destroy(&promises->lock);
	(void)pthread_cond_destroy(&promises->changed);
}

bool sb_promises_may_add(struct sb_promises *promises)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&promises->lock);

	return !promises->is_eager;
}

/* With the lock. NULL where there is none. */
static struct sb_promised *find(struct sb_promises *promises, const char *name)
{
	SB_ARRAY_FOREACH (&promises->all, promised)
		if ((*promised)->progress != DONE && strcmp((*promised)->promise.name, name) == 0)
			return *promised;
	return NULL;
}

void sb_promises_add(struct sb_promises *promises, const struct sb_promise *promise)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&promises->lock);
	struct sb_promised *promised = SB_NEW(struct sb_promised);
	struct sb_promised *other = find(promises, promise->name);

	/* The same image from another place may be what this one was not. */
	if (other != NULL && other->progress == FAILED)
		other->progress = DONE;
	promised->promise = *promise;
	*SB_ARRAY_ADD(&promises->all) = promised;
}

bool sb_promises_has(struct sb_promises *promises, const char *name)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&promises->lock);

	return find(promises, name) != NULL;
}

void sb_promises_break(struct sb_promises *promises)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&promises->lock);

	promises->is_broken = true;
}

bool sb_promises_must_restart(struct sb_promises *promises)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&promises->lock);

	if (!promises->is_broken)
		return false;
	promises->is_broken = false;
	promises->is_eager = true;
	SB_ARRAY_FOREACH (&promises->all, promised) {
		if ((*promised)->progress != FAILED)
			continue;
		sb_error_release(&(*promised)->failed);
		(*promised)->progress = PROMISED;
	}
	return true;
}

/* With the lock. The lowest one first, since others are brought on it. */
static struct sb_promised *find_lowest(
	struct sb_promises *promises, const struct sb_strv *lowers, size_t *out_i)
{
	for (size_t i = 0; i < lowers->len; i++) {
		struct sb_promised *promised = find(promises, lowers->items[i]);

		if (promised == NULL)
			continue;
		*out_i = i;
		return promised;
	}
	return NULL;
}

/* *out is the caller's to keep, and to end with; NULL: all is there. Waits while another thread is
 * at it, which needs nothing of this one. */
static int begin(struct sb_promises *promises, const struct sb_strv *lowers,
	struct sb_promised **out, size_t *out_i, struct sb_error *err)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&promises->lock);

	for (;;) {
		struct sb_promised *promised = find_lowest(promises, lowers, out_i);

		if (promised != NULL && promised->progress == AT_WORK) {
			SB_BUG_ON(pthread_cond_wait(&promises->changed, &promises->lock) != 0);
			continue;
		}
		if (promised != NULL && promised->progress == FAILED) {
			const struct sb_error *failed = &promised->failed;

			(void)sb_fail(err, failed->code, "%s", failed->message);
			return failed->hint != NULL ? sb_error_hint(err, "%s", failed->hint) : -1;
		}
		if (promised != NULL)
			promised->progress = AT_WORK;
		*out = promised;
		return 0;
	}
}

static void end(struct sb_promises *promises, struct sb_promised *promised, int rc,
	const struct sb_error *err)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&promises->lock);

	promised->progress = rc == 0 ? DONE : PROMISED;
	if (rc < 0 && err->code != SB_E_CANCELLED) {
		promised->progress = FAILED;
		(void)sb_fail(&promised->failed, err->code, "%s", err->message);
		if (err->hint != NULL)
			(void)sb_error_hint(&promised->failed, "%s", err->hint);
	}
	SB_BUG_ON(pthread_cond_broadcast(&promises->changed) != 0);
}

static int keep(struct sb_build *build, struct sb_promised *promised, const struct sb_strv *lowers,
	size_t i, struct sb_error *err)
{
	SB_AUTO_STRV below = SB_STRV_INIT;

	for (size_t j = 0; j < i; j++)
		sb_strv_add(&below, lowers->items[j]);

	const int rc = promised->promise.keep(build, promised->promise.data, &below, err);

	end(build->promises, promised, rc, err);
	return rc;
}

/* What a plan would have to look at is not known. */
static int check_plan(struct sb_build *build, const struct sb_strv *lowers, struct sb_error *err)
{
	for (size_t i = 0; i < lowers->len; i++)
		if (sb_promises_has(build->promises, lowers->items[i]))
			return sb_fail(err, SB_E_NOT_FOUND, "a layer that is not unpacked");
	return 0;
}

int sb_stack_bring(struct sb_build *build, const struct sb_strv *lowers, struct sb_error *err)
{
	struct sb_promised *promised = NULL;
	size_t i = 0;

	if (build->planned != NULL)
		return check_plan(build, lowers, err);
	for (;;) {
		if (begin(build->promises, lowers, &promised, &i, err) < 0)
			return -1;
		if (promised == NULL)
			return 0;
		if (keep(build, promised, lowers, i, err) < 0)
			return -1;
	}
}

int sb_stack_view(struct sb_build *build, const struct sb_strv *lowers,
	const struct sb_upper *upper, int *out_mount_fd, struct sb_error *err)
{
	return sb_stack_bring(build, lowers, err) < 0
		       ? -1
		       : sb_snapshots_view(build->snapshots, lowers, upper, out_mount_fd, err);
}
