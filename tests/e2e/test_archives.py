# SPDX-License-Identifier: MIT
"""load and save: what we write is read by skopeo, umoci, buildah and podman, and what they write is read by us."""

import gzip
import json
import os
import subprocess
import tarfile

import pytest

import image_make
import image_read
from conftest import need_program, remove_tree

LAYERS = [
    image_make.make_tar({"a": b"1", "dir/": None, "dir/gone": b"x"}),
    image_make.make_tar({"dir/.wh.gone": b"", "b": b"2"}),
]
DIFF_IDS = [image_make.digest(tar) for tar in LAYERS]
BUILDFILE = """FROM busybox:1
RUN mkdir /d && echo data >/d/file && ln /d/file /d/hard && chown 1000:1000 /d && rm /etc/group
ENV A=b
CMD ["cat", "/d/file"]
"""


def command(*words, status=0, cwd=None):
    words = [str(word) for word in words]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, cwd=cwd)
    assert done.returncode == status, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


class Podman:
    """podman and buildah on a storage of the test's own."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *words, program="podman", cwd=None):
        storage = ("--root", self.folder / "root", "--runroot", self.folder / "run", "--storage-driver", "vfs")
        return command(need_program(program), *storage, *words, cwd=cwd)

    def inspect(self, name):
        (image,) = json.loads(self("image", "inspect", name))
        return image


@pytest.fixture
def podman(session_folder):
    folder = session_folder / f"podman-{os.getpid()}-{len(os.listdir(session_folder))}"
    folder.mkdir()
    yield Podman(folder)
    remove_tree(folder)


@pytest.fixture(scope="module")
def two(sb):
    """two:1, an image of two layers with a configuration, and its archive as we read it back."""
    return sb.image(BUILDFILE, "-t", "two:1", "-o", "type=store")


def by_hand(sb, podman):
    """Brings the image of LAYERS into podman's storage, as localhost/by/hand:1."""
    layout = image_make.make_oci_layout(sb.context(), LAYERS, tag="by/hand:1")
    podman("load", "-i", image_make.tar_folder(layout, sb.context() / "hand.tar"))
    return "localhost/by/hand:1"


def names_in(sb):
    return [image["name"] for image in json.loads(sb("images", "--json").out)]


def diff_ids(sb, name, folder):
    sb("save", "--format", "oci", "-o", folder / "check.tar", name)
    return [layer.diff_id for layer in image_read.read_oci_archive(folder / "check.tar").layers]


# What we write


@pytest.mark.parametrize("form", ["docker", "oci", "oci-dir"])
def test_skopeo_and_podman_read_what_save_writes(sb, two, podman, form):
    need_program("skopeo")
    out = sb.context()
    target = out / "saved"
    sb("save", "--format", form, "-o", target, "two:1")
    transport = {"docker": "docker-archive", "oci": "oci-archive", "oci-dir": "oci"}[form]
    seen = json.loads(command("skopeo", "inspect", "--config", f"{transport}:{target}"))
    wanted = [layer.diff_id for layer in two.layers]
    assert seen["rootfs"]["diff_ids"] == wanted and "A=b" in seen["config"]["Env"]
    # podman calls the image of a folder by the folder's name, of which not all are names for images.
    name = podman("load", "-i", "saved", cwd=out).strip().removeprefix("Loaded image: ")
    assert name.endswith("/two:1") or form == "oci-dir"
    image = podman.inspect(name)
    assert image["RootFS"]["Layers"] == wanted and image["Config"]["Cmd"] == ["cat", "/d/file"]


@pytest.mark.parametrize("form", ["oci", "docker"])
def test_buildah_starts_from_what_save_writes(sb, two, podman, form):
    target = sb.context() / "saved.tar"
    sb("save", "--format", form, "-o", target, "two:1")
    podman("from", "--name", "work", f"{form}-archive:{target}", program="buildah")
    inspected = json.loads(podman("inspect", "work", program="buildah"))
    assert inspected["OCIv1"]["rootfs"]["diff_ids"] == [layer.diff_id for layer in two.layers]


def test_umoci_unpacks_what_save_writes(sb, two):
    need_program("umoci")
    out = sb.context()
    sb("save", "--format", "oci-dir", "-o", out / "layout", "two:1")
    command("umoci", "unpack", "--rootless", "--image", f"{out}/layout:docker.io/library/two:1", out / "bundle")
    assert (out / "bundle/rootfs/d/file").read_text() == "data\n"
    assert not (out / "bundle/rootfs/etc/group").exists()
    remove_tree(out / "bundle")


