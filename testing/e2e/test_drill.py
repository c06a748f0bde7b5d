# SPDX-License-Identifier: Apache-2.0
"""The backup drill: a node that makes blocks is backed up, restored and compared, with either database. What a backup does
with folders, users and signals is in testing/e2e/test_backup.py."""

import json
import os
import time

import pytest

from tos_harness.report import say
from tos_harness.templates import run_ops

# Beginnings of storage keys whose values are compared: the pallets System and Timestamp.
PREFIXES = ("0x26aa394eea5630e07c48ae0c9558cef7", "0xf0c365c3cf59d671eb72da0e7a4113c4")


@pytest.mark.parametrize("database", ["rocksdb", "paritydb"])
def test_a_backup_of_a_running_node_restores_to_the_same_state(template_node, folder, database):
    node = template_node("validator").started(
        "--alice", "--force-authoring", "--unsafe-force-node-key-generation", "--database", database)
    node.until(5)
    # Taken while blocks come twice a second.
    to = folder / f"backup-{database}"
    code, taken = run_ops("backup", "--json", "take", "--base-path", node.base, "--to", to)
    assert code == 0 and taken["processes"] == [node.pid], f"no backup of a running node: {taken}"
    assert len(taken["databases"]) == 1, f"databases: {taken}"
    assert run_ops("backup", "take", "--base-path", node.base, "--to", to)[0] == 1, "a backup is overwritten"
    height = node.best()
    node.until(height + 4)
    restored = folder / f"restored-{database}"
    began = time.monotonic()
    code, said = run_ops("backup", "--json", "restore", "--from", to, "--base-path", restored)
    assert code == 0 and not said["keys"] and not said["networkKey"], f"not restored: {said}"
    found = [name for _, folders, names in os.walk(restored) for name in (*folders, *names)]
    assert not any("keystore" in name or "secret" in name for name in found), "keys were taken without being asked for"
    assert run_ops("backup", "restore", "--from", to, "--base-path", restored)[0] == 1, "a node is overwritten"

    copy = template_node("archive", **{"base-path": restored})
    # Nothing but what was restored: without peers and without authoring.
    copy.command = [part for part in copy.command if part not in ("--state-pruning", "--blocks-pruning", "archive")]
    copy.started("--reserved-only", "--state-pruning", "256", "--database", database)
    took = time.monotonic() - began
    header = copy.rpc("chain_getHeader")
    number = int(header["number"], 16)
    assert number > 0, "the restored node is at genesis"
    block = node.rpc("chain_getBlockHash", number)
    assert copy.rpc("chain_getBlockHash", number) == block, "another block than the original's"
    assert header["stateRoot"] == node.rpc("chain_getHeader", block)["stateRoot"], "another state root"
    # The state itself, not only what the header says of it.
    for prefix in PREFIXES:
        keys = [n.rpc("state_getKeysPaged", prefix, 1000, None, block) for n in (node, copy)]
        assert keys[0] == keys[1] and keys[0], "the states have different keys"
        values = [n.rpc("state_queryStorageAt", keys[0], block) for n in (node, copy)]
        assert values[0] == values[1], "the states have different values"
    peers = [n.rpc("system_localPeerId") for n in (node, copy)]
    assert peers[0] != peers[1], "the restored node says it is the original"
    say(f"  backup of {database}: the node stood still for {taken['pauseSeconds']} s ({taken['linked']} files linked, "
        f"{taken['copied']} copied); restored and answering at block {number} after {took:.1f} s")

    spoilt = next(iter(json.loads((to / "backup.json").read_text())["files"]))
    with open(to / spoilt, "ab") as file:
        file.write(b"x")
    code, said = run_ops("backup", "verify", "--from", to)
    assert code == 1 and spoilt in said, f"a changed file is not found: {said}"
