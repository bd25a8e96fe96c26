/* SPDX-License-Identifier: MIT */
#include "buildfile/flags.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "buildfile/chars.h"

/* One word without its quotes and escapes; *offset moves behind it. Caller frees. */
static char *take_word(const char *text, size_t len, size_t *offset)
{
	char *word = sb_malloc(len - *offset + 1);
	size_t n = 0;
	size_t i = *offset;
	char quote = '\0';

	for (; i < len; i++) {
		const char c = text[i];

		if (c == '\\') {
			if (i + 1 < len)
				word[n++] = text[++i];
		} else if (quote != '\0' && c == quote) {
			quote = '\0';
		} else if (quote == '\0' && (c == '\'' || c == '"')) {
			quote = c;
		} else if (quote == '\0' && sb_is_blank(c)) {
			break;
		} else {
			word[n++] = c;
		}
	}
	word[n] = '\0';
	*offset = i;
	return word;
}

static const char *def_name(const void *defs, size_t i)
{
	return ((const struct sb_flag_def *)defs)[i].name;
}

static const struct sb_flag_def *find_def(const struct sb_flag_def *defs, const char *name,
	struct sb_source_pos at, struct sb_error *err)
{
	size_t n = 0;

	for (; defs[n].name != NULL; n++)
		if (strcmp(defs[n].name, name) == 0)
			return &defs[n];
	sb_fail_at(err, SB_E_SYNTAX, at, "unknown flag '--%s'", name);
	sb_hint_suggestion(err, name, def_name, defs, n);
	return NULL;
}

static bool has_flag(const struct sb_pairs *flags, const char *name)
{
	SB_ARRAY_FOREACH (flags, flag)
		if (strcmp(flag->key, name) == 0)
			return true;
	return false;
}

static int check_value(const struct sb_flag_def *def, const char *value, struct sb_source_pos at,
	struct sb_error *err)
{
	if (def->kind != SB_FLAG_BOOL) {
		if (value != NULL)
			return 0;
		sb_fail_at(err, SB_E_SYNTAX, at, "the flag '--%s' needs a value", def->name);
		return sb_error_hint(err, "write '--%s=VALUE'", def->name);
	}
	if (value == NULL || strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0)
		return 0;
	return sb_fail_at(err, SB_E_SYNTAX, at, "the flag '--%s' is either true or false, not '%s'",
		def->name, value);
}

/* `word` is "--name" or "--name=value". */
static int add_flag(const struct sb_flag_def *defs, char *word, struct sb_source_pos at,
	struct sb_pairs *out, struct sb_error *err)
{
	char *name = word + 2;
	char *equals = strchr(name, '=');

	if (equals != NULL)
		*equals = '\0';

	const char *value = equals != NULL ? equals + 1 : NULL;
	const struct sb_flag_def *def = find_def(defs, name, at, err);

	if (def == NULL)
		return -1;
	if (def->kind != SB_FLAG_LIST && has_flag(out, name))
		return sb_fail_at(err, SB_E_SYNTAX, at, "the flag '--%s' is given twice", name);
	if (check_value(def, value, at, err) < 0)
		return -1;
	*SB_ARRAY_ADD(out) = (struct sb_pair){sb_strdup(name), sb_strdup_or_null(value)};
	return 0;
}

int sb_flags_parse(const struct sb_logical *line, size_t *offset, const struct sb_flag_def *defs,
	struct sb_pairs *out, struct sb_error *err)
{
	const char *text = line->text.data;
	const size_t len = line->text.len;
	size_t i = *offset;

	while (len - i >= 2 && text[i] == '-' && text[i + 1] == '-') {
		const struct sb_source_pos at = sb_logical_at(line, i);
		sb_autofree char *word = take_word(text, len, &i);

		i += sb_skip_blanks(text + i, len - i);
		if (strcmp(word, "--") == 0)
			break;
		if (add_flag(defs, word, at, out, err) < 0)
			return -1;
	}
	*offset = i;
	return 0;
}
