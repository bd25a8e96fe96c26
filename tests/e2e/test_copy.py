# SPDX-License-Identifier: MIT
"""COPY and ADD."""

import bz2
import gzip
import lzma
import os
import subprocess

import pytest

import image_make
from secret_search import find_secret


def test_a_file_into_a_folder_and_under_a_name(sb):
    text = "FROM scratch\nCOPY f /d/\nCOPY f /named\nCOPY f g /many/\n"
    image = sb.image(text, files={"f": "F", "g": "G"})
    assert image.read("d/f") == b"F" and image.read("named") == b"F"
    assert image.read("many/f") == b"F" and image.read("many/g") == b"G"
    assert image.member("d").mode & 0o7777 == 0o755


def test_a_folder_gives_its_contents(sb):
    image = sb.image("FROM scratch\nCOPY src /dst\nCOPY . /all/\n", files={"src/a/b": "1", "src/c": "2"})
    assert image.read("dst/a/b") == b"1" and image.read("dst/c") == b"2"
    assert image.read("all/src/c") == b"2"


def test_owner_is_root_and_mode_and_time_are_kept(sb):
    context = sb.context({"f": "x"})
    os.chmod(context / "f", 0o751)
    os.utime(context / "f", (1_000_000, 1_000_000))
    member = sb.image("FROM scratch\nCOPY f /f\n", context=context).member("f")
    assert (member.uid, member.gid, member.mode, int(member.mtime)) == (0, 0, 0o751, 1_000_000)
    assert (member.uname, member.gname) == ("", "")


def test_setuid_and_sticky_bits_are_kept(sb):
    context = sb.context({"f": "x"})
    os.chmod(context / "f", 0o6755)
    assert sb.image("FROM scratch\nCOPY f /f\n", context=context).member("f").mode == 0o6755


@pytest.mark.parametrize(
    "chown, owner",
    [("1:2", (1, 2)), ("5", (5, 5)), ("app", (1000, 1000)), ("app:builders", (1000, 2000)), ("7:audio", (7, 29))],
)
def test_chown(sb, chown, owner):
    image = sb.image(f"FROM busybox:1\nUSER nobody\nCOPY --chown={chown} d /x/y/\n", files={"d/f": "x"})
    for name in ("x", "x/y", "x/y/f"):
        assert (image.member(name).uid, image.member(name).gid) == owner


def test_chmod(sb):
    image = sb.image("FROM scratch\nCOPY --chmod=0640 f /f\n", files={"f": "x"})
    assert image.member("f").mode == 0o640


def test_wildcards_match_names_of_one_level(sb):
    files = {"a1.txt": "1", "a2.txt": "2", "b.txt": "3", "sub/a3.txt": "4", ".a4.txt": "5"}
    image = sb.image("FROM scratch\nCOPY a?.txt /q/\nCOPY *.txt /s/\nCOPY [ab]*.txt /r/\n", files=files)
    names = set(image.files())
    assert {n for n in names if n.startswith("q/")} == {"q/a1.txt", "q/a2.txt"}
    assert {n for n in names if n.startswith("s/")} == {"s/a1.txt", "s/a2.txt", "s/b.txt", "s/.a4.txt"}
    assert {n for n in names if n.startswith("r/")} == {"r/a1.txt", "r/a2.txt", "r/b.txt"}


def test_a_wildcard_without_a_match_is_an_error(sb):
    result = sb.build("FROM scratch\nCOPY *.none /d/\n", files={"f": "x"}, check=1)
    assert "'*.none'" in result.err and "Buildfile:2" in result.err


def test_a_missing_source_is_an_error_with_its_place(sb):
    result = sb.build("FROM scratch\n\nCOPY nope /x\n", check=1)
    assert "Buildfile:3" in result.err and "nope" in result.err and "not found" in result.err


