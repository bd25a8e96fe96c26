/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_MONITOR_H
#define SB_SYS_MONITOR_H

#include <pthread.h>

#include "base/error.h"

/*
 * A lock, and waiting for a change of what is under it. Who waits looks again at what he waits for
 * when it returns; who changes something tells all that wait.
 */
struct sb_monitor {
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

static inline void sb_monitor_init(struct sb_monitor *monitor)
{
	SB_BUG_ON(pthread_mutex_init(&monitor->lock, NULL) != 0);
	SB_BUG_ON(pthread_cond_init(&monitor->changed, NULL) != 0);
}

static inline void sb_monitor_release(struct sb_monitor *monitor)
{
	(void)pthread_cond_destroy(&monitor->changed);
	(void)pthread_mutex_destroy(&monitor->lock);
}

static inline void sb_monitor_lock(struct sb_monitor *monitor)
{
	SB_BUG_ON(pthread_mutex_lock(&monitor->lock) != 0);
}

static inline void sb_monitor_unlock(struct sb_monitor *monitor)
{
	SB_BUG_ON(pthread_mutex_unlock(&monitor->lock) != 0);
}

/* With the lock, which is let go meanwhile. */
static inline void sb_monitor_wait(struct sb_monitor *monitor)
{
	SB_BUG_ON(pthread_cond_wait(&monitor->changed, &monitor->lock) != 0);
}

/* With the lock. */
static inline void sb_monitor_tell(struct sb_monitor *monitor)
{
	SB_BUG_ON(pthread_cond_broadcast(&monitor->changed) != 0);
}

#endif
