# SPDX-License-Identifier: Apache-2.0
"""A validator is killed with SIGKILL again and again while transfers come in, and starts on the database that is left:
it is always whole, and the node catches up with the others every time."""

import random

from tos_harness.network import Network

QUICK = False
TIMES = {"quick": 6, "full": 100}


def run(binary, folder, options):
    times = TIMES["quick" if options.quick else "full"]
    # A fixed seed: the moments of the kills are arbitrary, not different from run to run.
    moments = random.Random(7)
    with Network(binary, folder, "four.toml") as net:
        everybody = list(net.nodes)
        net.start()
        net.advances(everybody)
        for number in range(times):
            load = net.script("spam", 40, number)
            moment = load["height"] + moments.randrange(3)
            net.eventually("blocks with load", lambda moment=moment: net.best("dave") >= moment)
            net.kill("dave")
            net.start("dave")
            height = net.finalised("alice") + 2
            net.eventually("dave catches up", lambda height=height: net.finalised("dave") >= height)
            net.same(["alice", "dave"], height)
            if number % 10 == 9 or number + 1 == times:
                net.say(f"killed {number + 1} times; at block {height} like the others")
        net.advances(everybody)
