# SPDX-License-Identifier: MIT
"""What gets into the image's configuration, its history and its names, and into messages about the Buildfile."""

import base64
import json
import urllib.parse

from leaks import forms
from leaks.case import FAILURES, MOUNT, Case, Either, Nothing, Refused

ARG = ("--build-arg", "A=@VALUE@")


def instruction(text, form="raw", title=None, line=2, **more):
    return Case(title or text.replace("[", " in exec form ").replace("TOKEN ", "TOKEN by a blank "), f"FROM busybox:1\n{text}\n", Refused("image's", form, line), **more)


def fails(title, buildfile, **more):
    """A mistake, of which the message would quote the value."""
    return Case(title, buildfile, Nothing(FAILURES), **more)


def small(title):
    return forms.token(title).lower()


CONFIG = [
    instruction("ENV TOKEN=@VALUE@"),
    instruction("ENV TOKEN @VALUE@"),
    instruction("ENV @VALUE@=1"),
    instruction("ENV URL=https://robot:@VALUE@@git.example/a.git"),
    instruction("LABEL token=@VALUE@"),
    instruction('LABEL "a @VALUE@"=1'),
    instruction('CMD ["curl", "-H", "Authorization: Bearer @VALUE@"]'),
    instruction("CMD curl -u robot:@VALUE@ https://api.example"),
    instruction('ENTRYPOINT ["app", "--token=@VALUE@"]'),
    instruction("ENTRYPOINT app --token @VALUE@"),
    instruction("HEALTHCHECK CMD curl -f http://localhost/?key=@VALUE@"),
    instruction('HEALTHCHECK --interval=5s CMD ["check", "@VALUE@"]'),
    instruction("MAINTAINER robot @VALUE@"),
    instruction("USER @VALUE@"),
    instruction("VOLUME /data/@VALUE@"),
    instruction('SHELL ["/bin/sh", "-c", "@VALUE@"]'),
    instruction("ONBUILD RUN curl -u robot:@VALUE@ https://api.example"),
    instruction("ONBUILD ENV TOKEN=@VALUE@"),
    instruction("RUN : curl -u robot:@VALUE@ https://api.example"),
    instruction('RUN ["true", "@VALUE@"]'),
    instruction("RUN <<EOF\n: @VALUE@\nEOF", title="RUN with a script"),
    Case("WORKDIR", "FROM busybox:1\nWORKDIR /@VALUE@\n", Refused("", "raw", 2)),
    Case("WORKDIR that is there", "FROM busybox:1\nRUN true\nWORKDIR /proc/@VALUE@\n", Nothing(FAILURES)),
    instruction("ARG A\nENV TOKEN=$A", line=3, title="ENV of a build argument", args=ARG),
    instruction("ARG A\nENV TOKEN=${A:-none}", line=3, title="ENV of a build argument with a default", args=ARG),
    instruction("ARG A\nLABEL token=x${A}x", line=3, title="LABEL of a build argument", args=ARG),
    instruction("ARG A\nUSER $A", line=3, title="USER of a build argument", args=ARG),
    instruction("ARG A\nENV B=1 C=$A", line=3, title="the second of two pairs", args=ARG),
    instruction("ARG A\nENV TOKEN=$A", line=3, title="a build argument from the environment", args=("--build-arg", "A"), env={"A": "@VALUE@"}),
    instruction("ENV TOKEN=@VALUE@\nENV TOKEN=none", title="a later ENV hides it"),
    Case("a label of the command line", "FROM busybox:1\nRUN true\n", Refused("image's", "raw"), args=("--label", "token=@VALUE@")),
    Case("a label's name of the command line", "FROM busybox:1\nRUN true\n", Refused("image's", "raw"), args=("--label", "@VALUE@=1")),
    Case("ENV of a stage that is its base", "FROM busybox:1 AS a\nENV TOKEN=@VALUE@\nFROM a\nRUN true\n", Refused("image's", "raw", 2)),
    Case("ENV of a stage that is not exported", "FROM busybox:1 AS a\nENV TOKEN=@VALUE@\nRUN echo 1 >/r\nFROM busybox:1\nCOPY --from=a /r /r\n", Either()),
    Case("a build argument that nobody uses", "FROM busybox:1\nARG A\nRUN true\n", Nothing(), args=ARG),
    Case("a build argument of FROM", "ARG A\nFROM busybox:1\nRUN true\n", Nothing(), args=ARG),
    Case("a build argument without an ARG", "FROM busybox:1\nRUN true\n", Nothing(), args=ARG),
    Case("an ARG's default", "FROM busybox:1\nARG A=@VALUE@\nRUN true\n", Either()),
    Case("a build argument that a step uses", "FROM busybox:1\nARG A\nRUN test -n \"$A\" && echo $A\n", Nothing(says="[secret tok]"), args=ARG),
    Case("a build argument that a step keeps", "FROM busybox:1\nARG A\nRUN echo $A >/f\n", Refused("/f", "raw", 3), args=ARG),
    Case("a proxy with a password", "FROM busybox:1\nRUN env\n", Nothing(says="[secret tok]"), args=("--build-arg", "HTTP_PROXY=http://robot:@VALUE@@proxy.example")),
    Case("a proxy that a step keeps", "FROM busybox:1\nRUN env >/f\n", Refused("/f", "raw", 2), args=("--build-arg", "https_proxy=http://robot:@VALUE@@proxy.example")),
    Case("a comment of the Buildfile", "FROM busybox:1\n# the token is @VALUE@\nRUN true\n", Nothing()),
    Case("a comment in a RUN", "FROM busybox:1\nRUN true && \\\n# the token is @VALUE@\n  true\n", Nothing()),
    Case("the name of a host", "FROM busybox:1\nRUN cat /etc/hosts >/f\n", Refused("/f", "raw", 2), args=("--add-host", "@VALUE@:127.0.0.1"), value=small("host")),
    Case("the name of a stage", "FROM busybox:1 AS @VALUE@\nRUN true\nFROM @VALUE@\nRUN true\n", Either(), value=small("stage")),
    Case("the image's name", "FROM busybox:1\nRUN true\n", Either(), args=("-t", "@VALUE@:1"), value=small("image")),
    Case("the image's tag", "FROM busybox:1\nRUN true\n", Either(), args=("-t", "named:@VALUE@"), value=small("tag")),
    Case("the name in an archive", "FROM busybox:1\nRUN true\n", Either(), args=("-o", "type=docker,dest=@CONTEXT@/../out/d.tar,name=named:@VALUE@"), value=small("name")),
]

