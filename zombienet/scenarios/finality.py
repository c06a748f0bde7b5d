# SPDX-License-Identifier: Apache-2.0
"""Four validators finalise. With one gone finality goes on; with two gone it halts, though blocks still come; when one
of them returns it resumes, and nothing that was final has changed."""

from tos_harness.network import Network
from tos_harness.wait import Failed

QUICK = True


def run(binary, folder, options):
    with Network(binary, folder, "four.toml") as net:
        everybody = list(net.nodes)
        net.start()
        height = net.advances(everybody)
        before = net.same(everybody, height)
        net.say(f"four nodes finalised block {height}")

        net.kill("dave")
        three = everybody[:3]
        height = net.advances(three)
        net.same(three, height)
        net.say(f"one is gone; three finalised block {height}")

        net.kill("charlie")
        two = everybody[:2]
        # What was on its way when it went may still arrive while a few blocks come.
        net.grows(two, 4)
        stood = net.finalised("alice")
        net.grows(two, 12)
        if net.finalised("alice") > stood:
            raise Failed("two of four finalised blocks")
        net.say(f"two are gone; finality stands at {stood}, blocks go on to {net.best('alice')}")

        net.start("charlie")
        height = net.advances([*two, "charlie"])
        net.same([*two, "charlie"], height)
        if net.hash("alice", 1) is None or net.same([*two, "charlie"], height - 1) is None:
            raise Failed("a final block is gone")
        net.say(f"one came back; finality is at {height}")
        net.start("dave")
        height = net.advances(everybody)
        net.same(everybody, height)
        if before not in {net.hash(name, n) for name in everybody for n in range(1, height)}:
            raise Failed("a block that was final is not in the chain any more")
