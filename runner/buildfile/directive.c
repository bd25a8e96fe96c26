/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "buildfile/chars.h"
#include "buildfile/source.h"

struct directive {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
	struct sb_source_pos key_at;
	struct sb_source_pos value_at;
};

struct reader {
	struct sb_directives found;
	const char *file;
	bool seen[3];
};

/* `# key=value` in column 1; a key is letters and digits, and a value is not empty. */
static bool split_directive(const char *file, const struct sb_line *line, struct directive *out)
{
	const char *text = line->text;
	const size_t len = sb_trim_end(text, line->len);
	size_t i = 1;

	if (len == 0 || text[0] != '#')
		return false;
	i += sb_skip_blanks(text + i, len - i);
	out->key = text + i;
	out->key_at = (struct sb_source_pos){file, line->number, (unsigned)i + 1};
	while (i < len && (sb_is_letter(text[i]) || (out->key < text + i && sb_is_digit(text[i]))))
		i++;
	out->key_len = (size_t)(text + i - out->key);
	i += sb_skip_blanks(text + i, len - i);
	if (out->key_len == 0 || i == len || text[i] != '=')
		return false;
	i++;
	i += sb_skip_blanks(text + i, len - i);
	out->value = text + i;
	out->value_len = len - i;
	out->value_at = (struct sb_source_pos){file, line->number, (unsigned)i + 1};
	return out->value_len > 0;
}

static int read_escape(struct reader *r, const struct directive *d, struct sb_error *err)
{
	if (d->value_len != 1 || (d->value[0] != '\\' && d->value[0] != '`')) {
		sb_fail_at(err, SB_E_SYNTAX, d->value_at, "escape: '%.*s' is no escape character",
			(int)d->value_len, d->value);
		return sb_error_hint(err, "write '# escape=\\' or '# escape=`'");
	}
	r->found.escape = d->value[0];
	return 0;
}

/* The frontends that speak the language that is built in here. */
static bool is_known_syntax(const char *image, size_t len)
{
	static const char docker_io[] = "docker.io/";
	static const char known[] = "docker/dockerfile";

	if (len > strlen(docker_io) && memcmp(image, docker_io, strlen(docker_io)) == 0) {
		image += strlen(docker_io);
		len -= strlen(docker_io);
	}
	return len >= strlen(known) && memcmp(image, known, strlen(known)) == 0;
}

static int read_syntax(struct reader *r, const struct directive *d, struct sb_error *err)
{
	size_t len = 0;

	(void)r;
	while (len < d->value_len && !sb_is_blank(d->value[len]))
		len++;
	if (is_known_syntax(d->value, len))
		return 0;
	sb_fail_at(err, SB_E_UNSUPPORTED, d->value_at, "syntax: the frontend '%.*s' can't be run",
		(int)len, d->value);
	return sb_error_hint(
		err, "only the Dockerfile language itself (docker/dockerfile) is built in");
}

static bool is_check_option(const char *text, size_t len)
{
	static const char *const names[] = {"skip", "error", "experimental"};
	const char *equals = memchr(text, '=', len);
	const size_t name_len = equals != NULL ? sb_trim_end(text, (size_t)(equals - text)) : 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name_len == strlen(names[i]) && strncasecmp(text, names[i], name_len) == 0)
			return true;
	return false;
}

static int read_check(struct reader *r, const struct directive *d, struct sb_error *err)
{
	size_t at = 0;

	while (at < d->value_len) {
		const char *part = d->value + at;
		const char *semicolon = memchr(part, ';', d->value_len - at);
		const size_t len =
			semicolon != NULL ? (size_t)(semicolon - part) : d->value_len - at;
		const size_t blanks = sb_skip_blanks(part, len);

		if (blanks < len && !is_check_option(part + blanks, len - blanks)) {
			sb_fail_at(err, SB_E_SYNTAX, d->value_at, "check: unknown option '%.*s'",
				(int)(len - blanks), part + blanks);
			return sb_error_hint(
				err, "the options are skip=…, error=… and experimental=…");
		}
		at += len + 1;
	}
	r->found.check = sb_memdup0(d->value, d->value_len);
	r->found.check_line = d->value_at.line;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct reader *r, const struct directive *d, struct sb_error *err);
} directives[] = {
	{"syntax", read_syntax},
	{"escape", read_escape},
	{"check", read_check},
};

/* Gives *is_one = false at the first line that ends the directives. */
static int read_line(
	struct reader *r, const struct sb_line *line, bool *is_one, struct sb_error *err)
{
	struct directive d;

	*is_one = false;
	if (line->text == NULL || !split_directive(r->file, line, &d))
		return 0;
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		const char *name = directives[i].name;

		if (d.key_len != strlen(name) || strncasecmp(d.key, name, d.key_len) != 0)
			continue;
		if (r->seen[i])
			return sb_fail_at(err, SB_E_SYNTAX, d.key_at,
				"only one %s parser directive can be used", name);
		r->seen[i] = true;
		*is_one = true;
		return directives[i].read(r, &d, err);
	}
	return 0;
}

void sb_directives_release(struct sb_directives *found)
{
	free(found->check);
	*found = (struct sb_directives){0};
}

int sb_directives_read(struct sb_source source, struct sb_directives *out, struct sb_error *err)
{
	struct reader r = {.found = {.escape = '\\'}, .file = source.file};
	bool is_one = true;

	while (is_one) {
		struct sb_line line;

		if (sb_source_next(&source, &line, err) < 0 ||
			read_line(&r, &line, &is_one, err) < 0) {
			sb_directives_release(&r.found);
			return -1;
		}
	}
	*out = r.found;
	return 0;
}
