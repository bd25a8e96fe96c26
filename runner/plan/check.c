/* SPDX-License-Identifier: MIT */
#include "plan/check.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "buildfile/expand.h"
#include "buildfile/ignore.h"
#include "buildfile/mode_change.h"
#include "buildfile/mount.h"
#include "buildfile/ports.h"
#include "buildfile/stop_signal.h"
#include "oci/reference.h"
#include "plan/remote.h"

/* Stands for the working directory, which is not known yet: deep enough for any `..` to stay below
 * it. */
static const char some_workdir[] = "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16";

/* Is the word what it will be expanded to? */
static bool is_literal(const char *word, char escape)
{
	return strpbrk(word, "$'\"") == NULL && strchr(word, escape) == NULL;
}

static int check_mount(const char *text, char escape, struct sb_error *err)
{
	__attribute__((cleanup(sb_mount_flag_release))) struct sb_mount_flag flag = {0};

	if (strchr(text, '$') != NULL || strchr(text, escape) != NULL)
		return 0;
	if (sb_mount_parse(text, some_workdir, &flag, err) < 0) {
		(void)sb_error_about(err, text);
		return sb_error_context(err, "--mount");
	}
	return 0;
}

static int check_network(const char *network, struct sb_error *err)
{
	static const char *const names[] = {"default", "none", "host"};

	for (size_t i = 0; network != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(network, names[i]) == 0)
			return 0;
	if (network == NULL)
		return 0;
	(void)sb_fail(err, SB_E_SYNTAX, "--network: unknown mode '%s'", network);
	(void)sb_error_about(err, "--network");
	return sb_error_hint(err, "the modes are default, none and host");
}

static int check_security(const char *security, struct sb_error *err)
{
	if (security == NULL || strcmp(security, "sandbox") == 0)
		return 0;
	if (strcmp(security, "insecure") == 0)
		(void)sb_fail(err, SB_E_UNSUPPORTED,
			"--security=insecure: every step runs in the sandbox");
	else
		(void)sb_fail(err, SB_E_SYNTAX, "--security: unknown mode '%s'", security);
	return sb_error_about(err, "--security");
}

static int check_run(const struct sb_instruction *instr, char escape, struct sb_error *err)
{
	if (check_security(sb_instruction_flag(instr, "security"), err) < 0 ||
		check_network(sb_instruction_flag(instr, "network"), err) < 0)
		return -1;
	if (sb_instruction_flag(instr, "device") != NULL)
		return sb_fail(err, SB_E_UNSUPPORTED, "--device is not in this version");
	SB_ARRAY_FOREACH (&instr->flags, flag)
		if (strcmp(flag->key, "mount") == 0 && check_mount(flag->value, escape, err) < 0)
			return -1;
	if (instr->command.is_exec && instr->command.exec.len == 0)
		return sb_fail(err, SB_E_SYNTAX, "[] names no program");
	return 0;
}

/* Words with variables are looked at again when their values are known; what they begin with is
 * known now. */
static int check_source(const struct sb_instruction *instr, const char *word, char escape,
	struct sb_remote *out, struct sb_error *err)
{
	const enum sb_remote_kind kind = sb_remote_kind_of(word, SB_REMOTE_IN_BUILDFILE);

	if (kind != SB_REMOTE_NONE && instr->kind == SB_INSTR_COPY) {
		(void)sb_fail(err, SB_E_SYNTAX, "source can't be a URL: '%s'", word);
		(void)sb_error_about(err, word);
		return sb_error_hint(err, "ADD fetches URLs and git repositories");
	}
	if (!is_literal(word, escape) ||
		sb_remote_parse(word, SB_REMOTE_IN_BUILDFILE, out, err) == 0)
		return 0;
	return sb_error_about(err, word);
}

static int fail_checksum(struct sb_error *err)
{
	(void)sb_error_about(err, "--checksum");
	return sb_error_context(err, "--checksum");
}

static int check_sources(const struct sb_instruction *instr, char escape, struct sb_error *err)
{
	const char *checksum = sb_instruction_flag(instr, "checksum");
	const size_t n = instr->words.len - 1;

	for (size_t i = 0; i < n; i++) {
		SB_AUTO_VALUE(sb_remote) remote = {0};
		const char *word = instr->words.items[i];

		if (check_source(instr, word, escape, &remote, err) < 0)
			return -1;
		if (checksum != NULL && is_literal(checksum, escape) && is_literal(word, escape) &&
			sb_remote_check_sum(checksum, &remote, n, err) < 0)
			return fail_checksum(err);
	}
	return 0;
}

