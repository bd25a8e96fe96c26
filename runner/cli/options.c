/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <string.h>

#include "base/mem.h"
#include "base/suggest.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 80 };

static const struct sb_option help_option = {
	"help", 'h', SB_OPTION_HELP, NULL, 0, "show this help", NULL};

/* An option as it stands among the words. */
struct use {
	const struct sb_option *option;
	const char *value; /* written in the same word, or NULL */
	char *shown;       /* how the user wrote its name; owned */
};

static bool takes_value(const struct sb_option *option)
{
	return option->kind == SB_OPTION_TEXT || option->kind == SB_OPTION_LIST ||
	       option->kind == SB_OPTION_PARSED;
}

static const struct sb_option *find_long(
	const struct sb_option *options, const char *name, size_t len)
{
	if (len == strlen(help_option.name) && strncmp(name, help_option.name, len) == 0)
		return &help_option;
	for (; options->name != NULL; options++) {
		if (options->kind != SB_OPTION_GROUP && strlen(options->name) == len &&
			strncmp(options->name, name, len) == 0)
			return options;
	}
	return NULL;
}

static const struct sb_option *find_letter(const struct sb_option *options, char letter)
{
	for (const struct sb_option *o = options; o->name != NULL; o++) {
		if (o->letter != 0 && o->letter == letter)
			return o;
	}
	return letter == help_option.letter ? &help_option : NULL;
}

static bool is_option_word(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static int fail_unknown(const struct sb_option *options, const char *name, struct sb_error *err)
{
	struct sb_suggestion near = {.typed = name + 2};

	sb_fail(err, SB_E_USAGE, "unknown option '%s'", name);
	if (strncmp(name, "--", 2) != 0)
		return -1;
	for (; options->name != NULL; options++) {
		if (options->kind != SB_OPTION_GROUP && options->kind != SB_OPTION_ABSENT)
			sb_suggestion_consider(&near, options->name);
	}
	if (near.best != NULL)
		sb_error_hint(err, "did you mean '--%s'?", near.best);
	return -1;
}

static int set_flag(bool *field, const struct use *use, struct sb_error *err)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {{"true", true}, {"1", true}, {"false", false}, {"0", false}};

	if (use->value == NULL) {
		*field = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(use->value, words[i].text) == 0) {
			*field = words[i].value;
			return 0;
		}
	}
	return sb_fail(err, SB_E_USAGE,
		"option '%s' is a flag: it takes no value but true or false", use->shown);
}

static int apply(const struct use *use, void *fields, struct sb_error *err)
{
	const struct sb_option *option = use->option;
	void *field = (char *)fields + option->offset;

	switch (option->kind) {
	case SB_OPTION_FLAG:
		return set_flag(field, use, err);
	case SB_OPTION_TEXT:
		*(const char **)field = use->value;
		return 0;
	case SB_OPTION_LIST:
		sb_strv_add(field, use->value);
		return 0;
	case SB_OPTION_PARSED:
		if (option->parse(field, use->value, err) < 0)
			return sb_error_context(err, "%s", use->shown);
		return 0;
	case SB_OPTION_ABSENT:
		sb_fail(err, SB_E_USAGE, "option '%s' is not in this version of safebuild",
			use->shown);
		return option->help != NULL ? sb_error_hint(err, "%s", option->help) : -1;
	case SB_OPTION_GROUP:
	case SB_OPTION_HELP:
		break;
	}
	return 0;
}

/* Takes the value from the next word where the option wants one and has none, and applies it. */
static int finish_use(
	struct use *use, const struct sb_strv *words, size_t *i, void *fields, struct sb_error *err)
{
	if (takes_value(use->option) && use->value == NULL) {
		if (*i + 1 >= words->len)
			return sb_fail(err, SB_E_USAGE, "option '%s' needs a value (%s)",
				use->shown, use->option->value);
		use->value = words->items[++*i];
	}
	return apply(use, fields, err);
}

static int parse_long(const struct sb_option *options, const struct sb_strv *words, size_t *i,
	void *fields, bool *out_help, struct sb_error *err)
{
	const char *name = words->items[*i] + 2;
	const size_t len = strcspn(name, "=");
	sb_autofree char *shown = sb_asprintf("--%.*s", (int)len, name);
	struct use use = {
		.option = find_long(options, name, len),
		.value = name[len] == '=' ? name + len + 1 : NULL,
		.shown = shown,
	};

	if (use.option == NULL)
		return fail_unknown(options, shown, err);
	*out_help = use.option->kind == SB_OPTION_HELP;
	return finish_use(&use, words, i, fields, err);
}

