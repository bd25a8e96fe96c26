/* SPDX-License-Identifier: MIT */
#include "sandbox/key_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "sandbox/agent_link.h"
#include "sys/fd.h"
#include "sys/proc.h"

enum {
	START_WITHIN_MS = 5000,
	ADD_WITHIN_MS = 30000, /* a key file may be on a slow file system */
	PAUSE_MS = 5,
	MAX_SAID = 4096,
};

static const char socket_name[] = "agent";

/* What there is while an agent is made. */
struct making {
	struct sb_interrupt *interrupt;
	struct sb_key_agent agent;
	char *folder; /* only ours, mode 0700; owned */
	int folder_fd;
};

static void making_release(struct making *m)
{
	if (m->folder_fd >= 0)
		(void)unlinkat(m->folder_fd, socket_name, 0);
	if (m->folder != NULL)
		(void)rmdir(m->folder);
	sb_fd_closep(&m->folder_fd);
	free(m->folder);
	sb_key_agent_release(&m->agent);
}

void sb_key_agent_release(struct sb_key_agent *agent)
{
	sb_fd_closep(&agent->socket_fd);
	if (agent->pid > 0) {
		(void)kill(agent->pid, SIGKILL);
		(void)sb_proc_wait(agent->pid);
	}
	agent->pid = 0;
}

static int make_folder(struct making *m, struct sb_error *err)
{
	const char *tmp = getenv("TMPDIR");
	sb_autofree char *folder =
		sb_path_join(tmp != NULL && tmp[0] == '/' ? tmp : "/tmp", "safebuild-ssh-XXXXXX");

	if (mkdtemp(folder) == NULL)
		return sb_fail_errno(err, "make a folder for the ssh agent");
	m->folder = SB_STEAL(folder);
	return sb_fd_open_dir_user(m->folder, "folder", &m->folder_fd, err);
}

/* A program of OpenSSH's, in the folder, without a terminal to ask at; stderr goes to err_fd. Other
 * threads may have had locks when the process was forked, so nothing is allocated here. */