static bool is_expanded_flag(const char *name)
{
	static const char *const names[] = {"chown", "chmod", "checksum", "exclude"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int check_copy(const struct sb_instruction *instr, char escape, struct sb_error *err)
{
	const char *chmod = sb_instruction_flag(instr, "chmod");
	SB_AUTO(sb_ignore) exclude = NULL;
	SB_AUTO_STRV patterns = SB_STRV_INIT;
	struct sb_mode_change mode;

	SB_ARRAY_FOREACH (&instr->flags, flag) {
		if (flag->value != NULL && is_expanded_flag(flag->key) &&
			sb_expand_check(flag->value, escape, err) < 0) {
			(void)sb_error_about(err, flag->value);
			return sb_error_context(err, "--%s", flag->key);
		}
		if (strcmp(flag->key, "exclude") == 0 && is_literal(flag->value, escape))
			sb_strv_add(&patterns, flag->value);
	}
	if (chmod != NULL && is_literal(chmod, escape) &&
		sb_mode_change_parse(chmod, &mode, err) < 0)
		return sb_error_about(err, chmod);
	if (sb_ignore_of_patterns(&patterns, &exclude, err) < 0)
		return sb_error_context(err, "--exclude");
	return check_sources(instr, escape, err);
}

static int check_expose(const struct sb_instruction *instr, char escape, struct sb_error *err)
{
	SB_AUTO_STRV ports = SB_STRV_INIT;

	for (size_t i = 0; i < instr->words.len; i++)
		if (is_literal(instr->words.items[i], escape) &&
			sb_ports_expand(instr->words.items[i], &ports, err) < 0)
			return sb_error_about(err, instr->words.items[i]);
	return 0;
}

static int check_signal(const struct sb_instruction *instr, char escape, struct sb_error *err)
{
	int number;

	if (!is_literal(instr->words.items[0], escape) ||
		sb_signal_parse(instr->words.items[0], &number, err) == 0)
		return 0;
	return sb_error_about(err, instr->words.items[0]);
}

/* MAINTAINER's and FROM's words are not among them: the one is not expanded, the other already. */
static bool is_expanded(enum sb_instruction_kind kind)
{
	static const enum sb_instruction_kind kinds[] = {SB_INSTR_COPY, SB_INSTR_ADD, SB_INSTR_ENV,
		SB_INSTR_ARG, SB_INSTR_WORKDIR, SB_INSTR_USER, SB_INSTR_LABEL, SB_INSTR_EXPOSE,
		SB_INSTR_VOLUME, SB_INSTR_STOPSIGNAL};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

static int check_word(const char *word, char escape, struct sb_error *err)
{
	return sb_expand_check(word, escape, err) < 0 ? sb_error_about(err, word) : 0;
}

static int check_words(const struct sb_instruction *instr, char escape, struct sb_error *err)
{
	if (!is_expanded(instr->kind))
		return 0;
	for (size_t i = 0; i < instr->words.len; i++)
		if (check_word(instr->words.items[i], escape, err) < 0)
			return -1;
	SB_ARRAY_FOREACH (&instr->pairs, pair)
		if (check_word(pair->key, escape, err) < 0 ||
			(pair->value != NULL && instr->kind != SB_INSTR_ARG &&
				check_word(pair->value, escape, err) < 0))
			return -1;
	return 0;
}

bool sb_instruction_is_in_config(enum sb_instruction_kind kind)
{
	static const enum sb_instruction_kind others[] = {
		SB_INSTR_FROM, SB_INSTR_ARG, SB_INSTR_RUN, SB_INSTR_COPY, SB_INSTR_ADD};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i] == kind)
			return false;
	return true;
}

int sb_config_text_check(const char *text, struct sb_error *err)
{
	if (sb_utf8_is_valid(text))
		return 0;
	(void)sb_fail(err, SB_E_SYNTAX, "'%s' is not UTF-8", text);
	return sb_error_hint(err, "an image's config is JSON, which can't hold other text");
}

static int check_kind(const struct sb_instruction *instr, char escape, struct sb_error *err)
{
	if (instr->kind == SB_INSTR_RUN)
		return check_run(instr, escape, err);
	if (instr->kind == SB_INSTR_COPY || instr->kind == SB_INSTR_ADD)
		return check_copy(instr, escape, err);
	if (instr->kind == SB_INSTR_EXPOSE)
		return check_expose(instr, escape, err);
	if (instr->kind == SB_INSTR_STOPSIGNAL)
		return check_signal(instr, escape, err);
	return 0;
}

int sb_instruction_check(const struct sb_instruction *instr, char escape, struct sb_error *err)
{
	if ((sb_instruction_is_in_config(instr->kind) &&
		    sb_config_text_check(instr->text, err) < 0) ||
		check_words(instr, escape, err) < 0 || check_kind(instr, escape, err) < 0)
		return sb_error_context(err, "%s", sb_instruction_name(instr->kind));
	return 0;
}

static int check_image(const struct sb_base *base, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};

	return base->kind == SB_BASE_IMAGE ? sb_reference_parse(base->name, &ref, err) : 0;
}

static int check_from(const struct sb_plan *plan, const struct sb_stage *stage,
	const struct sb_instruction *instr, struct sb_error *err)
{
	const char *from = instr->kind == SB_INSTR_COPY ? sb_instruction_flag(instr, "from") : NULL;
	SB_AUTO_VALUE(sb_base) base = {0};

	if (from == NULL)
		return 0;
	if (sb_plan_resolve_from(plan, stage->index, from, &base, err) < 0 ||
		check_image(&base, err) < 0) {
		(void)sb_error_about(err, from);
		return sb_error_context(err, "COPY: --from");
	}
	return 0;
}

static int check_stage(
	const struct sb_plan *plan, const struct sb_stage *stage, struct sb_error *err)
{
	if (check_image(&stage->base, err) < 0) {
		(void)sb_error_context(err, "FROM");
		return sb_error_locate(err, stage->from->at);
	}
	for (size_t i = stage->first; i < stage->end; i++) {
		const struct sb_instruction *instr = &plan->buildfile->instructions.items[i];

		if (sb_instruction_check(instr, plan->buildfile->escape, err) < 0 ||
			check_from(plan, stage, instr, err) < 0)
			return sb_error_locate(err, instr->at);
	}
	return 0;
}

int sb_plan_check(const struct sb_plan *plan, struct sb_error *err)
{
	SB_ARRAY_FOREACH (&plan->stages, stage)
		if (stage->is_needed && check_stage(plan, stage, err) < 0)
			return -1;
	return 0;
}
