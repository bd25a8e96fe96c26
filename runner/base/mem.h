/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_MEM_H
#define SB_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"

/*
 * Allocation that never returns NULL: out of memory ends the process with one line. What is
 * returned is freed with free().
 */
void *sb_malloc(size_t size) __attribute__((malloc, returns_nonnull));
void *sb_calloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
/* Resizes to n elements of `size` bytes; overflow of the product counts as out of memory. */
void *sb_reallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *sb_strdup(const char *s) __attribute__((malloc, returns_nonnull, nonnull));
/* Copies len bytes (NUL bytes included) and ends them with one NUL more. */
char *sb_memdup0(const void *p, size_t len) __attribute__((malloc, returns_nonnull));
char *sb_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *sb_vasprintf(const char *fmt, va_list args)
	__attribute__((format(printf, 1, 0), returns_nonnull));

/* sb_strdup that passes NULL through. */
char *sb_strdup_or_null(const char *s);

#define SB_NEW(type) ((type *)sb_calloc(1, sizeof(type)))

#endif
