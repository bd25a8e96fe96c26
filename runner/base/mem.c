/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
	static const char line[] = "safebuild: out of memory\n";

	/* Nothing can be done about a write that fails here. */
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(125);
	_exit(125);
}

void *sb_malloc(size_t size)
{
	void *p = malloc(size != 0 ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *sb_calloc(size_t n, size_t size)
{
	void *p = calloc(n != 0 ? n : 1, size != 0 ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *sb_reallocarray(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n != 0 ? n : 1, size != 0 ? size : 1);

	if (q == NULL)
		out_of_memory();
	return q;
}

char *sb_strdup(const char *s)
{
	return sb_memdup0(s, strlen(s));
}

char *sb_memdup0(const void *p, size_t len)
{
	char *copy = sb_malloc(len + 1);

	if (len != 0)
		memcpy(copy, p, len);
	copy[len] = '\0';
	return copy;
}

char *sb_vasprintf(const char *fmt, va_list args)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, args) < 0)
		out_of_memory();
	return s;
}

char *sb_asprintf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *s = sb_vasprintf(fmt, args);
	va_end(args);
	return s;
}

char *sb_strdup_or_null(const char *s)
{
	return s != NULL ? sb_strdup(s) : NULL;
}
