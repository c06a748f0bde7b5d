# SPDX-License-Identifier: Apache-2.0
"""`tos`, the command line of users, asked for JSON."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from .process import Word, run
from .wait import LATE, check

# The exit code of `tos` when the chain refuses a call.
REFUSED = 3
# The password of keys on disk.
PASSWORD = {"TOS_PASSWORD": "a password of tests"}


class Tos:
    """`tos` at one node, each user with a data folder below `folder`."""

    def __init__(self, program: Path, url: str, folder: Path) -> None:
        self.program, self.url, self.folder = program, url, folder

    def command(self, *words: Word, key: str | None = None, user: str = "client") -> list[Word]:
        """A command line."""
        return [self.program, "--url", self.url, "--json", "--data-dir", self.folder / user.replace(" ", "-"),
                *(["--suri", key] if key else []), *words]

    def __call__(self, *words: Word, key: str | None = None, user: str = "client") -> Any:
        """The last value that a command prints."""
        lines = run(*self.command(*words, key=key, user=user), env={**os.environ, **PASSWORD}).stdout.splitlines()
        check(lines, f"tos {' '.join(map(str, words))} printed nothing")
        return json.loads(lines[-1])

    def refused(self, error: str, *words: Word, key: str) -> None:
        """The chain refuses a call with this error."""
        done = subprocess.run(self.command(*words, key=key), capture_output=True, text=True, timeout=LATE, check=False)
        check(done.returncode == REFUSED, f"{words} ended with {done.returncode}: {done.stderr}")
        check(error in done.stderr, f"{words} is refused, but not with {error}: {done.stderr}")
