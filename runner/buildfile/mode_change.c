/* SPDX-License-Identifier: MIT */
#include "buildfile/mode_change.h"

#include <stdint.h>
#include <string.h>

#include "base/size.h"

static bool is_operator(char c)
{
	return c == '+' || c == '-' || c == '=';
}

/* Which bits u, g, o and a may change; none of them is as a. */
static mode_t parse_who(const char **text)
{
	mode_t who = 0;

	for (;; (*text)++)
		switch (**text) {
		case 'u':
			who |= 04700;
			break;
		case 'g':
			who |= 02070;
			break;
		case 'o':
			who |= 01007;
			break;
		case 'a':
			who |= 07777;
			break;
		default:
			return who != 0 ? who : 07777;
		}
}

/* The bits that the letters stand for, for all three of user, group and others. */
static mode_t parse_permissions(const char **text, mode_t mode, bool is_dir)
{
	mode_t bits = 0;

	switch (**text) {
	case 'u':
		(*text)++;
		return (mode >> 6 & 7) * 0111;
	case 'g':
		(*text)++;
		return (mode >> 3 & 7) * 0111;
	case 'o':
		(*text)++;
		return (mode & 7) * 0111;
	default:
		break;
	}
	for (;; (*text)++)
		switch (**text) {
		case 'r':
			bits |= 0444;
			break;
		case 'w':
			bits |= 0222;
			break;
		case 'x':
			bits |= 0111;
			break;
		case 'X':
			if (is_dir || (mode & 0111) != 0)
				bits |= 0111;
			break;
		case 's':
			bits |= 06000;
			break;
		case 't':
			bits |= 01000;
			break;
		default:
			return bits;
		}
}

/* False where the text is not symbols. */
static bool apply_symbols(const char *text, bool is_dir, mode_t *mode)
{
	for (;;) {
		const mode_t who = parse_who(&text);

		if (!is_operator(*text))
			return false;
		while (is_operator(*text)) {
			const char op = *text++;
			const mode_t bits = parse_permissions(&text, *mode, is_dir) & who;
			/* As chmod(1): = on a folder leaves setuid and setgid unless it names s. */
			const mode_t keep = is_dir && (bits & 06000) == 0 ? 06000 : 0;

			if (op == '+')
				*mode |= bits;
			else if (op == '-')
				*mode &= ~bits;
			else
				*mode = (*mode & ~(who & ~keep)) | bits;
		}
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
}

int sb_mode_change_parse(const char *text, struct sb_mode_change *out, struct sb_error *err)
{
	uint64_t octal = 0;
	mode_t ignored = 0;

	*out = (struct sb_mode_change){0};
	if (text == NULL || text[0] == '\0')
		return 0;
	if (sb_number_parse(text, 8, 07777, &octal)) {
		out->is_octal = true;
		out->octal = (mode_t)octal;
		return 0;
	}
	if (apply_symbols(text, false, &ignored)) {
		out->symbols = text;
		return 0;
	}
	(void)sb_fail(err, SB_E_USAGE, "invalid --chmod '%s'", text);
	return sb_error_hint(
		err, "give an octal number from 0 to 07777, or symbols such as u=rwX,go=rX");
}

mode_t sb_mode_change_apply(const struct sb_mode_change *change, mode_t mode, bool is_dir)
{
	mode &= 07777;
	if (change->is_octal)
		return change->octal;
	if (change->symbols != NULL)
		SB_BUG_ON(!apply_symbols(change->symbols, is_dir, &mode));
	return mode;
}
