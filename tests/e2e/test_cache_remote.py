# SPDX-License-Identifier: MIT
"""The build cache elsewhere: --cache-to and --cache-from, with folders and a registry. What one store
built is not run again by an empty one, and comes to the same image; what is broken is a warning."""

import gzip
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

import pytest

import image_read
from conftest import IS_ROOT, Safebuild, import_bases, need_program, remove_tree
from registry_server import RegistryServer, find_program
from secret_search import find_secret
from test_cache import build, in_store, ran, steps

CONFIG = "application/vnd.buildkit.cacheconfig.v0"
TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "*/*",
)
SECRET = b"s3cr3t-value-0123456789"

MULTI = """\
FROM busybox:1 AS builder
WORKDIR /src
COPY main.txt .
RUN mkdir /out && cp main.txt /out/app && head -c 8 /dev/urandom >/out/random
FROM busybox:1 AS unused
RUN echo never >/never
FROM busybox:1
WORKDIR /app
COPY --from=builder /out/ ./
RUN cat app >copy && date +%N >made
COPY conf/ /etc/app/
"""
FILES = {"main.txt": "hello\n", "conf/a": "1\n", "conf/b": "2\n"}


@pytest.fixture(scope="module")
def registry():
    if find_program() is None:
        from conftest import cannot_run

        cannot_run("docker-registry is not installed")
    with RegistryServer() as server:
        yield server


@pytest.fixture
def store(session_folder, rootfs):
    """Makes further stores, each with nothing but the bases."""
    folders = []

    def make():
        folders.append(pathlib.Path(tempfile.mkdtemp(prefix="cache-", dir=session_folder)))
        return import_bases(Safebuild(folders[-1]), rootfs)

    yield make
    for folder in folders:
        remove_tree(folder)


def digest(result):
    return next(event["text"] for event in result.events if event["event"] == "image")


def warnings(result):
    return [event["text"] for event in result.events if event["event"] == "warning"]


class Place:
    """Where a cache lies: the two options, and what it holds."""

    def __init__(self, kind, folder, registry):
        self.kind, self.registry = kind, registry
        self.folder = pathlib.Path(folder) / "cache"
        self.name = f"cache/{pathlib.Path(folder).name.lower()}"

    def to(self, more=""):
        if self.kind == "local":
            return f"--cache-to=type=local,dest={self.folder}{more}"
        return f"--cache-to=type=registry,ref={self.registry.ref(self.name)}:c{more}"

    @property
    def source(self):
        if self.kind == "local":
            return f"--cache-from=type=local,src={self.folder}"
        return f"--cache-from=type=registry,ref={self.registry.ref(self.name)}:c"

    def blob(self, dgst):
        if self.kind == "local":
            return (self.folder / "blobs/sha256" / dgst.split(":")[1]).read_bytes()
        return self.get(f"blobs/{dgst}")

    def get(self, path):
        request = urllib.request.Request(f"http://{self.registry.host}/v2/{self.name}/{path}")
        request.add_header("Accept", ", ".join(TYPES))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request) as answer:
            return answer.read()

    @property
    def manifest(self):
        if self.kind == "registry":
            return self.get("manifests/c")
        index = json.loads((self.folder / "index.json").read_text())
        entry = next(e for e in index["manifests"]
                     if e.get("annotations", {}).get("org.opencontainers.image.ref.name") == "latest")
        return self.blob(entry["digest"])

    @property
    def config(self):
        manifest = json.loads(self.manifest)
        if "config" in manifest:
            return json.loads(self.blob(manifest["config"]["digest"]))
        entry = next(e for e in manifest["manifests"] if e["mediaType"] == CONFIG)
        return json.loads(self.blob(entry["digest"]))

    @property
    def layers(self):
        """The blobs of layers that the document lists."""
        manifest = json.loads(self.manifest)
        return [e for e in manifest.get("layers") or manifest["manifests"] if e["mediaType"] != CONFIG]


@pytest.fixture(params=["local", "registry"])
def place(request, tmp_path, registry):
    return Place(request.param, tmp_path, registry)


@pytest.fixture
def folder(tmp_path):
    return Place("local", tmp_path, None)


def all_cached(result):
    assert steps(result), repr(result)
    return not ran(result)


@pytest.mark.parametrize("epoch", [(), ("--source-date-epoch=1700000000",)], ids=["now", "epoch"])
def test_an_empty_store_has_every_step_and_the_same_image(store, place, epoch):
    a, b = store(), store()
    first = build(a, MULTI, place.to(",mode=max"), *epoch, files=FILES)
    assert len(ran(first)) == len(steps(first)) == 7
    again = build(b, MULTI, place.source, *epoch, context=first.context)
    assert all_cached(again), repr(again)
    assert digest(again) == digest(first)
    assert not warnings(again)
    # And is whole there: it can be written, run and built on.
    target = first.context.parent / "image.tar"
    third = build(b, MULTI, *epoch, "-o", f"type=oci,dest={target}", context=first.context)
    assert all_cached(third) and digest(third) == digest(first)
    assert image_read.read_oci_archive(target).read("app/copy") == b"hello\n"


