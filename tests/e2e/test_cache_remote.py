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
import time
import urllib.request

import pytest

import image_read
from conftest import Safebuild, cannot_run, import_bases, need_program, remove_tree
from registry_server import RegistryServer, find_program
from secret_search import forms_of, search_bytes
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
    third = build(b, MULTI, place.source, *epoch, "-o", f"type=oci,dest={target}", context=first.context)
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
    again = build(b, text, "--jobs=1", place.source, "--source-date-epoch=1", context=first.context)
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


# What is broken.

ONE = "FROM busybox:1\nRUN echo one >/one\nRUN echo two >/two\n"


def put(place, data):
    dgst = "sha256:" + hashlib.sha256(data).hexdigest()
    (place.folder / "blobs/sha256" / dgst.split(":")[1]).write_bytes(data)
    return dgst


def rewrite(place, manifest=None, config=None):
    """Changes what the folder's cache says, with digests that fit: functions that change the parsed JSON in
    place, or give bytes."""
    index = json.loads((place.folder / "index.json").read_text())
    said, records = json.loads(place.manifest), place.config
    data = config(records) if config else None
    data = data if isinstance(data, bytes) else json.dumps(records).encode()
    said["config"].update(digest=put(place, data), size=len(data))
    data = manifest(said) if manifest else None
    data = data if isinstance(data, bytes) else json.dumps(said).encode()
    index["manifests"][0].update(digest=put(place, data), size=len(data))
    (place.folder / "index.json").write_text(json.dumps(index))


def each_blob(place, change):
    for entry in place.layers:
        change(place.folder / "blobs/sha256" / entry["digest"].split(":")[1])


def replace_layers(place, make, **more):
    """Puts other bytes in the place of all layers: make(tar) gives the blob, and more what is said of it."""

    def change(said):
        for entry in said["layers"]:
            tar = gzip.decompress(place.blob(entry["digest"]))
            blob, unpacked = make(tar)
            moved[entry["digest"]] = put(place, blob)
            entry.update(digest=moved[entry["digest"]], size=len(blob), mediaType=more.get("type", entry["mediaType"]))
            entry["annotations"]["containerd.io/uncompressed"] = "sha256:" + hashlib.sha256(unpacked).hexdigest()
            entry["annotations"]["safebuild.tar-size"] = str(more.get("size", len(unpacked)))

    def point(records):
        for layer in records["layers"]:
            layer["blob"] = moved[layer["blob"]]

    moved = {}
    rewrite(place, manifest=change)
    rewrite(place, config=point)


def make_tar(name, data=b"", link=None):
    import io
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        if link:
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
            info = tarfile.TarInfo(name + "/through")
            info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def as_gzip(tar):
    return gzip.compress(tar), tar


def set_all(key, value):
    def change(said):
        for entry in said["layers"]:
            entry["annotations"][key] = value

    return change


def drop_all(key):
    def change(said):
        for entry in said["layers"]:
            del entry["annotations"][key]

    return change


def fifo(path):
    path.unlink()
    os.mkfifo(path)


def link_out(path):
    path.unlink()
    path.symlink_to("/etc/passwd")


def cut(path):
    path.write_bytes(path.read_bytes()[:-3])


def other_bytes(path):
    path.write_bytes(path.read_bytes()[::-1])


def parents(*numbers):
    def change(records):
        for layer, parent in zip(records["layers"], numbers):
            layer["parent"] = parent

    return change


def results(number):
    def change(records):
        for record in records["records"]:
            for result in record.get("layers", []):
                result["layer"] = number

    return change


