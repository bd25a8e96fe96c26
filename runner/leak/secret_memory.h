/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_SECRET_MEMORY_H
#define SB_LEAK_SECRET_MEMORY_H

#include <stddef.h>

#include "base/cleanup.h"

/*
 * Memory for bytes that are, or are derived from, secrets: pages of their own, locked where the
 * limits allow it, out of core dumps and not inherited by fork, zeroed when they are given back.
 */

/* Marks pages that were mapped already. Every step is best effort: an old kernel or a low
 * RLIMIT_MEMLOCK leaves the pages usable. */
void sb_secret_pages_protect(void *pages, size_t len);

/* An arena: what it gave out lives until the arena is freed. */
struct sb_secret_memory;
struct sb_secret_memory *sb_secret_memory_new(void);
void sb_secret_memory_free(struct sb_secret_memory *memory);
SB_DEFINE_FREEP(sb_secret_memory)
/* Zeroed, aligned for any type, never NULL. */
void *sb_secret_memory_alloc(struct sb_secret_memory *memory, size_t len);

#endif
