# SPDX-License-Identifier: Apache-2.0
"""Nodes that are started from the templates in ops/config, and the programs in ops/, for the tests of what operators are given."""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from .node import Node
from .paths import OPS, text
from .process import Word
from .rpc import RpcError
from .wait import LATE, check

ROLES = sorted(path.stem for path in (OPS / "config").iterdir())


def settings(lines: str) -> dict[str, str]:
    """The variables in an environment file, as systemd reads them."""
    joined = re.sub(r"\\\n", " ", lines)
    return dict(line.split("=", 1) for line in joined.splitlines() if line and not line.startswith("#"))


def template(role: str) -> tuple[str, list[str]]:
    """The chain and the arguments in a role's template."""
    values = settings(text("ops", "config", f"{role}.env"))
    return values["TOS_CHAIN"], values["TOS_ARGS"].split()


def run_ops(name: str, *arguments: Word) -> tuple[int, Any]:
    """Exit code and JSON of one of the programs in ops/."""
    done = subprocess.run([sys.executable, OPS / name, *arguments], capture_output=True, text=True, check=False)
    printed: Any = (done.stdout or done.stderr).strip()
    with contextlib.suppress(ValueError):
        printed = json.loads(printed)
    return done.returncode, printed


class TemplateNode(Node):
    """A node of a development chain, or of another, with the arguments of a template, some of them changed."""

    def __init__(self, program: Path, folder: Path, role: str, chain: Word = "dev-fast", **changed: Word | int) -> None:
        super().__init__(program, folder, role)
        self.base = folder / f"{role}-{self.rpc_port}"
        self.log = folder / f"{role}-{self.rpc_port}.log"
        arguments = " ".join(template(role)[1])
        changed = {"base-path": self.base, "port": self.p2p, "rpc-port": self.rpc_port, "prometheus-port": self.prometheus, **changed}
        for name, value in changed.items():
            arguments, count = re.subn(rf"--{name} \S+", f"--{name} {value}", arguments)
            check(count == 1, f"the template of {role} has no --{name}")
        self.command = [str(program), "--chain", str(chain), *arguments.split(), "--no-private-ip"]

    def started(self, *more: str) -> "TemplateNode":
        """Starts it and waits until it answers."""
        self.start(*more)
        self.ready()
        return self

    def fails(self, *more: str, command: list[str] | None = None) -> subprocess.CompletedProcess[str]:
        """A start that must end by itself, with an error."""
        done = subprocess.run([*(command or self.command), *more], capture_output=True, text=True, check=False, timeout=LATE)
        check(done.returncode != 0, f"it starts with {more}")
        return done


def answered(node: Node, method: str, *params: Any) -> bool:
    """True when a call gets a result, and not an error."""
    try:
        node.rpc(method, *params)
    except RpcError:
        return False
    return True
