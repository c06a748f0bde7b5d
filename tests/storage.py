#!/usr/bin/env python3
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

import argparse
import hashlib
import io
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
import demo as parts  # noqa: E402

import specs  # noqa: E402

CHUNK = 4_096
# Deadlines count blocks, of half a second: a killed provider has six seconds and more to be back, beside a build as well.
SCALE = {"window": 12, "challengeTicks": 40, "auditTicks": 40}
WINDOWS = 10
# Windows, from the first on, in which the careful provider is killed.
KILLS = (3, 6)
# Seconds within which what should happen does, on whatever machine; and within which all is over.
LATE, LIMIT = 300, 900
LOSSES = (0.10, 0.25, 0.51)
CLIENT, VALIDATOR = "//Dave", "//Alice//stash"
CAREFUL, CARELESS = ("careful", "//Bob"), ("careless", "//Charlie")
PASSWORD = {"TOS_PASSWORD": "storage test"}
SOURCES = (("primitives",), ("pallets",), ("client", "runtime/tos/src", "node"))


def sources(folders):
    """A tar of source folders, the same for the same sources."""
    names = []
    for folder in folders:
        for base, folders_in, files in os.walk(os.path.join(ROOT, folder)):
            folders_in[:] = sorted(f for f in folders_in if f not in ("target", "node_modules"))
            names += [os.path.join(base, name) for name in sorted(files)]
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in names:
            entry = tarfile.TarInfo(os.path.relpath(name, ROOT))
            with open(name, "rb") as file:
                content = file.read()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def bound(loss, window, deadline):
    """Windows within which a loss is caught, but for one case in 2^40: two words a tick, and the time to answer."""
    words = 40 * math.log(2) / -math.log(1 - loss)
    return math.ceil((words / 2 + deadline) / window) + 1


class Net(parts.Demo):
    """The demo's chain and client, with providers that can be killed."""

    def __init__(self, binaries, folder):
        super().__init__(binaries, folder)
        self.from_start = time.monotonic()
        self.commands = {}
        os.environ.update(PASSWORD)

    def say(self, text):
        parts.say(f"  {time.monotonic() - self.from_start:6.1f} s  {text}")

    def client(self, name, key, *arguments):
        """The command line of `tos` with a data folder of its own."""
        return [self.tos_binary, "--url", self.url, "--suri", key, "--json",
                "--data-dir", os.path.join(self.folder, name), *arguments]

    def call(self, name, key, *arguments):
        """Runs `tos` and returns what it prints."""
        done = subprocess.run(self.client(name, key, "--wait", "best", *arguments),
                              capture_output=True, text=True, timeout=LATE)
        if done.returncode != 0:
            raise parts.Failed(f"tos {' '.join(arguments)}: code {done.returncode}\n{done.stderr.strip()}")
        return json.loads(done.stdout.splitlines()[-1])

    def start(self, name, command):
        self.commands[name] = command
        self.processes.start(name, command)

    def stop(self, name, how=signal.SIGTERM):
        for entry in [e for e in self.processes.running if e[0] == name]:
            os.killpg(entry[1].pid, how)
            entry[1].wait()
            self.processes.running.remove(entry)

    def restart(self, name):
        """Like a power cut: no signal handler runs. Then the same again on the same data."""
        self.stop(name, signal.SIGKILL)
        self.processes.start(name, self.commands[name])

    def start_chain(self):
        spec = os.path.join(self.folder, "spec.json")
        specs.write(self.node, spec, "dev-fast", lambda genesis: genesis["storage"]["scale"].update(SCALE))
        self.start("node", [
            self.node, "--chain", spec, "--alice", "--validator", "--force-authoring", "--timekeeper",
            "--base-path", os.path.join(self.folder, "node"), "--rpc-port", str(self.rpc),
            "--port", str(parts.free_port()), "--no-prometheus", "--no-telemetry", "--no-mdns",
            "--unsafe-force-node-key-generation"])
        self.eventually("the first finalised block",
                        lambda: self.tos("chain", "status")["finalised"]["number"] > 0)

    def start_provider(self, name, key, *options):
        port = parts.free_port()
        url = f"http://127.0.0.1:{port}"
        made = self.call(name, key, "storage", "init", "--bond", "5000", "--public-url", url)
        self.start(name, self.client(name, key, "storage", "run", "--serve", f"127.0.0.1:{port}",
                                     "--auto", "--named-only", "--settle-every", "4", *options))
        return made["provider"]

    def eventually(self, what, probe, limit=LATE):
        deadline = time.monotonic() + limit
        while True:
            self.processes.check()
            try:
                found = probe()
                if found:
                    return found
            except (parts.Failed, OSError):
                pass
            if time.monotonic() > deadline:
                raise parts.Failed(f"{what}: not within {limit} seconds")
            time.sleep(0.25)

    def show(self, deal):
        return self.call("client", CLIENT, "storage", "show", deal)

    def status(self, provider):
        return self.call("client", CLIENT, "storage", "status", provider)

    def sealed_file(self, name, replica):
        """Where a replica lies on disk."""
        digits = replica.replace("-", "")
        return os.path.join(self.folder, name, "storage", "replicas", digits[:2], digits, "sealed.bin")


