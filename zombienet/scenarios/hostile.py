# SPDX-License-Identifier: Apache-2.0
"""Four validators, one of which keeps time, and six peers hostile to the beacon at two of the others, more than they have
honest ones: four flood them with slots whose inputs never existed, one sends false results of the right ones, one never
answers. Their victim hears every slot from the honest peers and computes none itself, finality goes on, and who sent false results
is banned. New liars come while the timekeeper is away, when there is nothing right to hear; when it is back, the beacon goes on
and the liars lose reputation."""

import os
import re
import time

from tos_harness.network import Network
from tos_harness.process import Processes
from tos_harness.wait import Failed, Skipped

QUICK = False
MODES = ("random", "random", "random", "random", "false", "silent")
KEEPER, VICTIM = "alice", "bob"


class Hostile:
    """Hostile peers, each a process of its own with an identity of its own."""

    def __init__(self, binary, net):
        self.program = binary.parent / "examples" / "hostile"
        if not os.access(self.program, os.X_OK):
            raise Skipped("no hostile peer; run: cargo build --release --workspace --example hostile")
        self.net, self.processes = net, Processes(net.folder)

    def start(self, modes, targets):
        """Starts peers, and waits until each talks about the beacon with all targets. Returns their names."""
        genesis, head = self.net.hash(VICTIM, 0), self.net.ask(VICTIM, "tos_beacon")["head"]
        started = []
        for mode in modes:
            name = f"hostile-{len(self.processes.running)}-{mode}"
            self.processes.start(name, [self.program, mode, genesis, str(head), *(self.net.nodes[target].address for target in targets)])
            started.append(name)
        for name in started:
            self.net.eventually(f"{name} is a peer of {', '.join(targets)}", lambda name=name: all(
                f"beacon opened {self.net.nodes[target].peer}" in self.said(name) for target in targets))
        return started

    def said(self, name):
        return self.processes.running[name].said()

    def banned(self, name, target):
        """True when a node has closed the beacon's protocol to a hostile peer at least once: a ban ends, and it may come again."""
        return f"beacon closed {self.net.nodes[target].peer}" in self.said(name)

    def close(self):
        self.processes.close()


def heard(net):
    """The victim's work on slots, which must be nothing but hearing them."""
    done = net.ask(VICTIM, "tos_timekeeper")
    if done["timekeeper"] or done["faultySlots"]:
        raise Failed(f"{VICTIM} is not as it should be: {done}")
    return done


def blamed(net, target, reason):
    """The peers that a node has reported for this reason."""
    return set(re.findall(rf"(12D3\w+): beacon: {reason}", net.log(target)))


def run(binary, folder, options):
    net = Network(binary, folder, "four.toml")
    hostile = None
    try:
        everybody = list(net.nodes)
        net.start(options=("-lbeacon=debug",))
        net.advances(everybody)
        net.eventually("a moving beacon", lambda: not net.ask(VICTIM, "tos_beacon")["degraded"])
        hostile = Hostile(binary, net)
        before, began = heard(net), time.monotonic()
        names = hostile.start(MODES, (VICTIM, "charlie"))
        net.say(f"{len(names)} hostile peers at {VICTIM} and charlie, and three honest ones")

        goal = before["head"] + 60
        net.eventually(f"slot {goal} in {VICTIM}'s chain", lambda: heard(net)["head"] >= goal)
        after = heard(net)
        verified = after["verifiedSlots"] - before["verifiedSlots"]
        computed = after["evaluatedSlots"] - before["evaluatedSlots"]
        if computed * 4 > verified or verified < 50:
            raise Failed(f"{VICTIM} did not hear the slots: {verified} verified, {computed} computed")
        net.say(f"in {time.monotonic() - began:.0f} s it verified {verified} slots, computed {computed}, refused "
                f"{after['rejectedSlots'] - before['rejectedSlots']}")
        liars = [name for name in names if "false" in name]
        net.eventually("who sent false results is banned", lambda: all(
            hostile.banned(name, target) for name in liars for target in (VICTIM, "charlie")))
        if not blamed(net, VICTIM, "false slot"):
            raise Failed(f"{VICTIM} blames no peer for false slots")
        height = net.advances(everybody)
        net.same(everybody, height)
        net.say(f"who sent false results is banned; all finalised block {height}")

        # While no node keeps time, there is nothing right to hear, and liars have all the time there is.
        net.kill(KEEPER)
        net.grows([VICTIM], 4)
        hostile.start(MODES, (VICTIM, "charlie"))
        net.eventually("a degraded beacon", lambda: net.ask(VICTIM, "tos_beacon")["degraded"])
        stood = net.ask(VICTIM, "tos_beacon")["head"]
        net.start(KEEPER, options=("-lbeacon=debug",))
        net.eventually("the beacon goes on", lambda: heard(net)["head"] >= stood + 20)
        height = net.advances(everybody)
        net.same(everybody, height)
        # Blocks after the outage include eight slots each, and come as fast as gossip does: on a busy machine some come first. Who is
        # deaf computes all that follow, too.
        net.eventually(f"{VICTIM} has heard most slots", lambda: heard(net)["evaluatedSlots"] * 4 <= heard(net)["verifiedSlots"])
        done = heard(net)
        net.eventually("the liars lose reputation", lambda: len(blamed(net, VICTIM, "slot of no known fork")) >= MODES.count("random"))
        net.say(f"without timekeeper the head stood at slot {stood}; with it again it is at {done['head']}, block {height} final")
    finally:
        if hostile:
            hostile.close()
        net.close()