def test_dockerignore_excludes_and_takes_back(sb):
    files = {
        ".dockerignore": "# comment\n*.log\nnode_modules\n**/deep.txt\n!keep.log\n",
        "a.log": "1",
        "keep.log": "2",
        "node_modules/m": "3",
        "x/y/deep.txt": "4",
        "x/y/other.txt": "5",
    }
    names = set(sb.image("FROM scratch\nCOPY . /\n", files=files).files())
    assert "keep.log" in names and "x/y/other.txt" in names
    assert not names & {"a.log", "node_modules", "node_modules/m", "x/y/deep.txt"}


def test_an_ignored_file_can_not_be_copied_by_name(sb):
    result = sb.build("FROM scratch\nCOPY f /f\n", files={".dockerignore": "f\n", "f": "x"}, check=1)
    assert "'f'" in result.err


def test_the_ignore_file_of_the_buildfile_goes_first(sb):
    files = {".dockerignore": "a\n", "Buildfile.dockerignore": "b\n", "a": "1", "b": "2"}
    names = set(sb.image("FROM scratch\nCOPY . /\n", files=files).files())
    assert "a" in names and "b" not in names


def test_a_source_can_not_leave_the_context(sb):
    context = sb.context({"inside/Buildfile": "", "secret": "outside"})
    (context / "inside" / "link").symlink_to("../secret")
    (context / "inside" / "abs").symlink_to("/etc/hostname")
    for source in ("../secret", "link", "abs", "/../../etc/hostname"):
        sb.build(f"FROM scratch\nCOPY {source} /x\n", context=context / "inside", check=1)


def test_a_named_link_is_followed_and_a_link_in_a_folder_is_copied(sb):
    context = sb.context({"d/f": "data"})
    (context / "d" / "l").symlink_to("f")
    (context / "to-f").symlink_to("d/f")
    image = sb.image("FROM scratch\nCOPY to-f /named\nCOPY d /d\n", context=context)
    assert image.read("named") == b"data"
    assert image.member("d/l").issym() and image.member("d/l").linkname == "f"


def test_a_link_in_the_image_leads_the_destination_inside_the_image(sb):
    text = "FROM busybox:1\nRUN mkdir /real && ln -s /real /link && ln -s ../../../../../../etc /up\nCOPY f /link/\nCOPY f /up/f\n"
    image = sb.image(text, files={"f": "x"})
    assert image.read("real/f") == b"x"
    assert image.read("etc/f") == b"x"
    assert image.member("link").issym()


def test_hardlinks_stay_hardlinks_within_one_copy(sb):
    context = sb.context({"d/a": "data"})
    os.link(context / "d/a", context / "d/b")
    layer = sb.image("FROM scratch\nCOPY d /d\n", context=context).layers[0]
    assert layer["d/a"].isreg() and layer["d/b"].islnk() and layer["d/b"].linkname == "d/a"


def test_from_a_stage_keeps_owners(sb):
    text = "FROM busybox:1 AS a\nRUN echo x >/f && chown 1000:2000 /f && chmod 4711 /f\nFROM scratch\nCOPY --from=a /f /f\n"
    member = sb.image(text).member("f")
    assert (member.uid, member.gid, member.mode) == (1000, 2000, 0o4711)


def test_from_an_image_by_its_name(sb):
    image = sb.image("FROM scratch\nCOPY --from=busybox:1 /etc/passwd /p\n")
    assert image.read("p") == image_make.PASSWD.encode()


def test_a_file_does_not_replace_a_folder(sb):
    result = sb.build("FROM busybox:1\nCOPY d /d\nCOPY g/d /\n", files={"d/x": "", "g/d": ""}, check=None)
    assert result.status not in (0, 125) and "Buildfile:3" in result.err and "d'" in result.err


def test_each_copy_is_a_layer_even_an_empty_one(sb):
    image = sb.image("FROM scratch\nCOPY f /f\nCOPY f /f\nCOPY --from=busybox:1 /tmp/ /\n", files={"f": "x"})
    assert len(image.layers) == 3
    assert image.layers[2].is_empty


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_add_unpacks_a_local_archive(sb, pack):
    tar = image_make.make_tar({"a": b"1", "dir/b": b"2", "link": "@a"})
    image = sb.image("FROM scratch\nADD any.name /into\n", files={"any.name": pack(tar)})
    assert image.read("into/a") == b"1" and image.read("into/dir/b") == b"2"
    assert image.member("into/link").issym()