def test_several_images_with_several_names_are_one_archive(fresh, podman):
    fresh.build(BUILDFILE, "-t", "two:1")
    fresh("tag", "two:1", "quay.io/team/two:x")
    out = fresh.context()
    for form in ("docker", "oci"):
        target = out / f"{form}.tar"
        fresh("save", "--format", form, "-o", target, "busybox:1", "two:1", "quay.io/team/two:x")
        with tarfile.open(target) as tar:
            names = tar.getnames()
            assert len(names) == len(set(names))
        other = type(fresh)(fresh.folder / f"other-{form}")
        said = other("load", "-i", target).out
        assert sorted(names_in(other)) == ["busybox:1", "quay.io/team/two:x", "two:1"]
        assert "Loaded image: quay.io/team/two:x\n" in said
        assert other.output("cat /d/file; ls /etc | grep -c group; true", base="two:1") == "data\n0\n"
    with tarfile.open(out / "docker.tar") as tar:
        entries = json.load(tar.extractfile("manifest.json"))
    assert [entry["RepoTags"] for entry in entries] == [["busybox:1"], ["two:1", "quay.io/team/two:x"]]
    loaded = podman("load", "-i", out / "docker.tar")
    assert "busybox:1" in loaded and "quay.io/team/two:x" in loaded


def test_by_its_digest_an_image_is_saved_without_a_name(fresh):
    (entry,) = [i for i in json.loads(fresh("images", "--json").out) if i["name"] == "busybox:1"]
    target = fresh.context() / "x.tar"
    fresh("save", "-o", target, entry["digest"])
    with tarfile.open(target) as tar:
        assert not json.load(tar.extractfile("manifest.json"))[0].get("RepoTags")
    other = type(fresh)(fresh.folder / "other")
    assert other("load", "-i", target).out == f"Loaded image ID: {entry['digest']}\n"


def test_pipes(fresh):
    saved = fresh("save", "busybox:1").out_bytes
    for data in (saved, gzip.compress(saved)):
        other = type(fresh)(fresh.folder / f"other-{len(data)}")
        other("load", stdin=data)
        assert names_in(other) == ["busybox:1"]
    fresh("save", "-o", "/dev/full", "busybox:1", check=3)


# What they write


def test_what_skopeo_writes(fresh):
    need_program("skopeo")
    out = fresh.context()
    layout = image_make.make_oci_layout(out / "layout", LAYERS)
    copy = ("skopeo", "--insecure-policy", "copy", "-q", f"oci:{layout}:1")
    command(*copy, f"docker-archive:{out}/d.tar:by/skopeo:1")
    command(*copy, f"oci-archive:{out}/o.tar:by/skopeo:2")
    command(*copy, f"oci:{out}/l:by/skopeo:3")
    command(*copy, "--dest-compress-format", "zstd", f"oci:{out}/z:by/skopeo:4")
    for n, name in enumerate(("d.tar", "o.tar", "l", "z"), 1):
        assert fresh("load", "-i", out / name).out == f"Loaded image: by/skopeo:{n}\n"
        assert diff_ids(fresh, f"by/skopeo:{n}", out) == DIFF_IDS
    assert fresh.image("FROM by/skopeo:4\nCOPY f /\n", files={"f": ""}).read("b") == b"2"


def test_what_umoci_writes(fresh):
    need_program("umoci")
    out = fresh.context()
    layout = image_make.make_oci_layout(out / "layout", LAYERS, tag="byumoci")
    command("umoci", "unpack", "--rootless", "--image", f"{layout}:byumoci", out / "bundle")
    (out / "bundle/rootfs/new").write_text("n")
    command("umoci", "repack", "--image", f"{layout}:byumoci", out / "bundle")
    assert fresh("load", "-i", layout).out == "Loaded image: byumoci:latest\n"
    image = fresh.image("FROM byumoci\nCOPY f /\n", files={"f": ""})
    assert image.read("new") == b"n" and "dir/gone" not in image.files()
    remove_tree(out / "bundle")


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_what_buildah_writes(fresh, podman, compression):
    out = fresh.context()
    image = by_hand(fresh, podman)
    forms = {f"oci:{out}/l:by/buildah:1": "l", f"oci-archive:{out}/o.tar:by/buildah:1": "o.tar",
             f"docker-archive:{out}/d.tar:by/buildah:1": "d.tar"}  # fmt: skip
    for target, name in forms.items():
        podman("push", "--compression-format", compression, image, target, program="buildah")
        assert "Loaded image: by/buildah:1\n" in fresh("load", "-i", out / name).out
        assert diff_ids(fresh, "by/buildah:1", out) == DIFF_IDS


