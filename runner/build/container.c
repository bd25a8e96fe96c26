/* SPDX-License-Identifier: MIT */
#include "build/container.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/container_env.h"
#include "build/instructions.h"
#include "build/network.h"
#include "build/run_mounts.h"
#include "build/stack.h"
#include "buildfile/mount.h"
#include "buildfile/stop_signal.h"
#include "sandbox/network.h"
#include "sandbox/publish.h"
#include "sandbox/users.h"
#include "sys/at.h"
#include "sys/fd.h"
#include "sys/mount.h"

static const char default_hostname[] = "safebuild";

struct container {
	struct sb_build *build;
	struct sb_stage_state *state;
	const struct sb_run_options *o;
	struct sb_step_spec spec;
	struct sb_run_mounts mounts;
	struct sb_upper upper;
	int root_fd;   /* read-only view of the image */
	int layers_fd; /* a detached mount of the unpacked layers */
};

static void container_release(struct container *c)
{
	sb_step_spec_release(&c->spec);
	sb_run_mounts_release(&c->mounts);
	sb_upper_release(&c->upper);
	sb_fd_closep(&c->root_fd);
	sb_fd_closep(&c->layers_fd);
}

/* As docker run: words on the command line take CMD's place, and an entrypoint of the command
 * line's takes both. */
static int set_command(struct container *c, struct sb_error *err)
{
	const struct sb_image_config *config = c->state->config;
	const char *const *word = c->o->command;
	struct sb_strv *argv = &c->spec.argv;

	if (c->o->entrypoint == NULL)
		sb_strv_copy(argv, &config->entrypoint);
	else if (c->o->entrypoint[0] != '\0')
		sb_strv_add(argv, c->o->entrypoint);
	if ((word == NULL || *word == NULL) && c->o->entrypoint == NULL)
		sb_strv_add_all(argv, &config->cmd);
	for (; word != NULL && *word != NULL; word++)
		sb_strv_add(argv, *word);
	if (argv->len > 0)
		return 0;
	(void)sb_fail(err, SB_E_USAGE, "the image has no command to run");
	return sb_error_hint(err, "name a program of the image behind it");
}

static int set_env(struct container *c, bool has_terminal, struct sb_error *err)
{
	const char *term = getenv("TERM");
	struct sb_strv *env = &c->spec.env;

	sb_strv_copy(env, &c->state->env);
	if (sb_env_get(env, "HOSTNAME") == NULL)
		sb_env_set(env, "HOSTNAME", c->spec.hostname);
	if (has_terminal && sb_env_get(env, "TERM") == NULL)
		sb_env_set(env, "TERM", term != NULL ? term : "xterm");
	for (const char *const *file = c->o->env_files; file != NULL && *file != NULL; file++)
		if (sb_container_env_add_file(*file, env, err) < 0)
			return sb_error_context(err, "--env-file");
	for (const char *const *item = c->o->env; item != NULL && *item != NULL; item++)
		if (sb_container_env_add(*item, env, err) < 0)
			return sb_error_context(err, "--env");
	return 0;
}

static int set_user(struct container *c, struct sb_error *err)
{
	__attribute__((cleanup(sb_user_release))) struct sb_user user = SB_USER_INIT;
	const struct sb_host_ids *host = c->build->host;
	const char *name = c->o->user != NULL ? c->o->user : c->state->config->user;

	if (sb_user_resolve(c->root_fd, name, &user, err) < 0)
		return sb_error_context(err, "user '%s'", name);
	if (!sb_idmap_has(&host->ids, user.uid, user.gid)) {
		(void)sb_fail(err, SB_E_UNSUPPORTED,
			"the user %u:%u is outside the %u ids that this host gives us", user.uid,
			user.gid, host->ids.uid_count);
		return sb_error_hint(
			err, "'safebuild doctor' says how to get a range of subordinate ids");
	}
	c->spec.uid = user.uid;
	c->spec.gid = user.gid;
	for (size_t i = 0; i < user.n_groups; i++)
		*SB_ARRAY_ADD(&c->spec.groups) = user.groups[i];
	if (sb_env_get(&c->spec.env, "HOME") == NULL)
		sb_env_set(&c->spec.env, "HOME", user.home != NULL ? user.home : "/");
	return 0;
}

