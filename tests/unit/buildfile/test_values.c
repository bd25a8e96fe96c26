/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "buildfile/healthcheck.h"
#include "buildfile/ports.h"
#include "buildfile/stop_signal.h"

static void durations_parse_as_in_go(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{"0", 0},
		{"+0", 0},
		{"0s", 0},
		{"5s", 5000000000},
		{"1m30s", 90000000000},
		{"1.5h", 5400000000000},
		{".5s", 500000000},
		{"5.s", 5000000000},
		{"-1s", -1000000000},
		{"100ms", 100000000},
		{"10us", 10000},
		{"10\xC2\xB5s", 10000},
		{"10\xCE\xBCs", 10000},
		{"7ns", 7},
		{"0.9ns", 0},
		{"1h2m3s4ms5us6ns", 3723004005006},
		{"0.100000000000000000000h", 360000000000},
		{"2562047h47m16.854775807s", INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		int64_t ns = -7;

		if (sb_duration_parse(rows[i].text, &ns, &err) < 0 || ns != rows[i].ns)
			fail_msg("'%s': %lld", rows[i].text, (long long)ns);
	}
}

static void wrong_durations_are_refused(void **state)
{
	static const char *const rows[] = {"", "3", "-", "s", ".", "-.", ".s", "+.s", "1d", "5 s",
		"1s ", "1.1.1s", "9223372036854775808ns", "3000000h", "99999999999999999999s",
		"1S"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		int64_t ns;

		if (sb_duration_parse(rows[i], &ns, &err) == 0)
			fail_msg("'%s' is taken", rows[i]);
		assert_int_equal(err.code, SB_E_SYNTAX);
	}
}

static void healthcheck_flags_become_numbers(void **state)
{
	static const char text[] =
		"FROM a\nHEALTHCHECK --interval=1m --timeout=2s --start-period=3s "
		"--start-interval=4s --retries=5 CMD x\nHEALTHCHECK CMD y\n";
	SB_AUTO(sb_buildfile) buildfile = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_healthcheck_times health;

	(void)state;
	assert_int_equal(sb_buildfile_parse("B", text, strlen(text), &buildfile, &err), 0);
	assert_int_equal(sb_healthcheck_flags(&buildfile->instructions.items[1], &health, &err), 0);
	assert_int_equal(health.interval_ns, 60000000000);
	assert_int_equal(health.timeout_ns, 2000000000);
	assert_int_equal(health.start_period_ns, 3000000000);
	assert_int_equal(health.start_interval_ns, 4000000000);
	assert_int_equal(health.retries, 5);
	assert_int_equal(sb_healthcheck_flags(&buildfile->instructions.items[2], &health, &err), 0);
	assert_int_equal(health.interval_ns, 0);
	assert_int_equal(health.retries, 0);
}

static void ports_expand(void **state)
{
	static const struct {
		const char *word;
		const char *expected;
	} rows[] = {
		{"80", "80/tcp"},
		{"80/tcp", "80/tcp"},
		{"80/", "80/tcp"},
		{"53/UDP", "53/udp"},
		{"5/sctp", "5/sctp"},
		{"0", "0/tcp"},
		{"65535", "65535/tcp"},
		{"80-82", "80/tcp 81/tcp 82/tcp"},
		{"80-80/udp", "80/udp"},
		{"8080:80", "80/tcp"},
		{"8080-8081:80-81", "80/tcp 81/tcp"},
		{"8000-9000:80", "80/tcp"},
		{"127.0.0.1:8080:80", "80/tcp"},
		{"127.0.0.1::80", "80/tcp"},
		{"[::1]:8080:80", "80/tcp"},
		{"::1:8080:80", "80/tcp"},
		{":80", "80/tcp"},
		{"1", "1/tcp"},
		{"080", "80/tcp"},
		{"53/Tcp", "53/tcp"},
		{"9/SCTP", "9/sctp"},
		{"0-2", "0/tcp 1/tcp 2/tcp"},
		{"65534-65535/udp", "65534/udp 65535/udp"},
		{"8080:80/udp", "80/udp"},
		{"8080-8082:80-82/udp", "80/udp 81/udp 82/udp"},
		{"0.0.0.0:80:80", "80/tcp"},
		{"[2001:db8::1]:80:81/sctp", "81/sctp"},
		{"[::]::53/udp", "53/udp"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_STRV ports = SB_STRV_INIT;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_ports_expand(rows[i].word, &ports, &err) < 0)
			fail_msg("'%s': %s", rows[i].word, err.message);

		sb_autofree char *joined = sb_strv_join(&ports, " ");

		assert_string_equal(joined, rows[i].expected);
	}
}

