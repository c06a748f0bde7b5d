#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Off-site backups of a node that makes blocks: shipped, interrupted, thinned out, damaged, and restored by the drill.

    tests/offsite.py --bin DIR
"""

import argparse
import datetime
import importlib.machinery
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from nodes import LATE, OPS, Failed, Node, check, run_ops


def program():
    """The functions of ops/offsite."""
    loader = importlib.machinery.SourceFileLoader("offsite", os.path.join(OPS, "offsite"))
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_loader("offsite", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def the_newest_of_each_day_and_week_stays():
    thinned = program().thinned
    start = datetime.datetime(2026, 1, 1, 6)
    found = [(f"{n:03}", start + datetime.timedelta(hours=12 * n)) for n in range(120)]
    stay = [name for name, _ in found if name not in thinned(found, 3, 2)]
    # Two a day: the later of each of the last three days, and the last of the week before.
    check(stay == ["105", "115", "117", "119"], f"these stay: {stay}")
    check(thinned(found[:1], 0, 0) == [], "the only backup is thinned out")
    check(thinned([], 7, 5) == [], "nothing is thinned out to something")


def ship(node, to, *more):
    code, said = run_ops("offsite", "--json", "ship", "--base-path", node.base, "--to", to,
                         "--rpc", f"http://127.0.0.1:{node.rpc}", *more)
    check(code == 0, f"not shipped: {said}")
    return said


def a_backup_is_shipped_and_restored(binary, folder, node, to):
    metrics = os.path.join(folder, "tos_offsite.prom")
    said = ship(node, to, "--metrics", metrics)
    check(not os.path.exists(node.base + ".offsite"), "something is left next to the data")
    with open(metrics, encoding="utf-8") as file:
        check("tos_offsite_backups 1\n" in file.read(), "the metrics do not count it")
    node.until(said["head"]["number"] + 3)
    code, drilled = run_ops("offsite", "--json", "drill", "--to", to, "--chain", "dev-fast", "--node", binary,
                            "--node-arg=--state-pruning=256", "--node-arg=--blocks-pruning=archive-canonical")
    check(code == 0 and drilled["head"] == said["head"] and drilled["block"] >= said["head"]["number"], f"the drill: {drilled}")
    print(f"  restored and answering at block {drilled['block']} after {drilled['seconds']} s", flush=True)


def an_interrupted_copy_leaves_the_last_good_one(node, to):
    before = sorted(os.listdir(to))
    command = [sys.executable, os.path.join(OPS, "offsite"), "ship", "--base-path", node.base, "--to", to]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + LATE
    while not any(name.endswith(".incoming") for name in os.listdir(to)):
        check(process.poll() is None and time.monotonic() < deadline, "it ended before it could be interrupted")
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    names = [name for name in sorted(os.listdir(to)) if not name.endswith(".incoming")]
    check(names == before, f"after an interrupted copy there are {names}")
    # Names have seconds.
    time.sleep(1.1)
    ship(node, to)
    # One a day stays, and what was half there is gone.
    names = sorted(os.listdir(to))
    check(len(names) == 1 and names > before, f"the next one left {names}")


def a_target_without_room_or_without_a_mount_is_refused(node, folder, to):
    before = sorted(os.listdir(to))
    small = os.path.join(folder, "small")
    os.mkdir(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=True)
    try:
        code, said = run_ops("offsite", "ship", "--base-path", node.base, "--to", small, "--mounted")
        check(code == 1 and "MiB free" in said and os.listdir(small) == [], f"a full target: {said}")
    finally:
        subprocess.run(["umount", small], check=True)
    code, said = run_ops("offsite", "ship", "--base-path", node.base, "--to", small + "/none")
    check(code == 1 and "not a folder" in said, f"no target: {said}")
    if not program().is_mounted(small):
        code, said = run_ops("offsite", "ship", "--base-path", node.base, "--to", small, "--mounted")
        check(code == 1 and "mounted" in said, f"a disk that is missing: {said}")
    check(sorted(os.listdir(to)) == before, "a refusal changed something")


def damage_on_the_target_is_found_by_the_drill(binary, to):
    newest = os.path.join(to, sorted(os.listdir(to))[-1])
    with open(os.path.join(newest, "backup.json"), encoding="utf-8") as file:
        spoilt = os.path.join(newest, next(iter(json.load(file)["files"])))
    with open(spoilt, "ab") as file:
        file.write(b"x")
    code, said = run_ops("offsite", "drill", "--to", to, "--chain", "dev-fast", "--node", binary)
    check(code == 1 and os.path.basename(spoilt) in said, f"a damaged backup: {said}")
    shutil.rmtree(newest)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, metavar="DIR", help="folder of tos-node")
    binary = os.path.join(os.path.abspath(parser.parse_args().bin), "tos-node")
    with tempfile.TemporaryDirectory(prefix="tos-offsite-") as folder:
        to = os.path.join(folder, "target")
        os.mkdir(to)
        node = Node(binary, folder, "validator")
        try:
            the_newest_of_each_day_and_week_stays()
            node.start("--alice", "--force-authoring", "--unsafe-force-node-key-generation")
            node.until(5)
            a_backup_is_shipped_and_restored(binary, folder, node, to)
            an_interrupted_copy_leaves_the_last_good_one(node, to)
            a_target_without_room_or_without_a_mount_is_refused(node, folder, to)
            damage_on_the_target_is_found_by_the_drill(binary, to)
        except Failed as failure:
            print(f"offsite: {failure}", file=sys.stderr)
            return 1
        finally:
            node.stop()
    print("off-site backups: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
