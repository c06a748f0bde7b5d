#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keys that act for other accounts, on a development chain (docs/keys.md).

    tests/accounts.py --bin DIR

* An owner registers as a miner and appoints a key of kind `worker`, which joins, answers and claims for it. The owner
  is paid; the key pays fees and nothing else. Whatever else the key tries for the owner is refused and changes nothing.
* A group of three, of which two must agree, appoints a proxy: the first proposal changes nothing, the second approval
  executes it.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile

import specs
import storage

parts = storage.parts

OWNER, WORKER, STRANGER = "//Bob", "//Bob//worker", "//Charlie"
GROUP = ("//Alice", "//Dave", "//Eve")
TOS = 10**18
REFUSED = 3
JUDGE = f"{sys.executable} {parts.example('judge.py')}"
SOLVER = f"{sys.executable} {parts.example('tsp', 'solve_or_opt.py')}"


def require(holds, what):
    if not holds:
        raise parts.Failed(what)


class Net(storage.Net):
    def address(self, key):
        return self.tos("keys", "show", key=key)["address"]

    def group(self):
        members = [word for key in GROUP for word in ("--signatory", self.address(key))]
        return ["--threshold", "2", *members]

    def start_chain(self):
        self.shared = self.tos("accounts", "multisig", "address", *self.group())["account"]
        spec = os.path.join(self.folder, "spec.json")

        def fund(genesis):
            # Enough for fees, and for the deposit of a proxy.
            genesis["balances"]["balances"] += [[self.address(WORKER), 10 * TOS], [self.shared, 100 * TOS]]

        specs.write(self.node, spec, "dev-fast", fund)
        self.start("node", [
            self.node, "--chain", spec, "--alice", "--validator", "--force-authoring",
            "--base-path", os.path.join(self.folder, "node"), "--rpc-port", str(self.rpc),
            "--port", str(parts.free_port()), "--no-prometheus", "--no-telemetry", "--no-mdns",
            "--unsafe-force-node-key-generation"])
        self.eventually("the first finalised block",
                        lambda: self.tos("chain", "status")["finalised"]["number"] > 0)

    def free(self, key):
        return int(self.tos("chain", "account", key=key)["free"])

    def refused(self, key, error, *arguments):
        """The call is refused by the chain with this error."""
        done = subprocess.run(self.client("refused", key, "--wait", "best", *arguments),
                              capture_output=True, text=True, timeout=storage.LATE)
        require(done.returncode == REFUSED, f"{arguments} ended with {done.returncode}: {done.stderr}")
        require(error in done.stderr, f"{arguments} is refused, but not with {error}: {done.stderr}")


def work(net):
    """A task from publication to the claim, with a miner whose own key never works."""
    owner = net.address(OWNER)
    task_type = "algorithm-optimization"
    for key in ("//Dave", "//Eve", "//Ferdie"):
        net.call(f"judge {key.strip('/')}", key, "validator", "register", "--types", task_type)
        net.start(f"judge {key.strip('/')}", net.client(
            f"judge {key.strip('/')}", key, "validator", "run", "--judge-cmd", JUDGE))
    net.call("owner", OWNER, "miner", "register", "--types", task_type)
    net.refused(WORKER, "NotProxy", "--for", owner, "miner", "set-types", "--types", "general")
    net.call("owner", OWNER, "accounts", "add-proxy", net.address(WORKER), "--kind", "worker")
    listed = net.call("owner", OWNER, "accounts", "proxies")
    require([proxy["kind"] for proxy in listed["proxies"]] == ["worker"], f"the proxies are {listed}")
    net.say("a worker's key is appointed")

    before = {key: net.free(key) for key in (OWNER, WORKER, STRANGER)}
    net.start("miner", net.client("miner", WORKER, "--for", owner, "miner", "run", "--solver-cmd", SOLVER))
    task = net.call("publisher", "//Alice", "task", "publish", "--type", task_type, "--difficulty", "beginner",
                    "--reward", "10", "--spec", parts.example("tsp", "berlin52.json"), "--open-for", "120",
                    "--max-participants", "1", "--param", "problem=tsp", "--param", "objective=minimise")["task"]
    view = net.eventually("the task is settled", lambda: settled(net, task))
    mine = [part for part in view["submissions"] if part["miner"] == owner]
    require(len(view["submissions"]) == 1 and mine, "the owner is not the task's miner")
    earned = int(mine[0]["earned"])
    require(earned > 0, "the owner earned nothing")
    net.eventually("the reward is claimed", lambda: not net.rpc_call("tos_claimable", owner))
    # Not a wei of a fee is the owner's, nor one of the reward the worker's.
    net.eventually("the owner has its reward", lambda: net.free(OWNER) == before[OWNER] + earned)
    require(net.free(WORKER) < before[WORKER], "the worker's key paid no fees")
    net.say(f"the owner earned {earned / TOS:.4f} TOS; the key that worked paid {(before[WORKER] - net.free(WORKER)) / TOS:.4f} of fees")


def settled(net, task):
    view = net.rpc_call("tos_task", task)
    return view if isinstance(view["summary"]["phase"], dict) else None


def steal(net):
    """All that a thief of the worker's key tries."""
    owner, thief = net.address(OWNER), net.address(STRANGER)
    held = net.tos("chain", "account", key=OWNER)
    tries = (
        ("miner", "leave"), ("miner", "set-types", "--types", "general"), ("miner", "withdraw"),
        ("validator", "register", "--types", "general"), ("rewards", "auto-claim", "on"),
        ("accounts", "add-proxy", thief, "--kind", "any"),
        ("accounts", "remove-proxy", net.address(WORKER), "--kind", "worker"),
    )
    for words in tries:
        net.refused(WORKER, "CallFiltered", "--for", owner, *words)
    require(net.tos("chain", "account", key=OWNER) == held, "a refused call changed something of the owner")
    net.call("owner", OWNER, "accounts", "remove-proxy", net.address(WORKER), "--kind", "worker")
    net.refused(WORKER, "NotProxy", "--for", owner, "miner", "leave")
    net.say(f"{len(tries)} attempts of a thief are refused, and a dismissed key does nothing")


def together(net):
    """Two of three appoint a proxy of their group."""
    first, second, _ = GROUP
    call = net.call("first", first, "--print-call", "accounts", "add-proxy", net.address(STRANGER), "--kind", "governance")["encoded"]
    net.call("first", first, "accounts", "multisig", "propose", *net.group(), "--call", call)
    proxies = ("accounts", "proxies", net.shared)
    require(not net.tos(*proxies)["proxies"], "one of two was enough")
    net.call("second", second, "accounts", "multisig", "approve", *net.group(), "--call", call)
    appointed = net.tos(*proxies)["proxies"]
    require([proxy["kind"] for proxy in appointed] == ["governance"], f"the group's proxies are {appointed}")
    net.say("two of three appointed a proxy of their group")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, metavar="DIR", help="folder of tos-node and tos")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="tos-accounts-") as folder:
        net = Net(os.path.abspath(options.bin), folder)
        try:
            net.start_chain()
            work(net)
            steal(net)
            together(net)
        except parts.Failed as failure:
            print(f"accounts: {failure}", file=sys.stderr)
            return 1
        finally:
            net.processes.stop()
    print(json.dumps({"accounts": "ok"}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
