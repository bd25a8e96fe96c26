# SPDX-License-Identifier: MIT
"""inspect: the proof of a finished image, whoever built it."""

import hashlib
import json

import pytest

import image_make

FOOTGUN = """FROM busybox:1
COPY super-secure.txt /etc/secret.txt
RUN rm /etc/secret.txt
"""


@pytest.fixture(scope="module")
def footgun(sb):
    """The talk's example: 13 bytes that are deleted and still there."""
    target = sb.folder / "footgun.tar"
    sb.build(FOOTGUN, "-o", f"type=oci,dest={target}", files={"super-secure.txt": "super secure\n"})
    return target


def inspect(sb, image, *args, **more):
    result = sb("inspect", "--json", image, *args, **more)
    return json.loads(result.out)


def strings(value):
    """Every string and number in a JSON document."""
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in strings(inner)]
    return [value]


def test_a_deleted_file_is_shown_with_who_added_and_who_removed_it(sb, footgun):
    page = sb("inspect", footgun).out
    assert "etc/secret.txt" in page
    assert "COPY super-secure.txt /etc/secret.txt" in page
    assert "rm /etc/secret.txt" in page
    assert "13" in page
    assert "super secure" not in page


def test_the_same_as_json(sb, footgun):
    report = inspect(sb, footgun)
    assert report["schema"] == 1
    text = json.dumps(report)
    assert "etc/secret.txt" in text and "rm /etc/secret.txt" in text
    assert 13 in strings(report)
    assert "super secure" not in text
    assert len(report["layers"]) == 3


def test_a_known_secret_is_found_also_when_it_was_deleted(sb, footgun):
    secret = sb.file("the-secret", "super secure\n")
    result = sb("inspect", footgun, "--secret", f"id=s1,src={secret}", check=1)
    assert "s1" in result.out and "etc/secret.txt" in result.out
    assert "super secure" not in result.text
    report = inspect(sb, footgun, "--secret", f"id=s1,src={secret}", check=1)
    assert "super secure" not in json.dumps(report)


def test_a_report_that_has_no_folder_is_told_before_the_work(sb, footgun):
    good, bad = sb.folder / "good.json", sb.folder / "no-such-folder/bad.json"
    assert "no-such-folder" in sb("inspect", footgun, "-o", good, "-o", bad, check=3).err
    assert not good.exists()


def test_a_secret_in_the_name_of_the_archive_is_not_shown(sb, footgun):
    named = sb.folder / "archive-Kd83-lapis.tar"
    named.write_bytes(footgun.read_bytes())
    result = sb("inspect", named, "--secret", f"id=s,src={sb.file('lapis', 'Kd83-lapis')}")
    assert "inspect cat" in result.out and "Kd83-lapis" not in result.text


def test_an_image_without_it_is_clean_and_says_what_was_searched(sb, footgun):
    other = sb.file("other", "quite another value")
    result = sb("inspect", footgun, "--secret", f"id=other,src={other}")
    assert "1 secret" in result.out and "quite another" not in result.out


@pytest.mark.parametrize("where", ["ENV A={}", "LABEL l={}", 'CMD ["{}"]'])
def test_a_known_secret_in_the_config(sb, where):
    value = "sekret-in-config-99"
    target = sb.folder / "in-config.tar"
    sb.build("FROM busybox:1\n" + where.format(value) + "\n", "-o", f"type=oci,dest={target}")
    result = sb("inspect", target, "--secret", f"id=c,src={sb.file('c', value)}", check=1)
    assert "config" in result.out and value not in result.out


def test_a_known_secret_as_base64_and_as_a_name(sb):
    import base64

    value = "sekret-value-in-other-forms"
    encoded = base64.b64encode(b"user:" + value.encode())
    layers = [image_make.make_tar({"etc/auth": b"x=" + encoded, f"dir/{value}": b""})]
    folder = image_make.make_oci_layout(sb.context(), layers)
    result = sb("inspect", folder, "--secret", f"id=v,src={sb.file('v', value)}", check=1)
    assert "etc/auth" in result.out and value not in result.text


def test_every_form_of_image_is_found_by_its_content(fresh, footgun):
    folder = image_make.make_oci_layout(fresh.context(), [image_make.make_tar({"x": b"12345"})])
    archive = image_make.tar_folder(folder, fresh.context() / "any.name")
    old = image_make.make_docker_archive_old(fresh.context() / "old", [image_make.make_tar({"x": b"12345"})])
    new = image_make.make_docker_archive_new(fresh.context() / "new", [image_make.make_tar({"x": b"12345"})])
    fresh.build("FROM scratch\nCOPY f /f\n", "-t", "stored:1", files={"f": "x"})
    for image in (folder, archive, old, new, "stored:1"):
        assert len(inspect(fresh, image)["layers"]) == 1, image
    with open(archive, "rb") as file:
        assert len(json.loads(fresh("inspect", "--json", "-", stdin=file.read()).out)["layers"]) == 1


