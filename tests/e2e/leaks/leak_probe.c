/* SPDX-License-Identifier: MIT */

/*
 * Runs inside a step (static, so that any base will do) and leaves a secret where and when busybox
 * can't: leak_probe WHAT FILE-WITH-THE-SECRET ARGUMENT…
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char secret[4096];
static size_t secret_len;
static const char *late_path; /* for the signal's handler */

static void fail(const char *what)
{
	perror(what);
	exit(9);
}

static void read_secret(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, secret, sizeof(secret) - 1);

	if (n < 0)
		fail(path);
	close(fd);
	secret_len = (size_t)n;
	while (secret_len > 0 && secret[secret_len - 1] == '\n')
		secret[--secret_len] = '\0';
}

static void write_to(int fd)
{
	if (write(fd, secret, secret_len) != (ssize_t)secret_len)
		fail("write");
}

static int create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		fail(path);
	return fd;
}

static void sleep_ms(long ms)
{
	poll(NULL, 0, (int)ms);
}

/* A daemon as old ones are; the caller goes on as it. */
static void become_daemon(void)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		fail("pipe");
	if (fork() > 0) {
		close(ready[1]);
		(void)!read(ready[0], &byte, 1); /* ends when the daemon is there */
		exit(0);
	}
	setsid();
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	if (fork() > 0)
		_exit(0);
	prctl(PR_SET_NAME, "leakd");
	for (int fd = 0; fd < 3; fd++)
		dup2(open("/dev/null", O_RDWR), fd);
	close(ready[0]);
	close(ready[1]);
}

static void set_attribute(char **args)
{
	if (setxattr(args[0], "user.token", secret, secret_len, 0) < 0)
		fail("setxattr");
}

static void set_attribute_name(char **args)
{
	char name[256];

	snprintf(name, sizeof(name), "user.%.200s", secret);
	if (setxattr(args[0], name, "1", 1, 0) < 0)
		fail("setxattr");
}

/* Dirty pages of a mapping that is neither synced nor unmapped. */
static void write_by_mapping(char **args)
{
	int fd = create(args[0]);
	char *map;

	if (ftruncate(fd, 8192) < 0)
		fail("ftruncate");
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail("mmap");
	memcpy(map + 4096 - 5, secret, secret_len);
	_exit(0);
}

static void write_at(char **args)
{
	int fd = create(args[0]);

	if (pwrite(fd, secret, secret_len, (off_t)strtoll(args[1], NULL, 0)) < 0)
		fail("pwrite");
}

/* A file without a name; with a second argument it gets one. */
static void write_nameless(char **args)
{
	char path[64];
	int fd = open(args[0], O_TMPFILE | O_RDWR, 0644);

	if (fd < 0)
		fail("O_TMPFILE");
	write_to(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (args[1] && linkat(AT_FDCWD, path, AT_FDCWD, args[1], AT_SYMLINK_FOLLOW) < 0)
		fail("linkat");
}

static void hold_deleted(char **args)
{
	int fd = create(args[0]);

	write_to(fd);
	unlink(args[0]);
	become_daemon();
	for (;;)
		sleep_ms(1000);
}

/* Writes after the step's first process has ended. */
static void write_late(char **args)
{
	become_daemon();
	sleep_ms(strtol(args[1], NULL, 0));
	write_to(create(args[0]));
	for (;;)
		sleep_ms(1000);
}

static void write_late_to_open_file(char **args)
{
	int fd = create(args[0]);

	become_daemon();
	sleep_ms(strtol(args[1], NULL, 0));
	write_to(fd);
	for (;;)
		sleep_ms(1000);
}

/* The mapping was made before; the daemon writes into it for as long as it lives. */
static void write_late_by_mapping(char **args)
{
	int fd = create(args[0]);
	char *map;

	if (ftruncate(fd, 4096) < 0)
		fail("ftruncate");
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail("mmap");
	become_daemon();
	sleep_ms(strtol(args[1], NULL, 0));
	memcpy(map, secret, secret_len);
	for (;;)
		sleep_ms(1000);
}

/* Writes when a file appears. */
static void write_when_a_file_appears(char **args)
{
	struct inotify_event *event;
	char buffer[4096];
	int fd = inotify_init1(IN_CLOEXEC);

	if (fd < 0 || inotify_add_watch(fd, args[0], IN_CREATE) < 0)
		fail("inotify");
	become_daemon();
	event = (struct inotify_event *)(void *)buffer;
	if (read(fd, buffer, sizeof(buffer)) > 0 && event->len > 0)
		write_to(create(args[1]));
	for (;;)
		sleep_ms(1000);
}

static void on_signal(int number)
{
	(void)number;
	write_to(create(late_path));
	_exit(0);
}

static void write_when_asked_to_end(char **args)
{
	late_path = args[0];
	become_daemon();
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	signal(SIGINT, on_signal);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (;;)
		sleep_ms(1000);
}

static void die_with_a_core(char **args)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	(void)args;
	setrlimit(RLIMIT_CORE, &limit);
	prctl(PR_SET_DUMPABLE, 1);
	abort();
}

/* In pieces, from several processes, in any order. */
static void write_by_many(char **args)
{
	int fd = create(args[0]);

	for (size_t i = 0; i < secret_len; i++) {
		if (fork() == 0)
			_exit(pwrite(fd, secret + i, 1, 100 + (off_t)i) != 1);
	}
	while (wait(NULL) > 0)
		;
}

static const struct {
	const char *name;
	void (*run)(char **args);
	int n_args;
} ways[] = {
	{"attribute", set_attribute, 1},
	{"attribute-name", set_attribute_name, 1},
	{"mapping", write_by_mapping, 1},
	{"at", write_at, 2},
	{"nameless", write_nameless, 1},
	{"hold-deleted", hold_deleted, 1},
	{"late", write_late, 2},
	{"late-open", write_late_to_open_file, 2},
	{"late-mapping", write_late_by_mapping, 2},
	{"watch", write_when_a_file_appears, 2},
	{"asked", write_when_asked_to_end, 1},
	{"core", die_with_a_core, 0},
	{"many", write_by_many, 1},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (argc < 3 || strcmp(argv[1], ways[i].name) != 0 || argc - 3 < ways[i].n_args)
			continue;
		read_secret(argv[2]);
		ways[i].run(argv + 3);
		return 0;
	}
	fputs("leak_probe: not one of the known ways, or too few arguments\n", stderr);
	return 2;
}
