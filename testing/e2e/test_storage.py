# SPDX-License-Identifier: Apache-2.0
"""Real files on a development chain: sealed, proven, damaged, killed, given back.

A chain with a timekeeper, two storage providers, a client and a committee member.

* The client publishes three files, each with both providers, and stops serving them as soon as they are sealed.
* The careful provider is killed with SIGKILL in the middle of a window and started again, twice; it must prove ten
  windows in a row all the same.
* The careless provider loses 10, 25 and 51 % of the chunks of its three replicas, overwritten on disk. Each must be
  caught within the bound below.
* The client deletes its own copies. It gets all files back bit by bit; in the end with half of the coded chunks
  gone from the careful provider's disk, both from the provider and by putting chunks together itself.

Every active replica is audited in every block while there are fewer than ten, with two words drawn by the beacon, and
its 16 words are proven in every window. With a share d of the chunks gone, an audit is passed with probability
(1-d)^2 at most. Counting audits alone, k = 40 ln 2 / -ln(1-d) opened words catch the loss but for 2^-40; at two words in each of
the window's ticks that is k / (2 * window) windows, and one more in which the last audit runs out.
"""

import hashlib
import math
import os
import random
import shutil
import time

import pytest

from tos_harness.chain import DevChain
from tos_harness.storage import CLIENT, publish, quick, sealed_file, show, sources, start_provider, status

CHUNK = 4_096
WINDOWS = 10
# Windows, from the first on, in which the careful provider is killed.
KILLS = (3, 6)
# Seconds within which all is over.
LIMIT = 900
LOSSES = (0.10, 0.25, 0.51)
VALIDATOR = "//Alice//stash"
CAREFUL, CARELESS = ("careful", "//Bob"), ("careless", "//Charlie")
SOURCES = (("primitives",), ("pallets",), ("client", "runtime/tos/src", "node"))


@pytest.fixture(scope="module")
def net(binaries, folder):
    chain = DevChain(binaries, folder, "--timekeeper", change=quick).start()
    yield chain
    chain.close()


def bound(loss, window, deadline):
    """Windows within which a loss is caught, but for one case in 2^40: two words a tick, and the time to answer."""
    words = 40 * math.log(2) / -math.log(1 - loss)
    return math.ceil((words / 2 + deadline) / window) + 1


def lose(path, share, seed):
    """Overwrites a share of the chunks; returns how many of how many."""
    chunks = os.path.getsize(path) // CHUNK
    lost = random.Random(seed).sample(range(chunks), math.floor(chunks * share))
    with open(path, "r+b") as file:
        for chunk in lost:
            file.seek(chunk * CHUNK)
            file.write(b"\xee" * CHUNK)
    return len(lost), chunks


def publish_all(net, providers):
    """Offers every file to every provider, and waits until all are sealed. Returns files, deals and replicas by (provider, file)."""
    url = net.serve_content(CLIENT)
    files, deals = [], {}
    for number, folders in enumerate(SOURCES):
        path, data = net.folder / f"sources-{number}.tar", sources(*folders)
        path.write_bytes(data)
        files.append((path, hashlib.sha256(data).hexdigest()))
        for name, account in providers.items():
            deals[name, number] = publish(net, path, account, url)
        net.say(f"{path.name}: {len(data) / 2**20:.1f} MiB, offered to both providers")
    replicas = {}

    def all_active():
        for key, deal in deals.items():
            replica = show(net, deal)["replica"]
            if replica is None or replica["status"] != "active":
                return False
            replicas[key] = replica
        return True

    net.eventually("all replicas sealed and checked", all_active)
    for (name, number), replica in sorted(replicas.items()):
        place = replica["position"]
        net.say(f"{name}: file {number} is sealed, active from window {replica['firstWindow']} "
                f"(group {place['group']}, place {place['place']})")
    # Only the providers have the files now.
    net.processes.stop("content")
    for path, _ in files:
        os.remove(path)
    shutil.rmtree(net.folder / "client" / "content")
    net.say("the client has deleted its copies")
    return files, deals, replicas


