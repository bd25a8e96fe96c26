/* SPDX-License-Identifier: MIT */
#include "cli/explore_terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "cli/terminal.h"

static const int fatal_signals[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

/* What a signal handler needs, made before there can be one. */
static struct {
	int in_fd;
	int out_fd;
	struct termios before;
	char sequence[512];
	size_t len;
} undo;

static SCREEN *screen;

static void on_fatal_signal(int number)
{
	static const char crashed[] = "safebuild: a bug ended inspect explore\n";
	const int saved_errno = errno;
	ssize_t ignored = write(undo.out_fd, undo.sequence, undo.len);

	(void)tcsetattr(undo.in_fd, TCSANOW, &undo.before);
	if (number == SIGABRT || number == SIGSEGV || number == SIGBUS || number == SIGFPE ||
		number == SIGILL)
		ignored = write(STDERR_FILENO, crashed, sizeof(crashed) - 1);
	(void)ignored;
	errno = saved_errno;
	/* SA_RESETHAND brought the default back: the parent sees what really ended us. */
	(void)raise(number);
}

/* A capability's text without the waits that old terminals need. */
static void add_capability(const char *name)
{
	const char *text = tigetstr(name);

	if (text == NULL || text == (const char *)-1)
		return;
	while (*text != '\0' && undo.len < sizeof(undo.sequence)) {
		const char *end = strncmp(text, "$<", 2) == 0 ? strchr(text, '>') : NULL;

		if (end != NULL)
			text = end + 1;
		else
			undo.sequence[undo.len++] = *text++;
	}
}

static void catch_signals(void)
{
	/* A job in the background may not be stopped for giving the terminal back. */
	struct sigaction action = {
		.sa_handler = on_fatal_signal, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
	struct sigaction old;

	undo.len = 0;
	add_capability("sgr0");
	add_capability("rmkx");
	add_capability("cnorm");
	add_capability("rmcup");
	(void)sigemptyset(&action.sa_mask);
	(void)sigaddset(&action.sa_mask, SIGTTOU);
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
		if (sigaction(fatal_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(fatal_signals[i], &action, NULL);
}

static void let_signals_go(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	struct sigaction old;

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
		if (sigaction(fatal_signals[i], NULL, &old) == 0 &&
			old.sa_handler == on_fatal_signal)
			(void)sigaction(fatal_signals[i], &action, NULL);
}

static bool is_known_terminal(FILE *out)
{
	int status = 0;

	if (setupterm(NULL, fileno(out), &status) != OK)
		return false;
	(void)del_curterm(cur_term);
	return true;
}

int sb_screen_terminal_check(FILE *out, struct sb_error *err)
{
	const char *term = getenv("TERM");

	if (fileno(out) < 0 || !isatty(fileno(out))) {
		(void)sb_fail(err, SB_E_UNSUPPORTED,
			"inspect explore needs a terminal, and standard output is none");
		return sb_error_hint(err, "'safebuild inspect IMAGE' writes a report of the same");
	}
	if (!sb_terminal_is_live(out)) {
		(void)sb_fail(err, SB_E_UNSUPPORTED,
			"inspect explore needs a terminal that can move its cursor, and TERM is "
			"'%s'",
			term != NULL ? term : "");
		return sb_error_hint(err, "'safebuild inspect IMAGE' writes a report of the same");
	}
	if (is_known_terminal(out))
		return 0;
	(void)sb_fail(err, SB_E_UNSUPPORTED,
		"the terminal '%s' is not in this host's terminfo database", term);
	return sb_error_hint(err, "install ncurses-term, or set TERM to what the terminal is like: "
				  "xterm-256color, linux, vt100");
}

/* The letters that the terminal is said to know; those of UTF-8 also where the locale that is named
 * is not installed. */
static bool choose_locale(void)
{
	const bool is_utf8 = sb_terminal_is_utf8();

	if (setlocale(LC_CTYPE, "") == NULL || (is_utf8 && MB_CUR_MAX == 1))
		(void)setlocale(LC_CTYPE, "C.UTF-8");
	return is_utf8 && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int open_keyboard(struct sb_screen_terminal *terminal, struct sb_error *err)
{
	terminal->in = stdin;
	terminal->owns_in = false;
	if (isatty(STDIN_FILENO))
		return 0;

	const int fd = sb_terminal_open();

	if (fd < 0)
		return sb_fail_errno(err, "open the terminal to read keys");
	terminal->in = fdopen(fd, "r");
	terminal->owns_in = true;
	if (terminal->in == NULL) {
		(void)close(fd);
		return sb_fail_errno(err, "open the terminal to read keys");
	}
	return 0;
}

static void set_modes(void)
{
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)intrflush(stdscr, FALSE);
	(void)set_escdelay(25);
	(void)curs_set(0);
}

int sb_screen_terminal_begin(FILE *out, struct sb_screen_terminal *terminal, struct sb_error *err)
{
	if (sb_screen_terminal_check(out, err) < 0 || open_keyboard(terminal, err) < 0)
		return -1;
	terminal->out = out;
	terminal->is_utf8 = choose_locale();
	undo.in_fd = fileno(terminal->in);
	undo.out_fd = fileno(out);
	if (tcgetattr(undo.in_fd, &undo.before) == 0)
		screen = newterm(NULL, out, terminal->in);
	if (screen == NULL) {
		if (terminal->owns_in)
			(void)fclose(terminal->in);
		return sb_fail(err, SB_E_UNSUPPORTED, "the terminal can't be used for that");
	}
	catch_signals();
	set_modes();
	terminal->has_color = sb_terminal_has_color(out) && has_colors();
	return 0;
}

void sb_screen_terminal_end(struct sb_screen_terminal *terminal)
{
	(void)endwin();
	let_signals_go();
	delscreen(screen);
	screen = NULL;
	if (terminal->owns_in)
		(void)fclose(terminal->in);
}
