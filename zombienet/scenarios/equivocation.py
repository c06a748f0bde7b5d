# SPDX-License-Identifier: Apache-2.0
"""A validator runs twice, with the same session keys on two machines, and signs two blocks for one slot. The others
report it without anybody's doing; it loses stake, and finality goes on."""

from tos_harness.network import Network
from tos_harness.wait import Failed

QUICK = True


def run(binary, folder, options):
    with Network(binary, folder, "four.toml") as net:
        everybody = list(net.nodes)
        net.start()
        net.advances(everybody)
        before = net.script("stake", "//Dave//stash")
        net.add("dave-again", ["--dave", "--no-timekeeper"])
        net.start("dave-again")
        net.say(f"dave runs twice; {before['active']} wei bonded")
        offence = net.script("offence", node="alice")
        net.say(f"reported: {offence['kind']}")
        net.stop("dave-again")
        # Slashes of this network are applied one era (a minute) after the report.
        after = net.eventually(
            "dave is slashed", lambda: (s := net.script("stake", "//Dave//stash")) and int(s["active"]) < int(before["active"]) and s)
        others = net.script("stake", "//Bob//stash")
        if int(others["active"]) != int(before["active"]):
            raise Failed("an honest validator lost stake")
        net.say(f"slashed: {int(before['active']) - int(after['active'])} wei")
        net.advances(everybody[:3])
