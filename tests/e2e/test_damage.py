# SPDX-License-Identifier: MIT
"""Disks that are full or can't be written, clocks that jump, bytes that flip: the next build gives the same image, or
says what is wrong and what mends it, and nothing corrupt leaves the store.

SB_TEST_SEED and SB_TEST_FAULTS are as in test_faults.py."""

import json
import os
import pathlib
import random
import re
import subprocess
import time

import pytest

import image_read
import store_check
from conftest import IS_ROOT, Safebuild, import_bases, remove_tree
from disturbed import EPOCH, IS_WHOLE, SEED, Built, built, digest_of, own_orphans  # noqa: F401 (fixtures)

YEAR_S = 365 * 86400
AS_ROOT = [] if IS_ROOT else ["unshare", "--user", "--map-auto", "--map-root-user"]


# A disk that is full, or can't be written.


@pytest.fixture
def disk(session_folder, rootfs):
    """A folder with a namespace in which a file system of this size is on it: disk(size) -> Safebuild with its store there."""
    holders = []

    def mount(size):
        folder = session_folder / f"disk-{len(holders)}-{os.getpid()}"
        (folder / "mnt").mkdir(parents=True)
        flags = ["-m"] if IS_ROOT else ["-U", "-r", "-m"]
        script = f"mount -t tmpfs -o size={size} none {folder}/mnt && echo ready && exec sleep 1000"
        holder = subprocess.Popen(["unshare", *flags, "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        holders.append((holder, folder))
        assert holder.stdout.readline() == b"ready\n", holder.stderr.read()
        enter = ["nsenter", "-t", str(holder.pid), *([] if IS_ROOT else ["-U", "--preserve-credentials"]), "-m"]
        sb = Safebuild(folder / "outside", enter)
        sb.store = folder / "mnt" / "store"
        sb.shell = lambda text: subprocess.run([*enter, "sh", "-c", text, folder / "mnt"], check=True, capture_output=True, text=True).stdout
        return sb

    yield mount
    for holder, folder in holders:
        holder.kill()
        holder.communicate()
        remove_tree(folder)


BIG = """FROM busybox:1
RUN cat /bin/busybox /bin/busybox >/a
RUN cat /a >/b; cat /bin/busybox >>/b
"""


@pytest.mark.parametrize("size", ["5m", "7m", "11m", "17m"])
def test_a_full_disk(disk, rootfs, size):
    """Wherever it is that room ends: it is said with what makes some, which then is enough."""
    sb = disk(size)
    import_bases(sb, rootfs)
    context = sb.context({"Buildfile": BIG})
    target = sb.folder / "image.tar"
    build = ["build", "--progress=plain", EPOCH, f"--output=type=oci,dest={target}", context]
    result = sb(*build, check=None)
    assert result.status in (1, 3) and "safebuild prune" in result.err, repr(result)
    assert "No space left on device" in result.err or "is full" in result.err
    assert "did you mean" not in result.err
    assert not target.exists()
    assert "freed" in sb("prune", "--all").out
    sb.shell("mount -o remount,size=80m none $0")
    sb(*build)
    assert image_read.read_oci_archive(target).read("b") == pathlib.Path("/bin/busybox").read_bytes() * 3
    assert store_check.wrong_with(sb.store, sb.prefix) == []


def test_prune_on_a_disk_with_no_room_at_all(disk, rootfs):
    """Neither a block nor a file."""
    sb = disk("60m")
    import_bases(sb, rootfs)
    context = sb.context({"Buildfile": BIG})
    build = ["build", "--progress=plain", EPOCH, context]
    first = sb(*build).out
    sb.shell("mount -o remount,nr_inodes=$(df --output=iused $0 | tail -n1 | tr -d ' ') none $0; head -c 100m /dev/zero >>$0/store/.lock || true")
    result = sb(*build, "--no-cache", check=3)
    assert "No space left on device" in result.err and "safebuild prune" in result.err
    assert "safebuild prune" in sb("rm", "busybox:1", check=3).err
    assert "RUN cat" in sb("prune", "--all").out
    sb.shell(": >$0/store/.lock; mount -o remount,nr_inodes=10000 none $0")
    assert sb(*build).out == first
    assert store_check.wrong_with(sb.store, sb.prefix) == []


def test_a_store_that_can_only_be_read(disk, rootfs):
    sb = disk("60m")
    import_bases(sb, rootfs)
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN true\n"})
    sb.shell("mount -o remount,ro none $0")
    for command in (["build", context], ["images"], ["prune"], ["inspect", "busybox:1"], ["rm", "busybox:1"]):
        err = sb(*command, check=3).err
        assert f"store '{sb.store}'" in err and "Read-only file system" in err and "--root DIR" in err
    sb.shell("mount -o remount,rw none $0")
    sb("build", context)


def test_a_destination_without_room(disk, built):
    sb = disk("1m")
    sb.store = built.sb.store if IS_ROOT else sb.folder / "store"
    import_bases(sb, built.rootfs)
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN true\n"})
    folder = sb.folder.parent / "mnt"
    for output in (f"type=oci,dest={folder}/x.tar", f"type=tar,dest={folder}/y.tar", f"type=local,dest={folder}/z"):
        err = sb("build", "-o", output, context, check=3).err
        assert "No space left on device" in err and str(folder) in err and "safebuild prune" not in err
        assert "where the output is written" in err
        assert sb.shell("ls -A $0").split() == (["z"] if "local" in output else [])
    sb.shell("mount -o remount,ro none $0")
    assert "Read-only file system" in sb("build", "-o", f"type=oci,dest={folder}/x.tar", context, check=3).err


# Clocks that jump.


def set_times(sb, when_s):
    """Of every file and folder of the store."""
    script = f"find . -exec touch -h -d @{int(when_s)} {{}} +"
    subprocess.run([*AS_ROOT, "sh", "-c", script], cwd=sb.store, check=True)


@pytest.mark.parametrize("years", [-30, 1] if not IS_WHOLE else [-30, -1, 1, 30])
def test_times_of_another_year(built, years):
    """As after a clock that went wrong and was set right: the same image, and no more than what is as old as
    was asked for goes."""
    # A step's files have their times in its layer; what is not a step's is moved.
    built.begin(True)
    built.sb(*built.args, built.context)
    keep = built.sb.folder / "times"
    script = "rm -rf $0; cp -a snapshots/*/steps $0"
    subprocess.run([*AS_ROOT, "sh", "-c", script, keep], cwd=built.sb.store, check=True)
    set_times(built.sb, time.time() + years * YEAR_S)
    subprocess.run([*AS_ROOT, "sh", "-c", "for s in $0/*; do cp -a $s/. $(echo snapshots/*/steps)/${s##*/}; done; rm -rf $0", keep],
                   cwd=built.sb.store, check=True)
    before = json.loads(built.sb("du", "--json").out)["items"]
    built.sb("prune", "--all", "--older-than=90d")
    after = json.loads(built.sb("du", "--json").out)["items"]
    layers = [sum(item["type"] == "layer" for item in items) for items in (before, after)]
    assert layers[0] >= 6 and layers[1] == (0 if years < 0 else layers[0])
    built.works_again()
    set_times(built.sb, time.time() + years * YEAR_S)
    built.sb("prune", "--all")
    assert {item["type"] for item in json.loads(built.sb("du", "--json").out)["items"]} <= {"blob", "other"}
    built.works_again()


# Bytes that flip.


def kinds_of_files(store):
    """Kind -> the store's files of that kind, as paths below it. What only root of the ids may read is left out."""
    found = {}
    for path in sorted(store.glob("*")) + sorted((store / "cache").glob("*")):
        if path.is_file() and path.stat().st_size:
            kind = path.name if path.parent == store else "list of files" if path.name.startswith("files-") else "record"
            found.setdefault(kind, []).append(path.relative_to(store))
    base = json.loads((store / "index.json").read_bytes())["manifests"]
    used = {entry["digest"][7:] for entry in base}
    for path in sorted((store / "blobs/sha256").iterdir()):
        data = path.read_bytes()
        kind = "manifest" if b'"layers"' in data[:4000] and data[:1] == b"{" else "config" if data[:1] == b"{" else "layer"
        own = "base's " if path.name in used or any(path.name in (store / "blobs/sha256" / digest).read_text(errors="replace") for digest in used) else ""
        found.setdefault(own + kind, []).append(path.relative_to(store))
    return found


def damage(path, how, chance):
    data = bytearray(path.read_bytes())
    if how == "flipped":
        for _ in range(3):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    else:
        del data[chance.randrange(len(data)) if how == "cut" else 0 :]
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", ["flipped", "cut", "emptied"])
@pytest.mark.parametrize("kind", ["oci-layout", "index.json", "record", "list of files", "manifest", "config", "layer",
                                  "base's manifest", "base's config", "base's layer"])
def test_a_broken_file(built, kind, how):
    """The same image, or a message after whose command it is; and no other image, ever."""
    chance = random.Random(f"{SEED} {kind} {how}")
    for extra in [[], ["--no-cache"]] if IS_WHOLE else [chance.choice([[], ["--no-cache"]])]:
        built.begin(False)
        built.sb(*built.args, built.context)
        files = kinds_of_files(built.sb.store).get(kind, [])
        for path in files if IS_WHOLE else [chance.choice(files)] if files else []:
            if not (built.sb.store / path).exists():
                continue  # removed with one that was broken before
            damage(built.sb.store / path, how, chance)
            built.begin(False)
            result = built.sb(*built.args, *extra, built.context, check=None)
            built.judge(result.status, result.err)
            if result.status != 0:
                mend(built, result.err)
            built.sb(*built.args, built.context)
            assert digest_of(built.target) == built.good
            import_bases(built.sb, built.rootfs)
            if kind == "list of files":
                # Nobody reads it until it has more to hold, and is written again.
                (built.sb.store / path).unlink(missing_ok=True)
            built.works_again()


def mend(built, err):
    """As the message says, by one who has read it."""
    hint = re.findall(r"(?m)^hint: (.*)$", err)
    assert hint, err
    command = re.search(r"`(rm -f .*?)`", hint[-1])
    if command:
        subprocess.run(command.group(1), shell=True, check=True)
        import_bases(built.sb, built.rootfs)
    elif re.search(r"import", err):
        import_bases(built.sb, built.rootfs)
    else:
        assert "build again" in hint[-1], err


def test_a_step_of_which_a_file_changed(built):
    """Without the cache it is made anew, and what was there is not taken for it."""
    script = "for f in snapshots/*/steps/*/d/3; do echo 9 >$f; done"
    subprocess.run([*AS_ROOT, "sh", "-c", script], cwd=built.sb.store, check=True)
    built.sb(*built.args, "--no-cache", built.context)
    assert digest_of(built.target) == built.good
    built.works_again()


WHAT_IS_NO_FOLDER = {"file": "echo x >$f", "fifo": "mkfifo $f", "link to a folder": "ln -s ../empty $f", "link to nothing": "ln -s /no/such $f"}


@pytest.mark.parametrize("kind", ["layers", "steps"])
@pytest.mark.parametrize("what", WHAT_IS_NO_FOLDER)
def test_what_stands_in_the_place_of_a_folder(built, what, kind):
    """It gives way, whether what should be there is unpacked or made again; and prune removes it."""
    script = f"for f in snapshots/*/{kind}/*; do test -d $f; rm -r $f; {WHAT_IS_NO_FOLDER[what]}; done"
    damaged = [*AS_ROOT, "sh", "-ec", script]
    built.begin(True)
    built.sb(*built.args, built.context)
    subprocess.run(damaged, cwd=built.sb.store, check=True)
    built.begin(False)
    built.sb(*built.args, "--no-cache", built.context, timeout=30)
    assert digest_of(built.target) == built.good
    built.works_again()
    subprocess.run(damaged, cwd=built.sb.store, check=True)
    built.begin(False)
    built.sb(*built.args, built.context, timeout=30)
    assert digest_of(built.target) == built.good
    built.begin(True)
    built.works_again()


def test_a_broken_layer_is_not_saved(fresh):
    fresh.build("FROM busybox:1\nRUN head -c 50000 /dev/urandom >/r\n", "-t", "a:1")
    blob = max((p for p in (fresh.store / "blobs/sha256").iterdir() if p.stat().st_size < 60_000), key=lambda p: p.stat().st_size)
    damage(blob, "flipped", random.Random(SEED))
    target = fresh.folder / "saved.tar"
    err = fresh("save", "-o", target, "a:1", check=3).err
    assert "is broken" in err and "again" in err
    assert not target.exists()
