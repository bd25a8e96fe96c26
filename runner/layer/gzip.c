/* SPDX-License-Identifier: MIT */
#include "layer/gzip.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <libdeflate.h>

#include "base/mem.h"
#include "layer/thread.h"
#include "sys/monitor.h"

enum {
	MEMBER_BYTES = 1 << 20,
	MAX_THREADS = 16,
	MAX_MEMBERS = MAX_THREADS + 2, /* one being filled, one being written out */
};

struct member {
	char *in;
	size_t in_len;
	char *out;
	size_t out_len;
	bool is_done;
};

/* Members go round the array by number: filled and given in order, compressed in any, written out
 * in order. */
struct sb_gzip {
	int level;
	sb_sink_fn sink;
	void *self;
	size_t out_cap;
	size_t n_members; /* of the array */
	struct member members[MAX_MEMBERS];
	struct libdeflate_compressor *compressor; /* the caller's thread's */
	unsigned n_wanted;                        /* threads */
	unsigned n_threads;
	pthread_t threads[MAX_THREADS];
	size_t n_written;          /* members that the sink got */
	struct sb_monitor monitor; /* of all below, and of each member's is_done */
	size_t n_given;
	size_t n_claimed; /* by a thread */
	bool is_ended;
};

static struct libdeflate_compressor *new_compressor(int level)
{
	struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);

	SB_BUG_ON(compressor == NULL); /* the level is in range; else there is no memory */
	return compressor;
}

struct sb_gzip *sb_gzip_new(int level, sb_sink_fn sink, void *self)
{
	struct sb_gzip *gzip = SB_NEW(struct sb_gzip);
	const unsigned n = sb_thread_processors();

	gzip->level = level;
	gzip->sink = sink;
	gzip->self = self;
	gzip->compressor = new_compressor(level);
	gzip->out_cap = libdeflate_gzip_compress_bound(gzip->compressor, MEMBER_BYTES);
	gzip->n_wanted = n < MAX_THREADS ? n : MAX_THREADS;
	gzip->n_members = gzip->n_wanted + 2;
	sb_monitor_init(&gzip->monitor);
	return gzip;
}

static struct member *member_at(struct sb_gzip *gzip, size_t n)
{
	return &gzip->members[n % gzip->n_members];
}

void sb_gzip_free(struct sb_gzip *gzip)
{
	if (gzip == NULL)
		return;
	sb_monitor_lock(&gzip->monitor);
	gzip->is_ended = true;
	sb_monitor_tell(&gzip->monitor);
	sb_monitor_unlock(&gzip->monitor);
	for (unsigned i = 0; i < gzip->n_threads; i++)
		SB_BUG_ON(pthread_join(gzip->threads[i], NULL) != 0);
	for (size_t i = 0; i < gzip->n_members; i++) {
		free(gzip->members[i].in);
		free(gzip->members[i].out);
	}
	libdeflate_free_compressor(gzip->compressor);
	sb_monitor_release(&gzip->monitor);
	free(gzip);
}

static void compress_member(
	const struct sb_gzip *gzip, struct libdeflate_compressor *with, struct member *member)
{
	if (member->out == NULL)
		member->out = sb_malloc(gzip->out_cap);
	member->out_len = libdeflate_gzip_compress(
		with, member->in, member->in_len, member->out, gzip->out_cap);
	SB_BUG_ON(member->out_len == 0);
}

/* The next member that nobody compresses yet, or NULL at the end. */
static struct member *claim(struct sb_gzip *gzip)
{
	struct member *member = NULL;

	sb_monitor_lock(&gzip->monitor);
	while (gzip->n_claimed == gzip->n_given && !gzip->is_ended)
		sb_monitor_wait(&gzip->monitor);
	if (!gzip->is_ended)
		member = member_at(gzip, gzip->n_claimed++);
	sb_monitor_unlock(&gzip->monitor);
	return member;
}

static void *run(void *self)
{
	struct sb_gzip *gzip = self;
	struct libdeflate_compressor *compressor = new_compressor(gzip->level);

	for (struct member *member = claim(gzip); member != NULL; member = claim(gzip)) {
		compress_member(gzip, compressor, member);
		sb_monitor_lock(&gzip->monitor);
		member->is_done = true;
		sb_monitor_tell(&gzip->monitor);
		sb_monitor_unlock(&gzip->monitor);
	}
	libdeflate_free_compressor(compressor);
	return NULL;
}

/* Gives the oldest member to the sink, waiting for it. */
static int write_out(struct sb_gzip *gzip, struct sb_error *err)
{
	struct member *member = member_at(gzip, gzip->n_written);

	sb_monitor_lock(&gzip->monitor);
	while (!member->is_done)
		sb_monitor_wait(&gzip->monitor);
	sb_monitor_unlock(&gzip->monitor);
	gzip->n_written++;
	member->is_done = false;
	member->in_len = 0;
	return gzip->sink(gzip->self, member->out, member->out_len, err);
}

static int start_threads(struct sb_gzip *gzip, struct sb_error *err)
{
	while (gzip->n_threads < gzip->n_wanted) {
		if (sb_thread_start(&gzip->threads[gzip->n_threads], run, gzip, err) < 0) {
			if (gzip->n_threads == 0)
				return -1;
			sb_error_ignore(err, "fewer threads do the same work");
			gzip->n_wanted = gzip->n_threads;
			break;
		}
		gzip->n_threads++;
	}
	return 0;
}

/* Lets the threads have the member that was filled, and makes sure that there is a next one. */
static int give(struct sb_gzip *gzip, struct sb_error *err)
{
	if (start_threads(gzip, err) < 0)
		return -1;
	sb_monitor_lock(&gzip->monitor);
	gzip->n_given++;
	sb_monitor_tell(&gzip->monitor);
	sb_monitor_unlock(&gzip->monitor);
	return gzip->n_given - gzip->n_written == gzip->n_members ? write_out(gzip, err) : 0;
}

int sb_gzip_write(struct sb_gzip *gzip, const void *bytes, size_t len, struct sb_error *err)
{
	const char *p = bytes;

	while (len > 0) {
		struct member *member = member_at(gzip, gzip->n_given);
		const size_t room = MEMBER_BYTES - member->in_len;
		const size_t n = len < room ? len : room;

		if (room == 0) {
			if (give(gzip, err) < 0)
				return -1;
			continue;
		}
		if (member->in == NULL)
			member->in = sb_malloc(MEMBER_BYTES);
		memcpy(member->in + member->in_len, p, n);
		member->in_len += n;
		p += n;
		len -= n;
	}
	return 0;
}

int sb_gzip_finish(struct sb_gzip *gzip, struct sb_error *err)
{
	struct member *last = member_at(gzip, gzip->n_given);

	/* All in one member: no thread was started, and none is needed. */
	if (gzip->n_given == 0) {
		if (last->in == NULL)
			last->in = sb_malloc(1);
		compress_member(gzip, gzip->compressor, last);
		return gzip->sink(gzip->self, last->out, last->out_len, err);
	}
	if (last->in_len > 0 && give(gzip, err) < 0)
		return -1;
	while (gzip->n_written < gzip->n_given)
		if (write_out(gzip, err) < 0)
			return -1;
	return 0;
}
