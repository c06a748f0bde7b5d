# SPDX-License-Identifier: Apache-2.0
"""A fresh node joins by full, by fast (state) and by warp synchronisation; each ends with the blocks and the state of the
others and goes on finalising with them. A node of another network is not let in, and garbage at a node's door changes nothing."""

import os
import socket

from tos_harness.network import Network
from tos_harness.wait import Failed

QUICK = True


def run(binary, folder, options):
    with Network(binary, folder, "four.toml") as net:
        everybody = list(net.nodes)
        net.start()
        # Past the first epoch, so that a warp proof has an authority set to prove.
        height = net.eventually("block 70 is final", lambda: (h := net.finalised("alice")) >= 70 and h)
        for mode in ("full", "fast", "warp"):
            node = f"fresh-{mode}"
            net.add(node, ["--no-timekeeper", "--sync", mode])
            net.start(node)
            net.eventually(f"{node} has block {height}", lambda node=node: net.finalised(node) >= height)
            goal = net.advances([*everybody, node])
            net.same([*everybody, node], goal)
            roots = {net.ask(name, "chain_getHeader", net.hash(name, goal))["stateRoot"] for name in ("alice", node)}
            if len(roots) != 1:
                raise Failed(f"{node} has another state at block {goal}")
            # The state itself is there, not only its root.
            if not net.ask(node, "state_getStorageSize", "0x3a636f6465", net.hash(node, goal)):
                raise Failed(f"{node} has no state at block {goal}")
            net.say(f"{mode}: at block {goal} with the state of the others")
            net.stop(node)

        stranger = net.add("stranger", ["--no-timekeeper"], chain="dev-fast")
        net.start("stranger")
        garbage(net.nodes["alice"])
        net.advances(everybody)
        if net.ask("stranger", "system_health")["peers"]:
            raise Failed("a node of another network has peers here")
        net.say("a node of another network has no peers; garbage at alice's door changed nothing")
        stranger.check()


def garbage(node):
    """Forty connections that speak no protocol, some long, some cut off."""
    for attempt in range(40):
        with socket.create_connection((node.host, node.p2p), 5) as sock:
            try:
                sock.sendall(os.urandom(1 + attempt * attempt * 40))
            except OSError:
                pass  # Closed on us: as it should be.
