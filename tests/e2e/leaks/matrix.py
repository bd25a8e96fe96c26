# SPDX-License-Identifier: MIT
"""An image by hand that has every form of a secret in every place where an image can hold bytes."""

import base64
import functools
import gzip
import hashlib
import io
import json
import os
import re
import tarfile

from image_make import ARCHITECTURE
from leaks import forms, packers

BASE = "application/vnd.oci.image."
BORDERS = (64 << 10, 128 << 10, 1 << 20)


class Written:
    """One form of a value, at one alignment; the secret is its own, so that its id tells what was found."""

    def __init__(self, form, shift):
        slug = re.sub(r"[^a-z0-9]+", "-", form.name.lower()).strip("-")
        self.id = f"{forms.FORMS.index(form)}-{shift}-{slug}"
        self.value = form.of(f"matrix {form.name} {shift}")
        self.data = form.write(self.value, shift)
        self.reported = form.reported

    @property
    def text(self):
        """None where JSON and names can't hold it."""
        try:
            return None if b"\0" in self.data else self.data.decode()
        except UnicodeDecodeError:
            return None


ALL = [Written(form, shift) for form in forms.FORMS for shift in (range(3) if form.is_aligned else (0,))]
TEXTS = [w for w in ALL if w.text]
LINES = [w for w in TEXTS if "\n" not in w.text]
JOINED = b"\0\0".join(b" %s " % w.data for w in ALL)


# Tars, byte by byte: tarfile would refuse, or mend, what is asked for here.


def header(name, size, kind=b"0", link=b"", owner=b""):
    block = bytearray(512)
    for at, field in (
        (0, name),
        (100, b"0000644\0" b"0000000\0" b"0000000\0" + b"%011o\0" % size + b"%011o\0" % 0),
        (148, b"        "),
        (156, kind),
        (157, link),
        (257, b"ustar\x0000"),
        (265, owner),
    ):
        block[at : at + len(field)] = field
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def member(name, data=b"", records=(), **more):
    """A file; PAX records where there are any, padding of zeros."""
    out = b""
    if records:
        body = b"".join(record(key, value) for key, value in records)
        out += header(b"PaxHeaders/x", len(body), b"x") + padded(body)
    return out + header(name, len(data), **more) + padded(data)


def record(key, value):
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def padded(data):
    return data + b"\0" * (-len(data) % 512)


END = b"\0" * 1024


def contents():
    return b"".join(member(b"content/" + w.id.encode(), b"key: " + w.data + b"\n") for w in ALL) + END


def borders():
    """Cut by the border after the first byte, in the middle, and before the last byte."""
    out = []
    for border in BORDERS:
        for name, share in (("first", 0.0), ("middle", 0.5), ("last", 1.0)) if border < 1 << 20 else (("middle", 0.5),):
            for w in ALL:
                before = min(max(int(len(w.data) * share), 1), len(w.data) - 1)
                data = b"\0" * (border - before) + w.data + b"\0"
                out.append(member(b"border/%d-%s/%s" % (border, name.encode(), w.id.encode()), data))
    return b"".join(out) + END


def names():
    return b"".join(member(b"x", records=[(b"path", b"name/" + w.data + b"/" + w.id.encode())]) for w in TEXTS) + END


def targets():
    return b"".join(member(b"target/" + w.id.encode(), records=[(b"linkpath", b"/x/" + w.data)], kind=b"2") for w in TEXTS) + END


def attributes():
    return b"".join(member(b"attribute/" + w.id.encode(), records=[(b"SCHILY.xattr.user.x", w.data)]) for w in ALL) + END


def attribute_names():
    """The key ends at the first "="."""
    return b"".join(member(b"attribute/" + w.id.encode(), records=[(b"SCHILY.xattr.user." + w.data, b"1")]) for w in LINES if b"=" not in w.data) + END


def comments():
    return b"".join(member(b"comment/" + w.id.encode(), records=[(b"comment", w.data)]) for w in ALL) + END


def global_comments():
    body = b"".join(record(b"comment", w.data) for w in ALL)
    return header(b"pax_global_header", len(body), b"g") + padded(body) + member(b"f") + END


def paddings():
    """Behind the last byte of a file, up to the end of its block."""
    out = []
    for w in ALL:
        data = b"k" * max(1, 512 - len(w.data) - 2)
        out.append(header(b"padding/" + w.id.encode(), len(data)) + (data + b" " + w.data).ljust(512, b"\0")[:512])
        assert len(data) + 1 + len(w.data) <= 512
    return b"".join(out) + END


def tail():
    return member(b"f", b"1") + END + JOINED


def owners():
    """The name of an owner has room for a raw token only."""
    return b"".join(member(b"owner/" + w.id.encode(), owner=w.data) for w in ALL if len(w.data) <= 32) + END


def deleted():
    return b"".join(member(b"content/.wh." + w.id.encode()) for w in ALL) + END


PACKED = {name: pack for name, pack in packers.PACKERS.items() if name != "sqlite"}


def packed():
    out = []
    for name, pack in PACKED.items():
        out.append(member(b"packed/" + name.encode(), pack(JOINED + b"\n")))
    return b"".join(out) + END


def labelled():
    zstd = functools.lru_cache(maxsize=None)(packers.zstd)
    packers.zstd, kept = zstd, packers.zstd
    try:
        out = [
            member(b"labelled/" + w.id.encode() + b"/" + name.encode(), pack(w.data))
            for name, pack in packers.LABELLED.items()
            for w in LINES
        ]
    finally:
        packers.zstd = kept
    return b"".join(out) + END


