/* SPDX-License-Identifier: MIT */
#include "build/git_env.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "registry/basic_auth.h"
#include "registry/url.h"
#include "sys/command.h"

void sb_git_env_wipe(struct sb_strv *env)
{
	for (size_t i = 0; i < env->len; i++)
		explicit_bzero(env->items[i], strlen(env->items[i]));
	sb_strv_release(env);
}

/* As our own requests read them (libcurl's names). */
static void add_network(struct sb_strv *env)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
		"ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"GIT_SSL_CAINFO", "GIT_SSL_CAPATH"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]) != NULL)
			sb_env_set(env, names[i], getenv(names[i]));
	/* Its libcurl is not always one that reads that variable. */
	if (getenv("SSL_CERT_FILE") != NULL && getenv("GIT_SSL_CAINFO") == NULL)
		sb_env_set(env, "GIT_SSL_CAINFO", getenv("SSL_CERT_FILE"));
}

/* For a word that a shell and ssh's own option parser read. */
static bool is_plain_path(const char *path)
{
	return path[0] == '/' && strpbrk(path, " \t\n\"'\\$`%~;&|<>(){}*?[]!#") == NULL;
}

/*
 * ssh looks for the user's files by the name of the user that it runs as, and in a user namespace
 * that is root: so they are named. What a Buildfile names gets none of them but the list of hosts.
 */
static void add_ssh_files(const struct sb_git_options *options, struct sb_strv *words)
{
	static const char *const keys[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
	const char *home = getenv("HOME");
	sb_autofree char *config = NULL;

	if (!options->by_user)
		sb_strv_add(words, "-F none -o IdentityFile=none");
	if (home == NULL || !is_plain_path(home))
		return;
	sb_strv_addf(words, "-o UserKnownHostsFile=%s/.ssh/known_hosts", home);
	if (!options->by_user)
		return;
	config = sb_asprintf("%s/.ssh/config", home);
	if (access(config, R_OK) == 0)
		sb_strv_addf(words, "-F %s", config);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		sb_autofree char *key = sb_asprintf("%s/.ssh/%s", home, keys[i]);

		if (access(key, R_OK) == 0)
			sb_strv_addf(words, "-o IdentityFile=%s", key);
	}
}

static void add_ssh(const struct sb_git_options *options, struct sb_strv *env)
{
	SB_AUTO_STRV words = SB_STRV_INIT;
	sb_autofree char *passed = sb_asprintf("/proc/self/fd/%d", SB_COMMAND_PASSED_FD);
	const char *agent = options->agent_fd >= 0 ? passed
			    : options->by_user     ? getenv("SSH_AUTH_SOCK")
						   : NULL;

	sb_strv_add(&words, "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15 "
			    "-o ForwardAgent=no -o PermitLocalCommand=no");
	add_ssh_files(options, &words);
	if (agent != NULL)
		sb_env_set(env, "SSH_AUTH_SOCK", agent);

	sb_autofree char *command = sb_strv_join(&words, " ");

	sb_env_set(env, "GIT_SSH_COMMAND", command);
	sb_env_set(env, "GIT_SSH_VARIANT", "ssh");
}

static void set_config(struct sb_strv *env, unsigned n, const char *key, const char *value)
{
	sb_autofree char *key_name = sb_asprintf("GIT_CONFIG_KEY_%u", n);
	sb_autofree char *value_name = sb_asprintf("GIT_CONFIG_VALUE_%u", n);
	sb_autofree char *count = sb_asprintf("%u", n + 1);

	sb_env_set(env, key_name, key);
	sb_env_set(env, value_name, value);
	sb_env_set(env, "GIT_CONFIG_COUNT", count);
}

/* A whole header line of the value, which is wiped and freed. */
static char *header_line(char *value)
{
	char *line = sb_asprintf("Authorization: %s", value);

	explicit_bzero(value, strlen(value));
	free(value);
	return line;
}

