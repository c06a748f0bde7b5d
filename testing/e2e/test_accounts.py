# SPDX-License-Identifier: Apache-2.0
"""Keys that act for other accounts, on a development chain (docs/keys.md).

* An owner registers as a miner and appoints a key of kind `worker`, which joins, answers and claims for it. The owner
  is paid; the key pays fees and nothing else. Whatever else the key tries for the owner is refused and changes nothing.
* A group of three, of which two must agree, appoints a proxy: the first proposal changes nothing, the second approval
  executes it.
"""

import subprocess

import pytest

from tos_harness.chain import TOS, DevChain
from tos_harness.cli import Tos
from tos_harness.paths import example, python

pytestmark = pytest.mark.ordered

OWNER, WORKER, STRANGER = "//Bob", "//Bob//worker", "//Charlie"
GROUP = ("//Alice", "//Dave", "//Eve")
JUDGES = ("//Dave", "//Eve", "//Ferdie")


@pytest.fixture(scope="module")
def group(binaries, folder):
    """The words that name the group, and its account."""
    tos = Tos(binaries / "tos", "ws://127.0.0.1:1", folder)
    members = [word for key in GROUP for word in ("--signatory", tos("keys", "show", key=key)["address"])]
    words = ["--threshold", "2", *members]
    return words, tos("accounts", "multisig", "address", *words)["account"]


@pytest.fixture(scope="module")
def net(binaries, folder, group):
    def fund(genesis):
        # Enough for fees, and for the deposit of a proxy.
        tos = Tos(binaries / "tos", "ws://127.0.0.1:1", folder)
        worker = tos("keys", "show", key=WORKER)["address"]
        genesis["balances"]["balances"] += [[worker, 10 * TOS], [group[1], 100 * TOS]]

    chain = DevChain(binaries, folder, change=fund).start()
    yield chain
    chain.close()


def free(net, key):
    return int(net.tos("chain", "account", key=key)["free"])


def refused(net, key, error, *words):
    """The chain refuses a call with this error."""
    net.tos.refused(error, "--wait", "best", *words, key=key)


def test_a_key_works_for_an_owner_who_is_paid_and_pays_nothing(net):
    """A task from publication to the claim, with a miner whose own key never works."""
    owner = net.address(OWNER)
    task_type = "algorithm-optimization"
    for key in JUDGES:
        name = f"judge {key.strip('/')}"
        net.call(name, key, "judge", "register", "--types", task_type)
        net.run(name, key, "judge", "run", "--judge-cmd", python("judge.py"))
    net.call("owner", OWNER, "miner", "register", "--types", task_type)
    refused(net, WORKER, "NotProxy", "--for", owner, "miner", "set-types", "--types", "general")
    net.call("owner", OWNER, "accounts", "add-proxy", net.address(WORKER), "--kind", "worker")
    listed = net.call("owner", OWNER, "accounts", "proxies")
    assert [proxy["kind"] for proxy in listed["proxies"]] == ["worker"], f"the proxies are {listed}"
    net.say("a worker's key is appointed")

    before = {key: free(net, key) for key in (OWNER, WORKER, STRANGER)}
    net.run("miner", WORKER, "--for", owner, "miner", "run", "--solver-cmd", python("tsp", "solve_or_opt.py"))
    task = net.call("publisher", "//Alice", "task", "publish", "--type", task_type, "--difficulty", "beginner",
                    "--reward", "10", "--spec", example("tsp", "berlin52.json"), "--open-for", "120",
                    "--max-participants", "1", "--param", "problem=tsp", "--param", "objective=minimise")["task"]
    view = net.eventually("the task is settled", lambda: settled(net, task))
    mine = [part for part in view["submissions"] if part["miner"] == owner]
    assert len(view["submissions"]) == 1 and mine, "the owner is not the task's miner"
    earned = int(mine[0]["earned"])
    assert earned > 0, "the owner earned nothing"
    net.eventually("the reward is claimed", lambda: not net.rpc("tos_claimable", owner))
    # Not a wei of a fee is the owner's, nor one of the reward the worker's.
    net.eventually("the owner has its reward", lambda: free(net, OWNER) == before[OWNER] + earned)
    assert free(net, WORKER) < before[WORKER], "the worker's key paid no fees"
    net.say(f"the owner earned {earned / TOS:.4f} TOS; the key that worked paid {(before[WORKER] - free(net, WORKER)) / TOS:.4f} of fees")


def settled(net, task):
    view = net.rpc("tos_task", task)
    return view if isinstance(view["summary"]["phase"], dict) else None


def test_a_thief_of_the_key_gains_nothing_and_a_dismissed_key_does_nothing(net):
    """All that a thief of the worker's key tries."""
    owner, thief = net.address(OWNER), net.address(STRANGER)
    held = net.tos("chain", "account", key=OWNER)
    tries = (
        ("miner", "leave"), ("miner", "set-types", "--types", "general"), ("miner", "withdraw"),
        ("judge", "register", "--types", "general"), ("rewards", "auto-claim", "on"),
        ("accounts", "add-proxy", thief, "--kind", "any"),
        ("accounts", "remove-proxy", net.address(WORKER), "--kind", "worker"),
    )
    for words in tries:
        refused(net, WORKER, "CallFiltered", "--for", owner, *words)
    assert net.tos("chain", "account", key=OWNER) == held, "a refused call changed something of the owner"
    net.call("owner", OWNER, "accounts", "remove-proxy", net.address(WORKER), "--kind", "worker")
    refused(net, WORKER, "NotProxy", "--for", owner, "miner", "leave")
    net.say(f"{len(tries)} attempts of a thief are refused, and a dismissed key does nothing")


def test_two_of_three_appoint_a_proxy_of_their_group(net, group):
    words, shared = group
    first, second, _ = GROUP
    call = net.call("first", first, "--print-call", "accounts", "add-proxy", net.address(STRANGER), "--kind", "governance")["encoded"]
    net.call("first", first, "accounts", "multisig", "propose", *words, "--call", call)
    proxies = ("accounts", "proxies", shared)
    assert not net.tos(*proxies)["proxies"], "one of two was enough"
    net.call("second", second, "accounts", "multisig", "approve", *words, "--call", call)
    appointed = net.tos(*proxies)["proxies"]
    assert [proxy["kind"] for proxy in appointed] == ["governance"], f"the group's proxies are {appointed}"
    net.say("two of three appointed a proxy of their group")


def test_the_first_program_of_the_sdk_lists_tasks_and_sends_a_transaction(net, binaries):
    """As client/sdk/README.md has it."""
    ran = subprocess.run([binaries / "examples/first_program", net.url], stdout=subprocess.PIPE, text=True, timeout=90, check=True)
    assert "the fee is 0." in ran.stdout and "paid out by itself from block " in ran.stdout, ran.stdout
    net.say("the first program of the SDK ran")
