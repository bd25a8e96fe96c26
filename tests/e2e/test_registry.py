# SPDX-License-Identifier: MIT
"""Bases from a registry: an honest server on loopback, and one that lies in every way."""

import base64
import gzip
import hashlib
import json
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import image_make
import lying_registry
from conftest import IS_ROOT, cannot_run, need_program
from registry_server import RegistryServer, find_program

LAYER = image_make.make_tar({"etc/from-registry": b"x" * 5000, "dir": None})


@pytest.fixture(scope="module")
def registry(sb, session_folder):
    """Debian's docker-registry with busybox:1 and library/deep/name:tag."""
    if find_program() is None:
        cannot_run("docker-registry is not installed")
    need_program("skopeo")
    layout = session_folder / "for-registry"
    sb.build("FROM busybox:1\n", "-t", "image:tag", "-o", f"type=oci,dest={layout},tar=false")
    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    tag = entry["annotations"]["org.opencontainers.image.ref.name"]
    with RegistryServer() as server:
        server.push_layout(layout, tag, "busybox:1")
        server.push_layout(layout, tag, "library/deep/name:tag")
        yield server


def test_a_base_from_a_registry(fresh, registry):
    image = fresh.image(f"FROM {registry.ref('busybox:1')}\nRUN echo hi >/hi\n")
    assert image.read("hi") == b"hi\n" and image.read("etc/passwd") == image_make.PASSWD.encode()


def test_pull_shows_in_images_and_needs_the_registry_no_more(fresh, session_folder, registry):
    name = registry.ref("library/deep/name:tag")
    fresh("pull", name)
    assert registry.ref("library/deep/name") in fresh("images").out
    registry_is_asked = fresh.build(f"FROM {name}\nRUN true\n", "--progress=json")
    assert not [event for event in registry_is_asked.events if event["event"] == "transfer"]


def test_a_base_by_its_digest(fresh, registry):
    command = ["skopeo", "inspect", "--tls-verify=false", f"docker://{registry.ref('busybox:1')}"]
    digest = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["Digest"]
    assert fresh.image(f"FROM {registry.ref('busybox')}@{digest}\n").read("etc/group")
    wrong = "sha256:" + "0" * 64
    result = fresh.build(f"FROM {registry.ref('busybox')}@{wrong}\n", check=None)
    assert result.status in (1, 3)
    assert "busybox@" in result.err and "Buildfile:1" in result.err


def test_a_tag_that_the_registry_does_not_have(fresh, registry):
    result = fresh.build(f"FROM {registry.ref('busybox:nope')}\n", check=None)
    assert result.status in (1, 3)
    assert "busybox:nope" in result.err and "Buildfile:1" in result.err


def test_copy_from_an_image_of_a_registry(fresh, registry):
    image = fresh.image(f"FROM scratch\nCOPY --from={registry.ref('busybox:1')} /etc/passwd /p\n")
    assert image.read("p") == image_make.PASSWD.encode()


def test_inspect_reads_an_image_of_a_registry(fresh, registry):
    report = json.loads(fresh("inspect", "--json", "docker://" + registry.ref("busybox:1")).out)
    assert report["image"]["name"] == registry.ref("busybox:1")
    assert len(report["layers"]) == 1


HARMLESS = {"busy-once", "layer-resets-once", "layer-resets-once-no-ranges", "wants-token"}
LONG = {"layer-stalls", "layer-drips", "busy-always", "layer-resets-always"}
ELSEWHERE = {"layer-elsewhere"}


@pytest.mark.parametrize("fault", [None, *sorted(HARMLESS)])
def test_what_a_pull_recovers_from(fresh, fault):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER), fault) as lies:
        assert fresh.image(f"FROM {lies.ref}\nLABEL a=b\n").read("etc/from-registry") == b"x" * 5000


@pytest.mark.parametrize("fault", sorted(set(lying_registry.FAULTS) - HARMLESS - LONG - ELSEWHERE))
def test_what_a_pull_refuses(fresh, fault):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER), fault) as lies:
        result = fresh.build(f"FROM {lies.ref}\nLABEL a=b\n", "-t", "lied:1", check=None)
    assert result.status in (1, 3), repr(result)
    assert lies.host in result.err and "Buildfile:1" in result.err
    assert lying_registry.TOKEN not in result.text
    listed = fresh("images").out
    assert "lied" not in listed and lies.host not in listed


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["busy-always", "layer-resets-always", "layer-drips"])
def test_what_a_pull_gives_up_on(fresh, fault):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER), fault) as lies:
        fresh.build(f"FROM {lies.ref}\nLABEL a=b\n", check=3, timeout=300)


