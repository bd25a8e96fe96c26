/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "buildfile/chars.h"
#include "buildfile/expand.h"
#include "lint/rules.h"
#include "lint/scope.h"

static const struct sb_lint_item *from_of(
	const struct sb_linter *linter, const struct sb_lint_stage *stage)
{
	return &linter->items.items[stage->first];
}

void sb_rule_duplicate_stage_name(struct sb_linter *linter)
{
	struct sb_scope seen = {0};

	SB_ARRAY_FOREACH (&linter->stages, stage) {
		const struct sb_lint_item *from = from_of(linter, stage);
		const char *name = from->instr->name;

		if (name == NULL)
			continue;
		if (sb_scope_has(&seen, name))
			sb_lint_add(linter, from, sb_lint_at_name(from),
				"there is an earlier stage called '%s' too", name);
		sb_scope_set(&seen, name, NULL);
	}
	sb_scope_release(&seen);
}

void sb_rule_reserved_stage_name(struct sb_linter *linter)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_FROM)
	{
		const char *name = item->instr->name;

		if (name != NULL && (strcmp(name, "scratch") == 0 || strcmp(name, "context") == 0))
			sb_lint_add(linter, item, sb_lint_at_name(item),
				"'%s' is a reserved name, not one for a stage", name);
	}
}

/* One word of a FROM line. */
struct from_word {
	struct sb_linter *linter;
	const struct sb_lint_item *item;
};

static void check_from_variable(const char *name, size_t len, void *data)
{
	struct from_word *word = data;
	const struct sb_strv *known = &word->linter->arg_names;
	sb_autofree char *copy = sb_memdup0(name, len);

	if (sb_strv_contains(known, copy))
		return;

	const char *near = sb_suggest(copy, sb_candidate_string, known->items, known->len);

	sb_lint_add(word->linter, word->item, sb_lint_at_text(word->item, copy),
		"FROM uses '%s', which no ARG before the first FROM declares%s%s%s", copy,
		near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
		near != NULL ? "'?" : "");
}

void sb_rule_undefined_arg_in_from(struct sb_linter *linter)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_FROM)
	{
		struct from_word word = {linter, item};
		const char *platform = sb_instruction_flag(item->instr, "platform");
		const char escape = linter->buildfile->escape;

		sb_variables_visit(
			item->instr->words.items[0], escape, false, check_from_variable, &word);
		if (platform != NULL)
			sb_variables_visit(platform, escape, false, check_from_variable, &word);
	}
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || sb_is_digit(c) || c == '.' || c == '_' || c == '-' ||
	       c == '/';
}

/* As loose as an image's name can be: its host, its path in lower case, then tag and digest. */
static bool is_image_name(const char *name)
{
	const char *slash = strchr(name, '/');
	const size_t host = slash != NULL ? (size_t)(slash - name) + 1 : 0;
	const bool has_host =
		host > 0 && (memchr(name, '.', host) != NULL || memchr(name, ':', host) != NULL ||
				    strncmp(name, "localhost/", 10) == 0);
	const char *path = has_host ? name + host : name;
	size_t len = 0;

	while (is_name_byte(path[len]))
		len++;
	if (len == 0 || path[0] == '/' || path[0] == '-' || path[0] == '.' ||
		path[len - 1] == '/' || path[len - 1] == '-' || path[len - 1] == '.')
		return false;
	if (path[len] == ':') {
		const size_t tag = strcspn(path + len + 1, "@");

		if (tag == 0 || tag > 128)
			return false;
		len += 1 + tag;
	}
	return path[len] == '\0' || (path[len] == '@' && strchr(path + len, ':') != NULL);
}

void sb_rule_invalid_default_arg_in_from(struct sb_linter *linter)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_FROM)
	{
		const char *word = item->instr->words.items[0];
		sb_autofree char *image = NULL;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (strchr(word, '$') == NULL)
			continue;
		if (sb_expand_word(word, &linter->default_args, linter->buildfile->escape, &image,
			    &err) < 0) {
			sb_error_ignore(&err, "the plan tells it");
			continue;
		}
		if (!is_image_name(image))
			sb_lint_add(linter, item, sb_lint_at_text(item, word),
				"without build arguments, '%s' is '%s', which is no image's name",
				word, image);
	}
}

