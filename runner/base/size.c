/* SPDX-License-Identifier: MIT */
#include "base/size.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

bool sb_number_parse(const char *text, int base, uint64_t max, uint64_t *out)
{
	const char *digits = base == 8 ? "01234567" : "0123456789";

	if (text[0] == '\0' || text[strspn(text, digits)] != '\0')
		return false;
	errno = 0;

	const unsigned long long value = strtoull(text, NULL, base);

	if (errno != 0 || value > max)
		return false;
	*out = value;
	return true;
}

int sb_size_parse(const char *text, uint64_t *out_bytes, struct sb_error *err)
{
	static const struct {
		const char *suffix;
		unsigned shift;
	} units[] = {
		{"", 0},
		{"b", 0},
		{"k", 10},
		{"kb", 10},
		{"kib", 10},
		{"m", 20},
		{"mb", 20},
		{"mib", 20},
		{"g", 30},
		{"gb", 30},
		{"gib", 30},
		{"t", 40},
		{"tb", 40},
		{"tib", 40},
	};
	const size_t digits = strspn(text, "0123456789.");
	char *end = NULL;
	const double number = digits > 0 ? strtod(text, &end) : -1;

	if (number >= 0 && end == text + digits) {
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			const double bytes = ldexp(number, (int)units[i].shift);

			if (strcasecmp(end, units[i].suffix) == 0 && bytes < 0x1p63) {
				*out_bytes = (uint64_t)bytes;
				return 0;
			}
		}
	}
	return sb_fail(
		err, SB_E_USAGE, "'%s' is not a size (a number, then b, k, m, g or t)", text);
}

char *sb_size_format(uint64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1000;
		unit++;
	}
	if (unit == 0)
		return sb_asprintf("%llu B", (unsigned long long)bytes);
	return value < 9.995   ? sb_asprintf("%.2f %s", value, units[unit])
	       : value < 99.95 ? sb_asprintf("%.1f %s", value, units[unit])
			       : sb_asprintf("%.0f %s", value, units[unit]);
}
