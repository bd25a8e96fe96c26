# SPDX-License-Identifier: MIT
"""RUN --mount=type=bind of a build context: read where it lies, as the step is to see it."""

import contextlib
import os
import pathlib
import socket
import subprocess
import tarfile
import threading
import time

import pytest

from conftest import IS_ROOT, cannot_run

MIB = 1 << 20
DEEP = "/".join(["a-name-of-some-forty-characters-in-all-00"] * 110)


@pytest.fixture(autouse=True)
def needs_the_kernel(sb):
    doctor = sb("doctor", check=None).out
    if "reads it where it is" not in doctor:
        cannot_run("the kernel has no data layers for overlayfs: what is mounted of the context is copied")


@contextlib.contextmanager
def running(sb, text, context, *args):
    """The build, in the background; .wait_for(TEXT) ends when its output has it."""
    (context / "Buildfile").write_text(text, encoding="utf-8")
    process = sb.start("build", "--progress=plain", *args, context, stderr=subprocess.STDOUT)
    process.text = ""
    new = threading.Condition()

    def read():
        for line in process.stdout:
            with new:
                process.text += line.decode(errors="replace")
                new.notify_all()
        with new:
            process.text += "\0"
            new.notify_all()

    def wait_for(wanted):
        with new:
            assert new.wait_for(lambda: wanted in process.text or "\0" in process.text, timeout=60)
            assert wanted in process.text, process.text

    reader = threading.Thread(target=read)
    reader.start()
    process.wait_for = wait_for
    try:
        yield process
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
        reader.join()


def used_bytes(folder):
    """What a folder takes on disk; files of subordinate ids among them."""
    command = ["du", "--summarize", "--block-size=1", str(folder)]
    if not IS_ROOT:
        command = ["unshare", "--user", "--map-auto", "--map-root-user", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout.split()[0])


# REA''DY: the line of the instruction is shown too.
# A step that says READY and goes on when "flag" of the context, which it reads in place, says so.
WAITS = "echo REA''DY; n=0; while [ $(cat /c/flag) = wait ] && [ $n -lt 600 ]; do n=$((n+1)); sleep 0.1; done"


def test_nothing_is_copied(fresh):
    context = fresh.context({"big": os.urandom(64 * MIB)})
    fresh.build("FROM busybox:1\nRUN true\n")
    before = used_bytes(fresh.store)
    text = "FROM busybox:1\nRUN --mount=type=bind,target=/c,rw wc -c /c/big && echo REA''DY && sleep 600\n"
    with running(fresh, text, context) as build:
        build.wait_for("READY")
        assert used_bytes(fresh.store) - before < MIB
        assert f"{64 * MIB} /c/big" in build.text
        build.terminate()
    assert used_bytes(fresh.store) - before < MIB


