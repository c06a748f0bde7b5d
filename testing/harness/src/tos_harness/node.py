# SPDX-License-Identifier: Apache-2.0
"""One node: its command line, its database, and what it says."""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from . import metrics
from .ports import free_ports, is_taken
from .process import Process, Word, run
from .rpc import Rpc
from .wait import LATE, Failed, eventually

# A development chain's validator, which makes blocks alone.
AUTHOR = ("--alice", "--validator", "--force-authoring")
# Errors of a node that finds one of its ports taken.
TAKEN = re.compile("is taken by another program|Address already in use")


class Node(Process):
    """A node on a database of its own, on free ports of `host`; with `within` in front of its command line, as a network namespace
    needs it, it answers this machine from there. `peer` is the peer id that the network key in the file `key` makes."""

    def __init__(self, program: Path, folder: Path, name: str = "node", arguments: Sequence[Word] = (), *, chain: Word = "dev-fast",
                 key: Path | None = None, peer: str | None = None, exports_metrics: bool = False, host: str = "127.0.0.1",
                 within: Sequence[str] = ()) -> None:
        self.host, self.base, self.peer = host, folder / f"{name}.base", peer
        self.rpc_port, self.p2p, self.prometheus = free_ports(3)
        command: list[Word] = [
            *within, program, "--chain", chain, "--base-path", self.base, "--rpc-port", str(self.rpc_port),
            "--listen-addr", f"/ip4/{host}/tcp/{self.p2p}", "--no-telemetry", "--no-mdns"]
        command += ["--prometheus-port", str(self.prometheus)] if exports_metrics else ["--no-prometheus"]
        command += ["--node-key-file", key] if key else ["--unsafe-force-node-key-generation"]
        if within:
            command += ["--unsafe-rpc-external", "--rpc-cors", "all", *(["--prometheus-external"] if exports_metrics else [])]
        super().__init__(name, [*command, *arguments], folder / f"{name}.log")

    # --- its life -----------------------------------------------------------------------------

    def start(self, *more: str, environment: Mapping[str, str] | None = None) -> Self:
        self.started_with = more, environment
        return super().start(*more, environment=environment)

    def ready(self, limit: float = LATE) -> Self:
        """Waits until it answers."""
        eventually(f"{self.name} answers; its log is {self.log}", self.answers, limit)
        return self

    def answers(self) -> bool:
        if self.lost_a_port():
            self.move()
        self.check()
        # Elsewhere, if the command line leaves the port to the system.
        if found := re.findall(r"JSON-RPC server: addr=[\d.]+:(\d+)", self.said()):
            self.rpc_port = int(found[-1])
        return self.rpc("system_health") is not None

    def lost_a_port(self) -> bool:
        """True when the node has never run, because another process has taken one of its ports since it was free. A node that says so
        of ports that are free is wrong, and has not lost any."""
        said = self.said()
        if self.runs() or not TAKEN.search(said) or "JSON-RPC server: addr=" in said:
            return False
        return any(is_taken(port, self.host) for port in (self.rpc_port, self.p2p, self.prometheus))

    def move(self) -> None:
        """Starts it again, on other ports."""
        free = free_ports(3)
        moved = dict(zip(map(str, (self.rpc_port, self.p2p, self.prometheus)), map(str, free), strict=True))

        def elsewhere(word: str) -> str:
            before, tcp, last = word.rpartition("/tcp/")
            return before + tcp + moved.get(last, last)

        self.command = [elsewhere(word) for word in self.command]
        self.rpc_port, self.p2p, self.prometheus = free
        self.stop()
        self.log.unlink()
        more, environment = self.started_with
        self.start(*more, environment=environment)

    def forget(self) -> None:
        """Takes its database away."""
        shutil.rmtree(self.base, ignore_errors=True)

    # --- what it says -------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return self.rpc.ws

    @property
    def rpc(self) -> Rpc:
        return Rpc(f"{self.host}:{self.rpc_port}")

    @property
    def address(self) -> str:
        """The address at which other nodes find it."""
        return f"/ip4/{self.host}/tcp/{self.p2p}/p2p/{self.peer or self.rpc('system_localPeerId')}"

    def best(self) -> int:
        return self.rpc.number()

    def finalised(self) -> int:
        return self.rpc.final()[0]

    def until(self, height: int, limit: float = LATE) -> int:
        """Waits for a final block of at least this number, and returns the last one's."""
        def final() -> int:
            self.check()
            number = self.finalised()
            return number if number >= height else 0

        return eventually(f"block {height} is final", final, limit)

    def metrics(self) -> list[metrics.Sample]:
        return metrics.scrape(f"{self.host}:{self.prometheus}")

    def memory(self) -> dict[str, float]:
        return metrics.memory(self.pid)


def make_key(program: Path, path: Path) -> str:
    """Makes a network key in a file, and returns the peer that has it."""
    done = run(program, "key", "generate-node-key", "--file", path)
    found = re.search(r"12D3\w+", done.stderr + done.stdout)
    if found is None:
        raise Failed(f"no peer id: {done.stderr}")
    return found.group()

