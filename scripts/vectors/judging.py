#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slow, independent reference of judging by roster, and the test vectors made with it.

It follows the text of docs/decisions/026-judging-by-roster.md and 027-judging-pallets.md with exact fractions;
primitives/formulas/tests/vectors/judging.rs requires both to agree exactly.

    python3 scripts/vectors/judging.py            write the files of testing/vectors that main() names
    python3 scripts/vectors/judging.py --check    fail if they are not what would be written
"""

import random
import sys
from fractions import Fraction
from pathlib import Path

from reference import TOS, allocate, floor, hand_out, render, score_of, simhash

OUT = Path(__file__).resolve().parents[2] / "testing" / "vectors"


def texts(amounts):
    return [str(amount) for amount in amounts]


# ---------------------------------------------------------------------------------------------
# Rounds


def median(scores):
    """The mean of the middle one from below and the middle one from above, which are the same of an odd number."""
    if not scores:
        return None
    rising, falling = sorted(scores), sorted(scores, reverse=True)
    at = (len(scores) - 1) // 2
    return floor(Fraction(rising[at] + falling[at], 2))


def verdict(given):
    """Numbers of verdicts; 0 is valid."""
    for number in (1, 2):
        if given and Fraction(given.count(number), len(given)) >= Fraction(2, 3):
            return number
    return 0


def outcome(seats, scoring, unjudgeable):
    revealed = scoring + unjudgeable
    if Fraction(revealed, seats) <= Fraction(1, 2):
        return "none"
    share = Fraction(unjudgeable, revealed)
    return "faulty" if share >= Fraction(2, 3) else "scored" if share <= Fraction(1, 2) else "none"


def contested(scores, middle):
    return bool(scores) and Fraction(sum(abs(s - middle) > 30 for s in scores), len(scores)) >= Fraction(1, 3)


def baseline(before, results, step):
    towards = median(results)
    for _ in range(step if results else 0):
        before += (towards > before) - (towards < before)
    return before


def round_vectors():
    rng = random.Random(7)
    medians, verdicts, far, baselines = [[], [70], [0, 1], [100, 99]], [[], [2], [1, 1, 0], [1, 2, 0]], [[]], []
    for _ in range(150):
        seats = rng.randint(1, 63)
        spread = rng.choice([3, 30, 100])
        medians.append([rng.randint(0, spread) for _ in range(seats)])
        bad, near = rng.choice([1, 2]), min(seats, max(0, -(-2 * seats // 3) + rng.randint(-1, 1)))
        verdicts.append([bad] * near + [rng.choice([0, 3 - bad]) for _ in range(seats - near)])
        off, sides = min(seats, max(0, -(-seats // 3) + rng.randint(-1, 1))), rng.choice([[20, 80], [0, 19, 81, 100]])
        far.append([rng.choice(sides) for _ in range(off)] + [50] * (seats - off))
        results = [rng.randint(0, 100) for _ in range(rng.randint(0, 32))]
        baselines.append((rng.randint(0, 100), results, rng.randint(1, 5)))
    outcomes = [(n, s, u) for n in (1, 3, 5, 7, 9, 13) for s in range(n + 1) for u in range(n + 1 - s)]
    for n in (11, 23, 27, 31, 55, 63):
        for _ in range(20):
            u = rng.randint(0, n)
            outcomes.append((n, rng.randint(0, n - u), u))
    return {
        "median": [{"scores": s, "median": median(s)} for s in medians],
        "verdict": [{"verdicts": v, "verdict": verdict(v)} for v in verdicts],
        "outcome": [{"seats": n, "scoring": s, "unjudgeable": u, "outcome": outcome(n, s, u)} for n, s, u in outcomes],
        "contested": [{"scores": s, "median": median(s) or 0, "contested": contested(s, median(s))} for s in far],
        "baseline": [{"before": b, "results": r, "step": s, "after": baseline(b, r, s)} for b, r, s in baselines],
    }


# ---------------------------------------------------------------------------------------------
# Points


def points(base, score, result, clip):
    return max(-clip, min(clip, abs(base - result) - abs(score - result)))


def pay(total, seats, accounts):
    fee = Fraction(total, seats)
    gains = [max(0, points) * held for points, held in accounts]
    shares = hand_out(total, gains)
    credits = [min(share, floor(2 * fee * held)) for share, (_, held) in zip(shares, accounts)]
    debits = [0] * len(accounts)
    if sum(gains):
        rate = Fraction(total, sum(gains))
        debits = [min(floor(rate * max(0, -points) * held), floor(fee * held)) for points, held in accounts]
    return {"credits": texts(credits), "debits": texts(debits), "rest": str(total - sum(credits))}


def fines(total, fee, seats):
    credits = [min(share, fee * held) for share, held in zip(hand_out(total, seats), seats)]
    return {"credits": texts(credits), "rest": str(total - sum(credits))}


def point_vectors():
    rng = random.Random(8)
    singles, pays, shared = [], [], []
    for _ in range(150):
        base, score, result, clip = (rng.randint(0, 100) for _ in range(4))
        clip = rng.choice([30, max(10, min(50, clip))])
        singles.append({"baseline": base, "score": score, "result": result, "clip": clip, "points": points(base, score, result, clip)})
        total = rng.choice([rng.randint(0, 50), rng.randint(0, 100 * TOS), rng.getrandbits(128)])
        sign = rng.choice([(-960, 960), (-3, 3), (0, 30), (-30, 0)])
        accounts = [(rng.randint(*sign), rng.choice([1, 1, 1, rng.randint(1, 5)])) for _ in range(rng.randint(0, 13))]
        seats = sum(held for _, held in accounts) + rng.choice([0, 0, rng.randint(0, 10)]) or 5
        pays.append({"total": str(total), "seats": seats, "accounts": accounts, "pay": pay(total, seats, accounts)})
        held = [held for _, held in accounts]
        fee = rng.choice([0, total // seats, total // (2 * seats)])
        shared.append({"total": str(total), "fee": str(fee), "seats": held, "pay": fines(total, fee, held)})
    return {"points": singles, "pay": pays, "fines": shared}


# ---------------------------------------------------------------------------------------------
# Losses


def losses(lock, silence, debit, distance, start, full, part):
    """Losses of a seat by silence, points and an appeal, in this order."""
    share = max(Fraction(0), min(Fraction(1), Fraction(distance - start, full - start)))
    appeal = floor(Fraction(part, 10_000) * floor(lock * share))
    taken = []
    for wanted in (floor(Fraction(lock * silence, 10_000)), debit, appeal):
        taken.append(min(wanted, lock - sum(taken)))
    return taken


def loss_vectors():
    rng = random.Random(9)
    cases = []
    for _ in range(300):
        lock = rng.choice([rng.randint(0, 1_000), TOS // 2, rng.randint(0, 100 * TOS), rng.getrandbits(128)])
        silence, debit = rng.choice([0, 0, 1_000, 5_000]), rng.choice([0, 0, lock // 3, lock])
        distance = rng.choice([0, 15, 16, 44, 45, 46, 100, rng.randint(0, 100)])
        start, full = rng.choice([(15, 45), (rng.randint(10, 20), rng.randint(30, 60))])
        part = rng.choice([10_000, 4_000, rng.randint(2_000, 6_000)])
        taken = losses(lock, silence, debit, distance, start, full, part)
        case = {"lock": str(lock), "silence": silence, "debit": str(debit), "distance": distance}
        cases.append(case | {"from": start, "full": full, "part": part, "losses": texts(taken)})
    return cases


# ---------------------------------------------------------------------------------------------
# Copies


def originals(answers, distance):
    """Answers are (hash, SimHash or None), or None where they are not compared."""
    found = []
    for at, answer in enumerate(answers):
        like = [
            other
            for other in range(at)
            if answer and answers[other] and found[other] == other
            and (
                answers[other][0] == answer[0]
                or None not in (answer[1], answers[other][1])
                and bin(answer[1] ^ answers[other][1]).count("1") <= distance
            )
        ]
        found.append(min(like, default=at))
    return found


def copy_vectors():
    rng = random.Random(10)
    cases = []
    for _ in range(150):
        first, answers = rng.getrandbits(64), []
        for _ in range(rng.randint(0, 32)):
            near = first
            for _ in range(rng.randint(0, 5)):
                near ^= 1 << rng.randint(0, 7)
            if rng.random() < 0.2:
                answers.append(None)
            else:
                answers.append((rng.randint(0, 40), rng.choice([None, near, near, rng.getrandbits(64)])))
        distance = rng.choice([3, 3, rng.randint(0, 8)])
        shown = [a and {"hash": a[0], "simhash": a[1] if a[1] is None else f"{a[1]:016x}"} for a in answers]
        cases.append({"distance": distance, "answers": shown, "originals": originals(answers, distance)})
    return cases


def fingerprint_vectors():
    rng = random.Random(11)
    cases = []
    for words in list(range(14)) + [rng.randint(5, 60) for _ in range(20)]:
        text = " ".join("".join(rng.choice("abcxyz019é") for _ in range(rng.randint(1, 6))) for _ in range(words))
        shingles = words - 2 if words > 2 else words
        cases.append({"text": text, "fingerprint": f"{simhash(text.encode()):016x}" if shingles >= 8 else None})
    return cases


# ---------------------------------------------------------------------------------------------
# Ends


def settled(w, t, rule, bar, least, answers, of):
    """The winners' class by the reference of splits; the other one, and what is left of a bar, here."""
    eligible = [i for i, a in enumerate(answers) if a["eligible"] and a["quality"] >= least]
    firsts = [i for i in eligible if of[i] == i]
    won = allocate(w, [1, 0, 0, 0], rule, bar, [a | {"eligible": i in firsts} for i, a in enumerate(answers)], [])
    earned, publisher = [int(share) for share in won["answers"]], 0
    if not firsts:
        return {"winners": [], "answers": texts(earned), "publisher": str(w + t), "lost": "0"}
    if not won["winners"]:
        best = max(firsts, key=lambda i: (score_of(answers[i]), -i))
        earned[best] += floor(Fraction(w * answers[best]["quality"], bar))
        publisher = floor(Fraction(w - earned[best], 2))
    for original, part in zip(firsts, hand_out(t, [answers[i]["quality"] for i in firsts])):
        cluster = [i for i in eligible if of[i] == original]
        for i, share in zip(cluster, hand_out(part, [1] * len(cluster))):
            earned[i] += share
    lost = w + t - sum(earned) - publisher
    return {"winners": won["winners"], "answers": texts(earned), "publisher": str(publisher), "lost": str(lost)}


