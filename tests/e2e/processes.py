# SPDX-License-Identifier: MIT
"""What the host sees of a step that runs: its processes, found by a word of their command line."""

import contextlib
import os
import pathlib
import random
import signal
import time


def unique_seconds():
    """A number to sleep for that no other process has among its words."""
    return str(random.randint(10**6, 10**7))


def with_word(word):
    """{pid: command line words} of the host's processes that have this word."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if word.encode() in words:
                    found[int(folder.name)] = words
    return found


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def command(pid):
    """Its command line as words; none where it is gone."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


def parents_children(top):
    """top and all that descend from it."""
    parent_of = {}
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                parent_of[int(folder.name)] = int(status(folder.name)["PPid"])
    family = [top]
    for pid in family:
        family += [child for child, parent in parent_of.items() if parent == pid]
    return family


def text_of(path):
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace").strip()
    return "?"


def what_it_does(pid):
    """Its state, what each of its threads waits for (number and arguments of the system call), and, of ours, what it has open."""
    folder = pathlib.Path(f"/proc/{pid}")
    words = b" ".join(command(pid)).decode(errors="replace")
    fields = text_of(folder / "stat").rpartition(")")[2].split()
    lines = [f"process {pid}, parent and state {fields[1::-1]}: {words or '(has ended)'}"]
    with contextlib.suppress(OSError):
        for task in sorted((folder / "task").iterdir()):
            lines.append(f"  thread {task.name} in {text_of(task / 'wchan')}, system call {text_of(task / 'syscall')}")
    with contextlib.suppress(OSError):
        if "safebuild" not in words:
            return "\n".join(lines)
        for fd in sorted((folder / "fd").iterdir(), key=lambda path: int(path.name)):
            with contextlib.suppress(OSError):
                lines.append(f"  {fd.name} -> {os.readlink(fd)}")
    return "\n".join(lines)


def what_they_do(top):
    """Of all that descend from a process: for who waited for one of them in vain."""
    return "\n".join(what_it_does(pid) for pid in parents_children(top) if pid != os.getpid())


def wait_until(condition, seconds=30):
    """The condition's first true value; None when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    return None


@contextlib.contextmanager
def sleeping_step(sb, buildfile, *args, files=None, **more):
    """Starts a build whose Buildfile has a step `sleep SECONDS`; gives (build process, step pids, word)."""
    word = unique_seconds()
    context = sb.context(files)
    (context / "Buildfile").write_text(buildfile.replace("SECONDS", word), encoding="utf-8")
    process = sb.start("build", "--progress=plain", *args, context, **more)

    def running():
        # The shell that starts it has the number inside a longer word, so it is not among them.
        return {pid: words for pid, words in with_word(word).items() if words[0].endswith(b"sleep")}

    try:
        pids = wait_until(lambda: running() or process.poll() is not None)
        if not isinstance(pids, dict):
            out, err = process.communicate(timeout=10)
            raise AssertionError(f"the step did not start to sleep\n{out.decode()}\n{err.decode()}")
        yield process, sorted(pids), word
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
        for pid in with_word(word):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