def lose(path, share, seed):
    """Overwrites a share of the chunks; returns how many of how many."""
    chunks = os.path.getsize(path) // CHUNK
    lost = random.Random(seed).sample(range(chunks), math.floor(chunks * share))
    with open(path, "r+b") as file:
        for chunk in lost:
            file.seek(chunk * CHUNK)
            file.write(b"\xee" * CHUNK)
    return len(lost), chunks


def publish(net, providers):
    """Offers every file to every provider, and waits until all are sealed. Returns deals by (provider, file)."""
    port = parts.free_port()
    net.start("content", net.client("client", CLIENT, "content", "serve", f"127.0.0.1:{port}"))
    files, deals = [], {}
    for number, folders in enumerate(SOURCES):
        path = os.path.join(net.folder, f"sources-{number}.tar")
        data = sources(folders)
        with open(path, "wb") as file:
            file.write(data)
        files.append((path, hashlib.sha256(data).hexdigest()))
        for name, account in providers.items():
            made = net.call("client", CLIENT, "storage", "publish", path, "--price", "0.5", "--retention", "365d",
                            "--provider", account, "--public-url", f"http://127.0.0.1:{port}")
            deals[name, number] = made["deal"]
        net.say(f"{os.path.basename(path)}: {len(data) / 2**20:.1f} MiB, offered to both providers")
    replicas = {}

    def all_active():
        for key, deal in deals.items():
            replica = net.show(deal)["replica"]
            if replica is None or replica["status"] != "active":
                return False
            replicas[key] = replica
        return True

    net.eventually("all replicas sealed and checked", all_active)
    for (name, number), replica in sorted(replicas.items()):
        place = replica["position"]
        net.say(f"{name}: file {number} is sealed, active from window {replica['firstWindow']} "
                f"(group {place['group']}, place {place['place']})")
    # Nobody but the providers has the files now.
    net.stop("content")
    for path, _ in files:
        os.remove(path)
    shutil.rmtree(os.path.join(net.folder, "client", "content"))
    net.say("the client has deleted its copies")
    return files, deals, replicas


