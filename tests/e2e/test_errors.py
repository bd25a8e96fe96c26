# SPDX-License-Identifier: MIT
"""Messages: file and line, what was wrong, what to do; and the exit status that goes with them."""

import os

import pytest

import image_read

SYNTAX = [
    ("", 0, "empty"),
    ("# only a comment\n", 0, ""),
    ("RUN true\n", 1, ""),
    ("FROM scratch\nRNU true\n", 2, "RNU"),
    ("FROM\n", 1, "FROM"),
    ("FROM a b\n", 1, "FROM"),
    ("FROM scratch AS 1bad\n", 1, "1bad"),
    ("FROM scratch\nCOPY a\n", 2, "COPY"),
    ("FROM scratch\nCOPY --nope=1 a b\n", 2, "nope"),
    ("FROM scratch\nENV a\n", 2, "ENV"),
    ("FROM scratch\nENV a=1 b\n", 2, ""),
    ("FROM scratch\nWORKDIR\n", 2, "WORKDIR"),
    ("FROM scratch\nEXPOSE 99999999\n", 2, "99999999"),
    ("FROM scratch\nSTOPSIGNAL NOSUCH\n", 2, "NOSUCH"),
    ("FROM scratch\nSHELL not json\n", 2, "SHELL"),
    ("FROM scratch\nHEALTHCHECK --interval=1 CMD x\n", 2, "interval"),
    ("FROM scratch\nONBUILD ONBUILD RUN x\n", 2, "ONBUILD"),
    ("FROM scratch\nONBUILD FROM x\n", 2, "FROM"),
    ("FROM scratch\nRUN <<EOF\nnever ends\n", 2, "EOF"),
    ("FROM scratch\nLABEL a=${b\n", 2, ""),
    ("FROM busybox:1\nRUN --mount=type=nope,target=/x true\n", 2, "nope"),
    ("FROM busybox:1\nRUN --mount=type=secret true\n", 2, ""),
    ("FROM busybox:1\nRUN --mount=type=bind,target=/ true\n", 2, ""),
    ("FROM busybox:1\nRUN --network=wild true\n", 2, "wild"),
    ("FROM scratch\nCOPY --chmod=999 a /b\n", 2, "999"),
    ("FROM scratch\nCOPY --from=later a /b\nFROM scratch AS later\n", 2, "later"),
]


@pytest.mark.parametrize("text, line, word", SYNTAX, ids=[repr(text)[:50] for text, _, _ in SYNTAX])
def test_a_buildfile_that_does_not_parse(sb, text, line, word):
    result = sb.build(text, check=2)
    assert "error" in result.err and word in result.err
    if line:
        assert f"Buildfile:{line}" in result.err, repr(result)


PLACES = [
    ("FROM scratch\nRNU true\n", 2, "RNU true", "RNU"),
    ("FROM scratch\nCOPY --nope=1 a b\n", 2, "COPY --nope=1 a b", "--nope=1"),
    ("FROM scratch\nENV a=1 \\\n    b=${c:?}\n", 3, "    b=${c:?}", "${c:?}"),
    ("FROM scratch\nLABEL a=b c=${d\n", 2, "LABEL a=b c=${d", "${d"),
    ("FROM scratch\nEXPOSE 80 81x\n", 2, "EXPOSE 80 81x", "81x"),
    ("FROM scratch\nCOPY one two /x/\n", 2, "COPY one two /x/", "one"),
    ("FROM busybox:1\nRUN --mount=type=bind,source=nosuch,target=/x true\n", 2, None, "nosuch,target=/x"),
    ("FROM busybox:1\nRUN --mount=type=nope,target=/x true\n", 2, None, "type=nope,target=/x"),
    ("FROM busybox:1\nRUN false # it fails\n", 2, "RUN false # it fails", "RUN"),
    ("FROM busybox:1\nRUN --mount=target=/x,typ=bind true\n", 2, None, "target=/x,typ=bind"),
    ("FROM scratch\nCOPY --from=9 / /\n", 2, None, "9"),
    ("FROM scratch\nHEALTHCHECK --timeout=1s --retries=much CMD x\n", 2, None, "much"),
    ("FROM scratch\nCOPY --chmod=u+q Buildfile /x\n", 2, None, "u+q"),
    ("FROM scratch\nCOPY Buildfile Buildfile /nofolder\n", 2, None, "/nofolder"),
    ("FROM scratch\nENV D=/dd\nCOPY $D-no Buildfile ${D}/\n", 3, None, "$D-no"),
    ("FROM $NOPE\n", 1, "FROM $NOPE", "$NOPE"),
    ("FROM --platform=no/such/thing/x scratch\n", 1, None, "no/such/thing/x"),
]


