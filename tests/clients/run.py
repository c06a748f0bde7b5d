#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of others on a chain with audits in its blocks: each connects, follows heads, reads every block since genesis (or shows
the limit that docs/rpc.md names), queries, signs, sends, and is told by name of what is refused. What they call is on the list
of the RPC node's template.

    tests/clients/run.py --bin DIR [--only NAME]...

The packages are there after `npm ci` in this folder and after scripts/setup.
"""

import argparse
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests"))

import nodes  # noqa: E402
import specs  # noqa: E402
import storage  # noqa: E402

parts = storage.parts

ENVIRONMENTS = os.environ.get("TOS_PYTHON_CLIENTS", os.path.join(os.path.expanduser("~"), ".cache", "tos-python-clients"))
# Seconds within which a client is done, also beside a build.
LATE = 300
SCRIPTS = {"@polkadot/api": "polkadot-js.mjs", "polkadot-api": "papi.mjs", "dedot": "dedot.mjs", "smoldot": "smoldot.mjs"}
LIBRARIES = ("substrate-interface", "async-substrate-interface")
PROVIDER, CLIENT = ("provider", "//Bob//stash"), "//Alice"
SPECIFICATION = b'{"kind":"text","title":"Published by a client of others","data":{}}'
# Tests read within seconds what users read in hours; ports are the test's own.
OWN = ("--rpc-port", "--rpc-rate-limit")


def rpc_options(role):
    """The options of a role's template that say what is served by RPC."""
    words, options = nodes.template(role)[1], []
    for at, word in enumerate(words):
        if word.startswith("--rpc-") and word not in OWN:
            options.append(word)
            options += [following for following in words[at + 1:at + 2] if not following.startswith("--")]
    return options


