# SPDX-License-Identifier: MIT
"""safebuild run: a program of an image, as docker run has it, in the sandbox of a step."""

import contextlib
import fcntl
import gzip
import http.client
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest

import image_make
import processes
from conftest import IS_ROOT, need_program
from test_interrupt import leftovers

SERVER = "mkdir -p /tmp/w && echo hello >/tmp/w/index.html && exec busybox httpd -f -p PORT -h /tmp/w"


def run(sb, *words, **more):
    """safebuild run -q: without the notices about the host's network."""
    return sb("run", "-q", *words, **more)


# The command


def test_words_take_the_place_of_cmd(sb):
    sb.build('FROM busybox:1\nENTRYPOINT ["echo", "entry"]\nCMD ["cmd"]\n', "-t", "entry:1")
    assert run(sb, "entry:1").out == "entry cmd\n"
    assert run(sb, "entry:1", "a", "-b", "--rm").out == "entry a -b --rm\n"
    assert run(sb, "entry:1", "--", "-b", "--").out == "entry -b --\n"
    assert run(sb, "--entrypoint", "printf", "entry:1", "%s,", "x", "y").out == "x,y,"
    assert run(sb, "--entrypoint", "", "entry:1", "echo", "bare").out == "bare\n"
    result = run(sb, "--entrypoint=", "entry:1", check=125)
    assert "no command" in result.err
    assert "no command" in run(sb, "busybox:1", check=125).err


@pytest.mark.parametrize(
    "words, status, says",
    [
        (["sh", "-c", "exit 42"], 42, ""),
        (["false"], 1, ""),
        (["sh", "-c", "kill -9 $$"], 137, ""),
        (["sh", "-c", "kill -TERM $$"], 143, ""),
        (["/etc/passwd"], 126, "Permission denied"),
        (["/etc"], 126, ""),
        (["nope"], 127, "nope"),
        (["/no/such"], 127, "/no/such"),
    ],
)
def test_the_exit_status_is_the_commands(sb, words, status, says):
    assert says in run(sb, "busybox:1", *words, check=status).err


@pytest.mark.parametrize(
    "words",
    [
        ["--nope", "busybox:1"],
        ["no-such-image:1"],
        ["/no/such/file"],
        ["-v", "/no/such/source:/x", "busybox:1", "true"],
        ["-v", "named:/x", "busybox:1", "true"],
        ["-v", ".:x", "busybox:1", "true"],
        ["-v", ".:/proc", "busybox:1", "true"],
        ["-v", ".:/x:wo", "busybox:1", "true"],
        ["-u", "nobody-knows", "busybox:1", "true"],
        ["-w", "relative", "busybox:1", "true"],
        ["--env-file", "/no/such", "busybox:1", "true"],
        ["-e", "=x", "busybox:1", "true"],
        ["--network", "bridge", "busybox:1", "true"],
        ["--network", "none", "-p", "1:1", "busybox:1", "true"],
        ["--mount", "type=bind,target=/x", "busybox:1", "true"],
        ["--mount", "type=secret,id=absent,required=true", "busybox:1", "true"],
        ["--secret", "id=x,src=/no/such", "busybox:1", "true"],
        ["-d", "busybox:1"],
        ["-p", "80", "busybox:1", "true"],
        ["-p", "x:80", "busybox:1", "true"],
        ["-p", "::1:80:80", "busybox:1", "true"],
        ["-p", "99999:80", "busybox:1", "true"],
        ["-p", "80:80/sctp", "busybox:1", "true"],
    ],
)
def test_what_is_safebuilds_own_failure_is_125(sb, words):
    result = run(sb, *words, check=125)
    assert "error: " in result.err and result.out == ""


def test_an_image_of_the_store_that_is_missing_has_a_hint(sb):
    assert "safebuild pull no-such-image:1" in run(sb, "no-such-image:1", check=125).err


# What the image says of how it runs


