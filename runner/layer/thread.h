/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_THREAD_H
#define SB_LAYER_THREAD_H

#include <pthread.h>

#include "base/error.h"

/* Starts a thread that takes no signals: those are for the thread that the program began with. */
int sb_thread_start(
	pthread_t *out, void *(*run)(void *), void *self, struct sb_error *err) SB_MUST_USE;

/* The processors that this process may use, at least 1. */
unsigned sb_thread_processors(void);

#endif
