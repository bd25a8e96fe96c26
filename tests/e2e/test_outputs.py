# SPDX-License-Identifier: MIT
"""What --output writes, read back by hand and by other people's tools."""

import io
import json
import os
import subprocess
import tarfile

import pytest

import image_read
from conftest import need_program, remove_tree

BUILDFILE = """FROM busybox:1
RUN mkdir /d && echo data >/d/file && ln /d/file /d/hard && ln -s file /d/soft && chown 1000:1000 /d && rm /etc/group
LABEL l=v
CMD ["/bin/sh"]
"""


@pytest.fixture
def out(sb, tmp_path_factory):
    return sb.context()


def output_of(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def test_oci_archive_by_default_gzip(sb, out):
    sb.build(BUILDFILE, "-o", f"type=oci,dest={out}/i.tar", "-t", "named:7")
    image = image_read.read_oci_archive(out / "i.tar")
    assert image.layers[-1].media_type == "application/vnd.oci.image.layer.v1.tar+gzip"
    assert image.manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert any("named:7" in name or name == "7" for name in image.names)


@pytest.mark.parametrize(
    "compression, suffix", [("gzip", "+gzip"), ("zstd", "+zstd"), ("uncompressed", "")]
)
def test_compression(sb, out, compression, suffix):
    sb.build(BUILDFILE, "-o", f"type=oci,dest={out}/i.tar,compression={compression}")
    image = image_read.read_oci_archive(out / "i.tar")
    assert image.layers[-1].media_type == "application/vnd.oci.image.layer.v1.tar" + suffix
    assert image.read("d/file") == b"data\n"


def test_compression_does_not_change_the_layers(sb, out):
    ids = set()
    for compression in ("gzip", "zstd", "uncompressed", "gzip,compression-level=9"):
        sb.build(
            BUILDFILE, "--source-date-epoch", "1000000000", "-o", f"type=oci,dest={out}/i.tar,compression={compression}"
        )
        ids.add(tuple(layer.diff_id for layer in image_read.read_oci_archive(out / "i.tar").layers))
    assert len(ids) == 1


def test_oci_folder(sb, out):
    sb.build(BUILDFILE, "-o", f"type=oci,dest={out}/layout,tar=false")
    assert image_read.read_oci_layout(out / "layout").read("d/file") == b"data\n"


def test_skopeo_inspects_the_archive_and_the_folder(sb, out):
    need_program("skopeo")
    sb.build(BUILDFILE, "-t", "x:1", "-o", f"type=oci,dest={out}/i.tar", "-o", f"type=oci,dest={out}/l,tar=false")
    for name in (f"oci-archive:{out}/i.tar", f"oci:{out}/l"):
        seen = json.loads(output_of("skopeo", "inspect", name))
        assert seen["Labels"] == {"l": "v"} and len(seen["Layers"]) == 2


def test_umoci_unpacks_it(sb, out):
    need_program("umoci")
    sb.build(BUILDFILE, "-t", "x:1", "-o", f"type=oci,dest={out}/l,tar=false")
    (entry,) = json.load(open(out / "l/index.json", encoding="utf-8"))["manifests"]
    tag = entry["annotations"]["org.opencontainers.image.ref.name"]
    output_of("umoci", "unpack", "--rootless", "--image", f"{out}/l:{tag}", out / "bundle")
    rootfs = out / "bundle/rootfs"
    assert (rootfs / "d/file").read_text() == "data\n"
    assert os.stat(rootfs / "d/hard").st_ino == os.stat(rootfs / "d/file").st_ino
    assert not (rootfs / "etc/group").exists()
    remove_tree(out / "bundle")


def test_docker_archive(sb, out):
    sb.build(BUILDFILE, "-t", "name/of:it", "-o", f"type=docker,dest={out}/d.tar")
    image = image_read.read_docker_archive(out / "d.tar")
    assert image.names == ["name/of:it"]
    assert image.read("d/file") == b"data\n" and image.run["Cmd"] == ["/bin/sh"]


def test_skopeo_copies_the_docker_archive(sb, out):
    need_program("skopeo")
    sb.build(BUILDFILE, "-t", "x:1", "-o", f"type=docker,dest={out}/d.tar")
    output_of("skopeo", "--insecure-policy", "copy", f"docker-archive:{out}/d.tar", f"oci:{out}/copied:1")
    image = image_read.read_oci_layout(out / "copied")
    original = image_read.read_docker_archive(out / "d.tar")
    assert [layer.diff_id for layer in image.layers] == [layer.diff_id for layer in original.layers]


@pytest.mark.parametrize(
    "given, written",
    [
        ("busybox-like", "busybox-like:latest"),
        ("docker.io/library/busybox-like:1", "busybox-like:1"),
        ("docker.io/someone/app:2", "someone/app:2"),
        ("localhost/app:3", "localhost/app:3"),
        ("registry.example:5000/a/b:4", "registry.example:5000/a/b:4"),
    ],
)
def test_names_in_a_docker_archive_are_those_that_docker_save_writes(sb, out, given, written):
    need_program("skopeo")
    archive = out / "names.tar"
    sb.build("FROM busybox:1\nENV a=b\n", "-t", given, "-o", f"type=docker,dest={archive}")
    with tarfile.open(archive) as tar:
        assert json.load(tar.extractfile("manifest.json"))[0]["RepoTags"] == [written]
    found = json.loads(output_of("skopeo", "list-tags", f"docker-archive:{archive}"))
    assert found["Tags"] == [written]
    output_of("skopeo", "inspect", f"docker-archive:{archive}:{written}")


def test_the_same_image_layer_more_than_once_is_stored_once(sb, out):
    sb.build("FROM busybox:1\nRUN true\nRUN true\nRUN true\n", "-o", f"type=oci,dest={out}/i.tar")
    with tarfile.open(out / "i.tar") as archive:
        names = archive.getnames()
    assert len(names) == len(set(names))
    assert len(image_read.read_oci_archive(out / "i.tar").layers) == 4


def test_tar_is_the_final_file_system_with_owners(sb, out):
    sb.build(BUILDFILE, "-o", f"type=tar,dest={out}/fs.tar")
    with tarfile.open(out / "fs.tar") as archive:
        members = {member.name.removeprefix("./").rstrip("/"): member for member in archive}
        assert archive.extractfile(members["d/file"]).read() == b"data\n"
    assert members["d"].uid == 1000
    assert members["d/hard"].islnk() or members["d/file"].islnk()
    assert "etc/group" not in members and not [name for name in members if ".wh." in name]
    assert not [name for name in members if name.startswith(("proc/", "sys/", "dev/", "run/secrets"))]


def test_tar_to_stdout(sb):
    result = sb.build("FROM scratch\nCOPY f /f\n", "-o", "type=tar,dest=-", files={"f": "x"})
    with tarfile.open(fileobj=io.BytesIO(result.out_bytes)) as archive:
        assert [name.removeprefix("./") for name in archive.getnames() if name not in (".", "./")] == ["f"]


def test_oci_to_stdout(sb, out):
    result = sb.build(BUILDFILE, "-o", "type=oci,dest=-")
    (out / "piped.tar").write_bytes(result.out_bytes)
    assert image_read.read_oci_archive(out / "piped.tar").read("d/file") == b"data\n"


def test_local_writes_files_that_belong_to_the_caller(sb, out):
    sb.build(BUILDFILE, "-o", f"type=local,dest={out}/tree")
    file = out / "tree/d/file"
    assert file.read_text() == "data\n"
    assert os.stat(out / "tree/d").st_uid == os.geteuid() and os.stat(file).st_uid == os.geteuid()
    assert os.readlink(out / "tree/d/soft") == "file"
    assert not (out / "tree/etc/group").exists()


def test_a_bare_path_is_local_and_a_dash_a_tar(sb, out):
    text = "FROM scratch\nCOPY f /f\n"
    sb.build(text, "-o", out / "bare", files={"f": "x"})
    assert (out / "bare/f").read_text() == "x"
    result = sb.build(text, "-o", "-", files={"f": "x"})
    with tarfile.open(fileobj=io.BytesIO(result.out_bytes)) as archive:
        assert "f" in [name.removeprefix("./") for name in archive.getnames()]


def test_the_store_is_a_layout_that_other_tools_read(fresh):
    need_program("skopeo")
    fresh.build(BUILDFILE, "-t", "stored:1")
    assert "stored" in fresh("images").out
    image = image_read.read_oci_layout(fresh.store, tag="stored:1") if has_tag(fresh, "stored:1") else None
    if image is None:
        image = image_read.read_oci_layout(fresh.store, tag="docker.io/library/stored:1")
    assert image.read("d/file") == b"data\n"


def has_tag(sb, tag):
    index = json.load(open(sb.store / "index.json", encoding="utf-8"))
    return any(tag in entry.get("annotations", {}).values() for entry in index["manifests"])


def test_several_outputs_and_tags_at_once(fresh, tmp_path_factory):
    out = fresh.context()
    fresh.build(BUILDFILE, "-t", "a:1", "-t", "b:2", "-o", f"type=oci,dest={out}/i.tar", "-o", f"type=docker,dest={out}/d.tar", "-o", "type=store")
    listed = fresh("images").out
    assert "a" in listed and "b" in listed
    names = image_read.read_docker_archive(out / "d.tar").names
    assert {name.rpartition("/")[2] for name in names} >= {"a:1"}


def test_iidfile_and_metadata_file(sb, out):
    sb.build(BUILDFILE, "-o", f"type=oci,dest={out}/i.tar", "--iidfile", out / "iid", "--metadata-file", out / "meta.json")
    image = image_read.read_oci_archive(out / "i.tar")
    known = {image.manifest_digest, image.manifest["config"]["digest"]}
    assert (out / "iid").read_text() in known
    meta = json.loads((out / "meta.json").read_text())
    assert meta["containerimage.digest"] == image.manifest_digest
    assert meta["containerimage.config.digest"] == image.manifest["config"]["digest"]


def test_a_failed_build_leaves_no_output(sb, out):
    sb.build("FROM busybox:1\nRUN false\n", "-o", f"type=oci,dest={out}/i.tar", "--iidfile", out / "iid", check=1)
    assert os.listdir(out) == []


def test_a_destination_that_can_not_be_written_is_named(sb):
    result = sb.build("FROM scratch\nLABEL a=b\n", "-o", "type=oci,dest=/no/such/folder/i.tar", check=None)
    assert result.status in (1, 3) and "/no/such/folder" in result.err


MEDIA = "application/vnd.oci.image.layer.v1.tar"


def test_layers_of_the_base_are_compressed_anew_where_that_is_asked_for(sb, out):
    """busybox:1 was imported uncompressed."""
    spec = f"type=oci,dest={out}/i.tar,compression=zstd"
    sb.build(BUILDFILE, "-o", spec)
    assert [layer.media_type for layer in image_read.read_oci_archive(out / "i.tar").layers] == [MEDIA, MEDIA + "+zstd"]
    before = image_read.read_oci_archive(out / "i.tar")
    sb.build(BUILDFILE, "--source-date-epoch", "7", "-o", spec + ",force-compression=true", "-o", f"type=docker,dest={out}/d.tar")
    image = image_read.read_oci_archive(out / "i.tar")
    assert [layer.media_type for layer in image.layers] == [MEDIA + "+zstd"] * 2
    assert image.layers[0].diff_id == before.layers[0].diff_id and image.read("d/file") == b"data\n"
    need_program("skopeo")
    output_of("skopeo", "--insecure-policy", "copy", f"oci-archive:{out}/i.tar", f"oci:{out}/copied:1")
    assert image_read.read_oci_layout(out / "copied").read("d/file") == b"data\n"


@pytest.mark.parametrize("form, suffix", [("gzip", "+gzip"), ("zstd", "+zstd"), ("uncompressed", "")])
def test_save_compresses_anew(sb, out, form, suffix):
    sb.build(BUILDFILE, "-t", "mixed:1", "-o", "type=store,compression=zstd")
    sb("save", "--format", "oci", "--compression", form, "-o", out / "s.tar", "mixed:1")
    image = image_read.read_oci_archive(out / "s.tar")
    assert [layer.media_type for layer in image.layers] == [MEDIA + suffix] * 2
    assert image.read("d/file") == b"data\n"
    sb("save", "--compression", "lzw", "-o", out / "x", "mixed:1", check=2)


SQUASHED = """FROM busybox:1
RUN mkdir -p /d/deep && echo one >/d/one && echo gone >/d/gone && ln /d/one /d/link && rm -r /home
RUN rm /d/gone && echo two >/d/two && chmod 700 /d/deep && rm -r /usr && mkdir /usr && echo x >/usr/new
RUN touch /d/deep/f && ln /etc/passwd /d/passwd && rm /etc/group && ln -s /none /etc/group
ENV A=b
"""


def test_squash(sb, out):
    whole = sb.image(SQUASHED)
    image = sb.image(SQUASHED, "--squash", "-t", "squashed:1", "-o", "type=store")
    base, own = image.layers
    assert base.diff_id == whole.layers[0].diff_id and len(whole.layers) == 4
    assert "d/gone" not in own and not [name for name in own.members if name.startswith("d/.wh.")]

    def facts(of):
        return {name: (m.mode, m.uid, m.gid, m.issym() and m.linkname, m.isdir()) for name, (m, _) in of.files().items()}

    assert facts(image) == facts(whole) and image.run == whole.run
    for name in ("d/one", "d/two", "d/link", "d/passwd", "usr/new"):
        assert image.read(name) == whole.read(name)
    for name in ("d", "d/deep", "usr", "etc", "tmp"):
        assert image.member(name).mode == whole.member(name).mode
    layers = [entry for entry in image.config["history"] if not entry.get("empty_layer")]
    assert len(layers) == 2 and layers[-1]["created_by"] == "safebuild build --squash"
    assert sb("run", "-q", "squashed:1", "sh", "-c", "cat /d/one /d/two; ls /usr; ls -l /etc/group").out.startswith("one\ntwo\nnew\n")


def test_squash_of_one_layer_of_none_and_of_an_image_from_nothing(sb, out):
    assert len(sb.image("FROM busybox:1\nRUN echo x >/x\n", "--squash").layers) == 2
    assert len(sb.image("FROM busybox:1\nENV A=b\n", "--squash").layers) == 1
    text = "FROM busybox:1 AS b\nRUN mkdir /t && echo x >/t/x\nFROM scratch\nCOPY --from=b /t /a\nCOPY --from=b /t /b\n"
    image = sb.image(text, "--squash")
    assert len(image.layers) == 1 and image.read("a/x") == image.read("b/x") == b"x\n"
    derived = sb.image("FROM busybox:1 AS b\nRUN echo 1 >/1\nRUN echo 2 >/2\nFROM b\nRUN rm /1\n", "--squash")
    assert len(derived.layers) == 2 and "1" not in derived.layers[1]


def test_what_was_squashed_away_can_not_be_read(sb, out):
    """What COPY then RUN rm leaves readable is in no layer."""
    text = "FROM busybox:1\nCOPY f /f\nRUN rm /f\n"
    sb.build(text, "--squash", "-o", f"type=oci,dest={out}/i.tar,compression=uncompressed", files={"f": "once-was-here"})
    assert b"once-was-here" not in (out / "i.tar").read_bytes()
