/* SPDX-License-Identifier: MIT */
#include "inspect/contents.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/filesystem.h"
#include "layer/thread.h"
#include "sys/monitor.h"

enum {
	MIN_BYTES = 32 << 10, /* less is not worth it */
	MAX_BYTES = 64 << 20,
	MAX_HELPERS = 3,
	HEAD_BYTES = 512,
};

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_DONE };

/* A file's content. */
struct job {
	struct job *next;
	enum job_state state; /* under the lock */
	char *bytes;
	size_t len;
	size_t room;
	bool is_cut_off; /* its source failed there */
	size_t layer;
	char *where;
	char *path;
	struct sb_report_place at;
	size_t content;
	bool is_of_entry; /* that the caller reads */
	struct sb_inspection *found;
};

/* Who searches: a report that holds what one job finds, and a sweep on it. */
struct helper {
	struct sb_contents *contents;
	struct sb_inspection *report; /* made with the sweep when first needed */
	struct sb_sweep *sweep;
	bool has_thread;
	pthread_t thread;
};

struct sb_contents {
	struct sb_inspection *report;
	const struct sb_scanner *scanner;
	struct sb_sweep *sweep;
	sb_contents_fn on_inserted;
	void *self;
	struct helper here;
	struct helper helpers[MAX_HELPERS];
	size_t n_helpers; /* that have been started, once one was needed */
	bool has_started;
	struct job *first; /* the oldest; the list is changed under the lock, by the caller alone */
	struct job *last;
	size_t bytes;        /* of all jobs that are not done */
	size_t n_unfinished; /* jobs */
	struct sb_monitor monitor;
	bool is_ended;
};

struct sb_contents *sb_contents_new(struct sb_inspection *report, const struct sb_scanner *scanner,
	struct sb_sweep *sweep, sb_contents_fn on_inserted, void *self)
{
	struct sb_contents *contents = SB_NEW(struct sb_contents);

	contents->report = report;
	contents->scanner = scanner;
	contents->sweep = sweep;
	contents->on_inserted = on_inserted;
	contents->self = self;
	contents->here.contents = contents;
	sb_monitor_init(&contents->monitor);
	return contents;
}

static void job_free(struct job *job)
{
	sb_inspection_free(job->found);
	free(job->bytes);
	free(job->where);
	free(job->path);
	free(job);
}

/* --- Searching --- */

struct reading {
	const struct job *job;
	size_t at;
};

static ssize_t read_job(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct reading *reading = self;
	const size_t left = reading->job->len - reading->at;
	const size_t n = left < len ? left : len;

	if (n == 0 && reading->job->is_cut_off)
		return sb_fail(err, SB_E_INTEGRITY, "cut off");
	memcpy(bytes, reading->job->bytes + reading->at, n);
	reading->at += n;
	return (ssize_t)n;
}

static void open_helper(struct helper *helper)
{
	const struct sb_contents *contents = helper->contents;

	if (helper->sweep != NULL)
		return;
	helper->report = SB_NEW(struct sb_inspection);
	helper->sweep = sb_sweep_new_like(contents->sweep, helper->report);
}

static void run(struct helper *helper, struct job *job)
{
	struct reading reading = {.job = job};
	const struct sb_source source = {read_job, &reading};
	const struct sb_place place = {job->layer, job->where, job->path};
	SB_AUTO_ERROR known = SB_ERROR_INIT; /* the caller has it from the source itself */

	open_helper(helper);
	sb_sweep_begin_entry(helper->sweep);
	(void)!sb_sweep_content(helper->sweep, &place, &source, &known);
	job->found = SB_NEW(struct sb_inspection);
	*job->found = *helper->report;
	*helper->report = (struct sb_inspection){0};
	free(job->bytes);
	job->bytes = NULL;
}

/* With the lock: the oldest job that nobody has begun, or NULL. */
static struct job *find_waiting(const struct sb_contents *contents)
{
	struct job *job = contents->first;

	while (job != NULL && job->state != JOB_WAITING)
		job = job->next;
	return job;
}

