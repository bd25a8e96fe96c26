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
/* Readable when a signal has come; borrowed. */
int sb_interrupt_fd(const struct sb_interrupt *interrupt);
/* True once one of them has come. Stays true. NULL is never interrupted. */
bool sb_interrupt_is_pending(struct sb_interrupt *interrupt);
/* SB_E_CANCELLED if one has come. */
int sb_interrupt_check(struct sb_interrupt *interrupt, struct sb_error *err) SB_MUST_USE;

#endif
