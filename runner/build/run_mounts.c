/* SPDX-License-Identifier: MIT */
#include "build/run_mounts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/mount_source.h"
#include "build/run_caches.h"
#include "buildfile/mount.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mount.h"
#include "sys/tree.h"

void sb_run_mounts_release(struct sb_run_mounts *mounts)
{
	SB_ARRAY_FOREACH (&mounts->fds, fd)
		sb_fd_closep(fd);
	SB_ARRAY_RELEASE(&mounts->fds);
	SB_ARRAY_RELEASE(&mounts->views);
	sb_strv_release(&mounts->scaffold);
	sb_strv_release(&mounts->locked);
	sb_strv_release(&mounts->caches);
	sb_cache_mountpoints_release(&mounts->mountpoints);
}

/* What adding one --mount works on. */
struct adding {
	const struct sb_do *d;
	int root_fd;
	struct sb_step_spec *spec;
	struct sb_run_mounts *out;
};

static int keep(struct sb_run_mounts *out, int *fd)
{
	const int kept = sb_fd_steal(fd);

	*SB_ARRAY_ADD(&out->fds) = kept;
	return kept;
}

/* A zeroed mount whose target is resolved in the step's root. */
static int new_mount(int root_fd, const char *target, enum sb_step_mount_kind kind,
	struct sb_step_spec *spec, struct sb_run_mounts *out, struct sb_step_mount **out_mount,
	struct sb_error *err)
{
	sb_autofree char *canonical = NULL;

	if (sb_at_canonical(root_fd, target, &canonical, err) < 0) {
		(void)sb_error_context(err, "mount target '%s'", target);
		return -1;
	}
	if (strcmp(canonical, "/") == 0) {
		(void)sb_fail(
			err, SB_E_SYNTAX, "invalid mount target '%s': it is the root", target);
		return -1;
	}
	sb_strv_add(&out->scaffold, canonical);

	struct sb_step_mount *mount = SB_ARRAY_ADD(&spec->mounts);

	*mount = (struct sb_step_mount){.kind = kind, .fd = -1, .target = SB_STEAL(canonical)};
	*out_mount = mount;
	return 0;
}

int sb_run_mounts_add_file(int root_fd, const char *target, mode_t mode, const char *content,
	struct sb_step_spec *spec, struct sb_run_mounts *out, struct sb_error *err)
{
	struct sb_step_mount *mount = NULL;

	if (new_mount(root_fd, target, SB_STEP_MOUNT_FILE, spec, out, &mount, err) < 0)
		return -1;
	mount->is_file = true;
	mount->is_readonly = true;
	mount->mode = mode;
	mount->content = sb_strdup(content);
	return 0;
}

static int add_secret(
	const struct adding *a, const struct sb_mount_flag *flag, struct sb_error *err)
{
	const struct sb_secret *secret = sb_secrets_get(a->d->build->secrets, flag->id);
	struct sb_step_mount *mount = NULL;

	if (secret == NULL && flag->is_required) {
		(void)sb_fail(err, SB_E_NOT_FOUND,
			"secret '%s' is required by this step and was not given", flag->id);
		return sb_error_hint(
			err, "add --secret id=%s,src=FILE (or env=VARIABLE)", flag->id);
	}
	if (secret == NULL) {
		sb_autofree char *text = sb_asprintf(
			"secret '%s' was not given: the step runs without it", flag->id);

		sb_events_warn(&a->d->build->events, text,
			"say required=true in its mount to make that an error");
		if (flag->env != NULL)
			sb_env_set(&a->spec->env, flag->env, "");
		return 0;
	}
	a->out->has_secret = true;
	if (flag->env != NULL) {
		if (memchr(secret->bytes != NULL ? secret->bytes : "", '\0', secret->len) != NULL)
			return sb_fail(err, SB_E_USAGE,
				"secret '%s' holds a NUL byte, which a variable can't", flag->id);

		sb_autofree char *value = sb_memdup0(secret->bytes, secret->len);

		sb_env_set(&a->spec->env, flag->env, value);
		explicit_bzero(value, secret->len);
	}
	if (flag->target == NULL)
		return 0;
	if (new_mount(a->root_fd, flag->target, SB_STEP_MOUNT_SECRET, a->spec, a->out, &mount,
		    err) < 0)
		return -1;
	mount->is_file = true;
	mount->is_readonly = true;
	mount->mode = flag->mode;
	mount->uid = flag->uid;
	mount->gid = flag->gid;
	mount->fd = secret->fd;
	return 0;
}

