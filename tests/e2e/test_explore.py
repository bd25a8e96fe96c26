# SPDX-License-Identifier: MIT
"""inspect explore: the browser on a terminal, as a person uses it."""

import io
import json
import os
import signal
import tarfile

import pytest

import image_make
from conftest import need_program
from screen import Screen

SECRET = b"super-secure-value\n"


def layer(fill):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        fill(tar)
    return out.getvalue()


def application(tar):
    image_make.add_dir(tar, "app")
    image_make.add_file(tar, "app/server", b"\x7fELF\0\1" + bytes(4000), 0o755, 1000, 1000)
    image_make.add_file(tar, "app/notes.txt", "first line\nred \033[31malarm\nl\u00e4st\n".encode())
    image_make.add_file(tar, "etc/secret.txt", b"token: " + SECRET, 0o600)


def cleaning(tar):
    image_make.add_file(tar, "etc/.wh.secret.txt", b"")
    image_make.add_file(tar, "app/notes.txt", b"changed\n")


@pytest.fixture(scope="module")
def image(sb):
    folder = sb.folder / "explored"
    layers = [image_make.busybox_rootfs(), layer(application), layer(cleaning)]
    config = image_make.default_config(layers)
    config["history"] = [{"created_by": text} for text in ("ADD rootfs.tar /", "COPY app /app", "RUN rm etc/secret.txt")]
    image_make.make_oci_layout(folder, layers, config=config)
    return folder


@pytest.fixture
def screen(sb):
    need_program("tmux")
    opened = []

    def open_screen(image, *args, columns=80, rows=24, env=None, wait=True):
        screen = Screen(sb.folder, columns, rows)
        opened.append(screen)
        screen.run([sb.program, "inspect", "explore", *args, image], env=env)
        if wait:
            screen.wait_for("Files after layer 1")
        return screen

    yield open_screen
    for screen in opened:
        screen.close()


def test_layers_and_what_each_changed(screen, image):
    browser = screen(image)
    browser.wait_for("ADD rootfs.tar", "COPY app", "+ drwxr-xr-x", absent=["busybox"])
    browser.keys("Down")
    browser.wait_for("Files after layer 2: its changes", "server", "secret.txt")
    browser.keys("Down")
    shown = browser.wait_for("Files after layer 3: its changes", "- -rw-------", "~ -rw-r--r--")
    assert "server" in shown
    browser.keys("C-a")
    browser.wait_for("changes since 1", absent=["- -rw-------"])
    browser.keys("q")
    browser.wait_for("status=0=", absent=["Files after"])


def test_changes_have_colours_only_where_they_are_wanted(screen, image):
    browser = screen(image)
    browser.keys("Down", "Down")
    browser.wait_for("Files after layer 3")
    styled = browser.text(styles=True)
    assert "\033[31m-" in styled and "\033[33m~" in styled
    browser.keys("q")
    browser = screen(image, env={"NO_COLOR": "1"})
    browser.keys("Down", "Down")
    browser.wait_for("Files after layer 3", "- -rw-------")
    styled = browser.text(styles=True)
    assert "\033[31m" not in styled and "\033[33m" not in styled


def test_a_deleted_file_is_viewed_without_the_secret(sb, screen, image):
    secret = sb.file("explored-secret", SECRET)
    browser = screen(image, "--secret", f"id=s1,src={secret}")
    browser.keys("Down", "Down", "Tab", "/")
    browser.type("secret")
    browser.keys("Enter", "Down")
    browser.wait_for("of layer 2, still readable")
    browser.keys("v")
    shown = browser.wait_for("layer 2: etc/secret.txt", "token: [secret s1]")
    assert "super-secure" not in shown
    browser.keys("x")
    assert "super-secure" not in browser.wait_for("00000000  74 6f 6b 65 6e")
    browser.keys("q")
    browser.wait_for("Files after layer 3")


def test_a_file_is_viewed_as_text_or_bytes(screen, image):
    browser = screen(image)
    browser.keys("Down", "Tab", "/")
    browser.type("notes")
    browser.keys("Enter", "Down", "Enter")
    browser.wait_for("first line", "red \\x1b[31malarm", "l\u00e4st")
    browser.keys("Escape", "Escape", "/")
    browser.type("server")
    browser.keys("Enter", "End", "v")
    browser.wait_for("00000000  7f 45 4c 46 00 01 00 00", "4.01 kB")
    browser.keys("G")
    browser.wait_for("100 %")


def test_a_file_is_extracted_and_nothing_overwritten(sb, screen, image):
    target = sb.folder / "extracted-server"
    browser = screen(image)
    browser.keys("Down", "Tab", "/")
    browser.type("server")
    browser.keys("Enter", "End", "e")
    browser.wait_for("extract to: server")
    browser.keys("C-u")
    browser.type(str(target))
    browser.keys("Enter")
    browser.wait_for("4.01 kB written to")
    assert target.read_bytes() == b"\x7fELF\0\1" + bytes(4000)
    assert target.stat().st_mode & 0o777 == 0o600
    target.write_text("mine")
    browser.keys("C-e", "C-u")
    browser.type(str(target))
    browser.keys("Enter")
    browser.wait_for("is there already")
    assert target.read_text() == "mine"


