# SPDX-License-Identifier: Apache-2.0
"""Tests in namespaces of their own, so that ports are free, mounts are seen by none and nothing outlives them."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# Set inside the namespaces.
INSIDE = "TOS_TEST_APART"


def command(words: Sequence[str]) -> list[str]:
    """`words`, in a network and a PID namespace of its own. When they end, or this does, all that they started ends."""
    return ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", *words]


def inside() -> bool:
    return INSIDE in os.environ


def again(test: str, *options: str) -> int:
    """Runs a test once more, apart; its exit code."""
    words = [sys.executable, "-m", "pytest", "--quiet", test, *options]
    with subprocess.Popen(command(words), env={**os.environ, INSIDE: "1"}) as process:
        try:
            return process.wait()
        except BaseException:
            # `unshare` is deaf to this. The test is its only child.
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            if process.poll() is None and children.exists():
                for child in children.read_text(encoding="ascii").split():
                    os.kill(int(child), signal.SIGTERM)
            try:
                process.wait(60)
            finally:
                process.kill()
            raise