static int set_workdir(struct container *c, struct sb_error *err)
{
	const char *dir = c->o->workdir;

	if (dir != NULL && dir[0] != '/')
		return sb_fail(err, SB_E_USAGE, "--workdir '%s': it must begin with a '/'", dir);
	c->spec.cwd = sb_strdup(dir != NULL ? dir : sb_stage_state_workdir(c->state));
	return 0;
}

static int add_system_files(struct container *c, struct sb_error *err)
{
	sb_autofree char *hosts = sb_network_hosts(c->spec.hostname, &c->build->add_hosts);
	sb_autofree char *resolv = sb_network_resolv_conf(c->spec.network);

	if (sb_run_mounts_add_file(
		    c->root_fd, "/etc/hosts", 0644, hosts, &c->spec, &c->mounts, err) < 0)
		return -1;
	return sb_run_mounts_add_file(
		c->root_fd, "/etc/resolv.conf", 0644, resolv, &c->spec, &c->mounts, err);
}

/* What the sandbox itself puts there is not to be hidden. */
static int check_target(const char *target, struct sb_error *err)
{
	static const char *const own[] = {"/proc", "/sys", "/dev"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		const size_t len = strlen(own[i]);

		if (strncmp(target, own[i], len) == 0 &&
			(target[len] == '\0' || target[len] == '/'))
			return sb_fail(err, SB_E_USAGE,
				"'%s' can't be mounted on: '%s' is the sandbox's own", target,
				own[i]);
	}
	return 0;
}

/* "SRC:DST[:ro|:rw]"; *out_source is the caller's to free. */
static int split_volume(const char *text, char **out_source, char **out_target, bool *out_readonly,
	struct sb_error *err)
{
	const char *colon = strchr(text, ':');
	const char *options = colon != NULL ? strchr(colon + 1, ':') : NULL;
	sb_autofree char *target = NULL;

	if (colon == NULL || colon == text)
		return sb_fail(err, SB_E_USAGE, "'%s' is not SRC:DST[:ro]", text);
	*out_readonly = options != NULL && strcmp(options, ":ro") == 0;
	if (options != NULL && !*out_readonly && strcmp(options, ":rw") != 0) {
		(void)sb_fail(err, SB_E_USAGE, "'%s': what '%s' asks for is not known", text,
			options + 1);
		return sb_error_hint(err, "behind the second colon stands ro or rw");
	}
	target = options != NULL ? sb_memdup0(colon + 1, (size_t)(options - colon) - 1)
				 : sb_strdup(colon + 1);
	if (target[0] != '/')
		return sb_fail(err, SB_E_USAGE,
			"'%s': the place in the image, '%s', must begin "
			"with a '/'",
			text, target);
	*out_source = sb_memdup0(text, (size_t)(colon - text));
	*out_target = SB_STEAL(target);
	return 0;
}

static int add_volume(struct container *c, const char *text, struct sb_error *err)
{
	sb_autofree char *source = NULL;
	sb_autofree char *target = NULL;
	sb_autofree char *canonical = NULL;
	sb_autofd int fd = -1;
	sb_autofd int tree = -1;
	bool is_readonly = false;

	if (split_volume(text, &source, &target, &is_readonly, err) < 0)
		return -1;
	if (sb_fd_find_user(source, "folder or file", &fd, err) < 0)
		return err->code == SB_E_NOT_FOUND && strchr(source, '/') == NULL
			       ? sb_error_hint(err, "there are no named volumes: give a folder")
			       : -1;

	const uint64_t attrs =
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (is_readonly ? MOUNT_ATTR_RDONLY : 0);

	if (sb_at_canonical(c->root_fd, target, &canonical, err) < 0 ||
		check_target(canonical, err) < 0 ||
		sb_mount_clone(fd, true, attrs, &tree, err) < 0 ||
		sb_run_mounts_add_tree(c->root_fd, target, tree, &c->spec, &c->mounts, err) < 0)
		return sb_error_context(err, "'%s'", source);
	*SB_ARRAY_ADD(&c->mounts.fds) = sb_fd_steal(&tree);
	return 0;
}

