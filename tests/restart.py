#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the node and every worker, without warning, in every phase of a task's life.

Two miners and three validators take one task from publication to settlement. Whenever the task
comes into another phase, and once after the first commitment, everything is killed with SIGKILL
and started again on the same data: first the node alone, so that running workers must find it
again, then all workers. Nothing may be lost: both answers are revealed, every member of the panel
votes and reveals, nobody is slashed, and the task settles in its first round. A publisher's
`tos task watch`, started once, lives through all of it and is never silent for long.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scripts"))
import demo as parts  # noqa: E402

import specs  # noqa: E402

# Revealing takes until the next blocks; everybody has half a minute to be back, beside a build as well.
WINDOWS = {"answerReveal": 60, "voteCommit": 60, "voteReveal": 60}
# Seconds within which what should happen does, on whatever machine; and within which all is over.
LATE, LIMIT = 300, 900
# The longest silence of `tos task watch` in seconds: it promises a line every ten.
SILENCE = 45


class Watched:
    """What `tos task watch` has said so far, and its longest silence."""

    def __init__(self, net, task):
        self.process = net.processes.start("watch", [net.tos_binary, "--url", net.url, "--json", "task", "watch", task])
        self.path = os.path.join(net.folder, "watch.log")
        self.silence = 0
        threading.Thread(target=self.look, daemon=True).start()

    def look(self):
        """Measures silences, whatever else the test waits for meanwhile."""
        size, since = 0, time.monotonic()
        while self.process.poll() is None:
            now, was, size = time.monotonic(), size, os.path.getsize(self.path)
            if size != was:
                since = now
            self.silence = max(self.silence, now - since)
            time.sleep(0.5)

    def end(self):
        """Checks how it ended and what it said, and returns how often it lost the node."""
        try:
            code = self.process.wait(LATE)
        except subprocess.TimeoutExpired:
            raise parts.Failed(f"watch goes on {LATE} s after the end of the task") from None
        with open(self.path, encoding="utf-8") as log:
            lines = log.read().splitlines()
        values = [json.loads(line) for line in lines if line.startswith("{")]
        lost = sum("the node is gone" in line for line in lines)
        if code != 0 or values[-1].get("closure") != "settled" or not values[-1]["finalised"]:
            raise parts.Failed(f"watch ended with code {code}: " + "\n".join(lines[-5:]))
        if [part for part in values[-1]["answers"] if part["earned"] == "0"] == values[-1]["answers"]:
            raise parts.Failed(f"watch names nobody who was paid: {values[-1]}")
        told = [value["event"]["what"] for value in values if "event" in value]
        for phase in ("open", "revealing answers", "voting", "revealing votes", "open to challenge"):
            if not any(what.endswith(phase) for what in told):
                raise parts.Failed(f"watch did not tell of `{phase}`: {told}")
        if self.silence > SILENCE:
            raise parts.Failed(f"watch was silent for {self.silence:.0f} s")
        return lost


class Restarts(parts.Demo):
    """The demo's chain and workers, which can be killed and started again."""

    def __init__(self, binaries, folder):
        super().__init__(binaries, folder)
        self.commands = {}
        self.p2p = parts.free_port()
        self.spec = os.path.join(folder, "spec.json")
        specs.write(self.node, self.spec, "dev-fast", lambda genesis: genesis["clock"]["windows"].update(WINDOWS))

    def start_process(self, name, command):
        self.commands[name] = command
        self.processes.start(name, command)

    def kill(self, *names):
        """Like a power cut: no signal handler runs. Then the same again on the same data."""
        doomed = [(n, p) for n, p in self.processes.running if n in names]
        for _, process in doomed:
            os.killpg(process.pid, signal.SIGKILL)
        for _, process in doomed:
            process.wait()
        self.processes.running = [(n, p) for n, p in self.processes.running if n not in names]
        for name in names:
            self.processes.start(name, self.commands[name])

    def run_node(self):
        self.start_process("node", [
            self.node, "--chain", self.spec, "--alice", "--validator", "--force-authoring",
            "--base-path", os.path.join(self.folder, "node"), "--rpc-port", str(self.rpc),
            "--port", str(self.p2p), "--no-prometheus", "--no-telemetry", "--no-mdns",
            "--unsafe-force-node-key-generation"])

    def run_worker(self, name, key, role, *arguments):
        self.start_process(name, [
            self.tos_binary, "--url", self.url, "--suri", key,
            "--data-dir", os.path.join(self.folder, name.replace(" ", "-")), role, "run", *arguments])

    def eventually(self, what, probe):
        deadline = time.monotonic() + LATE
        while True:
            try:
                found = probe()
                if found:
                    return found
            except (parts.Failed, OSError):
                pass
            if time.monotonic() > deadline:
                raise parts.Failed(f"{what}: not within {LATE} s")
            time.sleep(0.3)


