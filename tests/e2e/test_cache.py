# SPDX-License-Identifier: MIT
"""The build cache: what makes a step run again and what does not, judged by which steps ran; broken
stores, several builds at once, builds that are killed, and secrets that became known later."""

import base64
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time

import pytest

import image_read
import processes
from conftest import IS_ROOT, Safebuild, import_bases, need_program
from secret_search import find_secret
from web_server import Repository, WebServer

LAYER_KINDS = ("RUN", "COPY", "ADD", "WORKDIR")


def steps(result):
    """(text, was cached) of each step that makes a layer and has ended, in the order of their starts."""
    texts, cached, ended = {}, set(), set()
    for event in result.events:
        if event["event"] == "step-start":
            texts[event["step"]] = event["text"]
        elif event["event"] == "cache-hit":
            cached.add(event["step"])
        elif event["event"] == "step-end":
            ended.add(event["step"])
    return [
        (text, step in cached) for step, text in texts.items() if step in ended and text.split(" ")[0] in LAYER_KINDS
    ]


def ran(result):
    return [text for text, cached in steps(result) if not cached]


def build(sb, text, *args, context=None, files=None, check=True, **more):
    context = context or sb.context(files)
    (context / "Buildfile").write_text(text, encoding="utf-8")
    result = sb("build", "--progress=json", *args, context, check=check, **more)
    result.context = context
    return result


def in_store(sb, script, *args):
    """A shell script's output in the store, as who may read all of it."""
    command = ["sh", "-c", script, "sh", *map(str, args)]
    if not IS_ROOT:
        command = ["unshare", "--user", "--map-auto", "--map-root-user", *command]
    return subprocess.run(command, cwd=sb.store, capture_output=True, text=True, check=True).stdout


class Row:
    """One line of the conformance table: a build, a change, and the steps that run in the next build."""

    def __init__(self, name, text, again, files=None, change=None, after=None, args=(), then=(), instead=False):
        self.name, self.text, self.again = name, text, list(again)
        self.files, self.change, self.after = files or {}, change, after
        self.args, self.then = list(args), list(then) if instead else [*args, *then]


def write(path, text="changed"):
    def change(context):
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        (context / path).write_text(text)

    return change


def touch(path):
    return lambda context: os.utime(context / path, (1_000_000_000, 1_000_000_000))


def mode(path, bits):
    return lambda context: os.chmod(context / path, bits)


def rename(old, new):
    return lambda context: os.rename(context / old, context / new)


def relink(path, target):
    def change(context):
        (context / path).unlink()
        (context / path).symlink_to(target)

    return change


def rewrite(path):
    """The same bytes in another inode."""

    def change(context):
        data = (context / path).read_bytes()
        (context / path).unlink()
        (context / path).write_bytes(data)

    return change


def xattr(path, name, value):
    return lambda context: os.setxattr(context / path, name, value)


