# SPDX-License-Identifier: Apache-2.0
"""The code-review solvers and their judge."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

from tests import support

import findings

SPEC = support.read("code-review", "inventory.json")
KNOWN = support.path("code-review", "known-defects.json")
SOURCE = support.read("code-review", "inventory.py")
DEFECTS = json.loads(support.read("code-review", "known-defects.json"))["reviews"][0]["defects"]
judge = support.load("code_review_judge", "code-review", "judge.py")
SOLVERS = ("pyflakes", "bandit", "pylint", "ruff")


def scores(*answers, known=KNOWN):
    return judge.scores(support.judge_request(SPEC, "code-review", answers), known)


def named(*pairs):
    return {"findings": [{"line": line, "kind": kind} for line, kind in pairs]}


def everything():
    return [(defect["line"], defect["kind"]) for defect in DEFECTS]


class Data(unittest.TestCase):
    def test_the_specification_is_made_of_the_source(self):
        done = support.run("code-review/make_spec.py", "", "--check")
        self.assertEqual(done.returncode, 0, "run make_spec.py")
        self.assertEqual(json.loads(SPEC)["data"]["source"], SOURCE)

    def test_the_source_compiles(self):
        done = subprocess.run([sys.executable, "-W", "ignore", "-c",
                               "compile(open(0).read(), 'x', 'exec')"],
                              input=SOURCE, text=True, check=False)
        self.assertEqual(done.returncode, 0)

    def test_every_known_defect_is_where_it_is_said_to_be(self):
        lines = SOURCE.splitlines()
        for defect in DEFECTS:
            self.assertIn(defect["code"], lines[defect["line"] - 1])
            self.assertIn(defect["severity"], judge.WEIGHTS)
        self.assertEqual({d["kind"] for d in DEFECTS}, set(findings.KINDS))

    def test_the_specification_does_not_give_the_defects_away(self):
        data = json.loads(SPEC)["data"]
        self.assertEqual(set(data), {"language", "file", "kinds", "source"})
        self.assertNotIn("defect", data["source"].lower())


class Solvers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        python = support.analysers()
        given = support.solver_request(SPEC, "code-review")
        cls.python = python
        cls.answers = {name: support.solve(f"code-review/solve_{name}.py", given,
                                           "--python", python) for name in SOLVERS}

    def test_findings_have_the_common_form(self):
        for name, answer in self.answers.items():
            self.assertTrue(answer["findings"], name)
            for finding in answer["findings"]:
                self.assertEqual(set(finding), {"line", "kind", "message", "tool"})
                self.assertIn(finding["kind"], findings.KINDS)
                self.assertTrue(support.worker.is_int(finding["line"]))
                self.assertEqual(finding["tool"], name)

    def test_the_tools_differ_in_what_they_are_worth(self):
        results = scores(*(self.answers[name] for name in SOLVERS))
        quality = [result["quality"] for result in results]
        self.assertEqual(quality, [24, 45, 52, 88])
        self.assertEqual({result["verdict"] for result in results}, {"valid"})

    def test_a_better_tool_never_has_less_innovation(self):
        results = scores(*(self.answers[name] for name in SOLVERS))
        innovation = [result["innovation"] for result in results]
        self.assertEqual(innovation, sorted(innovation))

    def test_what_the_author_wrote_to_silence_analysers_is_not_obeyed(self):
        spec = json.loads(SPEC)
        spec["data"]["source"] = ("import subprocess\n"
                                  "subprocess.call(input(), shell=True)  # nosec  # noqa\n")
        given = support.solver_request(json.dumps(spec), "code-review")
        for name in "bandit", "ruff":
            answer = support.solve(f"code-review/solve_{name}.py", given, "--python", self.python)
            self.assertEqual([f["kind"] for f in answer["findings"]], ["command-injection"], name)

    def test_the_source_is_never_executed(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace")
            spec = json.loads(SPEC)
            spec["data"]["source"] = f"open({trace!r}, 'w').close()\n"
            given = support.solver_request(json.dumps(spec), "code-review")
            for name in SOLVERS:
                support.run(f"code-review/solve_{name}.py", given, "--python", self.python)
                self.assertFalse(os.path.exists(trace), name)

    def test_hostile_specifications_fail(self):
        for change in ({"language": "cobol"}, {"file": "../../x"}, {"file": "-c.py"}, {"file": 7},
                       {"source": None}):
            spec = json.loads(SPEC)
            spec["data"].update(change)
            done = support.run("code-review/solve_pyflakes.py",
                               support.solver_request(json.dumps(spec), "code-review"))
            self.assertNotEqual(done.returncode, 0, change)
            self.assertEqual(done.stdout, "")

    def test_a_missing_analyser_is_a_failure_not_an_empty_answer(self):
        done = support.run("code-review/solve_ruff.py",
                           support.solver_request(SPEC, "code-review"), "--python", "/bin/false")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")


class Judge(unittest.TestCase):
    def test_all_defects_are_worth_a_hundred_and_none_nothing(self):
        full, empty = scores(named(*everything()), named())
        self.assertEqual((full["quality"], empty["quality"]), (100, 0))
        self.assertEqual(empty["verdict"], "valid")

    def test_recall_is_weighted_by_severity(self):
        total = sum(judge.WEIGHTS[d["severity"]] for d in DEFECTS)
        self.assertEqual(total, 61)
        for severity, weight in judge.WEIGHTS.items():
            one = next(d for d in DEFECTS if d["severity"] == severity)
            score, = scores(named((one["line"], one["kind"])))
            self.assertEqual(score["quality"], 100 * weight // total)

    def test_wrong_findings_cost_three_points_each_but_once(self):
        wrong = [(1, "eval"), (2, "eval"), (2, "eval"), (3, "no-such-kind")]
        score, = scores(named(*everything(), *wrong))
        self.assertEqual(score["quality"], 100 - 3 * 3)

    def test_a_finding_may_be_one_line_off_and_counts_once(self):
        line, kind = everything()[3]
        exact, near, both, far = scores(named((line, kind)), named((line + 1, kind)),
                                        named((line, kind), (line - 1, kind)),
                                        named((line + 2, kind)))
        self.assertEqual(exact["quality"], near["quality"])
        self.assertEqual(exact["quality"], both["quality"])
        self.assertEqual(far["quality"], 0)

    def test_naming_every_line_and_kind_is_worth_nothing(self):
        kinds = sorted(findings.KINDS)
        spray = named(*((line, kinds[line % len(kinds)]) for line in range(1, 136)))
        flood = named(*((line, kind) for line in range(1, 136) for kind in kinds))
        sprayed, flooded = scores(spray, flood)
        self.assertEqual(sprayed["quality"], 0)
        self.assertEqual(flooded["verdict"], "malformed")

    def test_what_is_no_list_of_findings_is_malformed(self):
        bad = [{"findings": "many"}, {"findings": [1]}, {"findings": [{"line": 1}]}, [],
               {"findings": [{"line": "1", "kind": "eval"}]}, "it is all fine", b"\xff" * 20,
               {"findings": [{"line": True, "kind": "eval"}]}, {"defects": []},
               {"findings": [{"line": 1, "kind": ["eval"]}]},
               {"findings": [{"line": 1.0, "kind": "eval"}]}]
        for answer, score in zip(bad, scores(*bad)):
            self.assertEqual((score["verdict"], score["quality"]), ("malformed", 0), answer)
        lost, = scores(None)
        self.assertEqual(lost["verdict"], "unavailable")

    def test_equal_answers_score_equally_and_do_not_hurt_each_other(self):
        answer, other = named(*everything()[:9]), named(*everything()[9:])
        alone = scores(answer, other)
        results = scores(answer, answer, other)
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], alone[0])

    def test_finding_what_no_other_found_is_innovation_within_the_better_answers(self):
        best, lesser = scores(named(*everything()[:15]), named(*everything()[14:]))
        self.assertGreater(best["innovation"], 50)
        self.assertGreater(lesser["innovation"], 50)
        self.assertLessEqual(lesser["innovation"], best["innovation"])

    def test_a_judge_that_does_not_know_the_source_fails(self):
        spec = json.loads(SPEC)
        spec["data"]["source"] += "# changed\n"
        given = support.judge_request(json.dumps(spec), "code-review", [named()])
        done = support.run("code-review/judge.py", given)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        done = support.run("code-review/judge.py", given, "--known", "/nonexistent")
        self.assertNotEqual(done.returncode, 0)

    def test_the_program_gives_the_same_bytes_every_time(self):
        given = support.judge_request(SPEC, "code-review",
                                      [named(*everything()), named((1, "eval")), "what?", None])
        runs = {support.run("code-review/judge.py", given).stdout for _ in range(3)}
        self.assertEqual(len(runs), 1)
        self.assertEqual(support.judge("code-review/judge.py", given), judge.scores(given, KNOWN))


if __name__ == "__main__":
    unittest.main()
