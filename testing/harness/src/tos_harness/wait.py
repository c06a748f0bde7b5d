# SPDX-License-Identifier: Apache-2.0
"""Outcomes of a test, and waiting for events."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# Seconds within which what should happen does, also while a build runs on the same cores. No test that passes waits so long.
LATE = 300


class Failed(Exception):
    """Something did not hold, and no waiting repairs it."""


class Refused(Failed):
    """A node or a client answered with an error, which may be another answer later."""


class Skipped(Exception):
    """This machine does not allow the test."""


class Idle(Exception):
    """There is nothing to try now, on any machine."""


def check(holds: object, what: object) -> None:
    """Fails unless it holds."""
    if not holds:
        raise Failed(what)


def eventually(what: str, probe: Callable[[], T], limit: float = LATE, *, alive: Callable[[], object] | None = None,
               detail: Callable[[], str] | None = None, every: float = 0.2) -> T:
    """Waits until `probe` returns something true, and returns that.

    No answer and an answer that is an error are tried again; any other failure ends the wait, and so does one of `alive`, which
    says that everything needed still runs. `detail` adds to the message when `limit` seconds are over."""
    deadline, last = time.monotonic() + limit, ""
    while True:
        if alive:
            alive()
        try:
            if found := probe():
                return found
            last = ""
        except (Refused, OSError) as error:
            last = str(error)
        if time.monotonic() > deadline:
            more = detail() if detail else last
            raise Failed(f"not within {limit:g} s: {what}{': ' if more else ''}{more}")
        time.sleep(every)
