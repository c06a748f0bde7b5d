# SPDX-License-Identifier: Apache-2.0
"""The TSP solvers and their judge, on berlin52."""

import json
import random
import unittest

from tests import support

import tsp

SPEC = support.read("tsp", "berlin52.json")
OPTIMUM = 7_542
judge = support.load("tsp_judge", "tsp", "judge.py")


def distances():
    return tsp.matrix(json.loads(SPEC)["data"]["points"])


def scores(*answers):
    return judge.scores(support.judge_request(SPEC, "tsp", answers))


class Data(unittest.TestCase):
    def test_the_specification_fits_inline_and_has_52_points(self):
        self.assertLessEqual(len(SPEC.encode()), support.MAX_INLINE)
        data = json.loads(SPEC)["data"]
        self.assertEqual(len(data["points"]), 52)
        self.assertEqual(len(set(map(tuple, data["points"]))), 52)
        self.assertEqual(data["reference"], OPTIMUM)

    def test_distances_round_half_up_as_tsplib_has_it(self):
        self.assertEqual(tsp.distance([0, 0], [3, 4]), 5)
        self.assertEqual(tsp.distance([0, 0], [1, 1]), 1)
        self.assertEqual(tsp.distance([0, 0], [2, 2]), 3)
        for a, b in ((565, 575), (25, 185)), ((1740, 245), (5, 7)):
            exact = ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5
            self.assertEqual(tsp.distance(a, b), int(exact + 0.5))

    def test_the_natural_order_has_the_published_length(self):
        # TSPLIB's own check of a reader: the tour 1, 2, …, n.
        self.assertEqual(tsp.length(list(range(52)), distances()), 22_205)


class Solvers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        given = support.solver_request(SPEC, "tsp")
        cls.nearest, cls.two_opt, cls.or_opt = (
            support.solve(f"tsp/solve_{name}.py", given)
            for name in ("nearest_neighbour", "two_opt", "or_opt"))

    def test_every_solver_answers_a_tour_and_states_its_length(self):
        for answer in self.nearest, self.two_opt, self.or_opt:
            self.assertTrue(tsp.is_tour(answer["tour"], 52))
            self.assertEqual(answer["length"], tsp.length(answer["tour"], distances()))
            self.assertEqual(answer["tour"], tsp.normalise(answer["tour"]))
            self.assertLessEqual(len(support.worker.canonical(answer)), support.MAX_INLINE)

    def test_more_work_gives_shorter_tours_down_to_the_optimum(self):
        self.assertEqual(self.nearest["length"], 8_980)
        self.assertLess(self.two_opt["length"], 0.93 * self.nearest["length"])
        self.assertLess(self.or_opt["length"], 0.97 * self.two_opt["length"])
        self.assertEqual(self.or_opt["length"], OPTIMUM)

    def test_quality_keeps_the_methods_apart_whatever_the_timeliness(self):
        nearest, two_opt, or_opt = scores(self.nearest, self.two_opt, self.or_opt)
        self.assertEqual(or_opt["quality"], 100)
        for worse, better in (nearest, two_opt), (two_opt, or_opt):
            rank = [4 * s["quality"] + 2 * s["innovation"] for s in (worse, better)]
            self.assertGreater(rank[1], rank[0] + 100)
        self.assertGreaterEqual(nearest["quality"], 20)
        self.assertLess(nearest["quality"], 50)

    def test_runs_repeat_and_seeds_differ(self):
        given = support.solver_request(SPEC, "tsp")
        few = ["--restarts", "1", "--kicks", "0"]
        first, again, other = (support.solve("tsp/solve_or_opt.py", given, *few, "--seed", seed)
                               for seed in ("a", "a", "b"))
        self.assertEqual(first, again)
        self.assertTrue(tsp.is_tour(other["tour"], 52))

    def test_other_tasks_come_near_the_optimum_too(self):
        given = support.solver_request(SPEC, "tsp", task_id="00000000-0000-4000-8000-000000000001")
        answer = support.solve("tsp/solve_or_opt.py", given)
        self.assertLess(answer["length"], 1.02 * OPTIMUM)

    def test_tiny_instances_are_solved(self):
        for count in 3, 4, 5, 6:
            spec = json.loads(SPEC)
            spec["data"]["points"] = spec["data"]["points"][:count]
            given = support.solver_request(json.dumps(spec), "tsp")
            for name in "nearest_neighbour", "two_opt", "or_opt":
                answer = support.solve(f"tsp/solve_{name}.py", given)
                self.assertTrue(tsp.is_tour(answer["tour"], count), (name, count))

    def test_unusable_specifications_fail(self):
        for change in ({"edgeWeight": "GEO"}, {"points": []}, {"points": [[0, 0], [1, 1], "x"]},
                       {"points": [[0, 0]] * (tsp.MAX_POINTS + 1)}):
            spec = json.loads(SPEC)
            spec["data"].update(change)
            done = support.run("tsp/solve_two_opt.py",
                               support.solver_request(json.dumps(spec), "tsp"))
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(done.stdout, "")


