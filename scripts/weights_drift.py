#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares measured weights with those in the runtime: which calls have become dearer or cheaper.

    scripts/weights_drift.py FRESH [--committed FOLDER]... [--limit 1.5]

FRESH is a folder of files as `scripts/bench weights` writes them. Compared is the computation of every call at the
largest value of each of its parameters, without the accesses to the database, and after taking out the ratio that
most calls share: that is the machine, and not the code. Exit code 0 when none drifted, 1 when one did, 2 when the
arguments are wrong.
"""

import argparse
import json
import os
import re
import statistics
import sys

FUNCTION = re.compile(r"((?:^ *//[^\n]*\n)*) *fn (\w+)\([^)]*\) = time ([^,]+),", re.M)
RANGE = re.compile(r"// `(\w+)`: (\d+) to (\d+)\.")
SLOPE = re.compile(r"\+ ([\d_]+) \* (\w+)")

# What every runtime has, and what TOS alone has.
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
COMMITTED = [os.path.join(ROOT, "runtime", crate, "src", "weights") for crate in ("common", "tos")]


def number(text):
    """A number as Rust writes it."""
    return int(text.replace("_", ""))


def worst(comments, time):
    """Picoseconds of computation at the largest parameters."""
    most = {name: int(high) for name, _, high in RANGE.findall(comments)}
    base, *_ = time.split(" ")
    return number(base) + sum(number(slope) * most.get(name, 0) for slope, name in SLOPE.findall(time))


def read(*folders):
    """All calls of the files of these folders."""
    calls = {}
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            if name.endswith(".rs") and name != "mod.rs":
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    for comments, call, time in FUNCTION.findall(file.read()):
                        calls[f"{name[:-3]}::{call}"] = worst(comments, time)
    return {name: cost for name, cost in calls.items() if cost}


def compare(committed, fresh, limit):
    """The ratio shared by most, and every call's own, dearest first; True where it is beyond the limit."""
    ratios = {name: fresh[name] / committed[name] for name in fresh if name in committed}
    shared = statistics.median(ratios.values())
    own = sorted(((ratio / shared, name) for name, ratio in ratios.items()), reverse=True)
    return shared, [(name, ratio, not 1 / limit <= ratio <= limit) for ratio, name in own]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fresh", help="folder of fresh measurements")
    parser.add_argument("--committed", action="append", metavar="FOLDER",
                        help="folder of weights in use, once or more (runtime/common/src/weights and runtime/tos/src/weights)")
    parser.add_argument("--limit", type=float, default=1.5, help="ratio that counts as drift (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args()
    in_use = options.committed or COMMITTED
    for folder in (options.fresh, *in_use):
        if not os.path.isdir(folder):
            parser.error(f"not a folder: {folder}")
    if options.limit <= 1:
        parser.error("--limit must be above 1")
    committed, fresh = read(*in_use), read(options.fresh)
    if not set(committed) & set(fresh):
        parser.error("the folders have no call in common")
    shared, rows = compare(committed, fresh, options.limit)
    drifted = [row for row in rows if row[2]]
    missing = sorted(set(fresh) - set(committed))
    if options.json:
        print(json.dumps({"machine": round(shared, 3), "calls": len(rows), "missing": missing,
                          "drifted": {name: round(ratio, 3) for name, ratio, _ in drifted}}))
    else:
        print(f"{len(rows)} calls; this machine takes {shared:.2f} times as long as the one that measured")
        for name, ratio, _ in drifted:
            print(f"  {name}: {ratio:.2f} times its weight")
        for name in missing:
            print(f"  {name}: has no weight in use")
        print("no call has drifted" if not drifted and not missing else
              f"{len(drifted)} beyond {options.limit}: measure again on a quiet machine with scripts/bench weights")
    return 1 if drifted or missing else 0


if __name__ == "__main__":
    sys.exit(main())
