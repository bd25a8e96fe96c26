# SPDX-License-Identifier: MIT
"""Small Buildfiles, each with the file system and config that it must give, or the error.

The cases are the .cases files in conformance/; conformance/cases.py says how they are written, and
conformance/compare asks buildah about them.
"""

import pytest

from conftest import Safebuild, import_bases
from conformance import cases

ALL = cases.load_all()


class Builder:
    """The program with a store of its own, and the base image as all cases know it."""

    def __init__(self, sb):
        self.sb = sb
        self.layout = cases.Layout(sb.store)
        self.base = self.layout.image("busybox:1")
        self.count = 0

    def folder(self):
        self.count += 1
        folder = self.sb.folder / f"case-{self.count}"
        folder.mkdir(mode=0o755)
        return folder


@pytest.fixture(scope="module")
def builder(session_folder, rootfs):
    return Builder(import_bases(Safebuild(session_folder / "conformance"), rootfs))


@pytest.mark.parametrize("case", ALL, ids=[case.id for case in ALL])
def test_case(builder, case):
    sb, folder = builder.sb, builder.folder()
    for name, text in case.images:
        sb.build(text, "-t", name)
    context, files = case.lay_out(folder)
    name = f"case-{builder.count}:1"
    arguments = ["--progress=plain", "-t", name, *case.arguments(context, files)]
    stdin, is_context = case.standard_input()
    where = "-" if is_context else context
    result = sb("build", *arguments, where, stdin=stdin, env=case.environment(), check=None)
    place = f"{case.topic}.cases:{case.number}"
    if case.error is not None:
        check_error(case, result, place)
        return
    assert result.status == 0, f"{place}: {result!r}"
    assert case.settings.get("says", "") in result.err, f"{place}: {result!r}"
    found = cases.differences(case, builder.layout.image(name, builder.base))
    assert not found, "\n".join([place, *found, result.err])


def check_error(case, result, place):
    status, line, words = case.error
    assert result.status == status, f"{place}: wanted exit status {status}: {result!r}"
    assert words in result.err, f"{place}: wanted {words!r}: {result!r}"
    if line is not None:
        named = case.buildfile_name or "Buildfile"
        assert f"{named}:{line}:" in result.err, f"{place}: wanted line {line}: {result!r}"


def test_there_are_many_cases_and_each_has_its_name():
    assert len(ALL) >= 250
    assert len({case.id for case in ALL}) == len(ALL)


GOOD = "=== a\n--- Buildfile\nFROM scratch\n--- fs\n"
WRONG = {
    "an unknown setting": "=== a\nlayer: 1\n--- fs\n",
    "an unknown section": "=== a\n--- filesystem\n",
    "an unknown key of the config": "=== a\n--- config\nCommand: []\n",
    "a key twice": '=== a\n--- config\nUser: "a"\nUser: "b"\n',
    "a path twice": '=== a\n--- fs\na "1"\na "2"\n',
    "a file without a content": "=== a\n--- fs\nf 0644\n",
    "words behind the content": '=== a\n--- fs\nf "x" 0644\n',
    "a mode that is none": '=== a\n--- fs\nf 0888 "x"\n',
    "a value that is no JSON": "=== a\n--- config\nUser: a\n",
    "an error without its status": "=== a\nerror: no such file\n--- Buildfile\n",
    "an error and an image": "=== a\nerror: 1\n--- fs\n",
    "nothing that is expected": "=== a\n--- Buildfile\nFROM scratch\n",
    "two of a name": GOOD + GOOD,
    "text before a section": "=== a\nFROM scratch\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_case_that_is_written_wrong_is_not_taken(text):
    assert len(cases.parse("good", GOOD)) == 1
    with pytest.raises(cases.CaseError):
        cases.parse("wrong", text)


OTHERWISE = {
    "another content": 'f "y"',
    "another mode": 'f 0600 "x"',
    "another owner": 'f 1:1 "x"',
    "another time": 'f @5 "x"',
    "another type": "f/",
    "a link": "f -> x",
    "one file too many": "",
    "one file too few": 'f "x"\ng "x"',
    "a removal of what never was": 'f "x"\n!h',
}


@pytest.mark.parametrize("lines", OTHERWISE.values(), ids=OTHERWISE)
def test_the_judge_can_say_no(lines):
    tar = cases.make_archive(cases.parse_entries(['f @7 "x"']), "")
    image = cases.image_of({"rootfs": {"diff_ids": [cases.digest(tar)]}}, [lambda: tar], None)
    assert not cases.fs_differences(cases.parse_entries(['f @7 "x"']), image)
    assert cases.fs_differences(cases.parse_entries(lines.split("\n")), image)
