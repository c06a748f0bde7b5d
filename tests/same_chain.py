#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every node of a localnet finalises, and that all finalised the same chain.

    same_chain.py DIR     DIR as given to scripts/localnet start --dir
"""

import glob
import json
import os
import sys
import time
import urllib.request


def call(port, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}", body,
                                     {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)["result"]


def finalised(port):
    head = call(port, "chain_getFinalizedHead")
    return int(call(port, "chain_getHeader", head)["number"], 16)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    ports = []
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "**", "rpc-port"), recursive=True)):
        with open(path, encoding="ascii") as file:
            ports.append(int(file.read()))
    if len(ports) < 2:
        print(f"found {len(ports)} nodes in {sys.argv[1]}; two are needed", file=sys.stderr)
        return 1
    goal = max(finalised(port) for port in ports) + 5
    deadline = time.monotonic() + 300
    while min(heights := [finalised(port) for port in ports]) < goal:
        if time.monotonic() > deadline:
            print(f"finality stands at {heights}; waited for {goal}", file=sys.stderr)
            return 1
        time.sleep(0.5)
    hashes = {call(port, "chain_getBlockHash", goal) for port in ports}
    if len(hashes) != 1:
        print(f"nodes finalised different blocks {goal}: {hashes}", file=sys.stderr)
        return 1
    print(f"{len(ports)} nodes finalised block {goal}, {hashes.pop()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
