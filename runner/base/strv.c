/* SPDX-License-Identifier: MIT */
#include "base/strv.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"

void sb_strv_release(struct sb_strv *v)
{
	sb_strv_clear(v);
	free(v->items);
	*v = (struct sb_strv)SB_STRV_INIT;
}

void sb_strv_clear(struct sb_strv *v)
{
	for (size_t i = 0; i < v->len; i++)
		free(v->items[i]);
	v->len = 0;
	if (v->items != NULL)
		v->items[0] = NULL;
}

void sb_strv_add_nodup(struct sb_strv *v, char *s)
{
	if (v->len + 1 >= v->cap) {
		v->cap = v->cap != 0 ? v->cap * 2 : 8;
		v->items = sb_reallocarray(v->items, v->cap, sizeof(*v->items));
	}
	v->items[v->len++] = s;
	v->items[v->len] = NULL;
}

void sb_strv_add(struct sb_strv *v, const char *s)
{
	sb_strv_add_nodup(v, sb_strdup(s));
}

void sb_strv_addf(struct sb_strv *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	sb_strv_add_nodup(v, sb_vasprintf(fmt, args));
	va_end(args);
}

void sb_strv_add_all(struct sb_strv *v, const struct sb_strv *other)
{
	for (size_t i = 0; i < other->len; i++)
		sb_strv_add(v, other->items[i]);
}

void sb_strv_remove_at(struct sb_strv *v, size_t i)
{
	free(v->items[i]);
	memmove(&v->items[i], &v->items[i + 1], (v->len - i) * sizeof(*v->items));
	v->len--;
}

bool sb_strv_contains(const struct sb_strv *v, const char *s)
{
	for (size_t i = 0; i < v->len; i++)
		if (strcmp(v->items[i], s) == 0)
			return true;
	return false;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void sb_strv_sort(struct sb_strv *v)
{
	if (v->len > 1)
		qsort(v->items, v->len, sizeof(*v->items), compare_strings);
}

bool sb_strv_has_sorted(const struct sb_strv *v, const char *s)
{
	return v->len > 0 &&
	       bsearch(&s, v->items, v->len, sizeof(*v->items), compare_strings) != NULL;
}

char *sb_strv_join(const struct sb_strv *v, const char *separator)
{
	const size_t separator_len = strlen(separator);
	size_t total = 0;

	for (size_t i = 0; i < v->len; i++)
		total += strlen(v->items[i]) + separator_len;

	char *joined = sb_malloc(total + 1);
	char *end = joined;

	for (size_t i = 0; i < v->len; i++) {
		if (i > 0)
			end = mempcpy(end, separator, separator_len);
		end = stpcpy(end, v->items[i]);
	}
	*end = '\0';
	return joined;
}

char **sb_strv_argv(const struct sb_strv *v)
{
	static char *empty[1];

	return v->items != NULL ? v->items : empty;
}

void sb_strv_copy(struct sb_strv *to, const struct sb_strv *from)
{
	struct sb_strv copy = SB_STRV_INIT;

	sb_strv_add_all(&copy, from);
	sb_strv_release(to);
	*to = copy;
}

static size_t env_find(const struct sb_strv *env, const char *name)
{
	const size_t len = strlen(name);
	size_t i = 0;

	while (i < env->len &&
		!(strncmp(env->items[i], name, len) == 0 && env->items[i][len] == '='))
		i++;
	return i;
}

void sb_env_set(struct sb_strv *env, const char *name, const char *value)
{
	const size_t i = env_find(env, name);
	char *item = sb_asprintf("%s=%s", name, value);

	if (i == env->len) {
		sb_strv_add_nodup(env, item);
		return;
	}
	free(env->items[i]);
	env->items[i] = item;
}

const char *sb_env_get(const struct sb_strv *env, const char *name)
{
	const size_t i = env_find(env, name);

	return i < env->len ? env->items[i] + strlen(name) + 1 : NULL;
}

void sb_env_unset(struct sb_strv *env, const char *name)
{
	const size_t i = env_find(env, name);

	if (i < env->len)
		sb_strv_remove_at(env, i);
}
