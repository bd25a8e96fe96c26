# SPDX-License-Identifier: MIT
"""RUN --mount=type=ssh: a step may use the user's agent, and nothing but use it."""

import contextlib
import copy
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest

import processes
from conftest import HERE, need_program

BASE = "FROM agent-probe:1\n"
REFUSED = "answer 5"


@pytest.fixture(scope="module")
def agent_probe(sb):
    """agent-probe:1, busybox with /bin/agent-probe."""
    need_program("cc")
    context = sb.context()
    subprocess.run(["cc", "-static", "-O1", "-o", context / "agent-probe", HERE / "agent_probe.c"], check=True)
    sb.build("FROM busybox:1\nCOPY agent-probe /bin/agent-probe\n", "-t", "agent-probe:1", context=context)
    return sb


@pytest.fixture
def folder():
    """One with a short name: a socket's address is short."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="sb-ssh-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


def new_key(folder, name, passphrase=""):
    need_program("ssh-keygen")
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", f"comment-{name}", "-f", path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


class Agent:
    def __init__(self, folder, name):
        need_program("ssh-agent")
        self.path = folder / f"{name}.sock"
        self.process = subprocess.Popen(
            ["ssh-agent", "-D", "-a", self.path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        self.env = {"SSH_AUTH_SOCK": str(self.path)}
        assert processes.wait_until(lambda: self.path.exists(), 10)
        for key in [name, name + "2"]:
            self.ssh_add("-q", new_key(folder, key))

    def ssh_add(self, *args):
        env = {**os.environ, **self.env}
        return subprocess.run(["ssh-add", *args], env=env, check=True, capture_output=True, text=True).stdout

    def end(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def agent(folder):
    made = Agent(folder, "one")
    yield made
    made.end()


def run_step(sb, script, *args, flags="--mount=type=ssh", before="", **more):
    """Each time anew: what an agent holds is no reason to run a step again."""
    return sb.output(script, "--no-cache", *args, base="agent-probe:1\n" + before, flags=flags, **more).splitlines()


def test_a_step_lists_and_signs(agent_probe, agent):
    lines = run_step(agent_probe, "agent-probe list\nagent-probe sign\necho $SSH_AUTH_SOCK", "--ssh=default", env=agent.env)
    assert lines == ["2 keys: comment-one comment-one2", "signature of 64 bytes", "/run/buildkit/ssh_agent.0"]


def test_the_layer_is_empty_and_another_step_has_nothing(agent_probe, agent):
    text = BASE + (
        "RUN --mount=type=ssh agent-probe list\n"
        "RUN --mount=type=ssh,target=/new/place/agent agent-probe list\n"
        "RUN agent-probe list >/out; ls -A /run >>/out; true\n"
    )
    image = agent_probe.image(text, "--ssh", f"default={agent.path}")
    assert image.layers[-3].names == [] and image.layers[-2].names == []
    assert image.read("out") == b"SSH_AUTH_SOCK is not set\n"


@pytest.mark.parametrize("network", ["none", "host", "default"])
def test_whatever_the_network_is(agent_probe, agent, network):
    lines = run_step(agent_probe, "agent-probe list", "--ssh=default", "--network", network, env=agent.env)
    assert lines == ["2 keys: comment-one comment-one2"]


def test_nothing_can_be_changed_in_the_agent(agent_probe, agent):
    """Adding, removing, locking, smart cards, the first version of the protocol, unknown extensions."""
    words = ["17 ssh-ed25519 a b c", "18 key", "19", "20 reader pin", "21 reader pin", "22 pass", "23 pass", "25 ssh-ed25519 a b c", "26 reader pin"]
    words += ["1", "3", "9", "27 restrict-destination-v00@openssh.com", "27 query2", "11 more", "13 key", "0", "255"]
    before = agent.ssh_add("-l")
    script = "\n".join(f"agent-probe ask {word}" for word in words) + "\nagent-probe two\nagent-probe list"
    lines = run_step(agent_probe, script, "--ssh=default", env=agent.env)
    assert lines[: len(words)] == [REFUSED] * len(words)
    assert lines[len(words) :] == ["answer 5 then 12", "2 keys: comment-one comment-one2"]
    assert agent.ssh_add("-l") == before


def test_what_is_no_message_ends_the_connection(agent_probe, agent):
    garbage = ["00000000", "ffffffff0b", "000400010b", "5353482d322e30"]
    script = "\n".join(f"agent-probe hex {word}" for word in garbage) + "\nagent-probe list"
    lines = run_step(agent_probe, script, "--ssh=default", env=agent.env)
    assert lines == ["closed"] * len(garbage) + ["2 keys: comment-one comment-one2"]


def test_the_socket_has_the_owner_and_mode_of_its_mount(agent_probe, agent):
    script = """stat -c '%F %a %u %g' $SSH_AUTH_SOCK
