# SPDX-License-Identifier: MIT
"""inspect in CI: patterns of unknown secrets, reports that hold no value, policies, waivers, exit statuses."""

import datetime
import hashlib
import html.parser
import json
import os

import pytest

import image_make
import sarif_schema


def made_up(label, alphabet, n):
    """Characters as random as those of a token, the same each time, that nobody ever issued."""
    digits = int.from_bytes(hashlib.sha512(label.encode()).digest() * 4, "big")
    out = ""
    for _ in range(n):
        digits, i = divmod(digits, len(alphabet))
        out += alphabet[i]
    return out


ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
TOKENS = {
    "github": "ghp_" + made_up("github", ALNUM, 36),
    "gitlab": "glpat-" + made_up("gitlab", ALNUM, 20),
    "npm": "npm_" + made_up("npm", ALNUM, 36),
    "aws": "AKIA" + made_up("aws", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "key": "-----BEGIN RSA PRIVATE KEY-----\n" + made_up("key", ALNUM, 64) + "\n" + made_up("key2", ALNUM, 64)
    + "\n-----END RSA PRIVATE KEY-----",
    "password": "postgres://app:" + made_up("password", ALNUM, 20) + "@db.example.org/app",
}  # fmt: skip
FORMATS = ["page", "json", "sarif", "html"]


def values():
    """What must be in no report: of each token all but its public mark."""
    yield from (TOKENS[name][8:] for name in ("github", "npm", "aws", "gitlab"))
    yield made_up("key", ALNUM, 64)
    yield made_up("password", ALNUM, 20)


@pytest.fixture(scope="module")
def planted(sb):
    """An image with a token in each place that there is."""
    tars = [
        image_make.make_tar({"app/.npmrc": f"//registry.example.org/:_authToken={TOKENS['npm']}\n", "root/key.pem": TOKENS["key"]}),
        image_make.make_tar({"srv/x": "1", "srv/" + TOKENS["gitlab"]: "named like a token"}),
        image_make.make_tar({"app/.wh..npmrc": b""}),
    ]
    config = image_make.default_config(tars, Labels={"note": TOKENS["aws"]})
    config["config"]["Env"].append("GITHUB_TOKEN=" + TOKENS["github"])
    config["history"][1]["created_by"] = f"RUN curl -u app:{made_up('curl', ALNUM, 20)} https://example.org # buildkit"
    config["history"][2]["comment"] = TOKENS["password"]
    folder = image_make.make_oci_layout(sb.context(), tars, config=config)
    index = json.loads((folder / "index.json").read_text())
    index["manifests"][0]["annotations"]["source"] = TOKENS["password"]
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def test_patterns_are_found_in_every_place(sb, planted):
    report = json.loads(sb("inspect", "--json", planted).out)
    places = {(one["where"].split(":")[0], one["path"]) for one in report["patterns"]}
    wheres = " ".join(one["where"] for one in report["patterns"])
    assert ("layer 1", "app/.npmrc") in places and ("layer 1", "root/key.pem") in places
    for where in ("config: Env", "config: Labels", "config: history entry 2", "config: history entry 3", "index", "name of"):
        assert where in wheres, where
    npmrc = next(one for one in report["findings"] if one["path"] == "app/.npmrc" and one["rule"].startswith("secret-"))
    assert npmrc["removed_layer"] == 2 and npmrc["instruction"] == "layer 0 by hand"
    assert report["verdict"]["word"] == "SUSPECT"


@pytest.mark.parametrize("form", FORMATS)
def test_no_report_holds_a_value(sb, planted, form):
    known = sb.file("known", "named like a token")
    result = sb("inspect", "--format", form, planted, "--secret", f"id=known,src={known}", check=1)
    for value in [*values(), made_up("curl", ALNUM, 20), "named like a token"]:
        assert value not in result.text, value
    assert "known" in result.out


def test_fingerprints_stay_when_the_image_is_built_again(sb, planted):
    def fingerprints(image):
        findings = json.loads(sb("inspect", "--json", image).out)["findings"]
        return {one["fingerprint"] for one in findings if one["path"] == "root/key.pem"}

    again = image_make.make_tar({"new": b"1", "more": b"2" * 700, "root/key.pem": TOKENS["key"]})
    other = image_make.make_oci_layout(sb.context(), [image_make.make_tar({"first": b"1"}), again], compress=False)
    assert fingerprints(planted) == fingerprints(other) != set()


def test_the_html_page_needs_nothing_from_elsewhere(sb, planted):
    page = sb("inspect", "--format", "html", planted).out
    seen = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append((tag, dict(attrs)))

    Reader().feed(page)
    assert {"script", "link", "img", "iframe"}.isdisjoint(tag for tag, _ in seen)
    assert all(value.startswith("#") for _, attrs in seen for key, value in attrs.items() if key in ("href", "src"))


def test_several_reports_at_once_go_to_files(sb, planted):
    folder = sb.context()
    out = sb("inspect", planted, "-o", folder / "a.json", "-o", folder / "a.html", "-o", f"sarif={folder}/a", "-o", "-").out
    assert json.loads((folder / "a.json").read_text())["schema"] == 1
    assert json.loads((folder / "a").read_text())["version"] == "2.1.0"
    assert (folder / "a.html").read_text().startswith("<!doctype html>")
    assert out.startswith("SUSPECT:")
    assert sb("inspect", "--format", "json", planted, "-o", folder / "b").out == ""
    assert (folder / "b").read_text() == (folder / "a.json").read_text()
    sb("inspect", planted, "-o", folder / "no/such/folder/x", check=3)


def day(offset):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=offset)).strftime("%Y-%m-%d")


