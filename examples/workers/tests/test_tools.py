# SPDX-License-Identifier: Apache-2.0
"""The pinned tools: one file each, the same bytes everywhere, and right about which answers pass."""

import os
import shutil
import subprocess
import tempfile
import unittest

from tests import support

import tsp

TSP = support.read("tsp", "berlin52.json")
REVIEW = support.read("code-review", "inventory.json")
TOUR = list(range(52))


def check(program, spec, kind, answers):
    """What a tool prints, run from a copy of its file alone, as a judge runs it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "5b0c")
        shutil.copy(support.path(*program.split("/")), copy)
        os.chmod(copy, 0o500)
        given = support.json.dumps(support.judge_request(spec, kind, answers))
        done = subprocess.run([copy], input=given, capture_output=True, text=True, timeout=60,
                              cwd="/", env={"PATH": os.environ["PATH"]}, check=True)
        return done.stdout


class Tours(unittest.TestCase):
    def test_tours_pass_with_their_length_and_everything_else_fails(self):
        answers = [
            {"tour": TOUR, "length": 1}, {"tour": TOUR[::-1]}, {"tour": TOUR[:-1]}, {"tour": [0] * 52},
            {"tour": [True] + TOUR[1:]}, {"tour": [float(x) for x in TOUR]}, b"no json at all", [TOUR],
            None,
        ]
        printed = check("tsp/check.py", TSP, "tsp", answers)
        failed, lengths = [2, 3, 4, 5, 6, 7, 8], [22_205, 22_205] + [None] * 7
        self.assertEqual(support.json.loads(printed), {"failed": failed, "lengths": lengths})
        self.assertEqual(tsp.length(TOUR, tsp.matrix(support.json.loads(TSP)["data"]["points"])),
                         22_205)

    def test_a_long_answer_is_read_from_its_file(self):
        given = support.judge_request(TSP, "tsp", [{"tour": TOUR, "note": "x" * 200_000}])
        with tempfile.NamedTemporaryFile() as file:
            file.write(given["answers"][0]["text"].encode())
            file.flush()
            done = support.run("tsp/check.py", support.by_path(given, 0, file.name))
        self.assertEqual(done.stdout, support.run("tsp/check.py", given).stdout)
        self.assertEqual(support.output(done)["lengths"], [22_205])

    def test_two_runs_print_the_same_bytes(self):
        answers = [{"tour": TOUR}, None]
        first = check("tsp/check.py", TSP, "tsp", answers)
        self.assertEqual(first, check("tsp/check.py", TSP, "tsp", answers))
        self.assertEqual(first, '{"failed":[1],"lengths":[22205,null]}\n')


class Reviews(unittest.TestCase):
    def test_lists_of_findings_within_the_source_pass(self):
        finding = {"line": 3, "kind": "eval"}
        answers = [
            {"findings": [finding, finding]}, {"findings": []}, {"findings": [{"line": 0, "kind": "x"}]},
            {"findings": [{"line": 10 ** 6, "kind": "x"}]}, {"findings": [{"line": 3}]},
            {"findings": [finding] * 401}, {"found": []}, None,
        ]
        printed = check("code-review/check.py", REVIEW, "code-review", answers)
        expected = {"failed": [2, 3, 4, 5, 6, 7], "findings": [2, 0] + [None] * 6}
        self.assertEqual(support.json.loads(printed), expected)


class Requests(unittest.TestCase):
    def test_a_task_of_another_kind_is_a_failure_and_no_report(self):
        for program, spec, kind in (("tsp/check.py", REVIEW, "code-review"),
                                    ("code-review/check.py", TSP, "tsp")):
            done = support.run(program, support.judge_request(spec, kind, []))
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
