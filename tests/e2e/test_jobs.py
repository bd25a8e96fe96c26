# SPDX-License-Identifier: MIT
"""Stages that are built at the same time."""

import hashlib
import json
import os
import pathlib
import re
import signal
import time

import pytest

from registry_server import RegistryServer

TEN_STAGES = pathlib.Path(__file__).resolve().parents[1] / "data" / "ten-stages"
EPOCH = ("--source-date-epoch", "1700000000")
# Passes only where somebody else answers through the cache, and not for ever where nobody does.
MEET = """FROM busybox:1 AS {me}
RUN --mount=type=cache,target=/meet,id=meet touch /meet/{me}; n=0; \\
    while [ ! -e /meet/{other} ]; do n=$((n+1)); [ $n -lt 600 ] || exit 9; sleep 0.05; done; echo {me} >/{me}
"""
MEETING = (
    MEET.format(me="a", other="b") + MEET.format(me="b", other="a") +
    "FROM busybox:1\nCOPY --from=a /a /\nCOPY --from=b /b /\n"
)


def events_of(result, kind):
    return [event for event in result.events if event["event"] == kind]


def steps_by_stage(result):
    """Stage -> its steps, each (start, end), in the order in which they began."""
    ends = {event["step"]: event["t_ns"] for event in events_of(result, "step-end")}
    stages = {}
    for event in events_of(result, "step-start"):
        stages.setdefault(event["stage"], []).append((event["t_ns"], ends[event["step"]]))
    return stages


def nothing_runs(sb):
    """No folder of a build is left in the store, and no process has it open."""
    assert not list(sb.store.glob("snapshots/*/builds/*")), list(sb.store.glob("snapshots/*/builds/*"))


def test_two_stages_run_at_the_same_time(fresh):
    image = fresh.image(MEETING, "--jobs", "2")
    assert image.read("a") == b"a\n" and image.read("b") == b"b\n"


def test_two_stages_run_at_the_same_time_without_the_option(fresh):
    fresh.build(MEETING)


def test_a_stage_waits_only_before_the_step_that_takes_files(fresh):
    """Its first steps run beside the stage that it will copy from."""
    text = (
        MEET.format(me="a", other="b") +
        MEET.format(me="b", other="a").replace("AS b\n", "AS b\nRUN true\n") + "COPY --from=a /a /from-a\n"
    )
    assert fresh.image(text, "--jobs", "2").read("from-a") == b"a\n"


def test_with_one_job_the_steps_run_in_the_order_of_the_plan(fresh):
    args = ("--progress", "json", TEN_STAGES)
    plan = json.loads(fresh("build", "--plan", *args).out)
    planned = [(stage["name"], step["text"]) for stage in plan["stages"] for step in stage["steps"]]
    result = fresh("build", "--jobs", "1", *args)
    run = [(event["stage"], event["text"]) for event in events_of(result, "step-start")]
    assert run == planned
    assert "unused" not in {stage["name"] for stage in plan["stages"]}


@pytest.mark.parametrize("jobs", [1, 2, 3, 16])
def test_ten_stages_run_as_the_plan_says(fresh, jobs):
    """A stage begins when what it is based on has ended; steps follow each other; it is the same image."""
    args = ("--progress", "json", *EPOCH, TEN_STAGES)
    plan = json.loads(fresh("build", "--plan", "--progress", "json", TEN_STAGES).out)
    alone = fresh("build", "--jobs", "1", *args)
    result = fresh("build", "--jobs", jobs, "--no-cache", *args)
    stages = steps_by_stage(result)
    assert set(stages) == {stage["name"] for stage in plan["stages"]}
    total = sum(len(steps) for steps in stages.values())
    numbers = sorted(event["step"] for event in events_of(result, "step-start"))
    assert numbers == list(range(1, total + 1))
    for stage in plan["stages"]:
        steps = stages[stage["name"]]
        assert len(steps) == len(stage["steps"])
        assert all(before[1] <= after[0] for before, after in zip(steps, steps[1:]))
        for index in stage["needs"]:
            needed = plan["stages"][index]["name"]
            first_use = 0 if stage["base"] == needed else next(
                i for i, step in enumerate(stage["steps"]) if f"from={needed}" in step["text"]
            )
            assert stages[needed][-1][1] <= steps[first_use][0], (stage["name"], needed)
    images = {events_of(run, "image")[0]["text"] for run in (alone, result)}
    assert len(images) == 1


