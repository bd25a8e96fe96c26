/* SPDX-License-Identifier: MIT */
#include "buildfile/ignore.h"

#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "buildfile/chars.h"
#include "buildfile/glob.h"

struct pattern {
	struct sb_glob *glob;
	bool includes; /* `!pattern` */
};

struct sb_ignore {
	SB_ARRAY(struct pattern) patterns;
};

void sb_ignore_free(struct sb_ignore *ignore)
{
	if (ignore == NULL)
		return;
	SB_ARRAY_FOREACH (&ignore->patterns, pattern)
		sb_glob_free(pattern->glob);
	SB_ARRAY_RELEASE(&ignore->patterns);
	free(ignore);
}

/* `line` is trimmed and not empty. */
static int add_pattern(struct sb_ignore *ignore, const char *line, size_t len,
	struct sb_source_pos at, struct sb_error *err)
{
	const bool includes = line[0] == '!';
	const size_t start = includes ? 1 + sb_skip_blanks(line + 1, len - 1) : 0;
	sb_autofree char *text = sb_memdup0(line + start, len - start);

	if (text[0] == '\0') {
		sb_fail_at(err, SB_E_SYNTAX, at, "a '!' alone includes nothing");
		return sb_error_hint(err, "write '!PATTERN' for what is to be included again");
	}

	sb_autofree char *cleaned = sb_path_clean(text);
	const char *relative = cleaned[0] == '/' && cleaned[1] != '\0' ? cleaned + 1 : cleaned;
	struct sb_glob *glob = sb_glob_compile(relative, SB_GLOB_IGNORE);

	if (glob == NULL) {
		sb_fail_at(err, SB_E_SYNTAX, at, "the pattern '%s' is not well-formed", text);
		return sb_error_hint(err, "close every '[', and let no '\\' stand at the end");
	}
	*SB_ARRAY_ADD(&ignore->patterns) = (struct pattern){glob, includes};
	return 0;
}

static int parse_line(struct sb_ignore *ignore, const char *line, size_t len,
	struct sb_source_pos at, struct sb_error *err)
{
	if (len > 0 && line[0] == '#')
		return 0;
	if (memchr(line, '\0', len) != NULL)
		return sb_fail_at(err, SB_E_SYNTAX, at, "a NUL byte can't be part of a pattern");

	const size_t blanks = sb_skip_blanks(line, len);
	const size_t trimmed = sb_trim_end(line, len);

	if (blanks >= trimmed)
		return 0;
	at.column = (unsigned)blanks + 1;
	return add_pattern(ignore, line + blanks, trimmed - blanks, at, err);
}

int sb_ignore_parse(const char *file, const char *text, size_t len, struct sb_ignore **out,
	struct sb_error *err)
{
	SB_AUTO(sb_ignore) ignore = SB_NEW(struct sb_ignore);
	struct sb_source_pos at = {.file = file, .line = 1, .column = 1};

	if (len > SB_MAX_IGNORE_FILE)
		return sb_fail_at(err, SB_E_LIMIT, (struct sb_source_pos){.file = file},
			"more than %d bytes", SB_MAX_IGNORE_FILE);
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		text += 3;
		len -= 3;
	}
	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		const size_t line_len = newline != NULL ? (size_t)(newline - text) : len;
		const size_t whole = newline != NULL ? line_len + 1 : len;

		if (parse_line(ignore, text, line_len, at, err) < 0)
			return -1;
		text += whole;
		len -= whole;
		at.line++;
	}
	*out = SB_STEAL(ignore);
	return 0;
}

/*
 * One folder deeper: matched[i] says whether pattern i matched the path or a folder it lies in.
 * A `!` counts only where something before it excluded the very path (or a folder of it) that it
 * names, so that `secrets/key` and then `!secrets` still leave the key out; an exclusion always
 * counts, and the last one that does decides. Gives the index behind the pattern that decided.
 */
static size_t match_level(const struct sb_ignore *ignore, const char *path, size_t len,
	bool *matched, bool *is_excluded)
{
	size_t decided = 0;

	*is_excluded = false;
	for (size_t i = 0; i < ignore->patterns.len; i++) {
		const struct pattern *pattern = &ignore->patterns.items[i];

		if (!matched[i] && (!pattern->includes || *is_excluded))
			matched[i] = sb_glob_run(pattern->glob, path, len).matches;
		if (matched[i]) {
			*is_excluded = !pattern->includes;
			decided = i + 1;
		}
	}
	return decided;
}

static size_t match_path(const struct sb_ignore *ignore, const char *path, bool *is_excluded)
{
	sb_autofree bool *matched = sb_calloc(ignore->patterns.len + 1, sizeof(bool));
	size_t decided = 0;
	size_t end = 0;

	*is_excluded = false;
	do {
		const char *slash = strchr(path + end, '/');

		end = slash != NULL ? (size_t)(slash - path) : strlen(path);
		decided = match_level(ignore, path, end, matched, is_excluded);
	} while (path[end] != '\0' && path[++end] != '\0');
	return decided;
}

/* The context itself is never left out. */
static bool is_root(const char *path)
{
	return path[0] == '\0' || strcmp(path, ".") == 0 || strcmp(path, "/") == 0;
}

bool sb_ignore_excludes(const struct sb_ignore *ignore, const char *path)
{
	bool is_excluded = false;

	if (ignore != NULL && !is_root(path))
		(void)match_path(ignore, path, &is_excluded);
	return is_excluded;
}

bool sb_ignore_may_include_below(const struct sb_ignore *ignore, const char *dir)
{
	bool is_excluded = false;

	if (ignore == NULL || is_root(dir))
		return true;

	const size_t decided = match_path(ignore, dir, &is_excluded);

	if (!is_excluded)
		return true;

	sb_autofree char *below = sb_asprintf("%s/", dir);

	/* Only a later pattern can take back what excluded the folder. */
	for (size_t i = decided; i < ignore->patterns.len; i++) {
		const struct pattern *pattern = &ignore->patterns.items[i];

		if (pattern->includes &&
			sb_glob_run(pattern->glob, below, strlen(below)).may_continue)
			return true;
	}
	return false;
}
