/* SPDX-License-Identifier: MIT */
#include "leak/form.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static const struct sb_form *const families[] = {
	sb_forms_bytes, sb_forms_percent, sb_forms_json, sb_forms_shell, sb_forms_c, sb_forms_xml};
enum { N_FAMILIES = sizeof(families) / sizeof(families[0]) };

const struct sb_form *sb_form_at(size_t i)
{
	for (size_t k = 0; k < N_FAMILIES; k++)
		for (const struct sb_form *form = families[k]; form->name != NULL; form++)
			if (i-- == 0)
				return form;
	return NULL;
}

/* Forms treat letters and digits alike. Most keep them, which is worth to know before each is
 * asked for. */
static bool keeps_alnum(const struct sb_form *form)
{
	char one[SB_FORM_MAX_BYTES];

	return form->encode((const unsigned char *)"a", 1, one) == 1 && one[0] == 'a';
}

static size_t alnum_run(const unsigned char *in, size_t len)
{
	size_t n = 0;

	while (n < len && sb_form_is_alnum(in[n]))
		n++;
	return n;
}

/* Writes to `out`, or only counts when it is NULL. */
static size_t encode(const struct sb_form *form, const char *value, size_t len, char *out)
{
	const unsigned char *in = (const unsigned char *)value;
	const bool is_kept = keeps_alnum(form);
	char one[SB_FORM_MAX_BYTES];
	size_t total = 0;

	for (size_t i = 0; i < len;) {
		const size_t run = is_kept ? alnum_run(in + i, len - i) : 0;

		if (run > 0) {
			if (out != NULL)
				memcpy(out + total, in + i, run);
			total += run;
			i += run;
			continue;
		}

		const size_t sequence = in[i] < 0x80 ? 1 : sb_utf8_length(value + i, len - i);
		const size_t n = sequence != 0 ? sequence : 1;

		total += form->encode(in + i, n, out != NULL ? out + total : one);
		i += n;
	}
	explicit_bzero(one, sizeof(one));
	return total;
}

char *sb_form_make(const struct sb_form *form, struct sb_secret_memory *memory, const char *value,
	size_t len, size_t *out_len)
{
	*out_len = encode(form, value, len, NULL);

	/* A form's function may use the room for its longest character. */
	char *out = sb_secret_memory_alloc(memory, *out_len + SB_FORM_MAX_BYTES);

	(void)encode(form, value, len, out);
	return out;
}

char *sb_form_base64_core(struct sb_secret_memory *memory, const char *value, size_t len,
	size_t shift, const char last_two[static 2], size_t *out_len)
{
	char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789..";
	/* A character holds the bits 6i to 6i+5, and must lie within the value's. */
	const size_t first = (8 * shift + 5) / 6;
	const size_t end = 8 * (shift + len) / 6;
	char *core = sb_secret_memory_alloc(memory, end - first);
	unsigned bits = 0; /* the last two bytes */
	size_t n_read = shift;

	memcpy(digits + 62, last_two, 2);
	for (size_t i = first; i < end; i++) {
		const size_t last_bit = 6 * i + 5;

		while (8 * n_read <= last_bit)
			bits = bits << 8 | (unsigned char)value[n_read++ - shift];
		core[i - first] = digits[bits >> (8 * n_read - 1 - last_bit) & 0x3f];
	}
	*out_len = end - first;
	return core;
}

size_t sb_form_copy(const unsigned char *in, size_t n, char *out)
{
	memcpy(out, in, n);
	return n;
}

size_t sb_form_text(char *out, const char *text)
{
	size_t n = 0;

	for (; text[n] != '\0'; n++)
		out[n] = text[n];
	return n;
}

size_t sb_form_hex(const unsigned char *in, size_t n, char *out, const char *prefix, bool is_upper)
{
	const char *digits = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		at += sb_form_text(out + at, prefix);
		out[at++] = digits[in[i] >> 4];
		out[at++] = digits[in[i] & 15];
	}
	return at;
}

size_t sb_form_octal(const unsigned char *in, size_t n, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		out[at++] = '\\';
		out[at++] = (char)('0' + (in[i] >> 6));
		out[at++] = (char)('0' + (in[i] >> 3 & 7));
		out[at++] = (char)('0' + (in[i] & 7));
	}
	return at;
}

unsigned sb_form_code_point(const unsigned char *in, size_t n)
{
	static const unsigned char masks[] = {0xff, 0xff, 0x1f, 0x0f, 0x07};
	unsigned c = in[0] & masks[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (in[i] & 0x3f);
	return c;
}

bool sb_form_is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool sb_form_is_print(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}
