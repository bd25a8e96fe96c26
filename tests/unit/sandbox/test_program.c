/* SPDX-License-Identifier: MIT */
#include "../sys/namespaces.h"

#include <signal.h>
#include <sys/prctl.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sandbox/confine.h"
#include "sandbox/program.h"

/* A step's own process in a user namespace, but with the host's files. */
struct trial {
	struct sb_step_spec spec;
	const char *root; /* to chroot to, or NULL */
	int stdout_fd;
	int error_fd;
	struct sb_step_result result; /* what it said */
	bool has_said;
	char out[4096]; /* what the program wrote, both streams */
};

static void trial_release(struct trial *t)
{
	sb_step_spec_release(&t->spec);
	sb_step_result_release(&t->result);
}
#define TRIAL __attribute__((cleanup(trial_release))) struct trial

static struct trial new_trial(void)
{
	struct trial t = {.spec = SB_STEP_SPEC_INIT};

	t.spec.cwd = sb_strdup("/");
	t.spec.network = SB_STEP_NET_NONE;
	return t;
}

static void add_shell(struct trial *t, const char *script)
{
	sb_strv_add(&t->spec.argv, "/bin/sh");
	sb_strv_add(&t->spec.argv, "-c");
	sb_strv_add(&t->spec.argv, script);
	sb_env_set(&t->spec.env, "PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
}

static int run_program(void *data)
{
	struct trial *t = data;
	struct sb_host_ids ids = namespaces_enter();

	if (ids.mode == SB_IDS_SINGLE && t->spec.uid != 0)
		return NAMESPACES_REFUSED;
	t->spec.single_id = ids.mode == SB_IDS_SINGLE;
	t->spec.stdout_fd = t->spec.stderr_fd = t->stdout_fd;
	CHECK(t->root == NULL || chroot(t->root) == 0);
	/* What the starter of the build may leave behind. */
	CHECK(signal(SIGINT, SIG_IGN) != SIG_ERR && signal(SIGPIPE, SIG_IGN) != SIG_ERR);

	sigset_t all;

	CHECK(sigfillset(&all) == 0 && sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	(void)umask(0);
	for (int i = 0; i < 3; i++)
		CHECK(dup(STDIN_FILENO) >= 0);
	sb_program_run(&t->spec, t->error_fd);
}

/* Runs it to its end: the program's status, or that of the child that could not start it. */
static int run(struct trial *t)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF said = SB_BUF_INIT(SB_MAX_STEP_MESSAGE);
	SB_AUTO_BUF out = SB_BUF_INIT(sizeof(t->out) - 1);
	int out_pipe[2];
	int error_pipe[2];
	int status = 0;

	assert_int_equal(sb_fd_pipe(out_pipe, &err), 0);
	assert_int_equal(sb_fd_pipe(error_pipe, &err), 0);
	t->stdout_fd = out_pipe[1];
	t->error_fd = error_pipe[1];

	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(run_program(t));
	(void)close(out_pipe[1]);
	(void)close(error_pipe[1]);
	assert_int_equal(sb_fd_read_all(error_pipe[0], &said, &err), 0);
	assert_int_equal(sb_fd_read_all(out_pipe[0], &out, &err), 0);
	(void)close(out_pipe[0]);
	(void)close(error_pipe[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	memcpy(t->out, out.data, out.len + 1);
	t->has_said = said.len > 0;
	if (t->has_said)
		assert_int_equal(sb_step_result_decode(said.data, said.len, &t->result, &err), 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void make_program(int at, const char *name, const char *text, mode_t mode)
{
	temp_file(at, name, text);
	assert_int_equal(fchmodat(at, name, mode, 0), 0);
}

static void plant(int at)
{
	static const char *const folders[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

	for (size_t i = 0; i < N_OF(folders); i++)
		temp_dir(at, folders[i]);
	make_program(at, "a/tool", "#!/bin/sh\necho a $*\n", 0755);
	make_program(at, "b/tool", "#!/bin/sh\necho b $*\n", 0755);
	make_program(at, "c/tool", "#!/bin/sh\necho c $*\n", 0644);
	temp_dir(at, "d/tool");
	make_program(at, "f/tool", "#!/no/such/interpreter\n", 0755);
	make_program(at, "g/tool", "echo g\n", 0755);
	assert_int_equal(symlinkat("../a/tool", at, "h/tool"), 0);
	assert_int_equal(symlinkat("missing", at, "i/tool"), 0);
	assert_int_equal(mkfifoat(at, "j/tool", 0755), 0);
}

/* "a:b" below a folder; empty parts stay so. NULL for NULL. */
static char *search_path(const char *dir, const char *parts)
{
	SB_AUTO_STRV folders = SB_STRV_INIT;

	for (const char *p = parts; *p != '\0'; p++)
		if (*p != ':')
			sb_strv_addf(&folders, "%s/%c", dir, *p);
		else if (p[1] == ':' || p[1] == '\0')
			sb_strv_add(&folders, "");
	return sb_strv_join(&folders, ":");
}

static void programs_are_found_as_a_shell_finds_them(void **state)
{
	static const struct {
		const char *name; /* %: the folder */
		const char *path; /* of one-letter folders, or NULL for none */
		int status;       /* that is answered; 0: it runs */
		const char *said; /* what it says, or the start of the message; %: the folder */
	} cases[] = {
		{"tool", "a:b", 0, "a x\n"},
		{"tool", "b:a", 0, "b x\n"},
		{"tool", "e:z:a", 0, "a x\n"},
		{"tool", "::a::", 0, "a x\n"},
		{"tool", "h", 0, "a x\n"},
		/* What can't be executed is passed over, as long as there is something better. */
		{"tool", "c:a", 0, "a x\n"},
		{"tool", "d:i:j:b", 0, "b x\n"},
		{"tool", "c", 126, "start '%/c/tool': Permission denied"},
		{"tool", "c:e:d", 126, "start '%/c/tool': Permission denied"},
		{"tool", "d", 127, "'tool' is not in the step's PATH"},
		{"tool", "i:j", 127, "'tool' is not in the step's PATH"},
		{"tool", "e", 127, "'tool' is not in the step's PATH"},
		{"tool", "", 127, "'tool' is not in the step's PATH"},
		{"tool", NULL, 127, "'tool' is not in the step's PATH"},
		{"", "a", 127, "'' is not in the step's PATH"},
		{".", "a", 127, "'.' is not in the step's PATH"},
		{"..", "a", 127, "'..' is not in the step's PATH"},
		{"tool", "f", 127,
			"'%/f/tool': the interpreter or loader that it names is not in the image"},
		{"tool", "g", 126,
			"start '%/g/tool': Exec format error\n"
			"it is a program for another architecture, or a script without a #! line"},
		/* A name with a slash is a path. */
		{"%/a/tool", "b", 0, "a x\n"},
		{"%/a/tool", NULL, 0, "a x\n"},
		{"./b/tool", "a", 0, "b x\n"},
		{"a/tool", "b", 0, "a x\n"},
		{"a/../b/tool", "", 0, "b x\n"},
		{"%/missing", "a", 127, "'%/missing' is not in the image"},
		{"/", "a", 126, "start '/': Permission denied"},
		{"%/c/tool", "a", 126, "start '%/c/tool': Permission denied"},
		{"%/d/tool", "a", 126, "start '%/d/tool': Permission denied"},
		{"%/a/tool/x", "a", 127, "start '%/a/tool/x': Not a directory"},
		{"%/i/tool", "a", 127, "'%/i/tool' is not in the image"},
	};
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	plant(t.fd);
	for (size_t i = 0; i < N_OF(cases); i++) {
		TRIAL trial = new_trial();
		const char *rest = strchr(cases[i].said, '%');
		sb_autofree char *expected =
			rest == NULL ? sb_strdup(cases[i].said)
				     : sb_asprintf("%.*s%s%s", (int)(rest - cases[i].said),
					       cases[i].said, t.path, rest + 1);
		sb_autofree char *name = cases[i].name[0] == '%'
						 ? sb_asprintf("%s%s", t.path, cases[i].name + 1)
						 : sb_strdup(cases[i].name);

		sb_strv_add(&trial.spec.argv, name);
		sb_strv_add(&trial.spec.argv, "x");
		free(trial.spec.cwd);
		trial.spec.cwd = sb_strdup(t.path);
		if (cases[i].path != NULL) {
			sb_autofree char *path = search_path(t.path, cases[i].path);

			sb_env_set(&trial.spec.env, "PATH", path);
		}
		assert_int_equal(run(&trial), 0);
		assert_int_equal(trial.has_said, cases[i].status != 0);
		assert_int_equal(trial.result.status, cases[i].status);
		assert_false(trial.result.has_run);
		assert_string_equal(trial.has_said ? trial.result.message : trial.out, expected);
	}
}

static void an_image_without_a_shell_is_told_what_to_do(void **state)
{
	static const struct {
		const char *program;
		const char *message;
	} cases[] = {
		{"/bin/sh", "'/bin/sh' is not in the image\n"
			    "a RUN in shell form needs a shell: write it in exec form, "
			    "RUN [\"program\", \"argument\"], or take a base image that has one"},
		{"/bin/bash", "'/bin/bash' is not in the image"},
	};
	TEMP t;

	(void)state;
	namespaces_need();
	temp_init(&t);
	temp_dir(t.fd, "dev");
	temp_file(t.fd, "dev/null", "");
	for (size_t i = 0; i < N_OF(cases); i++) {
		TRIAL trial = new_trial();

		trial.root = t.path;
		sb_strv_add(&trial.spec.argv, cases[i].program);
		assert_int_equal(run(&trial), 0);
		assert_true(trial.has_said);
		assert_int_equal(trial.result.status, 127);
		assert_string_equal(trial.result.message, cases[i].message);
	}
}

static void what_is_not_the_programs_fault_has_no_status(void **state)
{
	TRIAL no_cwd = new_trial();
	TRIAL file_cwd = new_trial();

	(void)state;
	namespaces_need();
	add_shell(&no_cwd, "echo never");
	free(no_cwd.spec.cwd);
	no_cwd.spec.cwd = sb_strdup("/no/such/folder");
	assert_int_equal(run(&no_cwd), 0);
	assert_true(no_cwd.has_said);
	assert_false(no_cwd.result.has_run);
	assert_int_equal(no_cwd.result.status, 0);
	assert_string_equal(no_cwd.result.message,
		"change to the working directory '/no/such/folder': No such file or directory");
	assert_string_equal(no_cwd.out, "");
	add_shell(&file_cwd, "echo never");
	free(file_cwd.spec.cwd);
	file_cwd.spec.cwd = sb_strdup("/etc/passwd");
	assert_int_equal(run(&file_cwd), 0);
	assert_string_equal(file_cwd.result.message,
		"change to the working directory '/etc/passwd': Not a directory");
}

static void the_program_finds_what_the_step_says_and_nothing_else(void **state)
{
	/* Each writes the second. */
	static const struct {
		const char *script;
		const char *out;
	} cases[] = {
		{"cat; readlink /proc/self/fd/0", "/dev/null\n"},
		{"for i in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do "
		 "test -e /proc/$$/fd/$i && echo $i; done",
			""},
		{"umask", "0022\n"},
		{"pwd", "/\n"},
		{"grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t'",
			"SigBlk:0000000000000000\nSigIgn:0000000000000000\n"},
		{"read stat < /proc/$$/stat; set -- $stat; test $6 = $$ && echo own session",
			"own session\n"},
		{"grep ^Seccomp: /proc/self/status | tr -d '\\t'", "Seccomp:2\n"},
		{"grep ^NoNewPrivs /proc/self/status | tr -d '\\t'", "NoNewPrivs:0\n"},
		{"grep '^Max core' /proc/self/limits | tr -s ' '",
			"Max core file size 1 1 bytes \n"},
		{"grep -E '^Cap(Inh|Amb)' /proc/self/status | tr -d '\\t'",
			"CapInh:0000000000000000\nCapAmb:0000000000000000\n"},
		{"echo out; echo err >&2", "out\nerr\n"},
		{"exec 2>&1; unshare -m true || echo refused", NULL},
		{"exec 2>/dev/null; mount -t tmpfs none /mnt || echo refused", "refused\n"},
	};

	(void)state;
	namespaces_need();
	for (size_t i = 0; i < N_OF(cases); i++) {
		TRIAL trial = new_trial();

		add_shell(&trial, cases[i].script);
		(void)run(&trial);
		if (trial.has_said)
			fail_msg("%s: %s", cases[i].script, trial.result.message);
		if (cases[i].out != NULL)
			assert_string_equal(trial.out, cases[i].out);
		else
			assert_non_null(strstr(trial.out, "refused\n"));
	}
}

static void the_environment_is_the_steps_alone(void **state)
{
	TRIAL trial = new_trial();

	(void)state;
	namespaces_need();
	assert_int_equal(setenv("SB_UNIT_SECRET", "s", 1), 0);
	sb_strv_add(&trial.spec.argv, "/usr/bin/env");
	sb_strv_add(&trial.spec.env, "A=1");
	sb_strv_add(&trial.spec.env, "B=");
	assert_int_equal(run(&trial), 0);
	assert_string_equal(trial.out, "A=1\nB=\n");
}

static void root_keeps_the_steps_capabilities_and_others_none(void **state)
{
	static const char script[] = "grep -E '^Cap(Eff|Prm|Bnd)' /proc/self/status | tr -d '\\t'; "
				     "id -u; id -g; id -G";
	const unsigned long long mask = sb_confine_capabilities();
	sb_autofree char *as_root = sb_asprintf(
		"CapPrm:%016llx\nCapEff:%016llx\nCapBnd:%016llx\n0\n", mask, mask, mask);
	sb_autofree char *as_other = sb_asprintf("CapPrm:%016x\nCapEff:%016x\nCapBnd:%016llx\n"
						 "1000\n1001\n1001 5 6\n",
		0, 0, mask);
	TRIAL root = new_trial();
	TRIAL other = new_trial();

	(void)state;
	namespaces_need();
	add_shell(&root, script);
	assert_int_equal(run(&root), 0);
	assert_int_equal(strncmp(root.out, as_root, strlen(as_root)), 0);
	add_shell(&other, script);
	other.spec.uid = 1000;
	other.spec.gid = 1001;
	other.spec.no_new_privs = true;
	*SB_ARRAY_ADD(&other.spec.groups) = 5;
	*SB_ARRAY_ADD(&other.spec.groups) = 6;
	if (run(&other) != NAMESPACES_REFUSED) /* a single id has no others */
		assert_string_equal(other.out, as_other);
}

static void an_exit_status_is_the_programs_own(void **state)
{
	static const struct {
		const char *script;
		int status;
	} cases[] = {
		{"exit 0", 0}, {"exit 3", 3}, {"exit 255", 255}, {"kill -TERM $$", 128 + SIGTERM}};

	(void)state;
	namespaces_need();
	for (size_t i = 0; i < N_OF(cases); i++) {
		TRIAL trial = new_trial();

		add_shell(&trial, cases[i].script);
		assert_int_equal(run(&trial), cases[i].status);
		assert_false(trial.has_said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_are_found_as_a_shell_finds_them),
		cmocka_unit_test(an_image_without_a_shell_is_told_what_to_do),
		cmocka_unit_test(what_is_not_the_programs_fault_has_no_status),
		cmocka_unit_test(the_program_finds_what_the_step_says_and_nothing_else),
		cmocka_unit_test(the_environment_is_the_steps_alone),
		cmocka_unit_test(root_keeps_the_steps_capabilities_and_others_none),
		cmocka_unit_test(an_exit_status_is_the_programs_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
