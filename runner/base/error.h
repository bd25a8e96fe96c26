/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_ERROR_H
#define SB_BASE_ERROR_H

#include <stdbool.h>

#include "safebuild/error.h"

#define SB_MUST_USE __attribute__((warn_unused_result))
#define SB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * Setting an error. All of these return -1, so that a failing function ends in `return sb_fail(err,
 * …)`.
 *
 * An error is set once, where the failure is seen, and gains context on the way up, only where a
 * caller knows a name that the callee did not. Setting an error that is already set aborts: an
 * earlier failure was swallowed. Bytes from outside that do not print are escaped in the message.
 */
int sb_fail(struct sb_error *err, enum sb_code code, const char *fmt, ...) SB_PRINTF(3, 4);

/* As sb_fail, with errno as read on entry: the message ends in ": " and the errno's text. The code
 * is SB_E_NOT_FOUND for ENOENT and ENOTDIR, SB_E_DENIED for EACCES and EPERM, SB_E_SYSTEM
 * otherwise. */
int sb_fail_errno(struct sb_error *err, const char *fmt, ...) SB_PRINTF(2, 3);

/* As sb_fail, at a place in a source file (copied). */
int sb_fail_at(struct sb_error *err, enum sb_code code, struct sb_source_pos at, const char *fmt,
	...) SB_PRINTF(4, 5);

/* Puts "fmt: " before the message of an error that is set. */
int sb_error_context(struct sb_error *err, const char *fmt, ...) SB_PRINTF(2, 3);

/* Says where in a source file the failure belongs, unless that is known already. Copies. */
int sb_error_locate(struct sb_error *err, struct sb_source_pos at);

/* Says what to do about it, unless that was said already, nearer to the cause. */
int sb_error_hint(struct sb_error *err, const char *fmt, ...) SB_PRINTF(2, 3);

/* Says which words of the source are wrong, as they are written there, unless that was said
 * already. Copies. */
int sb_error_about(struct sb_error *err, const char *words);

/* Drops an error on purpose; `why` is for the reader of the code. */
void sb_error_ignore(struct sb_error *err, const char *why);

/* Moves an error: *from becomes SB_ERROR_INIT. `to` must not be set. */
void sb_error_move(struct sb_error *to, struct sb_error *from);

static inline bool sb_error_is_set(const struct sb_error *err)
{
	return err->code != SB_OK;
}

#define SB_AUTO_ERROR __attribute__((cleanup(sb_error_release))) struct sb_error

/* For our own invariants only, never for input; kept in release builds. */
#define SB_BUG_ON(cond) \
	do { \
		if (__builtin_expect(!!(cond), 0)) \
			sb_bug(#cond, __FILE__, __LINE__); \
	} while (0)

_Noreturn void sb_bug(const char *what, const char *file, int line);

#endif
