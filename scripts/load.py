#!/usr/bin/env -S sh -c 'exec "$(dirname "$0")/python" "$0" "$@"'
# SPDX-License-Identifier: Apache-2.0
"""The full runtime and a bare one compared under load, on one machine. See docs/load.md.

The same node program runs on two chains: one with this repository's runtime, and one with consensus, accounts, transfers and
fees alone. `tos-load` drives them by turns (A B A B), each time on a fresh database, so that what else the machine does
meets both alike. What counts are the ratios within a run. Everything listens on loopback addresses only.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tos_harness import load, paths
from tos_harness.chain import write_spec
from tos_harness.latency import Hosts
from tos_harness.load import VARIANTS, MeasuredNode, Place, used_by
from tos_harness.process import run, stop_when_interrupted
from tos_harness.wait import Failed, check, eventually

MODES = ("sustained", "pressed", "burst", "flood", "memory", "sync", "domain")
# Those for which a bare chain is no yardstick.
FULL_ONLY = ("pressed", "domain")


class Usage(Exception):
    """The command line asks for what cannot be."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def mean(values):
    values = [value for value in values if value is not None]
    return statistics.mean(values) if values else None


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


# --- load ---------------------------------------------------------------------------------------


def generate(arguments, node, command, *options, limit):
    """Runs `tos-load` and returns its report."""
    return load.generate(arguments.bin, node, command, *options, accounts=arguments.accounts, limit=limit)


def per_second(rate):
    return round(rate["perSecond"], 1) if rate else None


def transfers(report):
    """The numbers of a report of transfers."""
    full = [row["ours"] for row in report["blocks"] if row["ours"]]
    return {
        "tps": per_second(report["sustained"]), "overall_tps": per_second(report["overall"]),
        "peak_block_tps": per_second(report["peakBlock"]), "peak_10s_tps": per_second(report["peakTenSeconds"]),
        "offered": report["offered"], "accepted": report["accepted"], "final": report["final"],
        "executed": (report["proof"] or {}).get("executed"), "lost": report["fates"]["lost"],
        "refused_first": report["refusedFirst"], "evicted": report["evicted"],
        "in_block_p50": report["latencyMs"]["inBlock"]["p50"], "in_block_p99": report["latencyMs"]["inBlock"]["p99"],
        "final_p50": report["latencyMs"]["final"]["p50"], "final_p99": report["latencyMs"]["final"]["p99"],
        "health_p99_ms": round(report["healthUs"]["p99"] / 1000, 1), "fullest": max(full, default=0),
        "generator_cpu": report["generatorCpu"], "exhausted": report["exhausted"],
        "refusals": {str(r["code"]): r["count"] for r in report["refusals"]}}


def sound(arguments, numbers, variant):
    """The conditions of every run of transfers; `tos-load` has failed already where it does not."""
    wrong = []
    if numbers["lost"]:
        wrong.append(f"{numbers['lost']} transfers lost")
    if numbers["executed"] != numbers["final"]:
        wrong.append(f"{numbers['final']} transfers are final, but balances show {numbers['executed']}")
    # Where the rate is not what is asked, a fast machine may take all that was signed before the time is over.
    if numbers["exhausted"] and getattr(arguments, "counts_rate", True):
        wrong.append("signed transfers ran out; the chain may be faster than this says")
    if arguments.smoke and numbers["final"] != numbers["offered"]:
        wrong.append(f"{numbers['offered']} offered, {numbers['final']} final")
    check(not wrong, f"{variant}: {'; '.join(wrong)}")
    return numbers


def funded(arguments, node, transactions):
    """Accounts are funded before anything is measured."""
    node.has()
    generate(arguments, node, "fund", "--transactions", transactions, limit=600)


