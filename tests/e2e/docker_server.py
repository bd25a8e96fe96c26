# SPDX-License-Identifier: MIT
"""A Docker daemon of the test's own: Debian's dockerd in private mount, network and process namespaces, which changes
nothing on the host and is gone with its first process. Takes root.

    with DockerServer(folder) as docker:
        docker("load", "-i", path)              # the client's standard output
        docker.address                          # for skopeo's --dest-daemon-host
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

START_TIMEOUT_S = 60.0
SCRIPT = """mount --make-rprivate / && exec dockerd --data-root "$1/data" --exec-root "$1/exec" \
    --pidfile "$1/pid" -H "unix://$1/socket" --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs"""


class DockerServer:
    """Starts on entry, stops on exit. RuntimeError has the daemon's last words where it does not start."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.address = f"unix://{self.folder}/socket"
        self._process = None

    def __enter__(self):
        self.folder.mkdir()
        with open(self.folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                 "sh", "-c", SCRIPT, "sh", self.folder],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if (self.folder / "socket").exists() and self._run("version").returncode == 0:
                return self
            time.sleep(0.1)
        self.__exit__()
        words = (self.folder / "log").read_text(errors="replace").splitlines()[-3:]
        raise RuntimeError("dockerd does not start: " + " / ".join(words))

    def __exit__(self, *_):
        # Its namespaces end with it, and all that is in them: nothing is left to be undone.
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def __call__(self, *args):
        done = self._run(*args)
        assert done.returncode == 0, f"docker {' '.join(map(str, args))}: {done.stderr.decode()}"
        return done.stdout

    def _run(self, *args):
        env = {**os.environ, "DOCKER_HOST": self.address, "DOCKER_CONFIG": str(self.folder / "config")}
        command = ["docker", *map(str, args)]
        return subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
