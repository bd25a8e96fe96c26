/* SPDX-License-Identifier: MIT */
#include "leak/needles.h"

#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "leak/secret_memory.h"

enum {
	MIN_LINE_BYTES = 8,
	MIN_ENCODED_BYTES = 8,
};

struct sb_needles {
	struct sb_secret_memory *memory;
	SB_ARRAY(struct sb_needle) items;
};

/* What a form's function works on: the value, and where the needles go. */
struct maker {
	struct sb_needles *needles;
	const char *form;
	const char *secret_id;
	const unsigned char *value;
	size_t len;
	bool is_whole_token;
};

struct form {
	const char *name;
	void (*make)(const struct maker *maker);
	bool in_search;
	bool is_encoding; /* of a value long enough not to turn up by chance */
};

static bool is_known(const struct maker *maker, const char *bytes, size_t len)
{
	SB_ARRAY_FOREACH (&maker->needles->items, needle)
		if (needle->secret_id == maker->secret_id && needle->len == len &&
			memcmp(needle->bytes, bytes, len) == 0)
			return true;
	return false;
}

/* `bytes` must lie in the needles' memory. */
static void add(const struct maker *maker, const char *bytes, size_t len)
{
	*SB_ARRAY_ADD(&maker->needles->items) = (struct sb_needle){
		.bytes = bytes,
		.len = len,
		.form = maker->form,
		.secret_id = maker->secret_id,
		.is_whole_token = maker->is_whole_token,
	};
}

static char *room(const struct maker *maker, size_t len)
{
	return sb_secret_memory_alloc(maker->needles->memory, len);
}

static void make_raw(const struct maker *maker)
{
	char *copy = room(maker, maker->len);

	memcpy(copy, maker->value, maker->len);
	add(maker, copy, maker->len);
}

static void make_lines(const struct maker *maker)
{
	size_t start = 0;

	if (memchr(maker->value, '\n', maker->len) == NULL)
		return;
	for (size_t i = 0; i <= maker->len; i++) {
		if (i < maker->len && maker->value[i] != '\n')
			continue;

		size_t len = i - start;

		if (len > 0 && maker->value[start + len - 1] == '\r')
			len--;
		if (len >= MIN_LINE_BYTES) {
			char *copy = room(maker, len);

			memcpy(copy, maker->value + start, len);
			add(maker, copy, len);
		}
		start = i + 1;
	}
}

/* The byte that stands at position i of `shift` bytes of zero and then the value. */
static unsigned shifted_byte(const struct maker *maker, size_t shift, size_t i)
{
	return i < shift || i - shift >= maker->len ? 0 : maker->value[i - shift];
}

/*
 * The characters of the base64 text that depend on the value alone, when `shift` bytes (mod 3)
 * stand before it: a character holds bits 6i to 6i+5, and must lie within the value's bits.
 */
static void make_base64_core(
	const struct maker *maker, const char alphabet[static 64], size_t shift)
{
	const size_t first = (8 * shift + 5) / 6;
	const size_t end = 8 * (shift + maker->len) / 6;
	char *core = room(maker, end - first);

	for (size_t i = first; i < end; i++) {
		const size_t bit = 6 * i;
		const unsigned pair = shifted_byte(maker, shift, bit / 8) << 8 |
				      shifted_byte(maker, shift, bit / 8 + 1);

		core[i - first] = alphabet[pair >> (10 - bit % 8) & 0x3f];
	}
	/* Base64 without + and / is the same in both alphabets. */
	if (!is_known(maker, core, end - first))
		add(maker, core, end - first);
}

static void make_base64(const struct maker *maker)
{
	static const char standard[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t shift = 0; shift < 3; shift++)
		make_base64_core(maker, standard, shift);
}

static void make_base64url(const struct maker *maker)
{
	static const char url[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t shift = 0; shift < 3; shift++)
		make_base64_core(maker, url, shift);
}

static const struct form forms[] = {
	{"raw", make_raw, .in_search = true},
	{"line", make_lines},
	{"base64", make_base64, .in_search = true, .is_encoding = true},
	{"base64url", make_base64url, .in_search = true, .is_encoding = true},
};
enum { N_FORMS = sizeof(forms) / sizeof(forms[0]) };

static void add_secret(
	struct sb_needles *needles, const struct sb_secret *secret, enum sb_needle_use use)
{
	const enum sb_secret_strength strength = sb_secret_strength(secret);

	if (strength == SB_SECRET_UNSEARCHABLE)
		return;
	for (size_t i = 0; i < N_FORMS; i++) {
		const struct maker maker = {
			.needles = needles,
			.form = forms[i].name,
			.secret_id = secret->id,
			.value = (const unsigned char *)secret->bytes,
			.len = sb_secret_trimmed_len(secret),
			.is_whole_token = strength == SB_SECRET_WEAK && use == SB_NEEDLES_SEARCH,
		};

		if (use == SB_NEEDLES_SEARCH && !forms[i].in_search)
			continue;
		if (forms[i].is_encoding && maker.len < MIN_ENCODED_BYTES)
			continue;
		forms[i].make(&maker);
	}
}

struct sb_needles *sb_needles_new(const struct sb_secrets *secrets, enum sb_needle_use use)
{
	struct sb_needles *needles = SB_NEW(struct sb_needles);

	needles->memory = sb_secret_memory_new();
	for (size_t i = 0; secrets != NULL && i < sb_secrets_count(secrets); i++)
		add_secret(needles, sb_secrets_at(secrets, i), use);
	return needles;
}

void sb_needles_free(struct sb_needles *needles)
{
	if (needles == NULL)
		return;
	SB_ARRAY_RELEASE(&needles->items);
	sb_secret_memory_free(needles->memory);
	free(needles);
}

size_t sb_needles_count(const struct sb_needles *needles)
{
	return needles->items.len;
}

const struct sb_needle *sb_needles_at(const struct sb_needles *needles, size_t i)
{
	return &needles->items.items[i];
}

void sb_needle_form_names(struct sb_strv *out)
{
	for (size_t i = 0; i < N_FORMS; i++)
		if (forms[i].in_search)
			sb_strv_add(out, forms[i].name);
}