def test_it_follows_the_terminal_s_size(screen, image):
    browser = screen(image)
    for columns, rows in ((200, 60), (60, 20), (100, 30), (40, 10)):
        browser.resize(columns, rows)
        shown = browser.wait_for("Layers")
        browser.wait_for("\u256f")
        assert all(len(line) <= columns for line in shown.splitlines())
    browser.resize(30, 6)
    browser.wait_for("is too small")
    browser.resize(80, 24)
    browser.wait_for("Layers", "Files after layer 1")


def test_help_lists_the_keys(screen, image):
    browser = screen(image, rows=50)
    browser.keys("?")
    browser.wait_for("^space, z", "quit", "hexadecimal")
    browser.keys("x")
    browser.wait_for("Files after layer 1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT])
def test_a_signal_gives_the_terminal_back(screen, image, number):
    browser = screen(image)
    os.kill(browser.pid_of("safebuild"), number)
    browser.wait_for("ready$", absent=["Files after"])
    if number == signal.SIGINT:
        # That ends the shell's script too.
        browser.keys("echo status=$?=", "Enter")
    browser.wait_for(f"status={128 + number}=")
    browser.run(["sh", "-c", "stty -a | tr ' ;' '\\n\\n' | grep -x -e icanon -e echo -e icrnl | paste -sd+"])
    browser.wait_for("icrnl+icanon+echo")


def test_ctrl_c_quits(screen, image):
    browser = screen(image)
    browser.keys("C-c")
    # A script is ended by it too, so the next command tells the status.
    browser.wait_for("ready$", absent=["Files after"])
    browser.keys("echo now=$?=", "Enter")
    browser.wait_for("now=130=")


def test_it_can_be_stopped_and_goes_on(screen, image):
    browser = screen(image)
    browser.keys("C-z")
    browser.wait_for("ready$", absent=["Files after"])
    browser.keys("fg", "Enter")
    browser.wait_for("Files after layer 1")
    browser.keys("q")
    browser.wait_for("ready$", absent=["Files after"])


def test_an_image_from_a_pipe(sb, screen, image):
    archive = image_make.tar_folder(image, sb.folder / "explored.tar")
    browser = screen("-", wait=False)
    browser.close()
    browser = Screen(sb.folder)
    try:
        browser.run(["sh", "-c", f"cat {archive} | {sb.program} inspect explore -"])
        browser.wait_for("Files after layer 1")
        browser.keys("Down", "Tab", "/")
        browser.type("notes")
        browser.keys("Enter", "Down", "v")
        browser.wait_for("first line")
    finally:
        browser.close()


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": ""}, {"TERM": "no-such-terminal"}])
def test_a_terminal_that_can_t_is_an_error(screen, image, env):
    browser = screen(image, env=env, wait=False)
    browser.wait_for("safebuild: error: ", "status=3=", "hint: ")


def test_without_a_terminal_it_is_an_error(sb, image):
    result = sb("inspect", "explore", image, check=3)
    assert "needs a terminal" in result.err and "safebuild inspect" in result.err
    assert result.out == ""


def test_usage(sb, image):
    sb("inspect", "explore", image, image, check=2)
    assert "dive" in sb("inspect", "explore", "--help").out


def test_an_image_that_is_not_there(screen):
    browser = screen("./no-such-image.tar", wait=False)
    browser.wait_for("no-such-image.tar", "status=3=")


def test_one_of_several_images(sb, screen):
    both = sb.folder / "both"
    entries = []
    for tag in ("one", "two"):
        layers = [layer(lambda tar, tag=tag: image_make.add_file(tar, f"file-of-{tag}", b"x"))]
        image_make.make_oci_layout(both, layers, tag=tag)
        entries += json.loads((both / "index.json").read_text())["manifests"]
    (both / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))
    screen(both, wait=False).wait_for("one, two", "--name", "status=2=")
    screen(both, "--name", "two").wait_for("file-of-two")


def test_a_hundred_thousand_files(sb, screen):
    def many(tar):
        for folder in range(100):
            image_make.add_dir(tar, f"d{folder:03}")
            for name in range(1000):
                image_make.add_file(tar, f"d{folder:03}/f{name:03}", b"x")

    folder = sb.folder / "many"
    image_make.make_oci_layout(folder, [layer(many), layer(lambda tar: image_make.add_file(tar, ".wh.d050", b""))])
    browser = screen(folder)
    browser.keys("Down", "Tab", "n")
    browser.wait_for("- drwxr-xr-x", "d050/", "without unmodified", "1/1")
    browser.keys("n", "z", "G")
    browser.wait_for("100100/100100", "f999")
    browser.keys("/")
    browser.type("d077/f99")
    browser.wait_for("1/11")


def test_the_screen_is_left_as_it_was(screen, image):
    browser = screen(image, wait=False)
    browser.wait_for("Files after layer 1")
    browser.keys("q")
    shown = browser.wait_for("status=0=")
    assert "reading the image" not in shown
