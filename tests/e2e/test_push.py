# SPDX-License-Identifier: MIT
"""Images into registries: Debian's docker-registry on loopback, with and without TLS and users."""

import base64
import fcntl
import hashlib
import json
import os
import pty
import select
import signal
import socket
import subprocess
import termios
import time

import pytest

import image_make
from conftest import cannot_run, need_program
from registry_server import Authority, RegistryServer, find_program
from token_server import TokenServer

PASSWORD = "pass-word-that-must-not-be-shown"
IDENTITY = "identity-token-that-must-not-be-shown"


@pytest.fixture(scope="module", autouse=True)
def programs():
    if find_program() is None:
        cannot_run("docker-registry is not installed")
    need_program("skopeo")
    need_program("openssl")


@pytest.fixture(scope="module")
def registry():
    with RegistryServer() as server:
        yield server


@pytest.fixture(scope="module")
def authority(session_folder):
    return Authority(session_folder / "authority")


@pytest.fixture(scope="module")
def private(authority):
    """With TLS and passwords."""
    with RegistryServer(certificate=authority.issue("private"), users={"ann": PASSWORD}) as server:
        yield server


@pytest.fixture
def home(fresh):
    """A home folder of the test's own, where credentials and certificates are looked for."""
    folder = fresh.folder / "home"
    folder.mkdir()
    return folder


def at(home):
    return {"HOME": str(home)}


def app(fresh, *args, layers=2, **more):
    steps = "".join(f"RUN head -c 3000000 /dev/urandom >/file{n}\n" for n in range(layers))
    return fresh.build("FROM busybox:1\n" + steps, *args, **more)


def skopeo(*args):
    done = subprocess.run(["skopeo", *map(str, args)], check=True, capture_output=True, text=True)
    return done.stdout


def inspect(name):
    return json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{name}"))


def log_in(fresh, server, home, user="ann", password=PASSWORD, **more):
    return fresh("login", "-u", user, "--password-stdin", server.host, stdin=password.encode() + b"\n",
                 env=at(home), **more)


def test_push_prints_the_digest_that_the_registry_has(fresh, registry):
    app(fresh, "-t", registry.ref("push/app:1"))
    digest = fresh("push", registry.ref("push/app:1")).out.strip()
    seen = inspect(registry.ref("push/app:1"))
    assert seen["Digest"] == digest and len(seen["Layers"]) == 3


def test_what_was_pushed_is_pulled_unchanged(fresh, registry):
    app(fresh, "-t", "app:1")
    digest = fresh("push", "app:1", registry.ref("push/same:1")).out.strip()
    again = fresh("pull", registry.ref("push/same:1"), env={"SAFEBUILD_ROOT": str(fresh.folder / "other")})
    assert again.out.strip() == digest
    names = {path.name for path in (fresh.folder / "other/blobs/sha256").iterdir()}
    for path in (fresh.folder / "other/blobs/sha256").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert len(names) == 5


def test_several_names_at_once(fresh, registry):
    app(fresh, "-t", "app:1")
    names = [registry.ref(name) for name in ("push/many:1", "push/many:2", "push/other:3")]
    digest = fresh("push", "app:1", *names).out.strip()
    assert {inspect(name)["Digest"] for name in names} == {digest}


def test_what_the_registry_has_is_not_sent_again(fresh, registry):
    app(fresh, "-t", registry.ref("push/again:1"))
    fresh("push", registry.ref("push/again:1"))
    before = len(registry.requests())
    fresh("push", registry.ref("push/again:1"))
    later = registry.requests()[before:]
    assert {method for method, _, _ in later} == {"HEAD", "PUT"}


