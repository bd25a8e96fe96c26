/* SPDX-License-Identifier: MIT */
#include "build/instructions.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/commit.h"
#include "build/created_by.h"
#include "buildfile/expand.h"
#include "buildfile/healthcheck.h"
#include "buildfile/ports.h"
#include "buildfile/stop_signal.h"
#include "plan/check.h"

int sb_do_expand(const struct sb_do *d, const char *word, char **out, struct sb_error *err)
{
	sb_autofree char *text = NULL;

	if (sb_expand_word(word, &d->state->env, d->state->escape, &text, err) < 0)
		return sb_error_about(err, word);
	/* The words were looked at before anything ran, but not what arguments put into them. */
	if (text != NULL && sb_instruction_is_in_config(d->instr->kind) &&
		sb_config_text_check(text, err) < 0)
		return -1;
	*out = SB_STEAL(text);
	return 0;
}

bool sb_do_in_result(const struct sb_do *d)
{
	return d->build->in_result.items[d->stage];
}

/* created_by as the reference words it: "NAME rest". */
static void note(const struct sb_do *d, const char *rest)
{
	sb_autofree char *text = sb_asprintf("%s %s", sb_instruction_name(d->instr->kind), rest);

	sb_commit_metadata(d->build, d->state, text);
}

/* The instruction's pairs with both sides expanded, all from the state before it ("k=v" items). */
static int expand_pairs(const struct sb_do *d, struct sb_strv *out, struct sb_error *err)
{
	SB_ARRAY_FOREACH (&d->instr->pairs, pair) {
		sb_autofree char *key = NULL;
		sb_autofree char *value = NULL;

		if (sb_do_expand(d, pair->key, &key, err) < 0 ||
			sb_do_expand(d, pair->value, &value, err) < 0)
			return -1;
		sb_strv_addf(out, "%s=%s", key, value);
	}
	return 0;
}

static void set_all(struct sb_strv *to, const struct sb_strv *pairs)
{
	for (size_t i = 0; i < pairs->len; i++) {
		const char *equals = strchr(pairs->items[i], '=');
		sb_autofree char *key =
			sb_memdup0(pairs->items[i], (size_t)(equals - pairs->items[i]));

		sb_env_set(to, key, equals + 1);
	}
}

static int do_env(const struct sb_do *d, struct sb_error *err)
{
	SB_AUTO_STRV pairs = SB_STRV_INIT;

	if (expand_pairs(d, &pairs, err) < 0)
		return -1;

	sb_autofree char *text = sb_strv_join(&pairs, " ");

	set_all(&d->state->config->env, &pairs);
	set_all(&d->state->env, &pairs);
	note(d, text);
	return 0;
}

static int do_label(const struct sb_do *d, struct sb_error *err)
{
	SB_AUTO_STRV pairs = SB_STRV_INIT;

	if (expand_pairs(d, &pairs, err) < 0)
		return -1;

	sb_autofree char *text = sb_strv_join(&pairs, " ");

	set_all(&d->state->config->labels, &pairs);
	note(d, text);
	return 0;
}

/*
 * build-arg, then the default here, then the global ARG of that name, then none. The history gets
 * the names: a value may be a secret, and is nobody's business but the build's.
 */
static int do_arg(const struct sb_do *d, struct sb_error *err)
{
	const struct sb_plan *plan = d->build->plan;
	SB_AUTO_STRV names = SB_STRV_INIT;

	SB_ARRAY_FOREACH (&d->instr->pairs, pair) {
		sb_autofree char *value =
			sb_strdup_or_null(sb_env_get(&plan->build_args, pair->key));

		if (value == NULL && pair->value != NULL &&
			sb_do_expand(d, pair->value, &value, err) < 0)
			return -1;
		if (value == NULL)
			value = sb_strdup_or_null(sb_env_get(&plan->global_args, pair->key));
		if (value != NULL)
			sb_env_set(&d->state->env, pair->key, value);
		sb_strv_add(&names, pair->key);
	}

	sb_autofree char *text = sb_strv_join(&names, " ");

	note(d, text);
	return 0;
}

