# SPDX-License-Identifier: MIT
"""ADD of what is elsewhere: files of web servers, and git repositories. All servers are on loopback."""

import hashlib
import os
import signal
import socket
import tempfile
import time

import pytest

import image_make
import processes
import web_server
from conftest import need_program
from web_server import COMMIT_TIME, DATE, TIME, Repository, WebServer, git_daemon, make_certificate

BODY = b"from the web\n"
SUM = "sha256:" + hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def folder(session_folder):
    # Beside what belongs to the product, and readable by the servers' own programs.
    return type(session_folder)(tempfile.mkdtemp(prefix="web-", dir=session_folder))


@pytest.fixture
def web(folder):
    with WebServer(folder / "served") as server:
        server.put("a.txt", BODY, DATE)
        yield server


def builds_left(sb):
    """What builds have in the store now."""
    return [str(p) for p in sb.store.glob("snapshots/*/builds/*")] + [str(p) for p in sb.store.glob("tmp/*")]


# Files


def test_a_file_is_named_by_its_address_and_has_the_servers_time(sb, web):
    image = sb.image(f"FROM scratch\nADD {web.url('a.txt')} /d/\n")
    member = image.member("d/a.txt")
    assert image.read("d/a.txt") == BODY
    assert (member.mode, member.uid, member.gid, member.mtime) == (0o600, 0, 0, TIME)
    assert image.history == [f"ADD {web.url('a.txt')} /d/"]


def test_a_file_may_be_given_another_name_mode_and_owner(sb, web):
    web.put("b", BODY)
    text = f"FROM busybox:1\nWORKDIR /w\nADD --chmod=u=rwX,go=rX --chown=app {web.url('b')} sub/name\n"
    member = sb.image(text).member("w/sub/name")
    assert (member.mode, member.uid, member.gid, member.mtime) == (0o644, 1000, 1000, 0)


@pytest.mark.parametrize("path, name", [
    ("", "__unnamed__"), ("x/", "x"), ("a%20b", "a b"), ("q?name=z/y", "q"), ("a%5Bb%5D%2A.txt", "a[b]*.txt"),
    ("x/%2e%2e", "__unnamed__"), ("%C3%A9", "é"),
])
def test_names_of_files_from_addresses(sb, web, path, name):
    web.put(path.partition("?")[0], BODY)
    image = sb.image(f"FROM scratch\nADD {web.url(path)} /d/\n")
    assert image.read(f"d/{name}") == BODY


def test_variables_in_addresses(sb, web):
    text = f"FROM scratch\nARG NAME=none\nADD http://{web.host}/${{NAME}}.txt /\n"
    assert sb.image(text, "--build-arg", "NAME=a").read("a.txt") == BODY


def test_an_existing_folder_takes_the_file(sb, web):
    assert sb.image(f"FROM busybox:1\nADD {web.url('a.txt')} /etc\n").read("etc/a.txt") == BODY


def test_local_and_remote_sources_side_by_side_in_order(sb, web):
    web.put("same", "remote")
    web.put("b", "b")
    text = (f"FROM scratch\nADD {web.url('same')} same l* {web.url('b')} <<here /one/\nhi\nhere\n"
            f"ADD same {web.url('same')} /two/\n")
    image = sb.image(text, files={"same": "local", "l1": "1", "l2": "2"})
    assert image.read("one/same") == b"local" and image.read("two/same") == b"remote"
    assert [image.read(f"one/{n}") for n in ("l1", "l2", "b", "here")] == [b"1", b"2", b"b", b"hi\n"]
    assert image.history[0] == f"ADD {web.url('same')} same l* {web.url('b')} <<here /one/"


def test_several_sources_need_a_folder(sb, web):
    result = sb.build(f"FROM scratch\nADD {web.url('a.txt')} x /name\n", files={"x": "x"}, check=None)
    assert result.status != 0 and "several sources need a folder" in result.err


def test_archives_of_the_web_are_unpacked_where_it_is_wanted(sb, web):
    data = image_make.make_tar({"in/side": b"inside"})
    web.put("a.tar", data)
    text = (f"FROM scratch\nADD {web.url('a.tar')} /kept/\nADD --unpack=false {web.url('a.tar')} /false/\n"
            f"ADD --unpack {web.url('a.tar')} /un/\nADD l.tar /local/\nADD --unpack=false l.tar /file/\n")
    image = sb.image(text, files={"l.tar": data})
    assert image.read("kept/a.tar") == data and image.read("false/a.tar") == data
    assert image.read("un/in/side") == b"inside" and image.read("local/in/side") == b"inside"
    assert image.read("file/l.tar") == data


