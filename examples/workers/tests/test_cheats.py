# SPDX-License-Identifier: Apache-2.0
"""What cheats come to."""

import json
import os
import sys
import tempfile
import unittest

from tests import support

TSP = support.read("tsp", "berlin52.json")
REVIEW = support.read("code-review", "inventory.json")
SPECS = {"tsp": TSP, "code-review": REVIEW}


class Copycat(unittest.TestCase):
    def test_a_copy_has_the_bytes_of_the_original(self):
        given = support.solver_request(TSP, "tsp")
        original = support.solve("tsp/solve_two_opt.py", given)
        copy = support.solve("cheats/copycat.py", given, "--", sys.executable,
                             support.path("tsp", "solve_two_opt.py"))
        self.assertEqual(support.worker.canonical(copy), support.worker.canonical(original))

    def test_a_copy_from_a_file_may_be_an_answer_or_what_a_solver_wrote(self):
        given = support.solver_request(TSP, "tsp")
        answer = {"tour": list(range(52))}
        for content in answer, {"answer": answer, "note": "mine"}:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "answer.json")
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(content, file)
                self.assertEqual(support.solve("cheats/copycat.py", given, "--file", path), answer)

    def test_nothing_to_copy_is_a_failure(self):
        given = support.solver_request(TSP, "tsp")
        for arguments in (["--file", "/nonexistent"], ["--", "/bin/false"], ["--", "/nonexistent"],
                          ["--", "/bin/true"], []):
            done = support.run("cheats/copycat.py", given, *arguments)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertEqual(done.stdout, "")

    def test_judges_score_a_copy_as_the_original_and_leave_the_rest_to_the_chain(self):
        answer = support.solve("tsp/solve_two_opt.py", support.solver_request(TSP, "tsp"))
        first, second = support.judge("tsp/judge.py",
                                      support.judge_request(TSP, "tsp", [answer, answer]))
        self.assertEqual(first, second)


class Garbage(unittest.TestCase):
    def judged(self, kind, *arguments):
        given = support.solver_request(SPECS[kind], kind)
        answer = support.solve("cheats/garbage.py", given, *arguments)
        self.assertEqual(answer, support.solve("cheats/garbage.py", given, *arguments))
        self.assertLessEqual(len(support.worker.canonical(answer)), support.MAX_INLINE)
        score, = support.judge(f"{kind}/judge.py",
                               support.judge_request(SPECS[kind], kind, [answer]))
        return score

    def test_nonsense_is_malformed(self):
        for kind in SPECS:
            self.assertEqual(self.judged(kind)["verdict"], "malformed")

    def test_plausible_nonsense_has_a_quality_below_the_slashing_threshold(self):
        for kind, spec in SPECS.items():
            given = support.solver_request(spec, kind)
            for seed in "012":
                answer = support.solve("cheats/garbage.py", given, "--plausible", "--seed", seed)
                # An honest answer stands beside it, or the worst could be the best there is.
                honest = {"tsp": {"tour": list(range(52))}, "code-review": {"findings": []}}[kind]
                score, _ = support.judge(f"{kind}/judge.py",
                                         support.judge_request(spec, kind, [answer, honest]))
                self.assertEqual(score["verdict"], "valid")
                self.assertLess(score["quality"], 20)


if __name__ == "__main__":
    unittest.main()
