/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_FORM_H
#define SB_LEAK_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "leak/secret_memory.h"

/*
 * The forms in which a value is written down: how programs quote, escape and encode it.
 */

/*
 * What one character becomes in a form: `in` is a well-formed UTF-8 sequence of n bytes, or one
 * byte that belongs to none. Gives how many bytes it wrote to `out`.
 */
enum { SB_FORM_MAX_BYTES = 24 };
typedef size_t (*sb_form_fn)(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES]);

struct sb_form {
	const char *name; /* what a report says; several variants may have one name */
	sb_form_fn encode;
	bool is_full; /* escapes what would not need it, so that the value grows */
};

/* The variants of all forms that go character by character; NULL past the last. */
const struct sb_form *sb_form_at(size_t i);

/* Tables of one family each, ended by an entry without a name. */
extern const struct sb_form sb_forms_percent[];
extern const struct sb_form sb_forms_json[];
extern const struct sb_form sb_forms_shell[];
extern const struct sb_form sb_forms_c[];
extern const struct sb_form sb_forms_xml[];
extern const struct sb_form sb_forms_bytes[];

/* The value in that form, in the given memory. */
char *sb_form_make(const struct sb_form *form, struct sb_secret_memory *memory, const char *value,
	size_t len, size_t *out_len);

/*
 * The characters of base64 text that depend on the value alone, when `shift` bytes (mod 3) stand
 * before it. `last_two` are the alphabet's characters 62 and 63.
 */
char *sb_form_base64_core(struct sb_secret_memory *memory, const char *value, size_t len,
	size_t shift, const char last_two[static 2], size_t *out_len);

/* How form functions write a character: themselves, "\x41", … each gives the number of bytes. */
size_t sb_form_copy(const unsigned char *in, size_t n, char *out);
/* prefix, the byte's digits, suffix, for each byte. */
size_t sb_form_hex(const unsigned char *in, size_t n, char *out, const char *prefix, bool is_upper);
size_t sb_form_octal(const unsigned char *in, size_t n, char *out);
size_t sb_form_text(char *out, const char *text);
/* The code point of a sequence; of a byte that belongs to none, the byte's value. */
unsigned sb_form_code_point(const unsigned char *in, size_t n);
bool sb_form_is_alnum(unsigned char c);
bool sb_form_is_print(unsigned char c);

#endif
