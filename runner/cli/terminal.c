/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include "base/limits.h"
#include "base/mem.h"

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

static volatile sig_atomic_t asked_to_end;

static void on_signal_while_asking(int number)
{
	asked_to_end = number;
}

/* Up to the end of the line; no stdio, whose buffers would keep it. NULL after a signal. */
static char *read_line(int fd)
{
	char *line = sb_calloc(SB_MAX_PASSWORD + 1, 1);
	size_t len = 0;

	while (len < SB_MAX_PASSWORD && asked_to_end == 0) {
		const ssize_t n = read(fd, line + len, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || line[len] == '\n')
			break;
		len++;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	if (asked_to_end == 0)
		return line;
	explicit_bzero(line, len);
	free(line);
	return NULL;
}

static void write_new_line(int fd)
{
	const ssize_t ignored = write(fd, "\n", 1);

	(void)ignored;
}

static char *ask_shown(int fd, const char *question)
{
	return write(fd, question, strlen(question)) > 0 ? read_line(fd) : NULL;
}

/* The terminal echoes again before a signal ends the process. */
static char *ask_hidden(int fd, const char *question)
{
	enum { N_SIGNALS = sizeof(fatal_signals) / sizeof(fatal_signals[0]) };
	struct sigaction old[N_SIGNALS];
	struct sigaction action = {.sa_handler = on_signal_while_asking}; /* ends a read */
	struct termios before;
	struct termios hidden;
	char *line = NULL;

	if (tcgetattr(fd, &before) < 0)
		return NULL;
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < N_SIGNALS; i++)
		(void)sigaction(fatal_signals[i], &action, &old[i]);
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(fd, TCSAFLUSH, &hidden) == 0) {
		/* What is typed as soon as the question is there is not shown either. */
		line = ask_shown(fd, question);
		write_new_line(fd);
		(void)tcsetattr(fd, TCSAFLUSH, &before);
	}
	for (size_t i = 0; i < N_SIGNALS; i++)
		(void)sigaction(fatal_signals[i], &old[i], NULL);
	if (asked_to_end != 0)
		(void)raise(asked_to_end);
	return line;
}

char *sb_terminal_ask(const char *question, bool is_hidden)
{
	const int fd = sb_terminal_open();
	char *line = NULL;

	if (fd < 0)
		return NULL;
	line = is_hidden ? ask_hidden(fd, question) : ask_shown(fd, question);
	(void)close(fd);
	return line;
}