class Chain(storage.Net):
    """A chain with a provider, an auditor, and their answers in its blocks."""

    def start_chain(self):
        self.spec = os.path.join(self.folder, "spec.json")
        specs.write(self.node, self.spec, "dev-fast", lambda genesis: genesis["storage"]["scale"].update(storage.SCALE))
        port, self.metrics = parts.free_port(), parts.free_port()
        self.start("node", [
            self.node, "--chain", self.spec, "--alice", "--validator", "--force-authoring", "--timekeeper",
            "--base-path", os.path.join(self.folder, "node"), "--rpc-port", str(self.rpc), *rpc_options("archive"),
            # A validator listens for WebSockets only where it is told to.
            "--listen-addr", f"/ip4/127.0.0.1/tcp/{port}/ws", "--state-pruning", "archive", "--blocks-pruning", "archive",
            "--prometheus-port", str(self.metrics), "--no-telemetry", "--no-mdns", "--unsafe-force-node-key-generation"])
        self.eventually("the first finalised block", lambda: self.tos("chain", "status")["finalised"]["number"] > 0)
        with open(self.spec, encoding="utf-8") as file:
            spec = json.load(file)
        spec["bootNodes"] = [f"/ip4/127.0.0.1/tcp/{port}/ws/p2p/{self.rpc_call('system_localPeerId')}"]
        self.light = os.path.join(self.folder, "light.json")
        specs.store(self.light, spec)

    def audits(self):
        """Waits for answers of a provider in the chain. The provider goes on."""
        account = self.start_provider(*PROVIDER)
        self.start("committee", self.client("committee", "//Alice//stash", "storage", "audit", "--no-challenge"))
        path = os.path.join(self.folder, "file")
        with open(path, "wb") as file:
            file.write(b"a file that providers keep " * 100)
        port = parts.free_port()
        self.start("content", self.client("client", CLIENT, "content", "serve", f"127.0.0.1:{port}"))
        self.call("client", CLIENT, "storage", "publish", path, "--price", "0.5", "--retention", "365d", "--provider", account,
                  "--public-url", f"http://127.0.0.1:{port}")
        self.eventually("an audit is answered", lambda: self.status(account)["provider"]["answered"] > 0)
        best = self.tos("chain", "status")["best"]["number"]
        self.eventually("that is final", lambda: self.tos("chain", "status")["finalised"]["number"] >= best)

    def content(self):
        """What a task asks, as its publication names it."""
        path = os.path.join(self.folder, "specification.json")
        with open(path, "wb") as file:
            file.write(SPECIFICATION)
        put = self.call("client", CLIENT, "content", "put", path)
        return {"hash": put["hash"], "size": len(SPECIFICATION), "inline": "0x" + SPECIFICATION.hex()}

    def called(self):
        """The RPC methods that were called and that the node has."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=60) as answer:
            names = set(re.findall(r'rpc_calls_started\{[^}]*\bmethod="(\w+)"', answer.read().decode()))
        return names & set(self.rpc_call("rpc_methods")["methods"])


def command(name):
    """What runs the tests of one client."""
    if name in SCRIPTS:
        # The light client leaves timers behind when it has ended.
        return ["node", "--test-force-exit", os.path.join(HERE, SCRIPTS[name])], {}
    python = os.path.join(ENVIRONMENTS, name, "bin", "python")
    return [python, os.path.join(HERE, "python_client.py")], {"TOS_LIBRARY": name}


def run_client(name, environment):
    """Seconds, exit code and output of the tests of one client."""
    words, own = command(name)
    began = time.monotonic()
    try:
        done = subprocess.run(words, env={**os.environ, **environment, **own}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LATE, check=False)
        code, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, said = 1, f"{(late.stdout or b'').decode(errors='replace')}\nnot within {LATE} seconds"
    return time.monotonic() - began, code, said


def missing():
    """Clients whose packages are not installed."""
    installed = os.path.isdir(os.path.join(HERE, "node_modules"))
    return [name for name in SCRIPTS if not installed] + [name for name in LIBRARIES if not os.path.exists(command(name)[0][0])]


def run(chain, names):
    chain.start_chain()
    chain.say("a development chain that serves RPC as an archive does")
    chain.audits()
    chain.say("a provider's answers are in final blocks")
    environment = {"TOS_URL": chain.url, "TOS_SPEC": chain.light, "TOS_CONTENT": json.dumps(chain.content())}
    failed = []
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        jobs = {pool.submit(run_client, name, environment): name for name in names}
        for job in concurrent.futures.as_completed(jobs):
            seconds, code, said = job.result()
            chain.say(f"{jobs[job]}: {'as it should be' if code == 0 else 'FAILED'}, {seconds:.1f} s")
            if code != 0:
                failed.append(jobs[job])
                parts.say(said)
    chain.processes.check()
    if failed:
        raise parts.Failed(f"clients that failed: {', '.join(sorted(failed))}")
    called, served = chain.called(), nodes.template("rpc")[1]
    patterns = served[served.index("--rpc-allow") + 1].split(",")
    # History beyond the pruning window is what archives are for.
    lacking = sorted(name for name in called if not name.startswith("archive_")
                     and not any(re.fullmatch(pattern.replace("*", ".*"), name) for pattern in patterns))
    if lacking or not called:
        raise parts.Failed(f"clients call what the template of the RPC node does not serve: {lacking}, of {sorted(called)}")
    chain.say(f"{len(called)} methods were called; the template of the RPC node serves all but archive_*")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of tos-node and tos")
    parser.add_argument("--only", action="append", choices=[*SCRIPTS, *LIBRARIES], help="this client; may be repeated")
    options = parser.parse_args()
    names = options.only or [*SCRIPTS, *LIBRARIES]
    if absent := sorted(set(names) & set(missing())):
        print(f"not installed: {', '.join(absent)}; run scripts/setup, and `npm ci` in {HERE}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="tos-clients-") as folder:
        chain = Chain(os.path.abspath(options.bin), folder)
        try:
            run(chain, names)
            parts.say("clients of others: all as it should be")
            return 0
        except parts.Failed as failure:
            print(f"clients of others: {failure}", file=sys.stderr)
            return 1
        finally:
            chain.processes.stop()


if __name__ == "__main__":
    sys.exit(main())
