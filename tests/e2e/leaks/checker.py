# SPDX-License-Identifier: MIT
"""The independent checker: finds values in bytes, files and whole trees, in any form.

It has not a line of the product's code, and goes the other way: where the product looks for each
form of a value, this undoes every encoding and opens every archive, and looks for the value itself.
Names, link targets and extended attributes are looked at like contents.

As a program it reads orders from standard input, a line each: {"roots": […], "values": {id: [text,
…]}, "only_new": …}, and answers each with a line [[id, where], …], so that it can run where it can
read what belongs to subordinate ids.
"""

import base64
import bz2
import hashlib
import io
import json
import lzma
import os
import re
import stat
import struct
import subprocess
import sys
import tarfile
import urllib.parse
import zipfile
import zlib

MAX_PACKED_DEPTH = 6
MAX_PLAIN = 64 << 20
# Encodings in encodings (JSON in JSON, base64 of base64): up to how many bytes at each depth.
MAX_WRITTEN = (1 << 40, 256 << 10, 64 << 10)
MAX_TEXT = 16 << 20  # programs have hardly any escapes
HEAD_BYTES = 4
ALL_ELSE = "(headers and what is between)"

BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{11,}")
LINE_END = re.compile(rb"(?:\r?\n|\\r\\n|\\n|\\\n)[ \t]*")
HEX_RUN = re.compile(rb"[0-9a-fA-F]{16,}")
HEX_MARK = re.compile(rb"\\x|0x|[ :,]")
ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{1,3})|([^ux0-7]))", re.DOTALL)
ENTITY = re.compile(rb"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));")
NAMED = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
LETTER = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"\n": b""}


def character(number):
    return chr(number).encode("utf-8", "replace") if number < 0x110000 else b"?"


def unescaped(match):
    unicode, hexadecimal, octal, letter = match.groups()
    if unicode:
        return character(int(unicode, 16))
    if hexadecimal or octal:
        return bytes([(int(hexadecimal, 16) if hexadecimal else int(octal, 8)) & 255])
    return LETTER.get(letter, letter)


def from_entity(match):
    hexadecimal, decimal, name = match.groups()
    if name:
        return NAMED[name]
    return character(int(hexadecimal, 16) if hexadecimal else int(decimal))


def decoded_base64(data):
    """All that base64 could be anywhere, at each of the four phases, one after the other."""
    found = []
    for run in BASE64_RUN.findall(data):
        run = run.translate(bytes.maketrans(b"-_", b"+/"))
        for phase in range(4):
            part = run[phase:]
            part = part[: len(part) - (len(part) % 4 == 1)]
            found.append(base64.b64decode(part + b"=" * (-len(part) % 4)))
    return b"\0\0".join(found)


def decoded_hex(data):
    found = []
    for run in HEX_RUN.findall(data):
        for phase in (0, 1):
            part = run[phase:]
            found.append(bytes.fromhex(part[: len(part) & ~1].decode()))
    return b"\0\0".join(found)


def writings(data):
    """(name, bytes) of what the data says when an encoding is undone; nothing where there is none."""
    views = [("base64", decoded_base64(data)), ("hex", decoded_hex(data))]
    if b"\n" in data or b"\\n" in data:
        joined = LINE_END.sub(b"", data)
        views += [("base64 in lines", decoded_base64(joined)), ("hex in lines", decoded_hex(joined))]
    if b"\0" in data:
        views.append(("UTF-16", data.replace(b"\0", b"")))
        for order in ("utf-16-le", "utf-16-be"):
            for phase in (0, 1):
                wide = data[phase : phase + MAX_TEXT]
                views.append(("UTF-16", wide.decode(order, "ignore").encode("utf-8", "ignore")))
    if len(data) > MAX_TEXT:
        return views
    if b"%" in data:
        views.append(("percent", urllib.parse.unquote_to_bytes(data)))
        views.append(("percent", urllib.parse.unquote_to_bytes(data.replace(b"+", b" "))))
    if b"\\" in data:
        views.append(("escapes", ESCAPE.sub(unescaped, data)))
    if b"'" in data:
        views.append(("quotes", data.replace(b"'\\''", b"'").replace(b"'\"'\"'", b"'")))
    if b"&" in data:
        views.append(("entities", ENTITY.sub(from_entity, data)))
    marks = HEX_MARK.sub(b"", data)
    if marks != data:
        views.append(("hex with marks", decoded_hex(marks)))
    return [(name, view) for name, view in views if view and view != data]


