# SPDX-License-Identifier: MIT
"""One way in which a secret gets out by accident, and what must come of it."""

import dataclasses
import re
from typing import Callable, Optional

from leaks import forms

ID = "tok"
MOUNT = f"--mount=type=secret,id={ID}"
ANY = ""


@dataclasses.dataclass(frozen=True)
class Refused:
    """The build fails, and the message names the secret, the place, the form and the line."""

    where: str
    form: object = ANY  # a word or several of which one is right
    line: Optional[int] = None
    id: str = ID


@dataclasses.dataclass(frozen=True)
class Nothing:
    """The build ends with that status, and the checker finds nothing anywhere."""

    status: int = 0
    says: str = ""


@dataclasses.dataclass(frozen=True)
class Either:
    """Refused or not: the checker finds nothing anywhere."""


@dataclasses.dataclass
class Case:
    title: str
    buildfile: str
    expected: object
    value: str = None  # the text that must not get out; default: a token of the case's own
    secret: Callable = lambda value: value + "\n"  # the file's content
    parts: Callable = lambda value: [value]  # what must not be found
    files: Callable = lambda value: {}  # of the context
    args: tuple = ()
    env: dict = dataclasses.field(default_factory=dict)
    id: str = ID
    probe: bool = False
    fill: bool = True  # @VALUE@ in the Buildfile and the arguments stands for the value

    def __post_init__(self):
        if self.value is None:
            self.value = forms.token(self.title)

    def filled(self, text):
        return text.replace("@VALUE@", self.value).replace("@LOWER@", self.value.lower())

    @property
    def name(self):
        return re.sub(r"[^A-Za-z0-9]+", "_", self.title).strip("_")


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
    base = "probe:1" if "leak_probe" in script else "busybox:1"
    text = SCRIPT.format(base=base, flags=flags, script=script)
    if expected is None:
        expected = Refused(where, form, STEP_LINE)
    return Case(title, text, expected, probe=base == "probe:1", **more)


def environment_step(title, script, where=None, form="raw", **more):
    return step(title, script, where, form, flags=f"{MOUNT},env=TOKEN", **more)


def harmless_step(title, script, **more):
    return step(title, script, expected=Nothing(), **more)


def left_by_a_step(title, data, form=ANY, name="leak", **more):
    """The bytes come by a bind mount and are copied into the image by a step."""
    text = f"FROM busybox:1\nRUN --mount=type=bind,source=planted,target=/p cp /p /etc/{name}\n"
    return Case(f"{title}: left by a step", text, Refused(f"/etc/{name}", form, 2), files=lambda v: {"planted": data(v)}, **more)


def copied(title, data, form=ANY, name="leak", **more):
    text = f"FROM busybox:1\nCOPY planted /etc/{name}\n"
    return Case(f"{title}: by COPY", text, Refused(f"/etc/{name}", form, 2), files=lambda v: {"planted": data(v)}, **more)