def test_what_podman_writes(fresh, podman):
    out = fresh.context()
    name = by_hand(fresh, podman)
    fresh("tag", "busybox:1", "localhost/base:1")
    fresh("save", "-o", out / "base.tar", "localhost/base:1")
    podman("load", "-i", out / "base.tar")
    for form in ("docker-archive", "oci-archive", "oci-dir"):
        podman("save", "--format", form, "-o", out / form, name)
        assert fresh("load", "-i", out / form).out == f"Loaded image: {name}\n"
        assert diff_ids(fresh, name, out) == DIFF_IDS
    podman("tag", name, "localhost/by/podman:2")
    podman("save", "-m", "-o", out / "many.tar", "localhost/base:1", name, "localhost/by/podman:2")
    other = type(fresh)(fresh.folder / "other")
    other("load", "-i", out / "many.tar")
    assert sorted(names_in(other)) == ["localhost/base:1", name, "localhost/by/podman:2"]


@pytest.mark.parametrize("make", [image_make.make_docker_archive_old, image_make.make_docker_archive_new])
def test_docker_archives_old_and_new(fresh, make):
    path = make(fresh.context() / "saved.tar", LAYERS)
    assert fresh("load", "-i", path).out == "Loaded image: byhand:1\n"
    assert diff_ids(fresh, "byhand:1", fresh.context()) == DIFF_IDS


# What is refused


@pytest.mark.parametrize("kind", ["layer", "config", "manifest"])
def test_a_wrong_digest_is_refused_and_leaves_no_image(fresh, kind):
    def flip(what, data):
        return data[:-1] + bytes([data[-1] ^ 1]) if what == kind else data

    folder = image_make.make_oci_layout(fresh.context(), LAYERS, damage=flip)
    result = fresh("load", "-i", folder, check=3)
    assert "sha256:" in result.err
    assert sorted(names_in(fresh)) == ["bare:1", "busybox:1"]


def test_what_is_no_image_is_refused(fresh):
    for data, says in ((b"", "not a tar"), (b"hello\n", ""), (image_make.make_tar({"etc/x": b"", "bin/y": b""}), "import")):
        result = fresh("load", stdin=data, check=3)
        assert says in result.err and "standard input" in result.err
    assert "no such image" in fresh("save", "-o", fresh.folder / "x", "nothing:1", check=None).err.lower().replace(
        "there is no image", "no such image"
    )
    assert not (fresh.folder / "x").exists()
    fresh("save", "--format", "oci-dir", "busybox:1", check=2)
    fresh("save", "--format", "tar", "busybox:1", check=2)
    fresh("load", "-i", "a", "b", check=2)


def test_a_name_that_is_none_is_said(fresh):
    folder = image_make.make_oci_layout(fresh.context(), LAYERS, tag="Not A Name")
    result = fresh("load", "-i", folder)
    assert "Not A Name" in result.err and result.out.startswith("Loaded image ID: sha256:")


def multi_layout(folder, architectures):
    """A layout with an index multi:1 of one image an architecture."""
    manifests = []
    for architecture in architectures:
        config = {**image_make.default_config(LAYERS), "architecture": architecture}
        image_make.make_oci_layout(folder, LAYERS, config=config)
        (entry,) = json.loads((folder / "index.json").read_text())["manifests"]
        manifests.append({**entry, "annotations": {}, "platform": {"os": "linux", "architecture": architecture}})
    media_type = "application/vnd.oci.image.index.v1+json"
    index = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}).encode()
    digest = image_make.digest(index)
    (folder / "blobs" / digest.replace(":", "/")).write_bytes(index)
    named = {"mediaType": media_type, "digest": digest, "size": len(index),
             "annotations": {"org.opencontainers.image.ref.name": "multi:1"}}  # fmt: skip
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    return manifests, digest


def test_an_image_for_several_platforms(fresh):
    out = fresh.context()
    layout = out / "layout"
    manifests, digest = multi_layout(layout, (image_make.ARCHITECTURE, "s390x"))
    fresh("load", "-i", layout)
    (listed,) = [i for i in json.loads(fresh("images", "--json").out) if i["name"] == "multi:1"]
    assert listed["digest"] == digest
    fresh("save", "--format", "oci", "-o", out / "o.tar", "multi:1")
    with tarfile.open(out / "o.tar") as tar:
        assert {f"blobs/{m['digest'].replace(':', '/')}" for m in manifests} <= set(tar.getnames())
    fresh("save", "-o", out / "d.tar", "multi:1")
    assert [layer.diff_id for layer in image_read.read_docker_archive(out / "d.tar").layers] == DIFF_IDS
    assert "several platforms" in fresh("save", "--format", "oci", "--compression", "zstd", "-o", out / "x", "multi:1", check=3).err
    os.unlink(layout / "blobs" / manifests[1]["digest"].replace(":", "/"))
    other = type(fresh)(fresh.folder / "other")
    assert f"only linux/{image_make.ARCHITECTURE}" in other("load", "-i", layout).err
    assert names_in(other) == ["multi:1"]