def test_what_a_step_sees(sb):
    """Against the context itself, and what COPY makes of the same."""
    context = sb.context({"plain": "text\n", "d/private": "0600", "d/run": "#!/bin/sh\necho ran\n", "empty": "", "e/deep/f": "f"})
    os.chmod(context / "d/private", 0o600)
    os.chmod(context / "d/run", 0o755)
    os.chmod(context / "d", 0o2750)
    os.chmod(context / "plain", 0o4644)
    os.symlink("d/private", context / "link")
    os.symlink("/etc/passwd", context / "absolute")
    os.link(context / "plain", context / "e/second")
    os.mkfifo(context / "fifo")
    os.truncate(context / "empty", 0)
    (context / "sparse").write_bytes(b"begin")
    os.truncate(context / "sparse", 5 * MIB)
    for name in ("plain", "d/private", "e"):
        os.utime(context / name, (1600000000, 1600000001))
    os.setxattr(context / "plain", "user.note", b"kept")
    look = (
        "find . -not -name Buildfile -exec stat -c '%n %F %a %u:%g %s %Y' {} + | grep -v '^. ' | sed '/ directory /s/ [0-9]* [0-9]*$//' | sort"
        " && find . -type f -not -name Buildfile -exec md5sum {} + | sort && ./d/run && readlink link && readlink absolute"
    )
    text = (
        "FROM busybox:1\nCOPY . /copied\n"
        f"RUN cd /copied && ({look}) >/by-copy\n"
        f"RUN --mount=type=bind,target=/c cd /c && ({look}) >/by-mount && stat -c %h plain >/links\n"
        "RUN --mount=type=bind,source=d,target=/c cat /c/private >/part\n"
        "RUN --mount=type=bind,source=d/run,target=/c /c >/one\n"
        "RUN --mount=type=bind,source=link,target=/c cat /c >/by-link\n"
    )
    image = sb.image(text, context=context)
    by_mount = image.read("by-mount").decode()
    assert by_mount == image.read("by-copy").decode()
    assert "./d/private regular file 600 0:0 4 1600000001" in by_mount and "./plain regular file 4644 0:0 5" in by_mount
    assert "./fifo fifo" in by_mount and "ran\n" in by_mount and f"./sparse regular file 644 0:0 {5 * MIB}" in by_mount
    assert image.read("links") == b"2\n"
    assert [image.read(n) for n in ("part", "one", "by-link")] == [b"0600", b"ran\n", b"0600"]


def test_another_user_of_the_step_has_no_more_rights(sb):
    context = sb.context({"private": "p", "public": "p"})
    os.chmod(context / "private", 0o600)
    text = "FROM busybox:1\nUSER 1000\nRUN --mount=type=bind,target=/c cat /c/public && ! cat /c/private\n"
    assert "Permission denied" in sb.build(text, context=context).text


def test_writes_are_thrown_away(sb):
    context = sb.context({"f": "one\n", "gone": "g", "d/moved": "m", "mode": "x"})
    text = (
        "FROM busybox:1\n"
        "RUN --mount=type=bind,target=/c,rw echo two >>/c/f && rm /c/gone && mv /c/d/moved /c/new && chmod 700 /c/mode"
        " && cat /c/f /c/new /c/mode >/out && ls /c >>/out\n"
        "RUN --mount=type=bind,target=/c cat /c/f /c/gone /c/d/moved >/after && stat -c %a /c/mode >>/after\n"
        "RUN --mount=type=bind,target=/c,rw cat /c/f /c/gone >/again\n"
    )
    image = sb.image(text, context=context)
    assert image.read("out") == b"one\ntwo\nmxBuildfile\nd\nf\nmode\nnew\n"
    assert image.read("after") == b"one\ngm644\n" and image.read("again") == b"one\ng"
    assert (context / "f").read_text() == "one\n" and (context / "gone").exists() and not (context / "new").exists()


def test_what_the_ignore_file_and_secrets_keep_out(sb):
    context = sb.context({".dockerignore": "hidden\n!hidden/kept\n*.log\n", "hidden/f": "no", "hidden/kept": "yes", "a.log": "no"})
    (context / "token").write_text("a-token-of-the-context-1")
    text = "FROM busybox:1\n" + 2 * "RUN --mount=type=bind,target=/c find /c -type f | sort >/out\n"
    image = sb.image(text, "--secret", f"id=t,src={context}/token", context=context)
    assert image.read("out").split() == [b"/c/.dockerignore", b"/c/Buildfile", b"/c/hidden/kept"]
    assert image.result.err.count("is the source of secret 't'") == 1
    for source, words in (("a.log", "excluded"), ("hidden/f", "excluded"), ("token", "secret 't'"), ("nosuch", "nosuch")):
        text = f"FROM busybox:1\nRUN --mount=type=bind,source={source},target=/c true\n"
        result = sb.build(text, "--secret", f"id=t,src={context}/token", context=context, check=1)
        assert "Buildfile:2" in result.err and words in result.err


