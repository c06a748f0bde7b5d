#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Waits until FILE is there and not empty; the demo's copycat waits with it for its victim.

    wait_for.py FILE [SECONDS]     code 1 when it is not there within SECONDS (60)
"""

import os
import sys
import time


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    deadline = time.monotonic() + (float(sys.argv[2]) if len(sys.argv) == 3 else 60)
    while time.monotonic() < deadline:
        if os.path.exists(sys.argv[1]) and os.path.getsize(sys.argv[1]) > 0:
            return 0
        time.sleep(0.1)
    return 1


if __name__ == "__main__":
    sys.exit(main())
