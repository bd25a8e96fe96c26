# SPDX-License-Identifier: MIT
"""build --verify: the record that the finished image was searched for the build's secrets."""

import base64
import hashlib
import json
import subprocess
import tarfile

import image_make
import pytest

from conftest import need_program

SECRET = "Zk4-quartz-Hummingbird-81"
BUILDFILE = """FROM busybox:1
RUN --mount=type=secret,id=token wc -c </run/secrets/token >/length
RUN echo data >/data
"""


@pytest.fixture
def secret(fresh):
    return f"id=token,src={fresh.file('token.txt', SECRET)}"


@pytest.fixture
def out(fresh):
    return fresh.context()


def read_blobs(path):
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}


def forms_of(text):
    raw = text.encode()
    return [raw, base64.b64encode(raw)[:-4], raw.hex().encode(), hashlib.sha256(raw).hexdigest().encode()]


def assert_is_free_of_values(text):
    for form in forms_of(SECRET):
        assert form not in text
    # Its length would be a help to who guesses.
    assert f'"{len(SECRET)}"'.encode() not in text


def test_record_says_what_was_searched(fresh, secret, out):
    result = fresh.build(BUILDFILE, "--verify", "--secret", secret, "-t", "app:1", "-o", f"type=oci,dest={out}/app.tar")
    text = (out / "app.tar.verification.json").read_bytes()
    record = json.loads(text)
    blobs = read_blobs(out / "app.tar")
    index = json.loads(blobs["index.json"])
    manifest = json.loads(blobs["blobs/sha256/" + index["manifests"][0]["digest"][7:]])
    assert record["schema"] == 1 and record["result"] == "clean"
    assert record["image"]["digest"] == index["manifests"][0]["digest"]
    assert record["image"]["config"] == manifest["config"]["digest"]
    assert record["secrets"] == [{"id": "token", "search": "every form"}]
    assert {"raw", "base64", "hex", "percent"} <= set(record["forms"])
    assert [layer["digest"] for layer in record["searched"]["layers"]] == [x["digest"] for x in manifest["layers"]]
    # Every byte that the layers unpack to, and the config.
    assert record["searched"]["bytes"] >= sum(layer["bytes"] for layer in record["searched"]["layers"]) > 1000000
    assert record["findings"] == [] and record["not_searched"] == [] and record["problems"] == []
    assert_is_free_of_values(text)
    assert "verified: 1 secret, not in the image's 3 layers" in result.err


def test_record_is_the_same_each_time(fresh, secret, out):
    args = ("--secret", secret, "--source-date-epoch", "1000000000")
    fresh.build(BUILDFILE, *args, "--verification-file", out / "a.json")
    fresh.build(BUILDFILE, *args, "--verification-file", out / "b.json")
    assert (out / "a.json").read_bytes() == (out / "b.json").read_bytes()


def test_secret_in_the_base_is_found_and_the_image_goes_nowhere(fresh, secret, out):
    rootfs = image_make.busybox_rootfs(extra={"opt/old.conf": f"key={base64.b64encode(SECRET.encode()).decode()}\n"})
    fresh("import", fresh.file("leaky.tar", rootfs), "leaky:1")
    fresh.build("FROM leaky:1\nRUN true\n", "--secret", secret, "-t", "plain:1")
    result = fresh.build(
        "FROM leaky:1\nRUN true\n", "--secret", secret, "-t", "proven:1", "--verify",
        "-o", f"type=oci,dest={out}/app.tar", check=1,
    )
    assert "the image holds secret 'token': layer 1: opt/old.conf (base64, at byte" in result.err
    assert "base image" in result.err
    assert not (out / "app.tar").exists()
    assert "proven" not in fresh("images").out
    record = json.loads((out / "app.tar.verification.json").read_bytes())
    assert record["result"] == "leak"
    assert [(f["id"], f["form"], f["path"]) for f in record["findings"]] == [("token", "base64", "opt/old.conf")]
    assert_is_free_of_values((out / "app.tar.verification.json").read_bytes() + result.text.encode())


def test_what_cannot_be_verified_is_said(fresh, out):
    short = f"id=pin,src={fresh.file('pin.txt', '12')}"
    result = fresh.build("FROM busybox:1\nRUN true\n", "--secret", short, "--verification-file", out / "r.json")
    record = json.loads((out / "r.json").read_bytes())
    assert record["result"] == "partial"
    assert record["secrets"] == [{"id": "pin", "search": "none"}]
    assert any("pin" in gap["what"] for gap in record["not_searched"])
    assert "not searched for secrets: secret 'pin'" in result.err


def test_no_record_without_being_asked(fresh, secret, out):
    fresh.build(BUILDFILE, "--secret", secret, "-o", f"type=oci,dest={out}/app.tar")
    assert [path.name for path in out.iterdir()] == ["app.tar"]


def test_metadata_file_has_the_record(fresh, secret, out):
    fresh.build(BUILDFILE, "--secret", secret, "--verify", "--metadata-file", out / "meta.json")
    meta = json.loads((out / "meta.json").read_bytes())
    assert meta["safebuild.verification"]["image"]["digest"] == meta["containerimage.digest"]


def test_attestation_goes_with_the_image(fresh, secret, out):
    fresh.build(BUILDFILE, "--secret", secret, "-t", "app:1", "-o", f"type=oci,dest={out}/app.tar,attest=true")
    blobs = read_blobs(out / "app.tar")

    def blob(digest):
        data = blobs["blobs/sha256/" + digest[7:]]
        assert hashlib.sha256(data).hexdigest() == digest[7:]
        return json.loads(data)

    top = json.loads(blobs["index.json"])["manifests"][0]
    index = blob(top["digest"])
    image, attested = index["manifests"]
    assert top["mediaType"] == index["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert image["platform"]["os"] == "linux"
    assert attested["platform"] == {"architecture": "unknown", "os": "unknown"}
    assert attested["annotations"] == {
        "vnd.docker.reference.digest": image["digest"],
        "vnd.docker.reference.type": "attestation-manifest",
    }
    layer = blob(attested["digest"])["layers"][0]
    assert layer["mediaType"] == "application/vnd.in-toto+json"
    statement = blob(layer["digest"])
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"][0]["digest"] == {"sha256": image["digest"][7:]}
    assert statement["predicateType"] == layer["annotations"]["in-toto.io/predicate-type"]
    assert statement["predicate"]["result"] == "clean"
    assert_is_free_of_values(b"".join(blobs.values()))


def test_other_tools_take_the_image_that_is_attested(fresh, secret, out):
    need_program("skopeo")
    fresh.build(BUILDFILE, "--secret", secret, "-t", "app:1", "-o", f"type=oci,dest={out}/app.tar,attest=true")
    command = ["skopeo", "--insecure-policy", "copy", f"oci-archive:{out}/app.tar", f"oci:{out}/copy:app"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    verdict = fresh("inspect", out / "app.tar", "--secret", secret, "--json")
    assert json.loads(verdict.out)["secrets"]["findings"] == []


@pytest.mark.parametrize("option", ["--iidfile", "--metadata-file", "--verification-file"])
def test_a_missing_folder_is_told_before_the_first_step(fresh, out, option):
    result = fresh.build("FROM busybox:1\nRUN echo ran\n", "-t", "app:1", option, out / "none/file", check=3)
    assert option in result.err and f"{out}/none" in result.err and "ran" not in result.err
    assert "app" not in fresh("images").out
