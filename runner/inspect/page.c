/* SPDX-License-Identifier: MIT */
#include "inspect/page.h"

#include <stdarg.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"

static void add(struct sb_page *page, const char *text)
{
	if (!sb_error_is_set(page->err) && sb_buf_add_str(&page->text, text, page->err) < 0)
		(void)sb_error_context(page->err, "report page");
}

static void add_colored(struct sb_page *page, enum sb_page_color color, const char *text)
{
	static const char *const codes[] = {
		"", "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[31m"};
	const bool is_colored = page->style->color && color != SB_PAGE_PLAIN;

	if (is_colored)
		add(page, codes[color]);
	add(page, text);
	if (is_colored)
		add(page, "\033[0m");
}

void sb_page_addf(struct sb_page *page, enum sb_page_color color, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	sb_autofree char *text = sb_vasprintf(fmt, args);
	va_end(args);
	add_colored(page, color, text);
}

/* Cuts the text behind its first `columns` characters. */
static void cut(char *text, size_t columns)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	size_t n = 0;
	char *last = NULL;

	for (char *p = text; *p != '\0'; p++) {
		if (((unsigned char)*p & 0xc0) == 0x80)
			continue;
		if (++n == columns)
			last = p;
		if (n > columns) {
			/* There are two characters from `last` on, but perhaps only two bytes. */
			if (strlen(last) < sizeof(ellipsis) - 1)
				memcpy(last, "~", 2);
			else
				memcpy(last, ellipsis, sizeof(ellipsis));
			return;
		}
	}
}

void sb_page_add_text(
	struct sb_page *page, enum sb_page_color color, const char *text, size_t max_columns)
{
	sb_autofree char *safe = sb_escape_text(text, strlen(text));

	if (max_columns > 0)
		cut(safe, max_columns);
	add_colored(page, color, safe);
}

size_t sb_page_room(const struct sb_page *page, size_t used)
{
	enum { MIN_ROOM = 20 };

	if (page->style->width == 0)
		return 0;
	return page->style->width > used + MIN_ROOM ? page->style->width - used : MIN_ROOM;
}

char *sb_instruction_text(const char *created_by)
{
	static const char nop[] = "/bin/sh -c #(nop)";
	static const char shell[] = "/bin/sh -c ";
	static const char run_shell[] = "RUN /bin/sh -c ";
	static const char mark[] = " # buildkit";

	if (created_by == NULL || created_by[0] == '\0')
		return sb_strdup("(no history)");

	const char *prefix = "";

	if (strncmp(created_by, nop, sizeof(nop) - 1) == 0) {
		created_by += sizeof(nop) - 1;
		created_by += strspn(created_by, " ");
	} else if (strncmp(created_by, shell, sizeof(shell) - 1) == 0) {
		prefix = "RUN ";
		created_by += sizeof(shell) - 1;
	} else if (strncmp(created_by, run_shell, sizeof(run_shell) - 1) == 0) {
		prefix = "RUN ";
		created_by += sizeof(run_shell) - 1;
	}

	char *text = sb_asprintf("%s%s", prefix, created_by);
	size_t len = strlen(text);

	if (len > sizeof(mark) - 1 && strcmp(text + len - (sizeof(mark) - 1), mark) == 0)
		len -= sizeof(mark) - 1;
	while (len > 0 && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
	return text;
}
