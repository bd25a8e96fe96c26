# SPDX-License-Identifier: MIT
"""An honest registry on loopback: the distribution project's own server, on a free port, with a
temporary root that goes when it stops.

    with RegistryServer() as registry:
        registry.push_layout("path/to/layout", "1", "busybox:1")
        … registry.ref("busybox:1") …          # "127.0.0.1:PORT/busybox:1"

With TLS, and with users by password or by a token server:

    authority = Authority(folder)
    RegistryServer(certificate=authority.issue("registry"), users={"ann": "secret"})
    RegistryServer(token_server=server)         # see token_server.py
"""

import ctypes
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

# Debian's name and the distribution project's own.
PROGRAMS = ("docker-registry", "registry")
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0

CONFIG = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
http: {http}
auth: {auth}
"""


def bcrypt(password):
    """By the C library: Python's own module for it is gone since 3.13."""
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    return crypt(password.encode(), b"$2b$04$" + b"a" * 21 + b"u").decode()


class Authority:
    """A certificate authority of the test's own, in a folder."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate = self.folder / "ca.crt"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-days", "2", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt")

    def _openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name):
        """A certificate for 127.0.0.1 and its key, as two paths."""
        extensions = self.folder / f"{name}.ext"
        extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "2",
                      "-extfile", extensions.name, "-out", f"{name}.crt")
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def trust(self, folder, host):
        """Puts the authority where docker and podman look for it below a home folder."""
        target = Path(folder) / ".config" / "containers" / "certs.d" / host
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.certificate, target / "ca.crt")
        return target


def find_program():
    """The server's path, or None where it is not installed."""
    for name in PROGRAMS:
        path = shutil.which(name)
        if path is not None:
            return path
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RegistryServer:
    """Starts on entry, stops on exit; may also be started and stopped by hand."""

    def __init__(self, certificate=None, users=None, token_server=None, client_authority=None):
        self.port = None
        self.certificate = certificate
        self.client_authority = client_authority
        self.users = users
        self.token_server = token_server
        self._process = None
        self._folder = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def ref(self, name):
        return f"{self.host}/{name}"

    def start(self):
        program = find_program()
        if program is None:
            raise FileNotFoundError("no registry server is installed: " + " or ".join(PROGRAMS))
        self._folder = Path(tempfile.mkdtemp(prefix="safebuild-registry-"))
        try:
            # Another process may take the port between the probe and the server's bind.
            for _ in range(3):
                if self._try_start(program):
                    return
            raise RuntimeError("the registry server does not start:\n" + self.log())
        except BaseException:
            self.stop()
            raise

    def stop(self):
        if self._process is not None:
            self._end_process()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def log(self):
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def requests(self):
        """(method, path, status) of all that it was asked for, from its log."""
        entries = [line.split('"') for line in self.log().splitlines() if '" 2' in line or '" 4' in line]
        return [(*parts[1].split()[:2], int(parts[2].split()[0])) for parts in entries if len(parts) > 2]

    def blobs(self):
        """The digests of all blobs that it keeps."""
        root = self._folder / "root/docker/registry/v2/blobs/sha256"
        return {"sha256:" + path.parent.name for path in root.glob("*/*/data")}

    def push_layout(self, layout, image, name):
        """Copies an image out of an OCI layout folder into the registry, as skopeo does it."""
        subprocess.run(
            ["skopeo", "copy", "--quiet", "--dest-tls-verify=false",
             f"oci:{layout}:{image}", f"docker://{self.ref(name)}"],
            check=True, capture_output=True, text=True)

    def _try_start(self, program):
        self.port = free_port()
        config = self._folder / "config.yml"
        config.write_text(CONFIG.format(root=self._folder / "root", http=json.dumps(self._http()),
                                        auth=json.dumps(self._auth())))
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [program, "serve", str(config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.02)
        self._end_process()
        return False

    def _http(self):
        http = {"addr": f"127.0.0.1:{self.port}"}
        if self.certificate:
            http["tls"] = {"certificate": str(self.certificate[0]), "key": str(self.certificate[1])}
        if self.client_authority:
            http["tls"]["clientcas"] = [str(self.client_authority.certificate)]
        return http

    def _auth(self):
        if self.users:
            lines = [f"{user}:{bcrypt(password)}\n" for user, password in self.users.items()]
            (self._folder / "htpasswd").write_text("".join(lines))
            return {"htpasswd": {"realm": "test", "path": str(self._folder / "htpasswd")}}
        if self.token_server:
            return {"token": self.token_server.registry_settings()}
        return {}

    def _answers(self):
        context = ssl._create_unverified_context()
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        scheme = "https" if self.certificate else "http"
        try:
            with opener.open(f"{scheme}://{self.host}/v2/", timeout=1) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            return error.code == 401
        except ssl.SSLError:
            return self.client_authority is not None
        except (urllib.error.URLError, OSError) as error:
            return self.client_authority is not None and "CERTIFICATE_REQUIRED" in str(error).upper()

    def _end_process(self):
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