static bool has_mount(const struct container *c, const char *target)
{
	SB_ARRAY_FOREACH (&c->spec.mounts, mount)
		if (strcmp(mount->target, target) == 0)
			return true;
	return false;
}

/* A volume is a folder even where the image has none there: then an empty one that goes with the
 * program. What the image has is writable as it is. */
static int add_image_volume(struct container *c, const char *volume, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_upper) upper = {0};
	sb_autofree char *path = sb_path_below_root(volume);
	sb_autofree char *canonical = NULL;
	sb_autofd int dir = -1;
	sb_autofd int tree = -1;
	struct stat st;
	bool exists = false;

	if (sb_at_canonical(c->root_fd, path, &canonical, err) < 0 ||
		sb_at_lstat(c->root_fd, canonical, SB_AT_IN_ROOT, &st, &exists, err) < 0)
		return -1;
	if (exists || has_mount(c, canonical))
		return 0;
	if (check_target(canonical, err) < 0 ||
		sb_snapshots_new_upper(c->build->snapshots, &upper, err) < 0 ||
		sb_at_open_dir(sb_snapshots_fd(c->build->snapshots), upper.diff, SB_AT_NO_LINKS,
			&dir, err) < 0 ||
		sb_mount_clone(dir, false, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &tree, err) < 0 ||
		sb_run_mounts_add_tree(c->root_fd, canonical, tree, &c->spec, &c->mounts, err) < 0)
		return -1;
	*SB_ARRAY_ADD(&c->mounts.fds) = sb_fd_steal(&tree);
	return 0;
}

static int check_mount(const char *text, struct sb_strv *mounted, struct sb_error *err)
{
	__attribute__((cleanup(sb_mount_flag_release))) struct sb_mount_flag flag = {0};

	if (sb_mount_parse(text, "/", &flag, err) < 0)
		return -1;
	if (flag.type == SB_MOUNT_SECRET) {
		sb_strv_add(mounted, flag.id);
		return 0;
	}
	if (flag.type == SB_MOUNT_TMPFS)
		return check_target(flag.target, err);
	(void)sb_fail(err, SB_E_UNSUPPORTED, "a mount of type %s", sb_mount_type_name(flag.type));
	return sb_error_hint(err, "the types are secret and tmpfs; -v SRC:DST binds a folder");
}

/* As a RUN with these --mounts has them. */
static int add_mount_flags(struct container *c, const struct sb_strv *flags, struct sb_error *err)
{
	struct sb_instruction instr = {.kind = SB_INSTR_RUN};
	const struct sb_do d = {.build = c->build, .state = c->state, .instr = &instr};
	char name[] = "mount";

	for (size_t i = 0; i < flags->len; i++) {
		struct sb_pair *pair = SB_ARRAY_ADD(&instr.flags);

		pair->key = name;
		pair->value = flags->items[i];
	}

	const int rc = sb_run_mounts_add(&d, c->root_fd, &c->spec, &c->mounts, err);

	SB_ARRAY_RELEASE(&instr.flags);
	return rc;
}

static int add_mounts(struct container *c, struct sb_error *err)
{
	SB_AUTO_STRV flags = SB_STRV_INIT;
	SB_AUTO_STRV mounted = SB_STRV_INIT;

	for (const char *const *text = c->o->mounts; text != NULL && *text != NULL; text++) {
		if (check_mount(*text, &mounted, err) < 0)
			return sb_error_context(err, "--mount");
		sb_strv_add(&flags, *text);
	}
	for (size_t i = 0; i < c->o->n_secrets; i++)
		if (!sb_strv_contains(&mounted, c->o->secrets[i].id))
			sb_strv_addf(&flags, "type=secret,id=%s", c->o->secrets[i].id);
	if (add_mount_flags(c, &flags, err) < 0)
		return -1;
	for (const char *const *text = c->o->volumes; text != NULL && *text != NULL; text++)
		if (add_volume(c, *text, err) < 0)
			return sb_error_context(err, "--volume");
	for (size_t i = 0; i < c->state->config->volumes.len; i++)
		if (add_image_volume(c, c->state->config->volumes.items[i], err) < 0)
			return sb_error_context(
				err, "VOLUME '%s'", c->state->config->volumes.items[i]);
	return 0;
}

