# SPDX-License-Identifier: Apache-2.0
"""A node under load, and what it says of itself. Used by load.py."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

# What runs on which chain, with which duties, and which validators beside Alice.
VARIANTS = {
    "bare": ("bare", ["--no-timekeeper"], ()),
    "full": ("dev", ["--no-timekeeper"], ()),
    "timekeeper": ("dev", ["--timekeeper"], ()),
    "four": ("local", ["--no-timekeeper"], ("bob", "charlie", "dave")),
    # As they were when the gossip time did not follow the slot.
    "four-333": ("local", ["--no-timekeeper", "--grandpa-gossip-ms", "333"], ("bob", "charlie", "dave")),
}
FIELDS = {"VmRSS": "resident", "RssAnon": "anonymous", "VmHWM": "peak"}
MIB = 1024 * 1024
# Histograms of the node, by what they say. Seconds each. A node imports its own blocks without the second one.
HISTOGRAMS = {
    "construct_ms": "substrate_proposer_block_constructed",
    "import_ms": "substrate_block_verification_and_import_time",
}
# Messages of GRANDPA that came, and the round it is in.
GRANDPA_MESSAGES = r'^substrate_sub_libp2p_notifications_sizes_count{[^}]*direction="in"[^}]*protocol="[^"]*/grandpa/1"[^}]*} (\S+)$'
GRANDPA_ROUND = r"^substrate_finality_grandpa_round(?:{[^}]*})? (\S+)$"
# Why the node put no more into its blocks, counted by reason.
REASONS = "substrate_proposer_end_proposal_reason"
# A proxy of the environment has no business with a node on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failed(Exception):
    """Something did not hold."""


def free_ports(count):
    """TCP ports that were free a moment ago, all different."""
    held = [socket.socket() for _ in range(count)]
    try:
        for sock in held:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in held]
    finally:
        for sock in held:
            sock.close()


class Node:
    """A node on a database of its own."""

    running = []

    def __init__(self, arguments, folder, variant, role="alice", bootnode=None):
        self.folder, self.variant = tempfile.mkdtemp(prefix=f"{variant}-", dir=folder), variant
        chain, duties, _ = VARIANTS[variant]
        self.rpc_port, self.p2p, self.prometheus = free_ports(3)
        self.host, self.hosts, outside = "127.0.0.1", arguments.hosts, []
        if self.hosts:
            namespace, self.host = self.hosts.take()
            outside = ["ip", "netns", "exec", namespace]
        command = [
            *outside,
            os.path.join(arguments.bin, "tos-node"), "--chain", arguments.specs.get(chain, chain),
            "--base-path", os.path.join(self.folder, "base"), "--rpc-port", str(self.rpc_port),
            "--listen-addr", f"/ip4/{self.host}/tcp/{self.p2p}", "--prometheus-port", str(self.prometheus),
            "--no-telemetry", "--no-mdns", "--unsafe-force-node-key-generation", *duties]
        command += [f"--{role}", "--validator", "--force-authoring"] if role else ["--name", "second"]
        command += ["--bootnodes", bootnode] if bootnode else []
        command += ["--unsafe-rpc-external", "--rpc-cors", "all", "--prometheus-external"] if self.hosts else []
        command += arguments.node_arg
        self.log = os.path.join(self.folder, "log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        Node.running.append(self)
        self.started = time.monotonic()

    def wait(self, blocks=1, limit=120):
        """Waits until it has so many blocks."""
        deadline = time.monotonic() + limit
        while True:
            self.check()
            try:
                if self.height() >= blocks:
                    return
            except (OSError, ValueError):
                self.find()
            if time.monotonic() > deadline:
                raise Failed(f"{self.variant}: no block {blocks} within {limit} s; its log ends:\n{self.tail()}")
            time.sleep(0.2)

    def find(self):
        """Where it answers: elsewhere, if another process has taken the port since it was free."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            if found := re.search(r"JSON-RPC server: addr=(?:127\.0\.0\.1|0\.0\.0\.0):(\d+)", log.read()):
                self.rpc_port = int(found.group(1))

    def check(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.variant}: the node ended with {self.process.returncode}; its log ends:\n{self.tail()}")

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-1500:]

    def stop(self):
        """By its process id, gently first."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self in Node.running:
            Node.running.remove(self)
            if self.hosts:
                self.hosts.give(self.host)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what it says ---

    def ask(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(f"http://{self.host}:{self.rpc_port}", body, {"Content-Type": "application/json"})
        with OPENER.open(request, timeout=20) as answer:
            reply = json.load(answer)
        if "error" in reply:
            raise Failed(f"{self.variant}: {method}: {reply['error']}")
        return reply["result"]

    def height(self):
        return int(self.ask("chain_getHeader")["number"], 16)

    def address(self):
        return f"/ip4/{self.host}/tcp/{self.p2p}/p2p/{self.ask('system_localPeerId')}"

    def memory(self):
        """Linux's account of it, in MiB."""
        found = {}
        with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                name, _, value = line.partition(":")
                if name in FIELDS:
                    found[FIELDS[name]] = round(int(value.split()[0]) / 1024, 1)
        return found

    def cpu(self):
        """Processor seconds it has used."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def database(self):
        """Bytes on disk."""
        total = 0
        for where, _, names in os.walk(os.path.join(self.folder, "base")):
            for name in names:
                try:
                    total += os.stat(os.path.join(where, name)).st_blocks * 512
                except FileNotFoundError:
                    pass  # The database has just compacted it away.
        return total

    def histograms(self):
        """Sum and count of each histogram, as far as the node has it, and how blocks ended."""
        try:
            with OPENER.open(f"http://{self.host}:{self.prometheus}/metrics", timeout=20) as answer:
                text = answer.read().decode()
        except (OSError, urllib.error.URLError):
            return {}
        found = {}
        for name, metric in HISTOGRAMS.items():
            parts = []
            for part in ("sum", "count"):
                lines = re.findall(rf"^{metric}_{part}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
                parts.append(sum(float(value) for value in lines))
            found[name] = tuple(parts)
        reasons = re.findall(rf'^{REASONS}_?[a-z]*{{[^}}]*reason="([^"]+)"[^}}]*}} (\S+)$', text, re.MULTILINE)
        found[REASONS] = {reason: float(count) for reason, count in reasons}
        found["grandpa"] = tuple(
            sum(float(value) for value in re.findall(pattern, text, re.MULTILINE)) for pattern in (GRANDPA_MESSAGES, GRANDPA_ROUND))
        return found

    def snapshot(self):
        return {"memory": self.memory(), "cpu": self.cpu(), "database": self.database(), "histograms": self.histograms(),
                "block": self.height(), "time": time.monotonic()}


def used_by(before, after):
    """What a node used between two snapshots."""
    used = {
        "rss_before": before["memory"].get("resident"), "rss_after": after["memory"].get("resident"),
        "heap_before": before["memory"].get("anonymous"), "heap_after": after["memory"].get("anonymous"),
        "rss_peak": after["memory"].get("peak"), "node_cpu": round(after["cpu"] - before["cpu"], 2),
        "db_growth_mib": round((after["database"] - before["database"]) / MIB, 2),
        "blocks": after["block"] - before["block"]}
    for name in HISTOGRAMS:
        first, last = before["histograms"].get(name), after["histograms"].get(name)
        used[name] = None
        if first and last and last[1] > first[1]:
            used[name] = round((last[0] - first[0]) / (last[1] - first[1]) * 1000, 2)
    first, last = before["histograms"].get("grandpa"), after["histograms"].get("grandpa")
    if first and last and last[1] > first[1]:
        rounds = last[1] - first[1]
        used["round_ms"] = round((after["time"] - before["time"]) / rounds * 1000, 1)
        used["messages_per_round"] = round((last[0] - first[0]) / rounds, 2)
    first, last = before["histograms"].get(REASONS, {}), after["histograms"].get(REASONS, {})
    used["block_ends"] = {reason: int(count - first.get(reason, 0)) for reason, count in last.items()}
    return used