BROKEN = {
    "there is no folder": lambda p: shutil.rmtree(p.folder),
    "the folder is empty": lambda p: (shutil.rmtree(p.folder), p.folder.mkdir()),
    "the folder is a file": lambda p: (shutil.rmtree(p.folder), p.folder.write_text("x")),
    "the index is cut": lambda p: cut(p.folder / "index.json"),
    "the index has no such tag": lambda p: (p.folder / "index.json").write_text('{"schemaVersion":2,"manifests":[]}'),
    "the index is 100 MiB": lambda p: (p.folder / "index.json").write_text(" " * (100 << 20)),
    "the manifest is cut": lambda p: rewrite(p, manifest=lambda m: json.dumps(m).encode()[:-9]),
    "the manifest is 100 MiB": lambda p: rewrite(p, manifest=lambda m: b" " * (100 << 20)),
    "the manifest is an image's": lambda p: rewrite(p, manifest=lambda m: m["config"].update(mediaType="a/b")),
    "the manifest is both kinds": lambda p: rewrite(p, manifest=lambda m: m.update(manifests=m["layers"])),
    "the manifest is deep": lambda p: rewrite(p, manifest=lambda m: b"[" * 100000),
    "the config is not there": lambda p: rewrite(p, manifest=lambda m: m["config"].update(digest="sha256:" + "0" * 64)),
    "the config is another": lambda p: rewrite(p, manifest=lambda m: m["config"].update(size=3)),
    "the config is cut": lambda p: rewrite(p, config=lambda c: json.dumps(c).encode()[:-9]),
    "the config is a list": lambda p: rewrite(p, config=lambda c: b"[]"),
    "a layer lies on itself": lambda p: rewrite(p, config=parents(0)),
    "layers lie on each other": lambda p: rewrite(p, config=parents(1, 0)),
    "a parent is out of range": lambda p: rewrite(p, config=parents(2)),
    "a parent is negative": lambda p: rewrite(p, config=parents(-5)),
    "a result is out of range": lambda p: rewrite(p, config=results(2)),
    "a result is negative": lambda p: rewrite(p, config=results(-1)),
    "a time is none": lambda p: rewrite(p, config=lambda c: [r["layers"][0].update(createdAt="</history>")
                                                                for r in c["records"] if "layers" in r] and None),
    "blobs are missing": lambda p: each_blob(p, pathlib.Path.unlink),
    "blobs are cut": lambda p: each_blob(p, cut),
    "blobs are others": lambda p: each_blob(p, other_bytes),
    "blobs are FIFOs": lambda p: each_blob(p, fifo),
    "blobs are links out": lambda p: each_blob(p, link_out),
    "blobs are folders": lambda p: each_blob(p, lambda b: (b.unlink(), b.mkdir())),
    "diff_ids are wrong": lambda p: rewrite(p, manifest=set_all("containerd.io/uncompressed", "sha256:" + "1" * 64)),
    "layers lead out": lambda p: replace_layers(p, lambda tar: as_gzip(make_tar("../../../../escaped", b"x"))),
    "layers are no tars": lambda p: replace_layers(p, lambda tar: as_gzip(b"no tar at all" * 100)),
    "layers are larger than said": lambda p: replace_layers(p, lambda tar: as_gzip(make_tar("x", b"\0" * (8 << 20))), size=4096),
    "layers are of another form": lambda p: replace_layers(p, as_gzip, type="application/vnd.oci.image.layer.v1.tar+zstd"),
    "layers are not compressed": lambda p: replace_layers(p, lambda tar: (tar, tar)),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_cache_is_a_warning(store, folder, fault):
    build(store(), ONE, folder.to())
    BROKEN[fault](folder)
    b = store()
    result = build(b, ONE, folder.source, "-t", "made:1")
    assert len(ran(result)) == 2, repr(result)
    said = warnings(result)
    assert said and all(str(folder.folder) in text for text in said), repr(result)
    assert b("run", "made:1", "cat", "/one", "/two").out == "one\ntwo\n"
    assert not list(b.folder.rglob("escaped"))
    # The next build has what this one made, and nothing of what was refused is left in the store.
    assert all_cached(build(b, ONE))
    assert "sha256" not in b("inspect", "made:1").err


def test_a_layer_with_a_link_out_stays_inside(store, folder, tmp_path):
    build(store(), ONE, folder.to())
    replace_layers(folder, lambda tar: as_gzip(make_tar("l", b"x", str(tmp_path))))
    build(store(), ONE, folder.source)
    assert not (tmp_path / "through").exists()


@pytest.mark.parametrize("fault", ["says too much", "says nothing", "has another type"])
def test_layers_of_which_too_little_is_known_are_not_used(store, folder, fault):
    build(store(), ONE, folder.to())
    change = {"says too much": set_all("safebuild.tar-size", str(1 << 40)),
              "says nothing": drop_all("containerd.io/uncompressed"),
              "has another type": lambda m: [e.update(mediaType="text/plain") for e in m["layers"]] and None}
    rewrite(folder, manifest=change[fault])
    assert len(ran(build(store(), ONE, folder.source))) == 2


def test_the_second_source_is_asked_where_the_first_is_broken(store, tmp_path):
    one, other = (Place("local", tmp_path / name, None) for name in ("one", "other"))
    for place in (one, other):
        place.folder.parent.mkdir()
    a = store()
    first = build(a, ONE, one.to(), other.to())
    each_blob(one, cut)
    again = build(store(), ONE, one.source, other.source, context=first.context)
    assert all_cached(again) and digest(again) == digest(first) and len(warnings(again)) == 2


def silent_server():
    """A port that takes connections and never answers."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(16)
    return server


def test_a_registry_that_is_not_there_is_a_warning(store, registry):
    b = store()
    with silent_server() as server:
        port = server.getsockname()[1]
        server.close()
        start = time.monotonic()
        result = build(b, ONE, f"--cache-from=127.0.0.1:{port}/x:c", f"--cache-from={registry.ref('nothing')}:c")
    assert time.monotonic() - start < 20
    assert len(ran(result)) == 2 and len(warnings(result)) == 2
    assert f"127.0.0.1:{port}/x:c" in warnings(result)[0] and "nothing:c" in warnings(result)[1]


@pytest.mark.slow
def test_a_registry_that_says_nothing_is_waited_for_in_bounds(store):
    with silent_server() as server:
        start = time.monotonic()
        result = build(store(), ONE, f"--cache-from=127.0.0.1:{server.getsockname()[1]}/x:c")
    assert time.monotonic() - start < 60
    assert len(ran(result)) == 2 and len(warnings(result)) == 1


def test_a_blob_that_the_registry_lost_is_a_warning(store, registry, tmp_path):
    place = Place("registry", tmp_path, registry)
    build(store(), ONE, place.to(), "--source-date-epoch=1")
    lost = place.layers[0]["digest"]
    shutil.rmtree(registry._folder / f"root/docker/registry/v2/repositories/{place.name}/_layers/sha256" / lost[7:])
    result = build(store(), ONE, place.source, "--source-date-epoch=1")
    assert len(ran(result)) == 1 and len(warnings(result)) == 1 and place.name in warnings(result)[0]


# What can't be written.


def test_a_failed_export_is_an_error_after_the_image(store, registry):
    a = store()
    with silent_server() as server:
        port = server.getsockname()[1]
    to = f"type=registry,ref=127.0.0.1:{port}/x:c"
    result = build(a, ONE, "-t", "made:1", f"--cache-to={to}", check=None)
    assert result.status != 0 and f"127.0.0.1:{port}/x:c" in result.err and "--cache-to" in result.err
    assert digest(result) and "made" in a("images").out
    result = build(a, ONE, "-t", "made:1", f"--cache-to={to},ignore-error=true")
    assert len(warnings(result)) == 1 and "the cache is not written" in warnings(result)[0]


def test_a_folder_that_cannot_be_written_is_known_first(store):
    result = build(store(), ONE, "--cache-to=type=local,dest=/dev/null/x", check=None)
    assert result.status != 0 and "/dev/null/x" in result.err and not steps(result)


def test_wrong_options_are_told_before_anything_runs(store):
    for option, part in {"--cache-to=type=inline": "inline", "--cache-from=type=gha": "gha",
                         "--cache-to=type=registry,ref=A:B:C": "A:B:C", "--cache-from=type=local": "src"}.items():
        result = build(store(), ONE, option, check=2)
        assert part in result.err and not steps(result)


# Secrets.


def test_what_was_refused_is_never_written_out(store, place):
    a = store()
    key = a.file("key", SECRET)
    text = "FROM busybox:1\nRUN echo fine >/fine\nRUN --mount=type=secret,id=k cp /run/secrets/k /kept\n"
    result = build(a, text, "--secret", f"id=k,src={key}", place.to(",mode=max"), check=1)
    assert "secret 'k' found" in result.err
    with pytest.raises((OSError, StopIteration)):
        place.manifest
    # The first step is known by now; a build that works writes it out, and nothing of the other.
    fine = text.replace("cp /run/secrets/k /kept", "test -s /run/secrets/k")
    build(a, fine, "--secret", f"id=k,src={key}", place.to(",mode=max"), context=result.context)
    assert len(place.layers) == 2
    for entry in place.layers:
        assert not search_bytes(place.blob(entry["digest"]), forms_of(SECRET), "")
    assert not search_bytes(place.manifest + json.dumps(place.config).encode(), forms_of(SECRET), "")


def test_what_is_taken_is_searched_for_the_secrets_of_this_build(store, place):
    a, b = store(), store()
    text = f"FROM busybox:1\nRUN echo {SECRET.decode()} >/kept\n"
    first = build(a, text, place.to())
    key = b.file("key", SECRET)
    result = build(b, "FROM busybox:1\nRUN cat /proc/version >/x\n", "--secret", f"id=k,src={key}", place.source)
    assert len(ran(result)) == 1
    # The step itself has no secret in it that the store would know: only its layer has.
    text = "FROM busybox:1\nCOPY data /kept\n"
    first = build(a, text, place.to(), files={"data": SECRET})
    result = build(b, text, "--secret", f"id=k,src={key}", place.source, context=first.context, check=1)
    assert "secret 'k' found in /kept" in result.err
    assert SECRET.decode() not in in_store(b, "grep -ral s3cr3t-value . | xargs -r cat")


def test_steps_that_depend_on_a_secrets_value_stay_at_home(store, place):
    a, b = store(), store()
    text = "FROM busybox:1\nRUN echo 1 >/one\nRUN --mount=type=secret,id=k wc -c </run/secrets/k >/n\nRUN echo 3 >/three\n"
    secret = lambda sb: ("--source-date-epoch=1", "--secret", f"id=k,src={sb.file('key', SECRET)},rekey=true")
    first = build(a, text, *secret(a), place.to(",mode=max"))
    assert all_cached(build(a, text, *secret(a), context=first.context))
    assert len(place.layers) == 2
    keys = {name for name in in_store(a, "ls cache").split() if len(name) == 64}
    assert len({record["digest"][7:] for record in place.config["records"]} & keys) == 2 == len(keys) - 1
    again = build(b, text, *secret(b), place.source, context=first.context)
    assert [cached for _, cached in steps(again)] == [True, False, True]


def test_a_secret_that_is_only_mounted_is_no_part_of_a_key(store, place):
    text = "FROM busybox:1\nRUN --mount=type=secret,id=k wc -c </run/secrets/k >/n\n"
    a, b = store(), store()
    first = build(a, text, "--secret", f"id=k,src={a.file('key', SECRET)}", place.to())
    again = build(b, text, "--secret", f"id=k,src={b.file('key', b'another-value-entirely')}", place.source)
    assert all_cached(again) and digest(again) == digest(first)


# Several at once.


def test_builds_write_one_folder_at_once(store, folder):
    stores = [store() for _ in range(3)]
    contexts = [sb.context({"f": str(n)}) for n, sb in enumerate(stores)]
    text = "FROM busybox:1\nCOPY f /f\nRUN cat /f >/g\n"
    for _ in range(3):
        runs = []
        for sb, context in zip(stores, contexts):
            (context / "Buildfile").write_text(text)
            runs.append(sb.start("build", folder.to(",mode=max"), context))
        for run in runs:
            out, err = run.communicate(timeout=120)
            assert run.returncode == 0, (out, err)
        shutil.rmtree(stores[0].store / "cache", ignore_errors=True)
    index = json.loads((folder.folder / "index.json").read_text())
    assert len([e for e in index["manifests"] if "annotations" in e]) == 1
    for entry in index["manifests"]:
        manifest = json.loads(folder.blob(entry["digest"]))
        for blob in [manifest["config"], *manifest["layers"]]:
            assert len(folder.blob(blob["digest"])) == blob["size"]
    assert sorted(os.listdir(folder.folder)) == ["blobs", "index.json", "oci-layout"]
    winner = [all_cached(build(store(), text, folder.source, context=context)) for context in contexts]
    assert winner.count(True) == 1


def test_other_tools_read_the_folder(store, folder):
    need_program("skopeo")
    build(store(), ONE, folder.to(",mode=max,tag=main"))
    raw = subprocess.run(["skopeo", "inspect", "--raw", f"oci:{folder.folder}:main"], capture_output=True, check=True)
    assert json.loads(raw.stdout)["config"]["mediaType"] == CONFIG
    if shutil.which("umoci"):
        listed = subprocess.run(["umoci", "list", "--layout", folder.folder], capture_output=True, text=True, check=True)
        assert listed.stdout.split() == ["main"]
    again = build(store(), ONE, f"--cache-from=type=local,src={folder.folder},tag=main")
    assert all_cached(again)
    dgst = json.loads((folder.folder / "index.json").read_text())["manifests"][0]["digest"]
    assert all_cached(build(store(), ONE, f"--cache-from=type=local,src={folder.folder},digest={dgst}"))


# Layers that only keys need stay where they are.


def fetched(registry, before):
    return {path.rsplit("/", 1)[1] for method, path, _ in registry.requests()[before:]
            if method == "GET" and "/blobs/" in path}


def builders_blobs(place):
    """Of MULTI's first stage: the three of one chain; the image's is of four."""
    layers = place.config["layers"]
    chains = []
    for layer in layers:
        chain = [layer["blob"]]
        while layer["parent"] != -1:
            layer = layers[layer["parent"]]
            chain.append(layer["blob"])
        chains.append(chain)
    image = set(max(chains, key=len))
    assert len(image) == 4
    return {layer["blob"] for layer in layers} - image


@pytest.fixture
def remote(registry, tmp_path):
    return Place("registry", tmp_path, registry)


def test_what_only_keys_need_is_not_fetched(store, registry, remote):
    first = build(store(), MULTI, remote.to(",mode=max"), files=FILES)
    b = store()
    before = len(registry.requests())
    again = build(b, MULTI, remote.source, context=first.context)
    assert all_cached(again) and digest(again) == digest(first)
    got = fetched(registry, before)
    assert not got & builders_blobs(remote) and len(got) == 1 + 4
    # Until a step looks at the files: then it comes, and is the store's from then on.
    more = MULTI.replace("COPY conf/", "COPY --from=builder /src/main.txt /more\nCOPY conf/")
    before = len(registry.requests())
    result = build(b, more, remote.source, context=first.context)
    assert [text.split(" ")[0] for text in ran(result)] == ["COPY", "COPY"]
    assert fetched(registry, before) >= builders_blobs(remote)
    result = build(b, MULTI + "RUN --mount=type=bind,from=builder,target=/b grep hello /b/src/main.txt\n", context=first.context)
    assert len(ran(result)) == 1
    (first.context / "main.txt").write_text("changed\n")
    c = store()
    result = build(c, MULTI, remote.source, context=first.context)
    assert [text.split(" ")[0] for text in ran(result)] == ["COPY", "RUN", "COPY", "RUN", "COPY"]


def test_a_layer_is_searched_when_it_is_needed(store, registry, remote):
    files = {**FILES, "main.txt": SECRET}
    text = MULTI.replace("cp main.txt /out/app", "echo safe >/out/app")
    first = build(store(), text, remote.to(",mode=max"), files=files)
    b = store()
    # Known here as the value of a secret that is no part of the context's files.
    secret = ("--secret", f"id=k,src={b.file('k', SECRET)}")
    before = len(registry.requests())
    again = build(b, text, remote.source, *secret, context=first.context)
    assert all_cached(again) and not fetched(registry, before) & builders_blobs(remote)
    for more in ("COPY --from=builder /src/ /src/\nCOPY conf/", "RUN --mount=type=bind,from=builder,target=/b ls /b\nCOPY conf/"):
        result = build(b, text.replace("COPY conf/", more), remote.source, *secret, context=first.context, check=1)
        assert "secret 'k' found in /src/main.txt" in result.err and "begins again" not in result.err
        assert SECRET.decode() not in in_store(b, "grep -rals s3cr3t-value . | xargs -r cat")
        blobs = in_store(b, "ls blobs/sha256").split()
        for blob in builders_blobs(remote) & {"sha256:" + name for name in blobs}:
            assert SECRET not in gzip.decompress(remote.blob(blob))


def test_a_layer_with_a_secret_is_not_passed_on(store, remote, tmp_path):
    """Nothing but the other cache needs it."""
    text = MULTI.replace("cp main.txt /out/app", "echo safe >/out/app")
    first = build(store(), text, remote.to(",mode=max"), files={**FILES, "main.txt": SECRET})
    b, other = store(), Place("local", tmp_path, None)
    secret = ("--secret", f"id=k,src={b.file('k', SECRET)}")
    result = build(b, text, remote.source, other.to(",mode=max"), *secret, context=first.context, check=1)
    assert "secret 'k' found in /src/main.txt" in result.err
    packed = [path.read_bytes() for path in other.folder.rglob("*") if path.is_file()]
    packed += [in_blob for in_blob in (remote.blob(blob) for blob in builders_blobs(remote) if
               (b.store / "blobs" / blob.replace(":", "/")).exists())]
    assert not any(SECRET in (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data) for data in packed)


def test_a_cache_that_is_passed_on_is_not_fetched(store, registry, remote, tmp_path):
    first = build(store(), MULTI, remote.to(",mode=max"), files=FILES)
    manifest = remote.manifest
    before = len(registry.requests())
    again = build(store(), MULTI, remote.source, remote.to(",mode=max"), context=first.context)
    assert all_cached(again) and not fetched(registry, before) & builders_blobs(remote)
    assert remote.manifest == manifest
    # Elsewhere it has to be sent.
    (tmp_path / "other").mkdir()
    local, other = Place("local", tmp_path, None), Place("registry", tmp_path / "other", registry)
    other.name += "2"
    for target in (local, other):
        build(store(), MULTI, remote.source, target.to(",mode=max"), context=first.context)
        assert target.config == remote.config
        assert all_cached(build(store(), MULTI, target.source, context=first.context))
    build(store(), MULTI, remote.source, local.to(",mode=max,compression=zstd"), context=first.context)
    assert {entry["mediaType"] for entry in local.layers} == {"application/vnd.oci.image.layer.v1.tar+zstd"}
    assert all_cached(build(store(), MULTI, local.source, context=first.context))


@pytest.mark.parametrize("change", [cut, pathlib.Path.unlink, other_bytes])
def test_a_promised_layer_that_is_broken_makes_the_build_begin_again(store, folder, change):
    first = build(store(), MULTI, folder.to(",mode=max"), files=FILES)
    for blob in builders_blobs(folder):
        change(folder.folder / "blobs/sha256" / blob[7:])
    again = build(store(), MULTI, folder.source, context=first.context)
    assert all_cached(again) and not warnings(again)
    more = MULTI.replace("COPY conf/", "COPY --from=builder /src/main.txt /more\nCOPY conf/")
    b = store()
    result = build(b, more, folder.source, "-t", "made:1", context=first.context)
    said = warnings(result)
    assert "begins again" in said[0] and all(str(folder.folder) in text for text in said), said
    assert b("run", "made:1", "cat", "/more", "/app/app").out == "hello\nhello\n"
    plain = store()("build", "--progress=plain", folder.source, first.context)
    assert "begins again" in plain.err
    assert all_cached(build(b, more, context=first.context))


def test_a_folder_keeps_only_its_last_cache(store, folder):
    a = store()
    first = build(a, ONE, folder.to())
    old = {entry["digest"] for entry in folder.layers}
    second = build(a, ONE.replace("two", "three"), folder.to())
    index = json.loads((folder.folder / "index.json").read_text())
    assert len(index["manifests"]) == 1, (first, second)
    # What is young may be another's who is about to list it; what is old goes with the next write.
    assert old <= {"sha256:" + p.name for p in (folder.folder / "blobs/sha256").iterdir()}
    for path in (folder.folder / "blobs/sha256").iterdir():
        os.utime(path, (1, 1))
    build(a, ONE.replace("two", "four"), folder.to())
    left = {"sha256:" + p.name for p in (folder.folder / "blobs/sha256").iterdir()}
    assert len(left) == 4 and not (old - {e["digest"] for e in folder.layers}) & left


# Cache mounts.

MOUNTS = """\
FROM busybox:1
RUN --mount=type=cache,target=/root/.cache --mount=type=cache,id=apt,target=/apt,uid=7,gid=8,mode=0750 \
    --mount=type=cache,target=/empty \
    mkdir /root/.cache/d && echo one >/root/.cache/d/f && chown 5:6 /root/.cache/d/f && chmod 4711 /root/.cache/d/f && \
    ln /root/.cache/d/f /root/.cache/hard && ln -s /etc/passwd /root/.cache/soft && echo two >/apt/g && mkfifo /apt/fifo
"""
SHOW = """\
FROM busybox:1
ARG N
RUN --mount=type=cache,target=/root/.cache --mount=type=cache,id=apt,target=/apt --mount=type=cache,target=/empty \
    cd / && ls -lanR root/.cache apt empty | grep -v total >/list; cat /root/.cache/d/f /apt/g >>/list; true
"""


def listed(sb, *args):
    target = sb.folder / "show.tar"
    build(sb, SHOW, f"--build-arg=N={time.monotonic()}", "-o", f"type=oci,dest={target}", *args)
    # Times of folders that stand in the store beside the cache are no part of it.
    return [line.split() for line in image_read.read_oci_archive(target).read("list").decode().splitlines()
            if not line.endswith(" ..")]


def test_cache_mounts_move_to_another_store(store):
    a, b = store(), store()
    build(a, MOUNTS)
    before = listed(a)
    assert any("4711" in str(line) or "-rws--x--x" in line for line in before), before
    rows = json.loads(a("cache", "--json").out)
    assert sorted(row["made_by"].split("|")[0] for row in rows["items"]) == ["/empty", "/root/.cache", "apt"]
    archive = a.folder / "mounts.tar"
    a("cache", "export", "-o", archive)
    said = b("cache", "import", archive).out.split()
    assert sorted(said) == ["/empty", "/root/.cache", "apt"]
    assert listed(b) == before
    # The archive is an image: what moves images moves it.
    if shutil.which("skopeo"):
        moved = b.folder / "moved"
        subprocess.run(["skopeo", "copy", "--quiet", f"oci-archive:{archive}", f"oci:{moved}:x"], check=True)
        c = store()
        c("cache", "import", moved)
        assert listed(c) == before
    # No blob stays behind.
    blobs = in_store(b, "ls blobs/sha256").split()
    b("cache", "import", archive)
    b("cache", "export", "-o", archive)
    assert in_store(b, "ls blobs/sha256").split() == blobs


def test_one_cache_mount_by_its_id(store):
    a, b = store(), store()
    build(a, MOUNTS)
    archive = a("cache", "export", "apt").out_bytes
    assert b("cache", "import", stdin=archive).out == "apt\n"
    assert [row["made_by"] for row in json.loads(b("cache", "--json").out)["items"]] == ["apt|||0"]
    digits = json.loads(a("cache", "--json").out)["items"][0]["id"][:12]
    assert a("cache", "export", digits).out_bytes
    assert "no cache mount 'pip'" in a("cache", "export", "pip", check=3).err
    assert "no cache mounts" in store()("cache", "export", check=3).err


def test_an_import_takes_the_place_of_what_is_there(store):
    a, b = store(), store()
    build(a, MOUNTS)
    a("cache", "export", "-o", a.folder / "m.tar")
    build(b, "FROM busybox:1\nRUN --mount=type=cache,target=/root/.cache echo other >/root/.cache/other\n")
    b("cache", "import", a.folder / "m.tar")
    b("cache", "import", a.folder / "m.tar")
    assert listed(b) == listed(a)
    b("prune", "--filter", "type=mount")
    assert json.loads(b("cache", "--json").out)["items"] == []


def test_a_cache_mount_in_use_is_left_alone(store):
    a, b = store(), store()
    build(a, MOUNTS)
    a("cache", "export", "-o", a.folder / "m.tar")
    context = b.context()
    (context / "Buildfile").write_text("FROM busybox:1\nRUN --mount=type=cache,id=apt,target=/apt touch /apt/busy && sleep 30\n")
    run = b.start("build", "--progress=plain", context)
    deadline = time.monotonic() + 20
    while "busy" not in in_store(b, "find snapshots -name busy || true") and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        assert "in use" in b("cache", "export", "apt", check=None).err
        result = b("cache", "import", a.folder / "m.tar", check=None)
        assert result.status != 0 and "'apt' is in use" in result.err
    finally:
        run.terminate()
        run.communicate(timeout=60)
    b("cache", "import", a.folder / "m.tar")


def test_a_cache_mount_with_a_secret_is_not_exported(store):
    a = store()
    build(a, f"FROM busybox:1\nRUN --mount=type=cache,target=/c echo {SECRET.decode()} | gzip >/c/x.gz\n")
    key = a.file("key", SECRET)
    result = a("cache", "export", "-o", a.folder / "m.tar", "--secret", f"id=k,src={key}", check=1)
    assert "secret 'k' found" in result.err and "/c" in result.err
    assert not (a.folder / "m.tar").exists()


@pytest.mark.parametrize("what", ["an image", "no archive", "cut", "changed"])
def test_what_is_no_set_of_cache_mounts_is_refused(store, what):
    a, b = store(), store()
    build(a, MOUNTS, "-t", "made:1")
    archive = a.folder / "m.tar"
    if what == "an image":
        a("save", "--format", "oci", "-o", archive, "made:1")
    else:
        a("cache", "export", "-o", archive)
        data = bytearray(archive.read_bytes())
        if what == "no archive":
            data = b"nothing"
        elif what == "cut":
            data = data[: len(data) // 2]
        else:
            at = data.index(b"\x28\xb5\x2f\xfd")
            data[at + 8] ^= 1
        archive.write_bytes(data)
    result = b("cache", "import", archive, check=None)
    assert result.status in (2, 3) and result.err and json.loads(b("cache", "--json").out)["items"] == []


# What else can happen on the way.


def test_a_signal_ends_the_wait_for_a_registry(store):
    b = store()
    context = b.context()
    (context / "Buildfile").write_text(ONE)
    with silent_server() as server:
        run = b.start("build", f"--cache-from=127.0.0.1:{server.getsockname()[1]}/x:c", context)
        time.sleep(1)
        run.terminate()
        run.communicate(timeout=20)
    assert run.returncode == 130


def test_a_registry_with_a_password(store, tmp_path):
    with RegistryServer(users={"ann": "pass-word-1234"}) as server:
        place = Place("registry", tmp_path, server)
        a, b = store(), store()
        auth = f"--authfile={tmp_path / 'auth.json'}"
        # Without it, the one is an error and the other a warning.
        assert build(a, ONE, place.to(), check=None).status != 0
        a("login", auth, server.host, "-u", "ann", "--password-stdin", stdin=b"pass-word-1234")
        first = build(a, ONE, auth, place.to())
        again = build(b, ONE, place.source, context=first.context)
        assert len(ran(again)) == 2 and len(warnings(again)) == 1
        assert all_cached(build(store(), ONE, auth, place.source, context=first.context))


def test_a_build_that_is_killed_while_it_fetches_leaves_a_store_that_works(store, folder):
    text = "FROM busybox:1\n" + "".join(f"RUN head -c 3000000 /dev/urandom >/f{n}\n" for n in range(4))
    first = build(store(), text, folder.to())
    b = store()
    for pause in (0.02, 0.05, 0.1, 0.2):
        run = b.start("build", "--progress=plain", folder.source, first.context)
        time.sleep(pause)
        run.kill()
        run.communicate(timeout=60)
    again = build(b, text, folder.source, context=first.context)
    assert all_cached(again) and digest(again) == digest(first) and not warnings(again)


def test_stores_share_one_registry_at_once(store, remote):
    first = build(store(), MULTI, remote.to(",mode=max"), files=FILES)
    runs = [sb.start("build", "--progress=json", remote.source, remote.to(",mode=max"), first.context)
            for sb in (store(), store(), store())]
    for run in runs:
        out, err = run.communicate(timeout=120)
        assert run.returncode == 0, (out, err)
        assert out.decode().count('"cache-hit"') == 7
    assert all_cached(build(store(), MULTI, remote.source, context=first.context))


def test_a_layer_of_the_store_lies_on_one_that_is_still_elsewhere(store, remote):
    """The second step of a builder is known here by its blob alone, the first not at all."""
    text = ("FROM busybox:1 AS b\nRUN mkdir /d && echo 1 >/d/one\nRUN rm /d/one && echo 2 >/d/two\n"
            "FROM busybox:1\nCOPY --from=b /d /d\n")
    first = build(store(), text, remote.to(",mode=max"))
    b = store()
    (first.context / "Buildfile").write_text(text)
    # As a target of its own the builder is the image: its layers and their blobs come.
    b("build", "--target=b", "-t", "kept:1", remote.source, first.context)
    in_store(b, "cd snapshots/* && for l in layers/*; do case $(ls -A $l/d 2>/dev/null) in *two*) rm -r $l;; esac; done")
    keys = in_store(b, "grep -l 'text RUN mkdir' cache/* || true").split()
    assert len(keys) == 1
    in_store(b, f"rm {keys[0]} && cd snapshots/* && for l in layers/*; do test -e $l/d/one && rm -r $l; done; true")
    more = text.replace("COPY", "RUN --mount=type=bind,from=b,target=/b test ! -e /b/d/one && cat /b/d/two >/two\nCOPY")
    result = build(b, more, remote.source, context=first.context)
    assert [text.split(" ")[0] for text in ran(result)] == ["RUN", "COPY"] and not warnings(result), result
