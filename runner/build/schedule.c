/* SPDX-License-Identifier: MIT */
#include "build/schedule.h"

#include "base/mem.h"
#include "layer/thread.h"
#include "sys/mutex.h"

enum { LEAST_JOBS = 2 }; /* a step that waits for the network leaves the processor idle */

enum state {
	NOT_WANTED,
	WANTED,  /* it begins when its base is built and a worker is free */
	WORKING, /* it has a worker */
	WAITING, /* for another stage, and then for a worker */
	ENDED,
};

struct item {
	struct sb_turn turn;
	enum state state;
	size_t needs; /* while it is WAITING */
	bool has_thread;
	pthread_t thread;
};

struct sb_schedule {
	struct sb_build *build;
	sb_stage_fn fn;
	size_t n_items; /* one for each stage of the plan */
	struct item *items;
	unsigned n_jobs;
	pthread_mutex_t lock; /* of all below, and of the items */
	pthread_cond_t changed;
	SB_ARRAY(struct sb_worker *) idle;
	size_t n_working;
	bool is_failed;
	struct sb_error failure;
};

static void tell(struct sb_schedule *schedule)
{
	SB_BUG_ON(pthread_cond_broadcast(&schedule->changed) != 0);
}

static void wait(struct sb_schedule *schedule)
{
	SB_BUG_ON(pthread_cond_wait(&schedule->changed, &schedule->lock) != 0);
}

/* Stages only ever need earlier ones: this ends. */
static void want(struct sb_schedule *schedule, size_t index)
{
	struct item *item = &schedule->items[index];
	const struct sb_stage *stage = item->turn.stage;

	if (item->state != NOT_WANTED)
		return;
	item->state = WANTED;
	/* The plan does not know what the triggers of an image ask for. */
	if (!stage->is_needed)
		schedule->build->n_more_steps += 1 + stage->end - stage->first;
	if (stage->base.kind == SB_BASE_STAGE)
		want(schedule, stage->base.stage);
}

static void give_back(struct sb_schedule *schedule, struct item *item)
{
	if (item->turn.worker == NULL)
		return;
	*SB_ARRAY_ADD(&schedule->idle) = item->turn.worker;
	item->turn.worker = NULL;
	schedule->n_working--;
}

static void give_worker(struct sb_schedule *schedule, struct item *item)
{
	item->turn.worker = schedule->idle.items[--schedule->idle.len];
	item->state = WORKING;
	schedule->n_working++;
}

/* What the others are interrupted for is told, not that they were. Those that wait for a worker
 * hear of it too. */
static void fail(struct sb_schedule *schedule, struct sb_error *err)
{
	if (!schedule->is_failed) {
		schedule->is_failed = true;
		sb_error_move(&schedule->failure, err);
		sb_interrupt_raise(schedule->build->interrupt);
		tell(schedule);
	}
	sb_error_release(err);
}

static void *build_stage(void *data)
{
	struct item *item = data;
	struct sb_schedule *schedule = item->turn.schedule;
	struct sb_error err = SB_ERROR_INIT;
	const int rc = schedule->fn(schedule->build, &item->turn, &err);
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&schedule->lock);

	if (rc < 0)
		fail(schedule, &err);
	give_back(schedule, item);
	item->state = ENDED;
	tell(schedule);
	return NULL;
}

int sb_turn_wait(struct sb_turn *turn, size_t stage, struct sb_error *err)
{
	struct sb_schedule *schedule = turn->schedule;
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&schedule->lock);
	struct item *item = &schedule->items[turn->stage->index];

	if (schedule->items[stage].state != ENDED) {
		want(schedule, stage);
		item->needs = stage;
		item->state = WAITING;
		give_back(schedule, item);
		tell(schedule);
		while (item->state == WAITING && !schedule->is_failed)
			wait(schedule);
	}
	return schedule->is_failed ? sb_fail(err, SB_E_CANCELLED, "interrupted") : 0;
}

static bool is_built(const struct sb_schedule *schedule, const struct sb_base *base)
{
	return base->kind != SB_BASE_STAGE || schedule->items[base->stage].state == ENDED;
}

