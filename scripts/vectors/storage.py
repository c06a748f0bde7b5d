#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slow, independent reference of the storage proofs, and the test vectors made with it.

It follows the module documentation of primitives/storage-proofs, from which other languages are told to
implement, and shares no code with the crate; primitives/storage-proofs/tests/vectors.rs requires both to
agree exactly. The Reed-Solomon code is written as what it is, interpolation of a polynomial over GF(2^16),
and not as the transforms that make it fast.

    python3 scripts/vectors/storage.py            write testing/vectors/storage.json
    python3 scripts/vectors/storage.py --check    fail if it is not what would be written
"""

import json
import struct
import sys
from functools import lru_cache
from pathlib import Path

from posc import argon2d_fill, blake3, blake3_derive_key, blake3_keyed, self_check

OUT = Path(__file__).resolve().parents[2] / "testing" / "vectors" / "storage.json"
WORD, CHUNK, M64 = 64, 4096, (1 << 64) - 1


def h(tag, *parts, length=32):
    return blake3_keyed(f"tos/storage/{tag}/v1".encode().ljust(32, b"\0"), b"".join(parts), length)


def u64(x):
    return struct.pack("<Q", x)


def data(seed, length):
    """Bytes that a test in any language makes again: 64-bit words of an arithmetic progression."""
    words = (((i + 1) * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03) & M64 for i in range(-(-length // 8)))
    return b"".join(map(u64, words))[:length]


def key(name, at=0):
    return blake3(f"{name} {at}".encode())


# ---------------------------------------------------------------------------------------------
# Trees over words, and what opens them


@lru_cache(None)
def filling(level):
    return h("empty") if level == 0 else h("node", filling(level - 1), filling(level - 1))


class Tree:
    """All nodes by (level, index); nodes that are not there are filling."""

    def __init__(self, content):
        assert content and len(content) % CHUNK == 0
        self.content, self.words = content, len(content) // WORD
        self.depth = (self.words - 1).bit_length()
        self.nodes = {(0, i): h("leaf", self.word(i)) for i in range(self.words)}
        for level in range(self.depth):
            for i in sorted({i >> 1 for at, i in self.nodes if at == level}):
                self.nodes[level + 1, i] = h("node", self.node(level, 2 * i), self.node(level, 2 * i + 1))
        self.root = h("root", u64(self.words), self.nodes[self.depth, 0])

    def word(self, i):
        return self.content[i * WORD : (i + 1) * WORD]

    def chunk(self, i):
        return self.content[i * CHUNK : (i + 1) * CHUNK]

    def node(self, level, i):
        return self.nodes.get((level, i)) or filling(level)

    def siblings(self, base, indices):
        """Every neighbour on a path that is neither on a path itself nor filling."""
        out = []
        for level in range(base, self.depth):
            on_path = {i >> (level - base) for i in indices}
            wanted = sorted({i ^ 1 for i in on_path} - on_path)
            out += [self.nodes[level, i] for i in wanted if (level, i) in self.nodes]
        return out

    def open_words(self, indices):
        return b"".join([self.word(i) for i in indices] + self.siblings(0, indices))

    def open_chunks(self, indices):
        return b"".join([self.chunk(i) for i in indices] + self.siblings(6, indices))


@lru_cache(None)
def tree(seed, chunks):
    return Tree(data(seed, chunks * CHUNK))


def challenges(seed, count, n):
    stream = h("challenge", seed, length=16 * count)
    return [int.from_bytes(stream[16 * j : 16 * j + 16], "little") * n >> 128 for j in range(count)]


def tree_vectors():
    sizes = (1, 2, 3, 4, 5, 7, 11, 13)
    return [{"seed": n, "chunks": n, "words": str(tree(n, n).words), "root": tree(n, n).root.hex()} for n in sizes]


def challenge_vectors():
    out = []
    for at, (count, n) in enumerate([(1, 1), (2, 64), (16, 64), (16, 2**29), (40, 4_294_967_291), (64, 7 * 64)]):
        seed = key("challenge", at)
        indices = [str(i) for i in challenges(seed, count, n)]
        out.append({"seed": seed.hex(), "count": count, "n": str(n), "indices": indices})
    return out


def replica_seed(window_seed, replica, sealed_root):
    return h("seed", window_seed, replica, sealed_root)


def replica_seed_vectors():
    out = []
    for at in range(3):
        window, replica, root = key("window", at), key("replica", at)[:16], key("sealed root", at)
        seed = replica_seed(window, replica, root)
        out.append({"window": window.hex(), "replica": replica.hex(), "root": root.hex(), "seed": seed.hex()})
    return out


def proof_vectors():
    out = []
    for at, (chunks, count) in enumerate([(1, 1), (1, 16), (2, 2), (3, 16), (7, 2), (7, 16), (13, 40), (13, 64)]):
        seed = key("proof", at)
        t = tree(chunks, chunks)
        words = t.open_words(sorted(set(challenges(seed, count, t.words))))
        whole = t.open_chunks(sorted(set(challenges(seed, count, chunks))))
        case = {"chunks": chunks, "seed": seed.hex(), "count": count, "length": len(words)}
        out.append(case | {"words": words.hex(), "full": {"length": len(whole), "blake3": blake3(whole).hex()}})
    return out


def compact_vectors():
    out = []
    for at, chunks in enumerate((1, 3, 7, 13)):
        t, replica, moment = tree(chunks, chunks), key("replica", at)[:16], 1_000_003 * at
        seed = replica_seed(key("window", at), replica, t.root)
        indices = sorted(set(challenges(seed, 2, t.words)))
        unsigned = b"\1" + replica + u64(moment) + seed[:16] + t.open_words(indices)
        signature = key("signature", at) + key("signature", at + 1)
        case = {"chunks": chunks, "replica": replica.hex(), "moment": moment, "seed": seed.hex()}
        case |= {"signature": signature.hex(), "payload": h("sign", unsigned).hex()}
        out.append(case | {"proof": (unsigned + signature).hex()})
    return out


# ---------------------------------------------------------------------------------------------
# Sealing


def unit_key(prover, chain, replica, data_root, unit):
    return blake3_derive_key(
        "tos 2026 storage seal unit key v1", prover + chain + replica + data_root + u64(unit)
    )


def unit_mask(log2_unit, memory_kib, passes, seal_key):
    return argon2d_fill(seal_key, b"POSC-SEAL", memory_kib, passes)[-(1 << log2_unit) :]


def seal_vectors():
    out = []
    for at, (log2_unit, kib, passes, chunks) in enumerate([(12, 8, 1, 1), (12, 16, 2, 3), (13, 36, 1, 5), (16, 256, 1, 7)]):
        coded, replica = tree(chunks, chunks), key("replica", at)[:16]
        prover, chain = key("prover", at), key("chain")
        sealed, unit = b"", 1 << log2_unit
        keys = [unit_key(prover, chain, replica, coded.root, u) for u in range(-(-len(coded.content) // unit))]
        for u, seal_key in enumerate(keys):
            mask = unit_mask(log2_unit, kib, passes, seal_key)
            sealed += bytes(a ^ b for a, b in zip(coded.content[u * unit : (u + 1) * unit], mask))
        result = Tree(sealed)
        indices = sorted(set(challenges(key("seal", at), 3, coded.words)))
        out.append(
            {
                "params": {"log2Unit": log2_unit, "memoryKib": kib, "passes": passes},
                "chunks": chunks,
                "prover": prover.hex(),
                "chain": chain.hex(),
                "replica": replica.hex(),
                "lastKey": keys[-1].hex(),
                "sealedRoot": result.root.hex(),
                "seed": key("seal", at).hex(),
                "count": 3,
                "opening": (coded.open_words(indices) + result.open_words(indices)).hex(),
            }
        )
    return out


# ---------------------------------------------------------------------------------------------
# Windows


def window_leaf(replica, window, sealed_root, response, previous):
    return h("window/leaf", replica, u64(window), sealed_root, response, previous)


def response_vectors():
    out = []
    for at, length in enumerate((0, 1, 64, 3000)):
        proof = data(at, length)
        fields = [key("replica", at)[:16], at << 40, key("sealed root", at), h("response", proof), key("previous", at)]
        case = {"seed": at, "length": length, "response": fields[3].hex(), "leaf": window_leaf(*fields).hex()}
        case |= {"replica": fields[0].hex(), "window": str(fields[1]), "root": fields[2].hex()}
        out.append(case | {"previous": fields[4].hex()})
    return out


def up(leaves, fill, depth):
    """The top over {index: hash}, and the levels on the way."""
    levels = []
    for _ in range(depth):
        levels.append((leaves, fill))
        get = lambda i: leaves.get(i, fill)
        leaves, fill = (
            {i: h("window/node", get(2 * i), get(2 * i + 1)) for i in sorted({i >> 1 for i in leaves})},
            h("window/node", fill, fill),
        )
    return leaves.get(0, fill), levels


def way(levels, index):
    return [leaves.get((index >> height) ^ 1, fill) for height, (leaves, fill) in enumerate(levels)]


MISSING = h("window/group")


def fold(leaves):
    """Group roots, region roots, global root, and the path of each position."""
    groups, group_levels = {}, {}
    for group in sorted({p // 1000 for p in leaves}):
        own = {p % 1000: leaf for p, leaf in leaves.items() if p // 1000 == group}
        top, group_levels[group] = up(own, h("window/empty"), 10)
        groups[group] = h("window/group", top)
    group_count = max(groups, default=-1) + 1
    nothing = h("window/region", up({}, MISSING, 4)[0])
    regions, region_levels = {}, {}
    for region in range(-(-group_count // 10)):
        own = {g % 10: root for g, root in groups.items() if g // 10 == region}
        top, region_levels[region] = up(own, MISSING, 4)
        regions[region] = h("window/region", top)
    bits = max(len(regions) - 1, 0).bit_length()
    top, levels = up(regions, nothing, bits)
    paths = {}
    for position in leaves:
        group, region = position // 1000, position // 10000
        paths[position] = way(group_levels[group], position % 1000)
        paths[position] += way(region_levels[region], group % 10) + way(levels, region)
    all_groups = [groups.get(g, MISSING) for g in range(group_count)]
    return all_groups, list(regions.values()), h("window/global", bytes([bits]), top), paths


def window_vectors():
    out = []
    for positions in ([], [0], [999], [0, 1, 2, 3, 4], [3, 500, 999, 1000, 1001], [7, 9_999, 10_000, 35_042, 99_999]):
        leaves = {p: key("leaf", p) for p in positions}
        groups, regions, root, paths = fold(leaves)
        case = {"positions": positions, "groups": len(groups), "regions": [r.hex() for r in regions]}
        case |= {"group": groups[-1].hex() if groups else MISSING.hex(), "global": root.hex()}
        out.append(case | {"paths": [b"".join(paths[p]).hex() for p in positions]})
    return out


def mountains(n):
    """(first leaf, size) of the full trees, largest first."""
    out, start = [], 0
    for height in reversed(range(n.bit_length())):
        if n >> height & 1:
            out.append((start, 1 << height))
            start += 1 << height
    return out


def mmr_vectors():
    values = [key("window root", i) for i in range(21)]

    def peak(start, size):
        if size == 1:
            return h("mmr/leaf", u64(start), values[start])
        half = size // 2
        return h("mmr/node", peak(start, half), peak(start + half, half))

    def siblings(start, size, index):
        if size == 1:
            return []
        half = size // 2
        if index < start + half:
            return siblings(start, half, index) + [peak(start + half, half)]
        return siblings(start + half, half, index) + [peak(start, half)]

    out = []
    for n in (0, 1, 2, 3, 4, 7, 8, 13, 21):
        hills = mountains(n)
        peaks = [peak(*hill) for hill in hills]
        proofs = []
        for index in sorted({0, n // 2, n - 1} if n else set()):
            own = next(i for i, (start, size) in enumerate(hills) if start <= index < start + size)
            path = siblings(*hills[own], index) + peaks[:own] + peaks[own + 1 :]
            proofs.append({"index": index, "proof": b"".join(path).hex()})
        out.append({"leaves": n, "root": h("mmr/root", u64(n), *peaks).hex(), "proofs": proofs})
    return out


def record_vectors():
    out = []
    for at in range(3):
        replica, place = key("replica", at)[:16], 1000 * at + 7
        fields = [key("chain", at), u64(at + 5), key("global", at), u64(at << 33)]
        fields += [h("position", replica, u64(at), struct.pack("<I", place))]
        fields += [struct.pack("<I", 100_000 - at), u64(1_790_000_000 + at), key("nonce", at)[:12]]
        record = b"".join(fields)
        assert len(record) == 136
        out.append({"replica": replica.hex(), "window": at, "position": place, "record": record.hex()})
    return out


# ---------------------------------------------------------------------------------------------
# Reed-Solomon over GF(2^16) = GF(2)[x] / (x^16 + x^5 + x^3 + x^2 + 1). A symbol is a sum of the basis
# elements at its set bits; in a 64-byte block, symbol j has its low byte at j and its high byte at 32 + j.

BASIS = [
    0x0001, 0xACCA, 0x3C0E, 0x163E, 0xC582, 0xED2E, 0x914C, 0x4012,
    0x6C98, 0x10D8, 0x6A72, 0xB900, 0xFDB8, 0xFB34, 0xFF38, 0x991E,
]  # fmt: skip


def carryless(a, b):
    out = 0
    while b:
        if b & 1:
            out ^= a
        b >>= 1
        a <<= 1
        if a >> 16:
            a ^= 0x1002D
    return out


@lru_cache(None)
def field():
    """Logarithms of all symbols to the base x, and the symbols by logarithm."""
    element = [0]
    for base in BASIS:
        element += [e ^ base for e in element]
    symbol = {e: s for s, e in enumerate(element)}
    log, exp, power = {}, [], 1
    for i in range(65_535):
        log[symbol[power]] = i
        exp.append(symbol[power])
        power = carryless(power, 2)
    return log, exp


def times(a, b):
    log, exp = field()
    return exp[(log[a] + log[b]) % 65_535] if a and b else 0


def over(a, b):
    log, exp = field()
    return exp[(log[a] - log[b]) % 65_535] if a else 0


def recovery(shards):
    """Shard i is the value at m + i of a polynomial of degree below m, which is 0 at the rest of m to 2m - 1;
    recovery shard r is its value at r. m is the next power of two of the number of shards."""
    k = len(shards)
    m = 1 << (k - 1).bit_length()
    points = range(m, 2 * m)
    symbols = []
    for shard in shards:
        blocks = [shard[i : i + 64] for i in range(0, len(shard), 64)]
        symbols.append([b[j] | b[32 + j] << 8 for b in blocks for j in range(32)])
    out = []
    for r in range(k):
        total = [0] * len(symbols[0])
        for i, values in enumerate(symbols):
            weight = 1
            for x in points:
                if x != m + i:
                    weight = over(times(weight, r ^ x), m + i ^ x)
            total = [t ^ times(weight, v) for t, v in zip(total, values)]
        shard = b""
        for i in range(0, len(total), 32):
            shard += bytes(s & 255 for s in total[i : i + 32]) + bytes(s >> 8 for s in total[i : i + 32])
        out.append(shard)
    return out


def code_vectors():
    out = []
    for length in (0, 1, 4095, 4096, 4097, 3 * 4096, 5 * 4096 - 1):
        chunks = max(1, -(-length // CHUNK))
        padded = data(99, length).ljust(chunks * CHUNK, b"\0")
        shards = [padded[i * CHUNK : (i + 1) * CHUNK] for i in range(chunks)]
        coded = b"".join(shards + recovery(shards))
        out.append({"length": length, "codedChunks": 2 * chunks, "blake3": blake3(coded).hex()})
    return out


def layout_vectors():
    out = []
    sizes = [0, 1, 4096, 4097, 1 << 27, (1 << 27) + 1, 1 << 28, 4_294_967_291, 1 << 32, (1 << 34) - 1, 1 << 34]
    for length in sizes:
        n = max(1, -(-length // CHUNK))
        s = -(-n // 32_768)
        k = -(-n // s)
        case = {"length": str(length), "dataChunks": n, "shardChunks": s, "shards": k, "codedChunks": 2 * k * s}
        out.append(case)
    return out


# ---------------------------------------------------------------------------------------------


def render(vectors):
    """One case a line, so that a change of one shows as a change of one."""
    dump = lambda case: json.dumps(case, separators=(",", ":"))
    lines = lambda cases: "[\n" + ",\n".join(dump(case) for case in cases) + "\n]"
    return "{\n" + ",\n".join(f'"{name}": {lines(cases)}' for name, cases in vectors.items()) + "\n}\n"


def main():
    self_check()
    text = render(
        {
            "trees": tree_vectors(),
            "filling": [{"level": level, "node": filling(level).hex()} for level in (0, 1, 6, 29)],
            "challenges": challenge_vectors(),
            "replicaSeeds": replica_seed_vectors(),
            "proofs": proof_vectors(),
            "compact": compact_vectors(),
            "seals": seal_vectors(),
            "responses": response_vectors(),
            "windows": window_vectors(),
            "mmr": mmr_vectors(),
            "records": record_vectors(),
            "codes": code_vectors(),
            "layouts": layout_vectors(),
        }
    )
    if "--check" not in sys.argv[1:]:
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(text)
    elif not OUT.exists() or OUT.read_text() != text:
        sys.exit(f"not what the reference gives: {OUT.name}")


main()