def test_a_checksum_that_fits(sb, web):
    text = f"FROM scratch\nARG SUM\nADD --checksum=${{SUM}} {web.url('a.txt')} /a\n"
    assert sb.image(text, "--build-arg", f"SUM={SUM}").read("a") == BODY


def test_a_checksum_that_does_not_fit_names_both(sb, web):
    wrong = "sha256:" + "0" * 64
    result = sb.build(f"FROM scratch\nADD --checksum={wrong} {web.url('a.txt')} /a\n", check=3)
    assert "digest mismatch" in result.err and wrong in result.err and SUM in result.err
    assert "Buildfile:2" in result.err


@pytest.mark.parametrize("words, message", [
    ("--checksum=sha256:aa URL /a", "not the digest of a file"),
    ("--checksum=SUM URL URL /a/", "several sources"),
    ("--checksum=SUM local /a/", "URLs and git repositories"),
])
def test_checksums_that_make_no_sense_are_refused_before_anything_runs(sb, web, words, message):
    words = words.replace("SUM", SUM).replace("URL", web.url("a.txt"))
    result = sb.build(f"FROM scratch\nADD {words}\n", files={"local": ""}, check=2)
    assert message in result.err and not web.requests


def test_copy_takes_no_address(sb, web):
    for word in (web.url("a.txt"), "git@example.org:a/b.git", "https://example.org/a.git#v1"):
        result = sb.build(f"FROM scratch\nCOPY {word} /a\n", check=2)
        assert "can't be a URL" in result.err and "ADD fetches" in result.err


def test_what_is_not_there(sb, web):
    result = sb.build(f"FROM scratch\nADD {web.url('nothing?key=hidden-key')} /a\n", check=1)
    assert f"'{web.url('nothing')}': not found (status 404)" in result.err


def test_redirects_are_followed_five_times(sb, web):
    for n in range(5):
        web.redirects[f"/r{n}"] = f"/r{n + 1}"
    web.put("r5", BODY)
    image = sb.image(f"FROM scratch\nADD {web.url('r0')} /d/\n")
    assert image.read("d/r0") == BODY
    web.redirects["/again"] = "/again"
    assert "redirects more than 5" in sb.build(f"FROM scratch\nADD {web.url('again')} /a\n", check=3).err
    web.redirects["/file"] = "file:///etc/passwd"
    assert "scheme 'file'" in sb.build(f"FROM scratch\nADD {web.url('file')} /a\n", check=3).err


def test_https_is_verified_and_never_left(sb, web, folder):
    need_program("openssl")
    certificate = make_certificate(folder)
    with WebServer(folder / "tls", certificate) as tls:
        tls.put("a.txt", BODY)
        tls.redirects["/down"] = web.url("a.txt")
        text = f"FROM scratch\nADD {tls.url('a.txt')} /d/\n"
        trusted = {"SSL_CERT_FILE": str(certificate[0])}
        assert sb.image(text, env=trusted).read("d/a.txt") == BODY
        assert "certificate" in sb.build(text, check=3).err
        down = sb.build(f"FROM scratch\nADD {tls.url('down')} /d/\n", env=trusted, check=3)
        assert "leaves https for http" in down.err and not web.requests


def test_a_password_in_the_address_is_used_and_kept_to_itself(sb, web):
    web.want("me", "pass-word-9")
    text = f"FROM scratch\nARG P\nADD {web.url('a.txt?sig=sig-value-9', user='me:$P@')} /d/\n"
    image = sb.image(text, "--build-arg", "P=pass-word-9")
    assert image.read("d/a.txt") == BODY
    assert "pass-word-9" not in str(image.config) + image.result.text
    assert image.history == ["ARG P", f"ADD {web.url('a.txt')} /d/"]
    refused = sb.build(text, "--build-arg", "P=other-word-9", check=3)
    assert "status 401" in refused.err and "other-word-9" not in refused.text
    written = sb.image(f"FROM scratch\nADD {web.url('a.txt', user='me:pass-word-9@')} /d/\n", "--progress=plain")
    assert f"ADD {web.url('a.txt')} /d/" in written.result.text and "pass-word-9" not in written.result.text


