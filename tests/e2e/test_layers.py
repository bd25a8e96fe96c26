# SPDX-License-Identifier: MIT
"""What a layer holds, and that the same build gives the same bytes."""

import contextlib
import json
import os
import shutil

import pytest

from image_make import EMPTY_DIFF_ID


def last(sb, *commands, base="busybox:1", before="true", **more):
    """The layer of one RUN, after a RUN of `before`."""
    script = "\n".join(commands)
    text = f"FROM {base}\nRUN <<'END_OF_SCRIPT'\nset -e\n{before}\nEND_OF_SCRIPT\nRUN <<'END_OF_SCRIPT'\nset -e\n{script}\nEND_OF_SCRIPT\n"
    return sb.image(text, **more).layers[-1]


ALL_MOUNTS = (
    "--mount=type=secret,id=s,required --mount=type=secret,id=s,target=/a/b/c --mount=type=cache,target=/cache/x "
    "--mount=type=tmpfs,target=/t/m/p --mount=type=bind,target=/ctx --mount=type=bind,source=f,target=/one/file "
    "--mount=type=tmpfs,target=/bin/sub"
)


@pytest.mark.parametrize("base", ["busybox:1", "bare:1", "five:1"])
def test_a_step_that_does_nothing_commits_the_empty_layer(sb, five_layers, base):
    secret = sb.file("some-secret", "a secret of some length")
    text = f"FROM {base}\nRUN {ALL_MOUNTS} true\nRUN true\nRUN --network=none true\n"
    image = sb.image(text, "--secret", f"id=s,src={secret}", files={"f": "x"})
    for layer in image.layers[-3:]:
        assert layer.is_empty and layer.diff_id == EMPTY_DIFF_ID, layer.names


def test_add_change_and_remove(sb):
    layer = last(sb, "echo new >/etc/new", "echo more >>/etc/passwd", "rm /etc/group", "mkdir /d")
    assert sorted(layer.names) == ["d/", "etc/", "etc/.wh.group", "etc/new", "etc/passwd"]


def test_a_whiteout_is_empty_without_mode_owner_and_time(sb):
    member = last(sb, "rm /etc/group")["etc/.wh.group"]
    assert (member.type, member.size, member.mode, member.uid, member.gid, member.mtime) == (b"0", 0, 0, 0, 0, 0)


def test_a_removed_tree_is_one_whiteout(sb):
    layer = last(sb, "rm -r /top", before="mkdir -p /top/a/b /top/c; touch /top/a/b/f /top/c/g")
    assert layer.names == [".wh.top"]


def test_made_and_removed_in_one_step_is_nothing(sb):
    layer = last(sb, "mkdir -p /x/y; echo >/x/y/z; rm -r /x", "echo >/etc/a; rm /etc/a")
    assert layer.is_empty, layer.names


def test_a_folder_made_anew_has_explicit_whiteouts_and_no_opaque_marker(sb):
    layer = last(
        sb,
        "rm -r /d && mkdir /d && echo new >/d/added && echo same >/d/changed-content",
        before="mkdir -p /d/sub; echo 1 >/d/gone; echo 2 >/d/sub/x; echo other >/d/changed-content",
    )
    assert sorted(layer.names) == ["d/", "d/.wh.gone", "d/.wh.sub", "d/added", "d/changed-content"]
    assert not any(".wh..wh." in name for name in layer.names)


@pytest.mark.parametrize(
    "before, after, kind",
    [
        ("echo >/x", "rm /x && mkdir /x", "isdir"),
        ("mkdir -p /x/y", "rm -r /x && echo >/x", "isreg"),
        ("mkdir -p /x/y", "rm -r /x && ln -s /etc /x", "issym"),
        ("ln -s /etc /x", "rm /x && mkdir /x", "isdir"),
        ("echo >/x", "rm /x && mkfifo /x", "isfifo"),
    ],
)
def test_another_type_in_its_place_needs_no_whiteout(sb, before, after, kind):
    layer = last(sb, after, before=before)
    assert [name.rstrip("/") for name in layer.names] == ["x"]
    assert getattr(next(iter(layer.members.values())), kind)()


def test_a_folder_that_replaced_a_link_holds_only_its_own(sb):
    image = sb.image("FROM busybox:1\nRUN ln -s /etc /x\nRUN rm /x && mkdir /x && echo >/x/f\n")
    assert image.layers[-1].names == ["x/", "x/f"]


def test_the_same_content_with_the_same_time_is_no_change(sb):
    before = "echo same >/f; touch -d @1000 /f; mkdir /d; echo >/d/x"
    commands = ["cat /f >/g; touch -r /f /g; rm /f; cp -p /g /f; rm /g", "mv /d/x /d/y; mv /d/y /d/x", "chmod 644 /f"]
    layer = last(sb, *commands, before=before)
    assert layer.is_empty, layer.names


def test_another_content_with_the_same_size_and_time_is_a_change(sb):
    layer = last(sb, "printf bbbb >/f; touch -d @1000 /f", before="printf aaaa >/f; touch -d @1000 /f")
    assert layer.names == ["f"] and layer.read("f") == b"bbbb"


