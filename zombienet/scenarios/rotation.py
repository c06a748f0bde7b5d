# SPDX-License-Identifier: Apache-2.0
"""A fifth validator bonds, proves that it owns its session keys, stands for election and enters the set through sessions;
its blocks are finalised, and an era is paid out to it by anybody's call."""

from tos_harness.network import Network
from tos_harness.wait import Failed

QUICK = False


def run(binary, folder, options):
    with Network(binary, folder, "four.toml") as net:
        net.start()
        net.advances(list(net.nodes))
        net.add("eve", ["--validator", "--no-timekeeper"])
        net.start("eve")
        joined = net.script("validate", "//Eve", node="eve")
        net.say(f"eve bonded {joined['bonded']} wei and set her keys")
        net.eventually("eve is in the set", lambda: joined["who"] in net.script("validators")["validators"])
        net.say("eve validates")
        net.advances(list(net.nodes))
        paid = net.script("payout", "//Eve", "//Ferdie")
        if int(paid["after"]) <= int(paid["before"]):
            raise Failed("an era was paid out, and eve got nothing")
        net.say(f"era {paid['era']} paid {int(paid['after']) - int(paid['before'])} wei to eve")
