# SPDX-License-Identifier: MIT
"""safebuild lint and build --check: findings, forms, waivers, exit statuses; and what examples/ have to say."""

import json
import re

import pytest

import sarif_schema
from conftest import HERE

EXAMPLES = HERE.parents[1] / "examples"
BAD = "FROM busybox:1\nENV API_TOKEN=hunter2-hunter2\nCOPY .env /app/\nRUN sudo true\nRUN rm /app/.env\n"


def lint(sb, text, *args, files=None, **more):
    context = sb.context(files)
    (context / "Buildfile").write_text(text, encoding="utf-8")
    return sb("lint", *args, context / "Buildfile", **more)


def found(result):
    """RULE@LINE of each finding of the page."""
    return re.findall(r"^\S.*?:(\d+):\d+: \w+: .* \[(\w+)\]$", result.out, re.M)


def rules(result):
    return {f"{rule}@{line}" for line, rule in found(result)}


def test_the_page(sb):
    result = lint(sb, BAD, check=1)
    assert rules(result) >= {"SecretCopiedThenRemoved@3", "SecretsUsedInArgOrEnv@2", "SudoInRun@4", "RunsAsRoot@1"}
    assert " 4 | RUN sudo true\n   |     ^~~~\n" in result.out and "line 5" in result.out
    assert re.search(r"^1 error, 3 warnings, 1 info in ", result.out.splitlines()[-1]), result.out
    assert "hunter2" not in result.text and "\x1b" not in result.out and result.err == ""


def test_exit_status(sb):
    lint(sb, BAD, "--fail-on=never", check=0)
    lint(sb, BAD, "--skip=SecretCopiedThenRemoved", check=0)
    lint(sb, BAD, "--skip=SecretCopiedThenRemoved", "--fail-on=warning", check=1)
    lint(sb, BAD, "--skip=all", "--fail-on=info", check=0)
    lint(sb, "FROM busybox:1@sha256:" + "0" * 64 + "\nUSER 1\n", "--fail-on=info", check=0)
    lint(sb, "# check=error=true\nFROM busybox:1\nRUN sudo x\n", check=1)
    lint(sb, "# check=error=true\nFROM busybox:1\nRUN sudo x\n", "--fail-on=error", check=0)


def test_wrong_usage_and_files_that_are_not_there(sb):
    assert "did you mean 'SudoInRun'" in lint(sb, BAD, "--skip=SudoInRan", check=2).err
    lint(sb, BAD, "--fail-on=sometimes", check=2)
    lint(sb, BAD, "--format=xml", check=2)
    assert "nosuch" in sb("lint", "nosuch", check=3).err
    assert "no Buildfile and no Dockerfile" in sb("lint", cwd=sb.context(), check=3).err


@pytest.mark.parametrize(
    "text", ["FROM\n", "RUN x\n", "FROM a\nNOPE\n", "FROM a\nCOPY --from=late /a /b\nFROM a AS late\n", "FROM a\nENV a=${b\n"]
)
def test_what_does_not_parse_is_no_finding(sb, text):
    result = lint(sb, text, check=2)
    assert "Buildfile" in result.err and "error" in result.err and result.out == ""
    assert sb.build(text, "--check", check=2).out == ""


def test_default_names_folders_and_standard_input(sb):
    context = sb.context({"Dockerfile": "FROM busybox:1\nRUN sudo a\n"})
    by_default = sb("lint", cwd=context)
    assert "Dockerfile:2:5" in by_default.out
    (context / "Buildfile").write_text("FROM busybox:1\nUSER 1\nRUN sudo b\n")
    assert "Buildfile:3:5" in sb("lint", cwd=context).out
    assert rules(sb("lint", context)) == rules(sb("lint", "-f", context / "Buildfile"))
    piped = sb("lint", "-", stdin=b"FROM busybox:1\nCOPY . .\nRUN sudo a\n")
    assert "<stdin>:3:5" in piped.out and "CopyAllWithoutIgnoreFile" not in piped.out
    assert "CopyAllWithoutIgnoreFile@2" in rules(sb("lint", "--context", context, "-", stdin=b"FROM a:1\nCOPY . .\n"))