@pytest.mark.parametrize("command", ["chmod 600 /f", "chown 1:2 /f", "touch -d @5000 /f", "chmod u+s /f"])
def test_a_change_of_metadata_alone_is_the_whole_file(sb, command):
    layer = last(sb, command, before="echo data >/f; touch -d @1000 /f")
    assert layer.names == ["f"] and layer.read("f") == b"data\n"


def test_modes_owners_and_whole_seconds(sb):
    commands = [
        "cd /; touch f g; chown 1000:2000 f; chown 60000:60000 g; chmod 6754 f; chmod 1777 g",
        "mkdir d; chmod 3711 d; touch -d @1234567 f",
    ]
    layer = last(sb, *commands)
    f = layer["f"]
    assert (f.mode, f.uid, f.gid, f.mtime) == (0o6754, 1000, 2000, 1234567)
    assert layer["g"].mode == 0o1777 and (layer["g"].uid, layer["g"].gid) == (60000, 60000)
    assert layer["d/"].mode == 0o3711
    for member in layer.members.values():
        assert float(member.mtime).is_integer() and (member.uname, member.gname) == ("", "")


def test_hardlinks_within_the_layer_stay_hardlinks(sb):
    layer = last(sb, "mkdir /a /b; echo data >/a/one; ln /a/one /b/two; ln /a/one /a/three")
    assert layer["a/one"].isreg() and layer["a/three"].linkname == "a/one" and layer["b/two"].linkname == "a/one"
    assert layer["a/three"].islnk() and layer["b/two"].islnk()


def test_a_new_link_to_a_file_of_the_base_is_a_full_copy(sb):
    layer = last(sb, "ln /etc/passwd /etc/passwd2")
    assert "etc/passwd2" in layer and layer["etc/passwd2"].isreg() and layer.read("etc/passwd2")
    assert ".wh" not in " ".join(layer.names)


def test_fifos_and_links_are_kept_and_sockets_are_named_and_dropped(sb, probe):
    result = sb.image("FROM probe:1\nRUN mkfifo /pipe; ln -s 'to where' /link; probe socket-file /sock\n")
    layer = result.layers[-1]
    assert layer.names == ["link", "pipe"]
    assert layer["pipe"].isfifo() and layer["link"].linkname == "to where"
    assert "sock" in result.result.text


def test_user_attributes_and_a_change_of_those_alone(sb, probe):
    text = "FROM probe:1\nRUN echo x >/f; probe setxattr /f user.mine value1\nRUN probe setxattr /f user.mine value2\nRUN true\n"
    image = sb.image(text)
    for layer, value in ((image.layers[-3], "value1"), (image.layers[-2], "value2")):
        assert layer["f"].pax_headers["SCHILY.xattr.user.mine"] == value
    assert image.layers[-1].is_empty


def test_overlays_own_attributes_do_not_get_into_a_layer(sb):
    image = sb.image("FROM busybox:1\nRUN rm -r /usr && mkdir /usr && echo >/usr/x\nRUN mv /home /house; mkdir /home\n")
    for layer in image.layers:
        for member in layer.members.values():
            assert not [key for key in member.pax_headers if "overlay" in key]


def test_a_name_that_would_be_read_as_a_whiteout_is_refused(sb):
    result = sb.build("FROM busybox:1\nRUN mkdir /d && touch /d/.wh.passwd\n", check=1)
    assert "d/.wh.passwd" in result.err and "Buildfile:2" in result.err


def test_a_copied_name_that_would_be_read_as_a_whiteout_is_refused(sb):
    result = sb.build("FROM scratch\nCOPY .wh.passwd /etc/\n", files={".wh.passwd": "x"}, check=1)
    assert "etc/.wh.passwd" in result.err and "Buildfile:2" in result.err


def test_entries_are_sorted_and_parents_come_first(sb):
    layer = last(sb, "mkdir -p /z/y /a/b 'a b'; touch /z/y/2 /z/y/1 /a/b/c /a-b /a.b '/a b/x'; echo >/z/y/B; mkdir /ab")
    assert layer.names[0] != "./"
    seen = set()
    for name in layer.names:
        parent = name.rstrip("/").rpartition("/")[0]
        assert not parent or parent + "/" in seen, name
        seen.add(name)
    siblings = {}
    for name in layer.names:
        parent, _, base = name.rstrip("/").rpartition("/")
        siblings.setdefault(parent, []).append(base)
    for names in siblings.values():
        assert names == sorted(names)


def test_long_names_large_owners_and_sparse_files(sb):
    name = "n" * 200
    deep = "/".join(["folder-with-a-name"] * 12)
    layer = last(sb, f"mkdir -p /{deep}; echo x >/{deep}/{name}; dd if=/dev/null of=/sparse bs=1 seek=3000000 2>/dev/null")
    assert layer.read(f"{deep}/{name}") == b"x\n"
    assert layer["sparse"].size == 3000000 and layer.read("sparse") == b"\0" * 3000000


