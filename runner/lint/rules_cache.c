/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "buildfile/mount.h"
#include "lint/command.h"
#include "lint/rules.h"

/*
 * Package managers: when they leave a cache, and what keeps it out of the layer. Lists are words
 * separated by blanks.
 */
struct manager {
	const char *names;        /* of the program */
	const char *verbs;        /* that fill the cache; a blank first: no verb at all, too */
	const char *options;      /* that leave none */
	const char *variable;     /* that does the same, or NULL */
	const char *clean_verbs;  /* that remove it */
	const char *clean_phrase; /* two words that do, or NULL */
	const char *folders; /* where it is; removing or mounting one that holds it is enough */
	const char *what;
};

static const struct manager managers[] = {
	{
		.names = "apt-get apt aptitude",
		.verbs = "update",
		.options = "",
		.clean_verbs = "dist-clean distclean",
		.folders = "/var/lib/apt/lists",
		.what = "lists of packages in /var/lib/apt/lists",
	},
	{
		.names = "apk",
		.verbs = "add update upgrade",
		.options = "--no-cache --no-network",
		.clean_verbs = "",
		.clean_phrase = "cache clean",
		.folders = "/var/cache/apk /etc/apk/cache",
		.what = "an index in /var/cache/apk",
	},
	{
		.names = "dnf dnf5 yum microdnf",
		.verbs = "install update upgrade groupinstall reinstall makecache",
		.options = "",
		.clean_verbs = "",
		.clean_phrase = "clean all",
		.folders = "/var/cache/dnf /var/cache/yum /var/cache/libdnf5 /var/cache/microdnf",
		.what = "lists and packages in /var/cache",
	},
	{
		.names = "zypper",
		.verbs = "install in update up refresh ref dist-upgrade dup patch",
		.options = "--no-cache",
		.clean_verbs = "clean cc",
		.folders = "/var/cache/zypp",
		.what = "lists and packages in /var/cache/zypp",
	},
	{
		.names = "pip pip3 pip2",
		.verbs = "install download wheel",
		.options = "--no-cache-dir",
		.variable = "PIP_NO_CACHE_DIR",
		.clean_verbs = "",
		.clean_phrase = "cache purge",
		.folders = "/root/.cache/pip",
		.what = "packages in ~/.cache/pip",
	},
	{
		.names = "npm",
		.verbs = "install i ci add",
		.options = "",
		.clean_verbs = "",
		.clean_phrase = "cache clean",
		.folders = "/root/.npm",
		.what = "packages in ~/.npm",
	},
	{
		.names = "yarn",
		.verbs = " install add",
		.options = "",
		.clean_verbs = "",
		.clean_phrase = "cache clean",
		.folders = "/usr/local/share/.cache/yarn /root/.cache/yarn /root/.yarn/berry/cache",
		.what = "packages in yarn's cache",
	},
	{
		.names = "go",
		.verbs = "build install get mod test run generate vet",
		.options = "",
		.clean_verbs = "",
		.clean_phrase = "clean -cache",
		.folders = "/root/.cache/go-build /go/pkg/mod",
		.what = "modules and objects in Go's caches",
	},
};
enum { N_MANAGERS = sizeof(managers) / sizeof(managers[0]) };

/* A list that begins with a blank has "" too. */
static bool list_has(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (const char *p = list;;) {
		const size_t n = strcspn(p, " ");

		if (n == len && memcmp(p, word, len) == 0 && (n > 0 || list[0] == ' '))
			return true;
		if (p[n] == '\0')
			return false;
		p += n + 1;
	}
}

/* "pip3.11" is pip; `python -m pip` is too, with its words one further. */
static bool is_manager(
	const struct sb_call *call, const struct manager *manager, struct sb_call *out)
{
	*out = *call;
	if (list_has(manager->names, call->name))
		return true;
	if (!list_has(manager->names, "pip"))
		return false;
	if (strncmp(call->name, "pip", 3) == 0 && call->name[3] != '\0' &&
		call->name[3 + strspn(call->name + 3, "0123456789.")] == '\0')
		return true;
	if (strncmp(call->name, "python", 6) == 0 && call->len > 3 &&
		strcmp(call->words[1].text, "-m") == 0 && strcmp(call->words[2].text, "pip") == 0) {
		*out = (struct sb_call){"pip", call->words + 2, call->len - 2};
		return true;
	}
	return false;
}

static bool fills_cache(const struct manager *manager, const struct sb_call *call)
{
	const char *verb = sb_call_operand(call, 0);

	if (!list_has(manager->verbs, verb != NULL ? verb : ""))
		return false;
	/* `yarn --version` does nothing, and of `go mod` only these fetch. */
	if (verb == NULL && call->len > 1)
		return false;
	if (verb != NULL && strcmp(verb, "mod") == 0) {
		const char *what = sb_call_operand(call, 1);

		return what != NULL && list_has("download tidy vendor", what);
	}
	for (size_t i = 1; i < call->len; i++)
		if (list_has(manager->options, call->words[i].text))
			return false;
	return true;
}

static bool cleans_cache(const struct manager *manager, const struct sb_call *call)
{
	const char *verb = sb_call_operand(call, 0);
	const char *phrase = manager->clean_phrase;

	if (verb == NULL || phrase == NULL)
		return verb != NULL && list_has(manager->clean_verbs, verb);

	const size_t len = strcspn(phrase, " ");

	return strlen(verb) == len && strncmp(verb, phrase, len) == 0 &&
	       sb_call_has(call, phrase + len + 1);
}

