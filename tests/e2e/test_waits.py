# SPDX-License-Identifier: MIT
"""Waits: for cache mounts, each gets its turn, says what it waits for, and can be interrupted; for what runs the steps,
there is an end."""

import contextlib
import json
import os
import signal
import subprocess
import threading

import pytest

import processes
from conftest import IS_ROOT
from test_cache import in_store

HOLD = "FROM busybox:1\nRUN --mount=type=cache,target=/c,id=b,sharing=locked touch /c/held; until [ -e /c/go ]; do sleep 0.1; done\n"


class Said:
    """What a process says, while it runs."""

    def __init__(self, process):
        self.process, self.lines = process, []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace"))

    def count(self, words):
        return sum(words in line for line in self.lines)

    def until(self, words, times=1):
        found = processes.wait_until(lambda: self.count(words) >= times or self.process.poll() is not None)
        assert found and self.count(words) >= times, f"not {times} times {words!r}: {self.text}"

    def end(self, status=0):
        try:
            assert self.process.wait(timeout=60) == status, self.text
        except subprocess.TimeoutExpired:
            pytest.fail(f"no end: {self.text}{processes.what_they_do(self.process.pid)}", pytrace=False)
        self.thread.join()

    @property
    def text(self):
        return "".join(self.lines)

    def steps(self, kind):
        """{number: event} of the steps that have begun ("step-start"), ended or were in the cache."""
        events = [json.loads(line) for line in list(self.lines) if line.startswith("{")]
        return {event["step"]: event for event in events if event["event"] == kind}


@contextlib.contextmanager
def builds(sb):
    """build(text, option…) -> Said: builds that are over when the test is."""
    running = []

    def build(text, *args):
        context = sb.context({"Buildfile": text})
        running.append(sb.start("build", "--progress=json", *args, context, stderr=subprocess.STDOUT))
        return Said(running[-1])

    try:
        yield build
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.mark.parametrize("sharing", ["locked", "private"])
@pytest.mark.parametrize("where", ["stages", "builds"])
def test_locked_caches_in_any_order(fresh, where, sharing):
    """Each of two steps has its first cache when it waits for the second, which a third holds; each then wants what
    the other has."""
    stage = """FROM busybox:1 AS s{n}
RUN --mount=type=cache,target=/1,id={first} --mount=type=cache,target=/2,id=b,sharing=locked \\
    --mount=type=cache,target=/3,id={last},sharing=locked --mount=type=cache,target=/4,id={last},sharing=locked touch /s{n}
"""
    texts = [stage.format(n=1, first="a,sharing=" + sharing, last="c"), stage.format(n=2, first="c,sharing=locked", last="a")]
    with builds(fresh) as build:
        holder = build(HOLD)
        assert processes.wait_until(lambda: in_store(fresh, "ls snapshots/*/cache/*/held 2>/dev/null || true"))
        if where == "stages":
            said = [build("".join(texts) + "FROM busybox:1\nCOPY --from=s1 /s1 /\nCOPY --from=s2 /s2 /\n", "--jobs=2")]
        else:
            said = [build(text) for text in texts]
        for each in said:
            each.until("waiting for the cache '", 2 if where == "stages" else 1)
        in_store(fresh, "for held in snapshots/*/cache/*/held; do touch ${held%held}go; done")
        holder.end()
        for each in said:
            each.end()


EXPORTED = "FROM busybox:1 AS a\nRUN --mount=type=cache,target=/c,id=e cat /c/f >/got\n" \
           "FROM busybox:1 AS b\nRUN echo 1 >/1\nRUN echo 2 >/2\nFROM busybox:1\nCOPY --from=a /got /\nCOPY --from=b /2 /\n"


