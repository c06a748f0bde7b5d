#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Off-site backups of a node that makes blocks: shipped, interrupted, thinned out, sent on, damaged, and restored by the
drill; and what those who watch are told.

    tests/offsite.py --bin DIR
"""

import argparse
import datetime
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from nodes import LATE, OPS, ROLES, Failed, Node, check, free_port, run_ops, template, text


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


def the_rpc_is_the_one_that_the_role_has():
    for role in ROLES:
        port, = re.findall(r"--rpc-port (\d+)", " ".join(template(role)[1]))
        found = program().rpc_of(os.path.join(OPS, "config", f"{role}.env"))
        check(found == f"http://127.0.0.1:{port}", f"{role} is asked at {found}")


def told(path):
    """The metrics, by name, all of one node."""
    with open(path, encoding="utf-8") as file:
        lines = [re.fullmatch(r'(\w+)\{node="([\w-]+)"\} (\d+)', line) for line in file.read().splitlines() if not line.startswith("#")]
    check(all(lines) and len({line[2] for line in lines}) == 1, f"metrics: {lines}")
    return {line[1].removeprefix("tos_offsite_"): int(line[3]) for line in lines}


def every_metric_that_alerts_name_is_told():
    named = set(re.findall(r"tos_offsite_\w+", text("ops", "prometheus", "alerts.yml")))
    check(named and named <= set(program().METRICS), f"alerts name {named}")


def a_failure_is_told_and_so_is_that_there_never_was_a_backup(folder, node, to):
    metrics = os.path.join(folder, "failing.prom")

    def failing(*more):
        code, said = run_ops("offsite", "ship", "--base-path", node.base, "--to", os.path.join(folder, "none"), "--metrics", metrics, *more)
        check(code == 1 and "not a folder" in said, f"no target: {said}")
        return told(metrics)

    check(failing() == {"last_success_timestamp_seconds": 0, "failed": 1, "bytes": 0, "backups": 0}, f"told: {told(metrics)}")
    ship(node, to, "--metrics", metrics)
    good = told(metrics)
    check(abs(good["last_success_timestamp_seconds"] - time.time()) < LATE and good["failed"] == 0 and good["bytes"] > 0, f"told: {good}")
    check(failing() == {**good, "failed": 1}, f"a failure forgets the last success: {told(metrics)}")
    code, said = run_ops("offsite", "ship", "--base-path", node.base, "--to", os.path.join(folder, "none"), "--metrics", "/nowhere/metrics")
    check(code == 1 and "not a folder" in said, f"what failed first is not said: {said}")


def who_is_to_know_of_a_failure_is_told(folder):
    notice = os.path.join(folder, "notice")

    def failed(notify):
        return subprocess.run([os.path.join(OPS, "backup-failed"), "validator"], env={**os.environ, "TOS_BACKUP_NOTIFY": notify},
                              capture_output=True, text=True, timeout=LATE, check=False)

    done = failed("")
    check(done.returncode == 0 and done.stdout.startswith("<2>the off-site backup of the node (validator) failed"), f"the journal: {done}")
    done = failed(f'{{ cat; echo "$TOS_NOTICE_KIND $TOS_NOTICE_ID"; }} >"{notice}"')
    check(done.returncode == 0, f"a notice: {done}")
    with open(notice, encoding="utf-8") as file:
        first, second = file.read().splitlines()
    said = json.loads(first)
    fields = re.search(r"A notice is one JSON object:\n\n```json\n(\{.*?\n?.*?\})\n```", text("docs", "configuration.md"), re.S)
    check(set(said) == set(re.findall(r'(?:^\{|, |,\n )"(\w+)": ', re.sub(r'"facts": \{.*?\}', '"facts": 0', fields[1]))), f"fields: {said}")
    check(second == f"{said['kind']} {said['id']}" and said["facts"] == {"node": "validator"}, f"a notice: {first} {second}")
    check(failed("exit 3").returncode != 0, "a notice that nobody took is no failure")
    unit = text("ops", "systemd", "tos-backup@.service")
    after, = re.findall(r"^OnFailure=(.*)$", unit, re.M)
    check(os.path.exists(os.path.join(OPS, "systemd", after.replace("%i", ""))), f"{after} is not there")


def ship(node, to, *more):
    code, said = run_ops("offsite", "--json", "ship", "--base-path", node.base, "--to", to,
                         "--rpc", f"http://127.0.0.1:{node.rpc}", *more)
    check(code == 0, f"not shipped: {said}")
    return said


def a_backup_is_shipped_and_restored(binary, folder, node, to):
    metrics = os.path.join(folder, "tos_offsite.prom")
    said = ship(node, to, "--metrics", metrics)
    check(not os.path.exists(node.base + ".offsite"), "something is left next to the data")
    check(told(metrics)["backups"] == 1, "the metrics do not count it")
    node.until(said["head"]["number"] + 3)
    code, drilled = drill(binary, to)
    check(code == 0 and drilled["head"] == said["head"] and drilled["block"] >= said["head"]["number"], f"the drill: {drilled}")
    print(f"  restored and answering at block {drilled['block']} after {drilled['seconds']} s", flush=True)


def drill(binary, to):
    return run_ops("offsite", "--json", "drill", "--to", to, "--chain", "dev-fast", "--node", binary,
                   "--node-arg=--state-pruning=256", "--node-arg=--blocks-pruning=archive-canonical")


def a_chain_that_went_on_differently_is_found_by_the_drill(binary, to):
    path = os.path.join(to, sorted(os.listdir(to))[-1], "head.json")
    with open(path, encoding="utf-8") as file:
        head = json.load(file)
    for name, other in (("hash", "0x" + "11" * 32), ("number", head["number"] + 1_000_000)):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**head, name: other}, file)
        code, said = drill(binary, to)
        check(code == 1 and "when the backup was taken" in said["error"], f"another {name}: {said}")


def without_an_answer_a_backup_is_made_and_the_drill_compares_nothing(binary, folder, node):
    to = os.path.join(folder, "silent")
    os.mkdir(to)
    done = subprocess.run([sys.executable, os.path.join(OPS, "offsite"), "--json", "ship", "--base-path", node.base, "--to", to,
                           "--rpc", f"http://127.0.0.1:{free_port()}"], capture_output=True, text=True, check=False)
    check(done.returncode == 0 and json.loads(done.stdout)["head"] is None, f"a node that does not answer: {done}")
    check("no head is noted" in done.stderr, f"nobody is told: {done.stderr}")
    code, said = drill(binary, to)
    check(code == 0 and "nothing to compare" in said["head"] and said["block"] > 0, f"the drill: {said}")


def what_sends_backups_on_gets_them_and_its_failure_is_one(binary, folder, node):
    to, away, sender = (os.path.join(folder, name) for name in ("near", "away", "sender"))
    os.mkdir(to)
    metrics = os.path.join(folder, "sent.prom")
    with open(sender, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nset -e\ntest -f "$1/$2/backup.json"\nrm -rf "{away}"\ncp -a "$1" "{away}"\ntest ! -e "{folder}/cut"\n')
    os.chmod(sender, 0o755)
    said = ship(node, to, "--then", sender, "--metrics", metrics)
    check(os.listdir(away) == [os.path.basename(said["backup"])], f"there arrived {os.listdir(away)}")
    code, drilled = drill(binary, away)
    check(code == 0 and drilled["head"] == said["head"], f"the drill of what arrived: {drilled}")
    with open(os.path.join(folder, "cut"), "w", encoding="utf-8"):
        pass
    good = told(metrics)
    code, failed = run_ops("offsite", "ship", "--base-path", node.base, "--to", to, "--then", sender, "--metrics", metrics)
    check(code == 1 and "no further" in failed, f"what did not arrive: {failed}")
    check(told(metrics) == {**good, "failed": 1}, f"told: {told(metrics)}")
    os.mkdir(to + "-too")
    code, failed = run_ops("offsite", "ship", "--base-path", node.base, "--to", to + "-too", "--then", folder + "/nothing")
    check(code == 1 and "nothing" in failed, f"a program that is not there: {failed}")


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
            the_rpc_is_the_one_that_the_role_has()
            every_metric_that_alerts_name_is_told()
            who_is_to_know_of_a_failure_is_told(folder)
            node.start("--alice", "--force-authoring", "--unsafe-force-node-key-generation")
            node.until(5)
            a_backup_is_shipped_and_restored(binary, folder, node, to)
            a_chain_that_went_on_differently_is_found_by_the_drill(binary, to)
            without_an_answer_a_backup_is_made_and_the_drill_compares_nothing(binary, folder, node)
            what_sends_backups_on_gets_them_and_its_failure_is_one(binary, folder, node)
            a_failure_is_told_and_so_is_that_there_never_was_a_backup(folder, node, to)
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
