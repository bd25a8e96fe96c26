/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <sys/ioctl.h>

#define SHOW_CURSOR "\033[?25h\033[?7h"
#define HIDE_CURSOR "\033[?25l"

static const int fatal_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGABRT};

bool sb_terminal_is_live(FILE *stream)
{
	const char *term = getenv("TERM");

	return fileno(stream) >= 0 && isatty(fileno(stream)) && term != NULL && term[0] != '\0' &&
	       strcmp(term, "dumb") != 0;
}

bool sb_terminal_has_color(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");

	return sb_terminal_is_live(stream) && (no_color == NULL || no_color[0] == '\0');
}

bool sb_terminal_is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	/* The first one that is set decides (POSIX, "Internationalization Variables"). */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return strcasestr(value, "utf-8") != NULL ||
			       strcasestr(value, "utf8") != NULL;
	}
	return false;
}

bool sb_terminal_size(FILE *stream, unsigned *out_columns, unsigned *out_rows)
{
	struct winsize size = {0};

	if (fileno(stream) < 0 || ioctl(fileno(stream), TIOCGWINSZ, &size) < 0 ||
		size.ws_col == 0 || size.ws_row == 0)
		return false;
	*out_columns = size.ws_col;
	*out_rows = size.ws_row;
	return true;
}

int sb_terminal_open(void)
{
	return open("/dev/tty", O_RDWR | O_CLOEXEC);
}

/* write is all that a signal handler may use of stdio's work. */
static void write_terminal(const char *sequence, size_t len)
{
	const int saved_errno = errno;
	const ssize_t ignored = write(STDERR_FILENO, sequence, len);

	(void)ignored;
	errno = saved_errno;
}

static void on_fatal_signal(int number)
{
	write_terminal(SHOW_CURSOR, sizeof(SHOW_CURSOR) - 1);
	/* SA_RESETHAND brought the default back: the parent sees what really ended us. */
	(void)raise(number);
}

static void on_stop_signal(int number)
{
	(void)number;
	write_terminal(SHOW_CURSOR, sizeof(SHOW_CURSOR) - 1);
	(void)raise(SIGSTOP);
	write_terminal(HIDE_CURSOR, sizeof(HIDE_CURSOR) - 1);
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction old;
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	(void)sigemptyset(&action.sa_mask);
	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		(void)sigaction(number, &action, NULL);
}

void sb_terminal_guard_begin(void)
{
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
		handle(fatal_signals[i], on_fatal_signal, (int)SA_RESETHAND | SA_NODEFER);
	handle(SIGTSTP, on_stop_signal, SA_RESTART);
	write_terminal(HIDE_CURSOR, sizeof(HIDE_CURSOR) - 1);
}

void sb_terminal_guard_end(void)
{
	write_terminal(SHOW_CURSOR, sizeof(SHOW_CURSOR) - 1);
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
		handle(fatal_signals[i], SIG_DFL, 0);
	handle(SIGTSTP, SIG_DFL, 0);
}