def test_the_ignore_file_is_asked(sb):
    text = "FROM busybox:1\nCOPY . /a\nCOPY build/out.log node/x /b/\nCOPY keep/this /c\n"
    assert "CopyAllWithoutIgnoreFile@2" in rules(lint(sb, text))
    ignore = {".dockerignore": "**/*.log\nnode\nkeep\n!keep/this\n"}
    with_file = rules(lint(sb, text, files=ignore))
    assert "CopyIgnoredFile@3" in with_file and "CopyIgnoredFile@4" not in with_file
    assert not any(rule.startswith("CopyAll") for rule in with_file)
    own = {"Buildfile.dockerignore": "*.txt\n"}
    assert not any(rule.startswith("Copy") for rule in rules(lint(sb, text, files=own)))


def test_the_store_is_asked_for_images(fresh):
    fresh.build("FROM busybox:1\nENV HOUSE=/h\nUSER 12\n", "-t", "app:1")
    text = "FROM app:1\nWORKDIR $HOUSE/$GARDEN\n"
    result = lint(fresh, text)
    assert "UndefinedVar@2" in rules(result) and "GARDEN" in result.out and "'HOUSE'" not in result.out
    assert "RunsAsRoot@1" not in rules(result)
    elsewhere = fresh.folder / "no-store"
    assert "RunsAsRoot@1" in rules(lint(fresh, text, "--root", elsewhere)) and not elsewhere.exists()
    assert "InvalidBaseImagePlatform@1" not in rules(result)


@pytest.mark.parametrize(
    "text",
    [
        "# check=skip=SudoInRun\nFROM busybox:1\nRUN sudo x\n",
        "FROM busybox:1\n# safebuild: ignore=SudoInRun it has to be\nRUN sudo x\n",
        "FROM busybox:1\n# check=skip=SudoInRun\nRUN sudo x\n",
        "FROM busybox:1\nRUN sudo x # safebuild: ignore=all\n",
    ],
)
def test_waivers(sb, text):
    assert not any("SudoInRun" in rule for rule in rules(lint(sb, text)))


def test_a_waiver_for_no_rule_is_a_finding(sb):
    result = lint(sb, "# check=skip=SudoInRn\nFROM busybox:1\nRUN sudo x\n")
    assert rules(result) >= {"UnknownRule@1", "SudoInRun@3"} and "did you mean 'SudoInRun'?" in result.out


def test_json(sb):
    result = lint(sb, BAD, "--format=json", check=1)
    report = json.loads(result.out)
    assert report["schema"] == 1 and report["counts"] == {"error": 1, "warning": 3, "info": 1, "waived": 0}
    first = report["findings"][0]
    wanted = {"rule", "severity", "file", "line", "column", "message", "why", "fix", "excerpt", "fingerprint"}
    assert set(first) == wanted and all(isinstance(first[key], (str, int)) for key in wanted)
    assert [f["line"] for f in report["findings"]] == sorted(f["line"] for f in report["findings"])
    assert "hunter2" not in result.text and result.out.isascii()
    assert {f"{f['rule']}@{f['line']}" for f in report["findings"]} == rules(lint(sb, BAD, check=1))


# --- SARIF 2.1.0: its schema, and what its specification asks of the objects that are used, and of no others ---


def member(thing, name, kind, required=True):
    if name not in thing:
        assert not required, f"{name} is missing in {thing}"
        return None
    assert isinstance(thing[name], kind) and not (kind is int and isinstance(thing[name], bool)), (name, thing[name])
    return thing[name]


def only(thing, *names):
    assert set(thing) <= set(names), set(thing) - set(names)


def check_message(thing):
    only(thing, "text")
    assert member(thing, "text", str)


def check_rule(rule):
    only(rule, "id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration")
    assert re.fullmatch(r"\w+", member(rule, "id", str))
    for name in ("shortDescription", "fullDescription", "help"):
        check_message(member(rule, name, dict))
    configuration = member(rule, "defaultConfiguration", dict)
    only(configuration, "level", "enabled")
    assert configuration["level"] in ("none", "note", "warning", "error") and isinstance(configuration["enabled"], bool)


