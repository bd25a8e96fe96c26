# SPDX-License-Identifier: MIT
"""Ctrl-C in the middle of something long: it ends at once, and leaves nothing.

What is interrupted would take minutes, or wait for ever, so that the bound says "stopped", not "fast".
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tarfile
import tempfile
import termios
import threading
import time

import pytest

import image_make
import processes
from conftest import IS_ROOT, need_program

BOUND_S = 5
GIB = 1 << 30
STATUS = 128 + signal.SIGINT


def leftovers(fresh):
    """What running builds and half-written blobs have in the store, and temporary files."""
    patterns = ["tmp/*", "snapshots/*/builds/*"]
    if IS_ROOT:
        found = [path for pattern in patterns for path in fresh.store.glob(pattern)]
    else:
        script = 'cd "$1" && for f in tmp/* snapshots/*/builds/*; do [ -e "$f" ] && echo "$f"; done; true'
        command = ["unshare", "--user", "--map-auto", "--map-root-user", "sh", "-c", script, "sh", fresh.store]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return [str(path) for path in found] + [str(path) for path in fresh.tmp.iterdir()]


@contextlib.contextmanager
def started(fresh, *args):
    process = fresh.start(*args)
    lines = []

    def read():
        for line in process.stderr:
            lines.append(line.decode(errors="replace"))

    reader = threading.Thread(target=read)
    reader.start()
    process.seen = lambda text: any(text in line for line in list(lines))
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
        process.stderr.close()
        process.lines = lines


def interrupt(fresh, args, when, delay=0.1):
    """Runs it, waits until when(process), sends SIGINT, and looks at how it ends."""
    with started(fresh, *args) as process:
        assert processes.wait_until(lambda: when(process) or process.poll() is not None, 20), "it does not get there"
        time.sleep(delay)
        assert process.poll() is None, "it ended before it was interrupted"
        os.kill(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(BOUND_S)
        is_ended = process.poll() is not None
    assert is_ended, "".join(process.lines)
    assert process.returncode == STATUS, "".join(process.lines)
    assert leftovers(fresh) == [], "".join(process.lines)


def zeros_tar(packer):
    """A tar with one file of 64 GiB of zeros, packed into a few MiB; its packed bytes."""
    info = tarfile.TarInfo("zeros")
    info.size = 64 * GIB
    head, zeros = info.tobuf(tarfile.GNU_FORMAT), packer(bytes(64 << 20))
    return packer(head) + zeros * 1024


def pack_zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def zeros_zst():
    need_program("zstd")
    return zeros_tar(pack_zstd)


def image_of_layer(folder, packed):
    """An OCI layout of one zstd layer; what the layer unpacks to is not looked at here."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    oci = "application/vnd.oci.image."
    layer = put(packed, oci + "layer.v1.tar+zstd")
    rootfs = {"type": "layers", "diff_ids": ["sha256:" + "1" * 64]}
    config = {"architecture": image_make.ARCHITECTURE, "os": "linux", "config": {}, "rootfs": rootfs}
    config = put(json.dumps(config).encode(), oci + "config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": oci + "manifest.v1+json", "config": config, "layers": [layer]}
    index = {"schemaVersion": 2, "manifests": [put(json.dumps(manifest).encode(), manifest["mediaType"])]}
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    return folder


def build_of(fresh, text, *args, files=None):
    context = fresh.context(files)
    (context / "Buildfile").write_text(text, encoding="utf-8")
    return ["build", "--progress=plain", *args, context], context


def test_while_a_base_layer_is_unpacked(fresh, zeros_zst):
    base = image_of_layer(fresh.folder / "base", zeros_zst)
    args, _ = build_of(fresh, "FROM base\n", "--build-context", f"base=oci-layout://{base}")
    interrupt(fresh, args, lambda process: process.seen("FROM base"), 0.3)


def test_while_an_archive_is_added(fresh, zeros_zst):
    args, _ = build_of(fresh, "FROM scratch\nADD a.tar.zst /\n", files={"a.tar.zst": zeros_zst})
    interrupt(fresh, args, lambda process: process.seen("ADD a.tar.zst"), 0.3)


def test_while_a_root_file_system_is_imported(fresh, zeros_zst):
    path = fresh.file("zeros.tar.zst", zeros_zst)
    interrupt(fresh, ["import", path, "zeros:1"], is_at_work, 0.3)


def test_while_an_import_waits_for_its_input(fresh):
    pipe = fresh.folder / "pipe"
    os.mkfifo(pipe)
    keeper = os.open(pipe, os.O_RDWR)
    try:
        os.write(keeper, image_make.make_tar({"a": "x"})[:1024])
        interrupt(fresh, ["import", pipe, "waits:1"], lambda process: is_empty(keeper))
    finally:
        os.close(keeper)


def is_at_work(process):
    """What it writes has no name before it is whole; but it takes time of a processor."""
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") >= 0.1


def is_empty(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0] == 0


@pytest.mark.parametrize("compression", ["gzip", "zstd", "uncompressed"])
def test_while_a_layer_is_written(fresh, compression):
    """A file of 64 GiB that is one hole: copied at once, and read for its layer for a minute."""
    option = f"type=oci,dest={fresh.folder}/out.tar,compression={compression}"
    args, context = build_of(fresh, "FROM scratch\nCOPY huge /\n", "-o", option, files={"huge": ""})
    os.truncate(context / "huge", 64 * GIB)
    interrupt(fresh, args, is_at_work, 0.2)
    assert list(fresh.folder.glob("out.tar*")) == []


def test_while_one_huge_file_is_copied(fresh):
    """On a tmpfs where there is one, whose files no copy shares the bytes of."""
    shm = "/dev/shm"
    beside = shm if os.path.isdir(shm) and shutil.disk_usage(shm).free > 2 * GIB else fresh.folder
    context = pathlib.Path(tempfile.mkdtemp(prefix="safebuild-e2e-", dir=beside))
    try:
        piece = os.urandom(32 << 20)
        with (context / "huge").open("wb") as file:
            for _ in range(32):
                file.write(piece)
        (context / "Buildfile").write_text("FROM scratch\nCOPY huge /\n", encoding="utf-8")
        args = ["build", "--progress=plain", context]
        interrupt(fresh, args, lambda process: process.seen("COPY huge"), 0.2)
    finally:
        shutil.rmtree(context)


@pytest.mark.parametrize("kind", ["oci", "docker", "tar"])
def test_while_an_output_is_taken_by_nobody(fresh, kind):
    """The reader of a pipe that has stopped reading."""
    pipe = fresh.folder / "pipe"
    os.mkfifo(pipe)
    keeper = os.open(pipe, os.O_RDWR)
    try:
        args, _ = build_of(fresh, "FROM busybox:1\nENV a=b\n", "-o", f"type={kind},dest={pipe}")
        interrupt(fresh, args, lambda process: process.seen("ENV a=b"), 0.5)
    finally:
        os.close(keeper)