WRITTEN = [
    Case(f"{key} in a configuration", "FROM busybox:1\nARG A\nLABEL l=$A\n", Refused("image's", form, 3), value=value, args=("--build-arg", "A=" + written))
    for key, form, value, written in (
        (key, form, value, write(value))
        for key, form, value, write in (
            ("base64", "base64", forms.token("label 1"), lambda v: base64.b64encode(b"robot:" + v.encode()).decode()),
            ("base64url", ("base64", "base64url"), forms.token("label 2"), lambda v: base64.urlsafe_b64encode(b"??" + v.encode()).decode().rstrip("=")),
            ("hex", "hex", forms.token("label 3"), lambda v: v.encode().hex()),
            ("percent", "percent", forms.marked("label 4"), lambda v: urllib.parse.quote(v, safe="")),
            ("JSON", ("json", "c", "shell"), forms.marked("label 5"), lambda v: json.dumps({"token": v})),
            ("JSON in ASCII", "json", forms.international("label 6"), lambda v: json.dumps({"token": v})),
            ("raw with marks", ("raw", "json", "c", "shell"), forms.marked("label 7"), lambda v: v),
            ("raw, not ASCII,", "raw", forms.international("label 8"), lambda v: v),
        )
    )
]

MISTAKES = [
    fails("an unknown instruction", "FROM busybox:1\n@VALUE@ /x\n"),
    fails("an unknown flag", "FROM busybox:1\nRUN --token=@VALUE@ true\n"),
    fails("an unknown flag's name", "FROM busybox:1\nRUN --@VALUE@ true\n"),
    fails("an unknown key of a mount", f"FROM busybox:1\nRUN {MOUNT},@VALUE@=1 true\n"),
    fails("an unknown type of mount", "FROM busybox:1\nRUN --mount=type=@VALUE@ true\n"),
    fails("a word that is no pair", "FROM busybox:1\nENV A=1 @VALUE@\n"),
    fails("a quote that does not end", 'FROM busybox:1\nLABEL a="@VALUE@\n'),
    fails("a port that is none", "FROM busybox:1\nEXPOSE @VALUE@\n"),
    fails("a signal that is none", "FROM busybox:1\nSTOPSIGNAL @VALUE@\n"),
    fails("an interval that is none", "FROM busybox:1\nHEALTHCHECK --interval=@VALUE@ CMD true\n"),
    fails("a platform that is none", "FROM --platform=@VALUE@ busybox:1\nRUN true\n"),
    fails("a variable that must be set", "FROM busybox:1\nENV A=${B:?@VALUE@}\n"),
    fails("a heredoc that does not end", "FROM busybox:1\nRUN <<@VALUE@\ntrue\n"),
    fails("a file that is not there", "FROM busybox:1\nCOPY @VALUE@ /x\n"),
    fails("a wildcard that matches nothing", "FROM busybox:1\nCOPY @VALUE@* /x\n"),
    fails("an owner who is not there", "FROM busybox:1\nCOPY --chown=@VALUE@ README /x\n", files=lambda v: {"README": "1"}),
    fails("a mode that is none", "FROM busybox:1\nCOPY --chmod=@VALUE@ README /x\n", files=lambda v: {"README": "1"}),
    fails("a stage that is not there", "FROM busybox:1\nCOPY --from=@VALUE@ /x /x\n", value=small("missing stage"), args=("--network", "none")),
    fails("a mount's source that is not there", "FROM busybox:1\nRUN --mount=type=bind,source=@VALUE@,target=/x true\n"),
    fails("a mount's id that is not there", "FROM busybox:1\nRUN --mount=type=secret,id=@VALUE@,required true\n"),
    fails("a program that is not there", 'FROM busybox:1\nRUN ["/bin/@VALUE@"]\n'),
    fails("a command that is not there", "FROM busybox:1\nRUN @VALUE@\n"),
    fails("a command that fails", "FROM busybox:1\nRUN curl -u robot:@VALUE@ https://api.example\n"),
    fails("a script that fails", "FROM busybox:1\nRUN <<E\nset -x\nfalse @VALUE@\nE\n"),
    fails("an address with a password", "FROM busybox:1\nADD http://robot:@VALUE@@127.0.0.1:1/x /x\n"),
    fails("an address with a key", "FROM busybox:1\nADD http://127.0.0.1:1/x?key=@VALUE@ /x\n"),
    fails("a repository with a password", "FROM busybox:1\nADD https://robot:@VALUE@@127.0.0.1:1/x.git /x\n"),
    fails("an image of a registry that is not there", "FROM 127.0.0.1:1/@VALUE@:1\nRUN true\n", value=small("registry")),
    fails("a target that is not there", "FROM busybox:1\nRUN true\n", args=("--target", "@VALUE@")),
    fails("a label without a value", "FROM busybox:1\nRUN true\n", args=("--label", "@VALUE@")),
    fails("a context that is not there", "FROM busybox:1\nRUN true\n", args=("--build-context", "a=/nowhere/@VALUE@")),
    fails("a host without an address", "FROM busybox:1\nRUN true\n", args=("--add-host", "a:@VALUE@")),
    fails("a name that is none", "FROM busybox:1\nRUN true\n", args=("-t", "@VALUE@//:1")),
    fails("a size that is none", "FROM busybox:1\nRUN true\n", args=("--shm-size", "@VALUE@")),
    fails("an output that can't be written", "FROM busybox:1\nRUN true\n", args=("-o", "type=oci,dest=/nowhere/@VALUE@/x")),
    fails("a Buildfile that is not there", "FROM busybox:1\nRUN true\n", args=("-f", "/nowhere/@VALUE@")),
    fails("a file named with .wh.", 'FROM busybox:1\nRUN touch "/.wh.@VALUE@"\n'),
]

ALL = CONFIG + WRITTEN + MISTAKES
