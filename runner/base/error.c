/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"

void sb_error_release(struct sb_error *err)
{
	const int saved_errno = errno;

	free(err->message);
	free(err->hint);
	free(err->about);
	free(err->excerpt);
	free((char *)(uintptr_t)err->at.file);
	*err = (struct sb_error)SB_ERROR_INIT;
	errno = saved_errno;
}

const char *sb_code_name(enum sb_code code)
{
	static const char *const names[] = {
		[SB_OK] = "ok",
		[SB_E_USAGE] = "usage",
		[SB_E_SYNTAX] = "syntax",
		[SB_E_NOT_FOUND] = "not-found",
		[SB_E_DENIED] = "denied",
		[SB_E_UNSUPPORTED] = "unsupported",
		[SB_E_LIMIT] = "limit",
		[SB_E_INTEGRITY] = "integrity",
		[SB_E_NETWORK] = "network",
		[SB_E_AUTH] = "auth",
		[SB_E_STEP_FAILED] = "step-failed",
		[SB_E_LEAK] = "leak",
		[SB_E_CANCELLED] = "cancelled",
		[SB_E_SYSTEM] = "system",
		[SB_E_BUG] = "bug",
	};

	return (size_t)code < sizeof(names) / sizeof(names[0]) ? names[code] : "unknown";
}

_Noreturn void sb_bug(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "safebuild: bug: %s:%d: %s\n", file, line, what);
	abort();
}

SB_PRINTF(1, 0) static char *format_escaped(const char *fmt, va_list args)
{
	sb_autofree char *raw = sb_vasprintf(fmt, args);

	return sb_escape_text(raw, strlen(raw));
}

SB_PRINTF(3, 0)
static void set_message(struct sb_error *err, enum sb_code code, const char *fmt, va_list args)
{
	SB_BUG_ON(sb_error_is_set(err));
	err->code = code;
	err->message = format_escaped(fmt, args);
}

int sb_fail(struct sb_error *err, enum sb_code code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set_message(err, code, fmt, args);
	va_end(args);
	return -1;
}

static enum sb_code code_of_errno(int os_errno)
{
	switch (os_errno) {
	case ENOENT:
	case ENOTDIR:
		return SB_E_NOT_FOUND;
	case EACCES:
	case EPERM:
		return SB_E_DENIED;
	default:
		return SB_E_SYSTEM;
	}
}

int sb_fail_errno(struct sb_error *err, const char *fmt, ...)
{
	const int os_errno = errno;
	va_list args;

	va_start(args, fmt);
	set_message(err, code_of_errno(os_errno), fmt, args);
	va_end(args);

	char *whole = sb_asprintf("%s: %s", err->message, strerror(os_errno));

	free(err->message);
	err->message = whole;
	err->os_errno = os_errno;
	return -1;
}

int sb_fail_at(
	struct sb_error *err, enum sb_code code, struct sb_source_pos at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set_message(err, code, fmt, args);
	va_end(args);
	return sb_error_locate(err, at);
}

int sb_error_context(struct sb_error *err, const char *fmt, ...)
{
	SB_BUG_ON(!sb_error_is_set(err));

	va_list args;

	va_start(args, fmt);
	sb_autofree char *context = format_escaped(fmt, args);
	va_end(args);

	char *whole = sb_asprintf("%s: %s", context, err->message);

	free(err->message);
	err->message = whole;
	return -1;
}

int sb_error_locate(struct sb_error *err, struct sb_source_pos at)
{
	SB_BUG_ON(!sb_error_is_set(err));
	if (err->at.line != 0)
		return -1;
	free((char *)(uintptr_t)err->at.file);
	err->at = at;
	err->at.file = at.file != NULL ? sb_strdup(at.file) : NULL;
	return -1;
}

int sb_error_hint(struct sb_error *err, const char *fmt, ...)
{
	SB_BUG_ON(!sb_error_is_set(err));
	if (err->hint != NULL)
		return -1;

	va_list args;

	va_start(args, fmt);
	err->hint = format_escaped(fmt, args);
	va_end(args);
	return -1;
}

int sb_error_about(struct sb_error *err, const char *words)
{
	SB_BUG_ON(!sb_error_is_set(err));
	if (err->about == NULL)
		err->about = sb_strdup(words);
	return -1;
}

void sb_error_ignore(struct sb_error *err, const char *why)
{
	(void)why;
	sb_error_release(err);
}

void sb_error_move(struct sb_error *to, struct sb_error *from)
{
	SB_BUG_ON(sb_error_is_set(to));
	*to = *from;
	*from = (struct sb_error)SB_ERROR_INIT;
}
