# SPDX-License-Identifier: MIT
"""What the build does not look into is not unpacked: bases and cached layers whose blobs are in the
store, judged by which folders are there afterwards, and by the image, which is the same either way."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import tarfile
import tempfile
import time

import pytest

import image_make
import image_read
from conftest import IS_ROOT, Safebuild, import_bases, need_program, remove_tree
from faults import TRACE
from secret_search import find_secret
from test_cache import build, in_store, ran, steps
from test_cache_remote import FILES, MULTI, Place, all_cached, digest, registry, warnings  # pylint: disable=unused-import

EPOCH = "--source-date-epoch=1700000000"
CHAIN = "FROM busybox:1\nWORKDIR /app\nCOPY a .\nRUN cp a b && mkdir d && echo 1 >d/f\nRUN rm a && echo 2 >d/g\n"
SECRET = "kQ7vZr2mXs9LpT4w81"
OPAQUE = [
    image_make.busybox_rootfs(extra={"lowest": "1", "etc/low": "1"}),
    image_make.make_tar({"hidden": b"2"}),
    # The root hides all below: what is wanted of it stands here again.
    image_make.busybox_rootfs(extra={".wh..wh..opq": "", "shown": "3"}),
    image_make.make_tar({"top": b"4"}),
]


@pytest.fixture
def empty(session_folder):
    """Makes stores that hold nothing."""
    folders = []

    def make():
        folders.append(pathlib.Path(tempfile.mkdtemp(prefix="lazy-", dir=session_folder)))
        return Safebuild(folders[-1])

    yield make
    for folder in folders:
        remove_tree(folder)


@pytest.fixture
def store(empty, rootfs):
    """Makes stores with the bases, none of them unpacked."""
    return lambda: import_bases(empty(), rootfs)


@pytest.fixture
def folder(tmp_path):
    return Place("local", tmp_path, None)


def unpacked(sb):
    """The layers that the store has a folder of."""
    return in_store(sb, "cd snapshots && for d in */layers/*; do test ! -d $d || basename $d; done").split()


def kept_steps(sb):
    return in_store(sb, "cd snapshots && for d in */steps/*; do test ! -d $d || basename $d; done").split()


def forget_folders(sb):
    """As after a prune that leaves records and blobs."""
    in_store(sb, "rm -rf snapshots/*/layers/* snapshots/*/steps/*")
    assert unpacked(sb) == kept_steps(sb) == []


def tree(path):
    """What a file system's tar holds."""
    with tarfile.open(path) as tar:
        return {
            m.name: (m.type, m.mode, m.uid, m.gid, m.linkname, tar.extractfile(m).read() if m.isreg() else None)
            for m in tar.getmembers()
        }


def exported(sb, context, *args, kind="oci", **more):
    """Builds what the context's Buildfile says into a file; returns the result and the file."""
    target = pathlib.Path(tempfile.mkdtemp(prefix="out-", dir=sb.folder)) / "out"
    text = (context / "Buildfile").read_text()
    return build(sb, text, "-o", f"type={kind},dest={target}", *args, context=context, **more), target


def push_base(registry, layout_folder, name, layers, config=None):
    layout = image_make.make_oci_layout(layout_folder, layers, config=config)
    registry.push_layout(layout, "1", name)
    return registry.ref(name)


@pytest.mark.parametrize("kind", ["local", "registry"])
def test_an_imported_base_whose_steps_are_cached_elsewhere(store, registry, tmp_path, kind):
    place = Place(kind, tmp_path, registry)
    a, b = store(), store()
    first = build(a, MULTI, place.to(",mode=max"), EPOCH, files=FILES)
    again, image = exported(b, first.context, place.source, EPOCH)
    assert all_cached(again) and digest(again) == digest(first) and not warnings(again), repr(again)
    assert unpacked(b) == kept_steps(b) == []
    assert image_read.read_oci_archive(image).read("app/copy") == b"hello\n"


