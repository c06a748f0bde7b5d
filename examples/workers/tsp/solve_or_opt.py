#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TSP solver: 2-opt and Or-opt with random restarts.

A tour is improved by 2-opt (exchange of two legs) and Or-opt (moving a run of up to three points)
until neither helps. Then it is cut at three random places, two parts change places ("double
bridge"), and it is improved again; the shorter of both is kept. After a number of such kicks the
search begins anew with a random tour. The best tour of all is the answer.

The random numbers depend on the task and on --seed alone, so a run can be repeated. Miners that
run this same program should choose different seeds, or they will answer alike and only the first
of them can earn. The search ends early when four fifths of the time limit have passed.
"""

import random

import tsp


def improve(tour, dist, out_of_time):
    """2-opt, then Or-opt moves, until neither helps."""
    while True:
        tour = tsp.two_opt(tour, dist, out_of_time)
        moved = tsp.or_opt(tour, dist)
        if moved is None:
            return tour
        while moved is not None:
            tour = moved
            if out_of_time():
                return tour
            moved = tsp.or_opt(tour, dist)


def double_bridge(tour, draw):
    """Exchanges two neighbouring parts of the tour, cut at random places."""
    a, b, c = sorted(draw.sample(range(1, len(tour)), 3))
    return tour[:a] + tour[b:c] + tour[a:b] + tour[c:]


def search(dist, options, request, out_of_time):
    """The best tour of all restarts."""
    draw = random.Random(f"{request['task'].get('id')}/{options.seed}")
    best = improve(tsp.nearest_neighbour(dist, 0), dist, out_of_time)
    for _ in range(options.restarts):
        tour = list(range(len(dist)))
        draw.shuffle(tour)
        tour = improve(tour, dist, out_of_time)
        for _ in range(options.kicks if len(dist) > 4 else 0):
            if out_of_time():
                break
            other = improve(double_bridge(tour, draw), dist, out_of_time)
            tour = min(tour, other, key=lambda t: tsp.length(t, dist))
        best = min(best, tour, key=lambda t: tsp.length(t, dist))
        if out_of_time():
            break
    return best


def main():
    parser = tsp.worker.parser(__doc__)
    parser.add_argument("--seed", default="0", help="any text (default: 0)")
    parser.add_argument("--restarts", type=int, default=3, metavar="N",
                        help="random tours to begin with (default: 3)")
    parser.add_argument("--kicks", type=int, default=80, metavar="N",
                        help="double bridges tried on each (default: 80)")
    tsp.solve(parser, "2-opt and Or-opt with random restarts", search)


if __name__ == "__main__":
    main()
