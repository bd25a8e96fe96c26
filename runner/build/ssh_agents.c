/* SPDX-License-Identifier: MIT */
#include "build/ssh_agents.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/strv.h"
#include "sandbox/agent_link.h"
#include "sys/fd.h"

static void agent_release(struct sb_ssh_agent *agent)
{
	free(agent->id);
	sb_fd_closep(&agent->socket_fd);
	sb_key_agent_release(&agent->keys);
}

void sb_ssh_agents_release(struct sb_ssh_agents *agents)
{
	SB_ARRAY_FOREACH (agents, agent)
		agent_release(agent);
	SB_ARRAY_RELEASE(agents);
}

const struct sb_ssh_agent *sb_ssh_agents_get(const struct sb_ssh_agents *agents, const char *id)
{
	SB_ARRAY_FOREACH (agents, agent)
		if (strcmp(agent->id, id) == 0)
			return agent;
	return NULL;
}

int sb_ssh_agent_fd(const struct sb_ssh_agent *agent)
{
	return agent->socket_fd >= 0 ? agent->socket_fd : agent->keys.socket_fd;
}

/* What an option's paths turned out to be. */
struct sources {
	struct sb_strv keys;
	int socket_fd;
	size_t n_sockets;
};

static void sources_release(struct sources *sources)
{
	sb_strv_release(&sources->keys);
	sb_fd_closep(&sources->socket_fd);
}

static int add_source(struct sources *to, const char *path, struct sb_error *err)
{
	sb_autofd int fd = -1;
	struct stat st;

	if (sb_fd_find_user(path, "socket or key", &fd, err) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return sb_fail_errno(err, "'%s'", path);
	if (S_ISSOCK(st.st_mode)) {
		sb_fd_closep(&to->socket_fd);
		to->socket_fd = sb_fd_steal(&fd);
		to->n_sockets++;
	} else if (S_ISREG(st.st_mode)) {
		sb_strv_add(&to->keys, path);
	} else {
		return sb_fail(err, SB_E_USAGE, "'%s' is neither a socket nor a key file", path);
	}
	return 0;
}

static int add_default_source(struct sources *to, struct sb_error *err)
{
	const char *path = getenv("SSH_AUTH_SOCK");

	if (path == NULL || path[0] == '\0') {
		(void)sb_fail(err, SB_E_USAGE, "the environment variable SSH_AUTH_SOCK is not set");
		return sb_error_hint(err, "start an agent (eval \"$(ssh-agent)\"; ssh-add), or "
					  "name a socket or keys: ID=PATH");
	}
	if (add_source(to, path, err) < 0)
		return sb_error_context(err, "SSH_AUTH_SOCK");
	if (to->n_sockets == 0)
		return sb_fail(err, SB_E_USAGE, "SSH_AUTH_SOCK: '%s' is not a socket", path);
	return 0;
}

static int check_sources(const struct sources *s, bool is_raw, struct sb_error *err)
{
	if (s->n_sockets > 0 && s->keys.len > 0)
		return sb_fail(err, SB_E_USAGE,
			"invalid combination of keys and sockets: an id stands for one socket, or "
			"for keys");
	if (s->n_sockets > 1)
		return sb_fail(err, SB_E_USAGE, "%zu sockets: an id stands for one", s->n_sockets);
	if (is_raw && s->keys.len > 0)
		return sb_fail(err, SB_E_USAGE, "raw=true goes with a socket, not with keys");
	return 0;
}

/* So that it is known now, and not from what ssh makes of it in the middle of a step. What is not
 * known to be an agent is left alone: a connection may mean something to it. */
static int check_answers(int socket_fd, struct sb_error *err)
{
	sb_autofd int trial = sb_agent_connect(socket_fd);

	if (trial >= 0 || errno == EAGAIN)
		return 0;
	(void)sb_fail_errno(err, "connect to the ssh agent");
	return err->os_errno == ECONNREFUSED
		       ? sb_error_hint(err, "its socket is there, but it is gone")
		       : -1;
}

static int open_agent(const struct sb_ssh_option *option, struct sb_interrupt *interrupt,
	struct sb_ssh_agent *out, struct sb_error *err)
{
	__attribute__((cleanup(sources_release))) struct sources s = {.socket_fd = -1};
	const char *const *path = option->paths;

	if (path == NULL || *path == NULL) {
		if (add_default_source(&s, err) < 0)
			return -1;
	} else {
		for (; *path != NULL; path++)
			if (add_source(&s, *path, err) < 0)
				return -1;
	}
	if (check_sources(&s, option->is_raw, err) < 0)
		return -1;
	if (s.keys.len > 0)
		return sb_key_agent_start(&s.keys, interrupt, &out->keys, err);
	if (!option->is_raw && check_answers(s.socket_fd, err) < 0)
		return -1;
	out->is_raw = option->is_raw;
	out->socket_fd = sb_fd_steal(&s.socket_fd);
	return 0;
}

int sb_ssh_agents_open(const struct sb_ssh_option *options, size_t n,
	struct sb_interrupt *interrupt, struct sb_ssh_agents *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_ssh_agents) agents = {0};

	for (size_t i = 0; i < n; i++) {
		struct sb_ssh_agent *agent = SB_ARRAY_ADD(&agents);

		*agent = (struct sb_ssh_agent){
			.id = sb_strdup(options[i].id), .socket_fd = -1, .keys = SB_KEY_AGENT_INIT};
		if (open_agent(&options[i], interrupt, agent, err) < 0)
			return sb_error_context(err, "--ssh %s", options[i].id);
	}
	*out = agents;
	agents = (struct sb_ssh_agents){0};
	return 0;
}
