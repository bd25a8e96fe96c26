# SPDX-License-Identifier: MIT
"""Build contexts: from standard input, URLs and repositories; and what is kept out of a folder."""

import bz2
import gzip
import io
import lzma
import os
import signal
import subprocess
import tarfile
import tempfile
import time

import pytest

import image_make
import image_read
from conftest import need_program
from web_server import COMMIT_TIME, Repository, WebServer

BUILDFILE = "FROM scratch\nCOPY . /c/\n"


def build_from(sb, context, *args, stdin=None, **more):
    """Builds that context; the image, with .result."""
    target = tempfile.mkdtemp(prefix="out-", dir=sb.folder) + "/image.tar"
    result = sb("build", "--progress=plain", "-o", f"type=oci,dest={target}", *args, context, stdin=stdin, **more)
    image = image_read.read_oci_archive(target)
    image.result = result
    return image


def builds_left(sb):
    return [str(p) for p in sb.store.glob("snapshots/*/builds/*")] + [str(p) for p in sb.store.glob("tmp/*")]


@pytest.fixture
def folder(session_folder):
    return type(session_folder)(tempfile.mkdtemp(prefix="contexts-", dir=session_folder))


@pytest.fixture
def web(folder):
    with WebServer(folder / "served") as server:
        yield server


@pytest.fixture
def repository(folder):
    need_program("git")
    made = Repository(folder / "made")
    made.commit({"Buildfile": BUILDFILE, "f": "one\n", "sub/Dockerfile": "FROM scratch\nCOPY f /f\n", "sub/f": "sub\n",
                 ".dockerignore": "f\n"})
    made("tag", "v1")
    made.commit({"f": "two\n"})
    return made


# Standard input

FILES = {"Buildfile": BUILDFILE, "f": "text\n", "d/g": "deep\n", ".dockerignore": "f\n",
         "sub/Other": "FROM scratch\nCOPY d/g /g\n", "Linked": "@sub/Other"}