/*
 * SSH_AUTH_SOCK names the first socket that is there. (In the reference it is the first mount's,
 * there or not; then ssh is told of an agent that it can't reach, and does not see the second
 * mount's.)
 */
static int add_ssh(const struct adding *a, const struct sb_mount_flag *flag, struct sb_error *err)
{
	const struct sb_ssh_agent *agent = sb_ssh_agents_get(a->d->build->ssh, flag->id);
	sb_autofree char *target =
		flag->target != NULL ? sb_strdup(flag->target)
				     : sb_asprintf("/run/buildkit/ssh_agent.%u", a->out->n_ssh);
	struct sb_step_mount *mount = NULL;

	a->out->n_ssh++;
	if (agent == NULL && flag->is_required) {
		(void)sb_fail(err, SB_E_NOT_FOUND,
			"no SSH key '%s' is forwarded to this build, and the step requires it",
			flag->id);
		return sb_error_hint(err, "add --ssh %s, or --ssh %s=PATH of a socket or key",
			flag->id, flag->id);
	}
	if (agent == NULL) {
		sb_autofree char *text = sb_asprintf(
			"no SSH key '%s' is forwarded to this build: the step runs without it",
			flag->id);

		sb_events_warn(&a->d->build->events, text,
			"say required=true in its mount to make that an error");
		return 0;
	}
	if (new_mount(a->root_fd, target, SB_STEP_MOUNT_AGENT, a->spec, a->out, &mount, err) < 0)
		return -1;
	mount->is_file = true;
	mount->is_readonly = true;
	mount->is_raw = agent->is_raw;
	mount->mode = flag->mode;
	mount->uid = flag->uid;
	mount->gid = flag->gid;
	mount->fd = sb_ssh_agent_fd(agent);
	if (!a->out->has_ssh && sb_env_get(&a->spec->env, "SSH_AUTH_SOCK") == NULL)
		sb_env_set(&a->spec->env, "SSH_AUTH_SOCK", mount->target);
	a->out->has_ssh = true;
	return 0;
}

static int add_tmpfs(const struct adding *a, const struct sb_mount_flag *flag, struct sb_error *err)
{
	struct sb_step_mount *mount = NULL;

	if (new_mount(a->root_fd, flag->target, SB_STEP_MOUNT_TMPFS, a->spec, a->out, &mount, err) <
		0)
		return -1;
	mount->mode = 01777;
	mount->size_bytes = flag->size_bytes;
	mount->is_readonly = flag->is_readonly;
	return 0;
}

int sb_run_mounts_add_tree(int root_fd, const char *target, int mount_fd, struct sb_step_spec *spec,
	struct sb_run_mounts *out, struct sb_error *err)
{
	struct sb_step_mount *mount = NULL;
	struct stat st;

	if (fstat(mount_fd, &st) < 0)
		return sb_fail_errno(err, "'%s'", target);
	if (new_mount(root_fd, target, SB_STEP_MOUNT_TREE, spec, out, &mount, err) < 0)
		return -1;
	mount->is_file = !S_ISDIR(st.st_mode);
	mount->fd = mount_fd;
	return 0;
}

/* Adds the tree that fd refers to (a mount is cloned from it). */
static int add_tree(
	const struct adding *a, const char *target, int fd, bool is_readonly, struct sb_error *err)
{
	const uint64_t attrs =
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (is_readonly ? MOUNT_ATTR_RDONLY : 0);
	sb_autofd int tree = -1;

	if (sb_mount_clone(fd, false, attrs, &tree, err) < 0 ||
		sb_run_mounts_add_tree(a->root_fd, target, tree, a->spec, a->out, err) < 0)
		return -1;
	a->spec->mounts.items[a->spec->mounts.len - 1].is_readonly = is_readonly;
	(void)keep(a->out, &tree);
	return 0;
}

/* A copy in a folder that the build throws away at its end. */
static int copy_tree(const struct adding *a, const struct sb_mount_source *source,
	const struct sb_upper *upper, int *out_fd, struct sb_error *err)
{
	const int snapshots = sb_snapshots_fd(a->d->build->snapshots);

	if (sb_at_open_dir(snapshots, upper->diff, SB_AT_NO_LINKS, out_fd, err) < 0)
		return -1;
	return sb_mount_source_copy(a->d->build, source, *out_fd, "/tree", NULL, err);
}