def test_a_pull_that_hangs_can_be_interrupted(fresh):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER), "layer-stalls") as lies:
        process = fresh.start("pull", lies.ref)
        time.sleep(1)
        process.terminate()
        process.communicate(timeout=20)
        assert process.returncode != 0


OTHERS = [image_make.make_tar({f"other/{n}": bytes([n]) * 100000}) for n in range(6)]


@pytest.mark.parametrize("fault", ["layer-truncated", "layer-changed", "layer-oversized", "layer-missing"])
def test_one_bad_layer_of_many_leaves_nothing_half_made(fresh, fault):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER, others=OTHERS), fault) as lies:
        fresh("pull", lies.ref, check=3)
        manifest = lying_registry.digest_of(lies.image.manifest())
    assert not list((fresh.store / "tmp").glob("*"))
    blobs = {path.name: path for path in (fresh.store / "blobs/sha256").iterdir()}
    assert manifest[7:] not in blobs
    for name, path in blobs.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == name


def test_layers_come_side_by_side_and_once(fresh):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER, others=OTHERS)) as honest:
        fresh("pull", honest.ref)
        again = len(honest.paths)
        fresh("pull", honest.ref)
        assert len(honest.paths) == again + 1
        assert len(set(honest.paths[:again])) == again


class _Elsewhere(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.seen.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", str(len(LAYER)))
        self.end_headers()
        self.wfile.write(LAYER)


@pytest.fixture
def elsewhere():
    server = ThreadingHTTPServer(("127.0.0.2", 0), _Elsewhere)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


PASSWORD = "pass-word-that-must-not-be-shown"


def logged_in(fresh, host):
    """Credentials as docker keeps them."""
    auth = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
    path = fresh.folder / "home/.docker/config.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return {"HOME": str(fresh.folder / "home")}, auth


def test_no_credential_follows_a_redirect(fresh, elsewhere):
    host = f"127.0.0.2:{elsewhere.server_address[1]}"
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER), "layer-elsewhere", elsewhere=host) as lies:
        env, auth = logged_in(fresh, lies.host)
        result = fresh("pull", lies.ref, env=env)
        assert any(headers.get("Authorization") == f"Basic {auth}" for headers in lies.headers)
    assert len(elsewhere.seen) == 1 and "Authorization" not in elsewhere.seen[0]
    assert auth not in str(elsewhere.seen) and "hidden-key" not in result.text


def test_a_password_that_is_sent_back_is_not_shown(fresh):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER), "wants-password-and-echoes-it") as lies:
        env, auth = logged_in(fresh, lies.host)
        for progress in ("plain", "json", "quiet"):
            result = fresh("pull", "--progress", progress, lies.ref, env=env, check=3)
            assert PASSWORD not in result.text and auth not in result.text and lies.host in result.text


@pytest.mark.parametrize("is_right", [True, False])
def test_a_layer_that_unpacks_to_a_thousand_times_its_size(fresh, is_right):
    tar = image_make.make_tar({"zeros": bytes(200 << 20)})
    layer = gzip.compress(tar, 9)
    assert len(tar) > 900 * len(layer)
    diff_id = lying_registry.digest_of(tar if is_right else b"another")
    del tar
    with lying_registry.LyingRegistry(lying_registry.Image(layer, diff_id=diff_id)) as bomb:
        result = fresh.build(f"FROM {bomb.ref}\nLABEL a=b\n", check=None)
    assert result.status == (0 if is_right else 3), repr(result)
    if not is_right:
        assert "unpacks to" in result.err and bomb.host not in fresh("images").out


def settings(fresh, text):
    path = fresh.folder / "registries.conf"
    path.write_text(text)
    return {"CONTAINERS_REGISTRIES_CONF": str(path)}


def test_mirrors_are_asked_first_and_named_last(fresh):
    image = lying_registry.Image(LAYER)
    with lying_registry.LyingRegistry(image) as mirror, lying_registry.LyingRegistry(image, "busy-once") as dead:
        text = f"""
            [[registry]]
            prefix = "example.invalid/team"
            location = "{dead.host}/lie"
            [[registry.mirror]]
            location = "127.0.0.1:1/nobody"
            [[registry.mirror]]
            location = "{mirror.host}/lie"
            """
        env = settings(fresh, text)
        result = fresh("pull", "example.invalid/team/image:1", env=env)
        assert result.out.strip() == lying_registry.digest_of(image.manifest())
        assert mirror.paths and not dead.paths
        assert "example.invalid/team/image" in fresh("images").out
    fresh("rm", "example.invalid/team/image:1")
    failed = fresh("pull", "example.invalid/team/other:1", env=env, check=3)
    assert "example.invalid/team/other" in failed.err


