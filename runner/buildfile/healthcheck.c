/* SPDX-License-Identifier: MIT */
#include "buildfile/healthcheck.h"

#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "buildfile/chars.h"

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xC2\xB5s", 1000}, /* U+00B5, the micro sign */
	{"\xCE\xBCs", 1000}, /* U+03BC, the Greek letter */
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60000000000},
	{"h", 3600000000000},
};

static bool take_unit(const char **text, uint64_t *out_ns)
{
	size_t len = 0;

	while ((*text)[len] != '\0' && (*text)[len] != '.' && !sb_is_digit((*text)[len]))
		len++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].name) == len && memcmp(units[i].name, *text, len) == 0) {
			*text += len;
			*out_ns = units[i].ns;
			return true;
		}
	}
	return false;
}

/*
 * The digits after the point, as nanoseconds of a unit; what is below one nanosecond goes away.
 * Eighteen digits are more than any unit can tell apart, and their product with one is 128 bits.
 */
static uint64_t fraction_ns(const char *digits, size_t len, uint64_t unit_ns)
{
	unsigned __int128 numerator = 0;
	unsigned __int128 denominator = 1;

	for (size_t i = 0; i < len && i < 18; i++) {
		numerator = numerator * 10 + (unsigned)(digits[i] - '0');
		denominator *= 10;
	}
	return (uint64_t)(numerator * unit_ns / denominator);
}

/* One number with its unit, added to *ns. */
static bool take_part(const char **text, uint64_t *ns)
{
	const char *start = *text;
	uint64_t whole = 0;
	uint64_t unit_ns;

	for (; sb_is_digit(**text); ++*text)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
			__builtin_add_overflow(whole, (uint64_t)(**text - '0'), &whole))
			return false;

	const size_t n_whole = (size_t)(*text - start);
	const char *fraction = *text;
	size_t n_fraction = 0;

	if (*fraction == '.') {
		fraction++;
		while (sb_is_digit(fraction[n_fraction]))
			n_fraction++;
		*text = fraction + n_fraction;
	}
	if (n_whole + n_fraction == 0 || !take_unit(text, &unit_ns))
		return false;
	return !__builtin_mul_overflow(whole, unit_ns, &whole) &&
	       !__builtin_add_overflow(*ns, whole, ns) &&
	       !__builtin_add_overflow(*ns, fraction_ns(fraction, n_fraction, unit_ns), ns);
}

static bool parse_duration(const char *text, int64_t *out_ns)
{
	const bool is_negative = text[0] == '-';
	uint64_t ns = 0;

	if (text[0] == '-' || text[0] == '+')
		text++;
	if (strcmp(text, "0") == 0) {
		*out_ns = 0;
		return true;
	}
	if (*text == '\0')
		return false;
	while (*text != '\0')
		if (!take_part(&text, &ns))
			return false;
	if (ns > INT64_MAX)
		return false;
	*out_ns = is_negative ? -(int64_t)ns : (int64_t)ns;
	return true;
}

int sb_duration_parse(const char *text, int64_t *out_ns, struct sb_error *err)
{
	if (parse_duration(text, out_ns))
		return 0;
	sb_fail(err, SB_E_SYNTAX, "'%s' is no duration", text);
	return sb_error_hint(err, "write numbers with units, for example 30s, 1m30s or 500ms");
}

/* A number of nanoseconds in a unit, without trailing zeroes behind the point. Caller frees. */
static char *format_in(uint64_t ns, uint64_t unit_ns, int n_digits, const char *unit)
{
	sb_autofree char *fraction =
		sb_asprintf("%0*llu", n_digits, (unsigned long long)(ns % unit_ns));
	size_t len = ns % unit_ns == 0 ? 0 : (size_t)n_digits;

	while (len > 0 && fraction[len - 1] == '0')
		len--;
	return sb_asprintf("%llu%s%.*s%s", (unsigned long long)(ns / unit_ns), len > 0 ? "." : "",
		(int)len, fraction, unit);
}

char *sb_duration_format(int64_t signed_ns)
{
	const char *sign = signed_ns < 0 ? "-" : "";
	const uint64_t ns = signed_ns < 0 ? -(uint64_t)signed_ns : (uint64_t)signed_ns;
	const unsigned long long minutes = ns / 60000000000;
	sb_autofree char *seconds = ns == 0        ? sb_strdup("0s")
				    : ns < 1000    ? format_in(ns, 1, 0, "ns")
				    : ns < 1000000 ? format_in(ns, 1000, 3, "\xC2\xB5s")
				    : ns < 1000000000
					    ? format_in(ns, 1000000, 6, "ms")
					    : format_in(ns % 60000000000, 1000000000, 9, "s");

	if (minutes == 0)
		return sb_asprintf("%s%s", sign, seconds);
	if (minutes < 60)
		return sb_asprintf("%s%llum%s", sign, minutes, seconds);
	return sb_asprintf("%s%lluh%llum%s", sign, minutes / 60, minutes % 60, seconds);
}

static int fail_flag(const char *name, const char *value, struct sb_error *err)
{
	(void)sb_error_about(err, value);
	return sb_error_context(err, "--%s", name);
}

static int parse_interval(
	const struct sb_instruction *instr, const char *name, int64_t *out_ns, struct sb_error *err)
{
	const char *value = sb_instruction_flag(instr, name);

	*out_ns = 0;
	if (value == NULL || value[0] == '\0')
		return 0;
	if (sb_duration_parse(value, out_ns, err) < 0)
		return fail_flag(name, value, err);
	/* What the runtimes' own validation refuses. */
	if (*out_ns != 0 && *out_ns < 1000000) {
		(void)sb_fail(err, SB_E_SYNTAX, "'%s' is less than one millisecond", value);
		return fail_flag(name, value, err);
	}
	return 0;
}

static int parse_retries(const struct sb_instruction *instr, int64_t *out, struct sb_error *err)
{
	const char *value = sb_instruction_flag(instr, "retries");
	uint64_t retries = 0;

	*out = 0;
	if (value == NULL || value[0] == '\0')
		return 0;
	if (value[0] == '-' && sb_number_parse(value + 1, 10, INT32_MAX, &retries) && retries > 0)
		(void)sb_fail(err, SB_E_SYNTAX, "'%s' is negative", value);
	else if (!sb_number_parse(value, 10, INT32_MAX, &retries))
		(void)sb_fail(err, SB_E_SYNTAX, "'%s' is no number", value);
	if (sb_error_is_set(err))
		return fail_flag("retries", value, err);
	*out = (int64_t)retries;
	return 0;
}

int sb_healthcheck_flags(
	const struct sb_instruction *instr, struct sb_healthcheck_times *out, struct sb_error *err)
{
	struct sb_healthcheck_times health;

	if (parse_interval(instr, "interval", &health.interval_ns, err) < 0 ||
		parse_interval(instr, "timeout", &health.timeout_ns, err) < 0 ||
		parse_interval(instr, "start-period", &health.start_period_ns, err) < 0 ||
		parse_interval(instr, "start-interval", &health.start_interval_ns, err) < 0 ||
		parse_retries(instr, &health.retries, err) < 0)
		return -1;
	*out = health;
	return 0;
}
