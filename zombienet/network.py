# SPDX-License-Identifier: Apache-2.0
"""A network of real nodes, as a TOML file of this folder defines it.

Every node is a process of its own with its own database, and is stopped by its process id. With `isolate` each also has
a network namespace of its own on one bridge, so that a test can cut a link between two of them (this needs root).
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
# What every node of a scenario gets; the definitions leave it to whoever runs them.
COMMON = ("--no-telemetry", "--no-mdns", "--no-prometheus", "--rpc-methods=unsafe")
# Seconds within which what should happen does, also beside a build on the same cores. No scenario that passes waits so long.
LATE = 300


# The genesis state of a chain takes seconds to make, and is the same for every network of a run.
SPECS = {}
MAKING = threading.Lock()
# The networks of this process that are not closed yet.
OPEN = []


class Failed(Exception):
    """Something did not hold."""


class Skipped(Exception):
    """This machine does not allow the scenario."""


class Idle(Exception):
    """There is nothing to try now, on any machine."""


def free_port():
    """A TCP port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def quiet(*command):
    """Runs a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=LATE)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()}")
    return done


class Node:
    """One node: where it lives and listens, and its process while it runs."""

    def __init__(self, name, args, validator):
        self.name, self.args, self.validator = name, list(args), validator
        self.host, self.netns, self.process = "127.0.0.1", None, None
        self.rpc, self.p2p = free_port(), free_port()
        self.peer = None

    @property
    def address(self):
        return f"/ip4/{self.host}/tcp/{self.p2p}/p2p/{self.peer}"


class Network:
    """The nodes of a definition, none of them running yet. `spec` is the text of a specification that takes the place of
    the definition's chain; `others` are the programs of nodes, by name, that do not run `binary`."""

    def __init__(self, binary, folder, definition, isolate=False, spec=None, others=None):
        self.binary, self.folder, self.others = binary, folder, others or {}
        self.label = os.path.basename(folder).split("-")[1]
        with open(os.path.join(HERE, definition), "rb") as file:
            chain = tomllib.load(file)["relaychain"]
        self.began = time.monotonic()
        self.bridge = None
        self.nodes = {}
        OPEN.append(self)
        self.spec = os.path.join(folder, "spec.json")
        if spec is None:
            with MAKING:
                if chain["chain"] not in SPECS:
                    SPECS[chain["chain"]] = quiet(binary, "export-chain-spec", "--chain", chain["chain"], "--raw").stdout
            spec = SPECS[chain["chain"]]
        with open(self.spec, "w", encoding="utf-8") as file:
            file.write(spec)
        try:
            if isolate:
                self.make_bridge()
            for node in chain["nodes"]:
                self.add(node["name"], node["args"], node["validator"])
        except Exception:
            self.close()
            raise

    # --- nodes ------------------------------------------------------------------------------

    def add(self, name, args=(), validator=False):
        """One more node, with a key of its own, so that others find it again after a restart."""
        node = Node(name, args, validator)
        done = quiet(self.binary, "key", "generate-node-key", "--file", self.file(name, "key"))
        node.peer = re.search(r"12D3\w+", done.stderr + done.stdout).group()
        if self.bridge:
            self.isolate(node)
        self.nodes[name] = node
        return node

    def file(self, name, kind):
        return os.path.join(self.folder, f"{name}.{kind}")

    def start(self, *names, spec=None, options=(), environment=None):
        """Starts nodes (all by default) and waits until they answer."""
        # Of these processes alone: other networks start beside this one.
        environment = {**os.environ, **(environment or {})}
        for name in names or list(self.nodes):
            node = self.nodes[name]
            others = [other.address for other in self.nodes.values() if other is not node]
            command = [
                self.others.get(name, self.binary), "--chain", spec or self.spec, "--base-path", self.file(name, "base"),
                "--node-key-file", self.file(name, "key"), "--name", name, *COMMON,
                "--listen-addr", f"/ip4/{'0.0.0.0' if node.netns else '127.0.0.1'}/tcp/{node.p2p}",
                "--rpc-port", str(node.rpc), *(["--bootnodes", *others] if others else []), *node.args, *options]
            if node.netns:
                command = ["ip", "netns", "exec", node.netns, *command, "--unsafe-rpc-external", "--rpc-cors", "all"]
            log = open(self.file(name, "log"), "ab")
            with log:
                node.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        for name in names or list(self.nodes):
            self.eventually(f"{name} answers", lambda name=name: self.answers(name))

    def answers(self, name):
        process = self.nodes[name].process
        if process.poll() is not None:
            raise Failed(f"{name} ended with {process.returncode}; its log ends:\n{self.log(name)[-1500:]}")
        try:
            return self.ask(name, "system_health") is not None
        except OSError:
            return False

    def stop(self, *names, how=signal.SIGTERM):
        """Stops nodes (all by default). One that is asked to stop does so, and ends well."""
        names, ended = names or list(self.nodes), {}
        for name in names:
            process = self.nodes[name].process
            if process and process.poll() is None:
                process.send_signal(how)
        for name in names:
            process = self.nodes[name].process
            if process:
                running = process.returncode is None
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                self.nodes[name].process = None
                if running and how != signal.SIGKILL and name not in self.others and process.returncode != 0:
                    ended[name] = process.returncode
        if ended:
            raise Failed(f"asked to stop, these ended with {ended}; the log ends:\n{self.log(next(iter(ended)))[-1500:]}")

    def kill(self, *names):
        """Ends nodes as a power cut would."""
        self.stop(*names, how=signal.SIGKILL)

    def forget(self, name):
        """Takes a node's database away."""
        shutil.rmtree(self.file(name, "base"), ignore_errors=True)

    def log(self, name):
        with open(self.file(name, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        """Leaves nothing running."""
        self.kill()
        if self in OPEN:
            OPEN.remove(self)
        for node in self.nodes.values():
            if node.netns:
                subprocess.run(["ip", "netns", "del", node.netns], capture_output=True)
        if self.bridge:
            subprocess.run(["ip", "link", "del", self.bridge], capture_output=True)

    # --- links ------------------------------------------------------------------------------

    def make_bridge(self):
        if os.geteuid() != 0 or not shutil.which("ip"):
            raise Skipped("cutting links takes root and iproute2")
        number = os.getpid()
        self.bridge, self.subnet = f"tos{number % 100_000}", f"10.{number % 200 + 20}.7"
        try:
            quiet("ip", "link", "add", self.bridge, "type", "bridge")
        except Failed as refused:
            self.bridge = None
            raise Skipped(f"this machine lets nobody make a network bridge ({refused})") from refused
        quiet("ip", "addr", "add", f"{self.subnet}.254/24", "dev", self.bridge)
        quiet("ip", "link", "set", self.bridge, "up")

    def isolate(self, node):
        number = len(self.nodes) + 1
        node.host, node.netns = f"{self.subnet}.{number}", f"{self.bridge}n{number}"
        inner, outer = "eth0", f"{self.bridge}v{number}"
        quiet("ip", "netns", "add", node.netns)
        quiet("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", node.netns)
        quiet("ip", "link", "set", outer, "master", self.bridge, "up")
        inside = ("ip", "-n", node.netns)
        quiet(*inside, "addr", "add", f"{node.host}/24", "dev", inner)
        quiet(*inside, "link", "set", inner, "up")
        quiet(*inside, "link", "set", "lo", "up")

    def cut(self, ours, theirs):
        """No packet passes between two groups of nodes any more."""
        self.links("add", ours, theirs)

    def heal(self, ours, theirs):
        """Packets pass again."""
        self.links("del", ours, theirs)

    def links(self, what, ours, theirs):
        for near, far in ((ours, theirs), (theirs, ours)):
            for a in near:
                for b in far:
                    quiet("ip", "-n", self.nodes[a].netns, "route", what, "blackhole", f"{self.nodes[b].host}/32")

    # --- what nodes say ---------------------------------------------------------------------

    def ask(self, name, method, *params):
        """The answer of a node to one JSON-RPC call."""
        node = self.nodes[name]
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(f"http://{node.host}:{node.rpc}", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=LATE) as answer:
            reply = json.load(answer)
        if "error" in reply:
            raise Failed(f"{name}: {method}: {reply['error']}")
        return reply["result"]

    def best(self, name):
        return int(self.ask(name, "chain_getHeader")["number"], 16)

    def finalised(self, name):
        return int(self.ask(name, "chain_getHeader", self.ask(name, "chain_getFinalizedHead"))["number"], 16)

    def hash(self, name, number):
        return self.ask(name, "chain_getBlockHash", number)

    def peers(self, name):
        return self.ask(name, "system_health")["peers"]

    def script(self, action, *arguments, node="alice", limit=LATE, file="extrinsics.mjs"):
        """Runs an action of a script beside this one, which signs and submits; returns what it prints as JSON."""
        at = self.nodes[node]
        try:
            done = subprocess.run(
                ["node", os.path.join(HERE, file), f"ws://{at.host}:{at.rpc}", action, *map(str, arguments)],
                capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired as late:
            said = (late.stderr or b"").decode(errors="replace").strip()
            raise Failed(f"{action}: not within {limit} s{'; it said last:' if said else ''}\n{said[-1500:]}") from late
        if done.returncode != 0:
            raise Failed(f"{action}: {done.stderr.strip()[-1500:]}")
        # The packages say in lines of their own that a runtime is new.
        return json.loads(done.stdout.splitlines()[-1])

    # --- what must hold ---------------------------------------------------------------------

    def grows(self, names, blocks):
        """Every one of these nodes has so many blocks more on its best chain, final or not."""
        goals = {name: self.best(name) + blocks for name in names}
        for name, goal in goals.items():
            self.eventually(f"{name} has block {goal}", lambda name=name, goal=goal: self.best(name) >= goal)

    def say(self, text):
        print(f"  {self.label}: {time.monotonic() - self.began:6.1f} s  {text}", file=sys.stderr, flush=True)

    def eventually(self, what, probe, limit=LATE):
        """Waits until `probe` finds something, and returns it."""
        deadline = time.monotonic() + limit
        while True:
            try:
                if found := probe():
                    return found
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            if time.monotonic() > deadline:
                raise Failed(f"not within {limit} s: {what}")
            time.sleep(0.3)

    def advances(self, names, blocks=6, limit=LATE):
        """Every one of these nodes finalises so many blocks more; returns the least height reached."""
        goal = max(self.finalised(name) for name in names) + blocks
        for name in names:
            self.eventually(f"{name} finalises block {goal}", lambda name=name: self.finalised(name) >= goal, limit)
        return goal

    def same(self, names, number):
        """These nodes have the same block of that height; returns its hash."""
        hashes = {self.hash(name, number) for name in names}
        if len(hashes) != 1 or None in hashes:
            raise Failed(f"{', '.join(names)} have different blocks {number}: {hashes}")
        return hashes.pop()