@pytest.mark.parametrize("text, number, line, words", PLACES, ids=[case[3] for case in PLACES])
def test_a_message_shows_the_line_and_the_place_in_it(sb, text, number, line, words):
    result = sb.build(text, check=None)
    line = line or text.splitlines()[number - 1]
    column = line.index(words) + 1
    marks = "^" + "~" * (len(words) - 1)
    wanted = f"Buildfile:{number}:{column}: error: "
    assert result.status in (1, 2) and wanted in result.err, repr(result)
    after = result.err[result.err.index(wanted) :].splitlines()[1:]
    assert after[:2] == [f" {number} | {line}", f" {' ' * len(str(number))} | {' ' * (column - 1)}{marks}"]


@pytest.mark.parametrize("line", ["COPY --chmod=9 a /x", "ADD --chmod=u+q a /x", "RUN --mount=type=nope true", "EXPOSE x", "ENV a=${"])
def test_what_can_be_known_is_known_before_a_step_runs(sb, line):
    result = sb.build(f"FROM busybox:1\nRUN echo THE STEP RAN\n{line}\n", check=2)
    assert "Buildfile:3:" in result.err and "#1" not in result.err and "STEP RAN" not in result.err
    assert sb.build(f"FROM busybox:1\nRUN echo x\n{line}\n", "--check", check=2).out == ""


def test_the_line_that_is_shown_has_no_secret_in_it(sb):
    secret = sb.file("in-the-buildfile", "a-value-of-the-buildfile")
    text = "FROM scratch\nENV a=a-value-of-the-buildfile b\nADD https://user:swordfish@127.0.0.1:1/x /x\n"
    result = sb.build(text, "--secret", f"id=s,src={secret}", check=2)
    assert " 2 | ENV a=[secret s] b\n" in result.err and "a-value" not in result.text and "^" not in result.err
    result = sb.build(text.replace(" b\n", "\n"), check=None)
    assert result.status != 0 and " 3 | ADD https://" in result.err and "swordfish" not in result.text


@pytest.mark.parametrize("line", ["ENV API_TOKEN=hunter2-hunter2 b", "ENV a=ghp_0123456789abcdefABCDEF0123456789abcd b"])
def test_lint_shows_no_line_that_may_have_a_secret(sb, line):
    context = sb.context({"Buildfile": f"FROM scratch\n{line}\n"})
    result = sb("lint", context, check=2)
    assert "Buildfile:2:" in result.err and "'b'" in result.err and "hunter2" not in result.text and "ghp_" not in result.text
    (context / "Buildfile").write_text("FROM scratch\nENV a=1 b\n")
    assert " 2 | ENV a=1 b\n   |         ^\n" in sb("lint", context, check=2).err


def test_a_base_that_is_a_later_stage(sb):
    result = sb.build("FROM later AS a\nFROM scratch AS later\nCOPY --from=a / /\n", check=None)
    assert result.status == 3 and "the stage 'later' begins later" in result.err


UNSUPPORTED = [
    ("FROM scratch\nADD https://example.org/x /x\n", 2, "ADD"),
    ("FROM scratch\nADD https://example.org/x.git /x\n", 2, "ADD"),
    ("FROM busybox:1\nRUN --security=insecure true\n", 2, "security"),
    ("FROM busybox:1\nRUN --device=x true\n", 2, "device"),
]


@pytest.mark.parametrize("text, line, word", UNSUPPORTED, ids=[case[2] + str(n) for n, case in enumerate(UNSUPPORTED)])
def test_what_is_not_there_yet_is_named(sb, text, line, word):
    result = sb.build(text, check=None)
    assert result.status not in (0, 125) and f"Buildfile:{line}" in result.err and word in result.err


def test_a_misspelt_instruction_gets_a_suggestion(sb):
    assert "WORKDIR" in sb.build("FROM scratch\nWORKDRI /x\n", check=2).err


def test_a_target_that_is_not_there(sb):
    result = sb.build("FROM scratch AS one\n", "--target", "two", check=None)
    assert result.status in (1, 2, 3) and "'two'" in result.err


