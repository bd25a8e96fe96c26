/* SPDX-License-Identifier: MIT */
#include "sys/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "sys/fd.h"

char *sb_proc_program_path(const char *name)
{
	static const char system_folders[] = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
	const char *path = getenv("PATH");
	sb_autofree char *folders = sb_asprintf("%s:%s", path != NULL ? path : "", system_folders);

	for (char *saved = NULL, *dir = strtok_r(folders, ":", &saved); dir != NULL;
		dir = strtok_r(NULL, ":", &saved)) {
		char *candidate = sb_asprintf("%s/%s", dir, name);

		if (dir[0] == '/' && access(candidate, X_OK) == 0)
			return candidate;
		free(candidate);
	}
	return NULL;
}

bool sb_proc_find_program(const char *name)
{
	sb_autofree char *path = sb_proc_program_path(name);

	return path != NULL;
}

int sb_proc_wait(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static _Noreturn void exec_with_stderr(const char *path, char **argv, int stderr_fd)
{
	static char path_variable[] =
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = {path_variable, NULL};
	const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
		dup2(stderr_fd, STDERR_FILENO) < 0)
		_exit(127);
	execve(path, argv, env);
	_exit(127);
}

int sb_proc_run(const struct sb_strv *argv, struct sb_error *err)
{
	const char *name = argv->items[0];
	sb_autofree char *path = sb_proc_program_path(name);
	int fds[2];

	if (path == NULL)
		return sb_fail(err, SB_E_NOT_FOUND, "%s is not installed", name);
	if (sb_fd_pipe(fds, err) < 0)
		return -1;

	sb_autofd int read_fd = fds[0];
	sb_autofd int write_fd = fds[1];
	const pid_t pid = fork();

	if (pid < 0)
		return sb_fail_errno(err, "fork");
	if (pid == 0)
		exec_with_stderr(path, sb_strv_argv(argv), write_fd);
	sb_fd_closep(&write_fd);

	char said[1024];
	size_t len = 0;

	for (ssize_t n = 1; n > 0;) {
		char drop[512];

		n = len < sizeof(said) - 1 ? read(read_fd, said + len, sizeof(said) - 1 - len)
					   : read(read_fd, drop, sizeof(drop));
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0 && len < sizeof(said) - 1)
			len += (size_t)n;
	}
	said[len] = '\0';
	while (len > 0 && said[len - 1] == '\n')
		said[--len] = '\0';

	const int status = sb_proc_wait(pid);

	if (status != 0)
		return sb_fail(err, SB_E_SYSTEM, "%s ended with status %d: %s", name, status, said);
	return 0;
}

int sb_proc_open(pid_t pid, int *out_pidfd, struct sb_error *err)
{
	const int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return sb_fail_errno(err, "open process %d", (int)pid);
	*out_pidfd = fd;
	return 0;
}

void sb_proc_reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}