def run(net):
    net.start_chain()
    net.say("a development chain with a timekeeper")
    providers = {name: net.start_provider(name, key, *options) for name, key, options in
                 # Neither repairs by itself, so that what is lost stays lost until the test has looked.
                 ((*CAREFUL, ("--no-repair",)), (*CARELESS, ("--no-repair",)))}
    net.start("committee", net.client("committee", VALIDATOR, "storage", "audit", "--no-challenge"))
    net.say("two providers and a committee member")
    files, deals, replicas = publish(net, providers)
    status = net.status(providers["careful"])
    window = status["scale"]["window"]
    first = status["window"]["number"]

    losses = {}
    for number, loss in enumerate(LOSSES):
        replica = replicas["careless", number]["id"]
        lost, chunks = lose(net.sealed_file("careless", replica), loss, number)
        missed = net.status(providers["careless"])
        before = next(r for r in missed["replicas"] if r["id"] == replica)
        losses[number] = {"from": missed["window"]["number"], "collateral": int(before["collateral"]),
                          "bound": bound(loss, window, status["scale"]["auditTicks"]), "loss": loss}
        net.say(f"careless: {lost} of {chunks} chunks of file {number} are gone; "
                f"to be caught within {losses[number]['bound']} windows")

    kills, start, seen = [first + window for window in KILLS], None, {}
    while True:
        net.processes.check()
        if time.monotonic() - net.from_start > LIMIT:
            raise parts.Failed(f"not done within {LIMIT} seconds: {seen}")
        careful = net.status(providers["careful"])
        now, stage = careful["window"]["number"], careful["window"]["stage"]
        streaks = [r["streak"] for r in careful["replicas"]]
        start = start if start is not None else min(streaks)
        # Its roots are handed in, so that it has until the end of the next window to be back; that no moment at all
        # makes it sign twice or lose its leaves is tested in the client, where time can wait.
        handed_in = not set(careful["provider"]["groups"]) & set(careful["window"]["due"])
        if kills and now >= kills[0] and stage == "open" and handed_in:
            kills.pop(0)
            net.restart("careful")
            net.say(f"careful: killed in the middle of window {now} and started again; streaks {streaks}")
        careless = {r["id"]: r for r in net.status(providers["careless"])["replicas"]}
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
            elif now > case["from"] + case["bound"]:
                raise parts.Failed(f"a loss of {case['loss']:.0%} was not caught within {case['bound']} windows")
        if careful["provider"]["missed"] > 0 or any(r["misses"] > 0 for r in careful["replicas"]):
            raise parts.Failed(f"the careful provider missed something: {careful}")
        if len(seen) == len(losses) and min(streaks) >= WINDOWS and not kills:
            break
        time.sleep(0.5)
    net.say(f"careful: {min(streaks)} windows in a row, through two kills; nothing missed")
    for number in range(len(SOURCES)):
        proven = net.show(deals["careful", number])
        if proven["continuity"] is None or int(proven["deal"]["paid"]) == 0:
            raise parts.Failed(f"file {number} is not certified, or nothing was paid: {proven}")
    latency = net.status(providers["careful"])["provider"]["latencyMs"]
    net.say(f"careful: every file certified and paid for; the committee measured {latency} ms")

    retrieve(net, files, deals, replicas)


def retrieve(net, files, deals, replicas):
    """Gets every file back: whole, and with half of the chunks gone."""
    out = os.path.join(net.folder, "back.tar")

    def back(number, what, *options):
        got = net.call("client", CLIENT, "storage", "retrieve", deals["careful", number], "--out", out, *options)
        with open(out, "rb") as file:
            if hashlib.sha256(file.read()).hexdigest() != files[number][1]:
                raise parts.Failed(f"file {number} came back different")
        os.remove(out)
        net.say(f"file {number} came back bit by bit, {what}")
        return got

    back(0, "as the provider gave it")
    path = net.sealed_file("careful", replicas["careful", 1]["id"])
    lost, chunks = lose(path, 0.5, 99)
    got = back(1, f"put together by the client with {lost} of {chunks} coded chunks gone", "--chunks")
    if got["missingChunks"] != lost:
        raise parts.Failed(f"other chunks were missing: {got}")
    back(1, "decoded by the provider")
    net.stop("careful")
    repaired = net.call(*CAREFUL, "storage", "verify", deals["careful", 1], "--repair")[0]
    if (repaired["damaged"], repaired["clean"]) != (lost, True):
        raise parts.Failed(f"not repaired: {repaired}")
    net.say(f"the careful provider has found the {lost} chunks and rebuilt them")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of tos-node and tos")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tos-storage-") as folder:
        net = Net(os.path.abspath(options.bin), folder)
        try:
            run(net)
            parts.say("storage: all as it should be")
            return 0
        except parts.Failed as failure:
            print(f"storage test failed: {failure}", file=sys.stderr)
            for name, _ in net.processes.running:
                path = os.path.join(folder, name + ".log")
                if os.path.exists(path):
                    with open(path, encoding="utf-8", errors="replace") as log:
                        print(f"--- {name}\n" + "".join(log.readlines()[-12:]), file=sys.stderr)
            return 1
        finally:
            net.processes.stop()


if __name__ == "__main__":
    sys.exit(main())
