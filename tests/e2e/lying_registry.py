# SPDX-License-Identifier: MIT
"""A registry on loopback that serves one image, and does one thing wrong.

    with LyingRegistry(Image(layer_tar), "layer-changed") as registry:
        … registry.ref …                        # "127.0.0.1:PORT/lie/image:1"
        registry.paths                          # what it was asked for, in order

FAULTS names what it can do; None is an honest registry.
"""

import base64
import hashlib
import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"

NAME = "lie/image"
TOKEN = "anonymous-token-that-must-not-be-shown"

FAULTS = {
    "layer-changed": "the layer's last byte is another one",
    "layer-truncated": "the layer is one byte short, and says so",
    "layer-oversized": "the layer goes on without end",
    "layer-missing": "the layer is not there",
    "layer-resets-once": "the connection is reset halfway through the layer, then ranges work",
    "layer-resets-once-no-ranges": "the same, but a range is answered with all of it",
    "layer-resets-always": "every connection is reset after the layer's first bytes",
    "layer-stalls": "nothing comes after the first half of the layer, until the server stops",
    "layer-redirects-to-clear-text": "the layer lies on another host, without TLS",
    "layer-redirects-in-circles": "the layer's address redirects to itself",
    "layer-drips": "the layer comes at a hundred bytes a second",
    "layer-elsewhere": "the layer lies on another host; a password is asked for",
    "layer-wrong-range": "the connection is reset halfway, then another range is sent than asked for",
    "manifest-of-100-mib": "the manifest says that it has 100 MiB, and has them",
    "wants-password-and-echoes-it": "the password is refused, with itself in the error",
    "layer-foreign": "the layer is said to lie outside the registry",
    "config-changed": "the config is another one than the manifest says",
    "config-truncated-json": "the config is cut JSON, with a digest that is right",
    "manifest-changed": "the manifest has another digest than the header says",
    "manifest-both-kinds": "the manifest can be read as an index as well",
    "manifest-truncated-json": "the manifest is cut JSON",
    "manifest-huge": "the manifest goes on without end",
    "manifest-schema-1": "the manifest is of Docker's first schema",
    "manifest-missing": "the registry does not know the image",
    "diff-id-changed": "the layer is right, but the config names another diff_id",
    "headers-endless": "the headers of the answer go on without end",
    "busy-once": "the first answer is 429, with Retry-After: 0",
    "busy-always": "every answer is 503, with Retry-After: 0",
    "wants-token": "an anonymous token is asked for",
    "wants-token-and-echoes-it": "the token is refused, with itself in the error",
    "wants-password": "Basic authentication is asked for",
}


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(media_type, data, **more):
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}


def to_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Image:
    """One layer (an uncompressed tar), its config and manifest; all parts may be changed."""

    def __init__(self, layer, platform=("linux", "amd64"), cmd=("/bin/sh",), diff_id=None, others=()):
        """diff_id: of a layer that is compressed. others: more layers, on which nothing is wrong."""
        self.layer = layer
        self.others = list(others)
        self.config = to_json({
            "architecture": platform[1], "os": platform[0], "config": {"Cmd": list(cmd)},
            "rootfs": {"type": "layers", "diff_ids": [diff_id or digest_of(layer), *map(digest_of, self.others)]},
            "history": [{"created_by": "test"}] * (1 + len(self.others))})
        self.layer_type = OCI_LAYER if diff_id is None else OCI_LAYER + "+gzip"

    def manifest(self):
        return to_json({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": descriptor(OCI_CONFIG, self.config),
            "layers": [descriptor(self.layer_type, self.layer),
                       *(descriptor(OCI_LAYER, other) for other in self.others)]})


