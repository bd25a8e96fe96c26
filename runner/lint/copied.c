/* SPDX-License-Identifier: MIT */
#include "lint/copied.h"

#include <fnmatch.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "buildfile/ignore.h"
#include "lint/command.h"
#include "lint/secret_name.h"

/* More copies, or stages on stages, than anyone keeps track of. */
enum { MAX_COPIES = 256, MAX_DEPTH = 8 };

/* A base image's working directory is not known; relative paths are below this one. */
static const char unknown_workdir[] = "/(workdir)";

struct copied {
	const struct sb_lint_item *item;
	const char *source;
	char *path;     /* what the destination says, absolute */
	char *inside;   /* the source's name below it */
	bool is_folder; /* much is copied: the files in it have no names here */
};

/* What is known of a stage's files at one place. */
struct state {
	struct sb_linter *linter;
	SB_ARRAY(struct copied) copied;
	char *workdir;
	sb_removal_fn visit;
	void *data;
};

static char *expand(const struct state *state, const struct sb_lint_item *item, const char *word)
{
	return sb_scope_expand(&state->linter->stages.items[item->stage].scope, word,
		state->linter->buildfile->escape);
}

static bool names_folder(const char *source)
{
	const size_t len = strlen(source);
	sb_autofree char *clean = sb_path_below_root(source);

	return strcmp(clean, ".") == 0 || (len > 0 && source[len - 1] == '/') ||
	       sb_glob_has_wildcard(source);
}

static void add_copy(struct state *state, const struct sb_lint_item *item)
{
	const struct sb_strv *words = &item->instr->words;
	sb_autofree char *dest = expand(state, item, words->items[words->len - 1]);

	if (dest == NULL)
		return;
	for (size_t i = 0; i + 1 < words->len && state->copied.len < MAX_COPIES; i++) {
		sb_autofree char *source = expand(state, item, words->items[i]);

		if (source == NULL || strncmp(words->items[i], "<<", 2) == 0)
			continue;

		sb_autofree char *base = sb_path_base(source);
		struct copied *copied = SB_ARRAY_ADD(&state->copied);

		copied->item = item;
		copied->source = words->items[i];
		copied->is_folder = names_folder(source);
		copied->path = sb_path_resolve(state->workdir, dest);
		copied->inside = sb_path_join(copied->path, base);
	}
}

static void set_workdir(struct state *state, const struct sb_lint_item *item)
{
	sb_autofree char *path = expand(state, item, item->instr->words.items[0]);
	char *workdir = sb_path_resolve(
		path != NULL ? state->workdir : "/", path != NULL ? path : unknown_workdir);

	free(state->workdir);
	state->workdir = workdir;
}

/* Does removing `target` (absolute, perhaps with wildcards) remove `path`? */
static bool removes(const char *target, const char *path)
{
	const size_t len = strlen(target);

	if (sb_glob_has_wildcard(target)) {
		if (fnmatch(target, path, FNM_PATHNAME) == 0)
			return true;
		/* What is below something that matches goes with it. */
		return len > 2 && strcmp(target + len - 2, "/*") == 0 &&
		       strncmp(target, path, len - 1) == 0 && path[len - 1] != '\0';
	}
	return strcmp(target, "/") != 0 && sb_path_is_below(target, path);
}

static bool is_secret(const struct copied *copied, const char *target)
{
	return sb_secret_name_of_file(copied->source) || sb_secret_name_of_file(copied->path) ||
	       sb_secret_name_of_file(target);
}

static void report(struct state *state, const struct copied *copied, const char *what,
	const char *target, const struct sb_lint_item *run, struct sb_lint_place at)
{
	const struct sb_removal removal = {
		copied->item, copied->source, what, is_secret(copied, target), run, at};

	state->visit(state->linter, &removal, state->data);
}

