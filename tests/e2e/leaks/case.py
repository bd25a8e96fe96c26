# SPDX-License-Identifier: MIT
"""One way in which a secret gets out by accident, and what must come of it."""

import dataclasses
import re
from typing import Callable, Optional

from leaks import forms

ID = "tok"
MOUNT = f"--mount=type=secret,id={ID}"
ANY = ""
FAILURES = (1, 2, 3)


@dataclasses.dataclass(frozen=True)
class Refused:
    """The build fails, and the message names the secret, the place, the form and the line."""

    where: str
    form: object = ANY  # a word or several of which one is right
    line: Optional[int] = None


@dataclasses.dataclass(frozen=True)
class Nothing:
    """The build ends with that status (or one of these), and the checker finds nothing anywhere."""

    status: object = 0
    says: str = ""


@dataclasses.dataclass(frozen=True)
class Either:
    """Refused or not: the checker finds nothing anywhere."""


@dataclasses.dataclass
class Case:
    """@VALUE@ in Buildfile, options and variables stands for the value, @CONTEXT@ for the context."""

    title: str
    buildfile: str
    expected: object
    value: str = None  # the text that must not get out; default: a token of the case's own
    secret: Callable = lambda value: value + "\n"  # the file's content, text or bytes; or None
    parts: Callable = lambda value: [value]  # what must not be found
    files: Callable = lambda value: {}  # of the context
    args: tuple = ()
    env: dict = dataclasses.field(default_factory=dict)
    progress: str = None  # default: one of the two
    stdin: Callable = None  # the context is standard input: value -> bytes

    def __post_init__(self):
        if self.value is None:
            self.value = forms.token(self.title)

    @property
    def name(self):
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    @property
    def base(self):
        """The base that must have been built for it."""
        return re.search(r"^FROM (?:--\S+ )?(\S+)", self.buildfile, re.MULTILINE).group(1)


SCRIPT = """FROM {base}
RUN true
RUN {flags} <<'END_OF_SCRIPT'
set -eu
S=/run/secrets/tok
{script}
END_OF_SCRIPT
"""
STEP_LINE = 3


def step(title, script, where=None, form="raw", flags=MOUNT, expected=None, **more):
    """A step that does that; refused at its line with a path in the message, unless told otherwise."""
    text = SCRIPT.format(base="probe:1" if "leak_probe" in script else "busybox:1", flags=flags, script=script)
    return Case(title, text, expected or Refused(where, form, STEP_LINE), **more)


def environment_step(title, script, where=None, form="raw", **more):
    """The same with the secret in a variable."""
    return step(title, script, where, form, flags=f"{MOUNT},env=TOKEN", **more)


def harmless_step(title, script, **more):
    return step(title, script, expected=Nothing(), **more)


def left_by_a_step(title, data, form=ANY, name="leak", **more):
    """The bytes come by a bind mount and are copied into the image by a step."""
    text = f"FROM busybox:1\nRUN --mount=type=bind,source=planted,target=/p cp /p /etc/{name}\n"
    title = f"{title}, left by a step"
    return Case(title, text, Refused(f"/etc/{name}", form, 2), files=lambda v: {"planted": data(v)}, **more)


def copied(title, data, form=ANY, name="leak", **more):
    text = f"FROM busybox:1\nCOPY planted /etc/{name}\n"
    title = f"{title}, by COPY"
    return Case(title, text, Refused(f"/etc/{name}", form, 2), files=lambda v: {"planted": data(v)}, **more)
