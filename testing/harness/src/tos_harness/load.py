# SPDX-License-Identifier: Apache-2.0
"""A node under load, what it uses, and `tos-load`, which drives it. Used by scripts/load.py; see docs/load.md."""

import json
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import metrics
from .latency import Hosts
from .node import Node
from .process import Word, run
from .wait import LATE, eventually

MIB = 1024 * 1024
# Histograms of the node, by what they say. Seconds each. A node imports its own blocks without the second one.
HISTOGRAMS = {
    "construct_ms": "substrate_proposer_block_constructed",
    "import_ms": "substrate_block_verification_and_import_time",
}
# Messages that came, by protocol, and the round that GRANDPA is in.
MESSAGES, ROUND = "substrate_sub_libp2p_notifications_sizes_count", "substrate_finality_grandpa_round"
# Why the node put no more into its blocks, counted by reason.
REASONS = "substrate_proposer_end_proposal_reason"


@dataclass
class Variant:
    """A chain, the duties of the node that is measured, and the validators that run with it."""

    chain: str
    duties: Sequence[str]
    others: Sequence[str] = ()


VARIANTS = {
    "bare": Variant("bare", ["--no-timekeeper"]),
    "full": Variant("dev", ["--no-timekeeper"]),
    "timekeeper": Variant("dev", ["--timekeeper"]),
    "four": Variant("local", ["--no-timekeeper"], ("bob", "charlie", "dave")),
    # As they were when the gossip time did not follow the slot.
    "four-333": Variant("local", ["--no-timekeeper", "--grandpa-gossip-ms", "333"], ("bob", "charlie", "dave")),
}


@dataclass
class Place:
    """The programs of a comparison, its folder, specifications by chain, hosts that are apart, and arguments of all nodes."""

    binaries: Path
    folder: Path
    specs: dict[str, Path]
    hosts: Hosts | None
    arguments: Sequence[str]


class MeasuredNode(Node):
    """A node of a variant: a validator, or a full node without a role."""

    def __init__(self, place: Place, name: str, role: str | None = "alice", bootnode: str | None = None) -> None:
        self.variant, self.hosts = name, place.hosts
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place.folder))
        kind = VARIANTS[name]
        host, within = "127.0.0.1", list[str]()
        if place.hosts:
            namespace, host = place.hosts.take()
            within = ["ip", "netns", "exec", namespace]
        arguments = [*kind.duties, *([f"--{role}", "--validator", "--force-authoring"] if role else ["--name", "second"]),
                     *(["--bootnodes", bootnode] if bootnode else []), *place.arguments]
        super().__init__(place.binaries / "tos-node", self.folder, name, arguments, chain=place.specs.get(kind.chain, kind.chain),
                         exports_metrics=True, host=host, within=within)
        self.start()
        self.started = time.monotonic()

    def has(self, blocks: int = 1) -> None:
        """Waits until it has so many blocks."""
        self.ready()
        eventually(f"{self.variant} has block {blocks}", lambda: self.best() >= blocks, 120, alive=self.check)

    def remove(self) -> None:
        """Stops it and takes everything of it away."""
        self.stop(grace=20)
        if self.hosts and self.folder.exists():
            self.hosts.give(self.host)
        shutil.rmtree(self.folder, ignore_errors=True)

    def measured(self) -> dict[str, Any]:
        """Sum and count of each histogram, as far as the node has it, how blocks ended, and messages and round of GRANDPA."""
        try:
            samples = self.metrics()
        except OSError:
            return {}
        found: dict[str, Any] = {}
        for name, metric in HISTOGRAMS.items():
            found[name] = tuple(metrics.total(samples, f"{metric}_{part}") for part in ("sum", "count"))
        found[REASONS] = {sample.labels["reason"]: sample.value for sample in samples
                          if sample.name.startswith(REASONS) and "reason" in sample.labels}
        messages = [s.value for s in samples if s.name == MESSAGES and s.labels["direction"] == "in" and "/grandpa/1" in s.labels["protocol"]]
        found["grandpa"] = (sum(messages), metrics.total(samples, ROUND))
        return found

    def snapshot(self) -> dict[str, Any]:
        return {"memory": self.memory(), "cpu": metrics.cpu(self.pid), "database": metrics.disk(self.base), "measured": self.measured(),
                "block": self.best(), "time": time.monotonic()}


def growth(before: dict[str, Any], after: dict[str, Any], name: str) -> tuple[float, float] | None:
    """The growth of a pair of numbers between two snapshots, if the second one grew."""
    first, last = before["measured"].get(name), after["measured"].get(name)
    return (last[0] - first[0], last[1] - first[1]) if first and last and last[1] > first[1] else None


def used_by(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Memory, processor time, disk and times of a node between two snapshots."""
    used: dict[str, Any] = {
        f"{kind}_{when}": snapshot["memory"].get(field) for kind, field in (("rss", "resident"), ("heap", "anonymous"))
        for when, snapshot in (("before", before), ("after", after))}
    used |= {
        "rss_peak": after["memory"].get("peak"), "node_cpu": round(after["cpu"] - before["cpu"], 2),
        "db_growth_mib": round((after["database"] - before["database"]) / MIB, 2), "blocks": after["block"] - before["block"]}
    for name in HISTOGRAMS:
        grown = growth(before, after, name)
        used[name] = round(grown[0] / grown[1] * 1000, 2) if grown else None
    if grown := growth(before, after, "grandpa"):
        messages, rounds = grown
        used["round_ms"] = round((after["time"] - before["time"]) / rounds * 1000, 1)
        used["messages_per_round"] = round(messages / rounds, 2)
    first = before["measured"].get(REASONS, {})
    used["block_ends"] = {reason: int(count - first.get(reason, 0)) for reason, count in after["measured"].get(REASONS, {}).items()}
    return used


def children_cpu() -> float:
    """Processor seconds of all programs that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def generate(binaries: Path, node: MeasuredNode, command: str, *options: Word | int, accounts: int, limit: float = LATE) -> dict[str, Any]:
    """Runs `tos-load` and returns its report; a failed expectation is an error."""
    cpu = children_cpu()
    done = run(binaries / "tos-load", command, "--url", node.url, "--json", "--accounts", str(accounts), *map(str, options), limit=limit)
    node.check()
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    report["generatorCpu"] = round(children_cpu() - cpu, 2)
    return report


def sampled(node: MeasuredNode, every: float, meanwhile: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], list[tuple[float, dict[str, float]]]]:
    """The result of `meanwhile`, and the memory of a node every so many seconds while it runs."""
    samples: list[tuple[float, dict[str, float]]] = []
    over, began = threading.Event(), time.monotonic()

    def watch() -> None:
        while not over.wait(every):
            try:
                samples.append((round(time.monotonic() - began, 1), node.memory()))
            except (OSError, ValueError):
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        return meanwhile(), samples
    finally:
        over.set()
        watcher.join()