/* Home is root's where nothing else is said. Caller frees. */
static char *path_of(const char *word)
{
	static const char *const homes[] = {"~/", "$HOME/", "${HOME}/"};

	for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++)
		if (strncmp(word, homes[i], strlen(homes[i])) == 0)
			return sb_path_join("/root", word + strlen(homes[i]));
	return sb_path_clean(word);
}

/* Is one of the manager's folders the path, or below it? A trailing star is all that is in it. */
static bool covers(const char *path, const struct manager *manager)
{
	size_t len = strlen(path);
	sb_autofree char *dir = NULL;

	if (len > 2 && strcmp(path + len - 2, "/*") == 0)
		len -= 2;
	dir = sb_memdup0(path, len);
	for (const char *p = manager->folders; *p != '\0';) {
		const size_t n = strcspn(p, " ");
		sb_autofree char *folder = sb_memdup0(p, n);
		const char *last = strrchr(folder, '/');

		if (sb_path_is_below(dir, folder))
			return true;
		/* The home of another user. */
		if (strncmp(folder, "/root/", 6) == 0 && len >= strlen(last) && last != folder &&
			strstr(dir, folder + strlen("/root")) != NULL)
			return true;
		p += n + (p[n] == ' ' ? 1 : 0);
	}
	return strstr(dir, "/.cache") != NULL && strstr(manager->folders, "/.cache/") != NULL &&
	       strcmp(strstr(dir, "/.cache"), "/.cache") == 0;
}

/* rm's words may be `/var/{cache,log}/x`: one brace, as many paths. */
static bool word_covers(const char *word, const struct manager *manager)
{
	const char *open = strchr(word, '{');
	const char *close = open != NULL ? strchr(open, '}') : NULL;

	if (close == NULL || (open > word && open[-1] == '$')) {
		sb_autofree char *path = path_of(word);

		return covers(path, manager);
	}
	for (const char *p = open + 1; p <= close;) {
		const size_t n = strcspn(p, ",}");
		sb_autofree char *one =
			sb_asprintf("%.*s%.*s%s", (int)(open - word), word, (int)n, p, close + 1);
		sb_autofree char *path = path_of(one);

		if (covers(path, manager))
			return true;
		p += n + 1;
	}
	return false;
}

static bool removes_cache(const struct manager *manager, const struct sb_call *call)
{
	if (!sb_call_is(call, "rm") && !sb_call_is(call, "find"))
		return false;
	if (sb_call_is(call, "find") && !sb_call_has(call, "-delete") && !sb_call_has(call, "rm"))
		return false;
	for (size_t i = 1; i < call->len; i++)
		if (call->words[i].text[0] != '-' && word_covers(call->words[i].text, manager))
			return true;
	return false;
}

/* A cache or tmpfs is mounted over it. */
static bool is_mounted(const struct sb_instruction *run, const struct manager *manager)
{
	const struct sb_strv no_env = SB_STRV_INIT;
	const struct sb_mount_scope scope = {"/", &no_env, '\\'};

	SB_ARRAY_FOREACH (&run->flags, flag) {
		struct sb_mount_flag mount = {0};
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		bool found = false;

		if (strcmp(flag->key, "mount") != 0)
			continue;
		if (sb_mount_parse_env(flag->value, &scope, &mount, &err) < 0)
			sb_error_ignore(&err, "the plan tells it");
		else
			found = mount.target != NULL &&
				(mount.type == SB_MOUNT_CACHE || mount.type == SB_MOUNT_TMPFS) &&
				covers(mount.target, manager);
		sb_mount_flag_release(&mount);
		if (found)
			return true;
	}
	return false;
}

static bool has_variable(const struct sb_linter *linter, const struct sb_lint_item *run,
	const struct sb_shell_command *command, const char *variable)
{
	const size_t len = strlen(variable);

	if (sb_scope_has(&linter->stages.items[run->stage].scope, variable))
		return true;
	for (size_t i = 0; i < command->n_assignments; i++)
		if (strncmp(command->words.items[i].text, variable, len) == 0)
			return true;
	return false;
}

/* The first command that fills it, unless a later one cleans up. */
static void check_manager(
	struct sb_linter *linter, const struct sb_lint_item *run, const struct manager *manager)
{
	const struct sb_shell_command *filled = NULL;
	const char *name = NULL;

	SB_ARRAY_FOREACH (&run->shell.commands, command) {
		struct sb_call call;
		struct sb_call own;

		if (!sb_command_call(command, &call))
			continue;
		if (removes_cache(manager, &call)) {
			filled = NULL;
		} else if (is_manager(&call, manager, &own)) {
			if (cleans_cache(manager, &own)) {
				filled = NULL;
			} else if (filled == NULL && fills_cache(manager, &own) &&
				   !(manager->variable != NULL &&
					   has_variable(linter, run, command, manager->variable))) {
				filled = command;
				name = own.name;
			}
		}
	}
	if (filled != NULL && !is_mounted(run->instr, manager))
		sb_lint_add(linter, run, sb_lint_at_command(linter, run, filled),
			"%s leaves %s in this layer", name, manager->what);
}

void sb_rule_package_cache_left(struct sb_linter *linter)
{
	SB_LINT_FOREACH_OF(linter, item, SB_INSTR_RUN)
	{
		/* Other stages' layers stay behind. */
		if (item->stage < 0 || !linter->stages.items[item->stage].is_in_image)
			continue;
		for (size_t i = 0; i < N_MANAGERS; i++)
			check_manager(linter, item, &managers[i]);
	}
}
