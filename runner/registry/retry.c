/* SPDX-License-Identifier: MIT */
#include "registry/retry.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool read_decimal(const char **p, uint64_t *out)
{
	uint64_t n = 0;

	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
			__builtin_add_overflow(n, (uint64_t)(**p - '0'), &n))
			return false;
	*out = n;
	return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT"; not strptime, whose names are those of the locale. */
bool sb_http_date_parse(const char *value, time_t *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = {0};
	char month[4] = "";
	int end = 0;

	if (value == NULL)
		return false;
	if (sscanf(value, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month,
		    &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) != 6 ||
		end == 0 || value[end] != '\0' || strlen(month) != 3)
		return false;

	const char *at = strstr(months, month);

	if (at == NULL || (at - months) % 3 != 0 || tm.tm_year < 1970)
		return false;
	tm.tm_mon = (int)(at - months) / 3;
	tm.tm_year -= 1900;
	*out = timegm(&tm);
	return true;
}

bool sb_retry_after_parse(const char *value, time_t now, uint64_t *out_ms)
{
	const char *p = value;
	uint64_t seconds = 0;
	time_t date = 0;

	if (value == NULL)
		return false;
	if (isdigit((unsigned char)*value)) {
		if (!read_decimal(&p, &seconds) || *p != '\0')
			return false;
		return !__builtin_mul_overflow(seconds, 1000u, out_ms);
	}
	if (!sb_http_date_parse(value, &date))
		return false;
	*out_ms = date > now ? (uint64_t)(date - now) * 1000 : 0;
	return true;
}

uint64_t sb_retry_delay_ms(
	unsigned n_failed, bool has_wish, uint64_t wish_ms, uint64_t first_ms, uint64_t max_ms)
{
	uint64_t delay_ms = first_ms;

	if (has_wish)
		return wish_ms < max_ms ? wish_ms : max_ms;
	for (unsigned i = 1; i < n_failed && delay_ms < max_ms; i++)
		delay_ms *= 2;
	return delay_ms < max_ms ? delay_ms : max_ms;
}

bool sb_status_is_temporary(long status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

bool sb_content_range_parse(const char *value, struct sb_content_range *out)
{
	struct sb_content_range range = {.total = UINT64_MAX};
	const char *p = value;

	if (value == NULL || strncasecmp(value, "bytes ", 6) != 0)
		return false;
	p += 6;
	if (!read_decimal(&p, &range.first) || *p++ != '-' || !read_decimal(&p, &range.last) ||
		*p++ != '/')
		return false;
	if (*p == '*')
		p++;
	else if (!read_decimal(&p, &range.total) || range.total <= range.last)
		return false;
	if (*p != '\0' || range.first > range.last)
		return false;
	*out = range;
	return true;
}

bool sb_content_range_continues(const char *value, uint64_t start, uint64_t size)
{
	struct sb_content_range range;

	return sb_content_range_parse(value, &range) && range.first == start && range.last < size &&
	       (range.total == size || range.total == UINT64_MAX);
}

bool sb_upload_range_parse(const char *value, uint64_t *out_bytes)
{
	const char *p = value;
	uint64_t first = 0;
	uint64_t last = 0;

	if (value == NULL)
		return false;
	if (strncasecmp(p, "bytes=", 6) == 0)
		p += 6;
	if (!read_decimal(&p, &first) || *p++ != '-' || !read_decimal(&p, &last) || *p != '\0' ||
		first != 0 || last == UINT64_MAX)
		return false;
	*out_bytes = last == 0 ? 0 : last + 1;
	return true;
}
