# SPDX-License-Identifier: MIT
"""Archives and packed files of every kind that a build leaves behind, made without the product."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import pathlib
import sqlite3
import subprocess
import tarfile
import tempfile
import zipfile
import zlib

from image_make import add_file, add_link

FILLER = b"some text that nobody minds, to be packed with it\n" * 40


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, capture_output=True, check=True).stdout


def tar(data, name="inner/file", **member):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        add_file(archive, "README", FILLER)
        add_file(archive, name, data, **member)
        add_file(archive, "last", FILLER)
    return out.getvalue()


def tar_of_link(target):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        add_link(archive, "inner/link", target)
    return out.getvalue()


def zipped(data, name="inner/file", method=zipfile.ZIP_DEFLATED, prefix=b"", comment=b""):
    out = io.BytesIO()
    out.write(prefix)
    with zipfile.ZipFile(out, "a", method) as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        archive.writestr(name, data)
        archive.comment = comment
    return out.getvalue()


def ar(members):
    out = b"!<arch>\n"
    for name, data in members.items():
        out += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name.encode(), 0, 0, 0, b"100644", len(data))
        out += data + b"\n" * (len(data) % 2)
    return out


def deb(data):
    control = gzip.compress(tar(b"Package: x\n", "control"))
    return ar({"debian-binary": b"2.0\n", "control.tar.gz": control, "data.tar.xz": lzma.compress(tar(data))})


def cpio(data, name="inner/file"):
    """newc"""
    out = b""
    for number, (member, content) in enumerate([(name, data), ("TRAILER!!!", b"")]):
        fields = [number, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(member) + 1, 0]
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + member.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + content
        out += b"\0" * (-len(out) % 4)
    return out


def gzip_with_header(comment=b"", name=b"", extra=b"", data=FILLER):
    flags = (16 if comment else 0) | (8 if name else 0) | (4 if extra else 0)
    out = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\x03"
    if extra:
        out += (len(extra) + 4).to_bytes(2, "little") + b"AP" + len(extra).to_bytes(2, "little") + extra
    out += name + b"\0" if name else b""
    out += comment + b"\0" if comment else b""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    out += engine.compress(data) + engine.flush()
    return out + zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")


def zstd_skippable(data):
    return (0x184D2A50).to_bytes(4, "little") + len(data).to_bytes(4, "little") + data + zstd(FILLER)


def loose_object(data):
    return zlib.compress(b"blob %d\0" % len(data) + data)


def pack(data):
    """A git pack of two blobs, no deltas."""
    out = b"PACK" + (2).to_bytes(4, "big") + (2).to_bytes(4, "big")
    for content in (FILLER, data):
        size, kind = len(content), 3
        first = kind << 4 | size & 15
        size >>= 4
        while size:
            out += bytes([first | 0x80])
            first = size & 0x7F
            size >>= 7
        out += bytes([first]) + zlib.compress(content)
    return out + hashlib.sha1(out).digest()


def git_repository(data, is_packed):
    """The files of a real .git folder: name -> bytes."""
    environment = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null", HOME="/nonexistent")
    names = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    with tempfile.TemporaryDirectory() as folder:

        def git(*args):
            subprocess.run(["git", "-C", folder, *names, *args], env=environment, check=True, capture_output=True)

        path = pathlib.Path(folder)
        git("init", "-q")
        (path / "settings").write_bytes(FILLER + data + FILLER)
        git("add", ".")
        git("commit", "-q", "-m", "one")
        (path / "settings").write_bytes(FILLER * 2)
        git("commit", "-q", "-a", "-m", "removed what should not be there")
        if is_packed:
            git("gc", "-q", "--aggressive", "--prune=now")
        files = [p for p in (path / ".git").rglob("*") if p.is_file() and "hooks" not in p.parts]
        return {str(p.relative_to(path)): p.read_bytes() for p in files}


def sqlite(data):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "db"
        with sqlite3.connect(path) as database:
            database.execute("create table settings (name text, value text)")
            database.execute("insert into settings values ('token', ?)", (data.decode(),))
        database.close()
        return path.read_bytes()


def docker_archive(data):
    """An image in the image."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        add_file(archive, "abc/layer.tar", tar(data))
        add_file(archive, "manifest.json", json.dumps([{"Config": "c.json", "Layers": ["abc/layer.tar"]}]).encode())
        add_file(archive, "c.json", b"{}")
    return out.getvalue()


