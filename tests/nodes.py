# SPDX-License-Identifier: Apache-2.0
"""Nodes that are started from the templates in ops/config, for the tests of what operators are given."""

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OPS = os.path.join(ROOT, "ops")
sys.path.insert(0, os.path.join(ROOT, "zombienet"))

from network import Failed, free_port  # noqa: E402

# Ends of waits for something that comes by itself, also beside a build; a test that holds never sees them.
LATE = 240


def check(holds, what):
    """Fails unless it holds."""
    if not holds:
        raise Failed(what)


def eventually(what, probe, limit=LATE):
    """Waits until `probe` finds something, and returns it."""
    deadline = time.monotonic() + limit
    while not (found := probe()):
        check(time.monotonic() < deadline, f"not within {limit} s: {what}")
        time.sleep(0.2)
    return found


def text(*parts):
    """The text of a file of the repository."""
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


def template(role):
    """The arguments in a role's template, as systemd reads them."""
    joined = re.sub(r"\\\n", " ", text("ops", "config", f"{role}.env"))
    values = dict(line.split("=", 1) for line in joined.splitlines() if line and not line.startswith("#"))
    return values["TOS_CHAIN"], values["TOS_ARGS"].split()


ROLES = sorted(name[:-4] for name in os.listdir(os.path.join(OPS, "config")))


def run_ops(name, *arguments):
    """Exit code and JSON of one of the programs in ops/."""
    done = subprocess.run([sys.executable, os.path.join(OPS, name), *arguments], capture_output=True, text=True, check=False)
    printed = (done.stdout or done.stderr).strip()
    with contextlib.suppress(ValueError):
        printed = json.loads(printed)
    return done.returncode, printed


class Node:
    """A node of a development chain, or of another, started from a template."""

    def __init__(self, binary, folder, role, chain="dev-fast", **changed):
        self.base = os.path.join(folder, f"{role}-{free_port()}")
        self.rpc, self.metrics = free_port(), free_port()
        arguments = " ".join(template(role)[1])
        changed = {"base-path": self.base, "port": free_port(), "rpc-port": self.rpc,
                   "prometheus-port": self.metrics, **changed}
        for name, value in changed.items():
            arguments, count = re.subn(rf"--{name} \S+", f"--{name} {value}", arguments)
            check(count == 1, f"the template of {role} has no --{name}")
        self.command = [binary, "--chain", chain, *arguments.split(), "--no-private-ip"]
        self.log = open(self.base + ".log", "w", encoding="utf-8")  # noqa: SIM115
        self.process = None

    def start(self, *more):
        """Starts it and waits until it answers."""
        self.process = subprocess.Popen([*self.command, *more], stdout=self.log, stderr=subprocess.STDOUT)

        def answers():
            check(self.process.poll() is None, f"a node ended; its log is {self.log.name}")
            with contextlib.suppress(OSError, ValueError):
                return self.ask("system_health")
            return None

        eventually(f"a node answers; its log is {self.log.name}", answers)
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def post(self, body, **headers):
        """Status, headers and body of a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.rpc, timeout=60)
        try:
            connection.request("POST", "/", body, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace")
        finally:
            connection.close()

    def ask(self, method, *params):
        """The reply to one JSON-RPC call."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return json.loads(self.post(body)[2])

    def result(self, method, *params):
        reply = self.ask(method, *params)
        check("result" in reply, f"{method}: {reply}")
        return reply["result"]

    def refusal(self, method, *params):
        """The code of the error that a call gets."""
        reply = self.ask(method, *params)
        check("error" in reply, f"{method} is answered: {reply}")
        return reply["error"]["code"]

    def until(self, height):
        """Waits for a final block of at least this number."""
        def final():
            number = int(self.result("chain_getHeader", self.result("chain_getFinalizedHead"))["number"], 16)
            return number if number >= height else None

        return eventually(f"block {height} is final", final)
