/* SPDX-License-Identifier: MIT */
#include "build/step_key.h"

#include <string.h>

#include "base/mem.h"
#include "build/from.h"
#include "build/run_command.h"
#include "buildfile/mount.h"

struct sb_step_scope sb_step_scope_of(const struct sb_do *d)
{
	return (struct sb_step_scope){.parent = *sb_stage_state_chain(d->state),
		.is_single_id = d->build->host->mode == SB_IDS_SINGLE,
		.source_date_epoch = d->build->source_date_epoch};
}

/* By name: what "default" comes to is the host's, and no reason to run a step again. */
static const char *network_of(const struct sb_do *d)
{
	const char *flag = sb_instruction_flag(d->instr, "network");

	return flag != NULL && strcmp(flag, "default") != 0 ? flag : d->build->network_name;
}

int sb_step_key_failed(struct sb_error *failed, struct sb_error *err)
{
	if (failed->code == SB_E_CANCELLED) {
		sb_error_move(err, failed);
		return -1;
	}
	sb_error_ignore(failed, "the step says it when it runs");
	return 0;
}

/* The mounts' flags and what the keys borrow of them. */
struct run_material {
	SB_ARRAY(struct sb_mount_flag) flags;
	struct sb_key *stamps; /* borrowed */
	struct sb_strv argv;
	struct sb_run_key run;
};

static void run_material_release(struct run_material *m)
{
	SB_ARRAY_FOREACH (&m->flags, flag)
		sb_mount_flag_release(flag);
	SB_ARRAY_RELEASE(&m->flags);
	SB_ARRAY_RELEASE(&m->run.mounts);
	sb_strv_release(&m->argv);
}

/* out NULL: only the stamp. */
static int digest_bind(const struct sb_do *d, const struct sb_mount_flag *flag,
	struct sb_digest *out, struct sb_key *stamps, struct sb_error *err)
{
	const char *source = flag->source != NULL ? flag->source : "/";
	SB_AUTO_VALUE(sb_from) from = {.fd = -1};
	SB_AUTO_STRV sources = SB_STRV_INIT;
	SB_AUTO_STRV unheard = SB_STRV_INIT;

	if (sb_from_find(d, flag->from, &from, err) < 0)
		return -1;
	if (!from.is_context && from.state->is_unknown)
		return sb_fail(err, SB_E_NOT_FOUND, "a stage that is not built");
	/* The whole of an image is known without reading it. */
	if (!from.is_context && strcmp(source, "/") == 0) {
		if (out != NULL)
			*out = *sb_stage_state_chain(from.state);
		return 0;
	}
	sb_strv_add(&sources, source);

	const struct sb_copy copy = {.sources = &sources, .is_literal = true, .warnings = &unheard};
	struct sb_digest stamp = {0};
	const int rc = out != NULL ? sb_from_digest(d, &from, copy, out, &stamp, err)
				   : sb_from_stamp(d, &from, copy, &stamp, err);

	sb_key_text(stamps, "stamp", stamp.text);
	return rc;
}

static int digest_secret(const struct sb_do *d, const struct sb_mount_flag *flag,
	struct sb_mount_key *out, struct sb_error *err)
{
	const struct sb_build *build = d->build;
	const struct sb_secret *secret = sb_secrets_get(build->secrets, flag->id);

	out->is_given = secret != NULL;
	if (secret == NULL || !sb_strv_contains(&build->rekey_secrets, flag->id))
		return 0;
	return sb_cache_keyed_digest(build->cache, secret->bytes != NULL ? secret->bytes : "",
		secret->len, &out->rekey, err);
}

static int add_mount_keys(const struct sb_do *d, struct run_material *m, struct sb_error *err)
{
	SB_ARRAY_FOREACH (&m->flags, flag) {
		struct sb_mount_key *key = SB_ARRAY_ADD(&m->run.mounts);

		key->flag = flag;
		if (flag->type == SB_MOUNT_BIND &&
			digest_bind(d, flag, &key->content, m->stamps, err) < 0)
			return -1;
		if (flag->type == SB_MOUNT_SECRET && digest_secret(d, flag, key, err) < 0)
			return -1;
		if (flag->type == SB_MOUNT_SSH)
			key->is_given = sb_ssh_agents_get(d->build->ssh, flag->id) != NULL;
	}
	return 0;
}

static int parse_mounts(const struct sb_do *d, struct run_material *m, struct sb_error *err)
{
	const struct sb_mount_scope scope = {.workdir = sb_stage_state_workdir(d->state),
		.env = &d->state->env,
		.escape = d->state->escape};

	SB_ARRAY_FOREACH (&d->instr->flags, flag)
		if (strcmp(flag->key, "mount") == 0 &&
			sb_mount_parse_env(flag->value, &scope, SB_ARRAY_ADD(&m->flags), err) < 0)
			return -1;
	return 0;
}

static int make_run_key(
	const struct sb_do *d, struct sb_key *out, struct sb_key *stamps, struct sb_error *err)
{
	__attribute__((cleanup(run_material_release))) struct run_material m = {.stamps = stamps};
	const struct sb_build *build = d->build;
	const struct sb_heredoc *script = sb_run_command(d, &m.argv);

	if (parse_mounts(d, &m, err) < 0 || add_mount_keys(d, &m, err) < 0)
		return -1;
	m.run.scope = sb_step_scope_of(d);
	m.run.platform = &d->state->config->platform;
	m.run.argv = &m.argv;
	m.run.script = script != NULL ? script->body : NULL;
	m.run.env = &d->state->env;
	m.run.cwd = sb_stage_state_workdir(d->state);
	m.run.user = d->state->config->user;
	m.run.hostname = sb_env_get(&build->plan->build_args, "BUILDKIT_SANDBOX_HOSTNAME");
	m.run.add_hosts = &build->add_hosts;
	m.run.network = network_of(d);
	m.run.no_new_privs = build->no_new_privs;
	sb_key_of_run(&m.run, out);
	return 0;
}

int sb_step_key_run(const struct sb_do *d, struct sb_key *out, struct sb_key *stamps, bool *out_has,
	struct sb_error *err)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	*out_has = false;
	if (d->build->cache == NULL || d->state->is_unknown)
		return 0;
	*out_has = make_run_key(d, out, stamps, &failed) == 0;
	return *out_has ? 0 : sb_step_key_failed(&failed, err);
}

static int stamp_binds(const struct sb_do *d, struct sb_key *stamps, struct sb_error *err)
{
	__attribute__((cleanup(run_material_release))) struct run_material m = {0};

	if (parse_mounts(d, &m, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&m.flags, flag)
		if (flag->type == SB_MOUNT_BIND && digest_bind(d, flag, NULL, stamps, err) < 0)
			return -1;
	return 0;
}

int sb_step_key_is_current(
	const struct sb_do *d, const struct sb_key *stamps, bool *out_is, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_key) now = SB_KEY_INIT;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	*out_is = stamps->material.len == 0;
	if (*out_is)
		return 0;
	if (stamp_binds(d, &now, &failed) < 0)
		return sb_step_key_failed(&failed, err);
	*out_is = sb_key_equal(stamps, &now);
	return 0;
}