def test_cached_layers_are_searched_for_a_secret_as_they_lie(store, folder):
    """Neither they nor the base are unpacked for that."""
    a, b = store(), store()
    first = build(a, CHAIN, folder.to(",mode=max"), EPOCH, files={"a": "1"})
    secret = f"--secret=id=s,src={b.file('secret', SECRET)}"
    for args in ([folder.source], []):
        again, image = exported(b, first.context, secret, EPOCH, *args)
        assert all_cached(again) and digest(again) == digest(first) and not warnings(again), repr(again)
        assert unpacked(b) == kept_steps(b) == []
        assert image_read.read_oci_archive(image).read("app/d/g") == b"2\n"


LEAKS = {
    "in a file": 'printf "x%s y" "$s" >/f/kept',
    "in a packed file": 'mkdir /f/d && printf %s "$s" >/f/d/e && tar cz -C /f d >/f/kept.tgz && rm -r /f/d',
    "in a name": 'echo >"/f/$s"',
    "in a link": 'ln -s "$s" /f/link',
    "in base64": 'printf %s "$s" | base64 >/f/kept',
}


@pytest.mark.parametrize("script", LEAKS.values(), ids=LEAKS)
def test_a_secret_in_a_cached_layer_is_found_as_it_lies(store, folder, script):
    """As it is in the folder of who ran the step, and in the same words. Who runs it knows no secret."""
    a, b = store(), store()
    text = f"FROM busybox:1\nRUN --mount=target=/h s=$(cat /h/1 /h/2) && mkdir /f && {script}\nRUN echo more >/more\n"
    first = build(a, text, folder.to(",mode=max"), EPOCH, files={"1": SECRET[:9], "2": SECRET[9:]})
    in_a, in_b = (
        build(sb, text, *args, EPOCH, f"--secret=id=s,src={sb.file('secret', SECRET)}", context=first.context, check=1)
        for sb, args in ((a, []), (b, [folder.source]))
    )
    said = [event for event in in_b.events if event["event"] == "error"]
    assert len(said) == 1 and "secret 's' found in" in said[0]["message"] and said[0]["line"] == 2, said
    assert [(event["message"], event["hint"]) for event in in_a.events if event["event"] == "error"] == [
        (event["message"], event["hint"]) for event in said
    ]
    assert unpacked(b) == kept_steps(b) == []
    assert SECRET not in in_a.text + in_b.text
    assert find_secret(SECRET.encode(), b.store) == []
    # Without the secret it is what it is.
    assert all_cached(build(b, text, folder.source, EPOCH, context=first.context))


def test_a_change_in_the_last_step_unpacks_it(store, folder):
    a, b = store(), store()
    text = CHAIN + "COPY conf /conf\n"
    first = build(a, text, folder.to(",mode=max"), EPOCH, files={"a": "1", "conf": "1"})
    assert all_cached(build(b, text, folder.source, EPOCH, context=first.context))
    # The next build has it all without the cache elsewhere.
    again = build(b, text, EPOCH, context=first.context)
    assert all_cached(again) and digest(again) == digest(first)
    assert unpacked(b) == []
    (first.context / "conf").write_text("2")
    again, image = exported(b, first.context, folder.source, EPOCH)
    assert ran(again) == ["COPY conf /conf"]
    assert len(unpacked(b)) == 5  # the base's, and what four steps made
    scratch, other = exported(store(), first.context, EPOCH)
    assert digest(again) == digest(scratch)
    assert image_read.read_oci_archive(image).read("app/d/g") == b"2\n"
    assert image_read.read_oci_archive(other).read("conf") == b"2"


