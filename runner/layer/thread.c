/* SPDX-License-Identifier: MIT */
#include "layer/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

int sb_thread_start(pthread_t *out, void *(*run)(void *), void *self, struct sb_error *err)
{
	sigset_t all;
	sigset_t before;

	(void)sigfillset(&all);
	SB_BUG_ON(pthread_sigmask(SIG_SETMASK, &all, &before) != 0);

	const int failed = pthread_create(out, NULL, run, self);

	SB_BUG_ON(pthread_sigmask(SIG_SETMASK, &before, NULL) != 0);
	if (failed != 0) {
		errno = failed;
		return sb_fail_errno(err, "start a thread");
	}
	return 0;
}

unsigned sb_thread_processors(void)
{
	cpu_set_t set;

	/* Fails on machines of more than 1024 processors: then there are enough of them. */
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 8;
	return CPU_COUNT(&set) > 0 ? (unsigned)CPU_COUNT(&set) : 1;
}
