# SPDX-License-Identifier: MIT
"""Carries a case out, and judges it with nothing but exit status, message and the checker."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import zlib

from leaks import checker
from leaks.case import ID, Refused, Nothing

HERE = pathlib.Path(__file__).resolve().parent
BASES = {
    "probe:1": "FROM busybox:1\nCOPY leak_probe /bin/\n",
    "onbuild:1": f"FROM busybox:1\nONBUILD RUN --mount=type=secret,id={ID} cp /run/secrets/{ID} /leak\n",
}
# What every program could use for what it writes down meanwhile.
MAX_COMMON_BYTES = 1 << 20  # of a file there: others use them too
COMMON_PLACES = ("/dev/shm", "/var/tmp", "/var/crash", "/run/secrets")
MESSAGE = re.compile(r"^(?:[^\n]*?:(?P<line>\d+):\d+|safebuild): error: (?P<text>.*)$", re.MULTILINE)


def bytes_of(data):
    return data if isinstance(data, bytes) else data.encode()


class Trials:
    """A store for all cases, and what was seen in the places where a secret could stay."""

    def __init__(self, sb, trees):
        self.sb = sb
        self.trees = trees
        self.out = sb.folder / "out"
        self.out.mkdir()
        self.values = {}
        self.started = time.time()
        self.bases = set()
        self.trees.find({}, self.places, only_new=True)

    @property
    def places(self):
        return [self.sb.store, self.sb.tmp, self.out]

    def need_base(self, name):
        if name in BASES and name not in self.bases:
            context = self.sb.context()
            probe = ["cc", "-static", "-O1", "-Wall", "-o", context / "leak_probe", HERE / "leak_probe.c"]
            subprocess.run(probe, check=True)
            self.sb.build(BASES[name], "-t", name, context=context)
            self.bases.add(name)

    def options(self, case, fill):
        """Every output, so that each could hold it."""
        self.target = pathlib.Path(tempfile.mkdtemp(prefix=case.name[:40] + "-", dir=self.out))
        secret = []
        if case.secret:
            secret = ["--secret", f"id={ID},src={self.sb.file('secret', bytes_of(case.secret(case.value)))}"]
        progress = case.progress or ("plain", "json")[zlib.crc32(case.title.encode()) % 2]
        return [
            f"--progress={progress}",
            "--no-cache",  # two cases may have the same step, and each has its own output to be judged by
            *secret,
            *("-t", f"{case.name}:1"),
            *("-o", f"type=oci,dest={self.target}/image.tar", "-o", "type=store"),
            *("--metadata-file", self.target / "metadata.json", "--iidfile", self.target / "digest"),
            *map(fill, case.args),
        ]

    def run(self, case):
        self.need_base(case.base)
        context = self.sb.context(case.files(case.value))
        in_tree = str(context)

        def fill(text):
            return text.replace("@VALUE@", case.value).replace("@CONTEXT@", in_tree)

        (context / "Buildfile").write_bytes(fill(case.buildfile).encode())
        env = {name: fill(value) for name, value in case.env.items()}
        source = "-" if case.stdin else context
        stdin = case.stdin(case.value) if case.stdin else None
        result = self.sb("build", *self.options(case, fill), source, env=env, stdin=stdin, check=None)
        try:
            self.judge(case, result)
        finally:
            shutil.rmtree(self.target)
        return result

    def judge(self, case, result):
        values = {case.title: case.parts(case.value)}
        self.values.update(values)
        for name, stream in (("output", result.out.encode()), ("messages", result.err.encode())):
            hits = checker.find(values, stream)
            assert hits == [], f"its {name} has the value: {hits}"
        hits = self.trees.find(values, self.places, only_new=True)
        assert hits == [], f"the value stayed on disk: {hits}\n{result!r}"
        if isinstance(case.expected, Refused):
            self.judge_refusal(case, result)
        elif isinstance(case.expected, Nothing):
            wanted = case.expected.status
            assert result.status in (wanted if isinstance(wanted, tuple) else (wanted,)), repr(result)
            assert case.expected.says in result.text, repr(result)
        else:
            assert result.status in (0, 1), repr(result)
        assert (self.named(case) is not None) == (result.status == 0), "an image has a name after success only"

    def judge_refusal(self, case, result):
        expected = case.expected
        assert result.status == 1, f"not refused: {result!r}"
        found = [m for m in MESSAGE.finditer(result.err) if f"secret '{ID}'" in m["text"]]
        assert found, f"no message for the secret: {result!r}"
        message = found[0]
        assert expected.where in message["text"], f"the message does not name {expected.where}: {result!r}"
        words = expected.form if isinstance(expected.form, tuple) else (expected.form,)
        assert any(f"({word}" in message["text"] for word in words), f"form is not one of {words}: {result!r}"
        if expected.line is not None:
            assert message["line"] == str(expected.line), repr(result)
        assert "hint: " in result.err, f"what to do is not said: {result!r}"
        if result.out.startswith("{"):
            [event] = [event for event in result.events if event["event"] == "error"]
            assert event["code"] == "leak" and event["message"] == message["text"], repr(result)
            assert event.get("line") == (message["line"] and int(message["line"])), repr(result)
        assert not (self.target / "image.tar").exists(), "an image was written all the same"

    def named(self, case):
        with open(self.sb.store / "index.json", encoding="utf-8") as file:
            names = [value for entry in json.load(file)["manifests"] for value in entry.get("annotations", {}).values()]
        return next((name for name in names if f"/{case.name}:1" in name), None)

    def search_everywhere(self):
        """All values of all cases, in all that was written since they began."""
        hits = self.trees.find(self.values, self.places)
        return hits + self.trees.find(self.values, self.recent_of_all_programs())

    def recent_of_all_programs(self):
        for place in COMMON_PLACES:
            for folder, _, files in os.walk(place):
                for path in (os.path.join(folder, name) for name in files):
                    try:
                        info = os.lstat(path)
                    except OSError:
                        continue
                    if info.st_ctime >= self.started and info.st_size <= MAX_COMMON_BYTES and os.access(path, os.R_OK):
                        yield path
