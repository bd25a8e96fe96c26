/* SPDX-License-Identifier: MIT */
#include "inspect/pax.h"

#include <string.h>

#include "base/mem.h"
#include "inspect/tar_number.h"

struct record {
	const char *key;
	size_t key_len;
	const char *value;
	size_t len;
};

static const char attribute_prefix[] = "SCHILY.xattr.";

void sb_pax_release(struct sb_pax *pax)
{
	free(pax->path);
	free(pax->link);
	free(pax->sparse_path);
	SB_ARRAY_RELEASE(&pax->extents);
	SB_ARRAY_FOREACH (&pax->attributes, attribute) {
		free(attribute->name);
		free(attribute->value);
	}
	SB_ARRAY_RELEASE(&pax->attributes);
	*pax = (struct sb_pax){0};
}

/* "LEN KEY=VALUE\n", LEN being that of all of it. */
static bool next_record(const char **p, const char *end, struct record *out)
{
	const char *space = memchr(*p, ' ', (size_t)(end - *p));
	uint64_t len = 0;

	if (space == NULL || !sb_tar_decimal(*p, (size_t)(space - *p), &len) ||
		len > (uint64_t)(end - *p) || len < (uint64_t)(space - *p) + 4)
		return false;

	const char *last = *p + len - 1;
	const char *equals = memchr(space + 1, '=', (size_t)(last - space - 1));

	if (*last != '\n' || equals == NULL || equals == space + 1)
		return false;
	*out = (struct record){
		.key = space + 1,
		.key_len = (size_t)(equals - space - 1),
		.value = equals + 1,
		.len = (size_t)(last - equals - 1),
	};
	*p = last + 1;
	return true;
}

static bool is_key(const struct record *record, const char *key)
{
	return record->key_len == strlen(key) && memcmp(record->key, key, record->key_len) == 0;
}

/* An empty value takes back what was said before. */
static void take_name(struct sb_pax *pax, char **name, const struct record *record)
{
	if (memchr(record->value, '\0', record->len) != NULL) {
		pax->oddity = "a name in its extended header has a NUL byte in it";
		return;
	}
	free(*name);
	*name = record->len > 0 ? sb_memdup0(record->value, record->len) : NULL;
}

static bool take_number(const struct record *record, bool *has, uint64_t *out)
{
	*has = record->len > 0;
	return record->len == 0 || sb_tar_decimal(record->value, record->len, out);
}

static void take_attribute(struct sb_pax *pax, const struct record *record)
{
	const size_t skip = sizeof(attribute_prefix) - 1;

	*SB_ARRAY_ADD(&pax->attributes) = (struct sb_tar_attribute){
		.name = sb_memdup0(record->key + skip, record->key_len - skip),
		.value = sb_memdup0(record->value, record->len),
		.len = record->len,
	};
}

static bool take_sparse(struct sb_pax *pax, const struct record *record)
{
	uint64_t number = 0;

	pax->is_sparse = true;
	if (is_key(record, "GNU.sparse.name")) {
		take_name(pax, &pax->sparse_path, record);
		return true;
	}
	if (is_key(record, "GNU.sparse.map"))
		return sb_extents_add_list(&pax->extents, record->value, record->len);
	if (!sb_tar_decimal(record->value, record->len, &number))
		return false;
	if (is_key(record, "GNU.sparse.major"))
		pax->is_sparse_1 = number == 1;
	else if (is_key(record, "GNU.sparse.offset") || is_key(record, "GNU.sparse.numbytes"))
		sb_extents_add_number(&pax->extents, number);
	else if (is_key(record, "GNU.sparse.size") || is_key(record, "GNU.sparse.realsize")) {
		pax->has_real_size = true;
		pax->real_size = number;
	}
	return true;
}

static bool take_record(struct sb_pax *pax, const struct record *record)
{
	const size_t n = sizeof(attribute_prefix) - 1;

	if (is_key(record, "path"))
		take_name(pax, &pax->path, record);
	else if (is_key(record, "linkpath"))
		take_name(pax, &pax->link, record);
	else if (is_key(record, "size"))
		return take_number(record, &pax->has_size, &pax->size);
	else if (is_key(record, "uid"))
		return take_number(record, &pax->has_uid, &pax->uid);
	else if (is_key(record, "gid"))
		return take_number(record, &pax->has_gid, &pax->gid);
	else if (record->key_len > n && memcmp(record->key, attribute_prefix, n) == 0)
		take_attribute(pax, record);
	else if (record->key_len > 11 && memcmp(record->key, "GNU.sparse.", 11) == 0)
		return take_sparse(pax, record);
	return true;
}

bool sb_pax_read(struct sb_pax *pax, const char *records, size_t len)
{
	const char *const end = records + len;
	struct record record;

	for (const char *p = records; p < end;) {
		if (!next_record(&p, end, &record)) {
			pax->oddity = "its extended header is damaged";
			return true;
		}
		if (!take_record(pax, &record))
			return false;
	}
	return true;
}
