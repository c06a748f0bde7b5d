# SPDX-License-Identifier: Apache-2.0
"""One of four validators has a clock that is wrong, five seconds (ten slots) ahead and then as much behind: the others
go on and finalise, it follows them, and with a right clock it makes blocks of theirs again."""

import glob
import os
import subprocess

from tos_harness.network import Network
from tos_harness.wait import Failed, Skipped

QUICK = False
PATHS = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


def library():
    """libfaketime, which gives one process a clock of its own."""
    for pattern in PATHS:
        for path in glob.glob(pattern):
            return path
    raise Skipped("a clock of its own takes libfaketime (package faketime)")


def run(binary, folder, options):
    shim = library()
    # It must work before anything is said about the chain.
    told = subprocess.run(["date", "+%Y"], env={**os.environ, "LD_PRELOAD": shim, "FAKETIME": "-4000d"},
                          capture_output=True, text=True)
    if told.returncode != 0 or int(told.stdout) > 2020:
        raise Skipped("libfaketime does not work here")
    with Network(binary, folder, "four.toml") as net:
        everybody = list(net.nodes)
        three = everybody[:3]
        net.start()
        net.advances(everybody)
        for offset in ("+5s", "-5s"):
            net.stop("dave")
            # Waiting must go on as it does: only what time it is, is wrong.
            net.start("dave", environment={
                "LD_PRELOAD": shim, "FAKETIME": offset, "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"})
            height = net.advances(three, blocks=20)
            net.same(three, height)
            net.say(f"a clock {offset}: the others finalised block {height}")
            net.eventually("dave follows", lambda height=height: net.finalised("dave") >= height)
            net.same(everybody, height)
        net.stop("dave")
        net.start("dave")
        start = net.advances(everybody)
        goal = net.advances(everybody, blocks=40)
        net.same(everybody, goal)
        makers = authors(net, start, goal)
        if len(makers) != 4:
            raise Failed(f"with right clocks only {sorted(makers)} made blocks")
        net.say(f"with right clocks again, all four made the blocks up to {goal}")


def authors(net, start, end):
    """The authorities, by index, whose blocks are final in a range."""
    made = set()
    for number in range(start, end + 1):
        header = net.ask("alice", "chain_getHeader", net.hash("alice", number))
        for log in header["digest"]["logs"]:
            data = bytes.fromhex(log[2:])
            # A pre-runtime log (6) of BABE: a compact length of one byte or two, the kind of claim, the index.
            if data[0] == 6 and data[1:5] == b"BABE":
                at = 7 if data[5] & 3 == 0 else 8
                made.add(int.from_bytes(data[at:at + 4], "little"))
    return made