def test_a_base_of_a_registry(empty, registry, tmp_path):
    place = Place("registry", tmp_path, registry)
    base = push_base(registry, tmp_path / "layout", f"bases/{tmp_path.name.lower()}:1",
                     [image_make.busybox_rootfs(), image_make.make_tar({"more": b"1"})])
    text = f"FROM {base}\nCOPY a /a\nRUN cat /more /a >/b\n"
    a, b, c = empty(), empty(), empty()
    first = build(a, text, place.to(",mode=max"), EPOCH, files={"a": "1"})
    assert len(unpacked(a)) == 2
    again, image = exported(b, first.context, place.source, EPOCH)
    assert all_cached(again) and digest(again) == digest(first) and not warnings(again), repr(again)
    assert unpacked(b) == kept_steps(b) == []
    assert image_read.read_oci_archive(image).read("b") == b"11"
    # One that the cache does not know is unpacked while it comes.
    build(c, f"FROM {base}\nENV a=b\n")
    assert len(unpacked(c)) == 2
    # Then what was read is unpacked.
    (first.context / "a").write_text("2")
    again = build(b, text, place.source, EPOCH, context=first.context)
    assert len(ran(again)) == 2 and len(unpacked(b)) == 2
    assert digest(again) == digest(build(empty(), text, EPOCH, context=first.context))


def test_a_base_that_is_asked_for_again_and_has_not_changed(empty, registry, tmp_path):
    layers = [image_make.busybox_rootfs(), image_make.make_tar({"more": b"1"})]
    name = f"again/{tmp_path.name.lower()}:1"
    base = push_base(registry, tmp_path / "layout", name, layers)
    text = f"FROM {base}\nCOPY a /a\nRUN cat /more /a >/b\n"
    sb = empty()
    first = build(sb, text, EPOCH, files={"a": "1"})
    forget_folders(sb)
    again = build(sb, text, "--pull", EPOCH, context=first.context)
    assert all_cached(again) and digest(again) == digest(first) and not warnings(again), repr(again)
    assert unpacked(sb) == kept_steps(sb) == []
    # With another layer, those before it are there.
    push_base(registry, tmp_path / "more", name, [*layers, image_make.make_tar({"more": b"2"})])
    again = build(sb, text, "--pull", EPOCH, context=first.context)
    assert len(ran(again)) == 2 and len(unpacked(sb)) == 3
    assert digest(again) == digest(build(empty(), text, EPOCH, context=first.context)) != digest(first)


def test_files_of_an_image_of_a_registry_whose_digest_is_known(empty, registry, tmp_path):
    place = Place("registry", tmp_path, registry)
    base = push_base(registry, tmp_path / "layout", f"tools/{tmp_path.name.lower()}:1",
                     [image_make.busybox_rootfs(extra={"tool": "1"})])
    text = f"FROM scratch\nCOPY --from={base} /tool /tool\n"
    a, b = empty(), empty()
    first = build(a, text, place.to(",mode=max"), EPOCH)
    again = build(b, text, place.source, EPOCH, context=first.context)
    assert all_cached(again) and digest(again) == digest(first) and not warnings(again)
    assert unpacked(b) == []


def test_nobody_looks_at_what_has_no_steps_that_write(store):
    sb = store()
    text = 'FROM busybox:1 AS a\nENV A=1\nUSER app\nLABEL x=y\nFROM a\nWORKDIR /\nCMD ["sh"]\n'
    context = sb.context()
    (context / "Buildfile").write_text(text)
    image = image_read.read_oci_archive(exported(sb, context)[1])
    assert image.config["config"]["User"] == "app"
    assert unpacked(sb) == []
    # COPY --link lies on nothing.
    build(sb, "FROM busybox:1\nCOPY --link a /a\n", files={"a": ""})
    assert unpacked(sb) == []
    # A name is looked up.
    build(sb, "FROM busybox:1\nUSER app\nRUN test $(id -u) = 1000\n")
    assert len(unpacked(sb)) == 1