class Judge(unittest.TestCase):
    def test_what_is_no_tour_is_malformed(self):
        tour = list(range(52))
        bad = [
            {"tour": tour[:-1]}, {"tour": tour + [52]}, {"tour": tour[:-1] + [0]},
            {"tour": tour[:-1] + [52]}, {"tour": [-1] + tour[1:]},
            {"tour": [float(p) for p in tour]},
            {"tour": [True, False] + tour[2:]}, {"tour": tour[:-1] + ["51"]},
            {"tour": tour[:-1] + [None]}, {"tour": tour[:-1] + [[51]]}, {"tour": "0 1 2"},
            {"length": OPTIMUM}, tour, "the shortest tour, believe me", b"\xff\xfe not text at all",
            {"tour": None}, {"tour": tour[:-1] + [10 ** 30]},
        ]
        for answer, score in zip(bad, scores(*bad)):
            self.assertEqual((score["verdict"], score["quality"]), ("malformed", 0), answer)

    def test_content_that_nobody_could_fetch_is_unavailable(self):
        found, lost = scores({"tour": list(range(52))}, None)
        self.assertEqual((found["verdict"], lost["verdict"]), ("valid", "unavailable"))

    def test_a_wrong_length_is_not_believed_and_costs_half(self):
        tour = tsp.two_opt(tsp.nearest_neighbour(distances(), 0), distances())
        honest, silent, boast = scores({"tour": tour, "length": tsp.length(tour, distances())},
                                       {"tour": tour}, {"tour": tour, "length": OPTIMUM})
        self.assertEqual(honest["quality"], silent["quality"])
        self.assertEqual(boast["quality"], honest["quality"] // 2)

    def test_equal_tours_score_equally_wherever_they_begin(self):
        tour = tsp.two_opt(tsp.nearest_neighbour(distances(), 3), distances())
        turned = tour[17:] + tour[:17]
        results = scores({"tour": tour}, {"tour": turned}, {"tour": turned[::-1]}, {"tour": tour})
        self.assertTrue(all(r == results[0] for r in results))

    def test_quality_falls_steeply_with_the_excess(self):
        self.assertEqual([judge.quality(100 + excess, 100) for excess in (0, 1, 5, 10, 20, 50)],
                         [100, 93, 71, 51, 27, 5])

    def test_an_answer_better_than_the_reference_becomes_the_reference(self):
        spec = json.loads(SPEC)
        spec["data"]["reference"] = 20_000
        best = tsp.two_opt(tsp.nearest_neighbour(distances(), 0), distances())
        given = support.judge_request(json.dumps(spec), "tsp",
                                      [{"tour": best}, {"tour": list(range(52))}])
        results = judge.scores(given)
        self.assertEqual(results[0]["quality"], 100)
        self.assertLess(results[1]["quality"], 10)
        del spec["data"]["reference"]
        given["spec"] = spec
        self.assertEqual(judge.scores(given), results[:1] + judge.scores(given)[1:])

    def test_no_unusual_tour_passes_a_shorter_one(self):
        draw = random.Random(1)
        tours = [tsp.nearest_neighbour(distances(), start) for start in range(5)]
        tours += [tsp.two_opt(tour, distances()) for tour in tours]
        tours += [draw.sample(range(52), 52) for _ in range(5)]
        results = scores(*({"tour": tour} for tour in tours))
        for a, long in zip(results, tours):
            for b, short in zip(results, tours):
                if tsp.length(short, distances()) < tsp.length(long, distances()):
                    self.assertGreaterEqual(b["quality"], a["quality"])
                    if b["quality"] > a["quality"]:
                        self.assertGreaterEqual(b["innovation"], a["innovation"])

    def test_the_program_gives_the_same_bytes_every_time(self):
        given = support.judge_request(SPEC, "tsp", [{"tour": list(range(52))}, {"tour": []}, None])
        runs = {support.run("tsp/judge.py", given).stdout for _ in range(3)}
        self.assertEqual(len(runs), 1)
        self.assertEqual(support.judge("tsp/judge.py", given), judge.scores(given))

    def test_no_answers_no_scores(self):
        self.assertEqual(scores(), [])


if __name__ == "__main__":
    unittest.main()
