/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "leak/form.h"

/* The entity that stands for a character among these texts, one for each of &<>"', or NULL. */
static size_t with_entities(
	const unsigned char *in, size_t n, char *out, const char *const entities[static 5])
{
	static const char marks[] = "&<>\"'";
	const char *mark = *in != '\0' ? strchr(marks, *in) : NULL;

	if (mark == NULL || entities[mark - marks] == NULL)
		return sb_form_copy(in, n, out);
	return sb_form_text(out, entities[mark - marks]);
}

#define ENTITIES(name, ...) \
	static size_t name(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES]) \
	{ \
		static const char *const entities[] = {__VA_ARGS__}; \
\
		return with_entities(in, n, out, entities); \
	}

ENTITIES(in_text, "&amp;", "&lt;", "&gt;", NULL, NULL)
ENTITIES(in_attribute, "&amp;", "&lt;", "&gt;", "&quot;", NULL)
ENTITIES(in_attribute_lt, "&amp;", "&lt;", NULL, "&quot;", NULL)
ENTITIES(in_any, "&amp;", "&lt;", "&gt;", "&quot;", "&apos;")
ENTITIES(in_html, "&amp;", "&lt;", "&gt;", "&quot;", "&#39;")
ENTITIES(in_html_padded, "&amp;", "&lt;", "&gt;", "&quot;", "&#039;")
ENTITIES(in_html_hex, "&amp;", "&lt;", "&gt;", "&quot;", "&#x27;")
ENTITIES(in_html_numbers, "&amp;", "&lt;", "&gt;", "&#34;", "&#39;")
ENTITIES(decimal_marks, "&#38;", "&#60;", "&#62;", "&#34;", "&#39;")
ENTITIES(hex_marks, "&#x26;", "&#x3C;", "&#x3E;", "&#x22;", "&#x27;")
ENTITIES(hex_marks_lower, "&#x26;", "&#x3c;", "&#x3e;", "&#x22;", "&#x27;")

/* "&#65;", "&#x41;" */
static size_t number(
	const unsigned char *in, size_t n, char *out, const char *digits, unsigned base)
{
	unsigned c = sb_form_code_point(in, n);
	size_t at = sb_form_text(out, base == 16 ? "&#x" : "&#");
	size_t n_digits = 1;

	for (unsigned rest = c; rest >= base; rest /= base)
		n_digits++;
	for (size_t i = n_digits; i-- > 0; c /= base)
		out[at + i] = digits[c % base];
	at += n_digits;
	out[at++] = ';';
	return at;
}

static size_t all_decimal(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return number(in, n, out, "0123456789", 10);
}

static size_t all_hex_lower(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return number(in, n, out, "0123456789abcdef", 16);
}

static size_t all_hex_upper(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return number(in, n, out, "0123456789ABCDEF", 16);
}

const struct sb_form sb_forms_xml[] = {
	{"xml", in_text},
	{"xml", in_attribute},
	{"xml", in_attribute_lt},
	{"xml", in_any},
	{"xml", in_html},
	{"xml", in_html_padded},
	{"xml", in_html_hex},
	{"xml", in_html_numbers},
	{"xml", decimal_marks},
	{"xml", hex_marks},
	{"xml", hex_marks_lower},
	{"xml", all_decimal, .is_full = true},
	{"xml", all_hex_lower, .is_full = true},
	{"xml", all_hex_upper, .is_full = true},
	{0},
};
