/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "leak/form.h"

static size_t escape_unless(
	const unsigned char *in, size_t n, char *out, const char *kept, bool is_upper)
{
	const bool is_kept = sb_form_is_alnum(*in) || (*in != '\0' && strchr(kept, *in) != NULL);

	return is_kept ? sb_form_copy(in, n, out) : sb_form_hex(in, n, out, "%", is_upper);
}

#define ESCAPER(name, kept, is_upper) \
	static size_t name(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES]) \
	{ \
		return escape_unless(in, n, out, kept, is_upper); \
	}

/* RFC 3986's unreserved characters stay. */
ESCAPER(component_upper, "-._~", true)
ESCAPER(component_lower, "-._~", false)
/* encodeURIComponent keeps !*'(), encodeURI the reserved ones too, and a path its slashes. */
ESCAPER(script_component, "-._~!*'()", true)
ESCAPER(script_uri, "-._~!*'();/?:@&=+$,#", true)
ESCAPER(path, "-._~/", true)
ESCAPER(path_segment, "-._~!$&'()*+,;=:@", true)
ESCAPER(userinfo, "-._~!$&'()*+,;=", true)

/* application/x-www-form-urlencoded */
static size_t form_field(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return *in == ' ' ? sb_form_text(out, "+") : escape_unless(in, n, out, "-._*", true);
}

/* The same as Python writes it. */
static size_t quote_plus(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return *in == ' ' ? sb_form_text(out, "+") : component_upper(in, n, out);
}

static size_t all_upper(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return sb_form_hex(in, n, out, "%", true);
}

static size_t all_lower(const unsigned char *in, size_t n, char out[static SB_FORM_MAX_BYTES])
{
	return sb_form_hex(in, n, out, "%", false);
}

const struct sb_form sb_forms_percent[] = {
	{"percent", component_upper},
	{"percent", component_lower},
	{"percent", script_component},
	{"percent", script_uri},
	{"percent", path},
	{"percent", path_segment},
	{"percent", userinfo},
	{"percent", form_field},
	{"percent", quote_plus},
	{"percent", all_upper, .is_full = true},
	{"percent", all_lower, .is_full = true},
	{0},
};
