# SPDX-License-Identifier: MIT
"""Makes root file systems and images by hand, so that the product is not judged by its own output."""

import gzip
import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile

PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
app:x:1000:1000:app:/home/app:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
"""
GROUP = """root:x:0:
daemon:x:1:
audio:x:29:app
app:x:1000:
builders:x:2000:app
nogroup:x:65534:
"""
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
EMPTY_DIFF_ID = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"


def add_dir(tar, name, mode=0o755, uid=0, gid=0):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, mode, uid, gid
    tar.addfile(info)


def add_file(tar, name, data, mode=0o644, uid=0, gid=0, mtime=0, pax=None):
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.uid, info.gid, info.mtime = len(data), mode, uid, gid, mtime
    info.pax_headers = pax or {}
    tar.addfile(info, io.BytesIO(data))


def add_link(tar, name, target, hard=False, mode=0o777, uid=0, gid=0, mtime=0):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.LNKTYPE if hard else tarfile.SYMTYPE, target
    info.mode, info.uid, info.gid, info.mtime = mode, uid, gid, mtime
    tar.addfile(info)


def make_tar(entries):
    """entries: name -> bytes (a file), None (a folder) or '@target' (a symlink)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, value in entries.items():
            if value is None:
                add_dir(tar, name.rstrip("/"))
            elif isinstance(value, str) and value.startswith("@"):
                add_link(tar, name, value[1:])
            else:
                add_file(tar, name, value if isinstance(value, bytes) else value.encode())
    return out.getvalue()


def busybox_rootfs(bare=False, extra=None):
    """The distribution's static busybox as a root file system; bare: without /proc /sys /dev /run /tmp;
    extra: name -> text of more files."""
    with open("/bin/busybox", "rb") as file:
        program = file.read()
    applets = subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        add_dir(tar, "bin")
        add_file(tar, "bin/busybox", program, 0o755)
        for applet in applets:
            if applet != "busybox":
                add_link(tar, f"bin/{applet}", "busybox")
        if not bare:
            for name in ("dev", "etc", "home", "proc", "run", "sys", "usr", "usr/bin", "var"):
                add_dir(tar, name)
            add_link(tar, "usr/bin/env", "/bin/busybox")
            add_dir(tar, "root", 0o700)
            add_dir(tar, "home/app", 0o755, 1000, 1000)
            add_dir(tar, "tmp", 0o1777)
            add_file(tar, "etc/passwd", PASSWD.encode())
            add_file(tar, "etc/group", GROUP.encode())
            add_file(tar, "etc/shadow", b"root:*:::::::\n", 0o640)
        for name, text in (extra or {}).items():
            add_file(tar, name, text.encode())
    return out.getvalue()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def default_config(layers, **run):
    return {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "config": {"Env": ["PATH=/bin:/usr/bin", "FROM_BASE=yes"], **run},
        "rootfs": {"type": "layers", "diff_ids": [digest(tar) for tar in layers]},
        "history": [{"created_by": f"layer {n} by hand"} for n in range(len(layers))],
    }


def make_oci_layout(folder, layers, tag="1", compress=True, config=None, damage=None):
    """layers: tars. damage(kind, bytes) may change what is stored of 'layer', 'config' or 'manifest'
    after its digest was taken."""
    damage = damage or (lambda kind, data: data)
    os.makedirs(os.path.join(folder, "blobs/sha256"), exist_ok=True)

    def store(kind, data, media_type):
        name = digest(data)
        with open(os.path.join(folder, "blobs", name.replace(":", "/")), "wb") as file:
            file.write(damage(kind, data))
        return {"mediaType": media_type, "digest": name, "size": len(data)}

    base = "application/vnd.oci.image."
    entries = []
    for tar in layers:
        blob = gzip.compress(tar, mtime=0) if compress else tar
        entries.append(store("layer", blob, base + "layer.v1.tar" + ("+gzip" if compress else "")))
    config = config or default_config(layers)
    manifest = {
        "schemaVersion": 2,
        "mediaType": base + "manifest.v1+json",
        "config": store("config", json.dumps(config).encode(), base + "config.v1+json"),
        "layers": entries,
    }
    entry = store("manifest", json.dumps(manifest).encode(), base + "manifest.v1+json")
    if tag:
        entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
    with open(os.path.join(folder, "oci-layout"), "w", encoding="utf-8") as file:
        file.write('{"imageLayoutVersion": "1.0.0"}')
    with open(os.path.join(folder, "index.json"), "w", encoding="utf-8") as file:
        json.dump({"schemaVersion": 2, "manifests": [entry]}, file)
    return folder


def tar_folder(folder, path):
    with tarfile.open(path, "w") as tar:
        for name in sorted(os.listdir(folder)):
            tar.add(os.path.join(folder, name), arcname=name)
    return path


def make_docker_archive_old(path, layers, name="byhand:1"):
    """The form of `docker save` before version 25: a folder for each layer, by its chain."""
    config = json.dumps(default_config(layers)).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    layer_names = []
    repository, tag = name.split(":")
    with tarfile.open(path, "w") as tar:
        for n, layer in enumerate(layers):
            folder = hashlib.sha256(f"layer {n}".encode()).hexdigest()
            add_dir(tar, folder)
            add_file(tar, f"{folder}/VERSION", b"1.0")
            add_file(tar, f"{folder}/json", json.dumps({"id": folder}).encode())
            add_file(tar, f"{folder}/layer.tar", layer)
            layer_names.append(f"{folder}/layer.tar")
        add_file(tar, config_name, config)
        manifest = [{"Config": config_name, "RepoTags": [name], "Layers": layer_names}]
        add_file(tar, "manifest.json", json.dumps(manifest).encode())
        add_file(tar, "repositories", json.dumps({repository: {tag: folder}}).encode())
    return path


def make_docker_archive_new(path, layers, name="byhand:1"):
    """The form since version 25: an OCI layout with a manifest.json that points into its blobs."""
    config = json.dumps(default_config(layers)).encode()
    blobs = {digest(data)[7:]: data for data in [config, *layers]}
    base = "application/vnd.oci.image."

    def describe(data, media_type):
        return {"mediaType": base + media_type, "digest": digest(data), "size": len(data)}

    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": base + "manifest.v1+json",
            "config": describe(config, "config.v1+json"),
            "layers": [describe(layer, "layer.v1.tar") for layer in layers],
        }
    ).encode()
    blobs[digest(manifest)[7:]] = manifest
    entry = describe(manifest, "manifest.v1+json")
    entry["annotations"] = {
        "io.containerd.image.name": f"docker.io/library/{name}",
        "org.opencontainers.image.ref.name": name.split(":")[1],
    }
    with tarfile.open(path, "w") as tar:
        add_dir(tar, "blobs")
        add_dir(tar, "blobs/sha256")
        for blob, data in blobs.items():
            add_file(tar, f"blobs/sha256/{blob}", data)
        add_file(tar, "index.json", json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode())
        docker = [
            {
                "Config": f"blobs/sha256/{digest(config)[7:]}",
                "RepoTags": [name],
                "Layers": [f"blobs/sha256/{digest(layer)[7:]}" for layer in layers],
            }
        ]
        add_file(tar, "manifest.json", json.dumps(docker).encode())
        add_file(tar, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
    return path
