#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A pinned tool for tasks of kind `tsp`: which answers are tours, and how long they are.

Reads what a judge reads and prints {"failed": [indices], "lengths": [length or null, ...]}. One file
without neighbours, because a task type pins it by the hash of this file; whole numbers only, so that
every machine prints the same bytes.
"""

import json
import sys
from math import isqrt

MAX_POINTS = 1_000


#: The longest answer that is read. No good one is longer.
MAX_READ = 1024 * 1024


def refuse_constant(name):
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(name)


def content_of(answer):
    """An answer, parsed: from the request or, when it is long, from its file. None when it is no
    JSON."""
    path = answer.get("path")
    if not isinstance(path, str):
        return answer.get("json")
    with open(path, "rb") as file:
        content = file.read(MAX_READ + 1)
    try:
        return None if len(content) > MAX_READ else json.loads(content.decode("utf-8"),
                                                               parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return None


def is_int(value):
    """A whole number, and not a truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def points_of(request):
    """The points of the task."""
    spec = request.get("spec")
    if not isinstance(spec, dict) or spec.get("kind") != "tsp":
        sys.exit("not a task of kind tsp")
    data = spec.get("data")
    points = data.get("points") if isinstance(data, dict) else None
    if not isinstance(points, list) or not 3 <= len(points) <= MAX_POINTS:
        sys.exit("no usable points")
    for point in points:
        if not (isinstance(point, list) and len(point) == 2 and all(map(is_int, point))):
            sys.exit("a point is a pair of whole numbers")
    return points


def length_of(answer, points):
    """The length of an answer's tour by TSPLIB's EUC_2D; None when it has no tour."""
    content = content_of(answer)
    tour = content.get("tour") if isinstance(content, dict) else None
    if not isinstance(tour, list) or not all(map(is_int, tour)):
        return None
    if sorted(tour) != list(range(len(points))):
        return None
    total = 0
    for a, b in zip(tour, tour[1:] + tour[:1]):
        (x1, y1), (x2, y2) = points[a], points[b]
        total += (isqrt(4 * ((x1 - x2) ** 2 + (y1 - y2) ** 2)) + 1) // 2
    return total


def main():
    """Checks every answer of the request."""
    request = json.load(sys.stdin)
    points = points_of(request)
    lengths = [length_of(answer, points) for answer in request["answers"]]
    failed = [index for index, length in enumerate(lengths) if length is None]
    report = {"failed": failed, "lengths": lengths}
    print(json.dumps(report, sort_keys=True, separators=(",", ":")))


if __name__ == "__main__":
    main()
