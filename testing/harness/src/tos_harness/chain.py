# SPDX-License-Identifier: Apache-2.0
"""Chains of a test's own: specifications with some of the genesis changed, and a development chain with its users."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from .cli import PASSWORD, Tos
from .node import AUTHOR, Node
from .ports import free_port
from .process import Process, Processes, Word, run
from .report import Progress
from .rpc import Rpc
from .wait import LATE, eventually

T = TypeVar("T")
Change = Callable[[dict[str, Any]], object]
# The base unit's part of a TOS.
TOS = 10**18


def export(program: Path, chain: Word, *options: str) -> str:
    """The specification of a chain, as text."""
    return run(program, "export-chain-spec", "--chain", chain, *options).stdout


def write_spec(program: Path, path: Path, chain: str, change: Change) -> Path:
    """Writes to `path` the raw specification of the chain `chain` after `change(genesis)`; nodes then need not make the state."""
    spec = json.loads(export(program, chain))
    change(spec["genesis"]["runtimeGenesis"]["patch"])
    path.write_text(json.dumps(spec), encoding="utf-8")
    path.write_text(export(program, path, "--raw"), encoding="utf-8")
    return path


class DevChain:
    """A development chain with one node and half-second blocks, and the programs of its users, which end with it."""

    def __init__(self, binaries: Path, folder: Path, *options: Word, preset: str = "dev-fast", change: Change | None = None,
                 author: Sequence[str] = AUTHOR, exports_metrics: bool = False) -> None:
        self.binaries, self.folder = binaries, folder
        program = binaries / "tos-node"
        self.spec: Word = write_spec(program, folder / "spec.json", preset, change) if change else preset
        self.node = Node(program, folder, arguments=[*author, *options], chain=self.spec, exports_metrics=exports_metrics)
        self.processes, self.progress = Processes(folder), Progress()
        self.say = self.progress.say

    @property
    def url(self) -> str:
        return self.node.url

    @property
    def rpc(self) -> Rpc:
        return self.node.rpc

    @property
    def tos(self) -> Tos:
        """The client."""
        return Tos(self.binaries / "tos", self.url, self.folder)

    def start(self) -> "DevChain":
        """Starts the node, and waits for the first final block."""
        self.processes.add(self.node.start())
        self.node.ready().until(1)
        return self

    def call(self, user: str, key: str, *words: Word) -> Any:
        """Runs `tos` for a user, as far as the best block."""
        return self.tos("--wait", "best", *words, key=key, user=user)

    def run(self, name: str, key: str, *words: Word) -> Process:
        """A worker of a user of that name, from now on."""
        return self.processes.start(name, self.tos.command(*words, key=key, user=name), **PASSWORD)

    def serve(self, name: str, key: str, *words: Word) -> str:
        """The same, when it serves files; returns where."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        self.run(name, key, *words, "--serve", f"127.0.0.1:{port}", "--public-url", url)
        return url

    def serve_content(self, key: str, user: str = "client") -> str:
        """Serves what a user has published; returns where."""
        port = free_port()
        self.processes.start("content", self.tos.command("content", "serve", f"127.0.0.1:{port}", key=key, user=user), **PASSWORD)
        return f"http://127.0.0.1:{port}"

    def address(self, key: str) -> str:
        return str(self.tos("keys", "show", key=key)["address"])

    def eventually(self, what: str, probe: Callable[[], T], limit: float = LATE) -> T:
        """Waits, as long as all programs run."""
        return eventually(what, probe, limit, alive=self.processes.check)

    def close(self) -> None:
        self.processes.close()