def test_whiteouts_sizes_and_instructions_of_layers(sb):
    target = sb.folder / "layers.tar"
    sb.build("FROM busybox:1\nRUN echo 12345 >/f\nRUN rm /f /etc/group\n", "-o", f"type=oci,dest={target}")
    layers = inspect(sb, target)["layers"]
    assert "echo 12345" in json.dumps(layers[1]) and "rm /f /etc/group" in json.dumps(layers[2])
    assert 2 in strings(layers[2]), "two whiteouts"


def test_the_effective_user(sb):
    target = sb.folder / "user.tar"
    sb.build("FROM busybox:1\nUSER 1000\n", "-o", f"type=oci,dest={target}")
    assert "1000" in sb("inspect", target).out
    sb.build("FROM busybox:1\n", "-o", f"type=oci,dest={target}")
    assert "root" in sb("inspect", target).out


def test_a_broken_image_is_not_called_clean(sb):
    layers = [image_make.make_tar({"x": b"1"})]

    def flip(kind, data):
        return data[:-1] + bytes([data[-1] ^ 1]) if kind == "layer" else data

    folder = image_make.make_oci_layout(sb.context(), layers, damage=flip)
    result = sb("inspect", folder, check=None)
    assert result.status in (1, 3), repr(result)


@pytest.mark.parametrize("data", [b"", b"no image", b"\x1f\x8b broken"])
def test_what_is_no_image_is_refused(sb, data):
    sb("inspect", sb.file("junk", data), check=3)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_what_has_no_end_is_refused_at_once(sb, device):
    assert "image" in sb("inspect", device, check=3).err


def test_a_long_instruction_is_whole_once_a_layer(sb):
    long = "RUN apt-get install " + " ".join(f"package-{i}" for i in range(300))
    layers = [image_make.make_tar({f"f{i}": b"%d" % round for i in range(30)}) for round in range(2)]
    config = image_make.default_config(layers) | {"history": [{"created_by": long}] * 2}
    folder = image_make.make_oci_layout(sb.context(), layers, config=config)
    assert sb("inspect", folder).out.count("package-299") == 2


def test_what_is_told_of_a_file_names_it_once(sb, footgun):
    secret = sb.file("long", b"x" * 600_000)
    assert sb("inspect", footgun, "--secret", f"id=long,src={secret}", check=3).err.count("'long'") == 1
    unset = sb("inspect", footgun, "--secret", "id=unset,env=SB_TEST_NOT_SET", check=None)
    assert unset.status == 2 and "secret 'unset'" in unset.err


def test_a_common_secret_is_not_called_short_only(sb, footgun):
    report = inspect(sb, footgun, "--secret", f"id=common,src={sb.file('common', 'password')}")
    assert [gap["why"] for gap in report["not_scanned"]] == ["too short or too common to search for"]


def test_a_temporary_folder_is_needed_for_pipes_alone(sb, footgun):
    nowhere = {"TMPDIR": "/no/such/folder"}
    assert "etc/secret.txt" in sb("inspect", footgun, env=nowhere).out
    assert "TMPDIR" in sb("inspect", "-", stdin=footgun.read_bytes(), env=nowhere, check=3).err


def test_an_image_that_is_not_there(sb):
    result = sb("inspect", "no-such-image:1", check=None)
    assert result.status in (1, 2, 3) and "no-such-image:1" in result.err


def test_names_of_files_do_not_steer_the_terminal(sb):
    layers = [image_make.make_tar({"a\x1b[2Jb": b"1"}), image_make.make_tar({".wh.a\x1b[2Jb": b""})]
    folder = image_make.make_oci_layout(sb.context(), layers)
    assert "\x1b[2J" not in sb("inspect", folder).out


def test_a_layer_that_looks_like_a_compress_stream_is_no_crash(sb):
    """libarchive 3.6 crashes where that filter is appended and not bid for."""
    folder = sb.context({"oci-layout": '{"imageLayoutVersion":"1.0.0"}', "blobs/sha256": None})

    def put(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        (folder / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    layer = put(b"\x1f\x9d\x90" + bytes(range(256)), "layer.v1.tar")
    rootfs = {"type": "layers", "diff_ids": [layer["digest"]]}
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}
    manifest = {"schemaVersion": 2, "config": put(json.dumps(config).encode(), "config.v1+json"), "layers": [layer]}
    index = {"schemaVersion": 2, "manifests": [put(json.dumps(manifest).encode(), "manifest.v1+json")]}
    (folder / "index.json").write_text(json.dumps(index))
    assert sb("inspect", folder, check=3).out