def check_location(location):
    only(location, "physicalLocation")
    place = member(location, "physicalLocation", dict)
    only(place, "artifactLocation", "region")
    artifact = member(place, "artifactLocation", dict)
    only(artifact, "uri")
    assert re.fullmatch(r"(file:///)?([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", member(artifact, "uri", str)), artifact
    region = member(place, "region", dict, required=False)
    if region is not None:
        only(region, "startLine", "startColumn", "snippet")
        assert member(region, "startLine", int) >= 1 and member(region, "startColumn", int) >= 1
        check_message(member(region, "snippet", dict))


def check_result(result, ids):
    only(result, "ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints")
    assert ids[member(result, "ruleIndex", int)] == member(result, "ruleId", str)
    assert member(result, "level", str) in ("none", "note", "warning", "error")
    check_message(member(result, "message", dict))
    for location in member(result, "locations", list):
        check_location(location)
    fingerprints = member(result, "partialFingerprints", dict)
    assert fingerprints and all(isinstance(value, str) and value for value in fingerprints.values())


def check_sarif(log):
    sarif_schema.check(log)
    only(log, "$schema", "version", "runs")
    assert member(log, "version", str) == "2.1.0" and member(log, "$schema", str).startswith("https://")
    for run in member(log, "runs", list):
        only(run, "tool", "columnKind", "results")
        assert member(run, "columnKind", str) in ("utf16CodeUnits", "unicodeCodePoints")
        tool = member(run, "tool", dict)
        only(tool, "driver")
        driver = member(tool, "driver", dict)
        only(driver, "name", "semanticVersion", "rules")
        assert member(driver, "name", str) == "safebuild"
        assert re.fullmatch(r"\d+\.\d+\.\d+", member(driver, "semanticVersion", str))
        listed = member(driver, "rules", list)
        for rule in listed:
            check_rule(rule)
        ids = [rule["id"] for rule in listed]
        assert len(set(ids)) == len(ids)
        for result in member(run, "results", list):
            check_result(result, ids)
        prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
        assert len(set(prints)) == len(prints)


def sarif(sb, text, *args, **more):
    result = lint(sb, text, "--format=sarif", *args, **more)
    log = json.loads(result.out)
    check_sarif(log)
    assert "hunter2" not in result.text
    return log["runs"][0]


def test_the_schema_finds_faults(sb):
    log = json.loads(lint(sb, BAD, "--format=sarif", check=1).out)
    assert sarif_schema.faults(log) == []
    for change in ("level", "text", "startLine", "version", "name"):
        wrong = json.loads(json.dumps(log).replace(f'"{change}"', f'"{change}X"'))
        assert sarif_schema.faults(wrong), change
    assert sarif_schema.faults({**log, "version": "2.0.0"}) and sarif_schema.faults([])


def test_sarif(sb):
    run = sarif(sb, BAD, check=1)
    places = {
        f"{r['ruleId']}@{r['locations'][0]['physicalLocation']['region']['startLine']}" for r in run["results"]
    }
    assert places == rules(lint(sb, BAD, check=1))
    levels = {r["ruleId"]: r["level"] for r in run["results"]}
    assert levels["SecretCopiedThenRemoved"] == "error" and levels["BaseImageWithoutDigest"] == "note"
    assert sarif(sb, "FROM scratch\n")["results"] == []


def test_sarif_fingerprints_do_not_move_with_lines(sb):
    def prints(text):
        return sorted(r["partialFingerprints"]["safebuildLint/v1"] for r in sarif(sb, text, check=1)["results"])

    assert prints(BAD) == prints(BAD.replace("RUN sudo", "# one\n\n# two\nRUN sudo"))


def test_sarif_columns_count_characters_and_names_are_escaped(sb):
    context = sb.context()
    path = context / "b\u00e4d name"
    path.write_text("FROM busybox:1\nRUN echo \u00e4\u00f6\u00fc; sudo x\n", encoding="utf-8")
    log = json.loads(sb("lint", "--format=sarif", path).out)
    check_sarif(log)
    places = [r["locations"][0]["physicalLocation"] for r in log["runs"][0]["results"] if r["ruleId"] == "SudoInRun"]
    assert places[0]["region"]["startColumn"] == 15 and places[0]["artifactLocation"]["uri"].endswith("/b%C3%A4d%20name")


# --- build --check ---


