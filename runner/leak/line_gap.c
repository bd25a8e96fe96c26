/* SPDX-License-Identifier: MIT */
#include "leak/line_gap.h"

const unsigned char sb_line_is_run[256] = {
	['a' ... 'z'] = 1,
	['A' ... 'Z'] = 1,
	['0' ... '9'] = 1,
	['+'] = 1,
	['/'] = 1,
	['-'] = 1,
	['_'] = 1,
};

const unsigned char sb_line_is_filler[256] = {
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

enum sb_line_step sb_line_gap_step(struct sb_line_gap *gap, unsigned char c)
{
	const bool is_escape = gap->is_after_backslash;

	gap->is_after_backslash = c == '\\';
	if (sb_line_is_run[c] && !is_escape && gap->has_newline)
		return SB_LINE_NEXT_RUN;
	if (++gap->len > SB_LINE_MAX_GAP)
		return SB_LINE_NO_GAP;
	if (c == '\n' || (is_escape && c == 'n')) {
		gap->has_newline = true;
		return SB_LINE_IN_GAP;
	}
	return c == '\\' || sb_line_is_filler[c] || (is_escape && (c == 'r' || c == 't'))
		       ? SB_LINE_IN_GAP
		       : SB_LINE_NO_GAP;
}
