# SPDX-License-Identifier: MIT
"""Every case of the tables in this folder, each as a test of its own."""

import concurrent.futures
import os
import threading

import pytest

from conftest import Safebuild, import_bases
from leaks import checker, harmless, in_config, in_contexts, in_outputs, in_steps, in_values
from leaks.trial import Trials

TABLES = (in_steps, in_contexts, in_config, in_values, in_outputs, harmless)
CASES = [case for table in TABLES for case in table.ALL]


class Workers:
    """Carry the cases out in the order of the tests, one a processor, each with a store of its own."""

    def __init__(self, folder, rootfs, cases):
        self.folder, self.rootfs = folder, rootfs
        self.own = threading.local()
        self.all = []
        self.pool = concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count())
        self.verdicts = {case.name: self.pool.submit(self.run, case) for case in cases}

    def run(self, case):
        if not hasattr(self.own, "trials"):
            sb = import_bases(Safebuild(self.folder / threading.current_thread().name), self.rootfs)
            self.own.trials = Trials(sb, checker.TreeChecker())
            self.all.append(self.own.trials)
        self.own.trials.run(case)

    def end(self):
        self.pool.shutdown(cancel_futures=True)
        for trials in self.all:
            trials.trees.close()


@pytest.fixture(scope="module")
def workers(session_folder, rootfs, request):
    own = [item for item in request.session.items if item.path == request.path and item.originalname == "test_case"]
    selected = {item.callspec.params["case"].name for item in own}
    folder = session_folder / "leaks"
    folder.mkdir()
    workers = Workers(folder, rootfs, [case for case in CASES if case.name in selected])
    yield workers
    workers.end()


def test_each_case_has_a_name_of_its_own():
    names = [case.name for case in CASES]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert len(harmless.ALL) >= 30 and len(CASES) - len(harmless.ALL) >= 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(workers, case):
    workers.verdicts[case.name].result()


def test_nothing_of_all_that_is_anywhere_in_the_end(workers):
    concurrent.futures.wait(workers.verdicts.values())
    for trials in workers.all:
        assert trials.search_everywhere() == []
