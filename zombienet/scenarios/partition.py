# SPDX-License-Identifier: Apache-2.0
"""Two and two validators cannot reach each other: neither half finalises. When the link is back there is one chain, and
transfers sent on either side during the partition are in it."""

import time

from tos_harness.network import Network
from tos_harness.wait import Failed

QUICK = True


def run(binary, folder, options):
    with Network(binary, folder, "four.toml", isolate=True) as net:
        everybody = list(net.nodes)
        left, right = everybody[:2], everybody[2:]
        net.start()
        net.say(f"four nodes finalised block {net.advances(everybody)}")
        net.cut(left, right)
        cut = time.monotonic()
        # What was on its way may still arrive while a few blocks come.
        net.grows(everybody, 4)
        stood = {name: net.finalised(name) for name in everybody}
        net.grows(everybody, 12)
        for name in everybody:
            if net.finalised(name) > stood[name]:
                raise Failed(f"{name} finalised blocks with half of the validators")
        sent = {
            "alice": net.script("transfer", "//Eve", "//Partition//left", 7, node="alice"),
            "charlie": net.script("transfer", "//Ferdie", "//Partition//right", 9, node="charlie"),
        }
        tops = {name: (net.best(name), net.hash(name, net.best(name))) for name in ("alice", "charlie")}
        net.say(f"cut for {time.monotonic() - cut:.0f} s; the halves are at {tops['alice'][0]} and {tops['charlie'][0]}, finality at {max(stood.values())}")
        net.heal(left, right)
        height = net.advances(everybody)
        net.same(everybody, height)
        net.say(f"healed; all finalised block {height}")
        for name, receipt in sent.items():
            net.eventually(
                f"the transfer sent to {name} is final everywhere",
                lambda receipt=receipt: net.script("balance", receipt["to"], node="dave")["free"] == receipt["value"])
        net.say("transfers of both halves are final")