def test_a_secret_that_is_downloaded_is_refused(sb, web):
    secret = sb.file("secret", "a-secret-from-the-web-77")
    web.put("s", b"x" * 1000 + b"a-secret-from-the-web-77")
    result = sb.build(f"FROM scratch\nADD {web.url('s')} /s\n", "--secret", f"id=s,src={secret}", check=1)
    assert "secret 's'" in result.err and "from-the-web" not in result.text


def test_progress_in_bytes(sb, web):
    result = sb.build(f"FROM scratch\nADD {web.url('a.txt')} /d/\n", "--progress=json")
    (last,) = [e for e in result.events if e["event"] == "transfer" and e["done"] == len(BODY)][-1:]
    assert last["total"] == len(BODY)


def interrupted(sb, web, buildfile, *args):
    """Ctrl-C while the server stalls: (exit status, seconds that it took to end)."""
    context = sb.context({"Buildfile": buildfile})
    process = sb.start("build", "--progress=plain", *args, context)
    try:
        assert web.is_stalled.wait(60)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        return process.returncode, time.monotonic() - start
    finally:
        process.kill()
        process.communicate()


def test_a_download_can_be_interrupted(fresh, web):
    web.stalled.add("/slow")
    status, seconds = interrupted(fresh, web, f"FROM scratch\nADD {web.url('slow')} /d/\n")
    assert status not in (0, 125) and seconds < 5
    assert not builds_left(fresh)


# Repositories


@pytest.fixture
def repository(folder):
    need_program("git")
    made = Repository(folder / "made")
    made.commit({"README": "one\n", "run.sh": "+#!/bin/sh\n", "sub/deep/f": "deep\n", "sub/link": "@deep/f"})
    made("tag", "v1")
    made("tag", "-a", "-m", "annotated", "v1-annotated")
    made.commit({"README": "two\n"})
    made("checkout", "-q", "-b", "feature/x")
    made.commit({"README": "three\n"})
    made("update-ref", "refs/pull/7/head", made.commit({"README": "pull\n"}))
    made("checkout", "-q", "-B", "feature/x", "HEAD~1")
    made("checkout", "-q", "main")
    return made


@pytest.fixture
def served(repository, web):
    repository.publish(web, "r.git")
    return web


def test_a_repository_is_checked_out_as_its_commit_says(sb, served):
    image = sb.image(f"FROM scratch\nADD {served.url('r.git')}#v1 /g\n")
    files = image.files()
    assert sorted(files) == ["g", "g/README", "g/run.sh", "g/sub", "g/sub/deep", "g/sub/deep/f", "g/sub/link"]
    assert files["g/README"][1] == b"one\n" and files["g/sub/link"][0].linkname == "deep/f"
    assert [files[n][0].mode for n in ("g/README", "g/run.sh", "g/sub")] == [0o644, 0o755, 0o755]
    assert {m.mtime for m, _ in files.values()} == {COMMIT_TIME}
    assert {(m.uid, m.gid) for m, _ in files.values()} == {(0, 0)}


@pytest.mark.parametrize("ref, content", [
    ("", "two"), ("#main", "two"), ("#feature/x", "three"), ("#v1", "one"), ("#v1-annotated", "one"),
    ("#refs/pull/7/head", "pull"), ("#refs/heads/main", "two"), ("?branch=feature/x", "three"), ("?tag=v1", "one"),
    ("?ref=v1&submodules=false", "one"), ("#COMMIT", "one"), ("?commit=COMMIT", "one"), ("?ref=v1&commit=COMMIT", "one"),
])
def test_what_is_wanted_of_a_repository(sb, served, repository, ref, content):
    ref = ref.replace("COMMIT", repository.head("v1"))
    image = sb.image(f"FROM scratch\nADD {served.url('r.git')}{ref} /g/\n")
    assert image.read("g/README") == f"{content}\n".encode() and "g/.git" not in image.files()