def test_min_has_the_layers_of_the_image_alone(store, place):
    a, b = store(), store()
    first = build(a, MULTI, place.to(), files=FILES)
    assert len(place.layers) == 4
    again = build(b, MULTI, place.source, context=first.context)
    # The builder makes something else each time, so what takes files from it runs too.
    assert [text.split(" ")[0] for text in ran(again)][:3] == ["WORKDIR", "COPY", "RUN"]
    assert ("WORKDIR /app", True) in steps(again)


def test_min_is_enough_where_the_builder_makes_the_same(store, place):
    text = MULTI.replace(" && head -c 8 /dev/urandom >/out/random", "")
    a, b = store(), store()
    first = build(a, text, place.to(), "--source-date-epoch=1", files=FILES)
    again = build(b, text, place.source, "--source-date-epoch=1", context=first.context)
    assert [cached for _, cached in steps(again)] == [False, False, False, True, True, True, True]
    assert digest(again) == digest(first)


def test_a_changed_file_runs_what_comes_after_it(store, place):
    a, b = store(), store()
    first = build(a, MULTI, place.to(",mode=max"), files=FILES)
    (first.context / "conf/a").write_text("changed\n")
    again = build(b, MULTI, place.source, context=first.context)
    assert ran(again) == ["COPY conf/ /etc/app/"]
    (first.context / "main.txt").write_text("changed\n")
    third = build(b, MULTI, place.source, context=first.context)
    assert [t.split(" ")[0] for t in ran(third)] == ["COPY", "RUN", "COPY", "RUN", "COPY"]


@pytest.mark.parametrize("more", [",image-manifest=false", ",oci-mediatypes=false", ",image-manifest=true",
                                  ",compression=zstd", ",compression=uncompressed", ",compression-level=9",
                                  ",compression=zstd,compression-level=19,force-compression=true"])
def test_every_form_is_read(store, place, more):
    a, b = store(), store()
    first = build(a, MULTI, place.to(",mode=max" + more), files=FILES)
    again = build(b, MULTI, place.source, context=first.context)
    assert all_cached(again) and digest(again) == digest(first), repr(again)
    kinds = {entry["mediaType"] for entry in place.layers}
    if "oci-mediatypes=false" in more:
        assert kinds == {"application/vnd.docker.image.rootfs.diff.tar.gzip"}
    else:
        end = "+zstd" if "zstd" in more else "" if "uncompressed" in more else "+gzip"
        assert kinds == {"application/vnd.oci.image.layer.v1.tar" + end}
    manifest = json.loads(place.manifest)
    assert ("config" in manifest) == ("false" not in more)


def test_the_form_is_buildkits(store, place):
    build(store(), MULTI, place.to(",mode=max"), files=FILES)
    manifest, config = json.loads(place.manifest), place.config
    assert manifest["config"]["mediaType"] == CONFIG
    blobs = {entry["digest"]: entry for entry in place.layers}
    assert len(blobs) == len(place.layers) == 7
    for layer in config["layers"]:
        entry = blobs[layer["blob"]]
        data = place.blob(layer["blob"])
        assert len(data) == entry["size"]
        assert "sha256:" + hashlib.sha256(data).hexdigest() == layer["blob"]
        tar = gzip.decompress(data)
        assert "sha256:" + hashlib.sha256(tar).hexdigest() == entry["annotations"]["containerd.io/uncompressed"]
        assert entry["annotations"]["buildkit/createdat"].endswith("Z")
        assert layer["parent"] == -1 or 0 <= layer["parent"] < len(config["layers"])
    # One layer a step, on the one before it in its stage: COPY main.txt on WORKDIR, and so on.
    assert sum(layer["parent"] == -1 for layer in config["layers"]) == 2
    results = [record for record in config["records"] if "layers" in record]
    assert sorted(record["layers"][0]["layer"] for record in results) == list(range(7))
    for record in config["records"]:
        assert record["digest"].startswith("sha256:")
        for links in record.get("inputs", []):
            assert links and all(0 <= link["link"] < len(config["records"]) for link in links)
    # Nothing of it says what the steps are.
    assert "urandom" not in json.dumps(config) + json.dumps(manifest)


