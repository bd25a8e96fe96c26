/* SPDX-License-Identifier: MIT */
#include "plan/key.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "buildfile/mount.h"

/* Changes with what the fields mean: then no older record fits. */
static const char version[] = "1";

void sb_key_release(struct sb_key *key)
{
	sb_buf_release(&key->material);
}

void sb_key_bytes(struct sb_key *key, const char *field, const void *bytes, size_t len)
{
	SB_AUTO_ERROR full = SB_ERROR_INIT;

	if (key->is_too_large)
		return;
	if (sb_buf_addf(&key->material, &full, "%s %zu ", field, len) < 0 ||
		sb_buf_add(&key->material, bytes, len, &full) < 0 ||
		sb_buf_add_char(&key->material, '\n', &full) < 0) {
		sb_error_ignore(&full, "the step runs each time then");
		key->is_too_large = true;
	}
}

void sb_key_text(struct sb_key *key, const char *field, const char *text)
{
	if (text == NULL)
		sb_key_bytes(key, "none", field, strlen(field));
	else
		sb_key_bytes(key, field, text, strlen(text));
}

void sb_key_number(struct sb_key *key, const char *field, int64_t number)
{
	sb_autofree char *text = sb_asprintf("%" PRId64, number);

	sb_key_text(key, field, text);
}

void sb_key_list(struct sb_key *key, const char *field, const struct sb_strv *list)
{
	sb_key_number(key, field, (int64_t)list->len);
	for (size_t i = 0; i < list->len; i++)
		sb_key_text(key, "item", list->items[i]);
}

bool sb_key_equal(const struct sb_key *a, const struct sb_key *b)
{
	return a->material.len == b->material.len &&
	       memcmp(a->material.data, b->material.data, a->material.len) == 0;
}

void sb_key_finish(const struct sb_key *key, struct sb_digest *out)
{
	sb_digest_of(key->material.data, key->material.len, out);
}

void sb_key_chain(
	const struct sb_digest *below, const struct sb_digest *diff_id, struct sb_digest *out)
{
	SB_AUTO_VALUE(sb_key) key = SB_KEY_INIT;

	sb_key_text(&key, "chain", below->text);
	sb_key_text(&key, "layer", diff_id->text);
	sb_key_finish(&key, out);
}

static void add_scope(struct sb_key *key, const char *kind, const struct sb_step_scope *scope)
{
	sb_key_text(key, "version", version);
	sb_key_text(key, "step", kind);
	sb_key_text(key, "parent", scope->parent.text);
	sb_key_number(key, "single id", scope->is_single_id);
	sb_key_number(key, "epoch", scope->source_date_epoch);
}

/* As in the reference: another address is no reason to run a step again. */
static void add_host_names(struct sb_key *key, const struct sb_strv *hosts)
{
	for (size_t i = 0; i < hosts->len; i++) {
		const char *blank = strpbrk(hosts->items[i], " \t");

		sb_key_text(key, "host", blank != NULL ? blank + 1 : hosts->items[i]);
	}
}

static void add_access(struct sb_key *key, const struct sb_mount_flag *flag)
{
	sb_key_number(key, "mode", flag->mode);
	sb_key_number(key, "uid", flag->uid);
	sb_key_number(key, "gid", flag->gid);
}

/* What a cache mount holds, and which one it is, is never a reason to run a step. */
static void add_mount(struct sb_key *key, const struct sb_mount_key *mount)
{
	const struct sb_mount_flag *flag = mount->flag;

	sb_key_text(key, "mount", sb_mount_type_name(flag->type));
	sb_key_text(key, "target", flag->target);
	sb_key_number(key, "read-only", flag->is_readonly);
	switch (flag->type) {
	case SB_MOUNT_BIND:
		sb_key_text(key, "content", mount->content.text);
		break;
	case SB_MOUNT_CACHE:
		sb_key_text(key, "from", flag->from);
		sb_key_text(key, "source", flag->source);
		add_access(key, flag);
		break;
	case SB_MOUNT_TMPFS:
		sb_key_bytes(key, "size", &flag->size_bytes, sizeof(flag->size_bytes));
		break;
	case SB_MOUNT_SECRET:
	case SB_MOUNT_SSH:
		sb_key_text(key, "id", flag->id);
		sb_key_text(key, "variable", flag->env);
		sb_key_number(key, "required", flag->is_required);
		sb_key_number(key, "given", flag->is_required || mount->is_given);
		sb_key_text(key, "rekey", mount->rekey.text);
		key->is_private = key->is_private || sb_digest_is_set(&mount->rekey);
		add_access(key, flag);
		break;
	}
}

void sb_key_of_run(const struct sb_run_key *run, struct sb_key *out)
{
	sb_autofree char *platform = sb_platform_format(run->platform);

	add_scope(out, "RUN", &run->scope);
	sb_key_text(out, "platform", platform);
	sb_key_list(out, "argv", run->argv);
	sb_key_text(out, "script", run->script);
	sb_key_list(out, "env", run->env);
	sb_key_text(out, "cwd", run->cwd);
	sb_key_text(out, "user", run->user);
	sb_key_text(out, "hostname", run->hostname);
	add_host_names(out, run->add_hosts);
	sb_key_text(out, "network", run->network);
	sb_key_number(out, "no new privileges", run->no_new_privs);
	SB_ARRAY_FOREACH (&run->mounts, mount)
		add_mount(out, mount);
}

void sb_key_of_copy(const struct sb_copy_key *copy, struct sb_key *out)
{
	struct sb_step_scope scope = copy->scope;

	if (copy->is_link)
		scope.parent = (struct sb_digest){0};
	add_scope(out, "COPY", &scope);
	sb_key_text(out, "workdir", copy->workdir);
	sb_key_text(out, "dest", copy->dest);
	sb_key_text(out, "chown", copy->chown);
	sb_key_text(out, "chmod", copy->chmod);
	sb_key_number(out, "add", copy->is_add);
	sb_key_text(out, "unpack", copy->unpack);
	sb_key_number(out, "parents", copy->has_parents);
	sb_key_number(out, "link", copy->is_link);
	SB_ARRAY_FOREACH (&copy->contents, content)
		sb_key_text(out, "content", content->text);
	for (size_t i = 0; i < copy->n_heredocs; i++) {
		sb_key_text(out, "heredoc", copy->heredocs[i].name);
		sb_key_bytes(out, "body", copy->heredocs[i].body, copy->heredocs[i].len);
	}
}

void sb_key_of_workdir(
	const struct sb_step_scope *scope, const char *path, const char *user, struct sb_key *out)
{
	add_scope(out, "WORKDIR", scope);
	sb_key_text(out, "path", path);
	sb_key_text(out, "user", user);
}
