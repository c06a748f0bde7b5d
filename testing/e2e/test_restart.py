# SPDX-License-Identifier: Apache-2.0
"""Kills the node and every worker, without warning, in every phase of a task's life.

Two miners and three judges take one task from publication to settlement. Whenever the task
comes into another phase, and once after the first commitment, everything is killed with SIGKILL
and started again on the same data: first the node alone, so that running workers must find it
again, then all workers. Nothing may be lost: both answers are revealed, every member of the panel
votes and reveals, none is slashed, and the task settles in its first round. A publisher's
`tos task watch`, started once, lives through all of it and is never silent for long.
"""

import json
import threading
import time

import pytest

from tos_harness.chain import DevChain
from tos_harness.paths import example, python
from tos_harness.process import Process

# Revealing takes until the next blocks; everybody has half a minute to be back, while a build runs as well.
PHASE_LENGTHS = {"answerReveal": 60, "voteCommit": 60, "voteReveal": 60}
# Seconds within which all is over.
LIMIT = 900
# The longest silence of `tos task watch` in seconds: it promises a line every ten.
SILENCE = 45
JUDGES = (("judge 1", "//Dave"), ("judge 2", "//Eve"), ("judge 3", "//Ferdie"))
MINERS = (("nearest", "//Bob", "solve_nearest_neighbour.py"), ("two-opt", "//Charlie", "solve_two_opt.py"))
KIND = "algorithm-optimization"


@pytest.fixture(scope="module")
def net(binaries, folder):
    chain = DevChain(binaries, folder, change=lambda genesis: genesis["clock"]["phaseLengths"].update(PHASE_LENGTHS)).start()
    yield chain
    chain.close()


class Watched:
    """The output of `tos task watch` so far, and its longest silence."""

    def __init__(self, net, task):
        # Not among the programs that the test kills and starts again: it comes to its end.
        self.process = Process("watch", net.tos.command("task", "watch", task), net.folder / "watch.log").start()
        self.silence = 0
        threading.Thread(target=self.look, daemon=True).start()

    def look(self):
        """Measures silences, whatever else the test waits for meanwhile."""
        size, since = 0, time.monotonic()
        while self.process.runs():
            now, was, size = time.monotonic(), size, self.process.log.stat().st_size
            if size != was:
                since = now
            self.silence = max(self.silence, now - since)
            time.sleep(0.5)

    def end(self):
        """Checks how it ended and what it said, and returns how often it lost the node."""
        code = self.process.wait()
        lines = self.process.said().splitlines()
        values = [json.loads(line) for line in lines if line.startswith("{")]
        lost = sum("the node is gone" in line for line in lines)
        assert code == 0 and values[-1].get("closure") == "settled" and values[-1]["finalised"], (
            f"watch ended with code {code}: " + "\n".join(lines[-5:]))
        assert any(part["earned"] != "0" for part in values[-1]["answers"]), f"watch names no one who was paid: {values[-1]}"
        told = [value["event"]["what"] for value in values if "event" in value]
        for phase in ("open", "revealing answers", "voting", "revealing votes", "open to challenge"):
            assert any(what.endswith(phase) for what in told), f"watch did not tell of `{phase}`: {told}"
        assert self.silence <= SILENCE, f"watch was silent for {self.silence:.0f} s"
        return lost


def test_nothing_is_lost_when_everything_is_killed_in_every_phase(net):
    for _, key in JUDGES:
        net.tos("judge", "register", "--types", KIND, key=key)
    for _, key, _ in MINERS:
        net.tos("miner", "register", "--types", KIND, key=key)
    for name, key in JUDGES:
        net.run(name, key, "judge", "run", "--judge-cmd", python("judge.py"))
    for name, key, solver in MINERS:
        # Slow enough that a kill can hit a solver at work.
        net.run(name, key, "miner", "run", "--solver-cmd", f"sleep 3; {python('tsp', solver)}")
    workers = [name for name, *_ in JUDGES + MINERS]
    task = net.tos("task", "publish", "--type", KIND, "--difficulty", "beginner", "--reward", "10",
                   "--spec", example("tsp", "berlin52.json"), "--open-for", "120", "--min-quality", "1",
                   "--max-participants", "2", "--param", "problem=tsp", "--param", "objective=minimise", key="//Alice")["task"]

    watched = Watched(net, task)
    kills, hit = 0, set()
    deadline = time.monotonic() + LIMIT
    while True:
        assert time.monotonic() < deadline, f"not closed within {LIMIT} seconds; killed in {sorted(hit)}"
        view = net.eventually("the task", lambda: net.rpc("tos_task", task))
        phase = view["summary"]["phase"]
        if isinstance(phase, dict):
            break
        joined, committed = view["summary"]["joined"], view["summary"]["committed"]
        moment = f"{phase}, {joined} joined, {committed} committed" if phase == "open" else phase
        if moment not in hit and (phase != "open" or joined > 0):
            hit.add(moment)
            net.say(f"killing the node, then all workers: {moment}")
            net.processes.restart("node")
            net.eventually("the node's return", lambda: net.tos("chain", "status"))
            net.processes.restart(*workers)
            kills += 1
        time.sleep(0.2)

    assert phase == {"closed": "settled"}
    assert view["summary"]["round"] == 0, "the task needed more than one round"
    for part in view["submissions"]:
        assert part["content"] is not None, f"{part['miner']} lost its answer or salt"
    members = net.rpc("tos_round", task, 0)["members"]
    assert len(members) == 3 and all(member["vote"] is not None for member in members), f"a vote or its salt was lost: {members}"
    for _, key in JUDGES:
        status = net.tos("judge", "status", key=key)["judge"]
        assert status["stake"] == status["required"], f"{key} was slashed: {status}"
    for _, key, _ in MINERS:
        assert net.tos("miner", "status", key=key)["miner"]
    assert {"answerReveal", "voteCommit", "voteReveal", "challenge"} <= hit and any(m.startswith("open") for m in hit), (
        f"too fast to be hit in every phase: {sorted(hit)}")
    lost = watched.end()
    assert lost >= 1, "watch did not notice that the node was killed"
    net.say(f"settled after {kills} kills of the node and of {len(workers)} workers; nothing was lost; "
            f"watch lost the node {lost} times and was silent for {watched.silence:.0f} s at most")
