# SPDX-License-Identifier: Apache-2.0
"""The backup drill: a node that makes blocks is backed up, restored and compared, with either database. What a backup does
with folders, users and signals is in tests/backup.py."""

import json
import os
import time

from nodes import Node, check, run_ops

# Beginnings of storage keys whose values are compared: the pallets System and Timestamp.
PREFIXES = ("0x26aa394eea5630e07c48ae0c9558cef7", "0xf0c365c3cf59d671eb72da0e7a4113c4")


def a_backup_of_a_running_node_restores_to_the_same_state(binary, folder):
    for database in ("rocksdb", "paritydb"):
        node = Node(binary, folder, "validator")
        try:
            node.start("--alice", "--force-authoring", "--unsafe-force-node-key-generation", "--database", database)
            node.until(5)
            drill(binary, folder, node, database)
        finally:
            node.stop()


def drill(binary, folder, node, database):
    # Taken while blocks come twice a second.
    to = os.path.join(folder, f"backup-{database}")
    code, taken = run_ops("backup", "--json", "take", "--base-path", node.base, "--to", to)
    check(code == 0 and taken["processes"] == [node.process.pid], f"no backup of a running node: {taken}")
    check(len(taken["databases"]) == 1, f"databases: {taken}")
    check(run_ops("backup", "take", "--base-path", node.base, "--to", to)[0] == 1, "a backup is overwritten")
    height = int(node.result("chain_getHeader")["number"], 16)
    node.until(height + 4)
    restored = os.path.join(folder, f"restored-{database}")
    began = time.monotonic()
    code, said = run_ops("backup", "--json", "restore", "--from", to, "--base-path", restored)
    check(code == 0 and not said["keys"] and not said["networkKey"], f"not restored: {said}")
    found = [name for _, folders, names in os.walk(restored) for name in (*folders, *names)]
    check(not any("keystore" in name or "secret" in name for name in found), "keys were taken without being asked for")
    check(run_ops("backup", "restore", "--from", to, "--base-path", restored)[0] == 1, "a node is overwritten")

    copy = Node(binary, folder, "archive", **{"base-path": restored})
    # Nothing but what was restored: without peers and without authoring.
    copy.command = [part for part in copy.command if part not in ("--state-pruning", "--blocks-pruning", "archive")]
    try:
        copy.start("--reserved-only", "--state-pruning", "256", "--database", database)
        took = time.monotonic() - began
        header = copy.result("chain_getHeader")
        number = int(header["number"], 16)
        check(number > 0, "the restored node is at genesis")
        block = node.result("chain_getBlockHash", number)
        check(copy.result("chain_getBlockHash", number) == block, "another block than the original's")
        check(header["stateRoot"] == node.result("chain_getHeader", block)["stateRoot"], "another state root")
        # The state itself, not only what the header says of it.
        for prefix in PREFIXES:
            keys = [n.result("state_getKeysPaged", prefix, 1000, None, block) for n in (node, copy)]
            check(keys[0] == keys[1] and keys[0], "the states have different keys")
            values = [n.result("state_queryStorageAt", keys[0], block) for n in (node, copy)]
            check(values[0] == values[1], "the states have different values")
        peers = [n.result("system_localPeerId") for n in (node, copy)]
        check(peers[0] != peers[1], "the restored node says it is the original")
    finally:
        copy.stop()
    print(f"  backup of {database}: the node stood still for {taken['pauseSeconds']} s ({taken['linked']} files linked, "
          f"{taken['copied']} copied); restored and answering at block {number} after {took:.1f} s", flush=True)

    spoilt = next(p for p in json.load(open(os.path.join(to, "backup.json"), encoding="utf-8"))["files"])  # noqa: SIM115
    with open(os.path.join(to, spoilt), "ab") as file:
        file.write(b"x")
    code, said = run_ops("backup", "verify", "--from", to)
    check(code == 1 and spoilt in said, f"a changed file is not found: {said}")
