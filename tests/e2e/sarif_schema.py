# SPDX-License-Identifier: MIT
"""The published JSON schema of SARIF 2.1.0, and a log's faults by it.

The schema is the OASIS committee's own file, as @microsoft/jest-sarif carries it. The npm package is
fetched once (into SB_TEST_CACHE where that is set), and refused where it is not the known one.

  sarif_schema.py FOLDER    puts the schema into the folder
"""

import functools
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "@microsoft/jest-sarif@1.0.0-beta.0"
MEMBER = "package/lib/schemas/sarif-2.1.0-rtm.5.json"
SHA256 = "2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8"
NAME = "sarif-2.1.0.json"


def checked(data):
    found = hashlib.sha256(data).hexdigest()
    assert found == SHA256, f"the schema of {PACKAGE} is not the known one: sha256 {found}"
    return data


def fetch(folder):
    """Puts the schema into the folder, and gives its bytes. Nothing of the package is run."""
    with tempfile.TemporaryDirectory() as scratch:
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--cache", f"{scratch}/cache", PACKAGE]
        subprocess.run(command, cwd=scratch, check=True, timeout=120, stdout=subprocess.DEVNULL)
        (archive,) = pathlib.Path(scratch).glob("*.tgz")
        with tarfile.open(archive) as tar:
            data = checked(tar.extractfile(MEMBER).read())
    half = pathlib.Path(folder) / f"{NAME}.{os.getpid()}"
    half.write_bytes(data)
    half.chmod(0o644)
    half.rename(half.with_name(NAME))
    return data


@functools.lru_cache
def schema():
    from conftest import need_program  # pylint: disable=import-outside-toplevel

    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(os.environ.get("SB_TEST_CACHE") or scratch)
        if (folder / NAME).exists():
            return json.loads(checked((folder / NAME).read_bytes()))
        need_program("npm")
        return json.loads(fetch(folder))


def faults(log):
    """"PLACE: WHAT" of everything in the log that the schema does not allow."""
    import jsonschema  # pylint: disable=import-outside-toplevel

    validator = jsonschema.validators.validator_for(schema())
    errors = validator(schema(), format_checker=jsonschema.FormatChecker()).iter_errors(log)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


def check(log):
    """For what SARIF any of safebuild's verbs writes."""
    assert faults(log) == []


if __name__ == "__main__":
    fetch(sys.argv[1])