def test_user_workdir_env_and_volumes(sb):
    text = 'FROM busybox:1\nENV A=1 B=two\nWORKDIR /work\nVOLUME ["/data", "/etc"]\nUSER app\nCMD ["sh"]\n'
    sb.build(text, "-t", "says:1")
    script = "id -u; id -G; pwd; echo $A $B $HOME $HOSTNAME; stat -c '%a %u' /data; ls /data; ls /etc/passwd"
    out = run(sb, "says:1", "sh", "-c", script).out.splitlines()
    assert out == ["1000", "1000 29 2000", "/work", "1 two /home/app safebuild", "755 0", "/etc/passwd"]
    assert run(sb, "-u", "0", "says:1", "sh", "-c", "echo x >/data/x && echo y >/etc/y && cat /data/x /etc/y").out == "x\ny\n"
    words = ["-u", "5:6", "-w", "/made/here", "-e", "A=x=y", "-e", "FROM_US", "-e", "NOT_SET", "--hostname", "h"]
    script = "id -u; id -g; pwd; echo $A $B $FROM_US ${NOT_SET-unset} $(hostname)"
    out = run(sb, *words, "says:1", "sh", "-c", script, env={"FROM_US": "ours"}).out.splitlines()
    assert out == ["5", "6", "/made/here", "x=y two ours unset h"]


def test_variables_from_a_file(sb):
    path = sb.file("env", "# comment\n\nA=1 2\n  B='kept'\nFROM_US\r\nC=\n")
    out = run(sb, "--env-file", path, "-e", "A=last", "busybox:1", "env", env={"FROM_US": "ours"}).out.splitlines()
    assert {"A=last", "B='kept'", "FROM_US=ours", "C="} <= set(out)
    bad = sb.file("bad-env", "secret-like value=x\n")
    result = run(sb, "--env-file", bad, "busybox:1", "env", check=125)
    assert "line 1" in result.err and "value=x" not in result.err


def test_nothing_of_what_it_writes_stays(fresh):
    assert run(fresh, "busybox:1", "sh", "-c", "echo x >/new; rm -r /etc /bin/ls; echo done").out == "done\n"
    assert run(fresh, "busybox:1", "ls", "/new", check=1).out == ""
    assert "passwd" in run(fresh, "busybox:1", "ls", "/etc").out
    assert leftovers(fresh) == []


def test_mount_points_leave_no_trace(fresh):
    folder = fresh.context({"f": "x"})
    os.chmod(folder, 0o755)
    out = run(fresh, "-v", f"{folder}:/deep/er/place", "bare:1", "/bin/ls", "/deep/er/place")
    assert out.out == "f\n"
    assert "deep" not in run(fresh, "bare:1", "/bin/ls", "/").out
    assert leftovers(fresh) == []


# Where the image comes from


def test_images_that_are_not_in_the_store_do_not_come_into_it(fresh):
    before = fresh("images", "--json").out
    out = fresh.context()
    layout = image_make.make_oci_layout(out / "layout", [image_make.busybox_rootfs(), image_make.make_tar({"f": b"x"})])
    archive = image_make.tar_folder(layout, out / "image.tar")
    saved = image_make.make_docker_archive_old(out / "saved.tar", [image_make.busybox_rootfs()])
    for image in (layout, archive):
        assert run(fresh, image, "cat", "/f").out == "x"
    assert run(fresh, saved, "echo", "hi").out == "hi\n"
    assert run(fresh, "image.tar", "echo", "relative", cwd=out).out == "relative\n"
    assert run(fresh, "-", "echo", "piped", stdin=gzip.compress(archive.read_bytes())).out == "piped\n"
    assert fresh("images", "--json").out == before
    assert leftovers(fresh) == []


@pytest.mark.parametrize("kind", ["layer", "config", "manifest"])
def test_a_broken_image_is_not_run(fresh, kind):
    def flip(what, data):
        return data[:-1] + bytes([data[-1] ^ 1]) if what == kind else data

    layout = image_make.make_oci_layout(fresh.context(), [image_make.busybox_rootfs()], damage=flip)
    assert "sha256:" in run(fresh, layout, "echo", "hi", check=125).err or kind == "layer"
    assert leftovers(fresh) == []


def test_an_image_of_a_registry(fresh, session_folder):
    need_program("skopeo")
    from registry_server import RegistryServer, find_program

    if find_program() is None:
        pytest.skip("docker-registry is not installed")
    layout = image_make.make_oci_layout(fresh.context() / "layout", [image_make.busybox_rootfs()])
    with RegistryServer() as server:
        server.push_layout(layout, "1", "app:1")
        assert run(fresh, f"docker://{server.ref('app:1')}", "echo", "pulled").out == "pulled\n"
    assert "app" not in fresh("images").out and leftovers(fresh) == []


# Streams


def test_streams_are_passed_on_as_they_are(sb):
    data = bytes(range(256)) * 4096
    result = run(sb, "-i", "busybox:1", "sh", "-c", "cat; echo to stderr >&2", stdin=data)
    assert result.out_bytes == data and result.err == "to stderr\n"
    assert run(sb, "busybox:1", "cat", stdin=b"not asked for").out == ""
    assert run(sb, "-i", "busybox:1", "head", "-n1", stdin=b"one\n" * 10**6).out == "one\n"