def test_a_step_that_fails_cancels_the_others(fresh):
    text = (
        "FROM busybox:1 AS slow\nRUN sleep 100; echo not reached\n"
        "FROM busybox:1 AS bad\nRUN echo said last; exit 7\n"
        "FROM busybox:1\nCOPY --from=slow /etc /1\nCOPY --from=bad /etc /2\n"
    )
    begun = time.monotonic()
    result = fresh.build(text, "--jobs", "2", "--progress", "json", check=1)
    assert time.monotonic() - begun < 60
    error = result.events[-1]
    assert error["event"] == "error" and error["line"] == 4 and error["step_status"] == 7
    ends = {
        event["step"]: event["status"] for event in events_of(result, "step-end")
    }
    started = {event["step"]: event["text"] for event in events_of(result, "step-start")}
    by_text = {started[step]: status for step, status in ends.items()}
    assert by_text["RUN echo said last; exit 7"] == 7
    if "RUN sleep 100; echo not reached" in by_text:
        assert by_text["RUN sleep 100; echo not reached"] == -2
    nothing_runs(fresh)
    plain = fresh.build(text, "--jobs", "2", check=1)
    assert "CANCELED" in plain.text and "ERROR: exit status 7" in plain.text


def test_lines_of_a_step_stand_together(fresh):
    """Both say something again and again, while the other one does."""
    talk = "FROM busybox:1 AS {}\nRUN i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo {} $i; sleep 0.02; done; echo x >/x\n"
    text = talk.format("one", "one") + talk.format("two", "two")
    text += "FROM busybox:1\nCOPY --from=one /x /1\nCOPY --from=two /x /2\n"
    result = fresh.build(text, "--jobs", "2")
    numbers = [line.split()[0] for line in result.err.splitlines() if re.match(r"#\d+ ", line)]
    assert numbers, result.text
    blocks = [number for i, number in enumerate(numbers) if i == 0 or numbers[i - 1] != number]
    assert len(blocks) == len(set(blocks)), blocks
    for word in ("one", "two"):
        said = [int(line.split()[-1]) for line in result.err.splitlines() if re.search(rf" {word} \d+$", line)]
        assert said == list(range(1, 41))


def test_the_same_step_in_two_stages_runs_once(fresh):
    same = "RUN --mount=type=cache,target=/count,id=count echo x >>/count/runs; sleep 0.3; cp /count/runs /runs\n"
    text = f"FROM busybox:1 AS a\n{same}FROM busybox:1 AS b\n{same}"
    text += "FROM busybox:1\nCOPY --from=a /runs /a\nCOPY --from=b /runs /b\n"
    image = fresh.image(text, "--jobs", "2")
    assert image.read("a") == image.read("b") == b"x\n"


def test_a_base_is_pulled_once(fresh, tmp_path):
    with RegistryServer() as registry:
        fresh("tag", "busybox:1", registry.ref("base:1"))
        fresh("push", registry.ref("base:1"))
        fresh("rm", registry.ref("base:1"))
        before = len(registry.requests())
        text = "".join(f"FROM {registry.ref('base:1')} AS s{n}\nRUN echo {n} >/{n}\n" for n in range(6))
        text += "FROM scratch\n" + "".join(f"COPY --from=s{n} /{n} /\n" for n in range(6))
        image = fresh.image(text, "--jobs", "6")
        manifests = [line for line in registry.requests()[before:] if "/manifests/" in line]
    assert [image.read(str(n)) for n in range(6)] == [b"%d\n" % n for n in range(6)]
    assert len(manifests) <= 2, manifests  # the tag once, and what its index names


def test_hundreds_of_stages(fresh):
    n = 300
    text = "".join(f"FROM scratch AS s{i}\nCOPY <<EOF /{i}\n{i}\nEOF\n" for i in range(n))
    text += "FROM scratch\n" + "".join(f"COPY --from=s{i} /{i} /\n" for i in range(n))
    image = fresh.image(text, "--jobs", "64")
    for i in (0, 150, n - 1):
        assert image.read(str(i)) == b"%d\n" % i


