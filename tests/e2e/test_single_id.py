# SPDX-License-Identifier: MIT
"""A user without subordinate ids: said in a notice, and as much works as one id allows."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

import conftest
from secret_search import find_secret

# Root runs the program as a user that has no name and no range of subordinate ids.
pytestmark = pytest.mark.privileged
USER = 54321


@pytest.fixture
def single(rootfs):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="safebuild-single-"))
    as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    sb = conftest.Safebuild(folder / "it", [*as_user, "env", f"HOME={folder}"])
    shutil.copy(rootfs / "rootfs.tar", folder / "rootfs.tar")
    give(folder)
    sb("import", folder / "rootfs.tar", "busybox:1")
    yield sb
    conftest.remove_tree(folder)


def give(folder):
    """The folder and all below it to that user."""
    for name, folders, files in os.walk(folder):
        for path in [name, *(os.path.join(name, entry) for entry in folders + files)]:
            os.chown(path, USER, USER, follow_symlinks=False)


def build(sb, text, *args, files=None, **more):
    """What sb.image does, in folders that are given to the user first."""
    context = sb.context(files)
    (context / "Buildfile").write_text(text, encoding="utf-8")
    out = sb.context()
    give(context)
    give(out)
    result = sb("build", "--progress=plain", "-o", f"type=oci,dest={out}/image.tar", *args, context, **more)
    if result.status != 0:
        return None, result
    return conftest.image_read.read_oci_archive(out / "image.tar"), result


def test_it_is_said_with_what_mends_it(single):
    _, result = build(single, "FROM busybox:1\nRUN true\n")
    assert "single" in result.err and "subuid" in result.err


def test_files_are_roots_and_steps_run(single):
    text = "FROM busybox:1\nRUN mkdir /d && echo x >/d/f && chmod 750 /d\nCOPY g /g\n"
    image, _ = build(single, text, files={"g": "y"})
    member = image.member("d/f")
    assert (member.uid, member.gid) == (0, 0) and image.read("g") == b"y"
    assert image.member("d").mode == 0o750


def test_owners_of_the_base_are_kept(single):
    image, _ = build(single, "FROM busybox:1\nRUN echo more >>/etc/passwd; chmod 711 /home/app\n")
    assert image.member("home/app").uid == 1000 and image.member("home/app").mode == 0o711


def test_secrets_are_held_to_the_same_contract(single):
    secret = "single-id-secret-98765"
    text = "FROM busybox:1\nRUN --mount=type=secret,id=s stat -c %a /run/secrets/s >/mode\n"
    image, _ = build(single, text, "--secret", "id=s,env=THE_SECRET", env={"THE_SECRET": secret})
    assert image.read("mode") == b"400\n"
    leak = "FROM busybox:1\nRUN --mount=type=secret,id=s cp /run/secrets/s /leak\n"
    _, result = build(single, leak, "--secret", "id=s,env=THE_SECRET", env={"THE_SECRET": secret}, check=1)
    assert secret not in result.text
    assert find_secret(secret.encode(), single.folder) == []


def test_what_one_id_can_not_do_is_an_error_that_says_so(single):
    _, result = build(single, "FROM busybox:1\nUSER app\nRUN true\n", check=None)
    assert result.status not in (0, 125)
    assert "single" in result.err or "subuid" in result.err, repr(result)


def test_ssh_mounts_are_roots(single):
    """Keys are read, and the agent answers, as that user; the socket is of the one id there is."""
    conftest.need_program("ssh-keygen")
    keys = single.context()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / "key"], check=True)
    give(keys)
    text = "FROM busybox:1\nRUN --mount=type=ssh stat -c '%F %a %u %g' $SSH_AUTH_SOCK >/out\n"
    image, _ = build(single, text, "--ssh", f"default={keys}/key")
    assert image.read("out") == b"socket 600 0 0\n"


def test_a_mounted_context_is_roots_too(single):
    text = (
        "FROM busybox:1\nRUN --mount=type=bind,target=/c cat /c/f && stat -c '%u:%g %a' /c/f /c/d >/seen\n"
        "RUN --mount=type=bind,target=/c,rw echo more >>/c/f && cat /c/f >/out && rm -r /c/d\n"
    )
    image, result = build(single, text, files={"f": "x", "d/g": "y"})
    assert image.read("seen") == b"0:0 644\n0:0 755\n" and image.read("out") == b"xmore\n", result
