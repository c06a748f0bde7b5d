# SPDX-License-Identifier: Apache-2.0
"""A network of real nodes, as a TOML file in zombienet/ or a test defines it.

Every node is a process of its own with its own database, and is stopped by its process id. With `isolate` each also has
a network namespace of its own on one bridge, so that a test can cut a link between two of them (this needs root).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from .chain import export
from .node import Node, make_key
from .paths import ZOMBIENET
from .process import Word, run
from .report import Progress
from .wait import LATE, Failed, Skipped, check, eventually

T = TypeVar("T")
# Options of every node; the definitions leave them to those who run them.
COMMON = ("--rpc-methods=unsafe",)
# The genesis state of a chain takes seconds to make, and is the same for every network of a run.
SPECS: dict[str, str] = {}
MAKING = threading.Lock()
# The networks of this process that are not closed yet.
OPEN: list["Network"] = []


class Definition(NamedTuple):
    """A chain, and nodes by name with their arguments."""

    chain: str
    nodes: Mapping[str, Sequence[str]]

    @classmethod
    def read(cls, path: Path) -> "Definition":
        with open(path, "rb") as file:
            chain = tomllib.load(file)["relaychain"]
        return cls(chain["chain"], {node["name"]: node["args"] for node in chain["nodes"]})


class Network:
    """The nodes of a definition, or of the file of that name, none of them running yet. `spec` is the text of a specification that
    takes the place of the definition's chain; `others` are the programs of nodes, by name, that do not run `program`; nodes in
    `measured` serve metrics."""

    def __init__(self, program: Path, folder: Path, definition: Definition | str, *, isolate: bool = False, spec: str | None = None,
                 others: Mapping[str, Path] | None = None, measured: Sequence[str] = ()) -> None:
        if isinstance(definition, str):
            definition = Definition.read(ZOMBIENET / definition)
        self.program, self.folder, self.others, self.measured = program, folder, others or {}, measured
        # The folder of a scenario or of a test has its name.
        self.say = Progress(folder.name.split("-")[1], sys.stderr).say
        self.bridge, self.subnet = "", ""
        self.nodes: dict[str, Node] = {}
        self.namespaces: dict[str, str] = {}
        OPEN.append(self)
        if spec is None:
            with MAKING:
                if definition.chain not in SPECS:
                    SPECS[definition.chain] = export(program, definition.chain, "--raw")
            spec = SPECS[definition.chain]
        self.spec = folder / "spec.json"
        self.spec.write_text(spec, encoding="utf-8")
        try:
            if isolate:
                self.make_bridge()
            for name, arguments in definition.nodes.items():
                self.add(name, arguments)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- nodes ------------------------------------------------------------------------------

    def add(self, name: str, arguments: Sequence[Word] = (), *, chain: Word | None = None) -> Node:
        """One more node, with a key of its own, so that others find it again after a restart."""
        key = self.folder / f"{name}.key"
        host, within = self.isolated(name) if self.bridge else ("127.0.0.1", ())
        self.nodes[name] = Node(
            self.others.get(name, self.program), self.folder, name, ["--name", name, *COMMON, *arguments], chain=chain or self.spec, key=key,
            peer=make_key(self.program, key), exports_metrics=name in self.measured, host=host, within=within)
        return self.nodes[name]

    def start(self, *names: str, options: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        """Starts nodes (all by default) and waits until they answer."""
        for name in names or list(self.nodes):
            node = self.nodes[name]
            others = [other.address for other in self.nodes.values() if other is not node]
            # Of these processes alone: other networks start beside this one.
            node.start(*(["--bootnodes", *others] if others else []), *options, environment=environment)
        for name in names or list(self.nodes):
            self.nodes[name].ready()

    def stop(self, *names: str, how: signal.Signals = signal.SIGTERM) -> None:
        """Stops nodes (all by default). One that is asked to stop does so, and ends well."""
        running = [node for name in names or list(self.nodes) if (node := self.nodes[name]).runs()]
        for node in running:
            node.send(how)
        ended = {node: node.stop(how) for node in running}
        wrong = {node.name: code for node, code in ended.items() if code and how != signal.SIGKILL and node.name not in self.others}
        check(not wrong, f"asked to stop, these ended with {wrong}; the log ends:\n" + "\n".join(self.nodes[name].tail() for name in wrong))

    def kill(self, *names: str) -> None:
        """Ends nodes as a power cut would."""
        self.stop(*names, how=signal.SIGKILL)

    def forget(self, name: str) -> None:
        """Takes a node's database away."""
        self.nodes[name].forget()

    def log(self, name: str) -> str:
        return self.nodes[name].said()

    def close(self) -> None:
        """Leaves nothing running."""
        self.kill()
        if self in OPEN:
            OPEN.remove(self)
        for namespace in self.namespaces.values():
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)
        if self.bridge:
            subprocess.run(["ip", "link", "del", self.bridge], capture_output=True, check=False)

    # --- links ------------------------------------------------------------------------------

    def make_bridge(self) -> None:
        if os.geteuid() != 0 or not shutil.which("ip"):
            raise Skipped("cutting links takes root and iproute2")
        number = os.getpid()
        bridge, self.subnet = f"tos{number % 100_000}", f"10.{number % 200 + 20}.7"
        try:
            run("ip", "link", "add", bridge, "type", "bridge")
        except Failed as refused:
            raise Skipped(f"this machine lets no one make a network bridge ({refused})") from refused
        self.bridge = bridge
        run("ip", "addr", "add", f"{self.subnet}.254/24", "dev", bridge)
        run("ip", "link", "set", bridge, "up")

    def isolated(self, name: str) -> tuple[str, Sequence[str]]:
        """The address and the namespace of a new node."""
        number = len(self.nodes) + 1
        host, namespace, outer = f"{self.subnet}.{number}", f"{self.bridge}n{number}", f"{self.bridge}v{number}"
        run("ip", "netns", "add", namespace)
        self.namespaces[name] = namespace
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        run("ip", "link", "set", outer, "master", self.bridge, "up")
        run("ip", "-n", namespace, "addr", "add", f"{host}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            run("ip", "-n", namespace, "link", "set", device, "up")
        return host, ("ip", "netns", "exec", namespace)

    def cut(self, ours: Iterable[str], theirs: Iterable[str]) -> None:
        """No packet passes between two groups of nodes any more."""
        self.links("add", ours, theirs)

    def heal(self, ours: Iterable[str], theirs: Iterable[str]) -> None:
        """Packets pass again."""
        self.links("del", ours, theirs)

    def links(self, action: str, ours: Iterable[str], theirs: Iterable[str]) -> None:
        for near, far in ((ours, theirs), (theirs, ours)):
            for a in near:
                for b in far:
                    run("ip", "-n", self.namespaces[a], "route", action, "blackhole", f"{self.nodes[b].host}/32")

    # --- what nodes say ---------------------------------------------------------------------

    def ask(self, name: str, method: str, *params: Any) -> Any:
        """The answer of a node to one JSON-RPC call."""
        return self.nodes[name].rpc(method, *params)

    def best(self, name: str) -> int:
        return self.nodes[name].best()

    def finalised(self, name: str) -> int:
        return self.nodes[name].finalised()

    def hash(self, name: str, number: int) -> str | None:
        found: str | None = self.ask(name, "chain_getBlockHash", number)
        return found

    def script(self, action: str, *arguments: object, node: str = "alice", limit: float = LATE, file: str = "extrinsics.mjs") -> Any:
        """Runs an action of a script in zombienet/, which signs and submits; returns what it prints as JSON."""
        done = run("node", ZOMBIENET / file, self.nodes[node].url, action, *map(str, arguments), limit=limit)
        # The packages say in lines of their own that a runtime is new.
        return json.loads(done.stdout.splitlines()[-1])

    # --- what must hold ---------------------------------------------------------------------

    def alive(self) -> None:
        """Fails when a node has ended by itself."""
        for node in self.nodes.values():
            node.check()

    def eventually(self, what: str, probe: Callable[[], T], limit: float = LATE) -> T:
        """Waits until `probe` finds something, and returns it."""
        return eventually(what, probe, limit)

    def grows(self, names: Iterable[str], blocks: int) -> None:
        """Every one of these nodes has so many blocks more on its best chain, final or not."""
        goals = {name: self.best(name) + blocks for name in names}
        for name, goal in goals.items():
            eventually(f"{name} has block {goal}", lambda: self.best(name) >= goal)

    def advances(self, names: Iterable[str], blocks: int = 6, limit: float = LATE) -> int:
        """Every one of these nodes finalises so many blocks more; returns the least height reached."""
        names = list(names)
        goal = max(self.finalised(name) for name in names) + blocks
        for name in names:
            eventually(f"{name} finalises block {goal}", lambda: self.finalised(name) >= goal, limit)
        return goal

    def same(self, names: Iterable[str], number: int) -> str:
        """These nodes have the same block of that height; returns its hash."""
        hashes = {name: self.hash(name, number) for name in names}
        found, *others = set(hashes.values())
        if others or found is None:
            raise Failed(f"different blocks {number}: {hashes}")
        return found