@pytest.mark.parametrize("ref", ["#v1:sub", "#:sub/", "?subdir=sub", "?ref=v1&subdir=/sub", "#v1:x/../sub"])
def test_a_folder_of_a_repository(sb, served, ref):
    image = sb.image(f"FROM scratch\nADD --chown=5:6 {served.url('r.git')}{ref} /g/\n")
    assert sorted(image.files()) == ["g", "g/deep", "g/deep/f", "g/link"]
    assert (image.member("g/deep/f").uid, image.member("g/deep/f").gid) == (5, 6)


def test_the_git_folder_is_kept_where_it_is_wanted(sb, served, repository):
    text = (f"FROM scratch\nADD --keep-git-dir {served.url('r.git')}#v1 /flag/\n"
            f"ADD {served.url('r.git', user='u:in-the-url-5@')}?ref=v1&keep-git-dir=true /query/\n")
    image = sb.image(text)
    for where in ("flag", "query"):
        assert repository.head("v1") in image.read(f"{where}/.git/HEAD").decode()
        assert "in-the-url-5" not in str(image.files()[f"{where}/.git/config"])
        assert not any(name.startswith(f"{where}/.git/hooks/") for name in image.files())
        assert f"{where}/.git/logs/HEAD" not in image.files()  # who builds, and where


def test_checksums_of_repositories(sb, served, repository):
    url, one, two = served.url("r.git"), repository.head("v1"), repository.head("main")
    for good in (one, one[:12], repository.head("v1-annotated")):
        sb.build(f"FROM scratch\nADD --checksum={good} {url}#v1-annotated /g\n")
    wrong = sb.build(f"FROM scratch\nADD --checksum={two} {url}#v1 /g\n", check=3)
    assert one in wrong.err and two in wrong.err
    assert one in sb.build(f"FROM scratch\nADD {url}?ref=v1&commit={two} /g\n", check=3).err
    assert "hash of a commit" in sb.build(f"FROM scratch\nADD --checksum=main {url} /g\n", check=2).err


@pytest.mark.parametrize("word, message", [
    ("r.git#nope", "no branch, tag or commit 'nope'"), ("none.git", "not found"), ("r.git#:nope", "folder 'nope'"),
    ("r.git#:README", "folder 'README'"), ("r.git#0123456789012345678901234567890123456789", "no branch, tag or commit"),
])
def test_what_a_repository_does_not_have(fresh, served, word, message):
    result = fresh.build(f"FROM scratch\nADD {served.url(word)} /g\n", check=None)
    assert result.status in (1, 3) and message in result.err and "Buildfile:2" in result.err
    assert not builds_left(fresh)


@pytest.mark.parametrize("ref", ["#--upload-pack=touch${IFS}x", "#+main", "?ref=a:b", "?color=blue"])
def test_refs_that_are_none_never_reach_git(sb, served, ref):
    sb.build(f"FROM scratch\nADD {served.url('r.git')}'{ref}' /g\n", check=2)
    assert not served.requests


def test_a_folder_that_leads_out_of_the_repository(sb, served, repository):
    repository.commit({"out": "@/etc", "up": "@.."})
    repository.publish(served, "r.git")
    for name in ("out", "up", "out/ssl"):
        result = sb.build(f"FROM scratch\nADD {served.url('r.git')}#:{name} /g\n", check=None)
        assert result.status in (1, 3) and f"folder '{name}'" in result.err


def test_only_what_is_wanted_is_fetched(sb, served):
    image = sb.image(f"FROM scratch\nADD --keep-git-dir {served.url('r.git')} /g/\n")
    assert image.read("g/.git/shallow")


def test_a_server_that_knows_no_shallow_clones(sb, served, repository):
    """Plain files, as any web server serves them."""
    bare = served.folder / "r.git"
    web_server.git("update-server-info", cwd=bare)
    served.repositories.clear()
    for path in bare.rglob("*"):
        if path.is_file():
            served.put(str(path.relative_to(served.folder)), path.read_bytes())
    for ref in ("v1", repository.head("v1")):
        assert sb.image(f"FROM scratch\nADD {served.url('r.git')}#{ref} /g/\n").read("g/README") == b"one\n"


def test_gits_own_protocol(sb, served):
    with git_daemon(served.folder) as url:
        assert sb.image(f"FROM scratch\nADD {url}/r.git#v1 /g/\n").read("g/README") == b"one\n"