static _Noreturn void exec_program(const struct making *m, const char *path, char *const *argv,
	char *const *env, pid_t parent, int err_fd)
{
	const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	/* ssh-agent is a setgid program on some systems, and such a one would forget the signal; it
	 * would do that only to be out of debuggers' reach, which it sees to by itself. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
		getppid() != parent || null_fd < 0 || fchdir(m->folder_fd) < 0 ||
		dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
		dup2(err_fd >= 0 ? err_fd : null_fd, STDERR_FILENO) < 0)
		_exit(127);
	(void)execve(path, argv, env);
	_exit(127);
}

/* Nothing of our environment goes with it. */
static int start_program(const struct making *m, const char *path, const struct sb_strv *argv,
	int err_fd, pid_t *out_pid, struct sb_error *err)
{
	static char path_variable[] = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
	sb_autofree char *socket_variable = sb_asprintf("SSH_AUTH_SOCK=%s", socket_name);
	char *env[] = {path_variable, socket_variable, NULL};
	char **words = sb_strv_argv(argv);
	const pid_t self = getpid();
	const pid_t pid = fork();

	if (pid < 0)
		return sb_fail_errno(err, "fork");
	if (pid == 0)
		exec_program(m, path, words, env, self, err_fd);
	*out_pid = pid;
	return 0;
}

/* One round of waiting for something that has so many milliseconds. */
static int pause_for(
	const struct making *m, unsigned *left_ms, const char *what, struct sb_error *err)
{
	if (*left_ms < PAUSE_MS)
		return sb_fail(err, SB_E_SYSTEM, "%s takes too long", what);
	*left_ms -= PAUSE_MS;
	(void)poll(NULL, 0, PAUSE_MS);
	return sb_interrupt_check(m->interrupt, err);
}

/* Until it takes connections. */
static int await_agent(struct making *m, struct sb_error *err)
{
	unsigned left_ms = START_WITHIN_MS;

	for (;;) {
		if (waitpid(m->agent.pid, NULL, WNOHANG) == m->agent.pid) {
			m->agent.pid = 0;
			return sb_fail(err, SB_E_SYSTEM, "ssh-agent does not start");
		}
		sb_fd_closep(&m->agent.socket_fd);
		m->agent.socket_fd =
			openat(m->folder_fd, socket_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		sb_autofd int trial =
			m->agent.socket_fd >= 0 ? sb_agent_connect(m->agent.socket_fd) : -1;

		if (trial >= 0)
			return 0;
		if (pause_for(m, &left_ms, "ssh-agent", err) < 0)
			return -1;
	}
}

static int start_agent(struct making *m, struct sb_error *err)
{
	sb_autofree char *path = sb_proc_program_path("ssh-agent");
	SB_AUTO_STRV argv = SB_STRV_INIT;

	if (path == NULL) {
		(void)sb_fail(err, SB_E_NOT_FOUND, "ssh-agent is not installed");
		return sb_error_hint(err, "keys need one: install openssh-client, or name the "
					  "socket of an agent that runs");
	}
	/* In the foreground, so that it stays our child. */
	sb_strv_add(&argv, "ssh-agent");
	sb_strv_add(&argv, "-D");
	sb_strv_add(&argv, "-a");
	sb_strv_add(&argv, socket_name);
	if (start_program(m, path, &argv, -1, &m->agent.pid, err) < 0)
		return -1;
	return await_agent(m, err);
}

/* Its exit status; killed where it takes too long. */
static int await_program(
	const struct making *m, pid_t pid, const char *what, int *out_status, struct sb_error *err)
{
	unsigned left_ms = ADD_WITHIN_MS;
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (pause_for(m, &left_ms, what, err) < 0) {
			(void)kill(pid, SIGKILL);
			(void)sb_proc_wait(pid);
			return -1;
		}
	}
	*out_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	return 0;
}

/* What ssh-add said, in the one line that an error has. */
static int fail_key(const char *key, int said_fd, struct sb_error *err)
{
	char said[MAX_SAID];
	const ssize_t n = pread(said_fd, said, sizeof(said) - 1, 0);
	size_t len = n > 0 ? (size_t)n : 0;

	while (len > 0 && (said[len - 1] == '\n' || said[len - 1] == '\r'))
		len--;
	said[len] = '\0';
	if (len == 0 || strstr(said, "Enter passphrase") != NULL) {
		(void)sb_fail(err, SB_E_UNSUPPORTED, "the key '%s' needs a passphrase", key);
		return sb_error_hint(err, "add it to an agent of yours with ssh-add, and name that "
					  "one's socket (or nothing: then it is $SSH_AUTH_SOCK)");
	}
	if (strstr(said, "UNPROTECTED PRIVATE KEY FILE") != NULL) {
		(void)sb_fail(err, SB_E_DENIED, "the key '%s' is open to others", key);
		return sb_error_hint(err, "chmod 600 %s", key);
	}
	for (size_t i = 0; i < len; i++)
		if (said[i] == '\n' || said[i] == '\r')
			said[i] = ' ';
	return sb_fail(err, SB_E_USAGE, "the key '%s' is not taken: %s", key, said);
}

static int add_key(
	const struct making *m, const char *program, const char *key, struct sb_error *err)
{
	sb_autofree char *cwd = getcwd(NULL, 0);
	sb_autofree char *absolute = sb_path_resolve(cwd != NULL ? cwd : "/", key);
	SB_AUTO_STRV argv = SB_STRV_INIT;
	sb_autofd int said_fd = -1;
	pid_t pid = 0;
	int status = 0;

	sb_strv_add(&argv, "ssh-add");
	sb_strv_add(&argv, "-q");
	sb_strv_add(&argv, "--");
	sb_strv_add(&argv, absolute);
	if (sb_fd_memory("ssh-add", &said_fd, err) < 0 ||
		start_program(m, program, &argv, said_fd, &pid, err) < 0 ||
		await_program(m, pid, "ssh-add", &status, err) < 0)
		return -1;
	return status == 0 ? 0 : fail_key(key, said_fd, err);
}

static int add_keys(const struct making *m, const struct sb_strv *keys, struct sb_error *err)
{
	sb_autofree char *program = sb_proc_program_path("ssh-add");

	if (program == NULL)
		return sb_fail(err, SB_E_NOT_FOUND, "ssh-add is not installed");
	for (size_t i = 0; i < keys->len; i++)
		if (add_key(m, program, keys->items[i], err) < 0)
			return -1;
	return 0;
}

int sb_key_agent_start(const struct sb_strv *keys, struct sb_interrupt *interrupt,
	struct sb_key_agent *out, struct sb_error *err)
{
	__attribute__((cleanup(making_release))) struct making m = {
		.interrupt = interrupt, .agent = SB_KEY_AGENT_INIT, .folder_fd = -1};

	if (make_folder(&m, err) < 0 || start_agent(&m, err) < 0 || add_keys(&m, keys, err) < 0)
		return -1;
	*out = m.agent;
	m.agent = (struct sb_key_agent)SB_KEY_AGENT_INIT;
	return 0;
}
