# SPDX-License-Identifier: MIT
"""inspect diff: what changed from one image to another."""

import fcntl
import io
import json
import os
import pty
import shutil
import struct
import subprocess
import tarfile
import termios

import pytest

import image_make
from conftest import need_program

# Made up, but with a form that a token has.
TOKEN = "ghp_" + "x7Rk2LqP9vTzB4mWc8YdN3sHf6JgA1uKe5Xo"


def layer(fill):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        fill(tar)
    return out.getvalue()


def make_image(folder, layers, config=None, **more):
    shutil.rmtree(folder, ignore_errors=True)
    return image_make.make_oci_layout(folder, layers, config=config or image_make.default_config(layers), **more)


BASE = layer(
    lambda tar: [
        image_make.add_dir(tar, "etc"),
        image_make.add_file(tar, "etc/passwd", image_make.PASSWD.encode()),
        image_make.add_file(tar, "etc/same", b"same"),
        image_make.add_link(tar, "etc/link", "same"),
        image_make.add_file(tar, "etc/old", b"old" * 100),
    ]
)


def first_app(tar):
    image_make.add_file(tar, "app", b"version 1", 0o755)
    image_make.add_file(tar, "mode", b"x", 0o644)


def second_app(tar):
    image_make.add_file(tar, "app", b"version 2", 0o755)
    image_make.add_file(tar, "mode", b"x", 0o600, 7, 8)
    image_make.add_file(tar, "etc/.wh.old", b"")
    image_make.add_link(tar, "etc/link", "passwd")
    image_make.add_dir(tar, "new")
    for n in range(40):
        image_make.add_file(tar, f"new/{n:02}", b"n" * n)
    for n in range(40):
        image_make.add_file(tar, f"other-{n:02}", b"m")


@pytest.fixture(scope="module")
def images(sb):
    layers = {"a": [BASE, layer(first_app)], "b": [BASE, layer(second_app)]}
    made = {}
    for name, content in layers.items():
        config = image_make.default_config(content, Cmd=["/app"], Labels={"version": "1" if name == "a" else "2"})
        config["config"]["Env"].append("STAGE=" + name)
        if name == "b":
            config["config"].update(User="app", ExposedPorts={"80/tcp": {}}, Volumes={"/data": {}}, WorkingDir="/app")
            config["config"]["Entrypoint"] = ["/bin/sh", "-c"]
        made[name] = make_image(sb.folder / f"diff-{name}", content, config)
    return made


def compare(sb, a, b, *args, **more):
    return json.loads(sb("inspect", "diff", "--json", *args, a, b, **more).out)


def test_files(sb, images):
    report = compare(sb, images["a"], images["b"], check=1)
    assert report["schema"] == 1 and report["verdict"] == "different"
    files = {file["path"]: file for file in report["files"]}
    assert {path: file["change"] for path, file in files.items() if not path.startswith(("new/", "other-"))} == {
        "app": "modified",
        "etc/link": "modified",
        "etc/old": "removed",
        "mode": "metadata",
        "new": "added",
    }
    assert files["app"]["what"] == ["content"] and files["etc/link"]["what"] == ["link"]
    assert files["mode"]["what"] == ["mode", "owner"]
    assert (files["mode"]["before"]["mode"], files["mode"]["after"]["mode"]) == ("0644", "0600")
    assert (files["mode"]["after"]["uid"], files["mode"]["after"]["gid"]) == (7, 8)
    assert files["etc/link"]["before"]["link"] == "same" and files["etc/link"]["after"]["link"] == "passwd"
    assert files["app"]["before"]["digest"] == image_make.digest(b"version 1")
    assert files["app"]["after"]["digest"] == image_make.digest(b"version 2")
    assert files["etc/old"]["before"]["size"] == 300 and files["etc/old"]["after"] is None
    assert report["counts"] == {"added": 81, "removed": 1, "modified": 2, "metadata": 1}
    paths = [file["path"] for file in report["files"]]
    assert paths == sorted(paths, key=lambda path: path.split("/"))


def test_settings(sb, images):
    report = compare(sb, images["a"], images["b"], check=1)
    found = {(item["field"], item["key"]): (item["change"], item["before"], item["after"]) for item in report["config"]}
    assert found == {
        ("User", None): ("added", None, "app"),
        ("WorkingDir", None): ("added", None, "/app"),
        ("Entrypoint", None): ("added", None, '["/bin/sh", "-c"]'),
        ("Env", "STAGE"): ("modified", "a", "b"),
        ("Labels", "version"): ("modified", "1", "2"),
        ("ExposedPorts", "80/tcp"): ("added", None, ""),
        ("Volumes", "/data"): ("added", None, ""),
    }


def test_layers_and_sizes(sb, images):
    report = compare(sb, images["a"], images["b"], check=1)
    assert [(pair["before"], pair["after"]) for pair in report["layers"]] == [(0, 0), (1, None), (None, 1)]
    a, b = report["images"]
    assert a["dead_bytes"] == 0 and b["dead_bytes"] == 300
    assert b["visible"] - a["visible"] == sum(range(40)) + 40 - 300


