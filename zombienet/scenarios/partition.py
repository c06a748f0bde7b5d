# SPDX-License-Identifier: Apache-2.0
"""Two and two validators cannot reach each other: neither half finalises. When the link is back there is one chain, and
transfers sent on either side during the partition are in it."""

import time

from network import STILL, Failed, Network

QUICK = True


def run(binary, folder, options):
    net = Network(binary, folder, "four.toml", isolate=True)
    try:
        everybody = list(net.nodes)
        left, right = everybody[:2], everybody[2:]
        net.start()
        net.say(f"four nodes finalised block {net.advances(everybody)}")
        net.cut(left, right)
        time.sleep(3)
        stood = {name: net.finalised(name) for name in everybody}
        time.sleep(STILL)
        for name in everybody:
            if net.finalised(name) > stood[name] + 1:
                raise Failed(f"{name} finalised blocks with half of the validators")
        sent = {
            "alice": net.script("transfer", "//Eve", "//Partition//left", 7, node="alice"),
            "charlie": net.script("transfer", "//Ferdie", "//Partition//right", 9, node="charlie"),
        }
        tops = {name: (net.best(name), net.hash(name, net.best(name))) for name in ("alice", "charlie")}
        net.say(f"cut for {STILL + 3} s; the halves are at {tops['alice'][0]} and {tops['charlie'][0]}, finality at {max(stood.values())}")
        net.heal(left, right)
        height = net.advances(everybody, limit=120)
        net.same(everybody, height)
        net.say(f"healed; all finalised block {height}")
        for name, receipt in sent.items():
            net.eventually(
                f"the transfer sent to {name} is final everywhere",
                lambda receipt=receipt: net.script("balance", receipt["to"], node="dave")["free"] == receipt["value"], 60)
        net.say("transfers of both halves are final")
    finally:
        net.close()
