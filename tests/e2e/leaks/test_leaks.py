# SPDX-License-Identifier: MIT
"""Every case of the tables in this folder, each as a test of its own."""

import pytest

from conftest import Safebuild, import_bases
from leaks import checker, harmless, in_config, in_contexts, in_outputs, in_steps, in_values
from leaks.trial import Trials

TABLES = (in_steps, in_contexts, in_config, in_values, in_outputs, harmless)
CASES = [case for table in TABLES for case in table.ALL]


@pytest.fixture(scope="module")
def trials(session_folder, rootfs):
    sb = import_bases(Safebuild(session_folder / "leaks"), rootfs)
    with checker.TreeChecker() as trees:
        yield Trials(sb, trees)


def test_each_case_has_a_name_of_its_own():
    names = [case.name for case in CASES]
    assert [name for name in set(names) if names.count(name) > 1] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(trials, case):
    trials.run(case)


def test_nothing_of_all_that_is_anywhere_in_the_end(trials):
    assert trials.search_everywhere() == []
