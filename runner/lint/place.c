/* SPDX-License-Identifier: MIT */
#include "lint/linter.h"

#include <string.h>

#include "buildfile/chars.h"

struct sb_lint_place sb_lint_at_name(const struct sb_lint_item *item)
{
	return (struct sb_lint_place){item->instr->at.line, item->instr->at.column,
		strlen(sb_instruction_name(item->instr->kind))};
}

struct sb_lint_place sb_lint_at_line(const struct sb_lint_item *item, size_t from, size_t len)
{
	const struct sb_source_pos at = sb_logical_at(item->line, from);

	return (struct sb_lint_place){at.line, at.column, len};
}

static bool is_name_byte(char c)
{
	return sb_is_letter(c) || sb_is_digit(c) || c == '_';
}

/* Where a line of it begins: behind its instruction's name, and behind ONBUILD's. */
static size_t arguments_offset(const struct sb_lint_item *item)
{
	const char *text = item->line->text.data;
	size_t at = 0;

	for (int words = item->is_trigger ? 2 : 1; words > 0; words--) {
		at += sb_skip_blanks(text + at, item->line->text.len - at);
		while (text[at] != '\0' && !sb_is_blank(text[at]))
			at++;
	}
	return at;
}

struct sb_lint_place sb_lint_at_text(const struct sb_lint_item *item, const char *text)
{
	const char *line = item->line->text.data;
	const size_t start = arguments_offset(item);
	const size_t len = strlen(text);

	for (const char *found = strstr(line + start, text); found != NULL && len > 0;
		found = strstr(found + 1, text)) {
		const bool begins = !is_name_byte(text[0]) || !is_name_byte(found[-1]);
		const bool ends = !is_name_byte(text[len - 1]) || !is_name_byte(found[len]);

		if (begins && ends)
			return sb_lint_at_line(item, (size_t)(found - line), len);
	}
	return sb_lint_at_name(item);
}

/* The line's text is the Buildfile's, less the tabs that `<<-` takes away. */
static struct sb_lint_place place_in_body(
	const struct sb_linter *linter, const struct sb_lint_item *item, size_t offset, size_t len)
{
	size_t low = 0;
	size_t high = item->body_lines.len;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;

		if (item->body_lines.items[middle] <= offset)
			low = middle;
		else
			high = middle;
	}

	const size_t line = item->line_end + 1 + low;

	if (item->body_lines.len == 0 || line > linter->lines.len)
		return sb_lint_at_name(item);

	const size_t start = item->body_lines.items[low];
	const size_t text_len = strcspn(item->script + start, "\r\n");
	const size_t real_len = linter->lines.items[line - 1].len;
	const size_t stripped = real_len > text_len ? real_len - text_len : 0;

	return (struct sb_lint_place){
		(unsigned)line, (unsigned)(stripped + offset - start) + 1, len};
}

struct sb_lint_place sb_lint_at_script(
	const struct sb_linter *linter, const struct sb_lint_item *item, size_t offset, size_t len)
{
	const struct sb_command *command = &item->instr->command;

	if (command->is_exec || item->script == NULL)
		return sb_lint_at_name(item);

	const size_t first_len = strlen(command->shell);

	if (!item->is_body && offset < first_len)
		return sb_lint_at_line(item, item->line->text.len - first_len + offset, len);
	return place_in_body(linter, item, offset, len);
}

struct sb_lint_place sb_lint_at_command(const struct sb_linter *linter,
	const struct sb_lint_item *item, const struct sb_shell_command *command)
{
	if (command->words.len == 0)
		return sb_lint_at_name(item);

	const struct sb_shell_word *word = &command->words.items[0];

	return sb_lint_at_script(linter, item, word->at, word->len);
}
