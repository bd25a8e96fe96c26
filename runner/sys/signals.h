/* SPDX-License-Identifier: MIT */
#ifndef SB_SYS_SIGNALS_H
#define SB_SYS_SIGNALS_H

#include <signal.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * Signals that are handed on to another process: while it exists they are blocked and read one by
 * one. Who has an sb_interrupt and this for the same signals gets each of them from the one that is
 * read first.
 */
struct sb_signals;
int sb_signals_new(
	const int *numbers, size_t n, struct sb_signals **out, struct sb_error *err) SB_MUST_USE;
/* Takes what came in the meantime, and restores the signal mask. */
void sb_signals_free(struct sb_signals *signals);
SB_DEFINE_FREEP(sb_signals)
/* Readable when one has come; borrowed. */
int sb_signals_fd(const struct sb_signals *signals);
/* The next one's number, or 0. */
int sb_signals_next(struct sb_signals *signals);

#endif
