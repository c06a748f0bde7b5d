# SPDX-License-Identifier: Apache-2.0
"""The travelling salesman problem: what the solvers and the judge of this folder share."""

import os
import sys
import time
from math import isqrt

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
import tos_worker as worker  # noqa: E402

KIND = "tsp"
#: Every distance is kept in memory, so there is a bound.
MAX_POINTS = 1_000


def points_of(request):
    """The points of the task's specification. Raises `ProtocolError` where it is unusable."""
    data = worker.specification(request, KIND)["data"]
    if data.get("edgeWeight") != "EUC_2D":
        raise worker.ProtocolError("only EUC_2D distances are known here")
    points = data.get("points")
    if not isinstance(points, list) or not 3 <= len(points) <= MAX_POINTS:
        raise worker.ProtocolError(f"the specification must have 3 to {MAX_POINTS} points")
    for point in points:
        if not (isinstance(point, list) and len(point) == 2 and all(map(worker.is_int, point))):
            raise worker.ProtocolError("a point is a pair of whole numbers")
    return points


def distance(a, b):
    """TSPLIB's EUC_2D: the Euclidean distance rounded to the nearest whole number, computed in
    whole numbers so that every machine gets the same."""
    return (isqrt(4 * ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)) + 1) // 2


def matrix(points):
    """All distances."""
    return [[distance(a, b) for b in points] for a in points]


def length(tour, dist):
    """Length of the round trip."""
    return sum(dist[a][b] for a, b in zip(tour, tour[1:] + tour[:1]))


def edges(tour):
    """The legs of the round trip, without direction."""
    return {(min(a, b), max(a, b)) for a, b in zip(tour, tour[1:] + tour[:1])}


def is_tour(tour, count):
    """Whether `tour` is a list that names each of `count` points exactly once."""
    return (isinstance(tour, list) and len(tour) == count and all(map(worker.is_int, tour))
            and sorted(tour) == list(range(count)))


def normalise(tour):
    """The same round trip, written from point 0 and towards its lower neighbour. Equal trips become
    equal bytes, so the chain recognises the second one as a duplicate."""
    start = tour.index(0)
    tour = tour[start:] + tour[:start]
    return tour if tour[1] < tour[-1] else tour[:1] + tour[:0:-1]


def nearest_neighbour(dist, start):
    """Always on to the nearest point not yet visited; the lowest number where two are as near."""
    tour, left = [start], set(range(len(dist))) - {start}
    while left:
        here = dist[tour[-1]]
        tour.append(min(left, key=lambda p: (here[p], p)))
        left.remove(tour[-1])
    return tour


def two_opt(tour, dist, out_of_time=lambda: False):
    """Replaces pairs of legs that cross for as long as that makes the trip shorter."""
    tour, count, improved = list(tour), len(tour), True
    while improved and not out_of_time():
        improved = False
        for i in range(count - 1):
            a, b = tour[i], tour[i + 1]
            for j in range(i + 2, count - (i == 0)):
                c, d = tour[j], tour[(j + 1) % count]
                if dist[a][c] + dist[b][d] < dist[a][b] + dist[c][d]:
                    tour[i + 1:j + 1] = tour[j:i:-1]
                    b, improved = tour[i + 1], True
    return tour


def or_opt(tour, dist):
    """Moves one run of one to three points to a better place, either way round. Returns the
    shorter trip, or `None` where no such move helps."""
    count = len(tour)
    for size in range(1, min(3, count - 3) + 1):
        for i in range(count):
            turned = tour[i:] + tour[:i]
            run, rest = turned[:size], turned[size:]
            first, last = dist[run[0]], dist[run[-1]]
            saved = first[rest[-1]] + last[rest[0]] - dist[rest[-1]][rest[0]]
            for j in range(len(rest) - 1):
                a, b = rest[j], rest[j + 1]
                forward, backward = first[a] + last[b], last[a] + first[b]
                if min(forward, backward) - dist[a][b] < saved:
                    piece = run if forward <= backward else run[::-1]
                    return rest[:j + 1] + piece + rest[j + 1:]
    return None


def answer(tour, dist):
    """A tour in the form the specification asks for."""
    return {"tour": normalise(tour), "length": length(tour, dist)}


def solve(parser, note, search):
    """The whole of a solver: reads the options and the request, and writes the tour that is found.

    `search(dist, options, request, out_of_time)` returns a tour; it is over time when
    `out_of_time()` says so.
    """
    options = parser.parse_args()
    began = time.monotonic()
    request = worker.read_request(worker.MINER)
    try:
        dist = matrix(points_of(request))
    except worker.ProtocolError as error:
        worker.fail(error)
    allowed = worker.seconds(request)
    tour = search(dist, options, request, lambda: time.monotonic() - began > allowed)
    worker.write_answer(answer(tour, dist), note=note)


def solve_from_start(description, note, search):
    """`solve` for a solver whose tour begins at a point of choice, which its option --start names:
    `search(dist, start, out_of_time)` returns a tour."""
    parser = worker.parser(description)
    parser.add_argument("--start", type=int, default=0, metavar="N",
                        help="number of the first point (default: 0)")

    def from_start(dist, options, _request, out_of_time):
        return search(dist, options.start % len(dist), out_of_time)

    solve(parser, note, from_start)