def test_losses_are_caught_and_a_careful_provider_proves_and_gives_back_everything(net):
    net.say("a development chain with a timekeeper")
    # Neither repairs by itself, so that what is lost stays lost until the test has looked.
    providers = {name: start_provider(net, name, key, "--no-repair") for name, key in (CAREFUL, CARELESS)}
    net.run("committee", VALIDATOR, "storage", "audit", "--no-challenge")
    net.say("two providers and a committee member")
    files, deals, replicas = publish_all(net, providers)
    begin = status(net, providers["careful"])
    window, first = begin["config"]["window"], begin["window"]["number"]

    losses = {}
    for number, loss in enumerate(LOSSES):
        replica = replicas["careless", number]["id"]
        lost, chunks = lose(sealed_file(net, "careless", replica), loss, number)
        missed = status(net, providers["careless"])
        before = next(r for r in missed["replicas"] if r["id"] == replica)
        losses[number] = {"from": missed["window"]["number"], "collateral": int(before["collateral"]),
                          "bound": bound(loss, window, begin["config"]["auditTicks"]), "loss": loss}
        net.say(f"careless: {lost} of {chunks} chunks of file {number} are gone; "
                f"to be caught within {losses[number]['bound']} windows")

    kills, start, seen = [first + window for window in KILLS], None, {}
    while True:
        net.processes.check()
        assert net.progress.seconds() < LIMIT, f"not done within {LIMIT} seconds: {seen}"
        careful = status(net, providers["careful"])
        now, stage = careful["window"]["number"], careful["window"]["stage"]
        streaks = [r["streak"] for r in careful["replicas"]]
        start = start if start is not None else min(streaks)
        # Its roots are handed in, so that it has until the end of the next window to be back; that no moment at all
        # makes it sign twice or lose its leaves is tested in the client, where time can wait.
        handed_in = not set(careful["provider"]["groups"]) & set(careful["window"]["due"])
        if kills and now >= kills[0] and stage == "open" and handed_in:
            kills.pop(0)
            net.processes.restart("careful")
            net.say(f"careful: killed in the middle of window {now} and started again; streaks {streaks}")
        careless = {r["id"]: r for r in status(net, providers["careless"])["replicas"]}
        for number, case in losses.items():
            # One that failed is pruned before the test is over.
            if number in seen:
                continue
            replica = careless[replicas["careless", number]["id"]]
            caught = int(replica["collateral"]) < case["collateral"] or replica["status"] == "failed"
            if caught:
                seen[number] = now
                took = now - case["from"]
                net.say(f"careless: the loss of {case['loss']:.0%} of file {number} is caught after {took} windows "
                        f"({case['bound']} allowed)")
            else:
                assert now <= case["from"] + case["bound"], f"a loss of {case['loss']:.0%} was not caught within {case['bound']} windows"
        assert careful["provider"]["missed"] == 0 and all(r["misses"] == 0 for r in careful["replicas"]), (
            f"the careful provider missed something: {careful}")
        if len(seen) == len(losses) and min(streaks) >= WINDOWS and not kills:
            break
        time.sleep(0.5)
    net.say(f"careful: {min(streaks)} windows in a row, through two kills; nothing missed")
    for number in range(len(SOURCES)):
        # It settles every four windows; a window is paid for once the five after it are proven.
        net.eventually(f"file {number} certified and paid for", lambda number=number: (
            (proven := show(net, deals["careful", number]))["continuity"] is not None and int(proven["deal"]["paid"]) > 0))
    latency = status(net, providers["careful"])["provider"]["latencyMs"]
    net.say(f"careful: every file certified and paid for; the committee measured {latency} ms")

    retrieve(net, files, deals, replicas)


def retrieve(net, files, deals, replicas):
    """Gets every file back: whole, and with half of the chunks gone."""
    out = net.folder / "back.tar"

    def back(number, what, *options):
        got = net.call("client", CLIENT, "storage", "retrieve", deals["careful", number], "--out", out, *options)
        assert hashlib.sha256(out.read_bytes()).hexdigest() == files[number][1], f"file {number} came back different"
        out.unlink()
        net.say(f"file {number} came back bit by bit, {what}")
        return got

    back(0, "as the provider gave it")
    path = sealed_file(net, "careful", replicas["careful", 1]["id"])
    lost, chunks = lose(path, 0.5, 99)
    got = back(1, f"put together by the client with {lost} of {chunks} coded chunks gone", "--chunks")
    assert got["missingChunks"] == lost, f"other chunks were missing: {got}"
    back(1, "decoded by the provider")
    net.processes.stop("careful")
    repaired = net.call(*CAREFUL, "storage", "verify", deals["careful", 1], "--repair")[0]
    assert (repaired["damaged"], repaired["clean"]) == (lost, True), f"not repaired: {repaired}"
    net.say(f"the careful provider has found the {lost} chunks and rebuilt them")
