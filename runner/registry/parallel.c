/* SPDX-License-Identifier: MIT */
#include "registry/parallel.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/mem.h"

enum {
	/* What a fast network is filled by; more would share it in smaller pieces, and registries
	 * count connections. */
	MAX_AT_ONCE = 4,
	TICK_MS = 100,
};

struct pool {
	const struct sb_parallel *options;
	_Atomic uint64_t *done; /* a job each */
	_Atomic bool *is_done;
	_Atomic bool is_stopped;
	size_t n_told; /* jobs that on_done was called for; the calling thread's alone */

	pthread_mutex_t lock;   /* of all that follows */
	pthread_cond_t changed; /* a thread has ended, or a job is done */
	size_t next;
	size_t n_running;
	struct sb_error failure;
};

static bool keep_going(void *data)
{
	return !((struct pool *)data)->is_stopped;
}

static void lock(struct pool *pool)
{
	SB_BUG_ON(pthread_mutex_lock(&pool->lock) != 0);
}

static void unlock(struct pool *pool)
{
	SB_BUG_ON(pthread_mutex_unlock(&pool->lock) != 0);
}

static bool take_job(struct pool *pool, size_t *out_i)
{
	lock(pool);

	const bool has_one = !pool->is_stopped && pool->next < pool->options->n_jobs;

	if (has_one)
		*out_i = pool->next++;
	unlock(pool);
	return has_one;
}

static void keep_failure(struct pool *pool, struct sb_error *err)
{
	lock(pool);
	/* What is cancelled because another has failed is no news. */
	if (!sb_error_is_set(&pool->failure) && !pool->is_stopped)
		sb_error_move(&pool->failure, err);
	pool->is_stopped = true;
	unlock(pool);
	sb_error_release(err);
}

static int work(struct pool *pool, struct sb_error *err)
{
	const struct sb_parallel *options = pool->options;
	SB_AUTO(sb_client) client = NULL;
	size_t i = 0;

	if (sb_client_new(options->access, options->limits, keep_going, pool, &client, err) < 0)
		return -1;
	while (take_job(pool, &i)) {
		if (options->run(options->data, i, client, &pool->done[i], err) < 0)
			return -1;
		pool->is_done[i] = true;
		if (options->on_done != NULL)
			SB_BUG_ON(pthread_cond_signal(&pool->changed) != 0);
	}
	return 0;
}

static void *work_in_thread(void *data)
{
	struct pool *pool = data;
	struct sb_error err = SB_ERROR_INIT;

	if (work(pool, &err) < 0)
		keep_failure(pool, &err);
	lock(pool);
	pool->n_running--;
	SB_BUG_ON(pthread_cond_signal(&pool->changed) != 0);
	unlock(pool);
	return NULL;
}

static void report(struct pool *pool)
{
	const struct sb_parallel *options = pool->options;
	uint64_t sum = 0;

	for (size_t i = 0; i < options->n_jobs; i++)
		sum += pool->done[i];

	const size_t begun = pool->next > 0 ? pool->next - 1 : 0;

	/* Called without the lock: it may take its time. */
	unlock(pool);

	const bool goes_on = options->on_progress(options->data, begun, sum);

	lock(pool);
	if (goes_on || pool->is_stopped)
		return;
	sb_fail(&pool->failure, SB_E_CANCELLED, "cancelled");
	pool->is_stopped = true;
}

/* Called with the lock, which is let go of for the work. */
static void tell_done(struct pool *pool)
{
	const struct sb_parallel *options = pool->options;
	struct sb_error err = SB_ERROR_INIT;

	while (options->on_done != NULL && !pool->is_stopped && pool->n_told < options->n_jobs &&
		pool->is_done[pool->n_told]) {
		unlock(pool);

		const int rc = options->on_done(options->data, pool->n_told, &err);

		if (rc < 0)
			keep_failure(pool, &err);
		pool->n_told++;
		lock(pool);
	}
}

static void wait_for_all(struct pool *pool)
{
	lock(pool);
	while (pool->n_running > 0) {
		struct timespec until = {0};

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		(void)pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
		report(pool);
		tell_done(pool);
	}
	tell_done(pool);
	unlock(pool);
}

static void open_pool(struct pool *pool, const struct sb_parallel *options)
{
	pthread_condattr_t by_monotonic;

	*pool = (struct pool){.options = options,
		.done = sb_calloc(options->n_jobs, sizeof(*pool->done)),
		.is_done = sb_calloc(options->n_jobs, sizeof(*pool->is_done))};
	SB_BUG_ON(pthread_condattr_init(&by_monotonic) != 0);
	SB_BUG_ON(pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC) != 0);
	SB_BUG_ON(pthread_cond_init(&pool->changed, &by_monotonic) != 0);
	SB_BUG_ON(pthread_mutex_init(&pool->lock, NULL) != 0);
	(void)pthread_condattr_destroy(&by_monotonic);
}

static void close_pool(struct pool *pool)
{
	(void)pthread_cond_destroy(&pool->changed);
	(void)pthread_mutex_destroy(&pool->lock);
	free((void *)(uintptr_t)pool->done);
	free((void *)(uintptr_t)pool->is_done);
}

/* The signals are for the thread that the program began with. */
static bool start(struct pool *pool, pthread_t *out)
{
	sigset_t all;
	sigset_t before;

	(void)sigfillset(&all);
	SB_BUG_ON(pthread_sigmask(SIG_SETMASK, &all, &before) != 0);
	lock(pool);

	const int failed = pthread_create(out, NULL, work_in_thread, pool);

	if (failed == 0) {
		pool->n_running++;
	} else if (pool->n_running == 0) {
		errno = failed;
		sb_fail_errno(&pool->failure, "start a thread");
	}
	unlock(pool);
	SB_BUG_ON(pthread_sigmask(SIG_SETMASK, &before, NULL) != 0);
	return failed == 0;
}

int sb_parallel_run(const struct sb_parallel *options, struct sb_error *err)
{
	pthread_t threads[MAX_AT_ONCE];
	size_t n = 0;
	struct pool pool;

	open_pool(&pool, options);
	while (n < MAX_AT_ONCE && n < options->n_jobs && start(&pool, &threads[n]))
		n++;
	wait_for_all(&pool);
	for (size_t i = 0; i < n; i++)
		SB_BUG_ON(pthread_join(threads[i], NULL) != 0);
	close_pool(&pool);
	if (!sb_error_is_set(&pool.failure))
		return 0;
	sb_error_move(err, &pool.failure);
	return -1;
}
