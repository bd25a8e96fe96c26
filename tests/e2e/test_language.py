# SPDX-License-Identifier: MIT
"""Each instruction of the Buildfile language: what it does to the config and the file system."""

import re

import pytest

import image_make


def test_from_scratch_alone_is_an_image_without_layers(sb):
    image = sb.image("FROM scratch\nLABEL a=b\n")
    assert image.layers == []
    assert image.run["Labels"] == {"a": "b"}
    assert image.config["os"] == "linux"
    assert image.config["architecture"] == image_make.ARCHITECTURE


def test_a_base_keeps_its_layers_and_history(sb, five_layers):
    base = sb.image(f"FROM {five_layers}\n")
    child = sb.image(f"FROM {five_layers}\nRUN echo hi >/hi\n")
    assert [layer.diff_id for layer in child.layers[:5]] == [layer.diff_id for layer in base.layers]
    assert len(child.layers) == 6
    assert child.history[: len(base.history)] == base.history


def test_without_a_buildfile_name_the_context_is_looked_up(sb):
    context = sb.context({"Dockerfile": "FROM scratch\nLABEL from=dockerfile\n"})
    sb("build", context, "-t", "lookup:1")
    (context / "Buildfile").write_text("FROM scratch\nLABEL from=buildfile\n", encoding="utf-8")
    target = sb.folder / "lookup.tar"
    sb(context, "-o", f"type=oci,dest={target}")
    import image_read

    assert image_read.read_oci_archive(target).run["Labels"] == {"from": "buildfile"}


def test_a_buildfile_comes_from_stdin(sb):
    context = sb.context({"x": "data"})
    sb("build", "-f", "-", context, "-t", "stdin:1", stdin=b"FROM scratch\nCOPY x /x\n")


def test_comments_continuations_and_directives(sb):
    text = """# syntax=docker/dockerfile:1
# escape=`
FROM busybox:1
# a comment
run echo one `
  # inside a continuation
  two `

  three > /out
"""
    assert sb.image(text).read("out").split() == [b"one", b"two", b"three"]


def test_stages_by_name_and_number(sb):
    text = """FROM busybox:1 AS first
RUN echo 1 >/one
FROM busybox:1
RUN echo 2 >/two
FROM scratch
COPY --from=first /one /
COPY --from=1 /two /
"""
    image = sb.image(text)
    assert image.read("one") == b"1\n" and image.read("two") == b"2\n"
    assert len(image.layers) == 2


def test_a_stage_inherits_config_and_shell(sb):
    text = """FROM busybox:1 AS a
ENV X=1
WORKDIR /w
USER app
SHELL ["/bin/sh", "-eu", "-c"]
LABEL l=a
CMD ["x"]
FROM a
LABEL m=b
"""
    image = sb.image(text)
    assert image.env["X"] == "1"
    assert image.run["WorkingDir"] == "/w"
    assert image.run["User"] == "app"
    assert image.run["Shell"] == ["/bin/sh", "-eu", "-c"]
    assert image.run["Labels"] == {"l": "a", "m": "b"}
    assert image.run["Cmd"] == ["x"]


def test_only_the_stages_that_the_target_needs_run(sb):
    text = """FROM busybox:1 AS broken
RUN exit 3
FROM busybox:1 AS wanted
RUN echo y >/y
FROM broken AS last
"""
    image = sb.image(text, "--target", "WANTED")
    assert image.read("y") == b"y\n"


def test_env_in_both_forms_expands_and_replaces_in_place(sb):
    text = r"""FROM busybox:1
ENV a=1 b=2
ENV a=9 c=$a d="x y" e=x\ y f='$a'
ENV legacy some  words here
ENV FROM_BASE=changed
"""
    env = sb.image(text).env
    assert env["a"] == "9" and env["b"] == "2"
    assert env["c"] == "1", "values are those from before the instruction"
    assert env["d"] == "x y" and env["e"] == "x y" and env["f"] == "$a"
    assert env["legacy"] == "some  words here"
    assert env["PATH"]


@pytest.mark.parametrize(
    "word, value",
    [
        ("${v:-d}", "value"),
        ("${u:-d}", "d"),
        ("${empty:-d}", "d"),
        ("${empty-d}", ""),
        ("${v:+set}", "set"),
        ("${u:+set}", ""),
        ("${u:-${v}}", "value"),
        ("${v#v*l}", "ue"),
        ("${v%e}", "valu"),
        ("${v/a/A}", "vAlue"),
        ("\\$v", "$v"),
        ("$u.x", ".x"),
        ("$", "$"),
    ],
)
def test_expansion(sb, word, value):
    image = sb.image(f'FROM scratch\nENV v=value empty=\nLABEL out="{word}"\n')
    assert image.run["Labels"]["out"] == value


