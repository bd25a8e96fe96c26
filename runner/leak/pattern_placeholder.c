/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/charset.h"
#include "leak/judge.h"
#include "leak/pattern_text.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The longest run of one character. */
static size_t longest_run(const char *text, size_t len)
{
	size_t longest = 0;
	size_t run = 0;

	for (size_t i = 0; i < len; i++) {
		run = i > 0 && text[i] == text[i - 1] ? run + 1 : 1;
		longest = run > longest ? run : longest;
	}
	return longest;
}

bool sb_text_is_sample(const char *text, size_t len)
{
	static const char example[] = "EXAMPLE";
	const size_t n = strlen(example);
	bool seen[256] = {false};
	size_t distinct = 0;

	for (size_t i = 0; i < len; i++) {
		distinct += seen[(unsigned char)text[i]] ? 0 : 1;
		seen[(unsigned char)text[i]] = true;
	}
	return distinct < 4 || (len >= n && memcmp(text + len - n, example, n) == 0);
}

static bool has_any_case(const char *text, size_t len, const char *word)
{
	const size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++)
		if (strncasecmp(text + i, word, n) == 0)
			return true;
	return false;
}

static bool is_any_of(const char *text, size_t len, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) == len && strncasecmp(text, words[i], len) == 0)
			return true;
	return false;
}

bool sb_text_is_stop_word(const char *text, size_t len)
{
	static const char *const wholes[] = {"true", "false", "null", "none", "nil", "undefined",
		"yes", "no", "on", "off", "empty", "pw", "pwd", "pass", "passwd", "passwort",
		"passphrase", "password", "secret", "secrets", "token", "key", "apikey", "foo",
		"bar", "baz", "foobar", "abc", "xyz", "hunter2", "hidden", "masked", "dummy",
		"fake", "mock", "sample", "string", "value", "todo", "tbd", "any", "optional",
		"required", "pswd", "p4ssw0rd", "s3cret", "s3kr3t", "mypass", "mypasswd",
		"mysecret", "mytoken", "userpass", "letmein", "username", "user"};
	static const char *const parts[] = {"example", "changeme", "change-me", "change_me",
		"placeholder", "redacted", "your-", "your_", "yourpass", "yoursecret", "yourtoken",
		"insert-", "insert_", "replace-", "replace_", "notreal", "not-real", "not_real",
		"xxxx", "****", "....", "____", "----", "secret-here", "1234567890", "abcdef"};

	if (is_any_of(text, len, wholes, N_OF(wholes)) || sb_judge_is_common(text, len) ||
		sb_judge_is_monotone(text, len) || longest_run(text, len) >= 6)
		return true;
	for (size_t i = 0; i < N_OF(parts); i++)
		if (has_any_case(text, len, parts[i]))
			return true;
	return false;
}

/* %s, %(name)s, %{name}; a % of an escape is followed by two hex digits. */
static bool has_format(const char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (text[i] == '%' && sb_char_in(text[i + 1], "sdvqrx({%") &&
			!(i + 2 < len && text[i + 1] == 'd' &&
				sb_chars_have(SB_CHARS_HEX, (char)(text[i + 2] | 0x20))))
			return true;
	return false;
}

/* $NAME, $1, ${…}, $(…): a $ that no variable follows may be a password's. */
static bool has_variable(const char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (text[i] == '$' && (text[i + 1] == '{' || text[i + 1] == '(' ||
					      (i == 0 && sb_chars_have(SB_CHARS_WORD, text[1]))))
			return true;
	return false;
}

bool sb_text_is_placeholder(const char *text, size_t len)
{
	static const char *const parts[] = {"{{", "}}", "<%", "%>", "@@", "#{"};

	if (len == 0 || text[0] == '<' || (text[0] == '{' && text[len - 1] == '}') ||
		(text[0] == '[' && text[len - 1] == ']') ||
		(text[0] == '%' && text[len - 1] == '%') || has_format(text, len) ||
		has_variable(text, len))
		return true;
	for (size_t i = 0; i < N_OF(parts); i++)
		if (memmem(text, len, parts[i], 2) != NULL)
			return true;
	return sb_text_is_stop_word(text, len);
}
