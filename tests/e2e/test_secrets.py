# SPDX-License-Identifier: MIT
"""The leak contract: where a secret is, where it never is, and what stays when everything is killed."""

import base64
import hashlib
import os
import signal
import subprocess
import threading
import time

import pytest

import processes
from secret_search import find_secret

TMPFS_MAGIC = "1021994"


def new_secret():
    return "sb-" + base64.b32encode(os.urandom(20)).decode()


@pytest.fixture
def secret():
    return new_secret()


def secret_option(sb, value, id="mysecret"):
    return ["--secret", f"id={id},src={sb.file(id, value)}"]


def assert_nowhere(sb, value, *more):
    """Not in the store, nor in any temporary folder that the program could use."""
    roots = [sb.folder, *more, "/dev/shm", "/var/tmp"]
    assert find_secret(value.encode(), *[root for root in roots if os.path.isdir(root)]) == []


def test_the_step_sees_it_and_the_image_does_not(fresh, secret):
    text = """FROM busybox:1
RUN --mount=type=secret,id=mysecret sha256sum </run/secrets/mysecret >/sum
RUN ls -A /run >/after
"""
    image = fresh.image(text, *secret_option(fresh, secret))
    sum_of_it = subprocess.run(["sha256sum"], input=secret.encode(), capture_output=True, check=True).stdout
    assert image.read("sum") == sum_of_it
    assert image.layers[-2].names == ["sum"]
    assert image.read("after") == b""
    assert_nowhere(fresh, secret)


def test_it_lies_on_a_tmpfs_readable_for_its_owner_only(fresh, probe_in_fresh, secret):
    text = """FROM probe:1
RUN --mount=type=secret,id=mysecret <<'E'
f=/run/secrets/mysecret
(stat -c '%a %u %g' $f; probe fstype $f; grep " $f " /proc/self/mountinfo
 echo x 2>&1 >$f && echo written; rm $f 2>&1 && echo removed; chmod 644 $f 2>&1 && echo changed
 mv $f /tmp/ 2>&1 && echo moved; ln $f /tmp/l 2>&1 && echo linked) >/out 2>&1
exit 0
E
"""
    out = fresh.image(text, *secret_option(fresh, secret)).read("out").decode()
    lines = out.splitlines()
    assert lines[0] == "400 0 0"
    assert f"type {TMPFS_MAGIC} ok" == lines[1]
    options = lines[2].split()[5].split(",")
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(options)
    assert lines[2].split(" - ")[1].split()[0] == "tmpfs"
    for word in ("written", "removed", "changed", "moved", "linked"):
        assert word not in lines, out


@pytest.fixture
def probe_in_fresh(fresh, sb, probe):
    target = sb.folder / "probe.tar"
    if not target.exists():
        sb.build(f"FROM {probe}\n", "-o", f"type=oci,dest={target}")
    context = fresh.context()
    fresh.build("FROM p\n", "--build-context", f"p=oci-layout://{target}", "-t", "probe:1", context=context)


def test_mode_owner_and_target(fresh, secret):
    text = """FROM busybox:1
RUN --mount=type=secret,id=mysecret,mode=0444,uid=1000,gid=2000,target=/deep/er/s stat -c '%a %u %g' /deep/er/s >/1
WORKDIR /w
RUN --mount=type=secret,id=mysecret,dst=rel test -r /w/rel && stat -c %a rel >/2
RUN --mount=type=secret,target=/x/mysecret test -r /x/mysecret && echo by-base-name >/3
RUN --mount=type=secret,id=mysecret,mode=0741 stat -c %a /run/secrets/mysecret >/4
RUN --mount=type=secret,source=mysecret test -s /run/secrets/mysecret && echo src >/5
USER app
RUN --mount=type=secret,id=mysecret ! cat /run/secrets/mysecret 2>/dev/null
RUN --mount=type=secret,id=mysecret,uid=1000 test -r /run/secrets/mysecret
"""
    image = fresh.image(text, *secret_option(fresh, secret))
    assert [image.read(n).strip() for n in "12345"] == [b"444 1000 2000", b"400", b"by-base-name", b"741", b"src"]
    names = {name for layer in image.layers for name in layer.names}
    assert not [name for name in names if name.startswith(("deep", "run/secrets", "x"))]


