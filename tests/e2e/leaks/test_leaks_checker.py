# SPDX-License-Identifier: MIT
"""The checker itself: that it finds every form in every place that the other tests rely on."""

import json
import os

import pytest

from leaks import checker, forms, packers

NOISE = bytes(range(256)) * 8


@pytest.mark.parametrize("form", forms.FORMS, ids=repr)
def test_it_finds_every_form(form):
    value = form.of("checker")
    for shift in range(3):
        for before in (b"", NOISE, b"key: "):
            assert checker.find({"id": [value]}, before + form.write(value, shift) + b"\n" + NOISE)


@pytest.mark.parametrize("name", {**packers.PACKERS, **packers.LABELLED})
def test_it_opens_every_archive(name):
    value = forms.token("packed")
    packed = {**packers.PACKERS, **packers.LABELLED}[name](value.encode())
    assert checker.find({"id": [value]}, packed)
    assert checker.find({"other": [forms.token("another")]}, packed) == []


@pytest.mark.parametrize("name", ["base64", "hex", "JSON in ASCII", "UTF-16, little end first"])
def test_it_finds_forms_in_archives(name):
    form = forms.BY_NAME[name]
    value = form.of("both")
    assert checker.find({"id": [value]}, packers.PACKERS["jar in a war"](form.write(value)))


@pytest.mark.parametrize("is_packed", [False, True])
def test_it_opens_what_git_keeps(is_packed):
    value = forms.token("git")
    files = packers.git_repository(value.encode(), is_packed)
    assert [name for name, data in files.items() if checker.find({"id": [value]}, data)]


def test_it_finds_names_links_and_attributes_in_a_tree(tmp_path):
    values = {place: [forms.token(place)] for place in ("file", "folder", "name", "target", "attribute", "none")}
    (tmp_path / values["folder"][0]).mkdir()
    (tmp_path / ("a" + values["name"][0])).touch()
    (tmp_path / "link").symlink_to("/" + values["target"][0])
    (tmp_path / "f").write_text("token=" + values["file"][0])
    expected = {"file", "folder", "name", "target"}
    try:
        os.setxattr(tmp_path / "f", "user.x", values["attribute"][0].encode())
        expected.add("attribute")
    except OSError:
        pass  # not on every file system
    assert {key for key, _ in checker.find_in_trees(values, [tmp_path])} == expected


def test_it_does_not_see_what_is_not_there():
    value = forms.marked("absent")
    harmless = json.dumps({"value": forms.marked("present")}).encode() + NOISE + os.urandom(100000)
    assert checker.find({"id": [value]}, harmless) == []


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08\0", b"PK\3\4", b"\x28\xb5\x2f\xfd", b"PACK\0\0\0\2\0\0\0\7", b"BZh9", b"\x78\x9c", b"\0" * 257 + b"ustar"])
def test_it_finds_what_is_behind_something_broken(head):
    value = forms.token("broken")
    for _ in range(20):
        data = head + os.urandom(200) + value.encode() + os.urandom(200)
        assert checker.find({"id": [value]}, data)


def test_many_values_in_a_program():
    with open("/bin/busybox", "rb") as file:
        program = file.read()
    assert checker.find({str(n): [forms.token(n)] for n in range(200)}, program) == []
    assert checker.find({str(n): [forms.token(n)] for n in range(200)}, program + forms.token(7).encode()) != []
