# SPDX-License-Identifier: MIT
"""RUN: what a step is given, and what is reported of it."""

import http.server
import threading
import time

import pytest


def test_shell_form_exec_form_and_path_lookup(sb):
    text = 'FROM busybox:1\nRUN echo $((1 + 2)) >/a\nRUN ["sh", "-c", "echo $0 >/b", "zero"]\nRUN ["touch", "/$HOME"]\n'
    image = sb.image(text)
    assert image.read("a") == b"3\n" and image.read("b") == b"zero\n"
    assert "$HOME" in image.files(), "the exec form is not expanded"


def test_heredoc_is_a_script_for_the_shell(sb):
    text = """FROM busybox:1
RUN <<EOF
x=1
echo "x is $x" >/a
EOF
RUN cat >/b <<'ONE' && cat >/c <<TWO
$not expanded
ONE
home: ${HOME:+set}
TWO
"""
    image = sb.image(text)
    assert image.read("a") == b"x is 1\n"
    assert image.read("b") == b"$not expanded\n"
    assert image.read("c") == b"home: set\n"


def test_heredoc_with_an_interpreter_line_is_executed(sb):
    text = "FROM busybox:1\nRUN <<EOF\n#!/bin/awk -f\nBEGIN { print \"awk\" > \"/out\" }\nEOF\n"
    image = sb.image(text)
    assert image.read("out") == b"awk\n"
    assert image.layers[-1].names == ["out"], "the script's own file leaves nothing"


def test_exit_status_is_reported_with_the_place(sb):
    result = sb.build("FROM busybox:1\n\nRUN echo before; exit 42\n", check=1)
    assert "before" in result.text
    assert "Buildfile:3" in result.err and "42" in result.err


def test_a_signal_is_reported_by_name_or_number(sb):
    result = sb.build("FROM busybox:1\nRUN kill -SEGV $$\n", check=1)
    assert "signal" in result.err and ("SEGV" in result.err or "11" in result.err)


@pytest.mark.parametrize("program", ["/no/such", "nosuchprogram"])
def test_a_command_that_is_not_there_is_named(sb, program):
    result = sb.build(f'FROM busybox:1\nRUN ["{program}", "argument"]\n', check=1)
    assert "Buildfile:2" in result.err and program in result.err


def test_output_is_streamed_as_it_comes(sb):
    context = sb.context({"Buildfile": "FROM busybox:1\nRUN a=first; echo $a-line; sleep 3; echo last-line\n"})
    process = sb.start("build", "--progress=plain", context)
    try:
        for line in process.stderr:
            if b"first-line" in line:
                break
        seen_first = time.monotonic()
    finally:
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert time.monotonic() - seen_first > 1.5


def test_both_streams_and_bytes_that_are_no_text(sb):
    script = "echo to-out; echo to-err >&2; printf 'a\\033[2Jb\\377c\\n'; printf no-newline"
    result = sb.build(f"FROM busybox:1\nRUN {script}\n")
    for word in ("to-out", "to-err", "no-newline"):
        assert word in result.text.replace(script, "")
    assert "\x1b[2J" not in result.text, "a step can not steer the terminal of the one who builds"


def test_stdin_is_empty(sb):
    assert sb.image("FROM busybox:1\nRUN wc -c >/out\n").read("out").strip() == b"0"


def test_environment_of_a_step(sb):
    text = "FROM busybox:1\nENV OWN=1\nARG A=2\nRUN env | sort >/out\n"
    lines = sb.image(text, env={"HOST_ONLY": "x"}).read("out").decode().splitlines()
    env = dict(line.split("=", 1) for line in lines)
    assert env["OWN"] == "1" and env["A"] == "2"
    assert env["HOME"] == "/root" and "PATH" in env
    assert not set(env) & {"HOST_ONLY", "SAFEBUILD_ROOT", "TMPDIR", "USER", "LD_PRELOAD"}


@pytest.mark.parametrize(
    "user, uid, gid, groups",
    [
        ("app", 1000, 1000, {1000, 29, 2000}),
        ("1000", 1000, 1000, {1000, 29, 2000}),
        ("app:daemon", 1000, 1, {1}),
        ("4711", 4711, 0, {0}),
        ("4711:4712", 4711, 4712, {4712}),
        ("root", 0, 0, {0}),
    ],
)
def test_user_with_its_groups(sb, user, uid, gid, groups):
    text = f"FROM busybox:1\nRUN mkdir -m 1777 /o\nUSER {user}\nRUN id -u >/o/u && id -g >/o/g && id -G >/o/G\n"
    image = sb.image(text)
    assert int(image.read("o/u")) == uid
    assert int(image.read("o/g")) == gid
    assert {int(g) for g in image.read("o/G").split()} == groups
    assert (image.member("o/u").uid, image.member("o/u").gid) == (uid, gid)


