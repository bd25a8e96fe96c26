# SPDX-License-Identifier: MIT
"""examples/ are what they say."""

import json
import os
import shutil
import subprocess
import tempfile

import pytest

from conftest import HERE, need_program
from secret_search import find_secret

EXAMPLES = HERE.parents[1] / "examples"


def context_of(sb, name):
    folder = sb.context() / name
    shutil.copytree(EXAMPLES / name, folder)
    return folder


def test_secret(fresh):
    token = "example-token-0123456789"
    path = fresh.file("token", token)
    context = context_of(fresh, "secret")
    target = fresh.folder / "image.tar"
    fresh("-f", context / "Buildfile", "--secret", f"id=mysecret,src={path}", "-o", f"type=oci,dest={target}", context)
    assert find_secret(token.encode(), fresh.folder) == []
    fresh("inspect", target, "--secret", f"id=mysecret,src={path}")


def test_leaked_secret_is_shown_where_it_is_not_known_and_refused_where_it_is(fresh):
    context = context_of(fresh, "leaked-secret")
    fresh("-t", "leaked:1", context)
    page = fresh("inspect", "leaked:1").out
    assert "etc/secret.txt" in page and "rm /etc/secret.txt" in page and "13" in page
    result = fresh("--secret", f"id=mysecret,src={context}/super-secure.txt", context, check=1)
    assert "mysecret" in result.err and "Buildfile:" in result.err and "super secure" not in result.text


def test_multi_stage(fresh):
    context = context_of(fresh, "multi-stage")
    image = fresh.image((context / "Buildfile").read_text(), context=context)
    assert image.read("bin/greeting").endswith(b'greet "Grace"\n')
    assert "src" not in image.files() and image.run["Entrypoint"] == ["/bin/greeting"]


@pytest.mark.slow
def test_going_minimal(fresh):
    for name in ("curl", "gcc", "mawk", "dpkg-query", "apt-cache"):
        need_program(name)
    command = [EXAMPLES / "going-minimal/run.sh", fresh.program]
    done = subprocess.run(command, env=fresh.environment(), capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count('{"stderr":"","stdout":"hello\\n"}') == 4
    table = [line.split() for line in done.stdout.splitlines() if line.startswith("going-minimal/")]
    assert [row[0] for row in table] == [f"going-minimal/{n}:1" for n in ("all-in-one", "debian", "alpine", "distroless")]
    sizes = [image["size"] for image in json.loads(fresh("images", "--json", "going-minimal/").out)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 50 * sizes[-1]


if "SB_TEST_TALK" in os.environ:

    @pytest.mark.slow
    def test_the_dockerfiles_of_the_talk_as_they_are(fresh):
        for name in ("curl", "mmdebstrap", "docker-registry", "slirp4netns"):
            need_program(name)
        command = [EXAMPLES / "going-minimal/originals.sh", os.environ["SB_TEST_TALK"], fresh.program]
        env = {**fresh.environment(), "TMPDIR": tempfile.gettempdir()}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=1200)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count('{"stderr":"","stdout":"hello\\n"}') == 4


def test_going_minimal_gets_better(sb):
    folder = EXAMPLES / "going-minimal"
    assert "RunsAsRoot" in sb("lint", folder / "all-in-one.Buildfile").out
    for name in ("debian", "alpine", "distroless"):
        sb("lint", "--fail-on=warning", folder / f"{name}.Buildfile")