def test_blobs_are_enough_for_all_that_comes_later(store):
    sb = store()
    first = build(sb, CHAIN, "-t", "made:1", EPOCH, files={"a": "1"})
    forget_folders(sb)
    again, image = exported(sb, first.context, EPOCH)
    assert all_cached(again) and digest(again) == digest(first)
    assert unpacked(sb) == kept_steps(sb) == []
    wanted = {"app/b", "app/d/f", "app/d/g"}
    assert wanted <= set(image_read.read_oci_archive(image).files())
    last = build(sb, CHAIN + "RUN test ! -e a && cat b d/f d/g >all\n", "-t", "more:1", EPOCH, context=first.context)
    assert len(ran(last)) == 1 and len(unpacked(sb)) == 5
    assert sb("run", "--network=none", "more:1", "cat", "/app/all").out == "11\n2\n"


def test_a_stage_that_others_take_files_from(store):
    sb = store()
    text = (
        "FROM busybox:1 AS tools\nRUN mkdir /t && echo one >/t/one\nRUN echo two >/t/two\n"
        "FROM busybox:1 AS mounted\nRUN --mount=from=tools,source=/t,target=/m cat /m/one >/m1\n"
        "FROM bare:1\nCOPY --from=tools /t /t\nCOPY --from=mounted /m1 /m1\n"
    )
    files = {"a": ""}
    first = build(sb, text, "-t", "made:1", EPOCH, files=files)
    assert all_cached(build(sb, text, EPOCH, context=first.context))
    # The layers of stages that are in no image have no blobs: they run again, on what is unpacked again.
    forget_folders(sb)
    again = build(sb, text, EPOCH, context=first.context)
    assert digest(again) == digest(first)
    # From a stage that is the image's too.
    text = text.replace("FROM bare:1", "FROM mounted AS next\nRUN echo 3 >/n\nFROM next")
    first = build(sb, text, "-t", "made:2", EPOCH, context=first.context)
    in_store(sb, "rm -rf snapshots/*/layers/*")
    assert digest(build(sb, text, EPOCH, context=first.context)) == digest(first)
    assert unpacked(sb) == []


def test_another_file_of_a_cached_stage_is_read(store, folder):
    a, b = store(), store()
    text = "FROM busybox:1 AS s\nRUN mkdir /o && echo 1 >/o/x && echo 2 >/o/y\nFROM scratch\nCOPY --from=s /o/x /\n"
    first = build(a, text, folder.to(",mode=max"), EPOCH)
    assert all_cached(build(b, text, folder.source, EPOCH, context=first.context))
    assert unpacked(b) == []
    text = text.replace("--from=s /o/x", "--from=s /o/y")
    (first.context / "Buildfile").write_text(text)
    again, image = exported(b, first.context, folder.source, EPOCH)
    assert ran(again) == ["COPY --from=s /o/y /"] and len(unpacked(b)) == 2
    assert image_read.read_oci_archive(image).read("y") == b"2\n"


@pytest.mark.parametrize("where", ["run", "copy", "tar", "local", "squash", "from", "mount"])
def test_a_root_that_hides_the_layers_below(store, tmp_path, where):
    sb = store()
    layout = image_make.make_oci_layout(tmp_path / "layout", OPAQUE)
    named = ("--build-context", f"base=oci-layout://{layout}")
    text = {
        "run": "FROM base\nRUN ls / >/out\n",
        "copy": "FROM base\nCOPY --from=base /bin/busybox /bb\nRUN ls / >/out\n",
        "from": "FROM busybox:1\nCOPY --from=base / /x/\nRUN ls /x >/out\n",
        "mount": "FROM busybox:1\nRUN --mount=from=base,target=/x ls /x >/out\n",
        "squash": "FROM base\nENV a=b\nRUN ls / >/out\nRUN echo >/more\n",
    }.get(where, "FROM base\nENV a=b\n")
    context = sb.context()
    (context / "Buildfile").write_text(text)
    if where in ("tar", "local"):
        _, target = exported(sb, context, *named, kind=where)
        names = set(tree(target)) if where == "tar" else set(os.listdir(target))
    else:
        args = [*named, *(["--squash"] if where == "squash" else [])]
        names = set(image_read.read_oci_archive(exported(sb, context, *args)[1]).read("out").decode().split())
    assert {"shown", "top", "etc"} <= names and not names & {"lowest", "hidden"}, names
    assert len(unpacked(sb)) == len(OPAQUE) + (where in ("from", "mount"))