def test_layers_of_another_repository_are_taken_over(fresh, registry):
    """The base comes from the registry, so that its layer is there."""
    fresh("tag", "busybox:1", registry.ref("mount/base:1"))
    fresh("push", registry.ref("mount/base:1"))
    fresh.build(f"FROM {registry.ref('mount/base:1')}\nRUN echo hi >/hi\n", "-t", registry.ref("mount/app:1"))
    before = len(registry.requests())
    fresh("push", registry.ref("mount/app:1"))
    later = registry.requests()[before:]
    mounts = [status for method, path, status in later if method == "POST" and "from=mount%2Fbase" in path]
    assert mounts == [201]


def test_in_pieces(fresh, registry):
    app(fresh, "-t", registry.ref("push/pieces:1"))
    before = len(registry.requests())
    digest = fresh("push", "--chunk-size", "1m", registry.ref("push/pieces:1")).out.strip()
    patches = [path for method, path, _ in registry.requests()[before:] if method == "PATCH"]
    assert len(patches) >= 6 and inspect(registry.ref("push/pieces:1"))["Digest"] == digest


@pytest.mark.parametrize("output", ["type=registry,name={}", "type=image,name={},push=true"])
def test_a_build_that_ends_in_a_registry(fresh, registry, output):
    name = registry.ref("push/output:1")
    result = app(fresh, "-o", output.format(name), "--iidfile", fresh.folder / "iid")
    assert inspect(name)["Digest"] == (fresh.folder / "iid").read_text()
    assert "registry: " + name in result.err
    assert "push/output" not in fresh("images").out


def test_build_push_takes_the_tags(fresh, registry):
    names = [registry.ref("push/tags:1"), registry.ref("push/tags:2")]
    app(fresh, "-t", names[0], "-t", names[1], "--push")
    assert inspect(names[0])["Digest"] == inspect(names[1])["Digest"]


def test_push_without_a_name_is_refused_before_the_build(fresh):
    result = fresh.build("FROM busybox:1\nRUN echo it-ran\n", "--push", check=2)
    assert "no name to be pushed to" in result.err and "it-ran" not in result.text


def test_all_compressions_and_docker_types(fresh, registry):
    for form in ("gzip", "zstd", "uncompressed"):
        name = registry.ref(f"push/{form}:1")
        app(fresh, "-o", f"type=registry,name={name},compression={form}", layers=1)
        assert len(fresh.image(f"FROM {name}\n").read("file0")) == 3000000
    target = fresh.folder / "docker.tar"
    app(fresh, "-o", f"type=docker,dest={target}", layers=1)
    name = registry.ref("push/docker:1")
    skopeo("copy", "--dest-tls-verify=false", "--format=v2s2", f"docker-archive:{target}", f"docker://{name}")
    digest = fresh("pull", name).out.strip()
    fresh("push", name, registry.ref("push/docker-again:1"))
    assert inspect(registry.ref("push/docker-again:1"))["Digest"] == digest


def test_an_index_of_two_platforms(fresh, registry):
    """An index that lies in the store as other tools put it there."""
    layout = fresh.store
    digests = []
    for platform in ("linux/amd64", "linux/arm64"):
        fresh.build("FROM scratch\nCOPY f /f\n", "--platform", platform, "-t", "one:" + platform.split("/")[1],
                    "--iidfile", fresh.folder / "iid", files={"f": platform})
        digests.append((fresh.folder / "iid").read_text())
    manifests = [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest,
         "size": (layout / "blobs/sha256" / digest[7:]).stat().st_size,
         "platform": {"os": "linux", "architecture": architecture}}
        for digest, architecture in zip(digests, ("amd64", "arm64"))]
    index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                        "manifests": manifests}).encode()
    digest = "sha256:" + hashlib.sha256(index).hexdigest()
    (layout / "blobs/sha256" / digest[7:]).write_bytes(index)
    top = json.loads((layout / "index.json").read_text())
    top["manifests"].append({
        "mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": len(index),
        "annotations": {"org.opencontainers.image.ref.name": "docker.io/library/both:1"}})
    (layout / "index.json").write_text(json.dumps(top))
    name = registry.ref("push/both:1")
    assert fresh("push", "both:1", name).out.strip() == digest
    raw = json.loads(skopeo("inspect", "--tls-verify=false", "--raw", f"docker://{name}"))
    assert [m["digest"] for m in raw["manifests"]] == digests
    other = {"SAFEBUILD_ROOT": str(fresh.folder / "other")}
    assert fresh("pull", "--platform", "linux/arm64", name, env=other).out.strip() == digests[1]