TARS = {
    "content": contents,
    "border": borders,
    "name": names,
    "target": targets,
    "attribute": attributes,
    "attribute name": attribute_names,
    "comment": comments,
    "global comment": global_comments,
    "padding": paddings,
    "tail": tail,
    "owner": owners,
    "packed": packed,
    "labelled": labelled,
    "deleted": deleted,
}


# Blobs: how a layer is packed can hold bytes, too.


def in_gzip_comment(tar):
    return packers.gzip_with_header(data=tar, comment=b"\n".join(w.data for w in ALL if b"\0" not in w.data))


def in_gzip_extra(tar):
    return packers.gzip_with_header(data=tar, extra=JOINED)


def in_skippable_frame(tar):
    return packers.zstd_skippable(JOINED)[: 8 + len(JOINED)] + packers.zstd(tar)


def behind_the_stream(tar):
    return gzip.compress(tar) + JOINED


PLAIN_TAR = member(b"f", b"1") + END
BLOBS = {
    "gzip comment": in_gzip_comment,
    "gzip extra": in_gzip_extra,
    "skippable frame": in_skippable_frame,
    "behind the stream": behind_the_stream,
}


def config(diff_ids):
    texts = [w.text for w in TEXTS]
    return {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "author": "author " + " \n ".join(texts),
        "config": {
            "Env": ["PATH=/bin", *[f"E{n}={text}" for n, text in enumerate(texts)]],
            "Cmd": ["run", *texts],
            "Entrypoint": ["run", *texts],
            "Labels": {f"l{n}": text for n, text in enumerate(texts)},
            "Volumes": {"/" + text: {} for text in texts},
            "OnBuild": ["RUN : " + text for text in texts],
            "Shell": ["sh", *texts],
            "Healthcheck": {"Test": ["CMD", *texts]},
            "WorkingDir": "/" + "/".join(texts),
        },
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created_by": "RUN : " + text, "empty_layer": True, "comment": "c"} for text in texts]
        + [{"created_by": f"layer {n}"} for n in range(len(diff_ids))],
        "unknown key": {"deeper": texts},
    }


def annotations(prefix):
    return {f"{prefix}.{n}": w.text for n, w in enumerate(TEXTS)}


class Layout:
    """Files of an image layout: name -> bytes."""

    def __init__(self):
        self.files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def add(self, data, media_type, **more):
        digest = hashlib.sha256(data).hexdigest()
        self.files["blobs/sha256/" + digest] = data
        return {"mediaType": BASE + media_type, "digest": "sha256:" + digest, "size": len(data), **more}

    def add_json(self, value, media_type, **more):
        return self.add(json.dumps(value, ensure_ascii=False).encode(), media_type, **more)

    def index(self, manifests, **more):
        value = {"schemaVersion": 2, "mediaType": BASE + "index.v1+json", "manifests": manifests, **more}
        self.files["index.json"] = json.dumps(value, ensure_ascii=False).encode()

    def write(self, folder):
        for name, data in self.files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
        return folder

    def archive(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name, data in self.files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return out.getvalue()


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def statement():
    """An attestation with the value in a build argument, as others write them."""
    return {"predicate": {"buildArgs": {f"A{n}": w.text for n, w in enumerate(TEXTS)}}}


@functools.lru_cache(maxsize=None)
def image():
    """The layout, and the places in the order of the layers."""
    layout = Layout()
    layers, diff_ids, places = [], [], []

    def add_layer(place, blob, tar, media_type, **more):
        places.append(place)
        layers.append(layout.add(blob, media_type, **more))
        diff_ids.append(sha256(tar))

    for place, make in TARS.items():
        tar = make()
        add_layer(place, gzip.compress(tar, 1, mtime=0), tar, "layer.v1.tar+gzip")
    for place, pack in BLOBS.items():
        media_type = "layer.v1.tar+zstd" if "frame" in place else "layer.v1.tar+gzip"
        add_layer(place, pack(PLAIN_TAR), PLAIN_TAR, media_type)
    layers[-1]["annotations"] = annotations("layer")
    manifest = {
        "schemaVersion": 2,
        "mediaType": BASE + "manifest.v1+json",
        "config": layout.add_json(config(diff_ids), "config.v1+json"),
        "layers": layers,
        "annotations": annotations("manifest"),
    }
    layout.add(b"stray\n" + JOINED, "layer.v1.tar")
    layout.add(gzip.compress(packers.tar(JOINED)), "layer.v1.tar")
    entry = layout.add_json(manifest, "manifest.v1+json", annotations={"org.opencontainers.image.ref.name": "1", **annotations("entry")})
    in_toto = layout.add_json(statement(), "layer.v1.tar")
    in_toto["mediaType"] = "application/vnd.in-toto+json"
    attestation = layout.add_json({"schemaVersion": 2, "mediaType": BASE + "manifest.v1+json", "config": layout.add(b"{}", "config.v1+json"), "layers": [in_toto]}, "manifest.v1+json")
    attestation["platform"] = {"architecture": "unknown", "os": "unknown"}
    attestation["annotations"] = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": entry["digest"]}
    attestation["data"] = base64.b64encode(layout.files["blobs/sha256/" + attestation["digest"][7:]]).decode()
    layout.index([entry, attestation], annotations=annotations("index"))
    return layout, places
