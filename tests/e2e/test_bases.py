# SPDX-License-Identifier: MIT
"""Where FROM gets its image: every form, and every way in which one can be broken."""

import gzip
import io
import json
import os
import subprocess
import tarfile

import pytest

import image_make
from conftest import need_program

LAYERS = [
    image_make.make_tar({"a": b"1", "dir/": None, "dir/gone": b"x", "dir/kept": b"y"}),
    image_make.make_tar({"dir/.wh.gone": b"", "b": b"2"}),
]
BUILDFILE = "FROM base\nCOPY f /f\n"


def check_image(image):
    assert image.read("a") == b"1" and image.read("b") == b"2" and image.read("f") == b"new"
    assert "dir/gone" not in image.files() and image.read("dir/kept") == b"y"
    assert [layer.diff_id for layer in image.layers[:2]] == [image_make.digest(tar) for tar in LAYERS]
    assert image.env["FROM_BASE"] == "yes"
    assert image.history[:2] == ["layer 0 by hand", "layer 1 by hand"]


def build_on(sb, value, **more):
    return sb.image(BUILDFILE, "--build-context", f"base={value}", files={"f": "new"}, **more)


def test_an_oci_layout_folder(sb):
    check_image(build_on(sb, f"oci-layout://{image_make.make_oci_layout(sb.context(), LAYERS)}"))


def test_an_oci_layout_with_a_tag_among_several(sb):
    folder = image_make.make_oci_layout(sb.context(), LAYERS, tag="wanted")
    index = json.load(open(folder / "index.json", encoding="utf-8"))
    image_make.make_oci_layout(folder, LAYERS[:1], tag="other")
    index["manifests"] += json.load(open(folder / "index.json", encoding="utf-8"))["manifests"]
    (folder / "index.json").write_text(json.dumps(index))
    check_image(build_on(sb, f"oci-layout://{folder}:wanted"))
    assert len(build_on(sb, f"oci-layout://{folder}:other").layers) == 2


def test_an_oci_archive(sb):
    folder = image_make.make_oci_layout(sb.context(), LAYERS)
    path = image_make.tar_folder(folder, sb.context() / "image.tar")
    check_image(build_on(sb, path))
    check_image(build_on(sb, f"oci-layout://{path}"))


@pytest.mark.parametrize("make", [image_make.make_docker_archive_old, image_make.make_docker_archive_new])
def test_a_docker_archive_old_and_new(sb, make):
    check_image(build_on(sb, make(sb.context() / "saved.tar", LAYERS)))


def test_a_docker_archive_by_skopeo(sb):
    need_program("skopeo")
    folder = image_make.make_oci_layout(sb.context(), LAYERS)
    path = sb.context() / "saved.tar"
    command = ["skopeo", "--insecure-policy", "copy", "-q", f"oci:{folder}:1", f"docker-archive:{path}:x:1"]
    subprocess.run(command, check=True, capture_output=True)
    check_image(build_on(sb, path))


def test_uncompressed_and_zstd_layers(sb):
    check_image(build_on(sb, f"oci-layout://{image_make.make_oci_layout(sb.context(), LAYERS, compress=False)}"))
    sb.build("FROM base\n", "--build-context", f"base=oci-layout://{image_make.make_oci_layout(sb.context(), LAYERS)}",
             "-o", f"type=oci,dest={sb.folder}/zstd.tar,compression=zstd")  # fmt: skip
    assert build_on(sb, sb.folder / "zstd.tar").read("a") == b"1"


def test_a_rootfs_tar_imported_from_a_file_and_a_pipe(fresh):
    rootfs = image_make.make_tar({"a": b"1", "dir/b": b"2"})
    path = fresh.file("rootfs.tar", rootfs)
    packed = fresh.file("rootfs.tar.gz", gzip.compress(rootfs))
    fresh("import", path, "from-file:1")
    fresh("import", packed, "from-gzip:1")
    fresh("import", "-", "from-pipe:1", stdin=rootfs)
    for name in ("from-file:1", "from-gzip:1", "from-pipe:1"):
        image = fresh.image(f"FROM {name}\nLABEL a=b\n")
        assert image.read("dir/b") == b"2"
        assert image.layers[0].diff_id == image_make.digest(rootfs)


