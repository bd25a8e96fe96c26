/* SPDX-License-Identifier: MIT */
#include "build/created_by.h"

#include <string.h>

#include "base/mem.h"
#include "buildfile/healthcheck.h"

/* The letter behind the backslash, or 0. */
static char short_escape(char c)
{
	static const char *const bytes = "\a\b\f\n\r\t\v\\\"";
	static const char *const letters = "abfnrtv\\\"";
	const char *at = c != '\0' ? strchr(bytes, c) : NULL;

	return at != NULL ? letters[at - bytes] : '\0';
}

/* At worst each byte becomes "\x00". */
static char *quote(const char *word)
{
	char *quoted = sb_malloc(strlen(word) * 4 + 3);
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	quoted[n++] = '"';
	for (const char *p = word; *p != '\0'; p++) {
		const unsigned char c = (unsigned char)*p;
		const char letter = short_escape(*p);

		if (letter != '\0') {
			quoted[n++] = '\\';
			quoted[n++] = letter;
		} else if (c < 0x20 || c == 0x7f) {
			quoted[n++] = '\\';
			quoted[n++] = 'x';
			quoted[n++] = hex[c >> 4];
			quoted[n++] = hex[c & 15];
		} else {
			quoted[n++] = *p;
		}
	}
	quoted[n++] = '"';
	quoted[n] = '\0';
	return quoted;
}

char *sb_created_by_list(const struct sb_strv *words)
{
	sb_autofree char *joined = sb_strv_join(words, " ");

	return sb_asprintf("[%s]", joined);
}

char *sb_created_by_quoted(const struct sb_strv *words)
{
	SB_AUTO_STRV quoted = SB_STRV_INIT;

	for (size_t i = 0; i < words->len; i++)
		sb_strv_add_nodup(&quoted, quote(words->items[i]));
	return sb_created_by_list(&quoted);
}

char *sb_created_by_healthcheck(const struct sb_healthcheck *check)
{
	sb_autofree char *test = sb_created_by_list(&check->test);
	sb_autofree char *interval = sb_duration_format(check->interval_ns);
	sb_autofree char *timeout = sb_duration_format(check->timeout_ns);
	sb_autofree char *start_period = sb_duration_format(check->start_period_ns);
	sb_autofree char *start_interval = sb_duration_format(check->start_interval_ns);

	return sb_asprintf("{Test:%s Interval:%s Timeout:%s StartPeriod:%s StartInterval:%s "
			   "Retries:%lld}",
		test, interval, timeout, start_period, start_interval, (long long)check->retries);
}
