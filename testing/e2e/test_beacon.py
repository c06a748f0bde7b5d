# SPDX-License-Identifier: Apache-2.0
"""The beacon on a network: one timekeeper, everybody else verifies; it is lost, and comes back.

Four validators and a full node that votes on nothing. Only one validator computes slots.

* The others verify every slot that it gossips, and all include the same ones.
* The timekeeper is killed with SIGKILL. Blocks and finality go on with three validators; the head stands still, the
  beacon is degraded, and the clock of storage stops.
* Meanwhile the full node is killed too, loses its database and comes back as a storage provider. It synchronises from
  the others and has the same head and the same records.
* The timekeeper comes back on its old data. The walk goes on where it stood: no slot is missing, none comes twice.
* Entropy goes in at every third window and nowhere else, and the walk passes into a second epoch.
* The provider's node alone, without `tos storage run`, answers the seal challenge and the audits, and hands in the root
  of its group in every window. Nothing is missed, and all nodes fold the same roots. Asked to stop, it ends with 0.
"""

import json

import pytest

from tos_harness.chain import write_spec
from tos_harness.cli import Tos
from tos_harness.network import Definition, Network
from tos_harness.ports import free_port
from tos_harness.process import Processes
from tos_harness.storage import publish, sources
from tos_harness.wait import eventually

# Five nodes share this machine's cores, perhaps with a build. Deadlines of storage count blocks: of half a second each, these are
# eight seconds for a group's root and twenty and more for a proof, and a streak that is certified is shorter instead.
CONFIG = {"window": 16, "challengeTicks": 40, "auditTicks": 60, "proofWindow": 3}
STREAK = 4
# An epoch of the beacon that is over by then.
EPOCH_WINDOWS = 20
# The head by which all five nodes have seen the beacon move.
MOVING = 20
VALIDATORS = ("alice", "bob", "charlie", "dave")
KEEPER, FULL = "alice", "store"
NODES = (*VALIDATORS, FULL)
CLIENT, PROVIDER = "//Eve", "//Ferdie"
RECORDS = 64


def change(genesis):
    genesis["storage"]["config"].update(CONFIG)
    genesis["beacon"]["config"]["epochWindows"] = EPOCH_WINDOWS


def arguments(name):
    # The test asks about every block in the end, however long it took.
    return ["--timekeeper" if name == KEEPER else "--no-timekeeper", "--state-pruning", "archive", *([f"--{name}"] if name in VALIDATORS else [])]