static int parse_letters(const struct sb_option *options, const struct sb_strv *words, size_t *i,
	void *fields, bool *out_help, struct sb_error *err)
{
	for (const char *p = words->items[*i] + 1; *p != '\0' && !*out_help; p++) {
		char shown[] = {'-', *p, '\0'};
		struct use use = {.option = find_letter(options, *p), .shown = shown};

		if (use.option == NULL)
			return fail_unknown(options, shown, err);
		*out_help = use.option->kind == SB_OPTION_HELP;
		if (!takes_value(use.option) && p[1] == '=')
			use.value = p + 2;
		if (takes_value(use.option) && p[1] != '\0')
			use.value = p + 1 + (p[1] == '=');
		const bool is_whole_word = takes_value(use.option) || use.value != NULL;

		if (finish_use(&use, words, i, fields, err) < 0)
			return -1;
		if (is_whole_word)
			break;
	}
	return 0;
}

int sb_options_parse(const struct sb_option *options, const struct sb_strv *words, void *fields,
	struct sb_strv *out_words, bool *out_help, struct sb_error *err)
{
	*out_help = false;
	for (size_t i = 0; i < words->len && !*out_help; i++) {
		const char *word = words->items[i];

		if (strcmp(word, "--") == 0) {
			while (++i < words->len)
				sb_strv_add(out_words, words->items[i]);
			break;
		}
		if (!is_option_word(word)) {
			sb_strv_add(out_words, word);
			continue;
		}
		if ((word[1] == '-' ? parse_long : parse_letters)(
			    options, words, &i, fields, out_help, err) < 0)
			return -1;
	}
	return 0;
}

size_t sb_options_skip(const struct sb_option *options, const struct sb_strv *words, size_t i)
{
	const char *word = words->items[i];
	const struct sb_option *option = NULL;

	if (!is_option_word(word))
		return 0;
	if (word[1] == '-') {
		const size_t len = strcspn(word + 2, "=");

		option = find_long(options, word + 2, len);
		return option != NULL && takes_value(option) && word[2 + len] == '\0' ? 2 : 1;
	}
	for (const char *p = word + 1; *p != '\0'; p++) {
		option = find_letter(options, *p);
		if (option == NULL || takes_value(option))
			return option != NULL && p[1] == '\0' ? 2 : 1;
	}
	return 1;
}

void sb_print_wrapped(FILE *out, const char *text, size_t indent, size_t used)
{
	size_t column = used;

	for (const char *p = text; *p != '\0';) {
		const size_t len = strcspn(p, " ");

		if (column > indent && column + 1 + len > HELP_WIDTH) {
			(void)fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (p != text) {
			(void)fputc(' ', out);
			column++;
		}
		(void)fwrite(p, 1, len, out);
		column += len;
		p += len;
		p += strspn(p, " ");
	}
	(void)fputc('\n', out);
}

static void print_option(const struct sb_option *option, FILE *out)
{
	char letter[5] = "    ";

	if (option->letter != 0) {
		letter[0] = '-';
		letter[1] = option->letter;
		letter[2] = ',';
	}
	sb_autofree char *head = sb_asprintf("  %s--%s%s%s", letter, option->name,
		option->value != NULL ? " " : "", option->value != NULL ? option->value : "");

	(void)fputs(head, out);
	if (strlen(head) + 2 > HELP_COLUMN)
		(void)fprintf(out, "\n%*s", HELP_COLUMN, "");
	else
		(void)fprintf(out, "%*s", (int)(HELP_COLUMN - strlen(head)), "");
	sb_print_wrapped(out, option->help, HELP_COLUMN, HELP_COLUMN);
}

void sb_options_print(const struct sb_option *options, FILE *out)
{
	if (options->kind != SB_OPTION_GROUP || options->name == NULL)
		(void)fputs("\nOptions:\n", out);
	for (; options->name != NULL; options++) {
		if (options->kind == SB_OPTION_GROUP)
			(void)fprintf(out, "\n%s:\n", options->help);
		else if (options->kind != SB_OPTION_ABSENT)
			print_option(options, out);
	}
	print_option(&help_option, out);
}