class LyingRegistry:
    """Serves on a thread of its own from entry to exit."""

    def __init__(self, image, fault=None, elsewhere=None):
        """elsewhere: another server, which has the layer at any path."""
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"no such fault: {fault}")
        self.image = image
        self.fault = fault
        self.elsewhere = elsewhere
        self.paths = []
        self.headers = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._server = None
        self._thread = None
        self._prepare()

    def __enter__(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.registry = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def host(self):
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def ref(self):
        return f"{self.host}/{NAME}:1"

    def note(self, path, headers):
        """Writes a request down; how often this path was asked for before it."""
        with self._lock:
            before = self.paths.count(path)
            self.paths.append(path)
            self.headers.append(dict(headers))
            return before

    def _prepare(self):
        if self.fault == "diff-id-changed":
            config = json.loads(self.image.config)
            config["rootfs"]["diff_ids"] = [digest_of(b"another layer")]
            self.image.config = to_json(config)
        elif self.fault == "config-truncated-json":
            self.image.config = self.image.config[:-2]
        elif self.fault == "layer-foreign":
            self.image.layer_type = FOREIGN_LAYER


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave together: no wait for an acknowledgement in between.
    wbufsize = -1

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # the client has hung up, as it should on most of these

    def finish(self):
        try:
            super().finish()
        except ConnectionError:
            pass

    def do_GET(self):
        registry = self.server.registry
        before = registry.note(self.path, self.headers)
        self.close_connection = True
        self._route(registry, before)

    def _route(self, registry, before):
        path = self.path.partition("?")[0]
        if path == "/token":
            return self._send(200, to_json({"token": TOKEN}))
        if registry.fault == "headers-endless":
            return self._endless_headers()
        if registry.fault == "busy-always" or (registry.fault == "busy-once" and before == 0):
            status = 503 if registry.fault == "busy-always" else 429
            return self._send(status, b"", {"Retry-After": "0"})
        if self._refuse(registry):
            return None
        if path.startswith(f"/v2/{NAME}/manifests/"):
            return self._manifest(registry)
        if path == f"/v2/{NAME}/blobs/{digest_of(registry.image.config)}":
            changed = registry.fault == "config-changed"
            return self._send(200, registry.image.config.swapcase() if changed
                              else registry.image.config)
        if path == f"/v2/{NAME}/blobs/{digest_of(registry.image.layer)}":
            return self._layer(registry, before)
        for other in registry.image.others:
            if path.endswith(digest_of(other)):
                return self._send(200, other)
        return self._error(404, "NOT_FOUND", "no such path")

    def _refuse(self, registry):
        sent = self.headers.get("Authorization", "")
        if registry.fault == "wants-password-and-echoes-it" and sent:
            plain = base64.b64decode(sent.removeprefix("Basic ")).decode()
            self._error(403, "DENIED", f"not with {sent} or {plain}")
            return True
        if registry.fault in ("wants-password", "wants-password-and-echoes-it") or (
                registry.fault == "layer-elsewhere" and not sent):
            self._send(401, b"", {"WWW-Authenticate": 'Basic realm="lies"'})
            return True
        if not (registry.fault or "").startswith("wants-token"):
            return False
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, b"", {"WWW-Authenticate":
                       f'Bearer realm="http://{registry.host}/token",service="lies",'
                       f'scope="repository:{NAME}:pull"'})
            return True
        if registry.fault == "wants-token-and-echoes-it":
            self._error(403, "DENIED", f"not with {TOKEN}")
            return True
        return False

    def _manifest(self, registry):
        manifest = registry.image.manifest()
        headers = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": digest_of(manifest)}
        if registry.fault == "manifest-missing":
            return self._error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if registry.fault == "manifest-of-100-mib":
            return self._send(200, manifest[:-1] + b" " * (100 << 20) + b"}")
        if registry.fault == "manifest-huge":
            return self._endless_body(headers)
        if registry.fault == "manifest-schema-1":
            return self._send(200, to_json({"schemaVersion": 1, "name": NAME, "fsLayers": []}),
                              {"Content-Type": SCHEMA_1})
        if registry.fault == "manifest-changed":
            return self._send(200, manifest + b"\n", headers)
        if registry.fault == "manifest-truncated-json":
            return self._send(200, manifest[:-5], {"Content-Type": OCI_MANIFEST})
        if registry.fault == "manifest-both-kinds":
            both = json.loads(manifest)
            both["manifests"] = [descriptor(OCI_MANIFEST, manifest)]
            return self._send(200, to_json(both), {"Content-Type": OCI_MANIFEST})
        return self._send(200, manifest, headers)

    def _layer(self, registry, before):
        layer, fault = registry.image.layer, registry.fault
        if fault == "layer-changed":
            return self._send(200, layer[:-1] + bytes([layer[-1] ^ 1]))
        if fault == "layer-truncated":
            return self._send(200, layer[:-1])
        if fault == "layer-oversized":
            return self._endless_body({}, layer)
        if fault == "layer-missing":
            return self._error(404, "BLOB_UNKNOWN", "blob unknown")
        if fault == "layer-redirects-to-clear-text":
            return self._send(307, b"", {"Location": "http://192.0.2.1/layer"})
        if fault == "layer-redirects-in-circles":
            return self._send(307, b"", {"Location": self.path})
        if fault == "layer-stalls":
            return self._send_and_stall(registry, layer)
        if fault == "layer-drips":
            return self._drip(registry, layer)
        if fault == "layer-elsewhere":
            return self._send(307, b"", {"Location": f"http://{registry.elsewhere}/signed?key=hidden-key"})
        if fault == "layer-wrong-range":
            return self._send_and_reset(layer, 0, len(layer) // 2) if before == 0 else self._send_from(layer, 7)
        start = self._range_start() if fault != "layer-resets-once-no-ranges" else 0
        if fault == "layer-resets-always":
            return self._send_and_reset(layer, start, start + 16)
        if (fault or "").startswith("layer-resets-once") and before == 0:
            return self._send_and_reset(layer, 0, len(layer) // 2)
        return self._send_from(layer, start)

    def _range_start(self):
        value = self.headers.get("Range", "")
        return int(value[6:-1]) if value.startswith("bytes=") and value.endswith("-") else 0

    def _send(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _send_from(self, data, start):
        if start == 0:
            return self._send(200, data)
        return self._send(206, data[start:], {
            "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})

    def _send_and_reset(self, data, start, end):
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:end])
        self.wfile.flush()
        # Linger for no time: closing sends a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _send_and_stall(self, registry, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:len(data) // 2])
        self.wfile.flush()
        registry.stopping.wait()

    def _drip(self, registry, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        for i in range(0, len(data), 50):
            self.wfile.write(data[i:i + 50])
            self.wfile.flush()
            if registry.stopping.wait(0.5):
                return

    def _endless_headers(self):
        self.send_response(200)
        self.flush_headers()
        while True:
            self.wfile.write(b"X-More: " + b"m" * 1000 + b"\r\n")

    def _endless_body(self, headers, start=b""):
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(start)
        while True:
            self.wfile.write(b" " * 65536)

    def _error(self, status, code, message):
        self._send(status, to_json({"errors": [{"code": code, "message": message}]}))