def test_a_root_that_hides_with_all_cached(store, folder, tmp_path):
    layout = image_make.make_oci_layout(tmp_path / "layout", OPAQUE)
    named = ("--build-context", f"base=oci-layout://{layout}")
    text = "FROM base\nRUN ls / >/out\nRUN ls /etc >/etc.out\n"
    first = build(store(), text, folder.to(), *named, EPOCH)
    b = store()
    again, image = exported(b, first.context, folder.source, *named, EPOCH)
    assert all_cached(again) and digest(again) == digest(first) and unpacked(b) == []
    assert b"lowest" not in image_read.read_oci_archive(image).read("out")
    (first.context / "Buildfile").write_text(text + "RUN test ! -e /lowest && test ! -e /etc/low && test -e /out\n")
    again, _ = exported(b, first.context, folder.source, *named, EPOCH)
    assert len(ran(again)) == 1


@pytest.mark.parametrize("kind", ["tar", "local", "squash", "docker", "oci-zstd"])
def test_outputs_of_a_build_in_which_all_is_cached(store, folder, kind):
    a, b = store(), store()
    first = build(a, CHAIN, folder.to(",mode=max"), EPOCH, files={"a": "1"})
    args = [EPOCH]
    of = {"squash": "oci", "oci-zstd": "oci,compression=zstd,force-compression=true"}.get(kind, kind)
    if kind == "squash":
        args.append("--squash")
    _, wanted = exported(a, first.context, *args, kind=of)
    forget_folders(a)
    again, got = exported(b, first.context, folder.source, *args, kind=of)
    assert all_cached(again)
    later, third = exported(a, first.context, *args, kind=of)
    assert all_cached(later)
    if kind == "tar":
        assert tree(got) == tree(wanted) == tree(third)
    elif kind == "local":
        names = [sorted(str(p.relative_to(t)) for p in t.rglob("*")) for t in (wanted, got, third)]
        assert names[0] == names[1] == names[2] and (got / "app/d/g").read_text() == "2\n"
    else:
        sums = [hashlib.sha256(t.read_bytes()).hexdigest() for t in (wanted, got, third)]
        assert sums[0] == sums[1] == sums[2]
    assert (unpacked(b) == []) == (kind == "docker")


def test_target_onbuild_and_user(store, folder):
    a, b = store(), store()
    for sb in (a, b):
        build(sb, "FROM busybox:1\nONBUILD COPY a /a\nONBUILD RUN cp /a /b\n", "-t", "onbuild:1", EPOCH)
    text = "FROM onbuild:1 AS one\nUSER app\nWORKDIR /w\nFROM one AS two\nRUN echo 2 >/w/two\nFROM two\nRUN false\n"
    first = build(a, text, "--target=two", folder.to(",mode=max"), EPOCH, files={"a": "1"})
    again = build(b, text, "--target=two", folder.source, EPOCH, context=first.context)
    assert all_cached(again) and digest(again) == digest(first) and unpacked(b) == [], repr(again)
    text = text.replace("WORKDIR /w\n", "WORKDIR /w\nRUN test $(id -un) = app && cat /b >/w/b\n")
    again = build(b, text, "--target=two", folder.source, EPOCH, context=first.context)
    assert len(ran(again)) == 2 and len(unpacked(b)) == 4


