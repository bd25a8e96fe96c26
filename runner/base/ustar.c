/* SPDX-License-Identifier: MIT */
#include "base/ustar.h"

#include <string.h>

struct sb_ustar sb_ustar_new(char type)
{
	struct sb_ustar header = {.type = type, .magic = "ustar", .version = {'0', '0'}};

	sb_ustar_put_octal(header.mode, sizeof(header.mode), 0);
	sb_ustar_put_octal(header.uid, sizeof(header.uid), 0);
	sb_ustar_put_octal(header.gid, sizeof(header.gid), 0);
	sb_ustar_put_octal(header.size, sizeof(header.size), 0);
	sb_ustar_put_octal(header.mtime, sizeof(header.mtime), 0);
	sb_ustar_put_octal(header.major, sizeof(header.major), 0);
	sb_ustar_put_octal(header.minor, sizeof(header.minor), 0);
	return header;
}

void sb_ustar_put_octal(char *field, size_t size, uint64_t value)
{
	field[size - 1] = '\0';
	for (size_t i = size - 1; i > 0; i--) {
		field[i - 1] = (char)('0' + (value & 7));
		value >>= 3;
	}
}

static int sum_plain(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	int sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += p[i];
	return sum;
}

static int sum_signed(const void *bytes, size_t len)
{
	const signed char *p = bytes;
	int sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += p[i];
	return sum;
}

/* The field itself counts as blanks. */
static int sum_up(const struct sb_ustar *header, int (*sum)(const void *bytes, size_t len))
{
	const size_t field_len = sizeof(header->checksum);

	return sum(header, sizeof(*header)) - sum(header->checksum, field_len) +
	       (int)field_len * ' ';
}

void sb_ustar_put_checksum(struct sb_ustar *header)
{
	/* Six digits, NUL, blank: the form that all readers take. */
	sb_ustar_put_octal(header->checksum, 7, (uint64_t)sum_up(header, sum_plain));
	header->checksum[7] = ' ';
}

bool sb_ustar_has_valid_sum(const void *block)
{
	const struct sb_ustar *header = block;
	const char *p = header->checksum;
	const char *end = p + sizeof(header->checksum);
	int said = 0;

	while (p < end && (*p == ' ' || *p == '\0'))
		p++;
	/* Before the sum is made: most of what is asked about is none. */
	if (p == end || *p < '0' || *p > '7')
		return false;
	for (; p < end && *p >= '0' && *p <= '7'; p++)
		said = said * 8 + (*p - '0');
	return said == sum_up(header, sum_plain) || said == sum_up(header, sum_signed);
}
