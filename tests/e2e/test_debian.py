# SPDX-License-Identifier: MIT
"""The main job on a distribution: packages, users, a secret, several stages, over a Debian base."""

import json
import os
import subprocess

import pytest

import image_read
from conftest import need_program, remove_tree
from secret_search import find_secret

pytestmark = pytest.mark.slow

POSTINST = """#!/bin/sh
set -e
groupadd --system hello-group
useradd --uid 1000 --create-home --groups hello-group hello
chown hello:hello-group /usr/share/hello/owned
chmod 2750 /usr/share/hello/owned
"""

BUILDFILE = """FROM debian:test AS packages
COPY hello.deb /tmp/
RUN --mount=type=secret,id=mysecret,required \\
    test "$(stat -f -c %T /run/secrets/mysecret)" = tmpfs && \\
    dpkg -i /tmp/hello.deb && apt-get --version >/dev/null && rm /tmp/hello.deb
RUN apt-get remove -y hello && apt-get check && dpkg --audit
FROM packages AS again
COPY hello.deb /tmp/
RUN DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /tmp/hello.deb || exit 1; id hello
USER 1000
WORKDIR /home/hello
RUN --mount=type=secret,id=mysecret,uid=1000 test "$(id -u)" = 1000 && wc -c </run/secrets/mysecret >size && ! touch /etc/x 2>/dev/null
FROM again
COPY --from=packages /etc/debian_version /from-packages
CMD ["hello"]
"""


@pytest.fixture(scope="module")
def package(sb):
    """A package with a file, and a script that makes a user and gives the file to it."""
    need_program("dpkg-deb")
    tree = sb.context({
        "DEBIAN/control": "Package: hello\nVersion: 1\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: test\n",
        "DEBIAN/postinst": POSTINST.replace("useradd", "id hello >/dev/null 2>&1 || useradd").replace(
            "groupadd", "getent group hello-group >/dev/null || groupadd"
        ),
        "usr/share/hello/owned": "data\n",
    })  # fmt: skip
    os.chmod(tree, 0o755)
    os.chmod(tree / "DEBIAN/postinst", 0o755)
    target = sb.folder / "hello.deb"
    command = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target.read_bytes()


def test_packages_users_and_a_secret_in_several_stages(sb, debian, package):
    need_program("skopeo")
    need_program("umoci")
    secret = "sb-debian-secret-5f0c1a77"
    out = sb.context()
    result = sb.build(
        BUILDFILE, "--secret", f"id=mysecret,src={sb.file('debian-secret', secret)}", "-t", "job:1",
        "-o", f"type=oci,dest={out}/i.tar", "-o", f"type=oci,dest={out}/l,tar=false", "-o", f"type=docker,dest={out}/d.tar",
        files={"hello.deb": package}, timeout=600,
    )  # fmt: skip
    image = image_read.read_oci_archive(out / "i.tar")
    owned = image.member("usr/share/hello/owned")
    assert owned.uid == 1000 and owned.mode == 0o2750
    assert image.read("home/hello/size").strip() == str(len(secret)).encode()
    assert image.member("home/hello/size").uid == 1000
    assert image.run["User"] == "1000" and image.run["Cmd"] == ["hello"]

    seen = subprocess.run(["skopeo", "inspect", f"docker-archive:{out}/d.tar"], capture_output=True, check=True)
    assert len(json.loads(seen.stdout)["Layers"]) == len(image.layers)
    subprocess.run(["skopeo", "inspect", f"oci-archive:{out}/i.tar"], capture_output=True, check=True)
    (entry,) = json.load(open(out / "l/index.json", encoding="utf-8"))["manifests"]
    name = f"{out}/l:{entry['annotations']['org.opencontainers.image.ref.name']}"
    unpack = ["umoci", "unpack", "--rootless", "--image", name, str(out / "bundle")]
    subprocess.run(unpack, capture_output=True, check=True)
    assert (out / "bundle/rootfs/usr/share/hello/owned").exists() or os.geteuid() != 0
    remove_tree(out / "bundle")

    assert secret not in result.text
    assert find_secret(secret.encode(), out, sb.store, sb.tmp) == []
    verdict = sb("inspect", out / "i.tar", "--secret", f"id=mysecret,src={sb.file('debian-secret', secret)}", timeout=600)
    assert secret not in verdict.out


def test_a_program_with_capabilities_keeps_them(sb, debian):
    text = """FROM debian:test
RUN perl -e 'my $v = pack("VVVVV", 0x02000001, 1 << 13, 0, 0, 0); open(F, ">/ping"); close F; chmod 0755, "/ping"; my $n = `uname -m` =~ /x86_64/ ? 188 : 5; my $k = "security.capability"; my $p = "/ping"; syscall($n, $p, $k, $v, length $v, 0) == 0 or die $!'
RUN chmod 0711 /ping
"""
    image = sb.image(text, timeout=600)
    for layer in image.layers[-2:]:
        value = layer["ping"].pax_headers.get("SCHILY.xattr.security.capability", "")
        assert value, layer["ping"].pax_headers
        assert os.fsencode(value)[:4] == b"\x01\x00\x00\x02", "version 2: no id of the host's in it"


def test_setuid_programs_work_without_strict(sb, debian):
    text = "FROM debian:test\nRUN useradd -u 1001 joe\nUSER joe\nRUN cp /usr/bin/id /tmp/id && test $(id -u) = 1001 && test -u /usr/bin/passwd && passwd -S\n"
    sb.build(text, timeout=600)