/*
 * The context is never mounted itself: a step would see what the ignore file keeps out, and files
 * that belong to the user. It gets a view of it, or a copy where the host can't make one; and a
 * copy of a part of another root that is mounted read-write, whose changes are thrown away.
 */
static int add_made(const struct adding *a, const struct sb_mount_flag *flag,
	const struct sb_mount_source *source, struct sb_error *err)
{
	struct sb_build *build = a->d->build;
	const struct sb_context_view *view = NULL;
	SB_AUTO_VALUE(sb_upper) upper = {0};
	sb_autofd int root = -1;
	sb_autofd int tree = -1;

	if (!flag->is_readonly && sb_snapshots_new_upper(build->snapshots, &upper, err) < 0)
		return -1;
	if (source->is_context && sb_context_view_open(build, source,
					  flag->is_readonly ? NULL : &upper, &root, &view, err) < 0)
		return -1;
	if (view != NULL)
		*SB_ARRAY_ADD(&a->out->views) = view;
	else if ((upper.diff == NULL &&
			 sb_snapshots_new_upper(build->snapshots, &upper, err) < 0) ||
		 copy_tree(a, source, &upper, &root, err) < 0)
		return -1;
	if (sb_at_open(root, "tree", SB_AT_NO_LINKS, O_PATH, &tree, err) < 0)
		return -1;
	return add_tree(a, flag->target, tree, flag->is_readonly, err);
}

static int add_bind(const struct adding *a, const struct sb_mount_flag *flag, struct sb_error *err)
{
	sb_autofd int from = -1;
	sb_autofd int tree = -1;
	struct sb_mount_source source = {.path = flag->source != NULL ? flag->source : "/"};

	if (sb_do_open_from(a->d, flag->from, &from, &source.is_context, &source.ignore, err) < 0)
		return -1;
	source.fd = from;
	if (source.is_context || !flag->is_readonly)
		return add_made(a, flag, &source, err) < 0 ? sb_error_context(err, "bind mount")
							   : 0;
	if (sb_snapshots_settle(a->d->build->snapshots, from, err) < 0 ||
		sb_at_open(from, source.path, SB_AT_IN_ROOT, O_PATH, &tree, err) < 0)
		return sb_error_context(err, "bind mount: source");
	return add_tree(a, flag->target, tree, true, err);
}

static int seed_cache(const struct adding *a, const struct sb_mount_flag *flag, int cache_fd,
	struct sb_error *err)
{
	struct sb_mount_source source = {.path = flag->source != NULL ? flag->source : "/"};
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int from = -1;

	if (flag->from == NULL)
		return 0;
	if (sb_tree_list(cache_fd, &names, err) < 0)
		return -1;
	if (names.len > 0)
		return 0;
	if (sb_do_open_from(a->d, flag->from, &from, &source.is_context, &source.ignore, err) < 0)
		return -1;
	source.fd = from;
	return sb_mount_source_copy(a->d->build, &source, cache_fd, "/", NULL, err);
}

/* The folder of the cache that is mounted, in place of the cache. */
static int open_cache_part(const struct sb_mount_flag *flag, int *fd, struct sb_error *err)
{
	sb_autofd int part = -1;

	if (flag->from != NULL || flag->source == NULL || strcmp(flag->source, "/") == 0)
		return 0;
	if (sb_at_open_dir(*fd, flag->source, SB_AT_IN_ROOT, &part, err) < 0)
		return -1;
	sb_fd_closep(fd);
	*fd = sb_fd_steal(&part);
	return 0;
}

static int add_cache(const struct adding *a, const struct sb_mount_flag *flag, struct sb_error *err)
{
	sb_autofd int fd = -1;

	if (sb_run_caches_open(a->d, flag, a->out, &fd, err) < 0 ||
		seed_cache(a, flag, fd, err) < 0 || open_cache_part(flag, &fd, err) < 0)
		return sb_error_context(err, "cache mount '%s'", flag->id);
	if (add_tree(a, flag->target, fd, flag->is_readonly, err) < 0)
		return -1;
	if (!flag->is_readonly)
		sb_cache_mountpoints_add_root(&a->out->mountpoints, &fd,
			a->spec->mounts.items[a->spec->mounts.len - 1].target);
	return 0;
}

