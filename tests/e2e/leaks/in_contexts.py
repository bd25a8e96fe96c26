# SPDX-License-Identifier: MIT
"""What comes from the context: copied files, archives, repositories, in every form and packing."""

import gzip
import io
import lzma
import tarfile

from image_make import add_file, add_link, make_tar
from leaks import forms, packers
from leaks.case import ANY, MOUNT, Case, Nothing, Refused, copied, left_by_a_step


def by_either(index, *args, **more):
    return (left_by_a_step if index % 2 else copied)(*args, **more)


def copy(title, instruction, files, where="/etc/leak", form="raw", line=2, **more):
    return Case(title, f"FROM busybox:1\n{instruction}\n", Refused(where, form, line), files=files, **more)


def in_planted(value):
    return {"planted": "token: " + value + "\n"}


def tar_with_odd_entries(value):
    """A link whose target is the value, and a file whose attribute it is."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        add_link(archive, "etc/leak", "/x/" + value)
        add_file(archive, "etc/f", b"1", pax={"SCHILY.xattr.user.x": value})
    return out.getvalue()


def context_tar(value):
    text = "FROM busybox:1\nCOPY planted /etc/leak\n"
    return gzip.compress(make_tar({"Buildfile": text, "planted": value + "\n"}))


FORMS = [
    by_either(
        index,
        f"form {form.name} {'at alignment ' + str(index % 3) if form.is_aligned else ''}".strip(),
        lambda v, form=form, index=index: b"key: " + form.write(v, index % 3) + b"\n",
        form.reported,
        value=form.of(form.name),
    )
    for index, form in enumerate(forms.FORMS)
]

PACKED = [
    by_either(index, f"packed: {name}", lambda v, pack=pack: pack(v.encode()), "raw")
    for index, (name, pack) in enumerate(packers.PACKERS.items())
] + [
    by_either(index, f"packed: {name}", lambda v, pack=pack: pack(v.encode()), ANY)
    for index, (name, pack) in enumerate(packers.LABELLED.items())
]

FORMS_PACKED = [
    by_either(
        index,
        f"{form}, in {packing}",
        lambda v, form=form, packing=packing: packers.PACKERS[packing](forms.BY_NAME[form].write(v)),
        forms.BY_NAME[form].reported,
        value=forms.BY_NAME[form].of(form + packing),
    )
    for index, (form, packing) in enumerate(
        [
            ("base64", "jar in a war"),
            ("base64 in lines of 64", "tar.gz"),
            ("hex", "tar.xz"),
            ("JSON in ASCII", "wheel"),
            ("UTF-16, little end first", "zip"),
            ("percent", "sqlite"),
            ("base64 of base64", "tar.zst"),
            ("XML text", "jar in a war in a deb"),
        ]
    )
]

COPIES = [
    copy("COPY of one file", "COPY planted /etc/leak", in_planted),
    copy("COPY of a folder", "COPY d /etc/", lambda v: {"d/a/leak": v}, "/etc/a/leak"),
    copy("COPY of everything", "COPY . /app/", lambda v: {".env": "TOKEN=" + v}, "/app/.env"),
    copy("COPY by wildcard", "COPY plan* /etc/", in_planted, "/etc/planted"),
    copy("COPY with an owner and a mode", "COPY --chown=1000:1000 --chmod=600 planted /etc/leak", in_planted),
    copy("COPY --link", "COPY --link planted /etc/leak", in_planted),
    copy("COPY --parents", "COPY --parents d/planted /etc/", lambda v: {"d/planted": v}, "/etc/d/planted"),
    copy("COPY of a file named by it", "COPY d /etc/", lambda v: {"d/" + v: "1"}, "/etc"),
    copy("COPY of a folder named by it", "COPY . /app/", lambda v: {"a-" + v + "/b/c": "1"}, "/app"),
    copy("COPY to a file named by it", "COPY planted /etc/@VALUE@", lambda v: {"planted": "1"}, "/etc"),
    copy("COPY of .git/config", "COPY . /src/", lambda v: {".git/config": f'[remote "o"]\n\turl = https://x:{v}@git.example/a\n'}, "/src/.git/config"),
    copy("COPY of a repository that once had it", "COPY . /src/", lambda v: packers.git_repository(v.encode(), False), "/src/.git/objects/"),
    copy("COPY of a repository, packed", "COPY . /src/", lambda v: packers.git_repository(v.encode(), True), "/src/.git/objects/pack/"),
    copy("COPY of a tar", "COPY a.tar.gz /etc/leak", lambda v: {"a.tar.gz": gzip.compress(packers.tar(v.encode()))}),
    copy("ADD of a tar", "ADD a.tar /etc/", lambda v: {"a.tar": packers.tar(v.encode())}, "/etc/inner/file"),
    copy("ADD of a tar.gz", "ADD a.tar.gz /etc/", lambda v: {"a.tar.gz": gzip.compress(packers.tar(v.encode()))}, "/etc/inner/file"),
    copy("ADD of a tar.xz under another name", "ADD a /etc/", lambda v: {"a": lzma.compress(packers.tar(v.encode()))}, "/etc/inner/file"),
    copy("ADD of a tar with a zip in it", "ADD a.tar /etc/", lambda v: {"a.tar": packers.tar(packers.zipped(v.encode()))}, "/etc/inner/file"),
    copy("ADD of a tar with a link to it", "ADD a.tar /", lambda v: {"a.tar": tar_with_odd_entries(v)}, "/etc/"),
    copy("ADD of a tar with a file named by it", "ADD a.tar /etc/", lambda v: {"a.tar": packers.tar(b"1", name="a-" + v)}, "/etc"),
    copy("ADD of a zip, which stays one", "ADD a.zip /etc/leak", lambda v: {"a.zip": packers.zipped(v.encode())}),
    copy("ADD without unpacking", "ADD --unpack=false a.tar.gz /etc/leak", lambda v: {"a.tar.gz": gzip.compress(packers.tar(v.encode()))}),
    copy("COPY of what --from names", "COPY --from=other planted /etc/leak", lambda v: {"other/planted": v}, args=("--build-context", "other=@CONTEXT@/other")),
    copy("a heredoc with an ARG", "ARG A\nCOPY <<EOF /etc/leak\ntoken: $A\nEOF", lambda v: {}, line=3, args=("--build-arg", "A=@VALUE@")),
    copy("a heredoc with it", "COPY <<EOF /etc/leak\ntoken: @VALUE@\nEOF", lambda v: {}),
    copy("a bind mount copied on", f"RUN {MOUNT} --mount=type=bind,target=/ctx cp -r /ctx /app", in_planted, "/app/planted"),
    Case("a context on standard input", "FROM busybox:1\n", Refused("/etc/leak", "raw", 2), stdin=context_tar),
    Case("COPY into a stage that is not exported", "FROM busybox:1 AS a\nCOPY planted /x\nFROM busybox:1\nRUN true\n", Nothing(), files=in_planted),
    Case("COPY into a stage that the result copies from", "FROM busybox:1 AS a\nCOPY planted /x\nRUN echo 1 >/r\nFROM busybox:1\nCOPY --from=a /r /r\n", Refused("/x", "raw", 2), files=in_planted),
    Case("a context that is only mounted", f"FROM busybox:1\nRUN --mount=type=bind,target=/ctx {MOUNT} test -s /ctx/planted\n", Nothing(), files=in_planted),
]

ALL = FORMS + PACKED + FORMS_PACKED + COPIES
