# SPDX-License-Identifier: MIT
"""What the tests share that disturb builds: a build with its undisturbed result, and the judgement of what is left.

A module that imports own_orphans and built has them as its fixtures."""

import contextlib
import ctypes
import hashlib
import os
import pathlib
import re
import signal

import pytest

import processes
import store_check
from conftest import Safebuild, import_bases, remove_tree
from secret_search import find_secret

SEED = int(os.environ.get("SB_TEST_SEED", "1"))
IS_WHOLE = os.environ.get("SB_TEST_FAULTS") == "all"
EPOCH = "--source-date-epoch=1000"
VALUE = "sb-faults-9f3c1d77a0e24b56"
# set -e: a step of which any program is killed fails.
TEXT = """FROM busybox:1 AS a
RUN --mount=type=secret,id=tok set -e; cat /run/secrets/tok >/x; sha256sum </x >/sum; rm /x
FROM busybox:1 AS b
COPY d /d
RUN --mount=type=cache,target=/c set -e; echo x >>/c/log; cat /d/* >/all
FROM busybox:1
COPY --from=a /sum /sum
COPY --from=b /all /all
COPY f /f
RUN set -e; rm /bin/awk; cat /f /sum >/both
"""
FILES = {"f": "hello\n", **{f"d/{i}": str(i) * 100 for i in range(10)}}
PR_SET_CHILD_SUBREAPER = 36


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def mounts(folder):
    """The mounts below a folder, in this mount namespace."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if f" {folder}/" in line]


@pytest.fixture(scope="module", autouse=True)
def own_orphans():
    """What outlives the process that started it becomes a child of this one, and is seen."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def reap():
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass


def alive(known=()):
    """{pid: command line} of the processes below this one, but for known ones."""
    reap()
    family = {pid: processes.command(pid) for pid in processes.parents_children(os.getpid())[1:]}
    return {pid: words for pid, words in family.items() if words and words[0] and pid not in known}


class Built:
    """A build, what it comes to when nothing disturbs it, and the store that it is repeated in."""

    def __init__(self, folder, rootfs, prefix=()):
        self.sb = Safebuild(folder, prefix)
        self.rootfs = rootfs
        self.prefix = list(prefix) or None
        self.known = list(alive())
        import_bases(self.sb, rootfs)
        self.context = self.sb.context({**FILES, "Buildfile": TEXT})
        self.secret = self.sb.file("tok", VALUE + "\n")
        self.target = self.sb.folder / "image.tar"
        self.sb(*self.args, self.context)
        self.good = digest_of(self.target)

    @property
    def args(self):
        return ["build", "--progress=plain", "--jobs=2", EPOCH, f"--secret=id=tok,src={self.secret}",
                f"--output=type=oci,dest={self.target}"]

    def begin(self, is_cold):
        if is_cold:
            self.sb("prune", "--all")
        self.target.write_text("old")

    def judge(self, status, err, is_killed=False):
        """What a disturbed build came to."""
        if is_killed and status == -signal.SIGKILL:
            pass
        elif status == 0:
            assert digest_of(self.target) == self.good, "another image"
            return
        else:
            assert status in (1, 2, 3, 127), f"exit status {status}\n{err}"
            assert re.search(r"(?m)error: .{10}|error while loading shared libraries", err), f"no message\n{err}"
        assert self.target.read_bytes() == b"old" or digest_of(self.target) == self.good, "what is at the destination"

    def nothing_left(self):
        """For when no build runs."""
        assert processes.wait_until(lambda: not alive(self.known), 15), alive(self.known)
        assert mounts(self.sb.folder) == []
        left = [path.name for path in self.sb.folder.iterdir() if path.name.startswith(".safebuild")]
        assert not left and not list(self.sb.tmp.iterdir())
        wrong = store_check.wrong_with(self.sb.store, self.prefix)
        assert not wrong, "\n".join(wrong)

    def works_again(self):
        self.sb(*self.args, self.context)
        assert digest_of(self.target) == self.good, "another image afterwards"
        self.nothing_left()
        assert find_secret(VALUE.encode(), self.sb.store, self.sb.tmp) == []


@pytest.fixture(scope="module")
def built(request, session_folder, rootfs):
    folder = session_folder / request.module.__name__
    yield Built(folder, rootfs)
    remove_tree(folder)
