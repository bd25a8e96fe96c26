/* SPDX-License-Identifier: MIT */
#include "sandbox/program.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sandbox/confine.h"
#include "sandbox/foreign.h"
#include "sys/fd.h"
#include "sys/proc.h"

static _Noreturn void give_up(int error_fd, int status, const struct sb_error *why)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF buf = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
	const struct sb_step_result result = {
		.status = status, .message = sb_step_result_text(why)};

	if (sb_step_result_encode(&result, &buf, &err) < 0 ||
		sb_fd_write_all(error_fd, buf.data, buf.len, &err) < 0)
		_exit(1);
	_exit(0);
}

/*
 * Where memory runs out, the step goes and not what watches over it. Only a dumpable process owns
 * its files in /proc; this one holds no more than the program will, which is dumpable too. A kernel
 * that does not let us is no reason to stop.
 */
static void volunteer_for_oom(void)
{
	static const char score[] = "500";

	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);

	sb_autofd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, score, sizeof(score) - 1);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int redirect(const struct sb_step_spec *spec, struct sb_error *err)
{
	const int stdin_fd =
		spec->stdin_fd >= 0 ? spec->stdin_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (stdin_fd < 0 || dup2(stdin_fd, STDIN_FILENO) < 0 ||
		dup2(spec->stdout_fd, STDOUT_FILENO) < 0 ||
		dup2(spec->stderr_fd, STDERR_FILENO) < 0)
		return sb_fail_errno(err, "redirect the step's output");
	/* The session is new, so the terminal becomes its own. */
	if (spec->terminal_fd >= 0 && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		return sb_fail_errno(err, "take the terminal");
	return 0;
}

/* As a shell finds it: the first that can be executed, else the first that can't. NULL for none. */
static char *find_program(const struct sb_step_spec *spec)
{
	const char *name = spec->argv.items[0];
	const char *path = sb_env_get(&spec->env, "PATH");

	if (strchr(name, '/') != NULL)
		return sb_strdup(name);

	sb_autofree char *folders = sb_strdup(path != NULL ? path : "");
	sb_autofree char *denied = NULL;

	for (char *saved = NULL, *dir = strtok_r(folders, ":", &saved);
		dir != NULL && name[0] != '\0'; dir = strtok_r(NULL, ":", &saved)) {
		sb_autofree char *candidate = sb_asprintf("%s/%s", dir, name);
		struct stat st;

		if (stat(candidate, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (access(candidate, X_OK) == 0)
			return SB_STEAL(candidate);
		if (denied == NULL)
			denied = SB_STEAL(candidate);
	}
	return SB_STEAL(denied);
}

/* An emulator that was registered without the flag F is looked for in the image. */
static int explain_foreign(
	const char *program, const char *platform, int os_errno, struct sb_error *err)
{
	if (os_errno == ENOENT)
		(void)sb_fail(err, SB_E_NOT_FOUND,
			"'%s' is a program for %s, and neither its interpreter nor this host's "
			"emulator for it (binfmt_misc) is in the image",
			program, platform);
	else
		(void)sb_fail(err, SB_E_UNSUPPORTED,
			"'%s' is a program for %s, which this host can't run", program, platform);
	return sb_error_hint(err,
		"an emulator makes it possible: apt install qemu-user-static binfmt-support; or "
		"have the work done in a stage FROM --platform=$BUILDPLATFORM, and only COPY into "
		"the image");
}

/* Says why exec failed, in words that fit what is in the image; os_errno is exec's. */
static int explain(
	const struct sb_step_spec *spec, const char *program, int os_errno, struct sb_error *err)
{
	const bool is_shell = strcmp(spec->argv.items[0], "/bin/sh") == 0;
	const char *platform =
		os_errno == ENOEXEC || os_errno == ENOENT ? sb_foreign_platform(program) : NULL;

	if (platform != NULL)
		return explain_foreign(program, platform, os_errno, err);
	if (os_errno == ENOENT && access(program, F_OK) < 0) {
		(void)sb_fail(err, SB_E_NOT_FOUND, "'%s' is not in the image", program);
		return is_shell ? sb_error_hint(err, "a RUN in shell form needs a shell: write it "
						     "in exec form, "
						     "RUN [\"program\", \"argument\"], or take a "
						     "base image that "
						     "has one")
				: -1;
	}
	if (os_errno == ENOENT)
		return sb_fail(err, SB_E_NOT_FOUND,
			"'%s': the interpreter or loader that it names is not in the image",
			program);
	errno = os_errno;
	(void)sb_fail_errno(err, "start '%s'", program);
	return os_errno == ENOEXEC
		       ? sb_error_hint(err, "it is a program for another architecture, or a script "
					    "without a #! line")
		       : -1;
}

/*
 * Before any path of the step is looked at. A descriptor that is only closed by exec is still there
 * while exec looks up the program: "/proc/self/fd/3/..." would then be a program in the store, and
 * its /proc/self/exe a way to write there.
 */
static int close_all_but(int error_fd, struct sb_error *err)
{
	if ((error_fd > 3 && close_range(3, (unsigned)error_fd - 1, 0) < 0) ||
		close_range((unsigned)error_fd + 1, ~0U, 0) < 0)
		return sb_fail_errno(err, "close descriptors");
	return 0;
}

static int prepare(const struct sb_step_spec *spec, int error_fd, struct sb_error *err)
{
	/* Whoever started safebuild may have had signals ignored (nohup, many a test runner), and
	 * that outlives exec. */
	sb_proc_reset_signals();
	volunteer_for_oom();
	(void)setsid();
	(void)umask(022);
	if (redirect(spec, err) < 0 || close_all_but(error_fd, err) < 0)
		return -1;
	if (chdir(spec->cwd) < 0)
		return sb_fail_errno(err, "change to the working directory '%s'", spec->cwd);
	return sb_confine(spec, err);
}

_Noreturn void sb_program_run(const struct sb_step_spec *spec, int error_fd)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (prepare(spec, error_fd, &err) < 0)
		give_up(error_fd, 0, &err);

	sb_autofree char *program = find_program(spec);

	if (program == NULL) {
		(void)sb_fail(&err, SB_E_NOT_FOUND, "'%s' is not in the step's PATH",
			spec->argv.items[0]);
		give_up(error_fd, 127, &err);
	}
	(void)execve(program, sb_strv_argv(&spec->argv), sb_strv_argv(&spec->env));

	const int os_errno = errno;

	(void)explain(spec, program, os_errno, &err);
	give_up(error_fd, os_errno == ENOENT || os_errno == ENOTDIR ? 127 : 126, &err);
}
