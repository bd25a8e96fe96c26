/* SPDX-License-Identifier: MIT */
#include "build/git.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "build/git_env.h"
#include "sys/at.h"
#include "sys/command.h"
#include "sys/fd.h"
#include "sys/tree.h"

/* One repository being fetched. */
struct git {
	const struct sb_git_options *options;
	struct sb_strv env;
	int tree_fd;
	char *commit; /* the whole hash; owned */
};

static void git_release(struct git *git)
{
	sb_git_env_wipe(&git->env);
	sb_fd_closep(&git->tree_fd);
	free(git->commit);
}

/* Before every command: whatever a repository or its host's set-up would have git do besides. */
static void add_hardening(struct sb_strv *argv)
{
	static const char *const settings[] = {
		"core.hooksPath=/dev/null",
		"core.fsmonitor=false",
		"core.untrackedCache=false",
		"core.attributesFile=/dev/null",
		"core.excludesFile=/dev/null",
		"core.logAllRefUpdates=false", /* a log names who builds, where and when */
		"core.symlinks=true",
		"core.fileMode=true",
		"core.autocrlf=false",
		"core.protectHFS=true",
		"core.protectNTFS=true",
		"core.askPass=",
		"credential.helper=",
		"credential.interactive=never",
		"init.templateDir=",
		"init.defaultBranch=main",
		"advice.detachedHead=false",
		"gc.auto=0",
		"maintenance.auto=false",
		"fetch.recurseSubmodules=false",
		"submodule.recurse=false",
		"transfer.bundleURI=false",
		"http.lowSpeedLimit=1000",
		"http.lowSpeedTime=60",
		"http.emptyAuth=false",
		"protocol.version=2",
	};

	sb_strv_add(argv, "git");
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		sb_strv_add(argv, "-c");
		sb_strv_add(argv, settings[i]);
	}
}

/* Runs "git WORD…", NULL-ended, in the tree. Any status is success. */
static int run(struct git *git, const char *const *words, struct sb_command_result *out,
	struct sb_error *err)
{
	SB_AUTO_STRV argv = SB_STRV_INIT;
	const struct sb_command command = {
		.argv = &argv,
		.env = &git->env,
		.dir_fd = git->tree_fd,
		.passed_fd = git->options->agent_fd,
		.interrupt = git->options->interrupt,
		.on_tick = git->options->on_tick,
		.data = git->options->data,
	};

	add_hardening(&argv);
	for (; *words != NULL; words++)
		sb_strv_add(&argv, *words);
	if (sb_command_run(&command, out, err) == 0)
		return 0;
	if (err->code != SB_E_NOT_FOUND)
		return -1;
	sb_error_ignore(err, "said in other words");
	(void)sb_fail(
		err, SB_E_UNSUPPORTED, "repositories are fetched by git, which is not installed");
	return sb_error_hint(
		err, "install it: `apt install git`, `dnf install git` or `apk add git`");
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool says(const struct sb_command_result *result, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcasestr(result->error.data, *words) != NULL)
			return true;
	return false;
}

/* The line that says why: ssh's own, else the first "fatal:" or "error:", else the last. */
static char *reason(const struct sb_command_result *result)
{
	static const char *const marks[] = {"fatal: ", "error: "};
	static const char no_connection[] = "fatal: Could not read from remote repository.";
	const char *text = result->error.data;
	const char *last = strrchr(text, '\n');
	const char *line = last != NULL ? last + 1 : text;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *at = strstr(text, marks[i]);

		if (at != NULL && at != text && starts_with(at, no_connection)) {
			line = text;
			break;
		}
		if (at != NULL) {
			line = at + strlen(marks[i]);
			break;
		}
	}
	return sb_memdup0(line, strcspn(line, "\r\n"));
}

static int hint_credentials(const struct git *git, struct sb_error *err)
{
	const struct sb_git_options *o = git->options;

	if (o->remote->is_ssh && !o->by_user)
		return sb_error_hint(err,
			"ssh keys are used for what the command line names alone: add --ssh "
			"default, or name it there: --build-context NAME=%s and COPY --from=NAME",
			o->remote->shown);
	if (o->remote->is_ssh)
		return sb_error_hint(err, "ssh must get in without asking: by an agent "
					  "(SSH_AUTH_SOCK) or a key without a passphrase, and with "
					  "the host in ~/.ssh/known_hosts");
	return sb_error_hint(err,
		"if it is private, give a token: --secret id=GIT_AUTH_TOKEN.%s,env=VARIABLE",
		o->remote->host);
}

static int fail(struct git *git, const struct sb_command_result *result, const char *what,
	struct sb_error *err)
{
	static const char *const refused[] = {"could not read Username", "could not read Password",
		"Authentication failed", "Permission denied (", "Host key verification failed",
		"terminal prompts disabled", "returned error: 403", "returned error: 401", NULL};
	static const char *const missing[] = {"couldn't find remote ref", "not our ref",
		"unadvertised object", "no such remote ref", NULL};
	static const char *const forbidden[] = {"transport '", NULL};
	sb_autofree char *why = reason(result);
	const bool is_refused = says(result, refused);

