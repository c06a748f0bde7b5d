# SPDX-License-Identifier: Apache-2.0
"""Places in the checkout and of what is built from it."""

import os
import sys
from pathlib import Path

ROOT = Path(os.environ.get("TOS_ROOT") or Path(__file__).resolve().parents[4])
EXAMPLES = ROOT / "examples/workers"
OPS = ROOT / "ops"
ZOMBIENET = ROOT / "zombienet"


def target() -> Path:
    """The folder of builds."""
    return Path(os.environ.get("CARGO_TARGET_DIR") or Path.home() / ".cache" / "tos-target")


def binaries() -> Path:
    """The folder of the programs that were built last."""
    return Path(os.environ.get("TOS_BIN") or target() / "release")


def text(*parts: str) -> str:
    """The text of a file of the repository."""
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def example(*parts: str) -> str:
    """A file of the example workers."""
    return str(EXAMPLES.joinpath(*parts))


def python(*parts: str) -> str:
    """The command line of an example worker in Python."""
    return f"{sys.executable} {example(*parts)}"