/* The secret NAME.HOST, or NAME where the user himself chose the host. */
static const struct sb_secret *find_secret(const struct sb_git_options *options, const char *name)
{
	const struct sb_secret *secret = NULL;
	sb_autofree char *for_host = sb_asprintf("%s.%s", name, options->remote->host);

	if (options->secrets == NULL)
		return NULL;
	secret = sb_secrets_get(options->secrets, for_host);
	return secret == NULL && options->by_user ? sb_secrets_get(options->secrets, name) : secret;
}

static int header_of(const struct sb_git_options *options, char **out, struct sb_error *err)
{
	const char *user_info = options->remote->user_info;
	const struct sb_secret *header = find_secret(options, "GIT_AUTH_HEADER");
	const struct sb_secret *token = find_secret(options, "GIT_AUTH_TOKEN");
	const struct sb_secret *secret = header != NULL ? header : token;
	const size_t len = secret != NULL ? sb_secret_trimmed_len(secret) : 0;

	if (secret != NULL && (len == 0 || memchr(secret->bytes, '\n', len) != NULL ||
				      memchr(secret->bytes, '\0', len) != NULL))
		return sb_fail(err, SB_E_USAGE, "secret '%s' can't be sent in a header: it is %s",
			secret->id, len == 0 ? "empty" : "more than one line");
	if (header != NULL)
		*out = sb_asprintf("Authorization: %.*s", (int)len, header->bytes);
	else if (token != NULL)
		*out = header_line(sb_basic_auth("x-access-token:", token->bytes, len));
	else if (user_info != NULL)
		*out = header_line(sb_basic_auth_of(user_info));
	return 0;
}

static bool may_authorize(const struct sb_remote *remote)
{
	sb_autofree char *host = sb_memdup0(remote->host, strcspn(remote->host, ":"));
	const bool is_http = strncmp(remote->url, "http://", 7) == 0;

	return strncmp(remote->url, "https://", 8) == 0 || (is_http && sb_host_is_loopback(host));
}

static int add_credentials(
	const struct sb_git_options *options, struct sb_strv *env, struct sb_error *err)
{
	const struct sb_remote *remote = options->remote;
	sb_autofree char *header = NULL;

	if (!may_authorize(remote))
		return 0;
	if (header_of(options, &header, err) < 0)
		return -1;
	if (header == NULL)
		return 0;

	const size_t scheme_len = (size_t)(strstr(remote->url, "://") - remote->url);
	sb_autofree char *key = sb_asprintf(
		"http.%.*s://%s/.extraHeader", (int)scheme_len, remote->url, remote->host);

	set_config(env, 0, key, header);
	set_config(env, 1, "http.followRedirects", "false");
	explicit_bzero(header, strlen(header));
	return 0;
}

int sb_git_env(const struct sb_git_options *options, struct sb_strv *out, struct sb_error *err)
{
	static const char *const fixed[][2] = {
		{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		{"LC_ALL", "C"},
		{"GIT_TERMINAL_PROMPT", "0"},
		{"GIT_ASKPASS", ""},
		{"SSH_ASKPASS", ""},
		{"GIT_CONFIG_NOSYSTEM", "1"},
		{"GIT_CONFIG_GLOBAL", "/dev/null"},
		{"GIT_ATTR_NOSYSTEM", "1"},
		{"GIT_PROTOCOL_FROM_USER", "0"},
		{"GIT_PAGER", "cat"},
		{"GIT_EDITOR", "true"},
		{"GIT_ADVICE", "0"},
	};
	const char *home = getenv("HOME");
	const char *path = getenv("PATH");

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		sb_env_set(out, fixed[i][0], fixed[i][1]);
	if (path != NULL && path[0] != '\0')
		sb_env_set(out, "PATH", path);
	/* ~/.netrc is all that is left to be found there. */
	sb_env_set(out, "HOME", options->by_user && home != NULL ? home : "/nonexistent");
	add_network(out);
	add_ssh(options, out);
	return add_credentials(options, out, err);
}