/* With the lock, which is let go meanwhile. */
static void run_locked(struct helper *helper, struct job *job)
{
	struct sb_contents *contents = helper->contents;

	job->state = JOB_RUNNING;
	sb_monitor_unlock(&contents->monitor);
	run(helper, job);
	sb_monitor_lock(&contents->monitor);
	job->state = JOB_DONE;
	contents->bytes -= job->room;
	contents->n_unfinished--;
	sb_monitor_tell(&contents->monitor);
}

static void *help(void *self)
{
	struct helper *helper = self;
	struct sb_contents *contents = helper->contents;

	sb_monitor_lock(&contents->monitor);
	while (!contents->is_ended) {
		struct job *job = find_waiting(contents);

		if (job != NULL)
			run_locked(helper, job);
		else
			sb_monitor_wait(&contents->monitor);
	}
	sb_monitor_unlock(&contents->monitor);
	return NULL;
}

/* Without a second processor, or where no thread can be had, all is searched as it is read. */
static bool has_helpers(struct sb_contents *contents)
{
	const unsigned n_others = sb_thread_processors() - 1;

	if (contents->has_started)
		return contents->n_helpers > 0;
	contents->has_started = true;
	for (unsigned i = 0; i < n_others && i < MAX_HELPERS; i++) {
		struct helper *helper = &contents->helpers[i];
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		helper->contents = contents;
		if (sb_thread_start(&helper->thread, help, helper, &err) < 0)
			break;
		helper->has_thread = true;
		contents->n_helpers++;
	}
	return contents->n_helpers > 0;
}

static void close_helper(struct helper *helper)
{
	if (helper->has_thread)
		SB_BUG_ON(pthread_join(helper->thread, NULL) != 0);
	sb_sweep_free(helper->sweep);
	sb_inspection_free(helper->report);
}

void sb_contents_free(struct sb_contents *contents)
{
	if (contents == NULL)
		return;
	sb_monitor_lock(&contents->monitor);
	contents->is_ended = true;
	sb_monitor_tell(&contents->monitor);
	sb_monitor_unlock(&contents->monitor);
	for (size_t i = 0; i < contents->n_helpers; i++)
		close_helper(&contents->helpers[i]);
	close_helper(&contents->here);
	while (contents->first != NULL) {
		struct job *job = contents->first;

		contents->first = job->next;
		job_free(job);
	}
	sb_monitor_release(&contents->monitor);
	free(contents);
}

/* --- Into the report --- */

static void add_up(struct sb_report_place *sum, const struct sb_report_place *n)
{
	sum->secret += n->secret;
	sum->pattern += n->pattern;
	sum->gap += n->gap;
}

static void note_found(struct sb_contents *contents, const struct sb_inspection *found)
{
	SB_ARRAY_FOREACH (&found->secrets, finding)
		sb_sweep_note_secret(contents->sweep, finding->secret_id);
	SB_ARRAY_FOREACH (&found->patterns, finding)
		sb_sweep_note_rule(contents->sweep, finding->rule);
}

static struct job *take_first(struct sb_contents *contents)
{
	sb_monitor_lock(&contents->monitor);

	struct job *job = contents->first;

	if (job != NULL && job->state == JOB_DONE) {
		contents->first = job->next;
		if (contents->first == NULL)
			contents->last = NULL;
	} else {
		job = NULL;
	}
	sb_monitor_unlock(&contents->monitor);
	return job;
}

/* The oldest jobs, as far as they are done. */
static void insert_done(struct sb_contents *contents, struct sb_report_place *shift)
{
	struct job *job = NULL;

	while ((job = take_first(contents)) != NULL) {
		struct sb_report_place n = {0};

		if (job->is_of_entry)
			note_found(contents, job->found);
		sb_report_insert(contents->report, &job->at, job->found, &n);
		for (struct job *later = contents->first; later != NULL; later = later->next)
			add_up(&later->at, &n);
		if (!job->is_of_entry) {
			add_up(shift, &n);
			contents->on_inserted(contents->self, &job->at, &n, job->content);
		}
		job_free(job);
	}
}