def test_an_optional_secret_that_is_not_given_leaves_no_trace(sb):
    text = "FROM busybox:1\nRUN --mount=type=secret,id=nope test ! -e /run/secrets/nope && test ! -e /run/secrets\n"
    assert sb.image(text).layers[-1].is_empty


def test_a_required_secret_that_is_not_given_is_an_error(sb):
    result = sb.build("FROM busybox:1\nRUN --mount=type=secret,id=nope,required true\n", check=1)
    assert "nope" in result.err and "Buildfile:2" in result.err and "--secret" in result.err


def test_as_an_environment_variable(fresh, secret):
    text = """FROM busybox:1
ENV TOKEN=public
RUN --mount=type=secret,id=mysecret,env=TOKEN test ! -e /run/secrets && echo "$TOKEN" | sha256sum >/1
RUN --mount=type=secret,id=mysecret,env=T,target=/both test "$T" = "$(cat /both)" && echo same >/2
RUN echo "$TOKEN" >/3
"""
    image = fresh.image(text, *secret_option(fresh, secret))
    expected = subprocess.run(["sha256sum"], input=secret.encode() + b"\n", capture_output=True, check=True).stdout
    assert image.read("1") == expected
    assert image.read("2") == b"same\n" and image.read("3") == b"public\n"
    assert "T" not in image.env
    assert_nowhere(fresh, secret)


CHECK = "FROM busybox:1\nRUN --mount=type=secret,id=mysecret sha256sum </run/secrets/mysecret >/sum\n"


def sum_of(value):
    return subprocess.run(["sha256sum"], input=value.encode(), capture_output=True, check=True).stdout


def test_from_an_environment_variable(fresh, secret):
    for option in ("id=mysecret,env=MY", "id=mysecret,type=env,src=MY", "type=env,id=mysecret,env=MY"):
        assert fresh.image(CHECK, "--secret", option, env={"MY": secret}).read("sum") == sum_of(secret)
    assert fresh.image(CHECK, "--secret", "id=mysecret", env={"mysecret": secret}).read("sum") == sum_of(secret)
    assert_nowhere(fresh, secret)


def test_from_a_file_named_like_the_id(fresh, secret):
    path = fresh.file("mysecret", secret)
    image = fresh.image(CHECK, "--secret", "id=mysecret", cwd=path.parent)
    assert image.read("sum") == sum_of(secret)


def test_from_a_fifo(fresh, secret):
    fifo = fresh.file("empty", "").with_name("fifo")
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_text(secret), daemon=True)
    writer.start()
    assert fresh.image(CHECK, "--secret", f"id=mysecret,src={fifo}").read("sum") == sum_of(secret)
    writer.join(10)


def test_from_an_inherited_descriptor(fresh, secret):
    read_end, write_end = os.pipe()
    os.write(write_end, secret.encode())
    os.close(write_end)
    image = fresh.image(CHECK, "--secret", f"id=mysecret,src=/dev/fd/{read_end}", pass_fds=[read_end])
    os.close(read_end)
    assert image.read("sum") == sum_of(secret)


def test_bytes_that_are_no_text_and_an_empty_secret(fresh):
    value = bytes(range(256)) * 4
    path = fresh.file("binary", value)
    text = "FROM busybox:1\nRUN --mount=type=secret,id=b sha256sum </run/secrets/b | cut -c 1-64 >/sum\n"
    image = fresh.image(text, "--secret", f"id=b,src={path}")
    assert image.read("sum").decode().strip() == hashlib.sha256(value).hexdigest()
    empty = fresh.file("empty", b"")
    fresh.image("FROM busybox:1\nRUN --mount=type=secret,id=e,required test -f /run/secrets/e\n", "--secret", f"id=e,src={empty}")


def test_a_secret_file_that_is_missing_is_named(sb):
    result = sb.build(CHECK, "--secret", "id=mysecret,src=/no/such/file", check=None)
    assert result.status in (1, 2, 3) and "/no/such/file" in result.err


