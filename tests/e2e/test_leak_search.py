# SPDX-License-Identifier: MIT
"""What the search for known secrets looks into and says, and what the output does not show."""

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import pty
import re
import subprocess
import tarfile
import threading
import urllib.parse
import zipfile
import zlib

import pytest

from secret_search import find_secret

# Nothing in it is changed by the forms of text that leave letters and digits alone, but for + and /.
SECRET = "sb+9Xk/" + base64.b32encode(os.urandom(15)).decode()


def secret_option(sb, value=SECRET, id="mysecret"):
    return ["--secret", f"id={id},src={sb.file(id, value)}"]


# The secret behind its parts, so that compressors refer to those and it is not there as it is.
TEXT = (SECRET[:9] + "\n" + SECRET[9:] + "\n").encode() * 20 + b"token=" + SECRET.encode() + b"\n"


def make_tar(files, mode="w", **options):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, **options) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Pipe:
    """A stream without seek: the zip writer then puts sizes behind the members."""

    def __init__(self, out):
        self.write, self.flush = out.write, out.flush


def make_zip(files, method=zipfile.ZIP_DEFLATED, is_stream=False):
    out = io.BytesIO()
    with zipfile.ZipFile(Pipe(out) if is_stream else out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


def git_object(data):
    return zlib.compress(b"blob %d\0" % len(data) + data)


def git_pack(data):
    size = len(data)
    head = bytes([0x80 | 3 << 4 | size & 15])
    size >>= 4
    while size > 127:
        head, size = head + bytes([0x80 | size & 127]), size >> 7
    return b"PACK\0\0\0\2\0\0\0\1" + head + bytes([size]) + zlib.compress(data) + b"\0" * 20


FILES = {"etc/other": b"x", "etc/token": TEXT}
# what it is: (its bytes, what the message says of the place)
PACKED = {
    "gzip": (lambda: gzip.compress(TEXT), "in what is packed in it"),
    "gzip of two members": (lambda: gzip.compress(TEXT[:-9]) + gzip.compress(TEXT[-9:]), "in what is packed in it"),
    "gzip that is cut off": (lambda: gzip.compress(TEXT + os.urandom(1000))[:-90], "in what is packed in it"),
    "bzip2": (lambda: bz2.compress(TEXT), "in what is packed in it"),
    "xz": (lambda: lzma.compress(TEXT), "in what is packed in it"),
    "zstd": (lambda: zstd(TEXT), "in what is packed in it"),
    "tar": (lambda: make_tar(FILES), "in etc/token"),
    "tar.gz": (lambda: make_tar(FILES, "w:gz"), "in etc/token"),
    "tar.xz": (lambda: make_tar(FILES, "w:xz", format=tarfile.GNU_FORMAT), "in etc/token"),
    "tar.zst": (lambda: zstd(make_tar(FILES)), "in etc/token"),
    "zip": (lambda: make_zip(FILES), "in etc/token"),
    "zip, stored": (lambda: make_zip(FILES, zipfile.ZIP_STORED), "in etc/token"),
    "zip, bzip2": (lambda: make_zip(FILES, zipfile.ZIP_BZIP2), "in etc/token"),
    "zip, written to a pipe": (lambda: make_zip(FILES, is_stream=True), "in etc/token"),
    "zip behind a script": (lambda: b"#!/usr/bin/env python3\n" + make_zip(FILES), "in etc/token"),
    "zip behind a zip": (lambda: make_zip({"a": b"b"}) + make_zip(FILES), "in etc/token"),
    "tar.gz behind a script": (lambda: b"#!/bin/sh\nexit 0\n" + make_tar(FILES, "w:gz"), "in etc/token"),
    "a jar in a war in a tar.gz": (
        lambda: make_tar({"app.war": make_zip({"lib/a.jar": make_zip(FILES)})}, "w:gz"),
        "in app.war!lib/a.jar!etc/token",
    ),
    "base64 of it in a zip": (
        lambda: make_zip({"k.yaml": b"x: " + base64.b64encode(SECRET.encode() * 3)}),
        "base64 in k.yaml",
    ),
    "a git object": (lambda: git_object(TEXT), "in what is packed in it"),
    "a git pack": (lambda: git_pack(TEXT), "in object at byte 12"),
}


def assert_gone(sb, value=SECRET):
    assert find_secret(value.encode(), sb.store, sb.tmp) == []
    assert "leaky" not in sb("images").out


@pytest.mark.parametrize("how", PACKED)
def test_what_is_packed_is_looked_into(fresh, how):
    make, place = PACKED[how]
    text = "FROM busybox:1\nCOPY in /opt/in\n"
    context = fresh.folder.with_name(fresh.folder.name + "-context")
    context.mkdir()
    (context / "in").write_bytes(make())
    result = fresh.build(text, *secret_option(fresh), "-t", "leaky:1", context=context, check=1)
    assert SECRET not in result.text
    assert "Buildfile:2:1: error: COPY: secret 'mysecret' found in /opt/in (" in result.err
    assert place in result.err, result.err
    assert "mount the secret in the step that needs it" in result.err
    assert_gone(fresh)


def test_a_step_that_packs_it_is_refused_also_in_a_stage_that_is_not_exported(fresh):
    step = "RUN --mount=type=secret,id=mysecret tar -c -z -f /root/x.tgz -C /run/secrets mysecret\n"
    for text in (f"FROM busybox:1\n{step}", f"FROM busybox:1 AS one\n{step}FROM busybox:1\nCOPY --from=one /bin/sh /sh\n"):
        result = fresh.build(text, *secret_option(fresh), "-t", "leaky:1", check=1)
        assert "Buildfile:2:1: error: RUN: secret 'mysecret' found in /root/x.tgz (raw in mysecret, at byte 0)" in result.err
        assert_gone(fresh)


def test_a_name_that_holds_it_is_not_shown(fresh):
    secret = SECRET.replace("/", "-")
    for pack in (make_tar, make_zip, lambda files: gzip.compress(make_zip(files))):
        files = {"in": pack({f"a/{secret}/b": b"1"})}
        result = fresh.build("FROM busybox:1\nCOPY in /in\n", *secret_option(fresh, secret), files=files, check=1)
        assert secret not in result.text and "(raw in a name of what is packed in it)" in result.err


def test_a_cache_mount_with_it_packed_loses_the_file_alone(fresh):
    text = """FROM busybox:1
RUN --mount=type=secret,id=mysecret --mount=type=cache,target=/c echo fine >/c/kept; gzip </run/secrets/mysecret >/c/x.gz
"""
    result = fresh.build(text, *secret_option(fresh), check=1)
    assert "secret 'mysecret' found in the cache mount /c: /c/x.gz (raw in what is packed in it, at byte 0)" in result.err
    assert find_secret(SECRET.encode(), fresh.store) == []
    assert fresh.output("ls /c", flags="--mount=type=cache,target=/c") == "kept\n"


def test_archives_without_it_pass_whatever_is_wrong_with_them(fresh):
    plain = {"a": b"b" * 1000, "c": os.urandom(5000)}
    encrypted = bytearray(make_zip(plain))
    encrypted[6] |= 1
    files = {
        "1.zip": bytes(encrypted),
        "2.zip": make_zip(plain)[:-2000],
        "3.tgz": make_tar(plain, "w:gz")[:-50],
        "4.gz": b"\x1f\x8b\x08\0" + os.urandom(1000),
        "5.xz": lzma.compress(b"x" * 5000)[:40] + os.urandom(100),
        "6.7z": b"7z\xbc\xaf\x27\x1c" + os.urandom(100),
        "7.z": b"x\x9c" + os.urandom(1000),
        "8.pack": b"PACK\0\0\0\2\xff\xff\xff\xff" + os.urandom(1000),
        "9.gz": gzip.compress(gzip.compress(b"\0" * 50_000_000)),
        "random": os.urandom(100_000),
    }
    for _ in range(12):
        files["deep"] = gzip.compress(files.get("deep", b"deep"))
    image = fresh.image("FROM scratch\nCOPY . /\n", *secret_option(fresh), files=files)
    for name, data in files.items():
        assert image.read(name) == data


@pytest.mark.parametrize(
    "line, args",
    [
        ("ENV A=1 B={}", []),
        ("LABEL a={}", []),
        ("ARG A\nENV B=$A", ["--build-arg", "A={}"]),
        ("ARG A\nLABEL B=x$A", ["--build-arg", "A={}"]),
        ('CMD ["a", "{}"]', []),
        ('ENTRYPOINT ["{}"]', []),
        ("RUN true", ["--label", "a={}"]),
        ("RUN true", ["--label", "{}=a"]),
        ("ONBUILD RUN echo {}", []),
        ("HEALTHCHECK CMD test {}", []),
        ("RUN true # {}", []),
        ("RUN <<E\ntrue {}\nE", []),
    ],
)
@pytest.mark.parametrize("form", ["raw", "base64", "hex"])
def test_what_describes_the_image_is_searched(fresh, line, args, form):
    value = {"raw": SECRET, "base64": base64.b64encode(SECRET.encode()).decode(), "hex": SECRET.encode().hex()}[form]
    files = [fresh.folder / "iid", fresh.folder / "meta.json"]
    outputs = ["--iidfile", files[0], "--metadata-file", files[1]]
    args = [a.replace("{}", value) for a in args]
    text = "FROM busybox:1\n" + line.replace("{}", value) + "\n"
    result = fresh.build(text, *args, *outputs, *secret_option(fresh), "-t", "leaky:1", check=1)
    assert "secret 'mysecret' found in the image's" in result.err
    assert SECRET not in result.text and value not in result.text
    assert not any(file.exists() for file in files)
    assert_gone(fresh)
    if line.startswith("ONBUILD"):
        return  # is in no history: found when the config is written, with no line
    assert "--label" in result.err if "--label" in args else re.search(r"Buildfile:[23]:1: error: [A-Z]+: ", result.err), result.err


def test_the_images_name_is_searched(fresh):
    secret = "sb-" + base64.b32encode(os.urandom(15)).decode().lower()
    meta = fresh.folder / "meta.json"
    named = ["-t", f"a/{secret}:1"], ["-o", f"type=docker,dest={fresh.folder}/out.tar,name=b:{secret}"]
    for args in named:
        result = fresh.build(
            "FROM busybox:1\n", *args, "--metadata-file", meta, *secret_option(fresh, secret), check=1
        )
        assert "found in the image's name" in result.err and secret not in result.text
        assert not meta.exists() and not (fresh.folder / "out.tar").exists()
    assert find_secret(secret.encode(), fresh.store, fresh.tmp) == []


def test_what_cannot_be_verified_is_said_by_id(fresh):
    values = {"pin": "123", "common": "password", "short": "kX7$q2", "same": "aaaaaaaaaaaa", "good": SECRET}
    options = [o for id, value in values.items() for o in secret_option(fresh, value, id)]
    result = fresh.build("FROM busybox:1\nRUN true\n", *options)
    for id in values:
        assert (f"secret '{id}'" in result.text) == (id != "good")
    for value in ("kX7$q2", SECRET):
        assert value not in result.text
    result = fresh.build("FROM busybox:1\nRUN --mount=type=secret,id=short cp /run/secrets/short /x\n", *options, check=1)
    assert "secret 'short' found in /x" in result.err


# --- Output ---


def wrapped(data):
    return base64.encodebytes(data).decode().rstrip("\n")


FORMS = {
    "raw": SECRET,
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 of user:secret": base64.b64encode(b"oauth2:" + SECRET.encode()).decode(),
    "base64url": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "base64 in lines": wrapped(SECRET.encode() * 4),
    "hex": SECRET.encode().hex(),
    "HEX": SECRET.encode().hex().upper(),
    "percent": urllib.parse.quote(SECRET, safe=""),
    "json": json.dumps(SECRET).replace("/", "\\/"),
    "octal": "".join(f"\\{ord(c):03o}" for c in SECRET),
    "json of json": json.dumps(json.dumps({"a": SECRET})),
}


def assert_hidden(text, values):
    """No value, and of none a piece from which the rest could be found by hand."""
    seen = text.replace("\r", "").replace("\n", "")
    for value in values:
        for line in value.split("\n"):
            assert line[:12] not in text, repr(line[:12])
            assert line[-20:-6] not in text.replace("[secret mysecret]", ""), repr(line)
    assert SECRET not in seen


def script_of_forms():
    """Each form whole on either stream, and in pieces that come one after the other."""
    lines = ["FROM busybox:1", "COPY forms /forms", "RUN --mount=type=bind,target=/in,source=. <<'E'"]
    for i in range(len(FORMS)):
        lines.append(f"echo begin-{i}; cat /in/f{i}; echo; cat /in/f{i} >&2; echo >&2")
        lines.append(f"head -c 9 /in/f{i}; sleep 0.02; tail -c +10 /in/f{i}; echo; echo end-{i}")
    return "\n".join(lines + ["exit 7", "E", ""])


def output_context(sb):
    files = {f"f{i}": value for i, value in enumerate(FORMS.values())}
    return sb.context(files | {"forms": "nothing"})


@pytest.mark.parametrize("progress", ["plain", "json", "quiet"])
def test_no_form_of_it_is_shown(fresh, progress):
    """A step that fails, so that its tail is shown once more by those that are quiet."""
    result = fresh.build(
        script_of_forms(), f"--progress={progress}", *secret_option(fresh), context=output_context(fresh), check=1
    )
    assert "[secret mysecret]" in result.text and f"end-{len(FORMS) - 1}" in result.text
    assert_hidden(result.text, FORMS.values())


def run_on_terminal(sb, *args):
    master, slave = pty.openpty()
    process = sb.start(*args, stdout=slave, stderr=slave, env={"TERM": "xterm"})
    os.close(slave)
    out = b""
    timer = threading.Timer(60, process.kill)
    timer.start()
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    timer.cancel()
    os.close(master)
    return process.wait(), out.decode(errors="replace")


def test_no_form_of_it_is_shown_on_a_terminal(fresh):
    context = output_context(fresh)
    (context / "Buildfile").write_text(script_of_forms())
    status, text = run_on_terminal(fresh, "build", "--progress=tty", *secret_option(fresh), context)
    assert status == 1 and "[secret mysecret]" in text
    assert_hidden(text, FORMS.values())


def test_no_message_shows_it(fresh):
    """Titles, errors, hints and names of stages and files."""
    bad = [
        f"FROM busybox:1\nRUN echo {SECRET} && false\n",
        f'FROM busybox:1\nRUN ["{SECRET}"]\n',
        f"FROM {SECRET.lower()}\n",
        f"FROM busybox:1\nCOPY {SECRET} /\n",
        f"FROM busybox:1\nADD https://u:{SECRET}@localhost:1/x /\n",
        f"FROM busybox:1\nUSER {SECRET}\nRUN true\n",
        f"FROM busybox:1\nRUN --mount=type=secret,id=x,required,target=/{SECRET} true\n",
        f"FROM busybox:1\nNONSENSE {SECRET}\n",
        f"FROM busybox:1\nRUN --mount=type={SECRET} true\n",
        f"FROM busybox:1\nSHELL {SECRET}\n",
    ]
    for text in bad:
        for progress in ("plain", "json", "quiet"):
            result = fresh.build(text, f"--progress={progress}", *secret_option(fresh), check=None)
            assert result.status in (1, 2, 3), repr(result)
            assert SECRET not in result.text, repr(result)