def test_a_required_variable_that_is_unset_is_an_error(sb):
    result = sb.build('FROM scratch\nLABEL x="${nope:?give me nope}"\n', check=2)
    assert "nope: give me nope" in result.err


def test_arg_default_build_arg_and_scope(sb):
    text = """ARG BASE=busybox:1
ARG GLOBAL=g
FROM ${BASE}
ARG A=1 B
ARG GLOBAL
ARG C=${A}x
RUN echo "A=$A B=${B-unset} C=$C G=$GLOBAL" >/out
"""
    assert sb.image(text).read("out") == b"A=1 B=unset C=1x G=g\n"
    image = sb.image(text, "--build-arg", "A=2", "--build-arg", "B", env={"B": "from-env"})
    assert image.read("out") == b"A=2 B=from-env C=2x G=g\n"
    assert "A" not in image.env


def test_arg_values_are_not_in_the_history(sb):
    image = sb.image("FROM busybox:1\nARG PIN=0\nRUN true\n", "--build-arg", "PIN=73546172")
    assert "73546172" not in repr(image.config)


def test_a_later_env_wins_over_arg_and_a_later_arg_over_env(sb):
    text = "FROM busybox:1\nARG x=arg\nENV x=env\nRUN echo $x >/1\nARG x=late\nRUN echo $x >/2\n"
    image = sb.image(text)
    assert (image.read("1"), image.read("2")) == (b"env\n", b"late\n")
    assert image.env["x"] == "env"


def test_platform_args_are_there(sb):
    text = "FROM busybox:1\nARG TARGETARCH TARGETOS\nARG TARGETPLATFORM\nLABEL p=$TARGETPLATFORM a=$TARGETARCH o=$TARGETOS\n"
    labels = sb.image(text).run["Labels"]
    assert labels["p"].startswith("linux/") and labels["o"] == "linux"
    assert labels["a"] == image_make.ARCHITECTURE


def test_workdir_is_made_and_is_relative_to_the_last(sb):
    text = "FROM busybox:1\nUSER app\nWORKDIR /a/b\nWORKDIR c\nUSER root\nRUN pwd >/out\n"
    image = sb.image(text)
    assert image.run["WorkingDir"] == "/a/b/c"
    assert image.read("out") == b"/a/b/c\n"
    assert image.member("a/b").isdir()
    assert image.member("a/b/c").mode & 0o7777 == 0o755


def test_labels_override_and_the_command_line_wins(sb):
    text = 'FROM scratch\nLABEL a=1 "b c"="d e"\nLABEL a=2\nLABEL z=file\n'
    labels = sb.image(text, "--label", "z=option").run["Labels"]
    assert labels == {"a": "2", "b c": "d e", "z": "option"}


def test_entrypoint_clears_a_cmd_of_the_base_only(sb):
    sb.build('FROM scratch\nCMD ["base"]\n', "-t", "with-cmd:1")
    assert not sb.image('FROM with-cmd:1\nENTRYPOINT ["e"]\n').run.get("Cmd")
    kept = sb.image('FROM with-cmd:1\nCMD ["own"]\nENTRYPOINT ["e"]\n').run
    assert kept["Cmd"] == ["own"] and kept["Entrypoint"] == ["e"]


def test_cmd_and_entrypoint_in_shell_form_use_the_shell(sb):
    run = sb.image('FROM scratch\nSHELL ["/bin/x", "-y"]\nCMD echo hi\nENTRYPOINT run it\n').run
    assert run["Cmd"] == ["/bin/x", "-y", "echo hi"]
    assert run["Entrypoint"] == ["/bin/x", "-y", "run it"]


def test_expose_volume_stopsignal_user(sb):
    text = 'FROM scratch\nEXPOSE 80 443/TCP 53/udp\nEXPOSE 8000-8002\nVOLUME /a /b\nVOLUME ["/c d"]\nSTOPSIGNAL SIGINT\nUSER 12:34\n'
    run = sb.image(text).run
    ports = {"80/tcp", "443/tcp", "53/udp", "8000/tcp", "8001/tcp", "8002/tcp"}
    assert set(run["ExposedPorts"]) == ports
    assert set(run["Volumes"]) == {"/a", "/b", "/c d"}
    assert run["StopSignal"] == "SIGINT"
    assert run["User"] == "12:34"


