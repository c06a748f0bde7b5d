#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slow, independent reference of POSC-Walk-256, and the test vectors made with it.

It follows the text at the top of primitives/vdf/src/lib.rs and the published descriptions of the primitives
(posc.py). It shares no code with the Rust crate; primitives/vdf/tests/vectors.rs requires both to agree exactly.

    python3 scripts/vectors/vdf.py            write testing/vectors/vdf.json
    python3 scripts/vectors/vdf.py --check    fail if it is not what would be written
"""

import json
import random
import sys
from pathlib import Path

import posc

OUT = Path(__file__).resolve().parents[2] / "testing" / "vectors" / "vdf.json"
COARSE, FINE, READS = 32, 320, 14


def number(length, value):
    return value.to_bytes(length, "little")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


class Dataset:
    def __init__(self, log2_lines, passes, seed):
        self.mask = 2**log2_lines - 1
        self.bytes = posc.argon2d_fill(seed, b"POSC-VDF", 2**log2_lines // 16, passes)

    def read(self, state):
        """One read: the state after it."""
        at = 64 * (int.from_bytes(state[:16], "little") & self.mask)
        return xor(posc.haraka512_permute(xor(state, self.bytes[at : at + 64])), state)

    def walk(self, state, first, iterations):
        for i in range(first, first + iterations):
            state = state[:48] + xor(state[48:56], number(8, i)) + state[56:]
            for _ in range(READS):
                state = self.read(state)
        return state


def output(slot, end):
    return posc.blake3(b"posc/vdf/y" + number(8, slot) + end)


def inject(state, entropy):
    return posc.blake3(b"inject" + state + entropy, 64)


def initial_state(seed):
    return posc.blake3(b"posc/vdf/start" + seed, 64)


def tree(states):
    """All levels, the leaves first."""
    levels = [[posc.blake3(b"posc/vdf/leaf" + state) for state in states]]
    while len(levels[-1]) > 1:
        below, above = levels[-1], []
        for i in range(0, len(below), 2):
            pair = below[i : i + 2]
            above.append(posc.blake3(b"posc/vdf/node" + b"".join(pair)) if len(pair) == 2 else pair[0])
        levels.append(above)
    return levels


def siblings(levels, leaves):
    """What has to be told to compute the root from these leaves."""
    told = []
    known = set(leaves)
    for level in levels[:-1]:
        needed = {i ^ 1 for i in known} - known
        told += [level[i] for i in sorted(needed) if i < len(level)]
        known = {i // 2 for i in known}
    return told


def params(log2_lines, passes, iterations):
    return {"log2Lines": log2_lines, "passes": passes, "iterationsPerSlot": iterations}


def permutation_vectors(rng):
    inputs = [bytes(64), b"\xff" * 64, bytes(range(64))]
    inputs += [bytes([0] * i + [1] + [0] * (63 - i)) for i in (0, 15, 16, 31, 48, 63)]
    inputs += [rng.randbytes(64) for _ in range(16)]
    return [{"input": state.hex(), "output": posc.haraka512_permute(state).hex()} for state in inputs]


def walk_vectors(dataset, rng):
    """Starts and numbers that reach both halves of the counter."""
    out = []
    for first, iterations in ((0, 1), (1, 1), (2**32 - 2, 5), (2**40 + 7, 117), (2**64 - 9, 8)):
        start = rng.randbytes(64)
        counted = start[:48] + xor(start[48:56], number(8, first)) + start[56:]
        out.append(
            {
                "start": start.hex(),
                "first": str(first),
                "iterations": iterations,
                "afterOneRead": dataset.read(counted).hex(),
                "afterOneIteration": dataset.walk(start, first, 1).hex(),
                "end": dataset.walk(start, first, iterations).hex(),
            }
        )
    return out


def slot_vector(dataset, iterations, start, first, spots):
    per_fine = iterations // FINE
    fine, state = [], start
    for i in range(FINE):
        state = dataset.walk(state, first + i * per_fine, per_fine)
        fine.append(state)
    levels = tree(fine)
    return {
        "start": start.hex(),
        "first": str(first),
        "coarse": [fine[10 * i + 9].hex() for i in range(COARSE)],
        "fineRoot": levels[-1][0].hex(),
        "fineStates": posc.blake3(b"".join(fine)).hex(),
        "spots": [
            {
                "index": i,
                "start": (fine[i - 1] if i else start).hex(),
                "end": fine[i].hex(),
                "siblings": [node.hex() for node in siblings(levels, [i - 1, i] if i else [0])],
            }
            for i in spots
        ],
    }


def dataset_vector(rng, log2_lines, passes, iterations, first, spots, walks):
    seed = rng.randbytes(32)
    dataset = Dataset(log2_lines, passes, seed)
    return {
        "params": params(log2_lines, passes, iterations),
        "seed": seed.hex(),
        "root": posc.blake3(dataset.bytes).hex(),
        "firstLine": dataset.bytes[:64].hex(),
        "lastLine": dataset.bytes[-64:].hex(),
        "walks": walk_vectors(dataset, rng) if walks else [],
        "slot": slot_vector(dataset, iterations, initial_state(seed), first, spots),
    }


def vectors():
    posc.self_check()
    rng = random.Random(256)
    return {
        "haraka512": {
            "message": bytes(range(64)).hex(),
            "hash": posc.haraka512(bytes(range(64))).hex(),
        },
        "argon2d": {
            "password": "01" * 32,
            "salt": "02" * 16,
            "secret": "03" * 8,
            "data": "04" * 12,
            "kib": 32,
            "passes": 3,
            "lanes": 4,
            "tag": posc.argon2d_tag(b"\1" * 32, b"\2" * 16, 32, 3, 4, 32, b"\3" * 8, b"\4" * 12).hex(),
        },
        "permutation": permutation_vectors(rng),
        "initialState": [
            {"seed": seed.hex(), "state": initial_state(seed).hex()} for seed in (bytes(32), rng.randbytes(32))
        ],
        "inject": [
            {"state": state.hex(), "entropy": entropy.hex(), "after": inject(state, entropy).hex()}
            for state, entropy in ((bytes(64), bytes(32)), (rng.randbytes(64), rng.randbytes(32)))
        ],
        "output": [
            {"slot": str(slot), "end": end.hex(), "output": output(slot, end).hex()}
            for slot, end in ((0, bytes(64)), (86_401, rng.randbytes(64)), (2**64 - 1, rng.randbytes(64)))
        ],
        "fineRoots": [
            {"count": count, "root": tree(small_states(count))[-1][0].hex()}
            for count in (1, 2, 3, 5, 64, 65, 320)
        ],
        "datasets": [
            dataset_vector(rng, 10, 2, 320, 2**33, (0, 1, 2, 319), True),
            dataset_vector(rng, 12, 3, 640, 0, (0, 5, 64, 160, 256), True),
            # `VdfParams::TEST`.
            dataset_vector(rng, 14, 1, 1_280, 15_001_600, (0, 1, 63, 128, 255, 256, 318, 319), False),
        ],
    }


def small_states(count):
    """State i is the first 64 bytes of the XOF of the number i."""
    return [posc.blake3(number(4, i), 64) for i in range(count)]


def main():
    text = json.dumps(vectors(), indent=1) + "\n"
    if "--check" in sys.argv:
        if not OUT.exists() or OUT.read_text() != text:
            raise SystemExit(f"{OUT.name} is not what this script writes")
        print(f"{OUT.name} is up to date")
    else:
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(text)
        print(f"wrote {OUT.name}")


if __name__ == "__main__":
    main()
