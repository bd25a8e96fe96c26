/* SPDX-License-Identifier: MIT */
#include "buildfile/heredoc.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "buildfile/chars.h"

enum { MAX_FD_DIGITS = 9 };

void sb_heredoc_release(struct sb_heredoc *heredoc)
{
	free(heredoc->name);
	free(heredoc->body);
	*heredoc = (struct sb_heredoc){0};
}

void sb_heredoc_tokens_release(struct sb_heredoc_tokens *tokens)
{
	SB_ARRAY_FOREACH (tokens, token)
		free(token->name);
	SB_ARRAY_RELEASE(tokens);
}

/*
 * Removes quotes and escapes. The escape is always a backslash here. NULL where a quote is left
 * open. Caller frees.
 */
static char *unquote(const char *word, size_t len, bool *was_quoted)
{
	sb_autofree char *plain = sb_malloc(len + 1);
	size_t n = 0;
	char quote = '\0';

	*was_quoted = false;
	for (size_t i = 0; i < len; i++) {
		const char c = word[i];

		if (quote != '\0' ? c == quote : c == '\'' || c == '"') {
			quote = quote != '\0' ? '\0' : c;
			*was_quoted = true;
		} else if (c == '\\' && quote == '\0') {
			*was_quoted = true;
			if (++i < len)
				plain[n++] = word[i];
		} else if (c == '\\' && quote == '"' && i + 1 < len &&
			   (word[i + 1] == '"' || word[i + 1] == '$' || word[i + 1] == '\\')) {
			plain[n++] = word[++i];
		} else {
			plain[n++] = c;
		}
	}
	plain[n] = '\0';
	return quote == '\0' ? SB_STEAL(plain) : NULL;
}

bool sb_heredoc_token_parse(const char *word, size_t len, struct sb_heredoc_token *out)
{
	struct sb_heredoc_token token = {0};
	size_t i = 0;

	while (i < len && sb_is_digit(word[i])) {
		if (i == MAX_FD_DIGITS)
			return false;
		token.fd = token.fd * 10 + (unsigned)(word[i++] - '0');
	}
	if (len - i < 3 || word[i] != '<' || word[i + 1] != '<')
		return false;
	i += 2;
	if (word[i] == '-') {
		token.strips_tabs = true;
		i++;
	}
	/* `<<<` is the shell's here-string. */
	if (memchr(word + i, '<', len - i) != NULL)
		return false;
	token.name = unquote(word + i, len - i, &token.is_quoted);
	if (token.name == NULL || token.name[0] == '\0') {
		free(token.name);
		return false;
	}
	*out = token;
	return true;
}

/* Bytes of the quoted text at the start of `text`; all of it where the quote is left open. */
static size_t quoted_length(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (text[i] == text[0])
			return i + 1;
		if (text[i] == '\\' && text[0] == '"')
			i++;
	}
	return len;
}

/* Bytes of the word at the start of `text`. Inside `${…}` blanks do not end it. */
static size_t word_length(const char *text, size_t len)
{
	size_t depth = 0;
	size_t i = 0;

	while (i < len && (depth > 0 || !sb_is_blank(text[i]))) {
		if (text[i] == '\'' || text[i] == '"') {
			i += quoted_length(text + i, len - i);
			continue;
		}
		if (text[i] == '\\' && i + 1 < len)
			i++;
		else if (text[i] == '$' && i + 1 < len && text[i + 1] == '{')
			depth++;
		else if (text[i] == '}' && depth > 0)
			depth--;
		i++;
	}
	return i;
}

void sb_heredoc_tokens_find(const char *text, size_t len, struct sb_heredoc_tokens *out)
{
	for (size_t i = sb_skip_blanks(text, len); i < len;
		i += sb_skip_blanks(text + i, len - i)) {
		const size_t n = word_length(text + i, len - i);
		struct sb_heredoc_token token;

		if (sb_heredoc_token_parse(text + i, n, &token)) {
			token.offset = i;
			*SB_ARRAY_ADD(out) = token;
		}
		i += n;
	}
}

static int fail_unterminated(
	const struct sb_heredoc_token *token, struct sb_source_pos at, struct sb_error *err)
{
	sb_fail_at(err, SB_E_SYNTAX, at, "the heredoc '<<%s' is not terminated", token->name);
	if (strpbrk(token->name, ">|;&)") != NULL)
		return sb_error_hint(err,
			"the name of a heredoc goes on to the next blank: put one "
			"after it");
	return sb_error_hint(err, "end it with a line that is '%s' and nothing else", token->name);
}

static size_t leading_tabs(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] == '\t')
		n++;
	return n;
}

int sb_heredoc_read(struct sb_source *source, const struct sb_heredoc_token *token,
	struct sb_source_pos at, struct sb_heredoc *out, struct sb_error *err)
{
	const size_t name_len = strlen(token->name);
	SB_AUTO_BUF body = SB_BUF_INIT(SB_MAX_BUILDFILE);

	for (;;) {
		struct sb_line line;

		if (sb_source_next(source, &line, err) < 0)
			return -1;
		if (line.text == NULL)
			return fail_unterminated(token, at, err);

		const size_t tabs = token->strips_tabs ? leading_tabs(line.text, line.len) : 0;

		if (line.len - tabs == name_len &&
			memcmp(line.text + tabs, token->name, name_len) == 0)
			break;
		if (sb_buf_add(&body, line.text + tabs, line.whole_len - tabs, err) < 0)
			return sb_error_locate(err, at);
	}
	out->name = sb_strdup(token->name);
	out->len = body.len;
	out->body = sb_buf_steal(&body);
	out->is_quoted = token->is_quoted;
	out->fd = token->fd;
	return 0;
}

const struct sb_heredoc *sb_run_sole_heredoc(const struct sb_instruction *run)
{
	const char *text = run->command.shell;
	struct sb_heredoc_token token;

	if (run->heredocs.len != 1 || text == NULL)
		return NULL;
	if (!sb_heredoc_token_parse(text, word_length(text, strlen(text)), &token))
		return NULL;
	free(token.name);
	return word_length(text, strlen(text)) == strlen(text) ? &run->heredocs.items[0] : NULL;
}

char *sb_run_script(const struct sb_instruction *run)
{
	const struct sb_heredoc *sole = sb_run_sole_heredoc(run);

	if (sole != NULL)
		return sb_memdup0(sole->body, sole->len);

	SB_AUTO_STRV parts = SB_STRV_INIT;

	sb_strv_add(&parts, run->command.shell != NULL ? run->command.shell : "");
	SB_ARRAY_FOREACH (&run->heredocs, heredoc)
		sb_strv_addf(&parts, "%s%s", heredoc->body, heredoc->name);
	return sb_strv_join(&parts, "\n");
}
