#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/weights_drift.py finds what drifted, and nothing else."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

import weights_drift  # noqa: E402

# Name and path of every file of weights in use.
FILES = [(name, os.path.join(folder, name)) for folder in weights_drift.COMMITTED for name in sorted(os.listdir(folder))
         if name != "mod.rs"]


def copy(folder, change):
    """All weights, each file's text changed."""
    for name, path in FILES:
        with open(path, encoding="utf-8") as file:
            text = change(name, file.read())
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def times(factor, text):
    """The text with every time multiplied."""
    def larger(match):
        return f"Weight::from_parts({int(match.group(1).replace('_', '')) * factor}, "
    return re.sub(r"Weight::from_parts\(([\d_]+), ", larger, text)


def drift(change):
    """Exit code and output for weights that were changed so."""
    with tempfile.TemporaryDirectory() as folder:
        copy(folder, change)
        script = os.path.join(ROOT, "scripts", "weights_drift.py")
        done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


class Drift(unittest.TestCase):
    def test_every_call_of_every_file_is_read(self):
        calls = weights_drift.read(*weights_drift.COMMITTED)
        expected = 0
        for _, path in FILES:
            with open(path, encoding="utf-8") as file:
                expected += len(re.findall(r"-> Weight \{", file.read()))
        self.assertEqual(len(calls), expected)
        self.assertGreater(expected, 200)

    def test_a_slower_machine_is_no_drift(self):
        code, output = drift(lambda _, text: times(3, text))
        self.assertEqual((code, "3.00 times as long" in output), (0, True), output)

    def test_a_call_that_became_dearer_is_named(self):
        def change(name, text):
            head, call, rest = text.partition("fn step_settle")
            if not call:
                return text
            body, end, rest = rest.partition("\n    }")
            return head + call + times(2, body) + end + rest
        code, output = drift(change)
        self.assertEqual(code, 1)
        self.assertIn("pallet_tasks::step_settle: 2.00 times", output)
        self.assertEqual(output.count(" times its weight"), 1)

    def test_the_cost_of_parameters_counts_at_their_largest(self):
        comments = "    // `p`: 1 to 32.\n"
        body = """
        // At least 5 ns.
        Weight::from_parts(1_000, 7)
            .saturating_add(Weight::from_parts(10, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(0, 99).saturating_mul(p.into()))"""
        self.assertEqual(weights_drift.worst(comments, body), 1_320)

    def test_a_call_without_a_weight_in_use_is_a_failure(self):
        extra = "\n    fn brand_new() -> Weight {\n        Weight::from_parts(5, 5)\n    }\n"
        code, output = drift(lambda name, text: text + extra if name == "pallet_clock.rs" else text)
        self.assertEqual(code, 1)
        self.assertIn("pallet_clock::brand_new: has no weight in use", output)


if __name__ == "__main__":
    unittest.main()