def test_from_scratch_takes_no_part(store, folder):
    text = "FROM scratch\nCOPY a /a\nCOPY a /b\n"
    first = build(store(), text, folder.to(), EPOCH, files={"a": "1"})
    b = store()
    again = build(b, text, folder.source, EPOCH, context=first.context)
    assert all_cached(again) and digest(again) == digest(first) and unpacked(b) == []
    assert ran(build(b, text + "COPY a /c\n", folder.source, EPOCH, context=first.context)) == ["COPY a /c"]


def test_stages_on_one_base_unpack_it_once(store, tmp_path):
    """Counted by the renames that put a layer into its place; not as a user, whose newuidmap can't be traced."""
    sb = store()
    layers = [image_make.busybox_rootfs(), *(image_make.make_tar({f"f{n}": os.urandom(1 << 20)}) for n in range(4))]
    layout = image_make.make_oci_layout(tmp_path / "layout", layers)
    text = "".join(f"FROM base AS s{n}\nRUN test -e /f3 && echo {n} >/n{n}\n" for n in range(8))
    text += "FROM base\n" + "".join(f"COPY --from=s{n} /n{n} /\n" for n in range(8))
    log = tmp_path / "strace"
    traced = Safebuild(sb.folder / "traced")
    traced.store = sb.store
    if IS_ROOT:
        traced.prefix = [need_program("strace"), *TRACE[1:], "-e", "trace=renameat2", "-o", log]
    result = build(traced, text, "--jobs=8", "--build-context", f"base=oci-layout://{layout}")
    assert len(ran(result)) == 16 and len(unpacked(sb)) == len(layers)
    if not IS_ROOT:
        return
    put = re.findall(r'renameat2\(.*"layers/[0-9a-f]{64}", RENAME_NOREPLACE\)\s*= (\S+)', log.read_text())
    assert put == ["0"] * len(layers), log.read_text()


def test_builds_at_once_on_a_base_that_is_not_unpacked(store):
    sb = store()
    context = [sb.context({"a": str(n)}) for n in range(4)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda c: build(sb, CHAIN, EPOCH, context=c), context))
    assert len({digest(result) for result in done}) == 4
    assert len(unpacked(sb)) == 1


def flip(sb, dgst):
    path = sb.store / "blobs" / dgst.replace(":", "/")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)
    return path


def layer_blobs(sb, name):
    index = json.loads((sb.store / "index.json").read_text())
    entry = next(e for e in index["manifests"] if e["annotations"]["org.opencontainers.image.ref.name"].endswith(name))
    manifest = json.loads((sb.store / "blobs" / entry["digest"].replace(":", "/")).read_text())
    return [layer["digest"] for layer in manifest["layers"]]


@pytest.mark.parametrize("when", ["before", "after it was read"])
@pytest.mark.parametrize("what", ["run", "oci", "tar"])
def test_a_base_that_is_broken(store, folder, when, what):
    a, b = store(), store()
    first = build(a, CHAIN, folder.to(",mode=max"), EPOCH, files={"a": "1"})
    if when != "before":
        assert all_cached(build(b, CHAIN, folder.source, EPOCH, context=first.context))
    broken = flip(b, layer_blobs(b, "busybox:1")[0])
    if what == "run":
        (first.context / "Buildfile").write_text("FROM busybox:1\nRUN echo other\n")
    result, _ = exported(b, first.context, folder.source, EPOCH, kind=what if what != "run" else "oci", check=None)
    assert result.status not in (0, 125), repr(result)
    said = next(event for event in result.events if event["event"] == "error")
    assert "is broken" in said["message"] and "pull or import the base image again" in said["hint"], said
    assert f"sha256:{broken.name}" in said["message"]
    if what == "run":
        assert "base image 'busybox:1'" in said["message"] and said["line"] == 2, said
    assert not broken.exists() and unpacked(b) == []