def test_names_that_are_no_utf8(sb):
    image = sb.image("FROM busybox:1\nRUN touch \"$(printf '/bad\\377name')\" \"$(printf '/um\\303\\244')\"\n")
    names = [os.fsencode(name) for name in image.layers[-1].names]
    assert b"bad\xffname" in names and "umä".encode() in names


def test_what_the_layers_say_is_what_a_later_step_saw(sb):
    text = """FROM five:1
RUN rm -r /layer0 && echo changed >/layer1/file && mv /layer2 /moved && rm /layer3/file
RUN cd / && find . -path ./proc -prune -o -path ./sys -prune -o -path ./dev -prune -o -path ./out -prune -o -print | sort >/tmp/out
"""
    sb.build("FROM busybox:1\n" + "\n".join(f"RUN mkdir /layer{n} && echo {n} >/layer{n}/file" for n in range(4)), "-t", "five:1")
    image = sb.image(text)
    seen = {line[2:] for line in image.read("tmp/out").decode().splitlines() if line != "."}
    made_by_the_sandbox = {"proc", "sys", "dev", "tmp/out", "etc/hosts", "etc/resolv.conf", "etc/hostname", "etc/mtab", "run/secrets"}
    files = set(image.files())
    assert seen - made_by_the_sandbox == files - made_by_the_sandbox
    assert "moved/file" in files and "layer2" not in files and "layer0" not in files


def test_a_link_layer_is_the_same_on_every_base(sb):
    """It holds the folders on the way also where they are there already, and no whiteouts."""
    copy = "COPY --link --chown=3:4 f s /etc/deep/\n"
    files = {"f": "x", "s/g": "y", "s/t/h": "z"}
    before = "RUN mkdir -p /etc/deep/t && echo old >/etc/deep/g && ln -s /etc /etc/deep/l\n"
    bases = ["FROM scratch\n", "FROM busybox:1\n", f"FROM busybox:1\n{before}"]
    layers = [sb.image(base + copy, files=files).layers[-1] for base in bases]
    names = ["etc/", "etc/deep/", "etc/deep/f", "etc/deep/g", "etc/deep/t/", "etc/deep/t/h"]
    for layer in layers:
        assert layer.names == names
        assert {(layer[name].mode, layer[name].uid, layer[name].gid) for name in names if name.endswith("/")} == {(0o755, 3, 4)}


def test_removing_what_only_the_sandbox_had_is_no_change(sb):
    layer = last(sb, "rm -rf /run /proc/x /etc/nothing", base="bare:1")
    assert layer.is_empty, layer.names


def test_a_file_written_beside_a_mount_point_is_kept(sb):
    layer = last(sb, "mkdir -p /run/mine; echo x >/run/mine/f", base="bare:1")
    assert layer.names == ["run/", "run/mine/", "run/mine/f"]


EPOCH = "1700000000"
REPRODUCIBLE = """FROM busybox:1 AS made
RUN mkdir -p /opt/a /opt/b; for n in 3 1 2; do echo $n >/opt/a/$n; done; chown -R 1000:1000 /opt/b; ln /opt/a/1 /opt/link; rm /etc/shadow
FROM busybox:1
WORKDIR /app
COPY --chown=app:app f /app/
COPY --from=made /opt /opt
RUN --mount=type=cache,target=/c date +%s%N >/c/x && chmod 4755 /opt/a/2 && echo extra:x:5: >>/etc/group
ENV A=b
CMD ["x"]
"""


def reproducible_build(sb):
    context = sb.context({"f": "content"})
    os.utime(context / "f", (1_600_000_000, 1_600_000_000))
    os.chmod(context / "f", 0o644)
    return sb.image(REPRODUCIBLE, "--source-date-epoch", EPOCH, context=context)


def test_the_same_build_twice_gives_the_same_bytes(fresh, sb):
    first = reproducible_build(fresh)
    second = reproducible_build(sb)
    assert [layer.diff_id for layer in first.layers] == [layer.diff_id for layer in second.layers]
    assert first.manifest_digest == second.manifest_digest
    assert first.path.read_bytes() == second.path.read_bytes()


def test_root_and_rootless_give_the_same_bytes(fresh):
    """tests/run.sh runs this as root and as a user with the same file to write to."""
    image = reproducible_build(fresh)
    record = {"manifest": image.manifest_digest, "layers": [layer.diff_id for layer in image.layers]}
    shared = os.environ.get("SB_TEST_DIGESTS")
    if not shared:
        assert reproducible_build(fresh).manifest_digest == image.manifest_digest
        return
    # Both may be at it at once: the first whole file stays.
    own = fresh.file("record.json", json.dumps(record))
    copy = f"{shared}.{os.getpid()}"
    shutil.copyfile(own, copy)
    os.chmod(copy, 0o644)
    with contextlib.suppress(FileExistsError):
        os.link(copy, shared)
    os.unlink(copy)
    with open(shared, encoding="utf-8") as file:
        assert json.load(file) == record


def test_no_time_in_a_layer_is_later_than_the_epoch(sb):
    image = reproducible_build(sb)
    assert max(member.mtime for layer in image.layers for member in layer.members.values()) <= int(EPOCH)
