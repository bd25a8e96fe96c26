# SPDX-License-Identifier: MIT
"""Prints "PASSED FAILED" of JUnit files; a run that failed without saying in which test counts as one.

  count_results.py EXIT_STATUS FILE...

A test that was left out is a failure where SB_TEST_MUST_RUN or CI wants every test to run.
"""

import os
import sys
import xml.etree.ElementTree


def count(path):
    passed = failed = 0
    must_run = os.environ.get("CI") == "true" or os.environ.get("SB_TEST_MUST_RUN") == "1"
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        outcome = {child.tag for child in case}
        if outcome & {"failure", "error"} or (must_run and "skipped" in outcome):
            failed += 1
        elif "skipped" not in outcome:
            passed += 1
    return passed, failed


def main():
    status, paths = int(sys.argv[1]), sys.argv[2:]
    passed = failed = 0
    for path in paths:
        try:
            more = count(path)
        except (OSError, xml.etree.ElementTree.ParseError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            more = (0, 1)
        passed, failed = passed + more[0], failed + more[1]
    if status != 0 and failed == 0:
        failed = 1
    print(passed, failed)


main()
