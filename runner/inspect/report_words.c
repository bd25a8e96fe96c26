/* SPDX-License-Identifier: MIT */
#include "inspect/report_words.h"

#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/utf8.h"

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

char *sb_layer_instruction_text(const struct sb_inspection *inspection, size_t layer)
{
	return sb_instruction_text(
		layer < inspection->layers.len ? inspection->layers.items[layer].created_by : NULL);
}

char *sb_finding_place(const struct sb_finding *finding)
{
	if (finding->layer == SIZE_MAX)
		return sb_strdup(finding->path != NULL ? finding->path : "the image");
	if (finding->path == NULL)
		return sb_asprintf("layer %zu", finding->layer + 1);
	return sb_asprintf("layer %zu: %s", finding->layer + 1, finding->path);
}

/* Bytes that no terminal and no shell could be given as they are. */
static bool is_printable(const char *text)
{
	sb_autofree char *safe = sb_escape_text(text, strlen(text));

	return strcmp(safe, text) == 0;
}

/* A character of a word in $'…'. */
static size_t add_quoted(char *out, const char *p, size_t left)
{
	const size_t len = sb_utf8_length(p, left);
	sb_autofree char *safe = sb_escape_text(p, len > 0 ? len : 1);

	if (len > 0 && strncmp(safe, p, len) == 0 && *p != '\'' && *p != '\\') {
		memcpy(out, p, len);
		return len;
	}

	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < (len > 0 ? len : 1); i++) {
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = digits[(unsigned char)p[i] >> 4];
		out[n++] = digits[(unsigned char)p[i] & 15];
	}
	return n;
}

static char *dollar_quoted(const char *word)
{
	const size_t len = strlen(word);
	char *out = sb_reallocarray(NULL, len + 1, 4);
	sb_autofree char *text = out;
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		const size_t step = sb_utf8_length(word + i, len - i);

		n += add_quoted(out + n, word + i, len - i);
		i += step > 0 ? step : 1;
	}
	out[n] = '\0';
	return sb_asprintf("$'%s'", text);
}

static char *shell_word(const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789@%+=:,./_-";

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0')
		return sb_strdup(word);
	if (strchr(word, '\'') != NULL || !is_printable(word))
		return dollar_quoted(word);
	return sb_asprintf("'%s'", word);
}

char *sb_cat_command(const char *image, size_t layer, const char *path)
{
	sb_autofree char *image_word = image != NULL ? shell_word(image) : sb_strdup("IMAGE");
	sb_autofree char *path_word = shell_word(path);
	/* A name that begins like an option. */
	const char *guard = path[0] == '-' || image_word[0] == '-' ? "-- " : "";

	return sb_asprintf(
		"safebuild inspect cat %s%s %zu %s", guard, image_word, layer + 1, path_word);
}

const char *sb_level_word(enum sb_finding_level level)
{
	static const char *const words[] = {"note", "warning", "error"};

	return words[level];
}

const char *sb_problem_word(enum sb_problem_kind kind)
{
	static const char *const words[] = {
		[SB_PROBLEM_DIGEST] = "digest",
		[SB_PROBLEM_SIZE] = "size",
		[SB_PROBLEM_DIFF_ID] = "diff-id",
		[SB_PROBLEM_ORDER] = "order",
		[SB_PROBLEM_PACKING] = "packing",
		[SB_PROBLEM_ARCHIVE] = "archive",
		[SB_PROBLEM_MISSING] = "missing",
		[SB_PROBLEM_OTHER] = "other",
	};

	return words[kind];
}

const char *sb_change_word(enum sb_file_change change)
{
	static const char *const words[] = {
		[SB_FILE_ADDED] = "added",
		[SB_FILE_MODIFIED] = "modified",
		[SB_FILE_REMOVED] = "removed",
	};

	return words[change];
}

char *sb_count_text(uint64_t n, const char *one)
{
	return sb_asprintf("%" PRIu64 " %s%s", n, one, n == 1 ? "" : "s");
}