def test_the_same_build_gives_the_same_bytes(store, place):
    epoch = "--source-date-epoch=1700000000"
    text = MULTI.replace("head -c 8 /dev/urandom", "echo").replace("date +%N", "echo")
    first = build(store(), text, place.to(",mode=max"), epoch, files=FILES)
    before = place.manifest
    build(store(), text, place.to(",mode=max"), epoch, context=first.context)
    assert place.manifest == before
    b = store()
    build(b, text, place.source, place.to(",mode=max"), epoch, context=first.context)
    assert place.manifest == before


def test_a_bare_reference_is_a_registry(store, registry, tmp_path):
    place = Place("registry", tmp_path, registry)
    ref = f"{registry.ref(place.name)}:c"
    first = build(store(), MULTI, f"--cache-to={ref}", files=FILES)
    assert ("WORKDIR /app", True) in steps(build(store(), MULTI, "--cache-from", ref, context=first.context))


def test_only_what_is_missing_is_sent(store, registry, tmp_path):
    place = Place("registry", tmp_path, registry)
    a = store()
    first = build(a, MULTI, place.to(",mode=max"), files=FILES)
    before = len(registry.requests())
    build(a, MULTI, place.to(",mode=max"), context=first.context)
    sent = [path for method, path, _ in registry.requests()[before:] if method in ("POST", "PATCH") and "/blobs/" in path]
    assert sent == []
    (first.context / "conf/a").write_text("other\n")
    before = len(registry.requests())
    build(a, MULTI, place.to(",mode=max"), context=first.context)
    sent = [path for method, path, _ in registry.requests()[before:] if method == "POST" and "/blobs/" in path]
    assert len(sent) == 2  # the layer and the config


def test_several_sources_are_asked_in_turn(store, tmp_path, registry):
    one, other = Place("local", tmp_path / "one", None), Place("registry", tmp_path, registry)
    one.folder.parent.mkdir()
    first = build(store(), "FROM busybox:1\nRUN echo 1 >/one\n", one.to())
    second = build(store(), "FROM busybox:1\nRUN echo 2 >/two\n", other.to())
    text = "FROM busybox:1 AS a\nRUN echo 1 >/one\nFROM busybox:1\nRUN echo 2 >/two\nCOPY --from=a /one /one\n"
    result = build(store(), text, one.source, other.source)
    assert [cached for _, cached in steps(result)] == [True, True, False], (first, second, result)


def test_what_the_store_has_is_not_fetched(store, registry, tmp_path):
    place = Place("registry", tmp_path, registry)
    a = store()
    first = build(a, MULTI, place.to(",mode=max"), files=FILES)
    before = len(registry.requests())
    assert all_cached(build(a, MULTI, place.source, context=first.context))
    blobs = [path for method, path, _ in registry.requests()[before:] if method == "GET" and "/blobs/" in path]
    assert len(blobs) == 1  # the config


def test_link_and_add_and_mounts(store, place):
    text = (
        "FROM busybox:1 AS tools\nRUN echo tool >/tool\n"
        "FROM busybox:1\nCOPY --link --from=tools /tool /opt/tool\nADD a.tar.gz /data/\n"
        "RUN --mount=type=bind,from=tools,target=/t --mount=type=cache,target=/c cp /t/tool /copy && date >>/c/log\n"
        "RUN rm /copy && ln -s tool /opt/link\n"
    )
    tar = subprocess.run(["tar", "-C", "/", "-cz", "etc/hostname"], capture_output=True, check=True).stdout
    first = build(store(), text, place.to(",mode=max"), files={"a.tar.gz": tar})
    b = store()
    again = build(b, text, place.source, context=first.context)
    assert all_cached(again) and digest(again) == digest(first)
    # Built on further: whiteouts and links of imported layers are there.
    assert build(b, text + "RUN test ! -e /copy && grep -q tool /opt/link\n", context=first.context)


def test_squash_and_plan(store, place):
    first = build(store(), MULTI, "--squash", place.to(",mode=max"), "--source-date-epoch=5", files=FILES)
    b = store()
    plan = b("build", "--plan", "--progress=json", "--source-date-epoch=5", place.source, first.context)
    said = [step for stage in json.loads(plan.out)["stages"] for step in stage["steps"]]
    states = [step["state"] for step in said if step["text"].split(" ")[0] in ("RUN", "COPY", "WORKDIR")]
    assert states == ["cached"] * 7, plan
    assert not in_store(b, "ls snapshots/*/layers | wc -l").strip() > "2"
    again = build(b, MULTI, "--squash", place.source, "--source-date-epoch=5", context=first.context)
    assert all_cached(again) and digest(again) == digest(first)


def test_no_cache_takes_nothing_and_writes_all(store, place):
    first = build(store(), MULTI, place.to(",mode=max"), files=FILES)
    b = store()
    again = build(b, MULTI, "--no-cache", place.source, place.to(",mode=max"), context=first.context)
    assert len(ran(again)) == 7
    assert all_cached(build(store(), MULTI, place.source, context=first.context))
