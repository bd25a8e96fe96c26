# SPDX-License-Identifier: MIT
"""A store that survives anything: system calls that fail, builds that are killed, many at once beside prune. The
disturbed build ends with the same image or a message, the next one gives the same image, and nothing is left.

A sample of them: SB_TEST_SEED=N chooses another, SB_TEST_FAULTS=all does all of it, which takes half an hour."""

import contextlib
import os
import random
import re
import signal
import subprocess
import threading
import time

import pytest

import faults
import image_read
import processes
import store_check
from conftest import IS_ROOT, Safebuild, import_bases, need_program, remove_tree
from disturbed import EPOCH, FILES, IS_WHOLE, SEED, VALUE, Built, alive, built, mounts, own_orphans  # noqa: F401 (fixtures)
from secret_search import find_secret


# Calls that fail.


class Injection:
    def __init__(self, built):
        self.built = built
        self.programs = faults.Programs(built.sb.program, built.sb.folder)

    def run(self, who, options):
        """(status, stderr) of a build with strace's options."""
        prefix, program = self.programs.command(who, options)
        command = [*self.built.sb.prefix, *prefix, program, *map(str, self.built.args), str(self.built.context)]
        done = subprocess.run(command, env=self.built.sb.environment(), cwd=self.built.sb.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=faults.MAX_SECONDS, check=False)
        return done.returncode, done.stderr.decode(errors="replace")

    def places(self, who, is_cold):
        log = self.built.sb.folder / f"calls-{who}"
        log.unlink(missing_ok=True)
        self.built.begin(is_cold)
        status, err = self.run(who, ["-o", str(log), "-A"])
        assert status == 0, err
        return faults.places(who, log.read_text(encoding="utf-8", errors="replace"), random.Random(SEED))

    def suffer(self, place, is_cold):
        """None, or what is wrong with how the build took it; and what it said."""
        self.built.begin(is_cold)
        status, err = None, ""
        try:
            status, err = self.run(place.who, place.options)
            if not faults.is_sanitizers_own(err):
                self.built.judge(status, err)
            self.built.works_again()
        except (AssertionError, subprocess.TimeoutExpired) as error:
            for pid in alive(self.built.known):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            return f"{place}{' cold' if is_cold else ''}: {error}", (status, err)
        return None, (status, err)


@pytest.fixture(scope="module")
def injection(session_folder, rootfs):
    """A user's builds have a single id here: a traced process gets no rights from the setuid newuidmap."""
    need_program("strace")
    folder = session_folder / "injected"
    yield Injection(Built(folder, rootfs, () if IS_ROOT else ["unshare", "--user", "--map-root-user"]))
    remove_tree(folder)


@pytest.mark.parametrize("who, is_cold", [("safebuild", True), ("safebuild", False), ("safebuild-step", True)],
                         ids=["safebuild", "safebuild with all cached", "safebuild-step"])
def test_a_call_that_fails(injection, who, is_cold):
    """The build ends as undisturbed or with a message, and the next one works."""
    found = injection.places(who, is_cold)
    if not IS_WHOLE:
        found = random.Random(SEED).sample(found, 5)
    wrong = [text for text, _ in (injection.suffer(place, is_cold) for place in found) if text]
    assert not wrong, "\n\n".join(wrong)


# Builds that are killed.

VICTIMS = ("safebuild", "all", "safebuild-step", "step", "any")


def family_of(build):
    """{pid: command line} of the processes that a build has started."""
    return {pid: processes.command(pid) for pid in processes.parents_children(build.pid) if pid != build.pid}


def choose_victims(who, build, chance):
    """The pids that are killed; none where there is no such process at the moment."""
    family = family_of(build)
    steps = [pid for pid, words in family.items() if words[:1] and words[0].endswith(b"safebuild-step")]
    others = [pid for pid in family if pid not in steps]
    if who == "safebuild":
        return [build.pid]
    if who == "all":
        return [build.pid, *family]
    some = {"safebuild-step": steps, "step": others or steps, "any": list(family)}[who]
    return [chance.choice(some)] if some else []


def kill_one(built, who, seconds, chance):
    """A build of which somebody is killed at a random moment, and what is there after the next one. None where it was
    over by then, or had no such process."""
    is_cold = chance.random() < 0.7
    built.begin(is_cold)
    build = built.sb.start(*built.args, built.context, stdout=subprocess.DEVNULL)
    time.sleep(chance.random() * seconds[is_cold])
    victims = []
    while build.poll() is None and not victims:
        victims = choose_victims(who, build, chance)
    for number in (signal.SIGSTOP, signal.SIGKILL) if who == "all" else (signal.SIGKILL,):
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
    _, err = build.communicate(timeout=60)
    built.judge(build.returncode, err.decode(errors="replace"), is_killed=True)
    built.works_again()
    return build.returncode if victims else None