def same_size_and_time(path, text):
    def change(context):
        before = (context / path).stat()
        (context / path).write_text(text)
        assert (context / path).stat().st_size == before.st_size
        os.utime(context / path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return change


F = {"f": "one", "g": "two"}
D = {"d/a": "a", "d/b": "b", "d/sub/c": "c", "other": "x"}
COPY_F = "COPY f /f\nRUN cat /f\n"
COPY_D = "COPY d /d\n"

TABLE = [
    # RUN
    Row("nothing", "RUN echo 1\nRUN echo 2\n", []),
    Row("command", "RUN echo 1\nRUN echo 2 >/x\n", ["RUN echo 3 >/x"], after="RUN echo 1\nRUN echo 3 >/x\n"),
    Row("command before", "RUN echo 1 >/x\nRUN cat /x\n", ["RUN echo 9 >/x", "RUN cat /x"],
        after="RUN echo 9 >/x\nRUN cat /x\n"),
    Row("inserted step", "RUN echo 1 >/x\nRUN echo 2 >/y\n", ["RUN touch /z", "RUN echo 2 >/y"],
        after="RUN echo 1 >/x\nRUN touch /z\nRUN echo 2 >/y\n"),
    Row("removed step without a result", "RUN true\nRUN echo 2 >/y\n", ["RUN echo 2 >/y"], after="RUN echo 2 >/y\n"),
    Row("another step of the same result", "RUN echo 1\nRUN echo 2 >/y\n", ["RUN echo 9"],
        after="RUN echo 9\nRUN echo 2 >/y\n"),
    Row("comment", "RUN echo 1\n", [], after="# why\nRUN echo 1\n"),
    Row("case of the instruction", "RUN echo 1\n", [], after="run echo 1\n"),
    Row("blank in the command", "RUN echo 1  2\n", ["RUN echo 1 2"], after="RUN echo 1 2\n"),
    Row("exec form", "RUN echo 1\n", ['RUN ["/bin/sh", "-c", "echo 2"]'], after='RUN ["/bin/sh", "-c", "echo 2"]\n'),
    Row("exec form of the same words", "RUN echo 1\n", [], after='RUN ["/bin/sh", "-c", "echo 1"]\n'),
    Row("heredoc", "RUN <<E\necho 1\nE\n", ["RUN <<E"], after="RUN <<E\necho 2\nE\n"),
    Row("heredoc with its own interpreter", "RUN <<E\n#!/bin/sh\necho 1\nE\n", ["RUN <<E"],
        after="RUN <<E\n#!/bin/sh\necho 2\nE\n"),
    Row("network flag", "RUN echo 1\n", ["RUN --network=none echo 1"], after="RUN --network=none echo 1\n"),
    Row("network option", "RUN echo 1\n", ["RUN echo row", "RUN echo 1"], then=["--network=none"]),
    Row("network default flag", "RUN echo 1\n", [], after="RUN --network=default echo 1\n"),
    Row("add-host name", "RUN echo 1\n", ["RUN echo row", "RUN echo 1"], then=["--add-host=a:10.0.0.1"]),
    Row("add-host address", "RUN echo 1\n", [], args=["--add-host=a:10.0.0.1"],
        then=["--add-host=a:10.0.0.2"], instead=True),
    Row("strict", "RUN echo 1\n", ["RUN echo row", "RUN echo 1"], then=["--strict"]),
    Row("shm size", "RUN echo 1\n", [], then=["--shm-size=1m"]),
    Row("host name", "RUN echo 1\n", ["RUN echo row", "RUN echo 1"], then=["--build-arg=BUILDKIT_SANDBOX_HOSTNAME=h"]),
    # variables
    Row("ARG value", "ARG A=1\nRUN echo x\n", ["RUN echo x"], then=["--build-arg=A=2"]),
    Row("ARG value as its default", "ARG A=1\nRUN echo x\n", [], then=["--build-arg=A=1"]),
    Row("ARG after the step", "RUN echo x\nARG A=1\n", [], then=["--build-arg=A=2"]),
    Row("ARG without a value", "ARG A\nRUN echo x\n", ["RUN echo x"], then=["--build-arg=A=2"]),
    Row("build argument that nothing declares", "RUN echo x\n", [], then=["--build-arg=NOBODY=2"]),
    Row("proxy", "RUN echo x\n", [], then=["--build-arg=HTTP_PROXY=http://p:1"]),
    Row("proxy that an ARG declares", "ARG HTTP_PROXY\nRUN echo x\n", ["RUN echo x"],
        then=["--build-arg=HTTP_PROXY=http://p:1"]),
    Row("ENV", "ENV A=1\nRUN echo x\n", ["RUN echo x"], after="ENV A=2\nRUN echo x\n"),
    Row("ENV written another way", "ENV A=1\nRUN echo x\n", [], after="ENV A 1\nRUN echo x\n"),
    Row("ENV after the step", "RUN echo x\nENV A=1\n", [], after="RUN echo x\nENV A=2\n"),
    Row("ENV of a word that is expanded", "ENV A=1\nCOPY f /$A\n", ["COPY f /$A"], files=F, after="ENV A=2\nCOPY f /$A\n"),
    Row("ENV that a COPY does not use", "ENV A=1\nCOPY f /f\n", [], files=F, after="ENV A=2\nCOPY f /f\n"),
    # what only the configuration has
    Row("LABEL", "LABEL a=1\nRUN echo x\n", [], after="LABEL a=2\nRUN echo x\n"),
    Row("CMD", "CMD a\nRUN echo x\n", [], after="CMD b\nRUN echo x\n"),
    Row("ENTRYPOINT", "ENTRYPOINT a\nRUN echo x\n", [], after="ENTRYPOINT b\nRUN echo x\n"),
    Row("EXPOSE", "EXPOSE 1\nRUN echo x\n", [], after="EXPOSE 2\nRUN echo x\n"),
    Row("VOLUME", "VOLUME /a\nRUN echo x\n", [], after="VOLUME /b\nRUN echo x\n"),
    Row("STOPSIGNAL", "STOPSIGNAL 9\nRUN echo x\n", [], after="STOPSIGNAL 15\nRUN echo x\n"),
    Row("HEALTHCHECK", "HEALTHCHECK CMD a\nRUN echo x\n", [], after="HEALTHCHECK CMD b\nRUN echo x\n"),
    Row("MAINTAINER", "MAINTAINER a\nRUN echo x\n", [], after="MAINTAINER b\nRUN echo x\n"),
    Row("ONBUILD", "ONBUILD RUN a\nRUN echo x\n", [], after="ONBUILD RUN b\nRUN echo x\n"),
    Row("--label", "RUN echo x\n", [], then=["--label=a=1"]),
    Row("tag and output", "RUN echo x\n", [], then=["-t", "another:name"]),
    # what a step is run with
    Row("USER", "RUN echo 1\nUSER app\nRUN id\n", ["RUN id"], after="RUN echo 1\nUSER nobody\nRUN id\n"),
    Row("USER before a COPY", "USER app\nCOPY f /f\n", [], files=F, after="USER nobody\nCOPY f /f\n"),
    Row("SHELL", "RUN echo 1\n", ["RUN echo 1"], after='SHELL ["/bin/sh", "-ec"]\nRUN echo 1\n'),
    Row("SHELL before the exec form", 'RUN ["true"]\n', [], after='SHELL ["/bin/sh", "-ec"]\nRUN ["true"]\n'),
    Row("WORKDIR", "WORKDIR /a\nRUN pwd\n", ["WORKDIR /b", "RUN pwd"], after="WORKDIR /b\nRUN pwd\n"),
    Row("WORKDIR of the same path", "WORKDIR /a\nWORKDIR b\nRUN pwd\n", [], after="WORKDIR /a\nWORKDIR /a/b\nRUN pwd\n"),
    Row("WORKDIR of another user", "USER app\nWORKDIR /a\n", ["WORKDIR /a"], after="USER nobody\nWORKDIR /a\n"),
    # COPY
    Row("content", COPY_F, ["COPY f /f", "RUN cat /f"], files=F, change=write("f")),
    Row("content of the same size and time", COPY_F, ["COPY f /f", "RUN cat /f"], files=F,
        change=same_size_and_time("f", "eno")),
    Row("time", COPY_F, [], files=F, change=touch("f")),
    Row("another inode", COPY_F, [], files=F, change=rewrite("f")),
    Row("mode", COPY_F, ["COPY f /f", "RUN cat /f"], files=F, change=mode("f", 0o755)),
    Row("mode under --chmod", "COPY --chmod=600 f /f\n", [], files=F, change=mode("f", 0o755)),
    Row("attribute", "COPY f /f\n", ["COPY f /f"], files=F, change=xattr("f", "user.a", b"1")),
    Row("a file beside it", COPY_F, [], files=F, change=write("g")),
    Row("a new file in the context", COPY_F, [], files=F, change=write("new")),
    Row("a file in the folder", COPY_D, ["COPY d /d"], files=D, change=write("d/sub/c")),
    Row("a new file in the folder", COPY_D, ["COPY d /d"], files=D, change=write("d/new")),
    Row("a renamed file in the folder", COPY_D, ["COPY d /d"], files=D, change=rename("d/a", "d/z")),
    Row("a folder's mode", COPY_D, ["COPY d /d"], files=D, change=mode("d/sub", 0o700)),
    Row("the copied folder's own mode", COPY_D, [], files=D, change=mode("d", 0o700)),
    Row("times in the folder", COPY_D, [], files=D, change=touch("d/sub")),
    Row("a link's target", "COPY d /d\n", ["COPY d /d"], files=D, change=lambda c: (c / "d/a").unlink() or relink("d/b", "sub")(c)),
    Row("an ignored file", "COPY . /x\n", [], files={**D, ".dockerignore": "d/b\nBuildfile\n.dockerignore\n"},
        change=write("d/b")),
    Row("the ignore file itself", "COPY d /x\n", ["COPY d /x"], files={**D, ".dockerignore": "d/b\n"},
        change=write(".dockerignore", "d/a\n")),
    Row("an ignore file that leaves out the same", "COPY d /x\n", [], files={**D, ".dockerignore": "d/b\n"},
        change=write(".dockerignore", "# nothing else\n./d/b\nnobody\n")),
    Row("a file left out by --exclude", "COPY --exclude=b d /d\n", [], files=D, change=write("d/b")),
    Row("wildcard match", "COPY d/* /d/\n", ["COPY d/* /d/"], files=D, change=write("d/a")),
    Row("wildcard, another name", "COPY d/? /d/\n", ["COPY d/? /d/"], files=D, change=rename("d/a", "d/z")),
    Row("wildcard, no match changed", "COPY d/? /d/\n", [], files=D, change=write("d/sub/c")),
    Row("destination", "COPY f /f\n", ["COPY f /g"], files=F, after="COPY f /g\n"),
    Row("source of the same content and name", "COPY f /f\n", [], files=F, after="COPY ./f /f\n"),
    Row("--chown", "COPY f /f\n", ["COPY --chown=1:1 f /f"], files=F, after="COPY --chown=1:1 f /f\n"),
    Row("--chmod", "COPY f /f\n", ["COPY --chmod=600 f /f"], files=F, after="COPY --chmod=600 f /f\n"),
    Row("--parents", "COPY d/a /x/\n", ["COPY --parents d/a /x/"], files=D, after="COPY --parents d/a /x/\n"),
    Row("a COPY's heredoc", "COPY <<E /e\n1\nE\n", ["COPY <<E /e"], after="COPY <<E /e\n2\nE\n"),
    Row("a COPY's heredoc's variable", "ARG A=1\nCOPY <<E /e\n$A\nE\n", ["COPY <<E /e"], then=["--build-arg=A=2"]),
    Row("WORKDIR of a relative COPY", "WORKDIR /a\nCOPY f f\n", ["WORKDIR /b", "COPY f f"], files=F,
        after="WORKDIR /b\nCOPY f f\n"),
    Row("what is below a COPY", "RUN echo 1 >/x\nCOPY f /f\n", ["RUN echo 2 >/x", "COPY f /f"], files=F,
        after="RUN echo 2 >/x\nCOPY f /f\n"),
    Row("what is below a COPY --link", "RUN echo 1 >/x\nCOPY --link f /linked\n", ["RUN echo 2 >/x"], files=F,
        after="RUN echo 2 >/x\nCOPY --link f /linked\n"),
    # ADD
    Row("ADD of a file", "ADD f /f\n", ["ADD f /f"], files=F, change=write("f")),
    Row("ADD for COPY", "COPY f /f\n", ["ADD f /f"], files=F, after="ADD f /f\n"),
    Row("ADD --unpack", "ADD f /f\n", ["ADD --unpack=false f /f"], files=F, after="ADD --unpack=false f /f\n"),
    # other stages
    Row("COPY --from, file unchanged", "RUN echo 1TAG >/a; echo 2TAG >/b\nFROM busybox:1\nCOPY --from=0 /a /a\nRUN cat /a\n",
        ["RUN echo 1TAG >/a; echo 3TAG >/b"], after="RUN echo 1TAG >/a; echo 3TAG >/b\nFROM busybox:1\nCOPY --from=0 /a /a\nRUN cat /a\n"),
    Row("COPY --from, file changed", "RUN echo 1TAG >/a\nFROM busybox:1\nCOPY --from=0 /a /a\n",
        ["RUN echo 4TAG >/a", "COPY --from=0 /a /a"], after="RUN echo 4TAG >/a\nFROM busybox:1\nCOPY --from=0 /a /a\n"),
    Row("COPY --from, owner changed", "RUN echo TAG >/a\nFROM busybox:1\nCOPY --from=0 /a /a\n",
        ["RUN echo TAG >/a; chown app /a", "COPY --from=0 /a /a"],
        after="RUN echo TAG >/a; chown app /a\nFROM busybox:1\nCOPY --from=0 /a /a\n"),
    Row("name of a stage", "RUN echo 1TAG >/a\nFROM busybox:1 AS one\nCOPY --from=0 /a /a\n", [],
        after="RUN echo 1TAG >/a\nFROM busybox:1 AS two\nCOPY --from=0 /a /a\n"),
    # mounts
    Row("bind of the context", "RUN --mount=target=/m cat /m/f\n", ["RUN --mount=target=/m cat /m/f"], files=F,
        change=write("f")),
    Row("bind of a part of the context", "RUN --mount=source=f,target=/m cat /m\n", [], files=F, change=write("g")),
    Row("bind, times", "RUN --mount=source=f,target=/m cat /m\n", [], files=F, change=touch("f")),
    Row("bind, target", "RUN --mount=source=f,target=/m true\n", ["RUN --mount=source=f,target=/n true"], files=F,
        after="RUN --mount=source=f,target=/n true\n"),
    Row("bind, writable", "RUN --mount=source=f,target=/m true\n", ["RUN --mount=source=f,target=/m,rw true"], files=F,
        after="RUN --mount=source=f,target=/m,rw true\n"),
    Row("bind from a stage", "RUN echo 1TAG >/a\nFROM busybox:1\nRUN --mount=from=0,source=/a,target=/m cat /m\n",
        ["RUN echo 6TAG >/a", "RUN --mount=from=0,source=/a,target=/m cat /m"],
        after="RUN echo 6TAG >/a\nFROM busybox:1\nRUN --mount=from=0,source=/a,target=/m cat /m\n"),
    Row("bind from a stage, another file", "RUN echo 1TAG >/a\nFROM busybox:1\nRUN --mount=from=0,source=/a,target=/m cat /m\n",
        ["RUN echo 1TAG >/a; touch /b"],
        after="RUN echo 1TAG >/a; touch /b\nFROM busybox:1\nRUN --mount=from=0,source=/a,target=/m cat /m\n"),
    Row("cache mount", "RUN --mount=type=cache,target=/c date >>/c/log\nRUN echo 1\n", []),
    Row("cache mount, id", "RUN --mount=type=cache,target=/c,id=a true\n", [],
        after="RUN --mount=type=cache,target=/c,id=b true\n"),
    Row("cache mount, target", "RUN --mount=type=cache,target=/c true\n", ["RUN --mount=type=cache,target=/e true"],
        after="RUN --mount=type=cache,target=/e true\n"),
    Row("tmpfs", "RUN --mount=type=tmpfs,target=/t true\n", []),
    Row("tmpfs, size", "RUN --mount=type=tmpfs,target=/t true\n", ["RUN --mount=type=tmpfs,target=/t,size=1m true"],
        after="RUN --mount=type=tmpfs,target=/t,size=1m true\n"),
    Row("added mount", "RUN true\n", ["RUN --mount=type=tmpfs,target=/t true"],
        after="RUN --mount=type=tmpfs,target=/t true\n"),
    # the whole build
    Row("--no-cache", "RUN echo 1\nRUN echo 2\n", ["RUN echo row", "RUN echo 1", "RUN echo 2"], then=["--no-cache"]),
    Row("--no-cache-filter", "RUN echo 1\nFROM busybox:1 AS Two\nCOPY --from=0 /row /row\nRUN echo 2\n",
        ["COPY --from=0 /row /row", "RUN echo 2"], then=["--no-cache-filter=TWO,nobody"]),
    Row("--source-date-epoch", "RUN echo 1\n", ["RUN echo row", "RUN echo 1"], args=["--source-date-epoch=1000"],
        then=["--source-date-epoch=1001"], instead=True),
    Row("the same --source-date-epoch", "RUN echo 1\n", [], args=["--source-date-epoch=1000"],
        then=["--build-arg=SOURCE_DATE_EPOCH=1000"], instead=True),
    Row("compression", "RUN echo 1\n", [], then=["-o", "type=oci,dest=/dev/null,compression=zstd"]),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_conformance(sb, row):
    """Every row has a first step of its own, so that rows do not share steps."""
    tag = base64.b32encode(os.urandom(8)).decode().strip("=")
    head = f"FROM busybox:1\nRUN echo row {tag} >/row\n"
    again = (head + (row.after or row.text)).replace("TAG", tag)
    first = build(sb, (head + row.text).replace("TAG", tag), *row.args, files=row.files)
    assert all(not cached or "--link" in text for text, cached in steps(first)), repr(first)
    if row.change:
        row.change(first.context)
    second = build(sb, again, *row.then, context=first.context)
    wanted = [f"RUN echo row {tag} >/row" if text == "RUN echo row" else text.replace("TAG", tag) for text in row.again]
    assert ran(second) == wanted, repr(second)
    third = build(sb, again, *[arg for arg in row.then if "no-cache" not in arg], context=first.context)
    assert ran(third) == [], repr(third)


def test_the_table_is_large_enough():
    assert len(TABLE) >= 60 and len({row.name for row in TABLE}) == len(TABLE)


def test_a_build_in_which_all_is_cached_is_the_same_image(fresh):
    text = """FROM busybox:1 AS a
ENV A=1
RUN date >/date
WORKDIR /w
FROM busybox:1
LABEL before=any
COPY --from=a /date /date
RUN date +%N >/later
CMD ["x"]
"""
    images = [fresh.image(text) for _ in range(3)]
    assert len({image.manifest_digest for image in images}) == 1
    assert images[0].config["created"] == images[0].config["history"][-1]["created"]
    again = fresh.image(text, "--no-cache")
    assert again.manifest_digest != images[0].manifest_digest
    assert fresh.image(text).manifest_digest == again.manifest_digest, "a run without the cache renews it"


def test_what_was_built_is_unpacked_for_no_base(fresh):
    """The image's layers are the steps' own folders."""
    fresh.build("FROM busybox:1\nRUN echo 1 >/one\nCOPY f /f\n", "-t", "base:1", files={"f": "x"})
    before = in_store(fresh, "ls snapshots/*/layers")
    image = fresh.image("FROM base:1\nRUN cat /one /f >/both\n")
    assert image.read("both") == b"1\nx"
    assert in_store(fresh, "ls snapshots/*/layers") == before


def test_a_base_of_another_stack_hides_nothing(fresh):
    """The folder that a step made is opaque to the kernel on its own stack only."""
    fresh.build("FROM busybox:1\nCOPY d /app/d\n", "-t", "one:1", files={"d/a": "a"})
    with tarfile.open(fresh.folder / "rootfs2.tar", "w") as tar:
        with tarfile.open(fresh.folder.parent / "rootfs" / "rootfs.tar") as base:
            for member in base:
                tar.addfile(member, base.extractfile(member) if member.isreg() else None)
        for name in ("app", "app/d"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        tar.addfile(tarfile.TarInfo("app/d/from-the-base"))
    fresh("import", fresh.folder / "rootfs2.tar", "other:1")
    image = fresh.image("FROM other:1\nCOPY d /app/d\nRUN ls /app/d >/list\n", files={"d/a": "a"})
    assert image.read("list") == b"a\nfrom-the-base\n"


def test_linked_copies_lie_on_any_stack(fresh):
    files = {"d/a": "a"}
    fresh.build("FROM busybox:1\nCOPY --link d /usr/share/d\n", files=files)
    image = fresh.image("FROM busybox:1\nRUN mkdir -p /usr/share/d && touch /usr/share/d/below\n"
                        "COPY --link d /usr/share/d\nRUN ls /usr/share/d >/list; ls /usr >/usr-list\n", files=files)
    assert image.read("list") == b"a\nbelow\n"
    assert b"share" in image.read("usr-list")


def test_each_compression_is_written_once(fresh):
    text = "FROM busybox:1\nRUN head -c 100000 /dev/zero >/zero\n"

    def blobs():
        return set(os.listdir(fresh.store / "blobs" / "sha256"))

    def one(compression):
        out = fresh.folder / "out.tar"
        result = build(fresh, text, "-o", f"type=oci,dest={out},compression={compression}")
        return ran(result), image_read.read_oci_archive(out)

    steps_run, first = one("gzip")
    assert steps_run == ["RUN head -c 100000 /dev/zero >/zero"]
    have = blobs()
    steps_run, second = one("zstd")
    assert steps_run == [] and second.layers[-1].media_type.endswith("zstd")
    assert second.config["rootfs"] == first.config["rootfs"]
    more = blobs()
    assert len(more - have) >= 2
    for compression in ("gzip", "zstd"):
        assert one(compression)[0] == []
    assert blobs() == more


def test_two_epochs_give_two_images_and_each_its_own_bytes(fresh, session_folder, rootfs):
    """With a cache that knows other epochs, the bytes are those of a build that knows nothing."""
    text = "FROM busybox:1\nRUN echo 1 >/one; mkdir /d; touch -d '1970-01-01 00:00:00' /d/old\nCOPY f /f\nRUN stat -c '%Y %n' /one /f /d/old >/times\n"
    digests = {}
    for epoch in ("1000000000", "1000000500", "1000000000"):
        image = fresh.image(text, f"--source-date-epoch={epoch}", files={"f": "x"})
        assert digests.setdefault(epoch, image.manifest_digest) == image.manifest_digest
        assert max(image.layers[-3][name].mtime for name in image.layers[-3].names) <= int(epoch)
        assert f"{epoch} /one\n{epoch} /f\n0 /d/old\n".encode() == image.read("times")
    assert len(set(digests.values())) == 2
    folder = pathlib.Path(tempfile.mkdtemp(prefix="epoch-", dir=session_folder))
    other = import_bases(Safebuild(folder), rootfs)
    for epoch, digest in digests.items():
        assert other.image(text, f"--source-date-epoch={epoch}", files={"f": "x"}).manifest_digest == digest


def test_with_an_epoch_older_times_count(fresh):
    text = "FROM busybox:1\nCOPY f /f\n"
    context = fresh.context({"f": "x"})
    for time_of_it in (500, 600, 500):
        os.utime(context / "f", (time_of_it, time_of_it))
        image = fresh.image(text, "--source-date-epoch=1000", context=context)
        assert image.layers[-1]["f"].mtime == time_of_it


def test_whiteouts_of_a_step_are_the_same_the_next_time(fresh):
    text = """FROM busybox:1
RUN mkdir /d && touch /d/old /file /gone
RUN rm -r /d && mkdir /d && touch /d/new && rm /file /gone && mkdir /file && touch /file/x
RUN rm -r /d /file && touch /d && ls / >/list
"""
    first = fresh.image(text)
    assert fresh.image(text).manifest_digest == first.manifest_digest
    in_store(fresh, "find blobs -type f -size -20k -exec sh -c 'head -c 1 $1 | grep -q { || rm $1' sh {} \\;")
    result = build(fresh, text, "-t", "base:1")
    assert ran(result) == [], "blobs are made anew from the folders of the steps"
    image = fresh.image("FROM base:1\nRUN ls / >/list2; ls -d /d/new /file 2>&1 | cat >/gone2\n")
    assert set(image.read("list2").split()) == {*first.read("list").split(), b"list2"}
    assert image.read("gone2").count(b"ls: ") == 2
    assert image.config["rootfs"]["diff_ids"][: len(first.config["rootfs"]["diff_ids"])] == first.config["rootfs"]["diff_ids"]


# The store when it is not what it was.


def records(sb):
    return [path for path in (sb.store / "cache").iterdir() if len(path.name) == 64]


THREE = "FROM busybox:1\nRUN echo 1 >/one\nCOPY f /f\nRUN cat /one /f >/both\n"


def broken(what):
    def decorate(function):
        return pytest.param(function, id=what)

    return decorate


@broken("truncated records")
def truncate_records(sb):
    for i, path in enumerate(records(sb)):
        data = path.read_bytes()
        path.write_bytes(data[: i * len(data) // 7])


@broken("flipped bits in records")
def flip_records(sb):
    for path in records(sb):
        data = bytearray(path.read_bytes())
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        path.write_bytes(bytes(data))


@broken("records under each other's names")
def swap_records(sb):
    paths = records(sb)
    contents = [path.read_bytes() for path in paths]
    for path, data in zip(paths, contents[1:] + contents[:1]):
        path.write_bytes(data)


@broken("huge records")
def huge_records(sb):
    for path in records(sb):
        path.write_bytes(b"x" * 1_000_000)


@broken("folders for records")
def folder_records(sb):
    for path in records(sb):
        path.unlink()
        path.mkdir()


@broken("no records")
def no_records(sb):
    for path in records(sb):
        path.unlink()


@broken("no cache folder")
def no_cache_folder(sb):
    shutil.rmtree(sb.store / "cache")


@broken("no folders of steps")
def no_steps(sb):
    in_store(sb, "rm -rf snapshots/*/steps/*")


@broken("no marks")
def no_marks(sb):
    in_store(sb, "rm -rf snapshots/*/marks/*")


@broken("marks of another boot")
def other_boot(sb):
    in_store(sb, "for mark in snapshots/*/marks/*; do echo another-boot >$mark; done")


@broken("no snapshots at all")
def no_snapshots(sb):
    in_store(sb, "rm -rf snapshots/*")


@broken("blobs of steps truncated")
def truncate_blobs(sb):
    keep = {path.name for path in (sb.store / "blobs/sha256").iterdir() if path.read_bytes()[:1] == b"{"}
    for path in (sb.store / "blobs/sha256").iterdir():
        if path.name not in keep and path.stat().st_size < 100_000:
            path.write_bytes(path.read_bytes()[:-5])


@broken("blobs of steps gone")
def no_blobs(sb):
    for path in (sb.store / "blobs/sha256").iterdir():
        if path.stat().st_size < 100_000 and path.read_bytes()[:1] != b"{":
            path.unlink()


@broken("what files hold, flipped")
def flip_files(sb):
    for path in (sb.store / "cache").glob("files-*"):
        data = bytearray(path.read_bytes())
        for _ in range(3):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        path.write_bytes(bytes(data))


@broken("a step's file changed")
def change_step(sb):
    in_store(sb, "for f in snapshots/*/steps/*/one; do [ -e $f ] && echo 9 >$f; done")
    no_blobs.values[0](sb)


BREAKAGES = [truncate_records, flip_records, swap_records, huge_records, folder_records, no_records, no_cache_folder,
             no_steps, no_marks, other_boot, no_snapshots, truncate_blobs, no_blobs, flip_files, change_step]


@pytest.mark.parametrize("damage", BREAKAGES)
def test_a_broken_store_gives_the_same_image(fresh, damage):
    epoch = "--source-date-epoch=1000"
    files = {"f": "x"}
    context = fresh.context(files)
    good = fresh.image(THREE, epoch, context=context)
    # What is remembered of files is only so of files that did not just change.
    damage(fresh)
    for _ in range(2):
        image = fresh.image(THREE, epoch, context=context)
        assert image.manifest_digest == good.manifest_digest
    assert ran(build(fresh, THREE, epoch, context=context)) == []


def test_a_flipped_blob_is_never_exported(fresh):
    """The size alone does not tell; the export does, and the next build makes it anew."""
    text = "FROM busybox:1\nRUN head -c 50000 /dev/urandom >/r\n"
    good = fresh.image(text)
    blob = max((p for p in (fresh.store / "blobs/sha256").iterdir() if p.stat().st_size < 60_000), key=lambda p: p.stat().st_size)
    data = bytearray(blob.read_bytes())
    data[20000] ^= 1
    blob.write_bytes(bytes(data))
    target = fresh.folder / "bad.tar"
    result = fresh.build(text, "-o", f"type=oci,dest={target}", check=3)
    assert "build again" in result.err
    assert not target.exists()
    assert fresh.image(text).manifest_digest == good.manifest_digest


# Several builds.


def until(process, words):
    """What it has said up to a line with these words, or to its end."""
    said = b""
    for line in process.stdout:
        said += line
        if words in line:
            break
    return said


def test_eight_builds_at_once_run_each_step_once(fresh):
    """The step goes on when the seven others have said that they wait for it."""
    token = base64.b32encode(os.urandom(8)).decode().strip("=")
    cache = f"--mount=type=cache,id={token},target=/c"
    marker = f"RUN {cache} echo run >>/c/log; until [ -e /c/go ]; do sleep 0.1; done; echo {token} >/one\n"
    context = fresh.context({"f": "x"})
    text = f"FROM busybox:1\n{marker}COPY f /f\nRUN cat /one /f >/both\n"
    (context / "Buildfile").write_text(text)
    running = [fresh.start("build", "--progress=json", context, stderr=subprocess.STDOUT)]
    try:
        assert processes.wait_until(lambda: in_store(fresh, "cat snapshots/*/cache/*/log 2>/dev/null || true"))
        running += [fresh.start("build", "--progress=json", context, stderr=subprocess.STDOUT) for _ in range(7)]
        outputs = [b"", *(until(process, b"waiting for the same step") for process in running[1:])]
        in_store(fresh, "for log in snapshots/*/cache/*/log; do touch ${log%log}go; done")
        for i, process in enumerate(running):
            outputs[i] += process.stdout.read()
            assert process.wait(timeout=60) == 0, outputs[i]
    finally:
        for process in running:
            process.kill()
            process.communicate()
    assert all(b"waiting for the same step" in out for out in outputs[1:])
    assert fresh.output("wc -l </c/log", flags=cache).strip() == "1"
    images = [line for out in outputs for line in out.decode().splitlines() if '"event":"image"' in line.replace(" ", "")]
    assert len(images) == 8 and len({line.split('"text":')[1] for line in images}) == 1


def test_a_build_that_waits_can_be_cancelled(fresh):
    with processes.sleeping_step(fresh, "FROM busybox:1\nRUN sleep SECONDS\n") as (_, _, word):
        context = fresh.context({"Buildfile": f"FROM busybox:1\nRUN sleep {word}\n"})
        second = fresh.start("build", "--progress=plain", context)
        line = b""
        for line in second.stderr:
            if b"waiting for the same step" in line:
                break
        assert b"waiting for the same step" in line
        second.send_signal(signal.SIGINT)
        second.communicate(timeout=20)
        assert second.returncode == 130


def test_a_step_that_fails_is_run_by_who_waited(fresh):
    context = fresh.context({"Buildfile": "FROM busybox:1\nRUN sleep 1; exit 3\n"})
    running = [fresh.start("build", context) for _ in range(3)]
    for process in running:
        process.communicate(timeout=60)
        assert process.returncode == 1


@pytest.mark.parametrize("seed", range(4))
def test_killed_builds_leave_a_store_that_works(fresh, seed):
    """Ten builds a seed, each killed at a random moment; then one that is not."""
    chance = random.Random(seed)
    context = fresh.context({f"d/{i}": str(i) * 1000 for i in range(50)})
    text = """FROM busybox:1
RUN mkdir /m && for i in $(seq 60); do echo $i >/m/$i; done
COPY d /d
RUN rm -r /m && cat /d/* >/all
WORKDIR /w
RUN --mount=type=cache,target=/c echo >>/c/x; cp /all /w/all
"""
    (context / "Buildfile").write_text(text)
    for _ in range(10):
        process = fresh.start("build", "--source-date-epoch=1000", *chance.choice([[], ["--no-cache"]]), context)
        time.sleep(chance.random() * 0.4)
        process.kill()
        process.communicate(timeout=30)
    image = fresh.image(text, "--source-date-epoch=1000", context=context)
    assert image.read("w/all") == b"".join((context / "d" / name).read_bytes() for name in sorted(os.listdir(context / "d")))
    clean = fresh.image(text, "--source-date-epoch=1000", "--no-cache", context=context)
    assert clean.manifest_digest == image.manifest_digest
    assert in_store(fresh, "ls snapshots/*/builds").strip() == ""
    fresh.build(text, "--source-date-epoch=1000", context=context)
    assert in_store(fresh, "ls cache/locks; find . -name '.tmp*'").strip() == ""


# Secrets.


def new_secret():
    return "sb-" + base64.b32encode(os.urandom(20)).decode()


def test_another_value_of_a_secret_is_no_reason_to_run(fresh):
    text = "FROM busybox:1\nRUN --mount=type=secret,id=s,required cat /run/secrets/s >/dev/null; echo done\n"
    first = build(fresh, text, "--secret", f"id=s,src={fresh.file('s', new_secret())}")
    assert len(ran(first)) == 1
    second = build(fresh, text, "--secret", f"id=s,src={fresh.file('s', new_secret())}", context=first.context)
    assert ran(second) == []
    assert ran(build(fresh, text, context=first.context)) == [], "as with docker, it need not even be given"


def test_an_optional_secret_counts_by_being_there(fresh):
    text = "FROM busybox:1\nRUN --mount=type=secret,id=s test -e /run/secrets/s && echo with || echo without\n"
    first = build(fresh, text)
    secret = fresh.file("s", new_secret())
    assert len(ran(build(fresh, text, "--secret", f"id=s,src={secret}", context=first.context))) == 1
    assert ran(build(fresh, text, context=first.context)) == []


def test_rekey_counts_the_value(fresh):
    text = "FROM busybox:1\nRUN --mount=type=secret,id=s cat /run/secrets/s >/dev/null\n"
    context = fresh.context()
    values = [new_secret(), new_secret()]

    def run(value, rekey="true"):
        spec = f"id=s,src={fresh.file('s', value)},rekey={rekey}"
        return len(ran(build(fresh, text, "--secret", spec, context=context)))

    assert [run(values[0]), run(values[0]), run(values[1]), run(values[0])] == [1, 0, 1, 0]
    assert [run(values[0], "false"), run(values[1], "false")] == [1, 0]
    key = fresh.store / "cache" / "secret.key"
    assert key.stat().st_mode & 0o777 == 0o600 and key.stat().st_size == 32
    for value in values:
        assert find_secret(value.encode(), fresh.folder) == []


def test_rekey_is_true_or_false(fresh):
    assert "rekey is true or false" in fresh.build("FROM scratch\n", "--secret", "id=s,rekey=maybe", check=2).err


def leaking(fresh, value):
    """A step that has the value by another way, when it is not known to be a secret yet."""
    return fresh.context({"f": f"key={value}\n", "g": "harmless"})


@pytest.mark.parametrize("instruction", ["RUN --mount=source=f,target=/m cp /m /f", "COPY f /f"])
def test_a_layer_is_searched_again_for_what_is_a_secret_now(fresh, instruction):
    value = new_secret()
    context = leaking(fresh, value)
    text = f"FROM busybox:1\n{instruction}\nRUN echo after\n"
    build(fresh, text, context=context)
    assert find_secret(value.encode(), fresh.store) != []
    option = ["--secret", f"id=token,src={fresh.file('token', value)}"]
    cached = build(fresh, text, *option, context=context, check=1)
    message = next(event for event in cached.events if event["event"] == "error")
    assert message["code"] == "leak" and "token" in message["message"] and message["line"] == 2
    assert value not in cached.text
    uncached = build(fresh, text, *option, "--no-cache", context=context, check=1)
    plain = next(event for event in uncached.events if event["event"] == "error")
    assert (plain["message"], plain["hint"]) == (message["message"], message["hint"])
    # What the image of the first build needs stays with it; the cache has nothing of it any more.
    assert in_store(fresh, f"grep -rlF {value} snapshots cache || true").strip() == ""


def test_a_layer_of_a_stage_aside_is_searched_too(fresh):
    value = new_secret()
    context = leaking(fresh, value)
    text = "FROM busybox:1 AS a\nCOPY f /f\nRUN echo x >/x\nFROM busybox:1\nCOPY --from=a /x /x\n"
    build(fresh, text, context=context)
    option = ["--secret", f"id=token,src={fresh.file('token', value)}"]
    build(fresh, text, *option, context=context, check=1)
    assert in_store(fresh, f"grep -rlF {value} snapshots cache blobs || true").strip() == ""


def test_what_is_refused_is_not_recorded(fresh):
    value = new_secret()
    option = ["--secret", f"id=token,src={fresh.file('token', value)}"]
    text = "FROM busybox:1\nRUN echo 1\nRUN --mount=type=secret,id=token cp /run/secrets/token /leak\n"
    context = fresh.context()
    for _ in range(2):
        result = build(fresh, text, *option, context=context, check=1)
        assert ran(result)[-1].startswith("RUN --mount")
    assert len(records(fresh)) == 1
    assert find_secret(value.encode(), fresh.folder) == []


def test_a_value_that_is_both_secret_and_argument_makes_no_key(fresh):
    value = new_secret()
    option = ["--secret", f"id=token,src={fresh.file('token', value)}", f"--build-arg=T={value}"]
    text = "FROM busybox:1\nARG T\nRUN echo 1\n"
    context = fresh.context()
    for _ in range(2):
        assert len(ran(build(fresh, text, *option, context=context))) == 1
    assert records(fresh) == []


# Files of the context are not read when they are known.


@pytest.mark.privileged
def test_unchanged_files_are_not_read_again(fresh):
    need_program("strace")
    context = fresh.context({f"d/{i}": str(i) for i in range(30)})
    text = "FROM busybox:1\nCOPY d /d\n"
    (context / "Buildfile").write_text(text)

    def reads():
        trace = fresh.folder / "trace"
        command = ["strace", "-f", "-e", "trace=openat,openat2", "-o", str(trace), fresh.program, "build", "-q", str(context)]
        subprocess.run(command, check=True, env=fresh.environment(), capture_output=True, timeout=100)
        return sum(1 for line in trace.read_text().splitlines() if any(f'"{i}"' in line for i in range(30)))

    time.sleep(2.2)
    assert reads() >= 30
    assert reads() == 0
    (context / "d" / "7").write_text("new")
    time.sleep(2.2)
    assert reads() > 0
    assert reads() == 0


# ADD from elsewhere.


def test_add_of_a_url_runs_when_its_content_changes(fresh):
    with WebServer(fresh.folder / "web") as web:
        web.put("tool", b"one")
        text = f"FROM busybox:1\nADD {web.url('tool')} /tool\nRUN cat /tool\n"
        context = fresh.context()
        options = ["--network=host"]
        assert len(ran(build(fresh, text, *options, context=context))) == 2
        assert ran(build(fresh, text, *options, context=context)) == []
        web.put("tool", b"two")
        assert len(ran(build(fresh, text, *options, context=context))) == 2


def test_passwords_of_addresses_are_in_no_record(fresh):
    with WebServer(fresh.folder.with_name(fresh.folder.name + "-web")) as web:
        web.put("tool", b"one")
        text = f"FROM busybox:1\nADD {web.url('tool', user='ann:open-sesame@')}?key=hidden-key /tool\n"
        assert len(ran(build(fresh, text))) == 1
    assert "ADD" in fresh("du").out
    for word in ("open-sesame", "hidden-key"):
        assert in_store(fresh, f"grep -rl {word} . || true") == ""


def test_add_with_a_checksum_asks_nobody(fresh):
    digest = "sha256:" + hashlib.sha256(b"one").hexdigest()
    context = fresh.context()
    with WebServer(fresh.folder / "web") as web:
        web.put("tool", b"one")
        text = f"FROM busybox:1\nADD --checksum={digest} {web.url('tool')} /tool\n"
        assert len(ran(build(fresh, text, context=context))) == 1
    assert ran(build(fresh, text, context=context)) == []


# What the store holds, and what of it can go.


def du(sb):
    """(what safebuild says, what du says) of the store, in bytes."""
    said = json.loads(sb("du", "--json").out)
    counted = int(in_store(sb, "du -s --block-size=1 .").split()[0])
    assert sum(item["size"] for item in said["items"]) == said["total"]
    return said, counted


def test_du_says_what_du_says(fresh):
    files = {f"d/{i}": "x" * i * 100 for i in range(60)}
    context = fresh.context(files)
    os.link(context / "d" / "5", context / "d" / "linked")
    text = "FROM busybox:1\nCOPY d /d\nRUN --mount=type=cache,id=mine,target=/c cp -r /d /c/; rm -r /d; ln /bin/busybox /again\n"
    build(fresh, text, "-t", "a:1", context=context)
    said, counted = du(fresh)
    assert said["total"] == counted
    by_type = {kind: [item for item in said["items"] if item["type"] == kind] for kind in ("layer", "blob", "mount", "other")}
    assert [len(by_type[kind]) for kind in ("layer", "mount", "other")] == [3, 1, 1]
    assert {item["made_by"] for item in by_type["layer"]} >= {"COPY d /d"}
    assert "mine" in by_type["mount"][0]["made_by"]
    assert all(item["last_used"] for item in said["items"] if item["type"] != "other")
    assert "mine" in fresh("du").out


def test_prune_keeps_what_images_consist_of(fresh):
    text = "FROM busybox:1 AS a\nRUN echo 1 >/one\nFROM busybox:1\nCOPY --from=a /one /two\n"
    context = fresh.context()
    build(fresh, text, "-t", "a:1", context=context)
    out = fresh("prune").out
    assert "RUN echo 1 >/one" in out and "COPY" not in out
    said, counted = du(fresh)
    assert said["total"] == counted
    assert ran(build(fresh, text, "-t", "a:1", context=context)) == ["RUN echo 1 >/one"], "the COPY is still there"


def test_prune_all_leaves_images_and_nothing_else(fresh):
    before = du(fresh)[1]
    text = "FROM busybox:1\nRUN --mount=type=cache,target=/c head -c 3000000 /dev/urandom | tee /c/f >/f\n"
    context = fresh.context()
    image = fresh.image(text, "-o", "type=store", "-t", "a:1", context=context)
    fresh("rm", "a:1")
    freed = fresh("prune", "--all").out.splitlines()[-1]
    assert freed.startswith("freed") and "MB" in freed
    said, counted = du(fresh)
    assert said["total"] == counted and counted < before + 300_000, said
    assert {item["type"] for item in said["items"]} == {"blob", "other"}
    again = fresh.image(text, context=context)
    assert again.config["rootfs"] != image.config["rootfs"], "it ran again"
    assert fresh.output("ls /c", flags="--mount=type=cache,target=/c").strip() == "f"


def test_prune_by_age_and_size(fresh):
    context = fresh.context()
    for i in range(4):
        build(fresh, f"FROM busybox:1\nRUN head -c 100000 /dev/urandom >/r{i}\n", context=context)
    fresh("prune", "--filter", "type=blob")

    def layers():
        return {i for i in range(4) for item in du(fresh)[0]["items"] if f"/r{i}" in item["made_by"]}

    for image in json.loads(fresh("images", "--json").out):
        if image["name"] == "<none>":
            fresh("rm", image["digest"])
    assert layers() == {0, 1, 2, 3}
    in_store(fresh, "for i in 0 1; do for d in snapshots/*/steps/*; do [ -e $d/r$i ] && touch -d '3 days ago' snapshots/*/marks/${d##*/} "
                    "$(grep -l /r$i cache/*[0-9a-f]); done; done; true")
    fresh("prune", "--older-than", "7d")
    assert layers() == {0, 1, 2, 3}
    fresh("prune", "--older-than", "2d12h")
    assert layers() == {2, 3}
    fresh("prune", "--keep-bytes", "300k")
    assert len(layers()) == 1
    fresh("prune", "--keep-bytes", "0")
    assert layers() == set()


@pytest.mark.parametrize("arguments", [["--older-than", "soon"], ["--older-than", ""], ["--keep-bytes", "much"], ["--filter", "x=1"], ["--filter", "type=all"], ["word"]])
def test_prune_refuses_what_it_does_not_know(fresh, arguments):
    assert fresh("prune", *arguments, check=2).err.strip()


def test_prune_beside_a_running_build(fresh):
    """What it stacks on and mounts stays; it goes on, and its image is whole."""
    text = "FROM busybox:1\nRUN echo 1 >/one\nRUN --mount=type=cache,target=/c touch /c/kept; until [ -e /c/go ]; do sleep 0.1; done; cat /one >/two\n"
    context = fresh.context({"Buildfile": text})
    target = fresh.folder / "out.tar"
    process = fresh.start("build", "--progress=plain", "-o", f"type=oci,dest={target}", context)
    try:
        assert processes.wait_until(lambda: in_store(fresh, "ls -d snapshots/*/cache/*/kept 2>/dev/null || true").strip())
        out = fresh("prune", "--all").out
        assert "RUN echo 1" not in out and "/c" not in out
        in_store(fresh, "for kept in snapshots/*/cache/*/kept; do touch ${kept%kept}go; done")
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert image_read.read_oci_archive(target).read("two") == b"1\n"
    assert len(ran(build(fresh, text, context=context))) == 0


def test_prune_in_a_loop_beside_builds(fresh):
    context = fresh.context({f"d/{i}": str(i) for i in range(20)})
    text = "FROM busybox:1 AS a\nCOPY d /d\nRUN cat /d/* >/all\nFROM busybox:1\nCOPY --from=a /all /all\nRUN wc -c </all >/n\n"
    (context / "Buildfile").write_text(text)
    wanted = fresh.image(text, "--source-date-epoch=1000", context=context).manifest_digest
    pruning = [fresh.start("prune", "--all") for _ in range(2)]
    for i in range(12):
        target = fresh.folder / f"out{i}.tar"
        building = fresh.start("build", "--source-date-epoch=1000", "-o", f"type=oci,dest={target}", context)
        for k, process in enumerate(pruning):
            if process.poll() is not None:
                assert process.returncode == 0, process.communicate()
                process.communicate()
                pruning[k] = fresh.start("prune", "--all")
        _, err = building.communicate(timeout=60)
        assert building.returncode == 0, err
        assert image_read.read_oci_archive(target).manifest_digest == wanted
    for process in pruning:
        process.communicate(timeout=60)
        assert process.returncode == 0


# The plan.


def plan(sb, text, *args, context=None, files=None):
    context = context or sb.context(files)
    (context / "Buildfile").write_text(text)
    return json.loads(sb("build", "--plan", "--progress=json", *args, context).out), context


def test_the_plan_says_what_a_build_does(fresh):
    text = """FROM busybox:1 AS a
ARG V=1
RUN echo $V >/v
FROM busybox:1 AS unneeded
RUN false
FROM scratch AS b
COPY f /f
FROM busybox:1
COPY --from=a /v /v
COPY --link --from=b /f /f
WORKDIR /w
CMD ["x"]
"""
    files = {"f": "x"}

    def states(said):
        return [[step["state"] for step in stage["steps"]] for stage in said["stages"]]

    said, context = plan(fresh, text, files=files)
    assert [(stage["name"], stage["base"], stage["needs"], stage["target"]) for stage in said["stages"]] == [
        ("a", "busybox:1", [], False),
        ("b", "scratch", [], False),
        ("stage-3", "busybox:1", [0, 1], True),
    ]
    assert states(said) == [["ready", "config", "run"], ["ready", "run"], ["ready", "unknown", "unknown", "unknown", "config"]]
    assert not (fresh.store / "cache").exists() or records(fresh) == [], "nothing was started"
    build(fresh, text, context=context)
    said, _ = plan(fresh, text, context=context)
    assert states(said) == [["ready", "config", "cached"], ["ready", "cached"], ["ready", "cached", "cached", "cached", "config"]]
    keys = [step["key"][7:] for stage in said["stages"] for step in stage["steps"] if "key" in step]
    assert len(set(keys)) == 5 and set(keys) <= {path.name for path in records(fresh)}
    said, _ = plan(fresh, text, "--build-arg=V=2", context=context)
    assert states(said) == [["ready", "config", "run"], ["ready", "cached"], ["ready", "unknown", "cached", "unknown", "config"]]
    said, _ = plan(fresh, text, "--no-cache", context=context)
    assert "cached" not in str(states(said))
    page = fresh("build", "--plan", context).out
    assert "5 cached, 0 to run" in page and "needs a, b (target)" in page


def test_a_plan_fetches_nothing(fresh):
    text = "FROM 127.0.0.1:1/nowhere:1\nRUN echo 1\nADD https://127.0.0.1:1/x /x\nCOPY --from=127.0.0.1:1/other:1 /x /y\nENV A=1\n"
    said, _ = plan(fresh, text)
    assert [step["state"] for step in said["stages"][0]["steps"]] == ["fetch", "unknown", "unknown", "unknown", "config"]
