/* SPDX-License-Identifier: MIT */
#include "inspect/tar_number.h"

static bool base256(const unsigned char *p, size_t len, uint64_t *out)
{
	uint64_t n = p[0] & 0x3f;

	/* The bit below the mark is the sign. */
	if ((p[0] & 0x40) != 0)
		return false;
	for (size_t i = 1; i < len; i++) {
		if (n > (uint64_t)INT64_MAX >> 8)
			return false;
		n = n << 8 | p[i];
	}
	*out = n;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\0';
}

bool sb_tar_number(const char *field, size_t len, uint64_t *out)
{
	const unsigned char *p = (const unsigned char *)field;
	uint64_t n = 0;
	size_t i = 0;

	if ((p[0] & 0x80) != 0)
		return base256(p, len, out);
	while (i < len && is_blank(field[i]))
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		n = n * 8 + (uint64_t)(field[i] - '0'); /* 12 digits at most */
	if (i < len && !is_blank(field[i]))
		return false;
	*out = n;
	return true;
}

bool sb_tar_decimal(const char *text, size_t len, uint64_t *out)
{
	uint64_t n = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		if (n > ((uint64_t)INT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	*out = n;
	return true;
}
