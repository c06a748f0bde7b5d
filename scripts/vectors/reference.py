#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slow, independent reference of the protocol's arithmetic, and the test vectors made with it.

It follows the text of docs/protocol.md (and, for the two hashes, the module documentation that other
languages are told to follow) with exact fractions and no regard for speed. It shares no code with
the Rust crate; primitives/formulas/tests/vectors/main.rs requires both to agree exactly.

    python3 scripts/vectors/reference.py            write testing/vectors/*.json
    python3 scripts/vectors/reference.py --check    fail if they are not what would be written
"""

import hashlib
import json
import random
import struct
import sys
from fractions import Fraction
from pathlib import Path

OUT = Path(__file__).resolve().parents[2] / "testing" / "vectors"
TOS = 10**18


def floor(x):
    return x.numerator // x.denominator


def half_away(x):
    """Rounds to the nearest integer, halves away from zero."""
    return floor(x + Fraction(1, 2)) if x >= 0 else -floor(-x + Fraction(1, 2))


# ---------------------------------------------------------------------------------------------
# Reputation


def reputation_change(reputation, completion, quality, accuracy, peer, innovation):
    """All in basis points."""
    weights = [Fraction(w, 100) for w in (40, 30, 15, 10, 5)]
    scores = [
        max(Fraction(-1), min(Fraction(1), Fraction(s, 10_000)))
        for s in (completion, quality, accuracy, peer, innovation)
    ]
    total = sum(w * s for w, s in zip(weights, scores))
    multiplier = 1 + Fraction(5, 100) * max(Fraction(0), scores[4])
    decay = 1 - Fraction(1, 10) * Fraction(reputation, 10_000) if total > 0 else Fraction(1)
    return max(-100, min(100, half_away(total * multiplier * decay * 100)))


def reputation_after(reputation, change):
    return max(0, min(10_000, reputation + change))


def reputation_vectors():
    one = 10_000
    named = [
        ("published 1: all but innovation", 1_000, [one, one, one, one, 0]),
        ("published 2: all, clamped", 1_000, [one] * 5),
        ("published 3: 85.5 at the top", 10_000, [one, one, one, one, 0]),
        ("published 4: mixed", 5_000, [8_000, 7_500, 9_000, 5_000, 3_000]),
        ("published 6: nothing done", 1_000, [0] * 5),
        ("worst", 1_000, [-one] * 5),
        ("worst at the top", 10_000, [-one] * 5),
        ("worst at the bottom", 0, [-one] * 5),
        ("gain at the bottom", 0, [one, 0, 0, 0, 0]),
        ("same work at the top", 10_000, [one, 0, 0, 0, 0]),
        ("a loss at the top is not softened", 10_000, [-one, 0, 0, 0, 0]),
        ("innovation multiplies losses too", 3_000, [-one, -one, -one, -one, one]),
        ("negative innovation does not multiply", 3_000, [one, one, one, one, -one]),
        ("half a point up", 0, [0, 0, 0, 500, 0]),
        ("half a point down", 0, [0, 0, 0, -500, 0]),
        ("just under half a point up", 0, [0, 0, 0, 499, 0]),
        ("just under half a point down", 0, [0, 0, 0, -499, 0]),
        ("1.5 points up", 0, [0, 500, 0, 0, 0]),
        ("1.5 points down", 0, [0, -500, 0, 0, 0]),
        ("2.5 points down at the top", 10_000, [0, -500, 0, -1_000, 0]),
        ("exactly balanced", 4_000, [3_000, -4_000, 0, 0, 0]),
        ("scores beyond the range count as its ends", 2_000, [32_767, -32_768, 20_000, -20_000, 32_767]),
        ("the top stays the top", 9_950, [one] * 5),
        ("the bottom stays the bottom", 30, [-one] * 5),
    ]
    cases = []
    for name, reputation, scores in named:
        cases.append((name, reputation, scores))
    rng = random.Random(1)
    for i in range(600):
        reputation = rng.choice([0, 1_000, 10_000, rng.randint(0, 10_000)])
        step = rng.choice([1, 1, 100, 500, 2_500])
        scores = [rng.randint(-10_000 // step, 10_000 // step) * step for _ in range(5)]
        cases.append((f"random {i}", reputation, scores))
    # Exact halves: with reputation 0 and only the first four scores the sum is n/10,000 points.
    halves = 0
    while halves < 100:
        scores = [rng.randint(-100, 100) * 100 for _ in range(4)] + [0]
        for at in range(4):
            scores[at] += rng.choice([0, 50])
        exact = sum(Fraction(w * s, 10_000) for w, s in zip((40, 30, 15, 10), scores))
        if exact.denominator == 2:
            cases.append((f"half {halves}", 0 if exact > 0 else rng.randint(0, 10_000), scores))
            halves += 1
    return [
        {
            "name": name,
            "reputation": reputation,
            "scores": scores,
            "change": reputation_change(reputation, *scores),
            "after": reputation_after(reputation, reputation_change(reputation, *scores)),
        }
        for name, reputation, scores in cases
    ]


def decayed(score, idle_days):
    left = score
    for day in range(1, idle_days + 1):
        if day > 7:
            left = floor(Fraction(left) * Fraction(99, 100))
    return max(left, -(-score // 2))


def decay_vectors():
    scores = [0, 1, 2, 3, 99, 100, 101, 149, 150, 151, 999, 1_000, 1_001, 4_999, 5_000, 7_777, 9_999, 10_000]
    days = [0, 1, 6, 7, 8, 9, 10, 14, 30, 31, 50, 74, 75, 76, 77, 90, 91, 365, 1_000]
    return [{"score": s, "idleDays": d, "left": decayed(s, d)} for s in scores for d in days]


# ---------------------------------------------------------------------------------------------
# Splits


def hand_out(total, weights):
    """Largest remainder: a place in the list breaks ties."""
    if sum(weights) == 0:
        return [0] * len(weights)
    quotas = [Fraction(total) * w / sum(weights) for w in weights]
    shares = [floor(q) for q in quotas]
    for _ in range(total - sum(shares)):
        # The one with the largest remainder that has not been given one more yet.
        rest = [q - s for q, s in zip(quotas, shares)]
        shares[rest.index(max(rest))] += 1
    return shares


def score_of(answer):
    return floor(
        Fraction(4 * 100 * answer["quality"] + 2 * 100 * answer["innovation"] + answer["timeliness"], 7)
    )


def allocate(escrow, profile, rule, min_quality, answers, points):
    w, t, v, n = hand_out(escrow, profile)
    per, cap = rule
    places = max(1, min(len(answers) // max(per, 1), cap))
    eligible = [i for i, a in enumerate(answers) if a["eligible"]]
    winners = []
    while len(winners) < places:
        left = [i for i in eligible if answers[i]["quality"] >= min_quality and i not in winners]
        if not left:
            break
        best = max(score_of(answers[i]) for i in left)
        winners.append(min(i for i in left if score_of(answers[i]) == best))

    ranks = ([10, 6, 4, 2] + [2] * len(winners))[: len(winners)]
    by_quality = ranks
    by_innovation = [r * answers[i]["innovation"] for r, i in zip(ranks, winners)]
    by_time = [r * answers[i]["timeliness"] for r, i in zip(ranks, winners)]
    if sum(by_innovation) == 0:
        by_innovation = ranks
    if sum(by_time) == 0:
        by_time = ranks

    earned = [0] * len(answers)
    treasury, publisher = n, 0
    if winners:
        parts = hand_out(w, [4, 2, 1])
        for part, weights in zip(parts, [by_quality, by_innovation, by_time]):
            for i, share in zip(winners, hand_out(part, weights)):
                earned[i] += share
    else:
        publisher += w

    takers = [a["quality"] if a["eligible"] and a["quality"] >= 20 else 0 for a in answers]
    if sum(takers) > 0:
        for i, share in enumerate(hand_out(t, takers)):
            earned[i] += share
    elif winners:
        treasury += t
    else:
        publisher += t

    judges = hand_out(v, points)
    if sum(points) == 0:
        treasury += v

    assert sum(earned) + sum(judges) + treasury + publisher == escrow
    return {
        "winners": winners,
        "answers": [str(x) for x in earned],
        "judges": [str(x) for x in judges],
        "network": str(treasury),
        "refund": str(publisher),
    }


def split_vectors():
    def answer(quality, innovation=0, timeliness=0, eligible=True):
        return {"quality": quality, "innovation": innovation, "timeliness": timeliness, "eligible": eligible}

    default, audit, easy = [6_500, 1_500, 1_500, 500], [7_000, 1_000, 1_500, 500], [6_000, 2_000, 1_500, 500]
    thirds, quarters, one = [3, 3], [4, 2], [1, 1]
    nine = [answer(60 + i, 10 * i, 1_000 * i) for i in range(9)]
    named = [
        ("one winner", 100 * TOS, default, one, 60, [answer(90, 30, 10_000)], [10_000]),
        ("audit at expert", 500 * TOS, audit, one, 60, [answer(90), answer(80), answer(70)], [9_000, 8_000, 5_000]),
        ("code analysis at beginner", 5 * TOS, easy, thirds, 60, nine, [9_999, 9_998, 1]),
        ("three winners", 150 * TOS, default, thirds, 60, nine, [10_000] * 7),
        ("indivisible", 1, default, thirds, 60, nine, [10_000] * 7),
        ("two wei", 2, default, thirds, 60, nine, [10_000] * 7),
        ("seven wei", 7, default, thirds, 60, nine, [10_000] * 7),
        ("dust among the equal", 10_007, default, thirds, 60, [answer(80, 5, 5) for _ in range(9)], [7_000] * 7),
        ("nothing", 0, default, thirds, 60, nine, [10_000] * 7),
        ("everything", 2**128 - 1, default, thirds, 60, nine, [10_000, 9_999, 1, 0]),
        ("no winner, somebody takes part", 100 * TOS + 1, default, thirds, 60, [answer(59), answer(20), answer(19)], [1, 2]),
        ("no winner, nobody takes part", 100 * TOS + 1, default, thirds, 60, [answer(19, 100, 10_000)], [1, 2]),
        ("only duplicates", 100 * TOS, default, thirds, 60, [answer(90, eligible=False)] * 2, [1]),
        ("no answers, no judges", 100 * TOS + 3, default, thirds, 60, [], []),
        ("winner below the participation quality", 1_000, default, thirds, 0, [answer(19)], [0, 0]),
        ("no innovation at all", 999_999, default, thirds, 60, [answer(90, 0, 9), answer(80, 0, 7), answer(70, 0, 5)] * 3, [3]),
        ("no time left at all", 999_999, default, thirds, 60, [answer(90, 9), answer(80, 7), answer(70, 5)] * 3, [3]),
        ("one innovative third", 999_999, default, thirds, 60, [answer(95), answer(90), answer(75, 1)] + [answer(10)] * 6, [3]),
        ("ties in the final score", 12_345, default, quarters, 60, [answer(70, 20), answer(80), answer(80), answer(70, 20)] * 2, [1, 1]),
        ("scores equal only when rounded", 12_345, default, quarters, 60, [answer(80, 0, 6), answer(80, 0, 0), answer(80, 0, 1)], [1]),
        ("a duplicate ahead of the rest", 12_345, default, quarters, 60, [answer(70), answer(100, 100, 10_000, False), answer(71)], [1]),
        ("judges without points", 12_345, default, quarters, 60, [answer(70)], [0, 0, 0]),
        ("more places than rank weights", 99_991, default, [1, 6], 60, nine, [1]),
        ("a rule of zeros", 99_991, default, [0, 0], 60, nine, [1]),
    ]
    rng = random.Random(2)
    cases = list(named)
    for i in range(300):
        escrow = rng.choice(
            [rng.randint(0, 100), rng.randint(5, 500) * TOS, rng.randint(5 * TOS, 500 * TOS), rng.getrandbits(128)]
        )
        profile = rng.choice([default, audit, easy, [6_337, 1_411, 1_259, 993]])
        level = rng.choice([0, 1, 1])
        answers = [
            answer(
                rng.choice([rng.randint(0, 100), rng.randint(60, 62), 20, 80]),
                level * rng.randint(0, 100),
                rng.choice([0, 10_000, rng.randint(0, 10_000)]),
                rng.random() < 0.8,
            )
            for _ in range(rng.randint(0, 14))
        ]
        points = [rng.choice([0, 5_000, 10_000, rng.randint(5_000, 10_000)]) for _ in range(rng.randint(0, 9))]
        rule = rng.choice([thirds, quarters, one])
        cases.append((f"random {i}", escrow, profile, rule, rng.choice([0, 60, 60, 80]), answers, points))
    return [
        {
            "name": name,
            "escrow": str(escrow),
            "profile": profile,
            "rule": rule,
            "minQuality": min_quality,
            "answers": answers,
            "points": points,
            "allocation": allocate(escrow, profile, rule, min_quality, answers, points),
        }
        for name, escrow, profile, rule, min_quality, answers, points in cases
    ]


# ---------------------------------------------------------------------------------------------
# Panels


def median(votes):
    total = sum(w for _, w in votes)
    if total == 0:
        return None
    for value in range(101):
        if Fraction(sum(w for x, w in votes if x <= value), total) >= Fraction(1, 2):
            return value


def verdict(votes):
    """Votes are (verdict number, weight); 0 is valid."""
    total = sum(w for _, w in votes)
    for number in (1, 2, 3):
        if total and Fraction(sum(w for x, w in votes if x == number), total) >= Fraction(2, 3):
            return number
    return 0


def accuracy(pairs):
    if not pairs:
        return 0
    points = [max(Fraction(0), 1 - Fraction(abs(a - b), 30)) for a, b in pairs]
    return floor(sum(points) / len(pairs) * 10_000)


def max_share(n):
    return Fraction(34 if n <= 3 else 28 if n <= 5 else 24 if n <= 7 else 20, 100)


def capped(weights):
    """Tries every possible number of capped members; none of the bisection of the Rust code."""
    members = sorted((w for w in weights if w), reverse=True)
    n, share = len(members), max_share(len(members))
    if n == 0:
        return weights
    if n * share <= 1:
        level = members[-1]
    elif members[0] <= share * sum(members):
        level = members[0]
    else:
        # With exactly the k greatest lowered to c, c = share·(rest + k·c); it must lie between the
        # k-th and the next. Where k·share >= 1, raising c only helps, so the end is not there.
        levels = []
        for k in range(1, n):
            if k * share < 1:
                c = floor(share * sum(members[k:]) / (1 - k * share))
                if members[k] <= c < members[k - 1]:
                    levels.append(c)
        level = max(levels)
    return [min(w, level) for w in weights]


class Stream:
    def __init__(self, tag, seed):
        self.prefix, self.i = tag + seed, 0

    def number(self):
        block = hashlib.blake2b(self.prefix + struct.pack("<Q", self.i), digest_size=16).digest()
        self.i += 1
        return int.from_bytes(block, "little")

    def below(self, bound):
        while True:
            number = self.number()
            if number < 2**128 // bound * bound:
                return number % bound


def sample(weights, k, seed):
    stream, drawn = Stream(b"tos/sample/v1", seed), []
    while len(drawn) < k:
        left = [i for i, w in enumerate(weights) if w and i not in drawn]
        if not left:
            break
        point = stream.below(sum(weights[i] for i in left))
        for i in left:
            if point < weights[i]:
                drawn.append(i)
                break
            point -= weights[i]
    return drawn


def indices(pool, k, seed):
    if pool <= k:
        return list(range(pool))
    stream, taken = Stream(b"tos/indices/v1", seed), []
    for last in range(pool - k, pool):
        number = stream.below(last + 1)
        taken.append(last if number in taken else number)
    return sorted(taken)


def median_vectors():
    rng = random.Random(3)
    medians = [[], [(50, 0)], [(10, 1), (90, 1)], [(90, 2), (10, 1)], [(0, 0), (70, 1), (100, 0)]]
    medians += [[(rng.randint(0, 100), 1) for _ in range(n)] for n in range(1, 16)]
    for _ in range(200):
        top = rng.choice([3, 10_000, 2**64 - 1])
        medians.append([(rng.randint(0, 100), rng.randint(0, top)) for _ in range(rng.randint(1, 15))])

    verdicts = [[], [(3, 2), (0, 1)], [(3, 1), (2, 1), (0, 1)], [(2, 199), (0, 101)], [(2, 200), (0, 100)]]
    for _ in range(100):
        top = rng.choice([3, 2**64 - 1])
        pick = [0, 3, 3, 3, rng.randint(0, 3)]
        verdicts.append([(rng.choice(pick), rng.randint(0, top)) for _ in range(rng.randint(1, 15))])

    accuracies = [[], [(70, 70)], [(71, 70)], [(70, 85)], [(100, 0)], [(50, 50), (35, 50), (0, 100)]]
    for _ in range(100):
        accuracies.append(
            [(q := rng.randint(0, 100), max(0, min(100, q + rng.randint(-40, 40)))) for _ in range(rng.randint(1, 32))]
        )

    caps = [[], [0], [7], [7, 9_000], [1_000, 10_000, 1_000], [10_000, 1_000, 10_000], [33, 33, 34], [1, 1, 1_000]]
    caps += [[3] * 5 + [10_000] * 2, [10_000] * 15, [1] * 14 + [2**64 - 1], [0, 5, 0, 5, 0, 500]]
    for _ in range(200):
        top = rng.choice([5, 10_000, 2**64 - 1])
        caps.append([rng.choice([rng.randint(0, top), rng.randint(0, 10)]) for _ in range(rng.randint(1, 15))])

    samples, sets = [], []
    for _ in range(60):
        seed = rng.randbytes(32)
        top = rng.choice([3, 10_000, 2**64 - 1])
        weights = [rng.randint(0, top) for _ in range(rng.randint(0, 64))]
        k = rng.randint(0, 15)
        samples.append(
            {"weights": [str(w) for w in weights], "k": k, "seed": seed.hex(), "drawn": sample(weights, k, seed)}
        )
        pool, k = rng.choice([rng.randint(0, 80), rng.randint(0, 2**32 - 1)]), rng.randint(0, 64)
        sets.append({"pool": pool, "k": k, "seed": seed.hex(), "drawn": indices(pool, k, seed)})

    weigh = lambda votes: [[x, str(w)] for x, w in votes]
    return {
        "median": [{"votes": weigh(v), "median": median(v)} for v in medians],
        "verdict": [{"votes": weigh(v), "verdict": verdict(v)} for v in verdicts],
        "accuracy": [{"pairs": p, "accuracy": accuracy(p)} for p in accuracies],
        "cap": [{"weights": [str(w) for w in c], "capped": [str(w) for w in capped(c)]} for c in caps],
        "sample": samples,
        "indices": sets,
    }


# ---------------------------------------------------------------------------------------------
# Rosters


def in_bootstrap(wanted, certified):
    """Every odd panel from the largest on; three seats need three certified judges."""
    for seats in range(wanted, 2, -1):
        needed = 3 if seats == 3 else -floor(Fraction(-2 * seats, 3))
        if seats % 2 and certified >= needed:
            return [seats, needed]
    return None


def premium_class(premium, reward):
    return sum(premium > 0 and Fraction(premium, reward) >= Fraction(least, 400) for least in (1, 2, 4, 8, 16, 32, 64))


def roster_vectors():
    rng = random.Random(6)
    amount = lambda: rng.choice([0, 1, rng.randint(5, 500) * TOS, rng.randint(0, 500 * TOS)])
    stakes, rooms, premiums = [], [], []
    for _ in range(100):
        reward, seats, share, least = amount(), rng.randint(1, 63), rng.randint(5_000, 20_000), rng.choice([0, TOS // 2])
        stake = max(least, floor(Fraction(floor(Fraction(reward * share, 10_000)), seats)))
        stakes.append({"reward": str(reward), "seats": seats, "share": share, "least": str(least), "stake": str(stake)})
        total, share = rng.choice([0, 250, rng.randint(0, 10**6)]), rng.randint(2_000, 7_500)
        limit = floor(Fraction(total * TOS * share, 10_000))
        locked = rng.choice([0, limit // 2, limit, limit + 1])
        wanted = rng.choice([amount(), max(0, limit - locked), max(0, limit - locked) + 1])
        rooms.append(
            {"total": str(total), "locked": str(locked), "wanted": str(wanted), "share": share, "room": locked + wanted <= limit}
        )
        reward = rng.randint(5 * TOS, 500 * TOS)
        premium = rng.choice([0, reward // 400, -(-reward // 400), rng.randint(0, reward // 4), reward])
        premiums.append({"premium": str(premium), "reward": str(reward), "class": premium_class(premium, reward)})
    return {
        "bootstrap": [
            {"wanted": wanted, "certified": certified, "seats": in_bootstrap(wanted, certified)}
            for wanted in range(1, 16, 2)
            for certified in range(15)
        ],
        "stake": stakes,
        "room": rooms,
        "premium": premiums,
    }


# ---------------------------------------------------------------------------------------------
# SimHash. The standard library has no BLAKE3; this does inputs of up to one chunk (1,024 bytes).


def blake3_short(data):
    assert len(data) <= 1_024
    iv = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
    order = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
    chunk_start, chunk_end, root = 1, 2, 8
    wrap = lambda x: x & 0xFFFFFFFF
    turn = lambda x, n: wrap(x >> n | x << (32 - n))

    blocks = [data[i : i + 64] for i in range(0, len(data), 64)] or [b""]
    chain = iv
    for at, block in enumerate(blocks):
        flags = (chunk_start if at == 0 else 0) | (chunk_end | root if at == len(blocks) - 1 else 0)
        words = list(struct.unpack("<16I", block.ljust(64, b"\0")))
        s = chain + iv[:4] + [0, 0, len(block), flags]

        def mix(a, b, c, d, x, y):
            s[a] = wrap(s[a] + s[b] + x)
            s[d] = turn(s[d] ^ s[a], 16)
            s[c] = wrap(s[c] + s[d])
            s[b] = turn(s[b] ^ s[c], 12)
            s[a] = wrap(s[a] + s[b] + y)
            s[d] = turn(s[d] ^ s[a], 8)
            s[c] = wrap(s[c] + s[d])
            s[b] = turn(s[b] ^ s[c], 7)

        for _ in range(7):
            for i in range(4):
                mix(i, 4 + i, 8 + i, 12 + i, words[2 * i], words[2 * i + 1])
            for i in range(4):
                mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, words[8 + 2 * i], words[9 + 2 * i])
            words = [words[i] for i in order]
        chain = [s[i] ^ s[i + 8] for i in range(8)]
    return struct.pack("<8I", *chain)


assert blake3_short(b"").hex() == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
assert blake3_short(b"abc").hex() == "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"


def simhash(text):
    tokens, word = [], b""
    for byte in text:
        if 0x41 <= byte <= 0x5A:
            byte += 0x20
        if 0x30 <= byte <= 0x39 or 0x61 <= byte <= 0x7A or byte >= 0x80:
            word += bytes([byte])
        elif word:
            tokens.append(word)
            word = b""
    if word:
        tokens.append(word)
    shingles = [b" ".join(tokens[i : i + 3]) for i in range(len(tokens) - 2)] if len(tokens) >= 3 else tokens
    hashes = [int.from_bytes(blake3_short(shingle)[:8], "little") for shingle in shingles]
    result = 0
    for bit in range(64):
        ones = sum(h >> bit & 1 for h in hashes)
        if ones > len(hashes) - ones:
            result |= 1 << bit
    return result


def simhash_vectors():
    rng = random.Random(4)
    tour = list(range(52))
    texts = ["", " ,.;\n", "abc", "ABC", "two words", "Two, WORDS!", "one two three", "one two three four"]
    texts += ["a a a a a a", "naïve café – 東京 と 大阪 と 京都", "Ünï ünï", "x" * 300 + " y z", "tab\tnew\nline\0nul"]
    for _ in range(4):
        rng.shuffle(tour)
        texts.append(json.dumps(tour))
        texts.append(json.dumps(tour, indent=2))
    letters = "abcdefghijklmnopqrstuvwxyz ABCXYZ 0123456789 .,;-_ "
    for _ in range(40):
        texts.append("".join(rng.choice(letters) for _ in range(rng.randint(1, 400))))
    return [{"text": text, "simhash": f"{simhash(text.encode()):016x}"} for text in texts]


# ---------------------------------------------------------------------------------------------


def render(vectors):
    """One case a line, so that a change of one shows as a change of one."""
    dump = lambda case: json.dumps(case, ensure_ascii=True, separators=(",", ":"))
    lines = lambda cases: "[\n" + ",\n".join(dump(case) for case in cases) + "\n]"
    if isinstance(vectors, dict):
        return "{\n" + ",\n".join(f'"{key}": {lines(cases)}' for key, cases in vectors.items()) + "\n}\n"
    return lines(vectors) + "\n"


def main():
    files = {
        "reputation.json": reputation_vectors(),
        "decay.json": decay_vectors(),
        "split.json": split_vectors(),
        "median.json": median_vectors(),
        "roster.json": roster_vectors(),
        "simhash.json": simhash_vectors(),
    }
    check = "--check" in sys.argv[1:]
    OUT.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, vectors in files.items():
        text, path = render(vectors), OUT / name
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        sys.exit("not what the reference gives: " + ", ".join(stale))


if __name__ == "__main__":
    main()