LEAKS = {
    "raw": "cat /run/secrets/mysecret >/etc/leak",
    "raw in the middle of much else": "(head -c 200000 /dev/zero; cat /run/secrets/mysecret; head -c 70000 /dev/zero) >/etc/leak",
    "base64": "base64 -w 0 </run/secrets/mysecret >/etc/leak 2>/dev/null || base64 </run/secrets/mysecret | tr -d '\\n' >/etc/leak",
    "base64 shifted by one": "(printf x; cat /run/secrets/mysecret) | base64 | tr -d '\\n' >/etc/leak",
    "base64 shifted by two": "(printf xy; cat /run/secrets/mysecret) | base64 | tr -d '\\n' >/etc/leak",
    "a name": 'mkdir /etc/leak && touch "/etc/leak/$(cat /run/secrets/mysecret)"',
    "a folder's name": 'mkdir -p "/etc/leak-$(cat /run/secrets/mysecret)/x"',
    "a link's target": 'ln -s "/x/$(cat /run/secrets/mysecret)" /etc/leak',
    "a file appended to": "cat /run/secrets/mysecret >>/etc/passwd",
    "a copy by cp -p": "cp -p /run/secrets/mysecret /etc/leak",
    "a file of another user": "cat /run/secrets/mysecret >/etc/leak && chown 1000:1000 /etc/leak && chmod 0 /etc/leak",
}


@pytest.mark.parametrize("how", LEAKS)
def test_a_step_that_leaves_it_in_its_layer_is_refused(fresh, secret, how):
    text = f"FROM busybox:1\nRUN true\nRUN --mount=type=secret,id=mysecret {LEAKS[how]}\n"
    result = fresh.build(text, *secret_option(fresh, secret), "-t", "leaky:1", check=1)
    assert secret not in result.text
    assert "mysecret" in result.err and "Buildfile:3" in result.err
    assert "etc/" in result.err, "the path is named"
    assert "delete the copy in the same step" in result.err, "what to do is said"
    assert_nowhere(fresh, secret)
    assert "leaky" not in fresh("images").out


def test_a_leak_at_every_offset_of_a_chunk_border_is_found(fresh, secret):
    offsets = [n + d for n in (4096, 65536, 131072, 1048576) for d in (-len(secret), -7, -1, 0)]
    for offset in offsets:
        command = f"(head -c {offset} /dev/zero; cat /run/secrets/mysecret) >/f"
        text = f"FROM busybox:1\nRUN --mount=type=secret,id=mysecret {command}\n"
        result = fresh.build(text, *secret_option(fresh, secret), check=None)
        assert result.status == 1, f"not found at {offset}"


def test_a_leak_into_a_cache_mount_is_refused(fresh, secret):
    text = """FROM busybox:1
RUN --mount=type=secret,id=mysecret --mount=type=cache,target=/c cp /run/secrets/mysecret /c/kept
"""
    result = fresh.build(text, *secret_option(fresh, secret), check=1)
    assert "mysecret" in result.err and secret not in result.text
    assert_nowhere(fresh, secret)


def test_writing_into_the_tmpfs_of_another_mount_or_shm_is_no_leak(fresh, secret):
    text = """FROM busybox:1
RUN --mount=type=secret,id=mysecret --mount=type=tmpfs,target=/t cp /run/secrets/mysecret /t/x && cp /t/x /dev/shm/y
"""
    assert fresh.image(text, *secret_option(fresh, secret)).layers[-1].is_empty
    assert_nowhere(fresh, secret)


@pytest.mark.parametrize("where", ["ENV X={}", "LABEL l=a{}b", 'CMD ["{}"]', "USER {}", "WORKDIR /{}", "ENTRYPOINT run {}"])
def test_a_config_that_holds_it_is_refused(fresh, secret, where):
    secret = secret.lower()
    result = fresh.build("FROM busybox:1\n" + where.format(secret) + "\n", *secret_option(fresh, secret), check=1)
    assert "mysecret" in result.err and secret not in result.text