def test_add_unpacks_zstd(sb):
    tar = image_make.make_tar({"a": b"1"})
    packed = subprocess.run(["zstd", "-c"], input=tar, capture_output=True, check=True).stdout
    assert sb.image("FROM scratch\nADD x /\n", files={"x": packed}).read("a") == b"1"


def test_add_keeps_owners_of_the_archive(sb):
    import io
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        image_make.add_file(tar, "f", b"x", 0o4750, 123, 456, 777)
    member = sb.image("FROM scratch\nADD a.tar /\n", files={"a.tar": out.getvalue()}).member("f")
    assert (member.uid, member.gid, member.mode, int(member.mtime)) == (123, 456, 0o4750, 777)


def test_copy_does_not_unpack_and_add_copies_what_is_no_archive(sb):
    tar = image_make.make_tar({"a": b"1"})
    image = sb.image("FROM scratch\nCOPY a.tar /c/\nADD plain /p/\n", files={"a.tar": tar, "plain": "text"})
    assert image.read("c/a.tar") == tar and image.read("p/plain") == b"text"


def test_an_archive_follows_the_images_links_as_if_its_destination_were_the_root(sb):
    """As BuildKit does: an absolute link that stands below the destination leads to below the destination."""
    tar = image_make.make_tar({"abs/a": b"1", "rel/b": b"2"})
    text = "FROM busybox:1\nRUN mkdir -p /d/t /t /d/r && ln -s /t /d/abs && ln -s r /d/rel\nADD a.tar /d/\n"
    image = sb.image(text, files={"a.tar": tar})
    assert image.read("d/t/a") == b"1" and image.read("d/r/b") == b"2"
    assert image.layers[-1].names[-1] == "d/t/a" and "t/a" not in image.layers[-1]


@pytest.mark.parametrize("name", ["../escape", "/../../escape", "x/../../../escape"])
def test_an_archive_does_not_write_outside_its_destination(sb, name):
    tar = image_make.make_tar({name: b"evil"})
    sb.build("FROM scratch\nADD a.tar /d/\n", files={"a.tar": tar}, check=None)
    assert not (sb.folder / "escape").exists() and not os.path.exists("/escape")


def test_an_archive_does_not_write_through_its_own_link(sb):
    import io
    import tarfile

    victim = sb.folder / "victim"
    victim.mkdir(exist_ok=True)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        image_make.add_link(tar, "out", str(victim))
        image_make.add_file(tar, "out/file", b"evil")
    sb.build("FROM scratch\nADD a.tar /d/\n", files={"a.tar": out.getvalue()}, check=None)
    assert list(victim.iterdir()) == []


def test_a_copy_of_the_bytes_of_a_known_secret_is_refused(fresh):
    secret = "s3cr3t-in-the-context-0815"
    files = {"f": f"token={secret}\n"}
    path = fresh.file("secret", secret)
    result = fresh.build("FROM scratch\n\nCOPY f /f\n", "--secret", f"id=t,src={path}", files=files, check=1)
    assert secret not in result.text
    assert "Buildfile:3" in result.err and "'t'" in result.err or "secret t" in result.err
    assert "mount the secret in the step that needs it instead" in result.err
    assert find_secret(secret.encode(), fresh.folder / "store", fresh.tmp) == [], "what was copied is gone"


def test_a_folder_named_like_a_secret_is_refused_with_what_to_do(fresh):
    secret = "s3cr3t-in-a-name-0815"
    path = fresh.file("secret", secret)
    result = fresh.build(f"FROM scratch\nWORKDIR /x/{secret}\n", "--secret", f"id=t,src={path}", check=1)
    assert secret not in result.text
    assert "Buildfile:2" in result.err and "part of the image" in result.err