def inflate(data, start, window_bits):
    """What a deflate stream at `start` holds, also where it breaks off."""
    engine = zlib.decompressobj(window_bits)
    out = b""
    try:
        for at in range(start, len(data), 1 << 16):
            out += engine.decompress(data[at : at + (1 << 16)], MAX_PLAIN)
            if engine.eof or len(out) > MAX_PLAIN:
                break
    except zlib.error:
        pass
    return out, engine.unused_data


def by_engine(engine, data):
    out = b""
    try:
        for at in range(0, len(data), 1 << 16):
            out += engine.decompress(data[at : at + (1 << 16)], MAX_PLAIN)
            if engine.eof or len(out) > MAX_PLAIN:
                break
    except (OSError, lzma.LZMAError, EOFError):
        pass
    return out


def unzstd(data):
    return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=False).stdout


def skippable(data):
    size = int.from_bytes(data[4:8], "little")
    return data[8 : 8 + size]


MAGIC = [
    ("gunzip", b"\x1f\x8b\x08", lambda data: inflate(data, 0, 31)[0]),
    ("bunzip2", b"BZh", lambda data: by_engine(bz2.BZ2Decompressor(), data)),
    ("unxz", b"\xfd7zXZ\0", lambda data: by_engine(lzma.LZMADecompressor(), data)),
    ("unzstd", b"\x28\xb5\x2f\xfd", unzstd),
]