static int add_flag(const struct adding *a, const struct sb_mount_flag *flag, struct sb_error *err)
{
	switch (flag->type) {
	case SB_MOUNT_BIND:
		return add_bind(a, flag, err);
	case SB_MOUNT_CACHE:
		return add_cache(a, flag, err);
	case SB_MOUNT_TMPFS:
		return add_tmpfs(a, flag, err);
	case SB_MOUNT_SECRET:
		return add_secret(a, flag, err);
	case SB_MOUNT_SSH:
		return add_ssh(a, flag, err);
	}
	return sb_fail(err, SB_E_BUG, "a mount of no known type");
}

static int fail_flag(const char *text, struct sb_error *err)
{
	(void)sb_error_about(err, text);
	return sb_error_context(err, "--mount");
}

/* The n-th --mount as it is written. */
static const char *text_of(const struct sb_do *d, size_t n)
{
	SB_ARRAY_FOREACH (&d->instr->flags, flag)
		if (strcmp(flag->key, "mount") == 0 && n-- == 0)
			return flag->value;
	return NULL;
}

static void flags_release(struct sb_mount_flags *flags)
{
	SB_ARRAY_FOREACH (flags, flag)
		sb_mount_flag_release(flag);
	SB_ARRAY_RELEASE(flags);
}

static int parse_flags(const struct sb_do *d, struct sb_mount_flags *flags, struct sb_error *err)
{
	const struct sb_mount_scope scope = {.workdir = sb_stage_state_workdir(d->state),
		.env = &d->state->env,
		.escape = d->state->escape};

	SB_ARRAY_FOREACH (&d->instr->flags, flag) {
		if (strcmp(flag->key, "mount") != 0)
			continue;

		struct sb_mount_flag *parsed = SB_ARRAY_ADD(flags);

		*parsed = (struct sb_mount_flag){0};
		if (sb_mount_parse_env(flag->value, &scope, parsed, err) < 0)
			return fail_flag(flag->value, err);
	}
	return 0;
}

int sb_run_mounts_add(const struct sb_do *d, int root_fd, struct sb_step_spec *spec,
	struct sb_run_mounts *out, struct sb_error *err)
{
	const struct adding a = {.d = d, .root_fd = root_fd, .spec = spec, .out = out};
	__attribute__((cleanup(flags_release))) struct sb_mount_flags flags = {0};
	size_t failed = 0;

	if (parse_flags(d, &flags, err) < 0)
		return -1;
	if (sb_run_caches_lock(d, &flags, out, &failed, err) < 0)
		return fail_flag(text_of(d, failed), err);
	for (size_t i = 0; i < flags.len; i++)
		if (add_flag(&a, &flags.items[i], err) < 0)
			return fail_flag(text_of(d, i), err);
	return 0;
}

int sb_run_mounts_distrust(const struct sb_run_mounts *mounts, struct sb_build *build,
	const struct sb_upper *upper, struct sb_error *err)
{
	for (size_t i = 0; mounts->has_secret && i < mounts->caches.len; i++)
		if (sb_snapshots_distrust_cache(
			    build->snapshots, upper, mounts->caches.items[i], err) < 0)
			return sb_error_context(err, "cache mount");
	return 0;
}

int sb_run_mounts_trust(const struct sb_run_mounts *mounts, struct sb_build *build,
	const struct sb_upper *upper, struct sb_error *err)
{
	for (size_t i = 0; mounts->has_secret && i < mounts->caches.len; i++)
		if (sb_snapshots_trust_cache(
			    build->snapshots, upper, mounts->caches.items[i], err) < 0)
			return sb_error_context(err, "cache mount");
	return 0;
}

int sb_run_mounts_check_contexts(
	const struct sb_run_mounts *mounts, const struct sb_build *build, struct sb_error *err)
{
	SB_ARRAY_FOREACH (&mounts->views, view)
		if (sb_context_view_check(*view, build->interrupt, err) < 0)
			return -1;
	return 0;
}

void sb_run_mounts_sort(struct sb_step_spec *spec, struct sb_run_mounts *mounts)
{
	/* By insertion: they are few, and those on one target keep their order. */
	for (size_t i = 1; i < spec->mounts.len; i++) {
		const struct sb_step_mount mount = spec->mounts.items[i];
		size_t at = i;

		for (; at > 0 && strcmp(spec->mounts.items[at - 1].target, mount.target) > 0; at--)
			spec->mounts.items[at] = spec->mounts.items[at - 1];
		spec->mounts.items[at] = mount;
	}
	sb_cache_mountpoints_find(&mounts->mountpoints, spec);
}
