# SPDX-License-Identifier: Apache-2.0
"""Every program against the protocol of docs/worker-protocol.md."""

import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

from tests import support

worker = support.worker
SOLVERS = sorted(os.path.relpath(p, support.EXAMPLES)
                 for p in glob.glob(support.path("*", "solve_*.py")))
JUDGES = ["tsp/judge.py", "code-review/judge.py"]
CHEATS = ["cheats/copycat.py", "cheats/garbage.py"]
TSP = support.read("tsp", "berlin52.json")
REVIEW = support.read("code-review", "inventory.json")


class Programs(unittest.TestCase):
    def test_they_are_all_here_and_executable(self):
        self.assertEqual(len(SOLVERS), 7)
        for program in SOLVERS + JUDGES + CHEATS + ["tests/mock_llm.py", "code-review/setup.sh"]:
            self.assertTrue(os.access(support.path(program), os.X_OK), program)

    def test_each_explains_itself(self):
        for program in SOLVERS + JUDGES + CHEATS + ["tests/mock_llm.py"]:
            done = support.run(program, "", "--help")
            self.assertEqual(done.returncode, 0, program)
            self.assertGreater(len(done.stdout), 200, program)
        done = subprocess.run([support.path("code-review/setup.sh"), "--help"],
                              capture_output=True, text=True, check=True)
        self.assertIn("VENV_DIR", done.stdout)

    def test_a_request_that_is_none_is_a_failure_without_output(self):
        good = support.solver_request(TSP, "tsp")
        bad = ["", "nonsense", "[]", "[" * 100_000, json.dumps({**good, "version": 3}),
               json.dumps({**good, "role": "thief"}), json.dumps({**good, "task": None})]
        for program in ("tsp/solve_nearest_neighbour.py", "code-review/solve_pyflakes.py",
                        "tsp/judge.py", "code-review/judge.py", "cheats/garbage.py"):
            for text in bad:
                done = support.run(program, text)
                self.assertEqual((done.returncode, done.stdout), (1, ""), (program, text[:60]))
                self.assertIn("error:", done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_a_solver_refuses_a_judges_request_and_the_other_way_round(self):
        given = support.judge_request(TSP, "tsp", [])
        self.assertNotEqual(support.run("tsp/solve_two_opt.py", given).returncode, 0)
        given = support.solver_request(TSP, "tsp")
        self.assertNotEqual(support.run("tsp/judge.py", given).returncode, 0)

    def test_a_task_of_another_kind_is_a_failure(self):
        review = support.solver_request(support.read("code-review", "inventory.json"),
                                        "code-review")
        self.assertEqual(support.run("tsp/solve_two_opt.py", review).returncode, 1)
        given = support.solver_request(TSP, "tsp")
        self.assertEqual(support.run("code-review/solve_pyflakes.py", given).returncode, 1)
        unparsed = {**given, "spec": None, "specText": "free text"}
        self.assertEqual(support.run("tsp/solve_two_opt.py", unparsed).returncode, 1)


class LongAnswers(unittest.TestCase):
    """Answers that a request names by the path of a file."""

    def both(self, content, judge, spec, kind):
        """The scores of one content in the request itself, and by its path."""
        given = support.judge_request(spec, kind, [content])
        with tempfile.NamedTemporaryFile() as file:
            file.write(content if isinstance(content, bytes) else worker.canonical(content))
            file.flush()
            named = support.by_path(given, 0, file.name)
            return support.judge(judge, given), support.judge(judge, named)

    def test_an_answer_by_path_has_the_scores_it_has_in_the_request(self):
        padded = {"tour": list(range(52)), "note": "x" * 200_000}
        findings = {"findings": [{"line": 1, "kind": "x"}], "note": "x" * 200_000}
        for content, judge, spec, kind in (
                (padded, "tsp/judge.py", TSP, "tsp"), (padded, "judge.py", TSP, "tsp"),
                (b"NaN", "tsp/judge.py", TSP, "tsp"), (b"\xff\xfe", "tsp/judge.py", TSP, "tsp"),
                (findings, "code-review/judge.py", REVIEW, "code-review")):
            inside, named = self.both(content, judge, spec, kind)
            expected = "malformed" if isinstance(content, bytes) else "valid"
            self.assertEqual(named[0]["verdict"], expected)
            if expected == "valid":
                self.assertEqual(inside, named)

    def test_an_answer_of_64_mib_is_malformed_and_takes_no_memory(self):
        given = support.judge_request(TSP, "tsp", [{"tour": list(range(52))}] * 2)
        limit = f"ulimit -v {400 * 1024}; exec {sys.executable} "
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"[" + b"{}," * (21 << 20) + b"{}]")
            file.flush()
            named = json.dumps(support.by_path(given, 1, file.name))
            for program in ("tsp/judge.py", "tsp/check.py"):
                done = subprocess.run(["/bin/sh", "-c", limit + support.path(program)], input=named,
                                      capture_output=True, text=True, timeout=60, check=False)
                written = support.output(done)
                if "scores" in written:
                    verdicts = [score["verdict"] for score in written["scores"]]
                    self.assertEqual(verdicts, ["valid", "malformed"])
                else:
                    self.assertEqual(written["failed"], [1])


class Helper(unittest.TestCase):
    def test_canonical_bytes_are_those_of_the_document(self):
        self.assertEqual(worker.canonical("ü \"x\""), "ü \"x\"".encode())
        self.assertEqual(worker.canonical({"b": [1, {"z": None, "a": True}], "a": "ü"}),
                         '{"a":"ü","b":[1,{"a":true,"z":null}]}'.encode())

    def test_innovation_is_capped_by_every_better_answer(self):
        scores = [worker.score(90, 55), worker.score(80, 100), worker.score(80, 70),
                  worker.refuse("malformed", ""), worker.score(10, 99)]
        capped = worker.cap_by_better(scores)
        self.assertEqual([s["innovation"] for s in capped], [55, 55, 55, 0, 55])
        self.assertEqual(worker.cap_by_better(capped), capped)

    def test_working_time_is_a_share_of_the_limit(self):
        self.assertEqual(worker.seconds({"limits": {"seconds": 10}}), 8)
        self.assertEqual(worker.seconds({}), 48)
        self.assertEqual(worker.seconds({"limits": {"seconds": -1}}), 48)


if __name__ == "__main__":
    unittest.main()