	if (says(result, missing)) {
		(void)sb_fail(err, SB_E_NOT_FOUND, "it has no branch, tag or commit '%s'",
			git->options->remote->ref != NULL ? git->options->remote->ref : "HEAD");
		return sb_error_hint(err, "commits are named by all digits of their hash");
	}
	(void)sb_fail(err, is_refused ? SB_E_AUTH : SB_E_NETWORK, "git can't %s: %s", what, why);
	if (says(result, forbidden))
		return sb_error_hint(err, "submodules are taken by https and ssh, and by their "
					  "repository's own protocol if that is not file");
	return is_refused ? hint_credentials(git, err) : -1;
}

/* As run, where another status than 0 is an error. */
static int must(struct git *git, const char *what, const char *const *words, char **out_text,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_command_result) result = SB_COMMAND_RESULT_INIT;

	if (run(git, words, &result, err) < 0)
		return -1;
	if (result.status != 0)
		return fail(git, &result, what, err);
	if (out_text != NULL)
		*out_text = sb_memdup0(result.out.data, strcspn(result.out.data, "\n"));
	return 0;
}

static bool is_whole_hash(const char *ref)
{
	return sb_remote_is_commit(ref) && (strlen(ref) == 40 || strlen(ref) == 64);
}

static int init(struct git *git, struct sb_error *err)
{
	const struct sb_remote *remote = git->options->remote;
	const bool is_sha256 =
		remote->ref != NULL && is_whole_hash(remote->ref) && strlen(remote->ref) == 64;
	const char *const make[] = {"init", "--quiet",
		is_sha256 ? "--object-format=sha256" : "--object-format=sha1", NULL};
	const char *const name[] = {"remote", "add", "--", "origin", remote->url, NULL};

	return must(git, "make a repository", make, NULL, err) < 0
		       ? -1
		       : must(git, "make a repository", name, NULL, err);
}

/*
 * Some servers give out commits by their name only if a branch or tag is there, and the oldest
 * protocol knows no shallow clones: then all that they have is fetched.
 */
static int fetch_all(struct git *git, const char *ref, struct sb_error *err)
{
	const char *const all[] = {"fetch", "--quiet", "--tags", "--force", "--", "origin",
		"+refs/heads/*:refs/remotes/origin/*", NULL};
	const char *const one[] = {
		"fetch", "--quiet", "--no-tags", "--force", "--", "origin", ref, NULL};

	return must(git, "fetch it", is_whole_hash(ref) ? all : one, NULL, err);
}

static int fetch(struct git *git, const char *ref, struct sb_error *err)
{
	static const char *const curable[] = {"not our ref", "unadvertised object", "shallow",
		"does not allow request", "--depth", NULL};
	const char *const words[] = {
		"fetch", "--quiet", "--depth=1", "--no-tags", "--force", "--", "origin", ref, NULL};
	SB_AUTO_VALUE(sb_command_result) result = SB_COMMAND_RESULT_INIT;

	if (run(git, words, &result, err) < 0)
		return -1;
	if (result.status == 0)
		return 0;
	return says(&result, curable) ? fetch_all(git, ref, err)
				      : fail(git, &result, "fetch it", err);
}

static int check_commit(
	struct git *git, const char *wanted, const char *object, struct sb_error *err)
{
	if (wanted == NULL || strncasecmp(git->commit, wanted, strlen(wanted)) == 0 ||
		strncasecmp(object, wanted, strlen(wanted)) == 0)
		return 0;
	(void)sb_fail(
		err, SB_E_INTEGRITY, "it is at commit %s, and %s is expected", git->commit, wanted);
	return sb_error_hint(err, "a branch or tag was moved, or the checksum is another's");
}

static int resolve(struct git *git, const char *ref, struct sb_error *err)
{
	const char *what = is_whole_hash(ref) ? ref : "FETCH_HEAD";
	sb_autofree char *as_commit = sb_asprintf("%s^{commit}", what);
	const char *const commit[] = {"rev-parse", "--verify", "--quiet", as_commit, NULL};
	const char *const object[] = {"rev-parse", "--verify", "--quiet", what, NULL};
	SB_AUTO_VALUE(sb_command_result) result = SB_COMMAND_RESULT_INIT;
	sb_autofree char *object_name = NULL;

	if (run(git, commit, &result, err) < 0)
		return -1;
	if (result.status != 0)
		return sb_fail(err, SB_E_NOT_FOUND, "it has no branch, tag or commit '%s'", ref);
	git->commit = sb_memdup0(result.out.data, strcspn(result.out.data, "\n"));
	if (must(git, "read it", object, &object_name, err) < 0 ||
		check_commit(git, git->options->commit, object_name, err) < 0)
		return -1;
	return check_commit(git, git->options->remote->commit, object_name, err);
}

