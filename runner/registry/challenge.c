/* SPDX-License-Identifier: MIT */
#include "registry/challenge.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static void release_one(struct sb_challenge *challenge)
{
	free(challenge->scheme);
	sb_strv_release(&challenge->params);
}

static void truncate_to(struct sb_challenges *list, size_t len)
{
	while (list->len > len)
		release_one(&list->items[--list->len]);
}

void sb_challenges_release(struct sb_challenges *list)
{
	truncate_to(list, 0);
	SB_ARRAY_RELEASE(list);
}

/* RFC 9110, 5.6.2. */
static size_t token_len(const char *p)
{
	return strspn(p, "!#$%&'*+-.^_`|~0123456789"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* token68 stands alone behind the scheme: it must be followed by a comma or the end, or else it is
 * a parameter. 0 where there is none. */
static size_t token68_len(const char *p)
{
	size_t len = strspn(p, "-._~+/0123456789"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	if (len == 0)
		return 0;
	len += strspn(p + len, "=");

	const char *after = skip_space(p + len);

	return *after == ',' || *after == '\0' ? len : 0;
}

/* From behind the opening quote to behind the closing one; NULL where it never closes or holds a
 * control character. */
static const char *read_quoted(const char *p, char **out)
{
	sb_autofree char *value = sb_malloc(strlen(p) + 1);
	size_t len = 0;

	for (; *p != '"'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return NULL;
		value[len++] = *p;
	}
	value[len] = '\0';
	*out = SB_STEAL(value);
	return p + 1;
}

/* p stands on the '='. NULL where no value follows, or the name is there already. */
static const char *read_param(
	const char *name, size_t name_len, const char *p, struct sb_challenge *to)
{
	sb_autofree char *key = sb_memdup0(name, name_len);
	sb_autofree char *value = NULL;

	p = skip_space(p + 1);
	if (*p == '"') {
		p = read_quoted(p + 1, &value);
		if (p == NULL)
			return NULL;
	} else {
		const size_t len = token_len(p);

		if (len == 0)
			return NULL;
		value = sb_memdup0(p, len);
		p += len;
	}
	for (char *c = key; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (sb_challenge_param(to, key) != NULL)
		return NULL;
	sb_strv_addf(&to->params, "%s=%s", key, value);
	return p;
}

/* Reads one element of the comma-separated list: a parameter of the challenge that is open, or the
 * start of another (with its first parameter or token68). NULL where it is neither. */
static const char *read_element(const char *p, struct sb_challenges *list, size_t first)
{
	const size_t len = token_len(p);
	const char *after = skip_space(p + len);

	if (len == 0)
		return NULL;
	if (*after == '=')
		return list->len > first ? read_param(p, len, after, &list->items[list->len - 1])
					 : NULL;

	struct sb_challenge *challenge = SB_ARRAY_ADD(list);

	challenge->scheme = sb_memdup0(p, len);
	if (*after == ',' || *after == '\0')
		return after;
	if (after == p + len)
		return NULL;

	const size_t alone = token68_len(after);

	if (alone > 0)
		return after + alone;

	const size_t name_len = token_len(after);
	const char *equals = skip_space(after + name_len);

	return name_len > 0 && *equals == '=' ? read_param(after, name_len, equals, challenge)
					      : NULL;
}

int sb_challenges_parse(const char *value, struct sb_challenges *list, struct sb_error *err)
{
	const size_t first = list->len;
	const char *p = value;

	for (;;) {
		p += strspn(p, " \t,");
		if (*p == '\0')
			return 0;
		p = read_element(p, list, first);
		if (p == NULL)
			break;
		p = skip_space(p);
		if (*p != ',' && *p != '\0')
			break;
	}
	truncate_to(list, first);
	return sb_fail(err, SB_E_AUTH, "the registry's WWW-Authenticate header does not parse");
}

const struct sb_challenge *sb_challenges_find(const struct sb_challenges *list, const char *scheme)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcasecmp(list->items[i].scheme, scheme) == 0)
			return &list->items[i];
	return NULL;
}

const char *sb_challenge_param(const struct sb_challenge *challenge, const char *name)
{
	return sb_env_get(&challenge->params, name);
}