class Net(Network):
    """Five nodes that know each other, and clients that talk to the second one."""

    def __init__(self, binaries, folder):
        # The genesis state is made once for all nodes; each would make it for itself at every fresh start.
        spec = write_spec(binaries / "tos-node", folder / "changed.json", "local-fast", change)
        super().__init__(binaries / "tos-node", folder, Definition("local-fast", {name: arguments(name) for name in NODES}),
                         spec=spec.read_text(), measured=("bob",))
        self.binaries, self.processes = binaries, Processes(folder)
        # What each node's timekeeper had counted when all nodes were there.
        self.at_start = {}

    @property
    def tos(self):
        return Tos(self.binaries / "tos", self.nodes["bob"].url, self.folder)

    def call(self, user, key, *words):
        """Runs `tos` for a user, as far as the best block."""
        return self.tos("--wait", "best", *words, key=key, user=user)

    def eventually(self, what, probe):
        return eventually(what, probe, alive=self.alive)

    def alive(self):
        super().alive()
        self.processes.check()

    # --- what nodes say ------------------------------------------------------------------------

    def final(self, name):
        """The last finalised block's number, and what it says of the beacon and of storage's window."""
        number, block = self.nodes[name].rpc.final()
        return number, self.ask(name, "tos_beacon", block), self.ask(name, "tos_storageWindow", block)

    def finalised_records(self, name):
        """Every slot that finalised blocks include, by its number."""
        _, block = self.nodes[name].rpc.final()
        records, first = {}, 1
        while page := self.ask(name, "tos_beaconRecords", first, RECORDS, block):
            records.update({record["slot"]: record for record in page})
            first = page[-1]["slot"] + 1
        return records

    def window_roots(self, name):
        """Folded windows by number: their seed, global root, and how many groups handed in a root."""
        answer = self.ask(name, "state_call", "StorageApi_window_roots", "0x" + (100).to_bytes(4, "little").hex())
        data = bytes.fromhex(answer[2:])
        # SCALE: the length is below 64 as long as the ring is, and then one byte.
        count, at, roots = data[0] >> 2, 1, {}
        for _ in range(count):
            window, seed = int.from_bytes(data[at:at + 8], "little"), data[at + 8:at + 40]
            folded, at = data[at + 40], at + 41
            root, at = (data[at:at + 32], at + 32) if folded else (None, at)
            groups, at = int.from_bytes(data[at:at + 4], "little"), at + 4
            if root:
                roots[window] = (seed.hex(), root.hex(), groups)
        assert at == len(data), "the roots of windows have another form than expected"
        return roots

    # --- what must hold ------------------------------------------------------------------------

    def same_records(self, names, least):
        """Waits until each node finalised that slot; all must have the same slots without a gap. Returns them."""
        found = {}

        def all_there():
            found.update({name: self.finalised_records(name) for name in names})
            return all(max(records, default=0) >= least for records in found.values())

        self.eventually(f"slot {least} finalised at {', '.join(names)}", all_there)
        last = min(max(records) for records in found.values())
        first, *others = ([records.get(slot) for slot in range(1, last + 1)] for records in found.values())
        assert all(other == first for other in others), f"the records of {', '.join(names)} differ"
        step = self.ask(names[0], "tos_beacon")["config"]["params"]["iterationsPerSlot"]
        for number, record in enumerate(first):
            assert record is not None and record["firstIteration"] == number * step, f"slot {number + 1} does not continue the walk: {record}"
        assert len({record["output"] for record in first}) == len(first), "two slots have the same output"
        return first

    def same_block(self, names):
        """All finalised the same block; returns its number."""
        number = min(self.finalised(name) for name in names)
        self.same(names, number)
        return number

    def verifiers(self, names):
        """The work of those without timekeeper: they verified and, since all nodes were there, computed next to nothing. One that
        starts later than the others gets blocks with slots that it never heard of, and computes these. Returns the counts."""
        done = {name: self.ask(name, "tos_timekeeper") for name in names}
        for name, count in done.items():
            assert not count["timekeeper"] and count["verifiedSlots"] > 0, f"{name} verified nothing: {count}"
            assert count["rejectedSlots"] + count["faultySlots"] == 0, f"{name} met a false slot: {count}"
            computed = count["evaluatedSlots"] - self.at_start[name]["evaluatedSlots"]
            assert computed <= max(2, count["verifiedSlots"] // 4), f"{name} had to compute slots: {count}"
        return done


@pytest.fixture(scope="module")
def net(binaries, folder):
    net = Net(binaries, folder)
    net.start()
    yield net
    net.processes.close()
    net.close()


def start(net):
    net.eventually("a moving beacon on every node", lambda: all(
        not (view := net.ask(name, "tos_beacon"))["degraded"] and view["head"] > 0 and net.finalised(name) > 0
        for name in NODES))
    net.at_start = {name: net.ask(name, "tos_timekeeper") for name in NODES}
    net.say(f"four validators and a full node, block {net.best('bob')}; only {KEEPER} computes slots")


def offer(net):
    """A provider with an accepted deal that is not sealed yet. Returns deal, replica and store."""
    port = free_port()
    made = net.call("provider", PROVIDER, "storage", "init", "--bond", "2000",
                    "--public-url", f"http://127.0.0.1:{free_port()}")
    path = net.folder / "content"
    path.write_bytes(sources("primitives"))
    deal = publish(net, path, made["provider"], f"http://127.0.0.1:{port}", CLIENT)
    net.call("provider", PROVIDER, "storage", "accept", deal)
    net.processes.start("served", net.tos.command("content", "serve", f"127.0.0.1:{port}", key=CLIENT))
    net.say(f"a deal over {path.stat().st_size / 2**20:.1f} MiB is accepted")
    return deal, made


def agree(net, least):
    records = net.same_records(NODES, least)
    number = net.same_block(NODES)
    done = net.verifiers([name for name in NODES if name != KEEPER])
    keeper = net.ask(KEEPER, "tos_timekeeper")
    assert keeper["timekeeper"] and keeper["evaluatedSlots"] >= least, f"{KEEPER} did not compute the slots: {keeper}"
    net.say(f"five nodes have the same block {number} and the same slots 1 to {len(records)}")
    net.say(f"{KEEPER} computed {keeper['evaluatedSlots']}; the others verified (and computed): " + ", ".join(
        f"{name} {count['verifiedSlots']} ({count['evaluatedSlots']})" for name, count in done.items()))


def lose_timekeeper(net, deal, made):
    """Returns the head where the walk stands, and the block where it was degraded."""
    others = [name for name in NODES if name != KEEPER]
    net.kill(KEEPER)
    net.say(f"{KEEPER} is killed, and with it the only timekeeper")

    # The provider's node: without a database, and from now on with the store.
    net.call("provider", PROVIDER, "storage", "seal", deal)
    net.processes.stop("served")
    net.kill(FULL)
    net.forget(FULL)
    net.start(FULL, options=("--storage-provider", made["dir"]))
    net.say(f"{FULL} is killed, has lost its database, and comes back as a storage provider")
    secret = net.call("provider", PROVIDER, "keys", "export", "storage-proof")["secret"]
    net.ask(FULL, "author_insertKey", "tosp", secret, made["proofKey"])

    # In final blocks: on a fork that is left again, the last slot may have come a block earlier or later.
    # A chain begins degraded: a node that synchronises from genesis is not where the others are before its head is.
    before = {}

    def degraded_alike():
        before.update({name: net.final(name) for name in others})
        views = [view for _, view, _ in before.values()]
        return all(view["degraded"] and view["head"] >= MOVING for view in views) and len({view["head"] for view in views}) == 1

    net.eventually("a degraded beacon", degraded_alike)
    stood = before["bob"][1]["head"]
    net.say(f"the beacon is degraded everywhere at block {before['bob'][0]}; its head stands at slot {stood}")
    net.eventually("eight more blocks, final everywhere", lambda: all(
        net.finalised(name) >= before[name][0] + 8 for name in others))
    for name in others:
        _, view, window = net.final(name)
        assert view["head"] == stood and view["degraded"], f"{name}: the head moved without a timekeeper: {view}"
        assert window["degraded"] and window["now"] == before[name][2]["now"], (
            f"{name}: the clock of storage goes on without the beacon: {before[name]}, then {window}")
    net.say(f"blocks and finality go on: {net.same_block(others)} is final; the clock of storage stands still")
    records = net.same_records(others, stood)
    assert len(records) == stood, f"{len(records)} records for a head of {stood}"
    net.say(f"{FULL} has synchronised: the same {stood} slots")
    return stood


def recover(net, stood):
    net.start(KEEPER)
    goal = stood + 9
    net.eventually("a head that moves on", lambda: all(
        not (view := net.ask(name, "tos_beacon"))["degraded"] and view["head"] >= goal for name in NODES))
    records = net.same_records(NODES, goal)
    stalled = records[stood]["block"] - records[stood - 1]["block"]
    assert stalled >= net.ask("bob", "tos_beacon")["config"]["stallBlocks"], f"a stall of {stalled} blocks"
    keeper = net.ask(KEEPER, "tos_timekeeper")
    # It may have missed a block's slots when it was killed, but no more.
    assert keeper["evaluatedSlots"] <= keeper["known"] - stood + 8, f"{KEEPER} computed slots again that the chain had: {keeper}"
    net.say(f"{KEEPER} is back: slot {stood + 1} follows slot {stood} after {stalled} blocks, nothing in between "
            f"is missing; it computed {keeper['evaluatedSlots']} slots since")


def prove(net, deal):
    """The node alone proves the replica."""
    provider = net.call("client", CLIENT, "storage", "show", deal)["replica"]["provider"]
    replica = net.call("client", CLIENT, "storage", "show", deal)["replica"]["id"]
    last = None

    def long_enough():
        nonlocal last
        view, account = net.ask(FULL, "tos_replica", replica), net.ask(FULL, "tos_provider", provider)
        assert not account["missed"] and not view["misses"] and view["status"] in ("checking", "active"), (
            f"{FULL} missed something: {view} {account}")
        if view["status"] == "active" and last is None:
            net.say(f"{FULL} has opened its sealing; the replica is active from window {view['firstWindow']}")
            last = view["firstWindow"]
        return view["streak"] >= STREAK and (view, account)

    view, account = net.eventually(f"{STREAK} windows in a row", long_enough)
    assert account["answered"] > view["streak"], f"audits were not answered: {account}"
    net.eventually("the same certificate everywhere", lambda: all(
        (net.ask(name, "tos_continuity", replica)["certified"] or {"streak": 0})["streak"] >= STREAK for name in NODES))
    net.say(f"{FULL} alone proved {view['streak']} windows in a row and answered {account['answered']} audits and "
            f"challenges; nothing missed, certified by every node")
    return view["firstWindow"]


def roots(net, first):
    """All nodes fold the same windows, with the group's root in each."""
    found = {name: net.window_roots(name) for name in NODES}
    common = sorted(set.intersection(*(set(of) for of in found.values())))
    proven = [window for window in common if window >= first]
    for window in common:
        assert len({of[window] for of in found.values()}) == 1, f"the nodes have different roots of window {window}"
    assert len(proven) >= STREAK and all(found["bob"][window][2] == 1 for window in proven), (
        f"the group's root is missing: {found['bob']}")
    net.say(f"five nodes have the same roots of windows {common[0]} to {common[-1]}; the group's is in "
            f"{proven[0]} to {proven[-1]}")


def entropy(net):
    """Entropy went in where it belongs and nowhere else, through a change of the epoch."""
    config = net.ask("bob", "tos_beacon")["config"]
    length = config["windowSlots"] * config["epochWindows"]
    net.eventually("the second epoch", lambda: all(net.ask(name, "tos_beacon")["head"] > length + 8 for name in NODES))
    records = net.same_records(NODES, length + 1)
    period = config["injectWindows"] * config["windowSlots"]
    height = net.finalised("bob")
    announced, seen, epochs = {}, 0, {}
    for block in net.ask("bob", "chain_getBlockHash", list(range(1, height + 1))):
        view = net.ask("bob", "tos_beacon", block)
        for coming in view["injections"]:
            assert announced.setdefault(coming["slot"], coming["entropy"]) == coming["entropy"], f"the entropy of slot {coming['slot']} changed"
        for epoch in view["epochs"]:
            assert epochs.setdefault(epoch["number"], epoch["seed"]) == epoch["seed"], f"the seed of epoch {epoch['number']} changed"
        following = view["head"] + 1
        injected = following in announced
        if view["nextStart"] is not None:
            assert injected == (view["nextStart"] != view["end"]), f"slot {following} does not start as it should: {view}"
            seen += injected
    windows = [(slot - 1) / config["windowSlots"] for slot in announced]
    due = set(range(period + 1, len(records) + 1, period))
    assert due <= set(announced) and not any(window % config["injectWindows"] for window in windows) and 0 not in windows, (
        f"entropy went in elsewhere: {sorted(announced)}")
    assert len(set(announced.values())) == len(announced) and len(set(epochs.values())) == len(epochs), (
        "entropy or the seed of an epoch came twice")
    assert 1 in epochs, f"no second epoch: {epochs}"
    net.say("entropy went in at windows " + ", ".join(f"{window:g}" for window in sorted(windows)) +
            f" ({seen} blocks ended right before one), nowhere else; "
            f"epoch 1 began at slot {length + 1}, block {records[length]['block']}")


def metrics(net):
    found = {sample.name.partition("tos_beacon_")[2]: sample.value for sample in net.nodes["bob"].metrics() if "tos_beacon_" in sample.name}
    names = ("head", "lag_slots", "evaluated_slots", "iterations_per_second", "verified_slots", "rejected_slots",
             "cached_slots")
    assert set(names) <= set(found) and found["head"] > 0 and found["verified_slots"] > 0, f"Prometheus: {found}"
    net.say("Prometheus at bob: " + ", ".join(f"{name} {found[name]:g}" for name in names))


def test_the_beacon_outlives_its_timekeeper_and_a_nodes_store_proves_alone(net):
    start(net)
    deal, made = offer(net)
    agree(net, MOVING)
    stood = lose_timekeeper(net, deal, made)
    recover(net, stood)
    first = prove(net, deal)
    roots(net, first)
    entropy(net)
    net.verifiers(("bob", "charlie", "dave"))
    metrics(net)
    number = net.same_block(NODES)
    block = net.ask("bob", "chain_getBlockHash", number)
    assert len({json.dumps(net.ask(name, "tos_beacon", block), sort_keys=True) for name in NODES}) == 1, (
        f"the nodes read another beacon from block {number}")
    net.say(f"five nodes have the same block {number}, and the same beacon in it")
    net.stop(FULL)
    net.say(f"{FULL}, asked to stop, has waited for its prover and ended well")
