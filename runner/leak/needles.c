/* SPDX-License-Identifier: MIT */
#include "leak/needles.h"

#include <string.h>

#include "base/array.h"
#include "base/charset.h"
#include "base/mem.h"
#include "leak/form.h"
#include "leak/secret_memory.h"
#include "leak/values.h"

enum {
	MAX_ALL_FORMS_BYTES = 64 << 10, /* of a secret's values together */
	MAX_ALL_FORMS_VALUES = 64,
	MAX_FULL_BYTES = 1 << 10, /* of a value that is written as several times its length */
	MAX_TWICE_BYTES = 16 << 10,
	MIN_WRAPPABLE_RAW = 24, /* a shorter one might be the words where two lines meet */
	MIN_PIECE_BYTES = 8,
};

static const char form_raw[] = "raw";
static const char form_line[] = "line";
static const char form_base64[] = "base64";
static const char form_base64url[] = "base64url";
static const char form_twice[] = "base64 of base64";

static const char standard[] = "+/";
static const char url[] = "-_";

struct sb_needles {
	struct sb_secret_memory *memory;
	SB_ARRAY(struct sb_needle) items;
};

/* What the forms of one value are made of, and where they go. */
struct maker {
	struct sb_needles *needles;
	const char *secret_id;
	const char *value;
	size_t len;
	size_t first; /* of this value's needles */
	enum sb_needle_use use;
	bool is_whole_token;
};

static bool is_known(const struct maker *maker, const char *bytes, size_t len)
{
	for (size_t i = maker->first; i < maker->needles->items.len; i++) {
		const struct sb_needle *needle = &maker->needles->items.items[i];

		if (needle->len == len && memcmp(needle->bytes, bytes, len) == 0)
			return true;
	}
	return false;
}

static bool is_base64_text(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!sb_form_is_alnum((unsigned char)bytes[i]) && !sb_char_in(bytes[i], "+/-_"))
			return false;
	return true;
}

/* `bytes` must lie in the needles' memory. */
static void append(const struct maker *maker, const char *form, const char *bytes, size_t len)
{
	const bool is_raw = form == form_raw || form == form_line;

	*SB_ARRAY_ADD(&maker->needles->items) = (struct sb_needle){
		.bytes = bytes,
		.len = len,
		.form = form,
		.secret_id = maker->secret_id,
		.is_whole_token = maker->is_whole_token,
		.is_raw = is_raw,
		.is_base64 = form == form_base64 || form == form_base64url,
		.is_wrappable = !maker->is_whole_token && (!is_raw || len >= MIN_WRAPPABLE_RAW) &&
				is_base64_text(bytes, len),
	};
}

static void add(const struct maker *maker, const char *form, const char *bytes, size_t len)
{
	if (!is_known(maker, bytes, len))
		append(maker, form, bytes, len);
}

static void add_raw(const struct maker *maker, const char *form)
{
	char *copy = sb_secret_memory_alloc(maker->needles->memory, maker->len);

	memcpy(copy, maker->value, maker->len);
	add(maker, form, copy, maker->len);
}

/* The lines that tools break it into from the value's beginning on, any of which may be shown
 * alone. */
static void add_pieces(
	const struct maker *maker, const char *form, const char *bytes, size_t len, size_t width)
{
	for (size_t at = 0; len > width && at < len; at += width) {
		const size_t n = len - at < width ? len - at : width;

		if (n < MIN_PIECE_BYTES)
			continue;
		append(maker, form, bytes + at, n);
		/* Where lines can be joined the whole is found. */
		maker->needles->items.items[maker->needles->items.len - 1].is_wrappable = false;
	}
}

