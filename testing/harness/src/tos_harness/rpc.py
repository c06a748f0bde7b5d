# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC of a node, by HTTP and by WebSocket."""

import contextlib
import functools
import json
from collections.abc import Iterator
from typing import Any

import httpx
from websockets import WebSocketException
from websockets.sync.client import ClientConnection, connect

from .wait import LATE, Failed, Refused, check


class Unreachable(ConnectionError):
    """The node does not answer."""


class RpcError(Refused):
    """The node answered with an error."""

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        super().__init__(f"{method}: {error}")
        self.code: int = error["code"]
        self.data: Any = error.get("data")


@functools.cache
def _http() -> httpx.Client:
    # A proxy of the environment has no business with a node on this machine. Every call has a connection of its own, so that a
    # node that was restarted is not asked through one of before.
    return httpx.Client(trust_env=False, verify=False, limits=httpx.Limits(max_keepalive_connections=0))


def request(method: str, url: str, body: str | None = None, limit: float = LATE, **headers: str) -> httpx.Response:
    """The answer to an HTTP request, whatever its status."""
    try:
        return _http().request(method, url, content=body, headers=headers, timeout=limit)
    except httpx.TransportError as error:
        raise Unreachable(f"{url}: {error!r}") from error


def envelope(method: str, params: Any, number: int = 1) -> dict[str, Any]:
    """A JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def result(method: str, reply: dict[str, Any]) -> Any:
    """The result in a reply; an error is raised."""
    if "error" in reply:
        raise RpcError(method, reply["error"])
    check("result" in reply, f"{method}: {reply}")
    return reply["result"]


class Rpc:
    """The JSON-RPC server at an address without scheme, as `127.0.0.1:9944`."""

    def __init__(self, address: str) -> None:
        self.http, self.ws = f"http://{address}", f"ws://{address}"

    def post(self, body: str, limit: float = LATE, **headers: str) -> httpx.Response:
        """The answer to any body."""
        return request("POST", self.http, body, limit, **{"content-type": "application/json", **headers})

    def reply(self, method: str, *params: Any, limit: float = LATE) -> dict[str, Any]:
        """The reply to one call, an error or not."""
        answer = self.post(json.dumps(envelope(method, params)), limit)
        try:
            reply: dict[str, Any] = answer.json()
        except ValueError as error:
            raise Unreachable(f"{method}: status {answer.status_code}, {answer.text[:200]}") from error
        return reply

    def __call__(self, method: str, *params: Any, limit: float = LATE) -> Any:
        """The result of one call."""
        return result(method, self.reply(method, *params, limit=limit))

    def refusal(self, method: str, *params: Any) -> int:
        """The code of the error that a call must get."""
        try:
            answer = self(method, *params)
        except RpcError as error:
            return error.code
        raise Failed(f"{method} is answered: {str(answer)[:200]}")

    @contextlib.contextmanager
    def connected(self) -> Iterator["Connection"]:
        """A WebSocket connection; a server that refuses it is unreachable."""
        with contextlib.ExitStack() as stack:
            try:
                socket = stack.enter_context(connect(
                    self.ws, legacy=False, proxy=None, compression=None, open_timeout=10, close_timeout=10, max_size=None))
            except (OSError, WebSocketException) as error:
                raise Unreachable(f"{self.ws}: {error!r}") from error
            yield Connection(socket)

    # --- the chain ----------------------------------------------------------------------------

    def number(self, *block: str) -> int:
        """The number of a block, by its hash; of the best one by default."""
        return int(self("chain_getHeader", *block)["number"], 16)

    def final(self) -> tuple[int, str]:
        """Number and hash of the last final block."""
        block = self("chain_getFinalizedHead")
        return self.number(block), block


class Connection:
    """Calls by WebSocket, and what subscriptions tell."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.sent = socket, 0

    def send(self, method: str, *params: Any) -> None:
        self.sent += 1
        self.socket.send(json.dumps(envelope(method, params, self.sent)))

    def receive(self, limit: float = LATE) -> dict[str, Any]:
        """The next message; a `TimeoutError` when there is none."""
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=limit))
        return message

    def reply(self, method: str, *params: Any) -> dict[str, Any]:
        """The first message after a call."""
        self.send(method, *params)
        return self.receive()
