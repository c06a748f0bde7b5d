#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the full runtime compares under load with a bare one, on one machine. See docs/load.md.

The same node program runs on two chains: one with this repository's runtime, and one with consensus, accounts, transfers and
fees alone. `tos-load` drives them by turns (A B A B), each time on a fresh database, so that what else the machine does
meets both alike. What counts are the ratios within a run. Everything listens on loopback addresses only.
"""

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from load_latency import Hosts
from load_node import VARIANTS, Failed, Node, used_by

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
    """Runs `tos-load` and returns its report; a failed expectation is an error."""
    binary = os.path.join(arguments.bin, "tos-load")
    line = [binary, command, "--url", f"ws://{node.host}:{node.rpc_port}", "--json", "--accounts", str(arguments.accounts), *map(str, options)]
    cpu = children_cpu()
    process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{node.variant}: tos-load {command} did not end within {limit} s") from late
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    node.check()
    if process.returncode != 0:
        raise Failed(f"{node.variant}: tos-load {command} ended with {process.returncode}: {err.strip()[-1500:]}")
    report = json.loads(out.splitlines()[-1])
    report["generatorCpu"] = round(children_cpu() - cpu, 2)
    return report


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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


def check(arguments, numbers, variant):
    """What has to hold in every run of transfers; `tos-load` has failed already where it does not."""
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
    if wrong:
        raise Failed(f"{variant}: {'; '.join(wrong)}")
    return numbers


def funded(arguments, node, transactions):
    """Accounts are funded before anything is measured."""
    node.wait()
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
    return check(arguments, {**transfers(report), **used_by(before, node.snapshot())}, node.variant)


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
        return check(arguments, {**transfers(report), **used_by(before, node.snapshot())}, node.variant)
    return mode


def memory(arguments, node):
    """Samples memory during a long run at a steady rate."""
    rate = arguments.rate if arguments.rate != "max" else "200"
    funded(arguments, node, int(float(rate) * arguments.seconds) // arguments.accounts + 1)
    samples, over = [], threading.Event()
    began = time.monotonic()

    def watch():
        while not over.wait(min(10, max(1, arguments.seconds / 60))):
            try:
                samples.append((round(time.monotonic() - began, 1), node.memory()))
            except (OSError, ValueError):
                return

    watcher = threading.Thread(target=watch, daemon=True)
    before = node.snapshot()
    watcher.start()
    try:
        report = generate(
            arguments, node, "transfers", "--rate", rate, "--seconds", arguments.seconds, limit=arguments.seconds + 600)
    finally:
        over.set()
        watcher.join()
    numbers = check(arguments, {**transfers(report), **used_by(before, node.snapshot())}, node.variant)
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
    """How fast a fresh node takes over a loaded chain."""
    funded(arguments, node, arguments.seconds * arguments.max_rate // arguments.accounts + 1)
    report = steady(arguments, node)
    goal = node.height()
    second = Node(arguments, arguments.folder, node.variant, role=None, bootnode=node.address())
    try:
        deadline = time.monotonic() + 300
        first = None
        while True:
            second.check()
            try:
                height = second.height()
            except (OSError, ValueError):
                second.find()
                height = 0
            now = time.monotonic()
            # From its first block on: starting and finding the other node is another matter.
            if height > 0 and first is None:
                first = (now, height)
            if height >= goal:
                break
            if now > deadline:
                raise Failed(f"{node.variant}: the second node has {height} of {goal} blocks after 300 s")
            time.sleep(0.05)
        took = max(now - first[0], 0.05)
        imported = second.histograms().get("import_ms")
        return {
            "sync_blocks": goal - first[1], "sync_s": round(took, 2), "since_start_s": round(now - second.started, 2),
            "sync_blocks_s": round((goal - first[1]) / took, 1), "sync_tps": round(report["final"] / took, 1),
            "final": report["final"], "lost": report["fates"]["lost"], "sync_rss": second.memory().get("resident"),
            "import_ms": round(imported[0] / imported[1] * 1000, 2) if imported and imported[1] else None}
    finally:
        second.stop()


def domain(arguments, node):
    node.wait()
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
    node, others = Node(arguments, arguments.folder, variant), []
    try:
        if beside := VARIANTS[variant][2]:
            node.wait(blocks=0)
            others = [Node(arguments, arguments.folder, variant, role, bootnode=node.address()) for role in beside]
            for other in others:
                other.wait()
        return RUN[mode](arguments, node)
    finally:
        for other in (*others, node):
            other.stop()


def compare(arguments, mode):
    """All rounds of a mode, variants by turns."""
    variants = [v for v in arguments.variants if mode not in FULL_ONLY or VARIANTS[v][0] != "bare"]
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
    binary = os.path.join(arguments.bin, "tos-bare-spec")
    if not os.path.exists(binary):
        raise Usage(f"{binary} is missing: build it with the feature 'wasm' of tos-bare-runtime, or use --variants full")
    made = subprocess.run([binary, "--validators", "1"], capture_output=True, text=True, timeout=120)
    if made.returncode != 0:
        raise Failed(f"tos-bare-spec: {made.stderr.strip()[-800:]}")
    path = os.path.join(arguments.folder, "bare.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(made.stdout)
    return path


def prepared(arguments, chain):
    """A chain's specification with its state, which each node would make by itself otherwise, and with slots of the length that is
    asked for; that is genesis data, so that the node is the same."""
    def export(*options):
        node = os.path.join(arguments.bin, "tos-node")
        made = subprocess.run([node, "export-chain-spec", *options], capture_output=True, text=True, timeout=300)
        if made.returncode != 0:
            raise Failed(f"export-chain-spec: {made.stderr.strip()[-800:]}")
        return made.stdout

    plain, raw = (os.path.join(arguments.folder, f"{chain}.{kind}.json") for kind in ("plain", "raw"))
    spec = json.loads(export("--chain", chain))
    if arguments.slot:
        spec["genesis"]["runtimeGenesis"]["patch"]["timeScale"]["scale"]["slotDurationMs"] = arguments.slot
    with open(plain, "w", encoding="utf-8") as file:
        json.dump(spec, file)
    with open(raw, "w", encoding="utf-8") as file:
        file.write(export("--chain", plain, "--raw"))
    return raw


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
    target = os.environ.get("CARGO_TARGET_DIR") or os.path.expanduser("~/.cache/tos-target")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(target, "release"), help="folder with tos-node, tos-load and tos-bare-spec")
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
        if not os.path.exists(os.path.join(arguments.bin, "tos-bare-spec")):
            arguments.variants = ["full"]
    return arguments


def main():
    arguments = parse_arguments()
    # A terminated script leaves no nodes behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="tos-load-") as folder:
        arguments.folder, arguments.specs, arguments.hosts = folder, {}, None
        try:
            for name in ("tos-node", "tos-load"):
                if not os.access(os.path.join(arguments.bin, name), os.X_OK):
                    raise Usage(f"no {name} in {arguments.bin}: build it, or name another folder with --bin")
            if any(VARIANTS[variant][0] == "bare" for variant in arguments.variants):
                arguments.specs["bare"] = specification(arguments)
            for chain in sorted({VARIANTS[variant][0] for variant in arguments.variants} - {"bare"}):
                arguments.specs[chain] = prepared(arguments, chain)
            if arguments.latency:
                most = max(1 + len(VARIANTS[variant][2]) for variant in arguments.variants)
                try:
                    arguments.hosts = Hosts(most + 1, arguments.latency / 2)
                except OSError as failure:
                    raise Failed(str(failure)) from failure
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
            for node in list(Node.running):
                node.stop()
            if arguments.hosts:
                arguments.hosts.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