def test_healthcheck(sb):
    text = "FROM scratch\nHEALTHCHECK --interval=5s --timeout=1m --retries=3 CMD wget -q localhost\n"
    check = sb.image(text).run["Healthcheck"]
    assert check["Test"] == ["CMD-SHELL", "wget -q localhost"]
    assert check["Interval"] == 5_000_000_000 and check["Timeout"] == 60_000_000_000
    assert check["Retries"] == 3
    assert sb.image("FROM scratch\nHEALTHCHECK NONE\n").run["Healthcheck"]["Test"] == ["NONE"]
    exec_form = sb.image('FROM scratch\nHEALTHCHECK CMD ["a", "b"]\n').run["Healthcheck"]
    assert exec_form["Test"] == ["CMD", "a", "b"]


def test_shell_changes_later_runs(sb):
    text = 'FROM busybox:1\nSHELL ["/bin/sh", "-c", "echo shell got: $0 >/out"]\nRUN the text\n'
    assert sb.image(text).read("out") == b"shell got: the text\n"


def test_onbuild_runs_in_the_child_and_only_there(sb):
    sb.build('FROM busybox:1\nONBUILD RUN echo "$X" >/onbuild\nONBUILD ENV Y=1\n', "-t", "parent:1")
    parent = sb.image("FROM scratch\nONBUILD LABEL a=b\n")
    assert parent.run["OnBuild"] == ["LABEL a=b"]
    assert not any("ONBUILD" in entry for entry in parent.history)
    child = sb.image("FROM parent:1\nRUN test -f /onbuild\n", "-t", "child:1", "-o", "type=store")
    assert child.env["Y"] == "1"
    assert not child.run.get("OnBuild")
    grandchild = sb.image("FROM child:1\nRUN true\n")
    assert sum("onbuild" in entry for entry in grandchild.history) == 2


def test_a_stage_that_fails_for_a_trigger_names_its_own_line(sb):
    sb.build("FROM scratch\nONBUILD COPY --from=0 /f /g\n", "-t", "wants:1")
    failed = sb.build("FROM scratch\nCOPY nothing /f\nFROM wants:1\n", check=1)
    assert ":2:6: error: COPY: 'nothing'" in failed.err and "ONBUILD" not in failed.err
    itself = sb.build("FROM wants:1\n", check=None)
    assert itself.status != 0 and itself.err.count("ONBUILD") == 1


def test_copy_heredoc_makes_files(sb):
    text = """FROM scratch
ENV name=world
COPY <<one.txt <<"two.txt" /dir/
hello $name
one.txt
hello $name
two.txt
COPY --chmod=0755 <<-EOF /run.sh
	#!/bin/sh
	EOF
"""
    image = sb.image(text)
    assert image.read("dir/one.txt") == b"hello world\n"
    assert image.read("dir/two.txt") == b"hello $name\n"
    assert image.member("dir/one.txt").mode == 0o644
    assert image.read("run.sh") == b"#!/bin/sh\n"
    assert image.member("run.sh").mode == 0o755


def test_history_names_each_instruction(sb):
    text = "FROM busybox:1\nENV k=v\nRUN echo hi\nCOPY f /f\nWORKDIR /w\nUSER 1000\nCMD [\"a\", \"b\"]\nEXPOSE 80\n"
    image = sb.image(text, files={"f": "x"})
    history = image.history[-7:]
    assert history[0] == "ENV k=v"
    assert re.match(r"RUN /bin/sh -c echo hi( # \w+)?$", history[1])
    assert re.match(r"COPY f /f( # \w+)?$", history[2])
    assert history[3].startswith("WORKDIR /w")
    assert history[4] == "USER 1000"
    assert history[5] == 'CMD ["a" "b"]'
    assert history[6].startswith("EXPOSE")
    empty = [bool(entry.get("empty_layer")) for entry in image.config["history"][-7:]]
    assert empty == [True, False, False, False, True, True, True]


def test_created_is_the_source_date_epoch(sb):
    image = sb.image("FROM busybox:1\nRUN true\n", "--source-date-epoch", "86400")
    assert image.config["created"].startswith("1970-01-02T00:00:00")
    assert image.config["history"][-1]["created"].startswith("1970-01-02T00:00:00")
    image = sb.image("FROM scratch\nLABEL a=b\n", env={"SOURCE_DATE_EPOCH": "172800"})
    assert image.config["created"].startswith("1970-01-03T00:00:00")


def test_the_shell_form_needs_no_quoting_of_its_own(sb):
    text = "FROM busybox:1\nRUN echo '$HOME' \"a  b\" | tee /out\n"
    assert sb.image(text).read("out") == b"$HOME a  b\n"