def test_an_import_with_changes(fresh):
    path = fresh.file("rootfs.tar", image_make.busybox_rootfs())
    changes = ['ENV A=1 B="two words"', "ENV C=$A", "WORKDIR /w", "WORKDIR sub", "USER app", "EXPOSE 80/udp", "LABEL l=v",
               "VOLUME /v", 'ENTRYPOINT ["sh", "-c"]', 'CMD ["echo $A $C; pwd; id -un"]', "STOPSIGNAL SIGINT"]  # fmt: skip
    words = [word for change in changes for word in ("-c", change)]
    fresh("import", *words, path, "changed:1")
    assert fresh("run", "-q", "changed:1").out == "1 1\n/w/sub\napp\n"
    run = fresh.image("FROM changed:1\nLABEL a=b\n").run
    assert run["Env"][:3] == ["A=1", "B=two words", "C=1"] and run["Volumes"] == {"/v": {}}
    assert run["ExposedPorts"] == {"80/udp": {}} and run["StopSignal"] == "SIGINT" and run["Labels"] == {"l": "v", "a": "b"}
    first = fresh("import", *words, path, "again:1").out
    assert first == fresh("import", *words, path, "changed:1").out, "the same input is the same image"
    for change, says in (("RUN true", "RUN"), ("FROM x", ""), ("COPY a b", "COPY"), ("NOPE", ""), ("CMD a\nRUN b", "line"), ("", "")):
        result = fresh("import", "-c", change, path, "bad:1", check=2)
        assert "--change" in result.err and says in result.err
    assert "bad" not in fresh("images").out


def test_a_name_without_a_tag_is_latest(fresh):
    fresh("import", fresh.file("r.tar", image_make.make_tar({"x": b"1"})), "plain")
    assert fresh.image("FROM plain:latest\n").read("x") == b"1"
    assert fresh.image("FROM plain\n").read("x") == b"1"


def test_a_folder_as_a_named_context(sb):
    folder = sb.context({"x": "named", "sub/y": "deep", ".dockerignore": "ignored\n", "ignored": "1"})
    text = "FROM scratch\nCOPY --from=other / /all/\nCOPY --from=other sub/y /y\n"
    image = sb.image(text, "--build-context", f"other={folder}")
    assert image.read("all/x") == b"named" and image.read("y") == b"deep"
    assert "all/ignored" not in image.files()


def test_a_named_context_replaces_a_stage_and_an_image(sb):
    layout = image_make.make_oci_layout(sb.context(), LAYERS)
    text = "FROM busybox:1 AS one\nFROM scratch\nCOPY --from=one /b /b\n"
    image = sb.image(text, "--build-context", f"one=oci-layout://{layout}")
    assert image.read("b") == b"2"


def test_an_image_that_is_nowhere_is_named(sb):
    result = sb.build("FROM 127.0.0.1:1/no/such:1\n", check=None)
    assert result.status in (1, 3)
    assert "127.0.0.1:1/no/such:1" in result.err and "Buildfile:1" in result.err


@pytest.mark.parametrize("kind", ["layer", "config", "manifest"])
def test_a_wrong_digest_is_refused(fresh, kind):
    def flip(what, data):
        return data[:-1] + bytes([data[-1] ^ 1]) if what == kind else data

    folder = image_make.make_oci_layout(fresh.context(), LAYERS, damage=flip)
    result = fresh.build(BUILDFILE, "--build-context", f"base=oci-layout://{folder}", files={"f": "x"}, check=3)
    assert "sha256:" in result.err or "digest" in result.err


@pytest.mark.parametrize("change", [lambda d: d[:-5], lambda d: d + b"more", lambda d: b""])
def test_a_wrong_size_is_refused(fresh, change):
    folder = image_make.make_oci_layout(
        fresh.context(), LAYERS, damage=lambda what, data: change(data) if what == "layer" else data
    )
    fresh.build(BUILDFILE, "--build-context", f"base=oci-layout://{folder}", files={"f": "x"}, check=3)


