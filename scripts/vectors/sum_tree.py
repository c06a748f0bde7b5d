#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slow, independent reference of draws by weight, and the test vectors made with it.

It knows no tree: leaves are a list that every draw goes through from its beginning. It follows the text at the top of
primitives/formulas/src/sum_tree.rs; primitives/formulas/tests/vectors/main.rs requires both to agree exactly.

    python3 scripts/vectors/sum_tree.py            write testing/vectors/sum_tree.json
    python3 scripts/vectors/sum_tree.py --check    fail if it is not what would be written
"""

import random
import sys
from pathlib import Path

from reference import Stream, render

OUT = Path(__file__).resolve().parents[2] / "testing" / "vectors" / "sum_tree.json"
TAG = b"tos/roster/v1"
# Children of a node and levels, as the crate's tests build their trees.
SHAPES = [(2, 3), (3, 3), (4, 3), (64, 1), (64, 3)]


def hit(leaves, point):
    """The leaf that a point falls on."""
    for leaf in sorted(leaves):
        if point < leaves[leaf]:
            return leaf
        point -= leaves[leaf]
    raise AssertionError("the point lies beyond the end")


def with_replacement(leaves, count, seed):
    stream, total = Stream(TAG, seed), sum(leaves.values())
    return [hit(leaves, stream.below(total)) for _ in range(count)] if total else []


def without_replacement(leaves, count, excluded, seed):
    stream, drawn = Stream(TAG, seed), []
    left = {leaf: weight for leaf, weight in leaves.items() if leaf not in excluded}
    while len(drawn) < count and sum(left.values()):
        drawn.append(hit(left, stream.below(sum(left.values()))))
        del left[drawn[-1]]
    return drawn


def change(leaves, capacity, rng, top):
    """One change of the leaves: what is asked for, and what becomes of it."""
    weight = rng.choice([0, rng.randint(1, 9), rng.randint(1, top)])
    known = sorted(leaves)
    leaf = rng.choice(known) if known and rng.random() < 0.9 else rng.randint(0, capacity + 2)
    action = rng.choice(["insert", "insert", "insert", "set", "set", "remove"])
    if action == "insert":
        vacant = next((leaf for leaf in range(capacity) if leaf not in leaves), None)
        if vacant is not None:
            leaves[vacant] = weight
        return ["insert", str(weight), vacant]
    before = leaves.get(leaf)
    if action == "set":
        if before is not None:
            leaves[leaf] = weight
        return ["set", leaf, str(weight), None if before is None else str(before)]
    leaves.pop(leaf, None)
    return ["remove", leaf, None if before is None else str(before)]


def tree_vectors():
    rng = random.Random(5)
    cases = []
    for number in range(100):
        arity, depth = SHAPES[number % len(SHAPES)]
        leaves, top = {}, rng.choice([3, 500, 2**56])
        changes = [change(leaves, arity**depth, rng, top) for _ in range(rng.choice([2, 10, 40, 90]))]
        seed = rng.randbytes(32)
        excluded = [rng.randint(0, 40) for _ in range(rng.choice([0, 1, 33]))]
        count = rng.choice([1, 5, 13, 55])
        cases.append(
            {
                "arity": arity,
                "depth": depth,
                "changes": changes,
                "leaves": [[leaf, str(leaves[leaf])] for leaf in sorted(leaves)],
                "total": str(sum(leaves.values())),
                "seed": seed.hex(),
                "count": count,
                "excluded": excluded,
                "drawn": with_replacement(leaves, count, seed),
                "distinct": without_replacement(leaves, count, excluded, seed),
            }
        )
    return cases


def main():
    text = render(tree_vectors())
    if "--check" not in sys.argv[1:]:
        OUT.write_text(text)
    elif not OUT.exists() or OUT.read_text() != text:
        sys.exit(f"not what the reference gives: {OUT.name}")


if __name__ == "__main__":
    main()