def test_the_record_of_a_verification_goes_along(fresh, registry):
    name = registry.ref("push/attested:1")
    secret = fresh.file("token", "correct-horse-battery-staple")
    app(fresh, "--secret", f"id=t,src={secret}", "-o", f"type=registry,name={name},attest=true")
    raw = json.loads(skopeo("inspect", "--tls-verify=false", "--raw", f"docker://{name}"))
    kinds = [m.get("annotations", {}).get("vnd.docker.reference.type") for m in raw["manifests"]]
    assert kinds == [None, "attestation-manifest"]
    assert len(fresh.image(f"FROM {name}\n", env={"SAFEBUILD_ROOT": str(fresh.folder / "other")}).read("file1")) == 3000000


def test_an_image_with_a_secret_goes_nowhere(fresh, registry):
    secret = fresh.file("token", "correct-horse-battery-staple")
    text = "FROM busybox:1\nRUN --mount=type=secret,id=t cp /run/secrets/t /kept\n"
    name = registry.ref("push/leaky:1")
    before = len(registry.requests())
    fresh.build(text, "--secret", f"id=t,src={secret}", "-t", name, "--push", check=1)
    assert len(registry.requests()) == before


def test_what_the_store_lacks_is_said(fresh, registry):
    app(fresh, "-t", "app:1", "--iidfile", fresh.folder / "iid")
    manifest = json.loads((fresh.store / "blobs/sha256" / (fresh.folder / "iid").read_text()[7:]).read_text())
    digest = manifest["layers"][-1]["digest"]
    (fresh.store / "blobs/sha256" / digest[7:]).unlink()
    result = fresh("push", "app:1", registry.ref("push/lacks:1"), check=3)
    assert digest in result.err and "lacks" in result.err
    assert "not in the store" not in fresh("images").out


def test_unknown_images_and_names_are_refused(fresh, registry):
    assert "nothing:1" in fresh("push", "nothing:1", registry.ref("a/b:1"), check=3).err
    assert "UPPER" in fresh("push", "busybox:1", "a/UPPER:1", check=2).err


def test_the_same_twice_at_once(fresh, registry):
    name = registry.ref("push/twice:1")
    app(fresh, "-t", name, layers=4)
    pushes = [fresh.start("push", name) for _ in range(3)]
    outputs = [push.communicate(timeout=60) for push in pushes]
    digests = {out for out, _ in outputs}
    assert len(digests) == 1 and all(push.returncode == 0 for push in pushes), "\n".join(err.decode()[-700:] for _, err in outputs)
    other = {"SAFEBUILD_ROOT": str(fresh.folder / "other")}
    pulls = [fresh.start("pull", name, env=other) for _ in range(3)]
    assert {pull.communicate(timeout=60)[0] for pull in pulls} == digests
    assert all(pull.returncode == 0 for pull in pulls)
    assert not list((fresh.folder / "other/tmp").glob("*"))


@pytest.mark.parametrize("verb", ["push", "login", "pull"])
def test_a_server_that_says_nothing_can_be_left(fresh, home, verb):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        host = f"127.0.0.1:{server.getsockname()[1]}"
        words = {"push": ["push", "busybox:1", f"{host}/a:1"], "pull": ["pull", f"{host}/a:1"],
                 "login": ["login", "-u", "ann", "--password-stdin", host]}[verb]
        process = fresh.start(*words, env=at(home), stdin=subprocess.PIPE)
        process.stdin.write(PASSWORD.encode())
        process.stdin.close()
        process.stdin = None
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 130
        assert PASSWORD.encode() not in out + err