static void match(struct state *state, const char *target, const struct sb_lint_item *run,
	const struct sb_shell_word *word)
{
	const struct sb_lint_place at = sb_lint_at_script(state->linter, run, word->at, word->len);

	SB_ARRAY_FOREACH (&state->copied, copied) {
		if (!copied->is_folder &&
			(removes(target, copied->inside) || removes(target, copied->path)))
			report(state, copied, copied->source, target, run, at);
		else if (copied->is_folder && sb_path_is_below(copied->path, target) &&
			 sb_secret_name_of_file(target))
			report(state, copied, word->text, target, run, at);
	}
}

/* A word of the shell as a path; NULL where it is not known. */
static char *word_path(const struct state *state, const struct sb_lint_item *run, const char *cwd,
	const struct sb_shell_word *word)
{
	sb_autofree char *value =
		word->has_expansion ? expand(state, run, word->text) : sb_strdup(word->text);

	if (value == NULL || value[0] == '\0')
		return NULL;
	if (strncmp(value, "~/", 2) == 0)
		return sb_path_join("/root", value + 2);
	return sb_path_resolve(cwd, value);
}

static void match_rm(struct state *state, const struct sb_lint_item *run, const char *cwd,
	const struct sb_call *call)
{
	for (size_t i = 1; i < call->len; i++) {
		if (call->words[i].text[0] == '-')
			continue;

		sb_autofree char *target = word_path(state, run, cwd, &call->words[i]);

		if (target != NULL)
			match(state, target, run, &call->words[i]);
	}
}

static void read_run(struct state *state, const struct sb_lint_item *run)
{
	sb_autofree char *cwd = sb_strdup(state->workdir);

	SB_ARRAY_FOREACH (&run->shell.commands, command) {
		struct sb_call call;

		if (!sb_command_call(command, &call))
			continue;
		if (sb_call_is(&call, "cd") && call.len > 1) {
			char *next = word_path(state, run, cwd, &call.words[1]);

			free(cwd);
			cwd = next != NULL ? next : sb_strdup(unknown_workdir);
		} else if (sb_call_is_one_of(&call, "rm unlink shred")) {
			match_rm(state, run, cwd, &call);
		}
	}
}

/* Only what stands in the stage itself is reported: a base of two stages would be twice. */
static void read_stage(struct state *state, const struct sb_lint_stage *stage, bool is_last)
{
	for (size_t i = stage->first; i < stage->end; i++) {
		const struct sb_lint_item *item = &state->linter->items.items[i];

		if (item->is_trigger)
			continue;
		switch ((int)item->instr->kind) {
		case SB_INSTR_COPY:
		case SB_INSTR_ADD:
			add_copy(state, item);
			break;
		case SB_INSTR_WORKDIR:
			set_workdir(state, item);
			break;
		case SB_INSTR_RUN:
			if (is_last)
				read_run(state, item);
			break;
		default:
			break;
		}
	}
}

static void read_chain(
	struct state *state, const struct sb_lint_stage *stage, unsigned depth, bool is_last)
{
	if (stage->kind == SB_LINT_BASE_STAGE && depth < MAX_DEPTH)
		read_chain(state, &state->linter->stages.items[stage->base], depth + 1, false);
	else if (stage->kind == SB_LINT_BASE_SCRATCH) {
		free(state->workdir);
		state->workdir = sb_strdup("/");
	}
	read_stage(state, stage, is_last);
}

void sb_removals_visit(struct sb_linter *linter, sb_removal_fn visit, void *data)
{
	SB_ARRAY_FOREACH (&linter->stages, stage) {
		struct state state = {.linter = linter,
			.workdir = sb_strdup(unknown_workdir),
			.visit = visit,
			.data = data};

		read_chain(&state, stage, 0, true);
		SB_ARRAY_FOREACH (&state.copied, copied) {
			free(copied->path);
			free(copied->inside);
		}
		SB_ARRAY_RELEASE(&state.copied);
		free(state.workdir);
	}
}