def run(net):
    python = sys.executable
    judges = [("judge 1", "//Dave"), ("judge 2", "//Eve"), ("judge 3", "//Ferdie")]
    miners = [("nearest", "//Bob", "solve_nearest_neighbour.py"),
              ("two-opt", "//Charlie", "solve_two_opt.py")]
    net.run_node()
    net.eventually("the first finalised block",
                   lambda: net.tos("chain", "status")["finalised"]["number"] > 0)
    for _, key in judges:
        net.tos("validator", "register", "--types", "algorithm-optimization", key=key)
    for _, key, _ in miners:
        net.tos("miner", "register", "--types", "algorithm-optimization", key=key)
    for name, key in judges:
        net.run_worker(name, key, "validator", "--judge-cmd", f"{python} {parts.example('judge.py')}")
    for name, key, solver in miners:
        # Slow enough that a kill can hit a solver at work.
        net.run_worker(name, key, "miner", "--solver-cmd",
                       f"sleep 3; {python} {parts.example('tsp', solver)}")
    workers = [name for name, *_ in judges + miners]

    task = net.tos("task", "publish", "--type", "algorithm-optimization", "--difficulty", "beginner",
                   "--reward", "10", "--spec", parts.example("tsp", "berlin52.json"),
                   "--open-for", "120", "--min-quality", "1", "--max-participants", "2",
                   "--param", "problem=tsp", "--param", "objective=minimise",
                   key=parts.PUBLISHER[1])["task"]

    watched = Watched(net, task)
    kills, hit = 0, set()
    deadline = time.monotonic() + LIMIT
    while True:
        if time.monotonic() > deadline:
            raise parts.Failed(f"not closed within {LIMIT} seconds; killed in {sorted(hit)}")
        view = net.eventually("the task", lambda: net.rpc_call("tos_task", task))
        phase = view["summary"]["phase"]
        if isinstance(phase, dict):
            break
        joined, committed = view["summary"]["joined"], view["summary"]["committed"]
        moment = f"{phase}, {joined} joined, {committed} committed" if phase == "open" else phase
        if moment not in hit and (phase != "open" or joined > 0):
            hit.add(moment)
            parts.say(f"  killing the node, then all workers: {moment}")
            net.kill("node")
            net.eventually("the node's return", lambda: net.tos("chain", "status"))
            net.kill(*workers)
            kills += 1
        time.sleep(0.2)

    if phase != {"closed": "settled"}:
        raise parts.Failed(f"the task ended as {phase}")
    if view["summary"]["round"] != 0:
        raise parts.Failed("the task needed more than one round")
    for part in view["submissions"]:
        if part["content"] is None:
            raise parts.Failed(f"{part['miner']} lost its answer or salt")
    members = net.rpc_call("tos_round", task, 0)["members"]
    if len(members) != 3 or any(member["vote"] is None for member in members):
        raise parts.Failed(f"a vote or its salt was lost: {members}")
    for role, people in (("validator", [k for _, k in judges]), ("miner", [k for _, k, _ in miners])):
        for key in people:
            status = net.tos(role, "status", key=key)[role]
            if role == "validator" and status["stake"] != status["required"]:
                raise parts.Failed(f"{key} was slashed: {status}")
    expected = {"answerReveal", "voteCommit", "voteReveal", "challenge"}
    if not expected <= hit or not any(m.startswith("open") for m in hit):
        raise parts.Failed(f"too fast to be hit in every phase: {sorted(hit)}")
    lost = watched.end()
    if lost < 1:
        raise parts.Failed("watch did not notice that the node was killed")
    parts.say(f"settled after {kills} kills of the node and of {len(workers)} workers; nothing was lost; "
              f"watch lost the node {lost} times and was silent for {watched.silence:.0f} s at most")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of tos-node and tos")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tos-restart-") as folder:
        net = Restarts(os.path.abspath(options.bin), folder)
        try:
            run(net)
            return 0
        except parts.Failed as failure:
            print(f"restart test failed: {failure}", file=sys.stderr)
            return 1
        finally:
            net.processes.stop()


if __name__ == "__main__":
    sys.exit(main())