def faulty(reward, judges, answers, seats):
    answer, seat = floor(Fraction(reward // 2, answers)), floor(Fraction(judges // 2, seats))
    return texts([answer, seat, reward - answer * answers - seat * seats])


def abandoned(both, answers):
    answer = floor(Fraction(both // 2, answers))
    return texts([answer, both - both // 2, both // 2 - answer * answers])


def end_vectors():
    rng = random.Random(12)
    ends, faults, left, shares = [], [], [], []
    profiles = [[6_500, 1_500, 1_500, 500], [7_000, 1_000, 1_500, 500], [6_000, 2_000, 1_500, 500], [6_337, 1_411, 1_259, 993]]
    for _ in range(200):
        reward = rng.choice([rng.randint(0, 100), rng.randint(5, 500) * TOS, rng.randint(5 * TOS, 500 * TOS), rng.getrandbits(128)])
        profile = rng.choice(profiles)
        w, t, v, n = hand_out(reward, profile)
        shares.append({"reward": str(reward), "profile": profile, "classes": texts([w, t, v, n])})
        bar, top = rng.choice([20, 60, 60, rng.randint(20, 60)]), rng.choice([100, 100, 59, 25])
        answers, of = [], []
        for i in range(rng.randint(0, 14)):
            quality, eligible = rng.choice([rng.randint(0, top), min(top, 20), 19]), rng.random() < 0.8
            answers.append({"quality": quality, "innovation": rng.choice([0, rng.randint(0, 100)])})
            answers[i] |= {"timeliness": rng.choice([0, 10_000, rng.randint(0, 10_000)]), "eligible": eligible}
            able = [j for j in range(i) if of[j] == j and answers[j]["eligible"] and answers[j]["quality"] >= 20]
            of.append(rng.choice(able) if able and eligible and quality >= 20 and rng.random() < 0.4 else i)
        rule = rng.choice([[3, 3], [4, 2], [1, 1]])
        case = {"winners": str(w), "participants": str(t), "rule": rule, "bar": bar, "answers": answers, "originals": of}
        ends.append(case | {"division": settled(w, t, rule, bar, 20, answers, of)})
        k, seats = rng.randint(1, 32), rng.randint(1, 63)
        faults.append({"reward": str(reward), "judges": str(v), "answers": k, "seats": seats, "parts": faulty(reward, v, k, seats)})
        left.append({"both": str(w + t), "answers": k, "parts": abandoned(w + t, k)})
    return {"classes": shares, "settled": ends, "faulty": faults, "abandoned": left}


# ---------------------------------------------------------------------------------------------
# Reputation


def capped(changes, paid, per_tos):
    gains = [max(0, change) for change in changes]
    given = hand_out(min(sum(gains), floor(Fraction(paid * per_tos, TOS))), gains)
    return [gain + min(0, change) for gain, change in zip(given, changes)]


def cap_vectors():
    rng = random.Random(13)
    cases = []
    for _ in range(150):
        low, high = rng.choice([(-100, 100), (0, 100), (94, 94), (-3, 3)])
        changes = [rng.randint(low, high) for _ in range(rng.randint(0, 32))]
        paid, per_tos = rng.choice([TOS // 4, rng.randint(0, 2 * TOS), rng.randint(0, 25 * TOS)]), rng.choice([280, rng.randint(50, 1_000)])
        cases.append({"changes": changes, "paid": str(paid), "perTos": per_tos, "capped": capped(changes, paid, per_tos)})
    return cases


# ---------------------------------------------------------------------------------------------


def main():
    files = {
        "rounds.json": round_vectors(),
        "points.json": point_vectors(),
        "losses.json": loss_vectors(),
        "ends.json": end_vectors(),
        "reputation_cap.json": cap_vectors(),
        "copies.json": {"originals": copy_vectors(), "fingerprints": fingerprint_vectors()},
    }
    stale = []
    for name, vectors in files.items():
        text, path = render(vectors), OUT / name
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        sys.exit("not what the reference gives: " + ", ".join(stale))


if __name__ == "__main__":
    main()