def test_a_broken_mirror_does_not_end_a_pull(fresh):
    image = lying_registry.Image(LAYER)
    for fault in ("layer-changed", "manifest-missing", "wants-password", "manifest-truncated-json"):
        with lying_registry.LyingRegistry(image, fault) as bad, lying_registry.LyingRegistry(image) as good:
            text = f'[[registry]]\nprefix = "r.invalid/lie"\nlocation = "{good.host}/lie"\n' \
                   f'[[registry.mirror]]\nlocation = "{bad.host}/lie"\n'
            root = {"SAFEBUILD_ROOT": str(fresh.folder / fault)}
            fresh("pull", "r.invalid/lie/image:1", env={**settings(fresh, text), **root})
            assert bad.paths and good.paths


def test_a_blocked_registry_is_not_asked(fresh):
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER)) as registry:
        env = settings(fresh, f'[[registry]]\nlocation = "{registry.host}"\nblocked = true\n')
        result = fresh.build(f"FROM {registry.ref}\n", env=env, check=None)
        assert result.status in (1, 3) and "blocks" in result.err and not registry.paths
        assert "blocks" in fresh("push", "busybox:1", registry.ref, env=env, check=3).err


def test_short_names_are_searched_where_it_is_settled(fresh):
    image = lying_registry.Image(LAYER)
    with lying_registry.LyingRegistry(image, "manifest-missing") as first, lying_registry.LyingRegistry(image) as second:
        env = settings(fresh, f'unqualified-search-registries = ["{first.host}", "{second.host}"]\n')
        result = fresh.image("FROM lie/image:1\n", env=env)
        assert result.read("etc/from-registry") == b"x" * 5000
        assert f"{second.host}/lie/image" in fresh("images").out
        asked = len(second.paths)
        fresh.image("FROM lie/image:1\n", env=env)
        assert len(second.paths) == asked


def test_aliases_of_short_names(fresh):
    """As podman reads them: in registries.conf and its drop-ins, and what podman keeps of its questions."""
    image = lying_registry.Image(LAYER)
    with lying_registry.LyingRegistry(image) as registry, lying_registry.LyingRegistry(image) as second:
        home = fresh.folder / "home"
        drop_ins = home / ".config/containers/registries.conf.d"
        answers = home / ".cache/containers/short-name-aliases.conf"
        for path, alias in ((drop_ins / "000-shortnames.conf", f'"lie" = "{registry.host}/lie/image"'), (answers, "")):
            path.parent.mkdir(parents=True)
            path.write_text(f"[aliases]\n{alias}\n")
        env = {"HOME": str(home)}
        result = fresh.image("FROM lie:1\n", env=env)
        assert result.read("etc/from-registry") == b"x" * 5000 and registry.paths
        assert f"{registry.host}/lie/image" in fresh("images").out
        fresh("pull", "lie:1", env=env)
        answers.write_text(f'[aliases]\nlie = "{second.host}/lie/image"\n')
        fresh("pull", "lie:1", env=env)
        assert second.paths
        answers.write_text("[aliases]\nlie = 'nothing'\n")
        assert "short-name-aliases.conf': the alias 'lie'" in fresh("pull", "lie:1", env=env, check=2).err


def test_a_name_of_the_store_stands_before_aliases_and_searches(fresh):
    path = fresh.folder / "registries.conf"
    for text in ('[aliases]\nbusybox = "127.0.0.1:1/x/y"\n', 'unqualified-search-registries = ["127.0.0.1:1"]\n'):
        path.write_text(text)
        fresh.build("FROM busybox:1\nENV a=1\n", env={"CONTAINERS_REGISTRIES_CONF": str(path)})


def test_wrong_settings_are_named_with_their_line(fresh):
    env = settings(fresh, "a = 1\nb = [\n")
    result = fresh("pull", "127.0.0.1:1/a", env=env, check=2)
    assert "registries.conf" in result.err and "line 3" in result.err


def test_http_elsewhere_only_where_it_is_settled(fresh):
    """A name that is this machine's and no loopback address."""
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER)) as registry:
        name = f"{registry.host.replace('127.0.0.1', 'foo.localhost')}/lie/image:1"
        assert fresh("pull", name, check=3)
        env = settings(fresh, f'[[registry]]\nlocation = "{name.split("/")[0]}"\ninsecure = true\n')
        fresh("pull", name, env=env)