def test_a_wrong_diff_id_is_refused(fresh):
    config = image_make.default_config(LAYERS)
    config["rootfs"]["diff_ids"].reverse()
    folder = image_make.make_oci_layout(fresh.context(), LAYERS, config=config)
    result = fresh.build("FROM base\nRUN true\n", "--build-context", f"base=oci-layout://{folder}", check=3)
    assert "sha256:" in result.err


def test_files_that_are_no_images_are_refused(sb):
    for name, data in (("empty", b""), ("text", b"hello\n"), ("tar", image_make.make_tar({"x": b"1"}))):
        path = sb.file(name, data)
        sb.build("FROM base\n", "--build-context", f"base=oci-layout://{path}", check=3)
    missing = sb.build("FROM base\n", "--build-context", "base=/no/such/path", check=None)
    assert missing.status in (1, 2, 3) and "/no/such/path" in missing.err


def hostile(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for add, *arguments in members:
            add(tar, *arguments)
    return out.getvalue()


@pytest.mark.parametrize(
    "what",
    ["up", "absolute link", "link to parent", "hardlink", "whiteout of the parent", "whiteout of itself", "device over"],
)
def test_a_hostile_layer_changes_nothing_outside(sb, what):
    outside = sb.context({"victim": "untouched"})
    victim = str(outside / "victim")
    up = "../" * 20 + victim.lstrip("/")
    file, link = image_make.add_file, image_make.add_link
    layer = {
        "up": hostile((file, up, b"evil")),
        "absolute link": hostile((link, "x", str(outside)), (file, "x/victim", b"evil")),
        "link to parent": hostile((link, "x", "../" * 20), (file, "x" + victim, b"evil")),
        "hardlink": hostile((link, "x", up, True), (file, "x", b"evil")),
        "whiteout of the parent": hostile((file, "d/.wh...", b"")),
        "whiteout of itself": hostile((file, "d/.wh..", b"")),
        "device over": hostile((link, "x", victim), (file, "x", b"evil")),
    }[what]
    folder = image_make.make_oci_layout(sb.context(), [layer])
    text = "FROM base\nCOPY f /f\n"
    result = sb.build(text, "--build-context", f"base=oci-layout://{folder}", files={"f": ""}, check=None)
    assert result.status in (0, 3), repr(result)
    assert (outside / "victim").read_text() == "untouched"
    assert os.listdir(outside) == ["victim"]
    if what.startswith("whiteout") or what == "up":
        assert result.status == 3, repr(result)


def test_the_applied_base_is_what_its_layers_say(sb):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        image_make.add_dir(tar, "bin")
        image_make.add_file(tar, "bin/busybox", open("/bin/busybox", "rb").read(), 0o755)
        image_make.add_link(tar, "bin/sh", "busybox")
        image_make.add_file(tar, "suid", b"x", 0o4755, 5, 6, 1234)
        image_make.add_link(tar, "hard", "suid", True, 0o4755, 5, 6, 1234)
        image_make.add_file(tar, "late/missing/parent", b"p")
        image_make.add_dir(tar, "secretive", 0o700, 1000, 1000)
        image_make.add_file(tar, "twice", b"first")
        image_make.add_file(tar, "twice", b"second")
    second = image_make.make_tar({".wh.never-was": b"", "late/.wh.missing": b"", "secretive/.wh..wh..opq": b""})
    folder = image_make.make_oci_layout(sb.context(), [out.getvalue(), second])
    script = """FROM base
RUN /bin/busybox sh <<'E'
export PATH=/bin; exec >/out; alias stat='busybox stat'
busybox stat -c '%a %u %g %Y %h' /suid; busybox stat -c '%a %u' /secretive; busybox cat /twice; busybox ls /late | busybox wc -l
E
"""
    image = sb.image(script, "--build-context", f"base=oci-layout://{folder}")
    assert image.read("out").decode().split("\n") == ["4755 5 6 1234 2", "700 1000", "second0", ""]
