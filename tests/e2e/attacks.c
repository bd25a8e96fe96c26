/* SPDX-License-Identifier: MIT */

/*
 * Runs inside a step and tries, all in one go, what a hostile program would. A line for each try:
 * its name, then "ok" or the error's name. The x86 part is the same by the 32-bit entry.
 *
 *   attacks                     all tries
 *   attacks send SOCKET FILE    passes the open file to who listens there
 *   attacks receive SOCKET      listens, and says how many bytes it reads, during and after
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *name, long result)
{
	printf("%s %s\n", name, result < 0 ? strerrorname_np(errno) : "ok");
	fflush(stdout);
}

#define TRY(name, call) \
	do { \
		errno = 0; \
		say(name, (long)(call)); \
	} while (0)

/* In a child, where the call may end the process: "killed" then. */
static void try_number(const char *name, long number, long a, long b, long c)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		long rc = syscall(number, a, b, c, 0L, 0L, 0L);

		_exit(rc < 0 ? errno & 0x7f : 0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s killed\n", name);
	else
		printf("%s %s\n", name,
			WEXITSTATUS(status) == 0 ? "ok" : strerrorname_np(WEXITSTATUS(status)));
	fflush(stdout);
}

static void try_namespaces(void)
{
	static const struct {
		const char *name;
		long flag;
	} kinds[] = {{"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS}, {"pid", CLONE_NEWPID},
		{"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS},
		{"cgroup", CLONE_NEWCGROUP}, {"time", 0x80}, {"none", 0}};
	char name[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(name, sizeof(name), "unshare-%s", kinds[i].name);
		TRY(name, syscall(SYS_unshare, kinds[i].flag));
		if (kinds[i].flag < 0x100)
			continue;
		snprintf(name, sizeof(name), "clone-%s", kinds[i].name);
		errno = 0;

		long pid = syscall(SYS_clone, kinds[i].flag | SIGCHLD, NULL, NULL, NULL, NULL);

		if (pid == 0)
			_exit(0);
		say(name, pid);
		if (pid > 0)
			waitpid((pid_t)pid, NULL, 0);
	}
	for (const char *const *ns = (const char *const[]){"mnt", "user", "pid", "net", NULL}; *ns;
		ns++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/1/ns/%s", *ns);
		snprintf(name, sizeof(name), "open-ns-of-1-%s", *ns);
		TRY(name, open(path, O_RDONLY | O_CLOEXEC));
		snprintf(path, sizeof(path), "/proc/self/ns/%s", *ns);
		snprintf(name, sizeof(name), "setns-%s", *ns);
		TRY(name, syscall(SYS_setns, open(path, O_RDONLY | O_CLOEXEC), 0));
	}
}

static void try_first_process(void)
{
	char byte = 0;
	struct iovec local = {&byte, 1};
	struct iovec remote = {(void *)0x400000, 1};
	struct rlimit limit = {1, 1};
	struct sched_param param = {0};
	int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);

	TRY("ptrace-attach-1", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
	TRY("ptrace-seize-1", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
	TRY("vm-readv-1", process_vm_readv(1, &local, 1, &remote, 1, 0));
	TRY("vm-writev-1", process_vm_writev(1, &local, 1, &remote, 1, 0));
	TRY("pidfd-getfd-1", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
	TRY("process-madvise-1", syscall(SYS_process_madvise, pidfd, &remote, 1, 21, 0));
	TRY("kcmp-1", syscall(SYS_kcmp, 1, getpid(), 0, 0, 0));
	TRY("prlimit-cpu-1", prlimit(1, RLIMIT_CPU, &limit, NULL));
	TRY("prlimit-high-bits-1", syscall(SYS_prlimit64, 0x700000001L, RLIMIT_CPU, &limit, NULL));
	TRY("prlimit-own-core",
		setrlimit(RLIMIT_CORE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}));
	TRY("fifo-1", sched_setscheduler(1, SCHED_FIFO, &param));
	for (const char *const *file = (const char *const[]){"mem", "environ", "maps", "auxv",
		     "stack", "syscall", "exe", "cwd", "root", "fd", "fdinfo", "map_files", "io",
		     "pagemap", NULL};
		*file; file++) {
		char path[64];
		char name[64];

		snprintf(path, sizeof(path), "/proc/1/%s%s", *file,
			strcmp(*file, "cwd") == 0 || strcmp(*file, "root") == 0 ? "/" : "");
		snprintf(name, sizeof(name), "read-1-%s", *file);
		errno = 0;

		int fd = open(path, O_RDONLY | O_CLOEXEC);
		long n = fd;

		/* An empty answer tells nothing. */
		if (fd >= 0 && strcmp(*file, "environ") == 0 && (n = read(fd, &byte, 1)) == 0) {
			n = -1;
			errno = ENODATA;
		}
		say(name, n);
	}
	TRY("write-1-oom", open("/proc/1/oom_score_adj", O_WRONLY | O_CLOEXEC));
	TRY("write-1-mem", open("/proc/1/mem", O_RDWR | O_CLOEXEC));
	TRY("write-1-coredump", open("/proc/1/coredump_filter", O_WRONLY | O_CLOEXEC));
	TRY("write-1-uid-map", open("/proc/1/uid_map", O_WRONLY | O_CLOEXEC));

	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	TRY("lower-own-oom", write(fd, "-1000", 5));
	TRY("raise-own-oom", write(fd, "900", 3));
}

static void try_mounts(void)
{
	char handle[256] = {0};

	*(unsigned *)handle = 128;
	TRY("mount", mount("none", "/mnt", "tmpfs", 0, NULL));
	TRY("remount", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
	TRY("umount", umount2("/proc/keys", 0));
	TRY("umount-detach", umount2("/proc/sys", MNT_DETACH));
	TRY("pivot-root", syscall(SYS_pivot_root, ".", "."));
	TRY("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	TRY("fsconfig", syscall(SYS_fsconfig, 0, 6, NULL, NULL, 0));
	TRY("fsmount", syscall(SYS_fsmount, 0, 0, 0));
	TRY("fspick", syscall(SYS_fspick, AT_FDCWD, "/", 0));
	TRY("open-tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
	TRY("move-mount", syscall(SYS_move_mount, AT_FDCWD, "/proc/sys", AT_FDCWD, "/mnt", 0));
	TRY("mount-setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/proc/sys", 0, handle, 32));
	TRY("open-tree-attr", syscall(467, AT_FDCWD, "/", 1, handle, 32));
	TRY("statmount", syscall(457, handle, handle, sizeof(handle), 0));
	TRY("listmount", syscall(458, handle, handle, 1, 0));
	TRY("open-by-handle", syscall(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDONLY));
	TRY("chroot-twice", chroot("/tmp") < 0 || chroot("../../../..") < 0 ? -1 : 0);
}

static void try_kernel(void)
{
	char zeros[256] = {0};

	TRY("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	TRY("add-key", syscall(SYS_add_key, "user", "x", "x", 1, -3));
	TRY("request-key", syscall(SYS_request_key, "user", "x", NULL, 0));
	TRY("bpf", syscall(SYS_bpf, 0, zeros, sizeof(zeros)));
	TRY("perf", syscall(SYS_perf_event_open, zeros, 0, -1, -1, 0));
	TRY("io-uring", syscall(SYS_io_uring_setup, 4, zeros));
	TRY("userfaultfd", syscall(SYS_userfaultfd, 1));
	TRY("syslog", syscall(SYS_syslog, 3, zeros, sizeof(zeros)));
	TRY("quotactl", syscall(SYS_quotactl, 0x800001 << 8, NULL, 0, NULL));
	TRY("swapon", syscall(SYS_swapon, "/x", 0));
	TRY("swapoff", syscall(SYS_swapoff, "/x"));
	TRY("kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	TRY("kexec-file", syscall(SYS_kexec_file_load, 0, 0, 0, NULL, 0));
	TRY("init-module", syscall(SYS_init_module, zeros, 1, ""));
	TRY("finit-module", syscall(SYS_finit_module, 0, "", 0));
	TRY("delete-module", syscall(SYS_delete_module, "x", 0));
	TRY("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL));
	TRY("acct", syscall(SYS_acct, "/x"));
	TRY("settimeofday", syscall(SYS_settimeofday, zeros, NULL));
	TRY("clock-settime", syscall(SYS_clock_settime, 0, zeros));
	TRY("sethostname", syscall(SYS_sethostname, "x", 1));
	TRY("fanotify", syscall(SYS_fanotify_init, 0, 0));
	TRY("move-pages", syscall(SYS_move_pages, 1, 0, NULL, NULL, NULL, 0));
	TRY("personality-read-implies-exec", personality(READ_IMPLIES_EXEC));
	TRY("personality-no-randomize", personality(ADDR_NO_RANDOMIZE));
	TRY("personality-high-bits", syscall(SYS_personality, 0x100000000L | READ_IMPLIES_EXEC));
#ifdef SYS_iopl
	TRY("iopl", syscall(SYS_iopl, 3));
	TRY("ioperm", syscall(SYS_ioperm, 0x60, 1, 1));
#endif
}

static void try_ioctls(void)
{
	TRY("tiocsti", syscall(SYS_ioctl, 0, 0x5412L, "x"));
	TRY("tiocsti-high-bits", syscall(SYS_ioctl, 0, 0xffffffff00005412L, "x"));
	TRY("tioclinux", syscall(SYS_ioctl, 0, 0x541cL, "x"));
	TRY("tioclinux-high-bits", syscall(SYS_ioctl, 0, 0x10000541cL, "x"));
	TRY("tiocsctty-null", ioctl(0, TIOCSCTTY, 1));
	TRY("open-tty", open("/dev/tty", O_RDWR | O_CLOEXEC));
}

static void try_sockets(void)
{
	static const struct {
		const char *name;
		int family, type, protocol;
	} kinds[] = {{"alg", 38, SOCK_SEQPACKET, 0}, {"vsock", 40, SOCK_STREAM, 0},
		{"key", 15, SOCK_RAW, 2}, {"netlink-audit", 16, SOCK_RAW, NETLINK_AUDIT},
		{"rds", 21, SOCK_SEQPACKET, 0}, {"tipc", 30, SOCK_STREAM, 0},
		{"bluetooth", 31, SOCK_RAW, 1}, {"x25", 9, SOCK_SEQPACKET, 0},
		{"can", 29, SOCK_RAW, 1}};
	char name[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(name, sizeof(name), "socket-%s", kinds[i].name);
		TRY(name, socket(kinds[i].family, kinds[i].type | SOCK_CLOEXEC, kinds[i].protocol));
		snprintf(name, sizeof(name), "socket-%s-high-bits", kinds[i].name);
		TRY(name, syscall(SYS_socket, 0x100000000L | kinds[i].family, kinds[i].type,
				  kinds[i].protocol));
	}
	TRY("socketpair-vsock", socketpair(40, SOCK_STREAM, 0, (int[2]){0, 0}));
}

static void try_devices(void)
{
	static const struct {
		const char *name;
		mode_t type;
		unsigned major, minor;
	} nodes[] = {{"mem", S_IFCHR, 1, 1}, {"kmsg", S_IFCHR, 1, 11}, {"sda", S_IFBLK, 8, 0},
		{"fuse", S_IFCHR, 10, 229}, {"null", S_IFCHR, 1, 3}};
	char name[64];

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		for (const char *const *dir =
				(const char *const[]){"/tmp", "/dev", "/dev/shm", NULL};
			*dir; dir++) {
			char path[64];

			snprintf(path, sizeof(path), "%s/red-%s", *dir, nodes[i].name);
			snprintf(name, sizeof(name), "mknod-%s-in-%s", nodes[i].name, *dir);
			errno = 0;

			long rc = mknod(
				path, nodes[i].type | 0666, nodes[i].major << 8 | nodes[i].minor);

			if (rc == 0)
				rc = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
			say(name, rc);
		}
	}
	for (const char *const *path = (const char *const[]){"/proc/sys/kernel/core_pattern",
		     "/proc/sysrq-trigger", "/proc/sys/kernel/pid_max",
		     "/proc/sys/user/max_user_namespaces", "/proc/sys/net/ipv4/ip_forward",
		     "/sys/kernel/mm/ksm/run", "/sys/fs/cgroup/release_agent",
		     "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/release_agent",
		     "/sys/kernel/uevent_helper", "/proc/kcore", "/dev/mem", "/proc/self/uid_map",
		     "/proc/kmsg", "/proc/kpagecount", "/proc/sched_debug", NULL};
		*path; path++) {
		snprintf(name, sizeof(name), "write-%s", *path);
		errno = 0;

		int fd = open(*path, O_WRONLY | O_CLOEXEC);
		long rc = fd < 0 ? -1 : write(fd, "1\n", 2);

		say(name, rc);
	}

	int shm = open("/dev/shm/run", O_CREAT | O_RDWR | O_CLOEXEC, 0755);

	TRY("exec-in-shm",
		write(shm, "#!/bin/sh\n", 10) < 0 ? 0 : execl("/dev/shm/run", "run", NULL));
}

#ifdef __x86_64__
static long int80(long number, long a, long b, long c, long d)
{
	long result = 0;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

/* What the 32-bit entry is handed must lie low. */
static char low[4096] __attribute__((aligned(4096)));

static void try_32_bit(void)
{
	static const struct {
		const char *name;
		long number, a, b, c;
	} calls[] = {
		{"32-getpid", 20, 0, 0, 0},
		{"32-mount", 21, 0, 0, 0},
		{"32-umount", 22, 0, 0, 0},
		{"32-umount2", 52, 0, 0, 0},
		{"32-ptrace-1", 26, 16, 1, 0},
		{"32-unshare-user", 310, CLONE_NEWUSER, 0, 0},
		{"32-setns", 346, 0, 0, 0},
		{"32-keyctl", 288, 0, -3, 0},
		{"32-add-key", 286, 0, 0, 0},
		{"32-bpf", 357, 0, 0, 0},
		{"32-clone3", 435, 0, 0, 0},
		{"32-clone-user", 120, CLONE_NEWUSER | SIGCHLD, 0, 0},
		{"32-open-tree", 428, -100, 0, 1},
		{"32-pivot-root", 217, 0, 0, 0},
		{"32-personality", 136, READ_IMPLIES_EXEC, 0, 0},
		{"32-tiocsti", 54, 0, 0x5412, 0},
		{"32-socket-inet", 359, AF_INET, SOCK_STREAM, 0},
		{"32-socket-alg", 359, 38, SOCK_SEQPACKET, 0},
		{"32-socket-vsock", 359, 40, SOCK_STREAM, 0},
		{"32-vm86", 113, 0, 0, 0},
		{"32-userfaultfd", 374, 0, 0, 0},
		{"32-swapon", 87, 0, 0, 0},
		{"32-init-module", 128, 0, 0, 0},
		{"32-prlimit-1", 340, 1, 0, (long)8},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		long rc = int80(calls[i].number, calls[i].a, calls[i].b, calls[i].c, 0);

		if (rc == 0 && strcmp(calls[i].name, "32-clone-user") == 0)
			_exit(0);
		errno = (int)-rc;
		say(calls[i].name, rc < 0 && rc > -4096 ? -1 : 0);
	}
	static const struct {
		const char *name;
		unsigned args[3];
	} sockets[] = {
		{"32-socketcall-alg", {38, SOCK_SEQPACKET, 0}},
		{"32-socketcall-vsock", {40, SOCK_STREAM, 0}},
		{"32-socketcall-inet", {AF_INET, SOCK_STREAM, 0}},
	};

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		memcpy(low, sockets[i].args, sizeof(sockets[i].args));

		long rc = int80(102, 1, (long)low, 0, 0);

		errno = (int)-rc;
		say(sockets[i].name, rc < 0 ? -1 : 0);
	}
	for (long number = 0; number < 3; number++) {
		static const struct {
			const char *name;
			long number;
		} x32[] = {{"x32-mount", 165}, {"x32-ptrace", 521}, {"x32-keyctl", 250}};

		try_number(x32[number].name, 0x40000000 | x32[number].number, 0, 0, 0);
	}
}
#endif

/* A kernel without the 32-bit entry ends the process. */
static void try_in_child(const char *name, void (*tries)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		tries();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s killed\n", name);
}

/* "@name" is an abstract address. */
static int open_socket(const char *name, struct sockaddr_un *address, socklen_t *len)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", name);
	*len = sizeof(*address);
	if (name[0] == '@') {
		address->sun_path[0] = '\0';
		*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	}
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* A message of one byte that carries a descriptor. */
struct parcel {
	char byte;
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec io;
	struct msghdr message;
};

static void parcel_init(struct parcel *p)
{
	*p = (struct parcel){0};
	p->io = (struct iovec){&p->byte, 1};
	p->message = (struct msghdr){.msg_iov = &p->io,
		.msg_iovlen = 1,
		.msg_control = p->control,
		.msg_controllen = sizeof(p->control)};
}

/* Passes an open file to who listens there, and leaves once that has read it. */
static int send_file(const char *name, const char *path)
{
	struct sockaddr_un address;
	socklen_t len = 0;
	struct parcel p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int peer = open_socket(name, &address, &len);
	int rc = -1;

	for (int tries = 0; tries < 200 && rc < 0 && errno != EPERM; tries++) {
		rc = connect(peer, (struct sockaddr *)&address, len);
		if (rc < 0)
			usleep(20000);
	}
	if (rc < 0) {
		say("connect", rc);
		return 0;
	}
	parcel_init(&p);

	struct cmsghdr *header = CMSG_FIRSTHDR(&p.message);

	*header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	say("sent", sendmsg(peer, &p.message, 0));
	return read(peer, &p.byte, 1) == 1 ? 0 : 1;
}

/* Reads what it was passed while its sender lives, and again when the sender's step is over. */
static int receive_file(const char *name)
{
	struct sockaddr_un address;
	socklen_t len = 0;
	struct parcel p;
	char bytes[256];
	int fd = -1;
	int listener = open_socket(name, &address, &len);

	if (bind(listener, (struct sockaddr *)&address, len) < 0 || listen(listener, 1) < 0)
		return 1;

	int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	parcel_init(&p);
	if (recvmsg(peer, &p.message, 0) != 1 || CMSG_FIRSTHDR(&p.message) == NULL)
		return 1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&p.message)), sizeof(fd));
	printf("during %zd\n", pread(fd, bytes, sizeof(bytes), 0));
	if (write(peer, "x", 1) != 1 || read(peer, bytes, 1) > 0)
		return 1;
	usleep(300000);
	printf("after %zd\n", pread(fd, bytes, sizeof(bytes), 0));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "send") == 0)
		return send_file(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "receive") == 0)
		return receive_file(argv[2]);
#ifdef __x86_64__
	try_in_child("32-bit", try_32_bit);
#endif
	try_number("clone3", SYS_clone3, 0, 0, 0);
	try_number("no-such-call", 5000, 0, 0, 0);
	try_namespaces();
	try_first_process();
	try_kernel();
	try_ioctls();
	try_sockets();
	try_devices();
	try_mounts();
	return 0;
}
