# SPDX-License-Identifier: Apache-2.0
"""Progress of what takes minutes."""

import sys
import time
from typing import TextIO


def say(text: object = "", stream: TextIO | None = None) -> None:
    """Prints a line at once."""
    print(text, file=stream or sys.stdout, flush=True)


class Progress:
    """Lines with the time since the beginning, and a label in front where several run together."""

    def __init__(self, label: str = "", stream: TextIO | None = None) -> None:
        self.began, self.label, self.stream = time.monotonic(), label, stream

    def seconds(self) -> float:
        return time.monotonic() - self.began

    def say(self, text: object) -> None:
        label = f"{self.label}: " if self.label else ""
        say(f"  {label}{self.seconds():6.1f} s  {text}", self.stream)