def test_the_page(sb, images):
    page = sb("inspect", "diff", images["a"], images["b"], check=1).out
    assert "new/  with 40 files and folders" in page and "new/07" not in page
    assert "other-00" in page and "and 11 more: --json has all" in page
    assert "mode 0644 \u2192 0600, owner 0:0 \u2192 7:8" in page
    assert "to same \u2192 passwd" in page
    assert "DIFFERENT: 85 files, 7 settings, 2 layers" in page
    assert "\033" not in page


def test_nothing_differs_between_runs(sb, images):
    for args in ([], ["--json"]):
        runs = {sb("inspect", "diff", *args, images["a"], images["b"], check=1).out for _ in range(3)}
        assert len(runs) == 1


def test_the_same_image_in_every_form(sb, images):
    need_program("skopeo")
    archive = image_make.tar_folder(images["b"], sb.folder / "diff-b.tar")
    docker = sb.folder / "diff-docker.tar"
    subprocess.run(
        ["skopeo", "--insecure-policy", "copy", "-q", f"oci:{images['b']}:1", f"docker-archive:{docker}:b:1"], check=True
    )
    for other in (images["b"], archive, docker):
        result = sb("inspect", "diff", images["b"], other)
        assert "SAME: " in result.out
    piped = sb("inspect", "diff", "-", images["b"], stdin=archive.read_bytes())
    assert "SAME: " in piped.out
    assert compare(sb, images["b"], docker)["verdict"] == "same"


def test_other_compression_is_no_difference(sb, images):
    layers = [BASE, layer(first_app)]
    plain = make_image(sb.folder / "diff-plain", layers, compress=False)
    packed = make_image(sb.folder / "diff-packed", layers)
    report = compare(sb, plain, packed)
    assert report["verdict"] == "same" and [pair["repacked"] for pair in report["layers"]] == [True, True]


def test_the_same_files_in_other_layers_are_a_difference(sb):
    whole = [image_make.make_tar({"x": "1", "y": "2"})]
    split = [image_make.make_tar({"x": "1"}), image_make.make_tar({"y": "2"})]
    report = compare(sb, make_image(sb.folder / "diff-1", whole), make_image(sb.folder / "diff-2", split), check=1)
    assert report["files"] == [] and len(report["layers"]) == 3


def test_an_image_in_the_store(sb):
    sb.build("FROM busybox:1\nRUN echo one >/file\n", "-t", "diff:1")
    sb.build("FROM busybox:1\nRUN echo two >/file\n", "-t", "diff:2")
    report = compare(sb, "diff:1", "diff:2", check=1)
    assert [file["path"] for file in report["files"]] == ["file"]
    assert report["layers"][0]["before"] == report["layers"][0]["after"] == 0


def test_values_of_secrets_are_in_no_form_of_it(sb):
    known = "my-own-known-value-17"
    made = []
    for n, env in enumerate(([f"A={known}", "B=1"], [f"A={known}-2", f"TOKEN={TOKEN}"])):
        layers = [BASE, layer(lambda tar, n=n: image_make.add_file(tar, f"dir/{known}-{n}", b""))]
        config = image_make.default_config(layers, Labels={"note": f"x {env[0]}"})
        config["config"]["Env"] += env
        config["history"] = [{"created_by": f"RUN use {known} {TOKEN}"}] * 2
        made.append(make_image(sb.folder / f"diff-known-{n}", layers, config))
    a, b = made
    secret = sb.file("diff-known", known + "\n")
    for args in ([], ["--json"]):
        result = sb("inspect", "diff", *args, "--secret", f"id=mine,src={secret}", a, b, check=1)
        assert known not in result.text and TOKEN not in result.text
        assert "[secret mine]" in result.out and "ghp_" in result.out
    without = sb("inspect", "diff", a, b, check=None)
    assert TOKEN not in without.text


def test_a_damaged_image_is_not_compared_in_silence(sb, images):
    layers = [BASE, layer(first_app)]

    def flip(kind, data):
        return data[:50] + bytes([data[50] ^ 1]) + data[51:] if kind == "layer" else data

    broken = make_image(sb.folder / "diff-broken", layers, damage=flip)
    result = sb("inspect", "diff", broken, images["a"], check=3)
    assert "UNREADABLE" in result.out and "A: layer 1" in result.out
    assert compare(sb, images["a"], broken, check=3)["verdict"] == "unreadable"


def test_usage(sb, images):
    sb("inspect", "diff", images["a"], check=2)
    sb("inspect", "diff", images["a"], images["a"], images["a"], check=2)
    sb("inspect", "diff", "-", "-", check=2)
    sb("inspect", "diff", "./no-such-file.tar", images["a"], check=3)
    assert "Exit status" in sb("inspect", "diff", "--help").out
    assert sb("help", "inspect", "diff").out == sb("inspect", "diff", "--help").out


@pytest.mark.parametrize("columns", [60, 80, 132])
def test_on_a_terminal_it_has_colours_and_fits(sb, images, columns):
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sb.program, "inspect", "diff", str(images["a"]), str(images["b"])]
    env = {**sb.environment(), "TERM": "xterm"}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=follower, env=env) as process:
        os.close(follower)
        text = b""
        try:
            while piece := os.read(leader, 65536):
                text += piece
        except OSError:
            pass
        process.wait(timeout=30)
    os.close(leader)
    shown = text.decode()
    assert "\033[32m" in shown and "\033[31m" in shown
    for sequence in ("\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m"):
        shown = shown.replace(sequence, "")
    assert max(len(line) for line in shown.splitlines()) <= columns
