# SPDX-License-Identifier: Apache-2.0
"""TCP ports that are free.

    python -m tos_harness.ports FIRST COUNT    prints COUNT free ports: FIRST and those after it; any when FIRST is 0
"""

import contextlib
import errno
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


def is_taken(port: int, host: str = "127.0.0.1") -> bool:
    """True when a program has the port: none can listen there, or, at a host that is not of this machine's own, one answers."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
            sock.listen()
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                return error.errno == errno.EADDRINUSE
        else:
            return False
    with socket.socket() as sock:
        sock.settimeout(2)
        return sock.connect_ex((host, port)) == 0


def main() -> int:
    try:
        print(*free_ports(int(sys.argv[2]), int(sys.argv[1])))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
