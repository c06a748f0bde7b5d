#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A cheat: answers anything, without having worked.

By default the answer is well-formed JSON that has nothing to do with the task: judges find it
malformed, which costs half of the answer stake. With --plausible it has the form the task asks for
and a content picked by chance: judges find it an answer of no worth, which costs a fifth.
"""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
import tos_worker as worker  # noqa: E402

WORDS = "synergy quantum holistic paradigm optimal disruptive leverage insight neural cloud".split()


def nonsense(draw):
    """Sounds clever, says nothing."""
    return {
        "summary": " ".join(draw.choices(WORDS, k=12)),
        "confidence": draw.randrange(90, 101),
        "steps": [draw.choice(WORDS) for _ in range(5)],
    }


def plausible(spec, draw):
    """The form of an answer, filled by chance; nonsense where the kind of task is unknown."""
    data = spec.get("data") if isinstance(spec, dict) else None
    if not isinstance(data, dict):
        return nonsense(draw)
    if spec.get("kind") == "tsp" and isinstance(data.get("points"), list):
        tour = list(range(len(data["points"])))
        draw.shuffle(tour)
        return {"tour": tour}
    if spec.get("kind") == "code-review" and isinstance(data.get("source"), str):
        lines = range(1, len(data["source"].splitlines()) + 1)
        kinds = sorted(data.get("kinds") or ["bug"])
        return {"findings": [{"line": draw.choice(lines), "kind": draw.choice(kinds)}
                             for _ in range(20)]}
    return nonsense(draw)


def main():
    parser = worker.parser(__doc__)
    parser.add_argument("--plausible", action="store_true",
                        help="in the form that the task asks for")
    parser.add_argument("--seed", default="0", help="any text (default: 0)")
    options = parser.parse_args()
    request = worker.read_request(worker.MINER)
    draw = random.Random(f"{request['task'].get('id')}/{options.seed}")
    worker.write_answer(plausible(request.get("spec"), draw) if options.plausible
                        else nonsense(draw))


if __name__ == "__main__":
    main()
