# SPDX-License-Identifier: Apache-2.0
"""A node that ends because of a port is started elsewhere only if another program has the port."""

import socket
from pathlib import Path

from tos_harness.node import Node
from tos_harness.ports import free_port, is_taken


def ended(folder: Path) -> Node:
    """A program in place of a node, which says that its port is taken, and has ended."""
    program = folder / "program"
    program.write_text("#!/bin/sh\necho 'RPC: the port of 127.0.0.1:1 is taken by another program' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    node = Node(program, folder).start()
    assert node.popen is not None
    assert node.popen.wait(60) == 1
    return node


def test_a_port_is_taken_while_a_program_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert is_taken(other.getsockname()[1])
    assert not is_taken(free_port())


def test_a_node_has_lost_a_port_that_another_program_has(tmp_path: Path) -> None:
    node = ended(tmp_path)
    with socket.create_server(("127.0.0.1", node.rpc_port)):
        assert node.lost_a_port()
    node.stop()


def test_a_node_that_calls_a_free_port_taken_has_not_lost_it(tmp_path: Path) -> None:
    node = ended(tmp_path)
    assert not node.lost_a_port()
    node.stop()