(rm $SSH_AUTH_SOCK && echo removed; chmod 777 $SSH_AUTH_SOCK && echo changed; chown 5 $SSH_AUTH_SOCK && echo taken) 2>/dev/null
agent-probe list"""
    keys = "2 keys: comment-one comment-one2"
    assert run_step(agent_probe, script, "--ssh=default", env=agent.env) == ["socket 600 0 0", keys]
    flags = "--mount=type=ssh,mode=0640,uid=7,gid=8,target=/agent"
    assert run_step(agent_probe, script, "--ssh=default", flags=flags, env=agent.env) == ["socket 640 7 8", keys]


def test_a_user_of_the_image_needs_a_mount_of_its_own(agent_probe, agent):
    text = BASE + (
        "RUN mkdir -m 777 /w\nUSER 1000:1000\n"
        "RUN --mount=type=ssh agent-probe list >/w/denied; true\n"
        "RUN --mount=type=ssh,uid=1000 agent-probe list >/w/uid\n"
        "RUN --mount=type=ssh,gid=1000,mode=0660 agent-probe sign >/w/gid\n"
    )
    image = agent_probe.image(text, "--ssh=default", env=agent.env)
    assert image.read("w/denied") == b"EACCES\n"
    assert image.read("w/uid") == b"2 keys: comment-one comment-one2\n"
    assert image.read("w/gid") == b"signature of 64 bytes\n"


def test_two_ids_are_two_agents(agent_probe, agent, folder):
    other = Agent(folder, "two")
    try:
        script = "agent-probe list; echo $SSH_AUTH_SOCK; SSH_AUTH_SOCK=/run/buildkit/ssh_agent.1 agent-probe list"
        flags = "--mount=type=ssh --mount=type=ssh,id=other"
        options = ["--ssh=default", "--ssh", f"other={other.path}"]
        lines = run_step(agent_probe, script, *options, flags=flags, env=agent.env)
    finally:
        other.end()
    assert lines == ["2 keys: comment-one comment-one2", "/run/buildkit/ssh_agent.0", "2 keys: comment-two comment-two2"]


def test_one_id_can_be_mounted_twice(agent_probe, agent):
    flags = "--mount=type=ssh,target=/a --mount=type=ssh,target=/b,uid=5"
    script = "echo $SSH_AUTH_SOCK; agent-probe list; SSH_AUTH_SOCK=/b agent-probe list; stat -c %u /a /b"
    lines = run_step(agent_probe, script, "--ssh=default", flags=flags, env=agent.env)
    assert lines == ["/a", *["2 keys: comment-one comment-one2"] * 2, "0", "5"]


def test_an_own_variable_is_kept(agent_probe, agent):
    lines = run_step(agent_probe, "echo $SSH_AUTH_SOCK", "--ssh=default", before="ENV SSH_AUTH_SOCK=/own", env=agent.env)
    assert lines == ["/own"]


def test_an_agent_that_was_not_given(agent_probe, agent):
    result = agent_probe.build(BASE + "RUN --mount=type=ssh,id=x,required agent-probe list\n", check=1)
    assert "no SSH key 'x' is forwarded" in result.err and "--ssh x" in result.err
    # Without `required`: no mount, a word about it, and the variable names what is there.
    flags = "--mount=type=ssh,id=x --mount=type=ssh"
    assert run_step(agent_probe, "ls /run/buildkit; echo $SSH_AUTH_SOCK", "--ssh=default", flags=flags, env=agent.env) == [
        "ssh_agent.1",
        "/run/buildkit/ssh_agent.1",
    ]
    result = agent_probe.build(BASE + 'RUN --mount=type=ssh [ -z "$SSH_AUTH_SOCK" ] && [ ! -e /run/buildkit ]\n')
    assert "no SSH key 'default' is forwarded" in result.err


def test_keys_are_held_by_an_agent_of_the_builds_own(agent_probe, folder):
    keys = [new_key(folder, name) for name in ("a", "b")]
    lines = run_step(agent_probe, "agent-probe list; agent-probe sign", "--ssh", f"default={keys[0]},{keys[1]}")
    assert lines == ["2 keys: comment-a comment-b", "signature of 64 bytes"]
    assert list(agent_probe.tmp.iterdir()) == []


def test_a_key_is_found_from_the_current_folder(agent_probe, folder):
    new_key(folder, "k")
    context = agent_probe.context()
    assert run_step(agent_probe, "agent-probe list", "--ssh", "default=k", context=context, cwd=folder) == ["1 keys: comment-k"]


def test_wrong_sources_are_told_apart(agent_probe, agent, folder):
    plain, locked, open_key = new_key(folder, "p"), new_key(folder, "l", "passphrase"), new_key(folder, "o")
    open_key.chmod(0o644)
    no_key = folder / "no-key"
    no_key.write_text("nothing\n")
    no_key.chmod(0o600)
    dead = Agent(folder, "dead")
    dead.end()
    dead_socket = dead.path
    cases = [
        ("default", {}, "SSH_AUTH_SOCK is not set"),
        ("default", {"SSH_AUTH_SOCK": ""}, "SSH_AUTH_SOCK is not set"),
        ("default", {"SSH_AUTH_SOCK": str(plain)}, "is not a socket"),
        ("default", {"SSH_AUTH_SOCK": str(folder / "nowhere")}, "No such file"),
        (f"default={dead_socket}", {}, "connect to the ssh agent"),
        (f"default={agent.path},{plain}", {}, "invalid combination of keys and sockets"),
        (f"default={agent.path},{agent.path}", {}, "2 sockets"),
        (f"default={plain},raw=true", {}, "raw=true goes with a socket"),
        (f"default={locked}", {}, f"the key '{locked}' needs a passphrase"),
        (f"default={open_key}", {}, f"the key '{open_key}' is open to others"),
        (f"default={no_key}", {}, f"the key '{no_key}' is not taken"),
        (f"default={folder}", {}, "neither a socket nor a key"),
        (f"default={folder}/nowhere", {}, "No such file"),
    ]
    for value, env, message in cases:
        start = time.monotonic()
        result = agent_probe.build(BASE + "RUN true\n", "--ssh", value, check=None, env=env)
        assert result.status in (2, 3) and message in result.err, repr(result)
        assert time.monotonic() - start < 20
    assert list(agent_probe.tmp.iterdir()) == []


@pytest.mark.privileged
def test_keys_without_openssh_say_what_to_install(agent_probe, folder):
    key = new_key(folder, "k")
    script = 'mount --bind /dev/null "$0" && exec "$@"'
    without = copy.copy(agent_probe)
    without.prefix = ["unshare", "--mount", "sh", "-c", script, shutil.which("ssh-agent")]
    result = without.build(BASE + "RUN true\n", "--ssh", f"default={key}", check=3)
    assert "ssh-agent is not installed" in result.err and "install openssh-client" in result.err


def test_an_agent_that_goes_in_the_middle_ends_its_connections(agent_probe, agent):
    script = "agent-probe list; echo ready; while [ \"$(agent-probe list)\" != closed ]; do sleep 0.1; done; echo gone"
    context = agent_probe.context({"Buildfile": BASE + f"RUN --mount=type=ssh {script}\n"})
    process = agent_probe.start("build", "--progress=plain", "--ssh=default", context, env=agent.env)
    seen = []

    def read():
        for line in process.stderr:
            seen.append(line.decode())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        # The title has the words too, so it is the line that ends in them.
        assert processes.wait_until(lambda: any(line.rstrip().endswith(" ready") for line in list(seen)), 20), seen
        agent.end()
        assert process.wait(20) == 0, seen
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
        process.stderr.close()
    assert any(line.rstrip().endswith(" gone") for line in seen)


def test_connections_that_stay_open_do_not_hold_the_build(agent_probe, agent):
    start = time.monotonic()
    assert run_step(agent_probe, "agent-probe leave-open", "--ssh=default", env=agent.env) == ["left"]
    assert time.monotonic() - start < 20


def test_connections_are_bounded(agent_probe, agent):
    lines = run_step(agent_probe, "agent-probe hold 300; agent-probe list", "--ssh=default", env=agent.env)
    assert lines == ["128 of 300", "2 keys: comment-one comment-one2"]


@pytest.mark.parametrize("killed", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_agent_and_the_proxy_end_with_the_build(agent_probe, folder, killed):
    key = new_key(folder, "k")
    text = BASE + "RUN --mount=type=ssh agent-probe list && sleep SECONDS\n"
    with processes.sleeping_step(agent_probe, text, "--ssh", f"default={key}") as (process, _, _):
        family = {pid: processes.command(pid) for pid in processes.parents_children(process.pid)}
        helpers = [pid for pid, words in family.items() if b"agent" in b" ".join(words)]
        assert any(words[0] == b"ssh-agent" for words in family.values()), family
        assert any(b"agent-proxy" in words for words in family.values()), family
        assert list(agent_probe.tmp.iterdir()) == []
        os.kill(process.pid, killed)
        process.wait(20)
        assert processes.wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in helpers), 10)
    assert list(agent_probe.tmp.iterdir()) == []


def test_the_proxy_holds_no_secret_and_no_descriptor_too_many(agent_probe, agent):
    """Its environment, its arguments, what it has open: a step's secret variable is in none."""
    value = "a-secret-" + processes.unique_seconds()
    secret = ["--secret", f"id=s,src={agent_probe.file('ssh-secret', value)}"]
    text = BASE + "RUN --mount=type=ssh --mount=type=secret,id=s,env=S --mount=type=secret,id=s sleep SECONDS\n"
    with processes.sleeping_step(agent_probe, text, "--ssh=default", *secret, env=agent.env) as (process, _, _):
        family = {pid: processes.command(pid) for pid in processes.parents_children(process.pid)}
        (proxy,) = [pid for pid, words in family.items() if b"agent-proxy" in words]
        assert value.encode() not in read_memory(proxy)
        assert pathlib.Path(f"/proc/{proxy}/environ").read_bytes() == b""
        names = sorted(os.readlink(fd) for fd in pathlib.Path(f"/proc/{proxy}/fd").iterdir())
        # Standard streams, the agent's socket and the one that the step connects to.
        assert not any("memfd" in name for name in names) and len(names) <= 3 + 2, names


def read_memory(pid):
    found = b""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            start, end = (int(word, 16) for word in line.split()[0].split("-"))
            if line.split()[1][0] == "r" and end - start < 1 << 30:
                with contextlib.suppress(OSError, OverflowError, ValueError):
                    memory.seek(start)
                    found += memory.read(end - start)
    assert b"agent-proxy" in found
    return found


def test_raw_passes_bytes_on_unread(agent_probe, folder):
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / "raw"))
    server.listen()

    def answer():
        with contextlib.suppress(OSError):
            connection, _ = server.accept()
            said = b""
            while piece := connection.recv(4096):
                said += piece
            connection.sendall(b"you said: " + said)
            connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        lines = run_step(agent_probe, "agent-probe echo 'not of that protocol'", "--ssh", f"default={folder}/raw,raw=true")
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)
    assert lines == ["you said: not of that protocol"]


def test_check_asks_no_agent(agent_probe):
    agent_probe.build(BASE + "RUN --mount=type=ssh,required true\n", "--check", "--fail-on=error", "--ssh=default")
    result = agent_probe.build(BASE + "RUN --mount=type=ssh,source=x true\n", "--check", check=2)
    assert "'source' is not allowed" in result.err