def test_the_program_can_open_its_streams_by_name(sb):
    script = "echo out >/dev/stdout; echo err >/dev/stderr; cat </dev/stdin"
    result = run(sb, "-i", "-u", "1000", "busybox:1", "sh", "-c", script, stdin=b"into\n")
    assert result.out == "out\ninto\n" and result.err == "err\n"


def test_whoever_reads_the_output_may_go(sb):
    process = sb.start("run", "-q", "busybox:1", "yes")
    assert process.stdout.read(1000)
    process.stdout.close()
    assert process.wait(30) == 128 + signal.SIGPIPE
    process.stderr.close()


def test_output_that_nobody_reads_yet_waits(sb):
    process = sb.start("run", "-q", "busybox:1", "sh", "-c", "dd if=/dev/zero bs=1M count=3 2>/dev/null; echo end >&2")
    time.sleep(1)
    assert process.poll() is None
    out, err = process.communicate(timeout=30)
    assert len(out) == 3 << 20 and err == b"end\n" and process.returncode == 0


def test_a_program_ends_when_its_first_process_does(sb):
    word = processes.unique_seconds()
    out = run(sb, "busybox:1", "sh", "-c", f"sleep {word} & echo started").out
    assert out == "started\n" and not processes.with_word(word)


# Secrets


def test_a_secret_is_a_file_and_redacted_in_what_is_printed(fresh):
    value = "very-secret-value-0123456789"
    path = fresh.file("token", value)
    script = "cat /run/secrets/token; echo; stat -c %a /run/secrets/token; cat /run/secrets/token >&2; cp /run/secrets/token /kept"
    result = run(fresh, "--secret", f"id=token,src={path}", "busybox:1", "sh", "-c", script)
    assert result.out == "[secret token]\n400\n" and result.err == "[secret token]"
    words = ["--secret", f"id=token,src={path}", "--mount", "type=secret,id=token,target=/t,mode=0444,env=TOKEN"]
    result = run(fresh, *words, "-u", "1000", "busybox:1", "sh", "-c", 'test "$TOKEN" = "$(cat /t)" && echo ${#TOKEN}; ls /run')
    assert result.out == f"{len(value)}\n"
    assert leftovers(fresh) == []
    from secret_search import find_secret

    assert find_secret(value.encode(), fresh.folder) == []


def test_a_tmpfs(sb):
    out = run(sb, "--mount", "type=tmpfs,target=/scratch,size=1m", "busybox:1", "sh", "-c", "df -k /scratch | tail -n1").out
    assert out.split()[-1] == "/scratch" and out.split()[1] == "1024"


# Folders of the host


def test_volumes(sb):
    folder = sb.context({"sub/f": "content"})
    os.chmod(folder, 0o777)
    os.chmod(folder / "sub", 0o755)
    assert run(sb, "-v", f"{folder}:/v", "busybox:1", "sh", "-c", "cat /v/sub/f; echo new >/v/new").out == "content"
    assert (folder / "new").read_text() == "new\n"
    result = run(sb, "-v", f"{folder}:/v:ro", "busybox:1", "sh", "-c", "echo x >/v/y", check=1)
    assert "Read-only" in result.err
    assert run(sb, "-v", "./sub:/v", "-v", "sub/f:/file:ro", "busybox:1", "cat", "/v/f", "/file", cwd=folder).out == "content" * 2


def test_who_owns_what_is_in_a_volume(sb):
    """As the README says: files of the host's users are nobody's, and the program is other for them."""
    folder = sb.context({"f": "x", "private": "y"})
    os.chmod(folder, 0o755)
    os.chmod(folder / "private", 0o600)
    assert run(sb, "-v", f"{folder}:/v", "busybox:1", "stat", "-c", "%u", "/v/f").out == "65534\n"
    assert "denied" in run(sb, "-v", f"{folder}:/v", "busybox:1", "cat", "/v/private", check=1).err
    assert "denied" in run(sb, "-v", f"{folder}:/v", "busybox:1", "touch", "/v/new", check=1).err


# Network


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def started(sb, *words):
    process = sb.start("run", "-q", *words)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ask(port):
    def once():
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/")
            return connection.getresponse().read()

    return processes.wait_until(once, 20)


