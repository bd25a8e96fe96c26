# SPDX-License-Identifier: MIT
"""What Docker itself makes of our images, and we of its: load, run, export and save of Debian's dockerd."""

import io
import json
import subprocess
import tarfile

import pytest

import image_read
from conftest import cannot_run, need_program
from docker_server import DockerServer

pytestmark = pytest.mark.privileged

BUILDFILE = """\
FROM busybox:1
RUN mkdir -p /d/kept /d/gone && echo 1 >/d/kept/file && echo 2 >/d/gone/file && ln -s kept /d/link
RUN rm -r /d/gone && ln /d/kept/file /d/hard && echo 3 >/d/opaque && chmod 4755 /d/opaque && chown 1000:2000 /d/kept
RUN rm -r /d/kept && mkdir /d/kept && echo 4 >/d/kept/new && chown app /d/kept/new
WORKDIR /d
ENV GREETING="hello world"
LABEL key=value
EXPOSE 8080/udp
VOLUME /data
STOPSIGNAL SIGUSR1
HEALTHCHECK --interval=7s CMD true
USER app
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["id -un; pwd; echo $GREETING; ls; ls kept; cat hard"]
"""
PRINTED = b"app\n/d\nhello world\nhard\nkept\nlink\nopaque\nnew\n1\n"


@pytest.fixture(scope="module")
def docker(session_folder):
    for name in ("dockerd", "containerd", "docker"):
        need_program(name)
    server = DockerServer(session_folder / "docker")
    try:
        server.__enter__()
    except RuntimeError as error:
        cannot_run(str(error))
    yield server
    server.__exit__()


@pytest.fixture(scope="module")
def archives(sb):
    """Of one image: the folder of docker.tar, oci.tar and rootfs.tar, and the digest of the config."""
    folder = sb.context()
    sb.build(BUILDFILE, "-t", "app:1", "-t", "team/app:2", "--metadata-file", folder / "meta", "-o", "type=store",
             *(word for kind in ("docker", "oci") for word in ("-o", f"type={kind},dest={folder}/{kind}.tar")),
             "-o", f"type=tar,dest={folder}/rootfs.tar")
    return folder, json.loads((folder / "meta").read_text())["containerimage.config.digest"]


def run(docker, image):
    return docker("run", "--rm", "--network=none", image)


def described(docker, image):
    (one,) = json.loads(docker("inspect", image))
    return one


def test_docker_loads_and_runs_an_archive(docker, archives):
    folder, config = archives
    said = docker("load", "-i", folder / "docker.tar").decode()
    assert "app:1" in said and "team/app:2" in said
    image = described(docker, "team/app:2")
    assert image["Id"] == config == described(docker, "app:1")["Id"]
    settings = image["Config"]
    assert settings["User"] == "app" and settings["WorkingDir"] == "/d" and settings["StopSignal"] == "SIGUSR1"
    assert settings["Labels"] == {"key": "value"} and "GREETING=hello world" in settings["Env"]
    assert list(settings["ExposedPorts"]) == ["8080/udp"] and list(settings["Volumes"]) == ["/data"]
    assert settings["Healthcheck"] == {"Test": ["CMD-SHELL", "true"], "Interval": 7000000000}
    assert run(docker, "app:1") == PRINTED


def tree(data):
    """What a tar says of its files; docker's own mount points and the times left out."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            name = member.name.strip("./")
            content = tar.extractfile(member).read() if member.isreg() or member.islnk() else member.linkname
            if name and name.split("/")[0] not in ("dev", "proc", "sys", "data", ".dockerenv", "dockerenv") and \
                    name not in ("etc", "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab"):
                kind = tarfile.REGTYPE if member.islnk() else member.type
                found[name] = (kind, oct(member.mode & 0o7777), member.uid, member.gid, content)
    return found


def test_the_file_system_is_the_same_there(docker, archives):
    folder, _ = archives
    docker("load", "-i", folder / "docker.tar")
    container = docker("create", "--network=none", "app:1").decode().strip()
    try:
        assert tree(docker("export", container)) == tree((folder / "rootfs.tar").read_bytes())
    finally:
        docker("rm", container)


def test_an_oci_archive_gets_there_with_skopeo(docker, archives):
    need_program("skopeo")
    folder, config = archives
    subprocess.run(
        ["skopeo", "copy", "--dest-daemon-host", docker.address,
         f"oci-archive:{folder}/oci.tar:docker.io/library/app:1", "docker-daemon:from-oci:1"],
        check=True, capture_output=True)
    assert described(docker, "from-oci:1")["Id"] == config
    assert run(docker, "from-oci:1") == PRINTED


def test_what_save_writes_and_what_docker_saves(docker, fresh, archives):
    folder, config = archives
    fresh("load", "-i", folder / "oci.tar")
    fresh("save", "-o", fresh.folder / "saved.tar", "app:1")
    docker("load", "-i", fresh.folder / "saved.tar")
    assert described(docker, "app:1")["Id"] == config
    (fresh.folder / "theirs.tar").write_bytes(docker("save", "app:1"))
    second = type(fresh)(fresh.folder / "second")
    second("load", "-i", fresh.folder / "theirs.tar")
    second("save", "--format", "oci", "-o", fresh.folder / "back.tar", "app:1")
    back = image_read.read_oci_archive(fresh.folder / "back.tar")
    assert back.manifest["config"]["digest"] == config
    assert second("run", "-q", "app:1").out.encode() == PRINTED