def test_a_secret_of_one_stage_is_not_seen_by_another(fresh):
    """Also not while the step that has it waits for the other one to look."""
    secret = fresh.file("jobs-secret", "value-of-one-stage\n")
    has = MEET.format(me="a", other="b").replace("RUN ", "RUN --mount=type=secret,id=s ").replace(
        "touch /meet/a", "cat /run/secrets/s >/dev/null; touch /meet/a"
    )
    looks = MEET.format(me="b", other="a").replace("touch /meet/b", "! ls /run/secrets/s; ! env | grep value; touch /meet/b")
    text = has + looks + "FROM busybox:1\nCOPY --from=a /a /\nCOPY --from=b /b /\n"
    result = fresh.build(text, "--jobs", "2", "--secret", f"id=s,src={secret}")
    assert "value-of" not in result.text


def test_a_leak_in_one_stage_refuses_the_build(fresh):
    secret = fresh.file("jobs-leak", "value-that-leaks-out\n")
    text = (
        "FROM busybox:1 AS good\nRUN sleep 100\n"
        "FROM busybox:1 AS bad\nRUN --mount=type=secret,id=s cp /run/secrets/s /kept\n"
        "FROM busybox:1\nCOPY --from=good /etc /1\nCOPY --from=bad /kept /2\n"
    )
    result = fresh.build(text, "--jobs", "2", "--secret", f"id=s,src={secret}", check=1)
    assert "Buildfile:4" in result.err and "found in /kept" in result.err and "value-that" not in result.text
    nothing_runs(fresh)


def wait_until_meeting(process, sb):
    """Both steps run: each has left its file."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if len(list(sb.store.glob("snapshots/*/cache/*/ready-*"))) == 2:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("the steps did not both run")


WRITES = """FROM busybox:1 AS {me}
RUN --mount=type=secret,id=s --mount=type=cache,target=/c,id=both cp /run/secrets/s /left-{me}; cp /run/secrets/s /c/left-{me}; touch /c/ready-{me}; sleep 100
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_all_steps(fresh, how):
    value = "value-that-two-steps-wrote"
    secret = fresh.file("jobs-kill", value + "\n")
    context = fresh.context({"Buildfile": WRITES.format(me="a") + WRITES.format(me="b") +
                             "FROM busybox:1\nCOPY --from=a /x /\nCOPY --from=b /x /\n"})
    process = fresh.start("build", "--jobs", "2", "--secret", f"id=s,src={secret}", context)
    if os.geteuid() == 0:
        wait_until_meeting(process, fresh)
    else:
        time.sleep(2)  # the cache's folder belongs to a subordinate id
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    # What was left in the cache is told before that it was cancelled.
    assert process.returncode in ((130, 1) if how != signal.SIGKILL else (-9,)), (out, err)
    assert value.encode() not in out + err
    end = time.monotonic() + 30  # of a killed one, the steps' own processes remove it
    while list(fresh.store.glob("snapshots/*/builds/*")) and time.monotonic() < end:
        time.sleep(0.05)
    nothing_runs(fresh)
    # What is in the cache is looked at by the next step that has it, at the latest.
    found = fresh.build(
        "FROM busybox:1\nRUN --mount=type=cache,target=/c,id=both ls /c; ! grep -r value-that /c\n", "--no-cache"
    )
    assert "left-" not in found.err.split("DONE")[-2]


def test_an_image_is_the_same_however_many_jobs(fresh):
    digests = set()
    for jobs in (1, 2, 8):
        image = fresh.image(
            "FROM busybox:1 AS a\nRUN echo a >/a\nFROM a AS b\nRUN echo b >/b\nFROM a AS c\nRUN echo c >/c\n"
            "FROM busybox:1\nCOPY --from=b / /b\nCOPY --from=c / /c\n", "--jobs", str(jobs), "--no-cache", *EPOCH
        )
        digests.add(hashlib.sha256(image.path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_an_onbuild_trigger_wants_a_stage_that_nothing_else_does(fresh):
    fresh.build("FROM busybox:1\nONBUILD COPY --from=extra /extra /\n", "-t", "triggers:1")
    text = "FROM busybox:1 AS base\nRUN echo x >/y\nFROM base AS extra\nRUN echo e >/extra\nFROM triggers:1\nRUN cat /extra\n"
    for jobs in ("1", "4"):
        result = fresh.build(text, "--jobs", jobs, "--no-cache")
        assert re.search(r"#\d+ [0-9.]+ e\n", result.err)
