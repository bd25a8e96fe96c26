/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_MUTEX_H
#define SB_SYS_MUTEX_H

#include <pthread.h>

#include "base/error.h"

/*
 * Locks between threads of one process. A function that has a lock to its end says so in its first
 * lines:
 *
 *	sb_automutex pthread_mutex_t *held = sb_mutex_take(&snapshots->lock);
 */
static inline pthread_mutex_t *sb_mutex_take(pthread_mutex_t *mutex)
{
	SB_BUG_ON(pthread_mutex_lock(mutex) != 0);
	return mutex;
}

static inline void sb_mutex_leave(pthread_mutex_t *mutex)
{
	SB_BUG_ON(pthread_mutex_unlock(mutex) != 0);
}

static inline void sb_mutex_leavep(pthread_mutex_t **held)
{
	sb_mutex_leave(*held);
}

#define sb_automutex __attribute__((cleanup(sb_mutex_leavep), unused))

#endif
