/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "leak/form.h"

static bool is_one_of(unsigned char c, const char *chars)
{
	return c != '\0' && strchr(chars, c) != NULL;
}

static size_t backslash_if(bool is_escaped, const unsigned char *in, size_t n, char *out)
{
	size_t at = 0;

	if (is_escaped)
		out[at++] = '\\';
	return at + sb_form_copy(in, n, out + at);
}

/* '…' with each quote as '\'' */
static size_t single(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return *in == '\'' ? sb_form_text(out, "'\\''") : sb_form_copy(in, n, out);
}

/* The same as '"'"', which Python's shlex writes. */
static size_t single_by_double(
	const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return *in == '\'' ? sb_form_text(out, "'\"'\"'") : sb_form_copy(in, n, out);
}

/* "…" */
static size_t double_quoted(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return backslash_if(is_one_of(*in, "\"$`\\"), in, n, out);
}

/* As printf %q of bash writes a word, but for a # or ~ at its beginning. */
static size_t bash_word(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return backslash_if(is_one_of(*in, " \t!\"$&'()*,;<>?[\\]^`{|}"), in, n, out);
}

/* Every character that is no letter, digit or one of the harmless marks. */
static size_t word(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	const bool is_plain = n > 1 || sb_form_is_alnum(*in) || is_one_of(*in, "_-./:=@%+,");

	return backslash_if(!is_plain, in, n, out);
}

/* Quotes and backslashes, as in most languages' '…'. */
static size_t quotes(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return backslash_if(*in == '\'' || *in == '\\', in, n, out);
}

/* $'…' */
static size_t dollar(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	static const char controls[] = "\a\b\t\n\v\f\r\033";
	static const char letters[] = "abtnvfrE";
	const char *control = *in != '\0' ? strchr(controls, *in) : NULL;

	if (control != NULL) {
		out[0] = '\\';
		out[1] = letters[control - controls];
		return 2;
	}
	if (is_one_of(*in, "'\\"))
		return backslash_if(true, in, n, out);
	return sb_form_is_print(*in) || n > 1 ? sb_form_copy(in, n, out)
					      : sb_form_octal(in, n, out);
}

const struct sb_form sb_forms_shell[] = {
	{"shell", single},
	{"shell", single_by_double},
	{"shell", double_quoted},
	{"shell", bash_word},
	{"shell", word},
	{"shell", quotes},
	{"shell", dollar},
	{0},
};