def test_https_repositories_are_verified(sb, repository, folder):
    need_program("openssl")
    certificate = make_certificate(folder)
    with WebServer(folder / "tls", certificate) as tls:
        url = repository.publish(tls, "r.git")
        text = f"FROM scratch\nADD {url}#v1 /g/\n"
        assert sb.image(text, env={"SSL_CERT_FILE": str(certificate[0])}).read("g/README") == b"one\n"
        assert "certificate" in sb.build(text, check=3).err


def test_the_same_repository_is_the_same_bytes(sb, served):
    text = f"FROM scratch\nADD {served.url('r.git')} /g/\n"
    one, two = (sb.image(text, "--source-date-epoch=1700000000") for _ in range(2))
    assert one.manifest_digest == two.manifest_digest


def with_submodule(repository, url, name="module"):
    repository("config", "-f", ".gitmodules", f"submodule.{name}.path", name)
    repository("config", "-f", ".gitmodules", f"submodule.{name}.url", url)


def add_link(repository, commit, name="module"):
    repository("add", ".gitmodules")
    repository("update-index", "--add", "--cacheinfo", f"160000,{commit},{name}")
    repository("commit", "-q", "-m", "submodule")


@pytest.mark.parametrize("address", ["../module.git", "URL"])
def test_submodules_come_with_their_repository(sb, web, folder, address):
    need_program("git")
    module, main = Repository(folder / "module"), Repository(folder / "main")
    inner = module.commit({"inner": "inner\n"})
    url = module.publish(web, "module.git")
    with_submodule(main, address.replace("URL", url))
    add_link(main, inner)
    main_url = main.publish(web, "main.git")
    image = sb.image(f"FROM scratch\nADD {main_url} /g/\nADD {main_url}?submodules=false /without/\n")
    assert sorted(n for n in image.files() if n.startswith("g/")) == ["g/.gitmodules", "g/module", "g/module/inner"]
    assert image.member("g/module/inner").mtime == COMMIT_TIME
    assert "without/module/inner" not in image.files()


@pytest.mark.parametrize("address", ["file://FOLDER", "FOLDER", "ext::sh -c touch% FOLDER/owned", "-oX"])
def test_submodules_of_this_machine_are_not_taken(sb, web, folder, address):
    need_program("git")
    module, main = Repository(folder / "module"), Repository(folder / "main")
    commit = module.commit({"inner": "of this machine\n"})
    with_submodule(main, address.replace("FOLDER", str(module.folder)))
    add_link(main, commit)
    result = sb.build(f"FROM scratch\nADD {main.publish(web, 'main.git')} /g/\n", check=None)
    assert result.status in (1, 3) and "submodules" in result.err
    assert not (module.folder / "owned").exists()


def test_nothing_of_the_users_git_runs(sb, served, repository, folder):
    repository.commit({".gitattributes": "README filter=evil\n*.lfs filter=lfs\n", "big.lfs": "version pointer\n"})
    repository.publish(served, "r.git")
    home = folder / "home"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {home}/hook-ran\n", encoding="utf-8")
    (hooks / "post-checkout").chmod(0o755)
    smudge = f"touch {home}/filter-ran; cat"
    (home / ".gitconfig").write_text(
        f"[core]\nhooksPath = {hooks}\n[filter \"evil\"]\nsmudge = {smudge}\nrequired = true\n"
        f"[filter \"lfs\"]\nsmudge = {smudge}\n[url \"file:///\"]\ninsteadOf = http://127.0.0.1\n", encoding="utf-8")
    extra = {"HOME": str(home), "GIT_DIR": "/nonexistent", "GIT_SSH_COMMAND": f"touch {home}/ssh-ran",
             "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": str(hooks)}
    text = f"FROM scratch\nADD {served.url('r.git')} /g/\nCOPY --from=user / /user/\n"
    image = sb.image(text, "--build-context", f"user={served.url('r.git')}", env=extra)
    for where in ("g", "user"):
        assert image.read(f"{where}/README") == b"two\n" and image.read(f"{where}/big.lfs") == b"version pointer\n"
    assert sorted(p.name for p in home.iterdir()) == [".gitconfig", "hooks"]