/* Does what can be done, or waits. */
static void go_on(struct sb_contents *contents)
{
	sb_monitor_lock(&contents->monitor);

	struct job *job = find_waiting(contents);

	if (job != NULL)
		run_locked(&contents->here, job);
	else if (contents->n_unfinished > 0)
		sb_monitor_wait(&contents->monitor);
	sb_monitor_unlock(&contents->monitor);
}

bool sb_contents_collect(struct sb_contents *contents)
{
	struct sb_report_place ignored = {0};

	if (contents->first != NULL)
		insert_done(contents, &ignored);
	return contents->first != NULL;
}

struct sb_report_place sb_contents_settle(struct sb_contents *contents)
{
	struct sb_report_place shift = {0};

	while (contents->first != NULL) {
		go_on(contents);
		insert_done(contents, &shift);
	}
	return shift;
}

static bool has_room(struct sb_contents *contents, size_t size)
{
	sb_monitor_lock(&contents->monitor);

	const bool fits = contents->bytes + size <= MAX_BYTES;

	sb_monitor_unlock(&contents->monitor);
	return fits;
}

/* --- From the caller --- */

/* A source whose beginning was read already. */
struct from_head {
	const struct sb_source *source;
	const char *head;
	size_t left;
};

static ssize_t read_from_head(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct from_head *from = self;
	const size_t n = from->left < len ? from->left : len;

	if (n == 0)
		return from->source->read(from->source->self, bytes, len, err);
	memcpy(bytes, from->head, n);
	from->head += n;
	from->left -= n;
	return (ssize_t)n;
}

/* Up to `len` bytes, fewer only at the end. */
static ssize_t read_up_to(
	const struct sb_source *source, char *bytes, size_t len, struct sb_error *err)
{
	size_t done = 0;

	while (done < len) {
		const ssize_t n = source->read(source->self, bytes + done, len - done, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int fill(struct job *job, const struct sb_source *source, struct sb_error *err)
{
	while (job->len < job->room) {
		const ssize_t n = source->read(
			source->self, job->bytes + job->len, job->room - job->len, err);

		job->is_cut_off = n < 0;
		if (n <= 0)
			return (int)n;
		job->len += (size_t)n;
	}
	return 0;
}

static void append(struct sb_contents *contents, struct job *job)
{
	sb_monitor_lock(&contents->monitor);
	if (contents->last != NULL)
		contents->last->next = job;
	else
		contents->first = job;
	contents->last = job;
	contents->bytes += job->room;
	contents->n_unfinished++;
	sb_monitor_tell(&contents->monitor);
	sb_monitor_unlock(&contents->monitor);
}

static int search_beside(struct sb_contents *contents, const struct sb_place *place,
	const struct sb_source *source, size_t size, struct sb_error *err)
{
	while (!has_room(contents, size))
		go_on(contents);

	struct job *job = SB_NEW(struct job);

	job->bytes = sb_malloc(size);
	job->room = size;
	job->layer = place->layer;
	job->where = sb_strdup(place->where);
	job->path = sb_strdup_or_null(place->path);
	job->content = SB_NO_CONTENT;
	job->is_of_entry = true;

	const int rc = fill(job, source, err);

	job->at = sb_report_end(contents->report);
	append(contents, job);
	return rc;
}

int sb_contents_search(struct sb_contents *contents, const struct sb_place *place,
	const struct sb_source *source, uint64_t size, struct sb_error *err)
{
	char head[HEAD_BYTES];

	if (size < MIN_BYTES || size > MAX_BYTES || !has_helpers(contents))
		return sb_sweep_content(contents->sweep, place, source, err);

	const ssize_t n = read_up_to(source, head, sizeof(head), err);
	struct from_head from = {source, head, n > 0 ? (size_t)n : 0};
	const struct sb_source whole = {read_from_head, &from};

	if (n < 0)
		return -1;
	return sb_nested_is_packed(head, (size_t)n)
		       ? search_beside(contents, place, &whole, (size_t)size, err)
		       : sb_sweep_content(contents->sweep, place, &whole, err);
}

void sb_contents_end_entry(struct sb_contents *contents, size_t content)
{
	struct job *job = contents->last;

	if (job == NULL || !job->is_of_entry)
		return;
	job->content = content;
	job->is_of_entry = false;
}