def zip_members(data):
    """From local header to local header, so that neither a prefix nor a broken end hides one."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                yield info.filename, archive.read(info)
        return
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError):
        pass
    at = data.find(b"PK\x03\x04")
    while at >= 0:
        name_bytes, extra_bytes = (int.from_bytes(data[at + n : at + n + 2], "little") for n in (26, 28))
        yield "?", inflate(data, at + 30 + name_bytes + extra_bytes, -15)[0]
        at = data.find(b"PK\x03\x04", at + 4)


def pack_objects(data):
    at = 12
    for number in range(int.from_bytes(data[8:12], "big")):
        kind = data[at] >> 4 & 7
        while data[at] & 0x80:
            at += 1
        at += 1
        if kind == 6:
            while data[at] & 0x80:
                at += 1
            at += 1
        elif kind == 7:
            at += 20
        out, unused = inflate(data[at:], 0, 15)
        yield f"object {number}", out
        at = len(data) - len(unused) if unused else at + len(zlib.compress(out))


def tar_members(data):
    """Contents one by one, and all that lies between them."""
    between, end = [], 0
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            if member.isreg():
                stop = member.offset_data + member.size
                yield member.name, data[member.offset_data : stop]
                between.append(data[end : member.offset_data])
                end = stop
    yield ALL_ELSE, b"\0".join(between) + b"\0" + data[end:]


def contents(data):
    """(name, bytes) of what is packed in the data; up to where it is no such thing."""
    try:
        yield from packed(data)
    except (IndexError, EOFError, ValueError, RuntimeError, NotImplementedError, OSError, zlib.error, struct.error):
        pass


def packed(data):
    if data[257:262] == b"ustar":
        try:
            yield from tar_members(data)
            return
        except tarfile.TarError:
            pass
    for name, magic, unpack in MAGIC:
        at = data.find(magic)
        while at >= 0:
            yield name, unpack(data[at:])
            at = data.find(magic, at + len(magic))
    if b"PK\x03\x04" in data:
        yield from zip_members(data)
    if data[:4] == b"PACK":
        yield from pack_objects(data)
    if data[:1] == b"\x78":
        yield "zlib", inflate(data, 0, 15)[0]
    if data[1:4] == b"\x2a\x4d\x18":
        yield "skippable", skippable(data)


class Checker:
    """values: id -> texts of which none may be anywhere."""

    def __init__(self, values, seen=None):
        self.of_text = {}
        for key, texts in values.items():
            for text in texts:
                self.of_text.setdefault(text if isinstance(text, bytes) else text.encode(), key)
        self.by_head = {}
        for text in self.of_text:
            assert len(text) >= HEAD_BYTES
            self.by_head.setdefault(text[:HEAD_BYTES], []).append(text)
        self.heads = re.compile(b"|".join(map(re.escape, self.by_head))) if self.by_head else None
        self.hits = []
        self.seen = set() if seen is None else seen

    def look(self, data, where):
        if not self.heads:
            return
        for match in self.heads.finditer(data):
            for text in self.by_head[match.group()]:
                if data.startswith(text, match.start()):
                    self.hits.append((self.of_text[text], where))

    def search(self, data, where, packed_depth=0):
        """Bytes and all that is in them; the same bytes are not searched twice."""
        key = hashlib.sha256(data).digest()
        if key in self.seen:
            return
        self.seen.add(key)
        inside = list(contents(data)) if packed_depth < MAX_PACKED_DEPTH else []
        if not inside or inside[-1][0] != ALL_ELSE:
            self.search_written(data, where, 0)
        for name, inner in inside:
            self.search(inner, f"{where} > {name}", packed_depth + 1)

    def search_written(self, view, where, depth):
        self.look(view, where)
        if depth < len(MAX_WRITTEN) and len(view) <= MAX_WRITTEN[depth]:
            for name, inner in writings(view):
                self.search_written(inner, f"{where} > {name}", depth + 1)

    def search_file(self, path, info):
        self.search(os.fsencode(os.path.basename(path)), f"name of {path}")
        if stat.S_ISLNK(info.st_mode):
            self.search(os.fsencode(os.readlink(path)), f"target of {path}")
        elif stat.S_ISREG(info.st_mode):
            with open(path, "rb") as file:
                self.search(file.read(), path)
        try:
            for name in os.listxattr(path, follow_symlinks=False):
                value = os.getxattr(path, name, follow_symlinks=False)
                self.search(os.fsencode(name) + b"=" + value, f"attribute of {path}")
        except OSError:
            pass

    def search_tree(self, root, is_wanted=lambda path, info: True):
        """A file or a folder; what vanishes meanwhile is passed over."""
        root = os.fspath(root)
        paths = [root]
        for folder, folders, files in os.walk(root):
            paths += [os.path.join(folder, name) for name in folders + files]
        for path in paths:
            try:
                info = os.lstat(path)
                if is_wanted(path, info):
                    self.search_file(path, info)
            except FileNotFoundError:
                continue


def find(values, data, where="output"):
    """The hits in bytes."""
    checker = Checker(values)
    checker.search(data, where)
    return checker.hits


class TreeChecker:
    """Searches trees as one who can read what belongs to the user's subordinate ids."""

    def __init__(self):
        prefix = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-auto", "--map-root-user"]
        command = [*prefix, "/usr/bin/python3", __file__]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def find(self, values, roots, only_new=False):
        """only_new leaves out what this checker saw before: files as they were, and the same bytes
        elsewhere. They can't hold a value that nobody had before."""
        roots = [os.fspath(root) for root in roots if os.path.lexists(root)]
        order = {"roots": roots, "values": values, "only_new": only_new}
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the checker ended"
        return [tuple(hit) for hit in json.loads(answer)]

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


def find_in_trees(values, roots):
    trees = TreeChecker()
    try:
        return trees.find(values, roots)
    finally:
        trees.close()


def main():
    states, seen = {}, set()

    def is_new(path, info):
        state = (info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        was, states[path] = states.get(path), state
        return was != state

    for line in sys.stdin:
        order = json.loads(line)
        checker = Checker(order["values"], seen if order["only_new"] else None)
        for root in order["roots"]:
            checker.search_tree(root, lambda *it: is_new(*it) or not order["only_new"])
        print(json.dumps(checker.hits), flush=True)


if __name__ == "__main__":
    main()
