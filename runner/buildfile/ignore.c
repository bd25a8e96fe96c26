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

int sb_ignore_of_patterns(
	const struct sb_strv *patterns, struct sb_ignore **out, struct sb_error *err)
{
	SB_AUTO(sb_ignore) ignore = SB_NEW(struct sb_ignore);

	for (size_t i = 0; i < patterns->len; i++) {
		const char *text = patterns->items[i];
		const size_t blanks = sb_skip_blanks(text, strlen(text));
		const size_t end = sb_trim_end(text, strlen(text));

		if (blanks < end && add_pattern(ignore, text + blanks, end - blanks,
					    (struct sb_source_pos){0}, err) < 0)
			return -1;
	}
	*out = SB_STEAL(ignore);
	return 0;
}

/* A pattern that may match something in a folder, or matched a folder on the way to it. The others
 * are not kept: few are left in the depth of a tree. */
struct active {
	size_t pattern;
	bool has_matched;
	size_t set; /* where its states begin in the words, unless it has matched */
};

struct sb_ignore_place {
	SB_ARRAY(struct active) actives; /* in the order of the patterns */
	SB_ARRAY(uint64_t) words;
};

void sb_ignore_place_free(struct sb_ignore_place *place)
{
	if (place == NULL)
		return;
	SB_ARRAY_RELEASE(&place->actives);
	SB_ARRAY_RELEASE(&place->words);
	free(place);
}

/* Where `n` more words begin. They stay there until the next call. */
static size_t add_words(struct sb_ignore_place *place, size_t n)
{
	const size_t at = place->words.len;

	for (size_t i = 0; i < n; i++)
		*SB_ARRAY_ADD(&place->words) = 0;
	return at;
}

struct sb_ignore_place *sb_ignore_root(const struct sb_ignore *ignore)
{
	struct sb_ignore_place *root = NULL;

	if (ignore == NULL)
		return NULL;
	root = SB_NEW(struct sb_ignore_place);
	for (size_t i = 0; i < ignore->patterns.len; i++) {
		const struct sb_glob *glob = ignore->patterns.items[i].glob;
		const struct active active = {
			.pattern = i, .set = add_words(root, sb_glob_words(glob))};

		sb_glob_start(glob, &root->words.items[active.set]);
		*SB_ARRAY_ADD(&root->actives) = active;
	}
	return root;
}

/* What one pattern says of a name. */
struct said {
	bool has_matched;
	bool may_match_below;
};

/*
 * Appends to `below` what is left of the pattern behind `name` and a slash. It is only asked for a
 * match where that counts.
 */
static struct said ask(const struct sb_glob *glob, const struct sb_ignore_place *dir,
	const struct active *before, const char *name, bool counts, struct sb_ignore_place *below)
{
	const size_t n = sb_glob_words(glob);
	struct active after = {.pattern = before->pattern, .has_matched = before->has_matched};

	if (!after.has_matched) {
		const size_t start = below->words.len;

		after.set = add_words(below, 2 * n);

		uint64_t *set = &below->words.items[after.set];
		bool is_alive = false;

		memcpy(set, &dir->words.items[before->set], n * sizeof(*set));
		is_alive = sb_glob_read(glob, set, set + n, name, strlen(name));
		after.has_matched = is_alive && counts && sb_glob_result(glob, set).matches;
		if (!after.has_matched)
			is_alive = is_alive && sb_glob_read(glob, set, set + n, "/", 1);
		below->words.len = after.has_matched || !is_alive ? start : start + n;
		if (!is_alive)
			return (struct said){0};
		if (!after.has_matched) {
			*SB_ARRAY_ADD(&below->actives) = after;
			return (struct said){
				.may_match_below = sb_glob_result(glob, set).may_continue};
		}
	}
	*SB_ARRAY_ADD(&below->actives) = after;
	return (struct said){.has_matched = true};
}

/*
 * A `!` counts only where something before it excluded the very path (or a folder of it) that it
 * names, so that `secrets/key` and then `!secrets` still leave the key out; an exclusion always
 * counts, and the last one that does decides. What excluded a folder can only be taken back by a
 * pattern behind it.
 */
struct sb_ignore_verdict sb_ignore_judge(const struct sb_ignore *ignore,
	const struct sb_ignore_place *dir, const char *name, struct sb_ignore_place **out_below)
{
	struct sb_ignore_verdict verdict = {0};
	struct sb_ignore_place *below = NULL;

	*out_below = NULL;
	if (ignore == NULL)
		return verdict;
	below = SB_NEW(struct sb_ignore_place);
	SB_ARRAY_FOREACH (&dir->actives, active) {
		const struct pattern *pattern = &ignore->patterns.items[active->pattern];
		const bool counts = !pattern->includes || verdict.is_excluded;
		const struct said said = ask(pattern->glob, dir, active, name, counts, below);

		if (said.has_matched) {
			verdict.is_excluded = !pattern->includes;
			verdict.may_include_below = false;
		} else if (pattern->includes && said.may_match_below) {
			verdict.may_include_below = true;
		}
	}
	*out_below = below;
	return verdict;
}

/* `place` becomes that of the folder `name` in it. */
static struct sb_ignore_verdict descend(
	const struct sb_ignore *ignore, struct sb_ignore_place **place, const char *name)
{
	struct sb_ignore_place *below = NULL;
	const struct sb_ignore_verdict verdict = sb_ignore_judge(ignore, *place, name, &below);

	sb_ignore_place_free(*place);
	*place = below;
	return verdict;
}

/* The context itself is never left out. */
static bool is_root(const char *path)
{
	return path[0] == '\0' || strcmp(path, ".") == 0 || strcmp(path, "/") == 0;
}

struct sb_ignore_verdict sb_ignore_judge_path(
	const struct sb_ignore *ignore, const char *path, struct sb_ignore_place **out_below)
{
	struct sb_ignore_place *place = sb_ignore_root(ignore);
	struct sb_ignore_verdict verdict = {0};

	if (ignore != NULL && !is_root(path)) {
		sb_autofree char *copy = sb_strdup(path);

		for (char *rest = copy; rest != NULL && (rest == copy || rest[0] != '\0');)
			verdict = descend(ignore, &place, strsep(&rest, "/"));
	}
	if (out_below != NULL)
		*out_below = place;
	else
		sb_ignore_place_free(place);
	return verdict;
}

bool sb_ignore_excludes(const struct sb_ignore *ignore, const char *path)
{
	return sb_ignore_judge_path(ignore, path, NULL).is_excluded;
}

bool sb_ignore_may_include_below(const struct sb_ignore *ignore, const char *dir)
{
	const struct sb_ignore_verdict verdict = sb_ignore_judge_path(ignore, dir, NULL);

	return !verdict.is_excluded || verdict.may_include_below;
}