def test_links_never_lead_out(sb):
    outside = sb.file("outside", "of the host")
    context = sb.context({"d/f": "inside", "x": None})
    os.symlink(outside, context / "x/file")
    os.symlink(outside.parent, context / "x/folder")
    os.symlink("../../../../../../../../.." + str(outside), context / "x/up")
    os.symlink("d", context / "to-d")
    text = "FROM busybox:1\nRUN --mount=type=bind,target=/c for f in /c/x/file /c/x/folder/outside /c/x/up; do ! cat $f || exit 9; done\n"
    assert "of the host" not in sb.build(text, context=context).text
    for source in ("x/file", "x/folder/outside", "x/up", "../" + outside.name):
        sb.build(f"FROM busybox:1\nRUN --mount=type=bind,source={source},target=/c cat /c\n", context=context, check=1)
    image = sb.image("FROM busybox:1\nRUN --mount=type=bind,source=to-d/f,target=/c cat /c >/out\n", context=context)
    assert image.read("out") == b"inside"


def test_a_source_is_no_pattern(sb):
    context = sb.context({"a[1]": "brackets", "a1": "wrong", "b*": "star", "b2": "wrong", "c\\d": "slash"})
    mounts = [("a[1]", "/x"), ("b*", "/y"), ("c\\\\\\\\d", "/z")]
    flags = " ".join(f"--mount=type=bind,source={source},target={target}" for source, target in mounts)
    image = sb.image(f"FROM busybox:1\nRUN {flags} cat /x /y /z >/out\n", context=context)
    assert image.read("out") == b"bracketsstarslash"


def test_named_contexts_and_the_same_part_twice(sb):
    other = sb.context({"f": "other", ".dockerignore": "no\n", "no": "n"})
    text = (
        "FROM busybox:1\nRUN --mount=type=bind,from=other,target=/a --mount=type=bind,target=/b --mount=type=bind,target=/c,rw"
        " --mount=type=bind,target=/d,rw echo more >>/c/f && cat /a/f /b/f /c/f /d/f >/out && ! [ -e /a/no ]\n"
    )
    image = sb.image(text, "--build-context", f"other={other}", files={"f": "main"})
    assert image.read("out") == b"othermainmainmore\nmain"


def change_file(context):
    (context / "f").write_text("changed")


def replace_file(context):
    (context / "new").write_text("before")
    os.utime(context / "new", ns=(os.stat(context / "f").st_mtime_ns,) * 2)
    os.rename(context / "new", context / "f")


def put_a_link(context):
    os.unlink(context / "f")
    os.symlink(context / "ignored", context / "f")


def put_an_ignored_file(context):
    os.rename(context / "ignored", context / "f")


def put_a_folder_link(context):
    os.rename(context / "z", context / "z-before")
    os.symlink(context / "hidden", context / "z")


@pytest.mark.parametrize(
    "change, path, seen",
    [
        (change_file, "f", "changed"),
        (replace_file, "f", "before"),
        (os.unlink, "f", ""),
        (put_a_link, "f", ""),
        (put_an_ignored_file, "f", None),
        (put_a_folder_link, "z/f", ""),
    ],
)
def test_a_change_while_the_step_runs_is_an_error(sb, change, path, seen):
    context = sb.context(
        {".dockerignore": "ignored\nhidden\nz-before\n", "flag": "wait", "f": "before", "z/f": "before", "ignored": "IGNORED", "hidden/f": "IGNORED"}
    )
    text = f"FROM busybox:1\nRUN --mount=type=bind,target=/c,rw {WAITS}; echo \"[$(cat /c/{path})]\"\n"
    with running(sb, text, context, "-t", "changed:1") as build:
        build.wait_for("READY")
        change(context / "f" if change is os.unlink else context)
        (context / "flag").write_text("go")
    assert build.returncode == 3, build.text
    assert f"'{path}' of the build context was changed while the step could read it" in build.text or "'flag' of" in build.text
    assert "Buildfile:2" in build.text and "build again when nothing writes to it" in build.text
    if seen is not None:
        assert f"[{seen}]" in build.text and "IGNORED" not in build.text
    assert "changed:1" not in sb("images").out


