# SPDX-License-Identifier: MIT
"""A program on a terminal of tmux, which is asked what it shows."""

import os
import pathlib
import shlex
import subprocess
import tempfile
import time

WAIT_S = 30


class Screen:
    """Runs a command in a terminal of its own; what the shell shows before and after it is there too."""

    def __init__(self, folder, columns=80, rows=24):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="screen-", dir=folder))
        # A socket's path is short.
        self.sockets = tempfile.TemporaryDirectory(prefix="tmux-", dir="/tmp")
        self.env = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "USER") if name in os.environ},
            "LANG": "C.UTF-8",
            "TMUX_TMPDIR": self.sockets.name,
        }
        config = self.folder / "tmux.conf"
        config.write_text("set -g default-terminal tmux-256color\nset -g escape-time 0\n")
        self.tmux = ["tmux", "-u", "-f", str(config)]
        self.call("new-session", "-d", "-x", str(columns), "-y", str(rows), "env", "PS1=ready$ ", "sh")
        self.call("set", "-g", "window-size", "manual")
        self.wait_for("ready$")

    def call(self, *args):
        done = subprocess.run([*self.tmux, *args], env=self.env, capture_output=True, text=True, check=True)
        return done.stdout

    def run(self, args, env=None):
        """Types a command, followed by one that tells its status."""
        words = ["env", *(f"{name}={value}" for name, value in (env or {}).items()), *map(str, args)]
        script = self.folder / "run.sh"
        script.write_text(shlex.join(words) + "\necho status=$?=\n")
        self.call("send-keys", f". {script}", "Enter")

    def keys(self, *keys):
        self.call("send-keys", *keys)

    def type(self, text):
        self.call("send-keys", "-l", text)

    def resize(self, columns, rows):
        self.call("resize-window", "-x", str(columns), "-y", str(rows))

    def text(self, styles=False):
        return self.call("capture-pane", "-p", *(["-e"] if styles else []))

    def wait_for(self, *texts, absent=()):
        """Until all of these are on the screen, and none of those."""
        end = time.monotonic() + WAIT_S
        while True:
            shown = self.text()
            if all(text in shown for text in texts) and not any(text in shown for text in absent):
                return shown
            assert time.monotonic() < end, f"wanted {texts}, not {absent}; the screen shows:\n{shown}"
            time.sleep(0.05)

    def pid_of(self, program):
        """Of the program that runs in the terminal."""
        shell = self.call("display-message", "-p", "#{pane_pid}").strip()
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            for pid in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    stat = (pid / "stat").read_text()
                    if stat.rsplit(")", 1)[1].split()[1] == shell and f"({program})" in stat:
                        return int(pid.name)
                except (OSError, IndexError):
                    continue
            time.sleep(0.05)
        raise AssertionError(f"no {program} runs below {shell}")

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], env=self.env, capture_output=True, check=False)
        self.sockets.cleanup()
