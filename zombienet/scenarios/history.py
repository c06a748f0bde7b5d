# SPDX-License-Identifier: Apache-2.0
"""A chain of 10,000 blocks is made in minutes, by a validator whose clock leaves most of every slot out; then a fresh node joins it
by full, by fast (state) and by warp synchronisation, and the time each took is told."""

import os
import shutil
import subprocess
import time

from tos_harness.network import Network
from tos_harness.paths import ZOMBIENET
from tos_harness.process import run as run_program
from tos_harness.wait import Failed, Skipped

QUICK = False
BLOCKS = 10_000
# Milliseconds of a slot of dev-fast, and how much of each is shown at first while the chain is made.
SLOT, STEP = 500, 30
# Seconds within which a node that joins should be there.
AIM = 30


class Clock:
    """A wall clock for nodes (see clock.c), which can be made to go slower and starts at the true time."""

    def __init__(self, folder):
        compiler = next(filter(shutil.which, ("cc", "clang", "gcc")), None)
        if not compiler:
            raise Skipped("a clock of its own takes a C compiler")
        self.library = folder / "clock.so"
        run_program(compiler, "-O2", "-shared", "-fPIC", "-o", self.library, ZOMBIENET / "clock.c")
        now = time.time_ns() // 1_000_000
        # Slots count from 1970.
        self.base, self.since, self.step = now // SLOT * SLOT, now, STEP
        told = subprocess.run(["date", "+%s"], env={**os.environ, **self.environment(base=SLOT)}, capture_output=True, text=True)
        if told.returncode != 0 or int(told.stdout) > 10**6:
            raise Skipped("no process takes another clock here")

    def environment(self, **changed):
        """The variables that give a process this clock."""
        values = {"base": self.base, "since": self.since, "slot": SLOT, "step": self.step, **changed}
        return {"LD_PRELOAD": str(self.library), **{f"TOS_CLOCK_{name.upper()}": str(value) for name, value in values.items()}}

    def pace(self, step):
        """From now on so much of each slot is shown. For processes that start after this."""
        now = time.time_ns() // 1_000_000
        self.base += ((now - self.since) // self.step + 1) * SLOT
        self.since, self.step = now, step


def run(binary, folder, options):
    clock = Clock(folder)
    with Network(binary, folder, "one.toml") as net:
        make(net, clock)
        net.stop()
        # A fresh node asks three others before it trusts a warp proof: two have a copy of the chain.
        names = ["alice", "mirror-1", "mirror-2"]
        for name in names[1:]:
            net.add(name, ["--no-timekeeper"])
            shutil.copytree(net.nodes["alice"].base, net.nodes[name].base)
        clock.pace(SLOT)
        net.start(environment=clock.environment())
        net.advances(names)
        figures = {"blocks": net.finalised("alice"), "slots": net.ask("alice", "tos_beacon")["head"]}
        net.say(f"{figures['blocks']} blocks with {figures['slots']} slots of the beacon")
        for mode in ("full", "fast", "warp"):
            figures[mode] = join(net, clock, mode)
        return figures


def make(net, clock):
    """Waits for the blocks, at a pace that this machine can keep."""
    while True:
        net.start("alice", environment=clock.environment())
        at, best = time.monotonic(), net.best("alice")
        while net.best("alice") < BLOCKS:
            time.sleep(1)
            took, made = time.monotonic() - at, net.best("alice") - best
            if took < 20:
                continue
            net.say(f"block {best + made}, {made / took:.0f} a second")
            # Blocks that take longer than their slot are thrown away.
            if made * clock.step < took * 1000 / 3:
                break
            at, best = at + took, best + made
        else:
            break
        net.stop("alice")
        if clock.step >= SLOT:
            raise Failed("this machine makes no blocks")
        clock.pace(min(SLOT, clock.step * 2))
        net.say(f"too fast for this machine: {clock.step} ms a block")
    net.eventually(f"block {BLOCKS} is final", lambda: net.finalised("alice") >= BLOCKS)
    net.say(f"block {BLOCKS} is final")


def has_state(net, name):
    """True when the state itself of the newest final block is there, not only its root."""
    try:
        return net.ask(name, "state_getStorageSize", "0x3a636f6465", net.ask(name, "chain_getFinalizedHead"))
    except Failed:  # Blocks come first, their states later.
        return None


def join(net, clock, mode):
    """Seconds that a fresh node takes to have a block as new as the newest final one when it started, with its state."""
    name, goal, began = f"fresh-{mode}", net.finalised("alice"), time.monotonic()
    net.add(name, ["--no-timekeeper", "--sync", mode])
    net.start(name, environment=clock.environment())
    answered = time.monotonic() - began
    net.eventually(f"{name} has block {goal}", lambda: net.finalised(name) >= goal)
    net.eventually(f"{name} has the state", lambda: has_state(net, name))
    took = time.monotonic() - began
    net.advances(["alice", name])
    # Warp synchronisation fetches older blocks while it follows new ones.
    net.eventually(f"{name} has all blocks", lambda: all(
        (hash_ := net.hash(name, number)) and net.ask(name, "chain_getBlock", hash_) for number in range(1, goal, goal // 50)), 900)
    whole = time.monotonic() - began
    number = net.finalised(name)
    roots = {net.ask(who, "chain_getHeader", net.hash(who, number))["stateRoot"] for who in ("alice", name)}
    if len(roots) != 1:
        raise Failed(f"{name} has another state at block {number}")
    net.say(f"{mode}: follows with the state after {took:.1f} s ({goal / took:.0f} blocks a second; {AIM} s is the aim), of which "
            f"{answered:.1f} s to start; all blocks after {whole:.1f} s")
    net.stop(name)
    return {"seconds": round(took, 1), "started": round(answered, 1), "all_blocks": round(whole, 1)}