def test_a_step_that_fails_after_a_change_says_so(sb):
    context = sb.context({"flag": "wait"})
    with running(sb, f"FROM busybox:1\nRUN --mount=type=bind,target=/c {WAITS}; exit 7\n", context) as build:
        build.wait_for("READY")
        (context / "flag").write_text("go")
    assert build.returncode == 1 and "exit code: 7" in build.text and "'flag' of the build context was changed" in build.text


def test_new_files_and_touched_folders_are_no_change(sb):
    context = sb.context({"f": "x", "d/f": "y"})
    with socket.create_server(("127.0.0.1", 0)) as server:
        text = f"FROM busybox:1\nRUN --network=host --mount=type=bind,target=/c echo REA''DY; nc 127.0.0.1 {server.getsockname()[1]}; ls /c/d\n"
        with running(sb, text, context) as build:
            build.wait_for("READY")
            (context / "d/new").write_text("n")
            server.accept()[0].close()
    assert build.returncode == 0, build.text


def test_a_change_between_two_steps_is_seen_by_the_second(sb):
    context = sb.context({"f": "first\n", "gone": "g"})
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        text = (
            "FROM busybox:1\nRUN --mount=type=bind,target=/c cat /c/f\n"
            f"RUN --network=host echo REA''DY; nc 127.0.0.1 {port}\nRUN --mount=type=bind,target=/c cat /c/f; ls /c\n"
        )
        with running(sb, text, context) as build:
            build.wait_for("READY")
            (context / "f").write_text("second\n")
            (context / "added").write_text("a")
            (context / "gone").unlink()
            server.accept()[0].close()
    assert build.returncode == 0, build.text
    assert "first" in build.text and "second" in build.text and "added" in build.text and "gone" not in build.text


def make_deep(context):
    at = os.open(context, os.O_RDONLY)
    for name in DEEP.split("/"):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    with os.fdopen(os.open("f", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=at), "w") as file:
        file.write("at the bottom")
    os.close(at)


def test_a_path_that_the_kernel_does_not_take_is_copied(sb):
    context = sb.context({"top": "t"})
    make_deep(context)
    half = "/".join(DEEP.split("/")[:60])
    text = f"FROM busybox:1\nRUN --mount=type=bind,source={half},target=/c cat /c{DEEP[len(half):]}/f >/out\n"
    assert sb.image(text, context=context).read("out") == b"at the bottom"


@pytest.mark.privileged
def test_another_mount_in_the_context_is_not_passed_over(session_folder, sb):
    """What lies below it must not show through: that part is copied. safebuild is the only process
    of its mount namespace, as in a container: that ends when safebuild enters its own."""
    context = sb.context({"m/f": "below the mount", "m/only-below": "no", "f": "below too", "g": "g"})
    other = sb.context({"f": "on the mount", "one": "one file"})
    script = f'mount --bind {other} {context}/m && mount --bind {other}/one {context}/f && exec "$@"'
    text = "FROM busybox:1\nRUN --mount=type=bind,target=/c cat /c/m/f /c/f /c/g >/out && ! [ -e /c/m/only-below ]\nCOPY . /copy\n"
    (context / "Buildfile").write_text(text)
    target = pathlib.Path(session_folder) / "mounted.tar"
    command = ["unshare", "-m", "sh", "-c", script, "sh", sb.program, "build", "-o", f"type=tar,dest={target}", str(context)]
    done = subprocess.run(command, check=False, env=sb.environment(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    with tarfile.open(target) as tar:
        assert tar.extractfile("out").read() == b"on the mountone fileg"
        assert tar.extractfile("copy/m/f").read() == b"on the mount"


def test_many_files(sb):
    context = sb.context({f"d{i % 50}/f{i}": str(i) for i in range(5000)})
    text = "FROM busybox:1\n" + 3 * "RUN --mount=type=bind,target=/c cat /c/d*/f* | wc -c >/out\n"
    assert sb.image(text, context=context).read("out") == b"%d\n" % sum(len(str(i)) for i in range(5000))
