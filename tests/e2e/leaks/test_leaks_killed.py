# SPDX-License-Identifier: MIT
"""The builder is killed at moments of a build that leaves the secret everywhere, and nothing of it stays."""

import contextlib
import os
import signal
import subprocess
import time

import pytest

import processes
from conftest import Safebuild, cannot_run, import_bases
from leaks import checker, forms
from leaks.case import MOUNT

MOMENTS = (0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98, 1, 1.05)  # of the build's time
CACHE = "--mount=type=cache,id=killed,target=/c"
TEXT = f"""FROM busybox:1 AS other
RUN {MOUNT} cat /run/secrets/tok | sha256sum >/sum
FROM busybox:1
COPY --from=other /sum /
RUN {MOUNT} {CACHE} cd /etc && cp /run/secrets/tok a && cat /bin/busybox a /bin/busybox >b && gzip -c b >c && \\
    base64 a >d && mkdir "x-$(cat a)" && ln -s "/$(cat a)" e && cp a b c /c && cp b /bin/awk && cat a b >/dev/shm/f
"""


def is_alive(pid):
    with contextlib.suppress(OSError, KeyError):
        return processes.status(pid)["State"][0] not in "ZX"
    return False


class Killed:
    def __init__(self, sb, trees):
        self.sb, self.trees = sb, trees
        self.value = forms.token("killed")
        secret = sb.file("tok", self.value + "\n")
        self.context = sb.context({"Buildfile": TEXT})
        self.args = ["build", "--progress=plain", "--secret", f"id=tok,src={secret}", "-t", "killed:1", self.context]
        started = time.monotonic()
        result = sb(*self.args, check=1)
        self.seconds = time.monotonic() - started
        assert "secret 'tok' found in" in result.err and self.value not in result.text

    def found(self):
        return self.trees.find({"tok": [self.value]}, [self.sb.store, self.sb.tmp], only_new=True)

    def family(self, build):
        return [pid for pid in processes.parents_children(build.pid) if pid != build.pid]

    @contextlib.contextmanager
    def at(self, moment):
        """A build that has gone on for that share of its time."""
        build = self.sb.start(*self.args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.seconds * moment)
        try:
            yield build
        finally:
            build.kill()
            build.wait()


@pytest.fixture(scope="module")
def killed(session_folder, rootfs):
    sb = import_bases(Safebuild(session_folder / "killed"), rootfs)
    trees = checker.TreeChecker()
    yield Killed(sb, trees)
    trees.close()


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_builder_is_killed(killed, moment):
    """What it started ends, and cleans up."""
    with killed.at(moment) as build:
        family = killed.family(build)
    assert processes.wait_until(lambda: not any(map(is_alive, family)), 10), "a helper outlives it"
    assert killed.found() == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_all_are_killed(killed, moment):
    """As by a power failure: the next build cleans up."""
    with killed.at(moment) as build:
        family = killed.family(build)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in (build.pid, *family):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
    assert processes.wait_until(lambda: not any(map(is_alive, family)), 10)
    killed.sb.build("FROM busybox:1\nRUN true\n")
    assert killed.found() == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("moment", MOMENTS[1::4])
def test_it_is_asked_to_end(killed, moment, name):
    with killed.at(moment) as build:
        family = killed.family(build)
        build.send_signal(getattr(signal, name))
        build.wait(20)
    assert not any(map(is_alive, family))
    assert killed.found() == []


def test_an_export_that_is_killed(killed):
    """An image without the secret, but with other things of the step around it."""
    text = f"FROM busybox:1\nRUN {MOUNT} sha256sum </run/secrets/tok >/sum; cp /bin/busybox /bin/b2\n"
    context = killed.sb.context({"Buildfile": text})
    target = killed.sb.folder / "image.tar"
    for delay in (0.02, 0.05, 0.1, 0.2):
        build = killed.sb.start(*killed.args[:-1], "-o", f"type=oci,dest={target}", context, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        family = killed.family(build)
        build.kill()
        build.wait()
        assert processes.wait_until(lambda family=family: not any(map(is_alive, family)), 10)
        assert killed.found() == []


def has_nameless_files(folder):
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR))
    except OSError:
        return False
    return True


def test_a_layer_that_is_written_has_no_name_before_it_was_searched(killed):
    """Else a builder that is killed leaves what it was about to refuse."""
    if not has_nameless_files(killed.sb.store):
        cannot_run("the file system has no files without a name")
    text = f"FROM busybox:1\nRUN {MOUNT} head -c 30000000 /dev/urandom >/f\n"
    context = killed.sb.context({"Buildfile": text})
    build = killed.sb.start(*killed.args[:-1], context, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sizes = set()
    while build.poll() is None:
        with contextlib.suppress(OSError):
            sizes |= {entry.stat().st_size for entry in os.scandir(killed.sb.store / "tmp")}
    assert build.returncode == 0 and not sizes