def padded(data):
    return FILLER + data + b"\n" + FILLER


PACKERS = {
    "gzip": lambda d: gzip.compress(padded(d)),
    "gzip, second member": lambda d: gzip.compress(FILLER) + gzip.compress(padded(d)),
    "bzip2": lambda d: bz2.compress(padded(d)),
    "xz": lambda d: lzma.compress(padded(d)),
    "zstd": lambda d: zstd(padded(d)),
    "zstd, second frame": lambda d: zstd(FILLER) + zstd(padded(d)),
    "zip": lambda d: zipped(padded(d)),
    "zip, not packed": lambda d: zipped(d, method=zipfile.ZIP_STORED),
    "zip with bzip2": lambda d: zipped(padded(d), method=zipfile.ZIP_BZIP2),
    "zip with lzma": lambda d: zipped(padded(d), method=zipfile.ZIP_LZMA),
    "zip behind a line for the shell": lambda d: zipped(padded(d), prefix=b"#!/usr/bin/env python3\n"),
    "wheel": lambda d: zipped(b"TOKEN = '" + d + b"'\n" + FILLER, "package/settings.py"),
    "jar in a war": lambda d: zipped(zipped(padded(d), "a/app.properties"), "WEB-INF/lib/app.jar"),
    "jar in a war in a deb": lambda d: deb(zipped(zipped(padded(d), "a/app.properties"), "WEB-INF/lib/app.jar")),
    "tar": tar,
    "tar.gz": lambda d: gzip.compress(tar(d)),
    "tar.bz2": lambda d: bz2.compress(tar(d)),
    "tar.xz": lambda d: lzma.compress(tar(d)),
    "tar.zst": lambda d: zstd(tar(d)),
    "tar.gz in tar.gz": lambda d: gzip.compress(tar(gzip.compress(tar(d)))),
    "tar.gz in a zip in a tar.xz": lambda d: lzma.compress(tar(zipped(gzip.compress(tar(d))))),
    "gzip of gzip of gzip": lambda d: gzip.compress(gzip.compress(gzip.compress(padded(d)))),
    "deb": deb,
    "ar": lambda d: ar({"a.o": padded(d)}),
    "ar of gzip": lambda d: ar({"a.gz": gzip.compress(padded(d))}),
    "cpio.gz": lambda d: gzip.compress(cpio(padded(d))),
    "cpio of gzip": lambda d: cpio(gzip.compress(padded(d))),
    "git object": lambda d: loose_object(padded(d)),
    "git pack": lambda d: pack(padded(d)),
    "image in the image": docker_archive,
    "gzip that breaks off": lambda d: gzip.compress(d + os.urandom(4096))[:-1000],
    "sqlite": sqlite,
}
# Where an archive names things: the text itself may not be just any bytes.
LABELLED = {
    "comment of a gzip file": lambda d: gzip_with_header(comment=d),
    "name in a gzip file": lambda d: gzip_with_header(name=d),
    "extra field of a gzip file": lambda d: gzip_with_header(extra=d),
    "skippable frame of a zstd file": zstd_skippable,
    "comment of a zip file": lambda d: zipped(FILLER, comment=d),
    "name in a zip file in a gzip file": lambda d: gzip.compress(zipped(FILLER, name="a-" + d.decode())),
    "name in a tar.gz": lambda d: gzip.compress(tar(FILLER, name="a-" + d.decode())),
    "long name in a tar.gz": lambda d: gzip.compress(tar(FILLER, name="a/" * 90 + d.decode())),
    "target of a link in a tar.gz": lambda d: gzip.compress(tar_of_link("/a-" + d.decode())),
    "PAX comment in a tar.gz": lambda d: gzip.compress(tar(FILLER, pax={"comment": d.decode()})),
    "attribute in a tar.gz": lambda d: gzip.compress(tar(FILLER, pax={"SCHILY.xattr.user.x": d.decode()})),
}
