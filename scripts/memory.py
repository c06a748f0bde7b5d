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
import sys
import tempfile
import time
from pathlib import Path

from tos_harness.node import AUTHOR, Node
from tos_harness.paths import ROOT
from tos_harness.process import run, stop_all, stop_when_interrupted
from tos_harness.report import say
from tos_harness.wait import Failed


def row(what, node):
    used = node.memory()
    say(f"| {what} | {node.best()} | {used['resident']:.0f} | {used['anonymous']:.0f} | {used['peak']:.0f} |")


def measure(arguments, folder):
    node = Node(arguments.bin / "tos-node", folder, arguments=AUTHOR, chain="dev").start().ready()
    node.until(1)
    say("| node | block | resident MiB | of it anonymous | peak |\n|---|---:|---:|---:|---:|")
    row("started", node)
    time.sleep(arguments.seconds)
    row(f"idle for {arguments.seconds} s", node)
    load = run("node", ROOT / "testing/e2e/polkadot-js/load.mjs", node.url, str(arguments.seconds),
               limit=arguments.seconds * 4 + 120)
    node.check()
    row(f"after {arguments.seconds} s of load", node)
    time.sleep(arguments.seconds)
    row(f"{arguments.seconds} s later", node)

    sent = json.loads(load.stdout.splitlines()[-1])
    say(f"\nload: {sent['sent']} transactions sent, {sent['refused']} refused by the pool; "
        f"in {sent['blocks']} blocks: {sent['transfers']} transfers, {sent['tasks']} tasks "
        f"published, {sent['failed']} failed; {sent['fullest']} transactions in the fullest")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True, help="folder with tos-node")
    parser.add_argument("--seconds", type=int, default=60, help="length of each part (default 60)")
    arguments = parser.parse_args()
    stop_when_interrupted()
    with tempfile.TemporaryDirectory(prefix="tos-memory-") as folder:
        try:
            measure(arguments, Path(folder))
        except Failed as failure:
            print(failure, file=sys.stderr)
            return 1
        finally:
            stop_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