def test_tokens_go_to_the_host_that_they_are_for(sb, served):
    served.want("x-access-token", "token-value-31")
    url = served.url("r.git")
    token = sb.file("token", "token-value-31\n")
    for_host, for_any = f"id=GIT_AUTH_TOKEN.{served.host},src={token}", f"id=GIT_AUTH_TOKEN,src={token}"
    add = f"FROM scratch\nADD {url}#v1 /g/\n"
    image = sb.image(add, "--secret", for_host)
    assert image.read("g/README") == b"one\n" and "token-value-31" not in image.result.text
    served.requests.clear()
    # The Buildfile chose this host, not who gave the token.
    refused = sb.build(add, "--secret", for_any, check=3)
    assert f"GIT_AUTH_TOKEN.{served.host}" in refused.err and not served.seen("Authorization")
    named = sb.image("FROM scratch\nCOPY --from=g /README /\n", "--secret", for_any, "--build-context", f"g={url}#v1")
    assert named.read("README") == b"one\n"
    header = sb.file("header", "basic " + served.password)
    sb.build(add, "--secret", f"id=GIT_AUTH_HEADER.{served.host},src={header}")


def test_no_redirect_is_followed_with_credentials(sb, served, folder):
    with WebServer(folder / "other") as other:
        other.redirects["/r.git/info/refs"] = served.url("r.git/info/refs?service=git-upload-pack")
        add = f"FROM scratch\nADD {other.url('r.git', user='USER')}#v1 /g/\n"
        assert sb.image(add.replace("USER", "")).read("g/README") == b"one\n"
        served.requests.clear()
        sb.build(add.replace("USER", "me:pass-word-8@"), check=3)
        assert other.seen("Authorization") and not served.requests


FAKE_SSH = """#!/bin/sh
echo "$SSH_AUTH_SOCK $*" >>LOG
[ -z "$SSH_AUTH_SOCK" ] || [ -S "$SSH_AUTH_SOCK" ] || exit 9
while [ $# -gt 1 ]; do shift; done
exec sh -c "$1"
"""


def test_repositories_over_ssh(sb, repository, folder):
    programs = folder / "programs"
    programs.mkdir()
    (programs / "ssh").write_text(FAKE_SSH.replace("LOG", str(folder / "log")), encoding="utf-8")
    (programs / "ssh").chmod(0o755)
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "SSH_AUTH_SOCK": "/nonexistent"}
    url = f"git@127.0.0.1:{repository.folder}"
    image = sb.image(f"FROM scratch\nADD {url}#v1 /g/\n", env=env)
    assert image.read("g/README") == b"one\n"
    log = (folder / "log").read_text(encoding="utf-8")
    # No key and no agent of the user's: nobody gave it to this Buildfile.
    assert "BatchMode=yes" in log and "-F none" in log and "/nonexistent" not in log
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(folder / "agent"))
        agent.listen()
        given = ["--ssh", f"default={folder / 'agent'}"]
        assert sb.image(f"FROM scratch\nADD {url}#v1 /g/\n", *given, env=env).read("g/README") == b"one\n"
        log = (folder / "log").read_text(encoding="utf-8")
        assert "/proc/self/fd/3 " in log and "/nonexistent" not in log
        # What the user names himself gets what is his.
        named = {**env, "SSH_AUTH_SOCK": str(folder / "agent")}
        sb.build("FROM scratch\nCOPY --from=g / /\n", "--build-context", f"g={url}#v1", env=named)
        assert f"{folder / 'agent'} " in (folder / "log").read_text(encoding="utf-8")


def test_a_clone_can_be_interrupted(fresh, web):
    need_program("git")
    web.stalled.add("/slow.git/info/refs")
    word = web.url("slow.git")
    status, seconds = interrupted(fresh, web, f"FROM scratch\nADD {word} /g/\n")
    assert status not in (0, 125) and seconds < 5
    assert not builds_left(fresh)
    assert processes.wait_until(lambda: not processes.with_word(word), 5)


def test_a_killed_builds_clone_goes_with_the_next_build(fresh, web):
    need_program("git")
    web.stalled.add("/slow.git/info/refs")
    word = web.url("slow.git")
    process = fresh.start("build", fresh.context({"Buildfile": f"FROM scratch\nADD {word} /g/\n"}))
    assert web.is_stalled.wait(60)
    assert processes.with_word(word)
    process.kill()
    process.communicate()
    assert processes.wait_until(lambda: not processes.with_word(word), 10), "git outlives the build"
    fresh.build("FROM scratch\nCOPY f /\n", files={"f": ""})
    assert not builds_left(fresh)
