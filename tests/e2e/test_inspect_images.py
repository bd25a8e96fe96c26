# SPDX-License-Identifier: MIT
"""inspect reads every form of image whole: exact dead bytes, every byte verified, all that lies beside the image."""

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import subprocess
import tarfile

import pytest

import image_make
from conftest import need_program

BASE = {"base": b"b" * 5000}
KILO = 1000


def layer(*entries):
    """A layer from (name, value) pairs, so that a name can stand twice; '=name' is a hard link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, value in entries:
            if value is None:
                image_make.add_dir(tar, name)
            elif isinstance(value, str) and value[0] in "@=":
                image_make.add_link(tar, name, value[1:], hard=value[0] == "=")
            else:
                image_make.add_file(tar, name, value)
    return out.getvalue()


def a(n=KILO):
    return b"1" * n


def b(n=KILO):
    return b"2" * n


DEAD = {
    "file removed in next layer": ([[("x", a())], [(".wh.x", b"")]], 1000, "deleted"),
    "file overwritten once": ([[("x", a())], [("x", b())]], 1000, "overwritten"),
    "three copies of one path": ([[("x", a())], [("x", b())], [("x", b"3" * KILO)]], 2000, "overwritten"),
    "removed folder": ([[("d", None), ("d/a", a()), ("d/b", b())], [(".wh.d", b"")]], 2000, "deleted with its folder"),
    "opaque folder": (
        [[("d", None), ("d/a", a()), ("d/b", b())], [("d", None), ("d/.wh..wh..opq", b""), ("d/c", a())]],
        2000,
        "hidden by an opaque folder",
    ),
    "folder replaced by a link": (
        [[("d", None), ("d/a", a())], [("d", "@base")]],
        1000,
        "hidden by what replaced its folder",
    ),
    "whiteout of a missing path, then an overwrite": (
        [[("x", a())], [("no/.wh.such", b""), ("x", b())]],
        1000,
        "overwritten",
    ),
    "removed, then added smaller": ([[("x", a())], [(".wh.x", b"")], [("x", b"3" * 10)]], 1000, "deleted"),
    "same path twice in one layer": ([[("x", a()), ("x", b())]], 1000, "written twice in one layer"),
    "only the metadata changed": ([[("x", a())], [("x", a())]], 1000, "overwritten with the same content"),
    "one of two hard links removed": ([[("x", a()), ("y", "=x")], [(".wh.x", b"")]], 0, None),
    "both hard links removed": ([[("x", a()), ("y", "=x")], [(".wh.x", b"")], [(".wh.y", b"")]], 1000, "deleted"),
}


def inspect(sb, image, *args, **more):
    return json.loads(sb("inspect", "--json", image, *args, **more).out)


@pytest.mark.parametrize("name", DEAD)
def test_dead_bytes_are_exact(sb, name):
    layers, dead, cause = DEAD[name]
    tars = [image_make.make_tar(BASE), *(layer(*entries) for entries in layers)]
    report = inspect(sb, image_make.make_oci_layout(sb.context(), tars))
    assert report["dead_bytes"] == dead == sum(file["size"] for file in report["dead"])
    assert {file["cause"] for file in report["dead"]} == ({cause} if cause else set())
    payload = sum(one["payload"] for one in report["layers"])
    assert payload - report["image"]["visible"] == dead
    assert [one["cause"] for one in report["dead_causes"]] == ([cause] if cause else [])
    for file in report["dead"]:
        assert file["removed_layer"] >= file["added_layer"] >= 1
        assert file["digest"].startswith("sha256:")


def blobs_of(archive):
    """The blobs of an archive: name -> (offset, size)."""
    with tarfile.open(archive) as tar:
        return {m.name: (m.offset_data, m.size) for m in tar.getmembers() if m.isfile() and "blobs/sha256/" in m.name}


def two_platforms(folder, secret=b"", attestation=b"{}"):
    """A layout with an index: this machine's platform, riscv64 (whose second layer holds the secret), an attestation."""
    ours = image_make.make_oci_layout(folder, [image_make.make_tar({"app": b"ours"})], tag=None)
    entry = json.load(open(ours / "index.json", encoding="utf-8"))["manifests"][0]
    tars = [image_make.make_tar({"app": b"theirs"}), image_make.make_tar({"etc/token": b"t=" + secret})]
    config = image_make.default_config(tars)
    config["architecture"] = "riscv64"
    image_make.make_oci_layout(folder, tars, tag=None, config=config)
    theirs = json.load(open(folder / "index.json", encoding="utf-8"))["manifests"][0]

    def store(data, media_type):
        name = image_make.digest(data)
        (folder / "blobs" / name.replace(":", "/")).write_bytes(data)
        return {"mediaType": media_type, "digest": name, "size": len(data)}

    oci = "application/vnd.oci.image."
    statement = store(attestation, "application/vnd.in-toto+json")
    proof = {
        "schemaVersion": 2,
        "mediaType": oci + "manifest.v1+json",
        "config": store(b"{}", oci + "config.v1+json"),
        "layers": [statement],
    }
    entry["platform"] = {"os": "linux", "architecture": image_make.ARCHITECTURE}
    theirs["platform"] = {"os": "linux", "architecture": "riscv64"}
    attest = store(json.dumps(proof).encode(), oci + "manifest.v1+json")
    attest["platform"] = {"os": "unknown", "architecture": "unknown"}
    attest["annotations"] = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": entry["digest"],
    }
    index = {"schemaVersion": 2, "mediaType": oci + "index.v1+json", "manifests": [entry, theirs, attest]}
    top = store(json.dumps(index).encode(), oci + "index.v1+json")
    top["annotations"] = {"org.opencontainers.image.ref.name": "multi"}
    with open(folder / "index.json", "w", encoding="utf-8") as file:
        json.dump({"schemaVersion": 2, "manifests": [top]}, file)
    return folder