def zstd(data):
    return subprocess.run(["zstd", "-q"], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
def test_a_tar_on_standard_input(sb, compress):
    if compress is zstd:
        need_program("zstd")
    image = build_from(sb, "-", stdin=compress(image_make.make_tar(FILES)))
    # Who made the tar has chosen what is in it: its ignore file does nothing, as with docker build.
    assert image.read("c/f") == b"text\n" and image.read("c/d/g") == b"deep\n" and "c/.dockerignore" in image.files()
    assert {(m.uid, m.gid) for m, _ in image.files().values()} == {(0, 0)}


@pytest.mark.parametrize("name", ["sub/Other", "./sub/../sub/Other", "/sub/Other", "Linked"])
def test_f_names_a_file_in_the_tar(sb, name):
    image = build_from(sb, "-", "-f", name, stdin=image_make.make_tar(FILES))
    assert sorted(image.files()) == ["g"]


def test_a_file_outside_the_tar_is_none_of_it(sb, folder):
    (folder / "Buildfile").write_text(BUILDFILE, encoding="utf-8")
    tar = image_make.make_tar({"f": "x", "up": f"@{folder}/Buildfile", "dir": "@/etc"})
    for name in (f"{folder}/Buildfile", "../Buildfile", "up", "dir/passwd"):
        result = sb("build", "-f", name, "-", stdin=tar, cwd=folder, check=None)
        assert result.status in (2, 3) and f"'{name}': not found in the build context" in result.err


def test_owners_and_odd_modes_of_a_tar(sb):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        image_make.add_file(tar, "Buildfile", BUILDFILE.encode(), mode=0o400, uid=12345, gid=99)
        image_make.add_dir(tar, "closed", mode=0o700, uid=4000000, gid=7)
        image_make.add_file(tar, "closed/f", b"x", mode=0o000, uid=1, gid=1, mtime=77)
        image_make.add_file(tar, "suid", b"x", mode=0o4755, uid=1000, gid=1000)
    files = build_from(sb, "-", stdin=out.getvalue()).files()
    assert {(m.uid, m.gid) for m, _ in files.values()} == {(0, 0)}
    assert files["c/closed/f"][0].mode == 0 and files["c/closed/f"][0].mtime == 77 and files["c/suid"][0].mode == 0o4755


def test_a_tar_that_tries_to_leave_its_folder(fresh, folder):
    victim = folder / "victim"
    victim.write_text("untouched", encoding="utf-8")
    hostile = [
        {"../../../../../../owned": b"x"},
        {"link": f"@{folder}", "link/victim": b"owned"},
        {"link": "@..", "link/owned": b"x"},
    ]
    for entries in hostile:
        tar = image_make.make_tar({"Buildfile": BUILDFILE, **entries})
        fresh("build", "-", stdin=tar, check=None)
        assert victim.read_text(encoding="utf-8") == "untouched"
        assert not [path for path in fresh.store.rglob("owned") if "steps" not in path.parts]
        assert sorted(p.name for p in folder.iterdir()) == ["victim"]
    absolute = build_from(fresh, "-", stdin=image_make.make_tar({"/Buildfile": BUILDFILE, "/f": b"x"}))
    assert absolute.read("c/f") == b"x"


def test_a_buildfile_in_a_tar_that_is_no_file(sb):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo("Buildfile")
        info.type = tarfile.FIFOTYPE
        tar.addfile(info)
    assert "not a file" in sb("build", "-", stdin=out.getvalue(), check=2, timeout=30).err
    assert sb("build", "-", stdin=image_make.make_tar({"Buildfile": None}), check=2).err


def test_a_buildfile_on_standard_input_has_an_empty_context(sb):
    text = "FROM scratch\nCOPY <<here /f\nhi\nhere\n"
    assert build_from(sb, "-", stdin=text.encode()).read("f") == b"hi\n"
    assert build_from(sb, "-", stdin=("# " + "x" * 2000 + "\n" + text).encode()).read("f") == b"hi\n"
    nothing = sb("build", "-", stdin=b"FROM scratch\nCOPY f /\n", check=None)
    assert nothing.status != 0 and "<stdin>:2" in nothing.err and "'f': not found" in nothing.err
    assert "<stdin>:1" in sb("build", "-", stdin=b"FORM scratch\n", check=2).err
    assert "'x' can't be in a build context" in sb("build", "-f", "x", "-", stdin=text.encode(), check=2).err


def test_what_standard_input_can_not_be(sb, folder):
    assert "empty" in sb("build", "-", stdin=b"", check=2).err
    assert "both" in sb("build", "-f", "-", "-", stdin=b"FROM scratch\n", check=2).err
    cut = gzip.compress(image_make.make_tar({"Buildfile": BUILDFILE, "f": os.urandom(100000)}))[:50000]
    assert sb("build", "-", stdin=cut, check=3).status == 3
    no_buildfile = sb("build", "-", stdin=image_make.make_tar({"f": "x"}), check=3)
    assert "no Buildfile and no Dockerfile" in no_buildfile.err
    assert sb("build", "-", stdin=b"\0" * 10240, check=3).err == no_buildfile.err


def test_a_dockerfile_in_a_tar_and_check(sb):
    tar = image_make.make_tar({"Dockerfile": "FROM scratch\nLABEL a=b\n"})
    assert build_from(sb, "-", stdin=tar).run["Labels"] == {"a": "b"}
    sb("build", "--check", "--fail-on=error", "-", stdin=tar)
    sb("build", "--check", "-", stdin=image_make.make_tar({"Dockerfile": "FROM scratch\nCOPY\n"}), check=2)


def test_steps_run_with_a_context_that_was_unpacked(sb):
    text = "FROM busybox:1\nRUN --mount=type=bind,target=/m cat /m/f >/out && [ $(stat -c %u /m/f) = 0 ]\n"
    assert build_from(sb, "-", stdin=image_make.make_tar({"Buildfile": text, "f": "bound"})).read("out") == b"bound"


def test_a_secret_in_a_tar_is_refused_by_its_content(sb):
    secret = sb.file("secret", "in-the-tar-0123456")
    tar = image_make.make_tar({"Buildfile": BUILDFILE, "f": "in-the-tar-0123456"})
    result = sb("build", "--secret", f"id=s,src={secret}", "-", stdin=tar, check=1)
    assert "secret 's'" in result.err and "in-the-tar" not in result.text


def test_nothing_of_a_tar_stays(fresh):
    build_from(fresh, "-", stdin=image_make.make_tar(FILES))
    assert not builds_left(fresh)
    process = fresh.start("build", "-", stdin=subprocess.PIPE)
    process.stdin.write(image_make.make_tar(FILES)[:3000])
    process.stdin.flush()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.wait(20)
    process.communicate()
    assert process.returncode not in (0, 125)
    assert not builds_left(fresh)


def test_a_buildfile_on_standard_input_with_a_folder(sb):
    folder = sb.context({"f": "x", "ignored": "x", ".dockerignore": "ignored\n", "<stdin>.dockerignore": "f\n"})
    image = build_from(sb, folder, "-f", "-", stdin=BUILDFILE.encode())
    assert "c/f" in image.files() and "c/ignored" not in image.files()


def test_a_buildfile_that_is_a_link(sb):
    folder = sb.context({"real/The": BUILDFILE, "real/The.dockerignore": "f\n", "f": "x"})
    (folder / "Buildfile").symlink_to("real/The")
    # The ignore file goes by the name that was given.
    assert "c/f" in build_from(sb, folder).files()
    assert "c/f" not in build_from(sb, folder, "-f", folder / "real" / "The").files()


# Repositories and URLs


def test_a_repository_as_context(sb, web, repository):
    url = repository.publish(web, "r.git")
    image = build_from(sb, url)
    # As with a tar, its ignore file does nothing; nor has it a .git.
    assert image.read("c/f") == b"two\n" and image.member("c/f").mtime == COMMIT_TIME
    assert not any(name.startswith("c/.git") for name in image.files())
    assert build_from(sb, url + "#v1").read("c/f") == b"one\n"
    assert build_from(sb, url + "#v1:sub").read("f") == b"sub\n"
    assert build_from(sb, url + "?ref=v1", "-f", "sub/Dockerfile").read("f") == b"one\n"
    assert build_from(sb, url, "-f", "-", stdin=b"FROM scratch\nCOPY f /g\n").read("g") == b"two\n"


def test_a_repository_of_this_machine_as_context(sb, repository):
    assert build_from(sb, f"file://{repository.folder}#v1").read("c/f") == b"one\n"


def test_a_context_that_is_not_there(fresh, web, repository):
    url = repository.publish(web, "r.git")
    for word, message in ((url + "#nope", "'nope'"), (web.url("x.git"), "x.git"), (web.url("x.tar"), "404"),
                          ("file:///nonexistent/r", "/nonexistent/r"), ("ftp://x/y", "ftp://x/y")):
        result = fresh("build", word, check=None)
        assert result.status in (2, 3) and message in result.err
    assert not builds_left(fresh)


def test_a_tar_behind_a_url_as_context(sb, web):
    url = web.put("context.tar.gz", gzip.compress(image_make.make_tar(FILES)))
    assert build_from(sb, url).read("c/f") == b"text\n"
    assert build_from(sb, url + "?x=y", "-f", "sub/Other").read("g") == b"deep\n"


def test_a_buildfile_behind_a_url(sb, web):
    url = web.put("some/Dockerfile", "FROM scratch\nCOPY <<x /f\nhi\nx\n")
    assert build_from(sb, url).read("f") == b"hi\n"


def test_named_contexts_of_every_origin(sb, web, repository, folder):
    layout = image_make.make_oci_layout(sb.context(), [image_make.make_tar({"from-image": "image"})])
    archive = image_make.tar_folder(layout, folder / "image.tar")
    words = {
        "repo": repository.publish(web, "r.git") + "#v1:sub", "here": f"file://{repository.folder}",
        "file": web.put("plain.txt", "plain"), "tar": web.put("t.tar", image_make.make_tar({"d/in": "in the tar"})),
        "image": web.put("image.tar", archive.read_bytes()),
    }
    text = ("FROM image\nCOPY --from=repo f /repo\nCOPY --from=here f /here\nCOPY --from=file plain.txt /file\n"
            "COPY --from=tar /d/in /tar\nCOPY --from=image /from-image /again\n")
    args = [part for name, word in words.items() for part in ("--build-context", f"{name}={word}")]
    files = sb.image(text, *args).files()
    assert {name: data for name, (_, data) in files.items()} == {
        "from-image": b"image", "repo": b"sub\n", "here": b"two\n", "file": b"plain", "tar": b"in the tar",
        "again": b"image"}


def test_a_named_context_is_fetched_once_and_only_if_it_is_used(sb, web):
    url = web.put("f", "x")
    args = ["--build-context", f"a={url}", "--build-context", f"b={web.url('missing')}"]
    sb.build("FROM scratch\nCOPY --from=a f /1\nCOPY --from=a f /2\n", *args)
    assert [path for _, path, _ in web.requests] == ["/f"]


def test_a_mount_of_a_named_repository(sb, web, repository):
    url = repository.publish(web, "r.git")
    text = "FROM busybox:1\nRUN --mount=from=g,target=/g cat /g/f >/out\n"
    assert sb.image(text, "--build-context", f"g={url}").read("out") == b"two\n"


# The source file of a secret


@pytest.fixture
def with_secret(sb):
    folder = sb.context({"f": "x", "d/token.txt": "the-token-value-55\n", "d/g": "x"})
    os.link(folder / "d" / "token.txt", folder / "other-name")
    (folder / "link").symlink_to("d/token.txt")
    return folder


def test_a_secrets_file_is_kept_out_of_what_is_copied(sb, with_secret):
    text = "FROM busybox:1\nCOPY . /all/\nCOPY d/*.txt d/g /wild/\nADD d /add/\nRUN --mount=target=/m find /m -type f >/out\n"
    image = sb.image(text, "--secret", f"id=t,src={with_secret}/d/token.txt", context=with_secret)
    names = set(image.files())
    assert {"all/f", "all/d/g", "all/link", "wild/g", "add/g"} <= names
    assert not {n for n in names if n.endswith(("token.txt", "other-name"))}
    assert b"token" not in image.read("out") and b"/m/f" in image.read("out")
    assert "'d/token.txt' is the source of secret 't' and is not copied" in image.result.err
    assert image.result.err.count("warning: 'other-name'") == 2
    assert "the-token-value-55" not in image.result.text


@pytest.mark.parametrize("word", ["d/token.txt", "./other-name", "link"])
def test_a_secrets_file_that_is_named_is_refused(sb, with_secret, word):
    result = sb.build(f"FROM scratch\nCOPY {word} /\n", "--secret", f"id=t,src={with_secret}/d/token.txt",
                      context=with_secret, check=1)
    assert f"'{word}' is the source of secret 't'" in result.err and "--mount=type=secret,id=t" in result.err


def test_a_copy_of_a_secrets_file_is_refused_by_its_content(sb, with_secret):
    (with_secret / "copy").write_text("the-token-value-55\n", encoding="utf-8")
    result = sb.build("FROM scratch\nCOPY . /\n", "--secret", f"id=t,src={with_secret}/d/token.txt",
                      context=with_secret, check=1)
    assert "/copy" in result.err and "secret 't'" in result.err


def test_a_secrets_file_of_a_named_context_is_kept_out_too(sb, with_secret):
    image = sb.image("FROM scratch\nCOPY --from=n . /\n", "--secret", f"id=t,src={with_secret}/d/token.txt",
                     "--build-context", f"n={with_secret}")
    assert "d/g" in image.files() and "d/token.txt" not in image.files()