void sb_rule_from_platform_flag_const(struct sb_linter *linter)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_FROM)
	{
		const char *text = sb_instruction_flag(item->instr, "platform");
		const char *name = item->instr->name != NULL ? item->instr->name : "";
		struct sb_platform platform;
		SB_AUTO_ERROR err = SB_ERROR_INIT;

		if (text == NULL || strchr(text, '$') != NULL)
			continue;
		if (sb_platform_parse(text, &platform, &err) < 0) {
			sb_error_ignore(&err, "the plan tells it");
			continue;
		}
		/* `FROM --platform=linux/arm64 … AS build-arm64` is meant. */
		if (strstr(name, platform.os) == NULL &&
			strstr(name, platform.architecture) == NULL)
			sb_lint_add(linter, item, sb_lint_at_text(item, "--platform"),
				"--platform is always '%s'", text);
	}
}

void sb_rule_redundant_target_platform(struct sb_linter *linter)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_FROM)
	{
		const char *text = sb_instruction_flag(item->instr, "platform");

		if (text != NULL && (strcmp(text, "$TARGETPLATFORM") == 0 ||
					    strcmp(text, "${TARGETPLATFORM}") == 0))
			sb_lint_add(linter, item, sb_lint_at_text(item, "--platform"),
				"--platform=%s is what FROM takes in any case", text);
	}
}

void sb_rule_invalid_base_image_platform(struct sb_linter *linter)
{
	SB_ARRAY_FOREACH (&linter->stages, stage) {
		const struct sb_lint_item *from = from_of(linter, stage);
		const struct sb_platform *found = &stage->info.platform;

		if (stage->kind != SB_LINT_BASE_IMAGE || !stage->is_known ||
			sb_instruction_flag(from->instr, "platform") != NULL)
			continue;
		if (strcmp(found->os, linter->options->platform.os) == 0 &&
			strcmp(found->architecture, linter->options->platform.architecture) == 0)
			continue;

		sb_autofree char *is = sb_platform_format(found);
		sb_autofree char *wanted = sb_platform_format(&linter->options->platform);

		sb_lint_add(linter, from, sb_lint_at_text(from, from->instr->words.items[0]),
			"the base image '%s' is for %s, not for %s", stage->image, is, wanted);
	}
}

/* Name, tag and digest of an image's reference. */
static const char *tag_of(const char *image)
{
	const char *slash = strrchr(image, '/');
	const char *colon = strchr(slash != NULL ? slash : image, ':');
	const char *at = strchr(image, '@');

	return colon != NULL && (at == NULL || colon < at) ? colon + 1 : NULL;
}

static bool has_digest(const char *image)
{
	return strchr(image, '@') != NULL;
}

/* No version is named, so that it is the latest one. */
static bool is_unpinned(const char *image)
{
	const char *tag = tag_of(image);

	return !has_digest(image) && (tag == NULL || strcmp(tag, "latest") == 0);
}

typedef void (*image_fn)(
	struct sb_linter *linter, const struct sb_lint_item *item, const char *image);

/* COPY --from=IMAGE: neither a stage, nor its number, nor a context. */
static bool is_image_source(const struct sb_linter *linter, const char *from)
{
	if (from == NULL || strchr(from, '$') != NULL || from[strspn(from, "0123456789")] == '\0' ||
		strcasecmp(from, "scratch") == 0)
		return false;
	if (linter->options->context_names != NULL &&
		sb_strv_contains(linter->options->context_names, from))
		return false;
	SB_ARRAY_FOREACH (&linter->stages, stage) {
		const char *name = from_of(linter, stage)->instr->name;

		if (name != NULL && strcasecmp(name, from) == 0)
			return false;
	}
	return true;
}

static void visit_images(struct sb_linter *linter, image_fn visit)
{
	SB_ARRAY_FOREACH (&linter->stages, stage)
		if (stage->kind == SB_LINT_BASE_IMAGE)
			visit(linter, from_of(linter, stage), stage->image);
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_COPY)
	{
		const char *from = sb_instruction_flag(item->instr, "from");

		if (is_image_source(linter, from))
			visit(linter, item, from);
	}
}