def test_home_is_that_of_the_user(sb):
    image = sb.image("FROM busybox:1\nUSER app\nRUN echo $HOME >$HOME/out\n")
    assert image.read("home/app/out") == b"/home/app\n"


def test_an_unknown_user_is_an_error(sb):
    result = sb.build("FROM busybox:1\nUSER who\nRUN true\n", check=1)
    assert "'who'" in result.err and "Buildfile:" in result.err


def test_a_user_has_no_rights_of_another(sb):
    text = "FROM busybox:1\nUSER app\nRUN ! cat /etc/shadow 2>/dev/null && ! touch /etc/x 2>/dev/null && touch /tmp/y\n"
    assert sb.image(text).member("tmp/y").uid == 1000


def test_workdir_is_the_current_folder(sb):
    assert sb.image("FROM busybox:1\nWORKDIR /new/dir\nRUN pwd >out\n").read("new/dir/out") == b"/new/dir\n"


def test_hostname_hosts_and_resolver(sb):
    text = "FROM busybox:1\nRUN (hostname; cat /etc/hosts) >/out && test -e /etc/resolv.conf\n"
    image = sb.image(text, "--add-host", "db:10.1.2.3", "--add-host", "v6=::5")
    lines = image.read("out").decode().splitlines()
    assert lines[0] and lines[0] != open("/proc/sys/kernel/hostname", encoding="utf-8").read().strip()
    hosts = [line.split() for line in lines]
    assert any(words[:1] == ["127.0.0.1"] and "localhost" in words for words in hosts)
    assert ["10.1.2.3", "db"] in [words[:2] for words in hosts]
    assert ["::5", "v6"] in [words[:2] for words in hosts]
    assert image.layers[-1].names == ["out"]


@pytest.fixture
def web_server():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"from the host\n")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def test_network_none_is_loopback_only(sb, web_server):
    image = sb.image(
        "FROM busybox:1\nRUN --network=none ls /sys/class/net >/nets; ip addr show lo >/lo; "
        f"! wget -T 3 -q -O - http://127.0.0.1:{web_server}/ 2>/dev/null\n"
    )
    assert image.read("nets").split() == [b"lo"]
    assert b"127.0.0.1" in image.read("lo"), "loopback is up"


def test_network_host_reaches_the_host(sb, web_server):
    url = f"http://127.0.0.1:{web_server}/"
    image = sb.image(f"FROM busybox:1\nRUN --network=host wget -q -O /out {url}\n")
    assert image.read("out") == b"from the host\n"
    image = sb.image(f"FROM busybox:1\nRUN wget -q -O /out {url}\n", "--network", "host")
    assert image.read("out") == b"from the host\n"
    sb.build(f"FROM busybox:1\nRUN wget -T 3 -q -O /out {url}\n", "--network", "none", check=1)


def test_tmpfs_mount(sb):
    text = """FROM busybox:1
RUN --mount=type=tmpfs,target=/scratch,size=1m grep ' /scratch ' /proc/mounts >/m \\
    && echo x >/scratch/f && ! head -c 2000000 /dev/zero 2>/dev/null >/scratch/big
"""
    image = sb.image(text)
    assert b" tmpfs " in image.read("m")
    assert image.layers[-1].names == ["m"]


def test_cache_mount_is_kept_between_builds_and_out_of_the_layer(fresh):
    text = """FROM busybox:1
ARG N
RUN --mount=type=cache,target=/var/cache/x,id=c1 echo $N >>/var/cache/x/f; cp /var/cache/x/f /out
"""
    assert fresh.image(text, "--build-arg", "N=1").read("out") == b"1\n"
    image = fresh.image(text, "--build-arg", "N=2")
    assert image.read("out") == b"1\n2\n"
    assert image.layers[-1].names == ["out"]


def test_cache_mount_with_mode_owner_and_readonly(fresh):
    text = """FROM busybox:1
RUN --mount=type=cache,target=/c,mode=0700,uid=1000,gid=1000 stat -c '%a %u %g' /c >/out
RUN --mount=type=cache,target=/c,mode=0700,uid=1000,gid=1000,ro ! touch /c/f 2>/dev/null
"""
    assert fresh.image(text).read("out") == b"700 1000 1000\n"


