/* SPDX-License-Identifier: MIT */
#include "cli/ago.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* Reads "Z", "+01:30", "-0800"; seconds east of UTC. */
static bool read_offset(const char *text, long *out_s)
{
	struct tm offset = {0};

	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
		*out_s = 0;
		return true;
	}
	if (text[0] != '+' && text[0] != '-')
		return false;

	const char *end = strptime(text + 1, "%H:%M", &offset);

	if (end == NULL || *end != '\0')
		return false;
	*out_s = offset.tm_hour * 3600L + offset.tm_min * 60L;
	if (text[0] == '-')
		*out_s = -*out_s;
	return true;
}

static bool read_time(const char *text, time_t *out)
{
	struct tm date = {0};
	long offset_s = 0;
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &date);

	if (p == NULL)
		return false;
	if (*p == '.')
		p += 1 + strspn(p + 1, "0123456789");
	if (!read_offset(p, &offset_s))
		return false;
	*out = timegm(&date) - offset_s;
	return true;
}

char *sb_ago_format(const char *rfc3339, time_t now)
{
	static const struct {
		const char *name;
		long seconds;
	} units[] = {
		{"year", 365L * 24 * 3600},
		{"month", 30L * 24 * 3600},
		{"week", 7L * 24 * 3600},
		{"day", 24L * 3600},
		{"hour", 3600},
		{"minute", 60},
		{"second", 1},
	};
	time_t then = 0;

	if (!read_time(rfc3339, &then))
		return sb_strdup("-");

	const long elapsed_s = now > then ? (long)(now - then) : 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		const long n = elapsed_s / units[i].seconds;

		/* "36 hours" and not "1 day": one large unit alone says too little. */
		if (n >= 2 || (n == 1 && units[i].seconds <= 60))
			return sb_asprintf("%ld %s%s ago", n, units[i].name, n == 1 ? "" : "s");
	}
	return sb_strdup("just now");
}