static struct sb_lint_place place_of_image(const struct sb_lint_item *item, const char *image)
{
	return sb_lint_at_text(
		item, item->instr->kind == SB_INSTR_FROM ? item->instr->words.items[0] : image);
}

static void check_pinned(
	struct sb_linter *linter, const struct sb_lint_item *item, const char *image)
{
	if (is_unpinned(image))
		sb_lint_add(linter, item, place_of_image(item, image),
			tag_of(image) == NULL ? "the image '%s' has no version"
					      : "the image '%s' is whichever is the latest",
			image);
}

void sb_rule_unpinned_base_image(struct sb_linter *linter)
{
	visit_images(linter, check_pinned);
}

static void check_digest(
	struct sb_linter *linter, const struct sb_lint_item *item, const char *image)
{
	if (!has_digest(image) && !is_unpinned(image))
		sb_lint_add(linter, item, place_of_image(item, image),
			"the image '%s' is named without its digest", image);
}

void sb_rule_base_image_without_digest(struct sb_linter *linter)
{
	visit_images(linter, check_digest);
}

static bool is_root(const char *user)
{
	const size_t len = strcspn(user, ":");

	return (len == 4 && strncmp(user, "root", 4) == 0) || (len > 0 && strspn(user, "0") == len);
}

/* The USER in force at the stage's end, looked for in the stages that it is based on too; or NULL
 * and the stage at the bottom. */
static const struct sb_lint_item *find_user(
	const struct sb_linter *linter, int stage, const struct sb_lint_stage **out_bottom)
{
	while (stage >= 0) {
		const struct sb_lint_stage *s = &linter->stages.items[stage];

		*out_bottom = s;
		for (size_t i = s->end; i > s->first; i--) {
			const struct sb_lint_item *item = &linter->items.items[i - 1];

			if (item->instr->kind == SB_INSTR_USER && !item->is_trigger)
				return item;
		}
		stage = s->base;
	}
	return NULL;
}

/* Images that say in their names that their user is not root. */
static bool says_nonroot(const char *image)
{
	static const char *const words[] = {"nonroot", "non-root", "rootless", "unprivileged"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (image != NULL && strcasestr(image, words[i]) != NULL)
			return true;
	return false;
}

static bool has_command(const struct sb_linter *linter, const struct sb_lint_stage *stage)
{
	for (size_t i = stage->first; i < stage->end; i++) {
		const enum sb_instruction_kind kind = linter->items.items[i].instr->kind;

		if (kind == SB_INSTR_CMD || kind == SB_INSTR_ENTRYPOINT)
			return true;
	}
	return false;
}

static void check_absent_user(struct sb_linter *linter, const struct sb_lint_stage *target,
	const struct sb_lint_stage *bottom)
{
	const struct sb_lint_item *from = from_of(linter, target);

	if (bottom->kind == SB_LINT_BASE_SCRATCH) {
		/* Without a command it is files to take out, not a program to run. */
		if (has_command(linter, target))
			sb_lint_add(linter, from, sb_lint_at_name(from),
				"no USER is set, so the image runs as root");
		return;
	}
	if (bottom->is_known ? bottom->info.user[0] != '\0' && !is_root(bottom->info.user)
			     : says_nonroot(bottom->image))
		return;
	if (bottom->is_known)
		sb_lint_add(linter, from, sb_lint_at_name(from),
			"no USER is set, and the user of '%s' is root", bottom->image);
	else
		sb_lint_add(linter, from, sb_lint_at_name(from),
			"no USER is set, so the image runs as the base image's user, mostly root");
}

void sb_rule_runs_as_root(struct sb_linter *linter)
{
	for (size_t i = 0; i < linter->stages.len; i++) {
		const struct sb_lint_stage *target = &linter->stages.items[i];
		const struct sb_lint_stage *bottom = target;

		if (!target->is_target)
			continue;

		const struct sb_lint_item *user = find_user(linter, (int)i, &bottom);

		if (user == NULL) {
			check_absent_user(linter, target, bottom);
			continue;
		}

		sb_autofree char *name = sb_scope_expand(
			&target->scope, user->instr->words.items[0], linter->buildfile->escape);

		if (name != NULL && is_root(name))
			sb_lint_add(linter, user, sb_lint_at_name(user),
				"the last USER is '%s': the image runs as root", name);
	}
}
