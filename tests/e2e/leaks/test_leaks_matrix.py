# SPDX-License-Identifier: MIT
"""The inspector finds every form in every place of an image, and no report has a value."""

import json
import subprocess

import pytest

from conftest import Safebuild
from leaks import checker, matrix

VALUES = {w.id: [w.value] for w in matrix.ALL}
ANY_ID = {w.id for w in matrix.ALL}
TEXT_IDS = {w.id for w in matrix.TEXTS}
LINE_IDS = {w.id for w in matrix.LINES}
REPORTS = ("page", "json", "sarif", "html")


class Inspection:
    """What one run says, in every form of report."""

    def __init__(self, sb, image, secrets, folder, **more):
        folder.mkdir()
        self.paths = {form: folder / f"report.{form}" for form in REPORTS}
        outputs = [word for form, path in self.paths.items() for word in ("-o", f"{form}={path}")]
        self.result = sb("inspect", *outputs, *secrets, image, check=None, **more)
        assert self.result.status in (1, 3), repr(self.result)
        self.report = json.loads(self.paths["json"].read_bytes())
        self.findings = self.report["secrets"]["findings"]

    def ids(self, is_there):
        return {f["id"] for f in self.findings if is_there(f)}


@pytest.fixture(scope="module")
def sb(session_folder):
    return Safebuild(session_folder / "matrix")


@pytest.fixture(scope="module")
def secrets(sb):
    return [word for w in matrix.ALL for word in ("--secret", f"id={w.id},src={sb.file(w.id, w.value)}")]


@pytest.fixture(scope="module")
def folder(sb):
    layout, _ = matrix.image()
    return layout.write(sb.folder / "layout")


@pytest.fixture(scope="module")
def inspection(sb, secrets, folder):
    return Inspection(sb, folder, secrets, sb.folder / "reports")


def layer(place):
    _, places = matrix.image()
    return places.index(place)


def missing_files(inspection, place, expected):
    """expected: paths in that layer -> ids."""
    number = layer(place)
    found = {(f["path"], f["id"]) for f in inspection.findings if f["layer"] == number}
    return sorted((path, id) for path, ids in expected.items() for id in ids if (path, id) not in found)


def test_it_covers_what_it_should():
    assert len(matrix.ALL) >= 60 and len(TEXT_IDS) >= 50 and len(LINE_IDS) >= 40
    _, places = matrix.image()
    assert len(places) >= 18


def test_file_contents(inspection):
    assert missing_files(inspection, "content", {f"content/{id}": {id} for id in ANY_ID}) == []


def test_the_form_is_named(inspection):
    reported = {w.id: w.reported for w in matrix.ALL}
    named = {f["id"]: f["form"] for f in inspection.findings if f["layer"] == layer("content")}
    assert {id: form for id, form in named.items() if form not in reported[id]} == {}


def test_files_that_are_deleted_later_say_so(inspection):
    gone = [f for f in inspection.report["findings"] if f["rule"] == "known-secret" and (f["path"] or "").startswith("content/")]
    assert len(gone) >= len(ANY_ID)
    assert {f["removed_layer"] for f in gone} == {layer("deleted")}


@pytest.mark.parametrize("border", matrix.BORDERS)
def test_chunk_borders(inspection, border):
    cuts = ("first", "middle", "last") if border < 1 << 20 else ("middle",)
    expected = {f"border/{border}-{cut}/{id}": {id} for cut in cuts for id in ANY_ID}
    assert missing_files(inspection, "border", expected) == []


PLACES = [
    ("name", TEXT_IDS),
    ("target", TEXT_IDS),
    ("attribute", ANY_ID),
    ("attribute name", {w.id for w in matrix.LINES if b"=" not in w.data}),
    ("comment", ANY_ID),
    ("global comment", ANY_ID),
    ("padding", ANY_ID),
    ("tail", ANY_ID),
    ("owner", {w.id for w in matrix.ALL if len(w.data) <= 32}),
    ("gzip comment", {w.id for w in matrix.ALL if b"\0" not in w.data}),
    ("gzip extra", ANY_ID),
    ("skippable frame", ANY_ID),
    ("behind the stream", ANY_ID),
]


@pytest.mark.parametrize("place, ids", PLACES, ids=[place.replace(" ", "-") for place, _ in PLACES])
def test_place_in_a_layer(inspection, place, ids):
    number = layer(place)
    assert ids and sorted(ids - inspection.ids(lambda f: f["layer"] == number)) == []


@pytest.mark.parametrize("packing", matrix.PACKED)
def test_packed(inspection, packing):
    assert missing_files(inspection, "packed", {f"packed/{packing}": ANY_ID}) == []


def test_labels_of_archives(inspection):
    expected = {f"labelled/{id}/{name}": {id} for id in LINE_IDS for name in matrix.packers.LABELLED}
    assert missing_files(inspection, "labelled", expected) == []


OF_THE_IMAGE = ["Env", "Cmd", "Entrypoint", "Labels", "Volumes", "OnBuild", "Shell", "Healthcheck", "WorkingDir", "author", "unknown key", "history"]


@pytest.mark.parametrize("field", OF_THE_IMAGE)
def test_config(inspection, field):
    """What has no name of its own in the report is found in the whole."""
    named = inspection.ids(lambda f: f["where"].lower().startswith("config") and field.lower() in f["where"].lower())
    assert sorted(TEXT_IDS - (named or inspection.ids(lambda f: f["where"].lower().startswith("config")))) == []
    if field in ("Env", "Cmd", "Labels", "history"):
        assert named, {f["where"] for f in inspection.findings if f["layer"] is None}


@pytest.mark.parametrize("words", ["index", "manifest", "manifest: annotations of layer", "stray", "attestation"])
def test_around_the_image(inspection, words):
    """In files of JSON a form that has backslashes is in another: each of them is two."""
    where = {f["where"] for f in inspection.findings if f["layer"] is None}
    expected = ANY_ID if words == "stray" else TEXT_IDS
    found = inspection.ids(lambda f: f["layer"] is None and words in f["where"])
    assert sorted(expected - found) == [], where


@pytest.mark.parametrize("form", REPORTS)
def test_no_report_has_a_value(inspection, form):
    data = inspection.paths[form].read_bytes()
    assert len(data) > 10000
    assert checker.find(VALUES, data) == []


def test_neither_has_what_is_printed(inspection):
    assert checker.find(VALUES, inspection.result.out_bytes) == []
    assert checker.find(VALUES, inspection.result.err.encode()) == []


@pytest.mark.parametrize("way", ["archive", "gzip", "pipe"])
def test_it_is_the_same_by_every_way(sb, secrets, inspection, way):
    layout, _ = matrix.image()
    archive = sb.folder / "image.tar"
    if not archive.exists():
        archive.write_bytes(layout.archive())
    if way == "pipe":
        other = Inspection(sb, "-", secrets, sb.folder / way, stdin=archive.read_bytes())
    elif way == "gzip":
        subprocess.run(["gzip", "-1k", archive], check=True)
        other = Inspection(sb, archive.with_suffix(".tar.gz"), secrets, sb.folder / way)
    else:
        other = Inspection(sb, archive, secrets, sb.folder / way)

    def places(which):
        return {(f["id"], f["layer"], f["path"], f["inside"], f["form"]) for f in which.findings if f["layer"] is not None}

    assert places(other) == places(inspection)
    assert {f["id"] for f in other.findings if f["layer"] is None} == {f["id"] for f in inspection.findings if f["layer"] is None}
    assert checker.find(VALUES, other.paths["json"].read_bytes()) == []