def on_terminal(fresh, home, *words):
    """The program with a terminal of its own, whose other end is returned too."""
    ours, theirs = pty.openpty()

    def become_session_leader():
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    process = fresh.start(*words, env=at(home), stdin=theirs, preexec_fn=become_session_leader)
    os.close(theirs)
    return process, ours


def wait_for(terminal, words):
    seen = b""
    deadline = time.monotonic() + 20
    while words not in seen:
        ready, _, _ = select.select([terminal], [], [], deadline - time.monotonic())
        assert ready, seen
        seen += os.read(terminal, 1000)
    return seen


def test_login_asks_on_the_terminal_and_does_not_show_the_password(fresh, private, authority, home):
    authority.trust(home, private.host)
    process, terminal = on_terminal(fresh, home, "login", private.host)
    wait_for(terminal, b"User name: ")
    os.write(terminal, b"ann\n")
    wait_for(terminal, b"Password: ")
    os.write(terminal, PASSWORD.encode() + b"\n")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    rest = b""
    while select.select([terminal], [], [], 0.1)[0]:
        try:
            rest += os.read(terminal, 1000)
        except OSError:
            break
    assert PASSWORD.encode() not in rest + err
    fresh("push", "busybox:1", private.ref("asked:1"), env=at(home))


def test_login_that_is_left_gives_the_terminal_its_echo_back(fresh, home):
    process, terminal = on_terminal(fresh, home, "login", "-u", "ann", "127.0.0.1:1")
    wait_for(terminal, b"Password: ")
    assert not termios.tcgetattr(terminal)[3] & termios.ECHO
    os.write(terminal, b"\x03")
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert termios.tcgetattr(terminal)[3] & termios.ECHO
    os.close(terminal)


def test_login_push_and_pull_with_tls_and_password(fresh, private, authority, home):
    authority.trust(home, private.host)
    app(fresh, "-t", private.ref("app:1"))
    refused = fresh("push", private.ref("app:1"), env=at(home), check=3)
    assert f"safebuild login {private.host}" in refused.err
    log_in(fresh, private, home)
    config = home / ".docker/config.json"
    assert config.stat().st_mode & 0o777 == 0o600
    digest = fresh("push", private.ref("app:1"), env=at(home)).out.strip()
    other = {**at(home), "SAFEBUILD_ROOT": str(fresh.folder / "other")}
    assert fresh("pull", private.ref("app:1"), env=other).out.strip() == digest
    fresh("logout", private.host, env=at(home))
    assert "ann" not in config.read_text() and PASSWORD not in config.read_text()
    assert fresh("pull", private.ref("app:1"), env=other, check=3)
    assert "not logged in" in fresh("logout", private.host, env=at(home), check=3).err


def test_a_base_of_a_private_registry(fresh, private, authority, home):
    authority.trust(home, private.host)
    log_in(fresh, private, home)
    fresh("push", "busybox:1", private.ref("base:1"), env=at(home))
    image = fresh.image(f"FROM {private.ref('base:1')}\n", env=at(home))
    assert image.read("etc/passwd") == image_make.PASSWD.encode()


def test_a_wrong_password_is_refused_and_not_kept(fresh, private, authority, home):
    authority.trust(home, private.host)
    result = log_in(fresh, private, home, password="wrong-password-of-mine", check=3)
    assert "wrong-password-of-mine" not in result.text and private.host in result.err
    assert not (home / ".docker").exists()


def test_an_unknown_authority_is_refused(fresh, private, home):
    (home / ".config/containers/certs.d" / private.host).mkdir(parents=True)
    other = Authority(fresh.folder / "other-authority")
    other.trust(home, private.host)
    result = log_in(fresh, private, home, check=3)
    assert "certificate" in result.err and PASSWORD not in result.text