@pytest.mark.parametrize("who", VICTIMS)
def test_kills_at_random_moments(built, who):
    """200 in the whole run, over all of a build's time."""
    chance = random.Random(f"{SEED} {who}")
    wanted, ends, seconds = 40 if IS_WHOLE else 2, [], {}
    for is_cold in (True, False):
        built.begin(is_cold)
        started = time.monotonic()
        built.sb(*built.args, built.context)
        seconds[is_cold] = time.monotonic() - started
    for _ in range(10 * wanted):
        ends += [end for end in [kill_one(built, who, seconds, chance)] if end is not None]
        if len(ends) == wanted:
            break
    print(who, "exit statuses:", sorted(ends))
    assert len(ends) == wanted


# Many builds at once, and what removes things beside them.

SHARED = "FROM busybox:1 AS base\nRUN sleep 0.2; echo shared >/shared\nRUN --mount=type=cache,target=/c echo x >>/c/log; cat /bin/busybox >/b\n"
VARIANTS = [
    SHARED + "FROM base\nCOPY d /d\nRUN cat /d/* >/all\n",
    SHARED + "FROM base AS one\nRUN sleep 0.1; echo 1 >/one\nFROM base\nCOPY --from=one /one /one\nRUN cat /one /shared >/two\n",
    SHARED + "FROM base\nRUN --mount=type=secret,id=tok sha256sum </run/secrets/tok >/sum\nCOPY f /f\n",
    "FROM busybox:1 AS x\nCOPY d /d\nRUN cat /d/* >/all\nFROM busybox:1\nCOPY --from=x /all /all\nWORKDIR /w\n" + "RUN echo again >>again\n" * 4,
]


class Crowd:
    """Sixteen builds: of each Buildfile four, of which two have another secret."""

    def __init__(self, sb, alone):
        self.sb = sb
        self.context = sb.context(FILES)
        self.secrets = [sb.file(f"tok{i}", f"{VALUE}-{i}\n") for i in range(2)]
        self.wanted = {}
        for i, text in enumerate(VARIANTS):
            (self.context / f"Buildfile.{i}").write_text(text)
            for k in range(2):
                image = self.target(f"alone{i}{k}")
                alone(*self.command(i, k, image))
                self.wanted[i, k] = image_read.read_oci_archive(image).manifest_digest

    def target(self, name):
        return self.sb.folder / f"{name}.tar"

    def command(self, i, k, target, *more):
        return ["build", "--progress=plain", "--jobs=2", EPOCH, "-f", self.context / f"Buildfile.{i}",
                f"--secret=id=tok,src={self.secrets[k]},rekey=true", f"--output=type=oci,dest={target}", *more, self.context]

    def run(self, round_name):
        """Starts all; the failures, as text."""
        running = []
        for n in range(16):
            i, k = n % 4, n // 8
            target = self.target(f"{round_name}-{n}")
            more = ["-t", f"crowd:{n}"] if n % 3 == 0 else []
            running.append((i, k, target, self.sb.start(*self.command(i, k, target, *more), stdout=subprocess.DEVNULL)))
        failures = []
        for i, k, target, process in running:
            _, err = process.communicate(timeout=110)
            if process.returncode != 0:
                failures.append(f"exit status {process.returncode}: {err.decode(errors='replace')[-1500:]}")
                assert not target.exists()
            else:
                assert image_read.read_oci_archive(target).manifest_digest == self.wanted[i, k], f"Buildfile.{i} came to another image"
        return failures


class Beside:
    """Commands in a loop, in a thread of their own, until the block ends."""

    def __init__(self, sb, *commands, may_fail=None):
        self.sb, self.commands, self.may_fail = sb, commands, may_fail
        self.ends, self.wrong, self.rounds = threading.Event(), [], 0
        self.thread = threading.Thread(target=self.loop)

    def loop(self):
        while not self.ends.is_set():
            for command in self.commands:
                result = self.sb(*command, check=None)
                if result.status != 0 and not (self.may_fail and re.search(self.may_fail, result.err)):
                    self.wrong.append(repr(result))
            self.rounds += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()


def test_sixteen_builds_at_once_beside_prune(fresh, session_folder, rootfs):
    alone = import_bases(Safebuild(session_folder / f"alone-{os.getpid()}"), rootfs)
    crowd = Crowd(fresh, alone)
    known = list(alive())
    names = [["rm", f"crowd:{n}"] for n in range(0, 16, 3)]
    failures = []
    with Beside(fresh, ["prune", "--all"], ["du"]) as prune, \
            Beside(fresh, ["images"], *names, may_fail=r"no image 'docker\.io/library/crowd:\d+'") as names:
        for n in range(8 if IS_WHOLE else 1):
            failures += crowd.run(f"round{n}")
    assert prune.wrong + names.wrong == []
    assert failures == []
    assert prune.rounds >= 1 and names.rounds >= 1
    assert crowd.run("after") == []
    fresh("build", "--progress=plain", crowd.context, "-f", crowd.context / "Buildfile.1")
    assert processes.wait_until(lambda: not alive(known), 15), alive(known)
    assert mounts(fresh.folder) == []
    assert store_check.wrong_with(fresh.store) == []
    for i in range(2):
        assert find_secret(f"{VALUE}-{i}".encode(), fresh.store, fresh.tmp) == []
    remove_tree(alone.folder)