def test_a_server_on_the_hosts_network(sb):
    port = free_port()
    with started(sb, "--network", "host", "busybox:1", "sh", "-c", SERVER.replace("PORT", str(port))) as process:
        assert ask(port) == b"hello\n"
        process.terminate()
        assert process.wait(20) == 143


def test_without_a_network_there_is_its_own_loopback(sb):
    script = "ip -o addr | grep -c 127.0.0.1; ip -o link | wc -l"
    assert run(sb, "--network", "none", "busybox:1", "sh", "-c", script).out == "1\n1\n"


def own_network():
    return IS_ROOT or os.access("/dev/net/tun", os.R_OK | os.W_OK)


def test_a_published_port(sb):
    need_program("slirp4netns")
    port = free_port()
    words = ["-p", f"{port}:80", "busybox:1", "sh", "-c", SERVER.replace("PORT", "80")]
    if not own_network():
        assert "--network host" in run(sb, *words, check=125).err
        return
    with started(sb, *words) as process:
        assert ask(port) == b"hello\n"
        taken = run(sb, "-p", f"{port}:80", "busybox:1", "true", check=125)
        assert str(port) in taken.err
        process.terminate()
        assert process.wait(20) == 143
    assert "own" in run(sb, "--network", "host", *words, check=125).err


def test_names_of_hosts(sb):
    assert "10.9.8.7\tdb" in run(sb, "--add-host", "db:10.9.8.7", "busybox:1", "cat", "/etc/hosts").out


# Signals

TRAPS = """for s in HUP INT QUIT TERM USR1 USR2 WINCH; do trap "echo got $s; exit 9" $s; done
echo ready; while :; do sleep 0.1; done"""


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH"])
def test_signals_are_passed_on(sb, name):
    with started(sb, "busybox:1", "sh", "-c", TRAPS) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(getattr(signal, f"SIG{name}"))
        assert process.stdout.readline() == f"got {name}\n".encode()
        assert process.wait(20) == 9


def test_sigterm_becomes_the_images_stop_signal(sb):
    sb.build("FROM busybox:1\nSTOPSIGNAL SIGUSR1\n", "-t", "stops:1")
    with started(sb, "stops:1", "sh", "-c", TRAPS) as process:
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.stdout.readline() == b"got USR1\n"


def test_a_second_interrupt_kills(fresh):
    with started(fresh, "busybox:1", "sh", "-c", "trap 'echo no' INT; echo ready; while :; do sleep 0.1; done") as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"no\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 137
    assert leftovers(fresh) == []


@pytest.mark.parametrize("victim", ["safebuild", "safebuild-step"])
def test_killed_nothing_remains(fresh, victim):
    word = processes.unique_seconds()
    with started(fresh, "busybox:1", "sleep", word) as process:

        def sleeping():
            return [pid for pid, words in processes.with_word(word).items() if words[0] == b"sleep"]

        assert processes.wait_until(sleeping)
        family = processes.parents_children(process.pid)
        step = [pid for pid in family if b"safebuild-step" in processes.command(pid)[0]][0]
        os.kill(process.pid if victim == "safebuild" else step, signal.SIGKILL)
        assert process.wait(20) == (-signal.SIGKILL if victim == "safebuild" else 125)
        assert processes.wait_until(lambda: not processes.with_word(word))
    run(fresh, "busybox:1", "true")
    assert processes.wait_until(lambda: leftovers(fresh) == [])


def outputs_of(process):
    """The pipes through which safebuild reads what its program writes, open for writing."""
    folder = f"/proc/{process.pid}/fd"
    links = {fd: os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}
    ours = {links["0"], links["1"], links["2"]}
    pipes = {link: fd for fd, link in links.items() if link.startswith("pipe:") and link not in ours}
    return [os.open(f"{folder}/{fd}", os.O_WRONLY | os.O_NONBLOCK) for fd in pipes.values()]


@pytest.mark.privileged  # to open the pipes
def test_who_goes_on_writing_when_the_step_is_killed_is_not_waited_for(fresh):
    """A process outside that was passed the program's output, say."""
    word = processes.unique_seconds()
    with started(fresh, "busybox:1", "sleep", word) as process, contextlib.ExitStack() as opened:
        assert processes.wait_until(lambda: [words for words in processes.with_word(word).values() if words[0] == b"sleep"])
        pipes = outputs_of(process)
        for pipe in pipes:
            opened.callback(os.close, pipe)
        assert pipes
        family = processes.parents_children(process.pid)
        os.kill([pid for pid in family if b"safebuild-step" in processes.command(pid)[0]][0], signal.SIGKILL)
        end = time.monotonic() + 12
        while process.poll() is None and time.monotonic() < end:
            for pipe in pipes:
                with contextlib.suppress(BlockingIOError, BrokenPipeError):
                    os.write(pipe, b"x")
            time.sleep(0.5)
        assert process.poll() == 125


