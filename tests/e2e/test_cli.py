# SPDX-License-Identifier: MIT
"""The command line: words, exit status, progress, the small verbs."""

import os
import pty
import re
import subprocess

import pytest

import image_make


@pytest.mark.parametrize(
    "words",
    [
        ["--nope"],
        ["build", "--nope"],
        ["build", "--secret", "src=x", "."],
        ["build", "--secret", "id=x,color=red", "."],
        ["build", "-o", "type=nope", "."],
        ["build", "-o", "type=oci", "."],
        ["build", "-o", "type=oci,dest=x,compression=lzw", "."],
        ["build", "--network", "wild", "."],
        ["build", "--progress", "wild", "."],
        ["build", "--add-host", "nocolon", "."],
        ["build", "-t", "UPPER CASE", "."],
        ["build", "a", "b"],
        ["build", "--tag"],
        ["inspect"],
        ["import", "only-one"],
        ["tag", "only-one"],
        ["images", "one", "extra"],
    ],
)
def test_wrong_usage_is_status_2_and_says_what(sb, words):
    context = sb.context({"Buildfile": "FROM scratch\nLABEL a=b\n"})
    result = sb(*words, check=2, cwd=context)
    assert "error" in result.err and not result.out


def test_an_unknown_verb_is_no_context_in_silence(sb):
    result = sb("biuld", check=None)
    assert result.status in (1, 2, 3) and "biuld" in result.err


def test_version_and_help(sb):
    assert re.search(r"\d+\.\d+\.\d+", sb("version").out)
    for words in (["help"], ["--help"], ["build", "--help"], ["inspect", "--help"]):
        assert "safebuild" in sb(*words).out


def test_images_tag_and_rm(fresh):
    fresh("tag", "busybox:1", "other/name:2")
    listed = fresh("images").out
    assert "busybox" in listed and "other/name" in listed
    fresh("rm", "other/name:2")
    assert "other/name" not in fresh("images").out and "busybox" in fresh("images").out
    result = fresh("rm", "other/name:2", check=None)
    assert result.status != 0 and "other/name:2" in result.err


def test_the_digest_of_the_image_is_told(sb):
    result = sb.build("FROM busybox:1\nLABEL told=1\n", "-t", "told:1")
    assert re.search(r"sha256:[0-9a-f]{64}", result.text)


def test_quiet_prints_the_digest_and_nothing_else(sb):
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN echo noise\n"})
    result = sb("build", "-q", context)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", result.out) and result.err == ""


def test_quiet_shows_the_output_of_a_step_that_fails(sb):
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN a=why; echo $a-it-failed; exit 3\n"})
    result = sb("build", "-q", context, check=1)
    assert "why-it-failed" in result.err


def test_plain_progress_names_each_step_and_its_output(sb):
    result = sb.build("FROM busybox:1\nRUN a=b; echo out-$a-put\nCOPY f /f\n", files={"f": ""})
    assert re.search(r"^#\d+ .*RUN a=b", result.err, re.M)
    assert re.search(r"^#\d+ \d+\.\d+ out-b-put$", result.err, re.M)
    assert re.search(r"^#\d+ DONE", result.err, re.M)


def test_json_progress_is_a_line_an_event(sb):
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN echo one; echo two >&2\n"})
    result = sb("build", "--progress=json", context, "-t", "json:1")
    events = result.events
    assert {event["schema"] for event in events} == {1}
    kinds = [event["event"] for event in events]
    told = [kind for kind in kinds if kind not in ("notice", "warning")]
    assert told[0] == "build-start" and told[-1] == "build-end"
    output = {(event["stream"], event["text"].strip()) for event in events if event["event"] == "step-output"}
    assert {(1, "one"), (2, "two")} <= output
    ends = [event for event in events if event["event"] == "step-end"]
    assert ends and all(event["status"] == 0 for event in ends)
    assert "image" in kinds


def test_json_progress_of_a_failed_build(sb):
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN exit 7\n"})
    (error,) = [e for e in sb("build", "--progress=json", context, check=1).events if e["event"] == "error"]
    assert error["code"] == "step-failed" and error["step_status"] == 7
    assert error["line"] == 2 and error["file"].endswith("Buildfile")


def run_on_terminal(sb, *args):
    """The program with a terminal for its output; (exit status, what the terminal got)."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sb.program, *map(str, args)], env=sb.environment({"TERM": "xterm"}), stdin=subprocess.DEVNULL, stdout=slave, stderr=slave
    )
    os.close(slave)
    seen = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(master)
    return process.wait(60), seen.decode(errors="replace")


def test_the_live_view_on_a_terminal(sb):
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN echo live-output; sleep 1\nRUN printf '\\033[31mred\\033[2J'\n"})
    status, seen = run_on_terminal(sb, "build", context)
    assert status == 0
    assert "\x1b[" in seen and "RUN echo live-output" in seen
    assert "\x1b[2J" not in seen, "a step does not steer the terminal"


def test_the_live_view_ends_with_the_failed_steps_output(sb):
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN a=cause; echo the-$a; exit 9\n"})
    status, seen = run_on_terminal(sb, "build", context)
    assert status == 1 and "the-cause" in seen and "9" in seen


def test_check_runs_nothing(sb):
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN exit 1\n"})
    sb("build", "--check", "--fail-on=error", context)
    (context / "Buildfile").write_text("FROM busybox:1\nNOPE\n")
    sb("build", "--check", context, check=2)


def test_doctor_names_each_check_in_order(sb):
    result = sb("doctor", check=None)
    assert result.status in (0, 3)
    wanted = ["user namespace", "subordinate", "overlay", "build context", "seccomp", "noswap"]
    places = [result.out.lower().find(word) for word in wanted]
    assert -1 not in places and places == sorted(places), result.out


def test_the_store_is_where_it_is_told_to_be(sb):
    rootfs = sb.file("tiny.tar", image_make.make_tar({"x": b"1"}))
    env = {"SAFEBUILD_ROOT": "", "XDG_DATA_HOME": str(sb.context())}
    sb("import", rootfs, "tiny:1", env=env)
    assert os.path.exists(env["XDG_DATA_HOME"] + "/safebuild/oci-layout")
    elsewhere = sb.context() / "elsewhere"
    sb("--root", elsewhere, "import", rootfs, "tiny:1", check=None)
    sb("import", "--root", elsewhere, rootfs, "tiny:1")
    assert (elsewhere / "index.json").exists()


def test_builds_at_the_same_time_share_a_store(fresh):
    contexts = [fresh.context({"Buildfile": f"FROM busybox:1\nRUN echo {n} >/n; sleep 0.3\n"}) for n in range(4)]
    builds = [fresh.start("build", "--progress=plain", "-t", f"same:{n}", c) for n, c in enumerate(contexts)]
    for build in builds:
        out, err = build.communicate(timeout=100)
        assert build.returncode == 0, (out + err).decode()
    for n in range(4):
        assert fresh.image(f"FROM same:{n}\n").read("n") == f"{n}\n".encode()


def test_output_to_a_closed_pipe_ends_the_program(sb):
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN seq 1 200000\n"})
    process = sb.start("build", "--progress=plain", context)
    process.stderr.close()
    process.stdout.close()
    assert process.wait(60) is not None
