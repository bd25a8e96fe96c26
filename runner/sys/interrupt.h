/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_INTERRUPT_H
#define SB_SYS_INTERRUPT_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * SIGINT, SIGTERM and SIGHUP as something to poll: while it exists they are blocked and read from a
 * signalfd, so that work ends where it can be undone. free restores the signal mask. SIGPIPE is
 * blocked with them. Any thread may ask for it.
 */
struct sb_interrupt;
int sb_interrupt_new(struct sb_interrupt **out, struct sb_error *err) SB_MUST_USE;
void sb_interrupt_free(struct sb_interrupt *interrupt);
SB_DEFINE_FREEP(sb_interrupt)
/* Readable when a signal has come, and from then on; borrowed. */
int sb_interrupt_fd(const struct sb_interrupt *interrupt);
/* True once one of them has come, or between raise and lower. NULL is never interrupted. */
bool sb_interrupt_is_pending(struct sb_interrupt *interrupt);
/* True once one of them has come. Stays true. */
bool sb_interrupt_is_signalled(struct sb_interrupt *interrupt);
/* What a signal does, without one: ends the work of other threads where one has failed. Lowered
 * when they have ended. */
void sb_interrupt_raise(struct sb_interrupt *interrupt);
void sb_interrupt_lower(struct sb_interrupt *interrupt);
/* SB_E_CANCELLED if one has come. */
int sb_interrupt_check(struct sb_interrupt *interrupt, struct sb_error *err) SB_MUST_USE;

#endif
