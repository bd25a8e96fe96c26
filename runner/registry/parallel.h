/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_PARALLEL_H
#define SB_REGISTRY_PARALLEL_H

#include "registry/client.h"

/*
 * Several transfers with one registry at a time, each on a thread with a session of its own, in the
 * order of their numbers. The threads have ended when the call returns.
 */
struct sb_parallel {
	struct sb_access *access;
	const struct sb_http_limits *limits;
	size_t n_jobs;
	/* Does job i; *done is kept at the bytes that it has moved. Any thread. */
	int (*run)(void *data, size_t i, struct sb_client *client, _Atomic uint64_t *done,
		struct sb_error *err);
	/* Some ten times a second, on the calling thread: job i was begun last, `done` is the sum.
	 * False cancels. */
	bool (*on_progress)(void *data, size_t i, uint64_t done);
	/* Job i, and all of lower numbers, are done; on the calling thread, in the order of the
	 * numbers, while the others go on. What fails ends them. Or NULL. */
	int (*on_done)(void *data, size_t i, struct sb_error *err);
	void *data;
};

/* The first job that fails ends the others, and its error is the whole's. SB_E_CANCELLED where
 * on_progress said so. */
int sb_parallel_run(const struct sb_parallel *options, struct sb_error *err) SB_MUST_USE;

#endif
