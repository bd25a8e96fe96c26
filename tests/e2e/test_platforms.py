# SPDX-License-Identifier: MIT
"""Images for several platforms at once: one index; judged by tarfile, hashlib, skopeo and a registry."""

import gzip
import hashlib
import io
import json
import os
import struct
import subprocess
import tarfile
import urllib.request

import pytest

import image_make
from conftest import cannot_run, need_program
from registry_server import RegistryServer, find_program

HOST = f"linux/{image_make.ARCHITECTURE}"
OTHER = "linux/s390x"
BOTH = f"{HOST},{OTHER}"
INDEX = "application/vnd.oci.image.index.v1+json"
# Nothing of another platform runs: a stage of this one makes the files.
BUILDFILE = """\
FROM --platform=$BUILDPLATFORM busybox:1 AS builder
RUN echo made once >/out
FROM scratch
ARG TARGETPLATFORM TARGETARCH
COPY --from=builder /out /out
COPY files/$TARGETARCH /arch
LABEL platform=$TARGETPLATFORM
"""
FILES = {f"files/{name}": name for name in (image_make.ARCHITECTURE, "s390x", "arm")}


def elf(machine, big_endian=False):
    """The header of a 64-bit program: as much as a kernel looks at before it refuses."""
    order = ">" if big_endian else "<"
    ident = b"\x7fELF\x02" + (b"\x02" if big_endian else b"\x01") + b"\x01" + bytes(9)
    return ident + struct.pack(order + "HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0)


class Index:
    """An OCI archive with one image, read without the product."""

    def __init__(self, path, name=None):
        with tarfile.open(path) as archive:
            self.files = {m.name: archive.extractfile(m).read() for m in archive if m.isreg()}
        entries = json.loads(self.files["index.json"])["manifests"]
        self.top = next(e for e in entries if name is None or name in e["annotations"].values())
        self.document = self.json(self.top)
        self.entries = self.document.get("manifests", [])

    def blob(self, descriptor):
        data = self.files["blobs/" + descriptor["digest"].replace(":", "/")]
        assert digest_of(data) == descriptor["digest"] and len(data) == descriptor["size"]
        return data

    def json(self, descriptor):
        return json.loads(self.blob(descriptor))

    def config(self, entry):
        return self.json(self.json(entry)["config"])

    def read(self, entry, name):
        """A file of the image, from its topmost layer that has it."""
        for layer in reversed(self.json(entry)["layers"]):
            with tarfile.open(fileobj=io.BytesIO(gzip.decompress(self.blob(layer)))) as tar:
                if name in tar.getnames():
                    return tar.extractfile(name).read().decode()
        return None


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def platforms_of(entries):
    keys = ("os", "architecture", "variant")
    return ["/".join(e["platform"][key] for key in keys if key in e["platform"]) for e in entries]


@pytest.fixture
def out(fresh):
    folder = fresh.folder / "out"
    folder.mkdir()
    return folder


def build(sb, *args, platform=BOTH, text=BUILDFILE, files=FILES, **more):
    return sb.build(text, "--platform", platform, *args, files=files, **more)


def skopeo(*args):
    need_program("skopeo")
    done = subprocess.run(["skopeo", *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_index_in_an_archive(fresh, out):
    build(fresh, "-t", "app:1", "-o", f"type=oci,dest={out}/app.tar",
          "--metadata-file", out / "meta", "--iidfile", out / "iid")
    index = Index(out / "app.tar", "docker.io/library/app:1")
    assert index.top["mediaType"] == index.document["mediaType"] == INDEX
    assert platforms_of(index.entries) == [HOST, OTHER]
    for entry in index.entries:
        architecture = entry["platform"]["architecture"]
        config = index.config(entry)
        assert (config["os"], config["architecture"]) == ("linux", architecture)
        assert config["config"]["Labels"]["platform"] == f"linux/{architecture}"
        assert index.read(entry, "arch") == architecture and index.read(entry, "out") == "made once\n"
    meta = json.loads((out / "meta").read_text())
    assert meta["containerimage.digest"] == index.top["digest"] == (out / "iid").read_text()
    assert meta["containerimage.descriptor"]["mediaType"] == INDEX
    assert "containerimage.config.digest" not in meta and meta["image.name"] == "docker.io/library/app:1"


def test_what_skopeo_makes_of_it(fresh, out):
    build(fresh, "-t", "app:1", "-o", f"type=oci,dest={out}/app.tar")
    copied = out / "copied"
    skopeo("copy", "--all", f"oci-archive:{out}/app.tar:docker.io/library/app:1", f"oci:{copied}:1")
    top = json.loads((copied / "index.json").read_text())["manifests"][0]
    assert top["digest"] == Index(out / "app.tar").top["digest"]
    config = json.loads(skopeo("--override-arch", "s390x", "inspect", "--config", f"oci:{copied}:1"))
    assert config["architecture"] == "s390x"


def test_the_stage_of_the_building_platform_runs_once(fresh):
    result = build(fresh, "-o", "type=store", "--jobs", "1")
    lines = result.err.splitlines()
    titles = [line.partition("]")[0] for line in lines if line.startswith("#") and "[linux" in line]
    assert titles[0] == f"#1 [{HOST} builder 1/14" and titles[7] == f"#8 [{HOST}->s390x builder 8/14"
    assert titles[2] == f"#3 [{HOST} stage-1 3/14" and titles[-1] == "#14 [linux/s390x stage-1 14/14"
    assert "#9 CACHED" in lines and "#2 CACHED" not in lines
    events = build(fresh, "--jobs", "1", "--progress=json", "-o", "type=store", context=result.context).events
    starts = [e for e in events if e["event"] == "step-start"]
    assert [e["step"] for e in starts] == list(range(1, 15)) and {e["total"] for e in starts} == {14}
    assert [e["platform"] for e in starts] == [HOST] * 7 + [f"{HOST}->s390x"] * 2 + [OTHER] * 5
    kinds = [e["event"] for e in events]
    assert kinds.count("build-start") == 2 and kinds.count("build-end") == 1


def test_the_plan_names_them(fresh):
    context = build(fresh).context
    (context / "files/s390x").write_text("another")
    plan = json.loads(fresh("build", "--plan", "--progress=json", "--platform", BOTH, context).out)
    assert [s["platform"] for s in plan["stages"]] == [HOST, HOST, f"{HOST}->s390x", OTHER]
    states = [[step["state"] for step in stage["steps"]] for stage in plan["stages"]]
    assert states[0] == states[2] == ["ready", "cached"]
    assert states[1].count("run") == 0 and states[3].count("run") == 1 and states[3].count("cached") == 1
    assert plan["stages"][3]["needs"] == [2]


def test_the_store_has_the_index(fresh, out):
    build(fresh, "-t", "app:1", "-t", "app:2")
    listed = {i["name"]: i for i in json.loads(fresh("images", "--json").out)}
    assert listed["app:1"]["digest"] == listed["app:2"]["digest"] and listed["app:1"]["platform"] == BOTH
    fresh("tag", "app:1", "other:1")
    fresh("rm", "app:1")
    fresh("save", "--format", "oci", "-o", out / "app.tar", "other:1")
    assert Index(out / "app.tar").top["digest"] == listed["app:2"]["digest"]
    second = type(fresh)(fresh.folder / "second")
    second("load", "-i", out / "app.tar")
    (loaded,) = json.loads(second("images", "--json").out)
    assert all(loaded[key] == listed["app:2"][key] for key in ("digest", "platform", "size"))
    page = second("inspect", "--json", "--platform", OTHER, "other:1").out
    assert json.loads(page)["image"]["platform"] == OTHER
    # As a base, each platform takes its own.
    build(second, "-o", f"type=oci,dest={out}/child.tar", text="FROM other:1\nENV more=1\n")
    child = Index(out / "child.tar")
    assert [child.read(entry, "arch") for entry in child.entries] == [image_make.ARCHITECTURE, "s390x"]


def test_a_folder_for_each(fresh, out):
    build(fresh, "-o", out / "files", platform=f"{BOTH},linux/arm/v7")
    assert sorted(os.listdir(out / "files")) == sorted([HOST.replace("/", "_"), "linux_arm_v7", "linux_s390x"])
    assert (out / "files/linux_s390x/arch").read_text() == "s390x"
    assert (out / "files/linux_arm_v7/arch").read_text() == "arm"
    build(fresh, "-o", out / "one", platform=OTHER)
    assert (out / "one/arch").read_text() == "s390x"


@pytest.mark.parametrize("kind", ["docker", "tar"])
def test_outputs_of_one_platform_are_refused_before_a_step_runs(fresh, out, kind):
    result = build(fresh, "-o", f"type={kind},dest={out}/x", check=2)
    assert f"type={kind} holds one platform" in result.err and "hint: type=oci" in result.err
    assert "#1" not in result.err
    assert os.listdir(out) == []
    build(fresh, "-o", f"type={kind},dest={out}/x", platform=OTHER)


def test_one_named_twice_is_one(fresh, out):
    build(fresh, "-o", f"type=oci,dest={out}/a.tar", platform=f"{HOST},{image_make.ARCHITECTURE}")
    assert Index(out / "a.tar").top["mediaType"].endswith(".manifest.v1+json")
    context = build(fresh, "-o", f"type=oci,dest={out}/b.tar", "--platform", OTHER, platform=HOST).context
    assert platforms_of(Index(out / "b.tar").entries) == [HOST, OTHER]
    assert "a platform is missing" in fresh("--platform", f"{HOST},", context, check=2).err
    assert "is not a platform" in fresh("--platform", f"{HOST},no/such/thing/x", context, check=2).err


def test_nothing_is_written_where_one_fails(fresh, out):
    text = "FROM --platform=$BUILDPLATFORM busybox:1\nARG TARGETARCH\nRUN [ $TARGETARCH != s390x ]\n"
    outputs = ("-o", f"type=oci,dest={out}/app.tar", "-o", "type=store", "--iidfile", out / "iid")
    result = build(fresh, "-t", "app:1", *outputs, text=text, check=1)
    assert "Buildfile:3:1: error: linux/s390x: process" in result.err and f"[{HOST}->s390x stage-0 6/6] RUN" in result.err
    assert os.listdir(out) == [] and "app:1" not in fresh("images").out


def test_the_same_bytes_each_time(fresh, out):
    env = {"SOURCE_DATE_EPOCH": "1700000000"}
    second = type(fresh)(fresh.folder / "second")
    text = BUILDFILE.replace("--platform=$BUILDPLATFORM busybox:1", "scratch").replace("RUN echo made once >", "COPY files/arm ")
    first = build(fresh, "-o", f"type=oci,dest={out}/1.tar", text=text, env=env)
    build(second, "-o", f"type=oci,dest={out}/2.tar", text=text, env=env, context=first.context)
    assert (out / "1.tar").read_bytes() == (out / "2.tar").read_bytes()


def test_each_is_verified_and_attested(fresh, out):
    secret = fresh.file("token", "correct-horse-battery-staple")
    build(fresh, "--secret", f"id=t,src={secret}", "--verify", "--metadata-file", out / "meta", "-t", "app:1",
          "-o", f"type=oci,dest={out}/app.tar,attest=true", "-o", f"type=oci,dest={out}/bare.tar")
    index = Index(out / "app.tar")
    images, attested = index.entries[:2], index.entries[2:]
    assert platforms_of(images) == [HOST, OTHER] and platforms_of(attested) == ["unknown/unknown"] * 2
    for image, entry in zip(images, attested):
        assert entry["annotations"] == {
            "vnd.docker.reference.digest": image["digest"], "vnd.docker.reference.type": "attestation-manifest"}
        statement = index.json(index.json(entry)["layers"][0])
        assert statement["subject"][0]["digest"]["sha256"] == image["digest"][7:]
        assert statement["predicate"]["image"]["digest"] == image["digest"]
    assert Index(out / "bare.tar").entries == images
    record = json.loads((out / "app.tar.verification.json").read_text())
    assert [record[name]["image"]["digest"] for name in (HOST, OTHER)] == [e["digest"] for e in images]
    meta = json.loads((out / "meta").read_text())
    assert meta["safebuild.verification"] == record and meta["containerimage.digest"] == Index(out / "bare.tar").top["digest"]


def test_a_base_that_holds_the_secret_of_one_platform(fresh, out):
    value = "correct-horse-battery-staple"
    secret = fresh.file("token", value)
    build(fresh, "-t", "base:1", files={**FILES, "files/s390x": value})
    result = build(fresh, "--secret", f"id=t,src={secret}", "--verify", "-o", f"type=oci,dest={out}/app.tar",
                   text="FROM base:1\nENV more=1\n", check=1)
    assert "the image holds secret 't'" in result.err and value not in result.text
    record = json.loads((out / "app.tar.verification.json").read_text())
    assert (record[HOST]["result"], record[OTHER]["result"]) == ("clean", "leak")
    assert not (out / "app.tar").exists()


def test_a_program_of_another_platform(fresh):
    """Where the kernel has no emulator for it: told with the place, and with what to do."""
    files = {"bin/sh": elf(22, big_endian=True), "script": "#!/bin/sh\n"}
    text = "FROM scratch\nCOPY --chmod=755 bin/sh script /bin/\n{}\n"
    for step in ("RUN true", 'RUN ["/bin/script"]'):
        result = build(fresh, platform=OTHER, text=text.format(step), files=files, check=1)
        assert "Buildfile:3:1: error: '/bin/" in result.err
        assert "is a program for linux/s390x, which this host can't run" in result.err
        assert "apt install qemu-user-static binfmt-support" in result.err and "xec format" not in result.err
    build(fresh, "-t", "foreign:1", platform=OTHER, text=text.format("ENV a=1"), files=files)
    assert "is a program for linux/s390x" in fresh("run", "--platform", OTHER, "foreign:1", "sh", check=126).err


EMULATOR = """\
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	int fd = open("/left", O_WRONLY | O_CREAT, 0644);
	return argc < 2 || dprintf(fd, "%s emulated", argv[1]) < 0;
}
"""


@pytest.fixture
def emulator(fresh):
    """A program that the kernel starts for programs of a machine that there is not, while the fixture lives."""
    need_program("cc")
    folder = fresh.folder / "emulator"
    folder.mkdir()
    (folder / "emulator.c").write_text(EMULATOR)
    subprocess.run(["cc", "-static", "-o", folder / "run", folder / "emulator.c"], check=True)
    name = f"safebuild-{os.getpid()}"
    entry = rf":{name}:M:18:\x42\x53::{folder}/run:F"
    script = """mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && printf %s "$1" >/proc/sys/fs/binfmt_misc/register &&
        echo ready && cat; echo -1 >"/proc/sys/fs/binfmt_misc/$2" """
    holder = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script, "sh", entry, name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if holder.stdout.readline() != "ready\n":
        cannot_run("binfmt_misc: " + holder.communicate()[1])
    yield
    holder.communicate()


@pytest.mark.privileged
def test_a_program_of_another_platform_in_an_emulator(fresh, emulator, out):
    files = {"bin/sh": elf(0x5342)}
    text = "FROM scratch\nCOPY --chmod=755 bin /bin\nRUN true\n"
    build(fresh, "-o", out / "files", platform=OTHER, text=text, files=files)
    assert (out / "files/left").read_text() == "/bin/sh emulated"


@pytest.fixture(scope="module")
def registry():
    if find_program() is None:
        cannot_run("docker-registry is not installed")
    need_program("skopeo")
    with RegistryServer() as server:
        yield server


def remote(registry, name, *args):
    return skopeo("inspect", "--tls-verify=false", *args, f"docker://{registry.ref(name)}")


def test_an_index_goes_to_a_registry_under_every_name(fresh, registry, out):
    names = [registry.ref("multi/app:1"), registry.ref("multi/app:2"), registry.ref("multi/other:1")]
    build(fresh, "--push", *(word for name in names for word in ("-t", name)), "--metadata-file", out / "meta",
          "-o", "type=store", "-o", f"type=registry,name={registry.ref('multi/attested:1')},attest=true")
    digest = json.loads((out / "meta").read_text())["containerimage.digest"]
    for name in ("multi/app:1", "multi/app:2", "multi/other:1"):
        raw = remote(registry, name, "--raw")
        assert digest_of(raw.encode()) == digest
        assert platforms_of(json.loads(raw)["manifests"]) == [HOST, OTHER]
    manifests = json.loads(remote(registry, "multi/attested:1", "--raw"))["manifests"]
    kinds = [m.get("annotations", {}).get("vnd.docker.reference.type") for m in manifests]
    assert kinds == [None, None, "attestation-manifest", "attestation-manifest"]
    skopeo("copy", "--all", "--src-tls-verify=false", f"docker://{names[0]}", f"oci:{out}/layout:1")
    assert json.loads((out / "layout/index.json").read_text())["manifests"][0]["digest"] == digest
    # What the store has under the name goes as a whole, too.
    again = registry.ref("multi/again:1")
    assert fresh("push", names[0], again).out.strip() == digest
    assert digest_of(remote(registry, "multi/again:1", "--raw").encode()) == digest
    second = type(fresh)(fresh.folder / "second")
    second("pull", "--platform", OTHER, again)
    assert json.loads(second("images", "--json").out)[0]["platform"] == OTHER


def test_all_of_an_index_is_pulled(fresh, registry, out):
    name = registry.ref("multi/whole:1")
    build(fresh, "-o", f"type=registry,name={name},attest=true")
    raw = remote(registry, "multi/whole:1", "--raw")
    second = type(fresh)(fresh.folder / "second")
    assert second("pull", "--platform", "all", name).out.strip() == digest_of(raw.encode())
    (listed,) = json.loads(second("images", "--json").out)
    assert listed["digest"] == digest_of(raw.encode()) and listed["platform"] == BOTH
    second("save", "--format", "oci", "-o", out / "app.tar", name)
    index = Index(out / "app.tar")
    assert index.document == json.loads(raw) and len(index.entries) == 4
    statements = [index.json(index.json(entry)["layers"][0]) for entry in index.entries[2:]]
    assert [s["subject"][0]["digest"]["sha256"] for s in statements] == [e["digest"][7:] for e in index.entries[:2]]
    assert second("push", name, registry.ref("multi/whole:2")).out.strip() == listed["digest"]
    # An image without an index is pulled as ever.
    build(fresh, "-o", f"type=registry,name={registry.ref('multi/single:1')}", platform=OTHER)
    single = second("pull", "--platform=all", registry.ref("multi/single:1")).out.strip()
    assert single == digest_of(remote(registry, "multi/single:1", "--raw").encode())


def test_an_index_that_is_not_whole_there_gets_no_name(fresh, registry):
    name = registry.ref("multi/broken:1")
    build(fresh, "-o", f"type=registry,name={name}")
    child = json.loads(remote(registry, "multi/broken:1", "--raw"))["manifests"][1]["digest"]
    url = f"http://{registry.host}/v2/multi/broken/manifests/{child}"
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=10).close()
    second = type(fresh)(fresh.folder / "second")
    assert f"manifest {child}" in second("pull", "--platform", "all", name, check=3).err
    assert json.loads(second("images", "--json").out) == []


def push_base(fresh, registry, name, text):
    buildfile = "FROM scratch\nARG TARGETARCH\nCOPY files/$TARGETARCH /arch\nCOPY version /\n"
    build(fresh, "-o", f"type=registry,name={registry.ref(name)}", text=buildfile, files={**FILES, "version": text})
    return registry.ref(name)


def versions(fresh, out, base, *args, platform=BOTH):
    build(fresh, "-o", f"type=oci,dest={out}/app.tar", *args, platform=platform, text=f"FROM {base}\nENV a=1\n")
    index = Index(out / "app.tar")
    return [(index.read(entry, "arch"), index.read(entry, "version")) for entry in index.entries or [index.top]]


def test_a_base_comes_from_one_index(fresh, registry, out):
    name = push_base(fresh, registry, "multi/base:1", "first")
    second = type(fresh)(fresh.folder / "second")
    before = len(registry.requests())
    assert versions(second, out, name) == [(image_make.ARCHITECTURE, "first"), ("s390x", "first")]
    asked = [path for method, path, status in registry.requests()[before:] if path.endswith("/manifests/1")]
    assert len(asked) == 1
    (listed,) = [i for i in json.loads(second("images", "--json").out) if i["name"] == name]
    assert listed["platform"] == BOTH
    # It is all in the store now; the registry is not asked again.
    before = len(registry.requests())
    versions(second, out, name)
    assert len(registry.requests()) == before


def test_never_one_of_the_store_and_one_of_the_registry(fresh, registry, out):
    name = push_base(fresh, registry, "multi/moving:1", "first")
    second = type(fresh)(fresh.folder / "second")
    second("pull", "--platform", HOST, name)
    push_base(fresh, registry, "multi/moving:1", "second")
    assert versions(second, out, name, platform=HOST) == [(image_make.ARCHITECTURE, "first")]
    assert versions(second, out, name) == [(image_make.ARCHITECTURE, "second"), ("s390x", "second")]
    assert versions(second, out, name, platform=HOST) == [(image_make.ARCHITECTURE, "second")]


def test_stages_of_two_platforms_in_a_build_for_one(fresh, registry, out):
    name = push_base(fresh, registry, "multi/stages:1", "first")
    second = type(fresh)(fresh.folder / "second")
    second("pull", "--platform", HOST, name)
    push_base(fresh, registry, "multi/stages:1", "second")
    text = f"FROM --platform={OTHER} {name} AS other\nFROM {name}\nCOPY --from=other /version /arch /other/\n"
    second.build(text, "-o", out / "files")
    assert [(out / "files" / path).read_text() for path in ("version", "other/version", "other/arch")] == [
        "second", "second", "s390x"]


def test_a_base_of_the_store_for_one_platform_alone(fresh, out):
    build(fresh, "-t", "127.0.0.1:1/only:1", platform=HOST)
    result = build(fresh, text="FROM 127.0.0.1:1/only:1\n", check=3)
    assert f"the store's '127.0.0.1:1/only:1' is for {HOST}" in result.err