/* The command as the config stores it: exec form, or the shell with the text. */
static void resolve_command(const struct sb_do *d, struct sb_strv *out)
{
	if (d->instr->command.is_exec) {
		sb_strv_copy(out, &d->instr->command.exec);
		return;
	}
	sb_strv_clear(out);
	sb_stage_state_shell(d->state, out);
	sb_strv_add(out, d->instr->command.shell);
}

static int do_cmd(const struct sb_do *d, struct sb_error *err)
{
	struct sb_image_config *config = d->state->config;

	(void)err;
	resolve_command(d, &config->cmd);
	config->has_cmd = true;
	config->args_escaped = true;
	d->state->has_own_cmd = true;

	sb_autofree char *text = sb_created_by_quoted(&config->cmd);

	note(d, text);
	return 0;
}

static int do_entrypoint(const struct sb_do *d, struct sb_error *err)
{
	struct sb_image_config *config = d->state->config;

	(void)err;
	resolve_command(d, &config->entrypoint);
	config->has_entrypoint = config->entrypoint.len > 0;
	if (!d->state->has_own_cmd) {
		sb_strv_clear(&config->cmd);
		config->has_cmd = false;
	}

	sb_autofree char *text = sb_created_by_quoted(&config->entrypoint);

	note(d, text);
	return 0;
}

static int do_shell(const struct sb_do *d, struct sb_error *err)
{
	(void)err;
	sb_strv_copy(&d->state->config->shell, &d->instr->command.exec);

	sb_autofree char *text = sb_created_by_list(&d->state->config->shell);

	note(d, text);
	return 0;
}

/* One word, expanded: USER, STOPSIGNAL. */
static int one_word(const struct sb_do *d, char **out, struct sb_error *err)
{
	return sb_do_expand(d, d->instr->words.items[0], out, err);
}

static int do_user(const struct sb_do *d, struct sb_error *err)
{
	sb_autofree char *user = NULL;

	if (one_word(d, &user, err) < 0)
		return -1;
	if (user[0] == '\0')
		return sb_fail(err, SB_E_SYNTAX, "USER is blank after its variables are expanded");
	note(d, user);
	free(d->state->config->user);
	d->state->config->user = SB_STEAL(user);
	return 0;
}

static int do_stopsignal(const struct sb_do *d, struct sb_error *err)
{
	sb_autofree char *signal = NULL;
	int number = 0;

	if (one_word(d, &signal, err) < 0 || sb_signal_parse(signal, &number, err) < 0)
		return -1;
	note(d, signal);
	free(d->state->config->stop_signal);
	d->state->config->stop_signal = SB_STEAL(signal);
	return 0;
}

static int do_maintainer(const struct sb_do *d, struct sb_error *err)
{
	(void)err;
	free(d->state->config->author);
	d->state->config->author = sb_strdup(d->instr->words.items[0]);
	note(d, d->state->config->author);
	return 0;
}

static int do_expose(const struct sb_do *d, struct sb_error *err)
{
	SB_AUTO_STRV words = SB_STRV_INIT;
	SB_AUTO_STRV ports = SB_STRV_INIT;

	for (size_t i = 0; i < d->instr->words.len; i++)
		if (sb_expand_words(d->instr->words.items[i], &d->state->env, d->state->escape,
			    &words, err) < 0)
			return sb_error_about(err, d->instr->words.items[i]);
	sb_strv_sort(&words); /* before ranges are expanded, as the history shows them */
	for (size_t i = 0; i < words.len; i++)
		if (sb_ports_expand(words.items[i], &ports, err) < 0)
			return sb_error_about(err, words.items[i]);
	for (size_t i = 0; i < ports.len; i++)
		if (!sb_strv_contains(&d->state->config->exposed_ports, ports.items[i]))
			sb_strv_add(&d->state->config->exposed_ports, ports.items[i]);
	sb_strv_sort(&d->state->config->exposed_ports);

	sb_autofree char *text = sb_created_by_list(&ports);

	note(d, text);
	return 0;
}

