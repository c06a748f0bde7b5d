#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TSP judge.

verdict     malformed unless the answer is {"tour": [...]} with every point of the task once, in
            at most 1 MiB;
            unavailable when the content could not be fetched.
quality     floor(100 * (reference / length)^7), where length is computed here, never believed, and
            reference is the shorter of the specification's `reference` and the best answer.
            1 % too long gives 93, 5 % 71, 10 % 51, 20 % 27. A wrong stated `length` halves it.
innovation  50 (neutral) plus half the percentage of legs that are not in the nearest-neighbour tour
            from point 0, which anyone can compute; but never more than a shorter answer has, so
            that being unusual cannot make up for being longer.

Whole-number arithmetic only, no network, no clock, no chance: the same request gives the same
scores everywhere. Equal tours get equal scores; who was first is the chain's business.
"""

import tsp

STEEPNESS = 7


def read_answer(answer, count):
    """The tour and the length it states (or None), or the refusal the answer earns."""
    worker = tsp.worker
    if not answer.get("available"):
        return None, None, worker.refuse(worker.UNAVAILABLE, "content could not be fetched")
    content = worker.answer_json(answer)
    if not isinstance(content, dict):
        return None, None, worker.refuse(worker.MALFORMED, "not a JSON object")
    tour, stated = content.get("tour"), content.get("length")
    if not tsp.is_tour(tour, count):
        return None, None, worker.refuse(
            worker.MALFORMED, f"tour does not name each of the {count} points once")
    return tour, stated, None


def quality(length, reference):
    """Points for a tour of this length."""
    if length == 0:
        return 100
    return min(100, 100 * reference ** STEEPNESS // length ** STEEPNESS)


def scores(request):
    """The scores of all answers of the request."""
    dist = tsp.matrix(tsp.points_of(request))
    count = len(dist)
    given = request["spec"]["data"].get("reference")
    read = [read_answer(answer, count) for answer in request["answers"]]
    lengths = [tsp.length(tour, dist) for tour, _, refusal in read if refusal is None]
    known = [given] if tsp.worker.is_int(given) and given > 0 else []
    reference = min(known + lengths, default=0)
    plain = tsp.edges(tsp.nearest_neighbour(dist, 0))
    result = []
    for tour, stated, refusal in read:
        if refusal is not None:
            result.append(refusal)
            continue
        length = tsp.length(tour, dist)
        points = quality(length, reference)
        reason = f"length {length}, reference {reference}"
        if stated is not None and stated != length:
            points //= 2
            reason += f"; stated {stated!r:.40} is wrong"
        novel = len(tsp.edges(tour) - plain)
        result.append(tsp.worker.score(points, tsp.worker.NEUTRAL + 50 * novel // count, reason))
    return tsp.worker.cap_by_better(result)


def main():
    tsp.worker.parser(__doc__).parse_args()
    request = tsp.worker.read_request(tsp.worker.JUDGE)
    try:
        tsp.worker.write_scores(scores(request))
    except tsp.worker.ProtocolError as error:
        tsp.worker.fail(error)


if __name__ == "__main__":
    main()