def test_a_broken_base_is_no_fault_of_the_steps_on_it(store, tmp_path):
    """They are looked into, for a secret."""
    sb = store()
    first = build(sb, CHAIN, "-t", "made:1", EPOCH, files={"a": "1"})
    blobs = layer_blobs(sb, "made:1")
    forget_folders(sb)
    broken = flip(sb, blobs[0])
    (tmp_path / "secret").write_text("s3cr3t-value-0123456789")
    result = build(sb, CHAIN, EPOCH, f"--secret=id=s,src={tmp_path}/secret", context=first.context, check=None)
    said = next(event for event in result.events if event["event"] == "error")
    assert "base image 'busybox:1': layer" in said["message"] and not broken.exists(), said
    assert all((sb.store / "blobs" / blob.replace(":", "/")).exists() for blob in blobs[1:])


def test_a_base_that_lies_about_what_it_unpacks_to(store, folder, tmp_path):
    """Its steps are cached, by the layers that it says it has."""
    honest = [image_make.busybox_rootfs(), image_make.make_tar({"f": b"honest"})]
    lying = [honest[0], image_make.make_tar({"f": b"other"})]
    text = "FROM base\nRUN cat /f >/g\n"
    layouts = [
        image_make.make_oci_layout(tmp_path / "honest", honest),
        image_make.make_oci_layout(tmp_path / "lying", lying, config=image_make.default_config(honest)),
    ]
    first = build(store(), text, folder.to(), "--build-context", f"base=oci-layout://{layouts[0]}", EPOCH)
    b = store()
    result = build(b, text, folder.source, "--build-context", f"base=oci-layout://{layouts[1]}", EPOCH,
                   context=first.context, check=None)
    said = next(event for event in result.events if event["event"] == "error")
    assert "base image 'base': layer" in said["message"] and "the image's config says" in said["message"], said
    assert said["line"] == 1, said
    assert unpacked(b) == []


def test_a_base_of_a_registry_that_lies(empty, registry, tmp_path):
    """Known by the cache, it is not unpacked while it comes; it is read all the same."""
    place = Place("registry", tmp_path, registry)
    honest = [image_make.busybox_rootfs(), image_make.make_tar({"f": b"honest"})]
    lying = [honest[0], image_make.make_tar({"f": b"other"})]
    name = f"lying/{tmp_path.name.lower()}"
    good = push_base(registry, tmp_path / "honest", f"{name}:good", honest)
    bad = push_base(registry, tmp_path / "lying", f"{name}:bad", lying, image_make.default_config(honest))
    build(empty(), f"FROM {good}\nRUN cat /f >/g\n", place.to(), EPOCH)
    b = empty()
    result = build(b, f"FROM {bad}\nRUN cat /f >/g\n", place.source, EPOCH, check=None)
    said = next(event for event in result.events if event["event"] == "error")
    assert "the image's config says" in said["message"] and said["line"] == 1, said
    assert unpacked(b) == [] and b("images", "--json").out.count("lying") == 0


@pytest.mark.parametrize("what", ["flip", "remove"])
def test_a_step_whose_blob_is_broken_runs_again(store, what):
    sb = store()
    first = build(sb, CHAIN, "-t", "made:1", EPOCH, files={"a": "1"})
    forget_folders(sb)
    blob = layer_blobs(sb, "made:1")[3]
    path = flip(sb, blob)
    if what == "remove":
        path.unlink()
    result, image = exported(sb, first.context, EPOCH, check=None)
    if what == "flip":
        # Found when it is written out, and made anew then.
        assert result.status != 0 and not path.exists()
        result, image = exported(sb, first.context, EPOCH)
    assert digest(result) == digest(first)
    assert image_read.read_oci_archive(image).read("app/d/f") == b"1\n"


def test_a_step_whose_blob_proves_broken_later_makes_the_build_begin_again(store):
    sb = store()
    first = build(sb, CHAIN, "-t", "made:1", EPOCH, files={"a": "1"})
    forget_folders(sb)
    flip(sb, layer_blobs(sb, "made:1")[3])
    (first.context / "Buildfile").write_text(CHAIN + "RUN cat b d/f d/g >all\n")
    result, image = exported(sb, first.context, EPOCH)
    assert [text for text in warnings(result) if "begins again" in text], repr(result)
    assert image_read.read_oci_archive(image).read("app/all") == b"11\n2\n"
    assert digest(result) == digest(exported(store(), first.context, EPOCH)[0])