def test_tls_without_a_certificate_for_it_is_explained(fresh, private, home):
    assert "certs.d" in fresh("pull", private.ref("app:1"), env=at(home), check=3).err


def test_a_client_certificate_is_shown_to_the_registry_alone(fresh, authority, home):
    certificate = authority.issue("strict")
    with RegistryServer(certificate=certificate, client_authority=authority) as server:
        folder = authority.trust(home, server.host)
        assert fresh("push", "busybox:1", server.ref("a:1"), env=at(home), check=3)
        client = authority.issue("client")
        (folder / "client.cert").write_bytes(client[0].read_bytes())
        assert "client.key" in fresh("push", "busybox:1", server.ref("a:1"), env=at(home), check=2).err
        (folder / "client.key").write_bytes(client[1].read_bytes())
        fresh("push", "busybox:1", server.ref("a:1"), env=at(home))


def credentials_in(path, host, **entry):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": {host: entry}}))
    return path


@pytest.fixture
def tokens(fresh):
    with TokenServer(fresh.folder / "tokens", users={"ann": PASSWORD}, identity_tokens={IDENTITY: "ann"}) as server:
        yield server


def test_tokens_by_password(fresh, tokens, home):
    with RegistryServer(token_server=tokens) as server:
        app(fresh, "-t", server.ref("team/app:1"))
        assert fresh("push", server.ref("team/app:1"), env=at(home), check=3)
        assert log_in(fresh, server, home, password="wrong", check=3)
        log_in(fresh, server, home)
        fresh("push", server.ref("team/app:1"), env=at(home))
        assert tokens.asked[-1] == {"user": "ann", "scopes": ["repository:team/app:pull,push"], "how": "GET"}
        other = {**at(home), "SAFEBUILD_ROOT": str(fresh.folder / "other")}
        result = fresh("pull", "--progress=plain", server.ref("team/app:1"), env=other)
        assert tokens.asked[-1]["scopes"] == ["repository:team/app:pull"]
        assert PASSWORD not in result.text and tokens.issued[-1] not in result.text


def test_tokens_by_identity_token(fresh, tokens, home):
    with RegistryServer(token_server=tokens) as server:
        credentials_in(home / ".docker/config.json", server.host, identitytoken=IDENTITY)
        fresh("push", "busybox:1", server.ref("team/app:1"), env=at(home))
        assert tokens.asked[-1]["how"] == "POST" and tokens.asked[-1]["user"] == "ann"
        credentials_in(home / ".docker/config.json", server.host, identitytoken="run-out-token")
        result = fresh("push", "busybox:1", server.ref("team/app:2"), env=at(home), check=3)
        assert "run-out-token" not in result.text


def test_tokens_that_run_out_are_renewed(fresh, session_folder, home):
    """docker-registry takes a token for a minute more than it lives, so the renewal is seen on the server."""
    with TokenServer(fresh.folder / "short", users={"ann": PASSWORD}, life_s=1) as tokens:
        with RegistryServer(token_server=tokens) as server:
            log_in(fresh, server, home)
            app(fresh, "-t", server.ref("team/app:1"), layers=6)
            before = len(tokens.asked)
            fresh("push", "--chunk-size", "1m", server.ref("team/app:1"), env=at(home))
            assert len(tokens.asked) > before