def test_a_build_argument_that_holds_it_gets_nowhere(fresh, secret):
    text = "FROM busybox:1\nARG A\nRUN true\n"
    result = fresh.build(text, "--build-arg", f"A={secret}", *secret_option(fresh, secret), "-t", "arg:1", check=None)
    assert secret not in result.text
    assert find_secret(secret.encode(), fresh.store) == []


@pytest.mark.parametrize("progress", ["plain", "json"])
def test_colours_in_a_secret_do_not_hide_it_from_the_redaction(fresh, secret, progress):
    """As `grep --color` would: who leaves the colours out later must not put the secret together."""
    text = r"""FROM busybox:1
RUN --mount=type=secret,id=mysecret s=$(cat /run/secrets/mysecret); \
    printf "%s\033[01;31m\033[K%s\033[m\n" "$(echo $s | cut -c1-5)" "$(echo $s | cut -c6-)"
"""
    result = fresh.build(text, f"--progress={progress}", *secret_option(fresh, secret))
    assert "[secret mysecret]" in result.text
    assert secret[5:] not in result.text and "\\u001b" not in result.text


@pytest.mark.parametrize("pieces", ["cat", "dd bs=7 status=none <"])
def test_what_looks_like_a_colour_in_a_binary_secret_does_not_hide_it(fresh, pieces):
    key = bytes(range(1, 256)) + b"\x1b[31mQ7\n\x00\x1b]k"
    option = ("--secret", f"id=key,src={fresh.file('binary-key', key)}")
    step = f"RUN --mount=type=secret,id=key {pieces} /run/secrets/key\n"
    result = fresh.build("FROM busybox:1\n" + step, "--progress=plain", *option)
    lines = [line.split(" ", 2)[2] for line in result.err.splitlines() if line.startswith("#2 0.")]
    assert lines == ["[secret key]"], lines


def test_output_shows_the_id_in_its_place(fresh, secret):
    half = len(secret) // 2
    text = f"""FROM busybox:1
RUN --mount=type=secret,id=mysecret <<'E'
s=$(cat /run/secrets/mysecret)
echo "whole: <$s>"
echo "on stderr: <$s>" >&2
printf 'split: <%s' "$(echo $s | cut -c 1-{half})"; sleep 0.5; printf '%s>\\n' "$(echo $s | cut -c {half + 1}-)"
for c in $(echo $s | fold -w 1); do printf %s $c; done; echo
E
"""
    for progress in ("plain", "json"):
        result = fresh.build(text, f"--progress={progress}", "--no-cache", *secret_option(fresh, secret))
        assert result.text.count("[secret mysecret]") >= 4
        assert secret not in result.text
        assert secret[:half] not in result.text and secret[half:] not in result.text
    assert_nowhere(fresh, secret)


def test_output_that_is_the_secrets_own_pages_is_waited_for(fresh, secret):
    """busybox's cat puts them into the pipe by sendfile: emptied too early they would be zeros."""
    steps = 12
    text = "FROM busybox:1\n" + "RUN --mount=type=secret,id=mysecret cat /run/secrets/mysecret\n" * steps
    result = fresh.build(text, *secret_option(fresh, secret))
    assert result.text.count(" [secret mysecret]") == steps
    assert "\\x00" not in result.text


def test_an_error_message_shows_the_id_in_its_place(fresh, secret):
    text = f"FROM busybox:1\nCOPY {secret} /x\n"
    result = fresh.build(text, *secret_option(fresh, secret), check=1)
    assert secret not in result.text


def test_it_is_in_no_command_line_and_no_environment_on_the_host(fresh, secret):
    text = "FROM busybox:1\nRUN --mount=type=secret,id=mysecret sleep SECONDS\n"
    with processes.sleeping_step(fresh, text, *secret_option(fresh, secret)) as (build, pids, _):
        family = set(processes.parents_children(build.pid)) | set(pids)
        for pid in family:
            for name in ("cmdline", "environ"):
                try:
                    data = open(f"/proc/{pid}/{name}", "rb").read()
                except OSError:
                    continue
                assert secret.encode() not in data, f"{name} of {pid}"
        assert_nowhere(fresh, secret)


