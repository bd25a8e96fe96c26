/* SPDX-License-Identifier: MIT */
#include "leak/redact_gap.h"

const unsigned char sb_redact_is_run[256] = {
	['a' ... 'z'] = 1,
	['A' ... 'Z'] = 1,
	['0' ... '9'] = 1,
	['+'] = 1,
	['/'] = 1,
	['-'] = 1,
	['_'] = 1,
};

const unsigned char sb_redact_is_filler[256] = {
	[' '] = 1,
	['\t'] = 1,
	['\r'] = 1,
	['"'] = 1,
	['\''] = 1,
	[','] = 1,
	['#'] = 1,
	['>'] = 1,
	['*'] = 1,
	[';'] = 1,
};

enum sb_redact_step sb_redact_gap_step(struct sb_redact_gap *gap, unsigned char c)
{
	const bool is_escape = gap->is_after_backslash;

	gap->is_after_backslash = c == '\\';
	if (++gap->len > SB_REDACT_MAX_GAP)
		return SB_REDACT_NO_GAP;
	if (c == '\n' || (is_escape && c == 'n')) {
		gap->has_newline = true;
		return SB_REDACT_IN_GAP;
	}
	if (c == '\\' || sb_redact_is_filler[c] || (is_escape && (c == 'r' || c == 't')))
		return SB_REDACT_IN_GAP;
	return sb_redact_is_run[c] && !is_escape && gap->has_newline ? SB_REDACT_NEXT_RUN
								     : SB_REDACT_NO_GAP;
}
