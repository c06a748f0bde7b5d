# SPDX-License-Identifier: Apache-2.0
"""TCP ports that are free.

    python -m tos_harness.ports FIRST COUNT    prints COUNT free ports: FIRST and those after it; any when FIRST is 0
"""

import contextlib
import socket
import sys


def free_ports(count: int, first: int = 0) -> list[int]:
    """Ports of this machine that were free a moment ago, all different; `first` and those after it, if it is not 0."""
    with contextlib.ExitStack() as held:
        found = []
        for number in range(count):
            sock = held.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", first + number if first else 0))
            except (OSError, OverflowError) as error:
                raise OSError(f"port {first + number} cannot be used") from error
            found.append(int(sock.getsockname()[1]))
        return found


def free_port() -> int:
    """A port that was free a moment ago."""
    return free_ports(1)[0]


def main() -> int:
    try:
        print(*free_ports(int(sys.argv[2]), int(sys.argv[1])))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
