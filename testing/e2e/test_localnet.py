# SPDX-License-Identifier: Apache-2.0
"""Two nodes of the `local` network, as scripts/localnet starts them: both finalise, and they finalise the same chain."""

import subprocess

import pytest

from tos_harness.paths import ROOT
from tos_harness.process import run
from tos_harness.report import say
from tos_harness.rpc import Rpc
from tos_harness.wait import eventually

LOCALNET = ROOT / "scripts" / "localnet"


@pytest.fixture
def network(folder, program):
    try:
        # Its output is progress.
        subprocess.run([LOCALNET, "start", "2", "--fast", "--dir", folder / "net", "--rpc-port", "0", "--p2p-port", "0", "--timeout", "300",
                        "--node", program], check=True)
        yield folder / "net"
    finally:
        subprocess.run([LOCALNET, "stop", "--dir", folder / "net"], check=False, capture_output=True)


def test_two_nodes_finalise_the_same_chain_and_stop(network):
    run(LOCALNET, "status", "--dir", network)
    nodes = [Rpc(f"127.0.0.1:{int(path.read_text())}") for path in sorted(network.glob("*/rpc-port"))]
    assert len(nodes) == 2
    goal = max(node.final()[0] for node in nodes) + 5
    for node in nodes:
        eventually(f"block {goal} is final at {node.http}", lambda node=node: node.final()[0] >= goal)
    hashes = {node("chain_getBlockHash", goal) for node in nodes}
    assert len(hashes) == 1, f"nodes finalised different blocks {goal}: {hashes}"
    say(f"two nodes finalised block {goal}, {hashes.pop()}")
    run(LOCALNET, "stop", "--dir", network)
    assert subprocess.run([LOCALNET, "status", "--dir", network], check=False, capture_output=True).returncode != 0, "it still runs"
