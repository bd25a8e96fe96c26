/* SPDX-License-Identifier: MIT */
#include "buildfile/stop_signal.h"

#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/size.h"

/* The image's real-time signals: 32 and 33 belong to its libc, whatever ours does. */
enum { FIRST_REALTIME = 34, LAST_SIGNAL = 64 };

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"HUP", SIGHUP},
	{"INT", SIGINT},
	{"QUIT", SIGQUIT},
	{"ILL", SIGILL},
	{"TRAP", SIGTRAP},
	{"ABRT", SIGABRT},
	{"IOT", SIGABRT},
	{"BUS", SIGBUS},
	{"FPE", SIGFPE},
	{"KILL", SIGKILL},
	{"USR1", SIGUSR1},
	{"SEGV", SIGSEGV},
	{"USR2", SIGUSR2},
	{"PIPE", SIGPIPE},
	{"ALRM", SIGALRM},
	{"TERM", SIGTERM},
	{"STKFLT", SIGSTKFLT},
	{"CHLD", SIGCHLD},
	{"CLD", SIGCHLD},
	{"CONT", SIGCONT},
	{"STOP", SIGSTOP},
	{"TSTP", SIGTSTP},
	{"TTIN", SIGTTIN},
	{"TTOU", SIGTTOU},
	{"URG", SIGURG},
	{"XCPU", SIGXCPU},
	{"XFSZ", SIGXFSZ},
	{"VTALRM", SIGVTALRM},
	{"PROF", SIGPROF},
	{"WINCH", SIGWINCH},
	{"IO", SIGIO},
	{"POLL", SIGIO},
	{"PWR", SIGPWR},
	{"SYS", SIGSYS},
};

/* "RTMIN", "RTMIN+n", "RTMAX", "RTMAX-n". */
static int parse_realtime(const char *name)
{
	const bool is_min = strncasecmp(name, "RTMIN", 5) == 0;
	const bool is_max = strncasecmp(name, "RTMAX", 5) == 0;
	uint64_t offset = 0;

	if (!is_min && !is_max)
		return 0;
	if (name[5] != '\0' &&
		(name[5] != (is_min ? '+' : '-') ||
			!sb_number_parse(name + 6, 10, LAST_SIGNAL - FIRST_REALTIME, &offset)))
		return 0;
	return is_min ? FIRST_REALTIME + (int)offset : LAST_SIGNAL - (int)offset;
}

int sb_signal_parse(const char *text, int *out, struct sb_error *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t number = 0;
	int found = 0;

	if (sb_number_parse(text, 10, LAST_SIGNAL, &number))
		found = (int)number;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && found == 0; i++)
		if (strcasecmp(signals[i].name, name) == 0)
			found = signals[i].number;
	if (found == 0)
		found = parse_realtime(name);
	if (found == 0)
		return sb_fail(err, SB_E_SYNTAX, "invalid signal '%s'", text);
	*out = found;
	return 0;
}