static int check_out(struct git *git, struct sb_error *err)
{
	const char *const tree[] = {
		"checkout", "--quiet", "--force", "--detach", git->commit, "--", NULL};
	const char *const modules[] = {"submodule", "--quiet", "update", "--init", "--recursive",
		"--checkout", "--depth=1", NULL};
	struct stat st;

	if (must(git, "check it out", tree, NULL, err) < 0)
		return -1;
	if (git->options->remote->no_submodules ||
		fstatat(git->tree_fd, ".gitmodules", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(st.st_mode))
		return 0;
	return must(git, "fetch its submodules", modules, NULL, err);
}

static int commit_time(struct git *git, time_t *out, struct sb_error *err)
{
	const char *const words[] = {
		"log", "-1", "--no-show-signature", "--format=%ct", git->commit, "--", NULL};
	sb_autofree char *text = NULL;
	uint64_t seconds = 0;

	if (must(git, "read it", words, &text, err) < 0)
		return -1;
	/* A commit may claim any time; one that is none is as good as 1970. */
	if (!sb_number_parse(text, 10, INT32_MAX * (uint64_t)4, &seconds))
		seconds = 0;
	*out = (time_t)seconds;
	return 0;
}

/* One folder of the tree: its entries get the commit's time, and its folders are put on the list.
 * No repository tracks a ".git": it is ours, or a submodule's. */
static int finish_folder(struct git *git, const char *path, const struct timespec times[2],
	struct sb_strv *folders, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;
	sb_autofd int fd = -1;

	if (sb_at_open_dir(git->tree_fd, path, SB_AT_NO_LINKS, &fd, err) < 0 ||
		sb_tree_list(fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		const char *name = names.items[i];
		struct stat st;

		if (!git->options->keep_git_dir && strcmp(name, ".git") == 0) {
			if (sb_tree_remove(fd, name, err) < 0)
				return -1;
			continue;
		}
		if (utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ||
			fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return sb_fail_errno(err, "set the time of '%s'", name);
		if (S_ISDIR(st.st_mode))
			sb_strv_addf(folders, "%s/%s", path, name);
	}
	return futimens(fd, times) < 0 ? sb_fail_errno(err, "set the time of '%s'", path) : 0;
}

static int finish(struct git *git, struct sb_error *err)
{
	SB_AUTO_STRV folders = SB_STRV_INIT;
	time_t seconds = 0;

	if (commit_time(git, &seconds, err) < 0)
		return -1;

	const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

	sb_strv_add(&folders, ".");
	/* The list grows meanwhile, and its strings stay where they are. */
	for (size_t i = 0; i < folders.len; i++)
		if (sb_interrupt_check(git->options->interrupt, err) < 0 ||
			finish_folder(git, folders.items[i], times, &folders, err) < 0)
			return -1;
	return 0;
}

static int open_result(const struct git *git, int *out_fd, struct sb_error *err)
{
	const char *subdir = git->options->remote->subdir;

	if (subdir == NULL)
		return sb_fd_dup(git->tree_fd, out_fd, err);
	if (sb_at_open_dir(git->tree_fd, subdir, SB_AT_BENEATH, out_fd, err) < 0)
		return sb_error_context(err, "folder '%s'", subdir);
	return 0;
}

/* For GIT_ALLOW_PROTOCOL, which goes before all configuration. */
static const char *protocols(const struct sb_git_options *options, bool for_submodules)
{
	const char *url = options->remote->url;

	if (options->remote->is_file)
		return for_submodules ? "https:ssh" : "file";
	if (strncmp(url, "http://", 7) == 0)
		return "https:ssh:http";
	return strncmp(url, "git://", 6) == 0 ? "https:ssh:git" : "https:ssh";
}

static int fetch_into(struct git *git, struct sb_error *err)
{
	const struct sb_git_options *o = git->options;
	const char *ref = o->remote->ref != NULL ? o->remote->ref : "HEAD";

	if (o->remote->is_file && !o->by_user)
		return sb_fail(err, SB_E_DENIED, "a repository of this machine");
	if (sb_git_env(o, &git->env, err) < 0)
		return -1;
	sb_env_set(&git->env, "GIT_ALLOW_PROTOCOL", protocols(o, false));
	if (init(git, err) < 0 || fetch(git, ref, err) < 0 || resolve(git, ref, err) < 0)
		return -1;
	sb_env_set(&git->env, "GIT_ALLOW_PROTOCOL", protocols(o, true));
	return check_out(git, err) < 0 ? -1 : finish(git, err);
}

int sb_git_fetch(const struct sb_git_options *options, int dir_fd, const char *name, int *out_fd,
	struct sb_error *err)
{
	__attribute__((cleanup(git_release))) struct git git = {.options = options, .tree_fd = -1};

	/* git refuses to work in another user's folder, so it is ours, whoever owns dir_fd. */
	if (mkdirat(dir_fd, name, 0755) < 0)
		return sb_fail_errno(err, "make a folder for '%s'", options->remote->shown);
	if (sb_at_open_dir(dir_fd, name, SB_AT_NO_LINKS, &git.tree_fd, err) < 0)
		return -1;
	if (fetch_into(&git, err) < 0 || open_result(&git, out_fd, err) < 0)
		return sb_error_context(err, "repository '%s'", options->remote->shown);
	return 0;
}
