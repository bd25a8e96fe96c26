/* SPDX-License-Identifier: MIT */
#include "../sys/namespaces.h"

#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "sandbox/network.h"

static int bring_up_loopback(void *data)
{
	namespaces_just_enter();
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct ifreq request = {.ifr_name = "lo"};

	(void)data;
	CHECK(unshare(CLONE_NEWNET) == 0);

	sb_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const size_t n_fds = temp_n_open_fds();

	CHECK(ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) == 0);
	CHECK_OK(sb_network_loopback_up(&err), &err);
	CHECK(ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0);
	CHECK_OK(sb_network_loopback_up(&err), &err);
	CHECK(temp_n_open_fds() == n_fds);
	return 0;
}

static void loopback_comes_up_in_a_new_namespace(void **state)
{
	(void)state;
	namespaces_need();
	namespaces_test(bring_up_loopback, NULL);
}

static void the_hosts_loopback_is_not_a_users_to_change(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)state;
	if (geteuid() == 0)
		return;
	assert_int_equal(sb_network_loopback_up(&err), -1);
	assert_int_equal(err.code, SB_E_DENIED);
	assert_string_equal(err.message, "bring up loopback: Operation not permitted");
}

/* A slirp4netns of our own, found first. */
static void plant_program(const struct temp *t, const char *script)
{
	sb_autofree char *text = sb_asprintf("#!/bin/sh\nwhile test \"$1\" != --ready-fd; do "
					     "options=\"$options $1\"; shift; done\n%s",
		script);
	sb_autofree char *path = sb_asprintf("%s:%s", t->path, "/usr/sbin:/usr/bin:/sbin:/bin");

	(void)unlinkat(t->fd, "slirp4netns", 0);
	temp_file(t->fd, "slirp4netns", text);
	assert_int_equal(fchmodat(t->fd, "slirp4netns", 0755, 0), 0);
	assert_int_equal(setenv("PATH", path, 1), 0);
}

/* Starts it for a process and waits until it says that it is up. Its process is the caller's to
 * end, or -1. */
static int connect_step(pid_t target, pid_t *out_pid, struct sb_error *err)
{
	int ready[2];
	int life[2];

	if (sb_fd_pipe(ready, err) < 0)
		return -1;

	sb_autofd int ready_read = ready[0];
	sb_autofd int ready_write = ready[1];

	if (sb_fd_pipe(life, err) < 0)
		return -1;

	sb_autofd int life_read = life[0];
	__attribute__((unused)) sb_autofd int life_write = life[1];

	if (sb_network_start(target, ready_write, -1, out_pid, err) < 0)
		return -1;
	sb_fd_closep(&ready_write);
	return sb_network_await(ready_read, life_read, err);
}

static void a_step_is_connected_when_slirp_says_so(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	TEMP t;
	pid_t pid = -1;
	const size_t n_fds = temp_n_open_fds();

	(void)state;
	temp_init(&t);

	sb_autofree char *script = sb_asprintf("echo \"$options $3 $4 $#\" > %s/args\n"
					       "streams=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 "
					       "/proc/$$/fd/2)\n"
					       "echo \"$streams\" > %s/streams\n"
					       "echo 1 > /proc/self/fd/$2\n"
					       "exec sleep 50\n",
		t.path, t.path);

	plant_program(&t, script);
	assert_int_equal(connect_step(4711, &pid, &err), 0);
	assert_true(pid > 0);
	assert_int_equal(kill(pid, 0), 0);
	/* The host's own loopback is out of a step's reach, and the host out of slirp's. */
	assert_non_null(strstr(temp_text(t.fd, "args"), " --disable-host-loopback "));
	assert_non_null(strstr(temp_text(t.fd, "args"), " --configure "));
	assert_non_null(strstr(temp_text(t.fd, "args"), " 4711 tap0 4\n"));
	assert_string_equal(temp_text(t.fd, "streams"), "/dev/null\n/dev/null\n/dev/null\n");
	sb_network_disconnect(pid);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(temp_n_open_fds(), n_fds + 1);
}

static void a_slirp_that_gives_up_is_an_error(void **state)
{
	static const char *const scripts[] = {"exit 1\n", "exit 0\n", "kill -9 $$\n"};
	TEMP t;

	(void)state;
	temp_init(&t);
	for (size_t i = 0; i < N_OF(scripts); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		pid_t pid = -1;

		plant_program(&t, scripts[i]);
		assert_int_equal(connect_step(getpid(), &pid, &err), -1);
		assert_int_equal(err.code, SB_E_SYSTEM);
		assert_string_equal(err.message, "slirp4netns did not connect the step's network");
		assert_non_null(err.hint);
		sb_network_disconnect(pid);                 /* its process, dead or not */
		assert_int_equal(waitpid(-1, NULL, 0), -1); /* nothing is left behind */
	}
}

static void waiting_for_slirp_ends_with_who_wants_it(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	int ready[2];
	int life[2];

	(void)state;
	assert_int_equal(sb_fd_pipe(ready, &err), 0);
	assert_int_equal(sb_fd_pipe(life, &err), 0);
	(void)close(life[1]);
	(void)alarm(5);
	assert_int_equal(sb_network_await(ready[0], life[0], &err), -1);
	(void)alarm(0);
	(void)close(life[0]);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static int connect_and_leave(void *data)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	const int *pid_fd = data;
	pid_t pid = -1;

	CHECK_OK(connect_step(getpid(), &pid, &err), &err);
	CHECK(write(*pid_fd, &pid, sizeof(pid)) == (ssize_t)sizeof(pid));
	return 0;
}

static void slirp_ends_with_who_started_it(void **state)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	TEMP t;
	int fds[2];
	pid_t pid = -1;
	int status = 0;

	(void)state;
	temp_init(&t);
	plant_program(&t, "echo 1 > /proc/self/fd/$2\nexec sleep 50\n");
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_int_equal(sb_fd_pipe(fds, &err), 0);
	assert_int_equal(temp_in_child(connect_and_leave, &fds[1]), 0);
	assert_int_equal(read(fds[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_comes_up_in_a_new_namespace),
		cmocka_unit_test(the_hosts_loopback_is_not_a_users_to_change),
		cmocka_unit_test(a_step_is_connected_when_slirp_says_so),
		cmocka_unit_test(a_slirp_that_gives_up_is_an_error),
		cmocka_unit_test(waiting_for_slirp_ends_with_who_wants_it),
		cmocka_unit_test(slirp_ends_with_who_started_it),
	};

	(void)alarm(50); /* a slirp4netns that stays behind must not hang the tests */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
