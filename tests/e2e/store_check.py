# SPDX-License-Identifier: MIT
"""Judges a store that nobody uses at the moment, without a line of the product's own code.

Every blob has the digest that it is named after; all that index.json leads to is there, with the right sizes, and
each layer is what its config says; unpacked layers and steps hold what their blobs hold; records and lists of files
are whole; and nothing is left of builds: no folder, lock, half-written file or unsearched cache.

As a program it prints what is wrong with the store at a path as JSON, so that it can run inside a user namespace
that can read what belongs to subordinate ids.
"""

import contextlib
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tarfile

HEX = re.compile(r"[0-9a-f]{64}")
STAT_HEADER = struct.Struct("=8sQ64s")
STAT_ENTRY = struct.Struct("=QQqqqQ64s")
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")


def hex_of(data):
    return hashlib.sha256(data).hexdigest()


def decompress(blob):
    if blob[:2] == b"\x1f\x8b":
        return gzip.decompress(blob)
    if blob[:4] == b"\x28\xb5\x2f\xfd":
        return subprocess.run(["zstd", "-dcq"], input=blob, capture_output=True, check=True).stdout
    return blob


class Store:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.wrong = []
        self.tars = {}  # hex of a diff_id -> tar

    def say(self, text):
        self.wrong.append(text)

    def names(self, *parts):
        with contextlib.suppress(FileNotFoundError):
            return sorted(os.listdir(self.path.joinpath(*parts)))
        return []

    def blob(self, digest):
        return (self.path / "blobs" / digest.replace(":", "/")).read_bytes()

    # The layout.

    def check_blobs(self):
        for name in self.names("blobs", "sha256"):
            data = self.blob("sha256:" + name)
            if not HEX.fullmatch(name):
                self.say(f"blobs/sha256/{name}: not the name of a blob")
            elif hex_of(data) != name:
                self.say(f"blob {name}: its content ({len(data)} bytes) has the digest {hex_of(data)}")
            else:
                tar = decompress(data)
                if tar[257:262] == b"ustar" or not tar.strip(b"\0"):
                    self.tars[hex_of(tar)] = tar

    def load(self, descriptor, where):
        try:
            data = self.blob(descriptor["digest"])
        except OSError as error:
            self.say(f"{where}: {descriptor['digest']}: {error.strerror}")
            return None
        if len(data) != descriptor["size"] or "sha256:" + hex_of(data) != descriptor["digest"]:
            self.say(f"{where}: {descriptor['digest']} has other content")
            return None
        return data

    def check_manifest(self, descriptor, where):
        data = self.load(descriptor, where)
        if data is None:
            return
        manifest = json.loads(data)
        where = f"{where} > {descriptor['digest'][7:19]}"
        if manifest.get("mediaType", descriptor.get("mediaType")) in INDEXES:
            for entry in manifest["manifests"]:
                self.check_manifest(entry, where)
            return
        config = self.load(manifest["config"], where)
        layers = [self.load(layer, where) for layer in manifest["layers"]]
        if config is None or None in layers:
            return
        diff_ids = ["sha256:" + hex_of(decompress(layer)) for layer in layers]
        wanted = json.loads(config).get("rootfs", {}).get("diff_ids", diff_ids)
        if wanted != diff_ids:
            self.say(f"{where}: the config's diff_ids are not the layers'")

    def check_layout(self):
        if json.loads((self.path / "oci-layout").read_bytes())["imageLayoutVersion"] != "1.0.0":
            self.say("oci-layout: another version")
        for entry in json.loads((self.path / "index.json").read_bytes())["manifests"]:
            self.check_manifest(entry, "index.json")

    # The cache.

    def read_record(self, name):
        """Its lines by word, or None where it is broken."""
        data = (self.path / "cache" / name).read_bytes()
        body, _, check = data.rpartition(b"check ")
        lines = [line.split(" ", 1) for line in body.decode(errors="replace").splitlines()]
        if check != f"sha256:{hex_of(body)}\n".encode() or lines[:2] != [["safebuild-cache", "1"], ["key", "sha256:" + name]]:
            return None
        return lines

    def check_files_list(self, name):
        data = (self.path / "cache" / name).read_bytes()
        magic, count, check = STAT_HEADER.unpack_from(data)
        body = data[STAT_HEADER.size :]
        if magic != b"sbstat1\n" or len(body) != count * STAT_ENTRY.size or hex_of(body).encode() != check:
            self.say(f"cache/{name}: broken")

    def check_cache(self):
        for name in self.names("cache"):
            if name.startswith("files-"):
                self.check_files_list(name)
            elif HEX.fullmatch(name):
                record = self.read_record(name)
                if record is None:
                    self.say(f"cache/{name}: a broken record")
                else:
                    self.check_step(dict(record))
            elif name not in ("locks", "secret.key"):
                self.say(f"cache/{name}: should not be there")
        for name in self.names("cache", "locks"):
            self.say(f"cache/locks/{name}: left")

    def check_step(self, record):
        if "state" not in record:
            return
        for folder in self.path.glob("snapshots/*/steps/" + record["state"][7:]):
            self.check_folder(folder, self.tars.get(record["diff-id"][7:]))

    # What is unpacked.

    def check_folder(self, folder, tar):
        """The files that the layer's tar has are in its folder, with that content."""
        if tar is None:
            return
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            for member in archive:
                path = folder / member.name
                if os.path.basename(member.name).startswith(".wh."):
                    continue
                if not os.path.lexists(path):
                    self.say(f"{folder}: {member.name} is missing")
                elif member.isreg() and (path.is_symlink() or not path.is_file()):
                    self.say(f"{folder}: {member.name} is no file")
                elif member.isreg() and path.read_bytes() != archive.extractfile(member).read():
                    self.say(f"{folder}: {member.name} has other content")

    def check_snapshots(self):
        for ids in self.names("snapshots"):
            for name in self.names("snapshots", ids, "builds"):
                self.say(f"builds/{name}: left")
            for name in self.names("snapshots", ids, "cache"):
                if ".unsearched." in name:
                    self.say(f"cache mount {name}: not searched")
            for name in self.names("snapshots", ids, "layers"):
                self.check_folder(self.path / "snapshots" / ids / "layers" / name, self.tars.get(name))

    def check_left(self):
        for name in self.names("tmp"):
            self.say(f"tmp/{name}: left")
        for folder, _, files in os.walk(self.path):
            if "/snapshots/" not in folder + "/":
                for name in files:
                    if name.startswith(".tmp"):
                        self.say(f"{folder}/{name}: left")

    def check(self):
        for part in (self.check_blobs, self.check_layout, self.check_cache, self.check_snapshots, self.check_left):
            try:
                part()
            except (OSError, ValueError, KeyError, EOFError, struct.error, tarfile.TarError) as error:
                self.say(f"{part.__name__}: {type(error).__name__}: {error}")
        return self.wrong


def wrong_with(store, prefix=None):
    """What is wrong with the store, as lines; none is as it should be. prefix: how to get where it can be read."""
    if os.geteuid() == 0 and prefix is None:
        return Store(store).check()
    command = [*(prefix or ["unshare", "--user", "--map-auto", "--map-root-user"]), "/usr/bin/python3", __file__, os.fspath(store)]
    done = subprocess.run(command, capture_output=True, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    json.dump(Store(sys.argv[1]).check(), sys.stdout)
