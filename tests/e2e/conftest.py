# SPDX-License-Identifier: MIT
"""Fixtures of the end-to-end tests.

Environment:
  SAFEBUILD          the program to test (default: build/runner/safebuild of this tree, then PATH)
  SB_TEST_MUST_RUN   1: a test that can't run here is a failure (CI)
  SB_TEST_FAST       1: leave out what is marked slow
  SB_TEST_TALK       a checkout of the talk's repository: its Dockerfiles are built too (test_examples.py)
  SB_TEST_CACHE      a folder that keeps the Debian base between sessions
"""

import fcntl
import glob
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

import image_make
import image_read
import processes

HERE = pathlib.Path(__file__).resolve().parent
IS_ROOT = os.geteuid() == 0
TIMEOUT_S = 120

# What a shell starts in the background ignores these, and hands that on to the programs under test.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def cannot_run(reason):
    """Ends the test: as a failure where everything must run, else as left out with the reason."""
    if os.environ.get("SB_TEST_MUST_RUN") == "1":
        pytest.fail("must run here, but: " + reason, pytrace=False)
    raise pytest.skip.Exception(reason)


def need_program(name):
    if shutil.which(name) is None:
        cannot_run(f"{name} is not installed")
    return name


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: needs a minute or a distribution's packages")
    config.addinivalue_line("markers", "privileged: takes root to set up")


def pytest_collection_modifyitems(config, items):
    unwanted = set() if IS_ROOT else {"privileged"}
    if os.environ.get("SB_TEST_FAST") == "1":
        unwanted.add("slow")
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in unwanted)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What still runs when a test has failed may be what it waited for."""
    outcome = yield
    if call.excinfo is not None and outcome.get_result().failed:
        left = processes.what_they_do(os.getpid())
        if left:
            outcome.get_result().sections.append(("processes that are left", left))


def program_path():
    named = os.environ.get("SAFEBUILD")
    built = HERE.parents[1] / "build" / "runner" / "safebuild"
    return named or (str(built) if built.exists() else shutil.which("safebuild"))


def remove_tree(path):
    """Removes a folder that may hold files of subordinate ids, and overlay work folders of mode 0."""
    if IS_ROOT:
        subprocess.run(["rm", "-rf", "--one-file-system", str(path)], check=False)
        return
    map_all = ["unshare", "--user", "--map-auto", "--map-root-user"]
    subprocess.run([*map_all, "rm", "-rf", "--one-file-system", str(path)], check=False, capture_output=True)


class Result:
    def __init__(self, args, status, out, err):
        self.args = args
        self.status = status
        self.out_bytes = out
        self.out = out.decode(errors="replace")
        self.err = err.decode(errors="replace")

    @property
    def text(self):
        return self.out + self.err

    @property
    def events(self):
        """The JSON lines of --progress=json, from whichever stream they came on."""
        return [json.loads(line) for line in self.text.splitlines() if line.startswith("{")]

    def __repr__(self):
        return f"{' '.join(self.args)}\nexit status {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Safebuild:
    """The program with a store of its own."""

    def __init__(self, folder, prefix=()):
        self.prefix = list(prefix)
        self.program = program_path()
        assert self.program, "set SAFEBUILD to the program that is to be tested"
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = self.folder / "store"
        self.tmp = self.folder / "tmp"
        self.tmp.mkdir()

    def environment(self, extra=None):
        keep = ("PATH", "HOME", "LANG", "USER", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "SAFEBUILD_STEP")
        env = {name: os.environ[name] for name in keep if name in os.environ}
        env.update({"SAFEBUILD_ROOT": str(self.store), "TMPDIR": str(self.tmp)})
        env.update(extra or {})
        return env

    def start(self, *args, env=None, cwd=None, **more):
        command = [*self.prefix, self.program, *map(str, args)]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            command, env=self.environment(env), cwd=cwd or self.folder, **{**streams, **more}
        )

    def __call__(self, *args, check=True, stdin=None, env=None, cwd=None, timeout=TIMEOUT_S, **more):
        """Runs it; check=True wants exit status 0, check=N wants N, check=None takes any."""
        more.setdefault("stdin", subprocess.DEVNULL if stdin is None else subprocess.PIPE)
        process = self.start(*args, env=env, cwd=cwd, **more)
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            doing = processes.what_they_do(process.pid)
            process.kill()
            out, err = process.communicate()
            result = Result([self.program, *map(str, args)], None, out, err)
            pytest.fail(f"no end after {timeout} s: {result!r}\n{doing}", pytrace=False)
        result = Result([self.program, *map(str, args)], process.returncode, out or b"", err or b"")
        if check is not None:
            wanted = 0 if check is True else check
            assert result.status == wanted, f"wanted exit status {wanted}: {result!r}"
        for report in ("AddressSanitizer", "runtime error:", "LeakSanitizer"):
            assert report not in result.err, repr(result)
        return result

    def context(self, files=None):
        """A new context folder: name -> text or bytes; a value of None makes a folder."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="context-", dir=self.folder))
        for name, value in (files or {}).items():
            path = folder / name
            if value is None:
                path.mkdir(parents=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(value if isinstance(value, bytes) else value.encode())
        return folder

    def build(self, buildfile, *args, files=None, context=None, **more):
        """Builds the text in a context of these files; the result also has .context."""
        context = context or self.context(files)
        (context / "Buildfile").write_text(buildfile, encoding="utf-8")
        result = self("build", "--progress=plain", *args, context, **more)
        result.context = context
        return result

    def image(self, buildfile, *args, **more):
        """Builds and reads the image back from an OCI archive; .result has the run's output."""
        target = pathlib.Path(tempfile.mkdtemp(prefix="out-", dir=self.folder)) / "image.tar"
        result = self.build(buildfile, "-o", f"type=oci,dest={target}", *args, **more)
        image = image_read.read_oci_archive(target)
        image.result = result
        image.path = target
        return image

    def output(self, script, *args, base="busybox:1", flags="", **more):
        """What a RUN of this script writes to its standard output: through a file in the image."""
        text = f"FROM {base}\nRUN {flags} <<'END_OF_SCRIPT'\nexec >/out.txt\n{script}\nEND_OF_SCRIPT\n"
        return self.image(text, *args, **more).read("out.txt").decode()

    def file(self, name, data):
        """A file of that content, in a folder beside (not below) what belongs to the product."""
        folder = self.folder.with_name(self.folder.name + "-files")
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path


@pytest.fixture(scope="session")
def session_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="safebuild-e2e-"))
    yield folder
    remove_tree(folder)


