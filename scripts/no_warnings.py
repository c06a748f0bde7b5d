#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows what the compiler and its lints say of our crates, and fails when they warn.

    cargo build --message-format=json ... | scripts/no_warnings.py

Cargo says what it said when it compiled a crate again as long as that is fresh, so nothing has to be compiled for this. Dependencies
are capped: only crates of the workspace warn. Exit code 1 when there was a warning or an error.
"""

import json
import sys


def main():
    found = 0
    for line in sys.stdin:
        if not line.startswith("{"):
            print(line, end="", file=sys.stderr)
            continue
        entry = json.loads(line)
        if entry.get("reason") != "compiler-message":
            continue
        message = entry["message"]
        # A summary ("2 warnings emitted") points nowhere.
        if message["level"] in ("warning", "error") and message["spans"]:
            found += 1
            print(message["rendered"], file=sys.stderr)
    if found:
        print(f"{found} warnings or errors; warnings are errors here", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
