/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "registry/toml_private.h"

int sb_toml_fail(struct sb_toml *toml, const char *what)
{
	return sb_fail(toml->err, SB_E_SYNTAX, "line %u: %s", toml->line, what);
}

void sb_toml_skip_blanks(struct sb_toml *toml)
{
	toml->p += strspn(toml->p, " \t");
}

void sb_toml_skip_lines(struct sb_toml *toml)
{
	for (;;) {
		sb_toml_skip_blanks(toml);
		if (*toml->p == '#')
			toml->p += strcspn(toml->p, "\n");
		if (*toml->p == '\r' && toml->p[1] == '\n')
			toml->p++;
		if (*toml->p != '\n')
			return;
		toml->p++;
		toml->line++;
	}
}

static int add_utf8(struct sb_buf *to, uint32_t code, struct sb_error *err)
{
	char bytes[4];
	size_t len = 0;

	if (code < 0x80) {
		bytes[len++] = (char)code;
	} else if (code < 0x800) {
		bytes[len++] = (char)(0xc0 | code >> 6);
		bytes[len++] = (char)(0x80 | (code & 63));
	} else if (code < 0x10000) {
		bytes[len++] = (char)(0xe0 | code >> 12);
		bytes[len++] = (char)(0x80 | (code >> 6 & 63));
		bytes[len++] = (char)(0x80 | (code & 63));
	} else {
		bytes[len++] = (char)(0xf0 | code >> 18);
		bytes[len++] = (char)(0x80 | (code >> 12 & 63));
		bytes[len++] = (char)(0x80 | (code >> 6 & 63));
		bytes[len++] = (char)(0x80 | (code & 63));
	}
	return sb_buf_add(to, bytes, len, err);
}

static int read_code_point(struct sb_toml *toml, size_t n_digits, struct sb_buf *to)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	uint32_t code = 0;

	for (size_t i = 0; i < n_digits; i++, toml->p++) {
		const char *digit = *toml->p != '\0' ? strchr(digits, *toml->p) : NULL;

		if (digit == NULL)
			return sb_toml_fail(toml, "an escape of a character lacks digits");
		code = code << 4 | (uint32_t)((digit - digits) % 16);
	}
	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return sb_toml_fail(toml, "an escape names no character");
	return add_utf8(to, code, toml->err);
}

/* Behind the backslash. */
static int read_escape(struct sb_toml *toml, bool is_multiline, struct sb_buf *to)
{
	static const char names[] = "btnfr\"\\e";
	static const char values[] = "\b\t\n\f\r\"\\\033";
	const char c = *toml->p;
	const char *name = c != '\0' ? strchr(names, c) : NULL;

	if (name != NULL) {
		toml->p++;
		return sb_buf_add_char(to, values[name - names], toml->err);
	}
	if (c == 'u' || c == 'U') {
		toml->p++;
		return read_code_point(toml, c == 'u' ? 4 : 8, to);
	}
	/* The end of a line and all blanks behind it. */
	if (is_multiline && toml->p[strspn(toml->p, " \t\r")] == '\n') {
		for (; *toml->p != '\0' && strchr(" \t\r\n", *toml->p) != NULL; toml->p++)
			toml->line += *toml->p == '\n';
		return 0;
	}
	return sb_toml_fail(toml, "an unknown escape");
}

static int read_one_line(struct sb_toml *toml, char quote, struct sb_buf *to)
{
	for (toml->p++; *toml->p != quote;) {
		const char c = *toml->p;

		if (c == '\0' || c == '\n')
			return sb_toml_fail(toml, "a string does not end");
		toml->p++;
		if (c == '\\' && quote == '"') {
			if (read_escape(toml, false, to) < 0)
				return -1;
		} else if (sb_buf_add_char(to, c, toml->err) < 0) {
			return -1;
		}
	}
	toml->p++;
	return 0;
}

static int read_multiline(struct sb_toml *toml, const char *quotes, struct sb_buf *to)
{
	toml->p += 3;
	if (*toml->p == '\r' && toml->p[1] == '\n')
		toml->p++;
	if (*toml->p == '\n') {
		toml->p++;
		toml->line++;
	}
	/* Up to two quotes may stand before the three that end it. */
	while (strncmp(toml->p, quotes, 3) != 0 || toml->p[3] == quotes[0]) {
		const char c = *toml->p;

		if (c == '\0')
			return sb_toml_fail(toml, "a string does not end");
		toml->p++;
		toml->line += c == '\n';
		if (c == '\\' && quotes[0] == '"') {
			if (read_escape(toml, true, to) < 0)
				return -1;
		} else if (sb_buf_add_char(to, c, toml->err) < 0) {
			return -1;
		}
	}
	toml->p += 3;
	return 0;
}

int sb_toml_read_string(struct sb_toml *toml, char **out)
{
	SB_AUTO_BUF text = SB_BUF_INIT(SB_MAX_JSON);
	const char quote = *toml->p;
	const char *quotes = quote == '"' ? "\"\"\"" : "'''";
	const int rc = strncmp(toml->p, quotes, 3) == 0 ? read_multiline(toml, quotes, &text)
							: read_one_line(toml, quote, &text);

	if (rc < 0)
		return -1;
	*out = sb_buf_steal(&text);
	return 0;
}