/* The first stage that could go on or begin; NULL where all wait. */
static struct item *next_item(const struct sb_schedule *schedule)
{
	for (size_t i = 0; i < schedule->n_items; i++) {
		struct item *item = &schedule->items[i];

		if (item->state == WAITING && schedule->items[item->needs].state == ENDED)
			return item;
		if (item->state == WANTED && is_built(schedule, &item->turn.stage->base))
			return item;
	}
	return NULL;
}

/* False where no thread is to be had and others are at work: later, then. */
static bool begin(struct sb_schedule *schedule, struct item *item)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	give_worker(schedule, item);
	if (item->has_thread) {
		tell(schedule);
		return true;
	}
	if (sb_thread_start(&item->thread, build_stage, item, &err) == 0) {
		item->has_thread = true;
		return true;
	}
	give_back(schedule, item);
	item->state = WANTED;
	if (schedule->n_working == 0)
		fail(schedule, &err);
	return false;
}

static void work(struct sb_schedule *schedule)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&schedule->lock);

	for (;;) {
		struct item *item = NULL;

		while (!schedule->is_failed && schedule->idle.len > 0 &&
			(item = next_item(schedule)) != NULL && begin(schedule, item))
			;
		if (schedule->n_working == 0)
			return;
		wait(schedule);
	}
}

static struct sb_worker *new_worker(struct sb_build *build)
{
	struct sb_worker *worker = SB_NEW(struct sb_worker);

	sb_worker_init(worker, build);
	*SB_ARRAY_ADD(&build->more_workers) = worker;
	return worker;
}

/* The build's own worker is taken first. */
static void hire(struct sb_schedule *schedule)
{
	struct sb_build *build = schedule->build;

	for (unsigned i = 1; i < schedule->n_jobs; i++)
		*SB_ARRAY_ADD(&schedule->idle) = new_worker(build);
	*SB_ARRAY_ADD(&schedule->idle) = &build->worker;
}

static unsigned count_jobs(const struct sb_build *build, size_t n_stages)
{
	const unsigned processors = sb_thread_processors();
	const unsigned by_default = processors > LEAST_JOBS ? processors : LEAST_JOBS;
	const unsigned n = build->n_jobs != 0 ? build->n_jobs : by_default;

	/* A plan's steps are told in the order of the Buildfile. */
	if (build->planned != NULL)
		return 1;
	return n < n_stages ? n : (unsigned)n_stages;
}

static void schedule_release(struct sb_schedule *schedule)
{
	SB_ARRAY_RELEASE(&schedule->idle);
	free(schedule->items);
	(void)pthread_cond_destroy(&schedule->changed);
	(void)pthread_mutex_destroy(&schedule->lock);
}

int sb_schedule_run(struct sb_build *build, sb_stage_fn fn, struct sb_error *err)
{
	const struct sb_plan *plan = build->plan;
	__attribute__((cleanup(schedule_release))) struct sb_schedule schedule = {.build = build,
		.fn = fn,
		.n_items = plan->stages.len,
		.items = sb_calloc(plan->stages.len, sizeof(struct item)),
		.n_jobs = count_jobs(build, plan->stages.len)};

	SB_BUG_ON(pthread_mutex_init(&schedule.lock, NULL) != 0);
	SB_BUG_ON(pthread_cond_init(&schedule.changed, NULL) != 0);
	hire(&schedule);
	for (size_t i = 0; i < schedule.n_items; i++)
		schedule.items[i].turn =
			(struct sb_turn){.schedule = &schedule, .stage = &plan->stages.items[i]};
	for (size_t i = 0; i < schedule.n_items; i++)
		if (plan->stages.items[i].is_needed)
			want(&schedule, i);
	work(&schedule);
	for (size_t i = 0; i < schedule.n_items; i++)
		if (schedule.items[i].has_thread)
			SB_BUG_ON(pthread_join(schedule.items[i].thread, NULL) != 0);
	if (!schedule.is_failed)
		return 0;
	sb_interrupt_lower(build->interrupt);
	sb_error_move(err, &schedule.failure);
	return -1;
}
