#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The memory of a node, idle and under load. See scripts/bench.

Starts a development node (two-second blocks, one validator) on a fresh database, lets it make empty
blocks, then lets polkadot.js send it transfers and publications of tasks, and then lets it rest.
Prints the resident memory, the part of it that is not backed by files, and the peak, in MiB, as
Linux accounts for them in /proc/PID/status.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import demo as parts  # noqa: E402

FIELDS = {"VmRSS": "resident", "RssAnon": "anonymous", "VmHWM": "peak"}


def memory(pid):
    """The fields above, in MiB."""
    found = {}
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            name, _, value = line.partition(":")
            if name in FIELDS:
                found[FIELDS[name]] = int(value.split()[0]) / 1024
    return found


def rpc(port, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}", body,
                                     {"Content-Type": "application/json"})
    # A proxy of the environment has no business with a node on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return json.load(opener.open(request, timeout=10))["result"]


def height(port):
    return int(rpc(port, "chain_getHeader")["number"], 16)


def wait_for_first_block(processes, port):
    deadline = time.monotonic() + 120
    while True:
        processes.check()
        try:
            if height(port) > 0:
                return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise parts.Failed("the node made no block within two minutes")
        time.sleep(0.5)


def row(what, blocks, used):
    parts.say(f"| {what} | {blocks} | {used['resident']:.0f} | {used['anonymous']:.0f} | "
              f"{used['peak']:.0f} |")


def measure(arguments, processes, folder):
    port = parts.free_port()
    node = processes.start("node", [
        os.path.join(arguments.bin, "tos-node"), "--chain", "dev", "--alice", "--validator",
        "--force-authoring", "--base-path", os.path.join(folder, "node"), "--rpc-port", str(port),
        "--port", str(parts.free_port()), "--no-prometheus", "--no-telemetry", "--no-mdns",
        "--unsafe-force-node-key-generation"])
    wait_for_first_block(processes, port)
    parts.say("| node | block | resident MiB | of it anonymous | peak |\n|---|---:|---:|---:|---:|")
    row("started", height(port), memory(node.pid))
    time.sleep(arguments.seconds)
    row(f"idle for {arguments.seconds} s", height(port), memory(node.pid))

    load = subprocess.run(
        ["node", os.path.join(parts.ROOT, "tests", "e2e", "load.mjs"),
         f"ws://127.0.0.1:{port}", str(arguments.seconds)],
        capture_output=True, text=True, timeout=arguments.seconds * 4 + 120)
    processes.check()
    if load.returncode != 0:
        raise parts.Failed(f"the load ended with code {load.returncode}:\n{load.stderr.strip()}")
    row(f"after {arguments.seconds} s of load", height(port), memory(node.pid))
    time.sleep(arguments.seconds)
    row(f"{arguments.seconds} s later", height(port), memory(node.pid))

    sent = json.loads(load.stdout.splitlines()[-1])
    parts.say(f"\nload: {sent['sent']} transactions sent, {sent['refused']} refused by the pool; "
              f"in {sent['blocks']} blocks: {sent['transfers']} transfers, {sent['tasks']} tasks "
              f"published, {sent['failed']} failed; {sent['fullest']} transactions in the fullest")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder with tos-node")
    parser.add_argument("--seconds", type=int, default=60, help="length of each part (default 60)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tos-memory-") as folder:
        processes = parts.Processes(folder)
        try:
            measure(arguments, processes, folder)
        except parts.Failed as failure:
            print(failure, file=sys.stderr)
            return 1
        finally:
            processes.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
