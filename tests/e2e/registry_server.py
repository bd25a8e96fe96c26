# SPDX-License-Identifier: MIT
"""An honest registry on loopback: the distribution project's own server, on a free port, with a
temporary root that goes when it stops.

    with RegistryServer() as registry:
        registry.push_layout("path/to/layout", "1", "busybox:1")
        … registry.ref("busybox:1") …          # "127.0.0.1:PORT/busybox:1"
"""

import shutil
import socket
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
http: {{addr: "127.0.0.1:{port}"}}
"""


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

    def __init__(self):
        self.port = None
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

    def push_layout(self, layout, image, name):
        """Copies an image out of an OCI layout folder into the registry, as skopeo does it."""
        subprocess.run(
            ["skopeo", "copy", "--quiet", "--dest-tls-verify=false",
             f"oci:{layout}:{image}", f"docker://{self.ref(name)}"],
            check=True, capture_output=True, text=True)

    def _try_start(self, program):
        self.port = free_port()
        config = self._folder / "config.yml"
        config.write_text(CONFIG.format(root=self._folder / "root", port=self.port))
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

    def _answers(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{self.host}/v2/", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def _end_process(self):
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