def test_two_at_once_of_the_same_image(fresh):
    script = "echo $NAME >/mine; echo ready; read line; cat /mine"
    a = fresh.start("run", "-qi", "-e", "NAME=a", "busybox:1", "sh", "-c", script, stdin=subprocess.PIPE)
    b = fresh.start("run", "-qi", "-e", "NAME=b", "busybox:1", "sh", "-c", script, stdin=subprocess.PIPE)
    assert a.stdout.readline() == b.stdout.readline() == b"ready\n"
    assert a.communicate(b"go\n", timeout=30)[0] == b"a\n"
    assert b.communicate(b"go\n", timeout=30)[0] == b"b\n"
    assert leftovers(fresh) == []


# A terminal


class Terminal:
    """safebuild run on a terminal that the test types on."""

    def __init__(self, sb, *words, size=(31, 99)):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(sb.folder)
            os.execve(sb.program, [sb.program, "run", "-q", *map(str, words)], {**sb.environment(), "TERM": "vt100"})
        self.resize(*size)
        self.seen = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += data
        return bool(data)

    def expect(self, text):
        end = time.monotonic() + 20
        while text not in self.seen:
            assert time.monotonic() < end and self.read(1), f"no {text!r} in {self.seen!r}"
        self.seen = self.seen.split(text, 1)[1]

    def type(self, text):
        os.write(self.fd, text)

    def is_cooked(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ICANON)

    def wait(self):
        while self.read(20):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_terminal_of_its_own(sb):
    t = Terminal(sb, "-it", "busybox:1", "sh", "-c", "tty; stty size; echo $TERM; ls -l $(tty); exec sh")
    for wanted in (b"/dev/pts/0\r\n", b"31 99\r\n", b"vt100\r\n", b"root"):
        t.expect(wanted)
    assert not t.is_cooked()
    t.type(b"sleep 1000\n")
    t.expect(b"sleep 1000")
    time.sleep(0.3)
    t.type(b"\x03")
    t.expect(b"^C")
    t.resize(40, 120)
    os.kill(t.pid, signal.SIGWINCH)
    t.type(b"sleep 0.3; stty size; echo >/dev/tty name-of-it\n")
    t.expect(b"40 120\r\n")
    t.expect(b"name-of-it\r\n")
    t.type(b"exit 6\n")
    assert t.wait() == 6


def test_the_terminal_is_cooked_again_after_the_end_and_after_a_kill(sb):
    keep_open = os.openpty()
    os.close(keep_open[0]), os.close(keep_open[1])
    for end in ("exit", "kill"):
        t = Terminal(sb, "busybox:1", "sh", "-c", "echo ready; read line")
        t.expect(b"ready\r\n")
        assert processes.wait_until(lambda t=t: not t.is_cooked())
        if end == "exit":
            t.type(b"\n")
        else:
            os.kill(t.pid, signal.SIGKILL)
        assert processes.wait_until(t.is_cooked, 20)
        t.wait()


def test_as_a_user_the_terminal_is_the_users(sb):
    t = Terminal(sb, "-u", "1000", "busybox:1", "sh", "-c", "stat -c %u $(tty); echo by name >/dev/stdout; cat >/dev/null")
    t.expect(b"1000\r\n")
    t.expect(b"by name\r\n")
    t.type(b"\x04")
    assert t.wait() == 0


def test_the_program_ends_when_the_terminal_does(sb):
    word = processes.unique_seconds()
    t = Terminal(sb, "busybox:1", "sh", "-c", f"echo ready; sleep {word}; true")
    t.expect(b"ready")
    os.close(t.fd)
    assert processes.wait_until(lambda: not processes.with_word(word))
    os.waitpid(t.pid, 0)


def test_a_large_output_on_a_terminal_arrives_whole(sb):
    t = Terminal(sb, "busybox:1", "sh", "-c", "seq 1 20000; echo end-of-it")
    while b"end-of-it" not in t.seen:
        assert t.read(20)
    assert t.seen.count(b"\r\n") >= 20000
    assert t.wait() == 0


def test_json_of_images_is_not_changed_by_runs(fresh):
    before = json.loads(fresh("images", "--json").out)
    run(fresh, "busybox:1", "true")
    assert json.loads(fresh("images", "--json").out) == before