@contextlib.contextmanager
def held_alone(sb, kind="cache"):
    """The store's one cache mount, as a cache export holds it while it reads it, or its one step; gives what lets go
    of it."""
    script = f"exec flock --exclusive --no-fork snapshots/*/{kind}/{'?' * 64}"
    command = ["sh", "-c", f"{script} sh -c 'echo held; read line'"]
    if not IS_ROOT:
        command = ["unshare", "--user", "--map-auto", "--map-root-user", *command]
    holder = subprocess.Popen(command, cwd=sb.store, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        yield lambda: holder.communicate(b"\n")
    finally:
        holder.kill()
        holder.communicate()


def test_a_cache_that_is_exported(fresh):
    """The step that wants it waits, and says so; other stages do not; and it goes on."""
    fresh.build("FROM busybox:1\nRUN --mount=type=cache,target=/c,id=e echo x >/c/f\n")
    with held_alone(fresh) as let_go, builds(fresh) as build:
        said = build(EXPORTED, "--jobs=2")
        said.until("waiting for the cache 'e': a cache export or a prune has it alone")
        said.until("RUN echo 2")
        said.until('"event":"step-end"', 4)  # two FROM, two RUN
        assert "COPY" not in said.text
        let_go()
        said.end()
        assert said.count("waiting for the cache 'e'") == 1


def test_a_wait_for_a_cache_that_is_exported_can_be_interrupted(fresh):
    fresh.build("FROM busybox:1\nRUN --mount=type=cache,target=/c,id=e echo x >/c/f\n")
    with held_alone(fresh), builds(fresh) as build:
        said = build(EXPORTED, "--jobs=2")
        said.until("waiting for the cache 'e'")
        said.process.send_signal(signal.SIGINT)
        said.end(130)


def test_a_layer_that_is_held_alone(fresh):
    """As for a moment while it is removed: only who needs it waits."""
    step = "FROM busybox:1 AS a\nRUN echo a >/a\n"
    fresh.build(step)
    with held_alone(fresh, "steps") as let_go, builds(fresh) as build:
        said = build(step + "FROM busybox:1 AS b\nRUN echo 1 >/1\nFROM busybox:1\nCOPY --from=a /a /\nCOPY --from=b /1 /\n", "--jobs=2")
        said.until('"event":"step-start"', 4)  # two FROM, two RUN
        said.until('"event":"step-end"', 3)
        waiting = said.steps("step-start").keys() - said.steps("step-end").keys()
        assert [said.steps("step-start")[step]["text"] for step in waiting] == ["RUN echo a >/a"], said.text
        let_go()
        said.end()
        assert waiting <= said.steps("cache-hit").keys(), said.text


def servers(build):
    """The processes that carry out a build's steps, each with whether it has a step now."""
    children = [pid for pid in processes.parents_children(build.pid)[1:]
                if processes.command(pid)[:1] == [b"safebuild-step"] and processes.status(pid)["PPid"] == str(build.pid)]
    return {pid: len(processes.parents_children(pid)) > 1 for pid in children}


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_ctrl_c_while_what_runs_the_steps_is_stopped(fresh):
    """It is not waited for beyond what an orderly end may take; and what may still be written to a cache counts as
    never searched."""
    word = processes.unique_seconds()
    secret = fresh.file("stopped", "value-that-is-a-secret\n")
    mounts = "--mount=type=secret,id=s --mount=type=cache,target=/c,id=e"
    with builds(fresh) as build:
        said = build(f"FROM busybox:1\nRUN {mounts} echo kept >/c/f; sleep {word}\n", f"--secret=id=s,src={secret}")
        assert processes.wait_until(lambda: processes.with_word(word))
        (server,) = servers(said.process)
        with stopped(server):
            said.process.send_signal(signal.SIGINT)
            said.end(130)
    assert processes.wait_until(lambda: not processes.with_word(word))
    assert in_store(fresh, "ls snapshots/*/cache").count(".unsearched.") == 1
    fresh.build("FROM busybox:1\nRUN --mount=type=cache,target=/c,id=e test ! -e /c/f\n")
    assert in_store(fresh, "ls snapshots/*/cache").count(".unsearched.") == 0


def test_the_end_of_a_build_while_what_ran_its_steps_is_stopped(fresh):
    word = processes.unique_seconds()
    text = f"FROM busybox:1 AS a\nRUN echo a-$((40+2))-runs\nFROM busybox:1 AS b\nRUN sleep {word} || true\n" \
           "FROM busybox:1\nCOPY --from=a /etc /a\nCOPY --from=b /etc /b\n"

    def idle(build):
        found = servers(build)
        return len(found) == 2 and [pid for pid, is_busy in found.items() if not is_busy]

    with builds(fresh) as build:
        said = build(text, "--jobs=2")
        said.until("a-42-runs")
        sleeping = processes.wait_until(lambda: processes.with_word(word))
        # What ran the one step has nothing to do any more; the other is busy.
        (server,) = processes.wait_until(lambda: idle(said.process))
        with stopped(server):
            for pid in sleeping:
                os.kill(pid, signal.SIGKILL)
            said.end()
    assert processes.wait_until(lambda: not processes.with_word(word))