static void wrong_ports_are_refused(void **state)
{
	static const struct {
		const char *word;
		const char *message;
	} rows[] = {
		{"", "there is no port"},
		{"/tcp", "there is no port"},
		{"80:", "there is no port"},
		{"x", "invalid port 'x'"},
		{"-1", "invalid port"},
		{"65536", "invalid port"},
		{"82-80", "invalid port"},
		{"80-", "invalid port"},
		{"80-81-82", "invalid port"},
		{"80/http", "invalid protocol 'http'"},
		{"80/tcp/udp", "invalid protocol 'tcp/udp'"},
		{"x:80", "invalid host port 'x'"},
		{"80-90:80-81", "differ in length"},
		{"300.0.0.1:1:80", "invalid address"},
		{"localhost:1:80", "invalid address 'localhost'"},
		{"[::1:1:80", "invalid address"},
		{"tcp", "invalid port 'tcp'"},
		{"80 ", "invalid port"},
		{"8o", "invalid port"},
		{"+80", "invalid port"},
		{"0x50", "invalid port"},
		{"80.5", "invalid port"},
		{"-", "invalid port"},
		{"-80", "invalid port"},
		{"99999999999999999999", "invalid port"},
		{"80-65536", "invalid port"},
		{"80/ tcp", "invalid protocol"},
		{"65536:80", "invalid host port '65536'"},
		{"90-80:80", "invalid host port"},
		{"80:8080-8081", "differ in length"},
		{"1.2.3:80:80", "invalid address"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_STRV ports = SB_STRV_INIT;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (sb_ports_expand(rows[i].word, &ports, &err) == 0)
			fail_msg("'%s' is taken", rows[i].word);
		if (strstr(err.message, rows[i].message) == NULL)
			fail_msg("'%s': %s", rows[i].word, err.message);
		assert_int_equal(ports.len, 0);
	}
}

static void signals_have_names_and_numbers(void **state)
{
	static const struct {
		const char *text;
		int number;
	} rows[] = {
		{"SIGTERM", 15},
		{"term", 15},
		{"SigKill", 9},
		{"QUIT", 2 + 1},
		{"9", 9},
		{"64", 64},
		{"SIGRTMIN+3", 37},
		{"rtmin", 34},
		{"RTMAX-1", 63},
		{"RTMAX", 64},
		{"WINCH", 28},
	};
	static const char *const wrong[] = {"", "0", "65", "-1", "SIG", "FOO", "SIGSIGTERM",
		"RTMIN-1", "RTMIN+31", "RTMIN+", "RTMAX+1", "RTMINx", "9x"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		int number = 0;

		assert_int_equal(sb_signal_parse(rows[i].text, &number, &err), 0);
		assert_int_equal(number, rows[i].number);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		int number = 0;

		if (sb_signal_parse(wrong[i], &number, &err) == 0)
			fail_msg("'%s' is taken", wrong[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_parse_as_in_go),
		cmocka_unit_test(wrong_durations_are_refused),
		cmocka_unit_test(healthcheck_flags_become_numbers),
		cmocka_unit_test(ports_expand),
		cmocka_unit_test(wrong_ports_are_refused),
		cmocka_unit_test(signals_have_names_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
