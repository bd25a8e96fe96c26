/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "leak/form.h"

static size_t unit(unsigned c, char *out, bool is_upper)
{
	const unsigned char bytes[] = {(unsigned char)(c >> 8), (unsigned char)c};

	out[0] = '\\';
	out[1] = 'u';
	return 2 + sb_form_hex(bytes, 2, out + 2, "", is_upper);
}

static size_t unicode(const unsigned char *in, size_t n, char *out, bool is_upper)
{
	const unsigned c = sb_form_code_point(in, n);
	size_t len = 0;

	if (c < 0x10000)
		return unit(c, out, is_upper);
	len = unit(0xd800 + ((c - 0x10000) >> 10), out, is_upper);
	return len + unit(0xdc00 + ((c - 0x10000) & 0x3ff), out + len, is_upper);
}

/* What every writer escapes. `named` are the letters of the short escapes that it knows. */
static size_t minimal_with(const unsigned char *in, size_t n, char *out, const char *named)
{
	static const char controls[] = "\n\t\r\b\f";
	const char *control = *in != '\0' ? strchr(controls, *in) : NULL;

	if (*in == '"' || *in == '\\' || (control != NULL && named[control - controls] != ' ')) {
		out[0] = '\\';
		out[1] = control != NULL ? named[control - controls] : (char)*in;
		return 2;
	}
	return *in < 0x20 ? unicode(in, n, out, false) : sb_form_copy(in, n, out);
}

static size_t minimal(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return minimal_with(in, n, out, "ntrbf");
}

/* PHP's, without flags. */
static size_t with_slash(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	if (*in == '/')
		return sb_form_text(out, "\\/");
	return n > 1 ? unicode(in, n, out, false) : minimal(in, n, out);
}

static size_t with_slash_only(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return *in == '/' ? sb_form_text(out, "\\/") : minimal(in, n, out);
}

/* Go's, which is safe in HTML. */
static size_t safe_in_html(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	if (*in == '<' || *in == '>' || *in == '&')
		return unicode(in, n, out, false);
	return minimal_with(in, n, out, "ntr  ");
}

/* Python's, and the default of many others. */
static size_t ascii_lower(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return n > 1 || *in >= 0x7f ? unicode(in, n, out, false) : minimal(in, n, out);
}

/* .NET's: all that could mean something in HTML. */
static size_t ascii_upper(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	if (n > 1 || *in >= 0x7f || (*in != '\0' && strchr("\"'&+<>`", *in) != NULL))
		return unicode(in, n, out, true);
	return minimal(in, n, out);
}

/* JSON as a string in JSON, as logs have it. */
static size_t twice(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	char once[SB_FORM_MAX_BYTES];
	const size_t len = minimal(in, n, once);
	size_t at = 0;

	if (n > 1)
		return sb_form_copy(in, n, out);
	for (size_t i = 0; i < len; i++)
		at += minimal((const unsigned char *)once + i, 1, out + at);
	explicit_bzero(once, sizeof(once));
	return at;
}

static size_t all_lower(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return unicode(in, n, out, false);
}

static size_t all_upper(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return unicode(in, n, out, true);
}

const struct sb_form sb_forms_json[] = {
	{"json", minimal},
	{"json", with_slash_only},
	{"json", with_slash},
	{"json", safe_in_html},
	{"json", ascii_lower},
	{"json", ascii_upper},
	{"json", twice},
	{"json", all_lower, .is_full = true},
	{"json", all_upper, .is_full = true},
	{0},
};
