# SPDX-License-Identifier: MIT
"""The store as its user sees it: images, tag, rm."""

import json

import pytest

import image_make


@pytest.fixture
def several(fresh):
    """app:1 and app:2 share a base of 100 kB; lone:1 shares nothing; lib/x:1 is another name of lone:1."""
    base = image_make.make_tar({"base": b"b" * 100_000})
    for n in (1, 2):
        layers = [base, image_make.make_tar({"own": bytes([n]) * 50_000 * n})]
        fresh("load", "-i", image_make.make_oci_layout(fresh.context(), layers, tag=f"app:{n}", compress=False))
    lone = image_make.make_oci_layout(fresh.context(), [image_make.make_tar({"lone": b"l"})], tag="lone:1", compress=False)
    fresh("load", "-i", lone)
    fresh("tag", "lone:1", "lib/x:1", "registry.example:5000/y/z")
    fresh("rm", "busybox:1", "bare:1")
    return fresh


def listed(sb, *words):
    return json.loads(sb("images", "--json", *words).out)


def names(sb, *words):
    return sorted(image["name"] for image in listed(sb, *words))


def test_sizes_shared_and_unique(several):
    one, two = (listed(several, f"app:{n}")[0] for n in (1, 2))
    for image in (one, two):
        assert 100_000 <= image["size"] - image["unique"] < 110_000
    assert two["unique"] - one["unique"] in range(35_000, 60_000)
    lone = {(image["size"] <= image["unique"], image["digest"]) for image in listed(several, "lone")}
    assert len(lone) == 1 and lone.pop()[0], "another name of the same image shares nothing"
    several("rm", "app:1")
    (two_alone,) = listed(several, "app:2")
    assert two_alone["unique"] >= two_alone["size"] == two["size"]


def test_filters_and_familiar_names(several):
    assert names(several) == ["app:1", "app:2", "lib/x:1", "lone:1", "registry.example:5000/y/z:latest"]
    assert names(several, "app") == ["app:1", "app:2"]
    assert names(several, "*:1") == ["app:1", "lib/x:1", "lone:1"]
    assert names(several, "lib/") == ["lib/x:1"]
    (lone,) = listed(several, "lone:1")
    assert names(several, lone["digest"][7:17]) == ["lib/x:1", "lone:1", "registry.example:5000/y/z:latest"]
    assert several("images", "-q", "lone").out == lone["digest"] + "\n"
    table = several("images", "--digests", "lone").out
    assert lone["digest"] in table and "UNIQUE" in table.splitlines()[0]


def test_by_digest_all_or_nothing(several):
    (lone,) = listed(several, "lone")
    prefix = lone["digest"][7:19]
    result = several("rm", "app:1", prefix, check=2)
    assert "3 names" in result.err and "--force" in result.err
    assert "app:1" in names(several), "nothing is removed where one can't be"
    several("rm", "--force", "app:1", prefix, "not-there:1")
    assert names(several) == ["app:2"]
    (two,) = listed(several)
    several("rm", two["digest"])
    assert names(several) == []


def test_what_is_not_there_or_not_clear(several):
    assert "nope:1" in several("rm", "lone:1", "nope:1", check=3).err
    assert "lone:1" in names(several)
    assert several("tag", "nope:1", "x:1", check=3).err
    assert "digest" in several("tag", "lone:1", "x@sha256:" + "0" * 64, check=2).err
    several("rm", "-f", "nope:1")


def test_a_name_without_its_image_goes_alone(several):
    several("rm", "lone:1")
    assert "lib/x:1" in names(several)
    assert several("run", "-q", "lib/x:1", check=125).err
