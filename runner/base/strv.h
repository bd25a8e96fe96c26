/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_STRV_H
#define SB_BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/*
 * A list of owned strings, ready for exec: `items` ends with a NULL that `len` does not count
 * (items is NULL while the list is empty and nothing was ever added; use sb_strv_argv where a call
 * needs the array).
 */
struct sb_strv {
	char **items;
	size_t len;
	size_t cap;
};

#define SB_STRV_INIT \
	{ \
		0 \
	}
#define SB_AUTO_STRV SB_AUTO_VALUE(sb_strv)

void sb_strv_release(struct sb_strv *v);
void sb_strv_add(struct sb_strv *v, const char *s);
void sb_strv_addf(struct sb_strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Takes the string. */
void sb_strv_add_nodup(struct sb_strv *v, char *s);
void sb_strv_add_all(struct sb_strv *v, const struct sb_strv *other);
void sb_strv_clear(struct sb_strv *v);
void sb_strv_remove_at(struct sb_strv *v, size_t i);
bool sb_strv_contains(const struct sb_strv *v, const char *s);
/* The same for a list that sb_strv_sort has sorted. */
bool sb_strv_has_sorted(const struct sb_strv *v, const char *s);
/* Bytewise. */
void sb_strv_sort(struct sb_strv *v);
/* The joined strings; caller frees. */
char *sb_strv_join(const struct sb_strv *v, const char *separator);
/* Never NULL; borrowed. */
char **sb_strv_argv(const struct sb_strv *v);
/* *to becomes a copy of from; what it held is released. */
void sb_strv_copy(struct sb_strv *to, const struct sb_strv *from);

/*
 * A list used as an environment: "NAME=value" items, one a name. set replaces in place or appends;
 * get is borrowed and NULL where the name is not there.
 */
void sb_env_set(struct sb_strv *env, const char *name, const char *value);
const char *sb_env_get(const struct sb_strv *env, const char *name);
void sb_env_unset(struct sb_strv *env, const char *name);

#endif