def test_build_check_finds_the_same_and_runs_nothing(fresh):
    context = fresh.context({".env": "A=1\n", "Buildfile": BAD + "RUN exit 1\n"})
    checked = fresh("build", "--check", context, check=1)
    linted = fresh("lint", context, check=1)
    assert checked.out == linted.out and rules(linted)
    assert "exit 1" not in checked.err
    for fail_on, status in (("error", 1), ("never", 0)):
        fresh("build", "--check", "--fail-on", fail_on, context, check=status)


def test_build_check_fails_on_warnings_as_dockers_does(fresh):
    fresh.build("FROM busybox:1\nUSER 1\nRUN sudo x\n", "--check", check=1)
    fresh.build("FROM busybox:1\nUSER 1\nRUN sudo x\n", "--check", "--fail-on=error", check=0)
    fresh.build("FROM busybox:1\nUSER 1\n", "--check", check=0)
    skip = "BUILDKIT_DOCKERFILE_CHECK=skip=SudoInRun"
    fresh.build("FROM busybox:1\nUSER 1\nRUN sudo x\n", "--check", "--build-arg", skip, check=0)


def test_build_check_as_json_lines(fresh):
    context = fresh.context({"Buildfile": "FROM busybox:1\nRUN sudo x\n"})
    events = fresh("build", "--check", "--progress=json", context, check=1).events
    reports = [event for event in events if event["event"] == "lint"]
    assert len(reports) == 1 and "SudoInRun" in {f["rule"] for f in reports[0]["findings"]}


def test_a_file_that_is_too_large_is_refused(sb):
    assert "not linted" in lint(sb, "FROM a\n" + "RUN x\n" * 11000, check=3).err


def test_hostile_text_is_escaped(sb):
    result = lint(sb, "FROM busybox:1\nRUN sudo \x1b[2J\x07\nCOPY .\x1b.env /\nENV a=\u202e$b\n", check=None)
    assert "\x1b" not in result.out and "\x07" not in result.out and result.status in (0, 1)


# --- examples ---


def test_what_is_said_of_the_leaked_secret(sb):
    result = sb("lint", EXAMPLES / "leaked-secret", check=1)
    assert "SecretCopiedThenRemoved@10" in rules(result) and "removed on line 11" in result.out


@pytest.mark.parametrize("name", ["secret", "multi-stage"])
def test_the_good_examples_have_nothing_to_warn_of(sb, name):
    sb("lint", "--fail-on=warning", EXAMPLES / name)


def test_the_playground_gets_better(sb):
    folder = EXAMPLES / "playground"
    worst = rules(sb("lint", folder / "all-in-one.Buildfile"))
    assert worst == {
        "RunsAsRoot@2",
        "CopyAllWithoutIgnoreFile@4",
        "PackageCacheLeft@5",
        "PackageCacheLeft@6",
        "AptInstallsRecommended@5",
        "BaseImageWithoutDigest@2",
    }
    for name in ("ubuntu", "alpine", "distroless"):
        better = sb("lint", "--fail-on=warning", folder / f"{name}.Buildfile")
        assert {rule for _, rule in found(better)} == {"BaseImageWithoutDigest"}


def test_the_footguns_are_all_found(sb):
    names = {rule.split("@")[0] for rule in rules(sb("lint", EXAMPLES / "footguns", check=1))}
    assert names == {
        "SecretCopiedThenRemoved", "RunsAsRoot", "UnpinnedBaseImage", "SecretsUsedInArgOrEnv",
        "CopyAllWithoutIgnoreFile", "AptUpdateAlone", "PackageCacheLeft", "PipeToShell", "SudoInRun",
        "WorldWritable", "RemoteAddWithoutChecksum", "JSONArgsRecommended", "AptInstallsRecommended",
    }  # fmt: skip


def test_the_manual_and_the_readme_name_the_rules(sb):
    readme = HERE.parents[1] / "README.md"
    if not readme.exists():
        pytest.skip("the README is not beside the tests")
    text = readme.read_text(encoding="utf-8")
    listed = json.loads(lint(sb, "FROM scratch\n", "--format=sarif").out)["runs"][0]["tool"]["driver"]["rules"]
    missing = [rule["id"] for rule in listed if rule["id"] not in text]
    assert missing == []