def waiver(rule, **more):
    return {"rule": rule, "reason": "it is known", "owner": "me@example.org", "expires": day(2), **more}


def policy(sb, **inspect):
    return sb.file("policy.json", json.dumps({"inspect": inspect}))


@pytest.fixture(scope="module")
def plain(sb):
    """Runs as root, and has a deleted file."""
    tars = [image_make.make_tar({"x": b"1" * 1000, "etc/y": b"2"}), image_make.make_tar({".wh.x": b""})]
    return image_make.make_oci_layout(sb.context(), tars)


@pytest.mark.parametrize(
    "words, status",
    [
        ([], 0),
        (["--fail-on", "error"], 0),
        (["--fail-on", "warning"], 1),
        (["--fail-on", "runs-as-root"], 1),
        (["--fail-on", "package-cache,deleted-file"], 1),
        (["--fail-on", "package-cache"], 0),
        (["--fail-on", "any"], 1),
        (["--fail-on", "none"], 0),
        (["--fail-on", "any", "--fail-on", "none"], 0),
        (["--fail-on", "deleted"], 2),
    ],
)
def test_fail_on(sb, plain, words, status):
    sb("inspect", plain, *words, check=status)


def test_a_known_secret_fails_whatever_else_is_asked_for(sb, plain):
    secret = ["--secret", f"id=k,src={sb.file('k', '1' * 100 + '')}", "--secret", f"id=s,src={sb.file('s', 'layer 0 by hand')}"]
    for words in ([], ["--fail-on", "package-cache"], ["--policy", policy(sb, **{"fail-on": ["package-cache"]})]):
        sb("inspect", plain, *secret, *words, check=1)
    sb("inspect", plain, *secret, "--fail-on", "none", check=0)