def test_the_line_is_that_of_the_instruction_behind_a_continuation(sb):
    result = sb.build("FROM busybox:1\nRUN echo a \\\n  b \\\n  c\nRUN false\n", check=1)
    assert "Buildfile:5" in result.err


def test_the_name_of_another_buildfile_is_in_the_message(sb):
    context = sb.context({"other/My.Buildfile": "FROM scratch\nNOPE\n"})
    result = sb("build", "-f", context / "other/My.Buildfile", context, check=2)
    assert "My.Buildfile:2" in result.err


def test_no_buildfile_at_all(sb):
    result = sb("build", sb.context({"x": ""}), check=None)
    assert result.status in (1, 2, 3) and "Buildfile" in result.err and "Dockerfile" in result.err


def test_no_context(sb):
    result = sb("build", "/no/such/context", check=None)
    assert result.status in (1, 2, 3) and "/no/such/context" in result.err


def test_hostile_text_is_escaped(sb):
    result = sb.build("FROM scratch\nCOPY \x1bcname\x07 /x\n", check=1)
    assert "\x1b" not in result.err and "\x07" not in result.err


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"FROM scratch\nLABEL a=\xff\xff\n", b"FROM scratch\0RUN x\n", b"\\\n" * 3000])
def test_bytes_that_are_no_buildfile_do_no_harm(sb, data):
    context = sb.context({"Buildfile": data})
    result = sb("build", "--progress=plain", context, check=None)
    assert result.status in (0, 1, 2, 3), repr(result)


def test_a_line_that_is_too_long(sb):
    result = sb.build("FROM scratch\nLABEL a=" + "x" * 70000 + "\n", check=None)
    assert result.status in (2, 3) and "Buildfile:2" in result.err


def test_a_very_deep_expansion_ends_in_an_error(sb):
    result = sb.build("FROM scratch\nLABEL a=" + "${a:-" * 5000 + "}" * 5000 + "\n", check=None)
    assert result.status in (2, 3), repr(result)


@pytest.mark.parametrize(
    "line", ["ENV a=\udce4", "LABEL a=\udce4", "CMD echo \udce4", 'ENTRYPOINT ["\udce4"]', "USER \udce4", "VOLUME /\udce4"]
)
def test_text_that_no_config_can_hold_is_refused_before_anything_runs(sb, line):
    context = sb.context()
    (context / "Buildfile").write_text(f"FROM busybox:1\nRUN touch /x\n{line}\n", errors="surrogateescape")
    result = sb("build", "--progress=plain", context, check=2)
    assert "Buildfile:3" in result.err and "UTF-8" in result.err and "RUN" not in result.text


def test_an_argument_that_no_config_can_hold_is_refused_where_it_is_used(sb):
    text = "FROM busybox:1\nARG a\nRUN true\nENV b=$a\nRUN true\n"
    result = sb.build(text, "--build-arg", b"a=\xe4".decode(errors="surrogateescape"), check=2)
    assert "Buildfile:4" in result.err and "UTF-8" in result.err
    sb.build("FROM busybox:1\n", "--label", "a=\udce4", check=2)


def test_commands_and_names_may_be_any_bytes(sb):
    context = sb.context()
    (context / "Buildfile").write_bytes(b"FROM busybox:1\nRUN printf '\xe4' >/x\nCOPY \xfc /y\n")
    with open(os.path.join(os.fsencode(context), b"\xfc"), "wb") as file:
        file.write(b"1")
    target = sb.context() / "image.tar"
    sb("build", "-o", f"type=oci,dest={target}", context)
    image = image_read.read_oci_archive(target)
    assert image.read("x") == b"\xe4" and image.read("y") == b"1"
    assert image.config["history"][-1]["created_by"] == "COPY \ufffd /y"


def test_a_mistyped_name_of_a_base_is_told_before_the_registry_is_blamed(sb):
    """Port 9 refuses, so that nobody is asked."""
    sb("tag", "busybox:1", "127.0.0.1:9/tools:1")
    result = sb.build("FROM 127.0.0.1:9/tolls:1\nRUN true\n", check=None)
    assert result.status != 0 and "did you mean '127.0.0.1:9/tools:1'?" in result.err
    text = "FROM scratch AS builder\nFROM busybox:1\nCOPY --from=127.0.0.1:9/x /a /b\n"
    assert "did you mean" not in sb.build(text, check=None).err