static int do_volume(const struct sb_do *d, struct sb_error *err)
{
	SB_AUTO_STRV volumes = SB_STRV_INIT;

	for (size_t i = 0; i < d->instr->words.len; i++) {
		sb_autofree char *volume = NULL;

		if (sb_do_expand(d, d->instr->words.items[i], &volume, err) < 0)
			return -1;
		if (volume[strspn(volume, " \t")] == '\0')
			return sb_fail(
				err, SB_E_SYNTAX, "VOLUME specified can not be an empty string");
		sb_strv_add_nodup(&volumes, SB_STEAL(volume));
	}
	for (size_t i = 0; i < volumes.len; i++)
		if (!sb_strv_contains(&d->state->config->volumes, volumes.items[i]))
			sb_strv_add(&d->state->config->volumes, volumes.items[i]);
	sb_strv_sort(&d->state->config->volumes);

	sb_autofree char *text = sb_created_by_list(&volumes);

	note(d, text);
	return 0;
}

static int do_healthcheck(const struct sb_do *d, struct sb_error *err)
{
	struct sb_healthcheck_times times = {0};
	struct sb_healthcheck check = {0};

	if (sb_healthcheck_flags(d->instr, &times, err) < 0)
		return -1;
	check.interval_ns = times.interval_ns;
	check.timeout_ns = times.timeout_ns;
	check.start_period_ns = times.start_period_ns;
	check.start_interval_ns = times.start_interval_ns;
	check.retries = times.retries;
	if (d->instr->is_none) {
		sb_strv_add(&check.test, "NONE");
	} else {
		sb_strv_add(&check.test, d->instr->command.is_exec ? "CMD" : "CMD-SHELL");
		if (d->instr->command.is_exec)
			sb_strv_add_all(&check.test, &d->instr->command.exec);
		else
			sb_strv_add(&check.test, d->instr->command.shell);
	}
	sb_strv_release(&d->state->config->healthcheck.test);
	d->state->config->healthcheck = check;
	d->state->config->has_healthcheck = true;

	sb_autofree char *text = sb_created_by_healthcheck(&check);

	note(d, text);
	return 0;
}

static int do_onbuild(const struct sb_do *d, struct sb_error *err)
{
	(void)err;
	sb_strv_add(&d->state->config->onbuild, d->instr->trigger->text);
	return 0;
}

static const struct {
	enum sb_instruction_kind kind;
	int (*run)(const struct sb_do *d, struct sb_error *err);
} table[] = {
	{SB_INSTR_RUN, sb_do_run},
	{SB_INSTR_COPY, sb_do_copy},
	{SB_INSTR_ADD, sb_do_copy},
	{SB_INSTR_WORKDIR, sb_do_workdir},
	{SB_INSTR_ENV, do_env},
	{SB_INSTR_ARG, do_arg},
	{SB_INSTR_LABEL, do_label},
	{SB_INSTR_CMD, do_cmd},
	{SB_INSTR_ENTRYPOINT, do_entrypoint},
	{SB_INSTR_SHELL, do_shell},
	{SB_INSTR_USER, do_user},
	{SB_INSTR_STOPSIGNAL, do_stopsignal},
	{SB_INSTR_MAINTAINER, do_maintainer},
	{SB_INSTR_EXPOSE, do_expose},
	{SB_INSTR_VOLUME, do_volume},
	{SB_INSTR_HEALTHCHECK, do_healthcheck},
	{SB_INSTR_ONBUILD, do_onbuild},
};

int sb_do_instruction(const struct sb_do *d, struct sb_error *err)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].kind != d->instr->kind)
			continue;
		return table[i].run(d, err) < 0 ? sb_error_locate(err, d->instr->at) : 0;
	}
	return sb_fail_at(err, SB_E_BUG, d->instr->at, "no function for %s",
		sb_instruction_name(d->instr->kind));
}