def test_a_step_that_does_not_mount_it_does_not_see_it(fresh, secret):
    text = """FROM busybox:1
RUN --mount=type=secret,id=mysecret true
RUN test ! -e /run/secrets && ! grep -r -l "$(printf 'sb-')" /run /dev/shm 2>/dev/null
"""
    fresh.build(text, *secret_option(fresh, secret))


MOUNTED = """FROM busybox:1
RUN --mount=type=secret,id=mysecret --mount=type=cache,target=/c --mount=type=secret,id=mysecret,env=S,target=/s \\
    cp /run/secrets/mysecret /dev/shm/x; echo started; sleep SECONDS
"""


def host_mounts(sb):
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return [line for line in file if str(sb.folder) in line or "/secrets" in line]


def leftovers(sb):
    """Files in the program's temporary places."""
    roots = [sb.tmp, sb.store / "tmp"]
    if os.geteuid() == 0:
        return [os.path.join(d, n) for root in roots for d, ds, fs in os.walk(root) for n in ds + fs]
    command = ["unshare", "--user", "--map-auto", "--map-root-user", "find", *roots, "-mindepth", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[:-1]


def test_killed_while_it_is_mounted_nothing_stays(fresh, secret):
    with processes.sleeping_step(fresh, MOUNTED, *secret_option(fresh, secret)) as (build, pids, word):
        family = [pid for pid in processes.parents_children(build.pid) if pid != build.pid]
        os.kill(build.pid, signal.SIGKILL)
        build.wait()
        assert processes.wait_until(lambda: not processes.with_word(word), 5), "the step outlives its builder"
        assert processes.wait_until(lambda: not any(is_alive(pid) for pid in family), 5), "a helper outlives it"
        assert_nowhere(fresh, secret)
        assert host_mounts(fresh) == []
    fresh.build("FROM busybox:1\nRUN true\n", "-t", "again:1")
    assert leftovers(fresh) == [], "the next run clears what was half-made"


def test_killed_after_the_step_wrote_the_secret_down_it_is_gone_too(fresh, secret):
    written = MOUNTED.replace("/dev/shm/x", "/copy")
    assert written != MOUNTED
    with processes.sleeping_step(fresh, written, *secret_option(fresh, secret)) as (build, pids, word):
        family = [pid for pid in processes.parents_children(build.pid) if pid != build.pid]
        os.kill(build.pid, signal.SIGKILL)
        build.wait()
        assert processes.wait_until(lambda: not any(is_alive(pid) for pid in family), 5), "a helper outlives it"
        assert_nowhere(fresh, secret)


IN_A_CACHE = (
    "FROM busybox:1\nRUN --mount=type=secret,id=mysecret --mount=type=cache,id=c,target=/c "
    "cp /run/secrets/mysecret /c/kept && sleep SECONDS\n"
)


@pytest.mark.parametrize("killed", ["safebuild", "both"])
def test_killed_after_the_step_wrote_the_secret_into_a_cache_it_is_gone_too(fresh, secret, killed):
    """By safebuild-step at once; where that is killed too, by the next build."""
    fresh.build("FROM busybox:1\nRUN --mount=type=cache,id=other,target=/c echo kept >/c/file\n")
    with processes.sleeping_step(fresh, IN_A_CACHE, *secret_option(fresh, secret)) as (build, pids, word):
        family = [pid for pid in processes.parents_children(build.pid) if pid != build.pid]
        stepper = [pid for pid in family if processes.status(pid)["Name"].startswith("safebuild")]
        # Stopped first, so that there is no moment in which it could clean up.
        for pid in stepper if killed == "both" else []:
            os.kill(pid, signal.SIGSTOP)
        for pid in [build.pid] + (stepper if killed == "both" else []):
            os.kill(pid, signal.SIGKILL)
        build.wait()
        assert processes.wait_until(lambda: not any(is_alive(pid) for pid in family), 5), "a helper outlives it"
        if killed == "both":
            fresh.build("FROM busybox:1\nRUN true\n")
        assert_nowhere(fresh, secret)
    text = "FROM busybox:1\nRUN --mount=type=cache,id=other,target=/c cat /c/file\n"
    assert "kept" in fresh.build(text).text, "another cache stays"


def test_a_cache_that_was_searched_outlives_a_later_kill(fresh, secret):
    fill = "RUN --mount=type=secret,id=mysecret --mount=type=cache,id=c,target=/c echo kept >/c/file\n"
    text = f"FROM busybox:1\n{fill}RUN sleep SECONDS\n"
    with processes.sleeping_step(fresh, text, *secret_option(fresh, secret)) as (build, pids, word):
        os.kill(build.pid, signal.SIGKILL)
        build.wait()
    assert "kept" in fresh.build("FROM busybox:1\nRUN --mount=type=cache,id=c,target=/c cat /c/file\n").text


def is_alive(pid):
    try:
        return processes.status(pid)["State"][0] not in "ZX"
    except (OSError, KeyError):
        return False


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_interrupted_it_ends_everything_at_once(fresh, secret, name):
    with processes.sleeping_step(fresh, MOUNTED, *secret_option(fresh, secret)) as (build, pids, word):
        os.kill(build.pid, getattr(signal, name))
        out, err = build.communicate(timeout=20)
        assert build.returncode != 0
        assert not processes.with_word(word)
        assert secret.encode() not in out + err
        assert leftovers(fresh) == []
        assert host_mounts(fresh) == []
        assert_nowhere(fresh, secret)


def test_interrupted_at_any_moment_the_store_stays_whole(fresh, secret):
    text = "FROM busybox:1\n" + "RUN --mount=type=secret,id=mysecret echo x >/f; cp /bin/busybox /bin/b2; rm /bin/b2\n" * 4
    for delay in (0.01, 0.05, 0.1, 0.2, 0.3):
        context = fresh.context({"Buildfile": text})
        process = fresh.start("build", "--progress=plain", *secret_option(fresh, secret), context)
        time.sleep(delay)
        process.kill()
        process.communicate()
    assert fresh.image(text, *secret_option(fresh, secret)).read("f") == b"x\n"
    assert_nowhere(fresh, secret)


def test_a_folder_of_the_store_whose_maker_was_killed_is_mended(fresh):
    """Killed between making a folder and giving it to image root."""
    text = "FROM busybox:1\nRUN --mount=type=cache,id=c,mode=0770,target=/c stat -c '%u %a' /c >/out; touch /c/f\n"
    assert fresh.image(text).read("out") == b"0 770\n"
    [snapshots] = (fresh.store / "snapshots").iterdir()
    take_back = ["sh", "-c", "cd \"$0\" && chown 0:0 layers builds cache empty mnt cache/*", snapshots]
    if os.getuid() != 0:
        take_back = ["unshare", "--user", "--map-auto", "--map-root-user", *take_back]
    subprocess.run(take_back, check=True)
    assert fresh.image(text).read("out") == b"0 770\n"


def test_a_short_secret_is_warned_about(fresh):
    result = fresh.build("FROM busybox:1\nRUN true\n", "--secret", f"id=pin,src={fresh.file('pin', '123')}")
    assert "pin" in result.text and "short" in result.text.lower()


def test_two_secrets_do_not_mix(fresh):
    one, two = new_secret(), new_secret()
    options = secret_option(fresh, one, "one") + secret_option(fresh, two, "two")
    text = """FROM busybox:1
RUN --mount=type=secret,id=one --mount=type=secret,id=two cat /run/secrets/one /run/secrets/two | sha256sum >/sum
RUN --mount=type=secret,id=one test ! -e /run/secrets/two
"""
    assert fresh.image(text, *options).read("sum") == sum_of(one + two)
    leak = "FROM busybox:1\nRUN --mount=type=secret,id=one --mount=type=secret,id=two cp /run/secrets/two /leak\n"
    result = fresh.build(leak, *options, check=1)
    assert "two" in result.err and two not in result.text