def test_a_plan_unpacks_nothing(store, folder):
    a, b = store(), store()
    first = build(a, MULTI, folder.to(",mode=max"), EPOCH, files=FILES)
    args = ["build", "--plan", "--progress=json", EPOCH]
    # By what is not unpacked nothing is known of files that a stage takes from it.
    said = json.loads(b(*args, folder.source, first.context).out)
    states = [s["state"] for stage in said["stages"] for s in stage["steps"]]
    assert set(states) == {"ready", "cached"}, said
    text = "FROM busybox:1 AS a\nFROM scratch\nCOPY --from=a /etc/passwd /\n"
    (first.context / "Buildfile").write_text(text)
    said = json.loads(b(*args, first.context).out)
    assert [s["state"] for stage in said["stages"] for s in stage["steps"]][-1] in ("run", "unknown")
    assert unpacked(b) == [] and in_store(b, "find snapshots -mindepth 3").strip() == ""


def test_a_cache_is_passed_on_in_another_form(store, folder, tmp_path):
    a, b, c = store(), store(), store()
    other = Place("local", tmp_path / "other", None)
    other.folder.parent.mkdir()
    first = build(a, MULTI, folder.to(",mode=max"), EPOCH, files=FILES)
    form = ",mode=max,compression=zstd,force-compression=true"
    again = build(b, MULTI, folder.source, other.to(form), EPOCH, context=first.context)
    assert all_cached(again) and digest(again) == digest(first)
    assert {entry["mediaType"][-4:] for entry in other.layers} == {"zstd"}
    third = build(c, MULTI, other.source, EPOCH, context=first.context)
    assert all_cached(third), repr(third)


def test_several_platforms(store, folder):
    args = ["--platform=linux/amd64,linux/arm64", EPOCH]
    text = "FROM scratch AS base\nCOPY a /a\nFROM base\nCOPY a /b\nCOPY --from=base /a /c\n"
    a, b = store(), store()
    first = build(a, text, *args, folder.to(",mode=max"), files={"a": "1"})
    again = build(b, text, *args, folder.source, folder.to(",mode=max,compression=zstd,force-compression=true"),
                  context=first.context)
    assert not ran(again) and digest(again) == digest(first)


def test_prune_beside_builds_that_unpack_late(store):
    sb = store()
    first = build(sb, CHAIN, "-t", "made:1", EPOCH, files={"a": "1"})
    for n in range(6):
        in_store(sb, "rm -rf snapshots/*/layers/* snapshots/*/steps/*")
        pruning = [sb.start("prune", "--all") for _ in range(3)]
        result = build(sb, CHAIN + f"RUN cat b d/f d/g >all && echo {n} >n\n", EPOCH, context=first.context)
        for process in pruning:
            process.communicate()
            assert process.returncode == 0
        assert not [text for text in warnings(result) if "begins again" in text]


@pytest.mark.parametrize("seed", range(3))
def test_a_build_that_is_killed_while_it_unpacks_late(store, seed):
    sb = store()
    first = build(sb, CHAIN, "-t", "made:1", EPOCH, files={"a": "1"})
    more = CHAIN + "RUN cat b d/f d/g >all\n"
    wanted = digest(build(store(), more, EPOCH, context=first.context))
    dice = random.Random(seed)
    for _ in range(5):
        forget_folders(sb)
        process = sb.start("build", "--progress=json", EPOCH, first.context)
        time.sleep(dice.uniform(0.01, 0.15))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    result = build(sb, more, EPOCH, context=first.context)
    assert digest(result) == wanted


