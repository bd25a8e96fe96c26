# SPDX-License-Identifier: MIT
"""Reads finished images (OCI layout or archive, docker archive) and checks every digest and size."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layer:
    """One layer: its tar bytes, and its members by name ('etc/', 'etc/passwd', 'etc/.wh.x')."""

    def __init__(self, blob, tar, media_type=None):
        self.blob = blob
        self.tar = tar
        self.media_type = media_type
        self.diff_id = sha256(tar)
        self.members = {}
        self.order = []
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            for member in archive:
                name = member.name + ("/" if member.isdir() else "")
                self.members[name] = member
                self.order.append(name)

    @property
    def names(self):
        return list(self.order)

    def __getitem__(self, name):
        return self.members[name]

    def __contains__(self, name):
        return name in self.members

    def read(self, name):
        with tarfile.open(fileobj=io.BytesIO(self.tar)) as archive:
            return archive.extractfile(name).read()

    @property
    def is_empty(self):
        return self.tar == b"\0" * 1024


class Image:
    def __init__(self, config, layers, manifest=None, manifest_digest=None, index=None, names=()):
        self.config = config
        self.layers = layers
        self.manifest = manifest
        self.manifest_digest = manifest_digest
        self.index = index
        self.names = list(names)
        assert [layer.diff_id for layer in layers] == config["rootfs"]["diff_ids"]
        if config.get("history"):
            full = [h for h in config["history"] if not h.get("empty_layer")]
            assert len(full) == len(layers), "history and layers do not agree"

    @property
    def run(self):
        """The part of the config that says how to run it."""
        return self.config.get("config", {})

    @property
    def env(self):
        return dict(item.split("=", 1) for item in self.run.get("Env", []))

    @property
    def history(self):
        return [entry.get("created_by", "") for entry in self.config.get("history") or []]

    def files(self):
        """The final file system: path -> (member, bytes or None), whiteouts applied."""
        tree = {}
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer.tar)) as archive:
                for member in archive:
                    folder, _, name = member.name.rpartition("/")
                    if name.startswith(".wh."):
                        remove_tree(tree, (folder + "/" if folder else "") + name[4:])
                        continue
                    if member.name in tree and not (member.isdir() and tree[member.name][0].isdir()):
                        remove_tree(tree, member.name)
                    data = archive.extractfile(member).read() if member.isreg() else None
                    if member.islnk():
                        data = tree[member.linkname][1]
                    tree[member.name] = (member, data)
        return tree

    def read(self, path):
        return self.files()[path][1]

    def member(self, path):
        return self.files()[path][0]


def remove_tree(tree, path):
    for name in [n for n in tree if n == path or n.startswith(path + "/")]:
        del tree[name]


def decompress(blob):
    if blob[:2] == b"\x1f\x8b":
        return gzip.decompress(blob)
    if blob[:4] == b"\x28\xb5\x2f\xfd":
        return subprocess.run(["zstd", "-dcq"], input=blob, capture_output=True, check=True).stdout
    return blob


def read_oci_blobs(blobs, index, tag=None):
    """blobs: digest -> bytes. Checks each descriptor on the way."""

    def load(descriptor):
        data = blobs(descriptor["digest"])
        assert sha256(data) == descriptor["digest"], "digest does not fit"
        assert len(data) == descriptor["size"], "size does not fit"
        return data

    entries = index["manifests"]
    if tag is not None:
        entries = [e for e in entries if tag in e.get("annotations", {}).values()]
    assert entries, f"no manifest for {tag!r} in {index}"
    descriptor = entries[-1]
    manifest = json.loads(load(descriptor))
    config = json.loads(load(manifest["config"]))
    layers = []
    for entry in manifest["layers"]:
        blob = load(entry)
        layers.append(Layer(blob, decompress(blob), entry["mediaType"]))
    names = [value for entry in entries for value in entry.get("annotations", {}).values()]
    return Image(config, layers, manifest, descriptor["digest"], index, names)


def read_oci_archive(path, tag=None):
    with tarfile.open(path) as archive:
        files = {m.name.removeprefix("./"): archive.extractfile(m).read() for m in archive if m.isreg()}
    assert json.loads(files["oci-layout"])["imageLayoutVersion"] == "1.0.0"
    index = json.loads(files["index.json"])
    return read_oci_blobs(lambda d: files["blobs/" + d.replace(":", "/")], index, tag)


def read_oci_layout(path, tag=None):
    def read(name):
        with open(os.path.join(path, name), "rb") as file:
            return file.read()

    assert json.loads(read("oci-layout"))["imageLayoutVersion"] == "1.0.0"
    return read_oci_blobs(lambda d: read("blobs/" + d.replace(":", "/")), json.loads(read("index.json")), tag)


def read_docker_archive(path):
    with tarfile.open(path) as archive:
        files = {}
        for member in archive:
            if member.isreg():
                files[member.name] = archive.extractfile(member).read()
            elif member.issym() or member.islnk():
                target = os.path.normpath(os.path.join(os.path.dirname(member.name), member.linkname))
                files[member.name] = files[target]
    (entry,) = json.loads(files["manifest.json"])
    layers = [Layer(files[name], decompress(files[name])) for name in entry["Layers"]]
    return Image(json.loads(files[entry["Config"]]), layers, entry, names=entry.get("RepoTags") or [])
