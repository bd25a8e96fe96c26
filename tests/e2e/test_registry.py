# SPDX-License-Identifier: MIT
"""Bases from a registry: an honest server on loopback, and one that lies in every way."""

import json
import subprocess
import time

import pytest

import image_make
import lying_registry
from conftest import cannot_run, need_program
from registry_server import RegistryServer, find_program

LAYER = image_make.make_tar({"etc/from-registry": b"x" * 5000, "dir": None})


@pytest.fixture(scope="module")
def registry(sb, session_folder):
    """Debian's docker-registry with busybox:1 and library/deep/name:tag."""
    if find_program() is None:
        cannot_run("docker-registry is not installed")
    need_program("skopeo")
    layout = session_folder / "for-registry"
    sb.build("FROM busybox:1\n", "-t", "image:tag", "-o", f"type=oci,dest={layout},tar=false")
    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    tag = entry["annotations"]["org.opencontainers.image.ref.name"]
    with RegistryServer() as server:
        server.push_layout(layout, tag, "busybox:1")
        server.push_layout(layout, tag, "library/deep/name:tag")
        yield server


def test_a_base_from_a_registry(fresh, registry):
    image = fresh.image(f"FROM {registry.ref('busybox:1')}\nRUN echo hi >/hi\n")
    assert image.read("hi") == b"hi\n" and image.read("etc/passwd") == image_make.PASSWD.encode()


def test_pull_shows_in_images_and_needs_the_registry_no_more(fresh, session_folder, registry):
    name = registry.ref("library/deep/name:tag")
    fresh("pull", name)
    assert registry.ref("library/deep/name") in fresh("images").out
    registry_is_asked = fresh.build(f"FROM {name}\nRUN true\n", "--progress=json")
    assert not [event for event in registry_is_asked.events if event["event"] == "transfer"]


def test_a_base_by_its_digest(fresh, registry):
    command = ["skopeo", "inspect", "--tls-verify=false", f"docker://{registry.ref('busybox:1')}"]
    digest = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["Digest"]
    assert fresh.image(f"FROM {registry.ref('busybox')}@{digest}\n").read("etc/group")
    wrong = "sha256:" + "0" * 64
    result = fresh.build(f"FROM {registry.ref('busybox')}@{wrong}\n", check=None)
    assert result.status in (1, 3)
    assert "busybox@" in result.err and "Buildfile:1" in result.err


def test_a_tag_that_the_registry_does_not_have(fresh, registry):
    result = fresh.build(f"FROM {registry.ref('busybox:nope')}\n", check=None)
    assert result.status in (1, 3)
    assert "busybox:nope" in result.err and "Buildfile:1" in result.err


def test_copy_from_an_image_of_a_registry(fresh, registry):
    image = fresh.image(f"FROM scratch\nCOPY --from={registry.ref('busybox:1')} /etc/passwd /p\n")
    assert image.read("p") == image_make.PASSWD.encode()


def test_inspect_reads_an_image_of_a_registry(fresh, registry):
    report = json.loads(fresh("inspect", "--json", "docker://" + registry.ref("busybox:1")).out)
    assert len(report["layers"]) == 1


HARMLESS = {"busy-once", "layer-resets-once", "layer-resets-once-no-ranges", "wants-token"}
LONG = {"layer-stalls", "busy-always", "layer-resets-always"}


@pytest.mark.parametrize("fault", [None, *sorted(HARMLESS)])
def test_what_a_pull_recovers_from(fresh, fault):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER), fault) as lies:
        assert fresh.image(f"FROM {lies.ref}\nLABEL a=b\n").read("etc/from-registry") == b"x" * 5000


@pytest.mark.parametrize("fault", sorted(set(lying_registry.FAULTS) - HARMLESS - LONG))
def test_what_a_pull_refuses(fresh, fault):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER), fault) as lies:
        result = fresh.build(f"FROM {lies.ref}\nLABEL a=b\n", "-t", "lied:1", check=None)
    assert result.status in (1, 3), repr(result)
    assert lies.host in result.err and "Buildfile:1" in result.err
    assert lying_registry.TOKEN not in result.text
    listed = fresh("images").out
    assert "lied" not in listed and lies.host not in listed


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["busy-always", "layer-resets-always"])
def test_what_a_pull_gives_up_on(fresh, fault):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER), fault) as lies:
        fresh.build(f"FROM {lies.ref}\nLABEL a=b\n", check=3, timeout=300)


def test_a_pull_that_hangs_can_be_interrupted(fresh):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER), "layer-stalls") as lies:
        process = fresh.start("pull", lies.ref)
        time.sleep(1)
        started = time.monotonic()
        process.terminate()
        process.communicate(timeout=20)
        assert time.monotonic() - started < 2 and process.returncode != 0