def test_credentials_are_found_where_docker_and_podman_keep_them(fresh, private, authority, home):
    authority.trust(home, private.host)
    auth = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
    wrong = base64.b64encode(b"ann:another").decode()
    runtime = fresh.folder / "runtime"
    docker = fresh.folder / "docker"
    named = fresh.folder / "named.json"
    places = [
        (home / ".docker/config.json", {}),
        (home / ".config/containers/auth.json", {}),
        (runtime / "containers/auth.json", {"XDG_RUNTIME_DIR": str(runtime)}),
        (docker / "config.json", {"DOCKER_CONFIG": str(docker)}),
        (named, {"REGISTRY_AUTH_FILE": str(named)}),
    ]
    for n, (path, env) in enumerate(places):
        for key in (private.host, f"https://{private.host}/v1/", f"{private.host}/team"):
            credentials_in(path, key, auth=auth)
            fresh("push", "busybox:1", private.ref(f"team/place{n}:1"), env={**at(home), **env})
        path.unlink()
    credentials_in(home / ".docker/config.json", private.host, auth=wrong)
    credentials_in(named, private.host, auth=auth)
    fresh("push", "--authfile", named, "busybox:1", private.ref("team/file:1"), env=at(home))
    both = {"auths": {private.host: {"auth": wrong}, f"{private.host}/team": {"auth": auth}}}
    named.write_text(json.dumps(both))
    fresh("push", "--authfile", named, "busybox:1", private.ref("team/longest:1"), env=at(home))
    assert fresh("push", "--authfile", named, "busybox:1", private.ref("teams/not:1"), env=at(home), check=3)


HELPER = """#!/bin/sh
echo "$1" >>"{log}"
cat >"{folder}/input"
case $1 in
get)
    if [ -e "{folder}/kept" ]; then cat "{folder}/kept"
    else echo "credentials not found in native keychain"; exit 1; fi ;;
store) cp "{folder}/input" "{folder}/kept" ;;
erase) rm -f "{folder}/kept" ;;
esac
"""


@pytest.mark.parametrize("is_store", [False, True])
def test_a_credential_helper_keeps_them(fresh, private, authority, home, is_store):
    authority.trust(home, private.host)
    folder = fresh.folder / "helper"
    folder.mkdir()
    program = folder / "docker-credential-test"
    program.write_text(HELPER.format(log=folder / "log", folder=folder))
    program.chmod(0o755)
    config = home / ".docker/config.json"
    config.parent.mkdir()
    settings = {"credsStore": "test"} if is_store else {"credHelpers": {private.host: "test"}}
    config.write_text(json.dumps({**settings, "other": {"kept": True}}))
    env = {**at(home), "PATH": f"{folder}:/usr/bin:/bin"}
    fresh("login", "-u", "ann", "--password-stdin", private.host, stdin=PASSWORD.encode(), env=env)
    assert json.loads((folder / "kept").read_text()) == {
        "ServerURL": private.host, "Username": "ann", "Secret": PASSWORD}
    assert PASSWORD not in config.read_text() and json.loads(config.read_text())["other"] == {"kept": True}
    fresh("push", "busybox:1", private.ref("helped:1"), env=env)
    fresh("logout", private.host, env=env)
    assert not (folder / "kept").exists()
    program.write_text("#!/bin/sh\necho no such luck >&2\nexit 7\n")
    result = fresh("push", "busybox:1", private.ref("helped:2"), env=env, check=3)
    assert "docker-credential-test" in result.err and "no such luck" in result.err


def test_no_credential_is_in_the_store_or_the_arguments(fresh, private, authority, home):
    authority.trust(home, private.host)
    log_in(fresh, private, home)
    app(fresh, "-t", private.ref("app:9"), "--push", env=at(home))
    for path in fresh.store.rglob("*"):
        if path.is_file() and path.parent.name == "sha256":
            assert PASSWORD.encode() not in path.read_bytes()
    result = fresh("login", "-u", "ann", "-p", PASSWORD, private.host, env=at(home), check=2)
    assert "--password-stdin" in result.err and PASSWORD not in result.err


def test_broken_files_of_credentials_are_named_and_not_shown(fresh, private, authority, home):
    authority.trust(home, private.host)
    config = home / ".docker/config.json"
    config.parent.mkdir()
    for text in ('{"auths": {"' + private.host + '": {"auth": "' + PASSWORD + '"}}}', PASSWORD, "[]", '{"a":1}{'):
        config.write_text(text)
        result = fresh("push", "busybox:1", private.ref("broken:1"), env=at(home), check=3)
        assert str(config) in result.err and PASSWORD not in result.text