@pytest.mark.parametrize("n", [0, 1, 9])
def test_layers_that_the_config_does_not_count(fresh, n):
    """Fewer and more than the manifest has."""
    image = lying_registry.Image(LAYER, others=OTHERS)
    config = json.loads(image.config)
    config["rootfs"]["diff_ids"] = (config["rootfs"]["diff_ids"] * 9)[:n]
    image.config = lying_registry.to_json(config)
    with lying_registry.LyingRegistry(image) as lies:
        result = fresh.build(f"FROM {lies.ref}\nLABEL a=b\n", check=3)
    assert "Buildfile:1" in result.err and f"7 layers, the config names {n}" in result.err


class LastLayerLies(lying_registry.Image):
    """The layer with which something is wrong lies on the others."""

    def __init__(self, layer, others):
        super().__init__(layer, others=others)
        config = json.loads(self.config)
        diff_ids = config["rootfs"]["diff_ids"]
        diff_ids.append(diff_ids.pop(0))
        self.config = lying_registry.to_json(config)

    def manifest(self):
        manifest = json.loads(super().manifest())
        manifest["layers"].append(manifest["layers"].pop(0))
        return lying_registry.to_json(manifest)


def unpacked_layers(sb):
    """The hex digits of their diff_ids; the folders belong to subordinate ids."""
    inside = [] if IS_ROOT else ["unshare", "--user", "--map-auto", "--map-root-user"]
    command = [*inside, "find", sb.store, "-path", "*/layers/*", "-maxdepth", "4", "-printf", "%f\\n"]
    return set(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split())


def test_layers_are_unpacked_while_others_come(fresh):
    others = [image_make.make_tar({f"first{n}": b"x" * 100, "gone": b"y"}) for n in range(2)]
    top = image_make.make_tar({"top": b"z" * 100000, ".wh.gone": b""})
    wanted = {lying_registry.digest_of(other)[7:] for other in others}
    with lying_registry.LyingRegistry(LastLayerLies(top, others), "layer-stalls") as registry:
        build = fresh.start("--progress=plain", fresh.context(), "-f", "-",
                            stdin=subprocess.PIPE)
        build.stdin.write(f"FROM {registry.ref}\n".encode())
        build.stdin.close()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not wanted <= unpacked_layers(fresh):
            time.sleep(0.05)
        assert build.poll() is None and wanted <= unpacked_layers(fresh)
        build.send_signal(signal.SIGINT)
        assert build.wait(20) == 130, build.stderr.read()
        build.stdout.close()
        build.stderr.close()
    with lying_registry.LyingRegistry(LastLayerLies(top, others)) as registry:
        image = fresh.image(f"FROM {registry.ref}\nCOPY --from={registry.ref} /first0 /again\n")
        assert image.read("first1") == b"x" * 100 and "gone" not in image.files() and image.read("top")[:1] == b"z"
    # What does not unpack ends the pull at once, also while the rest still comes.
    lies = LastLayerLies(top, others)
    lies.config = lies.config.replace(lying_registry.digest_of(others[0]).encode(), ("sha256:" + "0" * 64).encode())
    with lying_registry.LyingRegistry(lies, "layer-stalls") as registry:
        began = time.monotonic()
        assert "unpacks to" in fresh.build(f"FROM {registry.ref}\n", check=3).err
        assert time.monotonic() - began < 15


def test_a_tag_is_resolved_once_a_build(fresh):
    """Also with --pull: else two stages could have two images."""
    with lying_registry.LyingRegistry(lying_registry.Image(LAYER)) as registry:
        text = f"FROM {registry.ref} AS a\nFROM {registry.ref}\nCOPY --from={registry.ref} /etc /etc2\nCOPY --from=a /etc /etc3\n"
        for _ in range(2):
            before = len([path for path in registry.paths if "/manifests/" in path])
            fresh.build(text, "--pull")
            assert len([path for path in registry.paths if "/manifests/" in path]) == before + 1


class _Proxy(BaseHTTPRequestHandler):
    """Notes what it is asked to connect to, and refuses."""

    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        self.server.asked.append(self.path)
        self.send_error(403)

    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_error(403)


def test_proxies_of_the_environment_are_used_but_for_this_machine(fresh):
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    proxy.asked = []
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
    thread.start()
    address = f"http://127.0.0.1:{proxy.server_address[1]}"
    env = {"https_proxy": address, "http_proxy": address}
    try:
        assert fresh("pull", "registry.invalid/a:1", env=env, check=3)
        assert proxy.asked and set(proxy.asked) == {"registry.invalid:443"}
        proxy.asked.clear()
        assert fresh("pull", "registry.invalid/a:1", env={**env, "no_proxy": "registry.invalid"}, check=3)
        with lying_registry.LyingRegistry(lying_registry.Image(LAYER)) as registry:
            fresh("pull", registry.ref, env=env)
        assert not proxy.asked
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
