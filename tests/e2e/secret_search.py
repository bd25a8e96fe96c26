# SPDX-License-Identifier: MIT
"""Searches bytes and whole trees for a secret, without a line of the product's own code.

Looked at: file contents, names, link targets and extended attributes, raw and as base64 at its
three alignments, and the same again inside gzip and zstd streams and the tars within them.

As a program it prints the hits of a tree as JSON, so that it can run inside a user namespace that
can read what belongs to subordinate ids:  secret_search.py SECRET_HEX ROOT...
"""

import base64
import io
import json
import os
import pathlib
import stat
import subprocess
import sys
import tarfile
import zlib

MAX_DEPTH = 4


def forms_of(secret):
    """(name, bytes) of each form. The outer base64 characters depend on the neighbours: cut off."""
    forms = [("raw", secret)]
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + secret)
        head = (0, 2, 3)[shift]
        tail = (len(secret) + shift) % 3
        core = text[head : len(text) - (4 if tail else 0)]
        if len(core) >= 6:
            forms.append((f"base64 shift {shift}", core))
            forms.append((f"base64url shift {shift}", core.replace(b"+", b"-").replace(b"/", b"_")))
    return forms


def unpack(data):
    """The plain bytes of a gzip or zstd stream, or None. Broken streams give what could be read."""
    if data[:2] == b"\x1f\x8b":
        engine = zlib.decompressobj(31)
        try:
            return engine.decompress(data)
        except zlib.error:
            return None
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=False).stdout
    return None


def search_bytes(data, forms, where, depth=0):
    hits = [f"{where}: {name}" for name, needle in forms if needle in data]
    if depth >= MAX_DEPTH:
        return hits
    plain = unpack(data)
    if plain:
        hits += search_bytes(plain, forms, where + " (unpacked)", depth + 1)
    elif data[257:262] == b"ustar":
        # Raw bytes of a tar were searched above; its members may be compressed in their turn.
        try:
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                for member in tar:
                    stream = tar.extractfile(member) if member.isreg() else None
                    head = stream.read(4) if stream else b""
                    if head[:2] == b"\x1f\x8b" or head == b"\x28\xb5\x2f\xfd":
                        inner = head + stream.read()
                        hits += search_bytes(inner, forms, f"{where}!{member.name}", depth + 1)
        except tarfile.TarError:
            pass
    return hits


def search_entry(path, forms):
    info = os.lstat(path)
    hits = []
    if stat.S_ISLNK(info.st_mode):
        hits += search_bytes(os.fsencode(os.readlink(path)), forms, f"target of {path}", MAX_DEPTH)
    elif stat.S_ISREG(info.st_mode):
        with open(path, "rb") as file:
            hits += search_bytes(file.read(), forms, path)
    try:
        for name in os.listxattr(path, follow_symlinks=False):
            value = os.getxattr(path, name, follow_symlinks=False)
            hits += search_bytes(os.fsencode(name) + b"=" + value, forms, f"xattr of {path}", MAX_DEPTH)
    except OSError:
        pass
    return hits


def is_of_others(path):
    """Of an id that is not the user's and none of its subordinate ones: nothing of the user's builds."""
    overflow = int(pathlib.Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))
    return os.geteuid() == 0 and os.lstat(path).st_uid == overflow


def search_tree(root, secret):
    """Every place below root (a file or folder) that holds the secret; what vanishes is passed over."""
    forms = forms_of(secret)
    root = os.fspath(root)
    paths = [root]
    for folder, folders, files in os.walk(root):
        paths += [os.path.join(folder, name) for name in folders + files]
    hits = []
    for path in paths:
        hits += search_bytes(os.fsencode(os.path.basename(path)), forms, f"name of {path}", MAX_DEPTH)
        try:
            hits += search_entry(path, forms)
        except FileNotFoundError:
            continue
        except PermissionError:
            if not is_of_others(path):
                raise
    return hits


def find_secret(secret, *roots):
    """search_tree over each root, as one who can read what belongs to the user's subordinate ids."""
    if os.geteuid() == 0:
        return [hit for root in roots for hit in search_tree(root, secret)]
    command = ["unshare", "--user", "--map-auto", "--map-root-user", "/usr/bin/python3", __file__, secret.hex()]
    done = subprocess.run(command + [os.fspath(r) for r in roots], capture_output=True, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    wanted = bytes.fromhex(sys.argv[1])
    json.dump([hit for root in sys.argv[2:] for hit in search_tree(root, wanted)], sys.stdout)
