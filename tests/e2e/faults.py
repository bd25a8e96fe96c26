# SPDX-License-Identifier: MIT
"""System calls that fail: strace's injection into safebuild, or into safebuild-step.

strace lets go of a process where it executes another program, so a step's program, slirp4netns and the setuid
newuidmap are never touched; safebuild-step is reached by a program of that name that starts the real one under
strace. A place is the Nth call of a kind, counted in each process and thread by itself.
"""

import collections
import pathlib
import re
import shutil
import stat

TRACE = ["strace", "-f", "-qq", "-b", "execve"]

DISK = ("ENOSPC", "EIO")
FILES = ("EMFILE", "ENFILE")
MEMORY = ("ENOMEM",)
# What each call may fail with, of those that the program makes and that can fail for a reason outside of it.
ERRORS = {
    **dict.fromkeys("""openat openat2 write pwrite64 writev mkdir mkdirat renameat renameat2 linkat symlinkat unlink
        unlinkat rmdir mknodat fsync fdatasync syncfs ftruncate fallocate fchown fchownat fchmod fchmodat fsetxattr
        lsetxattr utimensat copy_file_range sendfile""".split(), DISK),
    **dict.fromkeys("""read pread64 getdents64 newfstatat statx fstat readlink readlinkat access faccessat2 llistxattr
        flistxattr lgetxattr fgetxattr lseek chdir fchdir getcwd ioctl""".split(), ("EIO",)),
    **dict.fromkeys("mount fsopen fsconfig fsmount move_mount open_tree mount_setattr umount2 pivot_root".split(), ("EIO", "ENOMEM")),
    **dict.fromkeys("pipe2 socketpair socket memfd_create epoll_create1 eventfd2 signalfd4 fcntl dup2".split(), FILES),
    **dict.fromkeys("clone clone3 fork vfork unshare setns".split(), ("EAGAIN", "ENOMEM")),
    **dict.fromkeys("sendmsg recvmsg sendto recvfrom poll ppoll epoll_ctl epoll_wait epoll_pwait mlock mlock2 sysinfo".split(), MEMORY),
    **dict.fromkeys("flock".split(), ("ENOLCK", "EIO")),
    **dict.fromkeys("""prctl seccomp capset capget setgroups setresuid setresgid setsid sethostname close_range
        prlimit64""".split(), ("EPERM",)),
}
MAX_SECONDS = 60


class Place(collections.namedtuple("Place", "who call error nth")):
    def __str__(self):
        return f"{self.who}-{self.call}-{self.error}-{self.nth}"

    @property
    def options(self):
        return ["-o", "/dev/null", "-e", f"trace={self.call}", "-e", f"inject={self.call}:error={self.error}:when={self.nth}"]


class Programs:
    """safebuild, and safebuild beside a safebuild-step that is traced. Both lie where the user may execute them."""

    def __init__(self, program, folder):
        self.plain = str(program)
        self.options = pathlib.Path(folder) / "options"
        step = pathlib.Path(program).resolve().parent / "safebuild-step"
        if not step.exists():
            step = step.parent / "sandbox" / "safebuild-step"
        self.beside = pathlib.Path(folder) / "bin"
        self.beside.mkdir()
        shutil.copy(program, self.beside / "safebuild")
        wrapper = self.beside / "safebuild-step"
        wrapper.write_text(f'#!/bin/sh\nset -f\nexec {" ".join(TRACE)} $(cat {self.options}) {step} "$@"\n')
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)

    def command(self, who, options):
        """(prefix, program) that runs safebuild so that strace has these options for `who`."""
        if who == "safebuild":
            return [*TRACE, *options], self.plain
        self.options.write_text(" ".join(options))
        return [], str(self.beside / "safebuild")


def is_sanitizers_own(err):
    """A sanitizer's runtime makes calls too, and gives up in its own words where they fail."""
    return re.search(r"AddressSanitizer:? (CHECK failed: sanitizer_\w+\.cpp:|setrlimit\(\) failed)", err) is not None


CALL = re.compile(r"^(\d+) +(\w+)\(")


def counted(log):
    """({call: how often the process does it that does it most}, {call: how often the loader does it})."""
    seen, loader, first, loading = collections.Counter(), collections.Counter(), None, True
    for line in log.splitlines():
        found = CALL.match(line)
        if not found:
            continue
        pid, call = found.groups()
        first = first or pid
        seen[pid, call] += 1
        if pid == first and loading:
            # The last that it does is to let go of its list of libraries.
            loading = call != "munmap"
            loader[call] += loading
    most = collections.Counter()
    for (_, call), times in seen.items():
        most[call] = max(most[call], times)
    return most, loader


def places(who, log, chance, more=3):
    """The first, second, fifth and some other occurrences of every call, with every error."""
    most, loader = counted(log)
    found = []
    for call in sorted(most):
        past = loader[call]
        nths = {past + 1, past + 2, past + 5, 1, 2}
        nths |= {chance.randint(1, most[call]) for _ in range(more)}
        for nth in sorted(n for n in nths if n <= most[call]):
            found += [Place(who, call, error, nth) for error in ERRORS.get(call, ())]
    return found
