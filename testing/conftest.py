# SPDX-License-Identifier: Apache-2.0
"""Options and fixtures of all tests. Nothing that a test started outlives it, and a test that fails shows how its logs end."""

import tempfile
from pathlib import Path

import pytest

from tos_harness import paths, process

LINES = 12


def pytest_addoption(parser):
    parser.addoption("--bin", type=Path, default=paths.binaries(), metavar="DIR", help="folder of tos-node and tos (default: %(default)s)")


def pytest_configure():
    # What this raises ends all tests, not only the one that runs.
    process.stop_when_interrupted(KeyboardInterrupt)


@pytest.fixture(scope="session")
def binaries(request):
    """The folder of programs."""
    return request.config.getoption("--bin").resolve()


@pytest.fixture(scope="session")
def program(binaries):
    """The node."""
    return binaries / "tos-node"


@pytest.fixture(scope="module")
def folder(request):
    """A folder for all tests of a file. What still runs ends before it goes."""
    with tempfile.TemporaryDirectory(prefix=f"tos-{request.path.stem.removeprefix('test_')}-") as path:
        try:
            yield Path(path)
        finally:
            process.stop_all()


FAILED = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        FAILED.add(item.path)
        report.sections.extend((f"end of {log}", end) for log, end in process.ends_of_logs(LINES))
    return report


def pytest_runtest_setup(item):
    if item.get_closest_marker("ordered") and item.path in FAILED:
        pytest.skip("a test before it failed")