FLIPS_EACH = 24


@pytest.mark.parametrize("form", ["oci", "oci uncompressed", "docker", "two platforms"])
def test_a_flipped_byte_of_any_blob_is_reported(sb, form):
    """Every byte of blobs up to 300 bytes, and first, last and evenly spread ones of the others."""
    tars = [image_make.make_tar({"etc/x": b"some content"}), image_make.make_tar({".wh.y": b"", "z": b"7"})]
    archive = sb.folder / f"flip-{form.replace(' ', '-')}.tar"
    if form == "docker":
        image_make.make_docker_archive_new(archive, tars)
    elif form == "two platforms":
        image_make.tar_folder(two_platforms(sb.context()), archive)
    else:
        image_make.tar_folder(image_make.make_oci_layout(sb.context(), tars, compress=form == "oci"), archive)
    good = archive.read_bytes()
    sb("inspect", archive)
    blobs = blobs_of(archive)
    assert len(blobs) >= 4
    for name, (offset, size) in blobs.items():
        step = 1 if size <= 300 and form == "oci" else max(1, size // FLIPS_EACH)
        for at in sorted({*range(0, size, step), size - 1}):
            bad = bytearray(good)
            bad[offset + at] ^= 0x01 << (at % 8)
            archive.write_bytes(bad)
            result = sb("inspect", archive, check=None)
            assert result.status == 3, f"byte {at} of {name}: {result!r}"
            assert "sha256:" in result.text or "digest" in result.text, repr(result)


def test_a_blob_that_is_cut_or_missing_is_reported(sb):
    folder = image_make.make_oci_layout(sb.context(), [image_make.make_tar({"x": os.urandom(3000)})])
    blob = max((folder / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    data = blob.read_bytes()
    for damaged in (data[:-1], data + b"\0", b""):
        blob.write_bytes(damaged)
        assert "BROKEN" in sb("inspect", folder, check=3).out
    blob.unlink()
    assert "missing" in sb("inspect", folder, check=3).out


def test_layers_in_another_order_than_the_config_says_are_broken(sb):
    tars = [image_make.make_tar({"x": b"1"}), image_make.make_tar({"x": b"2"})]
    config = image_make.default_config(list(reversed(tars)))
    folder = image_make.make_oci_layout(sb.context(), tars, config=config)
    report = inspect(sb, folder, check=3)
    assert {problem["kind"] for problem in report["problems"]} == {"order"}


def test_a_manifest_in_another_order_than_manifest_json_is_broken(sb):
    """What Docker 25.0.0 wrote."""
    tars = [image_make.make_tar({"x": b"1"}), image_make.make_tar({"x": b"2"})]
    good = image_make.make_docker_archive_new(sb.folder / "order.tar", tars)
    with tarfile.open(good) as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}
    index = json.loads(files["index.json"])
    old = "blobs/" + index["manifests"][0]["digest"].replace(":", "/")
    manifest = json.loads(files.pop(old))
    manifest["layers"].reverse()
    data = json.dumps(manifest).encode()
    index["manifests"][0].update(digest=image_make.digest(data), size=len(data))
    files["blobs/" + image_make.digest(data).replace(":", "/")] = data
    files["index.json"] = json.dumps(index).encode()
    bad = sb.file("order-bad.tar", image_make.make_tar(files))
    assert "order" in {problem["kind"] for problem in inspect(sb, bad, check=3)["problems"]}


def test_the_media_type_is_held_against_the_content(sb):
    folder = image_make.make_oci_layout(sb.context(), [image_make.make_tar({"x": b"1"})], compress=False)
    manifest = next(p for p in (folder / "blobs/sha256").iterdir() if b'"layers"' in p.read_bytes()[:4000])
    data = manifest.read_bytes().replace(b"layer.v1.tar", b"layer.v1.tar+zstd")
    index = json.loads((folder / "index.json").read_text())
    index["manifests"][0].update(digest=image_make.digest(data), size=len(data))
    (folder / "blobs" / image_make.digest(data).replace(":", "/")).write_bytes(data)
    (folder / "index.json").write_text(json.dumps(index))
    assert "packing" in {problem["kind"] for problem in inspect(sb, folder, check=3)["problems"]}


def pattern_token():
    return "ghp_" + hashlib.sha256(b"a token that nobody issued").hexdigest().translate(str.maketrans("0123", "XyZw"))[:36]


KNOWN = "a-known-secret-beside-the-image"


def put_inline(folder):
    """The secret as `data` in a descriptor of index.json."""
    index = json.loads((folder / "index.json").read_text())
    data = KNOWN.encode()
    index["manifests"][0]["data"] = base64.b64encode(data).decode()
    (folder / "index.json").write_text(json.dumps(index))


def put_stray(folder):
    data = gzip.compress(image_make.make_tar({"a/b": b"x=" + KNOWN.encode()}), mtime=0)
    (folder / "blobs" / image_make.digest(data).replace(":", "/")).write_bytes(data)


def put_annotation(folder):
    index = json.loads((folder / "index.json").read_text())
    index["manifests"][0].setdefault("annotations", {})["note"] = KNOWN
    (folder / "index.json").write_text(json.dumps(index))


def put_file(folder):
    (folder / "notes.txt").write_text(KNOWN)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
@pytest.mark.parametrize(
    "put, where",
    [
        (put_inline, "data in its descriptor"),
        (put_stray, "stray blob"),
        (put_annotation, "index"),
        (put_file, "notes.txt"),
    ],
)
def test_a_secret_beside_the_image_is_found(sb, put, where, packed):
    image = image_make.make_oci_layout(sb.context(), [image_make.make_tar({"x": b"1"})])
    put(image)
    if packed:
        image = image_make.tar_folder(image, sb.folder / "beside.tar")
    result = sb("inspect", image, "--secret", f"id=k,src={sb.file('k', KNOWN)}", check=1)
    assert where in result.out and KNOWN not in result.text


def test_a_secret_in_the_archives_own_padding_is_found(sb):
    folder = image_make.make_oci_layout(sb.context(), [image_make.make_tar({"x": b"1"})])
    archive = image_make.tar_folder(folder, sb.folder / "padding.tar")
    data = bytearray(archive.read_bytes())
    data[-2000 : -2000 + len(KNOWN)] = KNOWN.encode()
    archive.write_bytes(data)
    result = sb("inspect", archive, "--secret", f"id=k,src={sb.file('k', KNOWN)}", check=1)
    assert "outside of its files" in result.out and KNOWN not in result.text


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_other_platforms_and_attestations_are_searched(sb, packed):
    secret = sb.file("k", KNOWN)
    for in_attestation in (False, True):
        statement = json.dumps({"note": KNOWN}).encode() if in_attestation else b"{}"
        image = two_platforms(sb.context(), b"" if in_attestation else KNOWN.encode(), statement)
        if packed:
            image = image_make.tar_folder(image, sb.folder / f"multi-{in_attestation}.tar")
        report = inspect(sb, image, "--secret", f"id=k,src={secret}", check=1)
        assert report["image"]["platform"] == f"linux/{image_make.ARCHITECTURE}"
        (found,) = report["secrets"]["findings"]
        assert found["where"].startswith("attestation" if in_attestation else "linux/riscv64: layer 2")
    report = inspect(sb, image, "--platform", "linux/riscv64")
    assert report["image"]["platform"] == "linux/riscv64" and len(report["layers"]) == 2


def test_platforms_that_were_left_out_are_told_in_one_line(sb):
    folder = two_platforms(sb.context())
    theirs = next(p for p in (folder / "blobs/sha256").iterdir() if b"riscv64" not in p.read_bytes() and p.read_bytes().count(b"layer.v1") == 2)
    theirs.unlink()
    problems = inspect(sb, folder)["problems"]
    left_out = [one["text"] for one in problems if "referred to" in one["text"]]
    assert left_out == ["referred to, and not in the oci layout: linux/riscv64"]
    assert {one["kind"] for one in problems} == {"other"}
    assert "only for" in sb("inspect", folder, "--platform", "linux/s390x", check=3).err


def test_one_of_several_images_is_chosen_by_its_name(sb):
    folder = image_make.make_oci_layout(sb.context(), [image_make.make_tar({"x": b"1"})], tag="one")
    first = json.loads((folder / "index.json").read_text())["manifests"]
    image_make.make_oci_layout(folder, [image_make.make_tar({"y": b"2"})], tag="two")
    index = json.loads((folder / "index.json").read_text())
    index["manifests"] += first
    (folder / "index.json").write_text(json.dumps(index))
    result = sb("inspect", folder, check=2)
    assert "one" in result.err and "two" in result.err
    for name, path in (("one", "x"), ("two", "y")):
        assert inspect(sb, folder, "--name", name)["layers"][0]["files"][0]["path"] == path
        assert sb("inspect", "cat", folder, "1", path, "--name", name).out == ("1" if path == "x" else "2")
    assert "it has:" in sb("inspect", folder, "--name", "three", check=3).err


def test_a_blob_that_nothing_refers_to_is_told(sb):
    folder = image_make.make_oci_layout(sb.context(), [image_make.make_tar({"x": b"1"})])
    put_stray(folder)
    report = inspect(sb, folder)
    assert [p["kind"] for p in report["problems"]] == ["other"] and "nothing refers" in report["problems"][0]["text"]


def test_a_foreign_layer_is_not_called_clean(sb):
    folder = image_make.make_oci_layout(sb.context(), [image_make.make_tar({"x": b"1"})])
    manifest = next(p for p in (folder / "blobs/sha256").iterdir() if b'"layers"' in p.read_bytes()[:4000])
    content = json.loads(manifest.read_bytes())
    (folder / "blobs" / content["layers"][0]["digest"].replace(":", "/")).unlink()
    content["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    content["layers"][0]["urls"] = ["https://example.org/layer"]
    data = json.dumps(content).encode()
    index = json.loads((folder / "index.json").read_text())
    index["manifests"][0].update(digest=image_make.digest(data), size=len(data))
    (folder / "blobs" / image_make.digest(data).replace(":", "/")).write_bytes(data)
    manifest.unlink()
    (folder / "index.json").write_text(json.dumps(index))
    report = inspect(sb, folder)
    assert any("not verified" in gap["why"] for gap in report["not_scanned"])
    sb("inspect", "--strict", folder, check=3)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gz", "bz2", "xz"])
def test_archives_come_through_a_pipe_and_packed_as_a_whole(sb, pack):
    folder = image_make.make_oci_layout(sb.context(), [image_make.make_tar({"x": b"12345"})])
    data = pack(image_make.tar_folder(folder, sb.folder / "whole.tar").read_bytes())
    report = json.loads(sb("inspect", "--json", "-", stdin=data).out)
    assert report["layers"][0]["files"][0]["path"] == "x"


def test_layer_order_and_every_report_are_the_same_each_time(sb):
    folder = two_platforms(sb.context(), b"token " + pattern_token().encode())
    for form in ("page", "json", "sarif", "html"):
        assert len({sb("inspect", "--format", form, folder).out for _ in range(4)}) == 1


def test_history_that_does_not_fit_is_not_shifted(sb):
    tars = [image_make.make_tar({"x": b"1"}), image_make.make_tar({"y": b"2"})]
    config = image_make.default_config(tars)
    config["history"].pop()
    report = inspect(sb, image_make.make_oci_layout(sb.context(), tars, config=config))
    assert [one["created_by"] for one in report["layers"]] == [None, None]


def test_busybox_has_no_secret_and_hardly_a_pattern(sb):
    secret = sb.file("k", "quite-another-secret-value")
    report = inspect(sb, image_make.make_oci_layout(sb.context(), [image_make.busybox_rootfs()]), "--secret", f"id=k,src={secret}")
    assert report["secrets"]["findings"] == [] and len(report["patterns"]) <= 5
    assert "bin/sh" in report["shells"]


@pytest.mark.slow
def test_a_clean_debian_has_no_secret_and_hardly_a_pattern(sb, debian_tar):
    image = image_make.make_oci_layout(sb.context(), [debian_tar.read_bytes()])
    secret = sb.file("k", "quite-another-secret-value")
    report = inspect(sb, image, "--secret", f"id=k,src={secret}", timeout=600)
    assert report["secrets"]["findings"] == []
    assert len(report["patterns"]) <= 5, report["patterns"]
    assert report["problems"] == [] and report["image"]["runs_as_root"]
    assert "usr/bin/apt" in report["package_managers"] and any(f["path"] == "usr/bin/su" or f["path"] == "bin/su" for f in report["privileged"])


def test_cat_prints_a_file_of_a_layer_also_a_deleted_one(sb):
    tars = [
        layer(("etc", None), ("etc/secret.txt", b"super-secure\n"), ("bin/x", b"\x7fELF\x00")),
        layer(("etc/.wh.secret.txt", b""), ("etc/again", "=etc/secret.txt"), ("etc/link", "@again")),
    ]
    folder = image_make.make_oci_layout(sb.context(), tars)
    diff_id = image_make.digest(tars[0])
    for which in ("1", diff_id, diff_id[7:15]):
        assert sb("inspect", "cat", folder, which, "etc/secret.txt").out == "super-secure\n"
    assert sb("inspect", "cat", folder, "1", "/etc/../etc/secret.txt").out == "super-secure\n"
    assert sb("inspect", "cat", folder, "1", "bin/x").out_bytes == b"\x7fELF\x00"
    assert sb("inspect", "cat", folder, "2", "etc/again").out == "super-secure\n", "a hard link into a lower layer"
    assert "deletes" in sb("inspect", "cat", folder, "2", "etc/secret.txt", check=3).err
    assert "again" in sb("inspect", "cat", folder, "2", "etc/link", check=3).err
    assert "etc/secret.txt" in sb("inspect", "cat", folder, "1", "etc/secret.tx", check=3).err
    for which in ("0", "3", "ff", "ffffffff"):
        assert "layer" in sb("inspect", "cat", folder, which, "etc/secret.txt", check=2).err
    with open(image_make.tar_folder(folder, sb.folder / "cat.tar"), "rb") as file:
        assert sb("inspect", "cat", "-", "1", "etc/secret.txt", stdin=file.read()).out == "super-secure\n"


def test_cat_does_not_print_control_characters_to_a_terminal(sb):
    need_program("script")
    folder = image_make.make_oci_layout(sb.context(), [layer(("bad", b"x\x1b[2J\n"), ("good", b"fine\n"))])

    def on_terminal(*words):
        command = " ".join([sb.program, "inspect", "cat", *words])
        return subprocess.run(
            ["script", "-qec", command, "/dev/null"], capture_output=True, env=sb.environment(), check=False, timeout=60
        )

    assert b"\x1b" not in on_terminal(str(folder), "1", "bad").stdout
    assert b"--force" in on_terminal(str(folder), "1", "bad").stdout
    assert b"\x1b[2J" in on_terminal("--force", str(folder), "1", "bad").stdout
    assert on_terminal(str(folder), "1", "good").stdout == b"fine\r\n"