static void add_base64(const struct maker *maker, const char *form, const char last_two[static 2])
{
	static const size_t widths[] = {76, 64}; /* of coreutils and MIME, of openssl and PEM */

	for (size_t shift = 0; shift < 3; shift++) {
		size_t len = 0;
		const char *core = sb_form_base64_core(
			maker->needles->memory, maker->value, maker->len, shift, last_two, &len);

		if (is_known(maker, core, len))
			continue;
		append(maker, form, core, len);
		for (size_t i = 0; maker->use == SB_NEEDLES_OUTPUT && shift == 0 && i < 2; i++)
			add_pieces(maker, form, core, len, widths[i]);
	}
}

static void add_base64_twice(const struct maker *maker, const char last_two[static 2])
{
	struct sb_secret_memory *memory = maker->needles->memory;

	for (size_t shift = 0; shift < 9; shift++) {
		size_t len = 0;
		const char *core = sb_form_base64_core(
			memory, maker->value, maker->len, shift % 3, last_two, &len);

		core = sb_form_base64_core(memory, core, len, shift / 3, last_two, &len);
		add(maker, form_twice, core, len);
	}
}

static void add_forms(const struct maker *maker)
{
	const struct sb_form *form = NULL;

	for (size_t i = 0; (form = sb_form_at(i)) != NULL; i++) {
		size_t len = 0;

		if (form->is_full && maker->len > MAX_FULL_BYTES)
			continue;

		const char *bytes =
			sb_form_make(form, maker->needles->memory, maker->value, maker->len, &len);

		add(maker, form->name, bytes, len);
		if (maker->use == SB_NEEDLES_OUTPUT && form == sb_forms_bytes)
			add_pieces(maker, form->name, bytes, len, 60); /* xxd -p */
	}
}

/* A whole value is small enough for all forms, or at least for the encodings of any length. */
static void add_value(
	struct maker *maker, const struct sb_value *value, size_t *budget, size_t *n_budget)
{
	const bool is_within = value->len <= *budget && *n_budget > 0;

	maker->value = value->bytes;
	maker->len = value->len;
	maker->first = maker->needles->items.len;
	add_raw(maker, value->kind == SB_VALUE_LINE ? form_line : form_raw);
	if (value->kind == SB_VALUE_LINE || (value->kind == SB_VALUE_PART && !is_within))
		return;
	add_base64(maker, form_base64, standard);
	add_base64(maker, form_base64url, url);
	if (value->len <= MAX_TWICE_BYTES) {
		add_base64_twice(maker, standard);
		add_base64_twice(maker, url);
	}
	if (!is_within)
		return;
	add_forms(maker);
	*budget -= value->len;
	(*n_budget)--;
}

static void add_secret(
	struct sb_needles *needles, const struct sb_secret *secret, enum sb_needle_use use)
{
	const enum sb_secret_strength strength = sb_secret_strength(secret);
	struct maker maker = {
		.needles = needles,
		.secret_id = secret->id,
		.use = use,
		.is_whole_token = strength == SB_SECRET_WEAK && use == SB_NEEDLES_SEARCH,
	};

	if (strength == SB_SECRET_UNSEARCHABLE)
		return;
	if (strength == SB_SECRET_WEAK) {
		maker.value = secret->bytes;
		maker.len = sb_secret_trimmed_len(secret);
		maker.first = needles->items.len;
		add_raw(&maker, form_raw);
		return;
	}

	struct sb_values values = {0};
	size_t budget = MAX_ALL_FORMS_BYTES;
	size_t n_budget = MAX_ALL_FORMS_VALUES;

	sb_values_find(secret, needles->memory, use == SB_NEEDLES_OUTPUT, &values);
	SB_ARRAY_FOREACH (&values, value)
		add_value(&maker, value, &budget, &n_budget);
	sb_values_release(&values);
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
	static const char *const first[] = {
		form_raw, form_base64, form_base64url, form_twice, form_line};
	const struct sb_form *form = NULL;

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		sb_strv_add(out, first[i]);
	for (size_t i = 0; (form = sb_form_at(i)) != NULL; i++)
		if (!sb_strv_contains(out, form->name))
			sb_strv_add(out, form->name);
}