static int set_publish(struct container *c, struct sb_error *err)
{
	const char *const *text = c->o->publish;
	const char *fix = NULL;

	if (text == NULL || *text == NULL)
		return 0;
	for (; *text != NULL; text++)
		if (sb_publish_parse(*text, &c->spec.publish, err) < 0)
			return sb_error_context(err, "--publish");
	if (c->spec.network == SB_STEP_NET_USER)
		return 0;
	(void)sb_fail(err, SB_E_UNSUPPORTED,
		"--publish needs a network of the program's own, and it has %s",
		c->spec.network == SB_STEP_NET_NONE ? "none" : "this host's");
	if (c->spec.network == SB_STEP_NET_HOST && sb_network_lacks(&fix) != NULL)
		return sb_error_hint(err,
			"%s; or leave it out: with --network host the program "
			"listens on this host's ports itself",
			fix);
	return sb_error_hint(err, "with --network host the program listens on this host's ports "
				  "itself");
}

static int set_root(struct container *c, struct sb_error *err)
{
	struct sb_snapshots *snapshots = c->build->snapshots;

	if (sb_snapshots_new_upper(snapshots, &c->upper, err) < 0 ||
		sb_mount_clone(sb_snapshots_fd(snapshots), false,
			MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, &c->layers_fd, err) < 0)
		return -1;
	c->spec.layers_fd = c->layers_fd;
	sb_strv_copy(&c->spec.lowers, &c->state->lowers);
	c->spec.upper = sb_strdup(c->upper.diff);
	c->spec.work = sb_strdup(c->upper.work);
	return 0;
}

static int prepare(struct container *c, bool has_terminal, struct sb_error *err)
{
	struct sb_build *build = c->build;

	if (sb_stack_view(build, &c->state->lowers, NULL, &c->root_fd, err) < 0)
		return -1;
	c->spec.hostname = sb_strdup(c->o->hostname != NULL ? c->o->hostname : default_hostname);
	c->spec.ids = build->host->ids;
	c->spec.single_id = build->host->mode == SB_IDS_SINGLE;
	c->spec.no_new_privs = build->no_new_privs;
	c->spec.is_32bit = strcmp(c->state->config->platform.architecture, "386") == 0;
	c->spec.shm_bytes = build->shm_bytes;
	c->spec.network = build->network;
	if (set_publish(c, err) < 0 || set_command(c, err) < 0 || set_workdir(c, err) < 0 ||
		set_env(c, has_terminal, err) < 0 || set_user(c, err) < 0 ||
		add_system_files(c, err) < 0 || add_mounts(c, err) < 0)
		return -1;
	sb_run_mounts_sort(&c->spec, &c->mounts);
	return set_root(c, err);
}

static int choose_term_signal(
	const struct sb_image_config *config, struct sb_attach *attach, struct sb_error *err)
{
	attach->term_signal = SIGTERM;
	if (config->stop_signal == NULL || config->stop_signal[0] == '\0')
		return 0;
	return sb_signal_parse(config->stop_signal, &attach->term_signal, err);
}

int sb_container_run(struct sb_build *build, struct sb_stage_state *state,
	const struct sb_run_options *options, struct sb_attach *attach, struct sb_step_result *out,
	struct sb_error *err)
{
	__attribute__((cleanup(container_release))) struct container c = {.build = build,
		.state = state,
		.o = options,
		.spec = SB_STEP_SPEC_INIT,
		.root_fd = -1,
		.layers_fd = -1};

	state->escape = '\\';
	if (choose_term_signal(state->config, attach, err) < 0 ||
		prepare(&c, attach->is_terminal, err) < 0 ||
		(build->worker.sandbox == NULL &&
			sb_sandbox_start(&build->worker.sandbox, err) < 0))
		return -1;
	return sb_sandbox_attach(build->worker.sandbox, &c.spec, attach, out, err);
}