@pytest.mark.parametrize(
    "inspect, status, word",
    [
        ({}, 0, "deleted-file"),
        ({"fail-on": ["any"]}, 1, "deleted-file"),
        ({"budgets": {"dead-bytes": 999}}, 1, "dead-bytes is 1.00 kB"),
        ({"budgets": {"dead-bytes": "1kB", "layers": 2}}, 0, "WASTE"),
        ({"budgets": {"layers": 1}}, 1, "layers is 2"),
        ({"budgets": {"runs-as-root": False}}, 1, "the policy forbids it"),
        ({"fail-on": ["none"], "budgets": {"runs-as-root": False}}, 0, "budget-exceeded"),
        ({"fail-on": ["any"], "waivers": [waiver("runs-as-root"), waiver("deleted-file", path="x")]}, 0, "waived by me@example.org"),
        ({"fail-on": ["any"], "waivers": [waiver("runs-as-root"), waiver("deleted-file", path="y")]}, 1, "waiver-unused"),
        ({"fail-on": ["any"], "waivers": [waiver("runs-as-root", expires=day(-1)), waiver("deleted-file")]}, 1, "waiver-expired"),
        ({"fail-on": ["runs-as-root"], "waivers": [waiver("runs-as-root", expires=day(0))]}, 0, "waived by"),
        ({"waivers": [waiver("known-secret")]}, 2, "can't be waived"),
        ({"waivers": [{"rule": "runs-as-root"}]}, 2, "reason"),
        ({"budget": {}}, 2, "did you mean 'budgets'?"),
    ],
)
def test_policies(sb, plain, inspect, status, word):
    file = policy(sb, **inspect)
    result = sb("inspect", plain, "--policy", file, check=status)
    assert word in result.text, repr(result)
    if status == 2:
        # A file of one line: the key or item that is wrong is where the column says.
        assert result.err.startswith(f"{file}:1:"), result.err
        column = int(result.err.split(":")[2])
        assert file.read_text()[column - 1] in '"{', (column, result.err)


def test_the_policy_of_the_current_folder_is_used(sb, plain):
    folder = sb.context({".safebuild.json": json.dumps({"inspect": {"fail-on": ["any"]}})})
    sb("inspect", plain, cwd=folder, check=1)
    sb("inspect", plain, "--fail-on", "error", cwd=folder, check=0)
    sb("inspect", plain, "--policy", policy(sb), cwd=folder, check=0)
    (folder / ".safebuild.json").write_text("{\n  \"inspect\": {\n")
    assert ".safebuild.json:3" in sb("inspect", plain, cwd=folder, check=2).err
    sb("inspect", plain, "--policy", folder / "no-such-file", check=3)
    (folder / ".safebuild.json").unlink()
    os.mkfifo(folder / ".safebuild.json")
    assert "not a file" in sb("inspect", plain, cwd=folder, check=2).err


def test_sarif_has_what_its_readers_need(sb, planted):
    log = json.loads(sb("inspect", "--format", "sarif", planted).out)
    sarif_schema.check(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) > 40
    assert run["results"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("note", "warning", "error") and result["message"]["text"]
        (location,) = result["locations"]
        assert not location["physicalLocation"]["artifactLocation"]["uri"].startswith("/")
        assert len(result["partialFingerprints"]["safebuildInspect/v1"].split(":")[0]) == 32
    removed = next(r for r in run["results"] if "app/.npmrc" in json.dumps(r["locations"]))
    assert removed["properties"]["deletedInLayer"] == 3
    prints = [json.dumps(r["partialFingerprints"]) for r in run["results"]]
    assert len(set(prints)) == len(prints)


def test_strict_fails_where_something_was_not_looked_at(sb, plain):
    weak = sb.file("weak", "abc12")
    sb("inspect", plain, "--secret", f"id=w,src={weak}", check=0)
    sb("inspect", plain, "--strict", check=0)
    result = sb("inspect", plain, "--strict", "--secret", f"id=w,src={weak}", check=3)
    assert "not-scanned" in result.out
    waived = policy(sb, waivers=[waiver("not-scanned", path="secret 'w'")])
    sb("inspect", plain, "--strict", "--secret", f"id=w,src={weak}", "--policy", waived, check=0)


def test_colour_is_for_terminals_or_by_order(sb, plain):
    assert "\x1b[" not in sb("inspect", plain).out
    assert "\x1b[" in sb("inspect", plain, "--color", "always").out
    assert "\x1b[" not in sb("inspect", plain, "--color=never").out