def test_a_locked_cache_is_used_by_one_build_at_a_time(fresh):
    text = """FROM busybox:1
RUN --mount=type=cache,target=/c,sharing=locked test ! -e /c/busy && touch /c/busy && sleep 1 && rm /c/busy
"""
    builds = [fresh.start("build", "--progress=plain", fresh.context({"Buildfile": text})) for _ in range(3)]
    for build in builds:
        out, err = build.communicate(timeout=60)
        assert build.returncode == 0, (out + err).decode()


def test_bind_mount_of_the_context_a_stage_and_an_image(sb):
    text = """FROM busybox:1 AS made
RUN mkdir /d && echo stage >/d/f
FROM busybox:1
RUN --mount=type=bind,source=dir,target=/ctx cat /ctx/f >/1 && ! touch /ctx/x 2>/dev/null
RUN --mount=from=made,source=/d,target=/st cat /st/f >/2
RUN --mount=type=bind,from=busybox:1,source=/etc/passwd,target=/mnt/pw head -n 1 /mnt/pw >/3
RUN --mount=type=bind,target=/all,rw cat /all/dir/f >/4 && echo changed >/all/dir/f && touch /all/new
"""
    context = sb.context({"dir/f": "context\n"})
    image = sb.image(text, context=context)
    read = [image.read(name) for name in "1234"]
    assert read == [b"context\n", b"stage\n", b"root:x:0:0:root:/root:/bin/sh\n", b"context\n"]
    assert (context / "dir/f").read_text() == "context\n" and not (context / "new").exists()
    assert [layer.names for layer in image.layers[-4:]] == [["1"], ["2"], ["3"], ["4"]]


@pytest.mark.parametrize("inner", ["type=tmpfs", "type=cache", "type=bind,from=busybox:1,source=/etc"])
def test_a_mount_below_a_readonly_one_needs_a_place_there(sb, inner):
    text = "FROM busybox:1\nRUN --mount=type=bind,{}target=/ctx --mount={},target=/ctx/in touch /ctx/f\n"
    result = sb.build(text.format("", inner), check=None)
    assert result.status != 0 and "Buildfile:2" in result.err
    assert "Read-only file system" in result.err and "add 'rw' to that mount" in result.err
    sb.build(text.format("rw,", inner), check=0)
    sb.build(text.format("", inner).replace("touch /ctx/f", "ls /ctx/in"), files={"in": None}, check=0)


def test_bind_mount_obeys_the_ignore_file(sb):
    text = "FROM busybox:1\nRUN --mount=type=bind,target=/all ls -A /all >/out\n"
    image = sb.image(text, files={".dockerignore": "hidden\n", "hidden": "1", "shown": "2"})
    assert b"shown" in image.read("out") and b"hidden" not in image.read("out")


def test_a_mount_target_may_use_a_variable_and_the_workdir(sb):
    text = """FROM busybox:1
ENV D=/t
WORKDIR /w
RUN --mount=type=tmpfs,target=$D --mount=type=tmpfs,target=rel grep -c -E ' /t | /w/rel ' /proc/mounts >/out
"""
    assert sb.image(text).read("out") == b"2\n"


def test_what_a_step_left_running_is_gone_before_the_layer_is_read(sb):
    started = time.monotonic()
    text = """FROM busybox:1
RUN (trap '' TERM HUP; setsid sh -c 'sleep 1; echo late >/late; sleep 600') >/dev/null 2>&1 & echo on >/on
RUN sleep 2
"""
    image = sb.image(text)
    assert time.monotonic() - started < 60
    assert "late" not in image.files() and image.read("on") == b"on\n"


def test_a_background_process_that_holds_the_output_open_does_not_hold_the_build(sb):
    started = time.monotonic()
    sb.build("FROM busybox:1\nRUN sleep 600 &\n")
    assert time.monotonic() - started < 60


def test_shm_size(sb):
    image = sb.image("FROM busybox:1\nRUN df -k /dev/shm | tail -n 1 >/out\n", "--shm-size", "8m")
    assert b" 8192 " in image.read("out")


def test_much_output_is_complete_and_in_order(sb):
    result = sb.build("FROM busybox:1\nRUN seq 100001 $((119999 + 1))\n")
    numbers = [words[-1] for words in map(str.split, result.text.splitlines()) if words and words[-1].isdigit()]
    numbers = [int(n) for n in numbers if len(n) == 6]
    assert numbers == list(range(100001, 120001))