def steady(arguments, node):
    return generate(
        arguments, node, "transfers", "--rate", arguments.rate, "--seconds", arguments.seconds,
        "--warm-up", min(6, arguments.seconds // 4), "--in-flight", arguments.in_flight,
        "--signed-per-second", arguments.max_rate, limit=arguments.seconds * 3 + 400)


def sustained(arguments, node):
    each = arguments.seconds * arguments.max_rate // arguments.accounts + 1
    funded(arguments, node, each)
    before = node.snapshot()
    report = steady(arguments, node)
    return sound(arguments, {**transfers(report), **used_by(before, node.snapshot())}, node.variant)


def pressed(arguments, node):
    """For a few seconds as many as the chain takes, with more waiting than a block holds: none may be lost."""
    press = {"rate": "max", "seconds": 8, "accounts": 200, "max_rate": 2_000, "in_flight": 6_000, "smoke": False, "counts_rate": False}
    return sustained(argparse.Namespace(**{**vars(arguments), **press}), node)


def at_once(command):
    def mode(arguments, node):
        count = arguments.count if command == "burst" else arguments.flood_count
        funded(arguments, node, count // arguments.accounts + 1)
        before = node.snapshot()
        report = generate(arguments, node, command, "--count", count, limit=1200)
        return sound(arguments, {**transfers(report), **used_by(before, node.snapshot())}, node.variant)
    return mode


def memory(arguments, node):
    """Samples memory during a long run at a steady rate."""
    rate = arguments.rate if arguments.rate != "max" else "200"
    funded(arguments, node, int(float(rate) * arguments.seconds) // arguments.accounts + 1)
    before = node.snapshot()
    every = min(10, max(1, arguments.seconds / 60))
    report, samples = load.sampled(node, every, lambda: generate(
        arguments, node, "transfers", "--rate", rate, "--seconds", arguments.seconds, limit=arguments.seconds + 600))
    numbers = sound(arguments, {**transfers(report), **used_by(before, node.snapshot())}, node.variant)
    numbers["samples"] = [{"s": at, **used} for at, used in samples]
    thirds = [samples[i * len(samples) // 3:(i + 1) * len(samples) // 3] for i in range(3)]
    means = [mean(used["resident"] for _, used in third) for third in thirds]
    numbers["rss_thirds"] = [round(value, 1) if value else None for value in means]
    numbers["rss_mib_per_minute"] = slope(samples[len(samples) // 2:])
    return numbers


def slope(samples):
    """The least-squares growth of resident memory, in MiB a minute."""
    if len(samples) < 3:
        return None
    times, sizes = [at / 60 for at, _ in samples], [used["resident"] for _, used in samples]
    middle, level = statistics.mean(times), statistics.mean(sizes)
    spread = sum((t - middle) ** 2 for t in times)
    return round(sum((t - middle) * (s - level) for t, s in zip(times, sizes)) / spread, 3) if spread else None


def sync(arguments, node):
    """The time in which a fresh node takes over a loaded chain."""
    funded(arguments, node, arguments.seconds * arguments.max_rate // arguments.accounts + 1)
    report = steady(arguments, node)
    goal = node.best()
    second = MeasuredNode(arguments.place, node.variant, role=None, bootnode=node.address)
    try:
        second.ready()
        # From its first block on: starting and finding the other node is another matter.
        base = eventually("the second node has a block", second.best, alive=second.check, every=0.05)
        first = time.monotonic()
        eventually(f"the second node has {goal} blocks", lambda: second.best() >= goal, alive=second.check, every=0.05)
        now = time.monotonic()
        took = max(now - first, 0.05)
        imported = second.measured().get("import_ms")
        return {
            "sync_blocks": goal - base, "sync_s": round(took, 2), "since_start_s": round(now - second.started, 2),
            "sync_blocks_s": round((goal - base) / took, 1), "sync_tps": round(report["final"] / took, 1),
            "final": report["final"], "lost": report["fates"]["lost"], "sync_rss": second.memory().get("resident"),
            "import_ms": round(imported[0] / imported[1] * 1000, 2) if imported and imported[1] else None}
    finally:
        second.remove()


def domain(arguments, node):
    node.has()
    before = node.snapshot()
    # Long enough for all that are open at once to be published and answered in full blocks.
    window = max(15, arguments.tasks_open // 15)
    report = generate(arguments, node, "tasks", "--tasks", arguments.tasks, "--in-flight", arguments.tasks_open,
                      "--open-for", window, limit=1800)
    return {**report["numbers"], "closures": report["closures"], "failures": report["failures"],
            **used_by(before, node.snapshot())}


RUN = {"sustained": sustained, "pressed": pressed, "burst": at_once("burst"), "flood": at_once("flood"), "memory": memory, "sync": sync,
       "domain": domain}


# --- the comparison -----------------------------------------------------------------------------

SHOWN = {
    "sustained": ("tps", "peak_block_tps", "peak_10s_tps", "fullest", "in_block_p50", "in_block_p99", "final_p50", "final_p99",
                  "construct_ms", "rss_before", "rss_after", "heap_after", "db_growth_mib", "node_cpu", "generator_cpu",
                  "health_p99_ms", "round_ms", "messages_per_round"),
    "pressed": ("final", "lost", "fullest", "peak_block_tps", "in_block_p99", "final_p99", "rss_after", "health_p99_ms"),
    "burst": ("overall_tps", "peak_10s_tps", "fullest", "final_p50", "final_p99", "refused_first", "evicted", "rss_peak",
              "db_growth_mib", "node_cpu", "health_p99_ms"),
    "flood": ("overall_tps", "accepted", "refused_first", "evicted", "final_p99", "rss_peak", "node_cpu", "health_p99_ms"),
    "memory": ("tps", "rss_before", "rss_after", "heap_after", "rss_peak", "rss_mib_per_minute", "final_p99"),
    "sync": ("sync_blocks", "sync_s", "since_start_s", "sync_blocks_s", "sync_tps", "import_ms", "sync_rss"),
    "domain": ("tasks", "settled", "calls", "calls_per_second", "seconds", "construct_ms", "rss_after", "db_growth_mib", "node_cpu"),
}


def one(arguments, mode, variant):
    nodes = [MeasuredNode(arguments.place, variant)]
    try:
        if roles := VARIANTS[variant].others:
            nodes[0].has(blocks=0)
            nodes += [MeasuredNode(arguments.place, variant, role, bootnode=nodes[0].address) for role in roles]
            for node in nodes[1:]:
                node.has()
        return RUN[mode](arguments, nodes[0])
    finally:
        for node in reversed(nodes):
            node.remove()


def compare(arguments, mode):
    """All rounds of a mode, variants by turns."""
    variants = [v for v in arguments.variants if mode not in FULL_ONLY or VARIANTS[v].chain != "bare"]
    rounds = []
    for number in range(arguments.rounds):
        found = {}
        for variant in variants:
            began = time.monotonic()
            found[variant] = one(arguments, mode, variant)
            say(f"{mode} {number + 1}/{arguments.rounds} {variant}: {time.monotonic() - began:.0f} s, "
                + ", ".join(f"{name} {found[variant].get(name)}" for name in SHOWN[mode][:3]))
        rounds.append(found)
    return {"mode": mode, "variants": variants, "rounds": rounds, "summary": summary(mode, variants, rounds)}


def summary(mode, variants, rounds):
    """Medians of each variant, and medians of the ratios to the first variant within each round."""
    rows = []
    for name in SHOWN[mode]:
        row = {"what": name}
        for variant in variants:
            row[variant] = median(found[variant].get(name) for found in rounds)
        for variant in variants[1:]:
            pairs = [(found[variant].get(name), found[variants[0]].get(name)) for found in rounds]
            ratios = [ours / base for ours, base in pairs if ours is not None and base]
            row[f"{variant}/{variants[0]}"] = round(statistics.median(ratios), 3) if ratios else None
            row[f"{variant}/{variants[0]} from"] = round(min(ratios), 3) if ratios else None
            row[f"{variant}/{variants[0]} to"] = round(max(ratios), 3) if ratios else None
        rows.append(row)
    return rows


def table(result):
    variants, rows = result["variants"], result["summary"]
    ratios = [f"{variant}/{variants[0]}" for variant in variants[1:]]
    lines = ["| " + " | ".join([result["mode"], *variants, *ratios]) + " |",
             "|---|" + "---:|" * (len(variants) + len(ratios))]
    for row in rows:
        cells = [row["what"]] + [text(row[variant]) for variant in variants]
        for ratio in ratios:
            value, low, high = row[ratio], row[f"{ratio} from"], row[f"{ratio} to"]
            cells.append(text(value) if value is None or len(result["rounds"]) == 1 else f"{value:.2f} ({low:.2f}–{high:.2f})")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def text(value):
    if value is None:
        return "–"
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"


def specification(arguments):
    """The bare chain's specification, raw, for one validator."""
    binary = arguments.bin / "tos-bare-spec"
    if not binary.exists():
        raise Usage(f"{binary} is missing: build it with the feature 'wasm' of tos-bare-runtime, or use --variants full")
    path = arguments.folder / "bare.json"
    path.write_text(run(binary, "--validators", "1").stdout, encoding="utf-8")
    return path


def prepared(arguments, chain):
    """A chain's specification with its state, which each node would make by itself otherwise, and with slots of the length that is
    asked for; that is genesis data, so that the node is the same."""
    def slots(genesis):
        if arguments.slot:
            genesis["timeConfig"]["config"]["slotDurationMs"] = arguments.slot

    return write_spec(arguments.bin / "tos-node", arguments.folder / f"{chain}.json", chain, slots)


def bounded(low, high):
    def parse(value):
        number = int(value)
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"from {low} to {high}")
        return number
    return parse


def rate(value):
    if value != "max" and not 0 < float(value) <= 100_000:
        raise argparse.ArgumentTypeError("'max', or a number above 0 and up to 100000")
    return value


def names(known):
    def parse(value):
        chosen = [name for name in value.split(",") if name]
        if not chosen or set(chosen) - set(known):
            raise argparse.ArgumentTypeError(f"some of {', '.join(known)}")
        return chosen
    return parse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=paths.binaries(), help="folder with tos-node, tos-load and tos-bare-spec")
    parser.add_argument("--only", type=names(MODES), default=["sustained", "burst"],
                        help=f"what to run, with commas between: {', '.join(MODES)} (default sustained,burst)")
    parser.add_argument("--variants", type=names(VARIANTS), default=["bare", "full"],
                        help=f"what to compare, the first being the yardstick: {', '.join(VARIANTS)} (default bare,full)")
    parser.add_argument("--rounds", type=bounded(1, 20), default=2, help="times each variant runs, by turns (default 2)")
    parser.add_argument("--seconds", type=bounded(5, 86_400), default=60, help="length of a load (default 60)")
    parser.add_argument("--rate", type=rate, default="max", help="transfers a second, or max (default; memory: 200)")
    parser.add_argument("--accounts", type=bounded(1, 20_000), default=1_000, help="accounts that send (default 1000)")
    parser.add_argument("--in-flight", type=bounded(1, 100_000), default=4_000, help="with max: outside blocks (default 4000)")
    parser.add_argument("--max-rate", type=bounded(1, 20_000), default=3_000, help="with max: signed for each second (default 3000)")
    parser.add_argument("--count", type=bounded(1, 1_000_000), default=8_000, help="transfers of a burst (default 8000)")
    parser.add_argument("--flood-count", type=bounded(1, 1_000_000), default=30_000, help="transfers of a flood (default 30000)")
    parser.add_argument("--tasks", type=bounded(1, 100_000), default=500, help="tasks of a domain load (default 500)")
    parser.add_argument("--tasks-open", type=bounded(1, 5_000), default=200, help="tasks that are open at once (default 200)")
    parser.add_argument("--node-arg", action="append", default=[], help="one more argument of the nodes; may be given several times")
    parser.add_argument("--slot", type=bounded(200, 60_000), help="milliseconds of a slot (default: as the chain has it; not bare)")
    parser.add_argument("--latency", type=bounded(1, 2_000),
                        help="milliseconds from a node to another and back, each node in a network namespace of its own (needs root)")
    parser.add_argument("--smoke", action="store_true",
                        help="a minute: a low rate, at which everything offered must be final, and a high one, at which nothing may be lost")
    parser.add_argument("--json", action="store_true", help="print all numbers as one line of JSON")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.only, arguments.rounds, arguments.seconds, arguments.rate = ["sustained", "pressed"], 1, 6, "50"
        arguments.accounts, arguments.max_rate = 20, 50
        if not (arguments.bin / "tos-bare-spec").exists():
            arguments.variants = ["full"]
    return arguments


def places(arguments):
    """The programs, specifications and hosts that all nodes share."""
    for name in ("tos-node", "tos-load"):
        if not os.access(arguments.bin / name, os.X_OK):
            raise Usage(f"no {name} in {arguments.bin}: build it, or name another folder with --bin")
    specs = {}
    for chain in sorted({VARIANTS[variant].chain for variant in arguments.variants}):
        specs[chain] = specification(arguments) if chain == "bare" else prepared(arguments, chain)
    hosts = None
    if arguments.latency:
        most = max(1 + len(VARIANTS[variant].others) for variant in arguments.variants)
        hosts = Hosts(most + 1, arguments.latency / 2)
    return Place(arguments.bin, arguments.folder, specs, hosts, arguments.node_arg)


def main():
    arguments = parse_arguments()
    # An interrupted script leaves no nodes behind either.
    stop_when_interrupted()
    with tempfile.TemporaryDirectory(prefix="tos-load-") as folder:
        arguments.folder, arguments.place = Path(folder), None
        try:
            arguments.place = places(arguments)
            results = []
            for mode in arguments.only:
                results.append(compare(arguments, mode))
                if not arguments.json:
                    print(table(results[-1]) + "\n", flush=True)
            if arguments.json:
                print(json.dumps({"results": results}))
        except Failed as failure:
            print(failure, file=sys.stderr)
            return 1
        except Usage as usage:
            print(usage, file=sys.stderr)
            return 2
        finally:
            if arguments.place and arguments.place.hosts:
                arguments.place.hosts.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