@pytest.fixture(scope="session")
def rootfs(session_folder):
    """rootfs.tar and bare.tar of busybox."""
    if not os.access("/bin/busybox", os.X_OK):
        cannot_run("busybox-static is not installed")
    folder = session_folder / "rootfs"
    folder.mkdir()
    (folder / "rootfs.tar").write_bytes(image_make.busybox_rootfs())
    (folder / "bare.tar").write_bytes(image_make.busybox_rootfs(bare=True))
    return folder


def import_bases(sb, rootfs):
    # Else the time of the import is in the image, and two stores do not hold the same.
    epoch = {"SOURCE_DATE_EPOCH": "1600000000"}
    sb("import", rootfs / "rootfs.tar", "busybox:1", env=epoch)
    sb("import", rootfs / "bare.tar", "bare:1", env=epoch)
    return sb


@pytest.fixture(scope="session")
def sb(session_folder, rootfs):
    """The program with a store that all tests share; it has busybox:1 and bare:1."""
    return import_bases(Safebuild(session_folder / "shared"), rootfs)


@pytest.fixture
def fresh(session_folder, rootfs):
    """The program with a store of the test's own, removed after it; it has busybox:1 and bare:1."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fresh-", dir=session_folder))
    yield import_bases(Safebuild(folder), rootfs)
    remove_tree(folder)


@pytest.fixture(scope="session")
def probe(sb):
    """probe:1, busybox with /bin/probe (see probe.c)."""
    need_program("cc")
    context = sb.context()
    subprocess.run(["cc", "-static", "-O1", "-o", context / "probe", HERE / "probe.c"], check=True)
    sb.build("FROM busybox:1\nCOPY probe /bin/probe\n", "-t", "probe:1", context=context)
    return "probe:1"


@pytest.fixture(scope="session")
def five_layers(sb):
    """five:1, busybox with four more layers."""
    steps = "\n".join(f"RUN mkdir /layer{n} && echo {n} >/layer{n}/file" for n in range(4))
    sb.build("FROM busybox:1\n" + steps, "-t", "five:1")
    return "five:1"


def apt_sources():
    """The machine's own package sources that are of its release."""
    release = dict(line.split("=", 1) for line in open("/etc/os-release", encoding="utf-8") if "=" in line)
    suite = release.get("VERSION_CODENAME", "bookworm").strip().strip('"')
    candidates = ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]
    return suite, [p for p in candidates if os.path.isfile(p) and f" {suite}" in open(p, encoding="utf-8").read()]


@pytest.fixture(scope="session")
def debian_tar(session_folder):
    """A root file system of the distribution's minbase; made once, kept in SB_TEST_CACHE (which
    the user can write) if that is set."""
    cache = pathlib.Path(os.environ.get("SB_TEST_CACHE") or session_folder)
    target = cache / "debian-minbase.tar"
    # Another user's tests may be about to make it.
    lock = os.open(cache, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            make_debian_tar(session_folder, target)
    finally:
        os.close(lock)
    return target


def make_debian_tar(session_folder, target):
    need_program("mmdebstrap")
    suite, sources = apt_sources()
    half = pathlib.Path(tempfile.mkdtemp(prefix="debian-", dir=session_folder)) / "half.tar"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", suite, str(half), *sources]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        pytest.fail("mmdebstrap: " + done.stderr[-2000:], pytrace=False)
    copy = target.with_name(f"half-{os.getpid()}.tar")
    shutil.copyfile(half, copy)
    os.chmod(copy, 0o644)
    os.rename(copy, target)


@pytest.fixture(scope="session")
def debian(sb, debian_tar):
    sb("import", debian_tar, "debian:test", timeout=600)
    return "debian:test"
