# SPDX-License-Identifier: Apache-2.0
"""Heights of nodes on this machine, for scripts: with nothing but the standard library, whose start is a part of a second.

    python -m tos_harness.heights PORT...    prints a line for each node: the numbers of its last final block and of its best one
"""

import http.client
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

#: Seconds that a node has for an answer.
LIMIT = 5
#: In place of a number that a node does not tell.
UNKNOWN = "?"


def _ask(connection: http.client.HTTPConnection, method: str, *params: Any) -> Any:
    """The result of a call by JSON-RPC."""
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    connection.request("POST", "/", json.dumps(call), {"content-type": "application/json"})
    return json.loads(connection.getresponse().read())["result"]


def heights(port: int) -> tuple[int, int] | None:
    """Numbers of the last final block and of the best one, of the node with this RPC port; `None` if it does not tell them."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        # The final one first: what becomes final meanwhile is not above the best one.
        hashes = [[_ask(connection, "chain_getFinalizedHead")], []]
        final, best = (int(_ask(connection, "chain_getHeader", *of)["number"], 16) for of in hashes)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()
    return final, best


def main() -> int:
    ports = [int(port) for port in sys.argv[1:]]
    # All at once, so that one that does not answer costs its own time alone.
    with ThreadPoolExecutor(max(len(ports), 1)) as pool:
        for found in pool.map(heights, ports):
            print(*(found or (UNKNOWN, UNKNOWN)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
