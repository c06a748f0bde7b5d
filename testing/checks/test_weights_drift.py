# SPDX-License-Identifier: Apache-2.0
"""scripts/weights_drift.py finds what drifted, and nothing else."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

from tos_harness.paths import ROOT

SCRIPT = ROOT / "scripts/weights_drift.py"


@pytest.fixture(scope="module")
def weights_drift():
    spec = importlib.util.spec_from_file_location("weights_drift", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def files(weights_drift):
    """Every file of weights in use."""
    folders = map(pathlib.Path, weights_drift.COMMITTED)
    return [path for folder in folders for path in sorted(folder.iterdir()) if path.name != "mod.rs"]


def times(factor, text):
    """The text with every time multiplied."""
    def larger(match):
        return str(int(match.group().replace("_", "")) * factor)
    return re.sub(r"(?<= = time )[^,]+", lambda time: re.sub(r"\b\d[\d_]*", larger, time.group()), text)


@pytest.fixture
def drift(tmp_path, files):
    """Exit code and output for all weights, each file's text changed."""
    def run(change):
        for path in files:
            (tmp_path / path.name).write_text(change(path.name, path.read_text(encoding="utf-8")), encoding="utf-8")
        done = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    return run


def test_every_call_of_every_file_is_read(weights_drift, files):
    calls = weights_drift.read(*weights_drift.COMMITTED)
    expected = sum(len(re.findall(r"^ *fn ", path.read_text(encoding="utf-8"), re.M)) for path in files)
    assert len(calls) == expected
    assert expected > 200


def test_a_slower_machine_is_no_drift(drift):
    code, output = drift(lambda _, text: times(3, text))
    assert (code, "3.00 times as long" in output) == (0, True), output


def test_a_call_that_became_dearer_is_named(drift):
    def change(name, text):
        head, call, rest = text.partition("fn step_settle")
        if not call:
            return text
        body, end, rest = rest.partition(";\n")
        return head + call + times(2, body) + end + rest
    code, output = drift(change)
    assert code == 1
    assert "pallet_tasks::step_settle: 2.00 times" in output
    assert output.count(" times its weight") == 1


def test_the_cost_of_parameters_counts_at_their_largest(weights_drift):
    comments = "    // `p`: 1 to 32.\n"
    assert weights_drift.worst(comments, "1_000 + 10 * p") == 1_320


def test_a_call_without_a_weight_in_use_is_a_failure(drift):
    extra = "\n    fn brand_new() = time 5, proof 5, reads 0, writes 0;\n"
    code, output = drift(lambda name, text: text + extra if name == "pallet_clock.rs" else text)
    assert code == 1
    assert "pallet_clock::brand_new: has no weight in use" in output
